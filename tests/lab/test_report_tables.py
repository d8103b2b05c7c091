"""Reports in numbers, by hand: trades first in first out, their best and worst moments, costs of fills, returns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

import workbench as wb
from tests.support.gapped import Gapped
from tests.support.sweeping import quote_away
from workbench.errors import WorkbenchError
from workbench.flow.batches import joined_rows
from workbench.lab.backtest_result import Backtest
from workbench.lab.plain_strategy import PlainDesk
from workbench.lab.report_tables import ReportTables

SECOND = 1_000_000_000


class Written:
    """A market of one tick's spread whose bid is 100, 104, 98, 102 in turn, for a second each."""

    def __init__(self) -> None:
        self.instrument = wb.Instrument("TEST", tick_size="0.5", lot_size="2", multiplier="10")
        self.batch = wb.EventBatch.of(
            ts=[n * SECOND for n in (1, 1, 1, 1, *(m for m in (2, 3, 4) for _ in range(4)), 6)],
            kind=[6, 1, 1, 7, *([1] * 12), 1],
            side=[0, 1, -1, 0, *([1, -1, 1, -1] * 3), 1],
            price=[0, 100, 101, 0, 100, 101, 104, 105, 104, 105, 98, 99, 98, 99, 102, 103, 90],
            size=[0, 9, 9, 0, *([0, 0, 9, 9] * 3), 9],
        )

    def batches(self) -> list[wb.EventBatch]:
        """All rows."""
        return [self.batch]


class Scripted:
    """Buys two lots at 1.5 s, buys one at 2.5 s, sells four at 4.5 s."""

    def __init__(self) -> None:
        self.steps = 0

    def on_timer(self, desk: PlainDesk) -> None:
        """What the step asks for."""
        self.steps += 1
        lots = {1: 2, 3: 1, 7: -4}.get(self.steps, 0)
        if lots:
            (desk.buy if lots > 0 else desk.sell)(2.0 * abs(lots))


@pytest.fixture(scope="module")
def told() -> ReportTables:
    """The script on the written market."""
    result = wb.backtest(Scripted(), Written(), every="500ms", latency="1ms", fees=("0", "0.001"))
    return ReportTables(result, horizons=("1s",), adverse="1s")


@pytest.fixture(scope="module")
def simulated() -> Backtest:
    """A minute of quoting in a simulated market."""
    s = wb.simulate(seed=7, inline=True)
    s.advance("60s")
    return wb.backtest(quote_away, s, params=[0, 3], fees=("0.00001", "0.00002"))


def test_trades_are_matched_first_in_first_out(told: ReportTables) -> None:
    """Two lots bought at 101 and one at 105 are sold at 102, the fourth lot opens a position that has no row."""
    rows = told.trades.select("side", "size", "entry_price", "exit_price", "gross", "held_s").rows()
    assert rows == [(1, 4.0, 50.5, 51.0, 1, 3.0), (1, 2.0, 52.5, 51.0, -3, 2.0)]
    # each lot pays a thousandth of its value: lots × price in ticks × (0.5 × 2 × 10)
    assert told.trades["fees"].to_list() == pytest.approx([2 * (101 + 102) * 0.01, (105 + 102) * 0.01])
    assert told.trades["profit"].to_list() == pytest.approx([2 * 10 - 4.06, -3 * 10 - 2.07])
    assert told.trades["net"].to_list() == pytest.approx([1 - 0.203, -3 - 0.207])


def test_the_best_and_worst_moment_of_a_trade(told: ReportTables) -> None:
    """Mids were 100.5, 104.5, 98.5 and 102.5: bought at 101, 3.5 ticks in favour and 2.5 against; at 105, 0.5 and 6.5."""
    assert told.trades.select("mfe", "mae").rows() == [(3.5, -2.5), (-0.5, -6.5)]


class Holding:
    """Buys one lot at the first step with an ask, sells it at the eighth step."""

    def __init__(self) -> None:
        self.steps = 0

    def on_timer(self, desk: PlainDesk) -> None:
        """Count, and trade."""
        self.steps += 1
        if self.steps in (1, 8):
            (desk.buy if self.steps == 1 else desk.sell)(1)


def test_nothing_is_measured_across_a_hole() -> None:
    """Bought at 101 before the book was lost and sold at 112 after it: how far it went meanwhile nobody knows."""
    told = ReportTables(wb.backtest(Holding(), Gapped(), every="1s"), horizons=("1s",))
    assert told.trades.select("entry_price", "exit_price", "gross").rows() == [(101.0, 112.0, 11)]
    assert told.trades.select("mfe", "mae").rows() == [(None, None)]
    assert told.summary.select("mfe", "mae").rows() == [(None, None)]


def test_a_clear_is_a_hole_even_within_a_moment() -> None:
    """A book that is told anew at one time may have been another one before."""
    market = Written()
    parts = market.batch[:12], market.batch[12:]
    anew = wb.EventBatch.of(
        12,
        ts=int(2.5 * SECOND) + SECOND,
        kind=[6, 1, 1, 7],
        side=[0, 1, -1, 0],
        price=[0, 104, 105, 0],
        size=9,
    )
    market.batch = joined_rows([parts[0], anew, parts[1]])
    told = ReportTables(wb.backtest(Scripted(), market, every="500ms", latency="1ms"), horizons=("1s",))
    assert told.trades["exit_price"].to_list() == [51.0, 51.0]
    assert told.trades.select("mfe", "mae").rows() == [(None, None)] * 2


