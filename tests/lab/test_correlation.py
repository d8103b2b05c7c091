"""Rank correlation, its interval on null data, and its decay."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.lab.correlation import half_life, information


def test_ranks_by_hand() -> None:
    """Ranks 1 2 3.5 3.5 5 6 7 8 against 2 1 3 4 5 6 8 7: ρ = Σxy / √(Σx² Σy²) about their means."""
    score = np.array([0.1, 0.2, 0.5, 0.5, 0.6, 0.7, 0.8, 0.9])
    move = np.array([2.0, 1, 3, 4, 5, 6, 8, 7])
    x = np.array([1, 2, 3.5, 3.5, 5, 6, 7, 8]) - 4.5
    y = np.array([2, 1, 3, 4, 5, 6, 8, 7]) - 4.5
    expected = (x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum())
    assert information(score, move, 1, np.random.default_rng(1)).value == pytest.approx(expected, abs=1e-12)


def test_any_rising_function_is_one() -> None:
    """Only the order counts."""
    score = np.random.default_rng(2).standard_normal(100)
    assert information(score, np.exp(score), 1, np.random.default_rng(2)).value == pytest.approx(1.0)


def test_null_data_are_covered_at_the_nominal_rate() -> None:
    """285 of 300 are expected; binomial, ±3.3 standard deviations of 3.8, and a little for the approximation."""
    hits = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        found = information(rng.standard_normal(400), rng.standard_normal(400), 1, rng)
        hits += found.low <= 0 <= found.high
    assert 269 <= hits <= 298


def test_too_little_says_nothing() -> None:
    """Seven points, or a score that never changes."""
    rng = np.random.default_rng(3)
    assert np.isnan(information(np.arange(7.0), np.arange(7.0), 1, rng).value)
    assert np.isnan(information(np.ones(50), np.arange(50.0), 1, rng).value)
    assert np.isnan(information(np.full(50, np.nan), np.arange(50.0), 1, rng).value)


def test_half_life_of_a_known_decay() -> None:
    """0.2 · 2^(−t/7) halves in 7."""
    horizons = np.array([0.1, 1.0, 10.0, 60.0])
    assert half_life(horizons, 0.2 * 2 ** (-horizons / 7)) == pytest.approx(7.0)
    assert half_life(horizons, -0.2 * 2 ** (-horizons / 7)) == pytest.approx(7.0)


def test_what_does_not_decay_has_no_half_life() -> None:
    """Growing, unknown, or of one sign once only."""
    horizons = np.array([1.0, 2.0, 3.0])
    for values in ([0.1, 0.2, 0.3], [np.nan, 0.2, 0.1], [0.1, -0.1, -0.1], [0.0, 0.0, 0.0]):
        assert np.isnan(half_life(horizons, np.array(values)))
