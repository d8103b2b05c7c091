"""The kernel behind both kinds of icebergs that have order rows: one walk over the events, orders followed one by one.

An order that was executed to its last displayed lot *waits*: under its own id it may be refilled (native), at its
price another order may take its place (synthetic). Who waits stands in a ring, oldest first; a level knows its newest.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import types

from workbench.book.jit import I1_COLUMN, I4_COLUMN, I8_COLUMN, U1_COLUMN, U2_COLUMN, kernel, part
from workbench.events import Array, EventKind, Flag
from workbench.flow.detectors import order_table as orders
from workbench.flow.detectors.order_table import TABLE, begin_execution, enter, order_slot, settle, show
from workbench.flow.level_table import KEYS, VALUES, entered

NATIVE, SYNTHETIC = 0, 1
# Parameters.
MODE, WITHIN, REPLENISH, MIN_REFILLS, MIN_PEAK, MIN_SURPRISE = range(6)
# State.
USED, COUNT, KNOWN, NEEDS_CLEAR, BATCH, OPEN, HEAD, TAIL, SIZES = range(9)
STATE_SLOTS: Final = 9
# Who waits.
W_ORDER, W_TS, W_BATCH, W_BEFORE, W_PRICE, W_SIDE, W_PEAK, W_CHAIN = range(8)
W_REFILLS, W_EXECUTED, W_STARTED, W_SURPRISE, W_TRIALS, W_MATCHED = range(8, 14)
RING: Final = 8192
RING_WIDTH: Final = 14
# What is reported.
REFILL, EXHAUSTED, PULLED = 0, 1, 2
O_WHAT, O_TS, O_ROW, O_PRICE, O_SIDE, O_ORDER, O_CHAIN, O_REFILLS = range(8)
O_EXECUTED, O_BEFORE, O_AFTER, O_REVEALED, O_TOTAL, O_PEAK, O_STARTED, O_SURPRISE = range(8, 16)
OUT_WIDTH: Final = 16
SIZE_BINS: Final = 1024
MILLIONTHS: Final = 1e6

_TRADE, _NEW, _REPLACE = int(EventKind.TRADE), int(EventKind.MBO_NEW), int(EventKind.MBO_REPLACE)
_CANCEL, _CLEAR, _GAP = int(EventKind.MBO_CANCEL), int(EventKind.CLEAR), int(EventKind.GAP)
_SNAPSHOT_END, _SNAPSHOT = int(EventKind.SNAPSHOT_END), int(Flag.SNAPSHOT)
_START, _END = int(Flag.EXEC_START), int(Flag.EXEC_END)


@part
def _bin(size: int) -> int:
    """Counter of a size: its own below 512 lots, above shared by sizes within a seventieth of an octave."""
    if size < 512:
        return size
    return min(512 + int(70.0 * np.log2(size / 512.0)), SIZE_BINS - 1)


@part
def _current(table: Array, at: int, ts: int, source: int, params: Array, state: Array) -> bool:
    """Whether an execution against the order is still going on: by its marks, the venue's time, or ours."""
    if table[at, orders.EXEC_TS] == orders.NEVER:
        return False
    same_batch = state[OPEN] and table[at, orders.EXEC_BATCH] == state[BATCH]
    same_source = source != 0 and table[at, orders.EXEC_SOURCE] == source
    return bool(same_batch or same_source or ts - table[at, orders.EXEC_TS] <= params[WITHIN])


@part
def _report(out: Array, state: Array, what: int, ts: int, row: int, price: int, side: int) -> int:
    at = state[COUNT]
    state[COUNT] += 1
    out[at, O_WHAT], out[at, O_TS], out[at, O_ROW], out[at, O_PRICE], out[at, O_SIDE] = (
        what,
        ts,
        row,
        price,
        side,
    )
    return int(at)


