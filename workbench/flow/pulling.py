"""Pulling and stacking: what was taken back from, and added to, each price level over a window of time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

import numpy as np
from numba import types

from workbench.book.jit import I1_COLUMN, I4_COLUMN, I8_COLUMN, U1_COLUMN, U2_COLUMN, aligned, kernel
from workbench.errors import WorkbenchError
from workbench.events import SUBTICK_SHIFT, Array, EventKind, Flag, IntArray, Side
from workbench.flow.level_table import KEYS, VALUES, LevelTable, entered

DEPTH, TRADE, CLEAR = int(EventKind.DEPTH), int(EventKind.TRADE), int(EventKind.CLEAR)
SNAPSHOT_END, GAP = int(EventKind.SNAPSHOT_END), int(EventKind.GAP)
SNAPSHOT: Final = int(Flag.SNAPSHOT)
UNDISPLAYED: Final = int(Flag.OTC) | int(Flag.HIDDEN)
SIZE, FLOW = 0, 1
COUNTING, NEEDS_CLEAR, EPOCH, SINCE = 0, 1, 2, 3
_COLUMNS: Final = (U1_COLUMN, I1_COLUMN, I4_COLUMN, I8_COLUMN, U2_COLUMN)
_ROW_COLUMNS: Final = (0, 2, 3, 4, 5, 8)


_STATE: Final = (types.int64, types.int64, KEYS, VALUES, types.int64[::1], types.int64[::1])


@kernel(types.int64(*_STATE, I8_COLUMN, *_COLUMNS))
def _follow(
    row: int, until: int, keys: Array, values: Array, used: Array, state: Array,
    ts: Array, kind: Array, side: Array, price: Array, size: Array, flags: Array,
) -> int:  # fmt: skip
    """Take in rows up to time ``until``; the row where it stopped: after them, or for a larger table."""
    while row < len(ts) and ts[row] <= until and 2 * used[0] < len(keys):
        what = kind[row]
        if what == DEPTH and side[row] != 0:
            at = entered(keys, used, price[row], side[row])
            now = max(size[row], 0)
            if state[COUNTING] and not flags[row] & SNAPSHOT:
                values[at, FLOW] += now - values[at, SIZE]
            values[at, SIZE] = now
        elif what == TRADE and side[row] != 0 and state[COUNTING]:
            # between two ticks, off book or hidden: nothing that was displayed has gone
            if not flags[row] & UNDISPLAYED and not flags[row] >> SUBTICK_SHIFT:
                values[entered(keys, used, price[row], -side[row]), FLOW] += size[row]
        elif what in (CLEAR, GAP):
            state[COUNTING], state[NEEDS_CLEAR] = 0, what == GAP
            state[EPOCH] += 1
            values[:, FLOW] = 0
            if what == CLEAR:
                values[:, SIZE] = 0
        elif what == SNAPSHOT_END:
            state[COUNTING], state[SINCE] = not state[NEEDS_CLEAR], ts[row]
        row += 1
    return row


class Resting:
    """Flow into each displayed level since the book became known: what was added less what was taken back."""

    def __init__(self) -> None:
        self.table = LevelTable(2)
        self.state: IntArray = np.zeros(4, np.int64)

    def follow(self, columns: tuple[Array, ...], row: int, until_ns: int) -> int:
        """Take in event columns from ``row`` up to a time; the first row that was not."""
        arrays = [aligned(columns[i]) for i in _ROW_COLUMNS]
        ts = arrays[0]
        while True:
            table = self.table
            row = _follow(row, until_ns, table.keys, table.values, table.used, self.state, *arrays)
            if row == len(ts) or ts[row] > until_ns:
                return row
            table.grow()

    def flow(self, low: int, high: int) -> IntArray:
        """Lots by tick of [low, high) and side (bid, ask), shape (high − low, 2)."""
        sides = [self.table.between(low, high, int(side))[:, FLOW] for side in (Side.BID, Side.ASK)]
        return np.stack(sides, axis=1)


class PullingStream:
    """Pulled and stacked lots over the last ``window_ns``, from events as they come.

    Parameters
    ----------
    window_ns : int, ns

    Notes
    -----
    At each level and side Δ(displayed size) + traded on the passive side: above 0 more was stacked than pulled, below 0
    more was pulled. It equals added − cancelled exactly, whatever the order in which a venue sends print and new size.
    Trades without an aggressor, off book, hidden or between two ticks touch no displayed size and are left out. After
    a CLEAR or GAP counting starts anew at the end of the snapshot. Events are kept for the length of the window.

    Examples
    --------
    >>> from workbench.events import EventBatch
    >>> stream = PullingStream(10_000_000_000)
    >>> stream.feed(EventBatch.of(ts=1, kind=[6, 1, 7], side=[0, 1, 0], price=[0, 100, 0], size=[0, 8, 0]).columns)
    >>> stream.feed(EventBatch.of(ts=2, kind=[1, 2], side=[1, -1], price=100, size=[3, 1]).columns)
    >>> stream.between(100, 101, 2).tolist()
    [[-4, 0]]
    """

    def __init__(self, window_ns: int):
        if window_ns <= 0:
            raise WorkbenchError(f"window of {window_ns} ns", expected="above 0", code="bad_value")
        self.window_ns = window_ns
        self._now, self._before = Resting(), Resting()
        self._late: deque[tuple[Array, ...]] = deque()
        self._late_row = 0

    def feed(self, columns: tuple[Array, ...]) -> None:
        """Take in event columns in stream order; they are kept, not copied."""
        if len(columns[0]):
            self._now.follow(columns, 0, 2**63 - 1)
            self._late.append(columns)

    @property
    def since_ns(self) -> int:
        """Time from which on flows are known, ns; 0 before any snapshot."""
        return int(self._now.state[SINCE])

    def between(self, low: int, high: int, now_ns: int) -> IntArray:
        """Net lots stacked (+) or pulled (−) in (now − window, now] by tick of [low, high); shape (high − low, 2).

        Parameters
        ----------
        low, high : int, ticks
        now_ns : int, ns
            Never earlier than in the call before.
        """
        self._catch_up(now_ns - self.window_ns)
        flow = self._now.flow(low, high)
        if self._now.state[EPOCH] == self._before.state[EPOCH]:
            flow -= self._before.flow(low, high)
        return flow

    def _catch_up(self, until_ns: int) -> None:
        while self._late:
            columns = self._late[0]
            self._late_row = self._before.follow(columns, self._late_row, until_ns)
            if self._late_row < len(columns[0]):
                return
            self._late.popleft()
            self._late_row = 0


def pulling(pieces: Iterable[tuple[Array, ...]], start_ns: int, end_ns: int, low: int, high: int) -> IntArray:
    """Net lots stacked (+) or pulled (−) in (start, end] by tick of [low, high); shape (high − low, 2): bid, ask.

    Parameters
    ----------
    pieces : iterable of event columns
        From a snapshot before ``start_ns`` on.
    start_ns, end_ns : int, ns
    low, high : int, ticks
    """
    now, before = Resting(), Resting()
    for columns in pieces:
        before.follow(columns, 0, start_ns)
        if now.follow(columns, 0, end_ns) < len(columns[0]):
            break
    same = now.state[EPOCH] == before.state[EPOCH]
    return now.flow(low, high) - (before.flow(low, high) if same else 0)
