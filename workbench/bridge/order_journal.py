"""The append-only file of every decision about orders: written before a line goes out, read again at the start.

One entry is one line, ``crc32 json``; every write begins with a new line. A line that was cut or damaged is left out and counted; the rest stands. An id
that was sent once is never sent again, also by the next process, as long as this file is there.

Entries are handed to the system before the order goes and forced to the device afterwards (:meth:`OrderJournal.sync`):
a killed process loses none of them, and forcing them first would cost each order 3 to 10 ms.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from workbench.feeds.checked_lines import (
    append_lines,
    decode,
    encode,
    journal_path,
    open_to_append,
    state_directory,
)

__all__ = [
    "MARKET",
    "SENT",
    "OrderJournal",
    "decode",
    "encode",
    "ids_sent",
    "journal_path",
    "state_directory",
]

SENT: Final = "sent"
"""``what`` of an entry that takes a client order id for good."""

MARKET: Final = "market"
"""``what`` of the entry behind it: the top of the book at that moment, looked up when the order has left."""


def ids_sent(entries: Iterable[Mapping[str, Any] | None]) -> dict[str, str]:
    """Client order ids that were sent, with the hash of what was sent."""
    return {
        str(entry["client_order_id"]): str(entry.get("hash", ""))
        for entry in entries
        if entry is not None and entry.get("what") == SENT and entry.get("client_order_id")
    }


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
        self._descriptor = open_to_append(path)
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
        whole = self._known + append_lines(self._descriptor, data)
        if os.fstat(self._descriptor).st_size == whole:  # nobody else wrote: there is nothing to look at
            self._known = whole