@part
def _report_order(out: Array, state: Array, what: int, ts: int, row: int, order: Array) -> int:
    at = _report(out, state, what, ts, row, order[orders.PRICE], order[orders.SIDE])
    out[at, O_ORDER], out[at, O_CHAIN] = order[orders.KEY], order[orders.CHAIN]
    out[at, O_REFILLS], out[at, O_TOTAL] = order[orders.REFILLS], order[orders.EXECUTED]
    out[at, O_PEAK], out[at, O_STARTED] = order[orders.PEAK], order[orders.STARTED]
    out[at, O_SURPRISE] = order[orders.SURPRISE]
    return at


@part
def _tells(params: Array, refills: int, surprise: int) -> bool:
    return bool(refills >= params[MIN_REFILLS] and surprise >= params[MIN_SURPRISE])


@part
def _expire(ring: Array, params: Array, state: Array, out: Array, ts: int, row: int) -> None:
    """Let those go that waited too long: their icebergs are exhausted."""
    while state[TAIL] < state[HEAD] and state[COUNT] < len(out) - 1:
        waits = ring[state[TAIL] % RING]
        if not waits[W_MATCHED]:
            going_on = state[OPEN] and waits[W_BATCH] == state[BATCH]
            if going_on or ts - waits[W_TS] <= params[REPLENISH]:
                if state[HEAD] - state[TAIL] < RING:
                    return
            elif state[KNOWN] and _tells(params, waits[W_REFILLS], waits[W_SURPRISE]):
                at = _report(out, state, EXHAUSTED, ts, row, waits[W_PRICE], waits[W_SIDE])
                out[at, O_ORDER], out[at, O_CHAIN] = waits[W_ORDER], waits[W_CHAIN]
                out[at, O_REFILLS], out[at, O_TOTAL] = waits[W_REFILLS], waits[W_EXECUTED]
                out[at, O_PEAK], out[at, O_STARTED] = waits[W_PEAK], waits[W_STARTED]
        state[TAIL] += 1


@part
def _wait(
    table: Array, at: int, ring: Array, state: Array, levels: Array, heads: Array, used: Array, ts: int
) -> None:
    """The order was executed to its last displayed lot."""
    order = table[at]
    number = state[HEAD]
    state[HEAD] += 1
    waits = ring[number % RING]
    level = entered(levels, used, order[orders.PRICE], order[orders.SIDE])
    waits[W_ORDER], waits[W_TS], waits[W_BATCH] = order[orders.KEY], ts, state[BATCH]
    waits[W_BEFORE], waits[W_PRICE], waits[W_SIDE] = (
        heads[level, 0] - 1,
        order[orders.PRICE],
        order[orders.SIDE],
    )
    waits[W_PEAK], waits[W_CHAIN], waits[W_REFILLS] = (
        order[orders.PEAK],
        order[orders.CHAIN],
        order[orders.REFILLS],
    )
    waits[W_EXECUTED], waits[W_STARTED] = order[orders.EXECUTED], order[orders.STARTED]
    waits[W_SURPRISE], waits[W_TRIALS], waits[W_MATCHED] = order[orders.SURPRISE], 0, 0
    heads[level, 0] = number + 1
    table[at, orders.LIVE], table[at, orders.WAITING], table[at, orders.EXEC_TS] = 0, number, ts


@part
def _refill(
    table: Array, at: int, size: int, ring: Array, params: Array, state: Array, out: Array, ts: int, row: int
) -> None:
    """More is displayed under the same id than the execution left."""
    settle(table, at)
    revealed = size - table[at, orders.SHOWN]
    waiting = table[at, orders.WAITING]
    if waiting >= state[TAIL]:
        ring[waiting % RING, W_MATCHED] = 1
    table[at, orders.WAITING] = -1
    show(table, at, size)
    if params[MODE] != NATIVE or revealed <= 0:
        return
    table[at, orders.REFILLS] += 1
    table[at, orders.PEAK] = max(table[at, orders.PEAK], size)
    if state[KNOWN] and _tells(params, table[at, orders.REFILLS], 0):
        to = _report_order(out, state, REFILL, ts, row, table[at])
        out[to, O_EXECUTED], out[to, O_BEFORE] = table[at, orders.LAST_EXECUTED], table[at, orders.LAST_SHOWN]
        out[to, O_AFTER], out[to, O_REVEALED] = size, revealed


