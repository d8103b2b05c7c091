"""What a server sends to whom: subscriptions, turns, ladders, the account; and commands."""

from __future__ import annotations

import json

import pytest

from tests.support.open_server import open_server, say, sent
from tests.support.wire import CRYPTO, INSTRUMENT, MS, Feed, depth
from workbench.protocol import messages
from workbench.protocol.notices import CommandReceived, SubscriptionChanged


def test_subscribing_twice_changes_nothing() -> None:
    """A repeated subscription is answered again and starts no second snapshot."""
    feed = Feed()
    feed.publish(depth(0, 3))
    server = open_server(feed)
    types = [m["type"] for m in say(server, type="SUBSCRIBE", symbol="ESZ6")]
    assert types == ["SUBSCRIBED", "SNAPSHOT", "SNAPSHOT_END"]
    assert [m["type"] for m in say(server, type="SUBSCRIBE", symbol="ESZ6")] == ["SUBSCRIBED"]
    assert server.events() == [SubscriptionChanged("ESZ6", frozenset({"FULL_ORDER_BOOK", "TRADES"}))]


def test_unsubscribe_ends_the_data() -> None:
    """After UNSUBSCRIBE nothing of the instrument comes; doing it again is no error."""
    feed = Feed()
    server = open_server(feed)
    say(server, type="SUBSCRIBE", symbol="ESZ6")
    assert say(server, type="UNSUBSCRIBE", symbol="ESZ6")[0]["type"] == "UNSUBSCRIBED"
    feed.publish(depth(0, 3))
    assert not server.has_data and not sent(server)
    assert say(server, type="UNSUBSCRIBE", symbol="ESZ6")[0]["type"] == "UNSUBSCRIBED"


@pytest.mark.parametrize("kind", ["PLACE_ORDER", "CANCEL_ORDER", "REPLACE_ORDER", "CANCEL_ALL"])
def test_orders_need_an_armed_feed(kind: str) -> None:
    """Unarmed, orders are answered with read_only; armed, they are handed up."""
    fields = {"symbol": "ESZ6", "side": "BUY", "order_type": "MARKET", "quantity": 1, "client_order_id": "c1"}
    server = open_server()
    (error,) = say(server, type=kind, request_id="r", **fields)
    assert (error["code"], error["request_id"]) == ("read_only", "r") and not server.events()
    armed = open_server(armed=True)
    assert say(armed, type=kind, request_id="r", **fields) == []
    (notice,) = armed.events()
    assert isinstance(notice, CommandReceived) and notice.command.request_id == "r"


def test_engine_commands_are_handed_up() -> None:
    """RECORD, REPLAY, HEALTH and their like are for the owner of the server."""
    server = open_server()
    server.receive('{"type":"RECORD","out":"x","symbols":["ESZ6"]}', 0)
    server.receive('{"type":"REPLAY","action":"seek","value":12}', 0)
    server.receive('{"type":"HEALTH"}', 0)
    commands = [n.command for n in server.events() if isinstance(n, CommandReceived)]
    assert commands == [
        messages.Record(out="x", symbols=["ESZ6"]),
        messages.Replay(action="seek", value=12),
        messages.HealthQuery(),
    ]


def test_account_messages_reach_subscribers_of_account_only() -> None:
    """ORDER, FILL, POSITION and BALANCE go to those who asked; answers to a request always go."""
    server = open_server(Feed(INSTRUMENT, CRYPTO))
    say(server, type="SUBSCRIBE", symbol="ESZ6", data=["ACCOUNT"])
    for symbol in ("ESZ6", "BTCUSDT"):
        server.send(messages.Position(symbol=symbol, position=1, ts=1))
    server.send(messages.Balance(currency="USD", cash=1, equity=1, ts=1))
    assert [(m["type"], m.get("symbol")) for m in sent(server)] == [("POSITION", "ESZ6"), ("BALANCE", None)]


def test_newest_state_replaces_an_unsent_one() -> None:
    """Of a state only the newest is sent."""
    server = open_server()
    for ts in range(5):
        server.send_latest("health", messages.Health(ts=ts))
    assert [m["ts"] for m in sent(server)] == [4]


def test_instruments_take_turns() -> None:
    """A busy instrument does not starve the others."""
    feed = Feed(INSTRUMENT, CRYPTO)
    server = open_server(feed)
    for symbol in ("ESZ6", "BTCUSDT"):
        say(server, type="SUBSCRIBE", symbol=symbol)
    for n in range(5):
        feed.publish(depth(10 * n, 10), "ESZ6")
        feed.publish(depth(10 * n, 10), "BTCUSDT")
    first = [json.loads(f)["symbol"] for f in server.data_to_send(0, max_bytes=3_000)]
    assert set(first) == {"ESZ6", "BTCUSDT"}


def test_ladder_is_conflated_to_its_interval() -> None:
    """DOM comes at most once an interval, only after changes, and shows the newest state."""
    feed = Feed()
    feed.publish(depth(0, 1))
    server = open_server(feed)
    request = {
        "type": "SUBSCRIBE",
        "symbol": "ESZ6",
        "data": ["DOM"],
        "dom_levels": 2,
        "dom_interval_ms": 100,
    }
    subscribed, dom = say(server, **request)
    assert subscribed["snapshot"] is False and len(dom["bids"]) == 2 and dom["sequence"] == 0
    for n in range(1, 30):
        feed.publish(depth(n, 1))
        server.on_time(n * MS)
        assert not sent(server, n * MS)
    server.on_time(100 * MS)
    assert [m["sequence"] for m in sent(server, 100 * MS)] == [29]
    server.on_time(200 * MS)
    assert not sent(server, 200 * MS)
