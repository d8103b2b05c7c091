"""Confidence intervals of means of dependent observations: the circular block bootstrap."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Final, NamedTuple

import numpy as np
from numba import types

from workbench.book.jit import kernel
from workbench.errors import WorkbenchError
from workbench.events import Array, FloatArray, IntArray

MOST_CELLS: Final = 4096
_GRID: Final = types.Array(types.float64, 2, "C", readonly=True)


class Interval(NamedTuple):
    """Estimate and the bounds of its confidence interval, arrays of shape (n_columns,)."""

    value: FloatArray
    low: FloatArray
    high: FloatArray


@kernel(types.void(_GRID, types.int64[:, ::1], types.int64, types.float64[:, ::1]))
def _resample(running: Array, starts: Array, block: int, out: Array) -> None:
    """Sums over circular blocks, by running sums: a block costs the same however long it is."""
    n = len(running) - 1
    for draw in range(len(starts)):
        left = n
        for j in range(starts.shape[1]):
            first, length = starts[draw, j], min(block, left)
            last = first + length
            for k in range(running.shape[1]):
                if last <= n:
                    out[draw, k] += running[last, k] - running[first, k]
                else:
                    out[draw, k] += running[n, k] - running[first, k] + running[last - n, k]
            left -= length


def block_sums(values: FloatArray, block: int, draws: int, rng: np.random.Generator) -> FloatArray:
    """Sums of resampled rows.

    Parameters
    ----------
    values : array, shape (n, k)
        In order of time, no NaN.
    block : int
        Length of the blocks, in rows.
    draws : int
    rng : numpy Generator

    Returns
    -------
    array, shape (draws, k)

    References
    ----------
    Politis & Romano 1992, "A circular block-resampling procedure for stationary data".
    """
    n = len(values)
    if not 1 <= block <= n:
        raise WorkbenchError(f"blocks of {block} of {n} rows", expected="1 ≤ block ≤ rows")
    running = np.zeros((n + 1, values.shape[1]))
    np.cumsum(values, axis=0, out=running[1:])
    starts = rng.integers(0, n, (draws, -(-n // block)))
    out = np.zeros((draws, values.shape[1]))
    _resample(running, starts, block, out)
    return out


def block_length(rows: int, overlap: float = 1.0) -> int:
    """Length of blocks for so many rows, of which ``overlap`` at a time share what they measure.

    At least n^(1/3), the order that is best for a variance (Künsch 1989), and twice the overlap; at most n / 4, so that
    there is something to choose from.
    """
    wanted = max(round(math.cbrt(rows)), math.ceil(2 * overlap), 1)
    return max(1, min(wanted, rows // 4))


def mean_interval(
    values: FloatArray,
    at: IntArray,
    reach: int,
    rng: np.random.Generator,
    *,
    draws: int = 400,
    confidence: float = 0.95,
) -> Interval:
    """Means of columns whose rows look forward in time, and their confidence intervals.

    Parameters
    ----------
    values : array, shape (n, k)
        NaN is left out.
    at : int64 array, ns, shape (n,)
        When each row begins, never falling.
    reach : int, ns
        How far a row looks: rows nearer to each other share what they measure.
    rng : numpy Generator
    draws : int, optional
    confidence : float, optional

    Notes
    -----
    Blocks are stretches of time, not of rows: however densely rows come in bursts, those that share anything stay
    together. Time is cut into cells as long as ``reach`` (at most 4,096), their sums and counts are resampled in blocks of
    cells, and the mean is the ratio of both. Its quantiles are pushed away from the mean by what few blocks lose:
    √(b / (b − 1)) and the ratio of Student's to the normal quantile for b − 1 degrees of freedom; b is how many blocks
    there would be if all held equally many rows, (Σ c)² / Σ c². NaN with fewer than two observations.
    """
    known = ~np.isnan(values)
    counts = known.sum(axis=0)
    with np.errstate(invalid="ignore"):
        mean = np.where(known, values, 0).sum(axis=0) / counts
    if len(values) < 2 or not (counts >= 2).any():
        return Interval(mean, *np.full((2, len(mean)), np.nan))
    rows = np.concatenate([np.where(known, values, 0.0), known.astype(np.float64)], axis=1)
    cells = _in_cells(rows, at, reach)
    block = block_length(len(cells))
    sums = block_sums(cells, block, draws, rng)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = sums[:, : len(mean)] / sums[:, len(mean) :]
    held = np.add.reduceat(cells[:, len(mean) :].max(axis=1), np.arange(0, len(cells), block))
    return widened(mean, means, float(held.sum() ** 2 / (held @ held)), confidence)


def _in_cells(rows: FloatArray, at: IntArray, reach: int) -> FloatArray:
    """Sums of rows over equal stretches of time, none shorter than ``reach``."""
    span = int(at[-1] - at[0]) + 1
    cell = max(int(reach), -(-span // MOST_CELLS))
    found = (at - at[0]) // cell
    first = np.flatnonzero(np.diff(found, prepend=-1))
    cells = np.zeros((int(found[-1]) + 1, rows.shape[1]))
    cells[found[first]] = np.add.reduceat(rows, first)
    return cells


def widened(value: FloatArray, resampled: FloatArray, blocks: float, confidence: float = 0.95) -> Interval:
    """Interval of a value from its resampled twins, shape (draws, k), corrected for few blocks."""
    tail = (1 - confidence) / 2
    low, high = np.full((2, len(value)), np.nan)
    empty = np.isnan(resampled)  # draws of blocks that hold nothing
    usable = ~empty.all(axis=0)
    if usable.any():
        quantile = np.nanquantile if empty.any() else np.quantile
        quantiles = quantile(resampled[:, usable], [tail, 1 - tail], axis=0)
        freedom = max(blocks - 1, 1.0)
        normal = NormalDist().inv_cdf(1 - tail)
        wider = student_quantile(1 - tail, freedom) / normal * np.sqrt(blocks / freedom)
        low[usable] = value[usable] + (quantiles[0] - value[usable]) * wider
        high[usable] = value[usable] + (quantiles[1] - value[usable]) * wider
    return Interval(value, low, high)


def student_quantile(probability: float, freedom: float) -> float:
    """Quantile of Student's t by the expansion of Cornish and Fisher (Abramowitz & Stegun 26.7.5).

    >>> round(student_quantile(0.975, 10), 3)
    2.228
    """
    z = NormalDist().inv_cdf(probability)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / freedom ** (i + 1) for i, term in enumerate(terms))


__all__ = [
    "Interval",
    "block_length",
    "block_sums",
    "mean_interval",
    "student_quantile",
    "widened",
]
