"""Numba kernels of :mod:`workbench.flow.queue_imbalance`: resting size within a range of the book, moment by moment.

A range in percent moves with every mid, and weights by rank move with every level: the sums are taken anew at each
moment, at a nanosecond or so a tick.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import types

from workbench.book import kernels as book
from workbench.book.jit import I1_COLUMN, I4_COLUMN, I8_COLUMN, U1_COLUMN, kernel, part
from workbench.events import Array, EventKind

STARTED, NOW, SEQUENCE, OPEN, EMITTED = range(5)
CLOCK_SLOTS: Final = 5
_GAP: Final = int(EventKind.GAP)
_CLEAR: Final = int(EventKind.CLEAR)
_NONE: Final = 1 << 40

_I8, _F8 = types.int64, types.float64
_EVENTS = (I8_COLUMN, U1_COLUMN, I1_COLUMN, I4_COLUMN, I8_COLUMN)
_BOOK = (types.int64[:, ::1], types.int16[:, ::1], types.int64[:, ::1], types.int64[::1])
_OUT = (types.int64[::1], types.int64[:, ::1], types.float64[:, ::1])


@part
def _best(which: int, levels: Array, far: Array, state: Array) -> int:
    """Best price of a side, far levels too; 2⁴⁰ where there is none."""
    n, at, count = levels.shape[1], state[book.BID + which], state[book.FAR_BIDS + which]
    price = _NONE
    if 0 <= at < n:
        price = int(state[book.BASE] + at)
    if count > 0:
        candidate = int(far[2 * which, count - 1 if which == 0 else 0])
        outside = not 0 <= at < n
        price = candidate if outside else max(price, candidate) if which == 0 else min(price, candidate)
    return price


@part
def _far_sum(
    which: int, begin: int, end: int, low: float, high: float, block: int, rank: int, far: Array
) -> tuple[float, int]:
    """Weighted sum of far levels, from ``begin`` towards ``end`` (excluded), and the next rank."""
    total, step = 0.0, (-1 if which == 0 else 1)
    i = begin
    while i != end:
        if low <= far[2 * which, i] <= high:
            total += far[2 * which + 1, i] * (0.5 ** (rank // block) if block > 0 else 1.0)
            rank += 1
        i += step
    return total, rank


@part
def _sum(
    which: int, low: float, high: float, block: int, levels: Array, pages: Array, far: Array, state: Array
) -> float:
    """Weighted resting size of a side at prices from ``low`` to ``high``, best first."""
    step, n, base = (-1 if which == 0 else 1), levels.shape[1], state[book.BASE]
    count = state[book.FAR_BIDS + which]
    split = np.searchsorted(far[2 * which, :count], base)
    # far levels of this side stand before and behind those of the window
    begin, middle, end = (count - 1, split - 1, -1) if which == 0 else (0, split, count)
    total, rank = _far_sum(which, begin, middle, low, high, block, 0, far)
    at = state[book.BID + which]
    weight, left = 0.5 ** (rank // block) if block > 0 else 1.0, (block - rank % block if block > 0 else 0)
    values, counts = levels[which], pages[which]
    first, last = max(low - base, 0.0), min(high - base, n - 1.0)
    while 0 <= at < n and (at >= first if which == 0 else at <= last):
        if counts[at >> book.PAGE_SHIFT] == 0:
            page = at >> book.PAGE_SHIFT
            at = (page << book.PAGE_SHIFT) - 1 if step < 0 else (page + 1) << book.PAGE_SHIFT
            continue
        if values[at] > 0:
            total += values[at] * weight
            rank += 1
            left -= 1
            if left == 0:
                weight, left = weight * 0.5, block
        at += step
    behind, _ = _far_sum(which, middle, end, low, high, block, rank, far)
    return total + behind


@part
def _measure(
    fraction: float, block: int, levels: Array, pages: Array, far: Array, state: Array, out: Array
) -> None:
    """Write both sums; NaN where the book is not known or a side is empty."""
    bid, ask = _best(0, levels, far, state), _best(1, levels, far, state)
    if not state[book.VALID] or _NONE in (bid, ask):
        out[0], out[1] = np.nan, np.nan
        return
    low, high = -np.inf, np.inf
    if fraction > 0:
        mid = (bid + ask) / 2.0
        reach = abs(mid) * fraction
        low, high = mid - reach, mid + reach
    out[0] = _sum(0, low, np.inf, block, levels, pages, far, state)
    out[1] = _sum(1, -np.inf, high, block, levels, pages, far, state)


@kernel(types.void(_F8, _I8, *_BOOK, *_OUT))
def settle(
    fraction: float, block: int, levels: Array, pages: Array, far: Array, state: Array, clock: Array, stamps: Array,
    sums: Array,
) -> None:  # fmt: skip
    """Write the moment that stands; there is room for one more."""
    at = clock[EMITTED]
    stamps[0, at], stamps[1, at] = clock[NOW], clock[SEQUENCE]
    _measure(fraction, block, levels, pages, far, state, sums[at])
    clock[EMITTED], clock[OPEN] = at + 1, 0


@kernel(_I8(_F8, _I8, _I8, *_EVENTS, _I8, *_BOOK, *_OUT))
def walk(
    fraction: float, block: int, first: int, ts: Array, kind: Array, side: Array, price: Array, size: Array, row: int,
    levels: Array, pages: Array, far: Array, state: Array, clock: Array, stamps: Array, sums: Array,
) -> int:  # fmt: skip
    """Apply rows from ``row`` on; returns the row it stopped at for want of room, or their number."""
    unasked = (np.empty((2, 0), np.int32), np.empty((2, 0), np.int64), np.empty(0, np.bool_))
    while row < len(ts):
        if clock[EMITTED] + 2 > len(sums):
            return row
        if clock[OPEN] and ts[row] != clock[NOW]:
            at = clock[EMITTED]
            stamps[0, at], stamps[1, at] = clock[NOW], clock[SEQUENCE]
            _measure(fraction, block, levels, pages, far, state, sums[at])
            clock[EMITTED] = at + 1
        clock[NOW], clock[OPEN] = ts[row], 1
        # up to the end of the moment, or to the row that loses the book
        stop = row + 1
        lost = kind[row] in (_CLEAR, _GAP)
        while not lost and stop < len(ts) and ts[stop] == ts[row]:
            lost = kind[stop] in (_CLEAR, _GAP)
            stop += 1
        piece = slice(row, stop)
        rest = (levels, pages, far, state, *unasked)
        done = book.apply(kind[piece], side[piece], price[piece], size[piece], 0, *rest)
        row += done
        clock[SEQUENCE] = first + row - 1
        if row < stop:
            return row
        if lost:
            at = clock[EMITTED]
            stamps[0, at], stamps[1, at] = clock[NOW], clock[SEQUENCE]
            sums[at, 0], sums[at, 1] = np.nan, np.nan
            clock[EMITTED] = at + 1
    return row
