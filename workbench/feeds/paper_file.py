"""The paper account on disk: one append-only file of checked lines for each instrument, read again at the start."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from workbench.errors import WorkbenchError
from workbench.feeds.checked_lines import (
    append_lines,
    checked,
    journal_path,
    open_to_append,
    state_directory,
    texts,
)
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
    descriptor : int
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
        self._open, self._is_synced, self._is_closed = threading.Lock(), True, False
        self.descriptor = open_to_append(self.path)
        data = self.path.read_bytes()
        self.records, whole, self.damaged = _readable(data)
        if self.damaged:  # the account goes on before the damage; what stands behind it is kept for people
            aside = _free(self.path.with_suffix(".damaged"))
            aside.touch(mode=0o600)
            aside.write_bytes(data)
        if whole < len(data):
            os.ftruncate(self.descriptor, whole)

    def write(self, records: Iterable[Record]) -> None:
        """Append records; returns when the system has them all: a killed process loses none of them.

        A machine that loses its power may lose those since the last :meth:`sync`.

        Raises
        ------
        OSError
        """
        lines = b"".join(checked(line) for line in encode(records).splitlines())
        if lines:
            append_lines(self.descriptor, lines)
            self._is_synced = False

    def sync(self) -> None:
        """Force what was written to the device; from any thread, beside writing.

        Raises
        ------
        OSError
        """
        with self._open:
            if not self._is_synced and not self._is_closed:
                self._is_synced = True  # what is written meanwhile is for the next time
                os.fsync(self.descriptor)

    def close(self) -> None:
        """Close the file."""
        with self._open:
            self._is_closed = True
            os.close(self.descriptor)


def kept_records(symbol: str, account: str, folder: Path | None = None) -> list[Record]:
    """Journal of a named account as it lies on disk: every record before the first line that cannot be read.

    Parameters
    ----------
    symbol, account : str
    folder : Path, optional
        Default: the lasting state of this user.

    Raises
    ------
    WorkbenchError
        Nothing is kept of it.
    """
    path = journal_path(f"{account} {symbol}", (folder or state_directory()) / FOLDER)
    if not path.exists():
        raise WorkbenchError(
            f"no journal of the paper account {account!r} for {symbol!r}",
            expected="PaperTerms(account=…) of a session that has traded",
            code="no_account",
        )
    return _readable(path.read_bytes())[0]


def _free(path: Path) -> Path:
    """The path, or one with a number where something stands there: what was put aside before stays."""
    numbered = (path.with_suffix(f".{number}.damaged") for number in itertools.count(2))
    return next(p for p in itertools.chain([path], numbered) if not p.exists())


def _readable(data: bytes) -> tuple[list[Record], int, bool]:
    """Records before the first line that cannot be read, bytes up to there, and whether anything stands behind it."""
    records: list[Record] = []
    end = 0
    lines = data.split(b"\n")
    for number, line in enumerate(lines):
        text = next(texts(line), b"")
        try:
            if text is None:
                raise WorkbenchError("a line that is cut or damaged")
            records += decode(text)
        except WorkbenchError:  # or one that another version wrote
            return records, end, any(lines[number + 1 :])
        end += len(line) + 1
    return records, len(data), False
