"""What flow does to the price: Kyle's λ and Amihud's illiquidity over rolling windows of equal times."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl

from workbench.errors import WorkbenchError
from workbench.events import EventBatch, FloatArray, Instrument, IntArray
from workbench.flow.bar_rule import interval_ns
from workbench.flow.batches import event_batches, instrument_of
from workbench.flow.intervals import Intervals, IntervalStream
from workbench.flow.prints import as_times
from workbench.flow.rolling import rolling_mean, rolling_slope

__all__ = ["Amihud", "KyleLambda", "amihud", "kyle_lambda"]


class _Rolling:
    """Intervals of a stream, kept to be looked at through a window."""

    def __init__(self, instrument: Instrument, interval: str, window: int, *, otc: bool):
        given: Any = window
        if isinstance(given, str) or given < 2 or given != int(given):
            raise WorkbenchError(f"window={window!r:.60}", expected="a whole number of intervals, at least 2")
        self.instrument = instrument
        self.window = int(window)
        self._stream = IntervalStream(interval_ns(interval), otc=otc)
        self._pieces: list[Intervals] = []

    def update(self, batch: EventBatch) -> None:
        """Take in events in order."""
        self._pieces.append(self._stream.update(batch))

    apply = update

    def _intervals(self) -> Intervals:
        pieces = self._pieces or [self._stream.update(EventBatch.empty())]
        columns: list[Any] = [np.concatenate(column) for column in zip(*pieces)]
        self._pieces = [Intervals(*columns)]
        return self._pieces[0]

    def _ends(self, start: IntArray) -> pl.Series:
        return as_times(start + self._stream.interval_ns)


def _runs(known: Any) -> IntArray:
    """Numbers of runs of rows that are known; each other row is a run of its own."""
    return np.cumsum(~known | ~np.append(True, known[:-1])[: len(known)])


class KyleLambda(_Rolling):
    """Kyle's λ of a stream of events; see :func:`kyle_lambda`.

    Parameters
    ----------
    instrument : Instrument
    interval : str, optional
    window : int, optional, intervals
    otc : bool, optional
    """

    def __init__(self, instrument: Instrument, interval: str = "1s", window: int = 60, *, otc: bool = False):
        super().__init__(instrument, interval, window, otc=otc)

    @property
    def frame(self) -> pl.DataFrame:
        """One row per interval that is over; see :func:`kyle_lambda`."""
        found = self._intervals()
        change, signed = found.closed - found.opened, found.signed.astype(np.float64)
        slope, share = rolling_slope(signed, change, _runs(np.isfinite(change)), self.window)
        unit = float(Fraction(self.instrument.tick_size) / Fraction(self.instrument.lot_size))
        columns: dict[str, FloatArray] = {
            "change": change * float(self.instrument.tick_size),
            "signed_volume": signed * float(self.instrument.lot_size),
            "kyle_lambda": slope * unit,
            "r2": share,
        }
        return pl.DataFrame([self._ends(found.start), *_columns(columns)])


def kyle_lambda(x: Any, interval: str = "1s", window: int = 60, *, otc: bool = False) -> pl.DataFrame:
    """Kyle's λ: by how much the mid moves per unit of signed volume.

    Parameters
    ----------
    x : session or recording
    interval : str, optional
        A number and a unit.
    window : int, optional, intervals
        So many intervals are regressed on at a time.
    otc : bool, optional
        Whether off-book prints count. Hidden executions always do.

    Returns
    -------
    DataFrame
        One row per interval that is over: ``ts`` (its end), ``change`` of the mid, ``signed_volume`` (bought − sold),
        ``kyle_lambda`` (price per unit of size, real units) and its ``r2``. Intervals without trades are rows as well.
        λ is null until ``window`` intervals with a known mid came one after the other, anew after a GAP or CLEAR, and
        where signed volume does not vary.

    Raises
    ------
    WorkbenchError
        A window below 2, an interval that is no number and unit.

    Notes
    -----
    Slope of ΔM on signed volume by least squares with intercept. Trades without an aggressor have no sign.

    References
    ----------
    A. S. Kyle, "Continuous auctions and insider trading", Econometrica 53 (1985).
    """
    stream = KyleLambda(instrument_of(x), interval, window, otc=otc)
    for batch in event_batches(x):
        stream.update(batch)
    return stream.frame


class Amihud(_Rolling):
    """Amihud's illiquidity of a stream of events; see :func:`amihud`.

    Parameters
    ----------
    instrument : Instrument
    interval : str, optional
    window : int, optional, intervals
    otc : bool, optional
    """

    def __init__(self, instrument: Instrument, interval: str = "1m", window: int = 30, *, otc: bool = False):
        super().__init__(instrument, interval, window, otc=otc)

    @property
    def frame(self) -> pl.DataFrame:
        """One row per interval that traded and is over; see :func:`amihud`."""
        found = self._intervals()
        grid = self.instrument
        unit = float(Fraction(grid.tick_size) * Fraction(grid.lot_size) * Fraction(grid.multiplier))
        value = np.abs(found.value) * unit
        positive = (found.opened > 0) & (found.closed > 0)
        moved = np.full(len(value), np.nan)
        moved[positive] = np.abs(np.log(found.closed[positive] / found.opened[positive]))
        traded = value > 0
        # Silent intervals are no rows, but one across which nothing was known parts the windows.
        runs = _runs(positive)[traded]
        ratio = moved[traded] / value[traded]
        columns = {
            "value": value[traded],
            "move": moved[traded],
            "amihud": rolling_mean(ratio, runs, self.window),
        }
        return pl.DataFrame([self._ends(found.start[traded]), *_columns(columns)])


def amihud(x: Any, interval: str = "1m", window: int = 30, *, otc: bool = False) -> pl.DataFrame:
    """Amihud's illiquidity: mean |return| per value traded.

    Parameters
    ----------
    x : session or recording
    interval : str, optional
        A number and a unit.
    window : int, optional, intervals
        So many intervals that traded are averaged.
    otc : bool, optional
        Whether off-book prints count. Hidden executions always do.

    Returns
    -------
    DataFrame
        One row per interval that traded and is over: ``ts`` (its end), ``value`` (price · size · multiplier),
        ``move`` (|log return| of the mid within the interval) and ``amihud``, per unit of the price's currency. Null
        until ``window`` such intervals came without one whose mid was not known, anew after a GAP or CLEAR.

    Raises
    ------
    WorkbenchError
        A window below 2, an interval that is no number and unit.

    References
    ----------
    Y. Amihud, "Illiquidity and stock returns", Journal of Financial Markets 5 (2002).

    Notes
    -----
    ILLIQ = mean over the window of |r| / value, r the log return of the mid within an interval.
    """
    stream = Amihud(instrument_of(x), interval, window, otc=otc)
    for batch in event_batches(x):
        stream.update(batch)
    return stream.frame


def _columns(values: dict[str, FloatArray]) -> list[pl.Series]:
    return [pl.Series(name, column, pl.Float64).fill_nan(None) for name, column in values.items()]
