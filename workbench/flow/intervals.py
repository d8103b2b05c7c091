"""Equal times of a stream: how the mid moved in each, and what was traded."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from workbench.events import SUBTICKS_PER_TICK, EventBatch, FloatArray, IntArray
from workbench.flow.prints import prints_of_batch
from workbench.flow.quoted import MidLog

__all__ = ["IntervalStream", "Intervals"]


class Intervals(NamedTuple):
    """Intervals that are over; n rows, also for those in which nothing happened.

    Attributes
    ----------
    start : int64, ns, shape (n,)
    opened, closed : float64, ticks, shape (n,)
        Mid in force at the edges; NaN where it was not known, both NaN where a GAP or CLEAR lies inside.
    signed : int64, lots, shape (n,)
        What aggressors bought less what they sold.
    value : float64, ticks · lots, shape (n,)
        Σ price · size of all trades.
    """

    start: IntArray
    opened: FloatArray
    closed: FloatArray
    signed: IntArray
    value: FloatArray


class IntervalStream:
    """Intervals of a stream of events, told when they are over.

    Parameters
    ----------
    interval_ns : int, ns
    otc : bool, optional
        Whether off-book prints count.
    """

    def __init__(self, interval_ns: int, *, otc: bool = False):
        self.interval_ns = interval_ns
        self.otc = otc
        self._log = MidLog()
        self._first: int | None = None
        self._signed: dict[int, int] = {}
        self._value: dict[int, float] = {}

    def update(self, batch: EventBatch) -> Intervals:
        """Take in events in order; the intervals that are over by now."""
        if not len(batch):
            return self._tell(0, 0)
        self._log.update(batch)
        if self._first is None:
            self._first = int(batch.ts[0]) // self.interval_ns
        self._trade(batch)
        first, stop = self._first, max(int(batch.ts[-1]) // self.interval_ns, self._first)
        self._first = stop
        found = self._tell(first, stop)
        self._log.forget(stop * self.interval_ns)
        return found

    def _trade(self, batch: EventBatch) -> None:
        ts, price, size, side = prints_of_batch(batch, otc=self.otc)
        numbers = ts // self.interval_ns
        # One after the other, not in pairs: the same sum wherever batches are cut.
        for number, value in zip(numbers.tolist(), (price.astype(np.float64) * size).tolist()):
            self._value[number] = self._value.get(number, 0.0) + value
        for number, lots in zip(numbers.tolist(), (size * side).tolist()):
            self._signed[number] = self._signed.get(number, 0) + lots

    def _tell(self, first: int, stop: int) -> Intervals:
        numbers = np.arange(first, stop, dtype=np.int64)
        edges = np.arange(first, stop + 1, dtype=np.int64) * self.interval_ns - 1
        mid, breaks = self._log.at(edges)
        whole = breaks[1:] == breaks[:-1]
        signed = [self._signed.pop(number, 0) for number in numbers.tolist()]
        value = [self._value.pop(number, 0.0) / SUBTICKS_PER_TICK for number in numbers.tolist()]
        return Intervals(
            numbers * self.interval_ns,
            np.where(whole, mid[:-1], np.nan),
            np.where(whole, mid[1:], np.nan),
            np.array(signed, np.int64),
            np.array(value, np.float64),
        )
