"""Least squares and logistic odds against worked examples and planted truth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.support.touches import Recorded, states
from workbench.errors import WorkbenchError
from workbench.flow.regression import next_move, regress
from workbench.flow.touch import touches


def test_a_line_by_hand():
    """x 0 1 2 3, y 1 3 5 8: slope 11.5/5 = 2.3, intercept 4.25 − 2.3·1.5 = 0.8, Σrest² 0.3 of 26.75.

    Variance 0.3/2, t = 2.3 / √(0.15/5) = 13.279; a row with a NaN does not count.
    """
    found = regress(np.array([1, 3, 5, 8, 9.0]), np.array([0, 1, 2, 3, np.nan]))
    assert found.observations == 4
    assert (found.intercept, found.slopes[0]) == (pytest.approx(0.8), pytest.approx(2.3))
    assert found.r_squared == pytest.approx(1 - 0.3 / 26.75)
    assert found.t[0] == pytest.approx(2.3 / math.sqrt(0.03))


def test_planted_slopes_of_several_flows_are_found():
    """Two flows that move together: least squares finds both slopes, a penalty brings them nearer to each other."""
    rng = np.random.default_rng(4)
    common = rng.normal(size=(5000, 1))
    flows = common + rng.normal(size=(5000, 2)) * 0.5
    change = 0.3 + flows @ [1.0, -0.5] + rng.normal(size=5000) * 0.1
    plain, ridge = regress(change, flows), regress(change, flows, penalty=1.0)
    np.testing.assert_allclose(plain.slopes, [1.0, -0.5], atol=0.02)
    assert plain.intercept == pytest.approx(0.3, abs=0.02)
    assert abs(ridge.slopes[0] - ridge.slopes[1]) < 1.0
    assert np.isnan(ridge.t).all()


def test_flows_that_say_nothing_are_refused():
    """Too few rows, a constant, a sum of the others."""
    with pytest.raises(WorkbenchError, match="at least 3"):
        regress(np.ones(2), np.ones(2))
    with pytest.raises(WorkbenchError, match="do not vary"):
        regress(np.arange(9.0), np.ones(9))
    with pytest.raises(WorkbenchError, match="sums of each other"):
        regress(np.arange(9.0), np.column_stack([np.arange(9.0), 2 * np.arange(9.0)]))


def market(seed: int, count: int, x1: float) -> list[tuple[int, int, int, int]]:
    """Imbalances that last a few changes each, and a next move by the odds of the last of them."""
    rng = np.random.default_rng(seed)
    price, found = 1000, []
    for _ in range(count):
        bid = int(rng.integers(1, 20))
        value = (2 * bid - 20) / 20
        # the same imbalance at several sizes: an interval of many states counts once
        found += [(price, bid * k, price + 1, (20 - bid) * k) for k in range(1, int(rng.integers(2, 5)))]
        price += 1 if rng.random() < 1 / (1 + math.exp(-x1 * value)) else -1
    return found


def test_planted_odds_are_found():
    """Twenty thousand moves by known odds: x0 = 0 and x1 = 1.5 within three standard errors (0.08)."""
    found = next_move(touches(Recorded([states(market(3, 20_000, 1.5))])))
    assert found.moves == 19_999
    assert found.x0 == pytest.approx(0, abs=0.05)
    assert found.x1 == pytest.approx(1.5, abs=0.1)
    assert found.log_likelihood > found.null_log_likelihood
    np.testing.assert_allclose(found.probability([0.0, 1.0]), [0.5, 0.8176], atol=0.02)


def test_intervals_by_hand():
    """I = 0 and 0.5 before an up, −0.5 before a down: a gap takes the state before it out, as no move follows.

    With 0.25 (their mean) up and −0.5 down there is no doubt left: no finite odds, which is said.
    """
    levels = [(100, 1, 101, 1), (100, 3, 101, 1), (101, 1, 102, 3), (100, 5, 101, 1), None, (7, 1, 9, 1)]
    with pytest.raises(WorkbenchError, match="leaves no doubt"):
        next_move(touches(Recorded([states(levels)])))


def test_moves_in_one_direction_are_refused():
    """Odds need both."""
    with pytest.raises(WorkbenchError, match="1 changes of the mid, all in one direction"):
        next_move(touches(Recorded([states([(100, 1, 101, 1), (101, 1, 102, 3)])])))
    with pytest.raises(WorkbenchError, match="0 changes of the mid"):
        next_move(touches(Recorded([])))
