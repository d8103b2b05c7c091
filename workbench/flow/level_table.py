"""Numbers by price level and side, found by hashing: levels may lie anywhere, few of them are ever touched."""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import types

from workbench.book.jit import kernel, part
from workbench.events import Array, IntArray

EMPTY: Final = -(2**62)
FIRST_SLOTS: Final = 1024
KEYS: Final = types.int64[::1]
VALUES: Final = types.int64[:, ::1]


@part
def slot_of(keys: Array, price: int, side: int) -> int:
    """Slot of a level: the one that holds it, or the free one where it belongs."""
    key = price * 2 + (side < 0)
    mask = len(keys) - 1
    # Fibonacci hashing: neighbouring levels, the common case, spread evenly.
    at = int(np.int64((np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)) & mask)
    while keys[at] != key and keys[at] != EMPTY:
        at = (at + 1) & mask
    return at


@part
def entered(keys: Array, used: Array, price: int, side: int) -> int:
    """Slot of a level, which is entered if it is new."""
    at = slot_of(keys, price, side)
    if keys[at] == EMPTY:
        keys[at] = price * 2 + (side < 0)
        used[0] += 1
    return at


@kernel(types.void(KEYS, VALUES, KEYS, VALUES))
def _rehash(keys: Array, values: Array, new_keys: Array, new_values: Array) -> None:
    for i in range(len(keys)):
        if keys[i] != EMPTY:
            at = slot_of(new_keys, keys[i] >> 1, -1 if keys[i] & 1 else 1)
            new_keys[at] = keys[i]
            new_values[at] = values[i]


@kernel(types.void(KEYS, VALUES, types.int64, types.int64, VALUES))
def _gather(keys: Array, values: Array, low: int, side: int, out: Array) -> None:
    for row in range(len(out)):
        at = slot_of(keys, low + row, side)
        if keys[at] != EMPTY:
            out[row] = values[at]


class LevelTable:
    """``width`` numbers per price level and side, int64.

    Attributes
    ----------
    keys : int64, shape (n_slots,)
    values : int64, shape (n_slots, width)
    used : int64, shape (1,)
        Number of levels entered; kernels count it up and stop when :attr:`full`.
    """

    def __init__(self, width: int):
        self.keys: IntArray = np.full(FIRST_SLOTS, EMPTY, np.int64)
        self.values: IntArray = np.zeros((FIRST_SLOTS, width), np.int64)
        self.used: IntArray = np.zeros(1, np.int64)

    def grow(self) -> None:
        """Twice as many slots."""
        keys = np.full(2 * len(self.keys), EMPTY, np.int64)
        values = np.zeros((len(keys), self.values.shape[1]), np.int64)
        _rehash(self.keys, self.values, keys, values)
        self.keys, self.values = keys, values

    def between(self, low: int, high: int, side: int) -> IntArray:
        """Numbers of the levels of ticks [low, high) on one side, shape (high − low, width); 0 where none is known."""
        out = np.zeros((high - low, self.values.shape[1]), np.int64)
        _gather(self.keys, self.values, low, side, out)
        return out
