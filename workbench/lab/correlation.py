"""Information coefficient: rank correlation of score and forward move, its interval and its decay."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from workbench.events import FloatArray
from workbench.lab.bootstrap import block_length, block_sums, widened


class Coefficient(NamedTuple):
    """Spearman's ρ with its confidence interval; NaN where there is too little to say."""

    value: float
    low: float
    high: float


def information(
    score: FloatArray, move: FloatArray, overlap: float, rng: np.random.Generator, *, draws: int = 200
) -> Coefficient:
    """Spearman correlation of score and forward move over points in time, NaN left out.

    Parameters
    ----------
    score, move : array, shape (n,)
    overlap : float
        How many neighbouring points share a forward move.
    rng : numpy Generator
    draws : int, optional

    Notes
    -----
    Ranks are made once and resampled in blocks.
    """
    known = ~(np.isnan(score) | np.isnan(move))
    x, y = _ranks(score[known]), _ranks(move[known])
    if len(x) < 8 or not x.any() or not y.any():
        return Coefficient(np.nan, np.nan, np.nan)
    columns = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)
    block = block_length(len(x), overlap)
    value = _correlation(columns.sum(axis=0)[None])
    resampled = _correlation(block_sums(columns, block, draws, rng))
    found = widened(value, resampled[:, None], len(x) / block)
    return Coefficient(*(float(bound[0]) for bound in found))


def half_life(horizons: FloatArray, coefficients: FloatArray) -> float:
    """Time in which the coefficient halves, by an exponential fit; NaN where it does not decay.

    Parameters
    ----------
    horizons : array, shape (n,)
    coefficients : array, shape (n,)
        Those from the first on that have its sign are used.

    Examples
    --------
    >>> horizons = np.array([1.0, 5.0, 10.0])
    >>> round(half_life(horizons, 0.1 * 2 ** (-horizons / 5)), 6)
    5.0
    """
    alike = np.sign(coefficients) == np.sign(coefficients[0])
    stop = len(alike) if alike.all() else int(np.argmin(alike))
    if stop < 2 or coefficients[0] == 0 or np.isnan(coefficients[0]):
        return float("nan")
    slope = np.polyfit(horizons[:stop], np.log2(np.abs(coefficients[:stop])), 1)[0]
    return float(-1 / slope) if slope < 0 else float("nan")


def _ranks(values: FloatArray) -> FloatArray:
    """Ranks about zero, equal values sharing their mean rank."""
    if not len(values):
        return values
    order = np.argsort(values)
    inside = values[order]
    first = np.flatnonzero(np.diff(inside, prepend=np.nan) != 0)
    count = np.diff(first, append=len(values))
    ranks: FloatArray = np.empty(len(values))
    ranks[order] = np.repeat(first + (count - 1) / 2, count)
    centred: FloatArray = (ranks - ranks.mean()) / len(values)
    return centred


def _correlation(sums: FloatArray) -> FloatArray:
    n, x, y, xx, yy, xy = sums.T
    with np.errstate(invalid="ignore", divide="ignore"):
        out: FloatArray = (xy - x * y / n) / np.sqrt((xx - x * x / n) * (yy - y * y / n))
    return out


__all__ = ["Coefficient", "half_life", "information"]
