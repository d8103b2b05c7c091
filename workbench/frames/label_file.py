"""The file of labels beside a recording: one line per word about a label, appended, checked, never rewritten.

``<recording>.labels.jsonl`` lies beside the directory of the recording, so that the recording itself never changes. Each
line is the CRC-32 of its text as eight hexadecimal digits, a blank, the text, a line feed, like the notes of a live
recording. It is written by one append and synced. A change is a further line with the same ``id``, a removal one with
``"gone": true``: whoever reads meanwhile sees whole labels only, and two who write lose nothing of each other.

A line names the recording that it belongs to, by one of two keys. ``origin:…`` is known as soon as recording begins and
stays true when it is finished; ``content:…`` is of the events themselves and holds for every copy of them.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

import msgspec

from workbench.errors import RecordingError
from workbench.frames.durable import sync_directory, write_error, write_whole
from workbench.frames.manifest import Manifest
from workbench.frames.paths import refuse_link

SUFFIX: Final = ".labels.jsonl"
LINE_LIMIT_BYTES: Final = 2**20
_CRC_DIGITS: Final = 8
_SAFE_NS: Final = 2**63 - 1
_APPEND: Final = (
    os.O_RDWR
    | os.O_CREAT
    | os.O_APPEND
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


class Label(msgspec.Struct, frozen=True, omit_defaults=True):
    """One named region.

    Attributes
    ----------
    id : str
        Stays through changes.
    start, end : int, ns since the epoch, UTC
        Start inclusive, end exclusive.
    name : str
    low, high : str or None
        Decimal texts in real units, both inclusive; None: no bound.
    note, author : str
    symbol : str
    created, changed : int, ns since the epoch, UTC
    recording : str
        Key of the recording it belongs to.
    gone : bool
        It was removed.
    """

    id: str
    start: int
    end: int
    name: str
    low: str | None = None
    high: str | None = None
    note: str = ""
    author: str = ""
    symbol: str = ""
    created: int = 0
    changed: int = 0
    recording: str = ""
    gone: bool = False


class LabelFile:
    """Labels beside one recording.

    Parameters
    ----------
    directory : Path
        Of the recording.
    manifest : Manifest
        Of the recording: gives its keys.

    Attributes
    ----------
    ids : set of str
        Labels that were read or written here.
    """

    def __init__(self, directory: Path, manifest: Manifest):
        self.path = labels_path(directory)
        self.ids: set[str] = set()
        self._keys = keys_of(manifest)
        self._read = 0
        self._damaged = 0
        self._foreign = 0

    @property
    def damage(self) -> str:
        """One sentence on lines that could not be read or belong elsewhere; empty when all is well."""
        parts = []
        if self._damaged:
            parts.append(f"{self._damaged} damaged lines skipped")
        if self._foreign:
            parts.append(f"{self._foreign} lines of another recording left alone")
        return f"{self.path.name}: {', '.join(parts)}" if parts else ""

    def read(self) -> list[Label]:
        """Words that came since the last reading, oldest first; a line that is not whole yet waits.

        Raises
        ------
        RecordingError
            The file is there and cannot be read.
        """
        refuse_link(self.path)
        try:
            with self.path.open("rb") as file:
                file.seek(self._read)
                data = file.read()
        except FileNotFoundError:
            return []
        except OSError as problem:
            reason = f"cannot read {self.path.name}: {problem.strerror or problem}"
            raise RecordingError(reason, code="io_error", path=str(self.path)) from problem
        whole = data.rfind(b"\n") + 1
        self._read += whole
        labels = [label for line in data[:whole].splitlines() if line and (label := self._taken(line))]
        self.ids |= {label.id for label in labels}
        return labels

    def _taken(self, line: bytes) -> Label | None:
        label = _parsed(line)
        if label is None:
            self._damaged += 1
        elif label.recording not in self._keys:
            self._foreign += 1
            label = None
        return label

    def append(self, label: Label) -> None:
        """Write a label as it is now, in one append, and sync it.

        Raises
        ------
        RecordingError
            The file cannot be written.
        """
        refuse_link(self.path)
        line = _line(msgspec.structs.replace(label, recording=self._keys[0]))
        is_new = not self.path.exists()
        try:
            descriptor = os.open(self.path, _APPEND, 0o644)
        except OSError as problem:
            raise write_error(self.path, problem) from problem
        try:
            write_whole(descriptor, b"\n" + line if _is_torn(descriptor) else line, self.path)
            os.fsync(descriptor)
        except OSError as problem:
            raise write_error(self.path, problem) from problem
        finally:
            os.close(descriptor)
        if is_new:
            sync_directory(self.path.parent)
        self.ids.add(label.id)


def labels_path(directory: Path) -> Path:
    """File of the labels of the recording in ``directory``."""
    absolute = directory.absolute()
    return absolute.with_name(absolute.name + SUFFIX)


def keys_of(manifest: Manifest) -> tuple[str, ...]:
    """Keys of a recording: the one to write first, and all that it answers to.

    A recording that was written live has its session, instrument and moment of beginning; a finished one the hashes of
    its events.
    """
    events = sorted((f.name, f.sha256) for f in manifest.files if f.name.startswith("events-"))
    content = _key("content", manifest.instrument.symbol, *(text for pair in events for text in pair))
    origin = _key("origin", manifest.instrument.symbol, manifest.session, str(manifest.created_ns))
    if not events:
        return (origin,)
    return (content, origin) if manifest.created_ns else (content,)


def _key(kind: str, *texts: str) -> str:
    digest = hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()
    return f"{kind}:{digest[:32]}"


def _line(label: Label) -> bytes:
    text = msgspec.json.encode(label)
    if len(text) > LINE_LIMIT_BYTES:
        raise RecordingError(f"a label of {len(text):,} bytes", expected="at most 1 MiB", code="bad_label")
    return b"%08x %b\n" % (zlib.crc32(text), text)


def _parsed(line: bytes) -> Label | None:
    digits, text = line[:_CRC_DIGITS], line[_CRC_DIGITS + 1 :]
    if len(line) > LINE_LIMIT_BYTES + _CRC_DIGITS + 1 or digits != b"%08x" % zlib.crc32(text):
        return None
    try:
        label = msgspec.json.decode(text, type=Label)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    times = all(abs(ns) <= _SAFE_NS for ns in (label.start, label.end, label.created, label.changed))
    return label if times and is_price(label.low) and is_price(label.high) else None


def is_price(text: str | None) -> bool:
    """Whether a text is a finite decimal, or None."""
    try:
        return text is None or Decimal(text).is_finite()
    except InvalidOperation:
        return False


def _is_torn(descriptor: int) -> bool:
    """Whether the last line was cut off by a crash: the next one must not grow onto it."""
    length = os.fstat(descriptor).st_size
    if not length:
        return False
    os.lseek(descriptor, length - 1, os.SEEK_SET)
    return os.read(descriptor, 1) != b"\n"
