"""Bursts of aggressors that run on behind a new extreme: what triggered stops look like from outside."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import polars as pl
from numba import types

from workbench.book.jit import I8_COLUMN, kernel, part
from workbench.errors import WorkbenchError
from workbench.events import Array, EventBatch, EventKind, Flag, Instrument, IntArray
from workbench.flow.aggressor import NO_ORDER, AggressorOrders
from workbench.flow.batches import instrument_of
from workbench.flow.detectors.detections import Detections, detected, frame, joined, nothing
from workbench.flow.prints import prints_of_batch

__all__ = ["StopRuns", "stop_runs"]

_SLICES: Final = 32
"""Pieces that the look-back is counted in: it is up to one piece longer than asked for."""
_NONE: Final = -(2**62)
# Columns of a slice of time, and state per direction (0 up, 1 down).
_NUMBER, _FARTHEST_UP, _FARTHEST_DOWN = range(3)
_BEYOND_TS, _BEYOND_PRICE, _RUNNING, _ORDERS, _LOTS, _FIRST_TS, _LAST_TS, _TOLD = range(8)
_DIRECTIONS: Final = types.int64[:, ::1]
_FIRST_PRINT, _LAST_ORDER = 0, 1
_LOOK_BACK, _WITHIN, _MIN_ORDERS, _GAP, _MIN_LOTS = range(5)
_O_TS, _O_PRINT, _O_PRICE, _O_SIDE, _O_ORDERS, _O_LOTS, _O_EXTREME, _O_STARTED, _O_BEYOND = range(9)
_FIELDS: Final = ("orders", "traded_lots", "extreme_thousandths", "started_ts", "beyond_ns")


@part
def _extreme(slices: Array, number: int, column: int) -> int:
    """Farthest price of the slices that are still looked back on, in the direction's own sign."""
    found = _NONE
    for i in range(len(slices)):
        if number - slices[i, _NUMBER] < len(slices):
            found = max(found, slices[i, column])
    return found


@part
def _note(slices: Array, number: int, price: int) -> None:
    at = slices[number % len(slices)]
    if at[_NUMBER] != number:
        at[_NUMBER], at[_FARTHEST_UP], at[_FARTHEST_DOWN] = number, _NONE, _NONE
    at[_FARTHEST_UP], at[_FARTHEST_DOWN] = max(at[_FARTHEST_UP], price), max(at[_FARTHEST_DOWN], -price)


@part
def _go_on(run: Array, ts: int, is_new: bool, size: int, params: Array) -> None:
    """One more print in a direction: it starts a run, continues it, or lies behind its end."""
    if run[_RUNNING] and ts - run[_LAST_TS] > params[_GAP]:
        run[_RUNNING] = 0
    if not run[_RUNNING]:
        if not is_new or run[_BEYOND_TS] == _NONE or ts - run[_BEYOND_TS] > params[_WITHIN]:
            return
        run[_RUNNING], run[_ORDERS], run[_LOTS], run[_TOLD], run[_FIRST_TS] = 1, 0, 0, 0, ts
    run[_ORDERS] += is_new
    run[_LOTS] += size
    run[_LAST_TS] = ts


_I8 = types.int64


