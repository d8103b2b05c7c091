"""Volume profiles over time: how the point of control and the value area moved, and which points were left untouched."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final

import numpy as np
import polars as pl

from workbench.events import SUBTICKS_PER_TICK, EventBatch, Instrument, IntArray
from workbench.flow.bar_rule import interval_ns
from workbench.flow.batches import instrument_of
from workbench.flow.prints import Prints, TradesSource, as_times, prints_of, prints_of_batch, real_prices
from workbench.flow.profile import Method, ProfileBuilder

_SMOOTH: Final = np.array([1, 4, 6, 4, 1])


class _Periods:
    """Cuts a stream of trades where the clock enters another period, wherever its batches end."""

    def __init__(self, period: str):
        self.length_ns = interval_ns(period)
        self.current: int | None = None

    def cut(self, prints: Prints) -> Iterator[tuple[int, Prints]]:
        """Pieces of trades with the number of their period; a trade stamped earlier belongs to the period it came in."""
        floor = self.current if self.current is not None else np.iinfo(np.int64).min
        period = np.maximum(np.maximum.accumulate(prints.ts // self.length_ns), floor)
        edges = [0, *(np.flatnonzero(np.diff(period)) + 1).tolist(), len(period)]
        for start, stop in itertools.pairwise(edges):
            if start < stop:
                yield int(period[start]), _part(prints, start, stop)
                self.current = int(period[start])


def _part(prints: Prints, start: int, stop: int) -> Prints:
    ts, price, size, side = prints
    return Prints(ts[start:stop], price[start:stop], size[start:stop], side[start:stop])


class DevelopingProfile:
    """POC and value area as they were at the end of each interval that traded.

    Parameters
    ----------
    instrument : Instrument
    interval : str
        A number and a unit, as ``"1m"``.
    row_ticks : int, optional
        Height of a row; rows are anchored at price 0.
    value_area, method
        As :func:`workbench.volume_profile` takes them.
    otc : bool, optional
        Whether off-book prints count.

    Attributes
    ----------
    builder : ProfileBuilder
        Profile of all trades so far.
    points : list of (int, int, int, int)
        End of the interval (ns), and the rows of POC, VAL and VAH of all trades before it.
    """

    def __init__(
        self,
        instrument: Instrument,
        interval: str = "1m",
        row_ticks: int = 1,
        value_area: float = 0.70,
        method: Method = "two_row",
        *,
        otc: bool = False,
    ):
        self.builder = ProfileBuilder(instrument, row_ticks, otc=otc)
        self.builder.outline(value_area, method)  # refuses what it does not know
        self.points: list[tuple[int, int, int, int]] = []
        self._rule = (value_area, method)
        self._periods = _Periods(interval)

    def apply(self, batch: EventBatch) -> None:
        """Take in the trades of a batch."""
        self.update(prints_of_batch(batch, otc=self.builder.otc))

    def update(self, prints: Prints) -> None:
        """Take in trades."""
        for period, piece in self._periods.cut(prints):
            if self._periods.current is not None and period != self._periods.current:
                self.points.append(self._point((self._periods.current + 1) * self._periods.length_ns))
            self.builder.update(piece)

    def _point(self, ts: int) -> tuple[int, int, int, int]:
        outline = self.builder.outline(*self._rule)
        assert outline is not None, "an interval that has ended has traded"
        return (ts, *outline)

    @property
    def now(self) -> list[tuple[int, int, int, int]]:
        """Points so far, and that of the interval under way at its end."""
        if self._periods.current is None:
            return []
        return [*self.points, self._point((self._periods.current + 1) * self._periods.length_ns)]


def developing_profile(
    x: TradesSource,
    interval: str = "1m",
    value_area: float = 0.70,
    method: Method = "two_row",
    row_ticks: int = 1,
    *,
    otc: bool = False,
) -> pl.DataFrame:
    """POC, VAH and VAL as they developed.

    Parameters
    ----------
    x : session or recording
    interval : str, optional
        Time between rows: a number and a unit.
    value_area, method, row_ticks, otc
        As :func:`workbench.volume_profile` takes them.

    Returns
    -------
    DataFrame
        ``ts`` (end of the interval), ``poc``, ``vah``, ``val`` (low edges, real units) of all trades before ``ts``.
        Intervals without trades have no row; the last row is the profile of everything.

    Raises
    ------
    WorkbenchError
        As :func:`workbench.volume_profile`; an interval that is no number and unit.
    """
    stream = DevelopingProfile(instrument_of(x), interval, row_ticks, value_area, method, otc=otc)
    stream.update(prints_of(x, otc=otc))
    points = np.array(stream.now, np.int64).reshape(-1, 4)
    edges = real_prices(points[:, 1:] * (row_ticks * SUBTICKS_PER_TICK), instrument_of(x))
    names = {"poc": 0, "vah": 2, "val": 1}
    columns = [pl.Series(name, edges[:, at], pl.Float64) for name, at in names.items()]
    return pl.DataFrame([as_times(points[:, 0]), *columns])


class NakedPocs:
    """Points of control of ended periods in whose row nothing has traded since.

    Parameters
    ----------
    instrument : Instrument
    period : str
        A number and a unit, counted from the epoch in UTC: ``"30m"``, ``"1h"``, ``"1d"``.
    row_ticks : int, optional
    otc : bool, optional

    Attributes
    ----------
    naked : dict of int to int
        Row of a point of control → start of its period, ns; the oldest first.
    """

    def __init__(self, instrument: Instrument, period: str = "1h", row_ticks: int = 1, *, otc: bool = False):
        self.builder = ProfileBuilder(instrument, row_ticks, otc=otc)
        self.naked: dict[int, int] = {}
        self._periods = _Periods(period)

    def apply(self, batch: EventBatch) -> None:
        """Take in the trades of a batch."""
        self.update(prints_of_batch(batch, otc=self.builder.otc))

    def update(self, prints: Prints) -> None:
        """Take in trades."""
        for period, piece in self._periods.cut(prints):
            current = self._periods.current
            if current is not None and period != current:
                self._end(current)
            if self.naked:
                for row in np.unique(piece.price // (self.builder.row_ticks * SUBTICKS_PER_TICK)).tolist():
                    self.naked.pop(row, None)
            self.builder.update(piece)

    def _end(self, period: int) -> None:
        outline = self.builder.outline(1.0, "traded_only")
        assert outline is not None, "a period that has ended has traded"
        self.naked[outline[0]] = period * self._periods.length_ns
        builder = self.builder
        self.builder = ProfileBuilder(builder.instrument, builder.row_ticks, otc=builder.otc)


def naked_pocs(x: TradesSource, period: str = "1h", row_ticks: int = 1, *, otc: bool = False) -> pl.DataFrame:
    """Points of control of ended periods that have not traded since.

    Parameters
    ----------
    x : session or recording
    period : str, optional
        A number and a unit, counted from the epoch in UTC.
    row_ticks : int, optional
        Height of a row; rows are anchored at price 0.
    otc : bool, optional
        Whether off-book prints count.

    Returns
    -------
    DataFrame
        ``ts`` (start of the period), ``price`` (low edge of the row, real units), the oldest first. A price that was only
        jumped over is still naked.
    """
    stream = NakedPocs(instrument_of(x), period, row_ticks, otc=otc)
    stream.update(prints_of(x, otc=otc))
    rows = np.array(list(stream.naked), np.int64)
    prices = real_prices(rows * (row_ticks * SUBTICKS_PER_TICK), instrument_of(x))
    starts = np.array(list(stream.naked.values()), np.int64)
    return pl.DataFrame([as_times(starts), pl.Series("price", prices, pl.Float64)])


def volume_nodes(lots: IntArray, reach: int = 3) -> tuple[list[int], list[int]]:
    """High and low volume nodes of a profile.

    Parameters
    ----------
    lots : array of int64, shape (n_rows,), lots
        Volume of consecutive rows, empty ones included.
    reach : int, optional
        So many rows on both sides must hold less (more).

    Returns
    -------
    high, low : list of int
        Rows, counted from 0, that are a local maximum (minimum) of the volume smoothed with weights 1, 4, 6, 4, 1. A
        maximum holds more than the average row, a minimum less. Of equal rows side by side the lowest counts.
    """
    if len(lots) < 2 * reach + 1:
        return [], []
    smooth = np.convolve(lots, _SMOOTH, mode="same")
    windows = np.lib.stride_tricks.sliding_window_view(smooth, 2 * reach + 1)
    middle, below, above = windows[:, reach], windows[:, :reach], windows[:, reach + 1 :]
    high = (middle > below.max(axis=1)) & (middle >= above.max(axis=1)) & (middle > smooth.mean())
    low = (middle < below.min(axis=1)) & (middle <= above.min(axis=1)) & (middle < smooth.mean())
    return (np.flatnonzero(high) + reach).tolist(), (np.flatnonzero(low) + reach).tolist()
