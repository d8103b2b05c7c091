"""docs/recordings.md says what the code does: names, columns and layouts are the code's."""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path

import msgspec
import polars as pl
import pytest

from tests.support.recordings import START_NS, recorder, reference
from workbench.events import arrow_schema
from workbench.frames.journal import (
    INDEX_RECORD,
    METADATA_KEY,
    Mark,
    index_path,
    journal_path,
    pack_record,
)
from workbench.frames.label_file import Label, LabelFile, keys_of
from workbench.frames.manifest import Manifest
from workbench.frames.note_tables import SCHEMAS
from workbench.frames.notes import Note, NotesReader, notes_path
from workbench.frames.recording import open_recording

TEXT = (Path(__file__).parents[2] / "docs" / "recordings.md").read_text(encoding="utf-8")
TYPES = {
    "text": pl.String(),
    "float64": pl.Float64(),
    "int64": pl.Int64(),
    "bool": pl.Boolean(),
    "timestamp ns UTC": pl.Datetime("ns", "UTC"),
}
SIZES = {"u64": "Q", "u32": "I", "i64": "q"}


def block(name: str) -> str:
    (body,) = re.findall(rf"^```text {name}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    return body


def rows_after(heading: str) -> list[list[str]]:
    """Rows of the first table after a text, without its head."""
    after = TEXT.split(heading, 1)[1]
    table = re.search(r"((?:^\|.*\n)+)", after, re.MULTILINE)
    assert table is not None
    return [[cell.strip() for cell in line.strip("|\n").split("|")] for line in table[1].splitlines()[2:]]


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_the_files_are_those_that_appear(tmp_path: Path) -> None:
    """While recording, and when closed: no other ones, and each in the table's column."""
    table = {
        names(name)[0]: (bool(live), bool(closed))
        for name, live, closed in rows_after("Nothing is ever written")
    }
    live = recorder(tmp_path)
    live.append(reference(50))
    live.note("orders", START_NS, "ORDER", {})
    live.note("annotations", START_NS, "DRAWN", {})
    live.flush(START_NS)
    assert {p.name for p in live.path.iterdir()} == {
        name for name, (while_live, _) in table.items() if while_live
    }
    live.close()
    kept = {
        name
        for name, row in zip(table, rows_after("Nothing is ever written"))
        if row[2] not in ("removed", "")
    }
    assert {p.name for p in live.path.iterdir()} == kept - {"index.parquet"}


def test_event_columns_are_the_stored_ones() -> None:
    """Names, order and widths."""
    found = [(names(row[0])[0], row[1].split(",")[0]) for row in rows_after("## Events")]
    stored = [(f.name, "int64" if f.name.startswith("ts") else str(f.type)) for f in arrow_schema()]
    assert found == stored
    assert METADATA_KEY.decode() in TEXT


def test_index_records_are_laid_out_as_written() -> None:
    """Field by field, packed little-endian in 32 bytes."""
    fields = [field.split()[-1] for field in block("index-record").strip().split(" | ")]
    layout = struct.Struct("<" + "".join(SIZES[kind] for kind in fields))
    assert (layout.format, layout.size) == (INDEX_RECORD.format, 32)
    record = pack_record(1, 2, 3, 4, 5)
    assert layout.unpack(record) == (1, 2, 3, 4, 5, zlib.crc32(record[:28]))


def test_marks_have_the_numbers_that_are_told() -> None:
    """1 opened, 2 alive, 3 closed, 4 a sync failed."""
    told = dict(
        zip(("OPEN", "ALIVE", "CLOSED", "SUSPECT"), re.findall(r"(\d) (?:opened|alive|closed|a sync)", TEXT))
    )
    assert {mark.name: str(mark.value) for mark in Mark} == told


def test_notes_are_lines_as_shown(tmp_path: Path) -> None:
    """The text is the example's; its checksums are computed here, as a reader would."""
    lines = [line.split(" ", 1)[1] for line in block("notes-lines").splitlines()]
    written = "".join(f"{zlib.crc32(text.encode()):08x} {text}\n" for text in lines)
    assert block("notes-lines") == written
    notes_path(tmp_path, 0).write_text(written)
    reader = NotesReader(tmp_path)
    data = {"symbol": "ES", "status": "WORKING"}
    assert list(reader) == [Note(0, "orders", 1790000000000000000, "ORDER", data)]
    assert reader.damage == ()


def test_labels_are_lines_as_shown(tmp_path: Path) -> None:
    """The lines of the text are read as they stand there, and are what the code writes; every field is in the table."""
    live = recorder(tmp_path)
    live.append(reference(10))
    live.close()
    manifest = Manifest.read(live.path)
    file = LabelFile(live.path, manifest)
    lines = block("labels-lines").splitlines()
    told = [msgspec.json.decode(line.split(" ", 1)[1], type=Label) for line in lines]
    for label in told:
        file.append(label)
    keys = keys_of(manifest)
    written = [line.split(" ", 1)[1] for line in file.path.read_text().splitlines()]
    assert written == [line.split(" ", 1)[1].replace(told[0].recording, keys[0]) for line in lines]
    assert all(line.split(" ", 1)[0] == f"{zlib.crc32(line.split(' ', 1)[1].encode()):08x}" for line in lines)
    assert [label.gone for label in file.read()] == [False, True]
    fields = [name for cell, _ in rows_after("by one append and synced") for name in names(cell)]
    assert sorted(fields) == sorted(Label.__struct_fields__)
    assert [key.partition(":")[0] for key in keys] == ["content", "origin"]


@pytest.mark.parametrize("table", list(SCHEMAS))
def test_tables_have_the_columns_that_are_listed(table: str) -> None:
    """Names, order and types."""
    listed = [
        (name, TYPES[kind])
        for cell, kind in rows_after(f"`{table}.parquet`, for messages")
        for name in names(cell)
    ]
    assert listed == list(SCHEMAS[table].items())


def test_names_of_segments_are_those_of_the_code(tmp_path: Path) -> None:
    """The patterns in the text, with a number in the place of NNNN."""
    paths = [journal_path(tmp_path, 0), index_path(journal_path(tmp_path, 0)), notes_path(tmp_path, 0)]
    for path in paths:
        assert f"`{path.name}`" in TEXT
        assert f"`{path.name.replace('0000', 'NNNN')}`" in TEXT


def test_the_example_runs(tmp_path: Path) -> None:
    """Finished or not, a recording answers for its tables."""
    live = recorder(tmp_path)
    live.append(reference(50))
    live.note("orders", START_NS, "FILL", {"price": 4.25})
    live.flush(START_NS)
    for opened in (lambda: open_recording(live.path), live.close):
        recording = opened()
        assert recording.tables == ("orders",)
        fills = recording.table("orders").filter(pl.col("kind") == "FILL").collect()
        assert fills["price"].to_list() == [4.25]
