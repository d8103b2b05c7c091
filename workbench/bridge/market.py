"""One attached instrument: from unnumbered rows to a stream that says when its books hold.

Bookmap sends the book as ordinary events, with no mark where it begins or ends, and some providers send orders but no
levels. Here the stream gets what our protocol promises: a ``CLEAR`` when an instrument is attached, ``SNAPSHOT`` flags
until the book is there, ``SNAPSHOT_END``, numbered ``CLOCK`` rows, and levels made of the orders where none are sent.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

import numpy as np

from workbench.bridge.books import Books
from workbench.bridge.rows import Rows
from workbench.events import Array, EventBatch, EventKind, Flag, Instrument, Side, Status
from workbench.protocol.snapshot import BookState

QUIET_NS: Final = 100_000_000
"""A book that stays quiet for so long has been sent."""
LONGEST_SNAPSHOT_NS: Final = 2_000_000_000
"""Without intervals, in a market that is never quiet, the book counts as sent after this."""

_DEPTH: Final = int(EventKind.DEPTH)
_CANCEL: Final = int(EventKind.MBO_CANCEL)
_NEW: Final = int(EventKind.MBO_NEW)
_CLOCK: Final = int(EventKind.CLOCK)
_CLEAR: Final = int(EventKind.CLEAR)
_SNAPSHOT_END: Final = int(EventKind.SNAPSHOT_END)
_STATUS: Final = int(EventKind.STATUS)
_SNAPSHOT: Final = int(Flag.SNAPSHOT)


class Phase(Enum):
    """What is known of the books."""

    EMPTY = auto()
    FILLING = auto()
    VALID = auto()


class Market:
    """Number, complete and remember the events of one instrument.

    Attributes
    ----------
    instrument : Instrument
        As last attached.
    interval : int
        Tenths of a second of data time since it was attached.
    next_sequence : int
        Number of the next row; it goes on when an instrument is attached again.
    ts : int, ns UTC
        Time of the last row.
    attached, derives_depth : bool
        Whether it is there now; whether its levels are made of its orders.
    """

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.interval = 0
        self.next_sequence = 0
        self.ts = 0
        self.attached = False
        self.derives_depth = False
        self._begin()

    def attach(self, instrument: Instrument, ts: int) -> EventBatch:
        """Begin anew: CLEAR."""
        self.instrument = instrument
        self.attached = True
        self.interval = 0
        self._begin()
        return self._publish(_CLEAR_ROW, ts)

    def detach(self, ts: int) -> EventBatch:
        """End: CLEAR and STATUS ENDED."""
        self.attached = False
        self._begin()
        return self._publish(Rows.join([_CLEAR_ROW, _status_row(Status.ENDED)]), ts)

    def status(self, status: Status, ts: int, step_ns: int = 0) -> EventBatch:
        """Say that the state of the source changed."""
        return self._publish(_status_row(status, step_ns), ts)

    def lose(self, ts: int) -> EventBatch:
        """Say that an unknown number of events is lost: no book of ours is to be trusted until the instrument is attached anew."""
        self._doubtful = True
        return self._publish(_GAP_ROW, ts)

    def take(self, rows: Rows, ts: int, mono_ns: int) -> EventBatch:
        """Complete and number rows that were read just now."""
        self._number_intervals(rows)
        if self._phase is Phase.VALID and not self.derives_depth:
            self._books.add(rows)
            return self._publish(rows, ts)
        parts: list[Rows] = []
        while rows.length:
            done, rows = self._advance(rows, mono_ns)
            parts += done
        return self._publish(Rows.join(parts), ts)

    def on_time(self, ts: int, mono_ns: int) -> EventBatch | None:
        """End a snapshot that has become quiet."""
        deadline = self.deadline()
        if deadline is None or mono_ns < deadline:
            return None
        return self._publish(Rows.join(self._end_snapshot()), ts)

    def deadline(self) -> int | None:
        """When :meth:`on_time` wants to be called, monotonic ns."""
        if self._phase is not Phase.FILLING:
            return None
        return min(self._last_ns + QUIET_NS, self._first_ns + LONGEST_SNAPSHOT_NS)

    def book_state(self, levels: int | None = None, orders: bool = False) -> BookState:
        """Both books as the protocol sends them, after everything returned so far; ``levels=None`` is every level.

        Whoever asks while the book is still coming gets nothing now and the rest of the rows as they come: for them
        the whole book is told again at the end of the snapshot.
        """
        books = self._books
        self._asked_too_early |= self._phase is Phase.FILLING
        return BookState(
            next_sequence=self.next_sequence,
            ts=self.ts,
            bids=books.side(Side.BID, levels),
            asks=books.side(Side.ASK, levels),
            valid=self._phase is Phase.VALID and not self._doubtful,
            orders=books.orders() if orders and books.has_orders else None,
        )

    def _begin(self) -> None:
        self._books = Books()
        self._phase = Phase.EMPTY
        self._depth_seen = self._asked_too_early = self._doubtful = False
        self.derives_depth = False
        self._first_ns = self._last_ns = 0

    def _number_intervals(self, rows: Rows) -> None:
        if _CLOCK not in rows.kind.tobytes():
            return
        clock = np.flatnonzero(rows.kind == _CLOCK)
        rows.size[clock] = np.arange(self.interval + 1, self.interval + 1 + len(clock))
        self.interval += len(clock)

    def _advance(self, rows: Rows, mono_ns: int) -> tuple[list[Rows], Rows]:
        """Rows that are done, and those still to be looked at."""
        if self._phase is not Phase.VALID:
            return self._fill(rows, mono_ns)
        if not self.derives_depth:
            self._books.add(rows)
            return [rows], _NO_ROWS
        depth = rows.kind.tobytes().find(_DEPTH)
        if depth < 0:
            return [self._books.derive(rows)], _NO_ROWS
        before, after = _split(rows, depth)
        return [self._books.derive(before), *self._stop_deriving(mono_ns)], after

    def _fill(self, rows: Rows, mono_ns: int) -> tuple[list[Rows], Rows]:
        """Flag rows of a snapshot, up to the interval that ends it."""
        book = _is_book(rows.kind)
        first = _first(book)
        if self._phase is Phase.EMPTY:
            if first is None:
                return [rows], _NO_ROWS
            self._phase, self._first_ns = Phase.FILLING, mono_ns
            end = _first(rows.kind == _CLOCK, first)
        else:
            end = _first(rows.kind == _CLOCK)
        snapshot, rest = _split(rows, rows.length if end is None else end)
        if first is not None:
            self._last_ns = mono_ns
        snapshot.flags[book[: snapshot.length]] |= _SNAPSHOT
        self._depth_seen |= bool((snapshot.kind == _DEPTH).any())
        self._books.add(snapshot)
        return [snapshot, *(self._end_snapshot() if end is not None else ())], rest

    def _end_snapshot(self) -> list[Rows]:
        self._phase = Phase.VALID
        self.derives_depth = not self._depth_seen
        levels = [self._books.derive_levels()] if self.derives_depth else []
        if self._asked_too_early:
            self._asked_too_early = False
            levels = [_CLEAR_ROW, self._books.level_rows(), self._books.order_rows()]
        return [*levels, _END_ROW]

    def _stop_deriving(self, mono_ns: int) -> list[Rows]:
        """Levels have come after all: begin the books again with the orders that are known."""
        again = Rows.join([_CLEAR_ROW, self._books.order_rows()])
        self._books.add(again)
        self._phase, self._depth_seen, self.derives_depth = Phase.FILLING, True, False
        self._first_ns = self._last_ns = mono_ns
        return [again]

    def _publish(self, rows: Rows, ts: int) -> EventBatch:
        count = rows.length
        self.ts = max(self.ts, ts)
        times = np.empty(count, np.int64)
        times.fill(self.ts)
        batch = EventBatch.trusted((times, np.zeros(count, np.int64), *rows), self.next_sequence)
        self.next_sequence += count
        return batch


def _is_book(kind: Array) -> Array:
    book: Array = (kind >= _DEPTH) & (kind <= _CANCEL) & (kind != int(EventKind.TRADE))
    return book


def _first(mask: Array, start: int = 0) -> int | None:
    found = np.flatnonzero(mask[start:])
    return start + int(found[0]) if len(found) else None


def _split(rows: Rows, index: int) -> tuple[Rows, Rows]:
    return rows.take(slice(None, index)), rows.take(slice(index, None))


def _status_row(status: Status, step_ns: int = 0) -> Rows:
    return Rows.of([(_STATUS, 0, 0, int(status), step_ns, 0, 0)])


_NO_ROWS: Final = Rows.zeros(0)
_CLEAR_ROW: Final = Rows.of([(_CLEAR, 0, 0, 0, 0, 0, 0)])
_GAP_ROW: Final = Rows.of([(int(EventKind.GAP), 0, 0, -1, 0, 0, 0)])
_END_ROW: Final = Rows.of([(_SNAPSHOT_END, 0, 0, 0, 0, 0, 0)])
