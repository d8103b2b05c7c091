"""The client's side: login, liveness, bad input."""

from __future__ import annotations

import json
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from tests.support.wire import MS, SECRET, Feed, Link, depth
from workbench.errors import FeedError
from workbench.protocol import messages
from workbench.protocol.client import ClientConnection
from workbench.protocol.limits import CHALLENGE_NS, DEAD_NS, SECOND_NS, STALE_NS
from workbench.protocol.login import server_proof
from workbench.protocol.notices import BadMessage, Ladder, Received, StateChanged
from workbench.protocol.transitions import CLIENT as TRANSITIONS

NONCE = b"\x07" * 32
WELCOME = '{"type":"WELCOME","version":"1.0","server":"x","session":"s","heartbeat_ms":500,"read_only":true,"limits":{}}'


def _offline(secret: str | None = SECRET) -> ClientConnection:
    return ClientConnection(secret=secret, endpoint="e")


def _opened(secret: str | None = SECRET) -> ClientConnection:
    client = _offline(secret)
    client.opened(NONCE, 0)
    return client


def _challenge(secret: str = SECRET) -> str:
    proof = server_proof(secret, NONCE.hex(), "ab" * 32, "e")
    return json.dumps({"type": "CHALLENGE", "nonce": "ab" * 32, "proof": proof})


def _heard(client: ClientConnection, *texts: str | bytes) -> ClientConnection:
    for text in texts:
        client.receive(text, 0)
    return client


def _later(client: ClientConnection, ns: int) -> ClientConnection:
    client.on_time(ns)
    return client


def _lost(client: ClientConnection) -> ClientConnection:
    client.lost("cut", 0)
    return client


def _closed(client: ClientConnection) -> ClientConnection:
    client.close()
    return client


def _stale() -> ClientConnection:
    return _later(_ready(), STALE_NS)


def _ready() -> ClientConnection:
    return _heard(_opened(None), WELCOME)


def _proving() -> ClientConnection:
    return _heard(_opened(), _challenge())


def _refused() -> ClientConnection:
    return _heard(_opened(), _challenge("another"))


def _by_hand() -> ClientConnection:
    client = ClientConnection(secret=SECRET, endpoint="e", by_hand=True)
    client.opened(NONCE, 0)
    return client


_UNKNOWN_HELLO = '{"type":"ERROR","code":"unknown_type","message":"unknown_type HELLO","request_id":null}'
_REJECTED = '{"type":"ERROR","code":"bad_token","message":"token rejected"}'
_IN_STATE: dict[str, Any] = {
    "offline": _offline,
    "greeting": _opened,
    "proving": _proving,
    "waiting": lambda: _opened(None),
    "ready": _ready,
    "stale": _stale,
    "refused": _refused,
    "closed": lambda: _closed(_ready()),
}
_BY_EVENT: dict[str, Any] = {
    "opened, holding a secret": lambda c: c.opened(NONCE, 0),
    "right challenge": lambda c: c.receive(_challenge(), 0),
    "wrong challenge": lambda c: c.receive(_challenge("another"), 0),
    # what lets us in without a challenge has a second to send one
    "welcome": lambda c: (c.receive(WELCOME, 0), c.on_time(CHALLENGE_NS)),
    "rejected": lambda c: c.receive(_REJECTED, 0),
    "silence": lambda c: c.on_time(DEAD_NS),
    "late heartbeat": lambda c: c.on_time(STALE_NS),
    "sign of life": lambda c: c.receive('{"type":"HEARTBEAT"}', STALE_NS),
    "lost": lambda c: c.lost("cut", 0),
    "close": lambda c: c.close(),
}


@pytest.mark.parametrize("transition", sorted(TRANSITIONS))
def test_every_transition_of_the_table_happens(transition: tuple[str, str]) -> None:
    """Each pair of the table is reached by messages and time alone, and leads where the table says."""
    state, event = transition
    if event == "opened, holding none":
        client = _opened(None)
    elif event == "no challenge":
        client = _by_hand()
        client.receive(_UNKNOWN_HELLO, 0)
    else:
        client = _IN_STATE[state]()
        assert client.state == state
        _BY_EVENT[event](client)
    assert client.state == TRANSITIONS[transition]


# -- login by hand -------------------------------------------------------------------------------------------------


def _sent(client: ClientConnection, now: int = 0) -> list[dict[str, Any]]:
    return [json.loads(text) for text in client.data_to_send(now)]


def test_token_given_by_hand_is_sent_where_the_feed_knows_no_challenge() -> None:
    """An error, a second of nothing, and hanging up each say that a feed knows only LOGIN."""
    refusing, silent, hanging_up = _by_hand(), _by_hand(), _by_hand()
    refusing.receive(_UNKNOWN_HELLO, 0)
    silent.on_time(CHALLENGE_NS)
    hanging_up.lost("cut", 0)
    hanging_up.data_to_send(0)
    hanging_up.opened(NONCE, 1)
    for client in (refusing, silent, hanging_up):
        assert _sent(client)[-1] == {"type": "LOGIN", "token": SECRET}
        assert _heard(client, WELCOME).state == "ready"


