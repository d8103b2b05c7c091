"""Stops in backtests: the same fills as the live paper desk, in both ways of writing, in the tables."""

from __future__ import annotations

from functools import cache
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as wb
from workbench.errors import WorkbenchError
from workbench.events import EventBatch, EventKind, Instrument
from workbench.feeds.simulator.source import Simulator
from workbench.lab.plain_strategy import PlainDesk
from workbench.session import Session
from workbench.trading.journal import Executed
from workbench.trading.limits import Limits
from workbench.trading.order import Order
from workbench.trading.paper import Paper
from workbench.trading.paper_commands import Cancel, PaperCommand, Place, Replace
from workbench.trading.paper_terms import PaperTerms
from workbench.trading.slots import Desk
from workbench.trading.strategies import best_ask, best_bid, is_open, position, quoted, stop, submit
from workbench.trading.terms import Terms

SECOND = 1_000_000_000
STEP = SECOND // 10
SPAN = 6 * SECOND
UNBOUND = Limits(**dict.fromkeys(Limits.__struct_fields__))
Script = list[tuple[int, PaperCommand]]
# A live order that could not be filled at once is canceled by the venue; the matching engine calls it expired.
LIVE_NAMES = {"DENIED": "REJECTED", "EXPIRED": "CANCELED"}


class Simulated:
    """Six seconds of a simulated market."""

    def __init__(self) -> None:
        simulator = Simulator(seed=11)
        self.instrument: Instrument = simulator.instruments[0]
        self.begin = simulator.start_ns
        self.batch = EventBatch.concatenate(b for _, b in simulator.advance(self.begin + SPAN))
        self.price = int(self.batch.price[self.batch.kind == EventKind.TRADE][0])

    def batches(self) -> list[EventBatch]:
        """All rows."""
        return [self.batch]


@cache
def market() -> Simulated:
    return Simulated()


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    """Orders of every kind and what is asked of them later; limits buy only, so that no own orders would meet."""
    script: Script = []
    for number in range(draw(st.integers(1, 8))):
        name, at = f"o{number}", draw(st.integers(5, 40))
        kind = draw(st.sampled_from(["MARKET", "LIMIT", "STOP", "STOP_LIMIT", "TRAILING_STOP"]))
        side = draw(st.sampled_from([1, -1])) if "LIMIT" not in kind else 1
        near = market().price + draw(st.integers(-6, 6))
        terms: dict[str, Any] = {}
        if "LIMIT" in kind:
            terms["limit"] = near
        if "STOP" in kind:
            terms["stop"] = market().price + side * draw(st.integers(-2, 6))
        if kind == "TRAILING_STOP":
            terms["trail"] = draw(st.integers(1, 4))
        wanted = Terms(
            client_order_id=name,
            symbol="ES-SIM",
            side=side,
            lots=draw(st.integers(1, 4)),
            order_type=kind,
            **terms,
        )
        script.append((at, Place(wanted)))
        later = at + draw(st.integers(1, 15))
        match draw(st.integers(0, 4)):
            case 0:
                script.append((later, Cancel(name)))
            case 1:
                script.append((later, Replace(name, lots=draw(st.integers(4, 6)))))
            case 2 if "STOP" in kind and kind != "STOP_LIMIT":
                script.append((later, Replace(name, lots=4)))
            case 3 if "LIMIT" in kind:
                script.append((later, Replace(name, lots=4, limit=near - 1)))
    return sorted(script, key=lambda item: item[0])


def at(step: int) -> int:
    """Time of a step of a backtest, ns."""
    return int(market().batch.ts[0]) + step * STEP


def lived(script: Script, terms: PaperTerms) -> Paper:
    """The script on the live paper desk."""
    paper = Paper(terms.contract(market().instrument), terms, market().begin - 1)
    for step, command in script:
        paper.schedule(command, at(step))
    paper.take(market().batch)
    paper.end(int(market().batch.ts[-1]))
    return paper


