"""Notes: what a live recording writes of the account and of drawings, as crash-safe as its events.

``notes-NNNN.jsonl`` lies beside the journal, from the first note on. Each line is the CRC-32 of its text as eight
hexadecimal digits, a blank, the text, a line feed; the text is JSON with ``n`` (from 0, consecutive), ``table``
(``orders`` or ``annotations``), ``ts`` (ns), ``kind`` and ``data``. A last line with ``"end": true`` and the number that
would come next says that nothing is missing. All lines of a flush are one ``write`` on an unbuffered, append-only,
exclusively created descriptor. After a failed write or sync the next file repeats what was not synced; a reader takes
each number from the newest file that has it. A line that is cut or damaged is skipped and counted, never guessed.
"""

from __future__ import annotations

import contextlib
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from workbench.errors import DiskFullError, RecordingError
from workbench.frames.durable import create, sync_directory, write_error, write_whole
from workbench.frames.journal_reader import closed_meanwhile
from workbench.frames.paths import refuse_link

TABLES: Final = ("orders", "annotations")
LINE_LIMIT_BYTES: Final = 2**24
"""Longest line; a longer note is refused, a longer line is damage."""
_FILE = re.compile(r"notes-(\d{4})\.jsonl")
_CRC_DIGITS: Final = 8


