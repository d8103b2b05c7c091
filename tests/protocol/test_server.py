"""The server's side of one connection."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.wire import CRYPTO, INSTRUMENT, MS, SECRET, Feed, depth
from workbench.protocol import limits, messages
from workbench.protocol.limits import SECOND_NS
from workbench.protocol.login import LoginGuard, client_proof
from workbench.protocol.notices import CommandReceived, LoggedIn, LoginRefused, SubscriptionChanged
from workbench.protocol.server import ServerConnection
from workbench.protocol.transitions import SERVER as TRANSITIONS

NONCE = b"\x01" * 32


def _server(feed: Feed | None = None, **options: Any) -> ServerConnection:
    settings: dict[str, Any] = {"now": 0, "nonce": NONCE, "secret": SECRET, **options}
    return ServerConnection((feed or Feed()).streams, **settings)


def _open(feed: Feed | None = None, **options: Any) -> ServerConnection:
    server = _server(feed, authorization=f"Bearer {SECRET}", **options)
    _sent(server)
    server.events()
    return server


def _say(server: ServerConnection, now: int = 0, **fields: object) -> list[Any]:
    server.receive(json.dumps(fields), now)
    return _sent(server, now)


def _sent(server: ServerConnection, now: int = 0) -> list[Any]:
    return [json.loads(f) if isinstance(f, str) else f for f in server.data_to_send(now)]


# -- answers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "SUBSCRIBE"},
        {"type": "SUBSCRIBE", "symbol": "ESZ6", "data": ["FOO"]},
        {"type": "SUBSCRIBE", "symbol": "ESZ6", "from_sequence": -1},
        {"type": "FOO"},
        {"type": "PLACE_ORDER", "symbol": "ESZ6"},
    ],
)
def test_error_names_the_request_it_answers(fields: dict[str, object]) -> None:
    """Whoever sent a message that cannot be taken learns which of his it was; without a name it is null."""
    server = _open()
    (named,) = _say(server, **fields, request_id="r-1")
    (unnamed,) = _say(server, **fields)
    assert named["type"] == unnamed["type"] == "ERROR"
    assert named["request_id"] == "r-1" and unnamed["request_id"] is None


# -- login ---------------------------------------------------------------------------------------------------------


def test_right_token_is_welcomed() -> None:
    """LOGIN with the token opens the feed and tells version, limits and rights."""
    server = _server(session="s9")
    (welcome,) = _say(server, type="LOGIN", token=SECRET, request_id=4)
    assert welcome["type"] == "WELCOME" and welcome["request_id"] == 4 and welcome["session"] == "s9"
    assert welcome["version"] == "1.0" and welcome["read_only"] and welcome["symbols"] == ["ESZ6"]
    assert server.events() == [LoggedIn("token", "")]


@pytest.mark.parametrize("token", ["", "x", SECRET[:-1], SECRET + "x", SECRET.upper(), " " + SECRET, "é"])
def test_wrong_token_is_refused(token: str) -> None:
    """Empty, cut, longer and other tokens are all answered the same, and the connection ends with 1008."""
    server = _server()
    (error,) = _say(server, type="LOGIN", token=token)
    assert error["code"] == "bad_token" and server.closing is not None and server.closing.code == 1008
    assert server.events() == [LoginRefused("token")]
    assert SECRET not in json.dumps(error)


@pytest.mark.parametrize("header", [f"Bearer {SECRET}", f"bearer  {SECRET} "])
def test_bearer_header_logs_in(header: str) -> None:
    """``Authorization: Bearer`` is a login of its own."""
    assert _sent(_server(authorization=header))[0]["type"] == "WELCOME"


@pytest.mark.parametrize("header", [None, "", "Bearer", f"Basic {SECRET}", SECRET])
def test_no_bearer_token_is_no_login(header: str | None) -> None:
    """Other headers leave the connection as it was: waiting for a login."""
    server = _server(authorization=header)
    assert server.state == "new" and not _sent(server)


def test_without_login_the_connection_ends_after_two_seconds() -> None:
    """Whoever does not log in is closed with 1008 after 2 s."""
    server = _server()
    assert server.deadline() == 2 * SECOND_NS
    server.on_time(2 * SECOND_NS)
    assert server.closing is not None and server.closing.code == 1008


def test_third_wrong_token_waits_a_second() -> None:
    """Guessing is slowed down over all connections of a server."""
    guard = LoginGuard()
    for _ in range(2):
        assert _say(_server(guard=guard), type="LOGIN", token="x")
    server = _server(guard=guard)
    assert _say(server, type="LOGIN", token="x") == [] and server.deadline() == SECOND_NS
    assert _say(server, type="LOGIN", token=SECRET)[0]["code"] == "bad_login"
    server.on_time(SECOND_NS)
    assert _sent(server)[0]["code"] == "bad_token" and server.closing is not None


def test_replayed_proof_is_refused() -> None:
    """A proof overheard on one connection is worth nothing on the next: the server's nonce is new."""
    hello = {"type": "HELLO", "nonce": "ab" * 32}
    first, second = _server(), _server(nonce=b"\x02" * 32)
    challenge = _say(first, **hello)[0]
    proof = client_proof(SECRET, hello["nonce"], challenge["nonce"], "")
    assert _say(first, type="PROOF", proof=proof)[0]["type"] == "WELCOME"
    _say(second, **hello)
    assert _say(second, type="PROOF", proof=proof)[0]["code"] == "bad_token"


