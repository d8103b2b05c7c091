"""Delta divergence as a detector: price makes a new extreme over the last bars, the cumulative delta does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from workbench.events import EventBatch, Instrument, IntArray
from workbench.flow.batches import instrument_of
from workbench.flow.detectors.closed_bars import (
    CVD_HIGH,
    CVD_LOW,
    FRESH,
    HIGH,
    KNOWN_SEQUENCE,
    KNOWN_TS,
    LOW,
    START,
    ClosedBars,
)
from workbench.flow.detectors.detections import Detections, detected, frame, nothing
from workbench.flow.detectors.following import duration
from workbench.flow.divergence import Divergence

__all__ = ["DeltaDivergence", "divergence"]


class DeltaDivergence:
    """Delta divergence in a stream of events.

    Parameters
    ----------
    instrument : Instrument
    n, bar
        As :func:`divergence` has them.

    Raises
    ------
    WorkbenchError
        A parameter outside its bounds.
    """

    def __init__(self, instrument: Instrument, *, n: int = 20, bar: str = "10s"):
        self.instrument = instrument
        self._rule, self._bars = Divergence(n), ClosedBars(duration("bar", bar))

    def update(self, batch: EventBatch) -> Detections:
        """Take in events; what became known with them."""
        rows = self._bars.update(batch)
        signs = np.zeros(len(rows), np.int64)
        for part in np.split(np.arange(len(rows)), np.flatnonzero(rows[:, FRESH])):
            if len(part):
                if rows[part[0], FRESH]:
                    self._rule.restart()
                columns = rows[part][:, [HIGH, LOW, CVD_HIGH, CVD_LOW]]
                signs[part] = self._rule.update(columns.astype(np.float64))
        return _detections(rows[signs != 0], signs[signs != 0])

    def close(self) -> Detections:
        """Nothing: the open bar never counts."""
        return _detections(np.empty((0, FRESH + 1), np.int64), np.empty(0, np.int64))


def _detections(rows: IntArray, signs: IntArray) -> Detections:
    if not len(rows):
        return nothing({"bar_ts": np.int64, "cvd_lots": np.int64, "high_to_low_ticks": np.float64})
    bearish = signs < 0
    price = np.where(bearish, rows[:, HIGH], rows[:, LOW])
    cvd = np.where(bearish, rows[:, CVD_HIGH], rows[:, CVD_LOW])
    width = (rows[:, HIGH] - rows[:, LOW]) / 1000
    evidence = {"bar_ts": rows[:, START], "cvd_lots": cvd, "high_to_low_ticks": width}
    return Detections(
        rows[:, KNOWN_TS], rows[:, KNOWN_SEQUENCE], price, signs.astype(np.int8), np.ones(len(rows)), evidence
    )


def divergence(x: Any, *, n: int = 20, bar: str = "10s") -> pl.DataFrame:
    """Bars in which price made a new extreme and the cumulative delta did not.

    Parameters
    ----------
    x : session or recording
    n : int, optional
        How many bars before a bar it is compared with.
    bar : str, optional
        Interval of the bars. Intervals without trades are no bars.

    Returns
    -------
    DataFrame
        ``ts`` (of the event that proved the bar over), ``price`` (the new extreme), ``side`` (−1 bearish: a new high,
        +1 bullish), ``score`` (1: the rule knows no degree), ``evidence`` (start of the bar, the delta's own extreme in
        lots, the bar's range).

    Raises
    ------
    WorkbenchError
        A parameter outside its bounds.

    Notes
    -----
    The rule is that of :mod:`workbench.flow.divergence`. A bar that a gap or a new snapshot lies in is no bar; after it
    the delta begins at 0, and nothing is found until there are ``n`` bars again. Off-book prints do not count.

    *What it cannot know.* Whether the price will turn. Trades without an aggressor move the price and not the delta, so
    a feed that has many of them diverges by itself.

    References
    ----------
    A rule of floor and platform traders; no paper defines it, the one above is this package's.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("5s")
    >>> wb.divergence(s, n=2, bar="1s").columns
    ['ts', 'price', 'side', 'score', 'evidence']
    """
    return frame(detected(x, DeltaDivergence(instrument_of(x), n=n, bar=bar)), instrument_of(x))
