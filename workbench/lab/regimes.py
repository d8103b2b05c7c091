"""Results by regime: the spread at the entry, how much the price moved before it, the hour of the day."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import polars as pl

from workbench.events import FloatArray, IntArray
from workbench.lab.forward import Mids

_MINUTE: Final = 60_000_000_000
_SPREADS: Final = ("1 tick", "2 ticks", "wider")
_THIRDS: Final = ("low", "middle", "high")
_HOURS: Final = tuple(f"{hour:02d}h UTC" for hour in range(24))
_SCHEMA: Final = {
    "by": pl.String,
    "value": pl.String,
    "events": pl.Int64,
    "net": pl.Float64,
    "won": pl.Float64,
}


def regimes(market: Mids, rows: IntArray, net: FloatArray) -> pl.DataFrame:
    """Mean result and share of gains by regime.

    Parameters
    ----------
    market : Mids
    rows : array of int64, shape (n,)
        Rows of the entries.
    net : array, ticks, shape (n,)
        NaN is left out.

    Returns
    -------
    DataFrame
        ``by, value, events, net, won``: by ``spread`` at the entry; by ``volatility``, thirds of the way the mid went in
        the minute before; by ``hour``. Regimes without events have no row.
    """
    known = ~np.isnan(net)
    rows, net = rows[known], net[known]
    ts = market.ts[rows]
    spread = np.searchsorted([1, 2], market.spread[rows], "left")
    went = market.travelled[rows] - market.travelled[np.searchsorted(market.ts, ts - _MINUTE)]
    thirds = np.quantile(went, [1 / 3, 2 / 3]) if len(rows) else np.zeros(2)
    found = [
        *_table("spread", _SPREADS, spread, net),
        *_table("volatility", _THIRDS, np.searchsorted(thirds, went, "left"), net),
        *_table("hour", _HOURS, ts // (60 * _MINUTE) % 24, net),
    ]
    return pl.DataFrame(found, schema=_SCHEMA, orient="row")


def _table(by: str, labels: tuple[str, ...], at: Any, net: FloatArray) -> list[tuple[Any, ...]]:
    count, total, won = (np.bincount(at, weight, len(labels)) for weight in (None, net, net > 0))
    return [
        (by, labels[k], int(count[k]), float(total[k] / count[k]), float(won[k] / count[k]))
        for k in np.flatnonzero(count)
    ]


__all__ = ["regimes"]
