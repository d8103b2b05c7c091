"""Exhaustion: price pushes to one new extreme after another with less and less aggression behind it."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numba import types

from workbench.book.jit import kernel
from workbench.events import Array, EventBatch, Instrument, IntArray
from workbench.flow.batches import instrument_of
from workbench.flow.detectors.closed_bars import (
    BUY,
    FRESH,
    HIGH,
    KNOWN_SEQUENCE,
    KNOWN_TS,
    LOW,
    SELL,
    START,
    ClosedBars,
)
from workbench.flow.detectors.detections import Detections, detected, frame
from workbench.flow.detectors.following import check, duration

__all__ = ["Exhaustion", "exhaustion"]

_TABLE = types.int64[:, ::1]
_SEEN, _PUSHES_UP, _PUSHES_DOWN = range(3)


@kernel(types.int64(_TABLE, _TABLE, types.int64[:, :, ::1], types.int64[::1], types.float64, _TABLE))
def _compare(bars: Array, ring: Array, pushes: Array, state: Array, fade: float, out: Array) -> int:
    """Bars that end a row of fading pushes: row and side (+1 buyers faded at a high), and the first push."""
    n, count, wanted = len(ring), 0, pushes.shape[1]
    for i in range(len(bars)):
        if bars[i, FRESH]:
            state[:] = 0
        if state[_SEEN] >= n:
            for which in range(2):
                side = 1 if which == 0 else -1
                extreme, sum_ = (HIGH, BUY) if which == 0 else (LOW, SELL)
                beyond = True
                for k in range(n):
                    beyond &= (bars[i, extreme] - ring[k, extreme]) * side > 0
                if not beyond:
                    continue
                done, lots = state[_PUSHES_UP + which], bars[i, sum_]
                # A push with no less behind it than the one before begins a new row of them.
                if done > 0 and (
                    lots >= pushes[which, done - 1, 0] or state[_SEEN] - pushes[which, done - 1, 1] > n
                ):
                    done = 0
                pushes[which, done, 0], pushes[which, done, 1] = lots, state[_SEEN]
                done += 1
                if done == wanted:
                    if lots <= fade * pushes[which, 0, 0]:
                        out[count, 0], out[count, 1], out[count, 2] = i, side, pushes[which, 0, 0]
                        count += 1
                    for k in range(1, wanted):
                        pushes[which, k - 1] = pushes[which, k]
                    done = wanted - 1
                state[_PUSHES_UP + which] = done
        ring[state[_SEEN] % n] = bars[i]
        state[_SEEN] += 1
    return count


class Exhaustion:
    """Exhaustion in a stream of events.

    Parameters
    ----------
    instrument : Instrument
    n, bar, pushes, fade
        As :func:`exhaustion` has them.

    Raises
    ------
    WorkbenchError
        A parameter outside its bounds.
    """

    def __init__(
        self, instrument: Instrument, *, n: int = 10, bar: str = "5s", pushes: int = 3, fade: float = 0.5
    ):
        check("n", n, 1, unit="bar")
        check("pushes", pushes, 2)
        check("fade", fade, 0.0, 1.0)
        self.instrument = instrument
        self._bars, self._fade = ClosedBars(duration("bar", bar)), fade
        self._ring = np.zeros((int(n), FRESH + 1), np.int64)
        self._pushes, self._state = np.zeros((2, int(pushes), 2), np.int64), np.zeros(3, np.int64)

    def update(self, batch: EventBatch) -> Detections:
        """Take in events; what became known with them."""
        rows = self._bars.update(batch)
        out = np.zeros((2 * len(rows), 3), np.int64)
        count = _compare(rows, self._ring, self._pushes, self._state, self._fade, out)
        return _detections(rows[out[:count, 0]], out[:count])

    def close(self) -> Detections:
        """Nothing: the open bar never counts."""
        return _detections(np.empty((0, FRESH + 1), np.int64), np.empty((0, 3), np.int64))


def _detections(rows: IntArray, marks: IntArray) -> Detections:
    up = marks[:, 1] > 0
    lots = np.where(up, rows[:, BUY], rows[:, SELL])
    evidence = {"bar_ts": rows[:, START], "lots": lots, "first_push_lots": marks[:, 2]}
    return Detections(
        rows[:, KNOWN_TS],
        rows[:, KNOWN_SEQUENCE],
        np.where(up, rows[:, HIGH], rows[:, LOW]),
        marks[:, 1].astype(np.int8),
        1 - lots / np.maximum(marks[:, 2], 1),
        evidence,
    )


def exhaustion(x: Any, *, n: int = 10, bar: str = "5s", pushes: int = 3, fade: float = 0.5) -> pl.DataFrame:
    """New extremes with less and less aggressive volume behind them.

    Parameters
    ----------
    x : session or recording
    n : int, optional
        A push is a bar beyond the extremes of so many bars before it; pushes of one row are at most so far apart.
    bar : str, optional
        Interval of the bars. Intervals without trades are no bars.
    pushes : int, optional
        So many pushes in a row, each with less volume of its aggressors than the one before.
    fade : float, optional
        The last one has at most this share of the first one's.

    Returns
    -------
    DataFrame
        ``ts`` (of the event that proved the bar over), ``price`` (the extreme), ``side`` (of the aggressors that fade:
        +1 buyers at a high), ``score`` (share of the first push's volume that is missing, 0 to 1), ``evidence`` (start
        of the bar, volume of its aggressors and of the first push, lots).

    Raises
    ------
    WorkbenchError
        A parameter outside its bounds.

    Notes
    -----
    A bar that a gap or a new snapshot lies in is no bar, and after it all begins anew. Trades without an aggressor count
    for the extreme and not for the volume; off-book prints do not count at all.

    *What it cannot know.* Whether the price will turn: thin volume at an extreme may also be the lack of resistance.

    References
    ----------
    A rule of floor and platform traders; no paper defines it, the one above is this package's.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("5s")
    >>> wb.exhaustion(s, n=2, bar="1s").columns
    ['ts', 'price', 'side', 'score', 'evidence']
    """
    return frame(
        detected(x, Exhaustion(instrument_of(x), n=n, bar=bar, pushes=pushes, fade=fade)), instrument_of(x)
    )
