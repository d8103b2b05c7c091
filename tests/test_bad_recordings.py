"""Bad inputs 32–43 of the reliability promises: recordings and replay."""

from __future__ import annotations

import json
import math
import os
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import workbench as wb
from tests.support.recordings import SECOND_NS, START_NS, crashed, pieces, recorder, reference
from workbench.errors import (
    DamagedError,
    DiskFullError,
    RecordingError,
    ReplayError,
    SchemaError,
    TooLargeError,
)
from workbench.events import EventBatch, Instrument
from workbench.frames.arrow import MEMORY_LIMIT_BYTES, STORED_ROW_BYTES, STORED_SCHEMA
from workbench.frames.journal import journal_path
from workbench.frames.journal_reader import JournalReader
from workbench.frames.manifest import FILE_NAME
from workbench.frames.paths import inside
from workbench.frames.recorder import Recorder
from workbench.frames.recording import Recording, open_recording, write_recording

posix_only = pytest.mark.skipif(os.name != "posix", reason="file modes and links are POSIX's")
INSTRUMENT = Instrument("SYN", "0.25")
EVENTS = reference(308)  # with its opening snapshot 320 rows: eight batches of 40


def recorded(folder: Path, events: EventBatch = EVENTS, symbol: str = "SYN") -> Recording:
    """A closed recording."""
    return write_recording(folder, Instrument(symbol, "0.25"), [events], source={})


def test_32_parquet_without_its_footer(tmp_path: Path) -> None:
    """It was not finished: 0 rows and what to do, and no wrong row."""
    path = recorded(tmp_path).path
    file = path / "events-0000.parquet"
    file.write_bytes(file.read_bytes()[:-100])
    recording = open_recording(path)
    with pytest.raises(DamagedError, match=r"not finished \(no footer\), 0 rows") as caught:
        recording.events().collect()
    assert caught.value.action
    assert recording.verify().verdict == "INVALID"


