"""Chance for the market kernels: a counter-based generator and elementary functions of basic arithmetic only.

``math.log`` and ``math.exp`` come from the platform's libm and differ in the last bit between machines. The
market must not, so both are written here with + − × ÷ alone, which IEEE 754 rounds the same way everywhere
(numba neither reorders nor fuses them without ``fastmath``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt
from numba import types

RandomState = npt.NDArray[np.uint64]
"""Shape (2,): the key and the counter. Draw ``n`` is a pure function of both."""

_Function = TypeVar("_Function", bound=Callable[..., object])


def kernel(function: _Function) -> _Function:
    """Compile for the market: without Python's lock, without reordering of arithmetic.

    Not cached one by one: the cache watches only the file of a function, and would keep using an old version of a
    kernel of another file. The entry points are cached, see :mod:`workbench.feeds.simulator.entry`. Calls with
    constants (``below(rng, 2)``) share one version: numba would compile one for each constant, twice the time.
    """
    # Wrappers for calls from Python would cost as much compiling as the kernels themselves.
    options: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    compiled: Any = numba.njit(nogil=True, error_model="numpy", **options)(function)
    unliteral = getattr(types, "unliteral")  # noqa: B009  # missing in its type stubs
    template = compiled.get_call_template
    compiled.get_call_template = lambda args, kws: template(tuple(unliteral(a) for a in args), kws)
    return cast(_Function, compiled)


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


@kernel
def mixed(value: np.uint64) -> np.uint64:
    """Return the finalizer of SplitMix64 (Steele, Lea and Flood 2014): 64 well-mixed bits of a number."""
    value = (value ^ (value >> _S30)) * _MIX_1
    value = (value ^ (value >> _S27)) * _MIX_2
    return value ^ (value >> _S31)


@kernel
def bits(rng: RandomState) -> np.uint64:
    """Draw 64 random bits; the counter moves on by one."""
    rng[1] += _ONE
    return mixed(rng[0] + rng[1] * _GOLDEN)


@kernel
def uniform(rng: RandomState) -> float:
    """Draw from [0, 1)."""
    return float(bits(rng) >> _S11) * _UNIT


@kernel
def below(rng: RandomState, bound: int) -> int:
    """Draw an integer from 0 to ``bound`` − 1 (Lemire's multiplication; bias below 2⁻³²·bound)."""
    return np.int64(((bits(rng) >> _S32) * np.uint64(bound)) >> _S32)  # type: ignore[return-value]  # int() would stay unsigned


@kernel
def cell(rng: RandomState) -> int:
    """Draw an index into a quantile table of 1,024 entries."""
    return np.int64(bits(rng) >> _S54)  # type: ignore[return-value]  # int() would stay unsigned


@kernel
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


@kernel
def decay(x: float) -> float:
    """e^−x for x ≥ 0, to about 1e-5: (1 + y + y²/2)^−64 with y = x / 64."""
    if x > 40.0:
        return 0.0
    y = x / 64.0
    result = 1.0 / (1.0 + y + 0.5 * y * y)
    for _ in range(6):
        result *= result
    return result
