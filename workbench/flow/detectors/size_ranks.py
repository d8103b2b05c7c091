"""Ranks of sizes without keeping them: counts in bins that are exact below 32 lots and 1/16 of a power of two above."""

from __future__ import annotations

from typing import Final

import numpy as np

from workbench.book.jit import part
from workbench.events import Array, IntArray

_EXACT: Final = 32
_STEPS: Final = 16
BINS: Final = _EXACT + 58 * _STEPS


def empty_counts() -> IntArray:
    """Counts of no sizes; int64, shape (n_bins,)."""
    return np.zeros(BINS, np.int64)


@part
def bin_of(size: int) -> int:
    """Bin of a size above 0."""
    if size < _EXACT:
        return size
    shift, rest = 0, size
    while rest >= 2 * _STEPS:
        rest >>= 1
        shift += 1
    return _EXACT + (shift - 1) * _STEPS + rest - _STEPS


@part
def least_of(at: int) -> int:
    """Smallest size of a bin."""
    if at < _EXACT:
        return at
    shift, rest = (at - _EXACT) // _STEPS + 1, (at - _EXACT) % _STEPS + _STEPS
    return rest << shift


@part
def ranked(counts: Array, total: int, share: float) -> int:
    """Smallest size of the bin in which the size of rank ⌈share · total⌉ lies; 0 without any."""
    wanted, seen = np.ceil(share * total), 0
    for at in range(len(counts)):
        seen += counts[at]
        if seen > 0 and seen >= wanted:
            return least_of(at)
    return 0


@part
def halved(counts: Array) -> int:
    """Halve all counts, so that what is old weighs less; their new sum."""
    total = 0
    for at in range(len(counts)):
        counts[at] >>= 1
        total += counts[at]
    return total
