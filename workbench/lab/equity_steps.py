"""Equity at chosen times, and profit between them: what returns and Sharpe ratios are made of."""

from __future__ import annotations

import numpy as np
import polars as pl

from workbench.events import FloatArray, IntArray


def equity_at(equity: pl.DataFrame, times: IntArray) -> FloatArray:
    """Equity that was last known at each time; 0 before the first.

    Parameters
    ----------
    equity : DataFrame
        With ``ts`` and ``equity``, as a backtest gives it.
    times : int64, ns, shape (n,)

    Returns
    -------
    float64, shape (n,)
    """
    known = equity.select("ts", "equity").drop_nulls()
    at = np.searchsorted(known["ts"].to_physical().to_numpy(), times, "right")
    worth: FloatArray = np.concatenate([[0.0], known["equity"].to_numpy()])[at]
    return worth


def profits(equity: pl.DataFrame, edges: IntArray) -> FloatArray:
    """Profit between consecutive times, shape (n − 1,)."""
    steps: FloatArray = np.diff(equity_at(equity, edges))
    return steps


__all__ = ["equity_at", "profits"]
