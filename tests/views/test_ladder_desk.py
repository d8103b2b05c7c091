"""Clicks on a ladder and the orders they become, through a session to a platform worked by hand."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import workbench as wb
from tests.support.eventually import eventually
from tests.support.scripted_engine import ScriptedEngine, order, trading
from tests.support.view_events import shown
from workbench.errors import WorkbenchError
from workbench.protocol import messages
from workbench.session import Session
from workbench.views.ladder import Ladder
from workbench.views.ladder_desk import MAX_WAITING, Desk
from workbench.views.ladder_orders import Notes, why_not

TICK = 399  # 99.75


@pytest.fixture
def engine() -> Iterator[ScriptedEngine]:
    with ScriptedEngine() as scripted:
        yield scripted


@pytest.fixture
def session(engine: ScriptedEngine) -> Iterator[Session]:
    with engine.session() as opened:
        opened.arm(minutes=5, max_orders=10, max_size=5)
        yield opened


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def desk(session: Session, notes: Notes) -> Desk:
    return Desk(session, session.instrument, notes)


def click(name: str = "c1", **facts: Any) -> dict[str, Any]:
    """A click that buys 2 at 99.75, or what ``facts`` make of it."""
    usual = {
        "do": "place",
        "order": name,
        "side": "BUY",
        "kind": "limit",
        "tick": TICK,
        "size": 2,
        "tif": "GTC",
    }
    return {**usual, "late_ms": 10.0, **facts}


def placed(engine: ScriptedEngine, count: int = 1) -> list[messages.PlaceOrder]:
    return eventually(
        lambda: len(engine.of_type(messages.PlaceOrder)) >= count and engine.of_type(messages.PlaceOrder)
    )


def settled() -> None:
    """Wait until nothing is being sent."""
    eventually(lambda: not any(thread.name == "workbench-desk" for thread in threading.enumerate()))


def test_a_click_places_what_the_ticket_says(engine: ScriptedEngine, desk: Desk) -> None:
    """Side, price from ticks, size, time in force, post-only; under the name that the page made."""
    assert desk.carry_out(click(tif="IOC", post_only=True))["said"] == "buy 2 at 99.75"
    (sent,) = placed(engine)
    assert (sent.client_order_id, sent.side, sent.order_type) == ("c1", "BUY", "LIMIT")
    assert (sent.price, sent.quantity, sent.time_in_force, sent.post_only) == (99.75, 2, "IOC", True)


def test_with_shift_it_is_a_stop(engine: ScriptedEngine, desk: Desk) -> None:
    """A stop order has a trigger and no limit, and never rests."""
    desk.carry_out(click(side="SELL", kind="stop", post_only=True, tif="IOC"))
    (sent,) = placed(engine)
    assert (sent.order_type, sent.side, sent.stop_price, sent.price) == ("STOP", "SELL", 99.75, None)
    assert (sent.post_only, sent.time_in_force) == (False, "GTC")


def test_the_same_click_twice_is_one_order(engine: ScriptedEngine, desk: Desk) -> None:
    """A name that was heard is not sent again, whatever comes with it; nor is a click that follows at once."""
    desk.carry_out(click())
    assert desk.carry_out(click(size=5)) == {"again": True}
    with pytest.raises(WorkbenchError, match="double click"):
        desk.carry_out(click("c2"))
    desk.carry_out(click("c3", tick=TICK - 1))
    assert {sent.client_order_id for sent in placed(engine, 2)} == {"c1", "c3"}


def test_a_click_that_found_no_room_may_come_again(
    engine: ScriptedEngine, session: Session, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was refused was not sent, so its name is not taken."""
    answered = threading.Event()
    monkeypatch.setattr(type(session.orders), "cancel_all", lambda self, symbol: answered.wait(60))
    for _ in range(MAX_WAITING):
        desk.carry_out({"do": "cancel_all"})
    with pytest.raises(WorkbenchError, match="wait for an answer"):
        desk.carry_out(click())
    answered.set()
    again = click(tick=TICK - 1)
    assert eventually(lambda: taken(desk, again) == {"said": "buy 2 at 99.5"})
    assert [sent.client_order_id for sent in placed(engine, 1)] == ["c1"]


def taken(desk: Desk, act: dict[str, Any]) -> dict[str, Any] | None:
    """What the page is told; None where it was refused."""
    try:
        return desk.carry_out(act)
    except WorkbenchError:
        return None


