"""What a result is worth after many tries: PSR, DSR, PBO and White's reality check."""

from __future__ import annotations

import itertools
import math
from functools import lru_cache
from statistics import NormalDist
from typing import Final

import numpy as np

from workbench.errors import WorkbenchError
from workbench.events import FloatArray
from workbench.lab.bootstrap import block_sums

_NORMAL: Final = NormalDist()
_GAMMA: Final = 0.5772156649015329  # Euler and Mascheroni


def psr(
    sharpe: float, periods: int, skew: float = 0.0, kurtosis: float = 3.0, benchmark: float = 0.0
) -> float:
    """Probability that the true Sharpe ratio is above a benchmark.

    Parameters
    ----------
    sharpe, benchmark : float
        Per period, not per year.
    periods : int
    skew : float, optional
    kurtosis : float, optional
        Not the excess: 3 for normal returns.

    References
    ----------
    Bailey & López de Prado 2012, "The Sharpe ratio efficient frontier".
    """
    variance = 1 - skew * sharpe + (kurtosis - 1) / 4 * sharpe**2
    if periods < 2 or variance <= 0 or math.isnan(variance):
        return math.nan
    return _NORMAL.cdf((sharpe - benchmark) * math.sqrt((periods - 1) / variance))


def expected_best(variance: float, trials: int) -> float:
    """Sharpe ratio that the best of so many worthless trials is expected to show.

    Parameters
    ----------
    variance : float
        Of the Sharpe ratios of the trials.
    trials : int
        0.0 for one trial: nothing was chosen.
    """
    if trials < 2:
        return 0.0
    first, second = _NORMAL.inv_cdf(1 - 1 / trials), _NORMAL.inv_cdf(1 - 1 / (trials * math.e))
    return math.sqrt(variance) * ((1 - _GAMMA) * first + _GAMMA * second)


def dsr(
    sharpe: float, periods: int, variance: float, trials: int, skew: float = 0.0, kurtosis: float = 3.0
) -> float:
    """Deflated Sharpe ratio: PSR against the best that chance alone would have shown.

    Parameters
    ----------
    sharpe : float
        Per period.
    periods : int
    variance : float
        Of the Sharpe ratios (per period) of all trials.
    trials : int
    skew, kurtosis : float, optional
        Kurtosis is not the excess.

    References
    ----------
    Bailey & López de Prado 2014, "The deflated Sharpe ratio", SSRN 2460551.

    Examples
    --------
    The paper's example: 2.5 a year over 1250 days, 100 trials with variance ½ a year, skewness −3, kurtosis 10.

    >>> round(dsr(2.5 / 250**0.5, 1250, 0.5 / 250, 100, -3, 10), 4)
    0.9004
    """
    return psr(sharpe, periods, skew, kurtosis, expected_best(variance, trials))


def pbo(sums: FloatArray, squares: FloatArray, counts: FloatArray) -> float:
    """Probability of backtest overfitting by combinatorially symmetric cross-validation.

    Parameters
    ----------
    sums, squares : array, shape (splits, trials)
        Σ and Σ² of the returns in each split of time.
    counts : array, shape (splits,)
        Periods in each split.

    Returns
    -------
    float
        Share of all ways to halve the splits in which the trial that was best (by Sharpe ratio) in one half is not
        above the middle of the other half. NaN for fewer than two trials.

    References
    ----------
    Bailey, Borwein, López de Prado & Zhu 2015, "The probability of backtest overfitting".
    """
    splits, trials = sums.shape
    if splits % 2 or splits < 2:
        raise WorkbenchError(f"{splits} splits", expected="an even number of splits")
    if trials < 2:
        return math.nan
    chosen = _halves(splits)
    inside = _sharpes(chosen, sums, squares, counts)
    outside = _sharpes(1 - chosen, sums, squares, counts)
    best = np.argmax(inside, axis=1)[:, None]
    reached = np.take_along_axis(outside, best, axis=1)
    rank = (outside < reached).sum(axis=1) + ((outside == reached).sum(axis=1) + 1) / 2
    return float((rank / (trials + 1) <= 0.5).mean())


@lru_cache(maxsize=4)
def _halves(splits: int) -> FloatArray:
    ways = list(itertools.combinations(range(splits), splits // 2))
    out = np.zeros((len(ways), splits))
    out[np.arange(len(ways))[:, None], ways] = 1
    return out


def _sharpes(chosen: FloatArray, sums: FloatArray, squares: FloatArray, counts: FloatArray) -> FloatArray:
    n = (chosen @ counts)[:, None]
    mean = chosen @ sums / n
    deviation = np.sqrt(np.maximum(chosen @ squares / n - mean**2, 0))
    return np.divide(mean, deviation, out=np.zeros_like(mean), where=deviation > 0)


def reality_check(
    returns: FloatArray, rng: np.random.Generator, *, block: int = 10, draws: int = 1000
) -> float:
    """White's reality check: p-value of "the best of these trials is no better than nothing".

    Parameters
    ----------
    returns : array, shape (periods, trials)
        In excess of the benchmark.
    rng : numpy Generator
    block : int, optional
        Length of the resampled blocks, periods.
    draws : int, optional

    References
    ----------
    White 2000, "A reality check for data snooping".
    """
    periods = len(returns)
    centred = returns - returns.mean(axis=0)
    best = block_sums(centred, min(block, periods), draws, rng).max(axis=1)
    return float((1 + (best >= returns.sum(axis=0).max()).sum()) / (draws + 1))


__all__ = ["dsr", "expected_best", "pbo", "psr", "reality_check"]
