"""Which of two instruments moves first: covariance of asynchronous prices and its contrast over lags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from workbench.errors import WorkbenchError
from workbench.events import FloatArray, IntArray
from workbench.flow.bar_rule import interval_ns
from workbench.flow.touch import Moments, touches

Lag = int | str
_PRICES = ("mid", "microprice", "price", "close")


class Increments(NamedTuple):
    """Changes of a price, each over the time from the observation before it to its own; arrays of shape (n,).

    Attributes
    ----------
    start, end : int64, ns
        Rising; no increment starts before the end of the one before it. Observations that repeat the price are the ends of
        increments of 0, which are left out: they add to no sum.
    change : float64
        Ticks of the mid (whole halves), or the unit of a frame.
    """

    start: IntArray
    end: IntArray
    change: FloatArray


class Dependence(NamedTuple):
    """How two instruments move together.

    Attributes
    ----------
    covariance : float
        Sum of products, ticks² (real prices² of frames) over the whole span.
    correlation : float
        −1 to 1 but for small samples; NaN if one of them never moved.
    """

    covariance: float
    correlation: float


class LeadLag(NamedTuple):
    """Dependence of two instruments by lag.

    Attributes
    ----------
    frame : DataFrame
        ``lag_ns, covariance, correlation``, rising lags. At a lag above 0 ``a`` is compared with what ``b`` did so much
        later: ``a`` leads.
    lag_ns : int
        Where the magnitude of the covariance is largest; of several, the one nearest to 0.
    correlation : float
        There.
    ratio : float
        Σ correlation² over lags above 0 by that over lags below: above 1 ``a`` leads. NaN if either side has none.
    """

    frame: pl.DataFrame
    lag_ns: int
    correlation: float
    ratio: float


def increments(x: Any) -> Increments:
    """Changes of the mid of a session or recording, or of the price of a frame.

    Parameters
    ----------
    x : session, recording or DataFrame
        A frame has ``ts`` and one of ``mid``, ``microprice``, ``price``, ``close``; nulls part it.

    Raises
    ------
    WorkbenchError
        A frame without these columns, or with times that fall.
    """
    if isinstance(x, pl.DataFrame):
        return _of_frame(x)
    return _of_moments(touches(x))


def hayashi_yoshida(a: Any, b: Any, lag: Lag = 0) -> Dependence:
    """Covariance and correlation of two prices that do not change at the same times.

    Parameters
    ----------
    a, b : session, recording or DataFrame
        As :func:`increments` takes them.
    lag : int ns or str, optional
        ``a`` is compared with what ``b`` did so much later, like ``"50ms"``; below 0 (int) earlier.

    Notes
    -----
    Σ ΔA_i·ΔB_j over all pairs whose times (start, end] overlap: no resampling, so no bias towards 0 at fine scales
    (Epps). Every observation ends an increment, one that repeats the price too: of a session or recording each moment in
    which anything of the best levels was told. Changes of the mid are whole half ticks, their sums exact up to 2⁵³. Increments across a gap are left out.
    There is no streaming face: a pair counts only when both of its increments are over.

    References
    ----------
    T. Hayashi, N. Yoshida, "On covariance estimation of non-synchronously observed diffusion processes", Bernoulli 11
    (2005).

    Examples
    --------
    >>> import polars as pl
    >>> a = pl.DataFrame({"ts": [0, 10, 20], "price": [1.0, 2.0, 4.0]})
    >>> b = pl.DataFrame({"ts": [0, 15, 20], "price": [5.0, 8.0, 7.0]})
    >>> hayashi_yoshida(a, b).covariance
    7.0
    """
    left, right = increments(a), increments(b)
    return _dependence(left, right, _lag_ns(lag), *_norms(left, right))


def lead_lag(a: Any, b: Any, lags: Sequence[Lag] | None = None) -> LeadLag:
    """Which of two instruments moves first, and by how much.

    Parameters
    ----------
    a, b : session, recording or DataFrame
        As :func:`increments` takes them; on one clock.
    lags : sequence of int ns or str, optional
        Lags to try. Default: −1 s to 1 s, 1 ms, 2 ms, 5 ms, 10 ms, … apart on each side of 0.

    Returns
    -------
    LeadLag
        At a lag above 0, ``a`` leads.

    Raises
    ------
    WorkbenchError
        No lags, or nothing that moves.

    Notes
    -----
    The contrast is the Hayashi–Yoshida covariance with ``b`` shifted back by the lag; its largest magnitude estimates the
    lag. It looks at the whole span: use it on later data.

    References
    ----------
    M. Hoffmann, M. Rosenbaum, N. Yoshida, "Estimation of the lead-lag parameter from non-synchronous data", Bernoulli 19
    (2013). The ratio: N. Huth, F. Abergel, arXiv:1111.7103.

    Examples
    --------
    >>> import polars as pl
    >>> a = pl.DataFrame({"ts": [0, 100, 200, 300], "price": [1.0, 2.0, 0.0, 3.0]})
    >>> b = a.with_columns(pl.col("ts") + 40)
    >>> lead_lag(a, b, lags=range(-80, 81, 20)).lag_ns
    40
    """
    tried = sorted({_lag_ns(lag) for lag in (_default_lags() if lags is None else lags)})
    if not tried:
        raise WorkbenchError("no lags", expected="at least one, int ns or like '50ms'")
    left, right = increments(a), increments(b)
    norms = _norms(left, right)
    if not all(norms):
        raise WorkbenchError("an instrument whose price never moves", action="Use a longer span.")
    found = [_dependence(left, right, lag, *norms) for lag in tried]
    covariance, correlation = (np.array(column) for column in zip(*found))
    best = max(range(len(tried)), key=lambda i: (abs(covariance[i]), -abs(tried[i])))
    ahead, behind = (float((correlation[np.array(tried) * sign > 0] ** 2).sum()) for sign in (1, -1))
    frame = pl.DataFrame(
        {"lag_ns": tried, "covariance": covariance, "correlation": correlation},
        schema_overrides={"lag_ns": pl.Int64},
    )
    ratio = ahead / behind if ahead and behind else float("nan")
    return LeadLag(frame, tried[best], float(correlation[best]), ratio)


def _default_lags() -> list[int]:
    side = [digit * 10**power for power in (6, 7, 8) for digit in (1, 2, 5)] + [10**9]
    return [-lag for lag in side] + [0, *side]


def _lag_ns(lag: Lag) -> int:
    if isinstance(lag, str):
        return -interval_ns(lag[1:]) if lag.startswith("-") else interval_ns(lag)
    return int(lag)


def _of_moments(moments: Moments) -> Increments:
    two_sided = moments.known & (moments.bid_size[:, 0] > 0) & (moments.ask_size[:, 0] > 0)
    double_mid = np.where(two_sided, moments.bid[:, 0] + moments.ask[:, 0], 0)
    return _moves(moments.ts, double_mid / 2, two_sided)


def _of_frame(frame: pl.DataFrame) -> Increments:
    name = next((column for column in _PRICES if column in frame.columns), None)
    if name is None or "ts" not in frame.columns:
        raise WorkbenchError(f"a frame of {frame.columns}", expected=f"ts and one of {', '.join(_PRICES)}")
    ts = frame["ts"].to_physical().cast(pl.Int64).to_numpy()
    if (np.diff(ts) < 0).any():
        raise WorkbenchError("times that fall", expected="a frame sorted by ts")
    prices = frame[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return _moves(ts, prices, np.isfinite(prices))


def _moves(ts: IntArray, price: FloatArray, known: Any) -> Increments:
    """Increments between neighbouring observations; a repeated price is one too, and ends what was unchanged until then."""
    # of several prices at one time only the last one lasted; an unknown one parts the path wherever it stands
    lasted = np.append(np.diff(ts) != 0, True)[: len(ts)] | ~known
    ts, price, known = ts[lasted], price[lasted], known[lasted]
    change = np.diff(np.where(known, price, 0.0))
    moved = known[:-1] & known[1:] & (change != 0)
    return Increments(ts[:-1][moved], ts[1:][moved], change[moved])


def _norms(a: Increments, b: Increments) -> tuple[float, float]:
    return float(a.change @ a.change), float(b.change @ b.change)


def _dependence(a: Increments, b: Increments, lag_ns: int, norm_a: float, norm_b: float) -> Dependence:
    """Sum over overlapping pairs: each increment of ``a`` times the stretch of ``b`` that overlaps it."""
    path = np.concatenate([[0.0], np.cumsum(b.change)])
    first = np.searchsorted(b.end - lag_ns, a.start, side="right")
    behind = np.searchsorted(b.start - lag_ns, a.end, side="left")
    covariance = float(a.change @ (path[np.maximum(behind, first)] - path[first]))
    scale = float(np.sqrt(norm_a * norm_b))
    return Dependence(covariance, covariance / scale if scale > 0 else float("nan"))


__all__ = ["Dependence", "Increments", "LeadLag", "hayashi_yoshida", "increments", "lead_lag"]
