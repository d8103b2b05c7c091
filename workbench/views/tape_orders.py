"""What the tape reads: aggressors' orders (or single prints) as rows of numbers, from the columns of a capture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from workbench.events import FLAG_MASK, SUBTICK_SHIFT, SUBTICKS_PER_TICK, Array, EventBatch, Flag, IntArray
from workbench.flow.aggressor import AggressorOrders
from workbench.views.live import Captured

__all__ = ["FIELDS", "OrderRows", "TapeFilter"]

FIELDS: Final = ("order", "ms", "price", "lots", "side", "prints", "levels", "flags", "low", "high")
"""A row: number, time (ms since the epoch), mean price (ticks), lots, aggressor, prints, prices met, flags, range."""
ORDER, MS, PRICE, LOTS, SIDE, PRINTS, LEVELS, FLAGS, LOW, HIGH = range(len(FIELDS))
FIRST_ROOM: Final = 1024
Rows = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TapeFilter:
    """What is let through: an order counts as a whole.

    Parameters
    ----------
    min_lots, max_lots : float, lots
    side : {+1, −1, 0} or None
        None: any.
    low, high : float or None, ticks
        An order passes that printed in [low, high].
    hidden, off_book : bool
        Whether orders that met hidden size, and off-book prints, pass.
    sweeps : bool
        Only orders that met more than one price.
    """

    min_lots: float = 0.0
    max_lots: float = float("inf")
    side: int | None = None
    low: float | None = None
    high: float | None = None
    hidden: bool = True
    off_book: bool = True
    sweeps: bool = False

    def changed(self, **wishes: Any) -> TapeFilter:
        """Return the same with other values."""
        return replace(self, **wishes)

    def passes(self, rows: Rows) -> npt.NDArray[np.bool_]:
        """Which rows pass, shape (n,)."""
        flags = rows[:, FLAGS].astype(np.int64)
        kept = (rows[:, LOTS] >= self.min_lots) & (rows[:, LOTS] <= self.max_lots)
        if self.side is not None:
            kept &= rows[:, SIDE] == self.side
        if self.low is not None:
            kept &= rows[:, HIGH] >= self.low
        if self.high is not None:
            kept &= rows[:, LOW] <= self.high
        if not self.hidden:
            kept &= (flags & Flag.HIDDEN) == 0
        if not self.off_book:
            kept &= (flags & Flag.OTC) == 0
        if self.sweeps:
            kept &= rows[:, LEVELS] > 1
        return np.asarray(kept)


class OrderRows:
    """Rows of a capture's trades: where each order begins is kept, everything else is read again when asked for.

    Parameters
    ----------
    capture : Captured
    aggregate : bool
        One row for each aggressor's order; else one for each print.
    """

    def __init__(self, capture: Captured, aggregate: bool):
        self._capture, self._aggregate = capture, aggregate
        self.restart()

    def restart(self) -> None:
        """Begin again with the first trade."""
        self._source: Any = self._capture.trades
        self._numbers = AggressorOrders()
        self._begins = np.empty(FIRST_ROOM, np.int64)
        self.count = 0
        self.row = 0

    def is_outdated(self) -> bool:
        """Whether the capture began anew, as it does after a seek."""
        return self._capture.trades is not self._source

    def follow(self, most: int) -> bool:
        """Take in at most so many trades; whether all that came are in."""
        stop = min(len(self._capture.trades), self.row + most)
        if stop > self.row:
            self._note(EventBatch.trusted(self._source.view(self.row, stop), 0))
            self.row = stop
        return stop == len(self._source)

    def _note(self, batch: EventBatch) -> None:
        if self._aggregate:
            numbers = self._numbers.update(batch)
            prints = np.flatnonzero(numbers >= 0)
            before = np.r_[self.count - 1, numbers[prints][:-1]] if len(prints) else numbers[:0]
            begins = prints[numbers[prints] != before]
        else:
            begins = np.flatnonzero(batch.size > 0)
        self._grow(len(begins))
        self._begins[self.count : self.count + len(begins)] = begins + self.row
        self.count += len(begins)

    def _grow(self, more: int) -> None:
        if self.count + more > len(self._begins):
            room = np.empty(max(2 * len(self._begins), self.count + more), np.int64)
            room[: self.count] = self._begins[: self.count]
            self._begins = room

    def ends(self, order: int) -> int:
        """First trade after an order."""
        return int(self._begins[order + 1]) if order + 1 < self.count else self.row

    def rows(self, first: int, stop: int) -> Rows:
        """Orders ``first`` to ``stop``, shape (n, len(FIELDS))."""
        first, stop = max(first, 0), min(stop, self.count)
        if first >= stop:
            return np.empty((0, len(FIELDS)))
        begin, end = int(self._begins[first]), self.ends(stop - 1)
        columns = self._source.view(begin, end)
        return _summed(columns, self._begins[first:stop] - begin, first)

    def details(self, order: int, most: int) -> Rows:
        """Single prints of one order, the first ones; as rows."""
        if not 0 <= order < self.count:
            return np.empty((0, len(FIELDS)))
        columns = self._source.view(int(self._begins[order]), self.ends(order))
        begins = np.flatnonzero(columns[5] > 0)[:most]
        return _summed(columns, begins, 0)


def _summed(columns: tuple[Array, ...], begins: IntArray, first: int) -> Rows:
    ts, _, _, side, price, size, _, _, flags = columns[:9]
    ticks = price + (flags >> SUBTICK_SHIFT) / SUBTICKS_PER_TICK
    real = size > 0
    lots = np.add.reduceat(np.where(real, size, 0), begins)
    rows = np.empty((len(begins), len(FIELDS)))
    rows[:, ORDER] = first + np.arange(len(begins))
    rows[:, MS] = ts[begins] / 1e6
    rows[:, PRICE] = np.add.reduceat(np.where(real, ticks * size, 0.0), begins) / lots
    rows[:, LOTS], rows[:, SIDE] = lots, side[begins]
    rows[:, PRINTS] = np.add.reduceat(real.astype(np.int64), begins)
    rows[:, LOW] = np.minimum.reduceat(np.where(real, ticks, np.inf), begins)
    rows[:, HIGH] = np.maximum.reduceat(np.where(real, ticks, -np.inf), begins)
    rows[:, LEVELS] = _levels(ticks, real, begins)
    rows[:, FLAGS] = np.bitwise_or.reduceat(np.where(real, flags, 0) & FLAG_MASK, begins)
    return rows


def _levels(ticks: Array, real: Array, begins: IntArray) -> IntArray:
    """Number of different prices of each order."""
    which = np.repeat(np.arange(len(begins)), np.diff(np.r_[begins, len(ticks)]))
    prices, orders = ticks[begins[0] :][real[begins[0] :]], which[real[begins[0] :]]
    by_price = np.lexsort((prices, orders))
    prices, orders = prices[by_price], orders[by_price]
    fresh = np.r_[True, (prices[1:] != prices[:-1]) | (orders[1:] != orders[:-1])]
    return np.bincount(orders[fresh], minlength=len(begins))
