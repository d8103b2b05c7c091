"""Sweeps: aggressors that take several price levels at once."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import polars as pl
from numba import types

from workbench.book.jit import I1_COLUMN, I4_COLUMN, I8_COLUMN, U1_COLUMN, U2_COLUMN, aligned, kernel, part
from workbench.events import Array, EventBatch, EventKind, Instrument, IntArray
from workbench.flow.aggressor import AggressorOrders
from workbench.flow.batches import instrument_of
from workbench.flow.detectors.detections import Detections, detected, frame
from workbench.flow.detectors.following import CLEAR, GAP, HIDDEN, OTC, SUBTICK, TRADE, check, duration
from workbench.flow.level_table import KEYS, VALUES, LevelTable, entered, slot_of

__all__ = ["Sweeps", "sweeps"]

_THOUSAND: Final = 1000
# State of both forms; findings have the same fields.
_OPEN, _ORDER, _TS, _SEQUENCE, _SIDE, _FIRST, _LAST, _LEVELS, _LOTS, _PRINTS, _SINCE, _COUNT, _TOLD = range(
    13
)
_STATE: Final = 13
F_TS, F_SEQUENCE, F_PRICE, F_SIDE, F_LEVELS, F_LOTS, F_PRINTS, F_FIRST, F_SINCE = range(9)
_FIELDS: Final = 9
_NUMBERS = types.int64[::1]
_TABLE = types.int64[:, ::1]
_COLUMNS = (I8_COLUMN, U1_COLUMN, I1_COLUMN, I4_COLUMN, I8_COLUMN, U2_COLUMN)


@part
def _tell(state: Array, out: Array) -> None:
    row = out[state[_COUNT]]
    row[F_TS], row[F_SEQUENCE], row[F_PRICE] = state[_TS], state[_SEQUENCE], state[_LAST] * _THOUSAND
    row[F_SIDE], row[F_LEVELS], row[F_LOTS] = state[_SIDE], state[_LEVELS], state[_LOTS]
    row[F_PRINTS], row[F_FIRST], row[F_SINCE] = state[_PRINTS], state[_FIRST], state[_SINCE]
    state[_COUNT] += 1


@part
def _end_moment(state: Array, levels: int, lots: int, out: Array) -> None:
    """Judge the open order at the end of a moment, once."""
    if state[_OPEN] and not state[_TOLD] and state[_LEVELS] >= levels and state[_LOTS] >= lots:
        _tell(state, out)
        state[_TOLD] = 1


@kernel(types.void(types.int64, *_COLUMNS, _NUMBERS, types.int64, types.int64, _NUMBERS, _TABLE))
def _orders(
    first: int, ts: Array, kind: Array, side: Array, price: Array, size: Array, flags: Array, order: Array,
    levels: int, lots: int, state: Array, out: Array,
) -> None:  # fmt: skip
    """Sweeps of single orders; ``out`` has a row for each event and one more."""
    for i in range(len(ts)):
        if state[_OPEN] and ts[i] != state[_TS]:
            _end_moment(state, levels, lots, out)
            state[_TS] = ts[i]
        if kind[i] in (CLEAR, GAP):
            state[_OPEN] = 0
        if kind[i] != TRADE or order[i] < 0 or side[i] == 0 or flags[i] & OTC:
            continue
        if not state[_OPEN] or order[i] != state[_ORDER]:
            _end_moment(state, levels, lots, out)
            state[_OPEN], state[_ORDER], state[_SIDE], state[_SINCE] = 1, order[i], side[i], ts[i]
            state[_LEVELS] = state[_LOTS] = state[_PRINTS] = state[_TOLD] = 0
            state[_FIRST] = state[_LAST] = price[i]
        state[_TS], state[_SEQUENCE] = ts[i], first + i
        state[_LOTS] += size[i]
        state[_PRINTS] += 1
        # Hidden size and midpoints are no levels; neither is a price that the order has passed.
        if not flags[i] & HIDDEN and not flags[i] >> SUBTICK:
            if state[_LEVELS] == 0:
                state[_FIRST] = price[i]
            if state[_LEVELS] == 0 or (price[i] - state[_LAST]) * side[i] > 0:
                state[_LEVELS] += 1
                state[_LAST] = price[i]


_HEAD, _TAIL, _NOW, _SEQ, _OUT = range(5)
_W_LEVELS, _W_LOTS, _W_PRINTS, _W_FIRED, _W_TOUCHED, _W_LAST = range(6)
_P_TS, _P_PRICE, _P_SIDE, _P_SIZE = range(4)


@part
def _displayed(flags: int) -> bool:
    """Whether a print met what was displayed at a level of the book."""
    return not flags & (OTC | HIDDEN) and not flags >> SUBTICK


@part
def _leave(prints: Array, clock: Array, sides: Array, keys: Array, values: Array, until: int) -> None:
    """Take prints up to a time out of the window."""
    while clock[_TAIL] < clock[_HEAD] and prints[clock[_TAIL] % len(prints), _P_TS] <= until:
        row = prints[clock[_TAIL] % len(prints)]
        which = sides[0 if row[_P_SIDE] > 0 else 1]
        at = slot_of(keys, row[_P_PRICE], row[_P_SIDE])
        values[at, 0] -= 1
        which[_W_LEVELS] -= values[at, 0] == 0
        which[_W_LOTS] -= row[_P_SIZE]
        which[_W_PRINTS] -= 1
        clock[_TAIL] += 1


@part
def _judge(prints: Array, clock: Array, sides: Array, levels: int, lots: int, out: Array) -> None:
    """Judge both windows at the end of a moment."""
    for k in range(2):
        which = sides[k]
        whole = which[_W_LEVELS] >= levels and which[_W_LOTS] >= lots
        if whole and not which[_W_FIRED] and which[_W_TOUCHED]:
            side = 1 if k == 0 else -1
            oldest = clock[_TAIL]
            while prints[oldest % len(prints), _P_SIDE] != side:
                oldest += 1
            row, begin = out[clock[_OUT]], prints[oldest % len(prints)]
            row[F_TS], row[F_SEQUENCE] = clock[_NOW], clock[_SEQ]
            row[F_PRICE], row[F_SIDE] = which[_W_LAST] * _THOUSAND, side
            row[F_LEVELS], row[F_LOTS], row[F_PRINTS] = which[_W_LEVELS], which[_W_LOTS], which[_W_PRINTS]
            row[F_FIRST], row[F_SINCE] = begin[_P_PRICE], begin[_P_TS]
            clock[_OUT] += 1
        which[_W_FIRED], which[_W_TOUCHED] = whole, 0


@kernel(
    types.int64(
        types.int64, types.int64, *_COLUMNS, *[types.int64] * 3, KEYS, VALUES, _NUMBERS, _TABLE, _NUMBERS,
        _TABLE, _TABLE,
    )
)  # fmt: skip
def _window(
    row: int, first: int, ts: Array, kind: Array, side: Array, price: Array, size: Array, flags: Array,
    time_ns: int, levels: int, lots: int, keys: Array, values: Array, used: Array, prints: Array, clock: Array,
    sides: Array, out: Array,
) -> int:  # fmt: skip
    """Sweeps by all aggressors of a side within a time; the row where it stopped for want of room."""
    while row < len(ts) and 2 * used[0] < len(keys) and clock[_HEAD] - clock[_TAIL] < len(prints):
        if ts[row] != clock[_NOW]:
            _judge(prints, clock, sides, levels, lots, out)
            _leave(prints, clock, sides, keys, values, ts[row] - time_ns)
        clock[_NOW] = ts[row]
        if kind[row] in (CLEAR, GAP):
            _leave(prints, clock, sides, keys, values, ts[row])
            sides[:] = 0
        elif kind[row] == TRADE and side[row] != 0 and size[row] > 0 and _displayed(flags[row]):
            which = sides[0 if side[row] > 0 else 1]
            at = entered(keys, used, price[row], side[row])
            which[_W_LEVELS] += values[at, 0] == 0
            values[at, 0] += 1
            which[_W_LOTS] += size[row]
            which[_W_PRINTS] += 1
            which[_W_TOUCHED], which[_W_LAST] = 1, price[row]
            entry = prints[clock[_HEAD] % len(prints)]
            entry[_P_TS], entry[_P_PRICE], entry[_P_SIDE], entry[_P_SIZE] = (
                ts[row], price[row], side[row], size[row],
            )  # fmt: skip
            clock[_HEAD] += 1
            clock[_SEQ] = first + row
        row += 1
    return row


class _ByOrder:
    """Sweeps of single aggressor orders."""

    def __init__(self, levels: int, lots: int):
        self._bounds = (levels, lots)
        self._numbers = AggressorOrders()
        self._state = np.zeros(_STATE, np.int64)

    def update(self, batch: EventBatch) -> IntArray:
        trades = batch.kind == EventKind.TRADE
        order = np.full(len(batch), -1, np.int64)
        if trades.any():
            order[trades] = self._numbers.update(EventBatch.trusted(batch.where(trades)[1], 0))
        columns: Any = [aligned(batch.columns[i]) for i in (0, 2, 3, 4, 5, 8)]
        out = np.empty((2 * int(trades.sum()) + 2, _FIELDS), np.int64)
        self._state[_COUNT] = 0
        rest: Any = (order, *self._bounds, self._state, out)
        _orders(batch.first_sequence, *columns, *rest)
        return out[: self._state[_COUNT]]

    def close(self) -> IntArray:
        return self.update(EventBatch.of(ts=[int(self._state[_TS]) + 1], kind=EventKind.CLOCK))


class _Within:
    """Sweeps by all aggressors of a side within a time."""

    def __init__(self, levels: int, lots: int, time_ns: int):
        self._bounds = (time_ns, levels, lots)
        self._table = LevelTable(1)
        self._prints = np.zeros((1024, 4), np.int64)
        self._clock, self._sides = np.zeros(5, np.int64), np.zeros((2, 6), np.int64)

    def update(self, batch: EventBatch) -> IntArray:
        columns: Any = [aligned(batch.columns[i]) for i in (0, 2, 3, 4, 5, 8)]
        out = np.empty((2 * len(batch), _FIELDS), np.int64)
        self._clock[_OUT] = row = 0
        while row < len(batch):
            table = (self._table.keys, self._table.values, self._table.used)
            rest: Any = (*self._bounds, *table, self._prints, self._clock, self._sides, out)
            row = _window(row, batch.first_sequence, *columns, *rest)
            if row < len(batch):
                self._make_room()
        return out[: self._clock[_OUT]]

    def close(self) -> IntArray:
        return self.update(EventBatch.of(ts=[int(self._clock[_NOW]) + 1], kind=EventKind.CLOCK))

    def _make_room(self) -> None:
        head, tail = int(self._clock[_HEAD]), int(self._clock[_TAIL])
        if head - tail < len(self._prints):
            self._table.grow()
            return
        kept, larger = np.arange(tail, head), np.zeros((2 * len(self._prints), 4), np.int64)
        larger[kept % len(larger)] = self._prints[kept % len(self._prints)]
        self._prints = larger


class Sweeps:
    """Sweeps in a stream of events.

    Parameters
    ----------
    instrument : Instrument
    levels, size, time
        As :func:`sweeps` has them.

    Raises
    ------
    WorkbenchError
        A parameter outside its bounds.
    """

    def __init__(self, instrument: Instrument, *, levels: int = 4, size: float = 0, time: str | None = None):
        check("levels", levels, 2)
        check("size", size, 0)
        self.instrument = instrument
        bounds = (int(levels), instrument.lots(size) if size else 0)
        self._form = _ByOrder(*bounds) if time is None else _Within(*bounds, duration("time", time))

    def update(self, batch: EventBatch) -> Detections:
        """Take in events; what became known with them."""
        return _detections(self._form.update(batch))

    def close(self) -> Detections:
        """What the last moment makes known."""
        return _detections(self._form.close())


def _detections(rows: IntArray) -> Detections:
    evidence = {
        "levels": rows[:, F_LEVELS],
        "size_lots": rows[:, F_LOTS],
        "trades": rows[:, F_PRINTS],
        "first_ticks": rows[:, F_FIRST],
        "since_ts": rows[:, F_SINCE],
    }
    side = rows[:, F_SIDE].astype(np.int8)
    score = rows[:, F_LEVELS].astype(np.float64)
    return Detections(rows[:, F_TS], rows[:, F_SEQUENCE], rows[:, F_PRICE], side, score, evidence)


def sweeps(x: Any, *, levels: int = 4, size: float = 0, time: str | None = None) -> pl.DataFrame:
    """Aggressors that took several price levels at once.

    Parameters
    ----------
    x : session or recording
    levels : int, optional
        At so many price levels or more.
    size : float, optional
        And at least so much volume, real units.
    time : str, optional
        Unset: one order, as :mod:`workbench.flow.aggressor` joins prints. Else all aggressors of a side within so long,
        however many they are: the rule of trading platforms, and the one for venues that stamp every print anew.

    Returns
    -------
    DataFrame
        ``ts`` (when known), ``price`` (the last one taken), ``side`` (+1 buy aggressor), ``score`` (number of levels),
        ``evidence`` (levels, lots, trades, first price in ticks, time of the first print).

    Raises
    ------
    WorkbenchError
        A parameter outside its bounds.

    Notes
    -----
    Judged when the moment is over in which the last level that was needed traded. An order is told once. By time, a
    side is told again only after the window has held less than was needed. Levels are displayed prices: hidden prints
    and those between two ticks add volume to an order and are no level. Off-book prints and prints without an aggressor
    do not count. No rows without trades. An order that a gap cuts is dropped; what lies before and after is judged apart.

    *What it cannot know.* Where neither names nor execution marks join prints, orders of one side at one time are one
    here. Whether the levels were emptied or only touched at the last one, and why: a stop, a large order and a fat finger
    print the same.

    References
    ----------
    Bookmap, knowledge base, "Sweeps Indicator": time, price levels, minimum size.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("5s")
    >>> wb.sweeps(s, levels=2).columns
    ['ts', 'price', 'side', 'score', 'evidence']
    """
    return frame(detected(x, Sweeps(instrument_of(x), levels=levels, size=size, time=time)), instrument_of(x))
