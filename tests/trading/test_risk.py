"""Every refusal before an order goes: its code and its numbers, as the list of bad inputs names them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.support.plain_venue import PlainVenue
from workbench.errors import WorkbenchError
from workbench.trading.contracts import Contract
from workbench.trading.desk import Desk
from workbench.trading.limits import Limits, TradingState
from workbench.trading.states import OrderStatus
from workbench.trading.terms import Terms

SECOND = 1_000_000_000
X = Contract(symbol="X", tick_size=Decimal("0.5"), multiplier=Decimal(2))  # a tick of a lot is worth 1
NOW = 100 * SECOND


def desk_with(**limits: Any) -> Desk:
    """A desk with a market of 995 to 1005, heard just now."""
    venue = PlainVenue()
    desk = venue.desk = Desk(venue, {"X": X}, Limits(**limits), cash="1000", now=NOW)
    desk.market("X", NOW, bid=995, ask=1005)
    return desk


def terms(name: str = "a", side: int = 1, lots: Any = 1, **more: Any) -> Terms:
    """A limit order at the bid, unless told otherwise."""
    if more.get("order_type", "LIMIT") == "LIMIT":
        more.setdefault("limit", 995)
    return Terms(client_order_id=name, symbol=more.pop("symbol", "X"), side=side, lots=lots, **more)


FORM: list[tuple[dict[str, Any], str]] = [
    ({"lots": 0}, "QUANTITY_NOT_POSITIVE: 0"),
    ({"lots": -3}, "QUANTITY_NOT_POSITIVE: -3"),
    ({"lots": 1.5}, "QUANTITY_INVALID: 1.5"),
    ({"lots": True}, "QUANTITY_INVALID: True"),
    ({"lots": 10**12}, "QUANTITY_TOO_LARGE: 1000000000000"),
    ({"limit": 0}, "INVALID_PRICE: price 0"),
    ({"limit": 994.5}, "INVALID_PRICE: price 994.5"),
    ({"limit": None}, "PRICE_REQUIRED"),
    ({"order_type": "MARKET", "limit": 995}, "PRICE_NOT_ALLOWED"),
    ({"order_type": "STOP"}, "STOP_PRICE_REQUIRED"),
    ({"order_type": "TRAILING_STOP", "stop": 1010}, "TRAIL_REQUIRED"),
    ({"order_type": "ICEBERG"}, "UNSUPPORTED_ORDER_TYPE: 'ICEBERG'; have MARKET, LIMIT"),
    ({"tif": "DYP"}, "UNSUPPORTED_TIME_IN_FORCE: 'DYP'; have GTC, IOC, FOK, DAY, GTD"),
    ({"order_type": "STOP", "stop": 1010, "tif": "IOC"}, "UNSUPPORTED_TIME_IN_FORCE: IOC of a STOP"),
    ({"tif": "GTD"}, "EXPIRY_REQUIRED"),
    ({"expires": NOW + 1}, "EXPIRY_NOT_ALLOWED"),
    ({"tif": "GTD", "expires": NOW - SECOND}, "EXPIRED_ALREADY: its end is 1.000 s ago"),
    ({"post_only": True, "tif": "IOC"}, "UNSUPPORTED_POST_ONLY"),
    ({"trailing": 1}, "TRAILING_NEEDS_STOP_LOSS"),
    ({"stop_loss": 4, "trailing": -1}, "INVALID_PRICE: trailing -1 ticks"),
    ({"reduce_only": True, "stop_loss": 3}, "UNSUPPORTED_BRACKETS"),
    ({"name": "x" * 33}, "INVALID_CLIENT_ORDER_ID"),
    ({"name": "a b"}, "INVALID_CLIENT_ORDER_ID: 'a b'"),
    ({"name": "a.tp"}, "INVALID_CLIENT_ORDER_ID: 'a.tp' ends as"),
    ({"name": "x" * 30, "take_profit": 3}, "INVALID_CLIENT_ORDER_ID"),
    ({"parent": "b"}, "INVALID_PARENT: 'b'"),
    ({"oco": "a\nb"}, "INVALID_GROUP"),
    ({"side": 0}, "INVALID_SIDE: 0"),
    ({"symbol": "Y"}, "UNKNOWN_INSTRUMENT: 'Y'; have ['X']"),
]


@pytest.mark.parametrize(("wrong", "text"), FORM, ids=[text[:40] for _, text in FORM])
def test_what_is_no_order_is_denied_and_not_kept(wrong: dict[str, Any], text: str) -> None:
    """Terms without sense are answered with code and value; the name is free again, and nothing reaches the venue."""
    desk = desk_with()
    order = desk.place(terms(**wrong), NOW)
    assert order.status is OrderStatus.DENIED
    assert order.reason.startswith(text)
    assert not desk.ledger.orders
    assert desk.place(terms("a"), NOW).status is OrderStatus.NEW


BOUNDS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"size": 5}, {"lots": 6}, "QUANTITY_EXCEEDS_LIMIT: 6 lots; at most 5"),
    ({"position": 5}, {"lots": 6}, "POSITION_LIMIT_EXCEEDED: 6 lots with all orders executed; at most 5"),
    ({"notional": Decimal(1989)}, {"lots": 2}, "NOTIONAL_EXCEEDS_LIMIT: 1990.00"),
    ({"band_ticks": 4}, {}, "PRICE_BAND: price 497.5 is 5 ticks from the mid 500; at most 4"),
    (
        {"band_percent": Decimal("0.4")},
        {},
        "PRICE_BAND: price 497.5 is 0.50 % from the mid 500; at most 0.4 %",
    ),
    (
        {},
        {"order_type": "STOP", "stop": 1004},
        "STOP_ON_WRONG_SIDE: a buy stop at 502 below the best ask 502.5",
    ),
    ({}, {"order_type": "STOP", "stop": 996, "side": -1}, "STOP_ON_WRONG_SIDE: a sell stop at 498 above"),
    ({}, {"reduce_only": True}, "REDUCE_ONLY_WOULD_INCREASE: +1 lots at a position of 0"),
]


@pytest.mark.parametrize(("limits", "order", "text"), BOUNDS, ids=[text[:40] for _, _, text in BOUNDS])
def test_what_passes_a_bound_is_denied_with_the_numbers(
    limits: dict[str, Any], order: dict[str, Any], text: str
) -> None:
    """Each bound names what was asked and what is allowed; just inside, the order goes."""
    desk = desk_with(**limits)
    denied = desk.place(terms(**order), NOW)
    assert denied.status is OrderStatus.DENIED and denied.reason.startswith(text)
    assert desk.place(terms(**order), NOW) is denied


def test_working_orders_count_towards_the_position() -> None:
    """Four bought and three working leave three of ten; the other side has the four to sell beside its own ten."""
    desk = desk_with(position=10, per_second=None)
    desk.place(terms("a", lots=4, order_type="MARKET"), NOW)
    desk.place(terms("b", lots=3), NOW)
    assert desk.place(terms("c", lots=4), NOW).reason.startswith("POSITION_LIMIT_EXCEEDED: 11 lots")
    assert desk.place(terms("d", lots=3), NOW).open
    assert desk.place(terms("e", side=-1, lots=14, limit=1005), NOW).open
    assert desk.place(terms("f", side=-1, lots=1, limit=1005), NOW).reason.startswith("POSITION_LIMIT")


def test_too_many_orders_in_a_second_are_denied() -> None:
    """The sixth within a second is refused, a second after the first it goes; changes count, repeats and cancels do not."""
    desk = desk_with()
    for name in "abcd":
        desk.place(terms(name), NOW)
        desk.place(terms(name), NOW)
    assert desk.replace("a", NOW, limit=994) == ""
    desk.cancel("b", NOW)
    assert desk.place(terms("e"), NOW).reason == "RATE_LIMIT_EXCEEDED: 5 in 1 s; at most 5"
    assert desk.replace("a", NOW, limit=993).startswith("RATE_LIMIT_EXCEEDED")
    assert desk.place(terms("f"), NOW + SECOND).open


def test_stale_books_clicks_and_gaps_refuse() -> None:
    """1.5 s without an event, 2 s after a click, and a gap until the market is told again."""
    desk = desk_with()
    late = NOW + 1_600_000_000
    assert desk.place(terms("a"), late).reason == "STALE_BOOK: 1.6 s old; at most 1.5 s"
    assert desk.place(terms("b"), NOW, clicked=NOW - 2_800_000_000).reason.startswith("STALE_CLICK: 2.8 s")
    desk.gap("X", NOW)
    assert desk.place(terms("c"), NOW).reason.startswith("STREAM_RECONCILING")
    desk.market("X", NOW, bid=995, ask=1005)
    assert desk.place(terms("d"), NOW).open


def test_an_own_order_is_not_traded_with() -> None:
    """A sale at the price of an own bid is refused, one above it goes."""
    desk = desk_with()
    desk.place(terms("a", limit=1000), NOW)
    assert desk.place(terms("b", side=-1, limit=1000), NOW).reason.startswith(
        "SELF_CROSS: a limit of 500 would meet"
    )
    assert desk.place(terms("c", side=-1, limit=1001), NOW).open


def test_the_switch_halts_reduces_and_survives_a_restart() -> None:
    """Halted: nothing goes, all is canceled; after a restart still; resumed by hand alone. Reducing: exits alone."""
    desk = desk_with(per_second=None)
    desk.place(terms("long", lots=4, order_type="MARKET"), NOW)
    desk.place(terms("a"), NOW)
    desk.panic(NOW, "button")
    assert not desk.ledger.open_orders()
    again = Desk.restart(PlainVenue(), desk.journal, NOW)
    assert again.place(terms("b"), NOW).reason == "TRADING_HALTED: button"
    desk.reduce(NOW, "end of day")
    assert desk.place(terms("c"), NOW).reason.startswith("TRADING_REDUCING: position 4, 1 lots against it")
    assert desk.place(terms("d", side=-1, lots=4, limit=1005), NOW).open
    assert desk.place(terms("e", side=-1, lots=1, limit=1005), NOW).reason.startswith("TRADING_REDUCING")
    desk.resume(NOW)
    assert desk.place(terms("f"), NOW).open


@pytest.mark.parametrize(
    ("limits", "code"), [({"daily_loss": 25}, "DAILY_LOSS"), ({"drawdown": 45}, "DRAWDOWN")]
)
def test_lost_money_leaves_exits_alone(limits: dict[str, int], code: str) -> None:
    """Four bought at 1005: a mid of 1010 wins 20, one of 998 loses 28: 28 from the day's begin, 48 from the peak."""
    desk = desk_with(**{name: Decimal(bound) for name, bound in limits.items()})
    desk.place(terms("long", lots=4, order_type="MARKET"), NOW)
    for mid in (1010, 1003):
        desk.market("X", NOW, bid=mid - 5, ask=mid + 5)
        desk.on_time(NOW)
    assert desk.ledger.switch is TradingState.ACTIVE
    desk.market("X", NOW, bid=993, ask=1003)
    desk.on_time(NOW)
    assert desk.ledger.switch is TradingState.REDUCING
    assert desk.ledger.reason.startswith(code)
    desk.resume(NOW)
    desk.new_day(NOW)
    desk.on_time(NOW)
    assert (desk.ledger.switch is TradingState.ACTIVE) == (code == "DAILY_LOSS")


