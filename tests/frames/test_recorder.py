"""The recorder under fire: killed, out of space, failing devices, twins; what was acknowledged stays."""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

from tests.support.record_until_killed import ROWS
from tests.support.recordings import (
    INSTRUMENT,
    SECOND_NS,
    START_NS,
    assert_accounted,
    pieces,
    recorder,
    reference,
)
from tests.support.synthetic import SNAPSHOT_ROWS
from workbench.errors import DiskFullError, RecordingError
from workbench.events import EventBatch
from workbench.frames.notes import NotesReader
from workbench.frames.recorder import Recorder
from workbench.frames.recording import open_recording

EVENTS = reference(2_000)


def rows_of(path: Path) -> EventBatch:
    return EventBatch.concatenate(open_recording(path).batches())


def killed_recording(directory: Path, acknowledgements: int) -> tuple[Path, int]:
    """Let a process record, kill it after so many acknowledgements; its path and the last one it printed."""
    command = [sys.executable, "-m", "tests.support.record_until_killed", str(directory)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout is not None
        path = Path(process.stdout.readline().strip())
        acknowledged = 0
        for _ in range(acknowledgements):
            acknowledged = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        # What was printed before the kill arrived counts as well.
        rest = [line for line in process.stdout.read().split("\n")[:-1] if line]
        acknowledged = int(rest[-1]) if rest else acknowledged
    return path, acknowledged


def assert_kill_loses_nothing(directory: Path, kills: int) -> None:
    rng = random.Random(3)
    for attempt in range(kills):
        path, acknowledged = killed_recording(directory / str(attempt), rng.randrange(1, 120))
        recording = open_recording(path)
        known = reference(recording.manifest.next_sequence)
        rows = assert_accounted(recording.batches(), known[: recording.count - 1])
        assert rows >= acknowledged
        notes = [note.data["filled"] for note in NotesReader(path)]
        assert notes == [ROWS * n for n in range(len(notes))]
        assert ROWS * len(notes) >= acknowledged - SNAPSHOT_ROWS
        assert recording.gaps.rows()[-1][1:] == (rows, -1)


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
def test_ten_kills_lose_nothing_acknowledged(tmp_path: Path) -> None:
    """A killed recorder's file opens as it is, holds every acknowledged row, and says that its end is unknown."""
    assert_kill_loses_nothing(tmp_path, 10)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
def test_hundred_kills_lose_nothing_acknowledged(tmp_path: Path) -> None:
    """The same, a hundred times."""
    assert_kill_loses_nothing(tmp_path, 100)


def test_recorded_rows_are_the_rows_that_came(tmp_path: Path) -> None:
    """Recording, closing and opening changes nothing: every column, every sequence number."""
    live = recorder(tmp_path)
    for number, batch in enumerate(pieces(EVENTS, 77)):
        live.append(batch)
        if number % 3 == 0:
            live.flush(START_NS + number * SECOND_NS // 20)
    recording = live.close()
    assert rows_of(recording.path) == EVENTS
    assert recording.files == ("events-0000.parquet",)
    assert recording.verify().verdict == "VALID"
    assert not list(recording.path.glob("journal*"))


def test_acknowledgement_follows_both_writes(tmp_path: Path) -> None:
    """Before a flush nothing is acknowledged; after it everything appended is, and readable at once."""
    live = recorder(tmp_path)
    live.append(EVENTS)
    assert live.acknowledged == -1
    assert live.flush(START_NS) == EVENTS.next_sequence
    assert rows_of(live.path) == EVENTS
    live.close()


def test_closing_is_idempotent_and_ends_appending(tmp_path: Path) -> None:
    """A closed recorder returns its recording again and refuses more events."""
    live = recorder(tmp_path)
    live.append(EVENTS)
    assert repr(live.close()) == repr(live.close())
    with pytest.raises(RecordingError, match=r"stopped \(closed\)"):
        live.append(EVENTS)


def test_duplicates_are_dropped_and_jumps_become_gaps(tmp_path: Path) -> None:
    """Overlapping batches are recorded once; a jump of the sequence is a GAP row of the right number."""
    live = recorder(tmp_path)
    live.append(EVENTS[:100])
    live.append(EVENTS[50:120])
    live.append(EVENTS[150:])
    recording = live.close()
    assert live.duplicates == 50
    assert [row[1:] for row in recording.gaps.rows()] == [(120, 30)]
    assert assert_accounted(recording.batches(), EVENTS) == len(EVENTS) - 30


def test_two_recorders_never_share_a_file(tmp_path: Path) -> None:
    """A second recorder of the same session and instrument gets its own directory; the first one's is untouched."""
    first = recorder(tmp_path)
    first.append(EVENTS)
    first.flush(START_NS)
    second = recorder(tmp_path)
    second.append(EVENTS[:10])
    assert first.path != second.path
    assert rows_of(second.close().path) == EVENTS[:10]
    assert rows_of(first.close().path) == EVENTS
    third = recorder(tmp_path)
    assert third.path not in (first.path, second.path)
    third.close()


def test_instruments_whose_names_look_alike_get_different_directories(tmp_path: Path) -> None:
    """Names that differ only in case, or only in what a path cannot hold, do not meet on disk."""
    live = [recorder(tmp_path, symbol=symbol) for symbol in ("es", "ES", "E/S", "E:S", "../ES")]
    paths = [r.path for r in live]
    assert len({str(p).lower() for p in paths}) == len(paths)
    assert {p.parent for p in paths} == {tmp_path / "s"}
    assert [r.close().instrument.symbol for r in live] == ["es", "ES", "E/S", "E:S", "../ES"]


def test_refuses_to_start_without_space(tmp_path: Path) -> None:
    """Less free space than asked for is an error before anything is made."""
    with pytest.raises(DiskFullError, match=r"refuse to start, .* GiB free") as caught:
        Recorder(tmp_path, INSTRUMENT, source={}, session="s", minimum_free=2**62)
    assert caught.value.code == "disk_full"
    assert not list(tmp_path.iterdir())


def test_warns_before_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With less than five minutes of space at the present rate there is a warning with the seconds left."""
    live = recorder(tmp_path)
    assert live.warning == ""
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=100 * live.bytes_written))
    live.append(EVENTS)
    live.flush(START_NS + SECOND_NS)
    assert live.warning.startswith("disk full in 100 s")
    live.close()


@pytest.fixture
def file_size_limit() -> Iterator[Callable[[int], None]]:
    """Limit the size of files this process may write, as a full disk would."""
    import resource  # not on Windows

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_full_disk_keeps_what_was_acknowledged(
    tmp_path: Path, file_size_limit: Callable[[int], None]
) -> None:
    """When a write comes up short the recorder stops with disk_full and every acknowledged row is readable."""
    live = recorder(tmp_path)
    batches = pieces(EVENTS, 100)
    live.append(batches[0])
    live.flush(START_NS)
    file_size_limit(live.bytes_written * 5 + 700)
    with pytest.raises(DiskFullError) as caught:
        for batch in batches[1:]:
            live.append(batch)
            live.flush(START_NS)
    assert caught.value.code == live.state == "disk_full"
    assert live.acknowledged >= 300
    recording = open_recording(live.path)
    assert assert_accounted(recording.batches(), EVENTS[: live.acknowledged]) == live.acknowledged
    with pytest.raises(DiskFullError):
        live.append(batches[-1])
    assert live.close().count == recording.count


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_full_disk_at_any_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Whichever write of a flush fails first, acknowledged rows stay readable."""
    write = os.write
    for failing in range(1, 8):
        live = recorder(tmp_path / str(failing))
        left = iter(range(failing))

        def limited(descriptor: int, data: memoryview, left: Iterator[int] = left) -> int:
            if next(left, None) is None:
                raise OSError(number, os.strerror(number))
            return write(descriptor, data)

        with monkeypatch.context() as patch:
            patch.setattr(os, "write", limited)
            with pytest.raises(DiskFullError):
                for batch in pieces(EVENTS, 100):
                    live.append(batch)
                    live.flush(START_NS)
        safe = max(live.acknowledged, 0)
        found = list(open_recording(live.path).batches())
        assert assert_accounted(found, EVENTS[:safe]) == safe
        live.close()


def test_short_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that writes a few bytes at a time still gives whole batches."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:100]))
    live = recorder(tmp_path)
    live.append(EVENTS)
    live.flush(START_NS)
    assert rows_of(live.path) == EVENTS
    live.close()


def test_failed_sync_closes_the_segment_as_suspect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed fsync is never repeated on its descriptor: a new segment takes over and repeats the last second."""
    live = recorder(tmp_path)
    failed: list[int] = []
    sync = os.fsync

    def failing(descriptor: int) -> None:
        assert descriptor not in failed, "fsync repeated on a failed descriptor"
        if not failed:
            failed.append(descriptor)
            raise OSError(errno.EIO, "device")
        sync(descriptor)

    live.append(EVENTS[:500])
    live.flush(START_NS)
    monkeypatch.setattr(os, "fsync", failing)
    live.append(EVENTS[500:600])
    live.flush(START_NS + 2 * SECOND_NS)
    failed[:] = [-1]
    live.append(EVENTS[600:])
    live.flush(START_NS + 3 * SECOND_NS)
    assert {p.name for p in live.path.glob("*.arrows")} == {"journal-0000.arrows", "journal-0001.arrows"}
    (live.path / "journal-0000.arrows").write_bytes(b"")
    assert rows_of(live.path) == EVENTS
    recording = live.close()
    assert rows_of(recording.path) == EVENTS
    assert any("a sync failed" in reason for reason in recording.verify().reasons)


def test_device_failing_twice_stops_the_recorder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a new segment fails as well the recorder stops as failed; what was acknowledged is readable."""
    live = recorder(tmp_path)
    live.append(EVENTS[:100])
    live.flush(START_NS)

    def broken(*_: object) -> int:
        raise OSError(errno.EIO, "device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", broken)
        live.append(EVENTS[100:])
        with pytest.raises(RecordingError, match="device"):
            live.flush(START_NS)
    assert live.state == "failed"
    assert assert_accounted(open_recording(live.path).batches(), EVENTS[:100]) == 100
    live.close()


def test_quiet_market_differs_from_a_dead_recorder(tmp_path: Path) -> None:
    """Without events the recorder leaves a sign of life each second."""
    from workbench.frames.journal_reader import JournalReader

    live = recorder(tmp_path)
    for second in range(1, 4):
        live.flush(START_NS + second * SECOND_NS)
    assert JournalReader.open(live.path).last_seen_ns == START_NS + 3 * SECOND_NS
    assert live.close().count == 0


def test_wall_clock_set_back_does_not_stop_syncing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour back on the wall clock causes a sync at once, not none for an hour."""
    live = recorder(tmp_path)
    synced: list[int] = []
    sync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: (synced.append(descriptor), sync(descriptor))[1])
    live.append(EVENTS)
    live.flush(START_NS - 3600 * SECOND_NS)
    assert synced
    live.close()


def test_orders_and_annotations_belong_to_the_recording(tmp_path: Path) -> None:
    """Attached tables are named, hashed and read back; other names are refused."""
    live = recorder(tmp_path)
    live.append(EVENTS)
    live.attach("orders", pl.DataFrame({"client_order_id": ["a"], "size": [1]}))
    live.attach("orders", pl.DataFrame({"client_order_id": ["a", "b"], "size": [1, 2]}))
    with pytest.raises(RecordingError, match="orders or annotations"):
        live.attach("../x", pl.DataFrame())
    recording = live.close()
    assert recording.table("orders").collect().height == 2
    assert recording.verify().verdict == "VALID"
    with pytest.raises(RecordingError, match="no table 'annotations'"):
        recording.table("annotations")


def test_recording_starts_without_heavy_imports() -> None:
    """A recorder loads neither pandas nor numba nor Polars before it closes."""
    code = (
        "import sys, workbench.frames.recorder; "
        "print([m for m in ('pandas', 'numba', 'polars', 'plotly') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