@part
def _best_waiting(ring: Array, first: int, size: int, params: Array, state: Array, ts: int) -> int:
    """The one whose place a new order of this size takes: of the longest chain, then the newest; −1 none."""
    found, number = -1, first
    while number >= state[TAIL] and ts - ring[number % RING, W_TS] <= params[REPLENISH]:
        waits = ring[number % RING]
        if not waits[W_MATCHED]:
            waits[W_TRIALS] += 1
            # The last slice may be smaller, once there is a chain to believe in.
            rest = size < waits[W_PEAK] and _tells(params, waits[W_REFILLS], waits[W_SURPRISE])
            longer = found < 0 or waits[W_REFILLS] > ring[found % RING, W_REFILLS]
            if (size == waits[W_PEAK] or rest) and longer:
                found = number
        number = waits[W_BEFORE]
    return int(found)


@part
def _follow_up(
    table: Array, at: int, ring: Array, levels: Array, heads: Array, used: Array, sizes: Array, params: Array,
    state: Array, out: Array, ts: int, row: int,
) -> None:  # fmt: skip
    """A new order: perhaps the next slice of one that was executed at its price just before."""
    order = table[at]
    size = order[orders.SHOWN]
    share = (sizes[_bin(size)] + 1) / (state[SIZES] + 1.0)
    sizes[_bin(size)] += 1
    state[SIZES] += 1
    level = entered(levels, used, order[orders.PRICE], order[orders.SIDE])
    number = _best_waiting(ring, heads[level, 0] - 1, size, params, state, ts)
    if number < 0:
        return
    waits = ring[number % RING]
    if waits[W_PEAK] < params[MIN_PEAK]:
        return
    waits[W_MATCHED] = 1
    chance = min(1.0, waits[W_TRIALS] * share) if size == waits[W_PEAK] else 1.0
    order[orders.REFILLS], order[orders.CHAIN] = waits[W_REFILLS] + 1, waits[W_CHAIN]
    order[orders.EXECUTED], order[orders.STARTED] = waits[W_EXECUTED], waits[W_STARTED]
    order[orders.PEAK] = waits[W_PEAK]
    order[orders.SURPRISE] = waits[W_SURPRISE] + int(np.rint(-MILLIONTHS * np.log10(chance)))
    if state[KNOWN] and _tells(params, order[orders.REFILLS], order[orders.SURPRISE]):
        to = _report_order(out, state, REFILL, ts, row, order)
        out[to, O_EXECUTED], out[to, O_BEFORE] = waits[W_PEAK], waits[W_PEAK]
        out[to, O_AFTER], out[to, O_REVEALED] = size, size


@part
def _leave(
    table: Array, at: int, ended: bool, current: bool, ring: Array, levels: Array, heads: Array, used: Array,
    params: Array, state: Array, out: Array, ts: int, source: int, row: int,
) -> None:  # fmt: skip
    """The order leaves: executed, or pulled with what it still had."""
    if ended and not current:
        begin_execution(table, at, ts, source, state[BATCH], False)
        table[at, orders.BALANCE] = 0
    if ended:
        table[at, orders.BALANCE] = min(table[at, orders.BALANCE], 0)
    consumed = ended or (current and table[at, orders.BALANCE] <= 0)
    settle(table, at)
    if consumed:
        _wait(table, at, ring, state, levels, heads, used, ts)
        return
    table[at, orders.LIVE], table[at, orders.EXEC_TS] = 0, orders.NEVER
    if state[KNOWN] and _tells(params, table[at, orders.REFILLS], table[at, orders.SURPRISE]):
        _report_order(out, state, PULLED, ts, row, table[at])


