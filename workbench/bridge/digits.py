"""Decimal numbers read many at a time: eight digits are one word, and a word is read with three multiplications.

The method is D. Lemire's and W. Muła's; here each step runs over a whole column of words.

References
----------
D. Lemire, "Quickly parsing eight digits", 2018 (lemire.me/blog); J. Johnson, "Faster integer parsing", 2020.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from workbench.events import Array

FRONT: Final = 32
"""Bytes that must stand before a text, so that the words of its first number lie in the buffer."""
BACK: Final = 16
MAX_DIGITS: Final = 19

_ZEROS: Final = np.uint64(0x3030303030303030)
_TO_HIGH_BIT: Final = np.uint64(0x7676767676767676)  # 9 + 0x76 is the last that leaves the high bit alone
_HIGH_BITS: Final = np.uint64(0x8080808080808080)
_LAST_BYTES: Final = np.array(
    [0] + [(2**64 - 1) << 8 * (8 - n) & (2**64 - 1) for n in range(1, 9)], np.uint64
)
_PAIRS: Final = (np.uint64(2561), np.uint64(8), np.uint64(0x00FF00FF00FF00FF))  # 10 · 2⁸ + 1
_FOURS: Final = (np.uint64(6553601), np.uint64(16), np.uint64(0x0000FFFF0000FFFF))  # 100 · 2¹⁶ + 1
_EIGHT: Final = (np.uint64(42949672960001), np.uint64(32), np.uint64(0xFFFFFFFF))  # 10⁴ · 2³² + 1
_TEN_TO_8: Final = np.uint64(10**8)
_TEN_TO_16: Final = np.uint64(10**16)
_MINUS: Final = ord("-")


def word_of(text: bytes) -> np.uint64:
    """Return up to eight bytes as the word that is read where they stand."""
    return np.uint64(int.from_bytes(text, "little"))


class Text:
    """Bytes that are read at many places at once.

    Parameters
    ----------
    block : bytes
        The text. ``buffer`` holds it behind :data:`FRONT` bytes, the last of them a newline; all places count from there.
    """

    __slots__ = ("buffer", "codes", "words")

    def __init__(self, block: bytes) -> None:
        self.buffer = b"\0" * (FRONT - 1) + b"\n" + block + b"\0" * BACK
        self.codes = np.frombuffer(self.buffer, np.uint8)
        # One word from each byte on: overlapping, unaligned, and never copied as a whole.
        self.words = np.ndarray((len(self.buffer) - 7,), "<u8", self.buffer, strides=(1,))

    def between(self, start: int, end: int) -> bytes:
        """Return the bytes of one place."""
        return self.buffer[start:end]

    def whole(self, starts: Array, ends: Array) -> tuple[Array, Array]:
        """Return the numbers between these places, uint64, and whether each is 1 to 19 digits and nothing else."""
        length = ends - starts
        longest = int(length.max(initial=0))
        good = length > 0
        if longest > MAX_DIGITS:
            good &= length <= MAX_DIGITS
        if longest <= 8:
            return self._eight(ends, np.maximum(length, 0), good), good
        np.clip(length, 0, MAX_DIGITS, out=length)
        value = self._eight(ends, np.minimum(length, 8), good)
        value += _TEN_TO_8 * self._eight(ends - 8, np.clip(length - 8, 0, 8), good)
        if longest > 16:
            value += _TEN_TO_16 * self._eight(ends - 16, np.maximum(length - 16, 0), good)
        return value, good

    def signed(self, starts: Array, ends: Array) -> tuple[Array, Array]:
        """Return the int64 numbers between these places, maybe negative, and whether each is one of 32 bits."""
        negative = self.codes.take(starts) == _MINUS
        signs = bool(negative.any())
        value, good = self.whole(starts + negative if signs else starts, ends)
        number = value.view(np.int64)
        if signs:
            number = np.where(negative, -number, number)
        return number, good & (number >= -(2**31)) & (number < 2**31)

    def _eight(self, ends: Array, length: Array, good: Array) -> Array:
        """Return the numbers of the last ``length`` ≤ 8 digits before ``ends``; what is none is noted in ``good``."""
        word = self.words[ends - 8]
        word ^= _ZEROS
        word &= _LAST_BYTES.take(length)
        odd = word + _TO_HIGH_BIT
        odd |= word
        odd &= _HIGH_BITS
        good &= odd == 0
        for factor, shift, mask in (_PAIRS, _FOURS, _EIGHT):
            word *= factor
            word >>= shift
            word &= mask
        number: Array = word
        return number
