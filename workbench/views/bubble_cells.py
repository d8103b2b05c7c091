"""Bubbles of a tile: one pass over its trades, however many they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from workbench.book.jit import kernel
from workbench.events import SUBTICK_SHIFT, SUBTICKS_PER_TICK
from workbench.views.prints import merged
from workbench.views.raster import Scale

Array = npt.NDArray[Any]

MOST_CELLS: Final = 40_000
_SIDES: Final = 3  # sold, unknown, bought


def cells(
    chunks: Iterable[tuple[Array, ...]], scale: Scale, min_lots: float = 0.0
) -> npt.NDArray[np.float32]:
    """Trades summed per column, price row and aggressor, at most :data:`MOST_CELLS` of them.

    Parameters
    ----------
    chunks : event columns of trades only, in stream order
    scale : Scale
    min_lots : float, lots
        Leave out single prints below.

    Returns
    -------
    float32, shape (n, 4)
        Column; price in ticks above the low edge of the scale, the volume-weighted mean of the cell; lots; aggressor.
        Ordered by column. Batch marks without size and prints outside the rows of the scale are left out. Where there
        are too many, cells of 2 × 2, 4 × 4, … columns and rows are put together, each at its volume-weighted place.
    """
    sums = _Sums(scale, min_lots)
    for chunk in chunks:
        sums.add(chunk)
    every = found = sums.cells()
    times = 1
    while len(found) > MOST_CELLS:
        times *= 2
        found = merged(every, times, scale.row_ticks * times)
    return found.astype(np.float32)


class _Sums:
    """Sums of the column that is being filled, and the cells of those before."""

    def __init__(self, scale: Scale, min_lots: float):
        self.scale = np.array([scale.column_ns, scale.origin_column, scale.row_ticks, scale.base_row])
        self.min_lots = max(min_lots, 1e-9)
        self.lots = np.zeros((scale.rows, _SIDES))
        self.moments = np.zeros((scale.rows, _SIDES))
        self.touched = np.zeros(scale.rows * _SIDES, np.int64)
        self.state = np.array([-1, 0])
        self.parts: list[Array] = []

    def add(self, chunk: tuple[Array, ...]) -> None:
        """Take in trades."""
        ts, _, _, side, price, size, _, _, flags = chunk[:9]
        out = np.empty((len(ts) + self.lots.size, 4))
        count = sum_cells(
            ts, side, price, size, flags, self.scale, self.min_lots,
            self.lots, self.moments, self.touched, self.state, out,
        )  # fmt: skip
        self.parts.append(out[:count].copy())

    def cells(self) -> Array:
        """All cells, ordered by column."""
        last = np.empty((self.lots.size, 4))
        count = close_cells(self.scale, self.lots, self.moments, self.touched, self.state, last, 0)
        return np.concatenate([*self.parts, last[:count]])


@kernel()
def close_cells(
    scale: Array, lots: Array, moments: Array, touched: Array, state: Array, out: Array, at: int
) -> int:
    """Write the sums of the column that ends from ``at`` on, and begin with empty ones."""
    low = scale[3] * scale[2]
    for i in range(state[1]):
        row, which = touched[i] // _SIDES, touched[i] % _SIDES
        volume = lots[row, which]
        out[at, 0] = state[0]
        out[at, 1] = moments[row, which] / volume - low
        out[at, 2], out[at, 3] = volume, which - 1
        lots[row, which], moments[row, which] = 0.0, 0.0
        at += 1
    state[1] = 0
    return at


@kernel()
def sum_cells(
    ts: Array, side: Array, price: Array, size: Array, flags: Array, scale: Array, min_lots: float,
    lots: Array, moments: Array, touched: Array, state: Array, out: Array,
) -> int:  # fmt: skip
    """Add trades up; writes the cells of columns that ended and returns how many."""
    column_ns, origin, row_ticks, base_row = scale[0], scale[1], scale[2], scale[3]
    at, rows = 0, len(lots)
    begin = (state[0] + origin) * column_ns
    for i in range(len(ts)):
        if size[i] < min_lots:
            continue
        if ts[i] < begin or ts[i] >= begin + column_ns:
            at = close_cells(scale, lots, moments, touched, state, out, at)
            state[0] = ts[i] // column_ns - origin
            begin = (state[0] + origin) * column_ns
        row = np.int64(price[i]) // row_ticks - base_row
        if row < 0 or row >= rows:
            continue
        which = np.int64(side[i]) + 1
        if lots[row, which] == 0.0:
            touched[state[1]] = row * _SIDES + which
            state[1] += 1
        lots[row, which] += size[i]
        exact = np.int64(price[i]) + (flags[i] >> SUBTICK_SHIFT) / SUBTICKS_PER_TICK
        moments[row, which] += size[i] * exact
    return at