@kernel(
    _I8(
        I8_COLUMN,
        I8_COLUMN,
        I8_COLUMN,
        I8_COLUMN,
        I8_COLUMN,
        _DIRECTIONS,
        _DIRECTIONS,
        *[_I8[::1]] * 2,
        _DIRECTIONS,
    )
)
def _run(
    ts: Array, price: Array, size: Array, side: Array, order: Array, slices: Array, runs: Array, state: Array,
    params: Array, out: Array,
) -> int:  # fmt: skip
    """Take in prints; how many detections stand in ``out``, which has a row for each print."""
    count = 0
    length = max(params[_LOOK_BACK] // _SLICES, 1)
    for i in range(len(ts)):
        number = ts[i] // length
        if state[_FIRST_PRINT] == _NONE:
            state[_FIRST_PRINT] = ts[i]
        sign = side[i]
        if sign != 0:
            which = 0 if sign > 0 else 1
            run = runs[which]
            is_new = order[i] != state[_LAST_ORDER]
            _go_on(run, ts[i], is_new, size[i], params)
            is_enough = run[_ORDERS] >= params[_MIN_ORDERS] and run[_LOTS] >= params[_MIN_LOTS]
            if run[_RUNNING] and not run[_TOLD] and is_enough:
                run[_TOLD] = 1
                to = out[count]
                to[_O_TS], to[_O_PRINT], to[_O_PRICE], to[_O_SIDE] = ts[i], i, price[i], sign
                to[_O_ORDERS], to[_O_LOTS], to[_O_EXTREME] = run[_ORDERS], run[_LOTS], run[_BEYOND_PRICE]
                to[_O_STARTED], to[_O_BEYOND] = run[_FIRST_TS], run[_BEYOND_TS]
                count += 1
            warm = ts[i] - state[_FIRST_PRINT] >= params[_LOOK_BACK]
            if warm and sign * price[i] > _extreme(slices, number, 1 + which):
                run[_BEYOND_TS], run[_BEYOND_PRICE] = ts[i], price[i]
            state[_LAST_ORDER] = order[i]
        _note(slices, number, price[i])
    return count


class StopRuns:
    """Stop-run proxy: a burst of aggressor orders in the direction of a move that has just made a new extreme.

    Parameters
    ----------
    instrument : Instrument
    look_back_ns : int, ns, default 5 s
        A print beyond every price of so long before it is a new extreme.
    within_ns : int, ns, default 10 ms
        How soon after such a print the burst must begin.
    gap_ns : int, ns, default 5 ms
        Longest pause between two prints of a burst.
    min_orders : int, default 6
        Aggressor orders of a burst.
    min_lots : int, lots, default 1
        Lots of a burst.

    Notes
    -----
    Orders are told apart by :mod:`workbench.flow.aggressor`; the order that made the extreme does not count, those
    against the move neither count nor end the burst. A burst is reported once, at the print that completes
    ``min_orders`` and ``min_lots``. ``side`` is the aggressors' side, ``price`` that print's, ``score`` the number of
    orders per gap of time: orders · gap / duration (of at least a gap). Prints off the book are left out.

    Nothing is found before ``look_back_ns`` of prints were seen, at the start and after each CLEAR or GAP.

    **What it cannot know.** Which orders were stops: no venue says so in public, and the rule of Bookmap's own
    indicator is not public either. Momentum programs that join a breakout look the same. Where a source neither names
    aggressors nor marks executions, orders of one side that share a time count as one.

    References
    ----------
    Bookmap knowledge base, Stops and Icebergs tracker. C. Osler: Stop-loss orders and price cascades in currency
    markets, J. Int. Money and Finance 24 (2005) 219–241.
    """

    def __init__(
        self, instrument: Instrument, *, look_back_ns: int = 5_000_000_000, within_ns: int = 10_000_000,
        gap_ns: int = 5_000_000, min_orders: int = 6, min_lots: int = 1,
    ):  # fmt: skip
        values = (look_back_ns, within_ns, min_orders, gap_ns, min_lots)
        if min(look_back_ns, min_orders, min_lots) < 1 or min(within_ns, gap_ns) < 0:
            raise WorkbenchError(
                f"look_back_ns, within_ns, min_orders, gap_ns, min_lots = {values}",
                expected="times of 0 or more, the others of 1 or more",
                code="bad_value",
            )
        self.instrument = instrument
        self._params = np.array(values, np.int64)
        self._orders = AggressorOrders()
        self._forget()

    def update(self, batch: EventBatch) -> Detections:
        """Take in events; the bursts that became complete."""
        breaks = np.flatnonzero((batch.kind == EventKind.CLEAR) | (batch.kind == EventKind.GAP))
        if not len(breaks):
            return self._found(batch)
        parts, start = [], 0
        for row in breaks.tolist():
            parts.append(self._found(batch[start : row + 1]))
            self._forget()
            start = row + 1
        return joined([*parts, self._found(batch[start:])])

    def close(self) -> Detections:
        """Nothing is pending."""
        return nothing(dict.fromkeys(_FIELDS, np.int64))

    def _forget(self) -> None:
        self._slices: IntArray = np.full((_SLICES + 1, 3), _NONE, np.int64)
        self._runs: IntArray = np.zeros((2, 8), np.int64)
        self._runs[:, [_BEYOND_TS, _LAST_TS]] = _NONE
        self._state: IntArray = np.array([_NONE, NO_ORDER], np.int64)

    def _found(self, batch: EventBatch) -> Detections:
        trades = batch.kind == EventKind.TRADE
        numbers, columns = batch.where(trades)
        marked = EventBatch.trusted(columns, 0)
        order = self._orders.update(marked)
        prints = prints_of_batch(marked)
        shown = (marked.size > 0) & ((marked.flags & int(Flag.OTC)) == 0)
        out = np.zeros((len(prints.ts), len(_FIELDS) + 4), np.int64)
        taken = (prints.ts, prints.price, prints.size, prints.side.astype(np.int64), order[shown])
        own = (self._slices, self._runs, self._state, self._params)
        out = out[: _run(*taken, *own, out)]
        duration = np.maximum(out[:, _O_TS] - out[:, _O_STARTED], max(int(self._params[_GAP]), 1))
        return Detections(
            out[:, _O_TS],
            numbers[shown][out[:, _O_PRINT]],
            out[:, _O_PRICE],
            out[:, _O_SIDE].astype(np.int8),
            out[:, _O_ORDERS] * max(int(self._params[_GAP]), 1) / duration,
            {name: out[:, _O_ORDERS + i] for i, name in enumerate(_FIELDS)},
        )


def stop_runs(x: Any, **parameters: Any) -> pl.DataFrame:
    """Find bursts of aggressors behind new extremes.

    Parameters
    ----------
    x : session or recording
    **parameters
        Of :class:`StopRuns`.

    Returns
    -------
    DataFrame
        ``ts, price, side`` (of the aggressors), ``score``, ``evidence``; see :class:`StopRuns`, also for what it
        cannot know: it is a proxy.

    Notes
    -----
    Empty without trades, and before the look-back is full; after a gap or a new snapshot it fills anew.

    References
    ----------
    C. Osler, "Stop-loss orders and price cascades in currency markets", Journal of International Money and Finance 24
    (2005).
    """
    return frame(detected(x, StopRuns(instrument_of(x), **parameters)), instrument_of(x))