@pytest.mark.parametrize("late_ms", [501.0, 5e4, math.inf, math.nan])
@pytest.mark.parametrize("do", ["place", "move"])
def test_late_clicks_are_never_sent(
    engine: ScriptedEngine, session: Session, desk: Desk, late_ms: float, do: str
) -> None:
    """A price moves on while a click waits: half a second is the limit, and an unknown age is none."""
    resting = session.orders.buy(2, limit=99.5)
    name = resting.client_order_id if do == "move" else "c1"
    with pytest.raises(WorkbenchError, match="too late: the click is") as caught:
        desk.carry_out(click(name, do=do, late_ms=late_ms))
    assert caught.value.code == "stale_click"
    settled()
    assert len(engine.of_type(messages.PlaceOrder)) == 1 and not engine.of_type(messages.ReplaceOrder)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"tick": 399.5}, "whole number of ticks"),
        ({"tick": True}, "whole number of ticks"),
        ({"tick": None}, "whole number of ticks"),
        ({"tick": 2**40}, "whole number of ticks"),
        ({"size": 0}, "above 0"),
        ({"size": -1}, "above 0"),
        ({"size": True}, "above 0"),
        ({"size": "1"}, "above 0"),
        ({"size": math.nan}, "above 0"),
        ({"size": 1.5}, "nearest 1 or 2"),
        ({"side": "buy"}, "side 'buy'"),
        ({"side": None}, "side None"),
        ({"kind": "market"}, "kind 'market'"),
        ({"tif": "FOREVER"}, "tif 'FOREVER'"),
        ({"order": ""}, "order name"),
        ({"order": 7}, "order name"),
        ({"do": "flatten"}, "unknown act 'flatten'"),
        ({"do": "cancel", "order": "nobody"}, "unknown order 'nobody'"),
        ({"do": "move", "order": "nobody"}, "unknown order 'nobody'"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_sent(
    engine: ScriptedEngine, desk: Desk, wrong: dict[str, Any], message: str
) -> None:
    """Prices between two ticks, sizes that are none, sides and verbs that nobody knows."""
    with pytest.raises(WorkbenchError, match=message):
        desk.carry_out(click(**wrong))
    settled()
    assert not engine.of_type(messages.PlaceOrder)


def test_a_drag_moves_the_order(engine: ScriptedEngine, session: Session, desk: Desk) -> None:
    """A limit order gets another limit, a stop another trigger; both keep their distance."""
    limit = session.orders.buy(2, limit=99.75)
    stop = session.orders.buy(2, stop=101)
    engine.tell(order(stop.client_order_id, order_type="STOP", price=None, stop_price=101.0))
    eventually(lambda: stop.limit is None)
    both = session.orders.buy(2, limit=101.25, stop=101)
    engine.tell(order(both.client_order_id, order_type="STOP_LIMIT", price=101.25, stop_price=101.0))
    eventually(lambda: both.stop == 101)
    for number, one in enumerate((limit, stop, both)):
        desk.carry_out({"do": "move", "order": one.client_order_id, "tick": 400, "late_ms": 0.0})
        eventually(lambda wanted=number + 1: len(engine.of_type(messages.ReplaceOrder)) == wanted)
    moved = [(sent.price, sent.stop_price) for sent in engine.of_type(messages.ReplaceOrder)]
    assert moved == [(100.0, None), (None, 100.0), (100.0, 99.75)]


def test_taking_back_is_never_too_late(engine: ScriptedEngine, session: Session, desk: Desk) -> None:
    """One order, all of an instrument, everything at once: also by a click that waited."""
    resting = session.orders.buy(2, limit=99.75)
    desk.carry_out({"do": "cancel", "order": resting.client_order_id, "late_ms": 9e9})
    assert resting.wait("CANCELED")
    desk.carry_out({"do": "cancel_all", "late_ms": 9e9})
    eventually(lambda: engine.of_type(messages.CancelAll))
    desk.carry_out({"do": "panic", "late_ms": 9e9})
    eventually(lambda: engine.of_type(messages.Disarm))


def test_a_refusal_that_comes_later_is_said(engine: ScriptedEngine, desk: Desk, notes: Notes) -> None:
    """The act was taken; what the platform answers shows below the rows."""
    engine.answers[messages.PlaceOrder] = lambda _: messages.Error(
        code="RATE_LIMIT_EXCEEDED", message="RATE_LIMIT_EXCEEDED: slow down"
    )
    desk.carry_out(click())
    ((_, text),) = eventually(notes.told)
    assert text.startswith("buy 2 at 99.75:") and "slow down" in text


def test_orders_are_off_until_armed_and_the_reason_says_what_to_do(engine: ScriptedEngine) -> None:
    """Not armed, used up, refused by the desk, gone: each with its own words; open: none."""
    with engine.session() as session:
        desk = Desk(session, session.instrument, Notes())
        assert "cannot trade" in why_not(session, "SYN")
        engine.tell(trading(possible=True, permitted=True))
        eventually(lambda: why_not(session, "SYN") == "arm() opens it")
        with pytest.raises(WorkbenchError, match=r"orders are off: arm\(\) opens it") as caught:
            desk.carry_out(click())
        assert caught.value.code == "not_armed"
        session.arm(minutes=5, max_orders=1, max_size=5)
        assert why_not(session, "SYN") == ""
        bounds = {"possible": True, "permitted": True, "armed": True, "max_size": 5.0}
        engine.tell(trading(orders_left=0, **bounds))
        eventually(lambda: "arm() again" in why_not(session, "SYN"))
        engine.tell(trading(orders_left=1, reason="RECONCILING: look in Bookmap", **bounds))
        eventually(lambda: "look in Bookmap" in why_not(session, "SYN"))
    assert "closed" in why_not(session, "SYN")
    assert not engine.of_type(messages.PlaceOrder)


def test_sources_without_orders_say_so() -> None:
    """A simulated market trades on paper, until it is halted; something that is no session does not."""
    with wb.simulate(seed=7, inline=True) as session:
        assert why_not(session, session.instrument.symbol) == ""
        session.panic()
        assert why_not(session, session.instrument.symbol) == "TRADING_HALTED: panic; arm() opens it"
    market = shown()
    assert why_not(market, "ES") == "nothing here takes orders"
    view = Ladder(market)
    with pytest.raises(WorkbenchError, match="nothing here takes orders"):
        view._act(click())
    view.close()