def test_challenge_for_another_endpoint_is_refused() -> None:
    """Whoever relays a challenge from another port gets no proof."""
    server = _server(endpoint="ws://127.0.0.1:1/v1")
    answer = _say(server, type="HELLO", nonce="ab" * 32, endpoint="ws://127.0.0.1:2/v1")
    assert answer[0]["code"] == "bad_login"


def test_open_feed_gives_data_but_takes_no_commands() -> None:
    """Open access means market data only; commands still need a login."""
    server = _server(open_access=True, armed=True)
    assert _sent(server)[0]["read_only"] is True
    assert _say(server, type="SUBSCRIBE", symbol="ESZ6")[0]["type"] == "SUBSCRIBED"
    assert _say(server, type="RECORD", out="/tmp", request_id=1)[0]["code"] == "not_logged_in"
    assert _say(server, type="CANCEL_ALL")[0]["code"] == "not_logged_in"
    assert _say(server, type="LOGIN", token=SECRET)[0]["read_only"] is False


def test_other_major_version_is_closed_with_1002() -> None:
    """The message names both versions and the command that heals it."""
    server = _server()
    (error,) = _say(server, type="HELLO", nonce="ab" * 32, version="2.0")
    assert error["message"] == "bridge speaks 1, workbench 2: pip install -U orderflow-workbench"
    assert server.closing is not None and server.closing.code == 1002


def test_token_never_shows() -> None:
    """No representation of a connection or a login message holds the token."""
    server = _open()
    assert SECRET not in repr(server) + repr(messages.Login(token=SECRET)) + repr(vars(server)["_guard"])


# -- states --------------------------------------------------------------------------------------------------------

