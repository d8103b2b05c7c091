"""Bad orders through a session on paper: misuse raises at once, what risk refuses is an order that says why, with numbers.

Old books and streams with holes are in ``tests/trading/test_paper.py``, locks of a platform in ``tests/test_session_arming.py``.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

import workbench as wb
from workbench.errors import WorkbenchError
from workbench.protocol import messages
from workbench.session import Session

LIMITS = wb.Limits(position=10, notional=Decimal(2_000_000), per_second=None, per_minute=None)
Asks = Callable[[Session, float], Any]


@pytest.fixture
def session() -> Iterator[Session]:
    with wb.simulate(seed=7, inline=True, paper=wb.PaperTerms(limits=LIMITS)) as opened:
        opened.advance("5s")
        yield opened


def as_sent(session: Session, **facts: Any) -> Any:
    """Place an order as a foreign client may, past the checks of a session."""
    plain = {
        "symbol": "ES-SIM",
        "side": "BUY",
        "order_type": "LIMIT",
        "quantity": 1.0,
        "client_order_id": "x",
    }
    return session._line.ask(messages.PlaceOrder(**(plain | facts)))


RAISES: dict[str, tuple[Asks, str]] = {
    "size 0": (lambda s, bid: s.orders.buy(0), "size 0 .* at least 1"),
    "size below 0": (lambda s, bid: s.orders.buy(-1), "size -1 .* at least 1"),
    "size off the grid": (lambda s, bid: s.orders.buy(1.5), "size 1.5 .* nearest 1 or 2"),
    "tif 5": (lambda s, bid: s.orders.buy(1, limit=bid, tif=5), "UNSUPPORTED_TIME_IN_FORCE: 5; expected one of"),
    "size True": (lambda s, bid: s.orders.buy(True), "size True; expected a number"),
    "size as text": (lambda s, bid: s.orders.buy("1"), "size '1'; expected a number"),  # type: ignore[arg-type]
    "size nan": (lambda s, bid: s.orders.buy(math.nan), "size nan .* finite"),
    "price nan": (lambda s, bid: s.orders.buy(1, limit=math.nan), "price nan .* finite"),
    "price off the grid": (lambda s, bid: s.orders.buy(1, limit=5002.85), "nearest 5002.75 or 5003.00"),
    "name too long": (lambda s, bid: s.orders.buy(1, client_order_id="x" * 33), "INVALID_CLIENT_ORDER_ID"),
    "name of other characters": (lambda s, bid: s.orders.buy(1, client_order_id="a b"), "INVALID_CLIENT_ORDER_ID"),
    "cancel of nothing": (lambda s, bid: s.orders.cancel("nope"), "unknown order 'nope'"),
    "change to nothing new": (lambda s, bid: s.orders.replace(s.orders.buy(1, limit=bid - 1)), "nothing new"),
    "no such instrument": (lambda s, bid: s.orders.buy(1, symbol="NQ"), "unknown instrument 'NQ'; have"),
}  # fmt: skip

REFUSES: dict[str, tuple[Asks, str]] = {
    "far too large": (lambda s, bid: s.orders.buy(10**12), "QUANTITY_TOO_LARGE: 1000000000000; at most 2147483647"),
    "too large": (lambda s, bid: s.orders.buy(101), "QUANTITY_EXCEEDS_LIMIT: 101 lots; at most 100"),
    "price 0": (lambda s, bid: s.orders.buy(1, limit=0), "INVALID_PRICE: price 0 ticks"),
    "far from the market": (lambda s, bid: s.orders.buy(1, limit=bid - 20), "PRICE_BAND: price"),
    "limit without a price": (lambda s, bid: as_sent(s), "PRICE_REQUIRED: a LIMIT order"),
    "market with a price": (lambda s, bid: as_sent(s, order_type="MARKET", price=bid), "PRICE_NOT_ALLOWED: a MARKET"),
    "stop on the wrong side": (lambda s, bid: s.orders.buy(1, stop=bid - 1), "STOP_ON_WRONG_SIDE: a buy stop"),
    "no such duration": (lambda s, bid: s.orders.buy(1, limit=bid, tif="DYP"), "UNSUPPORTED_TIME_IN_FORCE: 'DYP'; have GTC"),
    "position": (lambda s, bid: s.orders.buy(11), "POSITION_LIMIT_EXCEEDED: 11 lots with all orders executed; at most 10"),
    "notional": (lambda s, bid: s.orders.buy(9), "NOTIONAL_EXCEEDS_LIMIT: 2251293.75"),
    "nothing to reduce": (lambda s, bid: s.orders.sell(1, reduce_only=True), "REDUCE_ONLY_WOULD_INCREASE: -1 lots"),
    "an old click": (lambda s, bid: s.orders.buy(1, clicked=time.time_ns() - 2_800_000_000), "STALE_CLICK: "),
    "halted": (lambda s, bid: (s.panic(), s.orders.buy(1))[1], "TRADING_HALTED: panic"),
}  # fmt: skip


@pytest.mark.parametrize("what", RAISES)
def test_misuse_raises_and_sends_nothing(session: Session, what: str) -> None:
    """With what was found and what was expected; no order comes of it."""
    ask, said = RAISES[what]
    before = len(session.fills)
    with pytest.raises(WorkbenchError, match=said):
        ask(session, session.book.best_bid or 0)
    assert len(session.fills) == before


@pytest.mark.parametrize("what", REFUSES)
def test_what_risk_refuses_says_why(session: Session, what: str) -> None:
    """It is an order that never left, with a code word first and the numbers."""
    ask, said = REFUSES[what]
    order = ask(session, session.book.best_bid or 0)
    assert order.status == "REJECTED" and order.reason.startswith(said)
    assert not len(session.fills)


def test_a_name_is_one_order_for_good(session: Session) -> None:
    """Other terms under it are refused by the session, and by the desk for clients that do not ask it."""
    bid = session.book.best_bid or 0
    order = session.orders.buy(1, limit=bid - 2, client_order_id="d")
    assert session.orders.buy(1, limit=bid - 2, client_order_id="d") is order
    with pytest.raises(WorkbenchError, match="belongs to another order"):
        session.orders.buy(2, limit=bid - 2, client_order_id="d")
    with pytest.raises(WorkbenchError, match="DUPLICATE_ID_DIFFERENT_ORDER: 'd' is another order, NEW"):
        as_sent(session, client_order_id="d", price=bid - 1)
    assert len(session.orders) == 1


def test_what_has_ended_is_too_late_to_change(session: Session) -> None:
    """It says where it ended; taking it back is no error, as nothing is left of it."""
    order = session.orders.buy(2)
    assert order.status == "FILLED" and session.orders.cancel(order) is order
    late = messages.CancelOrder(client_order_id=order.client_order_id, symbol="ES-SIM")
    with pytest.raises(WorkbenchError, match="too_late: FILLED since"):
        session._line.ask(late)
    with pytest.raises(WorkbenchError, match="too_late: FILLED"):
        session.orders.replace(order, 1)


def test_more_than_five_in_a_second_are_refused() -> None:
    """Orders and changes count, cancels never do."""
    with wb.simulate(seed=7, inline=True) as session:
        session.advance("5s")
        limit = (session.book.best_bid or 0) - 2
        orders = [session.orders.buy(1, limit=limit) for _ in range(6)]
        assert orders[-1].reason == "RATE_LIMIT_EXCEEDED: 5 in 1 s; at most 5"
        session.orders.cancel_all()
        assert not session.orders.open


def test_a_closed_session_queues_nothing() -> None:
    """An order that cannot leave is refused at once and never goes later."""
    session = wb.simulate(seed=7, inline=True)
    session.close()
    with pytest.raises(WorkbenchError, match="the session is closed"):
        session.orders.buy(1)
    assert [order.status for order in session.orders] == ["REJECTED"]
