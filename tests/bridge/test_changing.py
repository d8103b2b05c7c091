"""Cancels, batches of them, flattening, and changes of price and size."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.desk_floor import ALIAS, Floor, error_code
from workbench.protocol import messages


def test_a_cancel_waits_for_the_name_of_its_order() -> None:
    """Cancelled before Bookmap has named it: sent with the first report, once."""
    floor = Floor().open()
    floor.place()
    answer = floor.cancel()
    assert isinstance(answer, messages.Order)
    assert answer.status == "PENDING_CANCEL"
    assert not floor.sent(23)
    floor.update(status="PENDING_SUBMIT")
    floor.update()
    assert [line.fields for line in floor.sent(23)] == [[ALIAS, "7", "True", "nan"]]
    floor.update(status="CANCELLED", unfilled=0)
    assert floor.order().status == "CANCELED"
    assert floor.order().quantity == 2.0


def test_a_cancel_that_waits_goes_nowhere_once_disarmed() -> None:
    """The add-on's setting switched off meanwhile: no line, and the order is told as not cancelled."""
    floor = Floor().open()
    floor.place()
    floor.cancel()
    floor.permit(on=False)
    floor.update()
    assert not floor.sent(23)
    assert floor.order().status == "NEW"


def test_disarming_waits_for_the_cancel_of_an_order_on_its_way() -> None:
    """A panic right after an order: its cancel still goes, nothing else does, and then it is disarmed."""
    floor = Floor().open()
    floor.place()
    floor.ask(messages.CancelAll(request_id=3))
    answer = floor.ask(messages.Disarm(reason="panic", request_id=4))
    assert isinstance(answer, messages.Trading)
    assert (answer.armed, answer.orders_left) == (True, 0)
    assert error_code(floor.place(client_order_id="b")) == "not_armed"
    floor.update()
    assert len(floor.sent(23)) == 1
    floor.wait(0)
    assert not floor.told.armed
    assert floor.told.reason.endswith("(disarmed: panic)")


def test_no_change_goes_while_it_is_being_disarmed() -> None:
    """The lock that stays open for a last cancel is open for nothing else: no order is moved or resized through it."""
    floor = Floor().open()
    floor.place()
    floor.update()
    floor.place(client_order_id="b")
    floor.cancel("b")
    floor.ask(messages.Disarm(reason="panic", request_id=4))
    assert floor.desk.is_open(floor.now)
    assert error_code(floor.replace(price=4501.0)) == "not_armed"
    assert error_code(floor.replace(quantity=3.0)) == "not_armed"
    assert not floor.sent(24, 26)


def test_disarming_waits_no_longer_than_two_seconds() -> None:
    """The order that never gets a name keeps nothing open."""
    floor = Floor().open()
    floor.place()
    floor.cancel()
    floor.ask(messages.Disarm(request_id=4))
    floor.wait(2)
    assert not floor.told.armed
    floor.update()
    assert not floor.sent(23)


def test_too_late_to_cancel() -> None:
    """Fault 55: what is finished cannot be cancelled, and the error says since when."""
    floor = Floor().open()
    floor.place()
    floor.update(filled=2, unfilled=0, status="FILLED", modificationUtcTime=1_767_225_600_123)
    answer = floor.cancel()
    assert isinstance(answer, messages.Error)
    assert (answer.code, answer.message) == ("too_late", "too_late (FILLED 00:00:00.123)")
    assert error_code(floor.cancel("nobody")) == "unknown_order"


def test_cancel_all_is_one_batch() -> None:
    """Every open order, also those from the chart; only the last line ends the batch."""
    floor = Floor().open()
    for number in range(3):
        floor.place(client_order_id=f"o{number}")
        floor.update(str(number), f"o{number}")
    floor.update("chart", "", isBuy=False)
    floor.update("done", "", status="FILLED", filled=2, unfilled=0)
    assert isinstance(floor.ask(messages.CancelAll(request_id=5)), messages.Done)
    batch = [line.fields[1:] for line in floor.sent(23)]
    assert batch == [["0", "False", "1"], ["1", "False", "1"], ["2", "False", "1"], ["chart", "True", "1"]]
    floor.ask(messages.CancelAll(request_id=6))
    assert len(floor.sent(23)) == 4


