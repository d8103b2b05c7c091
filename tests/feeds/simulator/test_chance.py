"""Chance: the generator is SplitMix64, and the elementary functions are what they say."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from workbench.feeds.simulator.chance import below, bits, decay, exponential, uniform

MASK = (1 << 64) - 1


RANDOM = np.dtype([("key", np.uint64), ("counter", np.uint64)])


@numba.njit
def many(
    rng: Any,
    which: int,
    raw: npt.NDArray[np.uint64],
    real: npt.NDArray[np.float64],
    whole: npt.NDArray[np.int64],
) -> None:
    """Fill the arrays: bits, uniforms with exponentials, or integers below 7."""
    for i in range(len(raw)):
        if which == 0:
            raw[i] = bits(rng)
        elif which == 1:
            real[0, i] = uniform(rng)
        elif which == 2:
            real[1, i] = exponential(rng)
        else:
            whole[i] = below(rng, 7)


def drawn(
    key: int, count: int
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Draw bits, uniforms with exponentials, and integers below 7, each from a fresh state."""
    arrays = np.empty(count, np.uint64), np.empty((2, count), np.float64), np.empty(count, np.int64)
    for which in range(4):
        rng = np.zeros(1, RANDOM)[0]
        rng["key"] = key
        many(rng, which, *arrays)
    return arrays


@numba.njit
def decays(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Apply the decay to an array."""
    return np.array([decay(v) for v in values])


def splitmix(key: int, counter: int) -> int:
    """SplitMix64 in integers of Python."""
    z = (key + counter * 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def test_bits_are_those_of_splitmix64() -> None:
    """Each draw is a function of key and counter, the same as in plain Python."""
    raw, real, whole = drawn(12345, 1000)
    expected = [splitmix(12345, i + 1) for i in range(1000)]
    assert raw.tolist() == expected
    assert real[0].tolist() == [(e >> 11) / 2**53 for e in expected]
    assert whole.tolist() == [(e >> 32) * 7 >> 32 for e in expected]


def test_known_answer() -> None:
    """The first outputs of SplitMix64 seeded with 0 are published with its reference code."""
    raw, _, _ = drawn(0, 2)
    assert [hex(int(v)) for v in raw] == ["0xe220a8397b1dcdaf", "0x6e789e6aa1b965f4"]


def test_exponential_is_minus_the_logarithm() -> None:
    """The series agrees with the platform's logarithm to a millionth."""
    raw, real, _ = drawn(99, 5000)
    exact = np.array([-math.log(((int(v) >> 11) + 1) / 2**53) for v in raw])
    assert np.allclose(real[1], exact, rtol=2e-6, atol=1e-12)


def test_decay_is_the_exponential_function() -> None:
    """The rational power agrees with e^−x to 1e-4, and ends at 0."""
    x = np.linspace(0, 12, 500)
    assert np.allclose(decays(x), np.exp(-x), atol=1e-4)
    assert decays(np.array([41.0, 1e9])).tolist() == [0.0, 0.0]
