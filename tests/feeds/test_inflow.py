"""The queue before a live source: one numbering, and losses that are told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.synthetic import changes
from workbench.events import EventBatch, EventKind
from workbench.feeds.inflow import Inflow

STEP_NS = 1_000_000


@pytest.fixture
def lost() -> list[str]:
    return []


@pytest.fixture
def inflow(lost) -> Inflow:
    return Inflow(1, lost.append)


def test_rows_are_numbered_anew_for_each_instrument(inflow):
    """From 0, whatever numbers they came with."""
    inflow.put("A", changes(0, 3, STEP_NS, 1_000))
    inflow.put("B", changes(0, 2, STEP_NS, 7))
    inflow.put("A", changes(3, 5, STEP_NS, 2_000))
    taken = inflow.take()
    assert [(s, b.first_sequence, len(b)) for s, b in taken] == [("A", 0, 3), ("B", 0, 2), ("A", 3, 2)]
    assert inflow.position_ns == int(changes(4, 5, STEP_NS, 0).ts[-1])
    assert inflow.take() == []


@given(
    puts=st.lists(st.tuples(st.sampled_from("AB"), st.integers(1, 30)), max_size=20),
    size=st.integers(1, 40),
)
def test_taking_in_pieces_changes_nothing(puts, size):
    """No piece is larger than asked for, and joined they are what was put."""
    inflow, rows = Inflow(1, lambda symbol: None), dict.fromkeys("AB", 0)
    for symbol, count in puts:
        inflow.put(symbol, changes(rows[symbol], rows[symbol] + count, STEP_NS, 5 * rows[symbol]))
        rows[symbol] += count
    streams: dict[str, list[EventBatch]] = {"A": [], "B": []}
    while taken := inflow.take(size):
        assert sum(len(batch) for _, batch in taken) <= size
        for symbol, batch in taken:
            streams[symbol].append(batch)
    for symbol, batches in streams.items():
        if rows[symbol]:
            assert EventBatch.concatenate(batches) == changes(0, rows[symbol], STEP_NS, 0)


def test_what_finds_no_room_is_one_gap_behind_what_did(inflow, lost, monkeypatch):
    """Its size counts numbers, also those of gaps that were lost; its time is the stream's own; its book is asked for."""
    monkeypatch.setattr("workbench.feeds.inflow.MAX_PENDING_ROWS", 5)
    rows = changes(0, 10, STEP_NS, 0)
    for batch in (
        rows,
        EventBatch.of(10, ts=rows.ts[-1:], kind=EventKind.GAP, size=1_000),
        changes(10, 13, STEP_NS, 1_010),
    ):
        inflow.put("A", batch)
    assert inflow.overflowed == {"A": 1_003}
    [(_, handed), (_, gap)] = inflow.take()
    assert handed == rows
    assert (int(gap.size[0]), gap.first_sequence, gap.ts[0]) == (1_003, 10, rows.ts[-1])
    assert lost == ["A"]
    assert inflow.overflowed == {}


def test_the_gap_waits_until_everything_before_it_was_taken(inflow, lost, monkeypatch):
    """Order is kept: rows that came before a loss are not behind it."""
    monkeypatch.setattr("workbench.feeds.inflow.MAX_PENDING_ROWS", 5)
    inflow.put("A", changes(0, 10, STEP_NS, 0))
    inflow.put("A", changes(10, 11, STEP_NS, 10))
    assert [len(batch) for _, batch in inflow.take(4)] == [4]
    assert lost == []
    assert [int(batch.kind[-1]) == EventKind.GAP for _, batch in inflow.take()] == [False, True]
