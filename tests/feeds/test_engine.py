"""The engine: virtual time, commands, recordings, and when it leaves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.collecting import EVERYTHING, Collected
from tests.support.eventually import eventually
from tests.support.running_engine import RunningEngine, health, record
from tests.support.synthetic import SNAPSHOT_ROWS, START_NS, SyntheticSource, reference, snapshot
from workbench.errors import EngineError, ReplayError
from workbench.events import COLUMN_NAMES, EventBatch, EventKind
from workbench.feeds import discovery
from workbench.feeds.client import FeedClient
from workbench.feeds.pacing import MAX
from workbench.feeds.replay import Replay
from workbench.feeds.seeks import SOUGHT
from workbench.feeds.simulator.source import Simulator
from workbench.frames.recording import open_recording, write_recording
from workbench.protocol import messages

MS = 1_000_000


@pytest.fixture(autouse=True)
def runtime_dir(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "run"
    monkeypatch.setenv(discovery.RUNTIME_DIR_VARIABLE, str(folder))
    return folder


def follow(engine: RunningEngine, collected: Collected, symbol: str = "SYN") -> FeedClient:
    client = engine.client(collected)
    client.subscribe(symbol, EVERYTHING, from_sequence=0)
    return client


def state_is(client: FeedClient, state: str) -> Callable[[], bool]:
    return lambda: health(client).state == state


@pytest.mark.parametrize("speed", [20.0, MAX])
def test_live_equals_the_source_driven_by_hand(speed):
    """Paced or as fast as possible: the same columns and numbers, nothing lost."""
    collected = Collected()
    with (
        RunningEngine(SyntheticSource(count=20_000), speed=speed) as engine,
        follow(engine, collected) as client,
    ):
        eventually(lambda: collected.rows() == 20_000 + SNAPSHOT_ROWS)
        eventually(state_is(client, "ended"))
    assert collected.stream() == reference(20_000)


def test_a_simulated_market_is_the_same_through_the_engine():
    """The simulator, as fast as possible through the engine, against the same simulator driven by hand."""
    collected = Collected()
    with (
        RunningEngine(Simulator(seed=11), speed=MAX) as engine,
        follow(engine, collected, "ES-SIM") as client,
    ):
        eventually(lambda: collected.rows("ES-SIM") > 100_000)
        client.request(messages.Replay(action="pause"))
        position = health(client).position
        assert position is not None
    live = collected.stream("ES-SIM")
    by_hand = EventBatch.concatenate(
        [batch for _, batch in Simulator(seed=11).advance(position + 1_000 * MS)]
    )
    assert live == by_hand[: len(live)]
    assert len(live) > 100_000


def test_as_fast_as_possible_waits_for_its_clients():
    """More than the ring holds, to a client that is not the fastest: back-pressure, never a gap."""
    collected = Collected()
    source = SyntheticSource(count=1_500_000)
    with RunningEngine(source, speed=MAX) as engine:
        engine.engine.markets["SYN"].stream._max_rows = 50_000
        with follow(engine, collected) as client:
            eventually(lambda: collected.rows() == 1_500_000 + SNAPSHOT_ROWS)
            assert client.health.lost == 0
    assert collected.stream() == reference(1_500_000)


def test_virtual_time_waits_for_the_first_subscriber():
    """A client that only looks does not start it; one that subscribes gets everything."""
    collected = Collected()
    with RunningEngine(SyntheticSource(count=100), speed=MAX) as engine, engine.client(collected) as client:
        assert health(client).state == "waiting"
        client.subscribe("SYN", EVERYTHING, from_sequence=0)
        eventually(lambda: collected.rows() == 100 + SNAPSHOT_ROWS)


def test_it_may_begin_at_once():
    """Served from a terminal, time begins with the engine."""
    running = RunningEngine(SyntheticSource(count=100), speed=MAX, wait_for_subscriber=False)
    with running as engine, engine.client() as client:
        eventually(state_is(client, "ended"))


def test_pause_and_step_and_resume():
    """Paused nothing comes; a step gives exactly its time; then it goes on to the same stream."""
    collected = Collected()
    with (
        RunningEngine(SyntheticSource(count=2_000), speed=1.0) as engine,
        follow(engine, collected) as client,
    ):
        eventually(lambda: collected.rows() > 200)
        client.request(messages.Replay(action="pause"))
        position = health(client).position
        assert health(client).state == "paused"
        assert health(client).position == position
        client.request(messages.Replay(action="step", value=50 * MS))
        eventually(lambda: collected.rows() == (position - START_NS) // MS + 50 + SNAPSHOT_ROWS)
        client.request(messages.Replay(action="speed", value=0))
        client.request(messages.Replay(action="resume"))
        eventually(lambda: collected.rows() == 2_000 + SNAPSHOT_ROWS)
    assert collected.stream() == reference(2_000)


def test_seek_gives_the_book_of_then_at_once():
    """Backwards while paused: CLEAR, the levels of that moment, SNAPSHOT_END; numbers go on upwards."""
    collected = Collected()
    with (
        RunningEngine(SyntheticSource(count=5_000), speed=MAX) as engine,
        follow(engine, collected) as client,
    ):
        eventually(state_is(client, "ended"))
        client.request(messages.Replay(action="pause"))
        client.request(messages.Replay(action="seek", value=START_NS + 777 * MS))
        eventually(lambda: collected.rows() == 5_000 + 2 * SNAPSHOT_ROWS)
        assert health(client).position == START_NS + 777 * MS
    sought = collected.stream()[5_000 + SNAPSHOT_ROWS :]
    expected = snapshot(777, START_NS + 777 * MS, 5_000 + SNAPSHOT_ROWS)
    assert sought.order_id[0] == SOUGHT and not expected.order_id.any()
    assert [c for c in COLUMN_NAMES if (getattr(sought, c) != getattr(expected, c)).any()] == ["order_id"]
    assert sought.first_sequence == expected.first_sequence


def test_a_book_of_many_chunks_is_there_after_a_seek_all_the_same(tmp_path, monkeypatch):
    """Also while paused, when nothing would hand on the rest."""
    recording = write_recording(tmp_path, SyntheticSource().instruments[0], [reference(500)], source={})
    collected = Collected()
    with (
        RunningEngine(Replay(recording), speed=MAX) as engine,
        follow(engine, collected) as client,
    ):
        eventually(state_is(client, "ended"))
        client.request(messages.Replay(action="pause"))
        monkeypatch.setattr("workbench.feeds.engine.CHUNK_EVENTS", SNAPSHOT_ROWS // 3)
        client.request(messages.Replay(action="seek", value=START_NS + 77 * MS))
        eventually(lambda: collected.rows() > 500 + 2 * SNAPSHOT_ROWS)
    assert EventKind.SNAPSHOT_END in collected.stream()[500 + SNAPSHOT_ROWS :].kind


@pytest.mark.parametrize("value", [-1, float("1.5e-320") * 0 - 2.0])
def test_a_speed_that_makes_no_sense_is_refused(value):
    """And the engine runs on."""
    with RunningEngine(SyntheticSource(count=10)) as engine, engine.client() as client:
        with pytest.raises(EngineError, match="replay speed") as caught:
            client.request(messages.Replay(action="speed", value=value))
        assert caught.value.code == ReplayError.code
        assert health(client).state == "waiting"


def test_health_comes_again_and_again_when_asked():
    """Every interval, free of secrets, until the client leaves."""
    collected = Collected()
    with RunningEngine(SyntheticSource(count=100)) as engine, engine.client(collected) as client:
        client.request(messages.HealthQuery(interval_ms=100))
        eventually(lambda: sum(isinstance(m, messages.Health) for m in collected.messages()) >= 3)
        assert engine.endpoint.secret not in repr(collected.messages())


def test_two_instruments_are_two_streams():
    """Each with its own numbers and its own ring."""
    collected = Collected()
    source = SyntheticSource(("ES", "NQ"), count=1_000)
    with RunningEngine(source, speed=MAX) as engine, follow(engine, collected, "ES") as client:
        client.subscribe("NQ", EVERYTHING, from_sequence=0)
        eventually(lambda: collected.rows("NQ") == collected.rows("ES") == 1_000 + SNAPSHOT_ROWS)
    assert collected.stream("ES") == collected.stream("NQ") == reference(1_000)


# -- recording -------------------------------------------------------------------------------------------------------


def test_a_recording_holds_the_book_and_everything_after_it(tmp_path):
    """Begun in the middle: first the book of that moment, then every event with its own number."""
    collected = Collected()
    source = SyntheticSource(count=200_000)
    with RunningEngine(source, speed=MAX) as engine, follow(engine, collected) as client:
        client.request(messages.Replay(action="pause"))
        started = record(client, tmp_path / "rec")
        assert started.state == "recording"
        client.request(messages.Replay(action="resume"))
        eventually(state_is(client, "ended"))
        stopped = client.request(messages.StopRecording())
        assert isinstance(stopped, messages.Recording)
        assert (stopped.state, stopped.acknowledged) == ("closed", {"SYN": 200_000 + SNAPSHOT_ROWS})
    recording = open_recording(started.paths["SYN"])
    recorded = EventBatch.concatenate(recording.batches())
    assert recording.verify().verdict == "VALID"
    assert recorded.kind[0] == EventKind.CLEAR
    assert recorded[SNAPSHOT_ROWS:] == reference(200_000)[recorded.first_sequence + SNAPSHOT_ROWS :]


def test_recordings_are_refused_with_a_reason(tmp_path):
    """A relative path, an unknown instrument, nothing to stop, an unknown recording."""
    with RunningEngine(SyntheticSource(count=10)) as engine, engine.client() as client:
        for message, code in (
            (messages.Record(out="rec"), "relative_path"),
            (messages.Record(out=str(tmp_path), symbols=["XYZ"]), "unknown_instrument"),
            (messages.StopRecording(), "not_recording"),
            (messages.StopRecording(recording="none"), "bad_recording"),
        ):
            with pytest.raises(EngineError) as caught:
                client.request(message)
            assert caught.value.code == code


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    """A file stands where the directory should: the client reads so, the engine runs on."""
    (tmp_path / "file").write_text("")
    with RunningEngine(SyntheticSource(count=10)) as engine, engine.client() as client:
        with pytest.raises(EngineError):
            record(client, tmp_path / "file" / "rec")
        assert health(client).recordings[0]["state"] == "failed"


def test_no_seek_while_recording(tmp_path):
    """A recording is one piece of time."""
    with RunningEngine(SyntheticSource(count=10)) as engine, engine.client() as client:
        record(client, tmp_path / "rec")
        with pytest.raises(EngineError, match="cannot seek while recording"):
            client.request(messages.Replay(action="seek", value=START_NS))


# -- leaving ---------------------------------------------------------------------------------------------------------


def test_it_leaves_when_the_last_client_has_gone():
    """After the grace, and its discovery file with it."""
    with RunningEngine(SyntheticSource(count=10), grace_s=0.05) as engine:
        engine.client().close()
        eventually(lambda: not engine.thread.is_alive())
    assert discovery.running_feeds() == []


def test_it_stays_while_it_records(tmp_path):
    """The client may go: the recording goes on, and ends whole when the engine is told to leave."""
    with RunningEngine(SyntheticSource(count=None), grace_s=0.05, speed=MAX) as engine:
        with follow(engine, Collected()) as client:
            client.request(messages.Replay(action="speed", value=1))
            started = record(client, tmp_path / "rec")
        eventually(lambda: not engine.engine.server.clients)
        before = engine.engine.markets["SYN"].next_sequence
        eventually(lambda: engine.engine.markets["SYN"].next_sequence > before + 200)
        assert engine.thread.is_alive()
    recording = open_recording(started.paths["SYN"])
    assert recording.verify().verdict == "VALID"
    assert recording.count > 200


def test_a_source_that_fails_is_told_and_does_not_end_the_feed():
    """Clients keep what they have, and read why nothing comes any more."""

    class Failing(SyntheticSource):
        def advance(self, until_ns: int, max_events: int | None = None) -> list[tuple[str, EventBatch]]:
            if until_ns > START_NS + 100 * MS:
                raise EngineError("the source broke")
            return super().advance(until_ns, max_events)

    with RunningEngine(Failing(count=1_000)) as engine, follow(engine, Collected()) as client:
        eventually(state_is(client, "failed"))
        assert health(client).sources[0]["reason"] == "the source broke"
