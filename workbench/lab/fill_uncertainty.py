"""How much of a backtest's profit hangs on what no level feed tells: where in the queue the orders stood."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from workbench.errors import WorkbenchError
from workbench.flow.days import MIDNIGHT_UTC
from workbench.flow.prints import as_times
from workbench.lab.backtest import LatencyLike
from workbench.lab.backtest_result import Backtest
from workbench.lab.course import Course
from workbench.lab.equity_steps import equity_at
from workbench.lab.listed import listed
from workbench.lab.sweep_grid import check_strategy
from workbench.trading import queue_models
from workbench.trading.contracts import Contract
from workbench.trading.matcher import Matcher

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

ORDERS: Final = ("same", "own")
_POINTS: Final = 1000
_SHOWN: Final = ("fills", "volume", "maker_share", "position", "fees", "profit", "max_drawdown")
_TRUTH: Final = "#b3123f"
_LINES: Final = (("max", "#0b63c4", "optimistic"), ("min", "#b07800", "pessimistic"))


def fill_uncertainty(
    strategy: Any,
    x: Any,
    *,
    orders: str = "same",
    models: str | Sequence[str] | None = None,
    queue: str = "risk_averse",
    latency: LatencyLike = "1ms",
    fees: tuple[float | str, float | str] = (0, 0),
    contract: Contract | None = None,
    fills: str = "shared",
    clock: str = "receive",
    every: str | None = "100ms",
    hours: str | None = None,
    warm_up: str | None = None,
    day: str = MIDNIGHT_UTC,
    params: Any = (),
) -> FillUncertainty:
    """Run the same orders under all queue models, between the optimistic and the pessimistic end.

    Parameters
    ----------
    strategy : kernel strategy or object
        As for :func:`workbench.backtest`; a class or a function that makes a strategy too, and only such with
        ``orders="own"``.
    x : session or recording
    orders : str, optional
        ``"same"``: the commands that the strategy sends under ``queue``, at their times, meet every model: what differs
        is luck alone. ``"own"``: under each model the strategy answers to its own fills.
    models : str or sequence of str, optional
        Of :data:`workbench.trading.queue_models.EVERY`. Default: all models for levels and, where single orders were
        recorded, ``by_order``: what really stood ahead.
    queue : str, optional
        Model under which the orders are sent, with ``orders="same"``.
    latency, fees, contract, fills, clock, every, hours, warm_up, day, params
        As for :func:`workbench.backtest`.

    Returns
    -------
    FillUncertainty
        ``frame`` with a row per model, ``band`` with profit over time, ``figure()``.

    Raises
    ------
    WorkbenchError
        Unknown models, a strategy that cannot be made anew where it has to be.

    Examples
    --------
    >>> import workbench as wb
    >>> class BidOnce:
    ...     def on_timer(self, desk):
    ...         if desk.best_bid and not desk.orders:
    ...             desk.buy(2, limit=desk.best_bid)
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("5s")
    >>> found = wb.fill_uncertainty(BidOnce(), s, models=["touch", "risk_averse", "trade_through"])
    >>> found.frame["model"].to_list()
    ['touch', 'risk_averse', 'trade_through']
    """
    if orders not in ORDERS:
        raise WorkbenchError(f"orders {orders!r}", expected=f"one of {', '.join(ORDERS)}")
    if models is not None:
        models = listed("models", models, f"one or more of {', '.join(queue_models.EVERY)}")
    if orders == "own":
        check_strategy(strategy)
    course = Course.of(x, clock, latency)
    if models is None:
        models = queue_models.EVERY if course.has_orders else queue_models.NAMES
    sent = course.matcher(queue, latency=latency, fills=fills, params=params)
    if orders == "same":
        course.run(_fresh(strategy), sent, every, hours=hours, warm_up=warm_up, day=day)
    results: dict[str, Backtest] = {}
    for model in models:
        matcher: Matcher = course.matcher(model, latency=latency, fills=fills, params=params)
        if orders == "same":
            course.run_commands(matcher, sent)
        else:
            course.run(_fresh(strategy), matcher, every, hours=hours, warm_up=warm_up, day=day)
        results[model] = course.result(matcher, fees, contract)
        results[model].touch = results[models[0]].touch
    return FillUncertainty(results, course.last)


def _fresh(strategy: Any) -> Any:
    is_maker = isinstance(strategy, type) or (callable(strategy) and hasattr(strategy, "__code__"))
    return strategy() if is_maker and not hasattr(strategy, "py_func") else strategy


class FillUncertainty:
    """The outcome under each model.

    Parameters
    ----------
    results : dict of str to Backtest
    last : int, ns
        Where the recording ends.
    """

    def __init__(self, results: dict[str, Backtest], last: int):
        self.results = dict(results)
        rows = [
            {"model": name, **r.summary().select(_SHOWN).row(0, named=True)} for name, r in results.items()
        ]
        self.frame = pl.DataFrame(rows, infer_schema_length=None)
        self._last = last
        self._guesses = [name for name in results if name != queue_models.EXACT] or list(results)

    @property
    def truth(self) -> Backtest | None:
        """The outcome by what really stood ahead, where orders were recorded."""
        return self.results.get(queue_models.EXACT)

    @property
    def range(self) -> tuple[float, float, float]:
        """Least, middle (median of the models) and greatest profit; of the models for levels, where there are any."""
        profit = self.frame.filter(pl.col("model").is_in(self._guesses))["profit"].to_numpy()
        return float(profit.min()), float(np.median(profit)), float(profit.max())

    @property
    def band(self) -> pl.DataFrame:
        """Profit at a thousand times: ``ts``, ``min``, ``mid`` (median of the models), ``max``, at each time of its own.

        With ``truth`` where orders were recorded; the others are those of the models for levels.
        """
        equities = [self.results[name].equity for name in self._guesses]
        first = equities[0]["ts"].to_physical()
        start = int(first[0]) if len(first) else self._last
        times = np.linspace(start, self._last, _POINTS).astype(np.int64)
        worth = np.stack([equity_at(equity, times) for equity in equities])
        columns = {"min": worth.min(axis=0), "mid": np.median(worth, axis=0), "max": worth.max(axis=0)}
        if self.truth is not None:
            columns["truth"] = equity_at(self.truth.equity, times)
        return pl.DataFrame({"ts": as_times(times), **columns})

    def figure(self) -> Figure:
        """The band over time, and the profit of each model at the end."""
        from plotly.subplots import make_subplots

        band, least_first = self.band, self.frame.sort("profit")
        figure = make_subplots(
            1,
            2,
            column_widths=[0.68, 0.32],
            horizontal_spacing=0.14,
            subplot_titles=["over time", "at the end"],
        )
        for what, colour, name in _LINES:
            figure.add_scatter(
                x=band["ts"].to_list(),
                y=band[what].to_list(),
                name=name,
                line={"color": colour, "width": 1},
                fill=None if what == "max" else "tonexty",
                fillcolor="rgba(90, 110, 140, 0.18)",
                row=1,
                col=1,
            )
        figure.add_scatter(
            x=band["ts"].to_list(),
            y=band["mid"].to_list(),
            name="middle",
            line={"color": "#333333"},
            row=1,
            col=1,
        )
        if self.truth is not None:
            figure.add_scatter(
                x=band["ts"].to_list(),
                y=band["truth"].to_list(),
                name="what really stood ahead",
                line={"color": _TRUTH, "width": 2},
                row=1,
                col=1,
            )
        figure.add_bar(
            x=least_first["profit"].to_list(),
            y=least_first["model"].to_list(),
            orientation="h",
            marker={
                "color": [_TRUTH if m == queue_models.EXACT else "#5a6e8c" for m in least_first["model"]]
            },
            showlegend=False,
            row=1,
            col=2,
        )
        low, mid, high = self.range
        figure.update_layout(
            title=f"Profit between {low:,.2f} and {high:,.2f}, middle {mid:,.2f}: the same market, other places in the queue",
            template="plotly_white",
            legend={"orientation": "h", "y": -0.12},
            margin={"l": 60, "r": 20, "t": 80, "b": 40},
        )
        return figure

    def __repr__(self) -> str:
        low, mid, high = self.range
        exact = self.truth is not None and len(self.results) > 1
        known = f", by order {self._profit(queue_models.EXACT):,.2f}" if exact else ""
        models = len(self.results) - exact
        return f"FillUncertainty({models} models, profit {low:,.2f} to {high:,.2f}, middle {mid:,.2f}{known})"

    def _profit(self, model: str) -> float:
        return float(self.frame.filter(pl.col("model") == model)["profit"].item())


__all__ = ["FillUncertainty", "fill_uncertainty"]