def test_feed_that_proved_itself_once_is_never_sent_the_token() -> None:
    """Whoever takes the port of a feed that knew the challenge gets neither token nor silence rewarded."""
    client = _heard(_by_hand(), _challenge())
    client.lost("cut", 0)
    client.opened(NONCE, 0)
    client.receive(_UNKNOWN_HELLO, 0)
    client.on_time(CHALLENGE_NS)
    assert {message["type"] for message in _sent(client)} == {"HELLO"}
    client.receive(WELCOME, CHALLENGE_NS)
    client.on_time(CHALLENGE_NS)
    assert client.state == "refused"


def test_feed_that_is_open_to_all_may_prove_itself_after_its_welcome() -> None:
    """Started without login it greets first; its challenge still counts, and the secret stays unsent."""
    client = _heard(_opened(), WELCOME)
    assert client.state == "greeting"
    assert _heard(_heard(client, _challenge()), WELCOME).state == "ready"
    assert {message["type"] for message in _sent(client)} == {"HELLO", "PROOF"}


def test_secret_of_a_discovery_file_is_never_sent_whatever_the_feed_answers() -> None:
    """Only a token given by hand may leave; an error or silence changes nothing about the others."""
    client = _opened()
    client.receive(_UNKNOWN_HELLO, 0)
    client.on_time(CHALLENGE_NS)
    assert {message["type"] for message in _sent(client)} == {"HELLO"} and client.state == "greeting"


# -- login ---------------------------------------------------------------------------------------------------------


def test_secret_is_never_on_the_wire() -> None:
    """Neither the login nor anything after it holds a byte of the secret, in any spelling."""
    link = Link(Feed())
    link.connect()
    link.client.subscribe("ESZ6")
    link.pass_time(SECOND_NS)
    wire = b"".join(f.encode() if isinstance(f, str) else f for _, f in link.wire)
    assert link.client.state == "ready"
    assert SECRET.encode() not in wire and SECRET.encode().hex().encode() not in wire
    assert SECRET not in repr(link.client) + repr(link.notices)


@pytest.mark.parametrize(
    "answers",
    [[_challenge("guess")], [WELCOME], ['{"type":"CHALLENGE","nonce":"' + "ab" * 32 + '","proof":""}']],
)
def test_squatter_learns_nothing(answers: list[str]) -> None:
    """Whoever cannot prove the secret gets a nonce and no more, and the client leaves."""
    client = _opened()
    sent = client.data_to_send(0)
    _heard(client, *answers)
    client.on_time(CHALLENGE_NS)
    assert client.state == "refused" and client.closing is not None
    assert "not the bridge I started" in client.closing.reason
    assert [json.loads(f)["type"] for f in sent + client.data_to_send(0)] == ["HELLO"]


def test_relayed_challenge_fails() -> None:
    """A squatter that passes the challenge on to the real feed is found out: the endpoint is part of the proof."""
    link = Link(Feed())
    link.client = ClientConnection(secret=SECRET, endpoint="ws://127.0.0.1:9999/v1")
    link.connect()
    assert link.client.state == "greeting" and not link.of_kind(Received)[1:]


def test_wrong_secret_is_told() -> None:
    """A client with a stale secret sees that the feed cannot prove its own."""
    link = Link(Feed())
    link.client = ClientConnection(secret="old", endpoint="ws://127.0.0.1:8765/v1")
    link.connect()
    assert link.client.state == "refused"


def test_other_major_version_ends_with_the_command_that_heals_it() -> None:
    """The close code is 1002, the reason names both versions."""
    client = _heard(_opened(None), WELCOME.replace('"1.0"', '"2.3"'))
    assert client.closing is not None and client.closing.code == 1002
    assert client.closing.reason == "bridge speaks 2, workbench 1: pip install -U orderflow-workbench"


# -- liveness ------------------------------------------------------------------------------------------------------


def test_silence_is_flagged_and_then_ended() -> None:
    """Three missed heartbeats make the feed stale, 4 s of silence end the connection."""
    client = _ready()
    assert client.deadline() == SECOND_NS // 2
    client.on_time(STALE_NS - 1)
    assert client.state == "ready"
    client.on_time(STALE_NS)
    assert client.state == "stale" and client.deadline() is not None
    client.on_time(DEAD_NS)
    assert client.closing is not None and client.closing.abort and client.deadline() is None


