"""Spread and resting size near the touch over time: exact time-weighted mean, least, most and last of each bucket."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from workbench.book.jit import aligned
from workbench.book.kernels import FAR_ROWS
from workbench.book.levels import RECENTRE_ROWS, LevelBook
from workbench.errors import WorkbenchError
from workbench.events import EventBatch, FloatArray, Instrument, IntArray
from workbench.flow import depth_kernels as kernels
from workbench.flow.bar_rule import interval_ns
from workbench.flow.batches import event_batches, instrument_of
from workbench.flow.prints import as_times

MEAN, LEAST, MOST, LAST = range(4)
"""What :meth:`DepthSeries.columns` tells of a quantity in a column."""
SPREAD, IMBALANCE, BID = range(3)
"""Quantities: spread, imbalance at the deepest cut, bids by cut, then asks by cut."""
_FIRST_BUCKETS: Final = 1024


class _WalkedBook(LevelBook):
    """The price-level book, stopped at every moment that events share."""

    __slots__ = ()

    def walk(self, batch: EventBatch, series: kernels.State) -> kernels.State:
        """Apply a batch and note what lasted; returns the state with more room where it was needed."""
        if not self._pages.size:
            self._place_at_first(batch)
        ts, _, kind, side, price, size = (aligned(column) for column in batch.columns[:6])
        row = 0
        while row < len(ts):
            book = (self._levels, self._pages, self._far, self._state)
            row = kernels.walk(ts, kind, side, price, size, row, *book, *series)
            if row < len(ts):
                if series.clock[kernels.COUNT] == len(series.buckets):
                    series = kernels.grown(series)
                else:
                    self._far = np.concatenate([self._far, np.zeros_like(self._far)], axis=1)
            if self._state[FAR_ROWS] >= RECENTRE_ROWS:
                self._recentre()
        return series

    def look(self, series: kernels.State) -> None:
        """Put what rests now into the open bucket as its last value."""
        if self._levels.shape[1]:
            kernels.look(self._levels, self._pages, self._far, self._state, *series)


class DepthSeries:
    """Spread, resting size and imbalance of a stream of events, by buckets of time.

    Parameters
    ----------
    levels : sequence of int
        Cuts, rising: resting size is summed over the best ``levels[k]`` levels of each side.
    bucket_ns : int, ns
        Finest time that can be asked for; columns are multiples of it.

    Notes
    -----
    A state counts for as long as it lasts: rows that share a ``ts`` are one change, and what stood between them for no
    time is neither mean nor extreme. Nothing is known while the book is not valid (from a GAP or CLEAR to the end of
    the next snapshot); the spread is unknown also while a side is empty. Feeding in pieces of any size gives the same
    bits. Buckets in which nothing happened cost nothing: they are filled from what rested when they are asked for.
    """

    def __init__(self, levels: Sequence[int] = (1, 5, 10), bucket_ns: int = 100_000_000):
        if not levels or levels[0] < 1 or any(a >= b for a, b in itertools.pairwise(levels)):
            raise WorkbenchError(f"levels {tuple(levels)}", expected="rising numbers of levels ≥ 1")
        if bucket_ns < 1:
            raise WorkbenchError(f"bucket_ns {bucket_ns}", expected="a time ≥ 1 ns")
        self.levels = tuple(levels)
        self.bucket_ns = bucket_ns
        self._book = _WalkedBook()
        self._series = kernels.new_state(self.levels, bucket_ns, _FIRST_BUCKETS)

    @property
    def quantities(self) -> int:
        """Spread, imbalance, and two sums for each cut."""
        return 2 + 2 * len(self.levels)

    @property
    def span_ns(self) -> tuple[int, int] | None:
        """Time of the first and of the newest event, ns; None before the first."""
        clock = self._series.clock
        return (int(clock[kernels.START]), int(clock[kernels.NOW])) if clock[kernels.STARTED] else None

    def apply(self, batch: EventBatch) -> None:
        """Take in events in order."""
        if len(batch):
            self._series = self._book.walk(batch, self._series)

    def columns(
        self, column_ns: int, first: int, stop: int, until_ns: int | None = None
    ) -> npt.NDArray[np.float64]:
        """Columns ``first`` to ``stop`` of ``column_ns`` each, counted from the epoch.

        Parameters
        ----------
        column_ns : int, ns
            A multiple of ``bucket_ns``.
        first, stop : int
        until_ns : int, ns, optional
            What rests now lasts until then. Default: the newest event.

        Returns
        -------
        array, shape (stop − first, n_quantities, 4)
            :data:`MEAN`, :data:`LEAST`, :data:`MOST`, :data:`LAST` of each quantity, in ticks and lots; NaN where it
            was never known. LAST is NaN also where it was not known at the column's end.
        """
        if column_ns % self.bucket_ns or column_ns <= 0:
            raise WorkbenchError(f"column_ns {column_ns}", expected=f"a multiple of {self.bucket_ns}")
        out = np.full((max(stop - first, 0), self.quantities, 4), np.nan)
        span = self.span_ns
        if span is not None and len(out):
            self._book.look(self._series)
            until = span[1] if until_ns is None else max(until_ns, span[1])
            known = np.zeros((len(out), self.quantities))
            kernels.columns(column_ns, first, until, *self._series, known, out)
        return out


def depth_series(x: Any, levels: Sequence[int] = (1, 5, 10), bucket: str = "1s") -> pl.DataFrame:
    """Spread and resting size near the touch over time.

    Parameters
    ----------
    x : session or recording
    levels : sequence of int, optional
        Cuts: size is summed over the best so many levels of each side.
    bucket : str, optional
        A number and a unit, like ``"1s"``.

    Returns
    -------
    DataFrame
        One row per bucket from the first event to the last: ``ts`` (its start); ``spread``, ``imbalance`` and for each
        cut ``bid_N``, ``ask_N``, each as ``_mean`` (weighted by time), ``_min``, ``_max`` and ``_last``. Spread in
        ticks, sizes in real units. Null where the book was not known.

    Notes
    -----
    Imbalance is (bids − asks) / (bids + asks) over the deepest cut.

    Examples
    --------
    >>> import workbench as wb
    >>> from workbench.flow.depth_series import depth_series
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("3s")
    >>> depth_series(s, levels=[1]).columns[:3]
    ['ts', 'spread_mean', 'spread_min']
    """
    interval = interval_ns(bucket)
    series = DepthSeries(levels, interval)
    for batch in event_batches(x):
        series.apply(batch)
    span = series.span_ns
    first, stop = (0, 0) if span is None else (span[0] // interval, span[1] // interval + 1)
    values = series.columns(interval, first, stop)
    starts = np.arange(first, stop, dtype=np.int64) * interval
    return _frame(starts, values, series.levels, instrument_of(x))


def _frame(
    starts: IntArray, values: FloatArray, levels: Sequence[int], instrument: Instrument
) -> pl.DataFrame:
    names = ["spread", "imbalance", *(f"bid_{n}" for n in levels), *(f"ask_{n}" for n in levels)]
    lot = float(instrument.lot_size)
    columns = [as_times(starts)]
    for q, name in enumerate(names):
        unit = 1.0 if q < BID else lot
        for field, suffix in ((MEAN, "mean"), (LEAST, "min"), (MOST, "max"), (LAST, "last")):
            column = pl.Series(f"{name}_{suffix}", values[:, q, field] * unit, pl.Float64)
            columns.append(column.fill_nan(None))
    return pl.DataFrame(columns)


__all__ = ["DepthSeries", "depth_series"]
