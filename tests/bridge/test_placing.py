"""New orders: what goes out, what is kept, and one id for one order."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.desk_floor import ALIAS, Floor, error_code, refusal
from workbench.bridge.order_journal import MARKET, SENT, ids_sent
from workbench.protocol import messages


def test_an_order_with_a_bracket_as_bookmap_takes_it() -> None:
    """Sizes go in lots, prices in real units, distances in ticks, children with names of their own."""
    floor = Floor(lot="0.1").open()
    floor.place(quantity=0.2, take_profit=4.0, stop_loss=2.0, trailing=0.25, time_in_force="DAY")
    assert floor.sent(19)[0].plain == {
        "alias": ALIAS,
        "isBuy": True,
        "size": 2,
        "limitPrice": 4500.0,
        "takeProfitOffset": 16,
        "stopLossOffset": 8,
        "stopLossTrailingStep": 1,
        "takeProfitClientId": "a-1.tp",
        "stopLossClientId": "a-1.sl",
        "duration": "DAY",
        "clientId": "a-1",
    }


@pytest.mark.parametrize(
    ("kind", "prices", "on_wire"),
    [
        ("MARKET", {"price": None}, {}),
        ("STOP", {"price": None, "stop_price": 4510.0}, {"stopPrice": 4510.0}),
        ("STOP_LIMIT", {"stop_price": 4510.0}, {"stopPrice": 4510.0, "limitPrice": 4500.0}),
    ],
)
def test_the_kind_of_an_order_is_told_by_its_prices(
    kind: str, prices: dict[str, Any], on_wire: dict[str, float]
) -> None:
    """The wire has no field for the kind: which prices are there says it."""
    floor = Floor().open()
    floor.place(order_type=kind, **prices)
    plain = floor.sent(19)[0].plain
    assert {key: plain[key] for key in ("limitPrice", "stopPrice") if key in plain} == on_wire


def test_prices_on_the_wire_are_the_nearest_doubles() -> None:
    """0.1 + 0.2 is the price 0.3, not 0.30000000000000004."""
    floor = Floor(tick="0.1").open()
    floor.place(price=0.1 + 0.2)
    assert floor.sent(19)[0].plain["limitPrice"] == 0.3


def test_the_journal_knows_an_order_before_its_line_is_there() -> None:
    """An order is in the journal with its content and its bounds, and behind it the top of the book at that time."""
    floor = Floor(best=(17_999, 18_001)).open()
    result = floor.desk.command(
        messages.PlaceOrder(
            symbol=ALIAS, side="BUY", order_type="MARKET", quantity=1.0, client_order_id="a", request_id=1
        ),
        "kernel",
        floor.now,
    )
    entry = next(e for e in result.journal if e["what"] == SENT)
    assert entry["client_order_id"] == "a"
    (market,) = (make() for make in result.afterwards)
    assert (market["what"], market["client_order_id"], market["best"]) == (MARKET, "a", [17_999, 18_001])
    assert entry["order"]["quantity"] == 1.0
    assert entry["limits"]["orders_left"] == 19
    assert len(entry["hash"]) == 16
    assert len(result.lines) == 1


def test_an_order_whose_journal_failed_is_withdrawn() -> None:
    """No journal, no order: it is told as rejected; cancels go all the same."""
    floor = Floor().open()
    floor.place(client_order_id="b")
    floor.update("8", "b")
    order = messages.PlaceOrder(
        symbol=ALIAS, side="BUY", order_type="MARKET", quantity=1.0, client_order_id="a", request_id=1
    )
    instead = floor.desk.withdraw(floor.desk.command(order, "kernel", floor.now), "disk full", floor.now)
    assert not instead.lines
    assert [(a.status, a.reason, a.request_id) for a in instead.answers if isinstance(a, messages.Order)] == [
        ("REJECTED", "NOT_SENT: disk full", 1)
    ]
    floor.follow(instead)
    assert floor.order("a").status == "REJECTED"
    result = floor.desk.command(messages.CancelAll(request_id=2), "kernel", floor.now)
    assert floor.desk.withdraw(result, "disk full", floor.now).lines == result.lines != []


def test_a_change_whose_journal_failed_is_withdrawn() -> None:
    """More risk is not taken on what cannot be remembered: the order stands as it did."""
    floor = Floor().open()
    floor.place()
    floor.update()
    change = messages.ReplaceOrder(client_order_id="a-1", price=4501.0, quantity=3.0, request_id=3)
    instead = floor.desk.withdraw(floor.desk.command(change, "kernel", floor.now), "disk full", floor.now)
    assert not instead.lines
    floor.follow(instead)
    order = floor.order()
    assert (order.status, order.price, order.reason) == ("NEW", 4500.0, "NOT_SENT: disk full")
    floor.wait(3)
    assert not floor.order().unknown
    floor.replace(price=4501.0)
    assert len(floor.sent(24)) == 1


def test_an_order_of_an_earlier_process_is_unknown_also_on_another_grid() -> None:
    """What would be refused today was sent then: it is never told as rejected."""
    before = Floor().open()
    before.place(price=4500.25)
    after = Floor(used_ids=ids_sent(before.journal), tick="0.5").open()
    assert error_code(after.place(price=4500.25)) == "unknown_outcome"


def test_the_same_order_again_is_the_same_order() -> None:
    """A repeated client order id answers with the state that is known, however often, and sends nothing."""
    floor = Floor().open()
    floor.place()
    floor.update(filled=1, unfilled=1)
    for _ in range(3):
        answer = floor.place(request_id="again")
        assert isinstance(answer, messages.Order)
        assert answer.status == "PARTIALLY_FILLED"
    assert len(floor.sent(19)) == 1
    assert floor.told.orders_left == 19


def test_another_order_by_the_same_id_is_an_error() -> None:
    """Fault 49: the order that has the id is left as it is, also in what everyone is told."""
    floor = Floor().open()
    floor.place()
    floor.update()
    assert error_code(floor.place(quantity=1.0)) == "duplicate_id"
    assert floor.order().status == "NEW"
    assert len(floor.sent(19)) == 1


def test_a_refused_order_stays_refused_under_its_id() -> None:
    """One id, one decision: asked again when the reason is gone, it is not suddenly sent."""
    floor = Floor().open()
    floor.desk.book_is_stale("2.3 s")
    floor.place()
    floor.desk.book_is_stale("")
    assert refusal(floor.place()) == "STALE_BOOK"
    assert error_code(floor.place(quantity=1.0)) == "duplicate_id"
    assert not floor.lines


def test_an_order_that_was_not_armed_may_be_sent_later() -> None:
    """``not_armed`` is no decision about the order: its id is free."""
    floor = Floor()
    floor.place()
    floor.open()
    assert isinstance(floor.place(), messages.Order)
    assert len(floor.sent(19)) == 1


def test_an_id_of_an_earlier_process_is_never_sent_again() -> None:
    """After a restart the journal still knows the id: unknown until Bookmap speaks of it, then its state."""
    before = Floor().open()
    before.place()
    after = before.restart().open()
    answer = after.place()
    assert isinstance(answer, messages.Order)
    assert answer.unknown
    assert error_code(after.place(quantity=1.0)) == "duplicate_id"
    after.update(filled=2, unfilled=0, status="FILLED")
    answer = after.place()
    assert isinstance(answer, messages.Order)
    assert (answer.status, answer.unknown, answer.order_id) == ("FILLED", False, "7")
    assert not after.lines


def test_a_restarted_process_takes_reports_of_earlier_orders_as_theirs() -> None:
    """What Bookmap tells of an order of an earlier process is found under its client order id."""
    before = Floor().open()
    before.place()
    after = before.restart().open()
    after.update()
    answer = after.place()
    assert isinstance(answer, messages.Order)
    assert (answer.status, answer.order_id) == ("NEW", "7")
    after.cancel()
    assert [line.type for line in after.lines] == [23]
