"""Bars of time for detectors: extremes, volume by aggressor and delta, each told when something proves that it is over."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import types

from workbench.book.jit import I1_COLUMN, I4_COLUMN, I8_COLUMN, U1_COLUMN, U2_COLUMN, aligned, kernel
from workbench.events import Array, EventBatch, IntArray
from workbench.flow.detectors.following import CLEAR, GAP, OTC, SUBTICK, TRADE

KNOWN_TS, KNOWN_SEQUENCE, START, HIGH, LOW, BUY, SELL, CVD_HIGH, CVD_LOW, FRESH = range(10)
FIELDS: Final = 10
_OPEN, _BAR, _SKIP, _CVD, _FRESH_NEXT = range(5)
_STATE = types.int64[::1]
_TABLE = types.int64[:, ::1]


@kernel(
    types.int64(
        types.int64,
        I8_COLUMN,
        U1_COLUMN,
        I1_COLUMN,
        I4_COLUMN,
        I8_COLUMN,
        U2_COLUMN,
        types.int64,
        _STATE,
        _STATE,
        _TABLE,
    )
)
def _bars(
    first: int, ts: Array, kind: Array, side: Array, price: Array, size: Array, flags: Array, interval: int,
    state: Array, bar: Array, out: Array,
) -> int:  # fmt: skip
    """Closed bars into ``out``, one row each; how many."""
    count = 0
    for i in range(len(ts)):
        number = ts[i] // interval
        if state[_OPEN] and number != state[_BAR]:
            bar[KNOWN_TS], bar[KNOWN_SEQUENCE] = ts[i], first + i
            out[count] = bar
            count += 1
            state[_OPEN] = 0
        if kind[i] in (CLEAR, GAP):
            state[_OPEN], state[_SKIP], state[_CVD], state[_FRESH_NEXT] = 0, number + 1, 0, 1
        if kind[i] != TRADE or size[i] <= 0 or flags[i] & OTC or number < state[_SKIP]:
            continue
        at = np.int64(price[i]) * 1000 + (flags[i] >> SUBTICK)
        before = state[_CVD]
        state[_CVD] += size[i] * side[i]
        if not state[_OPEN]:
            state[_OPEN], state[_BAR] = 1, number
            bar[START], bar[HIGH], bar[LOW] = number * interval, at, at
            bar[BUY] = bar[SELL] = 0
            bar[CVD_HIGH] = bar[CVD_LOW] = state[_CVD]
            bar[FRESH], state[_FRESH_NEXT] = state[_FRESH_NEXT], 0
        bar[HIGH], bar[LOW] = max(bar[HIGH], at), min(bar[LOW], at)
        bar[CVD_HIGH], bar[CVD_LOW] = max(bar[CVD_HIGH], state[_CVD]), min(bar[CVD_LOW], state[_CVD])
        if state[_CVD] > before:
            bar[BUY] += size[i]
        elif state[_CVD] < before:
            bar[SELL] += size[i]
    return count


class ClosedBars:
    """Closed bars of a stream of events.

    Parameters
    ----------
    interval_ns : int, ns

    Notes
    -----
    Intervals without trades are no bars, nor is one that a gap or a new snapshot lies in; the bar after it is
    :data:`FRESH`, and its delta begins at 0.
    """

    def __init__(self, interval_ns: int):
        self._interval = interval_ns
        self._state, self._bar = np.zeros(5, np.int64), np.zeros(FIELDS, np.int64)
        self._state[_SKIP] = -(2**62)

    def update(self, batch: EventBatch) -> IntArray:
        """Take in events; bars closed by them, int64, shape (n_bars, n_fields); prices in thousandths of a tick."""
        columns = tuple(aligned(batch.columns[i]) for i in (0, 2, 3, 4, 5, 8))
        out = np.empty((len(batch), FIELDS), np.int64)
        arguments: tuple[Any, ...] = (
            batch.first_sequence,
            *columns,
            self._interval,
            self._state,
            self._bar,
            out,
        )
        found: IntArray = out[: _bars(*arguments)]
        return found
