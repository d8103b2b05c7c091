"""Reports of Bookmap, read with suspicion."""

from __future__ import annotations

import contextlib
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.desk_floor import ALIAS, update
from workbench.bridge.reports import (
    nanoseconds,
    on_grid,
    read_balances,
    read_execution,
    read_order,
    read_position,
    unit_of_time,
)
from workbench.errors import ProtocolError
from workbench.instruments import Instrument
from workbench.trading.states import OrderStatus

ES = Instrument(ALIAS, "0.25")  # type: ignore[arg-type]
BTC = Instrument("BTCUSDT@BNF", "0.1", "0.001")  # type: ignore[arg-type]
NOW = 1_767_225_600_123_000_000

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from((10**300, 10**400, -(2**63), 2**31)),
    st.floats(),
    st.text(st.characters(), max_size=10),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.floats(), max_size=2),
)


def hostile(plain: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A report with some of its values replaced by anything or left out."""
    changed = st.dictionaries(st.sampled_from(sorted(plain)), ANYTHING, max_size=3)
    gone = st.sets(st.sampled_from(sorted(plain)), max_size=2)
    return st.builds(lambda new, out: {k: v for k, v in (plain | new).items() if k not in out}, changed, gone)


@pytest.mark.parametrize(
    ("said", "filled", "unfilled", "status"),
    [
        ("PENDING_SUBMIT", 0, 2, OrderStatus.PENDING_NEW),
        ("WORKING", 0, 2, OrderStatus.NEW),
        ("WORKING", 1, 1, OrderStatus.PARTIALLY_FILLED),
        ("WORKING", 2, 0, OrderStatus.FILLED),
        ("FILLED", 2, 0, OrderStatus.FILLED),
        ("PENDING_CANCEL", 1, 1, OrderStatus.PENDING_CANCEL),
        ("PENDING_MODIFY", 0, 2, OrderStatus.PENDING_REPLACE),
        ("CANCELLED", 0, 2, OrderStatus.CANCELED),
        ("REJECTED", 0, 2, OrderStatus.REJECTED),
        ("SUSPENDED", 0, 2, OrderStatus.SUSPENDED),
        ("INACTIVE", 0, 2, OrderStatus.SUSPENDED),
        ("DISCONNECTED", 0, 2, None),
        ("SOMETHING_NEW", 0, 2, None),
    ],
)
def test_every_status_in_our_words(said: str, filled: int, unfilled: int, status: OrderStatus | None) -> None:
    """Bookmap's statuses map as the specification says; a word we do not know says nothing."""
    assert read_order(update(status=said, filled=filled, unfilled=unfilled), ES).status is status


def test_what_is_absent_is_left_out() -> None:
    """Nulls are omitted on the wire, NaN stands for none: neither is a value."""
    plain = update()
    for key in ("clientId", "modificationUtcTime", "limitPrice"):
        del plain[key]
    report = read_order(plain, ES)
    assert (report.client_id, report.ts, report.price, report.stop_price) == ("", None, None, None)
    assert (report.avg_price, report.account) == (None, "")


def test_a_bracket_child_that_waits_for_its_parent_has_no_price_yet() -> None:
    """A 0 is none then; an order at work may rest at 0, as spreads do."""
    for kind, key, name in (("LMT", "limitPrice", "price"), ("STP", "stopPrice", "stop_price")):
        waiting = update(type=kind, status="SUSPENDED", **{key: 0.0})
        assert getattr(read_order(waiting, ES), name) is None
        assert getattr(read_order(waiting | {key: 4500.25}, ES), name) == 4500.25
        assert getattr(read_order(waiting | {"status": "WORKING"}, ES), name) == 0.0


def test_prices_are_the_nearest_doubles_of_their_ticks() -> None:
    """Noise of a double is taken off; what lies between two ticks stays as it is."""
    assert on_grid(0.1 + 0.2, BTC) == 0.3
    assert on_grid(0.25, BTC) == 0.25
    assert on_grid(None, BTC) is None


def test_sizes_are_lots() -> None:
    """Bookmap's sizes are whole lots; positions have a sign, executions have not."""
    lots, message = read_position({"position": -3, "volume": 7, "averagePrice": 100.5}, BTC, NOW)
    assert (lots, message.position, message.volume, message.avg_price) == (-3, -0.003, 0.007, 100.5)
    assert read_position({"position": 0, "averagePrice": 100.5}, BTC, NOW)[1].avg_price is None
    with pytest.raises(ProtocolError):
        read_execution({"orderId": "1", "executionId": "e", "size": -1, "price": 1.0}, BTC)


@pytest.mark.parametrize(
    ("time", "unit", "ns"),
    [
        (1_767_225_600, "s", 1_767_225_600 * 10**9),
        (1_767_225_600_123, "ms", 1_767_225_600_123 * 10**6),
        (1_767_225_600_123_456, "us", 1_767_225_600_123_456 * 10**3),
        (1_767_225_600_123_456_789, "ns", 1_767_225_600_123_456_789),
        (1_767_225_600_123.0, "ms", 1_767_225_600_123 * 10**6),
        (0, "", None),
        (-1, "", None),
        (True, "", None),
        ("1767225600", "", None),
        (math.nan, "", None),
        (10**30, "", None),
        (2**63, "", None),
    ],
)
def test_the_unit_of_a_time_shows_by_its_size(time: object, unit: str, ns: int | None) -> None:
    """Seconds, ms, us and ns since 1970 are told apart; what is no time is none."""
    assert (unit_of_time(time), nanoseconds(time)) == (unit, ns)


@given(hostile(update()))
def test_no_order_report_breaks_more_than_itself(plain: dict[str, Any]) -> None:
    """Whatever stands in it: a report that can be sent on, or ProtocolError."""
    try:
        report = read_order(plain, ES)
    except ProtocolError:
        return
    msgspec.json.encode([report.order_id, report.client_id, report.account, report.duration, report.price])
    assert report.filled >= 0
    assert report.unfilled >= 0


@given(
    hostile({"orderId": "1", "executionId": "e", "size": 1, "price": 4500.0, "time": 1, "isSimulated": True})
)
def test_no_execution_breaks_more_than_itself(plain: dict[str, Any]) -> None:
    """Whatever stands in it: an execution with a size and a finite price, or ProtocolError."""
    try:
        execution = read_execution(plain, ES)
    except ProtocolError:
        return
    assert execution.size > 0
    assert math.isfinite(execution.price)


@given(
    hostile(
        {
            "position": 1,
            "averagePrice": 4500.0,
            "volume": 2,
            "workingBuys": 1,
            "currency": "USD",
            "accountId": "a",
        }
    ),
    hostile({"balance": 1.0, "currency": "USD", "netLiquidityValue": 2.0, "rateToBase": 1.0}),
    ANYTHING,
)
def test_no_report_of_money_breaks_more_than_itself(
    position: dict[str, Any], balance: dict[str, Any], other: object
) -> None:
    """Whatever stands in them: messages that can be sent, with finite numbers, or ProtocolError."""
    sent: list[Any] = []
    with contextlib.suppress(ProtocolError):
        sent.append(read_position(position, ES, NOW)[1])
    sent += read_balances({"balancesInCurrency": [balance, other]}, NOW)
    msgspec.json.encode(sent)
    for message in sent:
        numbers = [v for v in msgspec.to_builtins(message).values() if isinstance(v, float)]
        assert all(map(math.isfinite, numbers))
    with pytest.raises(ProtocolError):
        list(read_balances({"balancesInCurrency": None}, NOW))
