"""The price grid of data that do not name it: exact integers from decimal text, and the tick that fits them all."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Final

import numpy as np

from workbench.errors import ImportFailedError
from workbench.events import Array, IntArray

UNIT_DECIMALS: Final = 8
"""Prices of text formats are first held as multiples of 1e-8; no venue that is read here prints more decimals."""

INT32_MAX: Final = 2**31 - 1
_EXACT_FLOAT: Final = 2**51  # below, float(text) * 10**d is within half a unit of the exact integer


def common_step(units: Array, known: int = 0) -> int:
    """Greatest common divisor of ``units`` and ``known``; 0 when all are 0."""
    return int(np.gcd(np.gcd.reduce(units, initial=0), known)) if len(units) else known


def tick_units(divisor: int) -> int:
    """Largest of {1, 2, 2.5, 5}·10^k that divides ``divisor``: the tick of prices with that common divisor.

    >>> [tick_units(n) for n in (1, 25, 30, 75, 4000, 1250)]
    [1, 25, 10, 25, 2000, 250]
    """
    best = 1
    power = 1
    while power <= divisor:
        for step in (power, 2 * power, 5 * power, 25 * power // 10 if power >= 10 else 1):
            if divisor % step == 0:
                best = max(best, step)
        power *= 10
    return best


def unit_decimal(units: int, decimals: int) -> Decimal:
    """Exact decimal of ``units`` · 10^-``decimals`` in plain notation, without trailing zeros."""
    value = Decimal(units).scaleb(-decimals).normalize()
    return Decimal(format(value, "f"))


def units_of(text: str, decimals: int) -> int:
    """Exact multiple of 10^-``decimals`` of one decimal text.

    Raises
    ------
    ValueError
        No number, or more decimals than the unit holds.
    """
    try:
        scaled = Decimal(text).scaleb(decimals)
        whole = int(scaled)
    except (InvalidOperation, OverflowError, ValueError) as error:
        raise ValueError(f"{text!r} is no finite number") from error
    if whole != scaled:
        raise ValueError(f"{text!r} is no multiple of 1e-{decimals}")
    return whole


def chosen_tick(tick: Decimal, decimals: int) -> int:
    """A tick that was named, in units of 10^-``decimals``; refused if the format's prices are coarser than that."""
    try:
        return units_of(str(tick), decimals)
    except ValueError as error:
        raise ImportFailedError(
            f"tick_size={tick:f}",
            expected=f"a multiple of {Decimal(1).scaleb(-decimals):f}, the unit of the file's prices",
            action="Leave tick_size unset to take it from the file",
        ) from error


def decimals_of(texts: Iterable[str]) -> int:
    """Most decimals that any of the decimal texts shows ("0.010" shows 3), at least 0.

    Raises
    ------
    ValueError
        No number.
    """
    most = 0
    for text in texts:
        try:
            exponent = Decimal(text).as_tuple().exponent
        except InvalidOperation as error:
            raise ValueError(f"{text!r} is no number") from error
        if isinstance(exponent, int):
            most = max(most, -exponent)
    return most


def text_units(texts: Array, decimals: int) -> IntArray:
    """Multiples of 10^-``decimals`` of an array of decimal texts, exactly, shape as given.

    Raises
    ------
    ValueError
        A text is no number or off the unit.
    """
    floats = np.asarray(texts, dtype=np.float64) * 10.0**decimals
    if len(floats) and (not np.isfinite(floats).all() or np.abs(floats).max() >= _EXACT_FLOAT):
        return np.array([units_of(str(t), decimals) for t in texts], np.int64)
    units = np.rint(floats).astype(np.int64)
    doubtful = np.flatnonzero(np.abs(floats - units) > 1e-3)
    for row in doubtful[:1]:
        units_of(str(texts[row]), decimals)
    return units


def to_grid(units: IntArray, step: int, what: str, size: Decimal) -> IntArray:
    """Whole steps of ``units``; values off the grid are refused with the first of them."""
    steps = units // step
    off = np.flatnonzero(steps * step != units)
    if len(off):
        shown = Decimal(int(units[off[0]])) * size / step
        raise ImportFailedError(
            f"{what} {shown:f} is no multiple of {size:f}",
            expected=f"every {what} on the grid",
            action=f"Leave {'tick_size' if what == 'price' else 'lot_size'} unset to take it from the file",
        )
    return steps


def check_ticks(ticks: IntArray) -> None:
    """Refuse prices beyond the 32-bit range of the price column."""
    if len(ticks) and np.abs(ticks).max() > INT32_MAX:
        raise ImportFailedError(
            f"a price of {int(np.abs(ticks).max())} ticks",
            expected=f"at most {INT32_MAX} ticks",
            action="Pass a larger tick_size",
        )
