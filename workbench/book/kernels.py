"""Kernels of the price-level book, over columns of events.

A side is one flat array of sizes indexed by tick (window ``[base, base + n)``): an update is one store. Levels outside
the window are rare and live in short sorted arrays (``far``: bid prices, bid sizes, ask prices, ask sizes). A count of
levels per page of 1024 ticks lets the search for the next best price skip empty stretches.

The hot loop stops at rows it does not know (control rows, far prices): a helper call that takes the arrays would cost
70 ns per row inside it, measured, against 8–10 ns for the row itself. It stores and counts without branches, because
one removal in five names an absent level and no predictor learns which (20 % faster, measured on real futures data).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import types

from workbench.book.jit import I1_COLUMN, I4_COLUMN, I8_COLUMN, U1_COLUMN, kernel, part
from workbench.events import Array, EventKind

PAGE_SHIFT: Final = 10
PAGE_TICKS: Final = 1 << PAGE_SHIFT

# Slots of the state array.
BASE: Final = 0  # tick of window index 0
BID: Final = 1  # window index of the best bid, −1 none
ASK: Final = 2  # window index of the best ask, n none
VALID: Final = 3
NEEDS_CLEAR: Final = 4  # after a gap only CLEAR … SNAPSHOT_END makes the book valid again
FAR_BIDS: Final = 5
FAR_ASKS: Final = 6
REJECTED: Final = 7  # DEPTH rows without a side
FAR_ROWS: Final = 8  # DEPTH rows outside the window since it was last placed
STATE_SLOTS: Final = 9

_DEPTH: Final = int(EventKind.DEPTH)
_CLEAR: Final = int(EventKind.CLEAR)
_SNAPSHOT_END: Final = int(EventKind.SNAPSHOT_END)
_GAP: Final = int(EventKind.GAP)

_I8 = types.int64
_ROWS = (U1_COLUMN, I1_COLUMN, I4_COLUMN, I8_COLUMN)  # kind, side, price, size
_LEVELS, _PAGES, _STATE = types.int64[:, ::1], types.int16[:, ::1], types.int64[::1]
_BEST = (types.int32[:, ::1], types.int64[:, ::1], types.boolean[::1])  # prices, sizes, valid


@part
def _run(
    kind: Array,
    side: Array,
    price: Array,
    size: Array,
    row: int,
    levels: Array,
    pages: Array,
    state: Array,
    prices: Array,
    sizes: Array,
    valid: Array,
) -> int:
    """Apply rows from ``row`` on; return the first row that the window alone cannot answer."""
    bids, asks, bid_pages, ask_pages = levels[0], levels[1], pages[0], pages[1]
    bid_out, ask_out, bid_size_out, ask_size_out = prices[0], prices[1], sizes[0], sizes[1]
    n, base, bid, ask = bids.shape[0], state[BASE], state[BID], state[ASK]
    bid_price, bid_size, ask_price, ask_size = np.int32(0), np.int64(0), np.int32(0), np.int64(0)
    if bid >= 0:
        bid_price, bid_size = np.int32(base + bid), bids[bid]
    if ask < n:
        ask_price, ask_size = np.int32(base + ask), asks[ask]
    report, first, rows = bid_out.shape[0] > 0, row, kind.shape[0]
    while row < rows:
        if kind[row] == _DEPTH:
            at = np.int64(price[row]) - base
            if at < 0 or at >= n:
                break
            new = max(size[row], np.int64(0))
            if side[row] == 1:
                old = bids[at]
                bids[at] = new
                bid_pages[at >> PAGE_SHIFT] += np.int16(new > 0) - np.int16(old > 0)
                if at >= bid:
                    if new == 0 and at == bid:
                        page = at >> PAGE_SHIFT
                        while page >= 0 and bid_pages[page] == 0:
                            page -= 1
                        at = min(at, (page << PAGE_SHIFT) + PAGE_TICKS - 1)
                        while at >= 0 and bids[at] == 0:
                            at -= 1
                        bid, bid_price, bid_size = at, np.int32(0), np.int64(0)
                        if at >= 0:
                            bid_price, bid_size = np.int32(base + at), bids[at]
                    elif new > 0:
                        bid, bid_price, bid_size = at, price[row], new
            elif side[row] == -1:
                old = asks[at]
                asks[at] = new
                ask_pages[at >> PAGE_SHIFT] += np.int16(new > 0) - np.int16(old > 0)
                if at <= ask:
                    if new == 0 and at == ask:
                        page = at >> PAGE_SHIFT
                        while page << PAGE_SHIFT < n and ask_pages[page] == 0:
                            page += 1
                        at = max(at, page << PAGE_SHIFT)
                        while at < n and asks[at] == 0:
                            at += 1
                        ask, ask_price, ask_size = at, np.int32(0), np.int64(0)
                        if at < n:
                            ask_price, ask_size = np.int32(base + at), asks[at]
                    elif new > 0:
                        ask, ask_price, ask_size = at, price[row], new
            else:
                break
        elif kind[row] == _CLEAR or kind[row] == _SNAPSHOT_END or kind[row] == _GAP:
            break
        if report:
            bid_out[row], ask_out[row] = bid_price, ask_price
            bid_size_out[row], ask_size_out[row] = bid_size, ask_size
        row += 1
    if report:
        valid[first:row] = state[VALID] != 0
    state[BID], state[ASK] = bid, ask
    return row


@kernel(types.void(_LEVELS, _PAGES, _STATE))
def clear(levels: Array, pages: Array, state: Array) -> None:
    """Empty the book, touching occupied pages only."""
    for side in range(2):
        for page in np.flatnonzero(pages[side]):
            levels[side, page << PAGE_SHIFT : (page + 1) << PAGE_SHIFT] = 0
            pages[side, page] = 0
    state[BID], state[ASK] = -1, levels.shape[1]
    state[FAR_BIDS], state[FAR_ASKS] = 0, 0


@part
def _set_far(side: int, price: int, size: int, far: Array, state: Array) -> bool:
    """Set a level outside the window; False if there is no room for one more."""
    which, slot = (0, FAR_BIDS) if side == 1 else (2, FAR_ASKS)
    prices, sizes, count = far[which], far[which + 1], state[slot]
    at = np.searchsorted(prices[:count], price)
    found = at < count and prices[at] == price
    if size <= 0:
        if found:
            for i in range(at, count - 1):
                prices[i], sizes[i] = prices[i + 1], sizes[i + 1]
            state[slot] = count - 1
        return True
    if not found:
        if count == prices.shape[0]:
            return False
        for i in range(count, at, -1):
            prices[i], sizes[i] = prices[i - 1], sizes[i - 1]
        state[slot] = count + 1
    prices[at], sizes[at] = price, size
    return True


@part
def _overlay(start: int, stop: int, n: int, far: Array, state: Array, prices: Array, sizes: Array) -> None:
    """Put far levels into reported rows where they are best: no far level changes between ``start`` and ``stop``."""
    base = state[BASE]
    bids, asks = state[FAR_BIDS], state[FAR_ASKS]
    # A far bid is best if it lies above the window, or if the window holds no bid; asks the other way round.
    for row in range(start, stop):
        if bids > 0 and (sizes[0, row] == 0 or far[0, bids - 1] >= base + n):
            prices[0, row], sizes[0, row] = far[0, bids - 1], far[1, bids - 1]
        if asks > 0 and (sizes[1, row] == 0 or far[2, 0] < base):
            prices[1, row], sizes[1, row] = far[2, 0], far[3, 0]


@part
def _control(kind: int, levels: Array, pages: Array, state: Array) -> None:
    """Apply the effect of a row that changes validity."""
    if kind == _CLEAR:
        clear(levels, pages, state)
        state[VALID], state[NEEDS_CLEAR] = 0, 0
    elif kind == _SNAPSHOT_END:
        state[VALID] = 1 - state[NEEDS_CLEAR]
    else:
        state[VALID], state[NEEDS_CLEAR] = 0, 1


@kernel(_I8(*_ROWS, _I8, _LEVELS, _PAGES, _LEVELS, _STATE, *_BEST))
def apply(
    kind: Array,
    side: Array,
    price: Array,
    size: Array,
    row: int,
    levels: Array,
    pages: Array,
    far: Array,
    state: Array,
    prices: Array,
    sizes: Array,
    valid: Array,
) -> int:
    """Apply rows from ``row`` on, reporting the best prices after each row if the outputs have room.

    Returns the number of rows, or the row that found the far levels full: make room and call again from there.
    """
    rows, n, report = int(kind.shape[0]), levels.shape[1], valid.shape[0] > 0
    while True:
        start = row
        row = _run(kind, side, price, size, row, levels, pages, state, prices, sizes, valid)
        if report and state[FAR_BIDS] + state[FAR_ASKS] > 0:
            _overlay(start, row, n, far, state, prices, sizes)
        if row == rows:
            return row
        if kind[row] != _DEPTH:
            _control(kind[row], levels, pages, state)
        elif side[row] != 1 and side[row] != -1:
            state[REJECTED] += 1
        elif not _set_far(side[row], price[row], size[row], far, state):
            return row
        else:
            state[FAR_ROWS] += 1
        if report:
            bid, ask = state[BID], state[ASK]
            prices[0, row] = state[BASE] + bid if bid >= 0 else 0
            prices[1, row] = state[BASE] + ask if ask < n else 0
            sizes[0, row] = levels[0, bid] if bid >= 0 else 0
            sizes[1, row] = levels[1, ask] if ask < n else 0
            valid[row] = state[VALID] != 0
            _overlay(row, row + 1, n, far, state, prices, sizes)
        row += 1


@kernel(_I8(_I8, _I8, _LEVELS, _PAGES, _STATE, _STATE, _STATE))
def collect(
    side: int, limit: int, levels: Array, pages: Array, state: Array, prices: Array, sizes: Array
) -> int:
    """Write up to ``limit`` levels of the window, best first; return how many."""
    n, base, found = levels.shape[1], state[BASE], 0
    step = -1 if side == 0 else 1
    at = state[BID] if side == 0 else state[ASK]
    values, counts = levels[side], pages[side]
    while found < limit and 0 <= at < n:
        if counts[at >> PAGE_SHIFT] == 0:
            page = at >> PAGE_SHIFT
            at = (page << PAGE_SHIFT) - 1 if step < 0 else (page + 1) << PAGE_SHIFT
            continue
        if values[at] > 0:
            prices[found], sizes[found] = base + at, values[at]
            found += 1
        at += step
    return found


@kernel(types.void(_LEVELS, _PAGES, _LEVELS))
def copy_pages(levels: Array, pages: Array, target: Array) -> None:
    """Copy occupied pages into an empty window of the same shape."""
    for side in range(2):
        for page in np.flatnonzero(pages[side]):
            rows = slice(page << PAGE_SHIFT, (page + 1) << PAGE_SHIFT)
            target[side, rows] = levels[side, rows]
