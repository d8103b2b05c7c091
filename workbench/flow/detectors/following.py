"""What detectors on price levels share: the book beside them, a table of levels, and the moments of the stream.

Rows that share one ``ts`` are one moment: the book between them never stood at the venue. A kernel takes in rows, marks the
levels that they touch, and judges the marked levels when the moment is over. It stops for want of room and is called again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numba import types

from workbench.book.jit import I1_COLUMN, I4_COLUMN, I8_COLUMN, U1_COLUMN, U2_COLUMN, aligned, part
from workbench.book.levels import LevelBook
from workbench.errors import WorkbenchError
from workbench.events import SUBTICK_SHIFT, Array, EventBatch, EventKind, Flag, IntArray
from workbench.flow.bar_rule import interval_ns
from workbench.flow.level_table import EMPTY, KEYS, VALUES, LevelTable, entered, slot_of

DEPTH, TRADE = int(EventKind.DEPTH), int(EventKind.TRADE)
MBO_NEW, MBO_REPLACE, MBO_CANCEL = (
    int(kind) for kind in (EventKind.MBO_NEW, EventKind.MBO_REPLACE, EventKind.MBO_CANCEL)
)
CLEAR, GAP, CLOCK = int(EventKind.CLEAR), int(EventKind.GAP), int(EventKind.CLOCK)
SNAPSHOT, OTC, HIDDEN = int(Flag.SNAPSHOT), int(Flag.OTC), int(Flag.HIDDEN)
SUBTICK: Final = SUBTICK_SHIFT

# Slots of a detector's state; its own ones begin at OWN.
STARTED, NOW, SEQUENCE, KNOWN, BID, ASK, EPOCH, MARKED, COUNT, OWN = range(10)
# Fields of a level; a detector's own ones begin at LEVEL_OWN.
SIZE, BEFORE, MARK, TRADED, LEVEL_OWN = range(5)
# Fields of a finding; the detector's own ones begin at FOUND_OWN.
FOUND_TS, FOUND_SEQUENCE, FOUND_PRICE, FOUND_SIDE, FOUND_OWN = range(5)

_COLUMNS: Final = (0, 2, 3, 4, 5, 6, 8)
_I8 = types.int64
EVENTS: Final = (I8_COLUMN, U1_COLUMN, I1_COLUMN, I4_COLUMN, I8_COLUMN, I8_COLUMN, U2_COLUMN)
BEST: Final = (*[types.int32[::1]] * 2, *[types.int64[::1]] * 2, types.boolean[::1])
LEVELS: Final = (KEYS, VALUES, types.int64[::1], types.int64[::1])
NUMBERS: Final = types.int64[::1]
REALS: Final = types.float64[::1]
TABLE: Final = types.int64[:, ::1]
WALK: Final = (_I8, _I8, *EVENTS, *BEST, *LEVELS, NUMBERS, REALS)
"""Row, first sequence, columns, best prices, table of levels with its marks, state and parameters."""
_ROOM: Final = 256
_MARGIN: Final = 8


@part
def stand(
    state: Array, ts: int, sequence: int, known: bool, bid: int, ask: int, bids: int, asks: int
) -> None:
    """Note where the stream stands: the book counts as known while both sides are there."""
    state[STARTED], state[NOW], state[SEQUENCE] = 1, ts, sequence
    state[KNOWN] = known and bids > 0 and asks > 0
    state[BID], state[ASK] = bid, ask


@part
def touch(keys: Array, values: Array, used: Array, marks: Array, state: Array, price: int, side: int) -> int:
    """Slot of a level, which is marked as touched in this moment."""
    at = entered(keys, used, price, side)
    if values[at, MARK] == 0:
        values[at, MARK], values[at, BEFORE], values[at, TRADED] = 1, values[at, SIZE], 0
        marks[state[MARKED]] = keys[at]
        state[MARKED] += 1
    return at


@part
def marked(keys: Array, values: Array, marks: Array, i: int) -> int:
    """Slot of the ``i``-th touched level; its mark is taken off."""
    at = slot_of(keys, marks[i] >> 1, -1 if marks[i] & 1 else 1)
    values[at, MARK] = 0
    return at


@part
def forget(keys: Array, values: Array, marks: Array, state: Array, cleared: bool) -> None:
    """Drop what is under way: events are lost, or the book is told anew."""
    for i in range(state[MARKED]):
        marked(keys, values, marks, i)
    state[MARKED] = 0
    state[EPOCH] += 1
    if cleared:
        values[:, SIZE] = 0


@part
def size_of(keys: Array, values: Array, price: int, side: int) -> int:
    """Displayed lots at a level."""
    at = slot_of(keys, price, side)
    return 0 if keys[at] == EMPTY else int(values[at, SIZE])


@part
def found(out: Array, state: Array, price: int, side: int) -> int:
    """Begin a finding of this moment; its row."""
    row = int(state[COUNT])
    out[row, FOUND_TS], out[row, FOUND_SEQUENCE] = state[NOW], state[SEQUENCE]
    out[row, FOUND_PRICE], out[row, FOUND_SIDE] = price, side
    state[COUNT] += 1
    return row


@part
def crowded(used: Array, keys: Array, marks: Array, state: Array, out: Array, reserve: int) -> bool:
    """Whether room might run out before the next row is taken in; ``reserve`` more levels may be marked at once."""
    full = 2 * (used[0] + 2) > len(keys) or state[MARKED] + reserve + 2 > len(marks)
    return bool(full or state[COUNT] + 2 * (state[MARKED] + reserve) + _MARGIN > len(out))


class Follower:
    """Drives the kernel of a detector over batches of any size.

    Parameters
    ----------
    kernel : callable
        Takes :data:`WALK`, ``extra`` and the findings; gives the row where it stopped.
    own, level_own, found_own : int
        Number of a detector's own slots of state, of a level, of a finding.
    parameters : sequence of float
    extra : tuple of arrays
        Further arrays that the kernel takes before the findings.
    reserve : int
        Most levels that the kernel marks beside those that a row names.
    """

    def __init__(
        self,
        kernel: Callable[..., int],
        *,
        own: int = 0,
        level_own: int = 0,
        found_own: int = 0,
        parameters: tuple[float, ...] = (),
        extra: tuple[Array, ...] = (),
        reserve: int = 0,
    ):
        self._kernel = kernel
        self._book = LevelBook()
        self._table = LevelTable(LEVEL_OWN + level_own)
        self._marks = np.zeros(_ROOM, np.int64)
        self.state: IntArray = np.zeros(OWN + own, np.int64)
        self._parameters = np.array(parameters, np.float64)
        self.extra = extra
        self._reserve = reserve
        self._out = np.zeros((_ROOM, FOUND_OWN + found_own), np.int64)

    def follow(self, batch: EventBatch) -> IntArray:
        """Take in events; findings, int64, shape (n_found, n_fields)."""
        best = self._book.apply_with_best(batch)
        prices = (best.bid, best.ask, best.bid_size, best.ask_size, best.valid)
        columns = tuple(aligned(batch.columns[i]) for i in _COLUMNS)
        row, pieces = 0, [self._out[:0].copy()]
        while row < len(batch):
            table = self._table
            levels = (table.keys, table.values, table.used, self._marks)
            arrays = (*columns, *prices, *levels, self.state, self._parameters, *self.extra)
            row = self._kernel(row, batch.first_sequence, *arrays, self._out)
            pieces.append(self._taken())
            if row < len(batch):
                self._make_room()
        return np.concatenate(pieces)

    def finish(self) -> IntArray:
        """Judge the moment that stands, as if time went on and nothing else; nothing may follow."""
        if not self.state[STARTED]:
            return self._out[:0].copy()
        ts = int(self.state[NOW]) + 1
        return self.follow(EventBatch.of(int(self.state[SEQUENCE]) + 1, ts=[ts], kind=CLOCK))

    def _taken(self) -> IntArray:
        count = int(self.state[COUNT])
        self.state[COUNT] = 0
        return self._out[:count].copy()

    def _make_room(self) -> None:
        if 2 * (self._table.used[0] + 2) > len(self._table.keys):
            self._table.grow()
        while self.state[MARKED] + self._reserve + 2 > len(self._marks):
            self._marks = np.concatenate([self._marks, np.zeros_like(self._marks)])
        while 2 * (self.state[MARKED] + self._reserve) + _MARGIN > len(self._out):
            self._out = np.concatenate([self._out, np.zeros_like(self._out)])


def check(name: str, value: Any, least: float, most: float = np.inf, unit: str = "") -> None:
    """Refuse a parameter outside its bounds.

    Raises
    ------
    WorkbenchError
    """
    if not (isinstance(value, int | float | np.number) and least <= value <= most):
        bounds = f"at least {least:g}" if most == np.inf else f"{least:g} to {most:g}"
        raise WorkbenchError(f"{name}={value!r}", expected=f"{bounds} {unit}".strip(), code="bad_value")


def duration(name: str, value: Any) -> int:
    """Time of a parameter like ``"2s"``, ns.

    Raises
    ------
    WorkbenchError
        Anything but a number and a unit.
    """
    try:
        return interval_ns(value)
    except (WorkbenchError, TypeError):
        raise WorkbenchError(
            f"{name}={value!r}", expected="a time like '500ms' or '2s'", code="bad_value"
        ) from None
