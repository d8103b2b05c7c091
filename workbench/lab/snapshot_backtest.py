"""Backtest on snapshots at fixed intervals, and what it gets wrong: the same strategy, one simplification at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import polars as pl

from workbench.events import EventBatch, Instrument
from workbench.flow.bar_rule import interval_ns
from workbench.flow.batches import event_batches, instrument_of, joined_rows
from workbench.lab.backtest import backtest
from workbench.lab.backtest_result import Backtest
from workbench.lab.report_fills import fill_quality, weighted_mean
from workbench.lab.snapshots import snapshots_of
from workbench.lab.sweep_grid import check_settings, check_strategy
from workbench.trading import queue_models

_SHOWN: Final = ("orders", "fills", "volume", "maker_share", "profit")


class _Held:
    """A market in memory."""

    def __init__(self, instrument: Instrument, batch: EventBatch):
        self.instrument = instrument
        self._batch = batch

    def batches(self) -> Iterator[EventBatch]:
        """All events."""
        yield self._batch


def snapshot_backtest(
    strategy: Any,
    x: Any,
    *,
    every: str = "1s",
    latency: str | int | tuple[str | int, str | int] = 0,
    **settings: Any,
) -> Backtest:
    """Run a strategy over snapshots of the book at fixed intervals, as backtests on bars and snapshots do.

    Parameters
    ----------
    strategy : kernel strategy or object
        As for :func:`workbench.backtest`.
    x : session or recording
    every : str, optional
        Time between snapshots, which is that between steps too.
    latency : str, int (ns) or a pair, optional
        None is usual; with some, an order meets the snapshot that was in force when it arrived.
    **settings
        Of :func:`workbench.backtest`.

    Returns
    -------
    Backtest

    Raises
    ------
    WorkbenchError
        A setting that :func:`workbench.backtest` does not have.

    Notes
    -----
    The matching engine is the same; what differs is what it is told: the whole book at each snapshot, no trades, nothing
    between. So a resting order fills when a later snapshot quotes the other side at its price or beyond, and nobody
    stands before it. :func:`snapshot_error` shows what that is worth.

    Examples
    --------
    >>> import workbench as wb
    >>> class BuyOnce:
    ...     def on_timer(self, desk):
    ...         if desk.best_ask and not desk.orders:
    ...             desk.buy(2)
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("5s")
    >>> wb.snapshot_backtest(BuyOnce(), s, every="1s").fills["size"].sum()
    2.0
    """
    check_settings(settings)
    if settings.get("queue") == queue_models.EXACT:  # without prints there is no place to be had in a queue
        settings["queue"] = queue_models.NAMES[queue_models.RISK_AVERSE]
    thinned = snapshots_of(joined_rows(event_batches(x)), interval_ns(every))
    return backtest(strategy, _Held(instrument_of(x), thinned), every=every, latency=latency, **settings)


def snapshot_error(
    strategy: Any,
    x: Any,
    *,
    every: str = "1s",
    decide: str | None = "100ms",
    latency: str | int | tuple[str | int, str | int] = "1ms",
    **settings: Any,
) -> pl.DataFrame:
    """Say what a backtest on snapshots gets wrong, and which of its simplifications does it.

    Parameters
    ----------
    strategy : kernel strategy, class, or function that makes a strategy
    x : session or recording
    every : str, optional
        Time between snapshots.
    decide : str or None, optional
        Time between steps of the event-driven version.
    latency : str, int (ns) or a pair, optional
        Of the event-driven version.
    **settings
        Of :func:`workbench.backtest`.

    Returns
    -------
    DataFrame
        Rows ``events`` (the truth), ``slow steps`` (decides at snapshots only), ``no latency``, ``snapshots`` (sees no
        trades and nothing between): ``version, orders, fills, volume, maker_share, profit``; ``error``, the profit less
        that of the row before; ``markout_1s`` of the fills in ticks, by the mids that really were.
    """
    check_strategy(strategy)
    check_settings(settings)
    fresh: Callable[[], Any] = (lambda: strategy) if hasattr(strategy, "py_func") else strategy
    market = _Held(instrument_of(x), joined_rows(event_batches(x)))
    results = {
        "events": backtest(fresh(), market, every=decide, latency=latency, **settings),
        "slow steps": backtest(fresh(), market, every=every, latency=latency, **settings),
        "no latency": backtest(fresh(), market, every=every, latency=0, **settings),
        "snapshots": snapshot_backtest(fresh(), market, every=every, **settings),
    }
    truth = results["events"].events
    rows = [
        {
            "version": name,
            **result.summary().select(_SHOWN).row(0, named=True),
            "markout_1s": _markout(result, truth),
        }
        for name, result in results.items()
    ]
    found = pl.DataFrame(rows, infer_schema_length=None)
    return found.with_columns(error=pl.col("profit").diff()).select("version", *_SHOWN, "error", "markout_1s")


def _markout(result: Backtest, truth: EventBatch) -> float | None:
    return weighted_mean(fill_quality(result, ["1s"], events=truth), "markout_1s")


__all__ = ["snapshot_backtest", "snapshot_error"]
