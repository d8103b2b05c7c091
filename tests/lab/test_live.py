"""A strategy on a session: inline it fills as its backtest does, to the last bit; through the engine it is its own rerun."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import workbench as wb
from tests.support.eventually import eventually
from tests.support.quoting import QuoteBothSides
from tests.support.running_engine import RunningEngine
from tests.support.scripted_engine import ScriptedEngine
from workbench.errors import WorkbenchError
from workbench.feeds.simulator.source import Simulator
from workbench.protocol import messages
from workbench.trading import journal
from workbench.trading.limits import Limits
from workbench.trading.paper import rerun
from workbench.trading.paper_terms import PaperTerms

MS = 1_000_000
UNBOUND = Limits(**dict.fromkeys(Limits.__struct_fields__))


class Whim:
    """Acts on a seeded whim, on one side only, and lets everything end before the stream does."""

    def __init__(self, seed: int, last_step: int, side: int = 1):
        self._chance, self._left, self._side = random.Random(seed), last_step, side
        self.heard: list[Any] = []

    def on_trade(self, desk: Any, trade: Any) -> None:
        self.heard.append(trade)

    def on_fill(self, desk: Any, fill: Any) -> None:
        self.heard.append(fill)

    def on_book(self, desk: Any) -> None:
        self.heard.append((desk.best_bid, desk.best_ask, desk.position, desk.orders))

    def on_timer(self, desk: Any) -> None:
        self._left -= 1
        chance, open_ones = (
            self._chance,
            [n for n, s in desk.orders.items() if s in ("NEW", "PARTIALLY_FILLED")],
        )
        if self._left < 0 or not desk.best_bid:
            for number in [n for n, s in desk.orders.items() if s == "SUSPENDED"] + open_ones:
                desk.cancel(number)
            return
        best, tick = (desk.best_bid if self._side > 0 else desk.best_ask), 0.25
        send, away = desk.buy if self._side > 0 else desk.sell, chance.randrange(0, 3) * tick * self._side
        match chance.randrange(8):
            case 0 | 1:
                send(chance.randrange(1, 9), best - away)
            case 2:
                send(2, best + 4 * tick * self._side, chance.choice(["IOC", "FOK"]))
            case 3:
                send(1, best, "POST_ONLY")
            case 4 if open_ones:
                desk.cancel(chance.choice(open_ones))
            case 5 if open_ones:
                desk.modify(chance.choice(open_ones), limit=best - away, size=chance.randrange(1, 9))
            case 6:
                send(1, stop=best + (2 + chance.randrange(3)) * tick * self._side)
            case 7:
                send(3)


Delay = int | tuple[int, ...]


def unbound(entry_ns: Delay, response_ns: Delay, **terms: Any) -> PaperTerms:
    return PaperTerms(entry_ns=entry_ns, response_ns=response_ns, latency_seed=5, limits=UNBOUND, **terms)


@pytest.mark.parametrize("seed", range(6))
def test_live_is_its_own_backtest(seed: int) -> None:
    """The same calls in the same order, the same orders, fills and equity, whatever pieces time comes in."""
    chance = random.Random(seed)
    entry, response = (
        chance.choice([0, 3 * MS, (2 * MS, 9 * MS, 80 * MS)]),
        chance.choice([0, 25 * MS, (MS, 60 * MS)]),
    )
    queue, every = (
        chance.choice(["risk_averse", "power", "log2", "pro_rata"]),
        chance.choice(["70ms", "100ms"]),
    )
    terms = unbound(entry, response, queue=queue, taker=Decimal("0.0004"), maker=Decimal("-0.0001"))
    with wb.simulate(seed=seed, inline=True, paper=terms) as s:
        live, told = Whim(seed, 50, 1 - 2 * (seed % 2)), Whim(seed, 50, 1 - 2 * (seed % 2))
        run = wb.trade(live, s, every=every)
        for _ in range(25):
            s.advance(chance.choice(["1ms", "170ms", "433ms"]))
        s.advance(until="7s")
        backtest = wb.backtest(
            told, s, latency=terms.latency, queue=queue, every=every, fees=("-0.0001", "0.0004")
        )
        result = run.stop().result()
    both = min(len(live.heard), len(told.heard))
    assert live.heard[:both] == told.heard[:both] and len(live.heard) - both < 100
    for name in ("fills", "orders", "equity"):
        lived = getattr(result, name).drop("name", "reason", strict=False)
        assert written(lived) == written(getattr(backtest, name))
    assert len(result.fills) > 2


def written(frame: pl.DataFrame) -> bytes:
    """A frame as bytes."""
    return frame.serialize()


class Guarded:
    """Enters with exits, in pairs of which one ends the other, and with orders that only reduce."""

    def __init__(self, seed: int, last_step: int):
        self._chance, self._left, self.exits = random.Random(seed), last_step, dict[int, Any]()

    def on_timer(self, desk: Any) -> None:
        chance, tick = self._chance, 0.25
        self._left -= 1
        if self._left < 0 or not (desk.best_bid and desk.best_ask):
            _ = [desk.cancel(number) for number in desk.orders]
            return
        self.exits |= {number: desk.exits(number) for number in desk.orders}
        match chance.randrange(12):
            case 0:
                desk.buy(2, take_profit=2 * tick, stop_loss=3 * tick, trails=chance.random() < 0.5)
            case 1:
                desk.sell(1, desk.best_ask, take_profit=tick, oco="")
            case 2:
                desk.buy(1, stop=desk.best_ask + 2 * tick, oco=f"g{len(desk.orders)}")
                desk.sell(1, stop=desk.best_bid - 2 * tick, oco=f"g{len(desk.orders) - 1}")
            case 3:
                desk.sell(3, reduce_only=True)
            case 4:
                desk.buy(1, trailing=3 * tick, stop_loss=2 * tick)
            case 5:
                open_ones = [n for n, s in desk.orders.items() if s in ("NEW", "SUSPENDED")]
                _ = [desk.cancel(number) for number in open_ones[:1]]


@pytest.mark.parametrize("seed", range(4))
def test_live_is_its_own_paper_backtest(seed: int) -> None:
    """Brackets, groups and orders that only reduce: the same orders, fills and exits by number."""
    chance = random.Random(seed)
    terms = unbound(chance.choice([0, 3 * MS, 40 * MS]), chance.choice([0, MS, 25 * MS]))
    with wb.simulate(seed=20 + seed, inline=True, paper=terms) as s:
        live, told = Guarded(seed, 120), Guarded(seed, 120)
        run = wb.trade(live, s)
        for _ in range(20):
            s.advance(chance.choice(["1ms", "170ms", "433ms", "1s"]))
        s.advance(until="14s")
        backtest = wb.paper_backtest(told, s, terms)
        result = run.result()
    assert live.exits == told.exits and any(live.exits.values())
    assert written(result.fills) == written(backtest.fills) and len(result.fills) > 5
    assert written(result.orders.drop("name", "reason")) == written(backtest.orders.drop("name", "reason"))


class Broken:
    """Buys once, then raises."""

    def on_timer(self, desk: Any) -> None:
        if desk.orders:
            raise ZeroDivisionError("of the strategy")
        desk.buy(1, desk.best_bid - 5)


def test_a_strategy_that_raises_is_ended() -> None:
    """The cell that moves time sees why; what was open is taken back, and it acts no more."""
    with wb.simulate(seed=7, inline=True) as s:
        run = wb.trade(Broken(), s)
        with pytest.raises(ZeroDivisionError):
            s.advance("1s")
        assert run.state == "failed" and [o.status for o in s.orders] == ["CANCELED"]
        s.advance("1s")
        assert (run.steps, repr(run.stop())) == (
            1,
            "StrategyRun(ES-SIM, failed, 1 orders, 0 fills, ZeroDivisionError('of the strategy'))",
        )


class BuyOften:
    """Buys at market whenever it is asked."""

    def on_timer(self, desk: Any) -> None:
        desk.buy(1)


def test_bounds_hold_for_strategies_too() -> None:
    """What risk refuses is rejected, and the strategy sees it; a halted desk refuses to begin."""
    with wb.simulate(seed=7, inline=True) as s:
        with wb.trade(BuyOften(), s) as run:
            s.advance("1s")
        orders = run.result().orders
        statuses = orders["status"].to_list()
        assert statuses.count("FILLED") == 5 and statuses.count("REJECTED") == len(statuses) - 5 > 0
        why = orders.filter(pl.col("status") == "REJECTED")["reason"].unique().to_list()
        assert why == ["RATE_LIMIT_EXCEEDED: 5 in 1 s; at most 5"]
        assert len(set(orders["name"])) == len(orders)
        s.panic()
        with pytest.raises(WorkbenchError, match="not_armed: TRADING_HALTED"):
            wb.trade(BuyOften(), s)


def test_it_begins_on_the_clock_of_the_session() -> None:
    """Started late, it steps when it would have, had it been there from the beginning."""
    with wb.simulate(seed=7, inline=True) as s:
        first = int(s.capture().columns.view(0, 1)[0][0])
        s.advance("250ms")
        run = wb.trade(BuyOften(), s, every="100ms")
        assert run.due_ns == first + 300 * MS
        s.advance("1s")
        s.advance("10ms")
        assert run.steps == 10
        with pytest.raises(WorkbenchError, match="Stop it first"):
            s.clock.seek("0s")


def test_what_is_no_strategy_is_refused() -> None:
    """Classes, compiled ones without their parameters and objects without a method, before anything is sent."""
    with wb.simulate(seed=7, inline=True) as s:
        for strategy in (BuyOften, object(), wb.strategies.quote_touch):
            with pytest.raises(WorkbenchError, match="expected"):
                wb.trade(strategy, s)
        assert not len(s.orders)
        for nowhere in (None, 3, s["ES-SIM"]):
            with pytest.raises(WorkbenchError, match=r"to trade on; expected a session.*wb\.backtest"):
                wb.trade(BuyOften(), nowhere)


def test_a_session_that_has_ended_brings_no_steps(tmp_path: Path) -> None:
    """The run says so; a strategy that would never act is refused; so is one on a session that is closed."""
    with wb.simulate(seed=7, inline=True) as s:
        running = s.record(tmp_path / "rec", history=True)
        s.advance("3s")
        recording = running.stop()
    with wb.replay(recording, inline=True) as s:
        run = wb.trade(BuyOften(), s)
        s.advance("2s")
        assert run.state == "running"
        s.advance("1m")
        assert run.state == "ended" and "ended" in repr(run)
        assert run.stop().state == "stopped"
        with pytest.raises(WorkbenchError, match=r"is ended: no row.*seek") as refused:
            wb.trade(BuyOften(), s)
        assert refused.value.code == "ended"
        s.orders.flatten()
        s.clock.seek(s.clock.now - timedelta(seconds=2))
        run = wb.trade(BuyOften(), s)
    assert run.state == "ended"


class Quotes:
    """Keeps one lot bid and one offered, a tick behind the best prices."""

    def on_timer(self, desk: Any) -> None:
        for number, status in desk.orders.items():
            if status in ("NEW", "PARTIALLY_FILLED"):
                desk.cancel(number)
        if desk.best_bid and desk.best_ask:
            desk.buy(1, desk.best_bid - 0.25)
            desk.sell(1, desk.best_ask + 0.25)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORKBENCH_STATE_DIR", str(tmp_path / "state"))
    return tmp_path


def test_over_the_socket_it_is_its_own_rerun(state: Path) -> None:
    """With the latency of reality; what it did comes out again from the journal and the recording, byte for byte."""
    terms = PaperTerms(limits=UNBOUND)
    with (
        RunningEngine(Simulator(seed=7), speed=4, paper=terms) as engine,
        wb.connect(engine.endpoint.uri) as s,
    ):
        running = s.record(state / "rec", history=True)
        run = wb.trade(Quotes(), s, every="200ms")
        eventually(lambda: len(s.fills) > 1)
        run.stop()
        assert run.state == "stopped" and run.error is None
        s.clock.pause()
        recording = running.stop()
        assert engine.engine.paper is not None
        paper = engine.engine.paper.floor.papers["ES-SIM"]
        result = run.result()
        assert result.fills["order"].len() == len(paper.desk.ledger.executions)
        eventually(lambda: not s.orders.open)
    again = rerun(terms.contract(recording.instrument), paper.desk.journal, recording.batches(), paper.now)
    assert journal.encode(again.desk.journal) == journal.encode(paper.desk.journal)


def test_over_the_socket_an_error_is_kept_and_shown(state: Path) -> None:
    """Nobody's cell waits for the thread, so stopping says what happened."""
    with RunningEngine(Simulator(seed=7), speed=4) as engine, wb.connect(engine.endpoint.uri) as s:
        run = wb.trade(Broken(), s)
        eventually(lambda: run.state == "failed")
        assert "of the strategy" in repr(run)
        with pytest.raises(ZeroDivisionError):
            run.stop()
        assert run.stop() is run
        eventually(lambda: [o.status for o in s.orders] == ["CANCELED"])


