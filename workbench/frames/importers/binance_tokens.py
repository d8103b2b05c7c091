"""Tokens of Binance's JSON, read byte by byte: integers, decimals, strings, lists of levels.

Each reader says where it stopped, or -1 for whatever it is not sure of: the plain parser then looks at the line.
"""

# mypy: disable-error-code="assignment,return-value"
# numba wants every number to be an np.int64 from the start; to mypy a plain int is then another type.

from __future__ import annotations

from typing import Final

import numpy as np

from workbench.book.jit import part
from workbench.events import Array, IntArray

__all__ = [
    "FALSE",
    "NULL",
    "TRUE",
    "decimal",
    "integer",
    "letters",
    "levels",
    "matches",
    "skip_scalar",
    "string_end",
]

MAX_DIGITS: Final = 18  # any 18 digits fit int64


def letters(text: str) -> Array:
    """Text as bytes, uint8."""
    return np.frombuffer(text.encode(), np.uint8)


TRUE, FALSE, NULL = letters("true"), letters("false"), letters("null")


@part
def integer(text: Array, at: int) -> tuple[int, int]:
    """Unsigned integer and the place behind it; -1 where there is none, or none that fits."""
    start = at
    value = 0
    while True:
        digit = np.int64(text[at]) - 48
        if digit < 0 or digit > 9:
            break
        value = value * 10 + digit
        at += 1
    digits = at - start
    if not 0 < digits <= MAX_DIGITS or (digits > 1 and text[start] == 48):  # JSON knows no leading zeros
        return 0, -1
    return value, at


@part
def decimal(text: Array, at: int, decimals: int) -> tuple[int, int]:
    """Quoted decimal as a multiple of 10^-decimals, and the place behind it; -1 where the plain parser must look."""
    if text[at] != 34:
        return 0, -1
    at += 1
    start = at
    value = np.int64(0)
    while True:
        digit = np.int64(text[at]) - 48
        if digit < 0 or digit > 9:
            break
        value = value * 10 + digit
        at += 1
    digits = at - start
    missing = decimals
    if digits and text[at] == 46:
        at += 1
        start = at
        while True:
            digit = np.int64(text[at]) - 48
            if digit < 0 or digit > 9:
                break
            if missing > 0:
                value = value * 10 + digit
                missing -= 1
                digits += 1
            elif digit:
                return 0, -1
            at += 1
        if at == start:
            return 0, -1
    if digits == 0 or text[at] != 34 or digits + missing > MAX_DIGITS:
        return 0, -1
    while missing > 0:
        value *= 10
        missing -= 1
    return value, at + 1


@part
def string_end(text: Array, at: int) -> int:
    """Place of the closing quote of a string whose content starts at ``at``; -1 for escapes, line ends, and beyond ASCII."""
    while True:
        byte = text[at]
        if byte == 34:
            return at
        if byte == 92 or byte < 32 or byte > 126:
            return -1
        at += 1


@part
def levels(
    text: Array,
    at: int,
    side: int,
    decimals: Array,
    prices: IntArray,
    sizes: IntArray,
    sides: Array,
    row: int,
) -> tuple[int, int]:
    """Read [["price","size"],…]; the row behind the last level and the place behind the list, -1 if not plain."""
    if text[at] != 91:
        return row, -1
    at += 1
    if text[at] == 93:
        return row, at + 1
    while True:
        if text[at] != 91:
            return row, -1
        price, at = decimal(text, at + 1, decimals[0])
        if at < 0 or text[at] != 44:
            return row, -1
        size, at = decimal(text, at + 1, decimals[1])
        if at < 0 or text[at] != 93:
            return row, -1
        prices[row] = price
        sizes[row] = size
        sides[row] = side
        row += 1
        at += 1
        if text[at] == 93:
            return row, at + 1
        if text[at] != 44:
            return row, -1
        at += 1


@part
def matches(text: Array, at: int, word: Array) -> bool:
    """Whether a word stands at a place."""
    for i in range(len(word)):  # noqa: SIM110 – numba has no generators
        if text[at + i] != word[i]:
            return False
    return True


@part
def skip_scalar(text: Array, at: int) -> int:
    """Place behind a value of a key that nobody needs: text, whole number, true, false, null; -1 for anything else."""
    byte = text[at]
    if byte == 34:
        end = string_end(text, at + 1)
        return end + 1 if end >= 0 else -1
    if byte == 116 or byte == 102 or byte == 110:
        word = TRUE if byte == 116 else FALSE if byte == 102 else NULL
        return at + len(word) if matches(text, at, word) else -1
    start = at + 1 if byte == 45 else at
    _, end = integer(text, start)
    return end if end > start else -1
