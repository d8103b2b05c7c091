"""PSR, DSR, PBO and the reality check against published and hand-made values."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from workbench.errors import WorkbenchError
from workbench.lab.statistics import dsr, expected_best, pbo, psr, reality_check

DAILY = 2.5 / math.sqrt(250)
VARIANCE = 0.5 / 250


def test_the_published_example() -> None:
    """Bailey and López de Prado: 2.5 a year, 1250 days, skewness −3, kurtosis 10, variance ½ a year."""
    assert round(expected_best(VARIANCE, 100), 5) == 0.11317
    assert round(dsr(DAILY, 1250, VARIANCE, 100, -3, 10), 4) == 0.9004
    assert round(dsr(DAILY, 1250, VARIANCE, 46, -3, 10), 4) == 0.9505


def test_psr_by_hand() -> None:
    """0.1 a period, 101 normal periods: Φ(0.1 · √(100 / 1.005)) = Φ(0.99751)."""
    assert psr(0.1, 101) == pytest.approx(0.5 * (1 + math.erf(0.1 * math.sqrt(100 / 1.005) / math.sqrt(2))))
    assert psr(0.1, 101, benchmark=0.1) == 0.5


def test_one_trial_needs_no_deflation() -> None:
    """Nothing was chosen."""
    assert expected_best(VARIANCE, 1) == 0.0
    assert dsr(0.1, 101, 0.0, 1) == psr(0.1, 101)


def test_too_few_periods_say_nothing() -> None:
    """One period has no error."""
    assert math.isnan(psr(0.1, 1))


def split(returns: np.ndarray, parts: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Σ, Σ² and counts of equal splits of returns, shape (periods, trials)."""
    cut = returns.reshape(parts, -1, returns.shape[1])
    return cut.sum(axis=1), (cut**2).sum(axis=1), np.full(parts, cut.shape[1], float)


def test_overfitting_agrees_with_a_plain_count() -> None:
    """All 20 ways to halve 6 splits of 4 trials, ranked one by one."""
    returns = np.random.default_rng(1).standard_normal((60, 4))
    parts, below = returns.reshape(6, 10, 4), 0
    ways = list(itertools.combinations(range(6), 3))
    for way in ways:
        rest = [k for k in range(6) if k not in way]
        inside, outside = (np.concatenate(parts[list(side)]) for side in (way, rest))
        best = int(np.argmax(inside.mean(axis=0) / inside.std(axis=0)))
        ratio = outside.mean(axis=0) / outside.std(axis=0)
        below += (1 + (ratio < ratio[best]).sum()) / 5 <= 0.5
    assert pbo(*split(returns, 6)) == below / len(ways)


def test_a_true_edge_is_no_overfitting_and_noise_is() -> None:
    """One trial that is good everywhere: 0; trials whose good half is the other one's bad half: 1."""
    rng = np.random.default_rng(2)
    noise = rng.standard_normal((600, 8))
    assert pbo(*split(noise + np.array([1.0] + [0.0] * 7), 12)) == 0.0
    flipped = np.tile(np.where(np.arange(4)[:, None] // 2 == 0, 1.0, -1.0), 2) * [1.0, -1.0]
    assert pbo(*split(np.repeat(flipped, 10, axis=0) + 1e-3 * noise[:40, :2], 4)) >= 0.3


def test_overfitting_needs_two_trials_and_even_splits() -> None:
    """One trial was not chosen; three splits have no halves."""
    assert math.isnan(pbo(*split(np.ones((4, 1)), 4)))
    with pytest.raises(WorkbenchError, match="even"):
        pbo(*split(np.ones((3, 2)), 3))


def test_reality_check() -> None:
    """The best of 20 worthless trials is no news (p is uniform: 40 seeds, few below 0.05); an edge is."""
    low = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        low += reality_check(rng.standard_normal((200, 20)), rng, draws=200) < 0.05
    assert low <= 7
    rng = np.random.default_rng(41)
    returns = rng.standard_normal((200, 20)) + np.array([0.4] + [0.0] * 19)
    assert reality_check(returns, rng, draws=200) < 0.02
