"""Sessions through the engine: the same events as inline, and nothing left behind."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import workbench as wb
from tests.support.eventually import eventually
from tests.support.sessions import synthetic_engine
from tests.support.synthetic import SNAPSHOT_ROWS, START_NS, changes, reference, snapshot
from workbench.errors import DiscoveryError, EngineError, FeedError, RecordingError, ReplayError
from workbench.events import EventBatch, EventKind, Instrument
from workbench.feeds import discovery
from workbench.feeds.discovery import Endpoint
from workbench.feeds.engines import stop_all
from workbench.feeds.seeks import SOUGHT
from workbench.frames.recording import Recording, write_recording
from workbench.session import Session

ROWS = 3_000


@pytest.fixture(scope="module", autouse=True)
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A runtime folder of our own; whatever runs in the end is stopped."""
    folder = tmp_path_factory.mktemp("runtime")
    folder.chmod(0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_RUNTIME_DIR", str(folder))
        yield folder
        stop_all()


@pytest.fixture(scope="module")
def engine(runtime: Path) -> Endpoint:
    """One engine for the tests that only come and go."""
    return synthetic_engine(symbols=("ONE", "TWO"))


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    batch = reference(ROWS)
    return write_recording(tmp_path_factory.mktemp("r"), Instrument("SYN", "0.25"), [batch], source={})


@pytest.mark.parametrize("speed", [50, "max"])
def test_live_through_the_engine_equals_inline(recording: Recording, speed: float | str) -> None:
    """Same sequence numbers, same columns, same book, whatever the speed; the last session ends the engine."""
    with wb.replay(recording, speed) as live, wb.replay(recording, inline=True) as inline:
        live.until()
        inline.until()
        assert live.events.equals(inline.events) and live.trades.equals(inline.trades)
        assert live.book == inline.book and live.state == inline.state == "ended"
        assert repr(live) == repr(inline).replace("inline", "engine")
        source = live.source
    assert live.state == "closed" and len(live.events) == SNAPSHOT_ROWS + ROWS
    assert source not in [e.source for e in discovery.running_feeds()]


def test_the_engine_records_the_same_rows(recording: Recording, tmp_path: Path) -> None:
    """What the engine records while a session looks on is what the session captured."""
    with wb.replay(recording, speed=20) as session:
        session.until(events=100)
        with session.record(tmp_path) as rec:
            session.until()
        rows = rec.recording.events().collect()
        changes = rows.slice(SNAPSHOT_ROWS)
        tail = session.events.tail(len(changes))
        assert rec.recording.verify().verdict == "VALID" and changes.equals(tail)


def test_a_recording_with_history_begins_where_the_stream_began(recording: Recording, tmp_path: Path) -> None:
    """What was seen before recording started is kept too: the recording equals the whole stream."""
    with wb.replay(recording, speed=20) as session:
        session.until(events=100)
        with session.record(tmp_path, history=True) as rec:
            session.until()
        assert rec.recording.events().collect().equals(session.events)


def test_steering_the_engine(recording: Recording) -> None:
    """Pause stands still, seek gives the book of the moment, speed and resume go on."""
    with wb.replay(recording, speed=1) as session:
        session.clock.pause()
        assert session.state == "paused" and session.clock.speed == 1
        session.clock.seek("2s")
        assert session.book.bids == recording.book_at(recording.start_ns + 2 * 10**9).bids
        assert session.clock.now_ns == recording.start_ns + 2 * 10**9
        session.clock.seek("1s")
        assert session.book.asks == recording.book_at(recording.start_ns + 10**9).asks
        session.clock.speed = "max"
        assert session.clock.speed == float("inf")
        session.clock.resume()
        session.until()
        assert session.gaps.is_empty() and session.book.bids == recording.book_at(recording.end_ns).bids


def test_a_clock_set_back_near_a_reconnect_costs_nothing(tmp_path: Path) -> None:
    """A recording's own CLEAR is no seek, even where time runs back in the same breath."""
    again = snapshot(200, START_NS, SNAPSHOT_ROWS + 200)
    rows = [reference(200), again, changes(0, 100, 1_000_000, again.next_sequence)]
    recording = write_recording(
        tmp_path, Instrument("SYN", "0.25"), [EventBatch.concatenate(rows)], source={}
    )
    with wb.replay(recording, speed=1) as session:
        session.until()
        assert len(session.events) == recording.count and session.gaps.is_empty()


def test_every_session_learns_of_a_seek(recording: Recording) -> None:
    """A jump forward by one session begins another time for all of them, who then hold the same rows."""
    with wb.replay(recording, speed=1) as session:
        session.clock.pause()
        with wb.connect(
            next(e.uri for e in discovery.running_feeds() if e.source == session.source)
        ) as other:
            session.clock.seek("2s")
            eventually(lambda: other.events.equals(session.events))
            first = session.events.row(0, named=True)
            assert first["kind"] == EventKind.CLEAR and first["order_id"] == SOUGHT
            with wb.replay(recording, inline=True) as inline:
                inline.clock.seek("2s")
                assert inline.events.drop("sequence").equals(session.events.drop("sequence"))


def test_a_second_session_shares_the_engine_and_its_history(engine: Endpoint) -> None:
    """Who comes later gets everything from the beginning, and nobody ends what others use."""
    first = wb.connect(engine.uri)
    first.until(events=200)
    with wb.connect(engine.uri) as second:
        assert second.symbols == ("ONE", "TWO")
        second.until(events=first.health.events)
        assert second.events["sequence"][0] == 0
        assert second.events.head(100).equals(first.events.head(100))
    first.until(events=first.health.events + 50)
    first.close()
    assert engine.running


def test_twenty_sessions_leave_threads_and_descriptors_as_they_were(engine: Endpoint) -> None:
    """Opening and closing is free of leaks, by close() and by being dropped."""
    wb.connect(engine.uri).close()
    threads, files = threading.active_count(), _open_files()
    for number in range(20):
        session = wb.connect(engine.uri)
        if number % 2:
            session.close()
        del session
    gc.collect()
    eventually(lambda: threading.active_count() == threads and _open_files() <= files)


def test_the_only_feed_needs_no_address(engine: Endpoint) -> None:
    """With one engine running, connect() finds it; with two it asks which."""
    eventually(lambda: len(discovery.running_feeds()) == 1)  # those of other tests may still be leaving
    with wb.connect() as session:
        assert session.source == engine.source
        other = synthetic_engine(seed=1)
        with pytest.raises(DiscoveryError, match="2 feeds are running"):
            wb.connect()
        wb.connect(other.uri).close()
        os.kill(other.pid, signal.SIGTERM)
        eventually(lambda: not other.running)


def test_a_session_follows_the_engines_clock(engine: Endpoint) -> None:
    """There is nothing to advance by hand, and the message says what to do."""
    with wb.connect(engine.uri) as session, pytest.raises(ReplayError, match="inline=True"):
        session.advance("1s")


def test_a_seek_while_recording_is_refused(engine: Endpoint, tmp_path: Path) -> None:
    """A recording is one stretch of time; the session lives on."""
    with wb.connect(engine.uri) as session:
        rec = session.record(tmp_path, ("TWO",))
        with pytest.raises(EngineError, match="cannot seek while recording"):
            session.clock.seek("1s")
        session.until(events=session.health.events + 20)
        assert session.health.recording and rec.stop().count > 0
        assert not session.health.recording


def test_a_folder_that_cannot_be_written_to_is_told_as_without_an_engine(
    engine: Endpoint, tmp_path: Path
) -> None:
    """One error for one mistake, wherever the recorder runs; and it names the folder."""
    (tmp_path / "file").write_text("")
    with wb.connect(engine.uri) as through, wb.simulate(seed=1, inline=True) as inline:
        for session in (through, inline):
            with pytest.raises(RecordingError, match="cannot record in"):
                session.record(tmp_path / "file" / "below")


def test_waiting_has_an_end(engine: Endpoint) -> None:
    """A time-out is an error that says what did not come."""
    with wb.connect(engine.uri) as session, pytest.raises(FeedError, match="did not come within"):
        session.until(predicate=lambda s: False, timeout=0.05)


def test_a_killed_engine_leaves_a_stale_session_with_its_data() -> None:
    """The kernel keeps what it has, says that it is stale, and raises nothing by itself."""
    endpoint = synthetic_engine(seed=2)
    session = wb.connect(endpoint.uri)
    session.until(events=100)
    os.kill(endpoint.pid, signal.SIGKILL)
    eventually(lambda: session.state == "stale")
    assert len(session.events) >= 100 and session.book.best_bid is not None
    assert session.health.note and session.health.state == "stale"
    session.close()
    assert session.state == "closed"


def test_a_kernel_that_was_restarted_finds_its_engine(recording: Recording) -> None:
    """Left (not closed), the engine stays for a while; asking again attaches to it, and its stream goes on."""
    left = wb.replay(recording, speed=0.5)
    left.until(events=50)
    left._line.close(leave=True)
    running = [e.identity for e in discovery.running_feeds()]
    with wb.replay(recording, speed=0.5) as again:
        assert [e.identity for e in discovery.running_feeds()] == running
        again.until(events=100)
        assert again.events["sequence"][0] == 0


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("ws://127.0.0.1:9/v1", "nothing listens"),
        ("ws://192.168.1.2:8765/v1", "non-loopback needs tls"),
        ("bookmap", "no bridge runs inside Bookmap"),
        ("http://127.0.0.1:9", "address"),
    ],
)
def test_a_feed_that_is_not_there(uri: str, message: str) -> None:
    """The message says what was tried and what to start."""
    with pytest.raises(FeedError, match=message):
        wb.connect(uri)


def _open_files() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def test_a_session_in_a_with_block_is_a_session(engine: Endpoint) -> None:
    """The context manager hands out the session itself."""
    with wb.connect(engine.uri) as session:
        assert isinstance(session, Session)
