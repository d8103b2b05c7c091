"""The writer thread: recordings begin and end whole, and a failing disk is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.support.eventually import eventually
from tests.support.synthetic import SNAPSHOT_ROWS, START_NS, SyntheticSource, changes, reference, snapshot
from workbench.book.levels import LevelBook
from workbench.errors import DiskFullError, RecordingError
from workbench.events import EventBatch, Instrument, Side
from workbench.feeds.recording_thread import RecordingThread, Running
from workbench.frames import compaction
from workbench.frames.compaction import compact
from workbench.frames.journal_reader import JournalReader
from workbench.frames.notes import NotesReader
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
    writer.append("SYN", rows(0, 10))  # nothing is recorded yet
    begin(writer, tmp_path)
    for start in range(0, 1_000, 100):
        writer.append("SYN", rows(start, start + 100))
        writer.append("OTHER", rows(start, start + 100))
    stopped = writer.stop("one").result(60)
    writer.append("SYN", rows(1_000, 1_100))
    assert (stopped.state, stopped.acknowledged) == ("closed", {"SYN": SNAPSHOT_ROWS + 1_000})
    recorded = EventBatch.concatenate(open_recording(stopped.paths["SYN"]).batches())
    assert recorded == reference(1_000)


def test_rows_are_acknowledged_without_being_asked(writer, tmp_path):
    """Flushed by itself within moments."""
    running = begin(writer, tmp_path)
    writer.append("SYN", rows(0, 10))
    eventually(lambda: running.acknowledged == {"SYN": SNAPSHOT_ROWS + 10})


def test_two_recordings_at_once_do_not_share_a_file(writer, tmp_path):
    """Same instrument, same second: two directories with the same events."""
    begin(writer, tmp_path, "one")
    begin(writer, tmp_path, "two")
    writer.append("SYN", rows(0, 50))
    paths = {writer.stop(name).result(60).paths["SYN"] for name in ("one", "two")}
    assert len(paths) == 2
    for path in paths:
        assert open_recording(path).count == SNAPSHOT_ROWS + 50


def test_closing_finishes_what_runs(tmp_path):
    """Every recording is whole when the future is done."""
    writer = RecordingThread(lambda running: None)
    running = begin(writer, tmp_path)
    writer.append("SYN", rows(0, 50))
    writer.close("engine stopped").result(60)
    writer.join()
    assert running.state == "closed"
    assert open_recording(running.paths["SYN"]).count == SNAPSHOT_ROWS + 50


def test_rows_that_come_while_a_recording_is_being_closed_do_not_fail_it(writer, failed, tmp_path):
    """One of its instruments is Parquet already, another one not yet."""
    running = begin(writer, tmp_path)
    running.state = "closing"
    running.recorders["SYN"].close()
    writer.append("SYN", rows(0, 50))
    eventually(lambda: not writer.pending_rows)
    assert writer.stop("one").result(60).state == "closed"
    assert failed == []


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
    writer.append("SYN", rows(0, 10))
    assert writer.stop("two").result(60).state == "closed"


def book_before(row: int) -> Callable[[], list[EventBatch]]:
    sequence = SNAPSHOT_ROWS + row
    return lambda: [snapshot(row, START_NS + row * STEP_NS, sequence - SNAPSHOT_ROWS)]


def offer(writer: RecordingThread, start: int, stop: int) -> None:
    """Rows of a source that cannot wait."""
    writer.append("SYN", rows(start, stop), opening=book_before(start))


def gaps(path: str) -> list[tuple[int, int]]:
    return open_recording(path).gaps.select("sequence", "lost").rows()


def test_too_much_for_the_disk_is_a_gap_and_a_new_book_for_a_live_feed(writer, tmp_path, monkeypatch):
    """Left out and counted; then a GAP and the book as it is by then, which is known again."""
    begin(writer, tmp_path)
    offer(writer, 0, 100)
    monkeypatch.setattr("workbench.feeds.recording_thread.MAX_PENDING_ROWS", -1)
    assert writer.full
    offer(writer, 100, 150)
    monkeypatch.undo()
    offer(writer, 150, 200)
    stopped = writer.stop("one").result(60)
    assert writer.dropped_rows == 50
    assert gaps(stopped.paths["SYN"]) == [(SNAPSHOT_ROWS + 100, 50 - SNAPSHOT_ROWS)]
    recording = open_recording(stopped.paths["SYN"])
    book, expected = LevelBook(), LevelBook()
    for batch in recording.batches():
        book.apply(batch)
    expected.apply(reference(200))
    assert book.valid
    assert all(
        np.array_equal(*pair)
        for side in Side
        for pair in zip(book.levels(side), expected.levels(side))
        if side
    )
    assert recording.verify().reasons == (
        f"1 gaps: {50 - SNAPSHOT_ROWS} events known to be lost, 0 gaps of unknown length",
    )


def test_a_live_recording_goes_on_when_the_lost_numbers_hold_the_book(writer, tmp_path, monkeypatch):
    """A book of more rows than were lost would overwrite what is recorded: more is left out first."""
    begin(writer, tmp_path)
    monkeypatch.setattr("workbench.feeds.recording_thread.MAX_PENDING_ROWS", -1)
    offer(writer, 0, 5)
    monkeypatch.undo()
    offer(writer, 5, 20)
    offer(writer, 20, 30)
    stopped = writer.stop("one").result(60)
    assert (writer.dropped_rows, gaps(stopped.paths["SYN"])) == (20, [(SNAPSHOT_ROWS, 20 - SNAPSHOT_ROWS)])


@pytest.mark.parametrize("closing", [False, True])
def test_rows_lost_last_of_all_leave_a_gap(tmp_path, monkeypatch, closing):
    """However the recording ends; one that began meanwhile lost only what came since."""
    writer = RecordingThread(lambda running: None)
    begin(writer, tmp_path)
    monkeypatch.setattr("workbench.feeds.recording_thread.MAX_PENDING_ROWS", -1)
    offer(writer, 0, 40)
    openings = {"SYN": (INSTRUMENT, book_before(40)())}
    late = writer.start("late", tmp_path, openings, {"name": "test"}).result(60)
    offer(writer, 40, 50)
    first = writer.running["one"] if closing else writer.stop("one").result(60)
    writer.close("engine stopped").result(60)
    writer.join()
    assert gaps(first.paths["SYN"]) == [(SNAPSHOT_ROWS, 50)]
    assert gaps(late.paths["SYN"]) == [(SNAPSHOT_ROWS + 40, 10)]


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
    writer.append("TWO", rows(0, 10))
    running.recorders["SYN"].abandon("its device is gone")
    eventually(lambda: failed)
    assert running.state == "failed"
    recording = open_recording(running.paths["TWO"])
    assert EventBatch.concatenate(recording.batches()) == reference(10)
    assert compact(recording.path).state == "closed"  # refused while somebody records there


def test_a_recording_that_cannot_begin_leaves_no_file_open(writer, tmp_path):
    """The instruments before the one that failed are let go, and that one too."""
    openings = {
        "SYN": (INSTRUMENT, [snapshot(0, START_NS, 0)]),
        "BAD": (Instrument("BAD", "0.25"), ["no batch"]),
    }
    with pytest.raises(AttributeError):
        writer.start("bad", tmp_path, openings, {"name": "test"}).result(60)
    running = writer.running["bad"]
    assert (running.state, [r.state for r in running.recorders.values()]) == ("failed", ["failed"])
    begun = [manifest.parent for manifest in tmp_path.rglob("manifest.json")]
    assert [JournalReader.open(path).live for path in begun] == [False, False]


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
    writer.append("SYN", rows(0, 10))
    eventually(lambda: other.acknowledged == {"SYN": SNAPSHOT_ROWS + 10})
    assert not stopped.done()
    go_on.set()
    assert open_recording(stopped.result(60).paths["SYN"]).count == SNAPSHOT_ROWS


def noted(path: str) -> list[tuple[str, dict[str, object]]]:
    return [(note.kind, note.data) for note in NotesReader(Path(path))]


def test_a_note_goes_to_the_recordings_of_its_instrument(writer, tmp_path):
    """One without an instrument goes to all; one for a single recording only there; before and after: nowhere."""
    writer.note("SYN", "orders", 0, "ORDER", {"is": "early"})
    both = begin_two(writer, tmp_path)
    other = begin(writer, tmp_path)
    writer.note("SYN", "orders", 1, "ORDER", {"id": "a"})
    writer.note("", "orders", 2, "BALANCE", {"cash": 1.0})
    writer.note("SYN", "orders", 3, "ORDER", {"id": "b"}, name="one")
    writer.note("NOWHERE", "orders", 4, "ORDER", {"id": "c"})
    order, balance, held = ("ORDER", {"id": "a"}), ("BALANCE", {"cash": 1.0}), ("ORDER", {"id": "b"})
    notes_of = {
        both.paths["SYN"]: [order, balance],
        both.paths["TWO"]: [balance],
        other.paths["SYN"]: [order, balance, held],
    }
    eventually(lambda: [noted(path) for path in notes_of] == list(notes_of.values()))


def test_a_note_that_is_no_data_hurts_no_recording(writer, failed, tmp_path):
    """It is left out and logged; what follows is recorded."""
    running = begin(writer, tmp_path)
    writer.note("SYN", "orders", 1, "ORDER", {"bad": "\ud800"})
    writer.note("SYN", "orders", 2, "ORDER", {"id": "a"})
    eventually(lambda: noted(running.paths["SYN"]) == [("ORDER", {"id": "a"})])
    assert (running.state, failed) == ("recording", [])


def test_an_instrument_that_appears_joins_the_recording(writer, tmp_path):
    """In the same session's directory, with its own opening; a second time changes nothing."""
    begin(writer, tmp_path, "before")
    running = begin(writer, tmp_path)
    two = Instrument("TWO", "0.25")
    for _ in range(2):
        writer.add("one", "TWO", two, [snapshot(0, START_NS, 0)]).result(60)
    writer.append("TWO", rows(0, 10))
    stopped = writer.stop("one").result(60)
    assert stopped is running
    assert len({Path(path).parent for path in running.paths.values()}) == 1
    assert EventBatch.concatenate(open_recording(running.paths["TWO"]).batches()) == reference(10)
    assert writer.add("one", "LATE", Instrument("LATE", "1"), []).result(60).recorders.keys() == {
        "SYN",
        "TWO",
    }


def test_an_instrument_that_cannot_join_leaves_the_others_alone(writer, tmp_path):
    """Health says so, and adding it again may succeed."""
    running = begin(writer, tmp_path)
    two = Instrument("TWO", "0.25")
    assert writer.add("one", "TWO", two, ["no batch"]).result(60).refused.keys() == {"TWO"}
    assert (running.state, set(running.paths)) == ("recording", {"SYN"})
    assert "TWO is not recorded" in str(running.describe()["reason"])
    writer.add("one", "TWO", two, [snapshot(0, START_NS, 0)]).result(60)
    assert (running.describe()["reason"], set(running.paths)) == ("", {"SYN", "TWO"})
