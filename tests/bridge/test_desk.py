"""The order desk: its locks, its bounds, and what it makes of silence."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.desk_floor import ALIAS, SENT, Floor, error_code, refusal
from workbench.bridge.desk import SETTING, OrderDesk
from workbench.protocol import messages


def test_nothing_is_sent_until_both_locks_are_open() -> None:
    """Fault 57: an order is refused while the box in Bookmap is not ticked, or nobody has armed, and neither is kept."""
    floor = Floor()
    assert error_code(floor.place()) == "not_armed"
    floor.arm()
    assert error_code(floor.place()) == "not_armed"
    assert not floor.told.permitted
    assert floor.told.armed
    floor.permit()
    assert not floor.lines
    assert isinstance(floor.place(), messages.Order)
    assert [line.type for line in floor.lines] == [19]


def test_the_not_armed_message_says_what_to_do() -> None:
    """The refusal names the lock that is closed."""
    floor = Floor()
    answer = floor.place()
    assert isinstance(answer, messages.Error)
    assert f'tick "{SETTING}"' in answer.message
    floor.permit()
    answer = floor.place()
    assert isinstance(answer, messages.Error)
    assert answer.message.startswith("paper only; arm() first")


@pytest.mark.parametrize("how", ["disarm", "owner", "time", "setting", "detach"])
def test_every_way_out_of_being_armed(how: str) -> None:
    """Disarmed by command, when its client leaves, when the time is over, by the setting, and when the link is gone."""
    floor = Floor().open(minutes=1.0)
    floor.place()
    floor.update()
    match how:
        case "disarm":
            floor.ask(messages.Disarm(reason="lunch", request_id=1), "somebody else")
        case "owner":
            floor.follow(floor.desk.owner_left("kernel", floor.now))
        case "time":
            floor.wait(60)
        case "setting":
            floor.permit(on=False)
        case "detach":
            floor.follow(floor.desk.detach(floor.now))
    assert not floor.told.armed
    assert floor.told.reason
    assert not floor.desk.is_open(floor.now)
    sent = len(floor.lines)
    commands = (floor.place(client_order_id="b"), floor.cancel(), floor.replace(price=4501.0))
    assert {error_code(answer) for answer in commands} <= {"not_armed", "disconnected"}
    assert len(floor.lines) == sent


def test_another_client_that_leaves_disarms_nothing() -> None:
    """Only the client that armed takes the arming with it."""
    floor = Floor().open()
    floor.follow(floor.desk.owner_left("visitor", floor.now))
    assert floor.told.armed


def test_only_the_client_that_armed_takes_risk() -> None:
    """A client that came back over another connection, or any other one, sends no order and no change, but cancels."""
    floor = Floor().open()
    floor.place()
    floor.update()
    order = messages.PlaceOrder(**({"symbol": ALIAS, "request_id": 1} | SENT | {"client_order_id": "b"}))
    assert error_code(floor.ask(order, "visitor")) == "not_armed"
    change = messages.ReplaceOrder(client_order_id="a-1", price=4501.0, request_id=3)
    assert error_code(floor.ask(change, "visitor")) == "not_armed"
    assert [line.type for line in floor.lines] == [19]
    floor.ask(messages.CancelOrder(client_order_id="a-1", request_id=2), "visitor")
    assert [line.type for line in floor.lines] == [19, 23]


def test_a_machine_that_slept_wakes_up_disarmed() -> None:
    """The monotonic clock stood while it slept: the end of the arming has come all the same."""
    floor = Floor().open(minutes=1.0)
    floor.now = floor.now._replace(wall=floor.now.wall + 8 * 3600 * 10**9, mono=floor.now.mono + 1)
    assert not floor.desk.is_open(floor.now)
    assert not floor.desk.state(floor.now).armed
    assert error_code(floor.place()) == "not_armed"


def test_the_rate_is_loosened_by_name() -> None:
    """``max_per_second`` of an arming holds for this arming, is told, and ends with it."""
    floor = Floor().open(max_per_second=7)
    assert floor.told.max_per_second == 7
    for number in range(7):
        floor.place(client_order_id=f"o{number}")
    assert refusal(floor.place(client_order_id="o7")) == "RATE_LIMIT_EXCEEDED"
    floor.wait(1)
    floor.open()
    assert floor.told.max_per_second == 5
    for number in range(10, 15):
        assert floor.place(client_order_id=f"o{number}").status == "PENDING_NEW"  # type: ignore[attr-defined]
    assert refusal(floor.place(client_order_id="o15")) == "RATE_LIMIT_EXCEEDED"


def test_the_wall_clock_cannot_prolong_the_arming() -> None:
    """A wall clock that is set back keeps no lock open."""
    floor = Floor().open(minutes=1.0)
    floor.now = floor.now._replace(wall=floor.now.wall - 10**13, mono=floor.now.mono + 60 * 10**9)
    assert not floor.desk.is_open(floor.now)
    assert not floor.desk.state(floor.now).armed
    assert error_code(floor.place()) == "not_armed"
    assert [e["what"] for e in floor.journal][-2:] == ["disarmed", "refused"]


def test_an_add_on_without_trading_is_read_only() -> None:
    """The plain script takes no order and no arming, and says so."""
    floor = Floor(trading=False)
    floor.permit()
    assert error_code(floor.arm()) == "read_only"
    assert error_code(floor.place()) == "read_only"
    assert not floor.desk.state(floor.now).possible


def test_a_provider_without_trading_is_not_supported() -> None:
    """``trading: false`` of the platform refuses; a platform that does not say is taken to allow it."""
    floor = Floor(features={"trading": False})
    floor.permit()
    assert error_code(floor.arm()) == "not_supported"
    assert not floor.desk.state(floor.now).possible
    assert Floor().desk.state(floor.now).possible


@pytest.mark.parametrize(
    "bounds",
    [
        {"minutes": 0.0},
        {"minutes": -1.0},
        {"minutes": float("nan")},
        {"minutes": 1441.0},
        {"max_orders": 0},
        {"max_size": 0.5},
        {"max_size": float("inf")},
        {"max_per_second": 0},
        {"max_per_second": 101},
    ],
)
def test_arming_without_sense_is_refused(bounds: dict[str, Any]) -> None:
    """Bounds that bound nothing, or allow nothing, arm nothing."""
    floor = Floor()
    floor.permit()
    assert error_code(floor.arm(**bounds)) == "bad_bounds"
    assert not floor.desk.state(floor.now).armed


def test_the_bounds_of_an_arming_hold() -> None:
    """Not one order more than armed, not one lot larger; arming again sets both anew."""
    floor = Floor().open(max_orders=2, max_size=3.0)
    assert refusal(floor.place(quantity=4.0, client_order_id="big")) == "MAX_SIZE"
    floor.place(client_order_id="a")
    assert floor.told.orders_left == 1
    floor.place(client_order_id="b")
    assert refusal(floor.place(client_order_id="c")) == "MAX_ORDERS"
    assert len(floor.sent(19)) == 2
    floor.open(max_orders=1)
    floor.place(client_order_id="d")
    assert len(floor.sent(19)) == 3


def test_a_max_size_off_the_grid_is_rounded_down() -> None:
    """A bound between two sizes allows the smaller one."""
    floor = Floor(lot="0.1").open(max_size=0.3)
    assert floor.told.max_size == 0.3
    assert refusal(floor.place(quantity=0.4)) == "MAX_SIZE"


def test_five_orders_a_second() -> None:
    """Fault 51: the sixth order within a second is refused, and goes when the second is over."""
    floor = Floor().open()
    for number in range(5):
        floor.place(client_order_id=f"o{number}")
    assert refusal(floor.place(client_order_id="o5")) == "RATE_LIMIT_EXCEEDED"
    floor.wait(1)
    assert isinstance(floor.place(client_order_id="o6"), messages.Order)
    assert len(floor.sent(19)) == 6


def test_silence_is_unknown_and_stops_new_orders() -> None:
    """F20: no report within 2 s is UNKNOWN, not REJECTED; nothing new goes until it is cleared; the report clears it."""
    floor = Floor().open()
    floor.place()
    assert floor.desk.deadline() == floor.now.mono + 2 * 10**9
    floor.wait(2)
    order = floor.order()
    assert (order.status, order.unknown) == ("PENDING_NEW", True)
    assert "RECONCILING" in floor.told.reason
    assert refusal(floor.place(client_order_id="b")) == "RECONCILING"
    floor.update()
    assert not floor.order().unknown
    assert floor.told.reason == ""
    assert isinstance(floor.place(client_order_id="c"), messages.Order)
    assert len(floor.sent(19)) == 2


def test_arming_again_takes_the_doubt_upon_itself() -> None:
    """Who arms again has looked: orders go, and the unknown one stays unknown."""
    floor = Floor().open()
    floor.place()
    floor.wait(2)
    floor.open()
    assert isinstance(floor.place(client_order_id="b"), messages.Order)
    assert len(floor.sent(19)) == 2
    assert floor.order().unknown


def test_an_unknown_order_may_be_canceled_while_armed() -> None:
    """Its cancel waits for Bookmap's id of it, and a cancel that was not answered may be sent again."""
    floor = Floor().open()
    floor.place()
    floor.wait(2)
    floor.cancel()
    assert not floor.sent(23)
    floor.update()
    assert len(floor.sent(23)) == 1
    floor.wait(2)
    assert floor.order().unknown
    floor.cancel()
    assert len(floor.sent(23)) == 2


