"""Kernels of the by-order book, over columns of events.

Orders and levels are rows of two tables, found by hash tables of row numbers; the orders of a level are a doubly linked
queue, first in line first. Kernels return early when a table is full, before the row has changed anything: the caller
makes room and goes on from that row.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import types

from workbench.book.jit import I1_COLUMN, I4_COLUMN, I8_COLUMN, U1_COLUMN, kernel, part
from workbench.events import Array, EventKind

# Columns of the table of orders; KEY is the order id. −1 stands for no row.
KEY: Final = 0
SIDE: Final = 1
PRICE: Final = 2
SIZE: Final = 3
PREVIOUS: Final = 4
NEXT: Final = 5
LEVEL: Final = 6
ORDER_COLUMNS: Final = 7

# Columns of the table of levels; KEY is 2 · price, plus 1 for bids.
VOLUME: Final = 3
COUNT: Final = 4
HEAD: Final = 5
TAIL: Final = 6
LEVEL_COLUMNS: Final = 7

# Slots of the state array.
ORDERS: Final = 0  # live rows
ORDERS_USED: Final = 1  # rows ever used, live or free
ORDERS_FREE: Final = 2  # first free row, linked by NEXT
LEVELS: Final = 3
LEVELS_USED: Final = 4
LEVELS_FREE: Final = 5  # linked by TAIL
VALID: Final = 6
NEEDS_CLEAR: Final = 7
UNKNOWN: Final = 8  # REPLACE without side or CANCEL of an order that the book does not hold
REJECTED: Final = 9  # MBO_NEW without side, size or id
STATE_SLOTS: Final = 10

_NEW: Final = int(EventKind.MBO_NEW)
_REPLACE: Final = int(EventKind.MBO_REPLACE)
_CANCEL: Final = int(EventKind.MBO_CANCEL)
_CLEAR: Final = int(EventKind.CLEAR)
_SNAPSHOT_END: Final = int(EventKind.SNAPSHOT_END)
_GAP: Final = int(EventKind.GAP)

_I8 = types.int64
_TABLE, _INDEX, _STATE = types.int64[:, ::1], types.int32[::1], types.int64[::1]
_BOOK = (_TABLE, _INDEX, _TABLE, _INDEX, _STATE)  # orders, their index, levels, their index, state


@part
def _home(key: int, mask: int) -> int:
    # Fibonacci hashing: consecutive ids, the common case, spread evenly.
    return int(np.int64((np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)) & mask)


@kernel(_I8(_TABLE, _INDEX, _I8))
def find(table: Array, index: Array, key: int) -> int:
    """Position in the index that holds the row of ``key``, or the empty position where it belongs."""
    mask = len(index) - 1
    at = _home(key, mask)
    while index[at] != 0 and table[index[at] - 1, KEY] != key:
        at = (at + 1) & mask
    return at


@part
def _forget(table: Array, index: Array, key: int) -> None:
    """Take a key out of the index; later keys of the same run move up (no tombstones)."""
    mask = len(index) - 1
    hole = find(table, index, key)
    at = (hole + 1) & mask
    while index[at] != 0:
        home = _home(table[index[at] - 1, KEY], mask)
        if (at - home) & mask >= (at - hole) & mask:
            index[hole] = index[at]
            hole = at
        at = (at + 1) & mask
    index[hole] = 0


@kernel(types.void(_TABLE, _INDEX, _I8))
def reindex(table: Array, index: Array, used: int) -> None:
    """Fill an empty index with the live rows (SIDE ≠ 0) of a table."""
    for row in range(used):
        if table[row, SIDE] != 0:
            index[find(table, index, table[row, KEY])] = row + 1


@part
def _take_row(table: Array, state: Array, counter: int, link: int) -> int:
    """Row for a new entry: a freed one, or the next unused."""
    state[counter] += 1
    row: int = state[counter + 2]
    if row >= 0:
        state[counter + 2] = table[row, link]
        return row
    row = state[counter + 1]
    state[counter + 1] += 1
    return row


@part
def _free_row(table: Array, state: Array, counter: int, link: int, row: int) -> None:
    state[counter] -= 1
    table[row, SIDE] = 0
    table[row, link] = state[counter + 2]
    state[counter + 2] = row


@part
def _level_row(levels: Array, level_index: Array, state: Array, side: int, price: int) -> int:
    """Row of a level, made if need be."""
    key = 2 * price + (side > 0)
    at = find(levels, level_index, key)
    if level_index[at] == 0:
        row = _take_row(levels, state, LEVELS, TAIL)
        levels[row, KEY], levels[row, SIDE], levels[row, PRICE] = key, side, price
        levels[row, VOLUME], levels[row, COUNT], levels[row, HEAD], levels[row, TAIL] = 0, 0, -1, -1
        level_index[at] = row + 1
    made: int = level_index[at] - 1
    return made


@part
def _leave(
    orders: Array, order_index: Array, levels: Array, level_index: Array, state: Array, row: int
) -> None:
    """Take an order out of its queue and drop the level if it was the last."""
    level, before, after = orders[row, LEVEL], orders[row, PREVIOUS], orders[row, NEXT]
    if before >= 0:
        orders[before, NEXT] = after
    else:
        levels[level, HEAD] = after
    if after >= 0:
        orders[after, PREVIOUS] = before
    else:
        levels[level, TAIL] = before
    levels[level, VOLUME] -= orders[row, SIZE]
    levels[level, COUNT] -= 1
    if levels[level, COUNT] == 0:
        _forget(levels, level_index, levels[level, KEY])
        _free_row(levels, state, LEVELS, TAIL, level)


@part
def _join(
    orders: Array,
    order_index: Array,
    levels: Array,
    level_index: Array,
    state: Array,
    row: int,
    side: int,
    price: int,
    size: int,
) -> None:
    """Put an order at the end of a level's queue."""
    level = _level_row(levels, level_index, state, side, price)
    last = levels[level, TAIL]
    orders[row, SIDE], orders[row, PRICE], orders[row, SIZE] = side, price, size
    orders[row, LEVEL], orders[row, PREVIOUS], orders[row, NEXT] = level, last, -1
    if last >= 0:
        orders[last, NEXT] = row
    else:
        levels[level, HEAD] = row
    levels[level, TAIL] = row
    levels[level, VOLUME] += size
    levels[level, COUNT] += 1


