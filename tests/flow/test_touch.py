"""States of the best levels against a plain book of dicts, moment by moment."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.books import DictBook, chunks, depth_streams
from workbench.errors import WorkbenchError
from workbench.events import EventBatch, EventKind
from workbench.flow.touch import Moments, TouchStream, touches

CUTS = st.lists(st.integers(0, 130), max_size=5)
LEVELS = st.sampled_from([1, 2, 5])


def timed(batch: EventBatch, seed: int) -> EventBatch:
    """The same rows at times that repeat and step, numbered from 1000 on."""
    steps = np.random.default_rng(seed).choice([0, 0, 1, 3], len(batch))
    columns = {name: getattr(batch, name) for name in ("kind", "side", "price", "size")}
    return EventBatch.of(first_sequence=1000, ts=50 + steps.cumsum(), **columns)


def looked_at(book: DictBook, levels: int) -> tuple:
    """Known or not, then prices and sizes of both sides, as a row shows them."""
    if not book.valid:
        return (False, *([0] * levels for _ in range(4)))
    row = []
    for side in (1, -1):
        shown = (book.levels(side) + [(0, 0)] * levels)[:levels]
        row += [[price for price, _ in shown], [size for _, size in shown]]
    return (True, *row)


def oracle(batch: EventBatch, levels: int) -> list[tuple]:
    """What the rows must be: ts, sequence, state."""
    book, found = DictBook(), []
    last = looked_at(book, levels)
    columns = [c.tolist() for c in (batch.ts, batch.kind, batch.side, batch.price, batch.size)]
    rows = list(zip(*columns))
    for i, (ts, kind, side, price, size) in enumerate(rows):
        if kind != EventKind.DEPTH or size > 0 or price in book.sides.get(side, {}):
            book.row(kind, side, price, size)
        over = i + 1 == len(rows) or rows[i + 1][0] != ts
        now = looked_at(book, levels)
        lost = kind in (EventKind.CLEAR, EventKind.GAP)
        if (over or lost) and now != last:
            found.append((ts, 1000 + i, *now))
            last = now
    return found


def as_rows(moments: Moments) -> list[tuple]:
    return list(zip(*(column.tolist() for column in moments)))


def walked(parts: list[EventBatch], levels: int, *, close: bool = True) -> Moments:
    stream = TouchStream(levels)
    pieces = [stream.update(part) for part in parts]
    return Moments.joined([*pieces, stream.close()] if close else pieces, levels)


@given(stream=depth_streams(), seed=st.integers(0, 1000), cuts=CUTS, levels=LEVELS)
def test_every_moment_is_what_a_plain_book_says(stream, seed, cuts, levels):
    """Time, number, prices and sizes of each changed moment, in any chunking, near and outside the window."""
    batch = timed(stream, seed)
    assert as_rows(walked(chunks(batch, cuts), levels)) == oracle(batch, levels)


@given(stream=depth_streams(), seed=st.integers(0, 1000), keep=st.integers(0, 120), levels=LEVELS)
def test_the_future_changes_nothing_before_it(stream, seed, keep, levels):
    """What is told of the first rows is told first, with or without what follows."""
    batch = timed(stream, seed)
    short = as_rows(walked([batch[: keep % (len(batch) + 1)]], levels, close=False))
    assert as_rows(walked([batch], levels))[: len(short)] == short


def simulated(rows: int, seed: int) -> EventBatch:
    """A dense market that wanders, ten rows a moment, after a snapshot."""
    rng = np.random.default_rng(seed)
    middle = 5000 + rng.choice([-1, 0, 0, 1], rows).cumsum() // 4
    side = rng.choice([1, -1], rows)
    price = middle - side * rng.integers(1, 40, rows)
    size = np.where(rng.random(rows) < 0.4, 0, rng.integers(1, 90, rows))
    kind = np.full(rows, int(EventKind.DEPTH))
    kind[[0, 200]] = EventKind.CLEAR, EventKind.SNAPSHOT_END
    ts = np.arange(rows) // 10 * 7
    return EventBatch.of(first_sequence=1000, ts=ts, kind=kind, side=side, price=price, size=size)


def test_a_long_walk_in_pieces_is_the_plain_books():
    """Thousands of rows with twenty levels, fed row by row at first and then in pieces."""
    batch = simulated(6000, 3)
    parts = [*chunks(batch[:300], list(range(300))), *chunks(batch[300:], [1, 2500, 4000])]
    assert as_rows(walked(parts, 20)) == oracle(batch, 20)


def opening(ts: int = 1) -> EventBatch:
    """Bid 99 × 5, ask 101 × 2."""
    kind = [EventKind.CLEAR, EventKind.DEPTH, EventKind.DEPTH, EventKind.SNAPSHOT_END]
    return EventBatch.of(ts=ts, kind=kind, side=[0, 1, -1, 0], price=[0, 99, 101, 0], size=[0, 5, 2, 0])


def test_a_book_lost_and_found_within_a_moment_is_told_as_lost():
    """Nothing is ever measured across a gap, even one that its snapshot closes at once."""
    gap = EventBatch.of(ts=[7], kind=[EventKind.GAP], size=[-1])
    found = walked([opening(), gap, opening(7)], 1)
    assert found.ts.tolist() == [1, 7, 7]
    assert found.known.tolist() == [True, False, True]
    assert found.bid_size[:, 0].tolist() == [5, 0, 5]


def test_what_stood_between_rows_of_one_moment_is_no_state():
    """The best bid goes and comes back within a message: nothing happened."""
    away = EventBatch.of(ts=3, kind=EventKind.DEPTH, side=1, price=99, size=[0, 5])
    assert walked([opening(), away], 1).ts.tolist() == [1]


def test_more_moments_than_a_piece_holds():
    """A batch may hold any number of moments."""
    rows = 140_000
    size = 1 + np.arange(rows) % 2
    flicker = EventBatch.of(ts=2 + np.arange(rows), kind=EventKind.DEPTH, side=1, price=99, size=size)
    found = walked([opening(), flicker], 1)
    assert len(found.ts) == rows + 1
    assert found.bid_size[1:, 0].tolist() == size.tolist()


def test_far_levels_find_room():
    """Hundreds of levels outside the window leave the best ones right."""
    far = 20_000_000 + 3 * np.arange(300)
    side = np.where(np.arange(300) % 2, 1, -1)
    batch = EventBatch.of(ts=5, kind=EventKind.DEPTH, side=side, price=np.where(side > 0, -far, far), size=7)
    found = walked([opening(), batch], 3)
    assert found.bid[-1].tolist() == [99, -20_000_003, -20_000_009]
    assert found.ask[-1].tolist() == [101, 20_000_000, 20_000_006]


def test_events_of_anything_with_batches():
    """The batch face walks what a recording gives."""

    class Recorded:
        def batches(self):
            return iter([opening()])

    assert touches(Recorded(), 2).bid.tolist() == [[99, 0]]
    assert not len(walked([], 2).ts)


@pytest.mark.parametrize("levels", [0, 1001, 1.5, "1"])
def test_levels_that_make_no_sense(levels):
    """At least one, at most a thousand."""
    with pytest.raises(WorkbenchError, match="whole number from 1 to 1000"):
        TouchStream(levels)
