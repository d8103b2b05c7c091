"""Price levels and resting orders, brought up to date only when somebody asks.

The bridge must hand on what it reads at once; the books are needed only when a client subscribes. So rows are kept as
they are and folded in when a snapshot is wanted, or when many have come together.
"""

from __future__ import annotations

from collections import deque
from itertools import repeat
from typing import Final

import numpy as np

from workbench.bridge.levels import Levels
from workbench.bridge.rows import Rows, pack
from workbench.events import Array, EventKind, Flag

FOLD_ROWS: Final = 8_192
"""Few enough that folding them does not keep an order waiting: 0.5 ms of levels, 2 ms of orders (measured)."""
FOLD_PARTS: Final = 32
"""Rows come in small parts when the market is calm; joining hundreds of them costs as much as folding thousands of rows."""

Order = tuple[int, int, int]
"""side, price, size."""
Level = tuple[int, int]
"""side, price."""
_DEPTH: Final = int(EventKind.DEPTH)
_NEW: Final = int(EventKind.MBO_NEW)
_REPLACE: Final = int(EventKind.MBO_REPLACE)
_CANCEL: Final = int(EventKind.MBO_CANCEL)
_CLEAR: Final = int(EventKind.CLEAR)
_SNAPSHOT: Final = int(Flag.SNAPSHOT)


