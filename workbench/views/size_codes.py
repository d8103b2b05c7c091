"""Sizes as the wire carries them: 16-bit logarithms, 0 where nothing rests."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import types

from workbench.book.jit import I4_COLUMN, kernel

Array = npt.NDArray[Any]

STEPS_PER_OCTAVE: Final = 1024
"""1 + 1024·log2(lots) keeps every size to 0.03 % and reaches 2^63 lots."""

_MANTISSA_BITS: Final = 23
_BUCKET_BITS: Final = 12
"""4,096 buckets of an octave, each narrower than the narrowest step: at most one step begins within a bucket."""
_SHIFT: Final = _MANTISSA_BITS - _BUCKET_BITS
_MASK: Final = (1 << _MANTISSA_BITS) - 1


def _tables() -> tuple[Array, Array]:
    """Step at the beginning of each bucket, and the mantissa at which each step begins."""
    edges = np.exp2((np.arange(STEPS_PER_OCTAVE + 1) - 0.5) / STEPS_PER_OCTAVE) - 1
    begins = np.ceil(edges * 2**_MANTISSA_BITS).astype(np.int32)
    begins = np.append(begins, np.int32(2**31 - 1))
    buckets = np.arange(1 << _BUCKET_BITS) << _SHIFT
    return (np.searchsorted(begins, buckets, "right") - 1).astype(np.int32), begins


_STEPS, _BEGINS = _tables()
_NEXT: Final = _BEGINS[_STEPS + 1]
"""Mantissa at which the next step begins, by bucket."""


def quantise(lots: Array) -> npt.NDArray[np.uint16]:
    """Sizes in lots as 16-bit logarithms, 0 where nothing rests; shape as given."""
    if lots.dtype == np.float32:
        codes = np.empty(lots.size, np.uint16)
        codes_of(np.ascontiguousarray(lots).reshape(-1).view(np.int32), codes)
        return codes.reshape(lots.shape)
    with np.errstate(divide="ignore"):
        steps = np.rint(STEPS_PER_OCTAVE * np.log2(np.maximum(lots, 0), dtype=np.float64))
    return np.where(np.asarray(lots) > 0, np.clip(steps + 1, 1, 65535), 0).astype(np.uint16)


def dequantise(codes: Array) -> npt.NDArray[np.float64]:
    """Inverse of :func:`quantise` to within 0.04 %, lots; shape as given."""
    return np.where(codes > 0, np.exp2((codes.astype(np.float64) - 1) / STEPS_PER_OCTAVE), 0.0)


def narrowed(codes: npt.NDArray[np.uint16]) -> tuple[npt.NDArray[np.uint8], int, int]:
    """Codes in one byte each, for a picture that a sharper one follows: half as much to carry.

    Returns
    -------
    bytes : uint8, shape as given
        0 where nothing rests, else ``1 + (code - low) / step``, rounded.
    low, step : int
        Least code, and how many codes one byte's step spans: 254 steps reach from the smallest size to the largest.
    """
    low = int((codes - np.uint16(1)).min(initial=65534)) + 1  # nothing wraps around to the top
    step = max(1, -(-(int(codes.max(initial=0)) - low) // 254))
    steps = (codes.astype(np.int32) + (step // 2 - low)) // step + 1
    return np.where(codes > 0, steps, 0).astype(np.uint8), low, step


@kernel(types.void(I4_COLUMN, types.uint16[::1]))
def codes_of(bits: Array, codes: Array) -> None:
    """Codes of float32 sizes given as their bits: the exponent counts octaves, a table the steps within one."""
    # 32-bit integers and no branch: the compiler works on eight cells at a time
    for i in range(len(bits)):
        value = bits[i]
        mantissa = np.int32(value & np.int32(_MASK))
        bucket = mantissa >> np.int32(_SHIFT)
        step = _STEPS[bucket] + np.int32(mantissa >= _NEXT[bucket])
        octave = (value >> np.int32(_MANTISSA_BITS)) - np.int32(127)
        code = np.int32(1) + octave * np.int32(STEPS_PER_OCTAVE) + step
        code = min(max(code, np.int32(1)), np.int32(65535))
        codes[i] = np.uint16(code) if value > 0 else np.uint16(0)