_WAYS: dict[tuple[str, str], Any] = {
    ("new", "open access"): lambda: _server(open_access=True),
    ("new", "hello"): lambda: _after(_server(), type="HELLO", nonce="a" * 64),
    ("new", "right token"): lambda: _after(_server(), type="LOGIN", token=SECRET),
    ("new", "wrong token"): lambda: _after(_slow(), type="LOGIN", token="x"),
    ("new", "too late"): lambda: _later(_server(), 2),
    ("new", "close"): lambda: _closed(_server()),
    ("challenged", "right proof"): lambda: _proved(_server()),
    ("challenged", "wrong proof"): lambda: _after(_greeted(_slow()), type="PROOF", proof="x"),
    ("challenged", "too late"): lambda: _later(_greeted(_server()), 2),
    ("challenged", "close"): lambda: _closed(_greeted(_server())),
    ("refusing", "delay over"): lambda: _later(_after(_slow(), type="LOGIN", token="x"), 1),
    ("refusing", "close"): lambda: _closed(_after(_slow(), type="LOGIN", token="x")),
    ("ready", "hello"): lambda: _after(_open(), type="HELLO", nonce="a" * 64),
    ("ready", "right token"): lambda: _after(_open(), type="LOGIN", token=SECRET),
    ("ready", "right proof"): lambda: _proved(_open()),
    ("ready", "wrong token"): lambda: _after(_open(guard=_slow_guard()), type="LOGIN", token="x"),
    ("ready", "wrong proof"): lambda: _after(_greeted(_open(guard=_slow_guard())), type="PROOF", proof="x"),
    ("ready", "silence"): lambda: _later(_after(_open(), type="HEARTBEAT"), 4),
    ("ready", "stalled"): lambda: _later(_after(_open(), type="INSTRUMENTS"), 5),
    ("ready", "close"): lambda: _closed(_open()),
}


def test_who_arms_must_be_heard() -> None:
    """A client that freezes before its first heartbeat does not stay armed: its connection ends after 4 s."""
    server = _open(armed=True)
    _say(server, type="ARM", minutes=1.0, max_orders=1, max_size=1.0)
    server.on_time(4 * SECOND_NS - 1)
    assert server.closing is None
    server.on_time(4 * SECOND_NS)
    assert server.closing is not None and server.closing.abort


def _slow_guard() -> LoginGuard:
    guard = LoginGuard()
    guard.failed(0)
    guard.failed(0)
    return guard


def _slow() -> ServerConnection:
    return _server(guard=_slow_guard())


def _after(server: ServerConnection, **fields: object) -> ServerConnection:
    _say(server, **fields)
    return server


def _greeted(server: ServerConnection) -> ServerConnection:
    return _after(server, type="HELLO", nonce="a" * 64)


def _proved(server: ServerConnection) -> ServerConnection:
    (challenge,) = _say(server, type="HELLO", nonce="a" * 64)
    return _after(server, type="PROOF", proof=client_proof(SECRET, "a" * 64, challenge["nonce"], ""))


def _later(server: ServerConnection, seconds: int) -> ServerConnection:
    server.on_time(seconds * SECOND_NS)
    return server


def _closed(server: ServerConnection) -> ServerConnection:
    server.close()
    return server


@pytest.mark.parametrize("transition", sorted(TRANSITIONS))
def test_every_transition_of_the_table_happens(transition: tuple[str, str]) -> None:
    """Each pair of the table is reached by messages and time alone, and leads where the table says."""
    assert _WAYS[transition]().state == TRANSITIONS[transition]


