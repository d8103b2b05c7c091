"""One instrument on the serving side: its ring of recent events, encoded once for all clients."""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from typing import Final

import numpy as np

from workbench.events import ROW_BYTES, EventBatch, EventKind, Instrument
from workbench.protocol.codec import encode_batch, encode_filtered
from workbench.protocol.limits import MAX_ROWS_PER_FRAME, RING_BYTES
from workbench.protocol.rows import encode_rows
from workbench.protocol.snapshot import BookState

__all__ = ["ALL_KINDS", "BookState", "Publication", "Stream", "kinds_of"]

BookSource = Callable[[int | None, bool], BookState]
ALL_KINDS: Final = sum(1 << kind for kind in EventKind)
ALWAYS: Final = 1 << EventKind.CLOCK | 1 << EventKind.GAP | 1 << EventKind.STATUS
BOOK_KINDS: Final = 1 << EventKind.CLEAR | 1 << EventKind.SNAPSHOT_END
DATA_KINDS: Final = {
    "FULL_ORDER_BOOK": ALWAYS | BOOK_KINDS | 1 << EventKind.DEPTH,
    "TRADES": ALWAYS | 1 << EventKind.TRADE,
    "MBO": ALWAYS
    | BOOK_KINDS
    | 1 << EventKind.MBO_NEW
    | 1 << EventKind.MBO_REPLACE
    | 1 << EventKind.MBO_CANCEL,
}
ENCODED_PUBLICATIONS: Final = 64
"""Encodings are kept for so many newest publications; a client further behind has its own made again."""


def kinds_of(data: frozenset[str]) -> int:
    """Bit set of the event kinds that these kinds of data let through; 0 for DOM and ACCOUNT alone."""
    wanted = 0
    for name in data:
        wanted |= DATA_KINDS.get(name, 0)
    return wanted


