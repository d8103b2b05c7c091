"""Notes under fire: killed, cut at every byte, flipped at every bit; never a wrong one, never silence."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.recordings import START_NS, crashed, recorder, reference
from workbench.errors import DiskFullError, RecordingError
from workbench.frames import durable
from workbench.frames import notes as module
from workbench.frames.compaction import compact
from workbench.frames.notes import LINE_LIMIT_BYTES, Note, Notes, NotesReader, notes_path
from workbench.frames.recording import open_recording

EVENTS = reference(50)
ORDERS = [{"symbol": "SYN/1", "client_order_id": f"a-{n}", "quantity": float(n)} for n in range(6)]


def written(directory: Path, *, close: bool = True) -> list[Note]:
    """Six notes in three writes; what a reader must find."""
    notes = Notes(directory)
    for number, order in enumerate(ORDERS):
        notes.add("orders" if number % 2 else "annotations", START_NS + number, "ORDER", order)
        if number % 2:
            notes.write()
    notes.close() if close else notes.release()
    tables = ("annotations", "orders")
    return [Note(n, tables[n % 2], START_NS + n, "ORDER", order) for n, order in enumerate(ORDERS)]


def read(directory: Path, *, live: bool = False) -> tuple[list[Note], tuple[str, ...]]:
    reader = NotesReader(directory, live=live)
    return list(reader), reader.damage


def test_what_was_noted_is_read(tmp_path: Path) -> None:
    """Every note, in order, with nothing to complain about; reading again gives the same."""
    expected = written(tmp_path)
    assert read(tmp_path) == (expected, ())
    reader = NotesReader(tmp_path)
    assert list(reader) == list(reader)


def test_nothing_noted_leaves_no_file(tmp_path: Path) -> None:
    """Writing, syncing and closing without a note touches nothing."""
    notes = Notes(tmp_path)
    notes.write()
    notes.sync()
    notes.close()
    assert list(tmp_path.iterdir()) == []
    assert read(tmp_path) == ([], ())


def test_unclosed_notes_say_so_unless_they_are_being_written(tmp_path: Path) -> None:
    """After a crash nobody knows whether more had been said; while recording the end is simply not there yet."""
    expected = written(tmp_path, close=False)
    assert read(tmp_path, live=True) == (expected, ())
    notes, damage = read(tmp_path)
    assert notes == expected
    assert damage == ("notes of orders and annotations were never closed, what came last may be missing",)


def test_one_flush_is_one_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many notes: a crash cannot come between them more often than it must."""
    calls, genuine = [], os.write

    def write(descriptor: int, data: bytes) -> int:
        calls.append(len(data))
        return genuine(descriptor, data)

    notes = Notes(tmp_path)
    for order in ORDERS:
        notes.add("orders", START_NS, "ORDER", order)
    monkeypatch.setattr(os, "write", write)
    notes.write()
    monkeypatch.undo()
    notes.release()
    assert calls == [notes_path(tmp_path, 0).stat().st_size]


def test_a_cut_at_any_byte_leaves_the_whole_lines_before_it(tmp_path: Path) -> None:
    """The notes before the cut, no other, and a sentence about what is missing."""
    expected = written(tmp_path)
    path = notes_path(tmp_path, 0)
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        notes, damage = read(tmp_path)
        assert notes == expected[: content[:length].count(b"\n")]
        assert damage


def test_a_flipped_bit_loses_its_line_at_most_and_is_told(tmp_path: Path) -> None:
    """A flip in a line feed joins two lines and loses both; nothing that differs is ever returned."""
    expected = written(tmp_path)
    path = notes_path(tmp_path, 0)
    content = path.read_bytes()
    for position in range(len(content)):
        for bit in (0, 3, 7):
            path.write_bytes(
                content[:position] + bytes([content[position] ^ 1 << bit]) + content[position + 1 :]
            )
            notes, damage = read(tmp_path)
            assert [n for n in notes if n not in expected] == []
            assert len(notes) >= len(expected) - 2
            assert damage


@given(st.binary(max_size=400))
def test_whatever_bytes_stand_there_reading_never_fails(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes
) -> None:
    """A stranger's file is read as far as it is ours."""
    directory = tmp_path_factory.mktemp("junk")
    notes_path(directory, 0).write_bytes(junk)
    assert read(directory)[0] == []


