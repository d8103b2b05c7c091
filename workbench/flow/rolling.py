"""Sums and regressions over the last rows, each computed anew from its window, so that streaming equals batch."""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import types

from workbench.book.jit import I8_COLUMN, aligned, kernel
from workbench.events import Array, FloatArray, IntArray

__all__ = ["rolling_mean", "rolling_slope"]

_F8: Final = types.Array(types.float64, 1, "C", readonly=True)
_OUT: Final = types.float64[::1]


@kernel(types.void(_F8, I8_COLUMN, types.int64, _OUT))
def _mean(values: Array, epoch: Array, window: int, out: Array) -> None:
    for i in range(window - 1, len(values)):
        first = i - window + 1
        if epoch[first] == epoch[i]:
            total = 0.0
            for k in range(first, i + 1):
                total += values[k]
            out[i] = total / window


@kernel(types.void(_F8, _F8, I8_COLUMN, types.int64, _OUT, _OUT))
def _slope(x: Array, y: Array, epoch: Array, window: int, slope: Array, share: Array) -> None:
    for i in range(window - 1, len(x)):
        first = i - window + 1
        if epoch[first] != epoch[i]:
            continue
        mean_x = mean_y = 0.0
        for k in range(first, i + 1):
            mean_x += x[k] / window
            mean_y += y[k] / window
        xx = xy = yy = 0.0
        for k in range(first, i + 1):
            xx += (x[k] - mean_x) ** 2
            xy += (x[k] - mean_x) * (y[k] - mean_y)
            yy += (y[k] - mean_y) ** 2
        if xx > 0:
            slope[i] = xy / xx
            if yy > 0:
                share[i] = xy * xy / (xx * yy)


def rolling_mean(values: FloatArray, epoch: IntArray, window: int) -> FloatArray:
    """Mean of the last ``window`` values, shape (n,).

    Parameters
    ----------
    values : array of float, shape (n,)
    epoch : array of int64, shape (n,)
        Rows of different epochs share no window: NaN until the window is full.
    window : int
    """
    out = np.full(len(values), np.nan)
    _mean(aligned(values), aligned(epoch), window, out)
    return out


def rolling_slope(
    x: FloatArray, y: FloatArray, epoch: IntArray, window: int
) -> tuple[FloatArray, FloatArray]:
    """Slope of y on x by least squares with intercept over the last ``window`` rows, and its R²; shape (n,) each.

    Parameters
    ----------
    x, y : array of float, shape (n,)
    epoch : array of int64, shape (n,)
        Rows of different epochs share no window: NaN until the window is full, and where x does not vary.
    window : int
    """
    slope, share = np.full((2, len(x)), np.nan)
    _slope(aligned(x), aligned(y), aligned(epoch), window, slope, share)
    return slope, share