def test_rules_halt_by_themselves() -> None:
    """A gap of more than 5 s with open orders, and a position that is reported otherwise for more than 2 s."""
    desk = desk_with()
    desk.gap("X", NOW)
    desk.on_time(NOW + 6 * SECOND)
    assert desk.ledger.switch is TradingState.ACTIVE
    desk.market("X", NOW, bid=995, ask=1005)
    desk.place(terms("a"), NOW)
    desk.gap("X", NOW)
    desk.on_time(NOW + 6 * SECOND)
    assert desk.ledger.reason == "a gap of 6.0 s in 'X' with open orders"
    assert not desk.ledger.open_orders()
    desk.resume(NOW + 6 * SECOND)
    desk.compare("X", 3, NOW + 6 * SECOND)
    desk.on_time(NOW + 8 * SECOND)
    assert desk.ledger.switch is TradingState.ACTIVE
    desk.on_time(NOW + 9 * SECOND)
    assert desk.ledger.switch is TradingState.HALTED


def test_bounds_that_make_no_sense_are_refused() -> None:
    """A bound of zero would be a switch, not a bound; None is no bound."""
    with pytest.raises(WorkbenchError, match="None for no bound"):
        Limits(size=0)
    assert msgspec.structs.replace(Limits(), size=None).size is None
