"""Numba kernels of :mod:`workbench.flow.depth_series`: what rested near the touch, and for how long.

Sums near the touch are followed, not taken again: a level that only changed its size adds the difference to every cut
that reaches it, in whole lots, so exactly. They are taken anew where a level came or went. The hot loop is one piece:
handing the book's arrays to a function at every moment cost four times the work itself, measured on an ES-like stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numba import types

from workbench.book import kernels as book
from workbench.book.jit import I1_COLUMN, I4_COLUMN, I8_COLUMN, U1_COLUMN, kernel, part
from workbench.events import Array, EventKind, FloatArray, IntArray

# Slots of State.clock.
STARTED, NOW, DIRTY, COUNT, BUCKET_NS, END, START, BEST_BID, BEST_ASK = range(9)
_CLOCK_SLOTS: Final = 9
# Bits of clock[DIRTY]: which sides are to be summed again, and whether only a sum has changed.
_BIDS, _ASKS, _BOTH, _SUMS = 1, 2, 3, 4
# Fields of a bucket.
KNOWN, AREA, LEAST, MOST, LAST = range(5)
_FIELDS: Final = 5
_OUT_MEAN, _OUT_LEAST, _OUT_MOST, _OUT_LAST = range(4)
_SPREAD, _IMBALANCE, _BID = range(3)

_DEPTH: Final = int(EventKind.DEPTH)
_CONTROLS: Final = tuple(int(kind) for kind in (EventKind.CLEAR, EventKind.SNAPSHOT_END, EventKind.GAP))
_CLEAR, _SNAPSHOT_END, _GAP = _CONTROLS
_NO_EDGE: Final = 1 << 40


class State(NamedTuple):
    """What a series remembers beside its book."""

    cuts: IntArray  # (n_cuts,), rising
    clock: IntArray  # slots above
    value: FloatArray  # (n_quantities,): what rests, NaN unknown; up to date unless clock[DIRTY]
    edges: IntArray  # (2, n_cuts): last price that a sum of bids, of asks takes in, ticks
    top: IntArray  # (2, deepest cut): prices and sizes of a side, scratch
    buckets: IntArray  # (room,): numbers of buckets since the epoch, rising
    rows: Array  # float64, (room, n_quantities, 5)


_I8 = types.int64
_EVENTS = (I8_COLUMN, U1_COLUMN, I1_COLUMN, I4_COLUMN, I8_COLUMN)
_BOOK = (types.int64[:, ::1], types.int16[:, ::1], types.int64[:, ::1], types.int64[::1])
_STATE = (
    *[types.int64[::1]] * 2,
    types.float64[::1],
    *[types.int64[:, ::1]] * 2,
    types.int64[::1],
    types.float64[:, :, ::1],
)


def new_state(cuts: Sequence[int], bucket_ns: int, room: int) -> State:
    """Return the state of a series that has seen nothing."""
    quantities = 2 + 2 * len(cuts)
    clock = np.zeros(_CLOCK_SLOTS, np.int64)
    clock[BUCKET_NS] = bucket_ns
    return State(
        np.array(cuts, np.int64),
        clock,
        np.full(quantities, np.nan),
        np.repeat(np.array([[_NO_EDGE], [-_NO_EDGE]]), len(cuts), axis=1),
        np.zeros((2, cuts[-1]), np.int64),
        np.zeros(room, np.int64),
        np.zeros((room, quantities, _FIELDS)),
    )


def grown(state: State) -> State:
    """Return the same state with room for twice the buckets."""
    return state._replace(
        buckets=np.concatenate([state.buckets, np.zeros_like(state.buckets)]),
        rows=np.concatenate([state.rows, np.zeros_like(state.rows)]),
    )


@part
def _insert(top: Array, found: int, price: int, size: int, step: int) -> int:
    """Put a level that lies outside the book's window where it belongs among the best ones."""
    room = top.shape[1]
    at = found
    while at > 0 and (top[0, at - 1] - price) * step > 0:
        at -= 1
    if at >= room:
        return found
    found = min(found + 1, room)
    for i in range(found - 1, at, -1):
        top[0, i], top[1, i] = top[0, i - 1], top[1, i - 1]
    top[0, at], top[1, at] = price, size
    return found


@part
def _rest(
    side: int,
    cuts: Array,
    edges: Array,
    top: Array,
    levels: Array,
    pages: Array,
    far: Array,
    state: Array,
    sums: Array,
) -> None:
    """Sum the best levels of a side by cut, and note how far each cut reaches."""
    step = -1 if side == 0 else 1
    found = book.collect(side, top.shape[1], levels, pages, state, top[0], top[1])
    for i in range(state[book.FAR_BIDS + side]):
        found = _insert(top, found, far[2 * side, i], far[2 * side + 1, i], step)
    total, cut = np.int64(0), 0
    for i in range(found):
        total += top[1, i]
        if i + 1 == cuts[cut]:
            sums[cut], edges[side, cut] = total, top[0, i]
            cut += 1
    while cut < len(cuts):
        sums[cut], edges[side, cut] = total, step * _NO_EDGE
        cut += 1


