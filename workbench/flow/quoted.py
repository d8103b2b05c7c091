"""Trades beside the mid: the one before each of them, and those some time after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.errors import WorkbenchError
from workbench.events import EventBatch, FloatArray, IntArray
from workbench.flow.bar_rule import interval_ns
from workbench.flow.batches import event_batches
from workbench.flow.prints import is_print, prints_of_batch
from workbench.flow.touch import Moments, TouchStream

__all__ = ["MidLog", "QuotedStream", "QuotedTrades", "quoted_trades"]

_NEVER: Final = -(2**62)


class QuotedTrades(NamedTuple):
    """Trades with mids; n rows.

    Attributes
    ----------
    ts : int64, ns, shape (n,)
    sequence : int64, shape (n,)
    price : int64, thousandths of a tick, shape (n,)
    size : int64, lots, shape (n,)
    side : int8, shape (n,)
        Aggressor: +1 buy, −1 sell, 0 unknown.
    mid : float64, ticks, shape (n,)
        In force before the trade; NaN where the book was not known or one-sided.
    after : float64, ticks, shape (n, horizons)
        In force each horizon later; NaN also where it is not known yet, or the book was lost (GAP, CLEAR) in between.
    """

    ts: IntArray
    sequence: IntArray
    price: IntArray
    size: IntArray
    side: npt.NDArray[np.int8]
    mid: FloatArray
    after: FloatArray

    def part(self, rows: slice) -> QuotedTrades:
        """Some consecutive rows."""
        columns: list[Any] = [column[rows] for column in self]
        return QuotedTrades(*columns)

    @staticmethod
    def joined(pieces: Sequence[QuotedTrades]) -> QuotedTrades:
        """Pieces one after the other; at least one."""
        columns: list[Any] = [np.concatenate(column) for column in zip(*pieces)]
        return QuotedTrades(*columns)


class MidLog:
    """Mids of moments that are over, looked up by time; what no one can ask for any more is forgotten."""

    def __init__(self) -> None:
        self._touch = TouchStream()
        self._columns: tuple[Any, ...] = (
            np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.int64),
        )  # fmt: skip
        self._breaks = 0
        self.now = _NEVER

    def update(self, batch: EventBatch) -> None:
        """Take in events in order."""
        if len(batch):
            self._take(self._touch.update(batch))
            self.now = int(batch.ts[-1])

    def _take(self, moments: Moments) -> None:
        if not len(moments.ts):
            return
        whole = moments.known & (moments.bid_size[:, 0] > 0) & (moments.ask_size[:, 0] > 0)
        mid = np.where(whole, (moments.bid[:, 0] + moments.ask[:, 0]) / 2, np.nan)
        breaks = self._breaks + np.cumsum(~moments.known)
        self._breaks = int(breaks[-1])
        new = moments.ts, moments.sequence, mid, breaks
        self._columns = tuple(np.concatenate(pair) for pair in zip(self._columns, new))

    def forget(self, before_ns: int) -> None:
        """Drop what lies before the moment in force just before ``before_ns``."""
        row = int(np.searchsorted(self._columns[0], before_ns, "left")) - 1
        if row > 0:
            self._columns = tuple(column[row:] for column in self._columns)

    def before(self, ts: IntArray, sequence: IntArray) -> tuple[FloatArray, IntArray]:
        """Mid of the last moment before each event, and how often the stream had broken by then; shape (n,) each."""
        times, numbers, mid, breaks = self._columns
        row = np.searchsorted(times, ts, "left") - 1
        # A break in the event's own moment comes before it if its row does.
        seen = np.searchsorted(numbers, sequence, "left") - 1
        found, broken = self._at(row, mid, np.nan), self._at(np.maximum(row, seen), breaks, 0)
        return np.where(broken == self._at(row, breaks, 0), found, np.nan), broken.astype(np.int64)

    def at(self, ts: IntArray) -> tuple[FloatArray, IntArray]:
        """Mid in force at each time, and how often the stream had broken by then; NaN where the time is not over."""
        times, _, mid, breaks = self._columns
        row = np.searchsorted(times, ts, "right") - 1
        found = self._at(row, mid, np.nan)
        return np.where(ts < self.now, found, np.nan), self._at(row, breaks, 0).astype(np.int64)

    @staticmethod
    def _at(row: IntArray, values: Any, missing: float) -> Any:
        if not len(values):
            return np.full(len(row), missing)
        return np.where(row >= 0, values[np.maximum(row, 0)], missing)


class QuotedStream:
    """Trades with the mid before them and at horizons after them, from events as they come.

    Parameters
    ----------
    horizons_ns : sequence of int, ns
        Each above 0.
    otc : bool, optional
        Whether off-book prints count.

    Notes
    -----
    The mid before a trade is that of the last moment before its own: rows of one message come in any order, and a quote
    that this trade already changed tells nothing of what it met. A trade is told once an event behind its longest
    horizon has come.
    """

    def __init__(self, horizons_ns: Sequence[int] = (), *, otc: bool = False):
        if any(horizon <= 0 for horizon in horizons_ns):
            raise WorkbenchError(f"horizons {tuple(horizons_ns)} ns", expected="times above 0")
        self.horizons_ns = tuple(int(horizon) for horizon in horizons_ns)
        self.otc = otc
        self._log = MidLog()
        self._waiting = _empty(len(self.horizons_ns))
        self._breaks = np.empty(0, np.int64)

    def update(self, batch: EventBatch) -> QuotedTrades:
        """Take in events in order; the trades whose longest horizon is over."""
        self._log.update(batch)
        self._enter(batch)
        longest = max(self.horizons_ns, default=0)
        return self._tell(int(np.searchsorted(self._waiting.ts, self._log.now - longest, "left")))

    def close(self) -> QuotedTrades:
        """Return the trades that still wait; what lies beyond the last event is NaN."""
        return self._tell(len(self._waiting.ts))

    def _enter(self, batch: EventBatch) -> None:
        mask = is_print(batch, otc=self.otc)
        if not mask.any():
            return
        prints, sequence = prints_of_batch(batch, otc=self.otc), batch.sequence[mask]
        mid, breaks = self._log.before(prints.ts, sequence)
        after = np.full((len(mid), len(self.horizons_ns)), np.nan)
        new = QuotedTrades(prints.ts, sequence, *prints[1:], mid, after)
        self._waiting = QuotedTrades.joined([self._waiting, new])
        self._breaks = np.concatenate([self._breaks, breaks])

    def _tell(self, count: int) -> QuotedTrades:
        told = self._waiting.part(slice(count))
        for at, horizon in enumerate(self.horizons_ns):
            mid, breaks = self._log.at(told.ts + horizon)
            told.after[:, at] = np.where(breaks == self._breaks[:count], mid, np.nan)
        self._waiting = self._waiting.part(slice(count, None))
        self._breaks = self._breaks[count:]
        self._log.forget(int(self._waiting.ts[0]) if len(self._waiting.ts) else self._log.now)
        return told


def quoted_trades(x: Any, horizons: Sequence[str] = (), *, otc: bool = False) -> QuotedTrades:
    """Trades of a session or recording with mids; the batch face of :class:`QuotedStream`.

    Parameters
    ----------
    x : session or recording
    horizons : sequence of str, optional
        Numbers and units, like ``"1s"``.
    otc : bool, optional
    """
    stream = QuotedStream([interval_ns(horizon) for horizon in horizons], otc=otc)
    pieces = [stream.update(batch) for batch in event_batches(x)]
    return QuotedTrades.joined([*pieces, stream.close()])


def _empty(horizons: int) -> QuotedTrades:
    ts, sequence, price, size = (np.empty(0, np.int64) for _ in range(4))
    side, mid = np.empty(0, np.int8), np.empty(0)
    return QuotedTrades(ts, sequence, price, size, side, mid, np.empty((0, horizons)))
