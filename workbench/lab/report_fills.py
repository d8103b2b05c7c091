"""What own fills cost, and what came after them: slippage, adverse selection, markouts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from workbench.events import EventBatch, FloatArray, IntArray
from workbench.flow.bar_rule import interval_ns
from workbench.flow.quoted import MidLog
from workbench.lab.backtest_result import Backtest
from workbench.lab.listed import listed

HORIZONS: Final = ("100ms", "1s", "5s", "10s")


def fill_quality(
    result: Backtest,
    horizons: str | Sequence[str] = HORIZONS,
    adverse: str = "1s",
    *,
    events: EventBatch | None = None,
) -> pl.DataFrame:
    """Fills with their costs, in ticks; positive slippage and adverse selection are losses.

    Parameters
    ----------
    result : Backtest
    horizons : str or sequence of str, optional
        Of the markouts.
    adverse : str, optional
        After which time the mid counts for adverse selection.
    events : EventBatch, optional
        Whose mids count. Default: those that the backtest ran over.

    Returns
    -------
    DataFrame
        Columns of :attr:`Backtest.fills`, then ``mid`` (before the fill, real units), ``slippage`` s(P − M_sent),
        ``half_spread`` s(P − M), ``adverse`` −s(M_τ − M) and for each horizon ``markout_…`` s(M_τ − P). Null where a mid
        is not known, or the book was lost (GAP, CLEAR) in between.

    Notes
    -----
    s is +1 for a fill that bought, M_sent the mid when the order was sent, M that of the last moment before the fill's
    own, M_τ that in force τ later. A maker's half spread is negative: it was earned. Markouts as :func:`workbench.markouts`,
    for one's own side instead of the aggressor's.
    """
    horizons = horizons_of(horizons)
    fills, instrument = result.fills, result.instrument
    log = MidLog()
    log.update(result.events if events is None else events)
    sign = fills["side"].to_numpy().astype(np.float64)
    price = np.rint(fills["price"].to_numpy() / float(instrument.tick_size))
    ts = fills["ts"].to_physical().to_numpy()
    sent = result.orders["sent"].to_physical().to_numpy()[fills["order"].to_numpy()]
    mid, breaks = log.before(ts, np.zeros(len(ts), np.int64))
    at_sent, broke = log.at(sent)
    found = {
        "mid": instrument.prices(mid),
        "slippage": np.where(broke == breaks, sign * (price - at_sent), np.nan),
        "half_spread": sign * (price - mid),
        "adverse": -sign * (_later(log, ts, breaks, adverse) - mid),
        **{f"markout_{h}": sign * (_later(log, ts, breaks, h) - price) for h in horizons},
    }
    return fills.with_columns(pl.Series(name, values).fill_nan(None) for name, values in found.items())


def horizons_of(horizons: str | Sequence[str]) -> tuple[str, ...]:
    """Horizons of markouts, each a time; one may stand alone.

    Raises
    ------
    WorkbenchError
        Something that is no time.
    """
    found = listed("horizons", horizons, "one or more times as '1s'")
    for horizon in found:
        interval_ns(horizon)
    return found


def _later(log: MidLog, ts: IntArray, breaks: IntArray, horizon: str) -> FloatArray:
    mid, then = log.at(ts + interval_ns(horizon))
    later: FloatArray = np.where(then == breaks, mid, np.nan)
    return later


def weighted_mean(table: pl.DataFrame, name: str) -> float | None:
    """Mean of a column by size, of fills or trades where it is known; None where it is for none."""
    known = table.select("size", name).drop_nulls()
    return (
        float((known["size"].to_numpy() @ known[name].to_numpy()) / known["size"].to_numpy().sum())
        if known.height
        else None
    )


__all__ = ["HORIZONS", "fill_quality", "horizons_of", "weighted_mean"]