class Scripted:
    """The script as a strategy."""

    def __init__(self, script: Script):
        self.script, self.step = list(script), 0
        self.numbers: dict[str, int] = {}

    def on_timer(self, desk: PlainDesk) -> None:
        """Carry out what is due."""
        self.step += 1
        while self.script and self.script[0][0] == self.step:
            self.carry_out(desk, self.script.pop(0)[1])

    def carry_out(self, desk: PlainDesk, command: PaperCommand) -> None:
        tick = float(desk.instrument.tick_size)
        real = lambda ticks: None if ticks is None else ticks * tick  # noqa: E731
        match command:
            case Place(terms):
                send = desk.buy if terms.side > 0 else desk.sell
                prices = {"limit": real(terms.limit), "stop": real(terms.stop), "trailing": real(terms.trail)}
                self.numbers[terms.client_order_id] = send(terms.lots, **prices)
            case Cancel(name):
                desk.cancel(self.numbers[name])
            case Replace(name, lots, limit, _):
                desk.modify(self.numbers[name], size=lots, limit=real(limit))


@settings(max_examples=20, deadline=None)
@given(
    script=scripts(),
    latency=st.sampled_from([(0, 0), (1_000_000, 2_500_000), (60_000_000, 0)]),
    queue=st.sampled_from(["risk_averse", "power", "touch"]),
)
def test_the_live_desk_and_a_backtest_fill_the_same(
    script: Script, latency: tuple[int, int], queue: str
) -> None:
    """Random orders, stops and changes of them: equal ends and executions at equal times, to the bit.

    On the desk itself, in a backtest on it, and in one without a desk.
    """
    terms = PaperTerms(entry_ns=latency[0], response_ns=latency[1], queue=queue, limits=UNBOUND)
    live, strategy = lived(script, terms).desk, Scripted(script)
    tested = wb.backtest(strategy, market(), latency=latency, queue=queue)
    names = {number: name for name, number in strategy.numbers.items()}
    executed = [
        (r.client_order_id, r.ts, r.ticks, r.lots, r.maker) for r in live.journal if isinstance(r, Executed)
    ]
    tick = float(market().instrument.tick_size)
    fills = tested.fills.with_columns(
        ts=pl.col("ts_known").dt.epoch("ns"), ticks=(pl.col("price") / tick).round()
    )
    found = fills.select("order", "ts", "ticks", "size", "maker").rows()
    assert [(names[order], *rest) for order, *rest in found] == executed
    ends = {names[i]: LIVE_NAMES.get(status, status) for i, status in enumerate(tested.orders["status"])}
    orders: dict[str, Order] = live.ledger.orders
    assert ends == {
        name: LIVE_NAMES.get(str(order.status), str(order.status)) for name, order in orders.items()
    }
    desk = wb.paper_backtest(Scripted(script), market(), terms)
    assert desk.fills.equals(tested.fills)
    assert desk.orders.select("filled", "went_off").equals(tested.orders.select("filled", "went_off"))


@pytest.fixture(scope="module")
def session() -> Session:
    """Half a minute of a simulated market."""
    s = wb.simulate(seed=7, inline=True)
    s.advance("30s")
    return s


@wb.kernel_strategy
def protect_what_is_bought(d: Desk) -> None:
    """Buy two, then leave a trailing stop and a stop with a limit; again when flat."""
    if not quoted(d):
        return
    buying, trailing, limited = int(d.memory[0]) - 1, int(d.memory[1]) - 1, int(d.memory[2]) - 1
    if is_open(d, buying) or is_open(d, trailing) or is_open(d, limited):
        return
    if position(d) == 0:
        d.memory[0] = submit(d, 1, best_ask(d), 2, 2, 0) + 1
    else:
        d.memory[1] = stop(d, -1, 1, best_bid(d) - 1, 0, 1) + 1
        if position(d) > 1:
            d.memory[2] = stop(d, -1, 1, best_bid(d) - 1, best_bid(d) - 2) + 1


