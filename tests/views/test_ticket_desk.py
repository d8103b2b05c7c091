"""Buttons of a trading panel and the orders they become, on paper in the caller."""

from __future__ import annotations

import pytest

import workbench as wb
from tests.support.eventually import eventually
from workbench.errors import WorkbenchError
from workbench.views.ladder_orders import Notes
from workbench.views.ticket_desk import TicketDesk


@pytest.fixture
def session():
    with wb.simulate(seed=7, inline=True) as opened:
        opened.advance("2s")
        yield opened


@pytest.fixture
def desk(session):
    return TicketDesk(session, session.capture(), Notes())


def press(name="c1", **facts):
    usual = {
        "do": "order",
        "order": name,
        "side": "BUY",
        "at": "bid",
        "size": 1,
        "tif": "GTC",
        "late_ms": 10.0,
    }
    return {**usual, **facts}


def test_a_click_sent_again_is_one_order(session, desk):
    """The name that the page made is the order's, however often it comes."""
    assert "said" in desk.carry_out(press())
    assert desk.carry_out(press()) == {"again": True}
    eventually(lambda: len(session.orders) == 1)


def test_a_second_press_of_a_button_is_refused(desk):
    """Within 300 ms, also under another name."""
    desk.carry_out(press())
    with pytest.raises(WorkbenchError, match="double click"):
        desk.carry_out(press("c2"))


def test_clicks_of_one_moment_are_a_double_click_however_far_apart_a_busy_kernel_hears_them(desk):
    """The first is heard 600 ms late, the second 200 ms later still: 100 ms lay between the hands' clicks."""
    desk.carry_out(press(late_ms=600.0))
    with pytest.raises(WorkbenchError, match="double click"):
        desk.carry_out(press("c2", late_ms=500.0))
    assert "said" in desk.carry_out(press("c3", late_ms=0.0))


@pytest.mark.parametrize("late", [2001.0, float("inf"), float("nan")])
def test_a_click_older_than_two_seconds_places_nothing(session, desk, late):
    """Neither does one of unknown age."""
    with pytest.raises(WorkbenchError, match="too late"):
        desk.carry_out(press(late_ms=late))
    assert len(session.orders) == 0


@pytest.mark.parametrize(
    "wrong",
    [{"size": 0}, {"side": "UP"}, {"at": "mid"}, {"stop_loss": 0}, {"take_profit": 1.5}, {"order": ""}],
)
def test_what_is_no_order_is_refused(desk, wrong):
    """Size, side, price, distances and name are checked before anything is sent."""
    with pytest.raises(WorkbenchError):
        desk.carry_out(press(**wrong))


def test_nothing_is_reversed_when_flat(desk):
    """It says so."""
    with pytest.raises(WorkbenchError, match="no position"):
        desk.carry_out(press(do="reverse"))


@pytest.mark.parametrize("at", ["limit", "stop"])
def test_a_price_is_a_tick(session, desk, at):
    """An order at a price that was typed; without one it is none."""
    tick = session.capture().book.best_bid + (-4 if at == "limit" else 8)
    desk.carry_out(press(at=at, tick=tick))
    eventually(lambda: len(session.orders) == 1)
    order = session.orders["c1"]
    assert (order.limit if at == "limit" else order.stop) == tick * 0.25
    with pytest.raises(WorkbenchError, match="ticks"):
        desk.carry_out(press("c2", at=at))


@pytest.mark.parametrize("wrong", [{"minutes": 0}, {"max_orders": "many"}, {"max_size": float("nan")}])
def test_a_lock_opens_within_bounds_only(desk, wrong):
    """Numbers above 0, all three."""
    bounds = {"do": "arm", "minutes": 5, "max_orders": 3, "max_size": 1, "late_ms": 10.0}
    with pytest.raises(WorkbenchError, match="arm with"):
        desk.carry_out(bounds | wrong)


def test_a_program_waits_and_may_press_twice(session):
    """What it asks for is sent when the call returns; a refusal is raised; a name is one order here too."""
    desk = TicketDesk(session, session.capture(), Notes(), by_code=True)
    desk.carry_out(press("a"))
    desk.carry_out(press("b"))
    assert desk.carry_out(press("b")) == {"again": True}
    assert len(session.orders) == 2
