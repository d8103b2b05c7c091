"""The client's thread over real sockets: it comes back, resumes, and never loses or repeats silently."""

from __future__ import annotations

import contextlib
import gc
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.support.collecting import EVERYTHING, Collected
from tests.support.eventually import eventually
from tests.support.fault_proxy import FaultProxy
from tests.support.serving import SECRET, ServedFeed
from tests.support.synthetic import SNAPSHOT_ROWS, reference
from workbench.errors import AuthenticationError, EngineError, FeedError
from workbench.events import EventKind
from workbench.feeds.addresses import Listening
from workbench.feeds.client import FeedClient, Target
from workbench.feeds.server import Access
from workbench.protocol import messages, notices


@pytest.fixture
def feed() -> Iterator[ServedFeed]:
    with ServedFeed() as served:
        yield served


@pytest.fixture
def proxied() -> Iterator[tuple[ServedFeed, FaultProxy]]:
    """A feed behind a proxy that keeps its port: the Host header of the client names the proxy."""
    with ServedFeed() as feed, FaultProxy(feed.port) as between:
        feed.call(lambda: setattr(feed.server, "port", between.port))
        yield feed, between


def everything(collected: Collected, rows: int) -> Callable[[], bool]:
    return lambda: collected.rows() >= rows + SNAPSHOT_ROWS


def test_the_first_client_gets_the_stream_from_its_first_event(feed):
    """From number 0, bit for bit what the source made."""
    collected = Collected()
    with collected.client(feed) as client:
        client.subscribe("SYN", EVERYTHING, from_sequence=0)
        for rows in (1, 10, 100, 20_000):
            feed.publish(rows)
        eventually(everything(collected, feed.rows))
        assert collected.stream() == reference(feed.rows)
        assert client.health.lost == client.health.duplicates == client.health.bad_messages == 0
    assert client.state == "closed"


def test_a_later_client_begins_with_the_book(feed):
    """A snapshot first, then every change after it."""
    feed.publish(1_000)
    collected = Collected()
    with collected.client(feed) as client:
        client.subscribe("SYN", EVERYTHING)
        eventually(collected.snapshots)
        feed.publish(500)
        eventually(lambda: collected.rows() == 500)
    [snapshot] = collected.snapshots()
    assert snapshot.next_sequence == 1_000 + SNAPSHOT_ROWS
    assert collected.stream() == reference(1_500)[1_000 + SNAPSHOT_ROWS :]


def test_an_interrupted_client_resumes_without_loss(proxied):
    """Cut ten times while events flow: nothing lost, nothing twice, one stream."""
    feed, proxy = proxied
    collected = Collected()
    with collected.client(feed, proxy.uri) as client:
        client.subscribe("SYN", EVERYTHING, from_sequence=0)
        for cut in range(1, 11):
            feed.publish(200)
            proxy.cut()
            feed.publish(200)
            eventually(lambda cut=cut: client.health.reconnects == cut and client.state == "ready")
        eventually(everything(collected, feed.rows))
        assert collected.stream() == reference(feed.rows)
        assert client.health.lost == 0


def test_what_the_ring_no_longer_has_is_a_gap_and_a_new_book(proxied):
    """Away too long: the number of lost events is known, and the book is known again."""
    feed, proxy = proxied
    stream = feed.markets["SYN"].stream
    feed.call(lambda: setattr(stream, "_max_rows", 100))
    collected = Collected()
    with collected.client(feed, proxy.uri) as client:
        client.subscribe("SYN", EVERYTHING, from_sequence=0)
        feed.publish(50)
        eventually(everything(collected, 50))
        proxy.faults.refuse = True
        proxy.cut()
        eventually(lambda: client.state == "offline")
        for _ in range(10):
            feed.publish(100)
        proxy.faults.refuse = False
        eventually(collected.snapshots)
        eventually(lambda: client.health.lost == 1_000)
        feed.publish(10)
        eventually(lambda: collected.rows() == SNAPSHOT_ROWS + 50 + 1 + 10)
    gap = next(b for b in collected.batches() if b.kind[-1] == EventKind.GAP)
    assert (gap.last_sequence, int(gap.size[-1])) == (SNAPSHOT_ROWS + 50, 1_000)
    assert collected.snapshots()[-1].next_sequence == SNAPSHOT_ROWS + 1_050


