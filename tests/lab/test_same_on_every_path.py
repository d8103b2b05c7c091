"""One random strategy in a backtest, in a backtest on the paper desk, and live: the same orders, fills and news."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench.lab.plain_strategy import PlainDesk
from workbench.trading.limits import Limits

MS = 1_000_000
UNBOUND = Limits(**dict.fromkeys(Limits.__struct_fields__))
CHANGEABLE = ("NEW", "PARTIALLY_FILLED", "SUSPENDED")


class Whim:
    """Does everything that a strategy may, on a seeded whim; entries on one side, so that no own orders meet."""

    def __init__(self, seed: int, exits: bool = False):
        self._exits = exits
        self._chance = random.Random(seed)
        self._side = self._chance.choice([1, -1])
        self.heard: list[Any] = []

    def on_fill(self, desk: PlainDesk, fill: Any) -> None:
        """Note it."""
        self.heard.append(fill)

    def on_timer(self, desk: PlainDesk) -> None:
        """Note what is known, and do up to two things."""
        self.heard.append((desk.now, desk.position, desk.open_orders))
        if desk.best_bid is not None and desk.best_ask is not None:
            best = desk.best_bid if self._side > 0 else desk.best_ask
            for _ in range(self._chance.randint(0, 2)):
                self._act(desk, best)

    def _act(self, desk: PlainDesk, best: float) -> None:
        chance, side = self._chance, self._side
        enter, leave = (desk.buy, desk.sell) if side > 0 else (desk.sell, desk.buy)
        what, lots, away = chance.randrange(15), chance.randint(1, 8), side * 0.25 * chance.randrange(4)
        end = desk.now + chance.randrange(1, 3_000 * MS)
        open_ones = [number for number, status in desk.orders.items() if status in CHANGEABLE]
        match what:
            case 0 | 1 | 2 if self._exits:
                enter(lots, best - away, take_profit=chance.choice([0.25, 1]), stop_loss=1, trails=bool(what))
            case 0 | 1 | 2:
                enter(lots, best - away)
            case 3 | 4:
                enter(lots, best - away, tif=chance.choice(["GTD", "DAY"]), expires=end)
            case 5:
                enter(lots)
            case 6:
                enter(lots, best + side, tif=chance.choice(["IOC", "FOK", "POST_ONLY"]))
            case 7:
                leave(lots, stop=best - away - side * 0.25, expires=end)
            case 14:
                trigger = best + away + side * 0.5
                enter(lots, trigger + side * chance.choice([-0.5, 0, 0.25]), stop=trigger)
            case 8:
                leave(lots, stop=best - away - side * 0.25, trailing=0.5)
            case 9 if open_ones:
                self.heard.append(desk.cancel(chance.choice(open_ones)))
            case 10 if open_ones:
                self.heard.append(desk.modify(chance.choice(open_ones), size=lots))
            case 11 if open_ones:
                self.heard.append(desk.modify(chance.choice(open_ones), size=lots, limit=best - away))
            case 12 | 13 if open_ones:
                number = chance.choice(open_ones)
                self.heard.append(desk.modify(number, limit=best - away))
                if what == 13:
                    self.heard.append(desk.modify(number, size=lots))


def assert_same_on_every_path(seed: int) -> None:
    """Latency, queue, hours and warm-up are drawn too."""
    chance = random.Random(seed)
    latency = chance.choice([0, 3 * MS, 47 * MS, 900 * MS])
    queue = chance.choice(["risk_averse", "power3", "log2", "pro_rata", "touch"])
    when: dict[str, Any] = {
        "hours": chance.choice([None, None, "14:30-14:31 UTC"]),
        "warm_up": chance.choice([None, "3s"]),
    }
    terms = wb.PaperTerms(entry_ns=latency, response_ns=latency, queue=queue, limits=UNBOUND)
    lived, tested, desked = Whim(seed), Whim(seed), Whim(seed)
    with wb.simulate(seed=seed % 7 + 1, inline=True, paper=terms) as s:
        run = wb.trade(lived, s, **when)
        s.advance("20050ms")
        backtest = wb.backtest(tested, s, latency=latency, queue=queue, **when)
        desk = wb.paper_backtest(desked, s, terms, **when)
        live = run.stop().result()
    assert desk.fills.equals(backtest.fills)
    assert desk.orders.drop("name", "reason").equals(backtest.orders)
    assert desked.heard == tested.heard
    both = min(len(live.fills), len(backtest.fills))  # what arrives after the last row, a live desk waits for
    assert live.fills.head(both).equals(backtest.fills.head(both))
    both = min(len(lived.heard), len(tested.heard))
    assert lived.heard[:both] == tested.heard[:both]
    assert len(tested.heard) > 150


@pytest.mark.parametrize("seed", range(300, 316))
def test_a_random_strategy_is_the_same_on_every_path(seed: int) -> None:
    """Orders, fills, statuses at each step and what it is told, bit for bit."""
    assert_same_on_every_path(seed)


@pytest.mark.parametrize("seed", range(500, 506))
def test_to_the_end_of_a_replay_every_fill_is_that_of_the_backtest(seed: int, tmp_path: Path) -> None:
    """Also those that are heard of behind the last row; what had not reached the venue then is filled on neither."""
    with wb.simulate(seed=seed % 7 + 1, inline=True) as s:
        running = s.record(tmp_path / "rec", history=True)
        s.advance("15s")
        recording = running.stop()
    latency = random.Random(seed).choice([47 * MS, 400 * MS, 900 * MS])
    terms = wb.PaperTerms(entry_ns=latency, response_ns=latency, limits=UNBOUND)
    with wb.replay(recording, inline=True, paper=terms) as s:
        run = wb.trade(Whim(seed), s)
        s.advance("1m")
        live = run.stop().result()
    backtest = wb.backtest(Whim(seed), recording, latency=latency)
    assert live.fills.equals(backtest.fills) and len(live.fills) > 10
    assert live.equity.equals(backtest.equity)


@pytest.mark.parametrize("seed", range(400, 410))
def test_brackets_of_a_random_strategy_are_the_same_on_the_desk_and_live(seed: int) -> None:
    """What a backtest without a desk has not: exits that grow, shrink, follow and are changed while they do."""
    latency = random.Random(seed).choice([0, 3 * MS, 47 * MS, 400 * MS])
    terms = wb.PaperTerms(entry_ns=latency, response_ns=latency, limits=UNBOUND)
    lived, desked = Whim(seed, exits=True), Whim(seed, exits=True)
    with wb.simulate(seed=seed % 7 + 1, inline=True, paper=terms) as s:
        run = wb.trade(lived, s)
        s.advance("20050ms")
        desk, live = wb.paper_backtest(desked, s, terms), run.stop().result()
    both = min(len(live.fills), len(desk.fills))
    assert live.fills.head(both).equals(desk.fills.head(both)) and both > 20
    both = min(len(lived.heard), len(desked.heard))
    assert lived.heard[:both] == desked.heard[:both] and both > 150


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1_000, 1_200))
def test_two_hundred_random_strategies_are_the_same_on_every_path(seed: int) -> None:
    """The same, many times over."""
    assert_same_on_every_path(seed)