@part
def _replace(
    table: Array, at: int, price: int, size: int, flags: int, current: bool, ts: int, source: int, batch: int
) -> bool:
    """A known order changes; whether that may be a refill, which is then still to be done."""
    if flags & _START:  # raised to what was executed against it
        begin_execution(table, at, ts, source, batch, current)
        table[at, orders.BALANCE], table[at, orders.MARKED] = table[at, orders.SHOWN] - size, 1
    elif flags & _END:  # what an execution left of it
        begin_execution(table, at, ts, source, batch, current)
        if not table[at, orders.MARKED]:
            table[at, orders.BALANCE] = size
    elif current and table[at, orders.PRICE] == price:
        return True
    else:
        show(table, at, size)
        table[at, orders.PRICE] = price
        if table[at, orders.REFILLS] == 0:
            table[at, orders.PEAK] = size
    return False


@part
def _forget(table: Array, state: Array, what: int) -> None:
    table[:, orders.KEY] = 0
    table[:, orders.LIVE] = 0
    table[:, orders.EXEC_TS] = orders.NEVER
    state[USED], state[KNOWN], state[OPEN], state[TAIL] = 0, 0, 0, state[HEAD]
    state[NEEDS_CLEAR] = what == _GAP


_I8 = types.int64
_EVENTS = (I8_COLUMN, I8_COLUMN, U1_COLUMN, I1_COLUMN, I4_COLUMN, I8_COLUMN, I8_COLUMN, U2_COLUMN)


@kernel(_I8(_I8, _I8, *[TABLE] * 2, KEYS, VALUES, *[types.int64[::1]] * 4, TABLE, *_EVENTS))
def follow(
    row: int, first: int, table: Array, ring: Array, levels: Array, heads: Array, used: Array, sizes: Array,
    params: Array, state: Array, out: Array, ts: Array, ts_source: Array, kind: Array, side: Array, price: Array,
    size: Array, order_id: Array, flags: Array,
) -> int:  # fmt: skip
    """Take in rows; the row where it stopped: after them, or for more room. ``first`` is the number of row 0."""
    while row < len(ts):
        if 2 * state[USED] >= len(table) or 2 * used[0] >= len(levels):
            return row
        now, source, number = ts[row], ts_source[row], first + row
        _expire(ring, params, state, out, now, number)
        if state[COUNT] >= len(out) - 1:
            return row
        what, order, marks = kind[row], order_id[row], flags[row]
        if what == _TRADE:
            if marks & _START:
                state[BATCH] += 1
                state[OPEN] = 1
            at = order_slot(table, order)
            if order != 0 and size[row] > 0 and table[at, orders.LIVE]:
                current = _current(table, at, now, source, params, state)
                begin_execution(table, at, now, source, state[BATCH], current)
                table[at, orders.BALANCE] -= size[row]
            if marks & _END:
                state[OPEN] = 0
        elif what in (_NEW, _REPLACE, _CANCEL) and order != 0:
            at = order_slot(table, order)
            known = table[at, orders.KEY] == order
            live = known and table[at, orders.LIVE] != 0
            current = known and _current(table, at, now, source, params, state)
            if what == _CANCEL or (size[row] <= 0 and not marks & _END):
                if live:
                    ended = marks & _END != 0
                    _leave(
                        table,
                        at,
                        ended,
                        current,
                        ring,
                        levels,
                        heads,
                        used,
                        params,
                        state,
                        out,
                        now,
                        source,
                        number,
                    )
            elif live and what == _REPLACE:
                if _replace(table, at, price[row], size[row], marks, current, now, source, state[BATCH]):
                    _refill(table, at, size[row], ring, params, state, out, now, number)
            elif current and table[at, orders.PRICE] == price[row]:
                _refill(table, at, size[row], ring, params, state, out, now, number)
            elif side[row] != 0 and size[row] > 0:
                state[USED] += enter(table, at, order, price[row], side[row], size[row], now)
                if params[MODE] == SYNTHETIC and what == _NEW and not marks & _SNAPSHOT:
                    _follow_up(table, at, ring, levels, heads, used, sizes, params, state, out, now, number)
        elif what in (_CLEAR, _GAP):
            _forget(table, state, what)
        elif what == _SNAPSHOT_END:
            state[KNOWN] = not state[NEEDS_CLEAR]
        row += 1
    return row
