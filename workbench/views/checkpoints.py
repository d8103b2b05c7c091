"""Where reading may begin: the state of the book before some rows, as events that rebuild it."""

from __future__ import annotations

import bisect
from typing import Final, NamedTuple

import numpy as np

from workbench.events import COLUMNS, Array, EventBatch, EventKind, Side
from workbench.views import raster_kernels
from workbench.views.raster_kernels import ASK, BID, PAGE_SHIFT, PAGE_TICKS, Levels

CHECKPOINT_ROWS: Final = 1 << 16
"""Rows between checkpoints: at most so many are read again to begin anywhere, which takes a few milliseconds."""

_TABLE_HALF: Final = 1 << (31 - PAGE_SHIFT)


class Seed(NamedTuple):
    """A book: what is known of it, and its levels."""

    ts: int
    ever_valid: bool
    valid: bool
    ticks: tuple[Array, Array]  # int32: bids, asks
    lots: tuple[Array, Array]  # int64

    @classmethod
    def of(cls, levels: Levels, ts: int) -> Seed:
        """Return a book of the raster as it is now."""
        ever, valid = (bool(levels.state[slot]) for slot in (raster_kernels.EVER_VALID, raster_kernels.VALID))
        if not levels.state[raster_kernels.PAGES]:
            empty = np.empty(0, np.int64)
            return cls(ts, ever, valid, (empty, empty), (empty, empty))
        bids, asks = _resting(levels, BID), _resting(levels, ASK)
        return cls(ts, ever, valid, (bids[0], asks[0]), (bids[1], asks[1]))

    @classmethod
    def stored(cls, snapshot: EventBatch) -> Seed | None:
        """Return the book of a recording's checkpoint; None where it was not valid, for why is not told there."""
        if not (snapshot.kind == EventKind.SNAPSHOT_END).any():
            return None
        depth = snapshot.kind == EventKind.DEPTH
        sides = [depth & (snapshot.side == side) for side in (Side.BID, Side.ASK)]
        bids, asks = ((snapshot.price[side], snapshot.size[side]) for side in sides)
        return cls(int(snapshot.ts[-1]), True, True, (bids[0], asks[0]), (bids[1], asks[1]))

    def columns(self) -> tuple[Array, ...]:
        """Events that rebuild the book: its validity, then every level."""
        never_ended = self.ever_valid and not self.valid
        kinds = [EventKind.SNAPSHOT_END] * self.ever_valid + [EventKind.CLEAR] * never_ended
        parts = [EventBatch.of(ts=self.ts, kind=kind).columns for kind in kinds]
        for side, ticks, lots in zip((Side.BID, Side.ASK), self.ticks, self.lots):
            if len(ticks):
                depth = EventBatch.of(ts=self.ts, kind=EventKind.DEPTH, side=side, price=ticks, size=lots)
                parts.append(depth.columns)
        if not parts:
            return tuple(np.empty(0, column.dtype) for column in COLUMNS)
        return tuple(np.concatenate(arrays) for arrays in zip(*parts))


NOTHING = Seed(0, False, False, (np.empty(0), np.empty(0)), (np.empty(0), np.empty(0)))


class Checkpoints:
    """Books before rows of a stream, in ascending order of rows."""

    def __init__(self) -> None:
        self._rows: list[int] = [0]
        self._seeds: list[Seed] = [NOTHING]

    @property
    def due(self) -> int:
        """Row before which the next checkpoint is to be made."""
        return self._rows[-1] + CHECKPOINT_ROWS

    def add(self, row: int, seed: Seed) -> None:
        """Keep the book before ``row``, if none so late is kept yet."""
        if row > self._rows[-1]:
            self._seeds.append(seed)  # first: a reader on another thread goes by the rows
            self._rows.append(row)

    def before(self, row: int) -> tuple[int, Seed]:
        """Return the latest row at or before ``row`` whose book is known, and that book."""
        index = bisect.bisect_right(self._rows, row) - 1
        return self._rows[index], self._seeds[index]


def _resting(levels: Levels, which: int) -> tuple[Array, Array]:
    low, high = (int(levels.state[slot]) >> PAGE_SHIFT for slot in (raster_kernels.LOW, raster_kernels.HIGH))
    pages = levels.table[low + _TABLE_HALF : high + _TABLE_HALF + 1]
    used = np.flatnonzero(pages)
    sizes = levels.pool[pages[used] - 1, which]
    page, offset = np.nonzero(sizes > 0)
    return ((used[page] + low) * PAGE_TICKS + offset).astype(np.int32), sizes[page, offset]
