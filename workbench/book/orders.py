"""The by-order book: every resting order, its place in the queue, and the levels they add up to."""

from __future__ import annotations

import zlib
from typing import Final, NamedTuple

import numpy as np

from workbench.book import order_kernels as kernels
from workbench.book.jit import aligned
from workbench.book.order_kernels import (
    COUNT,
    LEVELS,
    LEVELS_USED,
    NEEDS_CLEAR,
    ORDERS,
    ORDERS_USED,
    PRICE,
    SIDE,
    SIZE,
    VALID,
    VOLUME,
)
from workbench.book.quotes import Quotes, describe, snapshot_batch
from workbench.events import COLUMN_NAMES, Array, EventBatch, EventKind, IntArray, Side

FIRST_CAPACITY: Final = 256


class QueuePosition(NamedTuple):
    """Where an order stands at its level."""

    ahead_lots: int
    ahead_orders: int
    behind_lots: int
    level_lots: int


class RestingOrder(NamedTuple):
    """One order in the book; price in ticks, size in lots."""

    order_id: int
    side: int
    price: int
    size: int


class Queue(NamedTuple):
    """Orders of one level, first in line first; int64 arrays of shape (n_orders,)."""

    order_ids: IntArray
    sizes: IntArray


class OrderBook(Quotes):
    """Every resting order in first-in-first-out queues per price, updated by whole batches of events.

    Notes
    -----
    Reads MBO_NEW, MBO_REPLACE, MBO_CANCEL, CLEAR, SNAPSHOT_END and GAP rows; a TRADE changes nothing, because the venue
    says what it did to the resting order in a row of its own. An order that moves its price or grows goes to the end of
    the queue, one that shrinks keeps its place, one of size 0 leaves. A REPLACE of an unknown order that carries a side
    enters it (a stream may begin in the middle); without a side, like a CANCEL of an unknown order, it is counted in
    ``unknown``. MBO_NEW with a known id replaces it. Rows without id, size or side are counted in ``rejected``.

    Examples
    --------
    >>> book = OrderBook()
    >>> book.apply(EventBatch.of(kind=EventKind.MBO_NEW, side=1, price=100, size=[5, 3, 2], order_id=[11, 12, 13]))
    >>> book.queue_position(12)
    QueuePosition(ahead_lots=5, ahead_orders=1, behind_lots=2, level_lots=10)
    >>> book
    OrderBook(bid 10 @ 100, no ask, 1 + 0 levels, 3 orders, not valid)
    """

    __slots__ = ("_level_index", "_levels", "_order_index", "_orders", "_state")

    def __init__(self) -> None:
        self._orders, self._order_index = _table(FIRST_CAPACITY, kernels.ORDER_COLUMNS)
        self._levels, self._level_index = _table(FIRST_CAPACITY, kernels.LEVEL_COLUMNS)
        self._state = np.zeros(kernels.STATE_SLOTS, np.int64)
        kernels.clear(self._order_index, self._level_index, self._state)

    def apply(self, batch: EventBatch) -> None:
        """Apply all events of a batch."""
        kind, side, price, size, ids = (aligned(batch.columns[i]) for i in _ROW_COLUMNS)
        row, rows = 0, len(batch)
        while True:
            book = (self._orders, self._order_index, self._levels, self._level_index, self._state)
            row = kernels.apply(kind, side, price, size, ids, row, *book)
            if row == rows:
                return
            self._grow()

    def clear(self) -> None:
        """Forget all orders and be invalid, like a CLEAR row."""
        kernels.clear(self._order_index, self._level_index, self._state)
        self._state[VALID] = self._state[NEEDS_CLEAR] = 0

    def copy(self) -> OrderBook:
        """Return an independent book of the same state."""
        twin = OrderBook()
        for name in self.__slots__:
            setattr(twin, name, getattr(self, name).copy())
        return twin

    def __len__(self) -> int:
        return int(self._state[ORDERS])

    def __contains__(self, order_id: object) -> bool:
        return isinstance(order_id, int) and self._row(order_id) >= 0

    @property
    def valid(self) -> bool:
        """Whether the book is known to equal the venue's."""
        return bool(self._state[VALID])

    @property
    def unknown(self) -> int:
        """Rows about orders that the book did not hold."""
        return int(self._state[kernels.UNKNOWN])

    @property
    def rejected(self) -> int:
        """Rows without id, size or side, which changed nothing."""
        return int(self._state[kernels.REJECTED])

    @property
    def best_bid(self) -> int | None:
        prices = self._side_levels(Side.BID)[:, PRICE]
        return int(prices.max()) if len(prices) else None

    @property
    def best_ask(self) -> int | None:
        prices = self._side_levels(Side.ASK)[:, PRICE]
        return int(prices.min()) if len(prices) else None

    def order(self, order_id: int) -> RestingOrder | None:
        """One order as it rests now, None if it is not in the book."""
        row = self._row(order_id)
        if row < 0:
            return None
        side, price, size = (int(self._orders[row, column]) for column in (SIDE, PRICE, SIZE))
        return RestingOrder(order_id, side, price, size)

    def queue_position(self, order_id: int) -> QueuePosition | None:
        """Lots and orders before and behind an order at its level, None if it is not in the book."""
        row = self._row(order_id)
        if row < 0:
            return None
        lots, orders = kernels.ahead(row, self._orders)
        volume = int(self._levels[self._orders[row, kernels.LEVEL], VOLUME])
        return QueuePosition(lots, orders, volume - lots - int(self._orders[row, SIZE]), volume)

    def orders_at(self, side: int, price: int) -> Queue:
        """Orders of one level, first in line first."""
        level = self._level_row(side, price)
        ids, _, sizes = self._walk(np.array([level] if level >= 0 else [], np.int64))
        return Queue(ids, sizes)

    def order_count(self, side: int, price: int) -> int:
        """Number of orders at one level."""
        level = self._level_row(side, price)
        return int(self._levels[level, COUNT]) if level >= 0 else 0

    def size_at(self, side: int, price: int) -> int:
        level = self._level_row(side, price)
        return int(self._levels[level, VOLUME]) if level >= 0 else 0

    def level_count(self, side: int) -> int:
        return len(self._side_levels(side))

    def levels(self, side: int, limit: int | None = None) -> tuple[IntArray, IntArray]:
        levels = self._side_levels(side)
        order = np.argsort(-side * levels[:, PRICE])[: None if limit is None else max(limit, 0)]
        return levels[order, PRICE], levels[order, VOLUME]

    def snapshot(self, ts: int, sequence: int) -> EventBatch:
        """Events that rebuild this book: CLEAR, an MBO_NEW per order in order of priority, SNAPSHOT_END."""
        bids, asks = self._queues(Side.BID), self._queues(Side.ASK)
        ids, prices, sizes = (np.concatenate(pair) for pair in zip(bids, asks))
        sides = np.repeat(np.array([1, -1], np.int8), [len(bids[0]), len(asks[0])])
        return snapshot_batch(EventKind.MBO_NEW, ts, sequence, sides, prices, sizes, ids)

    def checksum(self) -> int:
        """CRC32 of all orders, best level first and first in line first; equal on every path and machine."""
        crc = 0
        for name, side in ((b"b", Side.BID), (b"a", Side.ASK)):
            crc = zlib.crc32(name, crc)
            crc = zlib.crc32(np.stack(self._queues(side), axis=1).astype("<i8").tobytes(), crc)
        return crc

    def __repr__(self) -> str:
        return f"OrderBook({describe(self)}, {len(self)} orders, {'valid' if self.valid else 'not valid'})"

    def _row(self, order_id: int) -> int:
        return int(self._order_index[kernels.find(self._orders, self._order_index, order_id)]) - 1

    def _level_row(self, side: int, price: int) -> int:
        key = 2 * price + (side > 0)
        return int(self._level_index[kernels.find(self._levels, self._level_index, key)]) - 1

    def _side_levels(self, side: int) -> IntArray:
        used = self._levels[: self._state[LEVELS_USED]]
        its_own: IntArray = used[used[:, SIDE] == side]
        return its_own

    def _queues(self, side: int) -> tuple[IntArray, IntArray, IntArray]:
        """Ids, prices and sizes of one side, in order of priority."""
        used = self._levels[: self._state[LEVELS_USED]]
        rows = np.flatnonzero(used[:, SIDE] == side)
        return self._walk(rows[np.argsort(-side * used[rows, PRICE])])

    def _walk(self, level_rows: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        count = int(self._levels[level_rows, COUNT].sum())
        ids, prices, sizes = np.empty((3, count), np.int64)
        kernels.walk(level_rows, self._orders, self._levels, ids, prices, sizes)
        return ids, prices, sizes

    def _grow(self) -> None:
        if self._state[ORDERS] >= len(self._orders) - 1:
            self._orders, self._order_index = _doubled(self._orders, int(self._state[ORDERS_USED]))
        if self._state[LEVELS] >= len(self._levels) - 1:
            self._levels, self._level_index = _doubled(self._levels, int(self._state[LEVELS_USED]))


_ROW_COLUMNS: Final = tuple(COLUMN_NAMES.index(n) for n in ("kind", "side", "price", "size", "order_id"))


def _table(rows: int, columns: int) -> tuple[IntArray, Array]:
    # Twice as many positions as rows keep the searches short.
    return np.zeros((rows, columns), np.int64), np.zeros(2 * rows, np.int32)


def _doubled(table: IntArray, used: int) -> tuple[IntArray, Array]:
    larger, index = _table(2 * len(table), table.shape[1])
    larger[: len(table)] = table
    kernels.reindex(larger, index, used)
    return larger, index
