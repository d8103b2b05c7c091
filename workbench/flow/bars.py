"""Time bars: open, high, low, close, volume by aggressor, trades and VWAP of each interval that traded."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import polars as pl
from numba import types

from workbench.book.jit import I1_COLUMN, I8_COLUMN, kernel
from workbench.errors import WorkbenchError
from workbench.events import Array, EventBatch, FloatArray, Instrument, IntArray
from workbench.flow.prints import (
    Prints,
    TradesSource,
    as_times,
    prints_of,
    prints_of_batch,
    real_prices,
    real_sizes,
)

_START, _OPEN, _HIGH, _LOW, _CLOSE, _BUY, _SELL, _UNKNOWN, _TRADES = range(9)
_COLUMNS: Final = 9
_UNITS_NS: Final = {
    "ns": 1,
    "us": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
    "d": 86400 * 10**9,
}


@kernel(
    types.int64(
        I8_COLUMN,
        I8_COLUMN,
        I8_COLUMN,
        I1_COLUMN,
        *[types.int64] * 2,
        types.int64[:, ::1],
        types.float64[::1],
    )
)
def _accumulate(
    ts: Array, price: Array, size: Array, side: Array, interval: int, count: int, rows: Array, moved: Array
) -> int:
    """Put trades into bars from the last of ``count`` bars on; return the new number of bars."""
    for i in range(len(ts)):
        start = ts[i] // interval * interval
        if count == 0 or start > rows[count - 1, _START]:
            rows[count], moved[count] = 0, 0.0
            rows[count, _START] = start
            rows[count, _OPEN], rows[count, _HIGH], rows[count, _LOW] = price[i], price[i], price[i]
            count += 1
        bar = rows[count - 1]
        bar[_HIGH], bar[_LOW], bar[_CLOSE] = max(bar[_HIGH], price[i]), min(bar[_LOW], price[i]), price[i]
        bar[_BUY if side[i] > 0 else _SELL if side[i] < 0 else _UNKNOWN] += size[i]
        bar[_TRADES] += 1
        # Distances from the open are small numbers, so doubles keep them almost exactly.
        moved[count - 1] += float(price[i] - bar[_OPEN]) * size[i]
    return count


class Bars:
    """Time bars of a stream of events.

    Parameters
    ----------
    instrument : Instrument
    interval : str
        A number and a unit: ``"100ms"``, ``"1s"``, ``"1m"``; units ns, us, ms, s, m, h, d.
    otc : bool, optional
        Whether off-book prints count.
    """

    def __init__(self, instrument: Instrument, interval: str = "1s", *, otc: bool = False):
        self.instrument = instrument
        self.interval_ns = interval_ns(interval)
        self.otc = otc
        self._count = 0
        self._rows = np.zeros((64, _COLUMNS), np.int64)
        self._moved = np.zeros(64)

    def __len__(self) -> int:
        return self._count

    def apply(self, batch: EventBatch) -> None:
        """Take in the trades of a batch."""
        self.update(prints_of_batch(batch, otc=self.otc))

    def update(self, prints: Prints) -> None:
        """Take in trades, in order of time."""
        self._reserve(self._count + len(prints.ts))
        columns = [np.ascontiguousarray(column) for column in prints]
        ts, price, size, side = columns
        self._count = _accumulate(
            ts, price, size, side, self.interval_ns, self._count, self._rows, self._moved
        )

    @property
    def frame(self) -> pl.DataFrame:
        """All bars so far, the open one included; see :func:`bars`."""
        rows = self._rows[: self._count]
        lots = rows[:, [_BUY, _SELL, _UNKNOWN]]
        volume = lots.sum(axis=1)
        vwap = rows[:, _OPEN] + self._moved[: self._count] / np.maximum(volume, 1)
        values = {name: self._real(rows[:, at]) for name, at in _PRICES.items()}
        values["volume"] = real_sizes(volume, self.instrument)
        for i, name in enumerate(("buy", "sell", "unknown")):
            values[name] = real_sizes(lots[:, i], self.instrument)
        columns = [pl.Series(name, column, pl.Float64) for name, column in values.items()]
        trades = pl.Series("trades", rows[:, _TRADES], pl.Int64)
        mean = pl.Series("vwap", self._real(vwap), pl.Float64)
        return pl.DataFrame([as_times(rows[:, _START]), *columns, trades, mean])

    def _real(self, thousandths: IntArray | FloatArray) -> FloatArray:
        return real_prices(thousandths, self.instrument)

    def _reserve(self, bars: int) -> None:
        if bars > len(self._rows):
            # A batch rarely opens a bar per trade, but the kernel must never run out of rows.
            more = max(bars, 2 * len(self._rows)) - len(self._rows)
            self._rows = np.concatenate([self._rows, np.zeros((more, _COLUMNS), np.int64)])
            self._moved = np.concatenate([self._moved, np.zeros(more)])


_PRICES: Final = {"open": _OPEN, "high": _HIGH, "low": _LOW, "close": _CLOSE}


def bars(x: TradesSource, interval: str = "1s", *, otc: bool = False) -> pl.DataFrame:
    """Time bars of all trades.

    Parameters
    ----------
    x : session or recording
    interval : str, optional
        A number and a unit: ``"100ms"``, ``"1s"``, ``"1m"``; units ns, us, ms, s, m, h, d.
    otc : bool, optional
        Whether off-book prints count. Hidden executions always do.

    Returns
    -------
    DataFrame
        ``ts`` (start of the interval: the multiple of ``interval`` at or before the trade, counted from the epoch),
        ``open, high, low, close, volume, buy, sell, unknown, trades, vwap`` in real units; ``unknown`` is volume
        without an aggressor. Intervals without trades have no row.

    Raises
    ------
    WorkbenchError
        An interval that is no number and unit.
    """
    built = Bars(x.instrument, interval, otc=otc)
    built.update(prints_of(x, otc=otc))
    return built.frame


def interval_ns(interval: str) -> int:
    """Nanoseconds of an interval like ``"100ms"`` or ``"1m"``."""
    match = re.fullmatch(r"(\d+)(ns|us|ms|s|m|h|d)", str(interval).strip())
    if match is None or int(match[1]) == 0:
        raise WorkbenchError(
            f"interval {interval!r}", expected="a whole number and a unit, like '100ms', '1s' or '1m'"
        )
    return int(match[1]) * _UNITS_NS[match[2]]
