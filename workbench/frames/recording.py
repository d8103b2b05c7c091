"""Recordings: open, scan lazily, ask for the book at any moment, write whole ones."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from workbench.errors import RecordingError
from workbench.events import EventBatch, Instrument
from workbench.frames import edge
from workbench.frames.book_view import BookView
from workbench.frames.continuity import Continuity
from workbench.frames.durable import sync_directory
from workbench.frames.locate import find_recording
from workbench.frames.manifest import Manifest
from workbench.frames.moments import Moment, check_span, to_datetime, to_ns
from workbench.frames.notes import TABLES
from workbench.frames.paths import inside, safe_name, session_name
from workbench.frames.store import EventStore, noted_tables, notes_frame, open_store

if TYPE_CHECKING:
    from workbench.book.levels import LevelBook
    from workbench.book.orders import OrderBook
    from workbench.frames.live import LiveColumns
    from workbench.frames.stored import StoredColumns
    from workbench.frames.verification import Verification


class Recording:
    """Events of one instrument and session, on disk.

    Opened by :func:`open_recording`; nothing is read until it is asked for.

    Attributes
    ----------
    path : Path
        Directory of the recording.
    manifest : Manifest
        What the recording says of itself; for one that was never closed, what its journal tells.
    """

    def __init__(self, path: Path, manifest: Manifest, store: EventStore):
        self.path = path
        self.manifest = manifest
        self._store = store

    @property
    def instrument(self) -> Instrument:
        """What was traded, with its grid."""
        return self.manifest.instrument

    @property
    def count(self) -> int:
        """Number of rows, gaps included."""
        return self.manifest.count

    @property
    def start_ns(self) -> int:
        """``ts`` of the first event, ns since the epoch, UTC."""
        return _known(self.manifest.start_ns, self.path)

    @property
    def end_ns(self) -> int:
        """Latest ``ts``, ns since the epoch, UTC: that of the last event, unless a clock was set back."""
        return _known(self.manifest.end_ns, self.path)

    @property
    def start(self) -> datetime:
        """Time of the first event, UTC."""
        return to_datetime(self.start_ns)

    @property
    def end(self) -> datetime:
        """Time of the last event, UTC."""
        return to_datetime(self.end_ns)

    @property
    def closed(self) -> bool:
        """Whether it was finished; False for a live or crashed recording."""
        return self.manifest.state == "closed"

    @property
    def gaps(self) -> pl.DataFrame:
        """Where events are missing: ``ts``, ``sequence`` (first lost), ``lost`` (how many, −1 unknown)."""
        ts, sequence, lost = zip(*self.manifest.gaps) if self.manifest.gaps else ((), (), ())
        frame = pl.DataFrame(
            {"ts": ts, "sequence": sequence, "lost": lost},
            schema={"ts": pl.Int64, "sequence": pl.Int64, "lost": pl.Int64},
        )
        return frame.with_columns(pl.col("ts").cast(pl.Datetime("ns", "UTC")))

    def events(self, start: Moment | None = None, end: Moment | None = None) -> pl.LazyFrame:
        """Every event as stored: ticks and lots, columns of :func:`~workbench.events.polars_schema`.

        Parameters
        ----------
        start, end : int ns or datetime, optional
            Both inclusive. Row groups outside are not read.
        """
        return _between(self._store.frame(), start, end)

    def trades(self, start: Moment | None = None, end: Moment | None = None) -> pl.LazyFrame:
        """Trades in real units (:func:`~workbench.frames.edge.trades_frame`)."""
        return edge.trades_frame(self.events(start, end), self.instrument)

    def depth(self, start: Moment | None = None, end: Moment | None = None) -> pl.LazyFrame:
        """Changes of price levels in real units (:func:`~workbench.frames.edge.depth_frame`)."""
        return edge.depth_frame(self.events(start, end), self.instrument)

    def table(self, name: str) -> pl.LazyFrame:
        """Return a further table of the recording, columns as :data:`workbench.frames.note_tables.SCHEMAS` says.

        Parameters
        ----------
        name : str
            ``orders``: what the account said (orders, fills, positions, balances, what trading allowed), or
            ``annotations``: what other add-ons broadcast, and what was drawn. A row for each message, as they came.

        Raises
        ------
        RecordingError
            It has no such table.
        """
        if name not in self.tables:
            raise RecordingError(
                f"{self.path} has no table {name!r}", expected=f"one of {list(self.tables)}", code="no_table"
            )
        if self.closed:
            return pl.scan_parquet(inside(self.path, f"{name}.parquet"))
        return notes_frame(self.path, name)

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the further tables that it has."""
        if self.closed:
            return tuple(name for name in TABLES if f"{name}.parquet" in self.files)
        return noted_tables(self.path)

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the finished files."""
        return tuple(fact.name for fact in self.manifest.files)

    def batches(
        self, start_ns: int | None = None, rows: int = 65_536, *, end_ns: int | None = None
    ) -> Iterator[EventBatch]:
        """Events as batches, in order.

        Parameters
        ----------
        start_ns, end_ns : int ns, optional
            Only events with ``start_ns <= ts <= end_ns``; what lies outside is not read. Where a clock was set back, an
            event counts as late as the latest one before it, so that spans which follow each other miss nothing.
        rows : int
            Most rows of one batch.

        Yields
        ------
        EventBatch
            Consecutive rows; a new batch begins where sequence numbers jump.
        """
        check_span(start_ns, end_ns)
        return self._store.batches(start_ns, end_ns, rows)

    def columns(self) -> StoredColumns | LiveColumns:
        """Every event as columns in stream order, with the face of a capture's; read where they are asked for."""
        return self._store.columns()

    def book_at(self, ts: Moment, levels: int | None = 10) -> BookView:
        """Book after every event with ``ts`` ≤ the given moment.

        Parameters
        ----------
        ts : int ns or datetime with its zone
        levels : int, optional
            So many of the best levels of each side; None: all.

        Returns
        -------
        BookView
            ``bids`` and ``asks`` as (price, size), best first, in real units.
        """
        moment = to_ns(ts)
        return BookView.of(self.books_at(moment)[0], self.instrument, moment, levels)

    def books_at(self, ts: Moment) -> tuple[LevelBook, OrderBook]:
        """Both books, in ticks and lots, after every event with ``ts`` ≤ the given moment."""
        books = self._store.books_at(to_ns(ts))
        return books.levels, books.orders

    def snapshot_at(self, ts: Moment, sequence: int = 0) -> EventBatch:
        """Rows that rebuild both books as they were at a moment: CLEAR, levels, orders, SNAPSHOT_END if valid."""
        moment = to_ns(ts)
        return self._store.books_at(moment).snapshot(moment, sequence)

    def checkpoint_before(self, row: int) -> tuple[int, EventBatch] | None:
        """Latest row at or before ``row`` before which the books were kept, so that reading may begin there.

        Parameters
        ----------
        row : int
            Counted from 0 in stream order, as in :meth:`columns`.

        Returns
        -------
        (int, EventBatch) or None
            That row, and the rows that rebuild the books before it, as :meth:`snapshot_at` gives them; None where
            reading must begin with the first event.
        """
        return self._store.checkpoint_before(row)

    def verify(self, *, progress: bool = False) -> Verification:
        """Check hashes, schema, sequence numbers and the book (:mod:`workbench.frames.verification`)."""
        from workbench.frames.verification import verify

        return verify(self, progress=progress)

    def __len__(self) -> int:
        return self.count

    def __repr__(self) -> str:
        symbol = self.instrument.symbol
        if not self.count:
            return f"Recording({symbol}, no events)"
        span = f"{self.start:%Y-%m-%d %H:%M:%S} – {self.end:%Y-%m-%d %H:%M:%S} UTC"
        state = "" if self.closed else ", not closed"
        if remarks := len(self.manifest.warnings):
            state += f", {remarks} warning{'s' * (remarks > 1)}"
        return f"Recording({symbol}, {span}, {self.count:,} events, {len(self.manifest.gaps)} gaps{state})"


