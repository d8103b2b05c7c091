"""Volatility estimators over windows of bars, each window computed anew, so that streaming equals batch."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import types

from workbench.book.jit import I8_COLUMN, kernel, part
from workbench.events import Array

REALISED, BIPOWER, PARKINSON, GARMAN_KLASS, ROGERS_SATCHELL, YANG_ZHANG, TWO_SCALE = range(7)
ESTIMATORS: Final = 7
_LN2: Final = math.log(2.0)
_F8: Final = types.float64


@part
def _of_returns(close: Array, first: int, last: int, scale: int, out: Array) -> None:
    """Estimators from closes; the return of the first bar starts at the close before it."""
    n = last - first + 1
    squares = products = slow = 0.0
    for i in range(first, last + 1):
        move = close[i] - close[i - 1]
        squares += move * move
        if i > first:
            products += abs(move) * abs(close[i - 1] - close[i - 2])
    for i in range(first - 1 + scale, last + 1):
        slow += (close[i] - close[i - scale]) ** 2
    out[REALISED] = squares / n
    out[BIPOWER] = 0.5 * math.pi * products / (n - 1)
    share = (n - scale + 1.0) / (scale * n)
    out[TWO_SCALE] = (slow / scale - share * squares) / (1.0 - share) / n


@part
def _of_ranges(
    opened: Array, high: Array, low: Array, close: Array, first: int, last: int, out: Array
) -> None:
    """Estimators from open, high, low and close."""
    n = last - first + 1
    parkinson = garman_klass = rogers_satchell = mean_gap = mean_move = 0.0
    for i in range(first, last + 1):
        spread, move = high[i] - low[i], close[i] - opened[i]
        parkinson += spread * spread
        garman_klass += 0.5 * spread * spread - (2.0 * _LN2 - 1.0) * move * move
        rogers_satchell += (high[i] - close[i]) * (high[i] - opened[i])
        rogers_satchell += (low[i] - close[i]) * (low[i] - opened[i])
        mean_gap += (opened[i] - close[i - 1]) / n
        mean_move += move / n
    gaps = moves = 0.0
    for i in range(first, last + 1):
        gaps += (opened[i] - close[i - 1] - mean_gap) ** 2
        moves += (close[i] - opened[i] - mean_move) ** 2
    out[PARKINSON] = parkinson / (4.0 * _LN2 * n)
    out[GARMAN_KLASS] = garman_klass / n
    out[ROGERS_SATCHELL] = rogers_satchell / n
    weight = 0.34 / (1.34 + (n + 1.0) / (n - 1.0))
    out[YANG_ZHANG] = (gaps + weight * moves) / (n - 1.0) + (1.0 - weight) * rogers_satchell / n


@kernel(
    types.void(*[types.Array(_F8, 1, "C", readonly=True)] * 4, I8_COLUMN, *[types.int64] * 2, _F8[:, ::1])
)
def estimate(
    opened: Array, high: Array, low: Array, close: Array, epoch: Array, window: int, scale: int, out: Array
) -> None:
    """Variance per bar by each estimator over the last ``window`` bars; prices are logarithms."""
    for i in range(window, len(close)):
        if epoch[i - window] == epoch[i]:
            _of_returns(close, i - window + 1, i, scale, out[i])
            _of_ranges(opened, high, low, close, i - window + 1, i, out[i])
            for k in range(ESTIMATORS):
                out[i, k] = np.nan if out[i, k] < 0 else out[i, k]
