"""The arithmetic of VWAP: exact sums in whole numbers, averages rounded once, deviations by Welford."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import types
from numba.extending import intrinsic

from workbench.book.jit import I8_COLUMN, kernel, part
from workbench.events import Array

# Slots of the exact state: Σ(price − reference)·size in four limbs of 16 bits (the last one open), Σ size, the
# reference price. One 64-bit product overflows for sizes of 1e-8: 260,000 ticks · 1000 · 10 coins · 10⁸.
VOLUME: Final = 4
REFERENCE: Final = 5
SLOTS: Final = 6
_MEAN: Final = 0
_SQUARES: Final = 1
_BLOCK: Final = 512
"""Trades at a time: their sums stay in the nearest cache, and averages of a block are computed side by side."""
_SAFE: Final = 2.0**61
_HALF: Final = 4294967296.0
_MOST_LOTS: Final = 2.0**51

# Whole numbers below 2⁵² become doubles by their bits: under the exponent of 2⁵² they are its mantissa. The processor
# does that four at a time, and plain conversions one at a time.
_EXPONENT: Final = 0x4330000000000000
_SIGNED_EXPONENT: Final = 0x4330000080000000
_SHIFTED: Final = 4503599627370496.0  # 2⁵²
_SIGNED_SHIFTED: Final = 4503601774854144.0  # 2⁵² + 2³¹


def _fused(context: Any, a: Any, b: Any, c: Any) -> Any:
    """a·b + c, rounded once."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fma(*arguments)

    return types.float64(types.float64, types.float64, types.float64), generate


fused: Final[Any] = intrinsic(_fused)


@part
def _sums(price: Array, size: Array, start: int, stop: int, exact: Array, bits: Array, sums: Array) -> bool:
    """Running sums of a block, ``sums`` is what ``bits`` are as doubles; nothing where they could leave 64 bits."""
    if not -8192 < exact[3] < 8192:
        return False
    moved = (exact[3] << 48) + (exact[2] << 32) + (exact[1] << 16) + exact[0]
    volume, reference = exact[VOLUME], exact[REFERENCE]
    count = stop - start
    high, low, lots = bits[0, :count], bits[1, :count], bits[2, :count]
    # All bits that occur bound the largest value, and are cheaper than it; negative sizes show in the first bit.
    distances, sizes = np.int64(0), np.int64(0)
    for i in range(count):
        away, s = price[start + i] - reference, size[start + i]
        distances |= away ^ (away >> 63)
        sizes |= s
        moved += away * s
        volume += s
        low[i], lots[i] = moved, volume
    most = float(sizes) * count
    if sizes < 0 or (float(distances) + 1.0) * most >= _SAFE or float(exact[VOLUME]) + most >= _MOST_LOTS:
        return False
    exact[VOLUME] = volume
    for limb in range(3):
        exact[limb] = (moved >> (16 * limb)) & 0xFFFF
    exact[3] = moved >> 48
    for i in range(count):
        high[i] = (np.int64(np.uint64(low[i]) >> np.uint64(32))) ^ _SIGNED_EXPONENT
        low[i] = (low[i] & 0xFFFFFFFF) | _EXPONENT
        lots[i] |= _EXPONENT
    coarse, small, volumes = sums[0, :count], sums[1, :count], sums[2, :count]
    for i in range(count):
        coarse[i] = (coarse[i] - _SIGNED_SHIFTED) * _HALF
        small[i] -= _SHIFTED
        volumes[i] -= _SHIFTED
    return True


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


# Sums of two doubles (Dekker 1971). Each quotient is a product with a reciprocal, whose error the second double takes up
# again: what is left is near 2⁻¹⁰⁴ of the value.
@part
def _averages(sums: Array, reference: float, numerator: float, denominator: float, out: Array) -> None:
    """(reference + moved / volume) · numerator / denominator, rounded once: the doubles nearest to the exact prices."""
    per = 1.0 / denominator
    coarse, small, lots = sums[0, : len(out)], sums[1, : len(out)], sums[2, : len(out)]
    for i in range(len(out)):
        volume = lots[i]
        share = 1.0 / volume
        moved = coarse[i] + small[i]
        rest = small[i] - (moved - coarse[i])
        away = moved * share
        away_rest = (fused(-away, volume, moved) + rest) * share
        total = reference + away
        back = total - reference
        total_rest = (reference - (total - back)) + (away - back) + away_rest
        scaled = total * numerator
        scaled_rest = fused(total, numerator, -scaled) + total_rest * numerator
        value = scaled * per
        out[i] = value + (fused(-value, denominator, scaled) + scaled_rest) * per


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
    # Wider than a block: addresses a multiple of 4096 apart look alike to the processor.
    bits = np.empty((3, _BLOCK + 40), np.int64)
    sums = bits.view(np.float64)
    if len(price) and exact[VOLUME] == 0:
        exact[REFERENCE] = price[0]
    for start in range(0, len(price), _BLOCK):
        stop = min(start + _BLOCK, len(price))
        if not _sums(price, size, start, stop, exact, bits, sums):
            _wide_sums(price, size, start, stop, exact, sums)
        _averages(sums, float(exact[REFERENCE]), numerator, denominator, vwap[start:stop])
        if len(sigma):
            scale = price[start:stop], size[start:stop], sums[2], numerator, denominator
            _deviations(*scale, moments, sigma[start:stop])
