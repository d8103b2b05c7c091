"""The server shell over real sockets: who gets in, and what a bad or slow client costs."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import websockets
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.support.collecting import EVERYTHING, Collected
from tests.support.eventually import eventually
from tests.support.serving import SECRET, ServedFeed, http, upgrade
from tests.support.synthetic import SNAPSHOT_ROWS, reference
from workbench.feeds.addresses import Listening
from workbench.feeds.server import Access
from workbench.protocol import limits
from workbench.protocol.limits import BINARY_SUBPROTOCOL

GOOD = "HTTP/1.1 101"
BINARY = [Subprotocol(BINARY_SUBPROTOCOL)]


@pytest.fixture
def feed() -> Iterator[ServedFeed]:
    with ServedFeed() as served:
        yield served


def dial(feed: ServedFeed, **options: object) -> ClientConnection:
    return connect(feed.uri, proxy=None, **options)  # type: ignore[arg-type]


def say(socket: ClientConnection, **message: object) -> None:
    socket.send(json.dumps(message))


def hear(socket: ClientConnection, kind: str) -> dict[str, object]:
    """Next message of a kind; others are passed over."""
    while True:
        message: dict[str, object] = json.loads(socket.recv(10))
        if message["type"] == kind:
            return message


@contextmanager
def log_in(feed: ServedFeed, **options: object) -> Iterator[ClientConnection]:
    with dial(feed, **options) as socket:
        say(socket, type="LOGIN", token=SECRET)
        hear(socket, "WELCOME")
        yield socket


# -- the door --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "https://evil.example",
        "http://localhost",
        "http://127.0.0.1",
        "http://127.0.0.1:{port}",
        "http://localhost.evil.com",
        "http://127.0.0.1.evil",
        "HTTP://LOCALHOST:{port}",
        "http://localhost.",
        "null",
        "",
        "file://",
    ],
)
def test_no_web_page_gets_in(feed, origin):
    """Any Origin header is a browser's: refused, whatever it says."""
    assert upgrade(feed.port, f"Origin: {origin}").startswith("HTTP/1.1 403")


def test_two_origins_are_refused(feed):
    """Also when one of them would be allowed."""
    assert " 403 " in upgrade(feed.port, "Origin: null", "Origin: http://localhost").splitlines()[0]


def test_an_allowed_origin_is_compared_exactly():
    """Only the very text of the list."""
    with ServedFeed(listening=Listening(origins=("http://localhost:8888",))) as feed:
        assert upgrade(feed.port, "Origin: http://localhost:8888").startswith(GOOD)
        for other in (
            "http://localhost:8888/",
            "http://localhost:88880",
            "HTTP://localhost:8888",
            "http://localhost",
        ):
            assert upgrade(feed.port, f"Origin: {other}").startswith("HTTP/1.1 403")


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "[::1]:{port}", "LOCALHOST:{port}"])
def test_the_names_of_this_machine_get_in(feed, host):
    """Loopback by address or name, with the port."""
    assert upgrade(feed.port, host=host).startswith(GOOD)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1.evil:{port}",
        "user@127.0.0.1:{port}",
        "127.0.0.1",
        "0.0.0.0:{port}",
        "127.0.0.1:1",
        "",
        None,
    ],
)
def test_a_name_that_was_bound_to_loopback_does_not_get_in(feed, host):
    """DNS rebinding arrives with the page's own name in Host; a missing one is refused too."""
    assert not upgrade(feed.port, host=host).startswith(GOOD)


def test_two_hosts_do_not_get_in(feed):
    """A duplicated header is nobody's."""
    assert not upgrade(feed.port, "Host: evil.example").startswith(GOOD)


