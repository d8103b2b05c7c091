"""Compaction: old or new after a crash at any step, never neither, never a mixture."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.recordings import START_NS, assert_accounted, crashed, pieces, recorder, reference
from workbench.errors import DamagedError, DiskFullError, RecordingError
from workbench.events import EventBatch
from workbench.frames import publication
from workbench.frames.compaction import compact
from workbench.frames.manifest import Manifest
from workbench.frames.notes import Notes
from workbench.frames.recording import open_recording

EVENTS = reference(1_500)


def whole(path: Path) -> None:
    """The recording opens and has every row, whatever files hold them."""
    assert assert_accounted(open_recording(path).batches(), EVENTS) == len(EVENTS)


def noted(path: Path) -> list[list[str]]:
    """What the tables of a recording hold."""
    recording = open_recording(path)
    return [recording.table(name).collect()["data"].to_list() for name in recording.tables]


def die_at_each_step(template: Path, steps: int) -> tuple[list[Path], int]:
    """Copies whose compaction died before its n-th step, and how many steps it has."""
    copies = [shutil.copytree(template, template.parent / f"step-{step}") for step in range(steps)]
    command = [sys.executable, "-m", "tests.support.compact_until_step", *map(str, copies)]
    root = Path(__file__).parents[2]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)
    codes = [int(line) for line in answer.stdout.split()]
    assert set(codes) == {0, 9}, answer.stderr
    return copies, codes.index(0)


@pytest.mark.skipif(os.name == "nt", reason="there is no fork on Windows")
@pytest.mark.parametrize("notes", [False, True])
def test_kill_at_each_step_leaves_old_or_new(tmp_path: Path, notes: bool) -> None:
    """However far a killed compaction came, the recording is whole, and compacting again finishes it."""
    template = crashed(tmp_path, pieces(EVENTS, 400))
    names, tables = ["events-0000.parquet", "manifest.json"], []
    if notes:
        writing = Notes(template)
        for number in range(10):
            writing.add(("annotations", "orders")[number % 2], START_NS, "FILL", {"n": number})
        writing.write()
        writing.close()
        names = ["annotations.parquet", *names, "orders.parquet"]
        tables = [[f'{{"n":{number}}}' for number in range(first, 10, 2)] for first in (1, 0)]
    copies, steps = die_at_each_step(template, 40 if notes else 22)
    closed = []
    for path in copies:
        whole(path)
        assert noted(path) == tables
        closed.append(open_recording(path).closed)
        compact(path)
        whole(path)
        assert noted(path) == tables
        assert sorted(p.name for p in path.iterdir()) == names
    new = closed.index(True)
    assert 5 < new < steps, "some died before the new recording counted, some after"
    assert all(closed[new:])


def test_gaps_found_on_the_way_stay(tmp_path: Path) -> None:
    """Damage in a journal becomes GAP rows and a remark in the manifest of the finished recording."""
    path = crashed(tmp_path, pieces(EVENTS, 400))
    journal = path / "journal-0000.arrows"
    content = bytearray(journal.read_bytes())
    content[len(content) // 2] ^= 1
    journal.write_bytes(bytes(content))
    before = open_recording(path)
    kept = assert_accounted(before.batches(), EVENTS)
    compact(path)
    after = open_recording(path)
    assert after.gaps.equals(before.gaps)
    assert after.closed
    assert after.manifest.reason == "crashed"
    assert any("damaged, seq" in reason for reason in after.verify().reasons)
    assert assert_accounted(after.batches(), EVENTS) == kept < len(EVENTS)
    with pytest.raises(RecordingError, match="open the recording again"):
        list(before.batches())


def test_no_closed_manifest_is_silent_about_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever moment a crash chooses, a manifest that says closed says what was damaged too."""
    path = crashed(tmp_path, pieces(EVENTS, 400))
    journal = path / "journal-0000.arrows"
    content = bytearray(journal.read_bytes())
    content[len(content) // 2] ^= 1
    journal.write_bytes(bytes(content))
    on_disk, genuine = [], Path.replace

    def replace(self: Path, target: Path) -> Path:
        placed = genuine(self, target)
        if Path(target).name == "manifest.json":
            on_disk.append(Manifest.read(path))
        return placed

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", replace)
        compact(path)
    assert on_disk
    assert all(m.warnings for m in on_disk if m.state == "closed")


def test_a_live_recording_is_left_alone(tmp_path: Path) -> None:
    """Nobody compacts what is being recorded."""
    live = recorder(tmp_path)
    live.append(EVENTS)
    live.flush(START_NS)
    with pytest.raises(RecordingError, match="is being recorded"):
        compact(live.path)
    live.close()


def test_compacting_twice_changes_nothing(tmp_path: Path) -> None:
    """A closed recording is left as it is."""
    path = crashed(tmp_path, [EVENTS])
    compact(path)
    before = {p.name: p.read_bytes() for p in path.iterdir()}
    compact(path)
    assert before == {p.name: p.read_bytes() for p in path.iterdir()}


def test_what_reads_back_wrong_replaces_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk returns other bytes than were written, the journal stays the recording."""
    path = crashed(tmp_path, pieces(EVENTS, 400))

    def flip(aside: Path) -> None:
        content = bytearray(aside.read_bytes())
        content[len(content) // 3] ^= 4
        aside.write_bytes(bytes(content))

    monkeypatch.setattr(publication, "sync_file", flip)
    with pytest.raises(DamagedError):
        compact(path)
    whole(path)
    assert not list(path.glob("*.parquet*"))


def test_full_disk_while_closing_keeps_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without room for the Parquet file the recording stays a journal, closed and whole."""
    live = recorder(tmp_path)
    live.append(EVENTS)
    live.flush(START_NS)

    def no_room(*_: object, **__: object) -> None:
        raise DiskFullError("no room")

    with monkeypatch.context() as patch:
        patch.setattr(publication.EventFile, "close", no_room)
        recording = live.close()
    assert live.state == "disk_full"
    assert EventBatch.concatenate(recording.batches()) == EVENTS
    compact(live.path)
    assert open_recording(live.path).verify().verdict == "VALID"


def test_write_errors_of_the_system_are_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ENOSPC inside the Parquet writer surfaces as DiskFullError."""
    path = crashed(tmp_path, [EVENTS])

    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr("pyarrow.parquet.ParquetWriter.write_batch", no_room)
    with pytest.raises(DiskFullError):
        compact(path)
    whole(path)


def test_a_journal_that_somebody_still_reads_stays_until_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows removes no open file: the recording is closed and whole all the same."""
    path = crashed(tmp_path, pieces(EVENTS, 400))
    unlink = Path.unlink

    def in_use(file: Path, missing_ok: bool = False) -> None:
        if file.name.startswith("journal-"):
            raise PermissionError("in use")
        unlink(file, missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", in_use)
        assert compact(path).state == "closed"
    whole(path)
    assert open_recording(path).closed and list(path.glob("journal-*"))
    compact(path)
    whole(path)
    assert not list(path.glob("journal-*"))