def test_a_sound_line_with_senseless_numbers_is_damage(tmp_path: Path) -> None:
    """Checksums are no proof of good will: no number below 0, no other table, no time outside 64 bits."""
    senseless = [
        Note(-1, "orders", 0, "ORDER"),
        Note(0, "events", 0, "ORDER"),
        Note(0, "orders", 2**63, "ORDER"),
    ]
    notes_path(tmp_path, 0).write_bytes(b"".join(module._line(note) for note in senseless))
    notes, damage = read(tmp_path)
    assert notes == []
    assert "3 damaged lines" in damage[0]


def test_numbers_that_are_missing_are_counted(tmp_path: Path) -> None:
    """A line that is gone altogether shows by its number."""
    written(tmp_path)
    path = notes_path(tmp_path, 0)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2] + lines[4:]))
    notes, damage = read(tmp_path)
    assert [note.n for note in notes] == [0, 1, 4, 5]
    assert damage == ("notes of orders and annotations: 0 damaged lines skipped, 2 notes missing",)


def test_a_failed_write_goes_on_in_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not synced is repeated there, once in the result, and the half line before is told."""
    notes, genuine = Notes(tmp_path), os.write
    notes.add("orders", 1, "ORDER", ORDERS[0])
    notes.write()
    notes.add("orders", 2, "ORDER", ORDERS[1])

    def torn(descriptor: int, data: bytes) -> int:
        monkeypatch.undo()
        genuine(descriptor, data[:7])
        raise OSError(errno.EIO, "the device failed")

    monkeypatch.setattr(os, "write", torn)
    notes.write()
    notes.close()
    assert notes_path(tmp_path, 1).is_file()
    found, damage = read(tmp_path)
    assert [note.data for note in found] == ORDERS[:2]
    assert damage == ("notes of orders and annotations: 1 damaged lines skipped, 0 notes missing",)


def test_a_failed_sync_is_never_repeated_on_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system may have dropped the pages: they are written again elsewhere, and that is synced."""
    notes, synced, genuine = Notes(tmp_path), [], os.fsync
    notes.add("orders", 1, "ORDER", ORDERS[0])
    notes.write()
    notes.sync()
    notes.add("orders", 2, "ORDER", ORDERS[1])
    notes.write()

    def failing_once(descriptor: int) -> None:
        synced.append(descriptor)
        if len(synced) == 1:
            raise OSError(errno.EIO, "the device failed")
        genuine(descriptor)

    monkeypatch.setattr(os, "fsync", failing_once)
    notes.sync()
    monkeypatch.undo()
    notes.close()
    shutil.move(notes_path(tmp_path, 0), tmp_path / "lost")
    assert [note.data for note in NotesReader(tmp_path)] == ORDERS[1:2]
    shutil.move(tmp_path / "lost", notes_path(tmp_path, 0))
    assert read(tmp_path) == (
        [Note(0, "orders", 1, "ORDER", ORDERS[0]), Note(1, "orders", 2, "ORDER", ORDERS[1])],
        (),
    )


@pytest.mark.parametrize(
    ("table", "data"),
    [
        ("events", {}),
        ("orders", {"text": "\ud800"}),
        ("orders", {"text": "x" * LINE_LIMIT_BYTES}),
    ],
)
def test_what_cannot_be_noted_is_refused_and_leaves_no_hole(
    tmp_path: Path, table: str, data: dict[str, object]
) -> None:
    """Its number goes to the next note."""
    notes = Notes(tmp_path)
    with pytest.raises(RecordingError) as refused:
        notes.add(table, 1, "ORDER", data)
    assert refused.value.code == "bad_note"
    notes.add("orders", 1, "ORDER", {})
    notes.write()
    notes.close()
    assert read(tmp_path) == ([Note(0, "orders", 1, "ORDER")], ())


