"""One-cancels-other groups, trailing stops and timed commands through a session, as over the wire."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

import workbench as wb
from workbench.errors import WorkbenchError
from workbench.protocol import messages
from workbench.session import Session


@pytest.fixture
def session() -> Session:
    opened = wb.simulate(seed=7, inline=True)
    opened.advance("5s")
    return opened


def in_ticks(session: Session, ticks: int) -> float:
    return ticks * float(session.instrument.tick_size)


def test_one_of_a_group_ends_the_other(session: Session) -> None:
    """What is executed of one is taken from the other, and nothing is left of it."""
    session.orders.buy(2)
    far = session.book.best_bid + in_ticks(session, 40)
    stop = session.book.best_bid - in_ticks(session, 2)
    profit = session.orders.sell(2, limit=far, oco="exit", reduce_only=True)
    loss = session.orders.sell(2, stop=stop, oco="exit", reduce_only=True)
    assert (profit.status, loss.status) == ("NEW", "SUSPENDED")
    session.until(predicate=lambda s: not s.orders.open)
    assert {profit.status, loss.status} == {"FILLED", "CANCELED"}
    assert session.positions["position"].to_list() == [0.0]
    ended = profit if profit.status == "CANCELED" else loss
    assert "exit" not in ended.reason and ended.reason.startswith(("OCO", "REDUCED"))


def test_a_trailing_stop_follows_and_never_goes_back(session: Session) -> None:
    """It begins at its distance from the best price of the other side, and its stop only rises for a sale."""
    session.orders.buy(1)
    begins = session.book.best_bid - in_ticks(session, 3)
    order = session.orders.sell(1, trailing=3)
    assert (order.order_type, order.stop, order.status) == ("TRAILING_STOP", begins, "SUSPENDED")
    session.until(predicate=lambda s: not order.is_open)
    told = session.orders.history.filter(client_order_id=order.client_order_id)["stop_price"].to_list()
    assert told == sorted(told) and told[0] == begins
    assert order.status == "FILLED"


def test_the_same_name_is_the_same_trailing_stop(session: Session) -> None:
    """Also where its beginning would be another by now."""
    first = session.orders.sell(1, trailing=30, client_order_id="mine")
    session.advance("5s")
    assert session.orders.sell(1, trailing=30, client_order_id="mine") is first and len(session.orders) == 1


def test_a_stop_that_could_trail_from_nowhere_is_refused() -> None:
    """Distances are whole ticks, and a start needs a price."""
    with wb.simulate(seed=7, inline=True) as session:
        with pytest.raises(WorkbenchError, match="trailing=0"):
            session.orders.sell(1, trailing=0)
        session.capture().clear()
        with pytest.raises(WorkbenchError, match="Name where it begins"):
            session.orders.sell(1, trailing=3)


def test_a_timed_command_is_carried_out_at_its_time(session: Session) -> None:
    """To the nanosecond, after all rows of then; what it was asked beforehand is kept, and a past time is now."""
    line, now = session._line, session.clock.now
    at = line.now_ns + 250_000_001
    place = messages.PlaceOrder(
        symbol="ES-SIM", side="BUY", order_type="MARKET", quantity=1.0, client_order_id="later", at=at
    )
    assert line.ask(place) == messages.Done()
    assert (
        line.ask(messages.CancelOrder(client_order_id="later", symbol="ES-SIM", at=at + 1)) == messages.Done()
    )
    assert "later" not in session.orders
    session.advance("300ms")
    assert session.orders["later"].status == "FILLED"
    assert session.fills["ts"].cast(int).to_list() == [at]
    past = messages.PlaceOrder(
        symbol="ES-SIM", side="SELL", order_type="MARKET", quantity=1.0, client_order_id="past", at=1
    )
    assert isinstance(line.ask(past), messages.Order) and session.clock.now > now


def test_a_timed_order_that_is_refused_is_told(session: Session) -> None:
    """Nobody waits for its answer, so its state says why."""
    at = session._line.now_ns + 50_000_000
    order = messages.PlaceOrder(
        symbol="ES-SIM", side="BUY", order_type="STOP", quantity=1.0, client_order_id="wrong", at=at
    )
    session._line.ask(order)
    session.advance("100ms")
    assert session.orders["wrong"].reason.startswith("STOP_PRICE_REQUIRED")


@pytest.mark.parametrize("tif", ["GTC", "GTD", "DAY"])
@pytest.mark.parametrize(
    "write", [lambda end: end, lambda end: end.isoformat(), lambda end: int(end.timestamp() * 1e9)]
)
def test_an_order_ends_at_the_time_that_it_names(session: Session, tif: str, write: Any) -> None:
    """It works a moment before and is gone a moment after; an end alone makes it a GTD order."""
    end = session.clock.now + timedelta(seconds=10)
    low = session.book.best_bid - in_ticks(session, 20)
    order = session.orders.buy(1, limit=low, tif=tif, expires=write(end))
    assert order.tif == ("DAY" if tif == "DAY" else "GTD")
    session.advance("9900ms")
    assert order.status == "NEW"
    session.advance("200ms")
    assert (order.status, order.reason) == ("EXPIRED", "EXPIRED: its time is over")


def test_an_end_that_is_none_is_refused(session: Session) -> None:
    """Without a zone or in the past, and where an order has no end."""
    low = session.book.best_bid - in_ticks(session, 20)
    with pytest.raises(WorkbenchError, match="without a time zone"):
        session.orders.buy(1, limit=low, expires=datetime(2025, 1, 6))
    past = session.orders.buy(1, limit=low, expires=session.clock.now - timedelta(seconds=1))
    assert past.status == "REJECTED" and past.reason.startswith("EXPIRED_ALREADY")
    taking = session.orders.buy(1, limit=low, tif="IOC", expires=session.clock.now + timedelta(seconds=1))
    assert taking.status == "REJECTED" and taking.reason.startswith("EXPIRY_NOT_ALLOWED")