# -- bad messages --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("hello", "bad_json"),
        ('{"type":"SUBSCRIBE","symbol":"ESZ6","from_sequence":NaN}', "non_finite"),
        ('{"type":"SUBSCRIBE","symbol":"ESZ6","from_sequence":1e400}', "non_finite"),
        ('{"type":"SUBSCRIBE","symbol":"ESZ6","from_sequence":9223372036854775808}', "out_of_range"),
        ("[" * 100_000, "too_deep"),
        ('{"type":"foo"}', "unknown_type"),
        ('{"symbol":"ESZ6"}', "missing_field"),
        ('{"type":"SUBSCRIBE"}', "missing_field"),
        ('{"type":"SUBSCRIBE","symbol":"ESZ6","from_sequence":true}', "bad_type"),
        ('{"type":"SUBSCRIBE","symbol":"ESZ6","from_sequence":1.5}', "bad_type"),
        ('{"type":"SUBSCRIBE","symbol":"ESZ6","symbol":"X"}', "duplicate_key"),
        ('{"type":"SUBSCRIBE","symbol":"NQ"}', "unknown_instrument"),
        ('{"type":"SUBSCRIBE","symbol":"A\\nB"}', "bad_instrument"),
        ('{"type":"SUBSCRIBE","symbol":"A\\ue000B"}', "bad_instrument"),
        ('{"type":"SUBSCRIBE","symbol":"A\\u0000B"}', "bad_instrument"),
        ('{"type":"SUBSCRIBE","symbol":"ESZ6","data":[]}', "bad_value"),
        ('{"type":"PLACE_ORDER","symbol":"ESZ6","side":"BUY","order_type":"LIMIT","quantity":-1,"client_order_id":"1"}', "bad_value"),
        (b"\x00\x01", "bad_message"),
    ],
)  # fmt: skip
def test_bad_message_is_answered_and_survived(data: str | bytes, code: str) -> None:
    """Malformed input is reported with its code; the next good message works."""
    server = _open()
    server.receive(data, 0)
    (error,) = _sent(server)
    assert (error["type"], error["code"]) == ("ERROR", code)
    assert _say(server, type="INSTRUMENTS")[0]["type"] == "INSTRUMENTS"
    assert server.closing is None


def test_words_of_refusals() -> None:
    """The sentences tell what was found and what is there."""
    server = _open(Feed(INSTRUMENT, CRYPTO))
    assert (
        "unknown instrument 'X'; have [ESZ6, BTCUSDT]"
        in _say(server, type="SUBSCRIBE", symbol="X")[0]["message"]
    )
    assert "control character U+000A at 1" in _say(server, type="SUBSCRIBE", symbol="A\nB")[0]["message"]
    assert "unknown_type 'foo' (protocol 1.0)" in _say(server, type="foo")[0]["message"]
    assert "missing field 'symbol' in SUBSCRIBE" in _say(server, type="SUBSCRIBE")[0]["message"]


@pytest.mark.parametrize(("data", "code"), [("x" * 2_000_000, 1009), ('{"a":"\ud800"}', 1007)])
def test_too_big_and_broken_text_end_the_connection(data: str, code: int) -> None:
    """More than 1 MiB closes with 1009, text that is no UTF-8 with 1007."""
    server = _open()
    server.receive(data, 0)
    assert server.closing is not None and server.closing.code == code


def test_eleven_bad_messages_in_a_second_close_the_connection() -> None:
    """Ten are answered, the eleventh within 1 s closes with 1008; spread out they never do."""
    patient, hasty = _open(), _open()
    for n in range(30):
        patient.receive("bad", n * 200 * MS)
        hasty.receive("bad", n)
    assert patient.closing is None and patient.counts["bad"] == 30
    assert hasty.closing is not None and hasty.closing.code == 1008 and hasty.counts["bad"] == 11


def test_unknown_types_and_fields_do_no_harm() -> None:
    """A newer client may send more: unknown types are counted, unknown fields ignored."""
    server = _open()
    for _ in range(50):
        server.receive('{"type":"DANCE"}', 0)
    assert server.closing is None and server.counts["unknown"] == 50 and server.counts["bad"] == 0
    _sent(server)
    assert _say(server, type="SUBSCRIBE", symbol="ESZ6", colour="red")[0]["type"] == "SUBSCRIBED"


def test_control_messages_are_throttled() -> None:
    """So many at once are taken, more are refused until time passes."""
    server = _open()
    for _ in range(limits.CONTROL_BURST + 20):
        server.receive('{"type":"INSTRUMENTS"}', 0)
    answers = [a["type"] for a in _sent(server)]
    assert (answers.count("INSTRUMENTS"), answers.count("ERROR")) == (limits.CONTROL_BURST, 20)
    assert _say(server, now=SECOND_NS, type="INSTRUMENTS")[0]["type"] == "INSTRUMENTS"


