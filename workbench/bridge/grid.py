"""The exact grid behind the doubles that Bookmap sends."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Final

from workbench.bridge.wire import InstrumentInfo
from workbench.errors import InstrumentError
from workbench.events import Instrument

SIGNIFICANT_DIGITS: Final = 12
"""Doubles are taken by so many digits where that changes nothing: 0.009999999999999998 is 0.01."""
SMALLEST_STEP: Final = 1e-15
LARGEST_STEP: Final = 1e15


def instrument_of(info: InstrumentInfo) -> Instrument:
    """Return the instrument that Bookmap describes.

    Raises
    ------
    InstrumentError
        A tick or size that is not finite and positive, a name of control characters.

    Notes
    -----
    A tick is ``pips``, a lot 1 / ``size_multiplier``: both the package's own definitions and its code divide sizes by it.
    """
    multiplier = info.instrument_multiplier
    return Instrument(
        symbol=info.alias,
        tick_size=exact_step(info.alias, "pips", info.pips),
        lot_size=_tidy(1 / exact_step(info.alias, "size multiplier", info.size_multiplier)),
        multiplier=exact_step(info.alias, "multiplier", multiplier) if _is_step(multiplier) else Decimal(1),
        full_name=info.full_name,
        features={**info.features, "is_crypto": info.is_crypto},
    )


def exact_step(alias: str, what: str, value: float) -> Decimal:
    """Return the decimal that a double stands for.

    >>> exact_step("X", "pips", 0.25), exact_step("X", "pips", 0.009999999999999998)
    (Decimal('0.25'), Decimal('0.01'))
    """
    if not _is_step(value):
        raise InstrumentError(
            f"instrument {alias!r} has {what} {value}", expected=f"{SMALLEST_STEP:g} to {LARGEST_STEP:g}"
        )
    short = float(f"{value:.{SIGNIFICANT_DIGITS}g}")
    return _tidy(Decimal(repr(short if math.isclose(short, value, rel_tol=4e-16) else value)))


def _is_step(value: float) -> bool:
    return SMALLEST_STEP <= value <= LARGEST_STEP  # false for NaN


def _tidy(number: Decimal) -> Decimal:
    """Drop zeros at the end, but write no exponents: 100.0 is 100."""
    number = number.normalize()
    return number.quantize(Decimal(1)) if number == number.to_integral_value() else number
