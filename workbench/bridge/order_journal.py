"""The append-only file of every decision about orders: written before a line goes out, read again at the start.

One entry is one line, ``crc32 json``; every write begins with a new line. A line that was cut or damaged is left out and counted; the rest stands. An id
that was sent once is never sent again, also by the next process, as long as this file is there.

Entries are handed to the system before the order goes and forced to the device afterwards (:meth:`OrderJournal.sync`):
a killed process loses none of them, and forcing them first would cost each order 3 to 10 ms.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import stat
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import platformdirs

SENT: Final = "sent"
"""``what`` of an entry that takes a client order id for good."""

MARKET: Final = "market"
"""``what`` of the entry behind it: the top of the book at that moment, looked up when the order has left."""

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
    text = json.dumps(entry, separators=(",", ":")).encode("ascii")
    return b"%08x %s\n" % (zlib.crc32(text), text)


def decode(data: bytes) -> Iterator[dict[str, Any] | None]:
    """Entries in order; None for a line that is cut or damaged."""
    for line in data.split(b"\n"):
        if line:
            yield _decode_line(line)


def _decode_line(line: bytes) -> dict[str, Any] | None:
    checksum, _, text = line.partition(b" ")
    if checksum != b"%08x" % zlib.crc32(text):
        return None
    try:
        entry = json.loads(text)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def ids_sent(entries: Iterable[Mapping[str, Any] | None]) -> dict[str, str]:
    """Client order ids that were sent, with the hash of what was sent."""
    return {
        str(entry["client_order_id"]): str(entry.get("hash", ""))
        for entry in entries
        if entry is not None and entry.get("what") == SENT and entry.get("client_order_id")
    }


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


class OrderJournal:
    """The file, open for appending.

    Parameters
    ----------
    path : Path
        Made, with its folder, if it is not there; readable by its owner alone.

    Attributes
    ----------
    used_ids : dict of str to str
        Client order ids that were ever sent, by earlier processes or by this one, with the hash of what was sent.
    damaged : int
        Lines that could not be read.

    Raises
    ------
    OSError
        It cannot be opened: then no order may be sent.
    """

    def __init__(self, path: Path):
        self.path = path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._descriptor = os.open(path, _APPEND, 0o600)
        if not stat.S_ISREG(os.fstat(self._descriptor).st_mode):
            os.close(self._descriptor)
            raise OSError(errno.EINVAL, "the journal of orders is no plain file", str(path))
        data = path.read_bytes()
        entries = list(decode(data))
        self.used_ids = ids_sent(entries)
        self.damaged = entries.count(None)
        self._known = len(data)

    def write(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Append entries; returns when the system has them all.

        Raises
        ------
        OSError
            Not all of them were written: the lines that go with them must not be sent.
        """
        kept = list(entries)
        if kept:
            self._write(b"".join(map(encode, kept)))
            self.used_ids |= ids_sent(kept)

    def look(self) -> dict[str, str]:
        """Ids that another process took since the last look, with their hashes: two bridges may share an instrument.

        Raises
        ------
        OSError
        """
        if os.fstat(self._descriptor).st_size == self._known:
            return {}
        with self.path.open("rb") as file:
            file.seek(self._known)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]  # the rest may still be being written
        self._known += len(whole)
        fresh = {k: v for k, v in ids_sent(decode(whole)).items() if k not in self.used_ids}
        self.used_ids |= fresh
        return fresh

    def sync(self) -> None:
        """Force what was written to the device."""
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _write(self, data: bytes) -> None:
        """Append in a new line: nothing may be taken for the rest of one that was cut, by whomever and whenever."""
        rest = memoryview(b"\n" + data)
        whole = self._known + len(rest)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        if os.fstat(self._descriptor).st_size == whole:  # nobody else wrote: there is nothing to look at
            self._known = whole
