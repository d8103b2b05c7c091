"""The arithmetic of VWAP: exact sums in whole numbers, averages rounded once, deviations by Welford."""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import types

from workbench.book.jit import I8_COLUMN, kernel, part
from workbench.events import Array

# Slots of the exact state: Σ(price − reference)·size in four limbs of 16 bits (the last one open), Σ size, the
# reference price. One 64-bit product overflows for sizes of 1e-8: 260,000 ticks · 1000 · 10 coins · 10⁸.
VOLUME: Final = 4
REFERENCE: Final = 5
SLOTS: Final = 6
_MEAN: Final = 0
_SQUARES: Final = 1
_BLOCK: Final = 1024
"""Trades at a time: their sums stay in the nearest cache, and averages of a block are computed side by side."""
_SAFE: Final = 2.0**61
_HALF: Final = 4294967296.0


@part
def _product(a: float, b: float) -> tuple[float, float]:
    """Product of two doubles without error, as a sum of two (Dekker 1971)."""
    split_a, split_b = 134217729.0 * a, 134217729.0 * b  # 2²⁷ + 1
    high_a, high_b = split_a - (split_a - a), split_b - (split_b - b)
    low_a, low_b = a - high_a, b - high_b
    product = a * b
    return product, low_a * low_b - (((product - high_a * high_b) - low_a * high_b) - high_a * low_b)


@part
def _quotient(high: float, low: float, divisor: float) -> tuple[float, float]:
    """Quotient of a sum of two doubles by a double, as a sum of two."""
    first = high / divisor
    product, error = _product(first, divisor)
    return first, ((high - product) - error + low) / divisor


@part
def _fits(price: Array, size: Array, start: int, stop: int, exact: Array) -> bool:
    """Whether the sums of a block stay within 64 bits."""
    if not -8192 < exact[3] < 8192:
        return False
    low, high, largest = price[start], price[start], size[start]
    for i in range(start, stop):
        low, high, largest = min(low, price[i]), max(high, price[i]), max(largest, size[i])
    reference = float(exact[REFERENCE])
    furthest = max(abs(float(low) - reference), abs(float(high) - reference))
    return bool(furthest * float(largest) * (stop - start) < _SAFE)


@part
def _sums(price: Array, size: Array, start: int, stop: int, exact: Array, sums: Array) -> None:
    """Running sums of a block whose products fit into 64 bits."""
    moved = (exact[3] << 48) + (exact[2] << 32) + (exact[1] << 16) + exact[0]
    volume, reference = exact[VOLUME], exact[REFERENCE]
    for i in range(start, stop):
        moved += (price[i] - reference) * size[i]
        volume += size[i]
        sums[0, i - start] = float(moved >> 32) * _HALF
        sums[1, i - start] = float(moved & 0xFFFFFFFF)
        sums[2, i - start] = float(volume)
    exact[VOLUME] = volume
    for limb in range(3):
        exact[limb] = (moved >> (16 * limb)) & 0xFFFF
    exact[3] = moved >> 48


@part
def _wide_sums(price: Array, size: Array, start: int, stop: int, exact: Array, sums: Array) -> None:
    """Running sums of a block, limb by limb."""
    for i in range(start, stop):
        away = price[i] - exact[REFERENCE]
        carry = np.int64(0)
        for limb in range(4):
            piece = (size[i] >> (16 * limb)) & 0xFFFF if limb < 3 else size[i] >> 48
            total = exact[limb] + away * piece + carry
            exact[limb], carry = (total & 0xFFFF, total >> 16) if limb < 3 else (total, np.int64(0))
        exact[VOLUME] += size[i]
        # Both are whole: the same two doubles as the narrow sums give once they are added.
        sums[0, i - start] = exact[3] * 281474976710656.0
        sums[1, i - start] = exact[2] * _HALF + exact[1] * 65536.0 + exact[0]
        sums[2, i - start] = float(exact[VOLUME])


@part
def _averages(sums: Array, reference: float, numerator: float, denominator: float, out: Array) -> None:
    """(reference + moved / volume) · numerator / denominator, rounded once: the doubles nearest to the exact prices."""
    for i in range(len(out)):
        fine, volume = sums[1, i], sums[2, i]
        moved = sums[0, i] + fine
        rest = fine - (moved - sums[0, i])
        away, away_rest = _quotient(moved, rest, volume)
        total = reference + away
        back = total - reference
        total_rest = (reference - (total - back)) + (away - back) + away_rest
        scaled, scaled_rest = _product(total, numerator)
        value, value_rest = _quotient(scaled, scaled_rest + total_rest * numerator, denominator)
        out[i] = value + value_rest


@part
def _deviations(
    price: Array, size: Array, volume: Array, numerator: float, denominator: float, moments: Array, out: Array
) -> None:
    """σ after each trade. Weighted Welford: the form Σs·p²/Σs − vwap² loses the digits that matter."""
    mean, squares = moments[_MEAN], moments[_SQUARES]
    for i in range(len(out)):
        delta = price[i] - mean
        mean += delta * (size[i] / volume[i])
        squares += size[i] * delta * (price[i] - mean)
        out[i] = squares
    moments[_MEAN], moments[_SQUARES] = mean, squares
    for i in range(len(out)):
        out[i] = np.sqrt(max(out[i], 0.0) / volume[i]) * numerator / denominator


@kernel(types.void(I8_COLUMN, I8_COLUMN, *[types.float64] * 2, types.int64[::1], *[types.float64[::1]] * 3))
def accumulate(
    price: Array,
    size: Array,
    numerator: float,
    denominator: float,
    exact: Array,
    moments: Array,
    vwap: Array,
    sigma: Array,
) -> None:
    """One formula for both faces: VWAP and σ after each trade, real units; no σ where ``sigma`` has no room."""
    sums = np.empty((3, _BLOCK))
    if len(price) and exact[VOLUME] == 0:
        exact[REFERENCE] = price[0]
    for start in range(0, len(price), _BLOCK):
        stop = min(start + _BLOCK, len(price))
        if _fits(price, size, start, stop, exact):
            _sums(price, size, start, stop, exact, sums)
        else:
            _wide_sums(price, size, start, stop, exact, sums)
        _averages(sums, float(exact[REFERENCE]), numerator, denominator, vwap[start:stop])
        if len(sigma):
            scale = price[start:stop], size[start:stop], sums[2], numerator, denominator
            _deviations(*scale, moments, sigma[start:stop])