class Books:
    """The level book and the order book of one instrument."""

    def __init__(self) -> None:
        self._levels = _no_levels()
        self._orders: dict[int, Order] = {}  # insertion order is the order of arrival
        self._pending: list[Rows] = []
        self._pending_rows = 0
        self._totals: dict[Level, int] = {}  # of levels made of orders
        self._changed: dict[Level, int] = {}  # and not yet written into the level book

    def add(self, rows: Rows) -> None:
        """Take rows in, later."""
        self._pending.append(rows)
        self._pending_rows += rows.length
        if self._pending_rows >= FOLD_ROWS or len(self._pending) >= FOLD_PARTS:
            self.fold()

    def fold(self) -> None:
        """Take in what is pending."""
        for (its_side, its_price), total in self._changed.items():
            self._levels[its_side][its_price] = total
        self._changed.clear()
        if not self._pending:
            return
        pending, self._pending, self._pending_rows = self._pending, [], 0
        # Kind, side, price, size and order_id are all that books are made of.
        kind, *columns = Rows.join(pending)[:5]
        clears = np.flatnonzero(kind == _CLEAR)
        if len(clears):
            self._levels = _no_levels()
            self._orders = {}
            self._totals = {}
            kind, *columns = (column[clears[-1] + 1 :] for column in (kind, *columns))
        self._fold_levels(kind, *columns[:3])
        self._fold_orders(kind, *columns)

    def side(self, side: int, levels: int | None = None) -> tuple[Array, Array]:
        """Return prices (ticks, int32) and sizes (lots, int64) of a side, best first."""
        self.fold()
        return self._levels[side].best(levels)

    def orders(self) -> tuple[Array, Array, Array, Array]:
        """Return order_id, side, price, size of all orders: bids first, best level first, oldest first in a level."""
        self.fold()
        queued = sorted(self._orders.items(), key=lambda item: (-item[1][0], -item[1][0] * item[1][1]))
        columns = list(zip(*((number, *order) for number, order in queued))) or [()] * 4
        types = (np.int64, np.int8, np.int32, np.int64)
        ids, sides, prices, sizes = (np.array(c, t) for c, t in zip(columns, types))
        return ids, sides, prices, sizes

    @property
    def has_orders(self) -> bool:
        """Whether any order is known."""
        self.fold()
        return bool(self._orders)

    def derive_levels(self) -> Rows:
        """Make the level book anew from the orders; return it as SNAPSHOT rows, best first."""
        self.fold()
        self._levels = _no_levels()
        self._totals = {}
        for side, price, size in self._orders.values():
            self._totals[side, price] = self._totals.get((side, price), 0) + size
        self._changed = self._totals.copy()
        return self.level_rows()

    def level_rows(self) -> Rows:
        """Return all levels as SNAPSHOT rows, best first."""
        sides = [(side, *self.side(side)) for side in (1, -1)]
        return Rows.of(
            [
                (_DEPTH, side, price, size, 0, 0, _SNAPSHOT)
                for side, prices, sizes in sides
                for price, size in zip(prices.tolist(), sizes.tolist())
            ]
        )

    def order_rows(self) -> Rows:
        """Return all orders as SNAPSHOT rows that enter them in queue order."""
        numbers, sides, prices, sizes = self.orders()
        rows = Rows.zeros(len(numbers))
        for column, values in zip(rows, (_NEW, sides, prices, sizes, numbers, 0, _SNAPSHOT)):
            column[:] = values
        return rows

    def derive(self, rows: Rows) -> Rows:
        """Take rows of orders in at once; return them with a DEPTH row after each for every level it changed."""
        if self._pending:
            self.fold()
        packed = bytearray()
        for row in zip(*[column.tolist() for column in rows]):
            packed += pack(*row)
            if _NEW <= row[0] <= _CANCEL:
                old = self._orders.get(row[4])
                new = self._apply(old, *row[:5])
                if new != old:
                    packed += self._carry_over(old, new)
        return Rows.packed(packed)

    def _carry_over(self, old: Order | None, new: Order | None) -> bytes:
        """Carry the change of an order over to its levels; return the packed rows that tell it."""
        if old is None:
            return b"" if new is None else self._shift(new[:2], new[2])
        if new is None:
            return self._shift(old[:2], -old[2])
        if old[:2] == new[:2]:
            return self._shift(new[:2], new[2] - old[2])
        return self._shift(old[:2], -old[2]) + self._shift(new[:2], new[2])

    def _shift(self, level: Level, lots: int) -> bytes:
        total = self._totals.get(level, 0) + lots
        self._totals[level] = self._changed[level] = total
        return pack(_DEPTH, *level, total, 0, 0, 0)

    def _apply(
        self, old: Order | None, kind: int, side: int, price: int, size: int, number: int
    ) -> Order | None:
        """Apply one row of an order, by the rules of the order book; return what it is now."""
        if kind == _CANCEL or (kind == _REPLACE and size <= 0):
            if old is not None:
                del self._orders[number]
            return None
        if kind == _REPLACE and side == 0 and old is not None:
            side = old[0]
        if side == 0 or size <= 0:
            return old
        # Only a smaller size at the same price keeps its place in the queue.
        if old is not None and not (old[0] == side and old[1] == price and size <= old[2]):
            del self._orders[number]
        new = self._orders[number] = (side, price, size)
        return new

    def _fold_levels(self, kind: Array, side: Array, price: Array, size: Array) -> None:
        depth = kind == _DEPTH
        for its_side, book in self._levels.items():
            mine = np.flatnonzero(depth & (side == its_side))
            book.write(price.take(mine), size.take(mine))

    def _fold_orders(self, kind: Array, side: Array, price: Array, size: Array, number: Array) -> None:
        mbo = np.flatnonzero((kind >= _NEW) & (kind <= _CANCEL))
        if not len(mbo):
            return
        kept = mbo[self._survivors(number.take(mbo), kind.take(mbo))]
        for row in zip(*(column[kept].tolist() for column in (kind, side, price, size, number))):
            self._apply(self._orders.get(row[4]), *row)

    def _survivors(self, numbers: Array, kinds: Array) -> Array:
        """Mask of the rows whose orders are still there at the end; the others are forgotten here.

        Most orders of a busy market are cancelled soon, and a row that will not matter is not worth a step in Python.
        """
        order = stable_order(numbers)
        ordered = numbers[order]
        last = np.append(ordered[1:] != ordered[:-1], True)  # the last row of each order
        gone = kinds[order[last]] == _CANCEL
        deque(map(self._orders.pop, ordered[last][gone].tolist(), repeat(None)), maxlen=0)
        stays = np.empty(len(numbers), np.bool_)
        stays[order] = np.repeat(~gone, np.diff(np.flatnonzero(last), prepend=-1))
        return stays


def stable_order(numbers: Array) -> Array:
    """``argsort`` that keeps the order of equal numbers; one sort of words where number and place fit into one."""
    bits = len(numbers).bit_length()
    lowest = int(numbers.min())
    if int(numbers.max()) - lowest >= 1 << (63 - bits):
        return np.argsort(numbers, kind="stable")
    words = numbers - lowest
    words <<= bits
    words |= np.arange(len(numbers))
    words.sort()
    words &= (1 << bits) - 1
    order: Array = words
    return order


def _no_levels() -> dict[int, Levels]:
    return {side: Levels(side) for side in (1, -1)}
