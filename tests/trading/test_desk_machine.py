"""The desk under everything at once: a state machine, long random walks, mirrored worlds, and faults that must be found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tests.support.plain_venue import PlainVenue, Resting
from tests.support.trading_world import LIMITS, STEP_NS, World, wander
from workbench.errors import WorkbenchError
from workbench.trading import desk as desk_module
from workbench.trading.account import Position
from workbench.trading.contracts import Contract
from workbench.trading.desk import Desk
from workbench.trading.order import Order
from workbench.trading.venue import Report

sides, sizes, prices = st.sampled_from([1, -1]), st.integers(1, 9), st.integers(990, 1010)
distances = st.none() | st.integers(1, 6)


class DeskMachine(RuleBasedStateMachine):
    """Rules are what may happen; every one of them ends by checking all that must hold."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()

    @rule(bid=st.integers(990, 1008), spread=st.integers(1, 4), sizes=st.tuples(st.integers(0, 9), sizes))
    def quote(self, bid: int, spread: int, sizes: tuple[int, int]) -> None:
        """Best prices move."""
        self.world.market(bid, bid + spread, *sizes)

    @rule(aggressor=sides, ticks=st.integers(988, 1012), lots=sizes)
    def trade(self, aggressor: int, ticks: int, lots: int) -> None:
        """Others trade."""
        self.world.trade(aggressor, ticks, lots)

    @rule(
        side=sides,
        lots=sizes,
        limit=prices,
        tif=st.sampled_from(["GTC", "GTC", "IOC", "FOK"]),
        profit=distances,
        loss=distances,
    )
    def limit(self, side: int, lots: int, limit: int, tif: str, profit: int | None, loss: int | None) -> None:
        """A limit order, perhaps with a bracket."""
        self.world.place(side, lots, limit=limit, tif=tif, take_profit=profit, stop_loss=loss)

    @rule(
        side=sides,
        lots=sizes,
        limit=prices,
        flag=st.sampled_from(["post_only", "reduce_only"]),
        group=distances,
    )
    def flagged(self, side: int, lots: int, limit: int, flag: str, group: int | None) -> None:
        """A limit order that must not take, or only reduce, perhaps in a group."""
        self.world.place(side, lots, limit=limit, oco=f"g{group}" if group else "", **{flag: True})

    @rule(side=sides, lots=sizes, away=st.integers(1, 9), trail=distances)
    def stop(self, side: int, lots: int, away: int, trail: int | None) -> None:
        """A stop, perhaps trailing."""
        kind = "STOP" if trail is None else "TRAILING_STOP"
        self.world.place(side, lots, order_type=kind, stop=1000 + side * away, trail=trail)

    @rule(side=sides, lots=sizes, steps=st.integers(1, 9), limit=prices)
    def dated(self, side: int, lots: int, steps: int, limit: int) -> None:
        """An order with an end."""
        self.world.place(side, lots, limit=limit, tif="GTD", expires=steps * STEP_NS)

    @rule(number=st.integers(1, 12))
    def cancel(self, number: int) -> None:
        """A cancel, of any order."""
        self.world.cancel(f"o{number}")

    @rule(number=st.integers(1, 12), lots=st.none() | sizes, limit=st.none() | prices)
    def replace(self, number: int, lots: int | None, limit: int | None) -> None:
        """A change, of any order."""
        self.world.replace(f"o{number}", lots, limit)

    @rule(what=st.sampled_from(["repeat_execution", "wait", "panic", "flatten", "restart"]))
    def rarely(self, what: str) -> None:
        """What stops, ends or repeats."""
        getattr(self.world, what)()

    def teardown(self) -> None:
        """At the end, the state is what the journal adds up to."""
        self.world.check_fold()


DeskMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
TestDeskMachine = DeskMachine.TestCase


@pytest.mark.parametrize("seed", range(12))
def test_every_rule_holds_on_random_walks(seed: int) -> None:
    """I1–I18 over 120 steps of everything, brackets, groups, stops, expiry, panic and restart among it."""
    wander(World(), seed, 120)


