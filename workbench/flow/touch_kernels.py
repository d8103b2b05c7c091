"""Numba kernel of :mod:`workbench.flow.touch`: the best levels of both sides, moment by moment.

The best levels are followed, not collected again. ``cur`` holds, best first, every level at or inside a horizon; a row
behind the horizon costs what it costs the book. A level that comes or goes inside shifts its neighbours. Only what is
missing behind the horizon is looked for, once per moment. The hot loop is one piece: handing the arrays to a function
costs more than a row does.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import types

from workbench.book import kernels as book
from workbench.book.jit import I1_COLUMN, I4_COLUMN, I8_COLUMN, U1_COLUMN, kernel, part
from workbench.events import Array, EventKind

# Slots of the clock.
STARTED, NOW, SEQUENCE, TOUCHED, WAS_KNOWN, COUNT_BID, COUNT_ASK, HORIZON_BID, HORIZON_ASK, EMITTED = range(
    10
)
CLOCK_SLOTS: Final = 10
NO_HORIZON: Final = -(1 << 40)
"""Horizon, as price · side, of a side all of whose levels are followed."""

_DEPTH: Final = int(EventKind.DEPTH)
_CLEAR, _GAP = int(EventKind.CLEAR), int(EventKind.GAP)
_SNAPSHOT_END: Final = int(EventKind.SNAPSHOT_END)

_I8 = types.int64
_EVENTS = (I8_COLUMN, U1_COLUMN, I1_COLUMN, I4_COLUMN, I8_COLUMN)
_BOOK = (types.int64[:, ::1], types.int16[:, ::1], types.int64[:, ::1], types.int64[::1])
_STATE = (types.int64[::1], types.int64[:, ::1], types.int64[:, ::1])
_OUT = (types.int64[:, ::1], types.boolean[::1], *[types.int64[:, ::1]] * 4)


@part
def _next(which: int, at: int, levels: Array, pages: Array) -> int:
    """First level of the window at ``at`` or behind it; −1 for bids, n for asks where there is none."""
    step, n = (-1 if which == 0 else 1), levels.shape[1]
    while 0 <= at < n and levels[which, at] == 0:
        page = at >> book.PAGE_SHIFT
        if pages[which, page] == 0:
            at = (page << book.PAGE_SHIFT) - 1 if step < 0 else (page + 1) << book.PAGE_SHIFT
        else:
            at += step
    return at


@part
def _stand(which: int, levels: Array, pages: Array, state: Array, clock: Array, cur: Array) -> None:
    """Tell the book which level of its window is best, by what is followed."""
    n, slot = levels.shape[1], book.BID + which
    state[slot] = -1 if which == 0 else n
    if clock[COUNT_BID + which] > 0:
        at = cur[2 * which, 0] - state[book.BASE]
        if 0 <= at < n:
            state[slot] = at
            return
    # The best level lies outside the window, or none is left inside the horizon: any level may be the window's best.
    if clock[COUNT_BID + which] > 0 or clock[HORIZON_BID + which] != NO_HORIZON:
        state[slot] = _next(which, n - 1 if which == 0 else 0, levels, pages)


@part
def _collect(
    which: int, levels: Array, pages: Array, far: Array, state: Array, clock: Array, cur: Array
) -> None:
    """Follow a side anew from what the book holds, levels outside its window too."""
    step, room = (-1 if which == 0 else 1), cur.shape[1]
    prices, sizes = cur[2 * which], cur[2 * which + 1]
    _stand(which, levels, pages, state, clock, cur)
    found = book.collect(which, room, levels, pages, state, prices, sizes)
    for i in range(state[book.FAR_BIDS + which]):
        price, size = far[2 * which, i], far[2 * which + 1, i]
        at = found
        while at > 0 and (prices[at - 1] - price) * step > 0:
            at -= 1
        if at < room:
            found = min(found + 1, room)
            for j in range(found - 1, at, -1):
                prices[j], sizes[j] = prices[j - 1], sizes[j - 1]
            prices[at], sizes[at] = price, size
    for i in range(found, room):
        prices[i], sizes[i] = 0, 0
    clock[COUNT_BID + which] = found
    clock[HORIZON_BID + which] = -step * prices[room - 1] if found == room else NO_HORIZON


@part
def _fill(
    which: int, levels: Array, pages: Array, far: Array, state: Array, clock: Array, cur: Array
) -> None:
    """Look behind the horizon for the levels that are missing before it."""
    if state[book.FAR_BIDS + which] > 0:
        _collect(which, levels, pages, far, state, clock, cur)
        return
    step, room, n = (-1 if which == 0 else 1), cur.shape[1], levels.shape[1]
    found, base = clock[COUNT_BID + which], state[book.BASE]
    # The horizon may lie outside the window, where a level was that is gone.
    at = -step * clock[HORIZON_BID + which] + step - base
    at = min(at, n - 1) if which == 0 else max(at, 0)
    while found < room:
        at = _next(which, at, levels, pages)
        if not 0 <= at < n:
            break
        cur[2 * which, found], cur[2 * which + 1, found] = base + at, levels[which, at]
        found += 1
        at += step
    clock[COUNT_BID + which] = found
    clock[HORIZON_BID + which] = -step * cur[2 * which, room - 1] if found == room else NO_HORIZON


@part
def _emit(
    moment: int,
    known: bool,
    clock: Array,
    cur: Array,
    last: Array,
    stamps: Array,
    knowns: Array,
    bid: Array,
    bid_size: Array,
    ask: Array,
    ask_size: Array,
) -> None:
    """Write what stands, if it is not what was written last."""
    differs = known != (clock[WAS_KNOWN] != 0)
    for i in range(cur.shape[1] if known and not differs else 0):
        for k in range(4):
            differs |= cur[k, i] != last[k, i]
    if not differs:
        return
    at = clock[EMITTED]
    stamps[0, at], stamps[1, at], knowns[at] = moment, clock[SEQUENCE], known
    for i in range(cur.shape[1]):
        if known:
            bid[at, i], bid_size[at, i], ask[at, i], ask_size[at, i] = (
                cur[0, i],
                cur[1, i],
                cur[2, i],
                cur[3, i],
            )
        else:
            bid[at, i], bid_size[at, i], ask[at, i], ask_size[at, i] = 0, 0, 0, 0
        for k in range(4):
            last[k, i] = cur[k, i]
    clock[WAS_KNOWN] = known
    clock[EMITTED] = at + 1


@kernel(types.void(*_BOOK, *_STATE, *_OUT))
def settle(
    levels: Array, pages: Array, far: Array, state: Array, clock: Array, cur: Array, last: Array,
    stamps: Array, knowns: Array, bid: Array, bid_size: Array, ask: Array, ask_size: Array,
) -> None:  # fmt: skip
    """Write the moment that stands; there is room for one more row."""
    for which in range(2):
        if clock[COUNT_BID + which] < cur.shape[1] and clock[HORIZON_BID + which] != NO_HORIZON:
            _fill(which, levels, pages, far, state, clock, cur)
    clock[TOUCHED] = 0
    known = state[book.VALID] != 0
    _emit(clock[NOW], known, clock, cur, last, stamps, knowns, bid, bid_size, ask, ask_size)


@kernel(_I8(_I8, *_EVENTS, _I8, *_BOOK, *_STATE, *_OUT))
def walk(
    first: int, ts: Array, kind: Array, side: Array, price: Array, size: Array, row: int,
    levels: Array, pages: Array, far: Array, state: Array, clock: Array, cur: Array, last: Array,
    stamps: Array, knowns: Array, bid: Array, bid_size: Array, ask: Array, ask_size: Array,
) -> int:  # fmt: skip
    """Apply rows from ``row`` on; returns the row it stopped at for want of room, or their number.

    ``first`` is the sequence number of row 0. Stops while fewer than two rows can be written, and where the book has no
    room for one more level outside its window.
    """
    count, window, room, base = len(ts), levels.shape[1], cur.shape[1], state[book.BASE]
    unasked = (np.empty((2, 0), np.int32), np.empty((2, 0), np.int64), np.empty(0, np.bool_))
    now, sequence, touched = clock[NOW], clock[SEQUENCE], clock[TOUCHED]
    if not clock[STARTED] and count > 0:
        clock[STARTED], now = 1, ts[0]
    while row < count:
        if ts[row] != now:
            if touched:
                if clock[EMITTED] + 2 > len(knowns):
                    break
                clock[SEQUENCE] = sequence
                for which in range(2):
                    if clock[COUNT_BID + which] < room and clock[HORIZON_BID + which] != NO_HORIZON:
                        _fill(which, levels, pages, far, state, clock, cur)
                known = state[book.VALID] != 0
                _emit(now, known, clock, cur, last, stamps, knowns, bid, bid_size, ask, ask_size)
                touched = 0
            now = ts[row]
        what = kind[row]
        at = np.int64(price[row]) - base
        if what == _DEPTH and 0 <= at < window and (side[row] == 1 or side[row] == -1):
            which, step, new = (0 if side[row] == 1 else 1), np.int64(side[row]), max(size[row], 0)
            old = levels[which, at]
            levels[which, at] = new
            pages[which, at >> book.PAGE_SHIFT] += np.int16(new > 0) - np.int16(old > 0)
            if price[row] * step >= clock[HORIZON_BID + which] and new != old:
                touched = 1
                found, line, key = clock[COUNT_BID + which], 2 * which, price[row] * step
                i = 0
                while i < found and cur[line, i] * step > key:
                    i += 1
                if new > 0 and old > 0:
                    cur[line + 1, i] = new
                elif new > 0:
                    if found == room:
                        found -= 1  # the last level leaves
                    else:
                        clock[COUNT_BID + which] = found + 1
                    for j in range(found, i, -1):
                        cur[line, j], cur[line + 1, j] = cur[line, j - 1], cur[line + 1, j - 1]
                    cur[line, i], cur[line + 1, i] = price[row], new
                    if found == room - 1:
                        clock[HORIZON_BID + which] = cur[line, room - 1] * step
                else:
                    for j in range(i, found - 1):
                        cur[line, j], cur[line + 1, j] = cur[line, j + 1], cur[line + 1, j + 1]
                    cur[line, found - 1], cur[line + 1, found - 1] = 0, 0
                    clock[COUNT_BID + which] = found - 1
        elif what in (_DEPTH, _CLEAR, _SNAPSHOT_END, _GAP):
            lost = what in (_CLEAR, _GAP)
            if lost and clock[EMITTED] + 1 > len(knowns):
                break
            piece = slice(row, row + 1)
            rest = (levels, pages, far, state, *unasked)
            if not book.apply(kind[piece], side[piece], price[piece], size[piece], 0, *rest):
                break
            touched = 1
            if what == _DEPTH and (side[row] == 1 or side[row] == -1):
                which = 0 if side[row] == 1 else 1
                if np.int64(price[row]) * side[row] >= clock[HORIZON_BID + which]:
                    _collect(which, levels, pages, far, state, clock, cur)
            elif what == _CLEAR:
                cur[:] = 0
                clock[COUNT_BID], clock[COUNT_ASK] = 0, 0
                clock[HORIZON_BID], clock[HORIZON_ASK] = NO_HORIZON, NO_HORIZON
            if lost:
                clock[SEQUENCE] = first + row
                _emit(now, False, clock, cur, last, stamps, knowns, bid, bid_size, ask, ask_size)
        sequence = first + row
        row += 1
    clock[NOW], clock[SEQUENCE], clock[TOUCHED] = now, sequence, touched
    for which in range(2):
        if clock[COUNT_BID + which] == 0 and clock[HORIZON_BID + which] != NO_HORIZON:
            _fill(which, levels, pages, far, state, clock, cur)
        _stand(which, levels, pages, state, clock, cur)
    return row
