"""The writer thread: recordings begin and end whole, and a failing disk is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.eventually import eventually
from tests.support.synthetic import SNAPSHOT_ROWS, START_NS, SyntheticSource, changes, reference, snapshot
from workbench.errors import DiskFullError, RecordingError
from workbench.events import EventBatch, EventKind, Instrument
from workbench.feeds.recording_thread import RecordingThread, Running
from workbench.frames import compaction
from workbench.frames.compaction import compact
from workbench.frames.recorder import Recorder
from workbench.frames.recording import open_recording

INSTRUMENT = SyntheticSource().instruments[0]
STEP_NS = 1_000_000


@pytest.fixture
def failed() -> list[Running]:
    return []


@pytest.fixture
def writer(failed: list[Running]) -> Iterator[RecordingThread]:
    thread = RecordingThread(failed.append)
    yield thread
    thread.close("test over").result(60)
    thread.join()


def begin(writer: RecordingThread, directory: Path, name: str = "one") -> Running:
    openings = {"SYN": (INSTRUMENT, [snapshot(0, START_NS, 0)])}
    return writer.start(name, directory, openings, {"name": "test"}).result(60)


def rows(start: int, stop: int) -> EventBatch:
    return changes(start, stop, STEP_NS, SNAPSHOT_ROWS + start)


def test_a_recording_holds_what_came_between_start_and_stop(writer, tmp_path):
    """Opening, then everything; what comes later belongs to nobody."""
    writer.append("SYN", rows(0, 10), may_drop=False)  # nothing is recorded yet
    begin(writer, tmp_path)
    for start in range(0, 1_000, 100):
        writer.append("SYN", rows(start, start + 100), may_drop=False)
        writer.append("OTHER", rows(start, start + 100), may_drop=False)
    stopped = writer.stop("one").result(60)
    writer.append("SYN", rows(1_000, 1_100), may_drop=False)
    assert (stopped.state, stopped.acknowledged) == ("closed", {"SYN": SNAPSHOT_ROWS + 1_000})
    recorded = EventBatch.concatenate(open_recording(stopped.paths["SYN"]).batches())
    assert recorded == reference(1_000)


def test_rows_are_acknowledged_without_being_asked(writer, tmp_path):
    """Flushed by itself within moments."""
    running = begin(writer, tmp_path)
    writer.append("SYN", rows(0, 10), may_drop=False)
    eventually(lambda: running.acknowledged == {"SYN": SNAPSHOT_ROWS + 10})


def test_two_recordings_at_once_do_not_share_a_file(writer, tmp_path):
    """Same instrument, same second: two directories with the same events."""
    begin(writer, tmp_path, "one")
    begin(writer, tmp_path, "two")
    writer.append("SYN", rows(0, 50), may_drop=False)
    paths = {writer.stop(name).result(60).paths["SYN"] for name in ("one", "two")}
    assert len(paths) == 2
    for path in paths:
        assert open_recording(path).count == SNAPSHOT_ROWS + 50


def test_closing_finishes_what_runs(tmp_path):
    """Every recording is whole when the future is done."""
    writer = RecordingThread(lambda running: None)
    running = begin(writer, tmp_path)
    writer.append("SYN", rows(0, 50), may_drop=False)
    writer.close("engine stopped").result(60)
    writer.join()
    assert running.state == "closed"
    assert open_recording(running.paths["SYN"]).count == SNAPSHOT_ROWS + 50


def test_an_unknown_recording_cannot_be_stopped(writer):
    """The names there are, are in the message."""
    with pytest.raises(RecordingError, match="no recording 'none'"):
        writer.stop("none")


def test_a_full_disk_stops_the_recording_and_is_told_once(writer, failed, tmp_path, monkeypatch):
    """State and reason are kept, the thread lives on, and the next recording works."""
    running = begin(writer, tmp_path)

    def full(self: Recorder, now_ns: int | None = None) -> int:
        raise DiskFullError("no room")

    with monkeypatch.context() as patch:
        patch.setattr(Recorder, "flush", full)
        eventually(lambda: failed)
    assert (running.state, running.reason) == ("failed", "no room")
    assert failed == [running]
    assert not writer.active
    begin(writer, tmp_path, "two")
    writer.append("SYN", rows(0, 10), may_drop=False)
    assert writer.stop("two").result(60).state == "closed"


def test_too_much_for_the_disk_is_a_gap_for_a_live_feed(writer, tmp_path, monkeypatch):
    """Left out, counted, and in the recording as a GAP of the right size; a source that can wait is never dropped."""
    begin(writer, tmp_path)
    writer.append("SYN", rows(0, 100), may_drop=True)
    monkeypatch.setattr("workbench.feeds.recording_thread.MAX_PENDING_ROWS", -1)
    assert writer.full
    writer.append("SYN", rows(100, 150), may_drop=True)
    monkeypatch.undo()
    writer.append("SYN", rows(150, 200), may_drop=True)
    stopped = writer.stop("one").result(60)
    assert writer.dropped_rows == 50
    batches = list(open_recording(stopped.paths["SYN"]).batches())
    [gap] = [
        (int(s), int(z)) for b in batches for s, k, z in zip(b.sequence, b.kind, b.size) if k == EventKind.GAP
    ]
    assert gap == (SNAPSHOT_ROWS + 100, 50)


def begin_two(writer: RecordingThread, directory: Path) -> Running:
    openings = {s: (Instrument(s, "0.25"), [snapshot(0, START_NS, 0)]) for s in ("SYN", "TWO")}
    return writer.start("both", directory, openings, {"name": "test"}).result(60)


def test_a_recording_that_cannot_be_finished_has_failed(writer, tmp_path, monkeypatch):
    """Whoever stops it is told, and it no longer counts as active: an engine must be able to leave."""
    running = begin(writer, tmp_path)

    def broken(*_: object, **__: object) -> None:
        raise ValueError("columns of unequal length")

    monkeypatch.setattr("workbench.frames.compaction.compact", broken)
    with pytest.raises(ValueError, match="unequal"):
        writer.stop("one").result(60)
    assert (running.state, writer.active) == ("failed", False)
    monkeypatch.undo()
    begin(writer, tmp_path, "two")
    assert writer.stop("two").result(60).state == "closed"


def test_when_one_instrument_fails_the_others_are_let_go_whole(writer, failed, tmp_path):
    """What the others got is in their journals, and nobody holds these any more."""
    running = begin_two(writer, tmp_path)
    eventually(lambda: running.acknowledged["TWO"] == SNAPSHOT_ROWS)
    writer.append("TWO", rows(0, 10), may_drop=False)
    running.recorders["SYN"].abandon("its device is gone")
    eventually(lambda: failed)
    assert running.state == "failed"
    recording = open_recording(running.paths["TWO"])
    assert EventBatch.concatenate(recording.batches()) == reference(10)
    assert compact(recording.path).state == "closed"  # refused while somebody records there


def test_a_recording_that_cannot_begin_leaves_no_file_open(writer, tmp_path):
    """The instruments before the one that failed are let go."""
    openings = {
        "SYN": (INSTRUMENT, [snapshot(0, START_NS, 0)]),
        "BAD": (Instrument("BAD", "0.25"), ["no batch"]),
    }
    with pytest.raises(AttributeError):
        writer.start("bad", tmp_path, openings, {"name": "test"}).result(60)
    running = writer.running["bad"]
    assert (running.state, [r.state for r in running.recorders.values()]) == ("failed", ["failed"] * 2)


def test_finishing_one_recording_does_not_keep_another_from_the_disk(writer, tmp_path, monkeypatch):
    """Its journal has ended; while that becomes Parquet, the other's events are acknowledged."""
    begin(writer, tmp_path, "one")
    other = begin(writer, tmp_path, "two")
    go_on, compacted = threading.Event(), compaction.compact

    def slow(*arguments: object, **options: object) -> object:
        assert go_on.wait(60)
        return compacted(*arguments, **options)

    monkeypatch.setattr(compaction, "compact", slow)
    stopped = writer.stop("one")
    writer.append("SYN", rows(0, 10), may_drop=False)
    eventually(lambda: other.acknowledged == {"SYN": SNAPSHOT_ROWS + 10})
    assert not stopped.done()
    go_on.set()
    assert open_recording(stopped.result(60).paths["SYN"]).count == SNAPSHOT_ROWS
