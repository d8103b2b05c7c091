"""Columns read from disk have the face, and the rows, of columns in memory."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.recordings import INSTRUMENT, crashed, pieces
from tests.support.synthetic import reference
from workbench.events import EventKind
from workbench.frames.live import LiveColumns
from workbench.frames.parquet import EventFile, row_groups
from workbench.frames.recording import open_recording, write_recording
from workbench.frames.stored import StoredColumns

ROWS, GROUP = 1_000, 128


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The same rows in memory, and on disk in row groups of 128."""
    batch = reference(ROWS)
    held = LiveColumns()
    held.append(batch)
    path = tmp_path_factory.mktemp("stored") / "events-0000.parquet"
    file = EventFile(path, INSTRUMENT, GROUP)
    file.write(batch)
    file.close()
    return held, row_groups(path)


def joined(columns, start, stop):
    return [np.concatenate(arrays) for arrays in zip(*columns.chunks(start, stop))]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, ROWS + 20), st.integers(0, ROWS + 20)), max_size=6), st.integers(1, 600)
)
def test_any_rows_are_those_in_memory_whatever_is_kept(both, spans, cached_rows):
    """Every span of rows, in any order and with any cache, equals the columns in memory, sequence included."""
    held, groups = both
    stored = StoredColumns(groups, cached_rows)
    assert len(stored) == len(held)
    for start, stop in spans:
        for found, expected in zip(joined(stored, start, stop), joined(held, start, stop)):
            assert found.tolist() == expected.tolist()


def test_the_row_of_a_time_is_that_in_memory(both):
    """Before, at, between and after the events, across borders of row groups."""
    held, groups = both
    stored = StoredColumns(groups)
    times = held.view()[0]
    asked = [int(times[0]) - 1, *times[::50].tolist(), *(times[::61] + 1).tolist(), int(times[-1]) + 1]
    assert [stored.row_at(ts) for ts in asked] == [held.row_at(ts) for ts in asked]


def test_no_more_rows_are_kept_than_allowed(both):
    """Walking through everything keeps a few row groups; the one read last is always there."""
    stored = StoredColumns(both[1], cached_rows=2 * GROUP)
    for _ in stored.chunks():
        assert stored._held() <= 2 * GROUP
    tiny = StoredColumns(both[1], cached_rows=1)
    assert sum(len(piece[0]) for piece in tiny.chunks()) == len(stored)
    assert repr(tiny) == "StoredColumns(1,012 rows, 8 row groups)"


def test_a_recording_has_columns_closed_or_not(tmp_path):
    """A closed one reads from disk; one that was never closed holds what its journal tells, gap at the end included."""
    batch = reference(300)
    closed = write_recording(tmp_path / "out", INSTRUMENT, pieces(batch, 100), source={})
    assert isinstance(closed.columns(), StoredColumns)
    left = open_recording(crashed(tmp_path, pieces(batch, 100))).columns()
    for columns in (closed.columns(), left):
        assert joined(columns, 0, len(batch))[-1].tolist() == batch.sequence.tolist()
    assert joined(left, len(batch), None)[2].tolist() == [EventKind.GAP]
