"""Reading a journal after anything may have happened to it: never a wrong row, never silence, never an exception.

What is returned is what passes its checksums, in order of sequence numbers; every hole is a GAP row with the
numbers that are missing. No repair step is needed before, and none is made.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import pyarrow as pa

from workbench.errors import DamagedError, RecordingError, SchemaError, WorkbenchError
from workbench.events import EventBatch, Instrument
from workbench.frames.arrow import STORED_SCHEMA, check_message, check_schema, columns_of, consecutive
from workbench.frames.continuity import Continuity, gap
from workbench.frames.journal import (
    BATCH_ROWS_LIMIT,
    INDEX_RECORD,
    METADATA_KEY,
    Mark,
    index_path,
    pack_record,
)
from workbench.frames.paths import refuse_link

SCHEMA_LIMIT_BYTES: Final = 2**20
_SEGMENT = re.compile(r"journal-(\d{4})\.arrows")


class Entry(NamedTuple):
    """One batch as the index names it."""

    path: Path
    number: int
    offset: int
    length: int
    crc: int
    first_sequence: int
    rows: int


@dataclass(slots=True)
class JournalReader:
    """The journal segments of one recording.

    Attributes
    ----------
    entries : list of Entry
        Batches whose index records are sound, by sequence number.
    damage : list of str
        What is damaged, one sentence each; grows while batches are read.
    known_next : int
        The sequence number that must follow the last event, as far as any sound record tells.
    closed : bool
        The last segment was closed properly.
    live : bool
        Somebody is writing it now.
    last_seen_ns : int
        Time of the last mark, ns.
    """

    directory: Path
    entries: list[Entry] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)
    first_sequence: int | None = None
    known_next: int = 0
    closed: bool = False
    live: bool = False
    last_seen_ns: int = 0
    tail_bytes: int = 0

    @classmethod
    def open(cls, directory: Path) -> JournalReader:
        """Read the index of every segment in a directory."""
        reader = cls(directory)
        for path in segments(directory):
            reader._read_index(path)
        reader.entries.sort(key=lambda entry: (entry.first_sequence, entry.path.name))
        return reader

    def batches(self) -> Iterator[EventBatch]:
        """Events in order, holes as GAP rows; each batch is consecutive."""
        follow, last_ts = Continuity(self.first_sequence), 0
        with contextlib.closing(_OneFile()) as opened:
            for entry in self.entries:
                for batch in self._read(entry, opened):
                    yield from follow.admit(batch)
                    last_ts = int(batch.ts[-1])
        yield from self._end(follow, last_ts or self.last_seen_ns)

    def _end(self, follow: Continuity, ts: int) -> Iterator[EventBatch]:
        position = follow.next_sequence
        if position is None:
            position = self.first_sequence or 0
        if self.known_next > position:
            lost = self.known_next - position
            self._note(f"last {lost:,} events unreadable (seq {position}–{self.known_next - 1})")
            yield gap(position, self.known_next - position, ts)
            position = self.known_next
        if not self.closed and not self.live:
            yield gap(position, -1, ts)

    def instrument(self) -> Instrument | None:
        """Return the instrument named in the first readable schema message."""
        for path in segments(self.directory):
            with contextlib.suppress(WorkbenchError, OSError, ValueError, KeyError, TypeError):
                return Instrument.from_dict(json.loads(_schema(path).metadata[METADATA_KEY]))
        return None

    def _read(self, entry: Entry, opened: _OneFile) -> list[EventBatch]:
        try:
            return _batches(entry, opened.at(entry.path))
        except FileNotFoundError:
            raise closed_meanwhile(entry.path) from None
        except (DamagedError, SchemaError, OSError) as problem:
            what = getattr(problem, "found", str(problem))
            self._note(
                f"{entry.path.name}: batch {entry.number} damaged, seq {entry.first_sequence}–"
                f"{entry.first_sequence + entry.rows - 1} skipped ({what})"
            )
            return []

    def _note(self, sentence: str) -> None:
        if sentence not in self.damage:
            self.damage.append(sentence)

    def _read_index(self, path: Path) -> None:
        refuse_link(path)
        refuse_link(index_path(path))
        records, end, self.closed = _index_bytes(path, self.damage), 0, False
        self.live = _is_locked(index_path(path))
        for number in range(len(records) // INDEX_RECORD.size):
            raw = records[number * INDEX_RECORD.size : (number + 1) * INDEX_RECORD.size]
            offset, length, crc, first, count, _ = INDEX_RECORD.unpack(raw)
            if raw != pack_record(offset, length, crc, first, count):
                self._note(f"{path.name}: index record {number} damaged")
                continue
            if self.first_sequence is None and first >= 0:
                self.first_sequence = first
            self.known_next = max(self.known_next, first + (count if length else 0))
            if not length:
                self._mark(path, count, offset)
                continue
            self.entries.append(Entry(path, number, offset, length, crc, first, count))
            end = max(end, offset + length)
        self._check_tail(path, records, end)

    def _mark(self, path: Path, mark: int, now_ns: int) -> None:
        self.closed = mark == Mark.CLOSED
        self.last_seen_ns = max(self.last_seen_ns, now_ns)
        if mark == Mark.SUSPECT:
            self._note(f"{path.name}: a sync failed; its last second may not have reached the device")

    def _check_tail(self, path: Path, records: bytes, end: int) -> None:
        torn = len(records) % INDEX_RECORD.size
        if torn and not self.live:
            self._note(f"{path.name}: index ends inside a record ({torn} bytes)")
        tail = path.stat().st_size - max(end, _schema_length(path))
        if tail > 0 and not self.live:
            self.tail_bytes += tail
            self._note(f"{path.name}: {tail} bytes at the end were never acknowledged and are not read")
            self.closed = False


class _OneFile:
    """The segment being read: they follow each other, so one open file is enough."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._file: BinaryIO | None = None

    def at(self, path: Path) -> BinaryIO:
        if self._file is None or self._path != path:
            self.close()
            self._path, self._file = path, path.open("rb")
        return self._file

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def closed_meanwhile(path: Path) -> RecordingError:
    """Return the error for a file of an unclosed recording that has become Parquet since it was opened."""
    return RecordingError(
        f"{path} is gone",
        expected="a file of an unclosed recording",
        action="It was closed meanwhile: open the recording again",
        code="closed_meanwhile",
    )