@part
def _measure(
    levels: Array,
    pages: Array,
    far: Array,
    state: Array,
    cuts: Array,
    clock: Array,
    value: Array,
    edges: Array,
    top: Array,
) -> None:
    """Bring ``value`` up to date with the book, on the sides that changed."""
    dirty, n = clock[DIRTY], len(cuts)
    clock[DIRTY] = 0
    if not state[book.VALID]:
        value[:] = np.nan
        edges[0], edges[1] = _NO_EDGE, -_NO_EDGE  # only a control row changes that
        return
    if dirty & _BIDS:
        _rest(0, cuts, edges, top, levels, pages, far, state, value[_BID : _BID + n])
        clock[BEST_BID] = top[0, 0]
    if dirty & _ASKS:
        _rest(1, cuts, edges, top, levels, pages, far, state, value[_BID + n :])
        clock[BEST_ASK] = top[0, 0]
    bids, asks = value[_BID + n - 1], value[_BID + 2 * n - 1]
    value[_SPREAD] = clock[BEST_ASK] - clock[BEST_BID] if bids > 0 and asks > 0 else np.nan
    value[_IMBALANCE] = (bids - asks) / (bids + asks) if bids + asks > 0 else np.nan


@part
def _last(buckets: Array, rows: Array, clock: Array, value: Array) -> None:
    """Note in the open bucket what rests."""
    row = rows[clock[COUNT] - 1]
    for q in range(len(value)):
        row[q, LAST] = value[q]


@part
def _lasted(buckets: Array, rows: Array, clock: Array, value: Array, start: int, stop: int) -> None:
    """Count ``value`` in the open bucket for the time from ``start`` to ``stop``."""
    row, span = rows[clock[COUNT] - 1], float(stop - start)
    for q in range(len(value)):
        if span > 0 and value[q] == value[q]:
            if row[q, KNOWN] == 0:
                row[q, LEAST], row[q, MOST] = value[q], value[q]
            row[q, KNOWN] += span
            row[q, AREA] += span * value[q]
            row[q, LEAST], row[q, MOST] = min(row[q, LEAST], value[q]), max(row[q, MOST], value[q])


@part
def _open(buckets: Array, rows: Array, clock: Array, bucket: int) -> None:
    buckets[clock[COUNT]] = bucket
    rows[clock[COUNT]] = 0.0
    clock[COUNT] += 1
    clock[END] = (bucket + 1) * clock[BUCKET_NS]


@part
def _pass(moment: int, clock: Array, value: Array, buckets: Array, rows: Array) -> None:
    """Let time pass to ``moment`` in another bucket; the caller has seen to room for one more."""
    bucket_ns = clock[BUCKET_NS]
    target = moment // bucket_ns
    if not clock[STARTED]:
        clock[STARTED], clock[START] = 1, moment
        _open(buckets, rows, clock, target)
    else:
        _lasted(buckets, rows, clock, value, clock[NOW], clock[END])
        _last(buckets, rows, clock, value)
        _open(buckets, rows, clock, target)
        _lasted(buckets, rows, clock, value, target * bucket_ns, moment)
    clock[NOW] = moment


@kernel(_I8(*_EVENTS, _I8, *_BOOK, *_STATE))
def walk(
    ts: Array,
    kind: Array,
    side: Array,
    price: Array,
    size: Array,
    row: int,
    levels: Array,
    pages: Array,
    far: Array,
    state: Array,
    cuts: Array,
    clock: Array,
    value: Array,
    edges: Array,
    top: Array,
    buckets: Array,
    rows: Array,
) -> int:
    """Apply rows from ``row`` on; returns the row it stopped at for want of room, or their number."""
    count, window, n, width = len(ts), levels.shape[1], len(cuts), len(value)
    unasked = (np.empty((2, 0), np.int32), np.empty((2, 0), np.int64), np.empty(0, np.bool_))
    while row < count:
        moment = ts[row]
        if not clock[STARTED] or moment > clock[NOW]:
            if clock[DIRTY] == _SUMS:
                bids, asks = value[_BID + n - 1], value[_BID + 2 * n - 1]
                value[_IMBALANCE] = (bids - asks) / (bids + asks)
                clock[DIRTY] = 0
            elif clock[DIRTY]:
                _measure(levels, pages, far, state, cuts, clock, value, edges, top)
            if clock[STARTED] and moment < clock[END]:
                span, last = float(moment - clock[NOW]), clock[COUNT] - 1
                for q in range(width):
                    now = value[q]
                    if now == now:
                        if rows[last, q, KNOWN] == 0:
                            rows[last, q, LEAST] = rows[last, q, MOST] = now
                        rows[last, q, KNOWN] += span
                        rows[last, q, AREA] += span * now
                        rows[last, q, LEAST] = min(rows[last, q, LEAST], now)
                        rows[last, q, MOST] = max(rows[last, q, MOST], now)
                clock[NOW] = moment
            elif clock[COUNT] == len(buckets):
                return row
            else:
                _pass(moment, clock, value, buckets, rows)
        is_level, is_control = kind[row] == _DEPTH, kind[row] in (_CLEAR, _SNAPSHOT_END, _GAP)
        if not is_level and not is_control:
            row += 1
            continue
        which = 0 if side[row] == 1 else 1
        at, best, new = np.int64(price[row]) - state[book.BASE], state[book.BID + which], max(size[row], 0)
        behind = at < best if which == 0 else at > best
        reach = edges[which, n - 1]
        is_near = price[row] >= reach if which == 0 else price[row] <= reach
        moves_best = not (behind or (at == best and new > 0))
        if is_control or moves_best or at < 0 or at >= window or (side[row] != 1 and side[row] != -1):
            if is_control:
                clock[DIRTY] |= _BOTH
            elif is_near:
                clock[DIRTY] |= _BIDS if which == 0 else _ASKS
            piece = slice(row, row + 1)
            rest = (levels, pages, far, state, *unasked)
            if not book.apply(kind[piece], side[piece], price[piece], size[piece], 0, *rest):
                return row
        else:
            old = levels[which, at]
            levels[which, at] = new
            came, went = new > 0 and old == 0, new == 0 and old > 0
            if came or went:
                pages[which, at >> book.PAGE_SHIFT] += np.int16(came) - np.int16(went)
                if is_near:
                    clock[DIRTY] |= _BIDS if which == 0 else _ASKS
            elif is_near and new != old:
                for k in range(n):
                    reach = edges[which, k]
                    if price[row] >= reach if which == 0 else price[row] <= reach:
                        value[_BID + which * n + k] += float(new - old)
                clock[DIRTY] |= _SUMS
        row += 1
    return count