class Note(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One line.

    Attributes
    ----------
    n : int
        Number of the note; of the last line, with ``end``: of the note that would be next.
    table : str
        ``orders`` or ``annotations``.
    ts : int
        ns since the epoch, UTC.
    kind : str
        What it is: ``ORDER``, ``FILL``, ….
    data : dict
        The whole message.
    end : bool
        The notes were closed and are complete.
    """

    n: int
    table: str = ""
    ts: int = 0
    kind: str = ""
    data: dict[str, object] = {}
    end: bool = False


class Notes:
    """Notes being written.

    Parameters
    ----------
    directory : Path
        Directory of the recording. Nothing appears there before the first note.
    """

    def __init__(self, directory: Path):
        self.bytes_written = 0
        self.tables: set[str] = set()
        self._directory = directory
        self._next = 0
        self._pending: list[bytes] = []
        self._unsynced: list[bytes] = []
        self._segment = 0
        self._path = notes_path(directory, 0)
        self._descriptor = -1

    def add(self, table: str, ts: int, kind: str, data: Mapping[str, object]) -> None:
        """Keep a note, as it is now, for the next :meth:`write`.

        Raises
        ------
        RecordingError
            Another table, or data that are no JSON; the notes go on.
        """
        if table not in TABLES:
            raise RecordingError(f"table {table!r}", expected=" or ".join(TABLES), code="bad_note")
        self._pending.append(_line(Note(self._next, table, ts, kind, dict(data))))
        self.tables.add(table)
        self._next += 1

    def write(self) -> None:
        """Write what was added, in one write.

        Raises
        ------
        DiskFullError
            No room; what was written before stays readable.
        RecordingError
            The device failed twice in a row.
        """
        if not self._pending:
            return
        lines, self._pending = self._pending, []
        self._unsynced += lines
        try:
            self._append(lines)
        except DiskFullError:
            raise
        except RecordingError:
            self._next_segment()

    def sync(self) -> None:
        """Force what was written to the device, or write it again to another file and force that."""
        if not self._unsynced:
            return
        try:
            self._force()
        except RecordingError:
            self._next_segment()
            self._force()
        self._unsynced = []

    def close(self) -> None:
        """Say that nothing is missing, if that is still possible, and release the file."""
        if self._descriptor >= 0:
            with contextlib.suppress(RecordingError):
                self._append([_line(Note(self._next, end=True))])
                self._force()
        self.release()

    def release(self) -> None:
        """Close the descriptor, as a crash would."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
        self._descriptor = -1

    def _append(self, lines: list[bytes]) -> None:
        if self._descriptor < 0:
            self._descriptor = create(self._path)
            sync_directory(self._directory)
        whole = b"".join(lines)
        write_whole(self._descriptor, whole, self._path)
        self.bytes_written += len(whole)

    def _force(self) -> None:
        try:
            os.fsync(self._descriptor)
        except OSError as problem:
            raise write_error(self._path, problem) from problem

    def _next_segment(self) -> None:
        """Leave a suspect file and write again what it may have lost."""
        self.release()
        self._segment += 1
        self._path = notes_path(self._directory, self._segment)
        self._append(self._unsynced)


class NotesReader:
    """Notes of a recording, after anything may have happened to them: never a wrong one, never silence.

    Parameters
    ----------
    directory : Path
        Directory of the recording.
    live : bool
        Somebody is writing them now: a missing end is no damage then.
    """

    def __init__(self, directory: Path, *, live: bool = False):
        self._live = live
        self.paths = notes_files(directory)
        self._damaged = 0
        self._missing = 0
        self._ended = False

    def __iter__(self) -> Iterator[Note]:
        """Every sound note, in order of its number."""
        self._damaged = self._missing = expected = 0
        self._ended = False
        firsts = [_first_number(path) for path in self.paths[1:]]
        for position, path in enumerate(self.paths):
            stop = min((n for n in firsts[position:] if n is not None), default=None)
            for note in self._sound(path):
                if note.n < expected or (stop is not None and note.n >= stop):
                    continue  # another file has it too
                self._missing += note.n - expected
                expected = note.n + (not note.end)
                self._ended = note.end
                if not note.end:
                    yield note

    @property
    def damage(self) -> tuple[str, ...]:
        """What is damaged, one sentence each, after everything was read."""
        if not self.paths:
            return ()
        sentences = []
        if self._damaged or self._missing:
            sentences.append(
                f"notes of orders and annotations: {self._damaged} damaged lines skipped, {self._missing} notes missing"
            )
        if not self._ended and not self._live:
            sentences.append(
                "notes of orders and annotations were never closed, what came last may be missing"
            )
        return tuple(sentences)

    def _sound(self, path: Path) -> Iterator[Note]:
        for line in _lines(path):
            note = _note(line)
            if note is not None:
                yield note
            elif line.endswith(b"\n") or not self._live:
                self._damaged += 1


def notes_path(directory: Path, segment: int) -> Path:
    """Path of one file of notes."""
    return directory / f"notes-{segment:04d}.jsonl"


def notes_files(directory: Path) -> list[Path]:
    """Files of notes of a recording, in order."""
    return sorted(path for path in directory.iterdir() if _FILE.fullmatch(path.name))


def _line(note: Note) -> bytes:
    try:
        text = msgspec.json.encode(note, enc_hook=str)
    except (UnicodeError, RecursionError, TypeError, ValueError, OverflowError) as problem:
        raise RecordingError(
            f"a note that is no JSON: {problem}", expected="plain data", code="bad_note"
        ) from problem
    if len(text) + _CRC_DIGITS + 2 > LINE_LIMIT_BYTES:
        raise RecordingError(
            f"a note of {len(text):,} bytes", expected=f"at most {LINE_LIMIT_BYTES:,}", code="bad_note"
        )
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _note(line: bytes) -> Note | None:
    """Return the note of a line, or None unless the line is whole, sound and ours."""
    text = line[_CRC_DIGITS + 1 : -1]
    if line != b"%08x %s\n" % (zlib.crc32(text), text):
        return None
    try:
        note = msgspec.json.decode(text, type=Note)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    known = note.table in TABLES or note.end
    return note if known and note.n >= 0 and -(2**63) <= note.ts < 2**63 else None


def _lines(path: Path) -> Iterator[bytes]:
    refuse_link(path)
    try:
        with path.open("rb") as file:
            yield from _bounded_lines(file)
    except FileNotFoundError:
        raise closed_meanwhile(path) from None


def _bounded_lines(file: BinaryIO) -> Iterator[bytes]:
    while line := file.readline(LINE_LIMIT_BYTES):
        yield line


def _first_number(path: Path) -> int | None:
    return next((note.n for line in _lines(path) if (note := _note(line)) is not None), None)