def test_heartbeats_go_out_each_half_second() -> None:
    """Six in three seconds, and none before the login."""
    link = Link(Feed())
    link.connect()
    link.wire.clear()
    link.pass_time(3 * SECOND_NS)
    assert sum(way == "up" and "HEARTBEAT" in str(f) for way, f in link.wire) == 6
    assert _later(_opened(), SECOND_NS).data_to_send(SECOND_NS)[1:] == []


def test_commands_need_a_connection() -> None:
    """A command while disconnected is refused, never kept for later."""
    with pytest.raises(FeedError, match="not connected"):
        _opened().send(messages.CancelAll())
    client = _ready()
    client.send(messages.CancelAll())
    assert client.data_to_send(0) == ['{"type":"CANCEL_ALL"}']


# -- bad input -----------------------------------------------------------------------------------------------------


@given(st.lists(st.one_of(st.text(max_size=60), st.binary(max_size=120)), max_size=5))
def test_any_input_is_survived(frames: list[str | bytes]) -> None:
    """Nothing a server sends raises in the client."""
    client = _heard(_ready(), *frames)
    client.events()
    client.data_to_send(0)


_MARKET_TYPES = [
    "DEPTH",
    "TRADE",
    "MBO",
    "SNAPSHOT",
    "SNAPSHOT_END",
    "GAP",
    "DOM",
    "SUBSCRIBED",
    "WELCOME",
    "HEARTBEAT",
]
_FIELDS = [
    "symbol",
    "sequence",
    "ts",
    "side",
    "price",
    "size",
    "bids",
    "asks",
    "instrument",
    "sequences",
    "stream",
]
_VALUES = st.one_of(
    st.none(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False), st.just("ESZ6"),
    st.lists(st.lists(st.integers(), max_size=2), max_size=2), st.just({"symbol": "ESZ6", "tick_size": "1e-999999"}),
)  # fmt: skip


@given(
    st.lists(
        st.tuples(st.sampled_from(_MARKET_TYPES), st.dictionaries(st.sampled_from(_FIELDS), _VALUES)),
        max_size=4,
    )
)
def test_any_fields_are_survived(said: list[tuple[str, dict[str, object]]]) -> None:
    """Messages of known types with any fields do no harm to a subscribed client."""
    link = Link(Feed(), binary=False)
    link.connect()
    link.client.subscribe("ESZ6")
    link.deliver()
    for kind, fields in said:
        link.client.receive(json.dumps({"type": kind, **fields}), link.now)
    link.client.events()


def test_bad_messages_are_counted_with_an_example() -> None:
    """Each kind of mistake keeps its first example, for health."""
    client = _heard(_ready(), "x", "y", b"1234")
    assert client.counts.bad == 3
    assert client.counts.examples == {
        "bad_json": "bad_json at byte 0: Expecting value; expected one JSON object",
        "bad_frame": "frame of 4 bytes; expected a header of 40",
    }
    assert [n.code for n in client.events() if isinstance(n, BadMessage)] == [
        "bad_json",
        "bad_json",
        "bad_frame",
    ]


def test_unknown_types_are_counted_only() -> None:
    """A newer server may say more."""
    client = _heard(_ready(), *['{"type":"DANCE"}'] * 30)
    assert client.counts.unknown == 30 and client.counts.bad == 0 and client.closing is None


def test_flood_of_bad_messages_ends_the_connection() -> None:
    """More than ten malformed messages within 1 s close with 1008."""
    client = _heard(_ready(), *["bad"] * 11)
    assert client.closing is not None and client.closing.code == 1008


def test_unknown_instrument_stops_the_asking() -> None:
    """A refused subscription is reported once and not asked for again."""
    link = Link(Feed())
    link.connect()
    link.client.subscribe("NQ")
    link.pass_time(5 * SECOND_NS)
    asked = [f for way, f in link.wire if way == "up" and "NQ" in str(f)]
    errors = [n.message for n in link.of_kind(Received) if isinstance(n.message, messages.Error)]  # type: ignore[attr-defined]
    assert len(asked) == 1 and [e.code for e in errors] == ["unknown_instrument"]


def test_ladders_are_handed_on() -> None:
    """DOM messages arrive in real units, best first, on a binary connection too."""
    feed = Feed()
    feed.publish(depth(0, 1))
    link = Link(feed)
    link.connect()
    link.client.subscribe("ESZ6", ["DOM"], dom_levels=2)
    link.pass_time(300 * MS)
    (ladder,) = link.of_kind(Ladder)
    assert ladder == Ladder("ESZ6", 0, 5, [(25.0, 2.0), (24.75, 2.0)], [(25.5, 3.0), (25.25, 3.0)])


def test_states_are_told_in_order() -> None:
    """The owner sees every change of state once."""
    link = Link(Feed())
    link.connect()
    link.disconnect()
    states = [n.state for n in link.of_kind(StateChanged)]  # type: ignore[attr-defined]
    assert states == ["greeting", "proving", "ready", "offline"]
