"""Where a recording ends, and fills between changes of the best prices: nothing is made up, and nothing is left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

import workbench as wb
from tests.support.touches import Recorded
from workbench.events import EventBatch, EventKind
from workbench.lab.plain_strategy import PlainDesk
from workbench.trading.limits import Limits
from workbench.trading.slots import Desk
from workbench.trading.strategies import buy_market, now

SECOND = 1_000_000_000
UNBOUND = Limits(**dict.fromkeys(Limits.__struct_fields__))
Row = tuple[int, EventKind, int, int, int]
"""Seconds, kind, side, ticks of 0.5, lots of 0.1."""


def recorded(*rows: Row) -> Recorded:
    """50 lots at 100 and at 102 from the beginning, and what comes then."""
    opening: list[Row] = [
        (0, EventKind.CLEAR, 0, 0, 0),
        (0, EventKind.DEPTH, 1, 100, 500),
        (0, EventKind.DEPTH, -1, 102, 500),
        (0, EventKind.SNAPSHOT_END, 0, 0, 0),
    ]
    return batch_of([*opening, *rows])


def batch_of(rows: list[Row]) -> Recorded:
    """Rows as a recording."""
    ts, kind, side, price, size = zip(*rows)
    columns = {"kind": kind, "side": side, "price": price, "size": size}
    stamps = [second * SECOND for second in ts]
    return Recorded([EventBatch.of(ts=stamps, **{name: list(c) for name, c in columns.items()})])  # type: ignore[arg-type]


class At:
    """Acts once, at a second."""

    def __init__(self, second: int, act: Callable[[PlainDesk], Any]):
        self._second, self._act = second, act

    def on_timer(self, desk: PlainDesk) -> None:
        """Act."""
        if desk.now == self._second * SECOND:
            self._act(desk)


@wb.kernel_strategy
def buy_at_thirty(d: Desk) -> None:
    """Buy a lot after thirty seconds."""
    if now(d) == 30_000_000_000:
        _ = buy_market(d, 1)


def on_paper(strategy: Any, x: Any, latency: int, **settings: Any) -> Any:
    """A paper backtest without bounds."""
    terms = wb.PaperTerms(entry_ns=latency * SECOND, response_ns=latency * SECOND, limits=UNBOUND)
    return wb.paper_backtest(strategy, x, terms, **settings)


def in_backtest(strategy: Any, x: Any, latency: int, **settings: Any) -> Any:
    """A backtest with a latency in seconds."""
    return wb.backtest(strategy, x, latency=latency * SECOND, **settings)


QUIET = recorded((31, EventKind.DEPTH, 1, 90, 4))


@pytest.mark.parametrize("run", [in_backtest, on_paper])
@pytest.mark.parametrize(
    ("latency", "fills", "status"), [(0, 1, "FILLED"), (1, 1, "FILLED"), (2, 0, "PENDING_NEW")]
)
def test_what_would_arrive_after_the_last_row_stays_under_way(
    run: Any, latency: int, fills: int, status: str
) -> None:
    """Sent at 30 s of a recording that ends at 31: it arrives within it or not at all; the answer is heard either way."""
    found = run(At(30, lambda desk: desk.buy(0.1)), QUIET, latency, every="1s")
    assert (len(found.fills), found.orders["status"].to_list()) == (fills, [status])
    assert found.summary()["position"].item() == pytest.approx(0.1 * fills)


@pytest.mark.parametrize(("latency", "fills"), [(1, 1), (2, 0)])
def test_compiled_strategies_end_there_too(latency: int, fills: int) -> None:
    """The same of an order in ticks and lots."""
    assert len(in_backtest(buy_at_thirty, QUIET, latency, every="1s").fills) == fills


def test_a_strategy_that_sees_late_finds_nobody_after_the_end() -> None:
    """Rows are seen 5 s late, so steps go on to 36 s; what is sent at 30 s arrives, and what is sent at 32 s does not."""
    late = wb.Latency(0, feed="5s")
    for second, status in ((30, "FILLED"), (32, "PENDING_NEW")):
        found = wb.backtest(At(second, lambda desk: desk.buy(0.1)), QUIET, latency=late, every="1s")
        assert found.orders["status"].to_list() == [status]


def test_the_band_ends_where_the_backtest_does() -> None:
    """Commands that are sent into every model arrive within the recording as well."""
    band = wb.fill_uncertainty(
        At(30, lambda desk: desk.buy(0.1)),
        QUIET,
        latency=2 * SECOND,
        every="1s",
        models=["touch", "risk_averse"],
    )
    assert [len(result.fills) for result in band.results.values()] == [0, 0]


@pytest.mark.parametrize("run", [in_backtest, on_paper])
def test_profit_counts_fills_after_the_last_change_of_the_best_prices(run: Any) -> None:
    """Bought 0.5 at 51.0 at 30 s, the mid is 50.5 from the beginning to the end: −0.25, at the fill and at the end."""
    found = run(At(30, lambda desk: desk.buy(0.5)), QUIET, 0, every="1s")
    rows = found.equity.select("position", "equity").rows()
    assert found.equity["ts"].to_physical().to_list() == [0, 30 * SECOND, 31 * SECOND]
    assert rows == [(0.0, 0.0), (0.5, pytest.approx(-0.25)), (0.5, pytest.approx(-0.25))]
    assert found.summary()["profit"].item() == pytest.approx(-0.25)


def test_the_end_is_valued_at_the_last_mid_that_was_known() -> None:
    """The bids are gone when 0.5 is bought at 51.0: no mid at the fill, and 50.5 for the end."""
    gone = recorded((5, EventKind.DEPTH, 1, 100, 0), (31, EventKind.DEPTH, -1, 110, 4))
    found = in_backtest(At(30, lambda desk: desk.buy(0.5)), gone, 0, every="1s")
    assert found.equity["equity"].to_list() == [0.0, None, None, pytest.approx(-0.25)]
    assert found.summary()["profit"].item() == pytest.approx(-0.25)


def test_without_any_mid_there_is_no_equity() -> None:
    """A recording of one side: no order fills, and profit is 0."""
    bids = recorded((0, EventKind.DEPTH, -1, 102, 0), (3, EventKind.DEPTH, 1, 99, 4))
    found = in_backtest(At(2, lambda desk: desk.buy(0.5)), bids, 0, every="1s")
    assert found.equity["equity"].null_count() == len(found.equity)
    assert found.summary()["profit"].item() == 0.0


def test_the_end_belongs_to_the_last_period_of_returns() -> None:
    """A recording that ends at 60 s, with a fill at that moment: one minute, and the fill in it."""
    minute = recorded((60, EventKind.DEPTH, 1, 90, 4))
    found = in_backtest(At(59, lambda desk: desk.buy(0.5)), minute, 1, every="1s")
    assert found.fills["ts"].to_physical().to_list() == [60 * SECOND]
    returns = wb.report(found).returns(100, every="1m")
    assert returns.to_list() == [pytest.approx(-0.25 / 100)]


@pytest.mark.parametrize("shift", [-112, -102, -101])
def test_equity_knows_prices_of_zero_and_below(shift: int) -> None:
    """A spread trades at any price: the same market, lower, makes the same of a purchase of 0.5 at the ask."""
    lower = [(0, EventKind.DEPTH, -1, 102 + shift, 500), (31, EventKind.DEPTH, 1, 90 + shift, 4)]
    rows: list[Row] = [(0, EventKind.CLEAR, 0, 0, 0), (0, EventKind.DEPTH, 1, 100 + shift, 500), lower[0]]
    rows += [(0, EventKind.SNAPSHOT_END, 0, 0, 0), lower[1]]
    found = in_backtest(At(30, lambda desk: desk.buy(0.5)), batch_of(rows), 0, every="1s")
    assert found.equity["equity"].to_list() == [0.0, pytest.approx(-0.25), pytest.approx(-0.25)]
    assert found.summary()["profit"].item() == pytest.approx(-0.25)


def test_fills_at_the_venue_are_valued_by_what_the_venue_showed() -> None:
    """The receiving clock is 2 s behind, while the market rises a tick a second: a taker pays half the spread, no more."""
    rows: list[Row] = [(0, EventKind.CLEAR, 0, 0, 0)]
    for second in range(40):
        if second:
            rows += [
                (second, EventKind.DEPTH, 1, 99 + second, 0),
                (second, EventKind.DEPTH, -1, 101 + second, 0),
            ]
        rows += [
            (second, EventKind.DEPTH, 1, 100 + second, 50),
            (second, EventKind.DEPTH, -1, 102 + second, 50),
        ]
        if not second:
            rows.append((0, EventKind.SNAPSHOT_END, 0, 0, 0))
    market = batch_of(rows)
    (batch,) = market.parts
    late = EventBatch.of(
        ts=batch.ts.tolist(),
        ts_source=(batch.ts + 2 * SECOND).tolist(),
        **{name: getattr(batch, name).tolist() for name in ("kind", "side", "price", "size")},
    )
    found = wb.backtest(
        At(20, lambda desk: desk.buy(0.5)), Recorded([late]), latency="500ms", every="1s", clock="venue"
    )
    report = wb.report(found)
    assert report.fills["half_spread"].to_list() == [pytest.approx(1.0)]
    bought = found.equity.filter(pl.col("position") > 0)
    assert bought["equity"][0] == pytest.approx(-0.25)
    assert found.equity["ts"].to_physical().max() == 41 * SECOND