@pytest.mark.parametrize("seed", range(6))
def test_a_mirrored_world_has_mirrored_orders(seed: int) -> None:
    """I21: sides swapped and prices reflected give the same states and sizes, and the opposite position."""
    limits = msgspec.structs.replace(LIMITS, drawdown=None)
    plain, mirrored = World(limits=limits), World(mirrored=True, limits=limits)
    for world in (plain, mirrored):
        wander(world, 100 + seed, 100)
    states = [
        [(o.name, o.status, o.lots, o.filled) for o in world.desk.ledger.orders.values()]
        for world in (plain, mirrored)
    ]
    assert states[0] == states[1]
    assert plain.position == -mirrored.position


def test_equal_runs_have_equal_journals() -> None:
    """Nothing depends on anything but what happened."""
    runs = []
    for _ in range(2):
        world = World()
        wander(world, 7, 100)
        runs.append(desk_module.journal.encode(world.desk.journal))
    assert runs[0] == runs[1] and len(runs[0]) > 10_000


class _Overfills(PlainVenue):
    def filled(self, name: str, ticks: int, lots: int, *, maker: bool) -> Report:
        return super().filled(name, ticks, lots + 1, maker=maker)


class _RepeatsIds(PlainVenue):
    def filled(self, name: str, ticks: int, lots: int, *, maker: bool) -> Report:
        told = super().filled(name, ticks, lots, maker=maker)
        return msgspec.structs.replace(told, execution_id="x")


class _FillsPartOfFok(PlainVenue):
    def kills(self, order: Order, there: int) -> bool:
        return False


class _LetsIocRest(PlainVenue):
    def rests(self, order: Order) -> bool:
        return True


class _PassesTheLimit(PlainVenue):
    def price(self, order: Resting) -> int:
        return order.limit + order.side


class _LastComeFirstServed(PlainVenue):
    def place(self, order: Resting) -> int:
        return -order.arrived


def _wrong_sign(patch: pytest.MonkeyPatch) -> None:
    right = Position.fill

    def fill(self: Position, contract: Contract, signed: int, ticks: int, fee: int = 0) -> None:
        right(self, contract, signed, ticks, fee)
        self.flow += 2 * signed * ticks

    patch.setattr(Position, "fill", fill)


def _forgets_names(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Desk, "_known", lambda self, terms: None)


def _cancels_the_finished(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(desk_module, "_too_late", lambda order, name: "")


def _keeps_leaves(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Order, "leaves", property(lambda self: self.lots - self.filled))


def _replaces_below(patch: pytest.MonkeyPatch) -> None:
    right: Callable[..., str] = Desk._change_refusal

    def refusal(*arguments: Any) -> str:
        why = right(*arguments)
        return "" if why.startswith("QUANTITY_BELOW_FILLED") else why

    patch.setattr(Desk, "_change_refusal", refusal)


VENUES = (_Overfills, _RepeatsIds, _FillsPartOfFok, _LetsIocRest, _PassesTheLimit, _LastComeFirstServed)
PATCHES = (_wrong_sign, _forgets_names, _cancels_the_finished, _keeps_leaves, _replaces_below)


def _search(venue: type[PlainVenue]) -> None:
    for seed in range(200):
        wander(World(venue), seed, 120)


@pytest.mark.parametrize("venue", VENUES, ids=lambda venue: venue.__name__)
def test_faults_of_a_venue_are_found(venue: type[PlainVenue]) -> None:
    """Each of six seeded faults breaks a rule within a few random walks."""
    with pytest.raises((AssertionError, WorkbenchError)):
        _search(venue)


@pytest.mark.parametrize("spoil", PATCHES, ids=lambda spoil: spoil.__name__)
def test_faults_of_the_desk_are_found(
    spoil: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of five seeded faults breaks a rule within a few random walks."""
    spoil(monkeypatch)
    with pytest.raises((AssertionError, WorkbenchError)):
        _search(PlainVenue)