@pytest.mark.parametrize("path", ["/", "/v2", "/v1/", "/v1?token=x", "/favicon.ico"])
def test_other_paths_are_answered_plainly(feed, path):
    """A browser that strays here reads what this is."""
    answer = http(feed.port, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{feed.port}\r\n\r\n".encode())
    assert answer.startswith("HTTP/1.1 404")
    assert "not a workbench feed" in answer


def test_only_loopback_is_bound(feed):
    """Every listening socket of the server is on 127.0.0.1 or ::1."""
    addresses = {sock.getsockname()[0] for server in feed.server._servers for sock in server.sockets}
    assert addresses <= {"127.0.0.1", "::1"}


def test_compression_is_not_accepted(feed):
    """Offered or not: a compressed bomb cannot be sent."""
    answer = upgrade(feed.port, "Sec-WebSocket-Extensions: permessage-deflate")
    assert answer.startswith(GOOD)
    assert "Sec-WebSocket-Extensions" not in answer


# -- logging in ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "token", ["", "x", SECRET[:-1], SECRET + "x", SECRET.upper(), SECRET.swapcase(), "é" * 40, " " + SECRET]
)
def test_a_wrong_token_is_refused(feed, token):
    """Wrong, empty, a prefix, longer: one answer, then the end with 1008."""
    with dial(feed) as socket:
        say(socket, type="LOGIN", token=token)
        assert hear(socket, "ERROR")["code"] == "bad_token"
        with pytest.raises(websockets.ConnectionClosed) as closed:
            socket.recv(10)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


def test_the_token_may_come_in_a_header(feed):
    """``Authorization: Bearer``, for clients that prefer it."""
    with dial(feed, additional_headers={"Authorization": f"Bearer {SECRET}"}) as socket:
        assert hear(socket, "WELCOME")["server"]


def test_who_does_not_log_in_is_sent_away(feed):
    """Two seconds, then 1008."""
    with dial(feed) as socket, pytest.raises(websockets.ConnectionClosed) as closed:
        socket.recv(10)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


def test_nothing_is_told_before_the_login(feed):
    """Not even which instruments there are."""
    with dial(feed) as socket:
        say(socket, type="INSTRUMENTS")
        assert hear(socket, "ERROR")["code"] == "not_logged_in"


def test_an_open_feed_needs_no_login_for_market_data():
    """Told so at its start; commands still need one."""
    with ServedFeed(access=Access(SECRET, open_access=True)) as feed, dial(feed) as socket:
        hear(socket, "WELCOME")
        say(socket, type="SUBSCRIBE", symbol="SYN")
        hear(socket, "SNAPSHOT")
        say(socket, type="SHUTDOWN", request_id=1)
        assert hear(socket, "ERROR")["code"] == "not_logged_in"


# -- serving ---------------------------------------------------------------------------------------------------------


def test_a_plain_client_reads_json(feed):
    """Log in, subscribe, read: snapshot first, then every change in real units."""
    with log_in(feed) as socket:
        say(socket, type="SUBSCRIBE", symbol="SYN")
        snapshot = hear(socket, "SNAPSHOT")
        assert snapshot["bids"][0] == [99.75, 10]
        hear(socket, "SNAPSHOT_END")
        feed.publish(7)
        depth, trade = hear(socket, "DEPTH"), hear(socket, "TRADE")
    assert (depth["sequence"], depth["side"], depth["price"]) == (SNAPSHOT_ROWS, "BID", 99.75)
    assert (trade["price"], trade["aggressor"]) == (100.0, "SELL")


def test_a_command_reaches_the_owner_and_is_answered(feed):
    """With the number the client gave it."""
    with log_in(feed) as socket:
        say(socket, type="ENGINE", request_id="mine")
        assert hear(socket, "DONE")["request_id"] == "mine"
    assert len(feed.commands) == 1


def test_bad_messages_are_answered_and_do_no_harm(feed):
    """Each gets an ERROR with its code; the next good message works."""
    with log_in(feed) as socket:
        for text, code in (
            ("{", "bad_json"),
            ('{"type":"FOO"}', "unknown_type"),
            ('{"type":"SUBSCRIBE"}', "missing_field"),
        ):
            socket.send(text)
            assert hear(socket, "ERROR")["code"] == code
        say(socket, type="INSTRUMENTS")
        assert hear(socket, "INSTRUMENTS")


def test_a_message_that_is_too_big_ends_only_its_sender(feed):
    """More than 1 MiB: closed with 1009, others go on."""
    with log_in(feed) as good, log_in(feed) as bad:
        bad.send("x" * (1 << 20 | 1))
        with pytest.raises(websockets.ConnectionClosed) as closed:
            hear(bad, "NEVER")
        say(good, type="INSTRUMENTS")
        assert hear(good, "INSTRUMENTS")
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


