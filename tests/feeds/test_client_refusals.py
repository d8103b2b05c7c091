"""Whom the clients do not trust, and what they say when there is nobody; their secret never travels or shows.

Both of them: the one that keeps a session connected, and the one that runs an errand for a command.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.support.collecting import EVERYTHING, Collected
from tests.support.eventually import eventually
from tests.support.fault_proxy import FaultProxy
from tests.support.serving import SECRET, ServedFeed, open_client, proxied_feed
from workbench.errors import AuthenticationError, EngineError, FeedError
from workbench.feeds import errand
from workbench.feeds.addresses import Listening
from workbench.feeds.client import FeedClient, Target
from workbench.feeds.errand import Errand
from workbench.feeds.server import Access
from workbench.protocol import messages


@pytest.fixture
def feed() -> Iterator[ServedFeed]:
    with ServedFeed() as served:
        yield served


@pytest.fixture
def proxied() -> Iterator[tuple[ServedFeed, FaultProxy]]:
    with proxied_feed() as both:
        yield both


Opens = Callable[..., FeedClient | Errand]


@pytest.fixture(params=["client", "errand"])
def opens(request: pytest.FixtureRequest) -> Opens:
    def run_errand(uri: str, secret: str | None = SECRET) -> Errand:
        return Errand(Target(uri, secret), "errand")

    return open_client if request.param == "client" else run_errand


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


def test_nothing_there_is_told_at_once(opens):
    """Who to start."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(
        FeedError, match=rf"nothing listens on 127.0.0.1:{port}.*Start the Bookmap add-on or simulator"
    ):
        opens(f"ws://127.0.0.1:{port}/v1")


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
def test_what_is_no_feed_is_told_so(opens, answer):
    """Another server, or one that hangs up: not a feed."""
    with (
        imposter(lambda sock: sock.sendall(answer)) as port,
        pytest.raises(FeedError, match="not a workbench") as caught,
    ):
        opens(f"ws://127.0.0.1:{port}/v1")
    assert caught.value.code == "not_a_feed"


def test_a_wrong_token_is_told_and_not_tried_again(opens, feed):
    """AuthenticationError, with what to do; neither token is in the text."""
    with pytest.raises(AuthenticationError, match="token rejected") as caught:
        opens(feed.uri, "wrong-canary-token")
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


def test_a_squatter_learns_nothing_and_is_found_out(opens):
    """A server that holds another secret cannot prove itself: the client leaves before it has shown anything."""
    with ServedFeed(access=Access("another-secret")) as squatter, pytest.raises(AuthenticationError):
        opens(squatter.uri)


def test_a_squatter_that_lets_everyone_in_is_found_out(opens, monkeypatch):
    """Access without a challenge is no proof."""
    monkeypatch.setattr(errand, "ANSWER_S", 2.0)
    squatter = ServedFeed(access=Access(None, open_access=True))
    with squatter, pytest.raises(AuthenticationError, match="not the bridge I started"):
        opens(squatter.uri)


def test_an_open_feed_needs_no_secret():
    """Told to be open: a client without a secret gets market data."""
    with ServedFeed(access=Access(SECRET, open_access=True)) as feed, open_client(feed.uri, None) as client:
        assert client.state == "ready"


def test_a_full_feed_says_so(opens):
    """Not an unknown server: one that has no room."""
    feed = ServedFeed(listening=Listening(max_clients=1))
    with feed, opens(feed.uri), pytest.raises(FeedError, match="full: 1 clients"):
        opens(feed.uri)


def test_the_network_needs_tls(opens):
    """Refused before a single packet."""
    with pytest.raises(FeedError, match="non-loopback needs tls"):
        opens("ws://192.168.1.2:8765/v1")


def test_an_errand_is_let_in_and_answered(feed):
    """By proof, and by a feed that is open to all; the market's own messages do not confuse it."""
    with Errand(Target(feed.uri, SECRET), "errand") as open_errand:
        feed.publish(10)
        for _ in range(2):
            answer = open_errand.request(messages.HealthQuery())
            assert isinstance(answer, messages.Done)
    assert [command.request_id for command in feed.commands] == [1, 2]
    with ServedFeed(access=Access(SECRET, open_access=True)) as open_to_all:
        for secret in (None, SECRET):
            with Errand(Target(open_to_all.uri, secret), "errand") as one:
                one.request(messages.HealthQuery())


def test_an_errand_tells_that_no_answer_came_and_that_the_line_was_lost(proxied):
    """Of what was asked, nobody knows whether it was done."""
    _, proxy = proxied
    with Errand(Target(proxy.uri, SECRET), "errand") as open_errand:
        proxy.faults.frozen = True
        with pytest.raises(EngineError, match=r"no answer to CANCEL_ALL within 0\.2 s"):
            open_errand.request(messages.CancelAll(), timeout=0.2)
        proxy.faults.frozen = False
        proxy.cut()
        with pytest.raises(FeedError, match="outcome is not known") as lost:
            open_errand.request(messages.CancelAll())
    assert lost.value.code == "lost"


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


def test_an_errand_needs_no_columns():
    """What events need takes longer to load than a way out may take (``bench/ways_out.py``)."""
    loads = (
        "import sys, workbench.cli.app, workbench.cli.flattening, workbench.feeds.errand; print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "workbench.feeds.errand" in loaded
    assert not loaded & {"numpy", "polars", "numba", "pandas", "asyncio"}
