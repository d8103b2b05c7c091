"""The server's side of one connection: who gets in, and what becomes of a connection."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.open_server import made_server, open_server, say, sent
from tests.support.wire import SECRET
from workbench.protocol import messages
from workbench.protocol.limits import SECOND_NS
from workbench.protocol.login import LoginGuard, client_proof
from workbench.protocol.notices import LoggedIn, LoginRefused
from workbench.protocol.server import ServerConnection
from workbench.protocol.transitions import SERVER as TRANSITIONS


def test_right_token_is_welcomed() -> None:
    """LOGIN with the token opens the feed and tells version, limits and rights."""
    server = made_server(session="s9")
    (welcome,) = say(server, type="LOGIN", token=SECRET, request_id=4)
    assert welcome["type"] == "WELCOME" and welcome["request_id"] == 4 and welcome["session"] == "s9"
    assert welcome["version"] == "1.0" and welcome["read_only"] and welcome["symbols"] == ["ESZ6"]
    assert server.events() == [LoggedIn("token", "")]


@pytest.mark.parametrize("token", ["", "x", SECRET[:-1], SECRET + "x", SECRET.upper(), " " + SECRET, "é"])
def test_wrong_token_is_refused(token: str) -> None:
    """Empty, cut, longer and other tokens are all answered the same, and the connection ends with 1008."""
    server = made_server()
    (error,) = say(server, type="LOGIN", token=token)
    assert error["code"] == "bad_token" and server.closing is not None and server.closing.code == 1008
    assert server.events() == [LoginRefused("token")]
    assert SECRET not in json.dumps(error)


@pytest.mark.parametrize("header", [f"Bearer {SECRET}", f"bearer  {SECRET} "])
def test_bearer_header_logs_in(header: str) -> None:
    """``Authorization: Bearer`` is a login of its own."""
    assert sent(made_server(authorization=header))[0]["type"] == "WELCOME"


@pytest.mark.parametrize("header", [None, "", "Bearer", f"Basic {SECRET}", SECRET])
def test_no_bearer_token_is_no_login(header: str | None) -> None:
    """Other headers leave the connection as it was: waiting for a login."""
    server = made_server(authorization=header)
    assert server.state == "new" and not sent(server)


def test_without_login_the_connection_ends_after_two_seconds() -> None:
    """Whoever does not log in is closed with 1008 after 2 s."""
    server = made_server()
    assert server.deadline() == 2 * SECOND_NS
    server.on_time(2 * SECOND_NS)
    assert server.closing is not None and server.closing.code == 1008


def test_third_wrong_token_waits_a_second() -> None:
    """Guessing is slowed down over all connections of a server."""
    guard = LoginGuard()
    for _ in range(2):
        assert say(made_server(guard=guard), type="LOGIN", token="x")
    server = made_server(guard=guard)
    assert say(server, type="LOGIN", token="x") == [] and server.deadline() == SECOND_NS
    assert say(server, type="LOGIN", token=SECRET)[0]["code"] == "bad_login"
    server.on_time(SECOND_NS)
    assert sent(server)[0]["code"] == "bad_token" and server.closing is not None


def test_replayed_proof_is_refused() -> None:
    """A proof overheard on one connection is worth nothing on the next: the server's nonce is new."""
    hello = {"type": "HELLO", "nonce": "ab" * 32}
    first, second = made_server(), made_server(nonce=b"\x02" * 32)
    challenge = say(first, **hello)[0]
    proof = client_proof(SECRET, hello["nonce"], challenge["nonce"], "")
    assert say(first, type="PROOF", proof=proof)[0]["type"] == "WELCOME"
    say(second, **hello)
    assert say(second, type="PROOF", proof=proof)[0]["code"] == "bad_token"


def test_challenge_for_another_endpoint_is_refused() -> None:
    """Whoever relays a challenge from another port gets no proof."""
    server = made_server(endpoint="ws://127.0.0.1:1/v1")
    answer = say(server, type="HELLO", nonce="ab" * 32, endpoint="ws://127.0.0.1:2/v1")
    assert answer[0]["code"] == "bad_login"


