"""Where a recording's events lie: finished Parquet files, then the journal of what is not finished."""

from __future__ import annotations

import bisect
import contextlib
import itertools
import logging
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from workbench.errors import DamagedError, RecordingError
from workbench.events import EventBatch, Instrument, polars_schema
from workbench.frames.book_index import BookIndex, Books, index_file
from workbench.frames.journal_reader import JournalReader, closed_meanwhile, segments
from workbench.frames.live import LiveColumns
from workbench.frames.manifest import Manifest
from workbench.frames.note_tables import SCHEMAS, table_fact, table_frames
from workbench.frames.notes import TABLES, NotesReader
from workbench.frames.parquet import (
    ROW_GROUP_ROWS,
    RowGroup,
    file_fact,
    instrument_of,
    open_events,
    read_group,
    row_groups,
)
from workbench.frames.paths import inside
from workbench.frames.stored import StoredColumns
from workbench.frames.summary import Summary

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow.parquet as pq

_log = logging.getLogger("workbench.frames")
_NEVER = -(2**63)


class EventStore:
    """Events of one recording, wherever they lie.

    Parameters
    ----------
    files : sequence of Path
        Finished events files, in order.
    journal : JournalReader, optional
        What follows them.
    index : Path, optional
        Checkpoints of the books, when the recording has them.
    allow_large : bool
        Read row groups however much memory they need.
    """

    def __init__(
        self,
        files: Sequence[Path],
        journal: JournalReader | None = None,
        index: Path | None = None,
        *,
        allow_large: bool = False,
    ):
        self.files = tuple(files)
        self.journal = journal
        self._index = index
        self._allow_large = allow_large

    @cached_property
    def groups(self) -> tuple[RowGroup, ...]:
        """Row groups of all files, in order."""
        large = self._allow_large
        return tuple(group for path in self.files for group in row_groups(path, allow_large=large))

    @cached_property
    def _begins(self) -> list[int]:
        """Earliest time of each row group, no earlier than any time before it."""
        before = itertools.accumulate((group.last_ts for group in self.groups), max, initial=_NEVER)
        return [max(reached, group.first_ts) for reached, group in zip(before, self.groups)]

    def frame(self) -> pl.LazyFrame:
        """Lazy frame of all events, as stored."""
        frames = []
        if self.files:
            for path in self.files:
                self._open(path)  # refuse foreign columns and bombs before anybody collects
            frames.append(pl.scan_parquet(list(self.files)))
        if self.journal is not None:
            frames.append(scan(self._journal_frames, pl.Schema(polars_schema())))
        return frames[0] if len(frames) == 1 else pl.concat(frames)

    def columns(self) -> StoredColumns | LiveColumns:
        """All events as columns: read from disk where they are asked for; what is only in a journal, in memory."""
        if self.journal is None:
            return StoredColumns(self.groups)
        held = LiveColumns()
        for batch in self.batches(None, None, ROW_GROUP_ROWS):
            held.append(batch)
        return held

    def batches(self, start_ns: int | None, end_ns: int | None, rows: int) -> Iterator[EventBatch]:
        """Events with ``start_ns <= ts <= end_ns`` as batches of at most ``rows``."""
        whole = self._file_batches(start_ns, end_ns, rows)
        yield from _cut(whole, start_ns, end_ns)
        if self.journal is not None:
            pieces = (b[k : k + rows] for b in self._journal_batches() for k in range(0, len(b), rows))
            yield from _cut(pieces, start_ns, end_ns)

    def books_at(self, ts: int) -> Books:
        """Both books after every event with ``ts`` ≤ the given one."""
        books = Books()
        first = max(sum(begin <= ts for begin in self._begins) - 1, 0)
        checkpoint = self._checkpoint(first)
        if checkpoint is None:
            first = 0
        else:
            books.apply(checkpoint)
        for batch in _cut(self._groups_from(first, ROW_GROUP_ROWS), None, ts):
            books.apply(batch)
        if self.journal is not None:
            for batch in _cut(self._journal_batches(), None, ts):
                books.apply(batch)
        return books

    def checkpoint_before(self, row: int) -> tuple[int, EventBatch] | None:
        """Latest row at or before ``row`` whose books are on disk, and the rows that rebuild them; None without one."""
        if self.journal is not None:
            return None
        starts = list(itertools.accumulate((group.rows for group in self.groups), initial=0))
        group = bisect.bisect_right(starts, row) - 1
        checkpoint = self._checkpoint(min(group, len(self.groups) - 1))
        return None if checkpoint is None else (starts[min(group, len(self.groups) - 1)], checkpoint)

    def _checkpoint(self, group: int) -> EventBatch | None:
        checkpoints = self._checkpoints if group else []
        return checkpoints[group - 1] if len(checkpoints) >= group > 0 else None

    @cached_property
    def _checkpoints(self) -> list[EventBatch]:
        if self._index is None or len(self.files) != 1:
            return []
        # Without sound checkpoints the books are built from the first event: slower, never wrong.
        with contextlib.suppress(RecordingError):
            rows = (b for g in row_groups(self._index) for b in read_group(g, ROW_GROUP_ROWS))
            return BookIndex.read(rows)
        return []

    def _file_batches(self, start_ns: int | None, end_ns: int | None, rows: int) -> Iterator[EventBatch]:
        opened: dict[Path, object] = {}
        reached = _NEVER
        for group, begin in zip(self.groups, self._begins):
            reached = max(reached, group.last_ts)
            if start_ns is not None and reached < start_ns:
                continue
            if end_ns is not None and begin > end_ns:
                return
            file = opened.get(group.path) or opened.setdefault(group.path, self._open(group.path))
            yield from read_group(group, rows, file)

    def _groups_from(self, first: int, rows: int) -> Iterator[EventBatch]:
        for group in self.groups[first:]:
            yield from read_group(group, rows, self._open(group.path))

    def _open(self, path: Path) -> pq.ParquetFile:
        return open_events(path, allow_large=self._allow_large)

    def _journal_batches(self) -> Iterator[EventBatch]:
        assert self.journal is not None
        follows = self.groups and self._next_sequence()
        for batch in self.journal.batches():
            seen = max(follows - batch.first_sequence, 0) if follows else 0
            if seen < len(batch):
                yield batch[seen:] if seen else batch

    def _journal_frames(self) -> Iterator[pl.DataFrame]:
        return (batch.to_polars() for batch in self._journal_batches())

    def _next_sequence(self) -> int:
        last = self.groups[-1]
        return list(read_group(last, ROW_GROUP_ROWS, self._open(last.path)))[-1].next_sequence


