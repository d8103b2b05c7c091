"""The trading panel as a whole: buttons by code, what a page is told, what stays, still twins."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest

import workbench as wb
from tests.support.eventually import eventually
from tests.support.view_events import HOSTILE, shown
from workbench.errors import WorkbenchError
from workbench.views.ladder_orders import Notes
from workbench.views.ticket import BUTTONS, Ticket
from workbench.views.ticket_model import TicketModel


@pytest.fixture
def session():
    limits = wb.Limits(position=3, daily_loss=Decimal(100))
    with wb.simulate(seed=7, inline=True, paper=wb.PaperTerms(limits=limits)) as opened:
        opened.advance("2s")
        yield opened


@pytest.fixture
def ticket(session):
    with_bracket = Ticket(session, take_profit=16, stop_loss=8)
    yield with_bracket
    with_bracket.close()


def facts_of(ticket: Ticket) -> dict:
    return ticket._still()[0]["ticket"]


def test_a_press_is_an_order_with_the_size_and_bracket_of_the_panel(session, ticket):
    """Its exits appear with its fill, eight ticks below and sixteen above."""
    order = ticket.press("buy market", size=2)
    session.advance("1s")
    assert (order.status, order.size) == ("FILLED", 2)
    entry = round(order.avg_price / 0.25)
    rows = {row["id"].rpartition(".")[2]: row for row in facts_of(ticket)["blotter"] if row["open"]}
    assert {name: row["tick"] - entry for name, row in rows.items()} == {"tp": 16, "sl": -8}


def test_a_day_order_ends_with_the_day_of_the_desk_and_the_panel_counts_from_there():
    """A day that begins at 14:31: the order stands a second before and is gone behind, gains count anew."""
    with wb.simulate(seed=7, inline=True, paper=wb.PaperTerms(day="14:31 UTC")) as s:
        s.advance("2s")
        ticket = Ticket(s)
        ticket.press("buy market")
        order = s.orders.buy(1, limit=s.book.best_bid - 10, tif="DAY")
        s.advance("57s")
        assert (s.clock.now.strftime("%H:%M:%S"), order.status) == ("14:30:59", "NEW")
        money = facts_of(ticket)["money"]
        assert money["day"] == pytest.approx(money["gained"])
        s.advance("20s")
        assert order.status == "EXPIRED"
        told = s.orders.positions("ES-SIM").filter(
            pl.col("ts") < dt.datetime(2025, 1, 6, 14, 31, tzinfo=dt.UTC)
        )
        before = told["unrealized"][-1] + told["realized"][-1]
        money = facts_of(ticket)["money"]
        assert money["day"] == pytest.approx(money["gained"] - before)
        ticket.close()


def test_a_time_in_force_that_needs_a_date_is_offered_to_no_click(session, ticket):
    """The desk takes GTD from code."""
    assert facts_of(ticket)["desk"]["tifs"] == ["GTC", "DAY", "IOC", "FOK"]
    assert "GTD" in session.orders.trading("ES-SIM").supported["supportedLimitDurations"]


def test_every_button_that_places_nothing_says_so_by_giving_no_order(session, ticket):
    """Flatten, cancel all, panic and arm do what stands on them."""
    ticket.press("buy market")
    session.advance("1s")
    resting = ticket.press("buy at bid")
    assert ticket.press("cancel all") is None
    session.advance("1s")
    assert resting.status == "CANCELED"
    ticket.press("flatten")
    session.advance("1s")
    assert session.positions["position"].to_list() == [0.0]
    ticket.press("panic")
    assert facts_of(ticket)["switch"]["state"] == "HALTED"
    with pytest.raises(WorkbenchError, match="orders are off"):
        ticket.press("buy market")
    ticket.press("arm")
    assert facts_of(ticket)["why"] == ""
    with pytest.raises(WorkbenchError, match="button 'fly'"):
        ticket.press("fly")


def test_reverse_turns_the_position(session, ticket):
    """Twice its size the other way."""
    ticket.press("sell market", take_profit=None, stop_loss=None)
    session.advance("1s")
    turned = ticket.press("reverse")
    session.advance("1s")
    assert (turned.side, turned.size) == ("BUY", 2)
    assert session.positions["position"].to_list() == [1.0]


def test_a_refusal_is_a_row_with_its_numbers(session, ticket):
    """What the bounds forbid is in the blotter, and the meter says how near they are."""
    ticket.press("buy market", size=2)
    session.advance("1s")
    refused = ticket.press("buy market", size=2)
    session.advance("1s")
    assert refused.status == "REJECTED"
    facts = facts_of(ticket)
    row = next(row for row in facts["blotter"] if row["id"] == refused.client_order_id)
    assert row["reason"].startswith("POSITION_LIMIT_EXCEEDED: 4 lots")
    assert ["position", 2.0, 3.0, "size"] in facts["risk"]
    assert ["open orders", 2, 50, "count"] in facts["risk"]


def test_a_desk_that_only_reduces_is_asked(session, ticket):
    """The panel is open and says the state; what would add is refused by the desk, with its numbers."""
    ticket.press("buy market", size=3, take_profit=None, stop_loss=None)
    for _ in range(600):
        session.advance("1s")
        if facts_of(ticket)["switch"]["state"] == "REDUCING":
            break
        if facts_of(ticket)["money"]["gained"] > 0:  # turned until it loses
            ticket.press("reverse", size=3)
    facts = facts_of(ticket)
    assert (facts["switch"]["state"], facts["why"]) == ("REDUCING", "")
    assert "DAILY_LOSS_LIMIT" in facts["switch"]["reason"]
    held = facts["position"][0]
    adding = ticket.press("buy market" if held > 0 else "sell market")
    closing = ticket.press("sell market" if held > 0 else "buy market", take_profit=None, stop_loss=None)
    session.advance("1s")
    assert (adding.status, closing.status) == ("REJECTED", "FILLED")


def test_a_name_is_one_order(session, ticket):
    """The same press again is that order; another one under its name is refused, whoever is asked."""
    first = ticket.press("buy at bid", size=2, order="mine")
    assert ticket.press("buy at bid", size=2, order="mine") is first
    for button, other in (("buy at bid", {"size": 3}), ("buy at bid", {"stop_loss": 4}), ("sell at bid", {})):
        with pytest.raises(WorkbenchError, match="'mine' belongs to another order"):
            ticket.press(button, order="mine", **{"size": 2, **other})
    assert len(session.orders) == 1


def test_only_what_changed_is_told_again(session):
    """All of it to a page that is new."""
    model = TicketModel(session, session.capture(), Notes())
    whole = model.pull([], True, session.clock.now_ns)[0]["ticket"]
    assert model.pull([], False, session.clock.now_ns) is None
    assert model.pull([], True, session.clock.now_ns)[0]["ticket"] == whole
    session.orders.buy(1)
    session.advance("1s")
    assert {"money", "curve", "blotter", "position"} <= set(
        model.pull([], False, session.clock.now_ns)[0]["ticket"]
    )


def test_what_a_hand_sets_stays_for_the_next_page_and_for_code(session, ticket):
    """And what is none is refused and changes nothing."""
    ticket._act({"do": "settings", "settings": {"size": 2, "stop_loss": None}})
    assert ticket.settings == {**ticket.settings, "size": 2.0, "stop_loss": None, "take_profit": 16}
    with pytest.raises(WorkbenchError):
        ticket._act({"do": "settings", "settings": {"size": -1}})
    assert ticket.settings["size"] == 2.0
    assert ticket.press("buy at bid").size == 2


def test_a_click_of_a_page_goes_the_same_way(session, ticket):
    """The page's acts carry everything that the panel has set."""
    act = {**ticket.settings, "do": "order", "order": "dom-1", "side": "BUY", "at": "bid", "late_ms": 5.0}
    assert "buy 1 at" in ticket._act(act)["said"]
    eventually(lambda: "dom-1" in session.orders)