@kernel(types.void(*_BOOK, *_STATE))
def look(
    levels: Array,
    pages: Array,
    far: Array,
    state: Array,
    cuts: Array,
    clock: Array,
    value: Array,
    edges: Array,
    top: Array,
    buckets: Array,
    rows: Array,
) -> None:
    """Note what rests now as the last value of the open bucket; changes nothing that counts."""
    if clock[DIRTY]:
        _measure(levels, pages, far, state, cuts, clock, value, edges, top)
    if clock[COUNT]:
        _last(buckets, rows, clock, value)


@part
def _add(out: Array, known: Array, fields: Array) -> None:
    """Merge one quantity of a bucket into a column."""
    if fields[KNOWN] > 0:
        if known[0] == 0:
            out[_OUT_MEAN], out[_OUT_LEAST], out[_OUT_MOST] = 0.0, fields[LEAST], fields[MOST]
        known[0] += fields[KNOWN]
        out[_OUT_MEAN] += fields[AREA]
        out[_OUT_LEAST] = min(out[_OUT_LEAST], fields[LEAST])
        out[_OUT_MOST] = max(out[_OUT_MOST], fields[MOST])
    out[_OUT_LAST] = fields[LAST]


@part
def _silence(
    row: Array, start: int, stop: int, column_ns: int, first: int, known: Array, out: Array, scratch: Array
) -> None:
    """Count what rested at the end of a bucket for the time in which nothing happened."""
    column = max(start // column_ns, first)
    while column < first + len(out) and column * column_ns < stop:
        begin, end = max(start, column * column_ns), min(stop, (column + 1) * column_ns)
        for q in range(len(row)):
            value = row[q, LAST]
            span = float(end - begin) if value == value else 0.0
            scratch[KNOWN], scratch[AREA], scratch[LEAST], scratch[MOST] = span, span * value, value, value
            scratch[LAST] = value
            if end > begin:
                _add(out[column - first, q], known[column - first, q : q + 1], scratch)
        column += 1


_OUT = (types.float64[:, ::1], types.float64[:, :, ::1])


@kernel(types.void(*[_I8] * 3, *_STATE, *_OUT))
def columns(
    column_ns: int,
    first: int,
    until: int,
    cuts: Array,
    clock: Array,
    value: Array,
    edges: Array,
    top: Array,
    buckets: Array,
    rows: Array,
    known: Array,
    out: Array,
) -> None:
    """Merge buckets into columns ``first`` to ``first + len(out)``; what rests now lasts until ``until``."""
    bucket_ns, count = clock[BUCKET_NS], clock[COUNT]
    scratch = np.zeros(_FIELDS)
    begin = np.searchsorted(buckets[:count], first * (column_ns // bucket_ns), side="right") - 1
    for i in range(max(begin, 0), count):
        column = buckets[i] * bucket_ns // column_ns - first
        if column >= len(out):
            break
        if column >= 0:
            for q in range(rows.shape[1]):
                _add(out[column, q], known[column, q : q + 1], rows[i, q])
        start = (buckets[i] + 1) * bucket_ns if i + 1 < count else clock[NOW]
        stop = buckets[i + 1] * bucket_ns if i + 1 < count else until
        if stop > start:
            _silence(rows[i], start, stop, column_ns, first, known, out, scratch)
    for column in range(len(out)):
        for q in range(rows.shape[1]):
            if known[column, q] > 0:
                out[column, q, _OUT_MEAN] /= known[column, q]
