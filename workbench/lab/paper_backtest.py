"""Backtests on the live paper desk: brackets, groups, orders that only reduce, and the bounds of risk."""

from __future__ import annotations

from typing import Any

from workbench.events import EventBatch, Instrument
from workbench.flow.bar_rule import interval_ns
from workbench.lab.backtest_result import Backtest
from workbench.lab.course import Course
from workbench.lab.desk_venue import DeskVenue
from workbench.lab.follow_signal import playable
from workbench.lab.plain_strategy import PlainDesk
from workbench.lab.schedule import Schedule
from workbench.trading.journal import Record
from workbench.trading.paper_terms import PaperTerms


def paper_backtest(
    strategy: Any,
    x: Any,
    terms: PaperTerms | None = None,
    *,
    every: str = "100ms",
    hours: str | None = None,
    warm_up: str | None = None,
    params: Any = (),
) -> PaperBacktest:
    """Run a strategy over a recording on the desk that trades on paper live.

    Parameters
    ----------
    strategy : kernel strategy or object
        As for :func:`workbench.backtest`.
    x : session or recording
    terms : PaperTerms, optional
        Latencies, queue model, fees, money and bounds.
    every : str, optional
        Time between steps.
    hours, warm_up : str, optional
        When it acts, as for :func:`workbench.backtest`.
    params : sequence of float, optional
        What a kernel strategy finds in ``d.params``.

    Returns
    -------
    PaperBacktest
        As of :func:`workbench.backtest`, with the desk's names and reasons in ``orders``, and its ``journal``.

    Raises
    ------
    WorkbenchError
        No strategy, no such hours.

    Notes
    -----
    Orders of one strategy fill as in :func:`workbench.backtest` under the same latencies, queue model and fees. Besides, the
    desk places exits (``desk.buy(1, take_profit=2.0, stop_loss=1.0)``), keeps groups (``oco=``) and orders that
    only reduce, and refuses what is beyond its bounds: docs/orders.md. It takes longer.

    Examples
    --------
    >>> import workbench as wb
    >>> class BuyOnce:
    ...     def on_timer(self, desk):
    ...         if desk.best_ask and not desk.orders:
    ...             desk.buy(1, take_profit=0.5, stop_loss=0.5)
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("20s")
    >>> wb.paper_backtest(BuyOnce(), s).orders.select("name", "status")["name"].to_list()
    ['s0', 's0.tp', 's0.sl']
    """
    course, told = Course.of(x), terms or PaperTerms()
    contract = told.contract(course.instrument)
    venue = DeskVenue(contract, told, course.batch)
    desk = PlainDesk(venue, course.instrument, told.trading_day)
    schedule = Schedule.of(course.first, hours, warm_up)
    desk.run(playable(strategy, params), course.rows, interval_ns(every), None, course.batch, schedule)
    venue.finish()
    return PaperBacktest(course.instrument, venue, course.batch)


class PaperBacktest(Backtest):
    """The outcome of a backtest on the paper desk.

    Parameters
    ----------
    instrument : Instrument
    venue : DeskVenue
        That has run.
    batch : EventBatch

    Attributes
    ----------
    journal : list of Record
        Everything that the desk decided, in order.
    """

    def __init__(self, instrument: Instrument, venue: DeskVenue, batch: EventBatch):
        contract = venue.paper.terms.contract(instrument)
        super().__init__(instrument, venue, contract, batch)
        self.journal: list[Record] = venue.paper.desk.journal


__all__ = ["PaperBacktest", "paper_backtest"]
