"""Growing rows of a stream, for formats that are read record by record."""

from __future__ import annotations

from typing import Final

import numpy as np

from workbench.events import EventBatch, EventKind, Flag
from workbench.frames.importers.grid import check_ticks

BATCH_ROWS: Final = 65_536
"""Rows after which a batch is handed on."""

Row = tuple[int, int, int, int, int, int, int, int, int]


class Rows:
    """Collect rows (columns in the order of :data:`workbench.events.COLUMNS`) and hand them on as batches.

    Stamps that step back are raised to the stamp before, and counted in ``stepped_back``.
    """

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.stepped_back = 0
        self._last_ts = 0
        self._sequence = 0

    def __len__(self) -> int:
        return len(self.rows)

    def stamp(self, ts: int) -> int:
        """Receive time that does not step back."""
        if ts < self._last_ts:
            self.stepped_back += 1
            return self._last_ts
        self._last_ts = ts
        return ts

    def mark(self, ts: int, source: int, kind: EventKind) -> None:
        """CLEAR, SNAPSHOT_END, or a GAP of unknown length."""
        size = -1 if kind == EventKind.GAP else 0
        self.rows.append((ts, source, kind, 0, 0, size, 0, 0, 0))

    def depth(self, ts: int, source: int, side: int, price: int, size: int, flags: int = 0) -> None:
        """Set a level to ``size`` lots."""
        self.rows.append((ts, source, EventKind.DEPTH, side, price, size, 0, 0, flags))

    def trade(
        self, ts: int, source: int, side: int, price: int, size: int, *, flags: int = 0, aggressor: int = 0
    ) -> int:
        """Print; its index among the rows not yet taken."""
        self.rows.append((ts, source, EventKind.TRADE, side, price, size, 0, aggressor, flags))
        return len(self.rows) - 1

    def order(
        self,
        ts: int,
        source: int,
        kind: EventKind,
        side: int,
        price: int,
        size: int,
        order_id: int,
        flags: int = 0,
    ) -> None:
        """Change of one order."""
        self.rows.append((ts, source, kind, side, price, size, order_id, 0, flags))

    def snapshot(self, ts: int, source: int, sides: dict[int, dict[int, int]]) -> None:
        """CLEAR, the levels best first (bids, then asks), SNAPSHOT_END."""
        self.mark(ts, source, EventKind.CLEAR)
        self.levels(ts, source, sides)
        self.mark(ts, source, EventKind.SNAPSHOT_END)

    def levels(self, ts: int, source: int, sides: dict[int, dict[int, int]]) -> None:
        """Levels of a snapshot, best first, bids then asks."""
        for side in (1, -1):
            for price in sorted(sides[side], reverse=side > 0):
                self.depth(ts, source, side, price, sides[side][price], Flag.SNAPSHOT)

    def take(self) -> EventBatch:
        """All rows so far as one batch; the next one follows it."""
        if not self.rows:
            return EventBatch.empty(self._sequence)
        names = ("ts", "ts_source", "kind", "side", "price", "size", "order_id", "aggressor_id", "flags")
        table = np.array(self.rows, np.int64)
        check_ticks(table[:, 4])
        batch = EventBatch.of(self._sequence, **{n: table[:, i] for i, n in enumerate(names)})
        self._sequence += len(batch)
        self.rows = []
        return batch
