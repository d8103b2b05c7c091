"""Recent trades at price: what is being traded there now, forgotten after a pause."""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import types

from workbench.book.jit import I1_COLUMN, I4_COLUMN, I8_COLUMN, U2_COLUMN, aligned, kernel
from workbench.errors import WorkbenchError
from workbench.events import Array, Flag, IntArray, Side
from workbench.flow.level_table import KEYS, VALUES, LevelTable, entered

OTC: Final = int(Flag.OTC)
LOTS, LAST_TS, LAST_SIZE, PRINTS = 0, 1, 2, 3
_COLUMNS: Final = (I8_COLUMN, I1_COLUMN, I4_COLUMN, I8_COLUMN, U2_COLUMN)


@kernel(types.int64(types.int64, types.int64, KEYS, VALUES, types.int64[::1], *_COLUMNS))
def _follow(
    row: int, pause: int, keys: Array, values: Array, used: Array,
    ts: Array, side: Array, price: Array, size: Array, flags: Array,
) -> int:  # fmt: skip
    """Take in prints; the row where it stopped: at the end, or for a larger table."""
    while row < len(ts) and 2 * used[0] < len(keys):
        if size[row] > 0 and side[row] != 0 and not flags[row] & OTC:
            at = entered(keys, used, price[row], side[row])
            if ts[row] - values[at, LAST_TS] >= pause:
                values[at, LOTS] = 0
            values[at, LOTS] += size[row]
            values[at, LAST_TS], values[at, LAST_SIZE] = ts[row], size[row]
            values[at, PRINTS] += 1
        row += 1
    return row


class RecentTrades:
    """Lots traded at each price and by each aggressor since the last pause there.

    Parameters
    ----------
    pause_ns : int, ns
        A price that saw no print of this aggressor for so long starts at 0 again.

    Notes
    -----
    The rule of the trade cells of Exocharts, whose pause is 5 s. Off-book prints and those without an aggressor are
    left out; prints between two ticks count at the tick below.

    Examples
    --------
    >>> from workbench.events import EventBatch
    >>> recent = RecentTrades(5_000_000_000)
    >>> recent.feed(EventBatch.of(ts=[1, 2], kind=2, side=1, price=100, size=[3, 4]).columns)
    >>> recent.between(100, 101, 1, now_ns=2)[0, LOTS]
    np.int64(7)
    """

    def __init__(self, pause_ns: int):
        if pause_ns <= 0:
            raise WorkbenchError(f"pause of {pause_ns} ns", expected="above 0", code="bad_value")
        self.pause_ns = pause_ns
        self._table = LevelTable(4)

    def feed(self, columns: tuple[Array, ...]) -> None:
        """Take in trades given as event columns, in stream order."""
        arrays = tuple(aligned(columns[i]) for i in (0, 3, 4, 5, 8))
        row = 0
        while True:
            table = self._table
            row = _follow(row, self.pause_ns, table.keys, table.values, table.used, *arrays)
            if row == len(arrays[0]):
                return
            table.grow()

    def between(self, low: int, high: int, side: int, now_ns: int) -> IntArray:
        """By tick of [low, high): lots, time and size of the last print, number of prints; int64, shape (high − low, 4).

        Lots, time and size are 0 after a pause.
        """
        found = self._table.between(low, high, side)
        found[now_ns - found[:, LAST_TS] >= self.pause_ns, :PRINTS] = 0
        return found


def recent_trades(columns: tuple[Array, ...], pause_ns: int, low: int, high: int, now_ns: int) -> IntArray:
    """Lots bought and sold at each tick of [low, high) since the last pause there, shape (high − low, 2).

    Parameters
    ----------
    columns : event columns of trades only
    pause_ns : int, ns
    low, high : int, ticks
    now_ns : int, ns
    """
    recent = RecentTrades(pause_ns)
    recent.feed(columns)
    sides = [recent.between(low, high, int(side), now_ns)[:, LOTS] for side in (Side.BUY, Side.SELL)]
    return np.stack(sides, axis=1)
