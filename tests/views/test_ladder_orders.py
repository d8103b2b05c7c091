"""Own orders on a ladder: what the page is told of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.eventually import eventually
from tests.support.scripted_engine import ScriptedEngine, fill, order
from tests.support.view_events import START_NS
from workbench.book.orders import OrderBook
from workbench.events import Array, EventBatch, EventKind
from workbench.protocol import messages
from workbench.session import Session
from workbench.views.ladder import Ladder
from workbench.views.ladder_orders import OwnOrders

TICK = 399


@pytest.fixture
def engine() -> Iterator[ScriptedEngine]:
    with ScriptedEngine() as scripted:
        yield scripted


@pytest.fixture
def session(engine: ScriptedEngine) -> Iterator[Session]:
    with engine.session() as opened:
        opened.arm(minutes=5, max_orders=10, max_size=5)
        yield opened


def displayed(session: Session) -> int:
    return session.capture().book.size_at(1, TICK)


def happened(kind: EventKind, side: int, size: int) -> list[tuple[Array, ...]]:
    """One event at the order's price."""
    return [EventBatch.of(ts=START_NS, kind=kind, side=side, price=TICK, size=size).columns]


def test_an_order_stands_behind_what_is_displayed_and_moves_up(session: Session) -> None:
    """Estimated from prints and sizes, from the moment on at which it is seen."""
    own = OwnOrders(session, session.capture())
    session.orders.buy(2, limit=99.75)
    (facts,) = own.told()["orders"]
    level = displayed(session)
    assert level > 3
    assert (facts["tick"], facts["side"], facts["size"], facts["status"]) == (TICK, 1, 2.0, "NEW")
    assert (facts["ahead"], facts["of"]) == (level, level) and "exact" not in facts
    own.follow(happened(EventKind.TRADE, -1, 3))
    assert own.told()["orders"][0]["ahead"] == level - 3
    own.follow(happened(EventKind.DEPTH, 1, 1))
    assert own.told()["orders"][0]["ahead"] == 1


def test_an_order_that_moves_stands_at_the_end_again(engine: ScriptedEngine, session: Session) -> None:
    """Another price is another queue; one that has ended stands in none."""
    own = OwnOrders(session, session.capture())
    resting = session.orders.buy(2, limit=99.75)
    own.told()
    engine.tell(order(resting.client_order_id, price=99.5))
    eventually(lambda: resting.limit == 99.5)
    assert own.told()["orders"][0]["ahead"] == session.capture().book.size_at(1, 398)
    engine.tell(order(resting.client_order_id, price=99.5, status="CANCELED", leaves=0.0))
    eventually(lambda: not resting.is_open)
    assert own.told()["orders"] == []


def test_where_the_venue_tells_every_order_the_place_is_exact(
    engine: ScriptedEngine, session: Session
) -> None:
    """The platform's number of ours is found in the by-order book: 5 lots stand before it."""
    capture = session.capture()
    batch = EventBatch.of(kind=EventKind.MBO_NEW, side=1, price=TICK, size=[5, 2, 9], order_id=[70, 71, 72])
    capture.orders = OrderBook()
    capture.orders.apply(batch)
    capture.has_orders = True
    own = OwnOrders(session, capture)
    engine.tell(order("mine", order_id="71"))
    (facts,) = eventually(lambda: own.told()["orders"])
    assert (facts["ahead"], facts["of"], facts["exact"]) == (5, 16, True)
    engine.tell(order("mine", order_id="70", price=99.5))  # an order of this number rests elsewhere
    assert eventually(lambda: "exact" not in own.told()["orders"][0])


def test_doubt_and_refusals_are_told(engine: ScriptedEngine, session: Session) -> None:
    """What is not known is marked; a refusal is said once; earlier ones are old news."""
    engine.tell(order("old", status="REJECTED", leaves=0.0, reason="too big"))
    eventually(lambda: "old" in session.orders)
    own = OwnOrders(session, session.capture())
    assert own.told()["notes"] == []
    engine.tell(order("doubtful", unknown=True, reason="no answer"))
    eventually(lambda: "doubtful" in session.orders)
    assert own.told()["orders"][0]["unknown"] == "no answer"
    engine.tell(order("new", status="REJECTED", leaves=0.0, reason="PRICE_BAND"))
    eventually(lambda: "new" in session.orders)
    for _ in range(2):
        assert own.told()["notes"] == [(1, "rejected: buy 2 at 99.75: PRICE_BAND")]


def test_the_position_is_told_in_ticks_of_its_entry(engine: ScriptedEngine, session: Session) -> None:
    """Short 2 from 100: −2 and 400; flat: nothing."""
    own = OwnOrders(session, session.capture())
    assert own.told()["position"] is None
    engine.tell(messages.Position(symbol="SYN", position=-2.0, avg_price=100.0, ts=1))
    eventually(lambda: own.told()["position"] == [-2.0, 400.0])
    engine.tell(messages.Position(symbol="SYN", position=0.0, avg_price=None, ts=2))
    eventually(lambda: own.told()["position"] is None)


def test_orders_of_another_instrument_are_not_shown(engine: ScriptedEngine, session: Session) -> None:
    """One ladder, one instrument; fills change what is left of an order."""
    own = OwnOrders(session, session.capture())
    engine.tell(order("theirs", symbol="OTHER"))
    engine.tell(order("mine", status="PARTIALLY_FILLED", filled=1.0, leaves=1.0))
    engine.tell(fill("mine", "e1"))
    facts = eventually(lambda: own.told()["orders"])
    assert [(one["id"], one["size"]) for one in facts] == [("mine", 1.0)]


def test_the_page_and_the_picture_show_orders_position_and_reason(
    engine: ScriptedEngine, session: Session
) -> None:
    """All that a page is told stands in the still twin, too."""
    engine.publish(40)
    eventually(lambda: len(session.trades) > 0)
    session.orders.buy(2, limit=99.75)
    engine.tell(messages.Position(symbol="SYN", position=1.0, avg_price=99.75, ts=1))
    eventually(lambda: not session.positions.is_empty())
    view = Ladder(session, rows=9, row_ticks=1)
    content, _ = view._still()
    assert content["why"] == "" and content["desk"]["left"] == 10
    table = view.figure().data[-1]
    texts = dict(zip(view.options["columns"], table.cells["values"]))
    at = list(texts["price"]).index("99.75")
    assert texts["buys"][at].startswith("2 ≈")
    assert texts["profit"][at - 1] == "+0.25" and texts["profit"][at] == "0"
    assert view.picture()[:4] == b"\x89PNG"
    view.close()
