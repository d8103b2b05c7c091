"""Which prints belong to one aggressor: an order that walks the book prints many times, and was one decision.

A print begins another order where any of these holds, and else goes on with the one before:

- it carries ``EXEC_START``, or an ``EXEC_END`` came since the print before;
- its side differs;
- both prints name their aggressor, and the names differ;
- no name and no open ``EXEC_START`` joins them, and neither our times nor the venue's (``ts_source``, where it sends any)
  are equal.

Zero-size marks only open and close. Prints that no source marks are joined by time and side alone, so two orders of the
same side that meet the book within one message, or one tick of the venue's clock (Binance: 1 ms), are one here.
"""

from __future__ import annotations

import numpy as np
from numba import types

from workbench.book.jit import I1_COLUMN, I8_COLUMN, U2_COLUMN, kernel
from workbench.events import Array, EventBatch, EventKind, IntArray

__all__ = ["NO_ORDER", "AggressorOrders", "aggressor_orders"]

NO_ORDER = -1
"""Order of a row that is no print."""

# Constants of the kernel, spelled as plain numbers for the compiler.
_START, _END = 4, 8
_NUMBER, _TS, _SIDE, _NAME, _OPEN, _CLOSED, _SOURCE = range(7)


_STATE = types.int64[::1]


@kernel(types.void(I8_COLUMN, I8_COLUMN, I1_COLUMN, I8_COLUMN, I8_COLUMN, U2_COLUMN, _STATE, _STATE))
def number_orders(
    ts: Array, source: Array, side: Array, size: Array, name: Array, flags: Array, state: Array, found: Array
) -> None:
    """Write the order's number of each row into ``found``; ``state`` goes on from call to call."""
    for i in range(len(ts)):
        starts = flags[i] & _START != 0
        if size[i] > 0:
            fresh = state[_NUMBER] < 0 or starts or state[_CLOSED] != 0 or side[i] != state[_SIDE]
            if not fresh:
                if name[i] != 0 and state[_NAME] != 0:
                    fresh = name[i] != state[_NAME]
                else:
                    at_once = ts[i] == state[_TS] or (source[i] != 0 and source[i] == state[_SOURCE])
                    fresh = state[_OPEN] == 0 and not at_once
            if fresh:
                state[_NUMBER] += 1
            state[_TS], state[_SIDE], state[_NAME], state[_CLOSED] = ts[i], side[i], name[i], 0
            state[_SOURCE] = source[i]
            found[i] = state[_NUMBER]
        else:
            found[i] = -1
            if starts:
                state[_CLOSED] = 1
        if starts:
            state[_OPEN] = 1
        if flags[i] & _END != 0:
            state[_OPEN], state[_CLOSED] = 0, 1


class AggressorOrders:
    """Numbers prints by aggressor as they come; any cut of the stream gives the same numbers."""

    def __init__(self) -> None:
        self._state = np.array([-1, 0, 0, 0, 0, 0, 0], np.int64)

    @property
    def count(self) -> int:
        """Orders seen so far; the last one may go on."""
        return int(self._state[_NUMBER]) + 1

    def update(self, batch: EventBatch) -> IntArray:
        """Order of each trade, int64, shape (n,); :data:`NO_ORDER` for zero-size marks.

        Parameters
        ----------
        batch : EventBatch
            Trades only, marks included.
        """
        found = np.empty(len(batch), np.int64)
        ts, source, side, size, name, flags = (
            np.ascontiguousarray(column)
            for column in (batch.ts, batch.ts_source, batch.side, batch.size, batch.aggressor_id, batch.flags)
        )
        number_orders(ts, source, side, size, name, flags, self._state, found)
        return found


def aggressor_orders(batch: EventBatch) -> IntArray:
    """Order of each event, int64, shape (n,): the batch face of :class:`AggressorOrders`.

    Parameters
    ----------
    batch : EventBatch
        Events of any kind; those that are no prints get :data:`NO_ORDER`.
    """
    found = np.full(len(batch), NO_ORDER, np.int64)
    trades = batch.kind == EventKind.TRADE
    found[trades] = AggressorOrders().update(EventBatch.trusted(batch.where(trades)[1], 0))
    return found
