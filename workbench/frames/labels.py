"""Labels: regions of time and price that somebody has named, in memory and beside recordings."""

from __future__ import annotations

import logging
import secrets
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol

import msgspec
import polars as pl

from workbench.errors import RecordingError
from workbench.events import Instrument
from workbench.frames.label_file import Label, LabelFile
from workbench.frames.manifest import Manifest

_log = logging.getLogger("workbench.frames")
NAME_LIMIT: Final = 200
NOTE_LIMIT: Final = 10_000
_TIME: Final = pl.Datetime("ns", "UTC")
FRAME: Final = {
    "start": _TIME,
    "end": _TIME,
    "low": pl.Float64(),
    "high": pl.Float64(),
    "name": pl.String(),
    "note": pl.String(),
    "created": _TIME,
    "author": pl.String(),
    "symbol": pl.String(),
    "id": pl.String(),
}


class Recorded(Protocol):
    """What is read of a recording."""

    @property
    def instrument(self) -> Instrument: ...

    @property
    def path(self) -> Path: ...

    @property
    def manifest(self) -> Manifest: ...


class Labels:
    """Labels of one instrument, in memory and in the files of the recordings they belong to.

    :meth:`of` reads those of a recording, :meth:`of_session` keeps those of a session that may be recorded later:
    :meth:`attach` writes what there is beside a recording, and every change from then on. Safe from any thread.

    Parameters
    ----------
    symbol : str, optional
    now_ns : callable, optional
        Tells the wall clock, ns since the epoch.

    Attributes
    ----------
    version : int
        Grows with every change.
    """

    _of_sessions: ClassVar[weakref.WeakKeyDictionary[Any, dict[str, Labels]]] = weakref.WeakKeyDictionary()
    _of_lock: ClassVar = threading.Lock()

    def __init__(self, symbol: str = "", now_ns: Callable[[], int] = time.time_ns):
        self.symbol = symbol
        self.version = 0
        self._now_ns = now_ns
        self._labels: dict[str, Label] = {}
        self._files: dict[Path, LabelFile] = {}
        self._told = ""
        self._lock = threading.RLock()

    @classmethod
    def of(cls, recording: Recorded, now_ns: Callable[[], int] = time.time_ns) -> Labels:
        """Labels of a recording, read from beside it."""
        labels = cls(recording.instrument.symbol, now_ns)
        labels.attach(recording.path, recording.manifest)
        return labels

    @classmethod
    def of_session(cls, session: object, symbol: str) -> Labels:
        """Labels of an instrument of a session: the same object whoever asks, as long as the session lives."""
        with cls._of_lock:
            of_symbol = cls._of_sessions.setdefault(session, {})
            return of_symbol.setdefault(symbol, cls(symbol))

    # -- beside recordings -----------------------------------------------------------------------------------------
    def attach(self, directory: Path, manifest: Manifest | None = None) -> None:
        """Take in the labels beside a recording, and write those that it lacks; attaching twice is no error.

        Parameters
        ----------
        directory : Path
        manifest : Manifest, optional
            Default: read from the directory.

        Raises
        ------
        RecordingError
            It is no recording, or its labels cannot be written.
        """
        with self._lock:
            if directory in self._files:
                return
            file = LabelFile(directory, manifest or Manifest.read(directory))
            self._take_in(file)
            for label in self:
                if label.id not in file.ids:
                    file.append(label)
            self._files[directory] = file
            self._tell_damage()

    def follow(self) -> bool:
        """Take in what others wrote meanwhile; whether there was anything."""
        with self._lock:
            changed = [self._take_in(file) for file in self._files.values()]
            self._tell_damage()
            return any(changed)

    def _take_in(self, file: LabelFile) -> bool:
        changed = False
        for label in file.read():
            known = self._labels.get(label.id)
            plain = msgspec.structs.replace(label, recording="")
            if known is None or label.changed > known.changed:
                self._labels[label.id] = plain
                changed = True
        self.version += changed
        return changed

    @property
    def damage(self) -> tuple[str, ...]:
        """What could not be read, one sentence a file."""
        return tuple(file.damage for file in self._files.values() if file.damage)

    def _tell_damage(self) -> None:
        told = "; ".join(self.damage)
        if told and told != self._told:
            _log.warning("%s", told)
        self._told = told

    @property
    def stored(self) -> bool:
        """Whether they lie beside a recording, and not in memory alone."""
        return bool(self._files)

    # -- what is said of them --------------------------------------------------------------------------------------
    def add(
        self,
        start: int,
        end: int,
        name: str,
        *,
        low: str | None = None,
        high: str | None = None,
        note: str = "",
        author: str = "",
    ) -> Label:
        """Name a region.

        Parameters
        ----------
        start, end : int, ns since the epoch
            Start inclusive, end exclusive.
        name : str
            Any text that is not blank, at most 200 characters; like the note it is data, never markup.
        low, high : str, optional
            Decimal texts in real units.
        note : str
            At most 10,000 characters.
        author : str

        Raises
        ------
        RecordingError
            No name, too long a text, or the file cannot be written: nothing is kept then.
        """
        now = self._now_ns()
        name, note = checked_name(name), checked_note(note)
        label_id = f"{now:x}-{secrets.token_hex(4)}"
        region = {"low": low, "high": high, "symbol": self.symbol, "created": now, "changed": now}
        return self._put(Label(label_id, start, end, name, note=note, author=author, **region))  # type: ignore[arg-type]

    def change(self, label_id: str, *, name: str | None = None, note: str | None = None) -> Label:
        """Give a label another name or note."""
        with self._lock:
            old = self[label_id]
            name = old.name if name is None else checked_name(name)
            note = old.note if note is None else checked_note(note)
            changed = max(self._now_ns(), old.changed + 1)
            return self._put(msgspec.structs.replace(old, name=name, note=note, changed=changed))

    def remove(self, label_id: str) -> None:
        """Remove a label; what it said stays in the file."""
        with self._lock:
            old = self[label_id]
            changed = max(self._now_ns(), old.changed + 1)
            self._put(msgspec.structs.replace(old, gone=True, changed=changed))

    def _put(self, label: Label) -> Label:
        with self._lock:
            for file in self._files.values():
                file.append(label)
            self._labels[label.id] = label
            self.version += 1
        return label

    # -- what there is ---------------------------------------------------------------------------------------------
    def __getitem__(self, label_id: str) -> Label:
        label = self._labels.get(label_id)
        if label is None or label.gone:
            raise RecordingError(
                f"unknown label {label_id!r}", expected="the id of one that is there", code="unknown_label"
            )
        return label

    def __iter__(self) -> Iterator[Label]:
        with self._lock:
            alive = [label for label in self._labels.values() if not label.gone]
        return iter(sorted(alive, key=lambda label: (label.start, label.created, label.id)))

    def __len__(self) -> int:
        return len(list(iter(self)))

    @property
    def names(self) -> list[str]:
        """Names in use, the one given last first."""
        newest = sorted(self, key=lambda label: -label.changed)
        return list(dict.fromkeys(label.name for label in newest))

    @property
    def frame(self) -> pl.DataFrame:
        """Labels by time, one row each, columns as :func:`workbench.labels`."""
        rows = [
            (
                *(label.start, label.end, _real(label.low), _real(label.high), label.name, label.note),
                *(label.created, label.author, label.symbol, label.id),
            )
            for label in self
        ]
        plain = {name: pl.Int64() if kind == _TIME else kind for name, kind in FRAME.items()}
        return pl.DataFrame(rows, schema=plain, orient="row").cast(FRAME)  # type: ignore[arg-type]

    def __repr__(self) -> str:
        count = len(self)
        return f"Labels({self.symbol!r}, {count} label{'' if count == 1 else 's'})"


def checked_name(name: object) -> str:
    """Return a name without blanks round it, or refuse it."""
    if not isinstance(name, str) or not name.strip() or len(name) > NAME_LIMIT or not _writable(name):
        raise RecordingError(
            f"label {name!r:.80}",
            expected=f"a text of 1 to {NAME_LIMIT} characters",
            code="bad_label",
        )
    return name.strip()


def checked_note(note: object) -> str:
    """Return a note, or refuse it."""
    if not isinstance(note, str) or len(note) > NOTE_LIMIT or not _writable(note):
        found = f"a note of {len(note):,} characters" if isinstance(note, str) else f"note {note!r:.80}"
        raise RecordingError(found, expected=f"text of at most {NOTE_LIMIT:,}", code="bad_label")
    return note


def _writable(text: str) -> bool:
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


def _real(text: str | None) -> float | None:
    return None if text is None else float(text)
