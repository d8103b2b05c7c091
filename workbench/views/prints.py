"""Trades as views show them: bubbles put together, and volume at price."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workbench.events import Array, Flag

__all__ = ["VolumeAtPrice", "merged"]


def merged(cells: Array, per_slot: int, per_row: int) -> npt.NDArray[np.float64]:
    """Cells of :func:`workbench.views.bubble_cells.cells` summed over ``per_slot`` columns × ``per_row`` ticks × aggressor.

    Each sum stands at the volume-weighted mean of its columns and prices. Ordered by column.
    """
    cells = cells.astype(np.float64)
    if not len(cells):
        return np.empty((0, 4))
    keys = np.stack([cells[:, 0] // per_slot, cells[:, 1] // per_row, cells[:, 3]])
    order = np.lexsort(keys[::-1])
    cells, keys = cells[order], keys[:, order]
    starts = np.flatnonzero(np.r_[True, (keys[:, 1:] != keys[:, :-1]).any(axis=0)])
    lots = np.add.reduceat(cells[:, 2], starts)
    column, tick = (np.add.reduceat(cells[:, c] * cells[:, 2], starts) / lots for c in (0, 1))
    return np.stack([column, tick, lots, cells[starts, 3]], axis=1)


class VolumeAtPrice:
    """Traded lots by tick and aggressor, summed as trades come in."""

    def __init__(self) -> None:
        self.low = 0
        self.lots: npt.NDArray[np.int64] = np.zeros((0, 3), np.int64)
        self.last: tuple[int, int, int] | None = None  # tick, lots, aggressor of the newest print
        self.prints = 0

    def add(self, columns: tuple[Array, ...]) -> None:
        """Take in trades given as event columns; off-book prints (OTC) are left out."""
        side, price, size, flags = columns[3], columns[4], columns[5], columns[8]
        kept = (size > 0) & ((flags & Flag.OTC) == 0)
        if not kept.any():
            return
        price, size, side = price[kept].astype(np.int64), size[kept], side[kept]
        self._cover(int(price.min()), int(price.max()))
        which = np.where(side > 0, 0, np.where(side < 0, 1, 2))
        np.add.at(self.lots, (price - self.low, which), size)
        self.last = (int(price[-1]), int(size[-1]), int(side[-1]))
        self.prints += len(price)

    def _cover(self, low: int, high: int) -> None:
        if not len(self.lots):
            self.low = low - 64
            self.lots = np.zeros((high - low + 129, 3), np.int64)
            return
        below, above = max(0, self.low - low), max(0, high - (self.low + len(self.lots) - 1))
        if below or above:
            room = len(self.lots) // 2  # doubling keeps the copies amortised
            below, above = below + room * (below > 0), above + room * (above > 0)
            self.lots = np.pad(self.lots, ((below, above), (0, 0)))
            self.low -= below

    def between(self, low: int, high: int) -> npt.NDArray[np.int64]:
        """Lots bought, sold and unknown per tick of [low, high), int64, shape (high − low, 3)."""
        found = np.zeros((high - low, 3), np.int64)
        start, stop = max(low, self.low), min(high, self.low + len(self.lots))
        if start < stop:
            found[start - low : stop - low] = self.lots[start - self.low : stop - self.low]
        return found
