"""What a server answers: errors that name their request, refusals, throttles, and clients that are too slow."""

from __future__ import annotations

import pytest

from tests.support.open_server import made_server, open_server, say, sent
from tests.support.wire import CRYPTO, INSTRUMENT, MS, Feed, depth
from workbench.protocol import limits
from workbench.protocol.limits import SECOND_NS


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
    server = open_server()
    (named,) = say(server, **fields, request_id="r-1")
    (unnamed,) = say(server, **fields)
    assert named["type"] == unnamed["type"] == "ERROR"
    assert named["request_id"] == "r-1" and unnamed["request_id"] is None


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
    server = open_server()
    server.receive(data, 0)
    (error,) = sent(server)
    assert (error["type"], error["code"]) == ("ERROR", code)
    assert say(server, type="INSTRUMENTS")[0]["type"] == "INSTRUMENTS"
    assert server.closing is None


def test_words_of_refusals() -> None:
    """The sentences tell what was found and what is there."""
    server = open_server(Feed(INSTRUMENT, CRYPTO))
    assert (
        "unknown instrument 'X'; have [ESZ6, BTCUSDT]"
        in say(server, type="SUBSCRIBE", symbol="X")[0]["message"]
    )
    assert "control character U+000A at 1" in say(server, type="SUBSCRIBE", symbol="A\nB")[0]["message"]
    assert "unknown_type 'foo' (protocol 1.0)" in say(server, type="foo")[0]["message"]
    assert "missing field 'symbol' in SUBSCRIBE" in say(server, type="SUBSCRIBE")[0]["message"]


@pytest.mark.parametrize(("data", "code"), [("x" * 2_000_000, 1009), ('{"a":"\ud800"}', 1007)])
def test_too_big_and_broken_text_end_the_connection(data: str, code: int) -> None:
    """More than 1 MiB closes with 1009, text that is no UTF-8 with 1007."""
    server = open_server()
    server.receive(data, 0)
    assert server.closing is not None and server.closing.code == code


def test_eleven_bad_messages_in_a_second_close_the_connection() -> None:
    """Ten are answered, the eleventh within 1 s closes with 1008; spread out they never do."""
    patient, hasty = open_server(), open_server()
    for n in range(30):
        patient.receive("bad", n * 200 * MS)
        hasty.receive("bad", n)
    assert patient.closing is None and patient.counts["bad"] == 30
    assert hasty.closing is not None and hasty.closing.code == 1008 and hasty.counts["bad"] == 11


def test_unknown_types_and_fields_do_no_harm() -> None:
    """A newer client may send more: unknown types are counted, unknown fields ignored."""
    server = open_server()
    for _ in range(50):
        server.receive('{"type":"DANCE"}', 0)
    assert server.closing is None and server.counts["unknown"] == 50 and server.counts["bad"] == 0
    sent(server)
    assert say(server, type="SUBSCRIBE", symbol="ESZ6", colour="red")[0]["type"] == "SUBSCRIBED"


def test_control_messages_are_throttled() -> None:
    """So many at once are taken, more are refused until time passes."""
    server = open_server()
    for _ in range(limits.CONTROL_BURST + 20):
        server.receive('{"type":"INSTRUMENTS"}', 0)
    answers = [a["type"] for a in sent(server)]
    assert (answers.count("INSTRUMENTS"), answers.count("ERROR")) == (limits.CONTROL_BURST, 20)
    assert say(server, now=SECOND_NS, type="INSTRUMENTS")[0]["type"] == "INSTRUMENTS"


def test_nothing_works_before_login() -> None:
    """Before the login every other message is answered with not_logged_in."""
    assert say(made_server(), type="SUBSCRIBE", symbol="ESZ6", request_id=3)[0] == {
        "type": "ERROR",
        "code": "not_logged_in",
        "message": "log in first: LOGIN or HELLO",
        "request_id": 3,
    }


def test_heartbeats_tell_what_was_sent() -> None:
    """Each half second the next number of every stream goes out, so that a lost last message shows."""
    feed = Feed()
    server = open_server(feed)
    say(server, type="SUBSCRIBE", symbol="ESZ6")
    feed.publish(depth(0, 7))
    sent(server)
    assert server.deadline() == SECOND_NS // 2
    server.on_time(SECOND_NS // 2)
    assert sent(server) == [{"type": "HEARTBEAT", "sequences": {"ESZ6": 7}}]


def test_silent_client_is_closed_only_if_it_ever_sent_heartbeats() -> None:
    """A ten-line client never sends one and stays; one that stopped is gone after 4 s."""
    quiet, stopped = open_server(), open_server()
    say(stopped, type="HEARTBEAT")
    for server in (quiet, stopped):
        server.on_time(4 * SECOND_NS)
    assert quiet.closing is None
    assert stopped.closing is not None and stopped.closing.abort


def test_stalled_client_is_aborted_after_five_seconds() -> None:
    """A transport that does not come back for more within 5 s is aborted."""
    feed = Feed()
    server = open_server(feed)
    say(server, type="SUBSCRIBE", symbol="ESZ6")
    feed.publish(depth(0, 7))
    assert sent(server, SECOND_NS)
    server.on_time(6 * SECOND_NS - 1)
    assert server.closing is None
    server.on_time(6 * SECOND_NS)
    assert server.closing is not None and server.closing.abort and not sent(server)


def test_slow_client_holds_no_memory_of_its_own() -> None:
    """However much is published, nothing is queued for a client that does not ask."""
    feed = Feed(ring_bytes=1 << 14)
    server = open_server(feed)
    say(server, type="SUBSCRIBE", symbol="ESZ6")
    for n in range(200):
        feed.publish(depth(n * 100, 100))
    frames = [m["type"] for m in sent(server)]
    assert frames[:3] == ["GAP", "SNAPSHOT", "SNAPSHOT_END"] and len(frames) == 3
    feed.publish(depth(20_000, 1))
    assert [m["sequence"] for m in sent(server)] == [20_000]


def test_client_far_behind_in_time_is_skipped_ahead() -> None:
    """A client that was up to date and is then 5 s behind gets a gap and the newest book."""
    feed = Feed()
    server = open_server(feed)
    say(server, type="SUBSCRIBE", symbol="ESZ6")
    feed.publish(depth(0, 1), send_ns=1)
    sent(server)
    feed.publish(depth(1, 1), send_ns=2)
    feed.publish(depth(2, 1), send_ns=6 * SECOND_NS)
    gap, snapshot, _ = sent(server)
    assert (gap["type"], gap["sequence"], gap["lost"], snapshot["sequence"]) == ("GAP", 1, 2, 2)
