"""Orders that Bookmap could not take are refused before they are sent."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.desk_floor import Floor, error_code, refusal
from workbench.protocol import messages

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
    ({"oco": "exit"}, "UNSUPPORTED_ORDER"),
    ({"at": 1}, "UNSUPPORTED_ORDER"),
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