def test_where_nothing_takes_orders_the_panel_says_why():
    """A hostile name is a name."""
    ticket = Ticket(shown(symbol=HOSTILE))
    facts = facts_of(ticket)
    assert (facts["why"], facts["switch"], facts["blotter"]) == ("nothing here takes orders", None, [])
    assert ticket.picture().startswith(b"\x89PNG")
    assert "<img" not in ticket.figure().to_json()
    with pytest.raises(WorkbenchError, match="nothing here takes orders"):
        ticket.press("buy market")
    ticket.close()


@pytest.mark.parametrize(
    "wrong", [{"presets": []}, {"presets": [0]}, {"size": 1.5}, {"stop_loss": 0}, {"take_profit": "8"}]
)
def test_what_is_no_panel_is_refused(session, wrong):
    """Before anything is shown."""
    with pytest.raises(WorkbenchError):
        Ticket(session, **wrong)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_still_twins_hold_orders_and_money(session, theme):
    """A picture and a figure, the same each time."""
    ticket = Ticket(session, theme=theme)
    ticket.press("buy market")
    session.advance("5s")
    assert ticket.picture() == ticket.picture()
    assert ticket.picture().startswith(b"\x89PNG")
    figure = ticket.figure()
    assert [type(trace).__name__ for trace in figure.data] == ["Scatter", "Table"]
    assert "long 1 at" in figure.layout.title.text
    assert list(figure.data[1].cells.values[5]) == ["filled"]
    assert repr(ticket) == "Ticket('ES-SIM')"
    ticket.close()


def test_buttons_name_what_they_do():
    """Both sides have the same places."""
    places = ("market", "at bid", "at ask", "at limit", "at stop")
    assert {f"{side} {place}" for side in ("buy", "sell") for place in places} < set(BUTTONS)