def test_cancel_some() -> None:
    """Named orders only; an unknown name is an error that keeps nobody else's order alive."""
    floor = Floor().open()
    for number in range(3):
        floor.place(client_order_id=f"o{number}")
        floor.update(str(number), f"o{number}")
    answer = floor.ask(messages.CancelAll(client_order_ids=["o2", "nobody"], request_id=5))
    assert error_code(answer) == "unknown_order"
    assert [line.fields[1:] for line in floor.sent(23)] == [["2", "True", "nan"]]


def test_nothing_to_cancel_needs_no_lock() -> None:
    """A panic with nothing open is done at once, armed or not; with something open it needs both locks."""
    floor = Floor()
    assert isinstance(floor.ask(messages.CancelAll(request_id=5)), messages.Done)
    floor.update("chart", "")
    assert error_code(floor.ask(messages.CancelAll(request_id=5))) == "not_armed"


def test_an_order_of_the_chart_can_be_cancelled_by_its_number() -> None:
    """Orders that we did not send go by ``#`` and Bookmap's id."""
    floor = Floor().open()
    floor.update("42", "")
    assert floor.order("#42").client_order_id == ""
    floor.cancel("#42")
    assert floor.sent(23)[0].fields == [ALIAS, "42", "True", "nan"]


def test_a_platforms_id_that_cannot_be_sent_ends_no_line() -> None:
    """Hostile ids: the cancel is not sent, the others of the batch are, and the last one still ends it."""
    floor = Floor().open()
    for order_id in ("1", "2", "bad\n19\ue000{}"):
        floor.update(order_id, "")
    floor.ask(messages.CancelAll(request_id=5))
    assert [line.fields[1:] for line in floor.lines] == [["1", "False", "1"], ["2", "True", "1"]]


def test_flatten_closes_the_position_and_disarms() -> None:
    """Cancels, then market orders against the position, none larger than armed; then the lock closes."""
    floor = Floor().open(max_size=2.0)
    floor.position(5)
    assert isinstance(floor.ask(messages.CancelAll(flatten=True, request_id=5)), messages.Done)
    sold = [(line.plain["isBuy"], line.plain["size"]) for line in floor.sent(19)]
    assert sold == [(False, 2), (False, 2), (False, 1)]
    assert "limitPrice" not in floor.sent(19)[0].plain
    floor.wait(0)
    assert not floor.told.armed


def test_flattening_twice_does_not_turn_the_position_round() -> None:
    """One intent, one order: while the first flatten works nothing is flattened, and after it once Bookmap told anew."""
    floor = Floor().open()
    floor.position(2)
    floor.ask(messages.CancelAll(flatten=True, request_id=5))
    name = floor.sent(19)[0].plain["clientId"]
    floor.open()
    floor.position(2)  # told again and again, also before the fill is in it
    answer = floor.ask(messages.CancelAll(flatten=True, request_id=6))
    assert isinstance(answer, messages.Error) and answer.message.startswith("FLATTENING")
    floor.update("8", name, isBuy=False, type="MKT", filled=2, unfilled=0, status="FILLED")
    floor.position(0)
    floor.open()
    assert isinstance(floor.ask(messages.CancelAll(flatten=True, request_id=7)), messages.Done)
    floor.open()
    answer = floor.ask(messages.CancelAll(flatten=True, request_id=8))
    assert isinstance(answer, messages.Error) and answer.message.startswith("POSITION_UNKNOWN")
    assert len(floor.sent(19)) == 1


