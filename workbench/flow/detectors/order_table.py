"""Orders as detectors see them: what each shows, what was executed against it, and when.

Rows of a table found by hashing on the order's id; id 0 marks a free slot. Orders that left stay as dead rows until the
table is made anew, because a refill may name them once more.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import types

from workbench.book.jit import kernel, part
from workbench.events import Array, IntArray

FIRST_SLOTS: Final = 4096
NEVER: Final = -(2**62)
# Columns. SHOWN is what was displayed before the execution that is going on, BALANCE what is left of it (below 0 where
# more was executed than displayed), PEAK the size that it entered with, CHAIN the first order of its iceberg.
KEY, LIVE, PRICE, SIDE, SHOWN, BALANCE, PENDING, MARKED = range(8)
EXEC_TS, EXEC_BATCH, LAST_SHOWN, LAST_EXECUTED, EXECUTED, REFILLS = range(8, 14)
CHAIN, PEAK, STARTED, SURPRISE, WAITING, EXEC_SOURCE = range(14, 20)
WIDTH: Final = 20
TABLE: Final = types.int64[:, ::1]


@part
def order_slot(table: Array, order: int) -> int:
    """Slot of an order: the one that holds it, or the free one where it belongs."""
    mask = len(table) - 1
    at = int(np.int64((np.uint64(order) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)) & mask)
    while table[at, KEY] != order and table[at, KEY] != 0:
        at = (at + 1) & mask
    return at


@part
def enter(table: Array, at: int, order: int, price: int, side: int, size: int, ts: int) -> int:
    """Put a new order into a slot; 1 if the slot was free."""
    fresh = table[at, KEY] == 0
    table[at, :] = 0
    table[at, KEY], table[at, LIVE], table[at, PRICE], table[at, SIDE] = order, 1, price, side
    table[at, SHOWN], table[at, BALANCE], table[at, PEAK] = size, size, size
    table[at, EXEC_TS], table[at, CHAIN], table[at, STARTED], table[at, WAITING] = NEVER, order, ts, -1
    return 1 if fresh else 0


@part
def settle(table: Array, at: int) -> None:
    """Book what was executed since the order's size was last told."""
    if table[at, PENDING]:
        table[at, LAST_SHOWN] = table[at, SHOWN]
        table[at, LAST_EXECUTED] = table[at, SHOWN] - table[at, BALANCE]
        table[at, EXECUTED] += table[at, LAST_EXECUTED]
        table[at, SHOWN] = table[at, BALANCE]
        table[at, PENDING] = 0


@part
def begin_execution(table: Array, at: int, ts: int, source: int, batch: int, current: bool) -> None:
    """Something executes against the order, as part of what is going on or as something new."""
    if not current:
        settle(table, at)
        table[at, MARKED] = 0
    table[at, EXEC_TS], table[at, EXEC_SOURCE] = ts, source
    table[at, EXEC_BATCH], table[at, PENDING] = batch, 1


@part
def show(table: Array, at: int, size: int) -> None:
    """The order shows a new size; no execution is going on."""
    settle(table, at)
    table[at, SHOWN], table[at, BALANCE], table[at, LIVE] = size, size, 1
    table[at, EXEC_TS], table[at, MARKED] = NEVER, 0


@kernel(types.int64(TABLE, TABLE, types.int64))
def _keep(table: Array, new: Array, since_ns: int) -> int:
    kept = 0
    for i in range(len(table)):
        if table[i, KEY] != 0 and (table[i, LIVE] or table[i, EXEC_TS] >= since_ns):
            new[order_slot(new, table[i, KEY])] = table[i]
            kept += 1
    return kept


def first_table() -> IntArray:
    """An empty table."""
    return np.zeros((FIRST_SLOTS, WIDTH), np.int64)


def remade(table: IntArray, since_ns: int) -> tuple[IntArray, int]:
    """The table without the dead rows whose last execution is older, with room; and how many rows it holds."""
    alive = int(np.count_nonzero(table[:, LIVE] | (table[:, EXEC_TS] >= since_ns)))
    slots = FIRST_SLOTS
    while slots < 4 * alive:
        slots *= 2
    new = np.zeros((slots, WIDTH), np.int64)
    return new, _keep(table, new, since_ns)
