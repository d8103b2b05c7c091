"""What rules remember: means and sums that fade with time, and sides that stay on until a signal has weakened."""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import types

from workbench.book.jit import I8_COLUMN, kernel
from workbench.errors import WorkbenchError
from workbench.events import Array, FloatArray, IntArray
from workbench.flow.signals.contract import SECOND_NS, Sides
from workbench.flow.signals.sight import Sight

_REALS: Final = types.Array(types.float64, 1, "C", readonly=True)
_LN2: Final = 0.6931471805599453
_STATE: Final = (types.float64[::1], types.int64[::1])


@kernel(types.void(I8_COLUMN, I8_COLUMN, _REALS, types.float64, *_STATE, types.float64[::1]))
def _fading_mean(
    ts: Array, age: Array, value: Array, half_life: float, real: Array, clock: Array, out: Array
) -> None:
    """Mean over time with weight 2^(−t / half-life): each value counts for as long as it stood."""
    for i in range(len(ts)):
        out[i] = np.nan
        if age[i] < 0:
            clock[1] = 0
        elif not np.isnan(value[i]):
            if clock[1] == 0 or half_life <= 0:
                real[0] = value[i]
            else:
                kept = np.exp(-_LN2 * (ts[i] - clock[0]) / half_life)
                real[0] = kept * real[0] + (1.0 - kept) * real[1]
            real[1], clock[0], clock[1] = value[i], ts[i], 1
            out[i] = real[0]


@kernel(types.void(I8_COLUMN, I8_COLUMN, _REALS, types.float64, *_STATE, types.float64[::1]))
def _fading_sum(
    ts: Array, age: Array, added: Array, half_life: float, real: Array, clock: Array, out: Array
) -> None:
    """Sum with weight 2^(−t / half-life): what is added counts in full at once."""
    for i in range(len(ts)):
        if age[i] < 0:
            real[0] = 0.0
        else:
            real[0] = real[0] * np.exp(-_LN2 * (ts[i] - clock[0]) / half_life) + added[i]
        clock[0] = ts[i]
        out[i] = real[0]


@kernel(types.void(_REALS, types.float64, types.float64, types.int64[::1], types.int8[::1]))
def _latch(score: Array, enter: float, leave: float, state: Array, out: Array) -> None:
    for i in range(len(score)):
        if np.isnan(score[i]):
            state[0] = 0
        elif abs(score[i]) >= enter:
            state[0] = 1 if score[i] > 0 else -1
        elif score[i] * state[0] < leave:
            state[0] = 0
        out[i] = state[0]


class FadingMean:
    """Mean over time of values that stand until the next one; the weight of the past halves each ``half_life_s``.

    Parameters
    ----------
    half_life_s : float, s
        0: the value itself.
    """

    def __init__(self, half_life_s: float):
        self._half_life = half_life_s * SECOND_NS
        self._real, self._clock = np.zeros(2), np.zeros(2, np.int64)

    def follow(self, sight: Sight, value: FloatArray) -> FloatArray:
        """The mean at each row, NaN where the book or the value is not known."""
        out = np.empty(len(value))
        _fading_mean(_ts(sight), sight.age, value, self._half_life, self._real, self._clock, out)
        return out


class FadingSum:
    """Sum of what is added, whose past halves each ``half_life_s``; it begins anew where the book is not known."""

    def __init__(self, half_life_s: float):
        self._half_life = half_life_s * SECOND_NS
        self._real, self._clock = np.zeros(1), np.zeros(1, np.int64)

    def follow(self, sight: Sight, added: FloatArray) -> FloatArray:
        """The sum at each row."""
        out = np.empty(len(added))
        _fading_sum(_ts(sight), sight.age, added, self._half_life, self._real, self._clock, out)
        return out


class Latch:
    """Side that goes on at ``enter`` and off below ``leave``, of a signed score."""

    def __init__(self, enter: float, leave: float):
        if leave > enter:
            raise WorkbenchError(
                f"leave {leave:g} above enter {enter:g}", expected="leave ≤ enter", code="bad_parameter"
            )
        self._enter, self._leave = enter, leave
        self._state: IntArray = np.zeros(1, np.int64)

    def follow(self, score: FloatArray) -> Sides:
        """The side at each row; 0 where the score is NaN."""
        out = np.empty(len(score), np.int8)
        _latch(score, self._enter, self._leave, self._state, out)
        return out


def _ts(sight: Sight) -> Array:
    return np.ascontiguousarray(sight.moments.ts)


__all__ = ["FadingMean", "FadingSum", "Latch"]