def open_store(directory: Path, *, allow_large: bool = False) -> tuple[Manifest, EventStore]:
    """Manifest and events of a recording; a damaged or missing manifest is made up from the files themselves."""
    warnings: tuple[str, ...] = ()
    try:
        manifest = Manifest.read(directory)
    except DamagedError as problem:
        manifest = _from_files(directory, problem)
        unproven = (
            f"not verified: the hashes of {len(manifest.files)} files, which only the lost manifest knew"
        )
        warnings = (problem.found, unproven) if manifest.files else (problem.found,)
    journal = JournalReader.open(directory) if manifest.state != "closed" else None
    files = [inside(directory, f.name) for f in manifest.files if f.name.startswith("events-")]
    has_index = any(fact.name == "index.parquet" for fact in manifest.files)
    store = EventStore(files, journal, index_file(directory) if has_index else None, allow_large=allow_large)
    if manifest.state != "closed" or warnings:
        manifest = _summarise(manifest, store, warnings)
    return manifest, store


def _summarise(manifest: Manifest, store: EventStore, warnings: tuple[str, ...]) -> Manifest:
    summary = Summary(store.batches(None, None, ROW_GROUP_ROWS))
    damage = (*store.journal.damage, *notes_damage(store.journal)) if store.journal is not None else ()
    for sentence in (*warnings, *damage):
        _log.warning("%s", sentence)
    return summary.into(manifest).with_(warnings=(*manifest.warnings, *warnings, *damage))


def noted_tables(directory: Path) -> tuple[str, ...]:
    """Names of the tables that the notes of an unclosed recording hold."""
    if not segments(directory):
        raise closed_meanwhile(directory)
    noted = {note.table for note in NotesReader(directory)}
    return tuple(name for name in TABLES if name in noted)


def notes_frame(directory: Path, table: str) -> pl.LazyFrame:
    """Lazy frame of one table of an unclosed recording, read from its notes when it is collected."""
    return scan(lambda: table_frames(NotesReader(directory), table), SCHEMAS[table])


def notes_damage(journal: JournalReader) -> tuple[str, ...]:
    """What is damaged in the notes beside a journal."""
    notes = NotesReader(journal.directory, live=journal.live)
    for _ in notes:
        pass
    return notes.damage


def _from_files(directory: Path, problem: DamagedError) -> Manifest:
    """Facts that the files tell when the manifest does not."""
    events = sorted(directory.glob("events-[0-9][0-9][0-9][0-9].parquet"))
    readable = [path for path in events if instrument_of(path) is not None]
    instrument: Instrument | None
    if readable:
        instrument = instrument_of(readable[0])
    else:
        instrument = JournalReader.open(directory).instrument() if segments(directory) else None
    if instrument is None:
        raise problem
    extra = [index_file(directory)] if readable and index_file(directory).is_file() else []
    events_and_index = [file_fact(path, open_events(path).metadata.num_rows) for path in [*readable, *extra]]
    tables = [table_fact(directory / f"{name}.parquet") for name in TABLES] if readable else []
    facts = (*events_and_index, *(fact for fact in tables if fact is not None))
    state = "closed" if readable else "recording"
    return Manifest(instrument, directory.parent.name, state=state, files=facts)


def _cut(batches: Iterator[EventBatch], start_ns: int | None, end_ns: int | None) -> Iterator[EventBatch]:
    if start_ns is None and end_ns is None:
        yield from batches
        return
    reached = _NEVER
    for batch in batches:
        # Clocks are set back: an event counts as late as the latest before it, so that order and time agree.
        ts = np.maximum(np.maximum.accumulate(batch.ts), reached)
        reached = int(ts[-1])
        start = 0 if start_ns is None else int(np.searchsorted(ts, start_ns, "left"))
        stop = len(batch) if end_ns is None else int(np.searchsorted(ts, end_ns, "right"))
        if start < stop:
            yield batch if stop - start == len(batch) else batch[start:stop]
        if stop < len(batch):
            return


def scan(made: Callable[[], Iterator[pl.DataFrame]], schema: pl.Schema) -> pl.LazyFrame:
    """Lazy frame over frames that are made when it is collected, one at a time."""
    from polars.io.plugins import register_io_source

    def source(
        with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, _batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        left = n_rows
        for whole in made():
            frame = whole
            if left is not None:
                frame = frame.head(left)
                left -= len(frame)
            if predicate is not None:
                frame = frame.filter(predicate)
            yield frame.select(with_columns) if with_columns is not None else frame
            if left == 0:
                return

    return register_io_source(source, schema=schema, is_pure=True)
