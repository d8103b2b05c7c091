"""Labels: append-only lines beside a recording, that survive crashes, other writers, and whatever names people give."""

from __future__ import annotations

import itertools
import json
import logging
import os
import shutil
import threading
from pathlib import Path

import pytest

from tests.support.recordings import INSTRUMENT, reference
from workbench.errors import RecordingError
from workbench.frames.label_file import keys_of, labels_path
from workbench.frames.labels import Labels
from workbench.frames.manifest import Manifest
from workbench.frames.recorder import Recorder
from workbench.frames.recording import Recording, open_recording, write_recording

HOSTILE = "<img src=x onerror=alert(1)>\n\x07../../x 🐋 \u202e"


def recorded(directory: Path, rows: int = 200) -> Recording:
    return write_recording(directory, INSTRUMENT, [reference(rows)], source={"kind": "test"})


def ticking():
    return itertools.count(1_000).__next__


def test_labels_are_there_when_the_recording_is_opened_again(tmp_path: Path) -> None:
    """Names, notes, times to the ns and prices come back as they were given; the recording itself is untouched."""
    recording = recorded(tmp_path)
    before = sorted(p.name for p in recording.path.iterdir())
    labels = Labels.of(recording)
    labels.add(10**18 + 1, 10**18 + 7, HOSTILE, low="24.5", high=None, note="a\nnote", author="me")
    again = Labels.of(open_recording(recording.path))
    assert again.frame.equals(labels.frame)
    row = again.frame.row(0, named=True)
    assert (row["low"], row["high"], row["name"], row["note"], row["author"]) == (
        24.5,
        None,
        HOSTILE.strip(),
        "a\nnote",
        "me",
    )
    assert again.frame["start"].to_physical()[0] == 10**18 + 1
    assert sorted(p.name for p in recording.path.iterdir()) == before
    assert recording.verify().verdict == "VALID"


def test_changes_and_removals_are_further_lines(tmp_path: Path) -> None:
    """The last word of each id counts; what was said before stays in the file."""
    recording = recorded(tmp_path)
    labels = Labels.of(recording, ticking())
    first, second = labels.add(1, 2, "a").id, labels.add(3, 4, "b").id
    labels.change(first, name="A", note="n")
    labels.remove(second)
    again = Labels.of(recording)
    assert [(label.id, label.name, label.note) for label in again] == [(first, "A", "n")]
    assert len(labels_path(recording.path).read_bytes().splitlines()) == 4
    with pytest.raises(RecordingError, match="unknown label"):
        again.remove(second)


def test_names_in_use_are_offered_newest_first() -> None:
    """Each name once."""
    labels = Labels("ES", ticking())
    for name in ("x", "y", "x", "z"):
        labels.add(1, 2, name)
    assert labels.names == ["z", "x", "y"]


def test_every_cut_and_every_flipped_byte_loses_at_most_the_labels_it_hits(tmp_path: Path, caplog) -> None:
    """A damaged line is counted and skipped; all others are read, and none is made up."""
    recording = recorded(tmp_path)
    labels = Labels.of(recording, ticking())
    for k in range(4):
        labels.add(k, k + 1, f"label {k}")
    path = labels_path(recording.path)
    whole = path.read_bytes()
    known = {label.id: label for label in labels}
    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x15]) + whole[at + 1 :])
        with caplog.at_level(logging.CRITICAL):
            flipped = Labels.of(recording)
        assert len(flipped) >= 2, "a flipped line feed joins two lines"
        assert all(known[label.id] == label for label in flipped)
        path.write_bytes(whole[:at])
        assert [label.name for label in Labels.of(recording)] == [
            f"label {k}" for k in range(whole[:at].count(b"\n"))
        ]


def test_a_word_that_a_crash_cut_off_does_not_spoil_the_next_one(tmp_path: Path) -> None:
    """The next label begins a line of its own, and the torn one is told."""
    recording = recorded(tmp_path)
    Labels.of(recording).add(1, 2, "torn")
    path = labels_path(recording.path)
    path.write_bytes(path.read_bytes()[:-9])
    labels = Labels.of(recording)
    labels.add(3, 4, "next")
    again = Labels.of(recording)
    assert [label.name for label in again] == ["next"]
    assert again.damage == (f"{path.name}: 1 damaged lines skipped",)


