"""The manifest: what a recording is, in one small JSON file that proves itself."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from workbench import __version__
from workbench.errors import DamagedError, InstrumentError, SchemaError
from workbench.events import Instrument
from workbench.frames.durable import replace_file

FORMAT: Final = "orderflow-recording"
VERSION: Final = 1
SOFTWARE: Final = f"orderflow-workbench {__version__}"
FILE_NAME: Final = "manifest.json"
SIZE_LIMIT_BYTES: Final = 64 * 2**20
_FILE = re.compile(r"(?:events-\d{4}|index|orders|annotations)\.parquet")


@dataclass(frozen=True, slots=True)
class FileFact:
    """One finished file: its name, size, rows and SHA-256."""

    name: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a recording says of itself.

    Attributes
    ----------
    instrument : Instrument
    session : str
        Name of the session it belongs to.
    source : Mapping
        Where the events came from; free form.
    state : str
        ``recording`` until it is closed, then ``closed``.
    reason : str
        Why it was closed: ``closed``, ``disk_full``, ….
    start_ns, end_ns : int or None
        ``ts`` of the first event and the latest ``ts``; None without events.
    first_sequence, next_sequence : int
    count : int
        Rows, gaps included.
    counts : Mapping
        Rows of each kind.
    gaps : tuple of (ts, sequence, lost)
    columns_crc32 : Mapping
        CRC-32 of each column's bytes, whatever file or compression holds them.
    files : tuple of FileFact
        Finished files; anything else in the directory is not part of a closed recording.
    """

    instrument: Instrument
    session: str
    source: Mapping[str, object] = field(default_factory=dict)
    state: str = "recording"
    reason: str = ""
    created_ns: int = 0
    start_ns: int | None = None
    end_ns: int | None = None
    first_sequence: int = 0
    next_sequence: int = 0
    count: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    gaps: tuple[tuple[int, int, int], ...] = ()
    columns_crc32: Mapping[str, int] = field(default_factory=dict)
    files: tuple[FileFact, ...] = ()
    warnings: tuple[str, ...] = ()
    software: str = SOFTWARE
    clock: str = (
        "ts: receive time, wall clock of the writer, ns UTC; ts_source: the venue's own time, 0 = none"
    )

    def with_(self, **changes: Any) -> Manifest:
        """Copy with some fields changed."""
        return replace(self, **changes)

    def to_bytes(self) -> bytes:
        """JSON text, with a SHA-256 of itself."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        plain |= {"instrument": self.instrument.to_dict(), "files": [asdict(f) for f in self.files]}
        # Through JSON once, so that the checksum is of what a reader will see.
        document = json.loads(json.dumps({"format": FORMAT, "version": VERSION, **plain}, default=str))
        document["sha256"] = _digest(document)
        return (json.dumps(document, indent=1) + "\n").encode()

    def write(self, directory: Path) -> None:
        """Replace the manifest of a recording; after a crash there is the old or the new one."""
        replace_file(directory / FILE_NAME, self.to_bytes())

    @classmethod
    def read(cls, directory: Path) -> Manifest:
        """Read and check the manifest of a recording.

        Raises
        ------
        DamagedError
            Missing, cut, or changed by anything but us.
        SchemaError
            Not a recording, or written by a newer version.
        """
        path = directory / FILE_NAME
        if not path.is_file() or path.is_symlink():
            raise DamagedError(f"{directory} has no {FILE_NAME}", expected="one per recording")
        if path.stat().st_size > SIZE_LIMIT_BYTES:
            raise DamagedError(f"{path} has {path.stat().st_size} bytes", expected="a small JSON file")
        return cls.from_bytes(path.read_bytes(), str(path))

    @classmethod
    def from_bytes(cls, data: bytes, where: str = FILE_NAME) -> Manifest:
        """Inverse of :meth:`to_bytes`."""
        document = _document(data, where)
        try:
            return cls._from_document(document)
        except (KeyError, TypeError, ValueError, AttributeError, InstrumentError) as problem:
            raise DamagedError(
                f"{where} lacks or garbles {problem}", expected="a whole manifest"
            ) from problem

    @classmethod
    def _from_document(cls, plain: dict[str, Any]) -> Manifest:
        known = {name: plain[name] for name in cls.__dataclass_fields__ if name in plain}
        known["instrument"] = Instrument.from_dict(plain["instrument"])
        known["files"] = tuple(_file_fact(entry) for entry in plain["files"])
        known["gaps"] = tuple((int(ts), int(sequence), int(lost)) for ts, sequence, lost in plain["gaps"])
        known["warnings"] = tuple(str(text) for text in plain.get("warnings", ()))
        return cls(**known)


def _document(data: bytes, where: str) -> dict[str, Any]:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as problem:
        raise DamagedError(f"{where} is no whole JSON: {problem}", expected="a manifest") from problem
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise SchemaError(f"{where} is no manifest of ours", expected=f'"format": "{FORMAT}"')
    version = document.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise SchemaError(
            f"{where} was written by {document.get('software') or 'another version'}, recording version {version}",
            expected=f"version {VERSION}, which this release reads",
            action="Upgrade: python3 -m pip install -U orderflow-workbench",
        )
    if document.get("sha256") != _digest(document):
        raise DamagedError(f"{where} does not match its own checksum", expected="an unchanged manifest")
    return document


def _digest(document: Mapping[str, object]) -> str:
    content = {key: value for key, value in document.items() if key != "sha256"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _file_fact(entry: Mapping[str, Any]) -> FileFact:
    fact = FileFact(str(entry["name"]), int(entry["rows"]), int(entry["bytes"]), str(entry["sha256"]))
    if not _FILE.fullmatch(fact.name):
        raise ValueError(f"file name {fact.name!r}")
    return fact
