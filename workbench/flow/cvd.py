"""Cumulative volume delta: what aggressors bought minus what they sold."""

from __future__ import annotations

import numpy as np
import polars as pl
from numba import types

from workbench.book.jit import I1_COLUMN, I8_COLUMN, kernel
from workbench.events import Array, EventBatch, FloatArray, Instrument
from workbench.flow.prints import Prints, TradesSource, as_times, prints_of, prints_of_batch, real_sizes


@kernel(types.void(I8_COLUMN, I1_COLUMN, types.int64[::1], types.int64[::1]))
def _accumulate(size: Array, side: Array, state: Array, out: Array) -> None:
    """Running delta, its lowest and its highest value; all three start at 0."""
    for i in range(len(size)):
        state[0] += size[i] * side[i]
        state[1], state[2] = min(state[1], state[0]), max(state[2], state[0])
        out[i] = state[0]


class Cvd:
    """Cumulative volume delta of a stream of events, in lots and exact.

    Parameters
    ----------
    instrument : Instrument
    otc : bool, optional
        Whether off-book prints count.

    Notes
    -----
    Trades without an aggressor change nothing.
    """

    def __init__(self, instrument: Instrument, *, otc: bool = False):
        self.instrument = instrument
        self.otc = otc
        self._state = np.zeros(3, np.int64)

    def apply(self, batch: EventBatch) -> None:
        """Take in the trades of a batch."""
        self.update(prints_of_batch(batch, otc=self.otc))

    def update(self, prints: Prints) -> FloatArray:
        """Take in trades; the delta after each of them, real units, shape (n_trades,)."""
        out = np.empty(len(prints.size), np.int64)
        _accumulate(np.ascontiguousarray(prints.size), np.ascontiguousarray(prints.side), self._state, out)
        return real_sizes(out, self.instrument)

    @property
    def lots(self) -> int:
        """Delta now, lots."""
        return int(self._state[0])

    @property
    def value(self) -> float:
        """Delta now, real units: what the batch face has in its last row."""
        return float(real_sizes(np.array([self.lots]), self.instrument)[0])

    @property
    def low_lots(self) -> int:
        """Lowest delta so far, the start at 0 included."""
        return int(self._state[1])

    @property
    def high_lots(self) -> int:
        """Highest delta so far, the start at 0 included."""
        return int(self._state[2])


def cvd(x: TradesSource, *, otc: bool = False) -> pl.DataFrame:
    """Cumulative volume delta after each trade.

    Parameters
    ----------
    x : session or recording
    otc : bool, optional
        Whether off-book prints count. Hidden executions always do.

    Returns
    -------
    DataFrame
        ``ts, cvd``, one row per trade, real units; the last row is the value at the end. No rows without trades.

    Notes
    -----
    Buy aggressors add, sell aggressors subtract, trades without an aggressor leave it as it is.
    """
    prints = prints_of(x, otc=otc)
    return pl.DataFrame([as_times(prints.ts), pl.Series("cvd", Cvd(x.instrument).update(prints), pl.Float64)])
