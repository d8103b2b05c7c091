"""Bad inputs 13–15 and 20–23 of the reliability promises: streams whose parts are fine and whose whole is not."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import workbench as wb
from tests.support.eventually import eventually
from tests.support.following import KINDS, Follower, answer, close_code, plain_client
from tests.support.recordings import SECOND_NS, START_NS
from tests.support.running_engine import RunningEngine
from tests.support.scripted_bridge import ScriptedBridge
from tests.support.serving import SECRET, ServedFeed
from workbench.errors import FeedError
from workbench.events import EventBatch, EventKind, Instrument
from workbench.feeds import discovery
from workbench.feeds.client import Target
from workbench.feeds.upstream import UpstreamSource
from workbench.frames.recording import write_recording
from workbench.session import Session
from workbench.session.remote import EngineLine

INSTRUMENT = Instrument("SYN", "0.25")
DAY_NS = 86_400 * SECOND_NS


@pytest.fixture(scope="module", autouse=True)
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of our own for discovery files."""
    folder = tmp_path_factory.mktemp("runtime")
    folder.chmod(0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(discovery.RUNTIME_DIR_VARIABLE, str(folder))
        yield folder


@pytest.fixture
def bridge() -> Iterator[ScriptedBridge]:
    with ScriptedBridge() as scripted:
        yield scripted


@pytest.fixture
def follower(bridge: ScriptedBridge) -> Iterator[Follower]:
    following = Follower(bridge)
    with following.client:
        yield following


@pytest.fixture(scope="module")
def feed() -> Iterator[ServedFeed]:
    with ServedFeed() as served:
        yield served


def test_13_sequence_backwards_is_dropped(bridge: ScriptedBridge, follower: Follower) -> None:
    """A number that was seen is a duplicate: dropped, counted, and no gap."""
    bridge.following = 57
    follower.follow()
    bridge.send_row()
    bridge.send(bridge.row(sequence=41))
    bridge.send_row()
    eventually(lambda: follower.trades() == 2)
    health = follower.client.health
    assert (health.duplicates, health.lost, health.bad_messages) == (1, 0, 0)
    assert health.examples["duplicate"] == "seq 41 after 57: duplicate dropped"


def test_14_sequence_jump_is_a_gap_and_a_resync(bridge: ScriptedBridge, follower: Follower) -> None:
    """Missing numbers are asked for again; what the feed no longer has is one GAP row of their count."""
    bridge.following = 57
    follower.follow()
    bridge.send_row()
    bridge.following = 91
    bridge.send_row()
    eventually(lambda: len(bridge.of_type("SUBSCRIBE")) == 2)
    assert bridge.of_type("SUBSCRIBE")[1]["from_sequence"] == 58
    eventually(lambda: len(follower.collected.snapshots()) == 2)
    bridge.send_row()
    eventually(lambda: follower.trades() == 2)
    reasons = [getattr(d, "reason", "") for d in follower.collected.deliveries]
    assert "gap 58–90 (33 events), resync" in reasons
    gaps = [b for b in follower.collected.batches() if b.kind[0] == EventKind.GAP]
    assert [(b.first_sequence, int(b.size[0])) for b in gaps] == [(58, 34)]  # 91 came too early to be kept
    assert follower.client.health.lost == 34


def test_15_delta_before_its_snapshot_waits_for_it(
    bridge: ScriptedBridge, follower: Follower, caplog: pytest.LogCaptureFixture
) -> None:
    """Early rows are kept; after 2 s without a snapshot that is said, asked for again, and then nothing is missing."""
    bridge.has_snapshot = False
    follower.client.subscribe("SYN", KINDS)
    eventually(lambda: bridge.of_type("SUBSCRIBE"))
    bridge.send_row()
    bridge.has_snapshot, bridge.following = True, 0  # for whoever asks again
    eventually(lambda: follower.trades() == 1)
    assert "no snapshot in 2 s" in caplog.text
    assert len(bridge.of_type("SUBSCRIBE")) == 2
    assert follower.client.health.lost == 0


@pytest.fixture
def live(bridge: ScriptedBridge) -> Iterator[Session]:
    """A session on an engine that relays the bridge."""
    with RunningEngine(UpstreamSource.connect(bridge.uri)) as engine:
        session = Session(EngineLine(Target.of(engine.endpoint)))
        with session:
            yield session


def test_20_crossed_book_is_stale_and_asked_for_anew(bridge: ScriptedBridge, live: Session) -> None:
    """Said with the next look; after half a second the book comes anew, and no event is lost over it."""
    eventually(lambda: live.book.best_bid == 101.0)
    bridge.send_row()
    bridge.send_row("DEPTH", side="BID", price=101.2, size=3)
    eventually(lambda: live.health.crossed)
    assert live.health.note == "crossed 101.2≥101.1, stale"
    assert live.state == "stale"
    assert "crossed" in repr(live.health)
    eventually(lambda: not live.health.crossed)
    bridge.send_row()
    eventually(lambda: len(live.trades) == 2 and live.health.resyncs == 1)
    assert (live.state, live.health.gaps, live.health.lost) == ("live", 0, 0)
    assert (live.book.best_bid, live.book.best_ask, live.book.valid) == (101.0, 101.1, True)


def test_20_crossed_book_before_an_opening_is_data(tmp_path: Path) -> None:
    """A venue's own crossed book is imported, replayed to its end and reported, not refused."""
    kind = [EventKind.CLEAR, EventKind.DEPTH, EventKind.DEPTH, EventKind.SNAPSHOT_END, EventKind.CLOCK]
    ts = START_NS + np.arange(5) * SECOND_NS
    crossed = EventBatch.of(
        ts=ts, kind=kind, side=[0, 1, -1, 0, 0], price=[0, 8, 4, 0, 0], size=[0, 1, 1, 0, 0]
    )
    recording = write_recording(tmp_path, INSTRUMENT, [crossed], source={})
    found = recording.verify()
    assert found.verdict == "DEGRADED"
    assert "book crossed for 1.000 s" in found.reasons[0]
    with wb.replay(recording, inline=True) as session:
        session.until()
        assert (session.state, session.health.events) == ("ended", 5)
        assert session.health.note == "crossed 2.00≥1.00, stale"


def test_21_impossible_time_is_suspect_and_kept(bridge: ScriptedBridge, live: Session) -> None:
    """1970 and tomorrow's tomorrow are counted in health; every event stays, and a later one is no seek."""
    for ts in (START_NS, 0, time.time_ns() + 2 * DAY_NS, START_NS):
        bridge.ts = ts
        bridge.send_row()
    eventually(lambda: len(live.trades) == 4)
    health = live.health
    assert (health.clock_suspect, health.state, health.lost) == (2, "live", 0)
    assert health.note.startswith("clock_suspect: 2 events, the first stamped 1970-01-01T00:00:00")


def test_21_impossible_time_in_a_recording(tmp_path: Path) -> None:
    """verify() says it; the recording stays usable."""
    recording = write_recording(
        tmp_path, INSTRUMENT, [EventBatch.of(ts=5, kind=EventKind.TRADE, size=1)], source={}
    )
    found = recording.verify()
    assert (found.verdict, recording.count) == ("DEGRADED", 1)
    assert any(reason.startswith("clock_suspect: 1 events") for reason in found.reasons)


def test_22_other_major_version(bridge: ScriptedBridge, feed: ServedFeed) -> None:
    """Both sides say who speaks what and close with 1002; the client does not try again."""
    bridge.version = "2.0"
    with pytest.raises(FeedError, match="bridge speaks 2, workbench 1: pip install -U") as caught:
        Follower(bridge)
    assert caught.value.code == "version"
    eventually(lambda: bridge.close_codes == [1002])
    with plain_client(feed) as client:
        client.send(json.dumps({"type": "LOGIN", "token": SECRET, "version": "2.0"}))
        assert "bridge speaks 1, workbench 2" in str(answer(client, "ERROR")["message"])
        assert close_code(client) == 1002


def test_23_subscribing_twice_changes_nothing(
    bridge: ScriptedBridge, follower: Follower, feed: ServedFeed
) -> None:
    """The client asks once; the server answers a repetition and begins nothing anew."""
    follower.follow()
    follower.client.subscribe("SYN", KINDS)
    bridge.send_row()
    eventually(lambda: follower.trades() == 1)
    assert len(bridge.of_type("SUBSCRIBE")) == 1
    with plain_client(feed) as client:
        client.send('{"type": "SUBSCRIBE", "symbol": "SYN"}')
        assert answer(client, "SUBSCRIBED")["snapshot"] is True
        client.send('{"type": "SUBSCRIBE", "symbol": "SYN"}')
        assert answer(client, "SUBSCRIBED")["snapshot"] is False
