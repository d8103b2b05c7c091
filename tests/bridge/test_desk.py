"""What the order desk sends, refuses, answers and tells."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.desk_floor import ALIAS, Floor
from workbench.bridge import wire
from workbench.bridge.desk import OrderDesk
from workbench.bridge.order_journal import SENT
from workbench.protocol import messages


def error_code(answer: messages.Message) -> str:
    """Code of an error; an answer that is none fails the test."""
    assert isinstance(answer, messages.Error), answer
    return answer.code


def refusal(answer: messages.Message) -> str:
    """Code word of a refused order."""
    assert isinstance(answer, messages.Order), answer
    assert answer.status == "REJECTED"
    assert answer.leaves == 0
    return answer.reason.split(":")[0]


# -- locks ------------------------------------------------------------------------------------------------------------


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
    assert "tick the add-on's setting" in answer.message
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


# -- what is sent -----------------------------------------------------------------------------------------------------


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
    """An order is in the journal with its content, its bounds and the top of the book at that time."""
    floor = Floor(best=(17_999, 18_001)).open()
    result = floor.desk.command(
        messages.PlaceOrder(
            symbol=ALIAS, side="BUY", order_type="MARKET", quantity=1.0, client_order_id="a", request_id=1
        ),
        "kernel",
        floor.now,
    )
    entry = next(e for e in result.journal if e["what"] == SENT)
    assert (entry["client_order_id"], entry["best"]) == ("a", [17_999, 18_001])
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


# -- refusals ---------------------------------------------------------------------------------------------------------

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"quantity": 0.0}, "QUANTITY_NOT_POSITIVE"),
    ({"quantity": -2.0}, "QUANTITY_NOT_POSITIVE"),
    ({"quantity": 1.5}, "QUANTITY_NOT_ON_GRID"),
    ({"quantity": 1e-9}, "QUANTITY_NOT_POSITIVE"),
    ({"quantity": True}, "QUANTITY_INVALID"),
    ({"quantity": 10.0**12}, "QUANTITY_TOO_LARGE"),
    ({"quantity": float("nan")}, "QUANTITY_INVALID"),
    ({"price": float("nan")}, "INVALID_PRICE"),
    ({"price": float("inf")}, "INVALID_PRICE"),
    ({"price": 0.0}, "INVALID_PRICE"),
    ({"price": -4500.0}, "INVALID_PRICE"),
    ({"price": 1e12}, "INVALID_PRICE"),
    ({"price": 4500.1}, "NOT_ON_GRID"),
    ({"price": None}, "PRICE_REQUIRED"),
    ({"order_type": "MARKET"}, "PRICE_NOT_ALLOWED"),
    ({"order_type": "STOP", "price": None}, "STOP_PRICE_REQUIRED"),
    ({"stop_price": 4499.0}, "STOP_PRICE_NOT_ALLOWED"),
    ({"order_type": "ICEBERG"}, "UNSUPPORTED_ORDER_TYPE"),
    ({"time_in_force": "gtc"}, "UNSUPPORTED_TIME_IN_FORCE"),
    ({"time_in_force": "GTD"}, "UNSUPPORTED_TIME_IN_FORCE"),
    ({"expires": 1}, "UNSUPPORTED_TIME_IN_FORCE"),
    ({"post_only": True, "time_in_force": "IOC"}, "UNSUPPORTED_POST_ONLY"),
    ({"reduce_only": True}, "UNSUPPORTED_REDUCE_ONLY"),
    ({"trailing": 0.25}, "TRAILING_NEEDS_STOP_LOSS"),
    ({"stop_loss": 0.1}, "NOT_ON_GRID"),
    ({"client_order_id": ""}, "INVALID_CLIENT_ORDER_ID"),
    ({"client_order_id": "x" * 33}, "INVALID_CLIENT_ORDER_ID"),
    ({"client_order_id": "a\n19\ue000{}"}, "INVALID_CLIENT_ORDER_ID"),
    ({"client_order_id": "#7"}, "INVALID_CLIENT_ORDER_ID"),
    ({"client_order_id": "a.tp"}, "INVALID_CLIENT_ORDER_ID"),
]


@pytest.mark.parametrize(("given", "word"), REFUSED)
def test_orders_without_sense_are_rejected_here(given: dict[str, Any], word: str) -> None:
    """Faults 44, 45, 47, 48, 49: refused with a code word, before anything is sent."""
    floor = Floor().open(max_size=1e9)
    assert refusal(floor.place(**given)) == word
    assert not floor.lines


def test_a_price_off_the_grid_names_the_nearest() -> None:
    """Fault 45: the refusal says which prices there are."""
    floor = Floor(tick="0.0001").open()
    answer = floor.place(price=1.09455)
    assert isinstance(answer, messages.Order)
    assert answer.reason == "NOT_ON_GRID: price 1.09455 is not a multiple of 0.0001; nearest 1.0945 or 1.0946"


SUPPORTED: list[tuple[dict[str, object], dict[str, Any], str]] = [
    ({"supportedLimitDurations": ["GTC", "IOC"]}, {"time_in_force": "DYP"}, "UNSUPPORTED_TIME_IN_FORCE"),
    ({"supportedLimitDurations": ["GTC"]}, {"post_only": True}, "UNSUPPORTED_TIME_IN_FORCE"),
    (
        {"supportedStopDurations": ["GTC"]},
        {"order_type": "STOP", "price": None, "stop_price": 4501.0, "time_in_force": "DAY"},
        "UNSUPPORTED_TIME_IN_FORCE",
    ),
    (
        {"supportedStopOrders": ["MKT"]},
        {"order_type": "STOP_LIMIT", "stop_price": 4501.0},
        "UNSUPPORTED_ORDER_TYPE",
    ),
    (
        {"negativeStopLimitOffset": False},
        {"order_type": "STOP_LIMIT", "stop_price": 4501.0},
        "UNSUPPORTED_STOP_LIMIT",
    ),
    ({"brackets": False}, {"take_profit": 1.0}, "UNSUPPORTED_BRACKETS"),
    ({"trailingStopsAsBracketChildren": False}, {"stop_loss": 1.0, "trailing": 0.25}, "UNSUPPORTED_TRAILING"),
]


@pytest.mark.parametrize(("features", "given", "word"), SUPPORTED)
def test_only_what_the_platform_supports(
    features: dict[str, object], given: dict[str, Any], word: str
) -> None:
    """Fault 48: what the platform says it does not take is refused; what it does not mention is sent."""
    floor = Floor(features=features).open()
    assert refusal(floor.place(**given)) == word
    assert isinstance(Floor().open().place(**given), messages.Order)


def test_a_stop_on_the_wrong_side_is_refused() -> None:
    """Fault 47: a stop that the market has passed would go off at once."""
    floor = Floor(best=(18_000, 18_001)).open()
    stop = {"order_type": "STOP", "price": None}
    assert refusal(floor.place(**stop, stop_price=4499.0, client_order_id="b")) == "STOP_ON_WRONG_SIDE"
    assert (
        refusal(floor.place(**stop, stop_price=4501.0, client_order_id="s", side="SELL"))
        == "STOP_ON_WRONG_SIDE"
    )
    assert isinstance(floor.place(**stop, stop_price=4501.0), messages.Order)
    assert len(floor.sent(19)) == 1


def test_no_order_on_a_stale_book() -> None:
    """Fault 50: while the book is old or we are behind, new orders and changes are refused, cancels go."""
    floor = Floor().open()
    floor.place()
    floor.update()
    floor.desk.book_is_stale("2.3 s")
    assert refusal(floor.place(client_order_id="b")) == "STALE_BOOK"
    assert error_code(floor.replace(price=4499.0)) == "refused"
    floor.cancel()
    assert [line.type for line in floor.lines] == [19, 23]
    floor.desk.book_is_stale("")
    assert isinstance(floor.place(client_order_id="c"), messages.Order)


def test_an_instrument_that_is_not_ours_is_unknown() -> None:
    """Fault 59: an order for another instrument is refused."""
    floor = Floor().open()
    assert error_code(floor.place(symbol="NQZ6")) == "unknown_instrument"


def test_no_order_once_the_link_is_gone() -> None:
    """Fault 60: refused, never kept for later."""
    floor = Floor().open()
    floor.follow(floor.desk.detach(floor.now))
    assert error_code(floor.place()) == "disconnected"
    assert not floor.lines


# -- one id, one order ------------------------------------------------------------------------------------------------


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


# -- silence ----------------------------------------------------------------------------------------------------------


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


# -- cancels ----------------------------------------------------------------------------------------------------------


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
    assert refusal(floor.place(client_order_id="b")) in {"MAX_ORDERS", "not_armed"}
    floor.update()
    assert len(floor.sent(23)) == 1
    floor.wait(0)
    assert not floor.told.armed
    assert floor.told.reason.endswith("(disarmed: panic)")


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


@pytest.mark.parametrize(
    ("positions", "bounds", "word"),
    [
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


# -- changes ----------------------------------------------------------------------------------------------------------


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


# -- reports ----------------------------------------------------------------------------------------------------------


def test_partially_filled_is_derived() -> None:
    """Bookmap has no word for it: working, with something filled and something left."""
    floor = Floor().open()
    floor.place()
    floor.update(filled=1, unfilled=1, averageFillPrice=4500.0)
    order = floor.order()
    assert (order.status, order.filled, order.leaves, order.avg_price) == (
        "PARTIALLY_FILLED",
        1.0,
        1.0,
        4500.0,
    )


def test_a_repeated_report_is_no_news() -> None:
    """F21: the same report again, marked or not, tells nothing and changes nothing."""
    floor = Floor().open()
    floor.place()
    floor.update(filled=1, unfilled=1)
    told = len(floor.account)
    floor.update(filled=1, unfilled=1)
    floor.update(filled=1, unfilled=1, isDuplicate=True)
    floor.update(filled=1, unfilled=1, modificationUtcTime=1_767_225_600_999)
    assert len(floor.account) == told


def test_an_old_report_takes_nothing_back() -> None:
    """Less filled than before is an old report: nothing changes, and it is in the journal."""
    floor = Floor().open()
    floor.place()
    floor.update(filled=1, unfilled=1)
    floor.update(filled=0, unfilled=2)
    assert floor.order().filled == 1.0
    assert floor.desk.oddities == 1
    floor.update(filled=2, unfilled=0, status="FILLED")
    floor.update(filled=2, unfilled=0, status="WORKING")
    floor.update(status="CANCELLED", filled=1, unfilled=1)
    assert floor.order().status == "FILLED"


def test_the_same_execution_is_told_once() -> None:
    """F21: executions are known by their id, in any order with the report, across repetitions."""
    floor = Floor().open()
    floor.place()
    floor.execution("e-1")  # before the order has a name
    assert not floor.fills
    floor.update(filled=1, unfilled=1)
    floor.execution("e-1")
    floor.execution("e-2")
    floor.update(filled=2, unfilled=0, status="FILLED")
    floor.execution("e-2")
    assert [(f.execution_id, f.client_order_id, f.side, f.size) for f in floor.fills] == [
        ("e-1", "a-1", "BUY", 1.0),
        ("e-2", "a-1", "BUY", 1.0),
    ]


def test_a_repeated_position_is_no_news() -> None:
    """Bookmap tells the position again and again: only what changed is told."""
    floor = Floor()
    for lots in (1, 1, 1, 0, 0):
        floor.wait(1)
        floor.position(lots)
    told = [m for m in floor.account if isinstance(m, messages.Position)]
    assert [(m.position, m.avg_price) for m in told] == [(1.0, 4500.0), (0.0, None)]


def test_balances_are_one_message_a_currency() -> None:
    """Entries without a balance are left out, NaN is nothing, and a repetition is no news."""
    floor = Floor()
    nan = float("nan")
    listed = [
        {"currency": "USD", "balance": 100.0, "unrealizedPnl": 2.5, "netLiquidityValue": nan},
        {"currency": "DOGE", "balance": 0.255, "realizedPnl": nan, "rateToBase": 0.06203},
        {"currency": "EUR"},
        "nonsense",
    ]
    for _ in range(2):
        floor.follow(floor.desk.report(wire.BalanceUpdate({"balancesInCurrency": listed}), floor.now))
    told = [m for m in floor.account if isinstance(m, messages.Balance)]
    assert [(m.currency, m.cash, m.equity, m.rate_to_base) for m in told] == [
        ("USD", 100.0, 102.5, None),
        ("DOGE", 0.255, 0.255, 0.06203),
    ]


@pytest.mark.parametrize(
    "changed",
    [
        {"orderId": None},
        {"isBuy": 1},
        {"filled": "two"},
        {"unfilled": -1},
        {"filled": 10**300},
        {"unfilled": 1.5},
    ],
)
def test_a_report_without_sense_is_counted(changed: dict[str, Any]) -> None:
    """It changes nothing, is counted, and is in the journal."""
    floor = Floor().open()
    floor.place()
    told = len(floor.account)
    floor.update(**changed)
    assert floor.desk.bad_reports == 1
    assert floor.journal[-1]["what"] == "bad_report"
    assert len(floor.account) == told


def test_a_report_of_another_instrument_is_not_ours() -> None:
    """Reports carry the alias: another one's change nothing here."""
    floor = Floor()
    floor.update("9", "", instrumentAlias="NQZ6")
    floor.follow(floor.desk.report(wire.Execution("NQZ6", {}), floor.now))
    assert not [m for m in floor.account if isinstance(m, messages.Order)]
    assert not floor.desk.bad_reports


