"""Volume by price and side while it is counted: a dense stretch of rows where many trades come at once."""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import types

from workbench.book.jit import I1_COLUMN, I8_COLUMN, kernel, part
from workbench.events import Array, IntArray

__all__ = ["LEAST_TRADES", "dense_volumes"]

LEAST_TRADES: Final = 4096
"""Fewer trades are not worth a dense stretch."""
_BLOCK: Final = 1024
_TURNS: Final = 4
"""Tables that trades go to in turns: adding to one cell twice at once must wait for the first."""
_CELLS: Final = 3 * _TURNS
_MOST_ROWS: Final = 1 << 18
_MOST_ROOM: Final = 8192
_MOST_SPAN: Final = 1 << 31
_LOW, _SHIFT, _MAGIC = range(3)
_I8: Final = types.int64


@part
def _cells(price: Array, side: Array, scale: Array, cells: Array) -> int:
    """Find the cell of the table that each trade goes to; all bits that occur in distances from its low end."""
    low, shift, magic = scale[_LOW], np.uint64(scale[_SHIFT]), np.uint64(scale[_MAGIC] & 0xFFFFFFFF)
    occurring = np.int64(0)
    for i in range(len(price)):
        distance = price[i] - low
        occurring |= distance
        # Division by a constant that is only known now: exact for distances below 2³¹ (Granlund, Montgomery 1994).
        row = (np.uint64(distance & 0xFFFFFFFF) * magic) >> shift
        column = np.int64(side[i] > 0) - np.int64(side[i] < 0) + 1
        cells[i] = np.uint64(np.int64(row) * _CELLS + column * _TURNS + (i & 3))
    return int(occurring)


# Two short loops over a block: the compiler does the first abreast, and nothing but adding is left for the other.
@kernel(_I8(I8_COLUMN, I8_COLUMN, I1_COLUMN, _I8, _I8[::1], _I8, _I8[::1]))
def _add(price: Array, size: Array, side: Array, start: int, scale: Array, span: int, table: Array) -> int:
    """Add trades from ``start`` on; return the first of a block that reaches out of ``span``, a power of two."""
    cells = np.empty(_BLOCK, np.uint64)
    while start < len(price):
        stop = min(start + _BLOCK, len(price))
        sizes = size[start:stop]
        if _cells(price[start:stop], side[start:stop], scale, cells) & -span:
            return start
        for i in range(len(sizes)):
            # Unsigned: a signed index is first looked at for being negative.
            table[cells[i]] += sizes[i]
        start = stop
    return start


def dense_volumes(
    price: Array, size: Array, side: Array, start: int, height: int
) -> tuple[int, int, IntArray]:
    """Volumes by row and side of trades whose prices lie near each other.

    Parameters
    ----------
    price, size, side : arrays of shape (n,)
        Thousandths of a tick, lots, aggressors.
    start : int
        First trade to take.
    height : int, thousandths of a tick
        Of a row; rows are anchored at price 0.

    Returns
    -------
    stop : int
        Trades before it are in the volumes; ``start`` where prices lie too far apart.
    low : int
        Number of the first row.
    volumes : array of int64, lots, shape (n_rows, 3)
        Sold, without aggressor, bought.
    """
    block = price[start : start + _BLOCK]
    low_row, high_row = int(block.min()) // height, int(block.max()) // height
    # Room for prices to go on, more of it for many trades: each new stretch costs about as much as 10,000 trades.
    room = 256 + min((len(price) - start) // 256, _MOST_ROOM)
    wanted = (4 * (high_row - low_row + 1) + room) * height
    span = 1 << (wanted - 1).bit_length()
    rows = -(-span // height)
    if span > _MOST_SPAN or rows > _MOST_ROWS:
        return start, low_row, np.zeros((0, 3), np.int64)
    low_row -= (rows - (high_row - low_row)) // 2
    shift = 31 + (height - 1).bit_length()
    table = np.zeros(rows * _CELLS, np.int64)
    scale = np.array([low_row * height, shift, -(-(1 << shift) // height)], np.int64)
    stop = _add(price, size, side, start, scale, span, table)
    return stop, low_row, table.reshape(rows, 3, _TURNS).sum(axis=2)