def segments(directory: Path) -> list[Path]:
    """Journal segments of a recording, in order."""
    return sorted(path for path in directory.iterdir() if _SEGMENT.fullmatch(path.name))


def _batches(entry: Entry, file: BinaryIO) -> list[EventBatch]:
    if entry.rows > BATCH_ROWS_LIMIT:
        raise DamagedError(f"a batch of {entry.rows} rows", expected=f"at most {BATCH_ROWS_LIMIT}")
    missing = entry.offset + entry.length - os.fstat(file.fileno()).st_size
    if missing > 0:
        raise DamagedError(f"the file ends {missing} bytes early")
    file.seek(entry.offset)
    message = file.read(entry.length)
    if zlib.crc32(message) != entry.crc:
        raise DamagedError("its checksum differs")
    check_message(message, entry.rows)
    try:
        batch = pa.ipc.read_record_batch(pa.py_buffer(message), STORED_SCHEMA)
        batch.validate(full=True)
    except (pa.ArrowException, OSError) as problem:
        raise DamagedError(f"Arrow refuses it: {problem}") from problem
    sequence, columns = columns_of(batch)
    if len(sequence) != entry.rows or (len(sequence) and sequence[0] != entry.first_sequence):
        raise DamagedError("its rows are not those that the index names")
    return list(consecutive(sequence, columns))


def _schema(path: Path) -> pa.Schema:
    head = _bytes_at(path, 0, min(_schema_length(path), SCHEMA_LIMIT_BYTES))
    try:
        schema = pa.ipc.read_schema(pa.py_buffer(head))
    except (pa.ArrowException, OSError) as problem:
        raise DamagedError(f"{path.name} begins with no Arrow schema: {problem}") from problem
    check_schema(schema, path.name)
    return schema


def _schema_length(path: Path) -> int:
    head = _bytes_at(path, 0, 8)
    return 8 + int.from_bytes(head[4:8], "little") if len(head) == 8 else 0


def _bytes_at(path: Path, offset: int, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(length)


def _index_bytes(path: Path, damage: list[str]) -> bytes:
    try:
        return index_path(path).read_bytes()
    except OSError as problem:
        damage.append(f"{path.name}: its index cannot be read ({problem.strerror})")
        return b""


def _is_locked(path: Path) -> bool:
    try:
        import fcntl
    except ImportError:
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False
