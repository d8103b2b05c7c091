"""LOBSTER message and orderbook files (NASDAQ, order by order) as one stream of events.

The orderbook file is the book: its differences from row to row become DEPTH rows. The messages become order-by-order
rows and trades. A message's direction is the *resting* side, so the aggressor of an execution is its opposite. Orders
beyond the file's levels are unknown to it: a deletion may name an order that never entered.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from workbench.errors import ImportFailedError
from workbench.events import (
    SUBTICK_SHIFT,
    SUBTICKS_PER_TICK,
    Array,
    EventBatch,
    EventKind,
    Flag,
    Instrument,
    IntArray,
    Status,
)
from workbench.frames.importers.files import Imported, Request
from workbench.frames.importers.grid import check_ticks, chosen_tick, common_step, to_grid, unit_decimal
from workbench.frames.importers.lobster_files import (
    ADD,
    CROSS,
    DELETE,
    EXECUTION,
    HALT,
    HIDDEN,
    Messages,
    open_pair,
    read_books,
    read_messages,
)

DECIMALS: Final = 4  # prices are dollars times 10,000
CENT: Final = 100
DUMMY: Final = 9_999_999_999  # stands where a side has fewer levels than the file
CLOCK: Final = ZoneInfo("America/New_York")
BATCH_MESSAGES: Final = 50_000
PAIRS_AT_ONCE: Final = 4_000_000
"""Pairs of levels compared in one go: bounds the memory whatever the number of levels."""


def read(request: Request) -> Imported:
    """Read a zip archive, or a message and an orderbook file, of one symbol and day.

    Raises
    ------
    ImportFailedError
        A file is missing, cut, or the two do not agree in their number of rows.
    """
    pair = open_pair(request.paths)
    messages = read_messages(pair)
    prices, sizes = read_books(pair, len(messages))
    tick = _tick(request, messages, prices)
    instrument = Instrument(
        request.symbol or pair.symbol,
        unit_decimal(tick, DECIMALS),
        request.lot_size or Decimal(1),
        features={"depth": True, "mbo": True, "levels": pair.levels},
    )
    lot = _lot(request)
    kinds, counts = np.unique(messages.kind, return_counts=True)
    facts: dict[str, object] = {
        "symbol": pair.symbol,
        "day": pair.day.isoformat(),
        "levels": pair.levels,
        "members": [pair.message_name, pair.orderbook_name],
        "counts": {str(int(k)): int(n) for k, n in zip(kinds, counts)},
        "dummy_levels": int(np.count_nonzero(np.abs(prices) == DUMMY)),
        "stamps_out_of_order": int(np.count_nonzero(np.diff(messages.ns) < 0)),
    }
    stream = Stream(messages, prices, sizes, tick, lot, _midnight(pair.day))
    return Imported(instrument, stream.batches(), facts)


def _tick(request: Request, messages: Messages, prices: IntArray) -> int:
    """Tick in 1e-4 dollars: named, else the cent, unless a displayed price is off the cent."""
    displayed = messages.price[(messages.kind <= EXECUTION) & (messages.price > 0)]
    shown = prices[np.abs(prices) != DUMMY]
    if request.tick_size is not None:
        tick = chosen_tick(request.tick_size, DECIMALS)
        for units in (displayed, shown.ravel()):
            to_grid(units, tick, "price", request.tick_size)
        return tick
    step = common_step(shown, common_step(displayed))
    return CENT if step % CENT == 0 else common_step(np.array([CENT]), step)


def _lot(request: Request) -> int:
    lot = request.lot_size or Decimal(1)
    if lot != int(lot):
        raise ImportFailedError(f"lot_size={lot}", expected="whole shares", action="Leave lot_size unset")
    return int(lot)


def _midnight(day: dt.date) -> int:
    """UTC ns of the midnight that the file's seconds count from, by New York's clock and its daylight saving."""
    # Seconds count on the wall clock: noon's offset holds for the session, the change comes at 2 in the night.
    noon = dt.datetime.combine(day, dt.time(12), CLOCK)
    return (int(noon.timestamp()) - 12 * 3600) * 1_000_000_000


class Stream:
    """Rows of the messages and of the book's changes, in the order of the file.

    Parameters
    ----------
    messages : Messages
    prices, sizes : array of int64, shape (n_messages, 2 · levels)
    tick : int
        In 1e-4 dollars.
    lot : int
        In shares.
    midnight : int
        UTC ns that the file's times count from.
    """

    def __init__(
        self, messages: Messages, prices: IntArray, sizes: IntArray, tick: int, lot: int, midnight: int
    ):
        self.messages = messages
        self.prices = prices
        self.sizes = sizes
        self.tick = tick
        self.lot = lot
        self.stamps = np.maximum.accumulate(messages.ns) + midnight
        self.source = messages.ns + midnight
        self.remaining: dict[int, int] = {}

    def batches(self) -> Iterator[EventBatch]:
        """Batches of some ten thousand messages each."""
        sequence = 0
        for start in range(0, len(self.messages), BATCH_MESSAGES):
            batch = self._batch(start, min(start + BATCH_MESSAGES, len(self.messages)), sequence)
            sequence += len(batch)
            yield batch

    def _batch(self, start: int, stop: int, sequence: int) -> EventBatch:
        # Parts of one message are ordered by rank: snapshot, trade, order, levels.
        parts = [self._trades(start, stop), self._orders(start, stop), self._depth(start, stop)]
        if start == 0:
            parts.insert(0, self._snapshot())
        rows = np.concatenate([p[0] for p in parts])
        order = np.argsort(rows, kind="stable")
        names = ("kind", "side", "price", "size", "order_id", "flags")
        columns = {n: np.concatenate([p[1 + i] for p in parts])[order] for i, n in enumerate(names)}
        rows = rows[order]
        check_ticks(columns["price"])
        return EventBatch.of(sequence, ts=self.stamps[rows], ts_source=self.source[rows], **columns)

    def _ticks(self, prices: IntArray) -> tuple[IntArray, IntArray]:
        """Ticks at or below, and the rest in thousandths of a tick."""
        ticks = prices // self.tick
        return ticks, (prices - ticks * self.tick) * SUBTICKS_PER_TICK // self.tick

    def _lots(self, sizes: IntArray) -> IntArray:
        lots = sizes // self.lot
        off = np.flatnonzero(lots * self.lot != sizes)
        if len(off):
            raise ImportFailedError(
                f"size {int(sizes[off[0]])} is no multiple of {self.lot}",
                expected="whole lots",
                action="Leave lot_size unset",
            )
        return lots

    def _snapshot(self) -> tuple[Array, ...]:
        """The book of the first row; there is none before it."""
        sides, prices, sizes = _levels_of(self.prices[0], self.sizes[0])
        n = len(prices)
        kinds = np.full(n + 2, EventKind.DEPTH)
        kinds[0], kinds[-1] = EventKind.CLEAR, EventKind.SNAPSHOT_END
        flags = np.full(n + 2, int(Flag.SNAPSHOT))
        flags[[0, -1]] = 0
        zeros = np.zeros(n + 2, np.int64)

        def framed(values: IntArray) -> IntArray:
            return np.concatenate(([0], values, [0]))

        ticks = framed(self._ticks(prices)[0])
        return zeros, kinds, framed(sides), ticks, framed(self._lots(sizes)), zeros, flags

    def _trades(self, start: int, stop: int) -> tuple[Array, ...]:
        m = self.messages
        kind = m.kind[start:stop]
        rows = start + np.flatnonzero((kind >= EXECUTION) & (kind <= HALT))
        kinds = np.where(m.kind[rows] == HALT, EventKind.STATUS, EventKind.TRADE)
        traded = kinds == EventKind.TRADE
        ticks, rest = self._ticks(np.where(traded, m.price[rows], 0))
        sides = np.where(m.kind[rows] <= HIDDEN, -m.direction[rows], 0)
        # A halt has price -1, quotes again 0, trading again 1.
        states = np.where(m.price[rows] == 1, Status.LIVE, Status.PAUSED)
        sizes = np.where(traded, self._lots(np.where(traded, m.size[rows], 0)), states)
        marks = np.select([m.kind[rows] == HIDDEN, m.kind[rows] == CROSS], [Flag.HIDDEN, Flag.OTC], 0)
        return rows, kinds, sides, ticks, sizes, m.order[rows] * traded, marks | (rest << SUBTICK_SHIFT)

    def _orders(self, start: int, stop: int) -> tuple[Array, ...]:
        m = self.messages
        rows = start + np.flatnonzero(m.kind[start:stop] <= EXECUTION)
        kinds = np.empty(len(rows), np.int64)
        sizes = np.empty(len(rows), np.int64)
        left = self.remaining
        plain = zip(m.kind[rows].tolist(), m.order[rows].tolist(), m.size[rows].tolist())
        for i, (kind, order, size) in enumerate(plain):
            if kind == ADD:
                kinds[i], sizes[i] = EventKind.MBO_NEW, size
                left[order] = size
                continue
            rest = left.get(order, 0) - size if kind != DELETE else 0
            if rest > 0:
                kinds[i], sizes[i] = EventKind.MBO_REPLACE, rest
                left[order] = rest
            else:
                kinds[i], sizes[i] = EventKind.MBO_CANCEL, 0
                left.pop(order, None)
        sides = np.where(kinds == EventKind.MBO_NEW, m.direction[rows], 0)
        flags = np.where(m.kind[rows] == EXECUTION, int(Flag.EXEC_END), 0)
        ticks = self._ticks(m.price[rows])[0]
        return rows, kinds, sides, ticks, self._lots(sizes), m.order[rows], flags

    def _depth(self, start: int, stop: int) -> tuple[Array, ...]:
        first = max(start, 1)
        prices, sizes = self.prices[first - 1 : stop], self.sizes[first - 1 : stop]
        changed = (prices[1:] != prices[:-1]).any(axis=1) | (sizes[1:] != sizes[:-1]).any(axis=1)
        moved = first + np.flatnonzero(changed)
        step = max(1, PAIRS_AT_ONCE // max(1, prices.shape[1] ** 2 // 4))
        parts = [
            _differences(moved[i : i + step], side, self.prices[:, offset::2], self.sizes[:, offset::2])
            for i in range(0, len(moved), step)
            for side, offset in ((1, 1), (-1, 0))
        ]
        rows, sides, units, levels = np.concatenate([np.zeros((4, 0), np.int64), *parts], axis=1)
        zeros = np.zeros(len(rows), np.int64)
        kinds = np.full(len(rows), EventKind.DEPTH)
        return rows, kinds, sides, self._ticks(units)[0], self._lots(levels), zeros, zeros


def _levels_of(prices: IntArray, sizes: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Sides, prices and sizes of one row of the orderbook file, without its dummies; bids first."""
    sides = np.where(np.arange(len(prices)) % 2 == 0, -1, 1)
    real = np.abs(prices) != DUMMY
    order = np.argsort(-sides[real], kind="stable")
    return sides[real][order], prices[real][order], sizes[real][order]


def _differences(rows: IntArray, side: int, prices: IntArray, sizes: IntArray) -> IntArray:
    """Levels of one side that ``rows`` change against the row before each: removals, then new and changed ones.

    Returns
    -------
    array of int64, shape (4, n)
        Row, side, price, new size.
    """
    before, after = prices[rows - 1], prices[rows]
    same = before[:, :, None] == after[:, None, :]
    kept = (same & (sizes[rows - 1][:, :, None] == sizes[rows][:, None, :])).any(axis=1)
    gone = np.nonzero(~same.any(axis=2) & (np.abs(before) != DUMMY))
    new = np.nonzero(~kept & (np.abs(after) != DUMMY))
    where = np.concatenate((rows[gone[0]], rows[new[0]]))
    units = np.concatenate((before[gone], after[new]))
    lots = np.concatenate((np.zeros(len(gone[0]), np.int64), sizes[rows][new]))
    return np.stack((where, np.full(len(where), side), units, lots))
