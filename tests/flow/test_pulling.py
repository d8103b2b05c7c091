"""Pulling and stacking: the identity, any chunking, nothing from the future."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.books import chunks
from workbench.errors import WorkbenchError
from workbench.events import SUBTICK_SHIFT, EventBatch, EventKind, Flag
from workbench.flow.pulling import PullingStream, pulling

LOW, HIGH = -6, 6
Row = tuple[int, int, int, int, int]


@st.composite
def markets(draw: st.DrawFn) -> tuple[EventBatch, list[tuple[int, int, int, int]]]:
    """Events of a few levels, and what was really done to them: (time, price, side, added − cancelled)."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size: dict[tuple[int, int], int] = {}
    rows: list[Row] = [(0, EventKind.CLEAR, 0, 0, 0)]
    for price in range(LOW, HIGH, 2):
        side = 1 if price < 0 else -1
        size[price, side] = int(rng.integers(1, 9))
        rows.append((0, EventKind.DEPTH, side, price, size[price, side]))
    rows.append((0, EventKind.SNAPSHOT_END, 0, 0, 0))
    truth = []
    for ts in range(1, draw(st.integers(1, 60))):
        price, side = int(rng.integers(LOW, HIGH)), int(rng.choice([1, -1]))
        before = size.get((price, side), 0)
        traded = int(rng.integers(0, before + 1)) if rng.random() < 0.4 else 0
        placed = int(rng.integers(-(before - traded), 6))
        size[price, side] = before - traded + placed
        told: list[Row] = [(ts, EventKind.DEPTH, side, price, size[price, side])]
        if traded:  # venues send the print before or after the new size
            told.insert(int(rng.integers(0, 2)), (ts, EventKind.TRADE, -side, price, traded))
        rows += told
        truth.append((ts, price, side, placed))
    columns = dict(zip(("ts", "kind", "side", "price", "size"), map(list, zip(*rows))))
    return EventBatch.of(**columns), truth


@given(market=markets(), cuts=st.lists(st.integers(0, 130), max_size=6), window=st.integers(1, 70))
def test_what_is_shown_is_what_was_added_less_what_was_cancelled(
    market: tuple[EventBatch, list[tuple[int, int, int, int]]], cuts: list[int], window: int
) -> None:
    """The identity holds at every moment, and both faces give the same for any chunking."""
    batch, truth = market
    stream = PullingStream(window)
    for part in chunks(batch, cuts):
        stream.feed(part.columns)
    now = int(batch.ts[-1])
    expected = np.zeros((HIGH - LOW, 2), np.int64)
    for ts, price, side, placed in truth:
        if now - window < ts <= now:
            expected[price - LOW, 0 if side > 0 else 1] += placed
    assert stream.between(LOW, HIGH, now).tolist() == expected.tolist()
    assert pulling([batch.columns], now - window, now, LOW, HIGH).tolist() == expected.tolist()


@given(market=markets(), cut=st.integers(1, 59), window=st.integers(1, 70))
def test_the_future_changes_nothing_before_it(
    market: tuple[EventBatch, list[tuple[int, int, int, int]]], cut: int, window: int
) -> None:
    """A stream cut at a moment gives what the whole one gave then."""
    batch, _ = market
    kept = int(np.searchsorted(batch.ts, cut, side="right"))
    known = tuple(column[:kept] for column in batch.columns)
    whole = pulling([batch.columns], cut - window, cut, LOW, HIGH)
    assert pulling([known], cut - window, cut, LOW, HIGH).tolist() == whole.tolist()


def test_asking_again_and_again_is_asking_once() -> None:
    """Moving the window on in steps gives what one far step gives."""
    ts = list(range(1, 41))
    kind = [EventKind.CLEAR, EventKind.SNAPSHOT_END, *[EventKind.DEPTH] * 38]
    batch = EventBatch.of(ts=ts, kind=kind, side=1, price=[t % 3 for t in ts], size=ts)
    stepwise, once = PullingStream(7), PullingStream(7)
    for at in range(0, 40, 4):
        stepwise.feed(tuple(column[at : at + 4] for column in batch.columns))
        stepwise.between(0, 3, at + 4)
    once.feed(batch.columns)
    assert stepwise.between(0, 3, 40).tolist() == once.between(0, 3, 40).tolist()


def test_a_lost_book_starts_counting_anew() -> None:
    """After a gap nothing counts until a snapshot ends; the snapshot itself is no stacking."""
    kind = [EventKind.CLEAR, EventKind.DEPTH, EventKind.SNAPSHOT_END, EventKind.DEPTH, EventKind.GAP]
    kind += [EventKind.DEPTH, EventKind.CLEAR, EventKind.DEPTH, EventKind.SNAPSHOT_END, EventKind.DEPTH]
    size = [0, 5, 0, 9, -1, 100, 0, 7, 0, 8]
    side = [1 if k == EventKind.DEPTH else 0 for k in kind]
    batch = EventBatch.of(ts=range(1, 11), kind=kind, side=side, price=0, size=size)
    found = [pulling([batch.columns], 0, now, 0, 1)[0, 0].item() for now in (4, 5, 6, 9, 10)]
    assert found == [4, 0, 0, 0, 1]
    stream = PullingStream(100)
    stream.feed(batch.columns)
    assert stream.since_ns == 9


def test_prints_that_touch_no_displayed_size_are_left_out() -> None:
    """Hidden, off-book and midpoint executions, and those without an aggressor."""
    kind = [EventKind.CLEAR, EventKind.SNAPSHOT_END, *[EventKind.TRADE] * 5]
    flags = [0, 0, Flag.HIDDEN, Flag.OTC, 500 << SUBTICK_SHIFT, 0, 0]
    batch = EventBatch.of(ts=1, kind=kind, side=[0, 0, 1, 1, 1, 0, 1], price=3, size=4, flags=flags)
    assert pulling([batch.columns], 0, 1, 3, 4).tolist() == [[0, 4]]


def test_many_levels_find_their_numbers() -> None:
    """Tables grow: thousands of levels, each with its own flow."""
    count = 5000
    prices = np.arange(count) * 37 - 90_000
    first = EventBatch.of(ts=0, kind=[EventKind.CLEAR, EventKind.SNAPSHOT_END])
    batch = EventBatch.of(
        2, ts=1, kind=EventKind.DEPTH, side=-1, price=prices, size=np.arange(count) % 50 + 1
    )
    stream = PullingStream(10)
    stream.feed(first.columns)
    stream.feed(batch.columns)
    found = stream.between(-90_000, -90_000 + 37 * count, 1)[::37, 1]
    assert found.tolist() == (np.arange(count) % 50 + 1).tolist()


def test_a_window_of_no_length_is_refused() -> None:
    """Windows last longer than nothing."""
    with pytest.raises(WorkbenchError, match="above 0"):
        PullingStream(0)