@part
def _cancel(
    orders: Array, order_index: Array, levels: Array, level_index: Array, state: Array, row: int
) -> None:
    _leave(orders, order_index, levels, level_index, state, row)
    _forget(orders, order_index, orders[row, KEY])
    _free_row(orders, state, ORDERS, NEXT, row)


@part
def _set_order(
    orders: Array,
    order_index: Array,
    levels: Array,
    level_index: Array,
    state: Array,
    key: int,
    side: int,
    price: int,
    size: int,
) -> None:
    """Enter an order, or change it: only a smaller size at the same price keeps its place in the queue."""
    at = find(orders, order_index, key)
    row = order_index[at] - 1
    if row < 0:
        row = _take_row(orders, state, ORDERS, NEXT)
        orders[row, KEY] = key
        order_index[at] = row + 1
    elif orders[row, SIDE] == side and orders[row, PRICE] == price and size <= orders[row, SIZE]:
        levels[orders[row, LEVEL], VOLUME] -= orders[row, SIZE] - size
        orders[row, SIZE] = size
        return
    else:
        _leave(orders, order_index, levels, level_index, state, row)
    _join(orders, order_index, levels, level_index, state, row, side, price, size)


@kernel(types.void(_INDEX, _INDEX, _STATE))
def clear(order_index: Array, level_index: Array, state: Array) -> None:
    """Forget all orders."""
    order_index[:] = 0
    level_index[:] = 0
    state[ORDERS : LEVELS_FREE + 1] = 0
    state[ORDERS_FREE], state[LEVELS_FREE] = -1, -1


@part
def _control(kind: int, order_index: Array, level_index: Array, state: Array) -> None:
    if kind == _CLEAR:
        clear(order_index, level_index, state)
        state[VALID], state[NEEDS_CLEAR] = 0, 0
    elif kind == _SNAPSHOT_END:
        state[VALID] = 1 - state[NEEDS_CLEAR]
    elif kind == _GAP:
        state[VALID], state[NEEDS_CLEAR] = 0, 1


@kernel(_I8(U1_COLUMN, I1_COLUMN, I4_COLUMN, I8_COLUMN, I8_COLUMN, _I8, *_BOOK))
def apply(
    kind: Array,
    side: Array,
    price: Array,
    size: Array,
    order_id: Array,
    row: int,
    orders: Array,
    order_index: Array,
    levels: Array,
    level_index: Array,
    state: Array,
) -> int:
    """Apply rows from ``row`` on; return the number of rows, or the row that found a table full."""
    rows = len(kind)
    while row < rows:
        if kind[row] < _NEW or kind[row] > _CANCEL:
            _control(kind[row], order_index, level_index, state)
            row += 1
            continue
        known = order_index[find(orders, order_index, order_id[row])] - 1
        its_side = side[row]
        if its_side == 0 and known >= 0 and kind[row] == _REPLACE:
            its_side = orders[known, SIDE]
        if (
            kind[row] == _CANCEL
            or (kind[row] == _REPLACE and size[row] <= 0)
            or (its_side == 0 and kind[row] == _REPLACE)
        ):
            if known >= 0:
                _cancel(orders, order_index, levels, level_index, state, known)
            else:
                state[UNKNOWN] += 1
        elif order_id[row] == 0 or size[row] <= 0 or (its_side != 1 and its_side != -1):
            state[REJECTED] += 1
        else:
            # The last row of either table stays in reserve: a move needs its new level before the old one is gone.
            if state[ORDERS] >= len(orders) - 1 or state[LEVELS] >= len(levels) - 1:
                return row
            _set_order(
                orders,
                order_index,
                levels,
                level_index,
                state,
                order_id[row],
                its_side,
                price[row],
                size[row],
            )
        row += 1
    return rows


@kernel(_I8(_STATE, _TABLE, _TABLE, _STATE, _STATE, _STATE))
def walk(level_rows: Array, orders: Array, levels: Array, ids: Array, prices: Array, sizes: Array) -> int:
    """Write the orders of the given levels, first in line first, level after level; return how many."""
    found = 0
    for level in level_rows:
        row = levels[level, HEAD]
        while row >= 0:
            ids[found], prices[found], sizes[found] = orders[row, KEY], orders[row, PRICE], orders[row, SIZE]
            found += 1
            row = orders[row, NEXT]
    return found


@kernel("UniTuple(int64, 2)(int64, int64[:, ::1])")
def ahead(row: int, orders: Array) -> tuple[int, int]:
    """Lots and orders that stand before an order in its queue."""
    lots, count = 0, 0
    row = orders[row, PREVIOUS]
    while row >= 0:
        lots += orders[row, SIZE]
        count += 1
        row = orders[row, PREVIOUS]
    return lots, count
