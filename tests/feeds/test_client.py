"""The client's thread over real sockets: it comes back, resumes, and never loses or repeats silently."""

from __future__ import annotations

import gc
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.support.collecting import EVERYTHING, Collected
from tests.support.eventually import eventually
from tests.support.fault_proxy import FaultProxy
from tests.support.serving import SECRET, ServedFeed, open_client, proxied_feed
from tests.support.synthetic import SNAPSHOT_ROWS, reference
from workbench.errors import FeedError
from workbench.events import EventKind
from workbench.feeds.addresses import Listening
from workbench.feeds.client import FeedClient, Target
from workbench.protocol import messages, notices


@pytest.fixture
def feed() -> Iterator[ServedFeed]:
    with ServedFeed() as served:
        yield served


@pytest.fixture
def proxied() -> Iterator[tuple[ServedFeed, FaultProxy]]:
    with proxied_feed() as both:
        yield both


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


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0


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
