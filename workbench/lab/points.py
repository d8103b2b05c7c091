"""Points evenly spread in time, at which a score is compared with the move after it."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from workbench.events import FloatArray, IntArray
from workbench.lab.forward import Mids, forward

MOST_POINTS: Final = 20_000


class Points(NamedTuple):
    """Points in time and the moves after them; they depend on the recording and the terms only.

    Attributes
    ----------
    rows : int64, shape (n,)
        Last row at or before each point, each row once.
    moves : float64, ticks, shape (n, n_horizons)
        NaN where not known.
    """

    rows: IntArray
    moves: FloatArray

    @classmethod
    def of(cls, market: Mids, horizons_ns: IntArray, latency_ns: int = 0) -> Points:
        """Up to 20,000 points of a market."""
        if len(market.ts) < 2:
            return cls(np.empty(0, np.int64), np.empty((0, len(horizons_ns))))
        moments = np.linspace(0, market.ts[-1] - market.ts[0], min(MOST_POINTS, len(market.ts)))
        rows = np.searchsorted(market.ts, market.ts[0] + moments.astype(np.int64), "right") - 1
        distinct = rows[np.diff(rows, prepend=-1) > 0]
        return cls(distinct, forward(market, distinct, horizons_ns, latency_ns).move)


__all__ = ["MOST_POINTS", "Points"]