def test_a_feed_that_was_started_anew_is_not_mixed_with_the_old_one():
    """Another session on the same port: its numbers begin anew, so what lies between is a gap, never a silent join."""
    collected = Collected()
    with ServedFeed() as first:
        port = first.port
        client = collected.client(first)
        client.subscribe("SYN", EVERYTHING, from_sequence=0)
        first.publish(100)
        eventually(everything(collected, 100))
    try:
        with ServedFeed(listening=Listening(port=port)) as second:
            second.publish(500)
            eventually(lambda: collected.snapshots() and client.state == "ready")
            second.publish(10)
            eventually(lambda: int(collected.batches()[-1].ts[-1]) == int(reference(510).ts[-1]))
    finally:
        client.close()
    after = [b for b in collected.batches() if b.first_sequence >= SNAPSHOT_ROWS + 100]
    assert after[0].kind[0] == EventKind.GAP


def test_a_frozen_feed_is_stale_and_then_torn_down(proxied):
    """Half-open: flagged after three missed heartbeats, torn down after four seconds, back when it thaws."""
    feed, proxy = proxied
    collected = Collected()
    with collected.client(feed, proxy.uri) as client:
        client.subscribe("SYN", EVERYTHING, from_sequence=0)
        feed.publish(100)
        eventually(everything(collected, 100))
        proxy.faults.frozen = True
        eventually(lambda: client.state == "stale")
        eventually(lambda: client.state not in ("stale", "ready"), what="torn down")
        proxy.faults.frozen = False
        feed.publish(100)
        eventually(everything(collected, 200))
        assert collected.stream() == reference(200)


def test_a_slow_line_changes_nothing_but_the_lag(proxied):
    """Delays cost time, not events."""
    feed, proxy = proxied
    proxy.faults.delay_s = 0.02
    collected = Collected()
    with collected.client(feed, proxy.uri) as client:
        client.subscribe("SYN", EVERYTHING, from_sequence=0)
        for _ in range(10):
            feed.publish(1_000)
        eventually(everything(collected, 10_000))
        assert collected.stream() == reference(10_000)
        assert client.health.lag_ms > 0


def test_garbled_bytes_never_reach_the_columns(proxied):
    """Flipped bits inside frames are seen and asked for again, or end the connection; the stream stays what it was."""
    feed, proxy = proxied
    rng = np.random.default_rng(7)
    collected = Collected()

    def garble(data: bytes) -> bytes:
        if rng.random() < 0.7:
            return data
        changed = bytearray(data)
        changed[0] = 0xFF  # a frame header that no server may send
        return bytes(changed)

    with collected.client(feed, proxy.uri) as client:
        client.subscribe("SYN", EVERYTHING, from_sequence=0)
        for _ in range(20):
            proxy.faults.garble = garble
            feed.publish(100)
            proxy.faults.garble = None
        eventually(everything(collected, feed.rows))
        assert collected.stream() == reference(feed.rows)


