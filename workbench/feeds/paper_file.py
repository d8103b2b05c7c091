"""The paper account on disk: one append-only file of checked lines for each instrument, read again at the start."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from workbench.errors import WorkbenchError
from workbench.feeds.checked_lines import append_lines, checked, journal_path, open_to_append, texts
from workbench.trading.journal import Record, decode, encode

FOLDER: Final = "paper"


class PaperFile:
    """Journal of a paper desk, open for appending.

    Parameters
    ----------
    symbol : str
    account : str
    folder : Path
        Lasting state of this user.

    Attributes
    ----------
    records : list of Record
        What it held when it was opened.
    damaged : bool
        Whether something behind those could not be read; a last line that was cut is not damage.

    Raises
    ------
    OSError
        It cannot be opened.
    """

    def __init__(self, symbol: str, account: str, folder: Path):
        self.path = journal_path(f"{account} {symbol}", folder / FOLDER)
        self._descriptor = open_to_append(self.path)
        self.records, self.damaged = _readable(self.path.read_bytes())

    def write(self, records: Iterable[Record]) -> None:
        """Append records; returns when the system has them all: a killed process loses none of them.

        Raises
        ------
        OSError
        """
        lines = b"".join(checked(line) for line in encode(records).splitlines())
        if lines:
            append_lines(self._descriptor, lines)

    def sync(self) -> None:
        """Force what was written to the device."""
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def _readable(data: bytes) -> tuple[list[Record], bool]:
    """Records before the first line that cannot be read, and whether anything stands behind it."""
    lines = list(texts(data))
    whole = lines.index(None) if None in lines else len(lines)
    records: list[Record] = []
    try:
        for line in lines[:whole]:
            records += decode(line or b"")
    except WorkbenchError:  # written by another version
        return records, True
    return records, whole < len(lines) - 1