def test_a_lost_link_makes_open_orders_unknown() -> None:
    """F20: with the link gone, what was open is unknown, what was finished stays finished."""
    floor = Floor().open()
    floor.place()
    floor.update()
    floor.place(client_order_id="b")
    floor.update("8", "b", status="CANCELLED", unfilled=0)
    floor.follow(floor.desk.detach(floor.now))
    assert floor.order("a-1").unknown
    assert not floor.order("b").unknown
    assert floor.order("b").status == "CANCELED"


def test_disconnected_is_unknown_not_finished() -> None:
    """DISCONNECTED says nothing of the order: a flag, until the next report."""
    floor = Floor().open()
    floor.place()
    floor.update()
    floor.update(status="DISCONNECTED")
    assert (floor.order().status, floor.order().unknown) == ("NEW", True)
    floor.update()
    assert not floor.order().unknown


POINTS = ("before", "journal", "line", "taken", "reported", "filled")


@pytest.mark.parametrize("point", POINTS)
def test_a_retry_never_makes_a_second_order(point: str) -> None:
    """F20: the process dies at any of six points between command and fill; the retry makes no second order."""
    before, orders = Floor().open(), 0
    if point != "before":
        before.place()
    if point not in {"before", "journal"}:
        orders += len(before.sent(19))  # Bookmap has it
    after = before.restart().open()
    if point in {"taken", "reported", "filled"}:
        after.update()
    if point == "filled":
        after.update(filled=2, unfilled=0, status="FILLED")
    for _ in range(3):
        answer = after.place()
        assert isinstance(answer, messages.Order)
        assert answer.unknown == (point in {"journal", "line"})
    orders += len(after.sent(19))
    # Only who died between journal and socket may have sent nothing: it is unknown, and a person decides.
    assert orders == (0 if point == "journal" else 1)


def test_trading_is_told_on_every_change_and_never_else() -> None:
    """Permit, arm, each order, disarm: one message each; time alone tells nothing."""
    floor = Floor().open(max_orders=2)
    floor.place()
    floor.update()
    floor.wait(1)
    floor.wait(1)
    floor.ask(messages.Disarm(request_id=1))
    told = [(m.permitted, m.armed, m.orders_left) for m in floor.account if isinstance(m, messages.Trading)]
    assert told == [(True, False, 0), (True, True, 2), (True, True, 1), (True, False, 0)]


def test_the_desk_hands_its_ids_on() -> None:
    """The desk that comes after a re-attachment is given every id, so none is sent twice."""
    floor = Floor(used_ids={"old": "0" * 16}).open()
    floor.place()
    assert set(floor.desk.used_ids) == {"old", "a-1"}
    assert isinstance(floor.desk, OrderDesk)