def test_the_unit_of_time_that_was_seen_is_noted_once() -> None:
    """Times in another unit than ms are recognised by their size, and the journal says so once."""
    floor = Floor().open()
    floor.place()
    for filled in (0, 1):
        floor.update(filled=filled, unfilled=2 - filled, modificationUtcTime=1_767_225_600)
    assert floor.order().ts == 1_767_225_600 * 10**9
    assert [e["unit"] for e in floor.journal if e["what"] == "time_unit"] == ["s"]


def test_a_child_that_carries_its_parents_name_is_an_order_of_its_own() -> None:
    """One client id on two orders of Bookmap: the first keeps the name, the other goes by its number."""
    floor = Floor().open()
    floor.place()
    floor.update()
    floor.update("8", "a-1", isBuy=False, status="SUSPENDED", limitPrice=4510.0)
    assert floor.order().status == "NEW"
    assert floor.order("#8").status == "SUSPENDED"


def test_a_late_fill_is_taken() -> None:
    """A fill that was on its way when the order was cancelled counts; the order stays cancelled."""
    floor = Floor().open()
    floor.place()
    floor.update()
    floor.update(status="CANCELLED", unfilled=0)
    floor.update(status="CANCELLED", filled=1, unfilled=0)
    order = floor.order()
    assert (order.status, order.filled, order.leaves) == ("CANCELED", 1.0, 0.0)
    assert "LATE_FILL" in order.reason


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
