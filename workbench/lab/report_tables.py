"""Tables of a report: fills, trades, results by hour and regime, the equity with its drawdown, returns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from functools import cached_property
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from workbench.errors import WorkbenchError
from workbench.flow.bar_rule import interval_ns
from workbench.flow.signals.sight import Needs, sight_of
from workbench.lab.backtest_result import Backtest
from workbench.lab.equity_steps import equity_at
from workbench.lab.forward import Mids
from workbench.lab.regimes import regimes
from workbench.lab.report_fills import HORIZONS, fill_quality, horizons_of, weighted_mean
from workbench.lab.report_trades import round_trips

if TYPE_CHECKING:
    import pandas as pd


class ReportTables:
    """Everything a report says in numbers.

    Parameters
    ----------
    result : Backtest
    horizons : str or sequence of str, optional
        Of the markouts.
    adverse : str, optional
        After which time the mid counts for adverse selection.

    Raises
    ------
    WorkbenchError
        A horizon that is no time.
    """

    def __init__(self, result: Backtest, horizons: str | Sequence[str] = HORIZONS, adverse: str = "1s"):
        self.result = result
        self.horizons, self._adverse = horizons_of(horizons), adverse
        interval_ns(adverse)

    @cached_property
    def _market(self) -> Mids:
        return Mids.of(sight_of([self.result.events], Needs(1), self.result.instrument))

    @cached_property
    def fills(self) -> pl.DataFrame:
        """Fills with slippage, adverse selection and markouts, see :func:`fill_quality`."""
        return fill_quality(self.result, self.horizons, self._adverse)

    @cached_property
    def trades(self) -> pl.DataFrame:
        """What was opened and closed again, with MFE and MAE, see :func:`round_trips`."""
        return round_trips(
            self.result.fills,
            self.result.instrument,
            self._market,
            inverse=self.result.contract.inverse,
        )

    @cached_property
    def equity(self) -> pl.DataFrame:
        """The result's equity, and ``drawdown``: how far it lies below its highest value so far."""
        peak = pl.col("equity").fill_null(strategy="forward").cum_max()
        return self.result.equity.with_columns(drawdown=peak - pl.col("equity"))

    @cached_property
    def regimes(self) -> pl.DataFrame:
        """Net result of trades, ticks for each lot, by spread, volatility and hour of the entry."""
        entry = self.trades["entry"].to_physical().to_numpy()
        rows = np.searchsorted(self._market.ts, entry, "right") - 1
        known = (rows >= 0) & ~np.isnan(self._market.spread[rows]) if len(rows) else np.zeros(0, np.bool_)
        return regimes(self._market, rows[known], self.trades["net"].to_numpy()[known])

    @cached_property
    def summary(self) -> pl.DataFrame:
        """One row: what :meth:`Backtest.summary` says, then trades and their quality; null where there is nothing.

        Means are by size, of what is known; ``mean_profit`` is money for each trade, and ``won`` a share of trades.
        """
        trades, fills = self.trades, self.fills
        won, lost = trades.filter(pl.col("profit") > 0), trades.filter(pl.col("profit") < 0)
        losses = -float(lost["profit"].sum())
        values: dict[str, Any] = {
            "trades": trades.height,
            "won": won.height / trades.height if trades.height else None,
            "profit_factor": float(won["profit"].sum()) / losses if losses else None,
            "mean_profit": trades["profit"].mean(),
            "mean_held_s": weighted_mean(trades, "held_s"),
            "mfe": weighted_mean(trades, "mfe"),
            "mae": weighted_mean(trades, "mae"),
            **{name: weighted_mean(fills, name) for name in ("slippage", "adverse", *self._markouts)},
        }
        return pl.concat([self.result.summary(), pl.DataFrame([values])], how="horizontal")

    @property
    def _markouts(self) -> list[str]:
        return [f"markout_{horizon}" for horizon in self.horizons]

    def returns(self, capital: float | None = None, every: str = "1d") -> pd.Series[float]:
        """Returns by period, as quantstats, empyrical and pyfolio take them.

        Parameters
        ----------
        capital : float, optional
            What it begins with. Default: the largest value that was ever held.
        every : str, optional
            Length of a period, ``"1d"``, ``"1m"``; periods begin at its multiples, UTC.

        Returns
        -------
        pandas.Series
            Indexed by the begin of each period without a time zone; compounded they give the final equity.

        Raises
        ------
        WorkbenchError
            The capital is no number above 0, or all of it is lost.
        """
        import pandas as pd

        ts = self.equity["ts"].to_physical().to_numpy()
        step = interval_ns(every)
        begin, end = (int(ts[0]) // step, -(-int(ts[-1]) // step)) if len(ts) else (0, 0)
        edges = np.arange(begin, max(end, begin + min(len(ts), 1)) + 1, dtype=np.int64) * step
        times = edges - 1
        times[-1:] = np.maximum(times[-1:], ts[-1:])  # the end belongs to the last period
        stake = self._largest_held if capital is None else _stake(capital)
        worth = stake + equity_at(self.equity, times)
        if (worth <= 0).any():
            raise WorkbenchError(f"capital {stake:g}, all of which is lost", action="Give more capital")
        index = pd.DatetimeIndex(edges[:-1].astype("datetime64[ns]"))
        return pd.Series(worth[1:] / worth[:-1] - 1, index=index, name="returns")

    @property
    def _largest_held(self) -> float:
        fills = self.result.fills
        held = (fills["side"] * fills["size"]).cum_sum().abs()
        held = held / fills["price"] if self.result.contract.inverse else held * fills["price"]
        largest: Any = held.max()
        return float(largest or 1.0) * float(self.result.instrument.multiplier)


def _stake(capital: Any) -> float:
    if not isinstance(capital, Real | Decimal) or not 0 < float(capital) < math.inf:
        raise WorkbenchError(f"capital {capital!r:.40}", expected="a number above 0")
    return float(capital)


__all__ = ["ReportTables"]