def test_nothing_works_before_login() -> None:
    """Before the login every other message is answered with not_logged_in."""
    assert _say(_server(), type="SUBSCRIBE", symbol="ESZ6", request_id=3)[0] == {
        "type": "ERROR",
        "code": "not_logged_in",
        "message": "log in first: LOGIN or HELLO",
        "request_id": 3,
    }


# -- subscriptions and commands ------------------------------------------------------------------------------------


def test_subscribing_twice_changes_nothing() -> None:
    """A repeated subscription is answered again and starts no second snapshot."""
    feed = Feed()
    feed.publish(depth(0, 3))
    server = _open(feed)
    types = [m["type"] for m in _say(server, type="SUBSCRIBE", symbol="ESZ6")]
    assert types == ["SUBSCRIBED", "SNAPSHOT", "SNAPSHOT_END"]
    assert [m["type"] for m in _say(server, type="SUBSCRIBE", symbol="ESZ6")] == ["SUBSCRIBED"]
    assert server.events() == [SubscriptionChanged("ESZ6", frozenset({"FULL_ORDER_BOOK", "TRADES"}))]


def test_unsubscribe_ends_the_data() -> None:
    """After UNSUBSCRIBE nothing of the instrument comes; doing it again is no error."""
    feed = Feed()
    server = _open(feed)
    _say(server, type="SUBSCRIBE", symbol="ESZ6")
    assert _say(server, type="UNSUBSCRIBE", symbol="ESZ6")[0]["type"] == "UNSUBSCRIBED"
    feed.publish(depth(0, 3))
    assert not server.has_data and not _sent(server)
    assert _say(server, type="UNSUBSCRIBE", symbol="ESZ6")[0]["type"] == "UNSUBSCRIBED"


@pytest.mark.parametrize("kind", ["PLACE_ORDER", "CANCEL_ORDER", "REPLACE_ORDER", "CANCEL_ALL"])
def test_orders_need_an_armed_feed(kind: str) -> None:
    """Unarmed, orders are answered with read_only; armed, they are handed up."""
    fields = {"symbol": "ESZ6", "side": "BUY", "order_type": "MARKET", "quantity": 1, "client_order_id": "c1"}
    server = _open()
    (error,) = _say(server, type=kind, request_id="r", **fields)
    assert (error["code"], error["request_id"]) == ("read_only", "r") and not server.events()
    armed = _open(armed=True)
    assert _say(armed, type=kind, request_id="r", **fields) == []
    (notice,) = armed.events()
    assert isinstance(notice, CommandReceived) and notice.command.request_id == "r"


def test_engine_commands_are_handed_up() -> None:
    """RECORD, REPLAY, HEALTH and their like are for the owner of the server."""
    server = _open()
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
    server = _open(Feed(INSTRUMENT, CRYPTO))
    _say(server, type="SUBSCRIBE", symbol="ESZ6", data=["ACCOUNT"])
    for symbol in ("ESZ6", "BTCUSDT"):
        server.send(messages.Position(symbol=symbol, position=1, ts=1))
    server.send(messages.Balance(currency="USD", cash=1, equity=1, ts=1))
    assert [(m["type"], m.get("symbol")) for m in _sent(server)] == [("POSITION", "ESZ6"), ("BALANCE", None)]


def test_newest_state_replaces_an_unsent_one() -> None:
    """Of a state only the newest is sent."""
    server = _open()
    for ts in range(5):
        server.send_latest("health", messages.Health(ts=ts))
    assert [m["ts"] for m in _sent(server)] == [4]


def test_instruments_take_turns() -> None:
    """A busy instrument does not starve the others."""
    feed = Feed(INSTRUMENT, CRYPTO)
    server = _open(feed)
    for symbol in ("ESZ6", "BTCUSDT"):
        _say(server, type="SUBSCRIBE", symbol=symbol)
    for n in range(5):
        feed.publish(depth(10 * n, 10), "ESZ6")
        feed.publish(depth(10 * n, 10), "BTCUSDT")
    first = [json.loads(f)["symbol"] for f in server.data_to_send(0, max_bytes=3_000)]
    assert set(first) == {"ESZ6", "BTCUSDT"}


