"""Compiled strategies on the paper desk and live: what the matching engine makes of them, to the last bit."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

import workbench as wb
from tests.lab.test_backtest import follow_the_bid
from tests.lab.test_backtest_latency import bid_and_stop
from tests.lab.test_backtest_stops import protect_what_is_bought
from tests.support.quoting import quote_both_sides
from workbench.errors import WorkbenchError
from workbench.lab.compiled_strategy import CompiledStrategy
from workbench.session import Session
from workbench.trading.limits import Limits
from workbench.trading.slots import CASH, CLOSED, ORDERS, PARTIALLY_FILLED, STATUS, SUSPENDED, Desk
from workbench.trading.strategies import (
    best_ask,
    best_bid,
    buy,
    buy_market,
    cancel,
    modify,
    now,
    position,
    quoted,
    sell_market,
    stop,
    submit,
)

MS = 1_000_000
LENGTH = "30050ms"
UNBOUND = Limits(**dict.fromkeys(Limits.__struct_fields__))


@wb.kernel_strategy
def whim(d: Desk) -> None:
    """Acts on a seeded whim: buys that rest or take, stops of all kinds, and what may be asked of them."""
    if not quoted(d):
        return
    if d.memory[0] == 0:
        d.memory[0] = d.params[0]
    for _ in range(2):
        d.memory[0] = (d.memory[0] * 16807) % 2147483647
        chance = int(d.memory[0])
        number = (chance // 16) % (len(d.memory) // 2)
        away = (chance // 1024) % 4
        size = (chance // 4096) % 5 + 1
        what = chance % 16
        if what < 4:
            _ = submit(d, 1, best_bid(d) - away, size, chance // 64 % 4, 0)
        elif what == 4:
            _ = buy_market(d, size)
        elif what == 5:
            _ = stop(d, -1, size, best_bid(d) - away)
        elif what == 6:
            _ = stop(d, -1, size, best_bid(d) - away, 0, away + 1)
        elif what == 7:
            _ = stop(d, 1, size, best_ask(d) + away, best_ask(d) + away + 2)
        elif what < 11:
            _ = cancel(d, number)
        elif what < 14:
            _ = modify(d, number, best_bid(d) - away, size)
        elif what == 14 and d.orders[number, STATUS] == SUSPENDED:
            _ = modify(d, number, best_bid(d) - 1, size, best_bid(d) - away)
        elif what == 15 and d.orders[number, STATUS] == PARTIALLY_FILLED:
            _ = modify(d, number, best_bid(d), size)


@wb.kernel_strategy
def watch_the_cash(d: Desk) -> None:
    """Turn a lot around each second, and remember what has been paid."""
    d.memory[0] += 1
    if quoted(d) and d.memory[0] % 10 == 0:
        _ = sell_market(d, 1) if position(d) > 0 else buy_market(d, 1)
    d.memory[1], d.memory[2] = d.counters[CASH], now(d)


@wb.kernel_strategy
def send_and_drop(d: Desk) -> None:
    """A stop that is dropped in the step that placed it, between two orders."""
    if quoted(d) and d.counters[ORDERS] == 0:
        _ = buy(d, best_bid(d) - 40, 1)
        number = stop(d, -1, 1, best_bid(d) - 4)
        _ = buy(d, best_bid(d) - 41, 2)
        _ = cancel(d, number)


STRATEGIES: list[tuple[Any, tuple[float, ...]]] = [
    (quote_both_sides, ()),
    (follow_the_bid, ()),
    (bid_and_stop, ()),
    (protect_what_is_bought, ()),
    (send_and_drop, ()),
    (wb.strategies.quote_touch, (2, 6)),
    (wb.strategies.take_imbalance, (1, 5, 0.3)),
    *((whim, (seed,)) for seed in (7, 11, 23, 1009)),
]
NAMES = [f"{strategy.__name__}{params}" for strategy, params in STRATEGIES]


@pytest.fixture(scope="module")
def session() -> Session:
    """Half a minute of a simulated market, and a bit: a step is the last one where a later row exists."""
    s = wb.simulate(seed=7, inline=True)
    s.advance(LENGTH)
    return s


def assert_same(found: Any, tested: Any) -> None:
    """Equal fills and orders, but for what the paper desk says beside."""
    assert found.fills.equals(tested.fills)
    kept = [name for name in found.orders.columns if name in tested.orders.columns]
    assert found.orders.select(kept).equals(tested.orders)


@pytest.mark.parametrize("latency", [0, 3 * MS])
@pytest.mark.parametrize(("strategy", "params"), STRATEGIES, ids=NAMES)
def test_the_paper_desk_fills_a_compiled_strategy_as_the_engine_does(
    session: Session, strategy: Any, params: tuple[float, ...], latency: int
) -> None:
    """Whatever it sends, changes and takes back."""
    terms = wb.PaperTerms(entry_ns=latency, response_ns=latency, limits=UNBOUND)
    tested = wb.backtest(strategy, session, latency=latency, params=params)
    assert len(tested.orders) > 0
    assert_same(wb.paper_backtest(strategy, session, terms, params=params), tested)


@pytest.mark.parametrize(("strategy", "params"), STRATEGIES, ids=NAMES)
def test_it_trades_live_as_it_was_tested(session: Session, strategy: Any, params: tuple[float, ...]) -> None:
    """Inline, on a session that goes on: the fills of its backtest."""
    s = wb.simulate(seed=7, inline=True, paper=wb.PaperTerms(limits=UNBOUND))
    run = wb.trade(strategy, s, params=params)
    s.advance(LENGTH)
    lived = run.stop().result()
    tested = wb.backtest(strategy, session, latency=0, params=params)
    assert lived.fills.equals(tested.fills)
    named = ["side", "size", "filled"]
    assert lived.orders.select(named).equals(tested.orders.select(named))


def test_hours_leave_the_market_for_it_too() -> None:
    """Fifty-five seconds of trading, then the desk takes back what works and closes the position."""
    hours = "14:30-14:31 UTC"
    s = wb.simulate(seed=7, inline=True)
    s.advance("70s")
    terms = wb.PaperTerms(limits=UNBOUND)
    found = wb.paper_backtest(quote_both_sides, s, terms, hours=hours, warm_up="5s")
    tested = wb.backtest(quote_both_sides, s, latency=0, hours=hours, warm_up="5s")
    assert found.fills.equals(tested.fills)
    assert found.summary()["position"].item() == 0


def test_what_it_has_paid_is_what_the_engine_says(session: Session) -> None:
    """``d.counters`` are counted from the fills that are known: position and cash."""
    compiled = CompiledStrategy(watch_the_cash)
    found = wb.paper_backtest(watch_the_cash, session, wb.PaperTerms(limits=UNBOUND))
    wb.paper_backtest(_Wrapped(compiled), session, wb.PaperTerms(limits=UNBOUND))
    tick = float(session.instrument.tick_size)
    fills = found.fills.filter(pl.col("ts_known").dt.epoch("ns") < int(compiled._desk.memory[2]))
    paid = -(fills["side"] * fills["size"] * fills["price"]).sum() / tick
    assert len(fills) > 20
    assert compiled._desk.memory[1] == pytest.approx(paid)


class _Wrapped:
    """A strategy whose desk can be looked at afterwards."""

    def __init__(self, inner: CompiledStrategy):
        self.on_timer = inner.on_timer


def test_parameters_are_looked_at_before_it_trades(session: Session) -> None:
    """Live and on the desk as in a backtest."""
    s = wb.simulate(seed=7, inline=True)
    for start in (
        lambda: wb.trade(wb.strategies.quote_touch, s, params=(1,)),
        lambda: wb.paper_backtest(wb.strategies.quote_touch, session),
    ):
        with pytest.raises(WorkbenchError, match=r"uses d.params"):
            start()


def test_tables_grow_with_its_orders(session: Session) -> None:
    """Two hundred orders a step for as many steps are more than the first tables hold."""
    terms = wb.PaperTerms(limits=UNBOUND)
    found = wb.paper_backtest(many_a_step, session, terms, every="1s")
    tested = wb.backtest(many_a_step, session, latency=0, every="1s")
    assert len(tested.orders) > 4000
    assert_same(found, tested)


@wb.kernel_strategy
def many_a_step(d: Desk) -> None:
    """Two hundred orders that cannot fill at once."""
    if quoted(d):
        for i in range(200):
            _ = submit(d, 1, best_bid(d) - 10 - i, 1, 2, 0)
    d.memory[0] = d.orders[0, CLOSED]
