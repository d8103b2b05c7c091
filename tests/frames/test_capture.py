"""Capture: columns, books and gaps of one instrument, the same under any delivery."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.recordings import INSTRUMENT, pieces, reference
from workbench.events import EventBatch, EventKind
from workbench.frames.capture import Capture
from workbench.frames.recording import write_recording

EVENTS = reference(1_000)


def captured(batches: list[EventBatch]) -> Capture:
    capture = Capture(INSTRUMENT)
    for batch in batches:
        capture.apply(batch)
    return capture


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 1_100), st.integers(0, 2**32))
def test_any_delivery_gives_the_same_state(rows: int, seed: int) -> None:
    """Cut anywhere, repeated and overlapping, the stream leaves the same columns and books."""
    rng = random.Random(seed)
    delivered: list[EventBatch] = []
    for batch in pieces(EVENTS, rows):
        start = max(0, batch.first_sequence - rng.randrange(30))
        delivered.append(EVENTS[start : batch.first_sequence + len(batch)])
        if rng.random() < 0.3:
            delivered.append(rng.choice(delivered))
    one, many = captured([EVENTS]), captured(delivered)
    assert many.events_frame().equals(one.events_frame()) and many.events_frame().equals(EVENTS.to_polars())
    assert many.book.checksum() == one.book.checksum()
    assert many.counts == one.counts
    assert many.trades_frame().equals(one.trades_frame())
    assert (many.last_ts, many.next_sequence, many.lost) == (int(EVENTS.ts[-1]), EVENTS.next_sequence, 0)


def test_a_jump_becomes_a_gap_row() -> None:
    """A hole in the numbers is a GAP row, the book is not valid until the next snapshot, and both are known."""
    capture = captured([EVENTS[:100], EVENTS[150:200]])
    assert capture.gaps.select("sequence", "lost").rows() == [(100, 50)]
    assert (capture.lost, capture.counts["GAP"], capture.events) == (50, 1, 151)
    assert not capture.book.valid
    sequence = capture.columns.sequence()
    assert sequence[100:102].tolist() == [100, 150]


def test_duplicates_are_counted_and_dropped() -> None:
    """Rows seen before change nothing."""
    capture = captured([EVENTS[:100], EVENTS[20:90], EVENTS[50:110]])
    assert (capture.duplicates, capture.events) == (120, 110)


def test_unknown_gaps_take_one_number() -> None:
    """A gap of unknown length is listed with −1 and counts nothing as lost."""
    row = EventBatch.of(100, ts=EVENTS.ts[99:100], kind=EventKind.GAP, size=-1)
    later = EventBatch.trusted(EVENTS[100:].columns, 101)
    capture = captured([EVENTS[:100], row, later])
    assert capture.gaps["lost"].to_list() == [-1]
    assert (capture.lost, capture.next_sequence) == (0, EVENTS.next_sequence + 1)


def test_clear_forgets_everything() -> None:
    """After a seek any sequence number may come, and nothing of before is left."""
    capture = captured([EVENTS])
    capture.clear()
    assert (capture.events, capture.next_sequence, capture.last_ts, capture.book.valid) == (0, None, 0, False)
    assert capture.trades_frame().is_empty()
    capture.apply(EVENTS[500:])
    assert (capture.lost, capture.events) == (0, len(EVENTS) - 500)
    assert repr(capture) == f"Capture(SYN/1, {len(EVENTS) - 500} events, 0 gaps)"


def test_frames_equal_those_of_a_recording(tmp_path: Path) -> None:
    """What was captured live and what was recorded give the same frames, bit for bit."""
    batches = [EVENTS[:300], EVENTS[340:]]
    capture = captured(batches)
    recording = write_recording(tmp_path, INSTRUMENT, batches, source={})
    assert capture.trades_frame().equals(recording.trades().collect())
    assert capture.depth_frame().equals(recording.depth().collect())
    assert capture.events_frame().equals(recording.events().collect())
    assert capture.gaps.equals(recording.gaps)


def test_orders_are_followed_once_there_are_any() -> None:
    """By-order rows feed the by-order book, wherever batches are cut."""
    rows = EventBatch.of(
        0,
        kind=[
            EventKind.CLEAR,
            EventKind.MBO_NEW,
            EventKind.MBO_NEW,
            EventKind.SNAPSHOT_END,
            EventKind.MBO_CANCEL,
        ],
        side=[0, 1, 1, 0, 0],
        price=[0, 100, 100, 0, 0],
        size=[0, 5, 7, 0, 0],
        order_id=[0, 1, 2, 0, 1],
    )
    whole, single = captured([rows]), captured(pieces(rows, 1))
    assert whole.has_orders
    assert whole.orders.checksum() == single.orders.checksum()
    assert (whole.orders.valid, single.orders.valid) == (True, True)
    assert whole.orders.size_at(1, 100) == 7
    assert not captured([EVENTS]).has_orders


def test_snapshots_do_not_move_under_a_reader() -> None:
    """A frame taken earlier keeps its rows while capture goes on."""
    capture = captured([EVENTS[:100]])
    frame = capture.events_frame()
    copy = frame.clone().rechunk()
    capture.apply(EVENTS[100:])
    assert frame.equals(copy)
    assert isinstance(frame, pl.DataFrame)
    assert np.array_equal(capture.columns.view(0, 100)[0], EVENTS.ts[:100])
