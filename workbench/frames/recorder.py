"""The live recorder: every event on disk within a flush, nothing acknowledged that a crash could take back."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from workbench.errors import DiskFullError, RecordingError
from workbench.events import EventBatch, Instrument
from workbench.frames.arrow import consecutive
from workbench.frames.continuity import Continuity, gap
from workbench.frames.journal import BATCH_ROWS, Journal, Mark, Sealed
from workbench.frames.live import LiveColumns
from workbench.frames.manifest import FileFact, Manifest
from workbench.frames.notes import TABLES, Notes
from workbench.frames.paths import inside, safe_name, session_name

# Polars, numba and the books are needed at the end only; a recorder is running within a fraction of a second.
if TYPE_CHECKING:
    import polars as pl

    from workbench.frames.recording import Recording

MINIMUM_FREE_BYTES: Final = 2**30
SYNC_NS: Final = 1_000_000_000
WARN_SECONDS: Final = 300
UNKNOWN: Final = -1


class Recorder:
    """Record one instrument while it happens.

    Parameters
    ----------
    directory : Path
        Gets ``<session>/<instrument>/``; an existing recording is never opened for writing, a second recorder of the
        same session gets ``<session>~2``.
    instrument : Instrument
    source : Mapping
        Where the events come from; kept in the manifest.
    session : str
        Name of the session, the same for all its instruments.
    now_ns : int, optional
        Wall time in ns; default: now.
    minimum_free : int, bytes
        Refuse to start with less free space.

    Attributes
    ----------
    state : str
        ``recording``, ``ended`` (the journal is whole), ``closed``, ``disk_full`` or ``failed``.
    reason : str
        Why it stopped, one sentence.
    acknowledged : int
        Every event with a smaller sequence number is safe from a crash of this process; −1 before the first.

    Raises
    ------
    DiskFullError
        Too little room to start.
    RecordingError
        The directory cannot be made or written to.

    Notes
    -----
    :meth:`append` only keeps the batch; :meth:`flush`, to be called every 50 ms, writes. Once a second it also syncs
    the files to the device and writes a sign of life. A failed sync closes the segment as suspect and writes its last
    second again into a new one; it is never repeated on the same descriptor.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        instrument: Instrument,
        *,
        source: Mapping[str, object],
        session: str,
        now_ns: int | None = None,
        minimum_free: int = MINIMUM_FREE_BYTES,
    ):
        now = time.time_ns() if now_ns is None else now_ns
        root = Path(directory)
        with _told_as_ours(root):
            root.mkdir(parents=True, exist_ok=True)
        check_free(root, minimum_free)
        self.instrument = instrument
        self.state = "recording"
        self.reason = ""
        self.acknowledged = UNKNOWN
        with _told_as_ours(root):
            self.path = _claim(root, session, instrument.symbol)
        self._follow = Continuity()
        self._pending = LiveColumns()
        self._unsynced: list[Sealed] = []
        self._synced_ns = self._started_ns = now
        self._segment = 0
        self._written = 0
        self._tables: list[FileFact] = []
        self._notes = Notes(self.path)
        self._free: int | None = None
        plain = Manifest(instrument, session, source, created_ns=now)
        plain.write(self.path)
        self._journal = Journal(self.path, self._segment, instrument, UNKNOWN, now)

    @property
    def bytes_written(self) -> int:
        """Bytes in the journal and the notes so far."""
        return self._written + self._journal.bytes_written + self._notes.bytes_written

    @property
    def duplicates(self) -> int:
        """Rows that were not recorded because their sequence number had been."""
        return self._follow.duplicates

    @property
    def seconds_of_space(self) -> float | None:
        """Seconds until the disk is full at the present rate; None before there is a rate."""
        span = (self._synced_ns - self._started_ns) / 1e9
        if self._free is None or span <= 0 or not self.bytes_written:
            return None
        return self._free / (self.bytes_written / span)

    @property
    def warning(self) -> str:
        """What a person should know: the disk will be full within five minutes. Empty when all is well."""
        seconds = self.seconds_of_space
        if seconds is None or seconds > WARN_SECONDS:
            return ""
        return f"disk full in {seconds:.0f} s at the present rate ({(self._free or 0) / 2**30:.1f} GiB free)"

    def append(self, batch: EventBatch) -> None:
        """Copy a batch for the next flush; seen numbers are dropped, missing ones become a GAP row.

        Raises
        ------
        RecordingError
            The recorder has stopped (:class:`~workbench.errors.DiskFullError` if that is why).
        """
        self._check_running()
        for part in self._follow.admit(batch):
            self._pending.append(part)

    def lose(self, stop: int, ts: int) -> None:
        """Write a GAP row at ``ts`` for every number before ``stop`` that was not appended, if there is one."""
        self._check_running()
        expected = self._follow.next_sequence
        if expected is not None and expected < stop:
            self.append(gap(expected, stop - expected, ts))

    def note(self, table: str, ts: int, kind: str, data: Mapping[str, object]) -> None:
        """Keep a message of the account, or something drawn, for the next flush (:mod:`workbench.frames.notes`).

        Parameters
        ----------
        table : str
            ``orders`` or ``annotations``: where it will be found, see :meth:`Recording.table`.
        ts : int
            ns since the epoch, UTC.
        kind : str
            What it is: ``ORDER``, ``FILL``, ….
        data : Mapping
            The whole message, as plain data.

        Raises
        ------
        RecordingError
            Another table or no plain data (``bad_note``, the recorder goes on), or the recorder has stopped.
        """
        self._check_running()
        self._notes.add(table, ts, kind, data)

    def flush(self, now_ns: int | None = None) -> int:
        """Write what was appended; once a second sync and leave a sign of life.

        Parameters
        ----------
        now_ns : int, optional
            Wall time in ns; default: now.

        Returns
        -------
        int
            The acknowledged sequence number, see :attr:`acknowledged`.

        Raises
        ------
        DiskFullError
            No room: the recorder has stopped, everything acknowledged stays readable.
        RecordingError
            The device failed twice in a row.
        """
        self._check_running()
        now = time.time_ns() if now_ns is None else now_ns
        try:
            self._write(now)
            # The wall clock may be set back; that must not put off syncing.
            if not 0 <= now - self._synced_ns < SYNC_NS:
                self._sync(now)
        except RecordingError as problem:
            self._stop(problem)
            raise
        return self.acknowledged

    def attach(self, name: str, table: pl.DataFrame) -> None:
        """Add a further table to the recording, ``orders`` or ``annotations``, instead of its notes."""
        if name not in TABLES:
            raise RecordingError(f"table {name!r}", expected=" or ".join(TABLES))
        if name in self._notes.tables:
            raise RecordingError(f"{name!r} has notes already", expected="a table or notes, not both")
        from workbench.frames.publication import write_table

        self._tables = [fact for fact in self._tables if fact.name != f"{name}.parquet"]
        self._tables.append(write_table(self.path, name, table.to_arrow()))

    def close(self, reason: str = "closed", now_ns: int | None = None) -> Recording:
        """Write the rest, turn the journal into Parquet and return the recording.

        Parameters
        ----------
        reason : str
            Kept in the manifest.
        now_ns : int, optional
            Wall time in ns; default: now.

        Notes
        -----
        After a full disk or a failed device the journal is left as it is: it opens without repair. Closing twice is
        harmless.
        """
        from workbench.frames.recording import open_recording

        self.end(reason, now_ns)
        if self.state == "ended":
            self._compact()
        return open_recording(self.path)

    def end(self, reason: str = "closed", now_ns: int | None = None) -> None:
        """Write the rest and close the journal, so that :meth:`close`, which may take minutes, can run elsewhere."""
        if self.state != "recording":
            return
        now = time.time_ns() if now_ns is None else now_ns
        try:
            self._write(now)
        except RecordingError as problem:
            self._stop(problem)
            if isinstance(problem, DiskFullError):
                return  # everything acknowledged is there and opens without repair
            raise
        self._notes.close()
        self._journal.close(now)
        self.state, self.reason = "ended", reason

    def abandon(self, reason: str, now_ns: int | None = None) -> None:
        """Write the rest if that is still possible and let go of the files; the journal stays and opens as it is."""
        if self.state != "recording":
            return
        now = time.time_ns() if now_ns is None else now_ns
        with contextlib.suppress(RecordingError):
            self._write(now)
        self._notes.close()
        self._journal.close(now)
        self.state, self.reason = "failed", reason

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Recorder({self.instrument.symbol}, {self.state}, acknowledged {self.acknowledged})"

    def _compact(self) -> None:
        from workbench.frames.compaction import compact

        try:
            compact(self.path, reason=self.reason, tables=tuple(self._tables))
            self.state = "closed"
        except RecordingError as problem:
            self._stop(problem)
            # Without room the journal is whole all the same; only its smaller form is missing.
            if not isinstance(problem, DiskFullError):
                raise

    def _write(self, now: int) -> None:
        for sequence, columns in self._pending.take():
            for run in consecutive(sequence, columns):
                for start in range(0, len(run), BATCH_ROWS):
                    self._append(run[start : start + BATCH_ROWS], now)
        self._notes.write()

    def _append(self, batch: EventBatch, now: int) -> None:
        if self._journal.next_sequence == UNKNOWN:
            self._journal.next_sequence = batch.first_sequence
            self._journal.mark(Mark.ALIVE, now)
        try:
            sealed = self._journal.append(batch)
        except DiskFullError:
            raise
        except RecordingError:
            self._next_segment(now)
            sealed = self._journal.append(batch)
        self._unsynced.append(sealed)
        self.acknowledged = batch.next_sequence

    def _sync(self, now: int) -> None:
        try:
            self._journal.mark(Mark.ALIVE, now)
            self._journal.sync()
        except DiskFullError:
            raise
        except RecordingError:
            self._next_segment(now)
        self._notes.sync()
        self._unsynced = []
        self._synced_ns = now
        self._free = shutil.disk_usage(self.path).free

    def _next_segment(self, now: int) -> None:
        """Leave a suspect segment and write again what it may have lost."""
        self._written += self._journal.bytes_written
        self._journal.close(now, Mark.SUSPECT)
        self._segment += 1
        first = self._unsynced[0].first_sequence if self._unsynced else self.acknowledged
        self._journal = Journal(self.path, self._segment, self.instrument, first, now)
        for sealed in self._unsynced:
            self._journal.write(sealed)

    def _stop(self, problem: RecordingError) -> None:
        self.state = "disk_full" if isinstance(problem, DiskFullError) else "failed"
        self.reason = problem.message
        self._notes.release()
        self._journal.release()

    def _check_running(self) -> None:
        if self.state == "recording":
            return
        kind = DiskFullError if self.state == "disk_full" else RecordingError
        raise kind(f"the recorder has stopped ({self.state}): {self.reason}", action="Start a new recording")


def check_free(root: Path, minimum: int) -> None:
    """Refuse to start with less than ``minimum`` bytes free."""
    free = shutil.disk_usage(root).free
    if free < minimum:
        raise DiskFullError(
            f"refuse to start, {free / 2**30:.1f} GiB free on {root}",
            expected=f"at least {minimum / 2**30:.1f} GiB",
            action="Free some space, or record elsewhere",
        )


@contextlib.contextmanager
def _told_as_ours(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise RecordingError(
            f"cannot record in {root}: {problem.strerror or problem}",
            expected="a directory that can be written to",
        ) from None


def _claim(root: Path, session: str, symbol: str) -> Path:
    """Make the first free directory for an instrument of a session."""
    for attempt in range(1, 10_000):
        parent = inside(root, session_name(session) + ("" if attempt == 1 else f"~{attempt}"))
        parent.mkdir(exist_ok=True)
        target = inside(parent, safe_name(symbol))
        try:
            target.mkdir()
        except FileExistsError:
            continue
        return target
    raise RecordingError(
        f"{root} holds 9,999 recordings of session {session!r}", action="Name another session"
    )