def open_recording(path: str | os.PathLike[str], *, allow_large: bool = False) -> Recording:
    """Open a recording.

    Parameters
    ----------
    path : path-like
        A recording's directory, or a directory above that holds exactly one.
    allow_large : bool
        Read row groups that need more than 512 MiB of memory; ours never do.

    Returns
    -------
    Recording
        Also of one that was never closed: no repair is needed, what is missing shows as gaps, and what is damaged
        is logged and kept in ``manifest.warnings``.

    Raises
    ------
    RecordingError
        Nothing there, several recordings there (they are named), or not a recording.
    """
    if not isinstance(path, str | os.PathLike):
        raise RecordingError(f"a recording at {path!r:.60}", expected="the path of its folder")
    directory = find_recording(Path(path))
    manifest, store = open_store(directory, allow_large=allow_large)
    return Recording(directory, manifest, store)


def write_recording(
    out: str | os.PathLike[str],
    instrument: Instrument,
    batches: Iterable[EventBatch],
    *,
    source: Mapping[str, object],
    session: str | None = None,
    warnings: Iterable[str] = (),
) -> Recording:
    """Write a whole recording at once, straight to Parquet.

    Parameters
    ----------
    out : path-like
        Directory that gets ``<session>/<instrument>/``; made when missing.
    instrument : Instrument
    batches : Iterable of EventBatch
        In order; numbers seen before are dropped, a jump becomes a GAP row.
    source : Mapping
        Where the events come from; kept in the manifest.
    session : str, optional
        Name of the session; default: the UTC time of the first event.
    warnings : Iterable of str
        Remarks for the manifest.

    Returns
    -------
    Recording

    Raises
    ------
    DiskFullError
        No room; nothing is left behind.
    """
    root = Path(out)
    root.mkdir(parents=True, exist_ok=True)
    aside = inside(root, f".writing-{secrets.token_hex(6)}")
    aside.mkdir()
    try:
        plain = Manifest(instrument, session or "", source, warnings=tuple(warnings))
        from workbench.frames.publication import publish  # its books are kernels that readers do not need

        manifest = publish(aside, plain, _followed(batches))
        name = session or _session_of(manifest)
        manifest.with_(session=name).write(aside)
        path = _settle(aside, root, name, instrument.symbol)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return open_recording(path)