class ProtectWhatIsBought:
    """The same in plain Python."""

    def __init__(self) -> None:
        self.numbers = [-1, -1, -1]

    def on_timer(self, desk: PlainDesk) -> None:
        """Buy, or protect."""
        bid, ask = desk.best_bid, desk.best_ask
        working = ("PENDING_NEW", "NEW", "PARTIALLY_FILLED", "PENDING_CANCEL", "SUSPENDED")
        if bid is None or ask is None or any(desk.orders.get(n) in working for n in self.numbers):
            return
        tick = float(desk.instrument.tick_size)
        if desk.position == 0:
            self.numbers[0] = desk.buy(2, ask, "IOC")
        else:
            self.numbers[1] = desk.sell(1, stop=bid - tick, trailing=tick)
            if desk.position > 1:
                self.numbers[2] = desk.sell(1, bid - 2 * tick, stop=bid - tick)


def test_stops_are_the_same_in_both_ways_of_writing(session: Session) -> None:
    """Equal orders, triggers and fills; every stop that sold went off before."""
    compiled = wb.backtest(protect_what_is_bought, session)
    interpreted = wb.backtest(ProtectWhatIsBought(), session)
    assert compiled.orders.equals(interpreted.orders) and compiled.fills.equals(interpreted.fills)
    stops = compiled.orders.filter(pl.col("stop").is_not_null())
    sold = stops.filter(pl.col("status") == "FILLED")
    assert len(sold) > 2
    assert (sold["sent"] < sold["went_off"]).all() and (sold["went_off"] < sold["closed"]).all()
    assert stops.filter(pl.col("status") == "SUSPENDED")["went_off"].is_null().all()
    assert compiled.orders.filter(pl.col("stop").is_null())["went_off"].is_null().all()


def test_the_same_stops_meet_every_queue_model(session: Session) -> None:
    """Prints set them off, whatever the queue: under the model that they were sent under, everything is equal."""
    once = wb.backtest(protect_what_is_bought, session)
    again = wb.fill_uncertainty(protect_what_is_bought, session, models=["risk_averse", "touch"]).results
    assert again["risk_averse"].fills.equals(once.fills)
    assert again["risk_averse"].orders.drop("status", "closed").equals(once.orders.drop("status", "closed"))
    assert again["touch"].orders["went_off"].equals(once.orders["went_off"])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"stop": 1.0, "tif": "IOC"}, "GTC"),
        ({"trailing": 1.0, "limit": 100.0}, "one of both"),
        ({"stop": -1.0}, "or more"),
        ({"trailing": 0.0}, "or more"),
        ({"stop": 100.1}, "Nearest"),
        ({"trailing": 0.5}, "stop="),
    ],
)
def test_what_is_no_stop_is_refused(session: Session, wrong: dict[str, Any], said: str) -> None:
    """With what would be one; a trailing stop needs a price to begin at."""

    class Wrong:
        def on_timer(self, desk: PlainDesk) -> None:
            desk.sell(1, **wrong)

    blank = Simulated()
    blank.batch = EventBatch.of(ts=[0, SECOND], kind=[2, 2], side=[1, 1], price=[400, 400], size=[1, 1])
    with pytest.raises(WorkbenchError, match=said):
        wb.backtest(Wrong(), blank)


def test_a_stop_begins_where_its_trail_says(session: Session) -> None:
    """A sell stop 2 points behind the best bid."""
    begun: list[float] = []

    class Trail:
        def on_timer(self, desk: PlainDesk) -> None:
            if desk.best_bid and not desk.orders:
                begun.append(desk.best_bid - 2.0)
                number = desk.sell(1, trailing=2.0)
                assert desk.modify(number, stop=desk.best_bid - 3.0) and desk.orders[number] == "SUSPENDED"
                assert not desk.modify(number, stop=desk.best_bid + 3.0)
                assert desk.cancel(number) and desk.orders[number] == "CANCELED"

    result = wb.backtest(Trail(), session)
    assert result.orders["stop"].to_list() == [begun[0] - 1.0]
