"""Whom the client does not trust, and what it says when there is nobody; its secret never travels or shows."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.support.collecting import EVERYTHING, Collected
from tests.support.eventually import eventually
from tests.support.fault_proxy import FaultProxy
from tests.support.serving import SECRET, ServedFeed, open_client, proxied_feed
from workbench.errors import AuthenticationError, FeedError
from workbench.feeds.addresses import Listening
from workbench.feeds.client import FeedClient, Target
from workbench.feeds.server import Access


@pytest.fixture
def feed() -> Iterator[ServedFeed]:
    with ServedFeed() as served:
        yield served


@pytest.fixture
def proxied() -> Iterator[tuple[ServedFeed, FaultProxy]]:
    with proxied_feed() as both:
        yield both


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


def test_no_repr_shows_a_secret(feed):
    """Neither of the target nor of the client."""
    with open_client(feed.uri) as client:
        assert SECRET not in repr(client) + repr(client.target) + repr(client.health) + repr(
            client._connection
        )
