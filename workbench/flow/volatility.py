"""Volatility by seven estimators over rolling windows of bars."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import polars as pl

from workbench.errors import WorkbenchError
from workbench.events import EventBatch, FloatArray, Instrument
from workbench.flow.bar_kernels import CLOSE, END, HIGH, LOW, OPEN
from workbench.flow.bars import Bars
from workbench.flow.batches import event_batches, instrument_of
from workbench.flow.gaps import unbroken
from workbench.flow.prints import Prints, as_times, prints_of_batch
from workbench.flow.volatility_kernels import ESTIMATORS, estimate

__all__ = ["Volatility", "volatility"]

_NAMES: Final = (
    "realised", "bipower", "parkinson", "garman_klass", "rogers_satchell", "yang_zhang", "two_scale",
)  # fmt: skip


class Volatility:
    """Volatility of a stream of events; see :func:`volatility`.

    Parameters
    ----------
    instrument : Instrument
    bar : str, optional
    window : int, optional, bars
    scale : int, optional, bars
    otc : bool, optional
    """

    def __init__(
        self, instrument: Instrument, bar: str = "1m", window: int = 30, scale: int = 5, *, otc: bool = False
    ):
        if not 2 <= scale < window or window != int(window) or scale != int(scale):
            raise WorkbenchError(
                f"window={window!r:.60}, scale={scale!r:.60}",
                expected="whole numbers with 2 ≤ scale < window",
            )
        self.bars = Bars(instrument, bar, otc=otc)
        self.window, self.scale = int(window), int(scale)
        self._starts: list[int] = []

    def apply(self, batch: EventBatch) -> None:
        """Take in the trades of a batch; a GAP or CLEAR empties the window and voids the bar it falls into."""
        for broken, piece in unbroken(batch):
            if broken:
                ended = self.bars.ended
                self._starts += [ended] if ended == len(self.bars) else [ended, ended + 1]
            self.update(prints_of_batch(piece, otc=self.bars.otc))

    def update(self, prints: Prints) -> None:
        """Take in trades, in order of time."""
        self.bars.update(prints)

    @property
    def frame(self) -> pl.DataFrame:
        """One row per bar that has ended; see :func:`volatility`."""
        rows = self.bars.rows[: self.bars.ended]
        logs: list[FloatArray] = []
        for column in (OPEN, HIGH, LOW, CLOSE):
            price = rows[:, column].astype(np.float64)
            logs.append(np.log(price, out=np.full(len(price), np.nan), where=price > 0))
        epoch = np.searchsorted(np.array(self._starts, np.int64), np.arange(len(rows)), side="right")
        variance = np.full((len(rows), ESTIMATORS), np.nan)
        opened, high, low, close = logs
        estimate(opened, high, low, close, epoch.astype(np.int64), self.window, self.scale, variance)
        found = zip(_NAMES, np.sqrt(variance).T)
        columns = [pl.Series(name, values, pl.Float64).fill_nan(None) for name, values in found]
        return pl.DataFrame([as_times(rows[:, END]), *columns])


def volatility(
    x: Any, bar: str = "1m", window: int = 30, scale: int = 5, *, otc: bool = False
) -> pl.DataFrame:
    """Volatility of one bar's log return, by seven estimators.

    Parameters
    ----------
    x : session or recording
    bar : str, optional
        Any that :func:`workbench.bars` takes.
    window : int, optional, bars
        Each value is of the last so many bars; the close before them is needed as well.
    scale : int, optional, bars
        Slow scale of the two-scale estimator.
    otc : bool, optional
        Whether off-book prints count. Hidden executions always do.

    Returns
    -------
    DataFrame
        One row per bar that has ended: ``ts`` (its last trade), ``realised``, ``bipower``, ``parkinson``,
        ``garman_klass``, ``rogers_satchell``, ``yang_zhang``, ``two_scale``: standard deviations per bar, comparable
        with each other. Null until ``window`` + 1 bars came, anew after a GAP or CLEAR, where a price is not above 0,
        and where an estimator gives a negative variance (two-scale may).

    Raises
    ------
    WorkbenchError
        Not 2 ≤ ``scale`` < ``window``.

    Notes
    -----
    With logarithms o, h, l, c of n bars and r the change of c: realised Σr²/n; bipower (π/2)·Σ|r_i||r_{i−1}|/(n−1), which
    jumps hardly touch; Parkinson Σ(h−l)²/(4n·ln 2); Garman–Klass mean of ½(h−l)² − (2 ln 2 − 1)(c−o)²; Rogers–Satchell
    mean of (h−c)(h−o) + (l−c)(l−o), right also with drift; Yang–Zhang s²(o_i − c_{i−1}) + k·s²(c−o) + (1−k)·RS with
    k = 0.34/(1.34 + (n+1)/(n−1)); two-scale ([c,c]_slow/K − m·[c,c]_all)/(1 − m)/n with m = (n−K+1)/(K·n), from which
    noise of the price cancels. Prices are those of trades, so noise is the bounce between bid and ask.

    References
    ----------
    O. Barndorff-Nielsen, N. Shephard, J. Financial Econometrics 2 (2004). M. Parkinson, J. Business 53 (1980). M. Garman,
    M. Klass, J. Business 53 (1980). L. Rogers, S. Satchell, Annals of Applied Probability 1 (1991). D. Yang, Q. Zhang,
    J. Business 73 (2000). L. Zhang, P. Mykland, Y. Aït-Sahalia, J. American Statistical Association 100 (2005).
    """
    stream = Volatility(instrument_of(x), bar, window, scale, otc=otc)
    for batch in event_batches(x):
        stream.apply(batch)
    return stream.frame