def test_two_writers_lose_nothing_of_each_other(tmp_path: Path) -> None:
    """Each appends whole lines; who follows sees all."""
    recording = recorded(tmp_path)
    writers = [Labels.of(recording) for _ in range(2)]
    threads = [
        threading.Thread(target=lambda w=w, k=k: [w.add(i, i + 1, f"{k}-{i}") for i in range(30)])
        for k, w in enumerate(writers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    names = {f"{k}-{i}" for k in range(2) for i in range(30)}
    assert writers[0].follow()
    assert {label.name for label in writers[0]} == {label.name for label in Labels.of(recording)} == names


def test_labels_of_another_recording_are_left_alone(tmp_path: Path) -> None:
    """A file that was copied beside other events says nothing of them; beside a copy of the same events it does."""
    recording, other = recorded(tmp_path / "a"), recorded(tmp_path / "b", 100)
    Labels.of(recording).add(1, 2, "mine")
    shutil.copy(labels_path(recording.path), labels_path(other.path))
    assert len(Labels.of(other)) == 0
    assert Labels.of(other).damage == (
        f"{labels_path(other.path).name}: 1 lines of another recording left alone",
    )
    copy = tmp_path / "c" / "elsewhere"
    shutil.copytree(recording.path, copy)
    shutil.copy(labels_path(recording.path), labels_path(copy))
    assert [label.name for label in Labels.of(open_recording(copy))] == ["mine"]


def test_labels_given_while_recording_are_the_finished_recordings(tmp_path: Path) -> None:
    """Its hash is not known yet: they are keyed by where it came from, and still found when it is closed."""
    live = Recorder(tmp_path, INSTRUMENT, source={}, session="s", now_ns=5)
    live.append(reference(50))
    labels = Labels(INSTRUMENT.symbol, ticking())
    labels.add(1, 2, "before")
    labels.attach(live.path)
    labels.add(2, 3, "during")
    live.close()
    labels.add(3, 4, "after")
    recording = open_recording(live.path)
    assert [label.name for label in Labels.of(recording)] == ["before", "during", "after"]
    Labels.of(recording).add(4, 5, "later")
    keys = [json.loads(line[9:])["recording"] for line in labels_path(live.path).read_bytes().splitlines()]
    assert [key.partition(":")[0] for key in keys] == ["origin"] * 3 + ["content"]
    assert set(keys) == set(keys_of(recording.manifest))


def test_two_recordings_that_were_imported_differ_by_their_content(tmp_path: Path) -> None:
    """An imported recording has no origin of its own; its key is that of its events."""
    one, two = (recorded(tmp_path / name, rows) for name, rows in (("a", 100), ("b", 101)))
    assert one.manifest.session == two.manifest.session
    assert not set(keys_of(one.manifest)) & set(keys_of(two.manifest))


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, None, 7, "\ud800"])
def test_names_that_are_none_are_refused(name: object, tmp_path: Path) -> None:
    """Nothing is kept then, not even a file."""
    recording = recorded(tmp_path)
    with pytest.raises(RecordingError, match="expected a text of 1 to 200 characters"):
        Labels.of(recording).add(1, 2, name)  # type: ignore[arg-type]
    assert not labels_path(recording.path).exists()


def test_lines_with_impossible_values_are_damage(tmp_path: Path) -> None:
    """A checksum proves a line, not its sense: times beyond 64 bits and prices that are none are skipped."""
    import zlib

    recording = recorded(tmp_path)
    key = keys_of(recording.manifest)[0]
    good = {"id": "a", "start": 1, "end": 2, "name": "x", "recording": key}
    bad = [{"start": 2**70}, {"low": "NaN"}, {"high": "lots"}, {"name": 3}, {"end": None}]
    texts = [json.dumps(good | change).encode() for change in ({}, *bad)]
    labels_path(recording.path).write_bytes(b"".join(b"%08x %b\n" % (zlib.crc32(t), t) for t in texts))
    labels = Labels.of(recording)
    assert len(labels) == 1
    assert labels.damage == (f"{labels_path(recording.path).name}: 5 damaged lines skipped",)
    assert labels.frame.height == 1


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_a_link_in_the_place_of_the_labels_is_refused(tmp_path: Path) -> None:
    """Somebody planted it: nothing is read or written through it."""
    recording = recorded(tmp_path)
    target = tmp_path / "target"
    target.write_text("precious")
    labels_path(recording.path).symlink_to(target)
    with pytest.raises(RecordingError, match="symbolic link"):
        Labels.of(recording)
    assert target.read_text() == "precious"


def test_a_folder_that_cannot_be_written_is_told_and_nothing_is_kept(tmp_path: Path) -> None:
    """A label that is not on disk is not shown as if it were."""
    recording = recorded(tmp_path)
    labels = Labels.of(recording)
    labels_path(recording.path).mkdir()
    with pytest.raises(RecordingError, match="cannot write"):
        labels.add(1, 2, "x")
    assert len(labels) == 0
    with pytest.raises(RecordingError, match="cannot read"):
        labels.follow()


def test_manifests_without_files_have_an_origin(tmp_path: Path) -> None:
    """A live recording is known by instrument, session and the moment it began."""
    keys = {keys_of(Manifest(INSTRUMENT, session, created_ns=at)) for session in "ab" for at in (1, 2)}
    assert len(keys) == 4
