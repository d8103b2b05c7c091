"""Size that was not displayed, seen from levels and trades alone.

The two rules of Bookmap's Strength Level: *underflow*, more trades than was displayed; *resistance*, what was traded is
displayed again within a delay.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numba import types

from workbench.book.jit import I1_COLUMN, I4_COLUMN, I8_COLUMN, U1_COLUMN, U2_COLUMN, aligned, kernel, part
from workbench.errors import WorkbenchError
from workbench.events import (
    SUBTICK_SHIFT,
    SUBTICKS_PER_TICK,
    Array,
    EventBatch,
    EventKind,
    Flag,
    Instrument,
    IntArray,
)
from workbench.flow.aggressor import NO_ORDER, AggressorOrders
from workbench.flow.detectors.detections import Detections, nothing
from workbench.flow.level_table import KEYS, VALUES, LevelTable, entered

__all__ = ["Resistance", "Underflow"]

_DEPTH, _TRADE, _CLEAR = int(EventKind.DEPTH), int(EventKind.TRADE), int(EventKind.CLEAR)
_SNAPSHOT_END, _GAP, _SNAPSHOT = int(EventKind.SNAPSHOT_END), int(EventKind.GAP), int(Flag.SNAPSHOT)
_UNDISPLAYED: Final = int(Flag.OTC) | int(Flag.HIDDEN)
# Numbers of a level.
_SHOWN, _LEFT, _TRADED, _LAST_TS, _AGAIN, _TIMES, _STARTED = range(7)
_LEVEL_WIDTH: Final = 7
# State: what is known, and the group of prints that is open (underflow).
_KNOWN, _NEEDS_CLEAR, _COUNT, _GROUP, _G_TS, _G_PRICE, _G_SIDE, _G_SHOWN, _G_TRADED, _G_PRINTS = range(10)
_G_ROW: Final = 10
_STATE_SLOTS: Final = 11
# What is reported.
_O_TS, _O_ROW, _O_PRICE, _O_SIDE, _O_SHOWN, _O_TRADED, _O_MORE, _O_TIMES, _O_STARTED = range(9)
_OUT_WIDTH: Final = 9
_FIRST_ROWS: Final = 256


@part
def _displayed_print(side: int, size: int, flags: int) -> bool:
    """Whether a print met what was displayed: a known aggressor, in the book, on the grid."""
    return bool(side != 0 and size > 0 and not flags & _UNDISPLAYED and not flags >> SUBTICK_SHIFT)


@part
def _learn(values: Array, state: Array, what: int) -> None:
    """CLEAR, GAP and SNAPSHOT_END: what is known from here."""
    if what == _SNAPSHOT_END:
        state[_KNOWN] = not state[_NEEDS_CLEAR]
    else:
        values[:] = 0
        state[_KNOWN], state[_NEEDS_CLEAR], state[_GROUP] = 0, what == _GAP, -1


@part
def _close_group(state: Array, least: int, out: Array, ts: int, row: int) -> None:
    """The prints of one order at one price are complete: compare with what was displayed before them."""
    more = state[_G_TRADED] - state[_G_SHOWN]
    if state[_GROUP] >= 0 and state[_KNOWN] and state[_G_SHOWN] > 0 and more >= least:
        to = out[state[_COUNT]]
        to[_O_TS], to[_O_ROW], to[_O_PRICE], to[_O_SIDE] = ts, row, state[_G_PRICE], state[_G_SIDE]
        to[_O_SHOWN], to[_O_TRADED], to[_O_MORE] = state[_G_SHOWN], state[_G_TRADED], more
        to[_O_TIMES], to[_O_STARTED] = state[_G_PRINTS], state[_G_TS]
        state[_COUNT] += 1
    state[_GROUP] = -1


_I8 = types.int64
_EVENTS = (I8_COLUMN, U1_COLUMN, I1_COLUMN, I4_COLUMN, I8_COLUMN, U2_COLUMN)
_OWN = (KEYS, VALUES, types.int64[::1], types.int64[::1], types.int64[:, ::1])


@kernel(_I8(_I8, _I8, *_EVENTS, I8_COLUMN, *_OWN, _I8, _I8))
def _underflow(
    row: int, first: int, ts: Array, kind: Array, side: Array, price: Array, size: Array, flags: Array,
    number: Array, keys: Array, values: Array, used: Array, state: Array, out: Array, delay: int, least: int,
) -> int:  # fmt: skip
    """Rows from ``row`` on; ``number`` is the aggressor order of each print. Stops for more room."""
    while row < len(ts):
        if 2 * used[0] >= len(keys) or state[_COUNT] >= len(out) - 1:
            return row
        what = kind[row]
        if state[_GROUP] >= 0 and ts[row] != state[_G_TS]:
            _close_group(state, least, out, ts[row], first + row)
        if what == _DEPTH and side[row] != 0:
            values[entered(keys, used, price[row], side[row]), _SHOWN] = max(size[row], 0)
        elif what == _TRADE and _displayed_print(side[row], size[row], flags[row]):
            if state[_GROUP] != number[row] or state[_G_PRICE] != price[row]:
                _close_group(state, least, out, ts[row], first + row)
                state[_GROUP], state[_G_TS], state[_G_PRICE] = number[row], ts[row], price[row]
                state[_G_SIDE], state[_G_TRADED], state[_G_PRINTS] = -side[row], 0, 0
                shown = values[entered(keys, used, price[row], -side[row]), _SHOWN]
                state[_G_SHOWN] = shown if state[_KNOWN] else 0
            state[_G_TRADED] += size[row]
            state[_G_PRINTS] += 1
            state[_G_ROW] = first + row
        elif what in (_CLEAR, _GAP, _SNAPSHOT_END):
            _learn(values, state, what)
        row += 1
    return row


@kernel(_I8(_I8, _I8, *_EVENTS, I8_COLUMN, *_OWN, _I8, _I8))
def _resistance(
    row: int, first: int, ts: Array, kind: Array, side: Array, price: Array, size: Array, flags: Array,
    number: Array, keys: Array, values: Array, used: Array, state: Array, out: Array, delay: int, least: int,
) -> int:  # fmt: skip
    """Rows from ``row`` on. Stops for more room."""
    while row < len(ts):
        if 2 * used[0] >= len(keys) or state[_COUNT] >= len(out) - 1:
            return row
        what = kind[row]
        if what == _DEPTH and side[row] != 0:
            level = values[entered(keys, used, price[row], side[row])]
            # What was traded is off already; what is more than that was put there again.
            again = min(size[row] - level[_LEFT], level[_TRADED])
            level[_SHOWN], level[_LEFT] = max(size[row], 0), max(size[row], 0)
            if level[_TRADED] > 0 and ts[row] - level[_LAST_TS] > delay:
                level[_TRADED], level[_AGAIN], level[_TIMES] = 0, 0, 0
            elif state[_KNOWN] and not flags[row] & _SNAPSHOT and again >= least:
                level[_TRADED] -= again
                level[_AGAIN] += again
                level[_TIMES] += 1
                to = out[state[_COUNT]]
                to[_O_TS], to[_O_ROW], to[_O_PRICE], to[_O_SIDE] = ts[row], first + row, price[row], side[row]
                to[_O_SHOWN], to[_O_TRADED], to[_O_MORE] = size[row], again, level[_AGAIN]
                to[_O_TIMES], to[_O_STARTED] = level[_TIMES], level[_STARTED]
                state[_COUNT] += 1
        elif what == _TRADE and state[_KNOWN] and _displayed_print(side[row], size[row], flags[row]):
            level = values[entered(keys, used, price[row], -side[row])]
            if ts[row] - level[_LAST_TS] > delay or level[_STARTED] == 0:
                level[_TRADED], level[_AGAIN], level[_TIMES], level[_STARTED] = 0, 0, 0, ts[row]
            level[_LEFT] -= size[row]
            level[_TRADED] += size[row]
            level[_LAST_TS] = ts[row]
        elif what in (_CLEAR, _GAP, _SNAPSHOT_END):
            _learn(values, state, what)
        row += 1
    return row


class _Levels:
    """State of both rules: a table of levels, a few numbers, room for what is found."""

    _walk: Callable[..., int]
    _fields: tuple[str, ...]

    def __init__(self, instrument: Instrument, delay_ns: int, min_lots: int):
        if delay_ns < 0 or min_lots < 1:
            raise WorkbenchError(
                f"delay_ns={delay_ns}, min_lots={min_lots}",
                expected="a delay of 0 or more, at least one lot",
                code="bad_value",
            )
        self.instrument = instrument
        self._limits = delay_ns, min_lots
        self._orders = AggressorOrders()
        self._table = LevelTable(_LEVEL_WIDTH)
        self._state = np.zeros(_STATE_SLOTS, np.int64)
        self._state[_GROUP] = -1
        self._out: IntArray = np.zeros((_FIRST_ROWS, _OUT_WIDTH), np.int64)

    def update(self, batch: EventBatch) -> Detections:
        """Take in events; what became known with them."""
        numbers = np.full(len(batch), NO_ORDER, np.int64)
        trades = batch.kind == EventKind.TRADE
        numbers[trades] = self._orders.update(EventBatch.trusted(batch.where(trades)[1], 0))
        events = [aligned(batch.columns[i]) for i in (0, 2, 3, 4, 5, 8)]
        row, found = 0, []
        while True:
            table = self._table
            own = (table.keys, table.values, table.used, self._state, self._out)
            row = type(self)._walk(row, batch.first_sequence, *events, numbers, *own, *self._limits)
            found.append(self._out[: self._state[_COUNT]].copy())
            self._state[_COUNT] = 0
            if row == len(batch):
                return self._told(np.concatenate(found))
            if 2 * table.used[0] >= len(table.keys):
                table.grow()

    def close(self) -> Detections:
        """Nothing is pending."""
        return nothing(dict.fromkeys(self._fields, np.int64))

    def _told(self, rows: IntArray) -> Detections:
        columns = (_O_SHOWN, _O_TRADED, _O_MORE, _O_TIMES, _O_STARTED)
        return Detections(
            rows[:, _O_TS],
            rows[:, _O_ROW],
            rows[:, _O_PRICE] * SUBTICKS_PER_TICK,
            rows[:, _O_SIDE].astype(np.int8),
            rows[:, _O_MORE].astype(np.float64),
            {name: rows[:, column] for name, column in zip(self._fields, columns)},
        )


class Underflow(_Levels):
    """Levels at which one aggressor traded more than was displayed.

    Parameters
    ----------
    instrument : Instrument
    min_lots : int, lots, default 1
        Least excess.

    Notes
    -----
    Prints of one aggressor order at one price (see :mod:`workbench.flow.aggressor`) are summed and compared with what
    the level displayed before the first of them: ``more_lots`` = traded − shown, also the ``score``. Known when the
    next row with another time, or another order's or price's print, arrives: that is the row of ``ts`` and
    ``sequence``; ``started_ts`` is the time of the prints. ``side`` is the resting side. Prints off the book, hidden,
    between two ticks or without an aggressor are left out, levels that displayed nothing as well.

    After CLEAR or GAP nothing is reported before the next SNAPSHOT_END.

    **What it cannot know.** Whether the excess came from one hidden order or from many new ones that arrived between
    two messages about the level. Where a venue tells levels later than trades (100 ms on some), the display is old and
    excess is reported that was visible in the market.

    References
    ----------
    Bookmap knowledge base, Strength Level: underflow.
    """

    _walk = staticmethod(_underflow)
    _fields = ("shown_lots", "traded_lots", "more_lots", "prints", "started_ts")

    def __init__(self, instrument: Instrument, *, min_lots: int = 1):
        super().__init__(instrument, 0, min_lots)

    def close(self) -> Detections:
        """The prints that were still open, as far as they went."""
        state = self._state
        _close_open(state, self._limits[1], self._out)
        found = self._told(self._out[: state[_COUNT]].copy())
        state[_COUNT] = 0
        return found


@kernel(types.void(types.int64[::1], _I8, types.int64[:, ::1]))
def _close_open(state: Array, least: int, out: Array) -> None:
    _close_group(state, least, out, state[_G_TS], state[_G_ROW])


class Resistance(_Levels):
    """Levels that display again, within a delay, what was traded at them.

    Parameters
    ----------
    instrument : Instrument
    delay_ns : int, ns, default 100 ms
        How soon after the last trade at the level the size must come back.
    min_lots : int, lots, default 2
        Least size that comes back at once.

    Notes
    -----
    A trade takes its size off what its level displays; whatever the next change of the level shows above that was
    added: ``again_lots`` = min(shown − (shown before − traded), traded and not yet seen again). Each addition of at
    least ``min_lots`` is one detection; ``score`` and ``again_total_lots`` sum them up while trades go on within the
    delay, ``times`` counts them. ``side`` is the resting side.

    After CLEAR or GAP levels are forgotten and nothing is reported before the next SNAPSHOT_END.

    **What it cannot know.** Who added: new orders of others at a busy level look like one that is refilled, "false
    positives can occur" (Bookmap). An addition and a cancellation between two messages cancel out. Venues that tell a
    level's change before the trade that caused it make the first addition after it look too large.

    References
    ----------
    Bookmap knowledge base, Strength Level: resistance.
    """

    _walk = staticmethod(_resistance)
    _fields = ("shown_lots", "again_lots", "again_total_lots", "times", "started_ts")

    def __init__(self, instrument: Instrument, *, delay_ns: int = 100_000_000, min_lots: int = 2):
        super().__init__(instrument, delay_ns, min_lots)
