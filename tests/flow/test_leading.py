"""Dependence of asynchronous prices and lead-lag: against the double sum, and a planted lag."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.touches import Recorded, states
from workbench.errors import WorkbenchError
from workbench.flow.leading import hayashi_yoshida, increments, lead_lag

MS = 1_000_000


def path(seed: int, count: int = 40) -> pl.DataFrame:
    """A price that moves by whole ticks at times of its own or repeats itself, null now and then."""
    rng = np.random.default_rng(seed)
    price = np.where(rng.random(count) < 0.4, 0, rng.integers(-3, 4, count)).cumsum().astype(float)
    price[rng.random(count) < 0.05] = np.nan
    ts = rng.integers(1, 9, count).cumsum()
    return pl.DataFrame({"ts": ts, "price": price}).with_columns(pl.col("price").fill_nan(None))


def observed(frame: pl.DataFrame) -> list[tuple[int, int, float]]:
    """Start, end and change between neighbouring observations, those that repeat the price as well."""
    rows = list(frame.iter_rows())
    return [(u, v, q - p) for (u, p), (v, q) in itertools.pairwise(rows) if p is not None and q is not None]


@given(seed=st.integers(0, 10_000), lag=st.integers(-20, 20))
def test_the_covariance_is_the_double_sum(seed, lag):
    """Over all pairs whose times overlap once b is shifted back by the lag; the same bits, as they are whole numbers."""
    a, b = path(seed), path(seed + 1)
    x, y = observed(a), observed(b)
    expected = sum(r * s for u, v, r in x for start, end, s in y if max(u, start - lag) < min(v, end - lag))
    assert hayashi_yoshida(a, b, lag).covariance == expected
    assert hayashi_yoshida(b, a, -lag).covariance == expected


def test_by_hand():
    """a: +1 over (0,10], +2 over (10,20]; b: +3 over (0,15], −1 over (15,20]: 1·3 + 2·3 + 2·(−1) = 7.

    Norms 1 + 4 and 9 + 1: correlation 7 / √50.
    """
    a = pl.DataFrame({"ts": [0, 10, 20], "mid": [1.0, 2.0, 4.0]})
    b = pl.DataFrame({"ts": [0, 15, 20], "close": [5.0, 8.0, 7.0]})
    found = hayashi_yoshida(a, b)
    assert found.covariance == 7
    assert found.correlation == pytest.approx(7 / 50**0.5)


def test_a_repeated_price_is_an_observation():
    """a rests until 20 and moves in (20, 30], b in (0, 5]: they share no time, and do not move together."""
    a = pl.DataFrame({"ts": [0, 10, 20, 30], "price": [1.0, 1.0, 1.0, 2.0]})
    b = pl.DataFrame({"ts": [0, 5, 25, 30], "price": [0.0, 1.0, 1.0, 1.0]})
    assert hayashi_yoshida(a, b).covariance == 0.0


def market(times: np.ndarray, price: np.ndarray) -> Recorded:
    """A book whose best prices follow a path."""
    return Recorded([states([(int(p), 5, int(p) + 1, 5) for p in price], times.tolist())])


def test_a_planted_lag_is_recovered():
    """b repeats what a did, 30 ms later, at times of its own: the contrast is largest there, a leads."""
    rng = np.random.default_rng(3)
    grid = np.arange(1, 4001) * 10 * MS
    price = 1000 + rng.choice([-1, 1], len(grid)).cumsum()
    times = np.sort(rng.choice(grid[10:], 3000, replace=False)) + 1 * MS
    seen = price[np.searchsorted(grid, times - 30 * MS, side="right") - 1]
    a, b = market(grid, price), market(times, seen)
    lags = [k * 10 * MS for k in range(-10, 11)]
    found = lead_lag(a, b, lags)
    assert found.lag_ns in (30 * MS, 40 * MS)
    assert found.correlation > 0.5
    assert found.ratio > 3
    other = lead_lag(b, a, lags)
    assert other.lag_ns == -found.lag_ns
    assert other.frame["covariance"].to_list()[::-1] == found.frame["covariance"].to_list()


def test_independent_paths_hardly_correlate():
    """Two walks that know nothing of each other stay within four standard errors of 0 at every lag."""
    rng = np.random.default_rng(6)
    walks = [
        market(np.arange(1, 4001) * 10 * MS + k, 1000 + rng.choice([-1, 1], 4000).cumsum()) for k in (0, 3)
    ]
    assert lead_lag(*walks, lags=["-50ms", 0, "50ms"]).frame["correlation"].abs().max() < 4 / 4000**0.5 * 2


def test_increments_end_at_a_gap():
    """The mid repeats itself, moves 0.5, then a gap, then 1: nothing is measured across."""
    levels = [(100, 1, 101, 1), (100, 2, 101, 1), (100, 1, 102, 1), None, (200, 1, 201, 1), (201, 1, 202, 1)]
    found = increments(Recorded([states(levels)]))
    assert (found.start.tolist(), found.end.tolist(), found.change.tolist()) == ([2, 5], [3, 6], [0.5, 1.0])


def test_of_several_prices_at_one_time_the_last_one_counts():
    """A trade at 7 that ends at 3 within one moment moved the price from 1 to 3."""
    frame = pl.DataFrame({"ts": [1, 5, 5, 9], "price": [1.0, 7.0, 3.0, 4.0]})
    found = increments(frame)
    assert (found.start.tolist(), found.end.tolist(), found.change.tolist()) == ([1, 5], [5, 9], [2.0, 1.0])


def test_what_cannot_be_measured_is_refused():
    """Frames without prices, times that fall, no lags, nothing that moves."""
    good = path(1)
    with pytest.raises(WorkbenchError, match="ts and one of"):
        hayashi_yoshida(good.rename({"price": "value"}), good)
    with pytest.raises(WorkbenchError, match="times that fall"):
        hayashi_yoshida(good.reverse(), good)
    with pytest.raises(WorkbenchError, match="no lags"):
        lead_lag(good, good, [])
    with pytest.raises(WorkbenchError, match="never moves"):
        lead_lag(good, good.with_columns(price=1.0))