@pytest.mark.parametrize("variable", ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_proxies_of_the_environment_are_ignored(feed, monkeypatch, variable):
    """A dead corporate proxy in the environment: the client connects all the same."""
    monkeypatch.setenv(variable, "http://127.0.0.1:9")
    with Collected().client(feed) as client:
        assert client.state == "ready"


# -- refusals --------------------------------------------------------------------------------------------------------


def open_client(uri: str, secret: str | None = SECRET, endpoint: str = "") -> FeedClient:
    return FeedClient(Target(uri, secret, endpoint), lambda delivery: None).open()


def test_nothing_there_is_told_at_once():
    """Who to start."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(
        FeedError, match=rf"nothing listens on 127.0.0.1:{port}.*Start the Bookmap add-on or simulator"
    ):
        open_client(f"ws://127.0.0.1:{port}/v1")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        b"HTTP/1.1 404 No\r\n\r\n",
        b"\x00" * 70_000,
    ],
)
def test_what_is_no_feed_is_told_so(answer):
    """Another server, or one that hangs up: not a feed."""
    with (
        imposter(lambda sock: sock.sendall(answer)) as port,
        pytest.raises(FeedError, match="not a workbench") as caught,
    ):
        open_client(f"ws://127.0.0.1:{port}/v1")
    assert caught.value.code == "not_a_feed"


def test_a_wrong_token_is_told_and_not_tried_again(feed):
    """AuthenticationError, with what to do; neither token is in the text."""
    with pytest.raises(AuthenticationError, match="token rejected") as caught:
        open_client(feed.uri, "wrong-canary-token")
    assert "canary" not in str(caught.value) + repr(caught.value)


def test_the_secret_never_travels(proxied):
    """Not in a login, and no part of it in any byte sent."""
    feed, proxy = proxied
    collected = Collected()
    with collected.client(feed, proxy.uri) as client:
        client.subscribe("SYN", EVERYTHING)
        eventually(collected.snapshots)
    assert len(proxy.faults.seen_from_client) > 100
    unmasked = unmask(bytes(proxy.faults.seen_from_client))
    assert b"HELLO" in unmasked
    for start in range(len(SECRET) - 8):
        assert SECRET[start : start + 8].encode() not in unmasked


def test_a_squatter_learns_nothing_and_is_found_out():
    """A server that holds another secret cannot prove itself: the client leaves before it has shown anything."""
    with ServedFeed(access=Access("another-secret")) as squatter, pytest.raises(AuthenticationError):
        open_client(squatter.uri)


def test_a_squatter_that_lets_everyone_in_is_found_out():
    """Access without a challenge is no proof."""
    squatter = ServedFeed(access=Access(None, open_access=True))
    with squatter, pytest.raises(AuthenticationError, match="not the bridge I started"):
        open_client(squatter.uri)


def test_an_open_feed_needs_no_secret():
    """Told to be open: a client without a secret gets market data."""
    with ServedFeed(access=Access(SECRET, open_access=True)) as feed, open_client(feed.uri, None) as client:
        assert client.state == "ready"


def test_a_full_feed_says_so():
    """Not an unknown server: one that has no room."""
    feed = ServedFeed(listening=Listening(max_clients=1))
    with feed, open_client(feed.uri), pytest.raises(FeedError, match="full: 1 clients"):
        open_client(feed.uri)


def test_the_network_needs_tls():
    """Refused before a single packet."""
    with pytest.raises(FeedError, match="non-loopback needs tls"):
        open_client("ws://192.168.1.2:8765/v1")


def test_a_feed_without_tls_behind_wss_is_no_feed(feed):
    """The handshake of TLS fails: told as such, without a traceback of ssl."""
    context = ssl.create_default_context()
    with pytest.raises(FeedError, match="not a workbench"):
        FeedClient(Target(feed.uri.replace("ws://", "wss://"), SECRET), lambda d: None, tls=context).open()


# -- commands --------------------------------------------------------------------------------------------------------


def test_a_command_gets_its_own_answer(feed):
    """Many at once from several threads: each its own."""
    answers: list[messages.Message] = []
    with Collected().client(feed) as client:
        threads = [
            threading.Thread(target=lambda: answers.append(client.request(messages.EngineQuery())))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert sorted(a.request_id for a in answers) == list(range(1, 9))


def test_a_command_that_is_refused_raises(feed):
    """With the code of the other side."""
    with Collected().client(feed) as client, pytest.raises(EngineError) as caught:
        client.request(messages.CancelAll())
    assert caught.value.code == "read_only"


def test_no_answer_in_time_raises(feed):
    """A time-out names the command."""
    feed.server._on_command = lambda client, command: None
    with (
        Collected().client(feed) as client,
        pytest.raises(EngineError, match=r"no answer to ENGINE within 0\.05 s"),
    ):
        client.request(messages.EngineQuery(), timeout=0.05)


def test_a_command_without_connection_is_refused_and_not_kept(proxied):
    """Whether it was carried out is never left open when it never left."""
    feed, proxy = proxied
    with Collected().client(feed, proxy.uri) as client:
        proxy.faults.refuse = True
        proxy.cut()
        eventually(lambda: client.state == "offline")
        for ask in (client.request, client.send):
            with pytest.raises(FeedError, match="not connected") as caught:
                ask(messages.EngineQuery())
            assert caught.value.code == "not_connected"
        proxy.faults.refuse = False
        eventually(lambda: client.state == "ready")
    assert feed.commands == []


def test_an_answer_that_a_lost_connection_swallowed_is_an_unknown_outcome(proxied):
    """FeedError says that it is not known."""
    feed, proxy = proxied
    feed.server._on_command = lambda client, command: proxy._loop.call_soon_threadsafe(
        lambda: proxy._loop.create_task(proxy._cut())
    )
    with (
        Collected().client(feed, proxy.uri) as client,
        pytest.raises(FeedError, match="outcome is not known"),
    ):
        client.request(messages.EngineQuery())


# -- life ------------------------------------------------------------------------------------------------------------


def test_closing_joins_the_thread_and_frees_everything(feed):
    """Twenty clients opened and closed: no thread and no descriptor stays; closing twice is no error."""
    open_client(feed.uri).close()
    eventually(lambda: not feed.server.clients)
    gc.collect()
    threads, descriptors = threading.active_count(), open_descriptors()
    for _ in range(20):
        client = open_client(feed.uri)
        client.close()
        client.close()
    eventually(lambda: not feed.server.clients)
    assert threading.active_count() == threads
    eventually(lambda: open_descriptors() <= descriptors)


def test_a_closed_client_refuses_more_work(feed):
    """Told so, instead of waiting for an answer that cannot come."""
    client = open_client(feed.uri)
    client.close()
    with pytest.raises(FeedError, match="connection is closed"):
        client.subscribe("SYN", EVERYTHING)


def test_an_error_of_the_taker_ends_the_client_with_a_reason(feed):
    """No traceback in anybody's cell, no silence either: health says why."""

    def take(delivery: object) -> None:
        if isinstance(delivery, notices.Snapshot | notices.MarketData):
            raise ValueError("taker broke")

    client = FeedClient(Target(feed.uri, SECRET, feed.uri), take).open()
    client.subscribe("SYN", EVERYTHING)
    eventually(lambda: client.state == "closed")
    assert "taker broke" in client.health.reason
    client.close()


def test_no_repr_shows_a_secret(feed):
    """Neither of the target nor of the client."""
    with open_client(feed.uri) as client:
        assert SECRET not in repr(client) + repr(client.target) + repr(client.health) + repr(
            client._connection
        )


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0


@contextlib.contextmanager
def imposter(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that reads what comes, answers something else, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                connection, _ = server.accept()
                with connection:
                    connection.recv(65536)
                    answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(10)


def unmask(data: bytes) -> bytes:
    """Text of masked client frames after the upgrade request."""
    position = data.index(b"\r\n\r\n") + 4
    text = bytearray(data[:position])
    while position + 6 <= len(data):
        length = data[position + 1] & 0x7F
        position += 2
        if length == 126:
            length = int.from_bytes(data[position : position + 2], "big")
            position += 2
        mask = data[position : position + 4]
        position += 4
        text += bytes(b ^ mask[i % 4] for i, b in enumerate(data[position : position + length]))
        position += length
    return bytes(text)


def test_an_answer_can_be_waited_for_elsewhere(feed):
    """``ask`` returns at once, and an ERROR is an answer too."""
    with Collected().client(feed) as client:
        refused = client.ask(messages.CancelAll()).result(30)
        assert isinstance(refused, messages.Error)
        assert refused.code == "read_only"
        assert isinstance(client.ask(messages.Notify(symbol="SYN", text="x")).result(30), messages.Done)


def test_a_client_that_is_started_waits_for_its_feed():
    """Nothing listens there yet, which is no error: it is tried again until something does."""
    states: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    client = FeedClient(
        Target(f"ws://127.0.0.1:{port}/v1", SECRET), lambda _: None, on_state=lambda s, _: states.append(s)
    ).start()
    try:
        with pytest.raises(FeedError, match="not connected"):
            client.ask(messages.CancelAll())
        with ServedFeed(listening=Listening(port=port)):
            eventually(lambda: client.state == "ready")
        eventually(lambda: client.state == "offline")
    finally:
        client.close()
    assert "ready" in states
    assert states[-1] == "closed"


def test_what_a_lost_connection_refused_never_leaves_with_the_next(feed):
    """The one who asked was told that nobody knows; a command that comes later would belie that."""
    with Collected().client(feed) as client:
        message, answer = client._requests.register(messages.Notify(symbol="SYN", text="late"))
        client._requests.refuse_all(FeedError("lost", code="lost"))
        client._do(lambda connection: client._send_request(connection, message, answer))
        client.request(messages.Notify(symbol="SYN", text="next"))
    assert [command.text for command in feed.commands if isinstance(command, messages.Notify)] == ["next"]
