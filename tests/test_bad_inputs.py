"""Bad inputs 1–12, 16–19 and 24 of the reliability promises: messages. Each gets a clear answer, and nothing else is harmed.

Messages go over a real WebSocket: from a bridge worked by hand to our client, and from a plain client to our server.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

import workbench as wb
from tests.support.eventually import eventually
from tests.support.following import KINDS, Follower, answer, close_code, plain_client
from tests.support.scripted_bridge import GRID, ScriptedBridge
from tests.support.serving import ServedFeed
from workbench.errors import (
    InstrumentError,
    WorkbenchError,
)
from workbench.events import Instrument
from workbench.protocol.limits import MAX_MESSAGE_BYTES


@pytest.fixture
def bridge() -> Iterator[ScriptedBridge]:
    with ScriptedBridge() as scripted:
        yield scripted


@pytest.fixture
def follower(bridge: ScriptedBridge) -> Iterator[Follower]:
    following = Follower(bridge)
    with following.client:
        yield following


@pytest.fixture(scope="module")
def feed() -> Iterator[ServedFeed]:
    with ServedFeed() as served:
        yield served


Spoil = Callable[[ScriptedBridge], str]


def field(**fields: object) -> Spoil:
    """Text of a row in which something is wrong."""
    return lambda bridge: bridge.row(**fields)


def literal(right: str, wrong: str) -> Spoil:
    """Text of a row in which a literal stands that a writer of JSON would not write."""
    return lambda bridge: bridge.row().replace(right, wrong)


BAD_MESSAGES: dict[str, tuple[Spoil, str, str]] = {
    "01 not JSON": (lambda bridge: '{"type": oops}', "bad_json", "bad_json at byte 9"),
    "02 NaN": (literal("101.0", "NaN"), "non_finite", "non_finite field=price"),
    "02 Infinity": (literal("101.0", "-Infinity"), "non_finite", "non_finite field=price"),
    "03 1e400": (literal("101.0", "1e400"), "non_finite", "non_finite field=price"),
    "04 beyond 64 bits": (field(order_id=2**64), "out_of_range", "out_of_range field=order_id"),
    "05 nested 100,000 deep": (lambda bridge: "[" * 100_000, "too_deep", "too_deep"),
    "06 lone surrogate": (field(symbol="\ud800"), "bad_text", "lone surrogate"),
    "09 missing field": (field(price=None), "missing_field", "missing field 'price' in TRADE"),
    "10 price off the grid": (
        lambda bridge: bridge.row("DEPTH", price=100.55),
        "off_grid",
        "price must be integer ticks",
    ),
    "11 bool as size": (field(size=True), "bad_type", "size must be"),
    "12 negative size": (field(size=-1), "bad_value", "size < 0"),
    "24 key twice": (literal('"size": 1', '"size": 1, "size": 2'), "duplicate_key", "duplicate key 'size'"),
}


@pytest.mark.parametrize("name", BAD_MESSAGES)
def test_bad_message_to_the_client(
    bridge: ScriptedBridge, follower: Follower, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """It is counted, the first example is kept and logged; connection and data go on as if it had not come."""
    spoil, code, phrase = BAD_MESSAGES[name]
    follower.follow()
    bridge.send_row()
    bridge.send(spoil(bridge))
    bridge.send_row()
    eventually(lambda: follower.trades() == 2)
    health = follower.client.health
    assert phrase in health.examples[code]
    assert phrase in caplog.text
    assert (health.bad_messages, health.lost, health.reconnects, health.state) == (1, 0, 0, "ready")


TO_THE_SERVER = [name for name in BAD_MESSAGES if name[:2] in ("01", "02", "03", "04", "05", "24")]


@pytest.mark.parametrize("name", TO_THE_SERVER)
def test_bad_message_to_the_server(feed: ServedFeed, bridge: ScriptedBridge, name: str) -> None:
    """It is answered with its code, and the client that sent it goes on."""
    spoil, code, phrase = BAD_MESSAGES[name]
    with plain_client(feed) as client:
        client.send(spoil(bridge))
        error = answer(client, "ERROR")
        assert error["code"] == code
        assert phrase in str(error["message"])
        client.send('{"type": "INSTRUMENTS", "request_id": 1}')
        assert answer(client, "INSTRUMENTS")["request_id"] == 1


def test_06_invalid_utf8_closes_with_1007(feed: ServedFeed) -> None:
    """Bytes that are no UTF-8 in a text message end that connection; so does an escaped lone surrogate."""
    with plain_client(feed) as client:
        client.send(b"\xff\xfe", text=True)
        assert close_code(client) == 1007
    with plain_client(feed) as client:
        client.send('{"type": "\\ud800"}')
        assert close_code(client) == 1007


def test_06_invalid_utf8_from_a_bridge(bridge: ScriptedBridge, follower: Follower) -> None:
    """The client leaves with 1007, comes back by itself and goes on."""
    follower.follow()
    bridge.send_row()
    for websocket in list(bridge._sockets):
        websocket.send(b"\xff\xfe", text=True)
    eventually(lambda: follower.client.health.reconnects == 1)
    assert bridge.close_codes == [1007]
    eventually(lambda: len(bridge.of_type("SUBSCRIBE")) == 2)
    bridge.send_row()
    eventually(lambda: follower.trades() == 2)


def test_07_frame_beyond_the_limit_closes_with_1009(feed: ServedFeed) -> None:
    """A message above 1 MiB ends that connection."""
    with plain_client(feed) as client:
        client.send(" " * (MAX_MESSAGE_BYTES + 1))
        assert close_code(client) == 1009


def test_07_frame_beyond_the_limit_from_a_bridge(bridge: ScriptedBridge, follower: Follower) -> None:
    """The client leaves with 1009, comes back by itself and goes on."""
    follower.follow()
    bridge.send(" " * (MAX_MESSAGE_BYTES + 1))
    eventually(lambda: len(bridge.of_type("SUBSCRIBE")) == 2)
    assert bridge.close_codes == [1009]
    bridge.send_row()
    eventually(lambda: follower.trades() == 1)


def test_08_unknown_type_is_counted_and_ignored(
    bridge: ScriptedBridge, follower: Follower, feed: ServedFeed, caplog: pytest.LogCaptureFixture
) -> None:
    """A newer peer may send more: unknown types are no bad messages, however many; the first is logged."""
    follower.follow()
    for _ in range(30):
        bridge.send('{"type": "foo"}')
    bridge.send_row()
    eventually(lambda: follower.trades() == 1)
    health = follower.client.health
    assert (health.unknown_messages, health.bad_messages, health.reconnects) == (30, 0, 0)
    assert caplog.text.count("unknown_type 'foo' (protocol 1.0)") == 1
    with plain_client(feed) as client:
        client.send('{"type": "foo"}')
        assert answer(client, "ERROR")["message"] == "unknown_type 'foo' (protocol 1.0)"


def test_16_unknown_instrument_names_the_known_ones(feed: ServedFeed) -> None:
    """On the wire and in a session."""
    with plain_client(feed) as client:
        client.send('{"type": "SUBSCRIBE", "symbol": "X", "request_id": 7}')
        error = answer(client, "ERROR")
        assert (error["code"], error["request_id"]) == ("unknown_instrument", 7)
        assert error["message"] == "unknown instrument 'X'; have [SYN]"
    with (
        wb.simulate(inline=True) as session,
        pytest.raises(WorkbenchError, match="unknown instrument 'X'; have"),
    ):
        session["X"]


@pytest.mark.parametrize("symbol", ["ESZ6\n", "ESZ6\ue000", "ESZ6\0"])
def test_17_control_character_in_a_name(feed: ServedFeed, symbol: str) -> None:
    """Refused with the character and its place: on the wire, and for an instrument of one's own."""
    phrase = f"alias contains control character U+{ord(symbol[-1]):04X} at 4"
    with plain_client(feed) as client:
        client.send(json.dumps({"type": "SUBSCRIBE", "symbol": symbol}))
        assert phrase in str(answer(client, "ERROR")["message"])
    with pytest.raises(InstrumentError, match=phrase.replace("+", r"\+")):
        Instrument(symbol, "0.25")


BAD_GRIDS = {
    "18 tick size 0": ("tick_size", "0"),
    "18 tick size negative": ("tick_size", "-0.25"),
    "18 tick size NaN": ("tick_size", "NaN"),
    "19 lot size 0": ("lot_size", "0"),
}


@pytest.mark.parametrize("name", BAD_GRIDS)
def test_impossible_grid(bridge: ScriptedBridge, follower: Follower, name: str) -> None:
    """Refused with name and value: from a feed, whose client lives on, and for an instrument of one's own."""
    what, value = BAD_GRIDS[name]
    phrase = f"instrument 'SYN' has {what}={value}: refused"
    bridge.instrument = GRID | {what: value}
    follower.client.subscribe("SYN", KINDS)
    eventually(lambda: follower.client.health.bad_messages)
    assert phrase in follower.client.health.examples["bad_instrument"]
    assert follower.client.state == "ready"
    grid = {"tick_size": "1", "lot_size": "1"} | {what: value}
    with pytest.raises(InstrumentError, match=phrase):
        Instrument("SYN", **grid)  # type: ignore[arg-type]
