"""Decimal numbers read many at a time: eight digits are one word, and a word is read with three multiplications.

The method is D. Lemire's and W. Muła's; here each step runs over a whole column of words.

References
----------
D. Lemire, "Quickly parsing eight digits", 2018 (lemire.me/blog); J. Johnson, "Faster integer parsing", 2020.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from workbench.bridge.codes import SEPARATOR_BYTES
from workbench.events import Array

FRONT: Final = 32
"""Bytes that must stand before a text, so that the words of its first number lie in the buffer."""
BACK: Final = 256
"""Bytes that stand behind it, so that the words of a window from any place on lie in the buffer."""
MAX_DIGITS: Final = 19


def word_of(text: bytes) -> np.uint64:
    """Return up to eight bytes as the word that is read where they stand."""
    return np.uint64(int.from_bytes(text, "little"))


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

_SEPARATOR: Final = word_of(SEPARATOR_BYTES)
_SEPARATOR_MASK: Final = np.uint64(0xFFFFFF)
_EACH_BYTE: Final = np.uint64(0x0101010101010101)
_FIRST_BYTES: Final = np.uint64(SEPARATOR_BYTES[0] * 0x0101010101010101)
_BITS_LEFT: Final = np.uint64(0x4038302820181008)  # shifted by n bytes, the highest is 8 · (8 − n)
_SEVEN: Final = np.uint64(7)
_TOP_BYTE: Final = np.uint64(56)
_BITS_OF_BYTES: Final = np.uint64(3)
_WORD_BITS: Final = np.uint64(64)
_BEFORE: Final = bytes(FRONT - 1) + b"\n"


class Text:
    """Bytes that are read at many places at once.

    Parameters
    ----------
    block : bytes
        The text. ``buffer`` holds it behind :data:`FRONT` bytes, the last of them a newline; all places count from there.
    widest : int, optional
        The widest window that is looked at, bytes.
    """

    __slots__ = ("buffer", "codes", "words")

    def __init__(self, block: bytes, widest: int = BACK) -> None:
        self.buffer = b"".join((_BEFORE, block, bytes(max(widest, BACK))))
        self.codes = np.frombuffer(self.buffer, np.uint8)
        # One word from each byte on: overlapping, unaligned, and never copied as a whole.
        self.words = np.ndarray((len(self.buffer) - 7,), "<u8", self.buffer, strides=(1,))

    def between(self, start: int, end: int) -> bytes:
        """Return the bytes of one place."""
        return self.buffer[start:end]

    def window(self, starts: Array, width: int) -> Array:
        """Return the words from each place on, shape (n_places, width / 8).

        A wide element is fetched as fast as a word (5 ns, measured), so what stands together is fetched together.
        """
        wide = np.ndarray((len(self.buffer) - width + 1,), f"V{width}", self.buffer, strides=(1,))
        words: Array = wide[starts].view("<u8").reshape(len(starts), width // 8)
        return words

    def pairs(self, starts: Array, ends: Array) -> tuple[Array, Array]:
        """Return two numbers with a separator between, int64 of shape (2, n), and whether both are of 32 bits."""
        value, good = self._short_pairs(starts, ends)
        number = value.view(np.int64)
        if not good.all():
            others = np.flatnonzero(~good)
            number[:, others], good[others] = self._long_pairs(starts.take(others), ends.take(others))
        return number, good

    def _short_pairs(self, starts: Array, ends: Array) -> tuple[Array, Array]:
        """Read pairs of numbers of 1 to 8 digits each."""
        word, following = self.window(starts, 16).T
        behind = _from_separator(word)
        first = 8 - (behind >> _BITS_OF_BYTES).view(np.int64)
        second = ends - starts
        second -= first
        second -= len(SEPARATOR_BYTES)
        between = (word >> (_WORD_BITS - behind)) | (following << behind)
        between &= _SEPARATOR_MASK
        good = between == _SEPARATOR
        good &= (first > 0) & (second > 0) & (second <= 8)
        digits = np.empty((2, len(starts)), np.uint64)
        digits[0] = (word ^ _ZEROS) << behind
        digits[1] = (self.words[ends - 8] ^ _ZEROS) & _LAST_BYTES.take(second, mode="clip")
        good &= _are_digits(digits).all(axis=0)
        return _joined(digits), good

    def _long_pairs(self, starts: Array, ends: Array) -> tuple[Array, Array]:
        """Read pairs of numbers of any length or sign, each of 32 bits."""
        middle = starts + 8 - (_from_separator(self.words[starts]) >> _BITS_OF_BYTES).view(np.int64)
        longer = np.flatnonzero(middle == starts + 8)
        behind = _from_separator(self.words[middle.take(longer)])
        middle[longer] += 8 - (behind >> _BITS_OF_BYTES).view(np.int64)
        good = (self.words[middle] & _SEPARATOR_MASK) == _SEPARATOR
        first, fits = self.signed(starts, middle)
        second, fits_too = self.signed(middle + len(SEPARATOR_BYTES), ends)
        return np.stack([first, second]), good & fits & fits_too

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
        good &= _are_digits(word)
        return _joined(word)


def _are_digits(words: Array) -> Array:
    """Whether all bytes of a word are 0 to 9."""
    odd = words + _TO_HIGH_BIT
    odd |= words
    odd &= _HIGH_BITS
    good: Array = odd == 0
    return good


def _joined(words: Array) -> Array:
    """Return the numbers that bytes of 0 to 9 spell, the first byte first; the words are used up."""
    for factor, shift, mask in (_PAIRS, _FOURS, _EIGHT):
        words *= factor
        words >>= shift
        words &= mask
    return words


def _from_separator(words: Array) -> Array:
    """Return how many bits of a word stand from the first byte on that may begin a separator; 0 if there is none.

    Taking 1 from each byte sets the highest bit of one that is 0, and falsely only of bytes behind such a one.
    """
    words = words ^ _FIRST_BYTES
    found = words - _EACH_BYTE
    found &= ~words
    found &= _HIGH_BITS
    found &= -found
    found >>= _SEVEN
    found *= _BITS_LEFT
    found >>= _TOP_BYTE
    return found
