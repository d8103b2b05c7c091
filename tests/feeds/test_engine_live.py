"""The engine on live sources: what it is told to stop in, and what appears while it runs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pytest

from tests.support.eventually import eventually
from tests.support.running_engine import RunningEngine, health, record
from tests.support.synthetic import SNAPSHOT_ROWS, SyntheticSource, changes, reference
from workbench.errors import FeedError
from workbench.events import EventBatch, Instrument
from workbench.feeds import discovery
from workbench.feeds.discovery import Endpoint
from workbench.feeds.engine import CHUNK_EVENTS
from workbench.frames.recording import open_recording
from workbench.protocol import messages

MS = 1_000_000


@pytest.fixture(autouse=True)
def runtime_dir(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv(discovery.RUNTIME_DIR_VARIABLE, str(tmp_path / "run"))


class Slow(SyntheticSource):
    """A live source whose thread has taken rows that it has not handed over yet."""

    live = True
    recording = False

    def __init__(self) -> None:
        super().__init__()
        self._parts = [
            reference(0),
            changes(0, 100, MS, SNAPSHOT_ROWS),
            changes(100, 150, MS, SNAPSHOT_ROWS + 100),
        ]
        self.entered, self.released = threading.Event(), threading.Event()

    def advance(self, until_ns: int, max_events: int | None = None) -> list[tuple[str, EventBatch]]:
        if len(self._parts) == 2 and self.recording:
            self.entered.set()
            assert self.released.wait(60)
        if len(self._parts) == 2 and not self.recording:
            return []
        return [("SYN", self._parts.pop(0))] if self._parts else []


def recorded_until_stopped(source: Slow, out: Path) -> int:
    """Rows in a recording of an engine that is told to stop while the source hands rows over."""
    with RunningEngine(source) as engine, engine.client() as client:
        started = record(client, out)
        source.recording = True
        assert source.entered.wait(60)
        client.request(messages.Shutdown())
        eventually(engine.engine._stopping.is_set)
        source.released.set()
        eventually(lambda: not engine.thread.is_alive())
    return open_recording(started.paths["SYN"]).count


def test_rows_on_their_way_are_recorded_when_the_engine_stops(tmp_path):
    """Those the source has given out already, and those that wait in it: a live feed sends nothing twice."""
    source = Slow()
    assert recorded_until_stopped(source, tmp_path / "rec") == SNAPSHOT_ROWS + 150


class Bursting(Slow):
    """As slow, with three whole chunks at the end."""

    last = 100 + 3 * CHUNK_EVENTS

    def __init__(self) -> None:
        super().__init__()
        self._parts[2] = changes(100, 100 + CHUNK_EVENTS, MS, SNAPSHOT_ROWS + 100)
        self._row = 100 + CHUNK_EVENTS

    def advance(self, until_ns: int, max_events: int | None = None) -> list[tuple[str, EventBatch]]:
        if self._parts or self._row == self.last:
            return super().advance(until_ns, max_events)
        begin, self._row = self._row, self._row + CHUNK_EVENTS
        return [("SYN", changes(begin, self._row, MS, SNAPSHOT_ROWS + begin))]


def test_more_than_a_chunk_on_its_way_is_recorded_when_the_engine_stops(tmp_path):
    """As long as the source has something, it is asked."""
    source = Bursting()
    assert recorded_until_stopped(source, tmp_path / "rec") == SNAPSHOT_ROWS + source.last


class Growing(SyntheticSource):
    """A platform that gets another instrument, of which its account speaks before its first row."""

    live = True
    later = False

    def listen(self, tell: Callable[[messages.AccountMessage], object]) -> None:
        self.tell = tell

    def ask(self, symbol: str, command: messages.Command) -> Future[messages.Message]:
        raise FeedError("nobody is there")

    def advance(self, until_ns: int, max_events: int | None = None) -> list[tuple[str, EventBatch]]:
        if self.later and len(self.instruments) == 1:
            self.instruments = (*self.instruments, Instrument("NQ", "0.25"))
            return [("NQ", reference(10))]
        return super().advance(self.start_ns, max_events)


def speak(source: Growing) -> None:
    source.tell(messages.Position(symbol="NQ", position=3.0, ts=7))
    source.tell(
        messages.Fill(
            symbol="NQ", client_order_id="a", execution_id="e", side="BUY", price=1.0, size=1.0, ts=8
        )
    )


def test_an_instrument_that_appears_is_recorded_with_what_was_said_of_it_before(tmp_path):
    """Its account may come before its first row; whatever is recorded is recorded once."""
    source = Growing()
    with RunningEngine(source) as engine, engine.client() as client:
        record(client, tmp_path / "rec")
        speak(source)
        eventually(lambda: len(list(engine.engine.server.account.known("NQ"))) == 2)
        source.later = True
        eventually(lambda: "NQ" in engine.engine.markets)
        stopped = client.request(messages.StopRecording())
    table = open_recording(stopped.paths["NQ"]).table("orders").collect()
    assert table["kind"].to_list() == ["POSITION", "FILL"]
    assert open_recording(stopped.paths["NQ"]).count == SNAPSHOT_ROWS + 10


def test_a_discovery_file_that_cannot_be_renewed_ends_nothing(tmp_path, monkeypatch):
    """Somebody holds it open (Windows), or the disk is full: instruments are served and recorded all the same."""

    def held(endpoint: Endpoint) -> Endpoint:
        raise PermissionError("in use")

    monkeypatch.setattr("workbench.feeds.engine.renew", held)
    source = Growing()
    with RunningEngine(source) as engine, engine.client() as client:
        record(client, tmp_path / "rec")
        source.later = True
        eventually(lambda: "NQ" in engine.engine.markets)
        stopped = client.request(messages.StopRecording())
        assert health(client).state == "live"
    assert set(stopped.paths) == {"SYN", "NQ"}