def test_33_journal_without_its_tail(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Everything before the cut is there; what is missing is told with its numbers."""
    path = crashed(tmp_path, pieces(EVENTS, 40))
    entry = JournalReader.open(path).entries[-2]
    data = journal_path(path, 0)
    data.write_bytes(data.read_bytes()[: entry.offset + 10])
    recording = open_recording(path)
    phrase = "last 80 events unreadable (seq 240–319)"
    assert phrase in recording.manifest.warnings
    assert phrase in caplog.text
    assert recording.events().collect().height == 240 + 2  # the loss, and that nobody closed it
    assert recording.gaps["lost"].to_list() == [80, -1]
    assert "warnings" in repr(recording)


def test_34_journal_with_a_flipped_bit(tmp_path: Path) -> None:
    """The damaged batch is skipped and named, its neighbours are exact."""
    path = crashed(tmp_path, pieces(EVENTS, 40))
    entry = JournalReader.open(path).entries[2]
    data = journal_path(path, 0)
    content = bytearray(data.read_bytes())
    content[entry.offset + entry.length // 2] ^= 1
    data.write_bytes(content)
    recording = open_recording(path)
    assert f"batch {entry.number} damaged, seq 80–119 skipped" in recording.manifest.warnings[0]
    rows = list(recording.batches())
    assert EventBatch.concatenate(rows[:2]) == EVENTS[:80]
    assert (int(rows[2].size[0]), rows[3].first_sequence) == (40, 120)


def test_35_recording_of_a_newer_version(tmp_path: Path) -> None:
    """It says what wrote it and what this is."""
    path = recorded(tmp_path).path
    document = json.loads((path / FILE_NAME).read_text()) | {"version": 3, "software": "workbench 3.1"}
    (path / FILE_NAME).write_text(json.dumps(document))
    with pytest.raises(
        SchemaError, match=r"was written by workbench 3\.1, recording version 3; expected version 1"
    ):
        open_recording(path)


def test_36_bomb(tmp_path: Path) -> None:
    """What would not fit is refused before it is unpacked, unless it is wanted."""
    path = recorded(tmp_path).path
    rows = MEMORY_LIMIT_BYTES // STORED_ROW_BYTES + 1
    nothing = pa.py_buffer(np.zeros(rows, np.int64))
    columns = [pa.Array.from_buffers(kind, rows, [None, nothing]) for kind in STORED_SCHEMA.types]
    table = pa.Table.from_arrays(columns, schema=STORED_SCHEMA)
    bomb = path / "events-0000.parquet"
    pq.write_table(table, bomb, row_group_size=rows, compression="zstd", use_dictionary=True)
    assert bomb.stat().st_size < 2**20
    with pytest.raises(TooLargeError, match=r"would need 512 MiB \(limit 512 MiB\)") as caught:
        open_recording(path).events().head(1).collect()
    assert "allow_large=True" in str(caught.value)
    assert open_recording(path, allow_large=True).events().head(1).collect().height == 1


@posix_only
def test_37_path_out_of_the_recording(tmp_path: Path) -> None:
    """Names that climb and links that lead elsewhere are refused."""
    path = recorded(tmp_path).path
    for name in ("..", "../x", "a/b", "a\\b", "C:x", "", "a\0b"):
        with pytest.raises(RecordingError) as refused:
            inside(path, name)
        assert refused.value.code == "outside_root"
    file = path / "events-0000.parquet"
    file.rename(tmp_path / "elsewhere.parquet")
    file.symlink_to(tmp_path / "elsewhere.parquet")
    with pytest.raises(RecordingError, match="is a symbolic link"):
        open_recording(path).events().collect()
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(RecordingError, match="is a symbolic link"):
        open_recording(tmp_path / "link")


def test_38_little_room_on_the_disk(tmp_path: Path) -> None:
    """A recorder does not start what it could not finish; the default asks for 1 GiB."""
    free = shutil.disk_usage(tmp_path).free
    with pytest.raises(DiskFullError, match=rf"refuse to start, \d+\.\d GiB free on {tmp_path}") as caught:
        Recorder(tmp_path, INSTRUMENT, source={}, session="s", minimum_free=2 * free)
    assert caught.value.code == "disk_full"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("speed", [0, -1, math.nan, "fast"])
def test_39_replay_speed_that_makes_no_sense(tmp_path: Path, speed: float | str) -> None:
    """Refused with the value and what is allowed."""
    with pytest.raises(ReplayError, match=f"replay speed {speed!r}; expected a positive number"):
        wb.replay(recorded(tmp_path), speed, inline=True)


def test_40_empty_recording(tmp_path: Path) -> None:
    """It opens and says ``no events``, whatever is asked of it."""
    recording = recorded(tmp_path, EventBatch.empty())
    assert repr(recording) == "Recording(SYN, no events)"
    assert recording.events().collect().height == 0
    with pytest.raises(RecordingError, match="no events"):
        recording.start  # noqa: B018
    with pytest.raises(ReplayError, match="no events"):
        wb.replay(recording, inline=True)


def test_41_two_instruments_with_one_file_name(tmp_path: Path) -> None:
    """Each name gets a place of its own, on any file system."""
    names = ["a:b", "a/b", "A/B", "a-b", "é", "e\u0301"]
    recorders = [recorder(tmp_path, symbol=name) for name in names]
    for each in recorders:
        each.append(EVENTS)
    closed = [each.close() for each in recorders]
    assert len({str(r.path).lower() for r in closed}) == len(names)
    assert [open_recording(r.path).instrument.symbol for r in closed] == names


def test_42_two_recordings_of_one_time(tmp_path: Path) -> None:
    """They are not mixed: the seconds they share are told, and both places."""
    first = reference(20, SECOND_NS)
    shifted = EventBatch.trusted((first.ts + 8 * SECOND_NS, *first.columns[1:]), 0)
    one, other = recorded(tmp_path, first), recorded(tmp_path, shifted)
    with pytest.raises(RecordingError, match="overlap 12 s, choose session") as caught:
        wb.replay([one, other], inline=True)
    assert str(one.path) in str(caught.value)
    assert str(other.path) in str(caught.value)


def test_43_end_before_start(tmp_path: Path) -> None:
    """Refused with both times: for a replay and for a part of a recording."""
    recording = recorded(tmp_path)
    with pytest.raises(ReplayError, match=r"end .* before start"):
        wb.replay(recording, start="200ms", end="100ms", inline=True)
    with pytest.raises(RecordingError, match=r"end .* before start"):
        recording.events(START_NS + 2, START_NS + 1)
