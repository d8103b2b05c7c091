"""Least squares of price changes on flows, and the odds of the next price change on imbalance."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from workbench.errors import WorkbenchError
from workbench.events import Array, FloatArray
from workbench.flow.queue_imbalance import depth_imbalance
from workbench.flow.touch import Moments

_MOST_STEPS = 100


class Regression(NamedTuple):
    """A straight line, or plane, through observations.

    Attributes
    ----------
    intercept : float
    slopes : array of float64, shape (n_flows,)
    r_squared : float
        Share of the variance that is explained.
    t : array of float64, shape (n_flows,)
        Slopes over their standard errors, of ordinary least squares: they hold for errors of one variance that do not
        depend on each other. NaN with a penalty.
    observations : int
    """

    intercept: float
    slopes: FloatArray
    r_squared: float
    t: FloatArray
    observations: int


def regress(change: Array, flows: Array, penalty: float = 0.0) -> Regression:
    """Fit ``change`` = intercept + ``flows`` · slopes by least squares.

    Parameters
    ----------
    change : array, shape (n,)
        What is explained, like mid changes in ticks. Rows with a NaN anywhere are left out.
    flows : array, shape (n,) or (n, n_flows)
        What explains it, like order flow imbalance by level.
    penalty : float, optional
        Of ridge regression: its share of the flows' mean variance is added to each variance. Levels of one book move
        together; without it their slopes may be large and of opposite sign.

    Raises
    ------
    WorkbenchError
        Shapes that do not go together, fewer observations than unknowns need, or flows that do not vary.

    References
    ----------
    R. Cont, A. Kukanov, S. Stoikov, arXiv:1011.6402: for order flow imbalance the slope is about 1 / (2 · depth). Ridge
    on several levels: K. Xu, M. Gould, S. Howison, arXiv:1907.06230.

    Examples
    --------
    >>> import numpy as np
    >>> found = regress(np.array([1.0, 3.0, 5.0, 7.1]), np.array([0.0, 1.0, 2.0, 3.0]))
    >>> round(float(found.slopes[0]), 2), round(found.r_squared, 4)
    (2.03, 0.9999)
    """
    y, x = np.asarray(change, np.float64), np.asarray(flows, np.float64)
    x = x[:, None] if x.ndim == 1 else x
    if y.ndim != 1 or x.ndim != 2 or len(x) != len(y):
        raise WorkbenchError(
            f"change of shape {np.shape(change)}, flows of shape {np.shape(flows)}",
            expected="(n,) and (n,) or (n, n_flows)",
        )
    whole = np.isfinite(y) & np.isfinite(x).all(axis=1)
    y, x = y[whole], x[whole]
    count, width = x.shape
    if count < width + 2:
        raise WorkbenchError(f"{count} observations for {width} slopes", expected=f"at least {width + 2}")
    centred, moved = x - x.mean(axis=0), y - y.mean()
    gram = centred.T @ centred
    if np.linalg.matrix_rank(centred) < width and not penalty:
        raise WorkbenchError(
            "flows that do not vary, or that are sums of each other",
            action="Use fewer levels, more data or a penalty.",
        )
    gram_kept = gram + penalty * np.trace(gram) / width * np.eye(width)
    slopes = np.linalg.solve(gram_kept, centred.T @ moved)
    rest = moved - centred @ slopes
    error = rest @ rest
    spread = moved @ moved
    variance = error / (count - width - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = slopes / np.sqrt(variance * np.diag(np.linalg.pinv(gram)))
    return Regression(
        float(y.mean() - x.mean(axis=0) @ slopes),
        slopes,
        float(1 - error / spread) if spread > 0 else float("nan"),
        np.full(width, np.nan) if penalty else t,
        count,
    )


class NextMove(NamedTuple):
    """Odds that the next change of the mid is up, by queue imbalance.

    Attributes
    ----------
    x0, x1 : float
        P(up) = 1 / (1 + exp(−(x0 + x1·I))).
    moves : int
        Changes of the mid that were learnt from.
    log_likelihood, null_log_likelihood : float
        Mean of a move, with and without imbalance; the first is the higher one.
    """

    x0: float
    x1: float
    moves: int
    log_likelihood: float
    null_log_likelihood: float

    def probability(self, imbalance: FloatArray | float) -> FloatArray:
        """P(up) at an imbalance from −1 to 1."""
        return np.asarray(1 / (1 + np.exp(-(self.x0 + self.x1 * np.asarray(imbalance, np.float64)))))


def next_move(moments: Moments) -> NextMove:
    """Fit the odds of the direction of the next change of the mid.

    Parameters
    ----------
    moments : Moments
        States of the best levels, as :func:`~workbench.flow.touch.touches` gives them.

    Raises
    ------
    WorkbenchError
        Moves in one direction only, or imbalance that tells them apart without a doubt: no finite odds fit.

    Notes
    -----
    Each state between two changes of the mid (within one stretch of a known book) is an observation, weighed such that
    every interval counts once. States before the first known and behind the last change are left out. Fitted by
    Newton's method. What is fitted looks ahead; use it on later data.

    References
    ----------
    M. Gould, J. Bonart, "Queue imbalance as a one-tick-ahead price predictor", arXiv:1512.03492.

    Examples
    --------
    >>> import workbench as wb
    >>> from workbench.flow.touch import touches
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("30s")
    >>> bool(0 < next_move(touches(s)).probability(0.5) < 1)
    True
    """
    if not isinstance(moments, Moments):
        raise WorkbenchError(f"states of {moments!r:.60}", expected="what wb.touches(x) gives")
    values, ups, weights = _observations(moments)
    moves = round(float(weights.sum()))
    share = float((weights * ups).sum() / weights.sum()) if moves else float("nan")
    if not 0 < share < 1:
        raise WorkbenchError(f"{moves} changes of the mid, all in one direction", action="Fit on more data.")
    x0, x1 = _newton(values, ups, weights)
    at = 1 / (1 + np.exp(-(x0 + x1 * values)))
    likelihood = (weights * np.where(ups, np.log(at), np.log1p(-at))).sum() / weights.sum()
    null = share * np.log(share) + (1 - share) * np.log1p(-share)
    return NextMove(x0, x1, moves, float(likelihood), float(null))


def _observations(moments: Moments) -> tuple[FloatArray, Array, FloatArray]:
    """Imbalance, whether the next change is up, and weight of each state that a change follows."""
    two_sided = moments.known & (moments.bid_size[:, 0] > 0) & (moments.ask_size[:, 0] > 0)
    double_mid = moments.bid[:, 0] + moments.ask[:, 0]
    moved = np.diff(double_mid, append=double_mid[-1:])[: len(double_mid)]
    usable = two_sided & np.append(two_sided[1:], False)[: len(two_sided)]
    # an interval ends with a move, or where there is no book; only those that end with a move are told apart
    last = np.flatnonzero((moved != 0) | ~usable)
    interval = np.searchsorted(last, np.arange(len(moved)))
    inside = interval < len(last)
    end = last[interval[inside]]
    kept = two_sided[inside] & usable[end] & (moved[end] != 0)
    interval = interval[inside][kept]
    weights = 1 / np.bincount(interval)[interval] if len(interval) else np.zeros(0)
    return depth_imbalance(moments)[inside][kept], moved[end[kept]] > 0, weights


def _newton(values: FloatArray, ups: Array, weights: FloatArray) -> tuple[float, float]:
    design = np.column_stack([np.ones(len(values)), values])
    found = np.zeros(2)
    for _ in range(_MOST_STEPS):
        at = 1 / (1 + np.exp(-(design @ found)))
        bend = (design * (weights * at * (1 - at))[:, None]).T @ design
        if np.linalg.cond(bend) > 1e12:
            break
        step = np.linalg.solve(bend, design.T @ (weights * (ups - at)))
        found += step
        if np.abs(step).max() < 1e-12 * max(1.0, np.abs(found).max()):
            return float(found[0]), float(found[1])
    raise WorkbenchError(
        "no finite odds fit: imbalance does not vary, or leaves no doubt", action="Fit on more data."
    )


__all__ = ["NextMove", "Regression", "next_move", "regress"]
