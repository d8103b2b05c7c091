"""Backtests on the paper desk: brackets, groups, bounds, and a journal that comes out again."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl
import pytest

import workbench as wb
from workbench.errors import WorkbenchError
from workbench.flow.batches import event_batches
from workbench.lab.paper_backtest import PaperBacktest
from workbench.lab.plain_strategy import PlainDesk
from workbench.lab.report_tables import ReportTables
from workbench.lab.seen import SeenFill
from workbench.session import Session
from workbench.trading import journal
from workbench.trading.paper import rerun

TERMS = wb.PaperTerms(entry_ns=2_000_000, response_ns=1_000_000, taker=Decimal("0.00002"))
OPEN = ("PENDING_NEW", "NEW", "PARTIALLY_FILLED", "PENDING_CANCEL", "SUSPENDED")


@pytest.fixture(scope="module")
def session() -> Session:
    """Half a minute of a simulated market."""
    s = wb.simulate(seed=7, inline=True)
    s.advance("30s")
    return s


class Once:
    """Place orders at the tenth step, and note what becomes of them."""

    def __init__(self, *orders: tuple[str, float, dict[str, Any]]):
        self.orders, self.step = orders, 0
        self.fills: list[SeenFill] = []
        self.exits: dict[str, int] = {}

    def on_timer(self, desk: PlainDesk) -> None:
        """Count."""
        self.step += 1
        if self.step == 10:
            for way, size, more in self.orders:
                getattr(desk, way)(size, **more)
        if self.step == 12:
            self.exits = desk.exits(0)

    def on_fill(self, desk: PlainDesk, fill: SeenFill) -> None:
        """Note it."""
        self.fills.append(fill)


class Protected:
    """Always two lots long, with a bracket of 2 ticks either way."""

    def on_timer(self, desk: PlainDesk) -> None:
        """Enter when flat and nothing works."""
        if desk.best_ask and not desk.position and not any(s in OPEN for s in desk.orders.values()):
            desk.buy(2, take_profit=0.5, stop_loss=0.5, trails=True)


def test_a_bracket_closes_what_was_opened_and_no_more(session: Session) -> None:
    """Of each pair one side is executed, the other taken back; the position is 2 lots or none."""
    result = wb.paper_backtest(Protected(), session, TERMS)
    done = result.orders.filter(pl.col("name").str.contains("."))
    families = result.orders.with_columns(family=pl.col("name").str.split(".").list[0])
    closed = families.filter(pl.col("name").str.ends_with(".tp") | pl.col("name").str.ends_with(".sl"))
    filled = closed.group_by("family").agg(pl.col("filled").sum())
    assert len(done) > 6 and set(filled["filled"][:-1]) <= {2.0, 0.0}
    assert set(result.equity["position"]) <= {0.0, 1.0, 2.0}
    assert closed.filter(pl.col("status") == "CANCELED")["reason"].str.contains("OCO|REDUCED").all()
    trades = ReportTables(result).trades
    assert trades["profit"].sum() == pytest.approx(result.summary()["profit"].item(), abs=60)


def test_exits_are_told_by_number(session: Session) -> None:
    """A strategy learns of them two steps later, and of their fills by the same numbers."""
    strategy = Once(("buy", 1, {"take_profit": 0.5, "stop_loss": 0.5}))
    result = wb.paper_backtest(strategy, session, TERMS)
    assert strategy.exits == {"take_profit": 1, "stop_loss": 2}
    assert [fill.order for fill in strategy.fills] == result.fills["order"].to_list()
    assert strategy.fills[-1].order in (1, 2)


def test_a_run_comes_out_again_from_its_journal(session: Session) -> None:
    """Commands and terms are in it: the same journal, byte for byte."""
    result = wb.paper_backtest(Protected(), session, TERMS)
    batches = list(event_batches(session))
    contract = TERMS.contract(session.instrument)
    again = rerun(contract, result.journal, batches, int(batches[-1].ts[-1]))
    assert journal.encode(again.desk.journal) == journal.encode(result.journal)


def test_one_of_a_group_ends_the_other(session: Session) -> None:
    """Two stops round the market: the first that goes off takes the other back."""

    class Around:
        def on_timer(self, desk: PlainDesk) -> None:
            if desk.best_bid and desk.best_ask and not desk.orders:
                desk.buy(1, stop=desk.best_ask + 0.5, oco="a")
                desk.sell(1, stop=desk.best_bid - 0.5, oco="a")

    result = wb.paper_backtest(Around(), session, TERMS)
    assert sorted(result.orders["status"]) == ["CANCELED", "FILLED"]
    assert result.fills["size"].sum() == 1


def test_what_only_reduces_opens_nothing(session: Session) -> None:
    """Refused with the numbers, and no exception."""
    result = wb.paper_backtest(Once(("sell", 1, {"reduce_only": True})), session, TERMS)
    assert result.orders["status"].to_list() == ["REJECTED"]
    assert result.orders["reason"].item().startswith("REDUCE_ONLY_WOULD_INCREASE: -1 lots")


def test_bounds_hold_as_live(session: Session) -> None:
    """More than one order may have, and what is no order at all."""
    small = wb.PaperTerms(limits=wb.Limits(size=2))
    wishes = (("buy", 3, {}), ("buy", 2, {}), ("sell", 1, {"stop": 5000.0, "take_profit": 0.25}))
    result = wb.paper_backtest(Once(*wishes), session, small)
    reasons = result.orders["reason"].to_list()
    assert reasons[0] == "QUANTITY_EXCEEDS_LIMIT: 3 lots; at most 2"
    assert result.orders["status"].to_list()[:2] == ["REJECTED", "FILLED"]


class Repriced:
    """A bid that is moved, made larger and taken back; a stop that is moved and taken back."""

    def __init__(self) -> None:
        self.step = 0
        self.seen: list[str] = []

    def on_timer(self, desk: PlainDesk) -> None:
        """One thing at a step."""
        self.step += 1
        bid = desk.best_bid
        if self.step == 5 and bid:
            desk.buy(1, bid - 3, "POST_ONLY")
            desk.sell(1, stop=bid - 4)
        elif self.step == 8 and bid:
            assert desk.modify(0, limit=bid - 2, size=2) and desk.modify(1, stop=bid - 5)
        elif self.step == 11:
            assert desk.cancel(0) and desk.cancel(1)
        elif self.step == 14:
            assert not desk.cancel(0) and not desk.cancel(7)
            self.seen = list(desk.orders.values())


def test_orders_are_changed_and_taken_back(session: Session) -> None:
    """As in a backtest without a desk, but for when a stop's end is known."""
    strategy = Repriced()
    result, plain = (
        wb.paper_backtest(strategy, session, TERMS),
        wb.backtest(Repriced(), session, latency=("2ms", "1ms")),
    )
    assert strategy.seen == ["CANCELED", "CANCELED"]
    same = ["order", "side", "price", "size", "stop", "tif", "sent", "status", "filled"]
    assert result.orders.select(same).equals(plain.orders.select(same))


def test_a_backtest_without_a_desk_has_no_exits(session: Session) -> None:
    """Where they are is said."""
    with pytest.raises(WorkbenchError, match="paper_backtest"):
        wb.backtest(Once(("buy", 1, {"take_profit": 1.0})), session)


def test_nothing_happens_where_nothing_is_recorded(session: Session) -> None:
    """No rows, no orders."""

    class Blank:
        instrument = session.instrument

        def batches(self) -> list[wb.EventBatch]:
            return []

    result = wb.paper_backtest(Protected(), Blank(), TERMS)
    assert isinstance(result, PaperBacktest) and len(result.orders) == len(result.fills) == 0