def check_no_overlap(recordings: Iterable[Recording]) -> None:
    """Refuse recordings of one instrument that cover the same time.

    Raises
    ------
    RecordingError
        Names the two and the seconds they share.
    """
    latest: dict[str, Recording] = {}
    for recording in sorted((r for r in recordings if r.count), key=lambda r: r.start_ns):
        symbol = recording.instrument.symbol
        before = latest.get(symbol)
        if before is not None and recording.start_ns < before.end_ns:
            shared = (min(before.end_ns, recording.end_ns) - recording.start_ns) / 1e9
            raise RecordingError(
                f"two recordings of {symbol}: overlap {shared:g} s, choose session",
                expected="recordings that follow each other",
                action=f"Leave out {before.path} or {recording.path}",
                code="overlap",
            )
        if before is None or recording.end_ns > before.end_ns:
            latest[symbol] = recording


def _followed(batches: Iterable[EventBatch]) -> Iterator[EventBatch]:
    follow = Continuity()
    for batch in batches:
        yield from follow.admit(batch)


def _session_of(manifest: Manifest) -> str:
    if manifest.start_ns is None:
        return "empty"
    return datetime.fromtimestamp(manifest.start_ns // 10**9, UTC).strftime("%Y%m%dT%H%M%SZ")


def _settle(aside: Path, root: Path, session: str, symbol: str) -> Path:
    """Move a finished recording to the first free place of its session."""
    for attempt in range(1, 10_000):
        suffix = "" if attempt == 1 else f"~{attempt}"
        parent = inside(root, session_name(session) + suffix)
        target = inside(parent, safe_name(symbol))
        parent.mkdir(exist_ok=True)
        try:
            target.mkdir()  # nobody else can take it any more
            if os.name == "nt":
                target.rmdir()  # no directory is replaced there, not even an empty one
            aside.rename(target)
        except FileExistsError:
            continue
        sync_directory(parent)
        return target
    raise RecordingError(f"{root} holds 9,999 recordings of session {session!r}", action="Choose another out")


def _between(frame: pl.LazyFrame, start: Moment | None, end: Moment | None) -> pl.LazyFrame:
    start_ns = None if start is None else to_ns(start)
    end_ns = None if end is None else to_ns(end)
    check_span(start_ns, end_ns)
    kind = pl.Datetime("ns", "UTC")
    if start_ns is not None:
        frame = frame.filter(pl.col("ts") >= pl.lit(start_ns).cast(kind))
    return frame if end_ns is None else frame.filter(pl.col("ts") <= pl.lit(end_ns).cast(kind))


def _known(ns: int | None, path: Path) -> int:
    if ns is None:
        raise RecordingError(f"no events in {path}", code="no_events")
    return ns
