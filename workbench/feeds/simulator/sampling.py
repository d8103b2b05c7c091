"""A book followed through a stream of depth rows, sampled at equal times: the raw material of the statistics."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from workbench.book.jit import kernel
from workbench.events import Array, EventBatch, EventKind, IntArray

LEVELS: Final = 10
UP, DOWN, NEW, GONE = range(4)
_DEPTH: Final = int(EventKind.DEPTH)
_MOST_PRICES: Final = 50_000_000
_SEARCH_TICKS: Final = 20_000


class Samples(NamedTuple):
    """What was sampled.

    Attributes
    ----------
    best : int64, shape (n_samples, 2)
        Best bid and ask, ticks.
    depth, gaps : int64, shape (n_samples, 2, LEVELS)
        Size of each level and its distance to the better one.
    levels : int64, shape (n_samples,)
        Levels in the book.
    changes : int64, shape (4,)
        Depth rows after the first that raised, lowered, made or removed a level.
    """

    best: IntArray
    depth: IntArray
    gaps: IntArray
    levels: IntArray
    changes: IntArray


def sample_book(batch: EventBatch, times: IntArray, first: int, every_ns: int) -> Samples:
    """Follow the book and sample it.

    Parameters
    ----------
    batch : EventBatch
    times : int64, shape (n_events,), ns since the first sample
    first : int
        Row after the first snapshot.
    every_ns : int
    """
    rows = np.flatnonzero(batch.kind == _DEPTH)
    price = batch.price[rows].astype(np.int64)
    low, high = (int(price.min()), int(price.max())) if len(rows) else (0, 0)
    if high - low > _MOST_PRICES:
        centre = int(np.median(price))
        low, high = centre - _MOST_PRICES // 2, centre + _MOST_PRICES // 2
    count = int(times[-1]) // every_ns + 1
    samples = Samples(
        np.zeros((count, 2), np.int64),
        np.zeros((count, 2, LEVELS), np.int64),
        np.zeros((count, 2, LEVELS), np.int64),
        np.zeros(count, np.int64),
        np.zeros(4, np.int64),
    )
    book = np.zeros((2, high - low + 1), np.int64)
    used = follow(rows, times, batch.side, batch.price, batch.size, low, book, first, every_ns, *samples)
    best, depth, gaps, levels, changes = samples
    return Samples(best[:used], depth[:used], gaps[:used], levels[:used], changes)


@kernel()
def take_sample(book: IntArray, low: int, bid: int, ask: int, best: Array, depth: Array, gaps: Array) -> None:
    """Write the best prices, and the first ten levels of both sides with their gaps."""
    best[0], best[1] = bid + low, ask + low
    for side in range(2):
        at, step = (bid, -1) if side == 0 else (ask, 1)
        found, previous, tried = 0, at, 0
        while found < LEVELS and 0 <= at < book.shape[1] and tried < _SEARCH_TICKS:
            if book[side, at] > 0:
                depth[side, found] = book[side, at]
                gaps[side, found] = abs(at - previous)
                previous = at
                found += 1
            at += step
            tried += 1


@kernel()
def follow(
    rows: IntArray,
    times: IntArray,
    sides: Array,
    prices: Array,
    sizes: IntArray,
    low: int,
    book: IntArray,
    first: int,
    every_ns: int,
    best: IntArray,
    depth: IntArray,
    gaps: IntArray,
    levels: IntArray,
    changes: IntArray,
) -> int:
    """Apply depth rows in order; before each that is later than a sampling time, sample. Returns the samples."""
    bid, ask, count, sample = -1, book.shape[1], 0, 0
    for i in range(rows.shape[0]):
        row = rows[i]
        while row >= first and sample < best.shape[0] and times[row] > sample * every_ns:
            take_sample(book, low, bid, ask, best[sample], depth[sample], gaps[sample])
            levels[sample] = count
            sample += 1
        at = int(prices[row]) - low
        if at < 0 or at >= book.shape[1]:
            continue
        side = 0 if sides[row] > 0 else 1
        old, new = book[side, at], sizes[row]
        book[side, at] = new
        count += int(new > 0) - int(old > 0)
        if row >= first:
            if old == 0 and new > 0:
                changes[NEW] += 1
            elif new == 0 and old > 0:
                changes[GONE] += 1
            elif new > old:
                changes[UP] += 1
            elif new < old:
                changes[DOWN] += 1
        if side == 0:
            bid = at if new > 0 and at > bid else bid
            while bid >= 0 and book[0, bid] == 0:
                bid -= 1
        else:
            ask = at if new > 0 and at < ask else ask
            while ask < book.shape[1] and book[1, ask] == 0:
                ask += 1
    return sample
