"""Append-only files of checked lines, ``crc32 json`` each: journals of orders, of the bridge and of the paper account.

Every write begins with a new line, so that nothing is taken for the rest of a line that was cut. A line that was cut or
damaged is left out when the file is read; the rest stands.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import stat
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import platformdirs

_APPEND: Final = (
    os.O_RDWR
    | os.O_CREAT
    | os.O_APPEND
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def encode(entry: Mapping[str, Any]) -> bytes:
    """One line; everything outside ASCII is escaped, so no text can end it."""
    return checked(json.dumps(entry, separators=(",", ":")).encode("ascii"))


def checked(text: bytes) -> bytes:
    """One line of a text that has no line break."""
    return b"%08x %s\n" % (zlib.crc32(text), text)


def texts(data: bytes) -> Iterator[bytes | None]:
    """Texts of lines in order; None for a line that is cut or damaged."""
    for line in data.split(b"\n"):
        if line:
            checksum, _, text = line.partition(b" ")
            yield text if checksum == b"%08x" % zlib.crc32(text) else None


def decode(data: bytes) -> Iterator[dict[str, Any] | None]:
    """Entries in order; None for a line that is cut or damaged."""
    for text in texts(data):
        yield None if text is None else _entry(text)


def _entry(text: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(text)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def open_to_append(path: Path) -> int:
    """Descriptor of a file, made with its folder if it is not there and readable by its owner alone.

    Raises
    ------
    OSError
        It cannot be opened, or is no plain file.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, _APPEND, 0o600)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "the journal of orders is no plain file", str(path))
    return descriptor


def append_lines(descriptor: int, data: bytes) -> int:
    """Append lines, beginning with a new one; returns how many bytes that took, when the system has them all.

    Raises
    ------
    OSError
    """
    rest = memoryview(b"\n" + data)
    whole = len(rest)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    return whole


def state_directory() -> Path:
    """Where this user's lasting state lives."""
    chosen = os.environ.get("WORKBENCH_STATE_DIR")
    return (
        Path(chosen) if chosen else Path(platformdirs.user_state_dir("orderflow-workbench", appauthor=False))
    )


def journal_path(symbol: str, directory: Path | None = None) -> Path:
    """Path of the journal of one instrument; the name of the instrument is hostile input and only hinted at."""
    hint = re.sub(r"[^A-Za-z0-9]+", "-", symbol)[:32].strip("-")
    digest = hashlib.sha256(symbol.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return (state_directory() if directory is None else directory) / "orders" / f"{hint}~{digest}.jsonl"