class Publication:
    """One published batch, with the frames made of it so far."""

    __slots__ = ("_frames", "batch", "next", "send_ns", "stream")

    def __init__(self, stream: Stream, batch: EventBatch, send_ns: int):
        self.stream = stream
        self.batch = batch
        self.next = batch.next_sequence
        self.send_ns = send_ns
        self._frames: dict[tuple[bool, int], list[str | bytes]] = {}

    def frames(self, binary: bool, wanted: int) -> list[str | bytes]:
        """Frames of the rows whose kind is in ``wanted``; made once."""
        key = (binary, wanted)
        frames = self._frames.get(key)
        if frames is None:
            frames = self._frames[key] = self._encode(binary, wanted)
        return frames

    def forget_frames(self) -> None:
        """Keep the columns only."""
        self._frames.clear()

    def mask(self, wanted: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Rows whose kind is in ``wanted``, shape (n_events,)."""
        table = np.array([bool(wanted >> kind & 1) for kind in range(256)])
        return table[self.batch.kind]

    def _encode(self, binary: bool, wanted: int) -> list[str | bytes]:
        number = self.stream.number
        if not binary:
            return list(encode_rows(self.batch, self.stream.instrument))
        if wanted == ALL_KINDS or (mask := self.mask(wanted)).all():
            return [encode_batch(self.batch, number, self.send_ns)]
        return [encode_filtered(self.batch, mask, number, self.send_ns)]


_PLAIN_KINDS: Final = bytes(set(EventKind) - {EventKind.CLEAR, EventKind.SNAPSHOT_END, EventKind.GAP})


class Stream:
    """Events of one instrument for any number of connections.

    Parameters
    ----------
    instrument : Instrument
    number : int
        Names the stream in binary frames; unique within a server.
    book : callable
        ``book(levels, orders) -> BookState``: the books after everything published; ``levels=None`` all levels.
        Called while a connection asks for data, so it must be consistent with the last :meth:`publish`.
    next_sequence : int, optional
        Number the first published event will have; default: whatever it has.
    ring_bytes : int, bytes
        Columns kept for clients that come back or lag.
    max_publications : int, optional
        Batches kept at most: one of a single row costs 1.9 kB beside its 44 bytes of columns.
    """

    def __init__(
        self,
        instrument: Instrument,
        number: int,
        book: BookSource,
        *,
        next_sequence: int | None = None,
        ring_bytes: int = RING_BYTES,
        max_publications: int | None = None,
    ):
        self.instrument = instrument
        self.number = number
        self.book = book
        self.last_ts = 0
        self.first_index = 0
        self._next = next_sequence
        self._ring: deque[Publication] = deque()
        self._rows = 0
        self._open_clear = -1
        self._max_rows = max(ring_bytes // ROW_BYTES, 1)
        self._max_publications = sys.maxsize if max_publications is None else max_publications

    def __repr__(self) -> str:
        return (
            f"Stream({self.instrument.symbol!r}, next_sequence={self.next_sequence}, {self._rows} rows kept)"
        )

    @property
    def next_sequence(self) -> int:
        """Number of the next event; 0 before anything is known."""
        return self._next or 0

    @property
    def start_sequence(self) -> int | None:
        """Number of the very first event, from which a client gets all there was; None once that is forgotten."""
        return self._ring[0].batch.first_sequence if self._ring and not self.first_index else None

    def history(self) -> list[EventBatch] | None:
        """Everything from the very first event on; None once that is forgotten."""
        return None if self.start_sequence is None else [publication.batch for publication in self._ring]

    @property
    def end_index(self) -> int:
        """Index the next publication will have."""
        return self.first_index + len(self._ring)

    @property
    def newest_send_ns(self) -> int:
        """When the newest publication was made, ns UTC."""
        return self._ring[-1].send_ns if self._ring else 0

    def publish(self, batch: EventBatch, send_ns: int) -> None:
        """Append to the ring; connections take it from there.

        Parameters
        ----------
        batch : EventBatch
            Numbers already published are dropped; skipped ones become a gap.
        send_ns : int, ns UTC
            Wall clock, for clients to tell their lag.
        """
        expected = batch.first_sequence if self._next is None else self._next
        if batch.first_sequence < expected:
            batch = batch[min(expected - batch.first_sequence, len(batch)) :]
        if not len(batch):
            return
        if batch.first_sequence > expected:
            lost = batch.first_sequence - expected
            self._append(gap_batch(expected, lost, int(batch.ts[0])), send_ns)
        if len(batch) <= MAX_ROWS_PER_FRAME:
            self._append(batch, send_ns)
            return
        for start in range(0, len(batch), MAX_ROWS_PER_FRAME):
            self._append(batch[start : start + MAX_ROWS_PER_FRAME], send_ns)

    def _append(self, batch: EventBatch, send_ns: int) -> None:
        publication = Publication(self, batch, send_ns)
        self._ring.append(publication)
        self._follow_book(batch)
        self._rows += len(batch)
        self._next = publication.next
        self.last_ts = int(batch.ts[-1])
        if len(self._ring) > ENCODED_PUBLICATIONS:
            self._ring[-1 - ENCODED_PUBLICATIONS].forget_frames()
        while self._is_full and len(self._ring) > 1:
            self._rows -= len(self._ring.popleft().batch)
            self.first_index += 1

    @property
    def _is_full(self) -> bool:
        return self._rows > self._max_rows or len(self._ring) > self._max_publications

    def open_snapshot(self) -> int | None:
        """Number of the ``CLEAR`` of a snapshot that has not ended yet; None where none is under way."""
        is_kept = bool(self._ring) and self._open_clear >= self._ring[0].batch.first_sequence
        return self._open_clear if is_kept else None

    def _follow_book(self, batch: EventBatch) -> None:
        """Keep in mind where a book begins that is still being sent: nobody who comes can wait for a search."""
        kinds = batch.kind.tobytes()
        marks = kinds.translate(None, _PLAIN_KINDS)
        if marks:
            is_open = marks[-1] == EventKind.CLEAR
            self._open_clear = batch.first_sequence + kinds.rindex(marks[-1:]) if is_open else -1

    def get(self, index: int) -> Publication | None:
        """Publication of an index; None when the ring let go of it."""
        return self._ring[index - self.first_index] if index >= self.first_index else None

    def find(self, sequence: int) -> tuple[int, int] | None:
        """Where event ``sequence`` is: (index, row); None when it is too old or was never published."""
        if sequence == self._next:
            return self.end_index, 0
        if not self._ring or not self._ring[0].batch.first_sequence <= sequence < self.next_sequence:
            return None
        at = bisect_right(self._ring, sequence, key=lambda p: p.batch.first_sequence) - 1
        row = sequence - self._ring[at].batch.first_sequence
        return self.first_index + at, min(row, len(self._ring[at].batch))


def gap_batch(first: int, lost: int, ts: int) -> EventBatch:
    """One GAP row; ``lost`` = −1 for an unknown number under one sequence number."""
    return EventBatch.of(first, ts=ts, kind=int(EventKind.GAP), size=lost)