def test_a_platform_trades_only_when_armed() -> None:
    """Nothing is sent while a lock is closed; one that closes meanwhile ends the strategy, with the reason."""
    with ScriptedEngine() as engine, engine.session() as s:
        with pytest.raises(WorkbenchError, match="read_only"):
            wb.trade(BuyOften(), s)
        s.arm(minutes=5, max_orders=10, max_size=5)
        run = wb.trade(BuyOften(), s, every="1ms")
        engine.publish(20)
        eventually(lambda: run.steps > 1 and engine.of_type(messages.PlaceOrder))
        engine.armed = False
        eventually(lambda: engine.publish(5) or run.state == "failed")
        with pytest.raises(WorkbenchError, match="not_armed"):
            run.stop()
        s.panic()
        with pytest.raises(WorkbenchError, match="not_armed: disarmed"):
            wb.trade(BuyOften(), s)


class Bracketed:
    """Buys with an exit."""

    def on_timer(self, desk: Any) -> None:
        desk.buy(1, take_profit=1.0)


def test_a_platform_gets_no_exits_from_strategies() -> None:
    """Fills of exits that a platform keeps have no name that a strategy knows: nothing is sent, and why is said."""
    with ScriptedEngine() as engine, engine.session() as s:
        s.arm(minutes=5, max_orders=10, max_size=5)
        run = wb.trade(Bracketed(), s, every="1ms")
        eventually(lambda: engine.publish(5) or run.state == "failed")
        with pytest.raises(WorkbenchError, match="take_profit from a strategy, not on paper"):
            run.stop()
        assert not engine.of_type(messages.PlaceOrder)