@given(
    st.lists(st.sampled_from(["add", "write", "sync", "torn write", "failed sync"]), max_size=30),
    st.booleans(),
)
def test_whatever_the_device_does_what_was_written_is_read_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], close: bool
) -> None:
    """Writes that stop half way and syncs that fail, in any order: each note that was written, and no other."""
    directory = tmp_path_factory.mktemp("model")
    notes, added, written_up_to = Notes(directory), 0, 0
    for step in steps:
        if step == "add":
            notes.add("orders", added, "ORDER", {"n": added})
            added += 1
            continue
        with pytest.MonkeyPatch.context() as patch:
            if step == "torn write":
                fail_once(
                    patch, "write", lambda descriptor, data: os_write(descriptor, data[: len(data) // 2])
                )
            if step == "failed sync":
                fail_once(patch, "fsync", lambda _descriptor: None)
            notes.write() if "write" in step else notes.sync()
        if "write" in step:
            written_up_to = added
    if close:
        notes.write()
        notes.close()
        written_up_to = added
    else:
        notes.release()
    assert [note.data for note in NotesReader(directory)] == [{"n": n} for n in range(written_up_to)]


os_write = os.write


def fail_once(patch: pytest.MonkeyPatch, name: str, half: Callable[..., object]) -> None:
    """Let the next call of a system function do half of it and fail; those after it work."""
    genuine, failed = getattr(os, name), []

    def call(*arguments: object) -> object:
        if failed:
            return genuine(*arguments)
        failed.append(True)
        half(*arguments)
        raise OSError(errno.EIO, "the device failed")

    patch.setattr(os, name, call)


def test_a_note_keeps_what_was_said_when_it_was_said(tmp_path: Path) -> None:
    """Changing the data afterwards changes nothing that is written."""
    notes, data = Notes(tmp_path), {"status": "WORKING"}
    notes.add("orders", 1, "ORDER", data)
    data["status"] = "FILLED"
    notes.write()
    notes.close()
    assert [note.data for note in NotesReader(tmp_path)] == [{"status": "WORKING"}]


def test_without_room_the_recorder_stops_and_keeps_what_it_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk is told as for events; the notes before are readable."""
    live = recorder(tmp_path)
    live.append(EVENTS)
    live.note("orders", 1, "ORDER", ORDERS[0])
    live.flush(START_NS)
    live.note("orders", 2, "ORDER", ORDERS[1])

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr(durable.os, "write", full)
    with pytest.raises(DiskFullError):
        live.flush(START_NS)
    monkeypatch.undo()
    assert live.state == "disk_full"
    recording = open_recording(live.path)
    assert recording.table("orders").collect()["client_order_id"].to_list() == ["a-0"]


def test_a_crashed_recording_has_its_tables_without_repair(tmp_path: Path) -> None:
    """Read from the notes; the verdict says that the end is unknown; compacting changes none of it."""
    path = crashed(tmp_path, [EVENTS])
    written(path, close=False)
    before = open_recording(path)
    tables = {name: before.table(name).collect() for name in before.tables}
    assert tables["orders"]["quantity"].to_list() == [1.0, 3.0, 5.0]
    assert before.verify().verdict == "DEGRADED"
    compact(path)
    with pytest.raises(RecordingError, match="open the recording again"):
        before.table("orders")
    after = open_recording(path)
    assert after.tables == ("orders", "annotations")
    for name in after.tables:
        assert after.table(name).collect().equals(tables[name])
    assert after.verify().verdict == "DEGRADED"
    assert any("notes of orders" in reason for reason in after.verify().reasons)
    assert sorted(p.name for p in path.glob("*.parquet")) == [
        "annotations.parquet",
        "events-0000.parquet",
        "orders.parquet",
    ]
    assert not list(path.glob("notes-*"))


def test_damaged_notes_are_told_by_the_finished_recording(tmp_path: Path) -> None:
    """For good: in the manifest's warnings, and so in the verdict."""
    live = recorder(tmp_path)
    live.append(EVENTS)
    for order in ORDERS:
        live.note("orders", 1, "ORDER", order)
    live.end()
    path = notes_path(live.path, 0)
    content = bytearray(path.read_bytes())
    content[200] ^= 1
    path.write_bytes(bytes(content))
    recording = live.close()
    assert recording.table("orders").collect().height == len(ORDERS) - 1
    assert recording.verify().verdict == "DEGRADED"
    assert "1 notes missing" in " ".join(recording.verify().reasons)
