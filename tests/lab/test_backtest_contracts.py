"""Money of a backtest: exact as the account is, for linear and inverse contracts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl
import pytest

import workbench as wb
from tests.support.quoting import quote_both_sides
from tests.support.touches import Recorded, states
from workbench.errors import WorkbenchError
from workbench.instruments import Instrument
from workbench.lab.plain_strategy import PlainDesk
from workbench.lab.report_tables import ReportTables
from workbench.lab.whatif_desk import Conditions, WhatIfDesk
from workbench.session import Session


@pytest.fixture(scope="module")
def session() -> Session:
    """Half a minute of a simulated market."""
    s = wb.simulate(seed=7, inline=True)
    s.advance("30s")
    return s


def contract(session: Session, inverse: bool, multiplier: str = "50") -> wb.Contract:
    """With a rebate, a fee and a fee per lot."""
    i = session.instrument
    return wb.Contract(
        symbol=i.symbol,
        tick_size=i.tick_size,
        lot_size=i.lot_size,
        multiplier=Decimal(multiplier),
        inverse=inverse,
        maker=Decimal("-0.00005"),
        taker=Decimal("0.0002"),
        per_lot=Decimal("0.00003") if inverse else Decimal("1.25"),
    )


@pytest.mark.parametrize("inverse", [False, True])
def test_equity_and_fees_are_those_of_the_exact_account(session: Session, inverse: bool) -> None:
    """Doubles, each next to what the account says in fractions; closing by closing and at the end."""
    result = wb.backtest(quote_both_sides, session, contract=contract(session, inverse))
    assert len(result.fills) > 10
    touch = result.touch
    half = int(touch.bid.ravel()[-1] + touch.ask.ravel()[-1])
    account, symbol = result.account, session.instrument.symbol
    summary = result.summary()
    assert summary["profit"].item() == pytest.approx(float(account.equity({symbol: half})), rel=1e-10)
    assert summary["fees"].item() == float(account.fees())
    assert result.fills["fee"].sum() == pytest.approx(float(account.fees()), rel=1e-10)
    last = result.equity.row(-1, named=True)
    assert last["position"] == account.position(symbol).lots
    assert last["equity"] == summary["profit"].item()


class BuyAndSell:
    """Take two lots, and give them back ten steps later."""

    def __init__(self) -> None:
        self.step = 0

    def on_timer(self, desk: PlainDesk) -> None:
        """Count, buy at 10, sell at 20."""
        self.step += 1
        if self.step == 10:
            desk.buy(2)
        elif self.step == 20:
            desk.sell(2)


def test_an_inverse_contract_gains_coins(session: Session) -> None:
    """Two lots of 50 at two prices: 100 · (1/bought − 1/sold), a fee of 0.02 % of 100/price and 0.00003 per lot each time."""
    result = wb.backtest(BuyAndSell(), session, contract=contract(session, inverse=True))
    coins = result.fills.with_columns(value=50 * pl.col("size") / pl.col("price"))
    bought, sold = (coins.filter(side=side)["value"].sum() for side in (1, -1))
    paid = (bought + sold) * 0.0002 + coins["size"].sum() * 0.00003
    assert result.summary()["profit"].item() == pytest.approx(bought - sold - paid, rel=1e-9)
    trades = ReportTables(result).trades
    assert trades["profit"].sum() == pytest.approx(bought - sold - paid, rel=1e-9)
    in_ticks = trades["gross"] - trades["fees"] * trades["entry_price"] * trades["exit_price"] / (
        trades["size"] * 50 * 0.25
    )
    assert trades["net"].to_list() == pytest.approx(in_ticks.to_list())
    assert ReportTables(result)._largest_held == pytest.approx(bought)


def test_another_multiplier_is_another_profit(session: Session) -> None:
    """The same fills are worth ten times as much, in equity and in trades."""
    small, large = (
        wb.backtest(BuyAndSell(), session, contract=wb.Contract.of(session.instrument)).account,
        wb.backtest(BuyAndSell(), session, contract=contract(session, False, "500")),
    )
    one = float(session.instrument.multiplier)
    assert large.instrument.multiplier == 500
    gross = large.summary()["profit"].item() + large.summary()["fees"].item()
    assert gross == pytest.approx(float(small.equity({})) * 500 / one)
    assert ReportTables(large).trades["profit"].sum() == pytest.approx(large.summary()["profit"].item())


def test_fees_of_a_pair_are_those_of_a_contract(session: Session) -> None:
    """Two ways to say the same."""
    i = session.instrument
    said = wb.Contract.of(i, maker=Decimal("0.0001"), taker=Decimal("0.0003"))
    pair = wb.backtest(quote_both_sides, session, fees=("0.0001", 0.0003))
    assert pair.equity.equals(wb.backtest(quote_both_sides, session, contract=said).equity)
    assert pair.fills["fee"].equals(wb.backtest(quote_both_sides, session, contract=said).fills["fee"])


def test_sliders_move_the_fees_of_a_contract(session: Session) -> None:
    """Whatever else it says stays."""
    desk = WhatIfDesk(quote_both_sides, session, contract=contract(session, inverse=True))
    free, dear = (desk.result(Conditions(maker=maker)) for maker in (0.0, 10.0))
    assert free.contract.inverse and free.contract.maker == 0
    assert dear.contract.maker == Decimal("0.001")
    value = (50 * dear.fills["size"] / dear.fills["price"]).sum()
    assert dear.fills["fee"].sum() - free.fills["fee"].sum() == pytest.approx(value * 0.001)


def test_the_band_is_worth_what_the_contract_says(session: Session) -> None:
    """In coins, under each model."""
    coin = contract(session, inverse=True)
    band = wb.fill_uncertainty(quote_both_sides, session, models=["risk_averse"], contract=coin)
    assert (
        band.frame["profit"].item()
        == wb.backtest(quote_both_sides, session, contract=coin).summary()["profit"].item()
    )


@pytest.mark.parametrize("change", [{"tick_size": Decimal(1)}, {"lot_size": Decimal(2)}, {"symbol": "NQ"}])
def test_a_contract_of_something_else_is_refused(session: Session, change: dict[str, object]) -> None:
    """Its ticks and lots are those of the rows."""
    i = session.instrument
    grid = {"symbol": i.symbol, "tick_size": i.tick_size, "lot_size": i.lot_size} | change
    with pytest.raises(WorkbenchError, match=r"Contract\.of"):
        wb.backtest(quote_both_sides, session, contract=wb.Contract(**grid))  # type: ignore[arg-type]


def test_fees_are_said_once(session: Session) -> None:
    """In the contract, or beside none."""
    with pytest.raises(WorkbenchError, match="fees in the contract alone"):
        wb.backtest(
            quote_both_sides, session, fees=("0.0001", 0), contract=wb.Contract.of(session.instrument)
        )


def test_nothing_traded_is_nothing_gained(session: Session) -> None:
    """Without fills the account is flat and equity stays 0."""

    class Idle:
        def on_timer(self, desk: PlainDesk) -> None:
            pass

    result = wb.backtest(Idle(), session, contract=contract(session, inverse=True))
    assert result.equity["equity"].drop_nulls().unique().to_list() == [0.0]
    assert result.account.equity({}) == 0 and result.fills.schema["fee"] == pl.Float64


def test_real_units_are_the_doubles_next_to_the_exact_ones() -> None:
    """0.3, not three times 0.1: in the strategy's hands, in every table, and as the session shows them."""
    grid = Instrument("TENTHS", tick_size=Decimal("0.1"), lot_size=Decimal("0.1"))
    second = 10**9
    levels = [(3, 6, 7, 7), (3, 5, 7, 7), (3, 6, 7, 7)]
    market = Recorded([states(levels, [second, 2 * second, 3 * second])], grid)
    seen: list[object] = []

    class Once:
        def on_timer(self, desk: PlainDesk) -> None:
            if not desk.orders:
                seen.extend([desk.best_bid, desk.bid_size, desk.best_ask, desk.ask_size])
                desk.buy(0.7, 0.7)
                desk.buy(0.3, stop=0.7)
            seen.append(desk.position)

        def on_fill(self, desk: PlainDesk, fill: Any) -> None:
            seen.extend([fill.price, fill.size])

    unbound = wb.PaperTerms(limits=wb.Limits(band_percent=None, band_ticks=None))
    for path in (wb.backtest, lambda strategy, x: wb.paper_backtest(strategy, x, unbound)):
        seen.clear()
        result = path(Once(), market)
        assert seen[:4] == [0.3, 0.6, 0.7, 0.7] and set(seen[4:]) == {0.0, 0.7}
        assert result.fills.select("price", "size").row(0) == (0.7, 0.7)
        assert result.orders.select("price", "size", "stop", "filled").rows() == [
            (0.7, 0.7, None, 0.7),
            (None, 0.3, 0.7, 0.0),
        ]
        assert result.equity["position"].to_list()[-1] == result.summary()["volume"].item() == 0.7
        assert wb.report(result).fills["mid"].drop_nulls().to_list() == [0.5]