def test_two_distances_that_trail_are_refused() -> None:
    """An order on its way has one."""
    with wb.simulate(seed=7, inline=True) as s:
        s.advance("1s")

        class Both:
            def on_timer(self, desk: Any) -> None:
                desk.buy(1, trailing=1.0, stop_loss=1.0, trails=True)

        with wb.trade(Both(), s), pytest.raises(WorkbenchError, match="one of both"):
            s.advance("1s")


def test_two_instruments_run_side_by_side_on_one_account(tmp_path: Path) -> None:
    """Recordings merged by time: each strategy fills as in a backtest of its own, and their money is one account's."""
    with wb.simulate(seed=5, inline=True, symbols=["AA", "BB"]) as source:
        handle = source.record(tmp_path)
        source.advance("40s")
        handle.stop()
    recordings = handle.recordings
    unbound = wb.Limits(per_second=None, per_minute=None)
    with wb.replay(list(recordings.values()), inline=True, paper=wb.PaperTerms(limits=unbound)) as s:
        runs = {name: wb.trade(QuoteBothSides(), s, symbol=name) for name in recordings}
        s.advance("1m")
        results = {name: run.stop().result() for name, run in runs.items()}
        for name, result in results.items():
            alone = wb.backtest(QuoteBothSides(), recordings[name], latency=0)
            assert result.fills.equals(alone.fills) and len(result.fills) > 10
        profit = sum(result.equity["equity"].to_list()[-1] for result in results.values())
        assert s.balances["equity"].to_list()[-1] - 100_000 == pytest.approx(profit, abs=1e-6)
