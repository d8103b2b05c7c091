"""Money of one instrument over time, as a trading panel shows it: net of fees, its drawdown, its day."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

import numpy as np
import polars as pl

from workbench.events import FloatArray, Instrument, IntArray
from workbench.flow.days import TradingDay

__all__ = ["equity", "money_facts", "thinned"]

POINTS_SHOWN: Final = 300


def equity(positions: pl.DataFrame, fills: pl.DataFrame) -> tuple[IntArray, FloatArray]:
    """What was gained so far, moment by moment: realised and unrealised, less the fees until then.

    Parameters
    ----------
    positions : DataFrame
        Positions of one instrument as they were told, columns as ``s.positions``. What was not told counts as 0.
    fills : DataFrame
        Executions in that instrument, columns as ``s.fills``.

    Returns
    -------
    ts : array of int64, ns, shape (n,)
    gained : array of float64, currency, shape (n,)

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> ts, gained = equity(s.orders.positions(), s.fills)
    >>> len(ts) == len(gained)
    True
    """
    ts = positions["ts"].to_physical().to_numpy()
    gained = positions.select(
        (pl.col("realized").fill_null(0) + pl.col("unrealized").fill_null(0)).alias("x")
    )
    paid = fills.sort("ts")
    fees = np.r_[0.0, paid["fee"].fill_null(0).to_numpy().cumsum()]
    until = np.searchsorted(paid["ts"].to_physical().to_numpy(), ts, side="right")
    return ts, gained["x"].to_numpy() - fees[until]


def money_facts(
    ts: IntArray,
    gained: FloatArray,
    newest: dict[str, Any],
    fees: float,
    instrument: Instrument,
    day: TradingDay,
) -> dict[str, float]:
    """Numbers that stand under a position.

    Parameters
    ----------
    ts, gained : arrays
        As :func:`equity` gives them; at least one point.
    newest : dict
        Newest row of the positions.
    fees : float, currency
    instrument : Instrument
    day : TradingDay

    Returns
    -------
    dict of str to float
        ``realized``, ``unrealized``, ``fees``, ``gained`` (their sum, fees taken off), ``day`` (gained since the day
        began), ``drawdown`` and ``worst`` (from the highest point so far: now, and at most), all in currency;
        ``realized_ticks``: the realised money in ticks of one whole unit.
    """
    below = np.maximum.accumulate(np.r_[0.0, gained])[1:] - gained
    before = np.searchsorted(ts, day.of(int(ts[-1])))
    realized, unrealized = newest["realized"] or 0.0, newest["unrealized"] or 0.0
    unit = float(instrument.tick_size) * float(instrument.multiplier)
    return {
        "realized": realized,
        "unrealized": unrealized,
        "fees": fees,
        "gained": float(gained[-1]),
        "day": float(gained[-1] - (gained[before - 1] if before else 0.0)),
        "drawdown": float(below[-1]),
        "worst": float(below.max()),
        "realized_ticks": realized / unit,
    }


def thinned(ts: IntArray, gained: FloatArray, most: int = POINTS_SHOWN) -> list[list[float]]:
    """Points of a curve as [ms, currency], from the moment on when something was first gained or lost.

    At most about ``most``; lowest and highest of each stretch stay.
    """
    first = int((gained != 0).argmax()) if gained.any() else len(gained) - 1
    if first:  # it begins with nothing
        ts, gained = np.r_[ts[first], ts[first:]], np.r_[0.0, gained[first:]]
    keep = np.arange(len(ts))
    if len(ts) > most:
        edges = np.linspace(0, len(ts), most // 2 + 1).astype(int)
        stretches = [(a, gained[a:b]) for a, b in pairwise(edges) if b > a]
        ends = [{a + int(part.argmin()), a + int(part.argmax())} for a, part in stretches]
        keep = np.array(sorted({0, len(ts) - 1}.union(*ends)))
    return [[round(float(at) / 1e6, 3), round(float(value), 4)] for at, value in zip(ts[keep], gained[keep])]