def test_a_report_from_before_the_flatten_is_no_position_to_flatten() -> None:
    """What Bookmap told while the flatten worked is forgotten when it ends: the fill may not be in it."""
    floor = Floor().open()
    floor.position(2)
    floor.ask(messages.CancelAll(flatten=True, request_id=5))
    floor.position(2)
    name = floor.sent(19)[0].plain["clientId"]
    floor.update("8", name, isBuy=False, type="MKT", filled=2, unfilled=0, status="FILLED")
    floor.open()
    answer = floor.ask(messages.CancelAll(flatten=True, request_id=6))
    assert isinstance(answer, messages.Error) and answer.message.startswith("POSITION_UNKNOWN")
    assert len(floor.sent(19)) == 1


@pytest.mark.parametrize(
    ("positions", "bounds", "word"),
    [
        ([(6, "")], {"max_size": 1.0}, "RATE_LIMIT_EXCEEDED"),
        ([], {}, "POSITION_UNKNOWN"),
        ([(5, "")], {"max_orders": 2, "max_size": 2.0}, "MAX_ORDERS"),
        ([(1, "a"), (1, "b")], {}, "SEVERAL_ACCOUNTS"),
    ],
)
def test_a_flatten_that_cannot_be_done_says_so(
    positions: list[tuple[int, str]], bounds: dict[str, Any], word: str
) -> None:
    """The cancels go all the same, and the lock closes."""
    floor = Floor().open(**bounds)
    floor.update("42", "")
    for lots, account in positions:
        floor.position(lots, accountId=account)
    answer = floor.ask(messages.CancelAll(flatten=True, request_id=5))
    assert isinstance(answer, messages.Error)
    assert answer.message.startswith(word)
    assert [line.type for line in floor.lines] == [23]
    floor.wait(0)
    assert not floor.told.armed


def working(floor: Floor, **changed: Any) -> Floor:
    """With ``a-1`` at work, to buy 5 at 4500.00."""
    floor.open()
    floor.place(quantity=5.0)
    floor.update(**({"unfilled": 5} | changed))
    return floor


def test_a_move_is_done_when_a_report_shows_the_price() -> None:
    """Until then the old price holds, and the order is PENDING_REPLACE."""
    floor = working(Floor())
    answer = floor.replace(price=4501.0)
    assert isinstance(answer, messages.Order)
    assert (answer.status, answer.price) == ("PENDING_REPLACE", 4500.0)
    assert floor.sent(24)[0].fields == [ALIAS, "7", "4501.0", "nan"]
    floor.update(unfilled=5)  # crossed our line on its way
    assert floor.order().status == "PENDING_REPLACE"
    floor.update(unfilled=5, limitPrice=4501.0)
    assert (floor.order().status, floor.order().price) == ("NEW", 4501.0)


def test_a_move_of_a_stop_limit_gives_both_prices() -> None:
    """The wire wants both prices of a stop-limit order, also when one stays."""
    floor = Floor().open()
    floor.place(order_type="STOP_LIMIT", stop_price=4510.0)
    floor.update(type="STP_LMT", stopPrice=4510.0)
    floor.replace(stop_price=4511.0)
    assert floor.sent(24)[0].fields == [ALIAS, "7", "4500.0", "4511.0"]


def test_a_rejected_change_leaves_the_order_as_it_was() -> None:
    """Bookmap was at it and shows the old price again: rejected."""
    floor = working(Floor())
    floor.replace(price=4501.0)
    floor.update(unfilled=5, status="PENDING_MODIFY")
    floor.update(unfilled=5)
    assert (floor.order().status, floor.order().price) == ("NEW", 4500.0)
    assert "REPLACE_REJECTED" in floor.order().reason


def test_a_change_that_changes_nothing_sends_nothing() -> None:
    """The same price and size again are answered with the order as it is."""
    floor = working(Floor())
    answer = floor.replace(price=4500.0, quantity=5.0)
    assert isinstance(answer, messages.Order)
    assert answer.status == "NEW"
    assert not floor.sent(24, 26)


