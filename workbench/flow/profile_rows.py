"""Volume by price and side while it is counted: a dense stretch of rows where many trades come at once."""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import types

from workbench.book.jit import I1_COLUMN, I8_COLUMN, kernel
from workbench.events import Array, IntArray

__all__ = ["LEAST_TRADES", "dense_volumes"]

LEAST_TRADES: Final = 4096
"""Fewer trades are not worth a dense stretch."""
_BLOCK: Final = 4096
_MOST_ROWS: Final = 1 << 20
_MOST_SPAN: Final = 1 << 31
_LOW, _SHIFT, _MAGIC = range(3)
_I8: Final = types.int64


# Long and flat on purpose: 2 ns a trade. Two tables in turns, since adding twice to one cell must wait for the first.
@kernel(_I8(I8_COLUMN, I8_COLUMN, I1_COLUMN, _I8, _I8[::1], _I8, _I8[::1]))
def _add(price: Array, size: Array, side: Array, start: int, scale: Array, span: int, table: Array) -> int:
    """Add trades from ``start`` on; return the first of a block that reaches out of the table."""
    low, shift, magic = scale[_LOW], scale[_SHIFT], scale[_MAGIC]
    while start < len(price):
        stop = min(start + _BLOCK, len(price))
        least, most = price[start], price[start]
        for i in range(start, stop):
            least, most = min(least, price[i]), max(most, price[i])
        if least < low or most - low >= span:
            return start
        for i in range(start, stop):
            # Division by a constant that is only known now: exact for distances below 2³¹ (Granlund, Montgomery 1994).
            row = ((price[i] - low) * magic) >> shift
            column = np.int64(side[i] > 0) - np.int64(side[i] < 0) + 1
            # Unsigned: a signed index is first looked at for being negative.
            table[np.uint64((row * 3 + column) * 2 + (i & 1))] += size[i]
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
    most = min(_MOST_ROWS, _MOST_SPAN // height)
    rows = 4 * (high_row - low_row + 1) + 256
    if rows > most:
        return start, low_row, np.zeros((0, 3), np.int64)
    low_row -= rows // 2
    shift = 31 + max(height - 1, 1).bit_length()
    table = np.zeros(rows * 6, np.int64)
    scale = np.array([low_row * height, shift, -(-(1 << shift) // height)], np.int64)
    stop = _add(price, size, side, start, scale, rows * height, table)
    return stop, low_row, table.reshape(rows, 3, 2).sum(axis=2)
