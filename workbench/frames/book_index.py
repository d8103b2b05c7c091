"""Book checkpoints: the state before each row group, so that any moment is at most one row group away."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from workbench.book.levels import LevelBook
from workbench.book.orders import OrderBook
from workbench.events import EventBatch, EventKind
from workbench.frames.parquet import ROW_GROUP_ROWS

_KINDS = 256
_MBO = [EventKind.MBO_NEW, EventKind.MBO_REPLACE, EventKind.MBO_CANCEL]
_FOR_ORDERS = [*_MBO, EventKind.CLEAR, EventKind.SNAPSHOT_END, EventKind.GAP]


class Books:
    """Level book and by-order book that follow one stream together."""

    def __init__(self) -> None:
        self.levels = LevelBook()
        self.orders = OrderBook()
        self.has_orders = False

    def apply(self, batch: EventBatch) -> None:
        """Apply a batch to both books; the by-order book only once there are orders."""
        self.levels.apply(batch)
        kinds = np.bincount(batch.kind, minlength=_KINDS)
        if self.has_orders or kinds[_FOR_ORDERS].any():
            self.has_orders = self.has_orders or bool(kinds[_MBO].any())
            self.orders.apply(batch)

    def snapshot(self, ts: int, sequence: int = 0) -> EventBatch:
        """Rows that rebuild both books: CLEAR, levels and orders, and SNAPSHOT_END if they are valid.

        Parameters
        ----------
        ts : int, ns
        sequence : int
            Number of the first row.
        """
        depth = self.levels.snapshot(ts, sequence)
        body = depth.kind == EventKind.DEPTH
        parts = [depth[:1].columns, depth.where(body)[1]]
        if self.has_orders:
            orders = self.orders.snapshot(ts, sequence)
            parts.append(orders.where(orders.kind == EventKind.MBO_NEW)[1])
        if self.levels.valid:
            parts.append(EventBatch.of(ts=ts, kind=EventKind.SNAPSHOT_END).columns)
        return EventBatch(tuple(np.concatenate(arrays) for arrays in zip(*parts)), sequence)


class BookIndex:
    """Snapshots of the books before row groups 1, 2, … of a stream (before 0 the books are empty)."""

    def __init__(self, row_group_rows: int = ROW_GROUP_ROWS) -> None:
        self.checkpoints: list[EventBatch] = []
        self._group_rows = row_group_rows
        self._rows = 0
        self._books = Books()
        self._last_ts = 0

    def add(self, batch: EventBatch) -> None:
        """Follow the stream; batches may cross the borders of row groups."""
        done = 0
        while done < len(batch):
            if self._rows and self._rows % self._group_rows == 0:
                self.checkpoints.append(self._books.snapshot(self._last_ts))
            take = min(self._group_rows - self._rows % self._group_rows, len(batch) - done)
            part = batch[done : done + take]
            self._books.apply(part)
            self._last_ts = int(part.ts[-1])
            self._rows += take
            done += take

    def numbered(self) -> Iterable[EventBatch]:
        """Checkpoints with their own consecutive numbers, as one stream for one file."""
        position = 0
        for checkpoint in self.checkpoints:
            yield EventBatch.trusted(checkpoint.columns, position)
            position += len(checkpoint)

    @classmethod
    def read(cls, batches: Iterable[EventBatch]) -> list[EventBatch]:
        """Inverse of :meth:`numbered`: each checkpoint begins with CLEAR."""
        whole = EventBatch.concatenate(batches)
        starts = np.flatnonzero(whole.kind == EventKind.CLEAR).tolist()
        return [whole[a:b] for a, b in zip(starts, [*starts[1:], len(whole)])]


def index_file(directory: Path) -> Path:
    """Path of the checkpoints of a recording."""
    return directory / "index.parquet"