def test_changes_that_are_refused() -> None:
    """Fault 56 and others: below what is filled, above the bound, off the grid, a price the order has not."""
    floor = working(Floor(), filled=2, unfilled=3)
    for given, word in (
        ({"quantity": 2.0}, "QUANTITY_BELOW_FILLED"),
        ({"quantity": 11.0}, "MAX_SIZE"),
        ({"quantity": 9.0}, "MAX_SIZE"),  # 9 or, on a platform that takes it as the rest, 11
        ({"price": 4500.1}, "NOT_ON_GRID"),
        ({"stop_price": 4500.0}, "STOP_PRICE_NOT_ALLOWED"),
    ):
        answer = floor.replace(**given)
        assert isinstance(answer, messages.Error)
        assert answer.message.startswith(word)
    assert not floor.sent(24, 26)
    assert floor.order().status == "PARTIALLY_FILLED"


def test_a_resize_taken_as_the_total() -> None:
    """The report shows the quantity that was asked for: this platform means the total."""
    floor = working(Floor(), filled=2, unfilled=3)
    floor.replace(quantity=4.0)
    assert floor.sent(26)[0].fields == [ALIAS, "7", "4"]
    floor.update(filled=2, unfilled=2)
    assert (floor.order().status, floor.order().quantity) == ("PARTIALLY_FILLED", 4.0)
    assert floor.order().reason == ""
    floor.replace(quantity=10.0)
    assert floor.sent(26)[1].fields == [ALIAS, "7", "10"]


def test_a_resize_taken_as_the_rest_is_told_and_remembered() -> None:
    """The report shows what was filled on top: it is told, and the next resize sends the rest."""
    floor = working(Floor(), filled=2, unfilled=3)
    floor.replace(quantity=4.0)
    floor.update(filled=2, unfilled=4)
    assert (floor.order().status, floor.order().quantity) == ("PARTIALLY_FILLED", 6.0)
    assert floor.order().reason.startswith("RESIZED: to 6 lots, 4 were asked")
    floor.replace(quantity=4.0)
    assert floor.sent(26)[1].fields == [ALIAS, "7", "2"]
    floor.update(filled=2, unfilled=2)
    assert (floor.order().quantity, floor.order().reason) == (4.0, "")


def test_a_fill_while_a_change_is_under_way_counts() -> None:
    """PENDING_REPLACE stands above the fill; afterwards the order is where its fills put it."""
    floor = working(Floor())
    floor.replace(price=4501.0)
    floor.update(filled=1, unfilled=4)
    assert (floor.order().status, floor.order().filled) == ("PENDING_REPLACE", 1.0)
    floor.update(filled=1, unfilled=4, limitPrice=4501.0)
    assert floor.order().status == "PARTIALLY_FILLED"


def test_a_cancel_that_waits_is_stopped_by_the_report_that_comes_too_late() -> None:
    """The arming ended between cancel and report, and nobody has looked at the clock since: no line."""
    floor = Floor().open(minutes=0.02)
    floor.place()
    floor.cancel()
    floor.now = floor.now._replace(mono=floor.now.mono + 1_500_000_000)
    floor.update()
    assert not floor.sent(23)
    assert floor.order().status == "NEW"


def test_a_cancel_sent_again_waits_for_an_answer_of_its_own() -> None:
    """What Bookmap said of the first cancel does not answer the second."""
    floor = Floor().open()
    floor.place()
    floor.update()
    floor.cancel()
    floor.update(status="PENDING_CANCEL")
    floor.update(status="DISCONNECTED")
    floor.cancel()
    assert len(floor.sent(23)) == 2
    floor.update()  # crossed the second line on its way
    assert floor.order().status == "PENDING_CANCEL"
    floor.update(status="CANCELLED", unfilled=0)
    assert floor.order().status == "CANCELED"