def test_more_clients_than_allowed_are_refused_politely():
    """The one too many reads why; room that gets free is given again."""
    with ServedFeed(listening=Listening(max_clients=2)) as feed:
        with log_in(feed), log_in(feed):
            with pytest.raises(websockets.InvalidStatus) as refused, dial(feed):
                raise AssertionError("let in")
            assert refused.value.response.status_code == 503
            assert b"full: 2 clients" in refused.value.response.body
        eventually(lambda: not feed.server.clients)
        with log_in(feed) as late:
            say(late, type="INSTRUMENTS")
            assert hear(late, "INSTRUMENTS")


def test_silent_sockets_do_not_pile_up():
    """Two hundred sockets that send nothing: most are dropped at once, none of them costs the live client."""
    with ServedFeed() as feed, log_in(feed) as good:
        sockets = [socket.create_connection(("127.0.0.1", feed.port)) for _ in range(200)]
        say(good, type="INSTRUMENTS")
        assert hear(good, "INSTRUMENTS")
        assert feed.call(lambda: feed.server._sockets) < 40
        eventually(lambda: feed.call(lambda: feed.server._sockets) == 1, what="the silent ones are gone")
        for sock in sockets:
            sock.close()


def test_a_client_that_does_not_read_is_dropped_and_nobody_notices(feed):
    """It takes nothing for five seconds: aborted, with a bounded buffer, while a good client gets every row."""
    chunks, rows = 40, 10_000
    collected = Collected()
    with log_in(feed, subprotocols=BINARY, close_timeout=0.1) as stalled, collected.client(feed) as good:
        say(stalled, type="SUBSCRIBE", symbol="SYN", data=EVERYTHING, from_sequence=0)
        good.subscribe("SYN", EVERYTHING, from_sequence=0)
        buffered = 0
        for _ in range(chunks):
            feed.publish(rows)
            buffered = max(buffered, feed.call(lambda: largest_buffer(feed)))
        eventually(lambda: collected.rows() == chunks * rows + SNAPSHOT_ROWS)
        assert collected.stream() == reference(chunks * rows)
        eventually(lambda: len(feed.server.clients) == 1, what="the stalled client is gone")
        assert good.health.reconnects == 0
    assert buffered < 8 << 20


def test_a_frozen_client_is_dropped_for_its_silence_while_its_socket_is_full(feed, monkeypatch):
    """A process that was stopped may hold a lock for orders: it ends when it is not heard, whatever waits for it."""
    monkeypatch.setattr(limits, "STALL_NS", 600 * limits.SECOND_NS)
    monkeypatch.setattr(limits, "DEAD_NS", limits.SECOND_NS // 2)
    for _ in range(40):
        feed.publish(20_000)
    with log_in(feed, subprotocols=BINARY, max_queue=1, close_timeout=0.1) as frozen:
        say(frozen, type="HEARTBEAT")
        say(frozen, type="SUBSCRIBE", symbol="SYN", data=EVERYTHING, from_sequence=0)  # and reads none of it
        eventually(lambda: not feed.server.clients, what="the frozen client is gone")


def largest_buffer(feed: ServedFeed) -> int:
    return max(client._websocket.transport.get_write_buffer_size() for client in feed.server.clients)


def test_a_client_whose_writer_fails_is_dropped(feed, caplog):
    """It would hear nothing any more and count as behind for ever; others are served, and the log says why."""
    with log_in(feed) as victim, log_in(feed) as other:
        say(victim, type="SUBSCRIBE", symbol="SYN", data=["TRADES"])
        hear(victim, "SUBSCRIBED")
        [client] = feed.call(lambda: [c for c in feed.server.clients if c.subscriptions])

        def broken(now: int) -> list[str]:
            raise ValueError("no frames today")

        feed.call(lambda: setattr(client.connection, "data_to_send", broken))
        feed.publish(10)
        eventually(lambda: client not in feed.call(lambda: feed.server.clients))
        assert feed.call(lambda: feed.server.caught_up)
        say(other, type="INSTRUMENTS", request_id=1)
        hear(other, "INSTRUMENTS")
    assert "no frames today" in caplog.text


def test_no_message_waits_for_a_full_packet(feed):
    """Nagle's algorithm is off: an answer behind market data would wait 40 ms for the peer's acknowledgement."""
    with Collected().client(feed):
        [client] = feed.server.clients
        sock = client._websocket.transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
