"""Chance for the market kernels: a counter-based generator and elementary functions of basic arithmetic only.

``math.log`` and ``math.exp`` come from the platform's libm and differ in the last bit between machines. The
market must not, so both are written here with + − × ÷ alone, which IEEE 754 rounds the same way everywhere
(numba neither reorders nor fuses them without ``fastmath``).
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np

from workbench.book.jit import part

RandomState: TypeAlias = Any
"""A record with the unsigned fields ``key`` and ``counter``. Draw ``n`` is a pure function of both."""

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2: Final = np.uint64(0x94D049BB133111EB)
_S11: Final = np.uint64(11)
_S27: Final = np.uint64(27)
_S30: Final = np.uint64(30)
_S31: Final = np.uint64(31)
_S32: Final = np.uint64(32)
_S54: Final = np.uint64(54)
_ONE: Final = np.uint64(1)
_UNIT: Final = 2.0**-53
_TERMS: Final = (1 / 3, 1 / 5, 1 / 7, 1 / 9, 1 / 11)


@part
def mixed(value: np.uint64) -> np.uint64:
    """Return the finalizer of SplitMix64 (Steele, Lea and Flood 2014): 64 well-mixed bits of a number."""
    value = (value ^ (value >> _S30)) * _MIX_1
    value = (value ^ (value >> _S27)) * _MIX_2
    return value ^ (value >> _S31)


@part
def bits(rng: RandomState) -> np.uint64:
    """Draw 64 random bits; the counter moves on by one."""
    rng.counter += _ONE
    return mixed(rng.key + rng.counter * _GOLDEN)


@part
def uniform(rng: RandomState) -> float:
    """Draw from [0, 1)."""
    return float(bits(rng) >> _S11) * _UNIT


@part
def below(rng: RandomState, bound: int) -> int:
    """Draw an integer from 0 to ``bound`` − 1 (Lemire's multiplication; bias below 2⁻³²·bound)."""
    return np.int64(((bits(rng) >> _S32) * np.uint64(bound)) >> _S32)  # type: ignore[return-value]  # int() would stay unsigned


@part
def cell(rng: RandomState) -> int:
    """Draw an index into a quantile table of 1,024 entries."""
    return np.int64(bits(rng) >> _S54)  # type: ignore[return-value]  # int() would stay unsigned


@part
def exponential(rng: RandomState) -> float:
    """Draw from the exponential distribution of mean 1: −ln u by the series of artanh."""
    u = float((bits(rng) >> _S11) + _ONE) * _UNIT
    halvings = 0
    while u < 0.5:
        u *= 2.0
        halvings += 1
    t = (1.0 - u) / (1.0 + u)
    square = t * t
    total = 1.0
    power = square
    for term in _TERMS:
        total += power * term
        power *= square
    return 2.0 * t * total + halvings * 0.6931471805599453


@part
def decay(x: float) -> float:
    """e^−x for x ≥ 0, to about 1e-5: (1 + y + y²/2)^−64 with y = x / 64."""
    if x > 40.0:
        return 0.0
    y = x / 64.0
    result = 1.0 / (1.0 + y + 0.5 * y * y)
    for _ in range(6):
        result *= result
    return result