def test_ladder_is_conflated_to_its_interval() -> None:
    """DOM comes at most once an interval, only after changes, and shows the newest state."""
    feed = Feed()
    feed.publish(depth(0, 1))
    server = _open(feed)
    request = {
        "type": "SUBSCRIBE",
        "symbol": "ESZ6",
        "data": ["DOM"],
        "dom_levels": 2,
        "dom_interval_ms": 100,
    }
    subscribed, dom = _say(server, **request)
    assert subscribed["snapshot"] is False and len(dom["bids"]) == 2 and dom["sequence"] == 0
    for n in range(1, 30):
        feed.publish(depth(n, 1))
        server.on_time(n * MS)
        assert not _sent(server, n * MS)
    server.on_time(100 * MS)
    assert [m["sequence"] for m in _sent(server, 100 * MS)] == [29]
    server.on_time(200 * MS)
    assert not _sent(server, 200 * MS)


# -- liveness and slow clients -------------------------------------------------------------------------------------


def test_heartbeats_tell_what_was_sent() -> None:
    """Each half second the next number of every stream goes out, so that a lost last message shows."""
    feed = Feed()
    server = _open(feed)
    _say(server, type="SUBSCRIBE", symbol="ESZ6")
    feed.publish(depth(0, 7))
    _sent(server)
    assert server.deadline() == SECOND_NS // 2
    server.on_time(SECOND_NS // 2)
    assert _sent(server) == [{"type": "HEARTBEAT", "sequences": {"ESZ6": 7}}]


def test_silent_client_is_closed_only_if_it_ever_sent_heartbeats() -> None:
    """A ten-line client never sends one and stays; one that stopped is gone after 4 s."""
    quiet, stopped = _open(), _open()
    _say(stopped, type="HEARTBEAT")
    for server in (quiet, stopped):
        server.on_time(4 * SECOND_NS)
    assert quiet.closing is None
    assert stopped.closing is not None and stopped.closing.abort


def test_stalled_client_is_aborted_after_five_seconds() -> None:
    """A transport that does not come back for more within 5 s is aborted."""
    feed = Feed()
    server = _open(feed)
    _say(server, type="SUBSCRIBE", symbol="ESZ6")
    feed.publish(depth(0, 7))
    assert _sent(server, SECOND_NS)
    server.on_time(6 * SECOND_NS - 1)
    assert server.closing is None
    server.on_time(6 * SECOND_NS)
    assert server.closing is not None and server.closing.abort and not _sent(server)


def test_slow_client_holds_no_memory_of_its_own() -> None:
    """However much is published, nothing is queued for a client that does not ask."""
    feed = Feed(ring_bytes=1 << 14)
    server = _open(feed)
    _say(server, type="SUBSCRIBE", symbol="ESZ6")
    for n in range(200):
        feed.publish(depth(n * 100, 100))
    frames = [m["type"] for m in _sent(server)]
    assert frames[:3] == ["GAP", "SNAPSHOT", "SNAPSHOT_END"] and len(frames) == 3
    feed.publish(depth(20_000, 1))
    assert [m["sequence"] for m in _sent(server)] == [20_000]


def test_client_far_behind_in_time_is_skipped_ahead() -> None:
    """A client that was up to date and is then 5 s behind gets a gap and the newest book."""
    feed = Feed()
    server = _open(feed)
    _say(server, type="SUBSCRIBE", symbol="ESZ6")
    feed.publish(depth(0, 1), send_ns=1)
    _sent(server)
    feed.publish(depth(1, 1), send_ns=2)
    feed.publish(depth(2, 1), send_ns=6 * SECOND_NS)
    gap, snapshot, _ = _sent(server)
    assert (gap["type"], gap["sequence"], gap["lost"], snapshot["sequence"]) == ("GAP", 1, 2, 2)
