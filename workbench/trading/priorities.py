"""Whose lots stand where in a queue, and since when: what an exact position in the queue needs to know.

Orders keep their priority when they shrink, and lose it when they grow or move. Each row about an order becomes rows
that say how many lots came to a level or left it, and from which time they had their place: an own order that arrived
at T stands behind all lots whose place is from T or before, and behind no others.

Lots of a level that no order is known for were there before the recording began, or the stream tells levels alone. They
count as older than any own order, and are what the level shows beyond the known ones. Where there are such lots the stream
does not tell all, as one of a few levels does not: if a level then shows less than its known orders, the oldest are gone.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import types

from workbench.book.jit import I1_COLUMN, I4_COLUMN, I8_COLUMN, U1_COLUMN, U2_COLUMN, kernel, part
from workbench.events import Array, EventKind
from workbench.trading.rows import Rows
from workbench.trading.slots import QUEUED

KEY: Final = 0
SIDE: Final = 1  # 0: an empty row
PRICE: Final = 2
SIZE: Final = 3  # of an order; of a level what its known orders add up to
SINCE: Final = 4  # of an order, ns; of a level what it shows
LOST: Final = 5  # of an order: 1 told before the last CLEAR, and not since; of a level lots of no known order
COLUMNS: Final = 6

ORDERS, LEVELS, PARTIAL = range(3)
OLDEST: Final = -1
_FIRST_ROOM: Final = 256
_SPARE: Final = 4  # one row becomes at most three

_DEPTH: Final = int(EventKind.DEPTH)
_NEW: Final = int(EventKind.MBO_NEW)
_REPLACE: Final = int(EventKind.MBO_REPLACE)
_CANCEL: Final = int(EventKind.MBO_CANCEL)
_CLEAR: Final = int(EventKind.CLEAR)
_SNAPSHOT_END: Final = int(EventKind.SNAPSHOT_END)


@part
def _home(key: int, mask: int) -> int:
    return int(np.int64((np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)) & mask)


@part
def _place(table: Array, key: int) -> int:
    """Row of a key, or the empty row where it belongs."""
    mask = len(table) - 1
    at = _home(key, mask)
    while table[at, SIDE] != 0 and table[at, KEY] != key:
        at = (at + 1) & mask
    return at


@part
def _remove(table: Array, hole: int) -> None:
    """Empty a row; later ones of the same run move up."""
    mask = len(table) - 1
    at = (hole + 1) & mask
    while table[at, SIDE] != 0:
        home = _home(table[at, KEY], mask)
        if (at - home) & mask >= (at - hole) & mask:
            table[hole] = table[at]
            hole = at
        at = (at + 1) & mask
    table[hole, SIDE] = 0


@kernel(types.void(types.int64[:, ::1], types.int64[:, ::1]))
def _move(old: Array, new: Array) -> None:
    for i in range(len(old)):
        if old[i, SIDE] != 0:
            new[_place(new, old[i, KEY])] = old[i]


@part
def _level(levels: Array, used: Array, side: int, price: int) -> int:
    key = 2 * price + (side > 0)
    at = _place(levels, key)
    if levels[at, SIDE] == 0:
        levels[at] = 0
        levels[at, KEY], levels[at, SIDE], levels[at, PRICE] = key, side, price
        used[LEVELS] += 1
    return at


@part
def _tell(
    out: Array, sides: Array, made: int, ts: int, side: int, price: int, change: int, since: int
) -> int:
    """Write a row: lots that came to a level (negative: left it), and since when their place is theirs."""
    out[made, 0], out[made, 1], out[made, 2], out[made, 3] = ts, price, change, since
    sides[made] = side
    return made + 1


@part
def _change(
    levels: Array,
    used: Array,
    out: Array,
    sides: Array,
    made: int,
    ts: int,
    side: int,
    price: int,
    lots: int,
    since: int,
) -> int:
    """Lots of a known order come to its level or leave it."""
    levels[_level(levels, used, side, price), SIZE] += lots
    return _tell(out, sides, made, ts, side, price, lots, since)


@part
def _unnamed(levels: Array, at: int, out: Array, sides: Array, made: int, ts: int) -> int:
    """Lots that a level shows beyond its known orders."""
    level = levels[at]
    lots = max(level[SINCE] - level[SIZE], 0)
    if lots != level[LOST]:
        made = _tell(out, sides, made, ts, level[SIDE], level[PRICE], lots - level[LOST], OLDEST)
        level[LOST] = lots
    return made


@part
def _oldest(orders: Array, side: int, price: int) -> int:
    """Row of the order that stood longest at a level, −1 none."""
    found = -1
    for i in range(len(orders)):
        order = orders[i]
        if order[SIDE] == side and order[PRICE] == price and order[LOST] == 0:
            first = found < 0 or order[SINCE] < orders[found, SINCE]
            if first or (order[SINCE] == orders[found, SINCE] and order[KEY] < orders[found, KEY]):
                found = i
    return found


@part
def _fit(
    orders: Array, levels: Array, used: Array, at: int, out: Array, sides: Array, made: int, ts: int
) -> int:
    """A level shows less than its known orders: the oldest left where nobody told it."""
    side, price = levels[at, SIDE], levels[at, PRICE]
    while levels[at, SIZE] > levels[at, SINCE]:
        row = _oldest(orders, side, price)
        if row < 0:
            break
        order = orders[row]
        made = _change(levels, used, out, sides, made, ts, side, price, -order[SIZE], order[SINCE])
        _remove(orders, row)
        used[ORDERS] -= 1
    return made


@part
def _forget(orders: Array, levels: Array, used: Array, out: Array, sides: Array, made: int, ts: int) -> int:
    """The book is told anew: all leave, but whose order is told again unchanged will have its old place."""
    for i in range(len(orders)):
        order = orders[i]
        if order[SIDE] != 0 and order[LOST] == 0:
            made = _tell(out, sides, made, ts, order[SIDE], order[PRICE], -order[SIZE], order[SINCE])
            order[LOST] = 1
    for i in range(len(levels)):
        level = levels[i]
        if level[SIDE] != 0 and level[LOST] > 0:
            made = _tell(out, sides, made, ts, level[SIDE], level[PRICE], -level[LOST], OLDEST)
    levels[:] = 0
    used[LEVELS] = used[PARTIAL] = 0
    return made


@part
def _complete(orders: Array, levels: Array, used: Array, out: Array, sides: Array, made: int, ts: int) -> int:
    """The book has been told: what was not told again is gone."""
    i = 0
    while i < len(orders):
        if orders[i, SIDE] != 0 and orders[i, LOST]:
            _remove(orders, i)  # another may have moved here
            used[ORDERS] -= 1
        else:
            i += 1
    for i in range(len(levels)):
        if levels[i, SIDE] != 0 and levels[i, SINCE] > levels[i, SIZE]:
            used[PARTIAL] = 1
            made = _unnamed(levels, i, out, sides, made, ts)
    return made


@part
def _order_row(
    orders: Array,
    levels: Array,
    used: Array,
    out: Array,
    sides: Array,
    made: int,
    ts: int,
    kind: int,
    side: int,
    price: int,
    size: int,
    name: int,
) -> int:
    """A row about an order."""
    at = _place(orders, name)
    known = orders[at, SIDE] != 0
    alive = known and orders[at, LOST] == 0
    if side == 0 and alive and kind == _REPLACE:
        side = orders[at, SIDE]
    if kind == _CANCEL or size <= 0 or name == 0 or side == 0:
        if alive and (kind == _CANCEL or (kind == _REPLACE and size <= 0)):
            order = orders[at]
            made = _change(
                levels, used, out, sides, made, ts, order[SIDE], order[PRICE], -order[SIZE], order[SINCE]
            )
            _remove(orders, at)
            used[ORDERS] -= 1
        return made
    order = orders[at]
    stays = known and order[SIDE] == side and order[PRICE] == price and size <= order[SIZE]
    since = order[SINCE] if stays else ts
    if alive and stays:
        made = _change(levels, used, out, sides, made, ts, side, price, size - order[SIZE], since)
    else:
        if alive:
            made = _change(
                levels, used, out, sides, made, ts, order[SIDE], order[PRICE], -order[SIZE], order[SINCE]
            )
        made = _change(levels, used, out, sides, made, ts, side, price, size, since)
        used[ORDERS] += not known
    order[KEY], order[SIDE], order[PRICE], order[SIZE] = name, side, price, size
    order[SINCE], order[LOST] = since, 0
    return made


_TABLE: Final = types.int64[:, ::1]
_uniform: Final[Any] = types.UniTuple  # without types in its stubs
_TWO: Final = _uniform(types.int64, 2)


@kernel(
    _TWO(
        I8_COLUMN,
        U1_COLUMN,
        I1_COLUMN,
        I4_COLUMN,
        I8_COLUMN,
        U2_COLUMN,
        I8_COLUMN,
        types.int64,
        types.int64,
        _TABLE,
        types.uint8[::1],
        types.int8[::1],
        types.uint16[::1],
        _TABLE,
        _TABLE,
        types.int64[::1],
    )
)
def _rewrite(
    ts: Array,
    kind: Array,
    side: Array,
    price: Array,
    size: Array,
    flags: Array,
    names: Array,
    row: int,
    made: int,
    out: Array,
    kinds: Array,
    sides: Array,
    marks: Array,
    orders: Array,
    levels: Array,
    used: Array,
) -> tuple[int, int]:
    """Rewrite rows from ``row`` on; where it stopped for want of room, and how many rows there are now."""
    while row < len(ts):
        what, before = kind[row], made
        many = what in (_CLEAR, _SNAPSHOT_END) or (what == _DEPTH and used[PARTIAL] != 0)
        crowd = used[ORDERS] + used[LEVELS] if many else 0
        if made + crowd + _SPARE >= len(out):
            break
        if 2 * (used[ORDERS] + _SPARE) > len(orders) or 2 * (used[LEVELS] + _SPARE) > len(levels):
            break
        if _NEW <= what <= _CANCEL:
            made = _order_row(
                orders, levels, used, out, sides, made,
                ts[row], what, side[row], price[row], size[row], names[row],
            )  # fmt: skip
        elif what == _DEPTH and side[row] != 0:
            at = _level(levels, used, side[row], price[row])
            levels[at, SINCE] = max(size[row], 0)
            if used[PARTIAL]:
                made = _fit(orders, levels, used, at, out, sides, made, ts[row])
                made = _unnamed(levels, at, out, sides, made, ts[row])
        elif what == _CLEAR:
            made = _forget(orders, levels, used, out, sides, made, ts[row])
        elif what == _SNAPSHOT_END:
            made = _complete(orders, levels, used, out, sides, made, ts[row])
        kinds[before:made], marks[before:made] = QUEUED, 0
        if made == before or what < _NEW or what > _CANCEL:
            made = _tell(out, sides, made, ts[row], side[row], price[row], size[row], 0)
            kinds[made - 1], marks[made - 1] = what, flags[row]
        row += 1
    return row, made


class Priorities:
    """All orders of a stream, and since when each has its place.

    Examples
    --------
    >>> from workbench.events import EventBatch
    >>> rows = Rows.of(EventBatch.of(ts=[5, 6], kind=[3, 4], side=[1, 0], price=100, size=[8, 3], order_id=11))
    >>> seen, since = Priorities().follow(rows)
    >>> seen.size.tolist(), since.tolist()
    ([8, -5], [5, 5])
    """

    def __init__(self) -> None:
        self._orders = np.zeros((_FIRST_ROOM, COLUMNS), np.int64)
        self._levels = np.zeros((_FIRST_ROOM, COLUMNS), np.int64)
        self._used = np.zeros(3, np.int64)

    def follow(self, rows: Rows) -> tuple[Rows, Array]:
        """Rows with those about orders rewritten, kind ``QUEUED``, and the time from which the lots had their place.

        Parameters
        ----------
        rows : Rows
            The next of the stream.

        Returns
        -------
        Rows, ndarray of int64
        """
        room = len(rows.ts) * 5 // 4 + _FIRST_ROOM
        out, kinds = np.zeros((room, 4), np.int64), np.zeros(room, np.uint8)
        sides, marks = np.zeros(room, np.int8), np.zeros(room, np.uint16)
        row = made = 0
        while True:
            row, made = _rewrite(
                *rows, row, made, out, kinds, sides, marks, self._orders, self._levels, self._used
            )
            if row == len(rows.ts):
                break
            if made + int(self._used[:PARTIAL].sum()) + _SPARE >= len(out):
                out, kinds, sides, marks = (
                    np.concatenate([a, np.zeros_like(a)]) for a in (out, kinds, sides, marks)
                )
            self._orders, self._levels = self._roomy(self._orders, ORDERS), self._roomy(self._levels, LEVELS)
        ts, price, size, since = (np.ascontiguousarray(out[:made, i]) for i in range(4))
        empty = np.zeros(0, np.int64)
        return Rows(ts, kinds[:made], sides[:made], price.astype(np.int32), size, marks[:made], empty), since

    def _roomy(self, table: Array, which: int) -> Array:
        if 2 * (self._used[which] + _SPARE) <= len(table):
            return table
        larger = np.zeros((2 * len(table), COLUMNS), np.int64)
        _move(table, larger)
        return larger
