"""Where reading may begin: the state of the book before some rows, as events that rebuild it."""

from __future__ import annotations

import bisect
from typing import Final

import numpy as np

from workbench.events import COLUMNS, Array, EventBatch, EventKind, Side
from workbench.views import raster_kernels
from workbench.views.raster_kernels import ASK, BID, PAGE_SHIFT, PAGE_TICKS, Levels

CHECKPOINT_ROWS: Final = 1 << 18
"""Rows between checkpoints: at most so many are read again to begin anywhere; a fiftieth of a second."""

_TABLE_HALF: Final = 1 << (31 - PAGE_SHIFT)


class Checkpoints:
    """Books before rows of a stream, in ascending order of rows."""

    def __init__(self) -> None:
        self._rows: list[int] = [0]
        self._seeds: list[tuple[Array, ...]] = [tuple(np.empty(0, column.dtype) for column in COLUMNS)]

    @property
    def due(self) -> int:
        """Row before which the next checkpoint is to be made."""
        return self._rows[-1] + CHECKPOINT_ROWS

    def add(self, row: int, seed: tuple[Array, ...]) -> None:
        """Keep the events that rebuild the book before ``row``, if none so late are kept yet."""
        if row > self._rows[-1]:
            self._seeds.append(seed)  # first: a reader on another thread finds rows only
            self._rows.append(row)

    def before(self, row: int) -> tuple[int, tuple[Array, ...]]:
        """Return the latest checkpoint at or before ``row``: its row, and events that rebuild the book there."""
        index = bisect.bisect_right(self._rows, row) - 1
        return self._rows[index], self._seeds[index]


def seed_of(levels: Levels, ts: int) -> tuple[Array, ...]:
    """Events at ``ts`` that rebuild a book of the raster: its validity, then every level."""
    state = levels.state
    ever, valid = bool(state[raster_kernels.EVER_VALID]), bool(state[raster_kernels.VALID])
    kinds = [EventKind.SNAPSHOT_END] * ever + [EventKind.CLEAR] * (ever and not valid)
    parts = [EventBatch.of(ts=ts, kind=kind).columns for kind in kinds]
    if state[raster_kernels.PAGES]:
        for which, side in ((BID, Side.BID), (ASK, Side.ASK)):
            ticks, sizes = _resting(levels, which)
            if len(ticks):
                depth = EventBatch.of(ts=ts, kind=EventKind.DEPTH, side=side, price=ticks, size=sizes)
                parts.append(depth.columns)
    if not parts:
        return tuple(np.empty(0, column.dtype) for column in COLUMNS)
    return tuple(np.concatenate(arrays) for arrays in zip(*parts))


def _resting(levels: Levels, which: int) -> tuple[Array, Array]:
    low, high = (int(levels.state[slot]) >> PAGE_SHIFT for slot in (raster_kernels.LOW, raster_kernels.HIGH))
    pages = levels.table[low + _TABLE_HALF : high + _TABLE_HALF + 1]
    used = np.flatnonzero(pages)
    sizes = levels.pool[pages[used] - 1, which]
    page, offset = np.nonzero(sizes > 0)
    return (used[page] + low) * PAGE_TICKS + offset, sizes[page, offset]
