"""Capture: all that is known of one instrument, in memory: its events, its books, its gaps."""

from __future__ import annotations

import threading

import polars as pl

from workbench.book.levels import LevelBook
from workbench.book.orders import OrderBook
from workbench.events import EventBatch, EventKind, Instrument
from workbench.frames.continuity import Continuity
from workbench.frames.edge import depth_frame, gaps_frame, trades_frame
from workbench.frames.live import LiveColumns
from workbench.frames.suspicion import LATEST_NS, SuspectTimes, crossed_book

_KINDS = max(EventKind) + 1
_GAP = int(EventKind.GAP)
_WHOLE = int(EventKind.SNAPSHOT_END)
_MBO = (int(EventKind.MBO_NEW), int(EventKind.MBO_REPLACE), int(EventKind.MBO_CANCEL))
# Batches of these alone are nothing to the by-order book until there are orders.
_USUAL = bytes((EventKind.DEPTH, EventKind.TRADE, EventKind.CLOCK, EventKind.STATUS))
_COUNT_ROWS = 65_536


class Capture:
    """State of one instrument, fed by batches of events.

    Parameters
    ----------
    instrument : Instrument
    keep_rows : int, optional
        Bound on the rows kept in memory, see :class:`~workbench.frames.live.LiveColumns`. Default: all.

    Attributes
    ----------
    columns : LiveColumns
        Every event.
    book : LevelBook
        By price level.
    orders : OrderBook
        By order; fed only once the source sends order-by-order rows.
    lock : RLock
        Held by :meth:`apply`, and to be held by readers that need books and columns of the same moment.
    last_ts : int
        ``ts`` of the newest event, ns; 0 before the first.
    synced_ns : int
        ``ts`` of the newest event by which the book was taken in whole (end of a snapshot), ns; 0 before the first.
    """

    def __init__(self, instrument: Instrument, *, keep_rows: int | None = None):
        self.instrument = instrument
        self.lock = threading.RLock()
        self._keep_rows = keep_rows
        self.clear()

    def clear(self) -> None:
        """Forget everything; the next batch may have any sequence number (after a seek)."""
        with self.lock:
            self.columns = LiveColumns(self._keep_rows)
            self._trades = LiveColumns(self._keep_rows)
            self._trades_seen = 0
            self._suspect_times = SuspectTimes()
            self._times_seen = 0
            self.book = LevelBook()
            self.orders = OrderBook()
            self.gap_rows = LiveColumns()
            self.has_orders = False
            self.last_ts = self.synced_ns = 0
            self._continuity = Continuity()
            self._counts = [0] * _KINDS
            self._kinds = bytearray()

    def apply(self, batch: EventBatch) -> None:
        """Take in a batch: seen numbers are dropped, missing ones become a GAP row.

        Parameters
        ----------
        batch : EventBatch
            Consecutive events; its arrays are copied.
        """
        with self.lock:
            for part in self._continuity.admit(batch):
                self._append(part)

    def apply_snapshot(self, batch: EventBatch, next_sequence: int) -> None:
        """Take in the state of the books before event ``next_sequence``.

        Parameters
        ----------
        batch : EventBatch
            Rows of a snapshot that is no part of the stream: their numbers may repeat ones that were seen.
        next_sequence : int
            Where the stream goes on.
        """
        with self.lock:
            if len(batch):
                self._append(batch)
            self._continuity.next_sequence = next_sequence

    def _append(self, batch: EventBatch) -> None:
        self.columns.append(batch)
        self.book.apply(batch)
        # For the hundred rows of a usual batch, bytes answer ten times sooner than arrays.
        kinds = batch.columns[2].tobytes()
        self._kinds += kinds
        if len(self._kinds) > _COUNT_ROWS:
            self._count()
        rare = kinds.translate(None, _USUAL)
        if _WHOLE in rare:
            self.synced_ns = int(batch.columns[0][kinds.rindex(_WHOLE)])
        if _GAP in rare:
            sequence, columns = batch.where(batch.kind == _GAP)
            self.gap_rows.append_columns(columns, sequence)
        if rare or self.has_orders:
            self.has_orders = self.has_orders or any(kind in rare for kind in _MBO)
            self.orders.apply(batch)
        self.last_ts = int(batch.columns[0][-1])

    def _count(self) -> list[int]:
        with self.lock:
            for kind in range(_KINDS):
                self._counts[kind] += self._kinds.count(kind)
            self._kinds.clear()
            return self._counts

    @property
    def trades(self) -> LiveColumns:
        """The trades alone, zero-size marks included; picked out when asked for, each row once."""
        with self.lock:
            for piece in self.columns.chunks(self._trades_seen):
                mask = piece[2] == EventKind.TRADE
                if mask.any():
                    self._trades.append_columns(tuple(c[mask] for c in piece[:-1]), piece[-1][mask])
            self._trades_seen = len(self.columns)
            return self._trades

    @property
    def crossed(self) -> str:
        """``crossed 101.2≥101.1, stale`` while the book is not to be acted on; else empty."""
        with self.lock:
            return crossed_book(self.book, self.instrument)

    def suspect_times(self, latest_ns: int = LATEST_NS) -> SuspectTimes:
        """Count events stamped in 1970 or after ``latest_ns``; each is looked at once, when this is asked for."""
        with self.lock:
            for piece in self.columns.chunks(self._times_seen):
                self._suspect_times.add(piece[0], piece[2], latest_ns)
            self._times_seen = len(self.columns)
            return self._suspect_times

    @property
    def next_sequence(self) -> int | None:
        """Sequence number of the event to come; None before the first."""
        return self._continuity.next_sequence

    @property
    def duplicates(self) -> int:
        """Rows dropped because their sequence number had been seen."""
        return self._continuity.duplicates

    @property
    def lost(self) -> int:
        """Events known to be lost, whoever lost them; gaps of unknown length count 0 here."""
        sizes = self.gap_rows.view()[5]
        return int(sizes[sizes > 0].sum())

    @property
    def events(self) -> int:
        """Number of events taken in, gaps included."""
        return sum(self._count())

    @property
    def counts(self) -> dict[str, int]:
        """Number of events of each kind that has occurred."""
        counts = self._count()
        return {kind.name: counts[kind] for kind in EventKind if counts[kind]}

    @property
    def gaps(self) -> pl.DataFrame:
        """Gaps: ``ts``, ``sequence``, ``lost``."""
        return gaps_frame(self.gap_rows.frame().lazy()).collect()

    def trades_frame(self) -> pl.DataFrame:
        """Trades so far, in real units (:func:`~workbench.frames.edge.trades_frame`)."""
        return trades_frame(self.trades.frame().lazy(), self.instrument).collect()

    def depth_frame(self) -> pl.DataFrame:
        """Depth changes so far, in real units (:func:`~workbench.frames.edge.depth_frame`)."""
        return depth_frame(self.columns.frame().lazy(), self.instrument).collect()

    def events_frame(self) -> pl.DataFrame:
        """Every event so far, as stored (ticks and lots), sharing memory with the columns."""
        return self.columns.frame()

    def __repr__(self) -> str:
        return f"Capture({self.instrument.symbol}, {self.events:,} events, {len(self.gap_rows):,} gaps)"