def test_means_of_the_summary_are_by_size(told: ReportTables) -> None:
    """Two lots with 3.5 in favour and one with half a tick against: 6.5 / 3; held for 3 s and 2 s: 8 / 3."""
    row = told.summary.row(0, named=True)
    assert row["mfe"] == pytest.approx((2 * 3.5 - 0.5) / 3)
    assert row["mae"] == pytest.approx((2 * -2.5 - 6.5) / 3)
    assert row["mean_held_s"] == pytest.approx((2 * 3 + 2) / 3)
    assert row["mean_profit"] == pytest.approx((20 - 4.06 - 30 - 2.07) / 2)


def test_costs_of_fills(told: ReportTables) -> None:
    """Taking costs half a tick; a second later the mid was 4 higher, 6 lower, and is unknown after the last moment."""
    fills = told.fills.select("mid", "slippage", "half_spread", "adverse", "markout_1s")
    assert fills.row(0) == (50.25, 0.5, 0.5, -4.0, 3.5)
    assert fills.row(1) == (52.25, 0.5, 0.5, 6.0, -6.5)
    assert fills.row(2)[1:] == (0.5, 0.5, 0.0, -0.5)


def test_trades_and_what_is_open_make_up_the_profit(simulated: Backtest) -> None:
    """Closed trades, and the open lots at the last mid, are the summary's profit."""
    told = ReportTables(simulated)
    unit = float(simulated.instrument.multiplier)
    fills = simulated.fills
    closed = float(told.trades["profit"].sum())
    last = simulated.equity.drop_nulls().row(-1, named=True)
    mid = (last["equity"] - last["cash"]) / last["position"] / unit
    bought = fills.with_columns(signed=pl.col("side") * pl.col("size"))
    opened = bought["signed"].sum()
    assert opened != 0
    entered = told.trades.select((pl.col("side") * pl.col("size") * pl.col("entry_price")).sum()).item()
    left = told.trades.select((pl.col("side") * pl.col("size") * pl.col("exit_price")).sum()).item()
    paid = (bought["signed"] * bought["price"]).sum() - (entered - left)
    fees = float(fills["fee"].sum()) - float(told.trades["fees"].sum())
    profit = closed + (opened * mid - paid) * unit - fees
    assert profit == pytest.approx(simulated.summary()["profit"].item())


def test_markouts_follow_the_formula_of_the_market(simulated: Backtest) -> None:
    """Where an own fill lies at a print of the market, its markout is the print's, seen from the other side."""
    told = ReportTables(simulated, horizons=("1s",))

    class Ran:
        instrument = simulated.instrument

        @staticmethod
        def batches() -> list[wb.EventBatch]:
            return [simulated.events]

    prints = wb.markouts(Ran, ["1s"]).select("ts", "price", "aggressor", market="markout_1s")
    both = (
        told.fills.filter("maker")
        .with_columns(aggressor=-pl.col("side"))
        .join(prints.unique(["ts", "price", "aggressor"]), on=["ts", "price", "aggressor"])
        .drop_nulls(["market", "markout_1s"])
    )
    assert both.height > 10
    assert both["markout_1s"].to_list() == pytest.approx((-both["market"]).to_list())


def test_drawdown_and_summary_agree(simulated: Backtest) -> None:
    """The deepest drawdown of the table is that of the summary; every trade is in some hour."""
    told = ReportTables(simulated)
    assert told.equity["drawdown"].max() == pytest.approx(told.summary["max_drawdown"].item())
    hours = told.regimes.filter(pl.col("by") == "hour")
    assert hours["events"].sum() == told.trades.height == told.summary["trades"].item()


def test_returns_compound_to_the_profit(simulated: Backtest) -> None:
    """Series as quantstats takes it: floats by time without a zone, and the product gives the final equity."""
    found = ReportTables(simulated).returns(10_000.0, every="1s")
    assert isinstance(found.index, pd.DatetimeIndex)
    assert found.index.tz is None
    assert found.index.is_monotonic_increasing
    assert found.dtype == np.float64
    assert (1 + found).prod() * 10_000 - 10_000 == pytest.approx(simulated.summary()["profit"].item())
    assert len(ReportTables(simulated).returns()) == 1
    with pytest.raises(WorkbenchError, match="above 0"):
        ReportTables(simulated).returns(0)
    with pytest.raises(WorkbenchError, match="more capital"):
        ReportTables(simulated).returns(1e-6, every="1s")


def test_a_horizon_may_stand_alone(simulated: Backtest) -> None:
    """One text is one horizon; what is no time is refused when the report is made."""
    assert ReportTables(simulated, horizons="1s").fills.columns[-1] == "markout_1s"
    for wrong in (5, [], [5], "1 parsec"):
        with pytest.raises(WorkbenchError, match=r"expected (one or more times|a whole number and a unit)"):
            ReportTables(simulated, horizons=wrong)  # type: ignore[arg-type]
    with pytest.raises(WorkbenchError, match="a whole number and a unit"):
        ReportTables(simulated, adverse="soon")


@pytest.mark.parametrize("capital", ["x", 0, -1, float("nan"), float("inf"), [1]])
def test_capital_that_is_none_is_refused(simulated: Backtest, capital: object) -> None:
    """Only a number above 0 is something to begin with."""
    with pytest.raises(WorkbenchError, match=r"^capital .*; expected a number above 0"):
        ReportTables(simulated).returns(capital)  # type: ignore[arg-type]


def test_nothing_done_is_a_report_too() -> None:
    """Without fills there are empty tables of the same columns."""

    class Idle:
        def on_timer(self, desk: PlainDesk) -> None: ...

    told = ReportTables(wb.backtest(Idle(), Written(), every="1s"))
    assert told.trades.height == told.fills.height == told.regimes.height == 0
    assert told.summary["won"].item() is None
    assert told.returns().tolist() == [0.0]
