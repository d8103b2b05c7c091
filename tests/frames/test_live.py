"""Live columns: appended in any pieces, equal to the whole; what a reader holds never moves."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.synthetic import reference
from workbench.events import COLUMNS, EventBatch
from workbench.frames import live
from workbench.frames.live import LiveColumns

EVENTS = reference(5_000)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "FIRST_CHUNK_ROWS", 16)
    monkeypatch.setattr(live, "CHUNK_ROWS", 128)


def filled(events: EventBatch, cuts: list[int], keep_rows: int | None = None) -> LiveColumns:
    columns = LiveColumns(keep_rows)
    borders = [0, *sorted(c for c in cuts if c < len(events)), len(events)]
    for start, stop in itertools.pairwise(borders):
        columns.append(events[start:stop])
    return columns


@settings(max_examples=60)
@given(st.lists(st.integers(0, 900), max_size=30), st.integers(0, 900), st.integers(0, 900))
def test_any_chunking_gives_the_same_columns(cuts: list[int], start: int, stop: int) -> None:
    """However the stream is cut, views and sequence numbers are those of the whole."""
    events = EVENTS[:900]
    columns = filled(events, cuts)
    assert len(columns) == 900
    for found, expected in zip(columns.view(start, stop), events.columns):
        assert np.array_equal(found, expected[start:stop])
        assert found.dtype == expected.dtype
    assert np.array_equal(columns.sequence(start, stop), events.sequence[start:stop])


def test_what_a_reader_holds_never_moves() -> None:
    """Views taken early share memory with the store and stay as they were while it grows."""
    columns = filled(EVENTS[:100], [])
    held = columns.view(20, 30)
    assert np.shares_memory(held[0], columns.view(18, 31)[0])
    copies = [array.copy() for array in held]
    for batch in (EVENTS[100:600], EVENTS[600:]):
        columns.append(batch)
    assert np.shares_memory(held[0], columns.view(18, 31)[0])
    assert all(np.array_equal(a, b) for a, b in zip(held, copies))


def test_frames_share_memory_and_keep_types() -> None:
    """A Polars snapshot equals the events, in the declared types."""
    columns = filled(EVENTS, [7, 1000])
    assert columns.frame().equals(EVENTS.to_polars())
    assert LiveColumns().frame().schema == EVENTS.to_polars().schema
    assert columns.frame(5, 5).is_empty()


def test_old_rows_are_forgotten_by_chunks() -> None:
    """With a bound the oldest chunks go, row numbers and newest rows stay."""
    columns = filled(EVENTS, list(range(0, 5000, 50)), keep_rows=300)
    assert 300 <= len(columns) - columns.first_row < 600
    assert np.array_equal(columns.view(columns.first_row)[0], EVENTS.ts[columns.first_row :])
    assert columns.nbytes < 1000 * (sum(c.dtype.itemsize for c in COLUMNS) + 8)


@settings(max_examples=40)
@given(st.integers(-2, 903))
def test_row_at_finds_the_first_row_of_a_time(offset: int) -> None:
    """The row of a moment is the first with ts at or after it, as a search in the whole column says."""
    events = EVENTS[:900]
    columns = filled(events, [1, 17, 300])
    for ts in (int(events.ts[0]) + offset * 1_000_000, int(events.ts[0]) + offset * 1_000_000 + 1):
        assert columns.row_at(ts) == int(np.searchsorted(events.ts, ts))
    assert LiveColumns().row_at(5) == 0


def test_rows_with_their_own_numbers() -> None:
    """Rows may carry sequence numbers with holes, as trades picked out of a stream do."""
    columns = LiveColumns()
    columns.append_columns(EVENTS[:10].columns, np.arange(0, 100, 10))
    assert columns.sequence().tolist() == list(range(0, 100, 10))


def test_taking_hands_over_everything_and_starts_again() -> None:
    """What is taken is what was appended; afterwards the store is empty and may be filled anew."""
    columns = LiveColumns()
    for part in (EVENTS[:700], EVENTS[700:900]):
        columns.append(part)
        taken = [(s.copy(), tuple(c.copy() for c in cs)) for s, cs in columns.take()]
        assert np.concatenate([s for s, _ in taken]).tolist() == part.sequence.tolist()
        assert np.array_equal(np.concatenate([cs[0] for _, cs in taken]), part.ts)
        assert len(columns) == 0
        assert columns.take() == []