def test_open_feed_gives_data_but_takes_no_commands() -> None:
    """Open access means market data only; commands still need a login."""
    server = made_server(open_access=True, armed=True)
    assert sent(server)[0]["read_only"] is True
    assert say(server, type="SUBSCRIBE", symbol="ESZ6")[0]["type"] == "SUBSCRIBED"
    assert say(server, type="RECORD", out="/tmp", request_id=1)[0]["code"] == "not_logged_in"
    assert say(server, type="CANCEL_ALL")[0]["code"] == "not_logged_in"
    assert say(server, type="LOGIN", token=SECRET)[0]["read_only"] is False


def test_other_major_version_is_closed_with_1002() -> None:
    """The message names both versions and the command that heals it."""
    server = made_server()
    (error,) = say(server, type="HELLO", nonce="ab" * 32, version="2.0")
    assert error["message"] == "bridge speaks 1, workbench 2: pip install -U orderflow-workbench"
    assert server.closing is not None and server.closing.code == 1002


def test_token_never_shows() -> None:
    """No representation of a connection or a login message holds the token."""
    server = open_server()
    assert SECRET not in repr(server) + repr(messages.Login(token=SECRET)) + repr(vars(server)["_guard"])


_WAYS: dict[tuple[str, str], Any] = {
    ("new", "open access"): lambda: made_server(open_access=True),
    ("new", "hello"): lambda: _after(made_server(), type="HELLO", nonce="a" * 64),
    ("new", "right token"): lambda: _after(made_server(), type="LOGIN", token=SECRET),
    ("new", "wrong token"): lambda: _after(_slow(), type="LOGIN", token="x"),
    ("new", "too late"): lambda: _later(made_server(), 2),
    ("new", "close"): lambda: _closed(made_server()),
    ("challenged", "right proof"): lambda: _proved(made_server()),
    ("challenged", "wrong proof"): lambda: _after(_greeted(_slow()), type="PROOF", proof="x"),
    ("challenged", "too late"): lambda: _later(_greeted(made_server()), 2),
    ("challenged", "close"): lambda: _closed(_greeted(made_server())),
    ("refusing", "delay over"): lambda: _later(_after(_slow(), type="LOGIN", token="x"), 1),
    ("refusing", "close"): lambda: _closed(_after(_slow(), type="LOGIN", token="x")),
    ("ready", "hello"): lambda: _after(open_server(), type="HELLO", nonce="a" * 64),
    ("ready", "right token"): lambda: _after(open_server(), type="LOGIN", token=SECRET),
    ("ready", "right proof"): lambda: _proved(open_server()),
    ("ready", "wrong token"): lambda: _after(open_server(guard=_slow_guard()), type="LOGIN", token="x"),
    ("ready", "wrong proof"): lambda: _after(
        _greeted(open_server(guard=_slow_guard())), type="PROOF", proof="x"
    ),
    ("ready", "silence"): lambda: _later(_after(open_server(), type="HEARTBEAT"), 4),
    ("ready", "stalled"): lambda: _later(_after(open_server(), type="INSTRUMENTS"), 5),
    ("ready", "close"): lambda: _closed(open_server()),
}


def test_who_arms_must_be_heard() -> None:
    """A client that freezes before its first heartbeat does not stay armed: its connection ends after 4 s."""
    server = open_server(armed=True)
    say(server, type="ARM", minutes=1.0, max_orders=1, max_size=1.0)
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
    return made_server(guard=_slow_guard())


def _after(server: ServerConnection, **fields: object) -> ServerConnection:
    say(server, **fields)
    return server


def _greeted(server: ServerConnection) -> ServerConnection:
    return _after(server, type="HELLO", nonce="a" * 64)


def _proved(server: ServerConnection) -> ServerConnection:
    (challenge,) = say(server, type="HELLO", nonce="a" * 64)
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
