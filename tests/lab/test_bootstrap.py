"""Intervals by blocks: sums by hand, nominal cover on null data, an effect found with its size."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from workbench.errors import WorkbenchError
from workbench.lab.bootstrap import block_length, block_sums, mean_interval, student_quantile

SEEDS = 400
SECOND = 1_000_000_000


def moving(rng: np.random.Generator, rows: int, overlap: int) -> np.ndarray:
    """Noise of which ``overlap`` neighbours share all but one part, as overlapping forward moves do."""
    steps = np.concatenate([[0.0], rng.standard_normal(rows + overlap - 1).cumsum()])
    return (steps[overlap:] - steps[:-overlap])[:rows, None]


def bursts(rng: np.random.Generator, count: int, each: int, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """Forward moves of a random walk in bursts of 5 s, one at a random place of each minute and with one side, and their times."""
    walk = np.concatenate([[0.0], rng.standard_normal(600 * count + 10 * reach + 60).cumsum()])
    at = np.sort(rng.integers(0, 50, (count, each)), axis=1)
    at += (rng.integers(0, 550, count) + 600 * np.arange(count))[:, None]
    moves = (walk[at + 10 * reach] - walk[at]) * rng.choice([-1, 1], (count, 1))
    return moves.reshape(-1, 1), at.reshape(-1) * (SECOND // 10)


def covered(made: Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray]], reach: int) -> int:
    """How many of 400 intervals of 95 % hold the true mean, 0."""
    hits = 0
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        found = mean_interval(*made(rng), reach * SECOND, rng, draws=300)
        hits += bool(found.low[0] <= 0 <= found.high[0])
    return hits


def seconds(rows: int) -> np.ndarray:
    """Times a second apart."""
    return SECOND * np.arange(rows)


@pytest.mark.parametrize(("rows", "overlap"), [(60, 1), (500, 1), (500, 10), (1000, 50)])
def test_null_data_are_covered_at_the_nominal_rate(rows: int, overlap: int) -> None:
    """380 of 400 are expected; binomial, ±3.3 standard deviations of 4.4, and a little for the approximation."""
    assert 362 <= covered(lambda rng: (moving(rng, rows, overlap), seconds(rows)), overlap) <= 396


@pytest.mark.parametrize(("count", "reach"), [(20, 5), (20, 10), (60, 10), (60, 1), (10, 30)])
def test_bursts_of_events_are_covered_at_the_nominal_rate(count: int, reach: int) -> None:
    """Forty events within five seconds say hardly more than one: intervals know it, wherever the bursts lie."""
    assert 362 <= covered(lambda rng: bursts(rng, count, 40, reach), reach) <= 396


def test_a_planted_effect_is_found_with_its_size() -> None:
    """0.5 on noise of 1 over 400 rows: near 0.5, and 0 is outside; half-width near 1.96 / √400 = 0.098."""
    rng = np.random.default_rng(2)
    found = mean_interval(0.5 + rng.standard_normal((400, 1)), seconds(400), SECOND, rng)
    assert abs(found.value[0] - 0.5) < 0.15
    assert 0 < found.low[0] < 0.5 < found.high[0] < 0.75
    assert 0.06 < (found.high[0] - found.low[0]) / 2 < 0.16


def test_blocks_go_round() -> None:
    """Rows 1, 2, 4, 8 in blocks of 3 and 1: (1 2 4) + one, (2 4 8), (4 8 1), (8 1 2) + one."""
    sums = block_sums(np.array([[1.0], [2.0], [4.0], [8.0]]), 3, 200, np.random.default_rng(2))
    assert set(sums[:, 0]) <= {three + one for three in (7, 14, 13, 11) for one in (1, 2, 4, 8)}
    assert len(set(sums[:, 0])) > 8


def test_the_same_generator_gives_the_same() -> None:
    """Nothing is random but what is drawn from the argument."""
    values = np.random.default_rng(3).standard_normal((50, 2))
    one, other = (mean_interval(values, seconds(50), 4 * SECOND, np.random.default_rng(4)) for _ in range(2))
    for a, b in zip(one, other):
        np.testing.assert_array_equal(a, b)


def test_unknown_values_are_left_out() -> None:
    """The mean of 1 and 3 is 2, whatever NaN lies between; a column that is all NaN is unknown."""
    values = np.array([[1.0, np.nan], [np.nan, np.nan], [3.0, np.nan], [np.nan, np.nan]])
    found = mean_interval(values, seconds(4), SECOND, np.random.default_rng(5))
    assert found.value[0] == 2.0
    assert np.isnan(found.value[1])
    assert np.isnan(found.low[1])


@pytest.mark.parametrize("values", [np.empty((0, 1)), np.ones((1, 1))])
def test_too_little_has_no_interval(values: np.ndarray) -> None:
    """One observation says nothing of its error."""
    assert np.isnan(mean_interval(values, seconds(len(values)), SECOND, np.random.default_rng(6)).low[0])


def test_blocks_that_make_no_sense() -> None:
    """A block has one row at least and all at most."""
    for block in (0, 5):
        with pytest.raises(WorkbenchError, match="blocks"):
            block_sums(np.ones((4, 1)), block, 2, np.random.default_rng(7))


def test_length_of_blocks() -> None:
    """1000^(1/3) = 10; twice an overlap of 30; a quarter of 100 rows; one at least."""
    assert [block_length(1000), block_length(1000, 30), block_length(100, 90), block_length(2)] == [
        10,
        60,
        25,
        1,
    ]


def test_quantiles_of_student() -> None:
    """Tables: 2.571 (5), 2.042 (30), 1.96 (many)."""
    assert [round(student_quantile(0.975, n), 2) for n in (5, 30, 1e9)] == [2.57, 2.04, 1.96]
