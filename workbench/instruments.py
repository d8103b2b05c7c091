"""Instruments: what is traded, and the exact grid that turns integers into real units."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from workbench.errors import InstrumentError, OffGridError

Array = npt.NDArray[Any]
FloatArray = npt.NDArray[np.float64]

SUBTICK_SHIFT: Final = 6
"""Trades may print between two ticks (midpoint and hidden executions). ``price`` is then the tick at or below and
``flags >> SUBTICK_SHIFT`` the rest in thousandths of a tick, 0–999: real price = (price + rest / 1000) · tick_size."""

SUBTICKS_PER_TICK: Final = 1000

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ue000\ud800-\udfff]")
Real = int | float | str | Decimal


@dataclass(frozen=True, slots=True)
class Instrument:
    """What is traded, and the grid that turns integers into real units.

    Parameters
    ----------
    symbol : str
        Name used everywhere in the workbench (Bookmap's alias, the venue's ticker). Hostile input: it is never
        used as a path or as HTML.
    tick_size, lot_size : str, Decimal or int
        Exact decimals: price of one tick, size of one lot. Floats are taken by their shortest spelling.
    multiplier : str, Decimal or int, optional
        Currency per point and unit of size.
    full_name : str, optional
    features : Mapping, optional
        What the source says of itself (``depth``, ``mbo``, ``trading``, …).

    Raises
    ------
    InstrumentError
        Control characters in the symbol; a tick, lot or multiplier that is not finite and positive.
    """

    symbol: str
    tick_size: Decimal
    lot_size: Decimal = Decimal(1)
    multiplier: Decimal = Decimal(1)
    full_name: str = ""
    features: Mapping[str, object] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        check_symbol(self.symbol)
        for name in ("tick_size", "lot_size", "multiplier"):
            value = _positive_decimal(self.symbol, name, getattr(self, name))
            object.__setattr__(self, name, value)

    def ticks(self, price: Real) -> int:
        """Integer ticks of a real price; off-grid prices are refused with the nearest valid ones."""
        return _on_grid(price, self.tick_size, "price", self.symbol)

    def lots(self, size: Real) -> int:
        """Integer lots of a real size; sizes off the grid are refused with the nearest valid ones."""
        return _on_grid(size, self.lot_size, "size", self.symbol)

    def price(self, ticks: int) -> Decimal:
        """Exact real price of integer ticks."""
        return int(ticks) * self.tick_size

    def size(self, lots: int) -> Decimal:
        """Exact real size of integer lots."""
        return int(lots) * self.lot_size

    def prices(self, ticks: Array, flags: Array | None = None) -> FloatArray:
        """Real prices, each the double nearest to the exact decimal.

        Parameters
        ----------
        ticks : array of int, shape (n,)
        flags : array of uint16, shape (n,), optional
            Given for trades, whose sub-tick part is then added.
        """
        if flags is None:
            return _scaled(ticks, self.tick_size)
        rest = (flags >> SUBTICK_SHIFT).astype(np.int64)
        if not rest.any():
            return _scaled(ticks, self.tick_size)
        return _scaled(ticks.astype(np.int64) * SUBTICKS_PER_TICK + rest, self.tick_size / SUBTICKS_PER_TICK)

    def sizes(self, lots: Array) -> FloatArray:
        """Real sizes, each the double nearest to the exact decimal; shape as given."""
        return _scaled(lots, self.lot_size)

    def to_dict(self) -> dict[str, object]:
        """Plain form for wire and manifest; numbers as decimal strings, so that they stay exact."""
        return {
            "symbol": self.symbol,
            "full_name": self.full_name,
            "tick_size": format(self.tick_size, "f"),
            "lot_size": format(self.lot_size, "f"),
            "multiplier": format(self.multiplier, "f"),
            "features": dict(self.features),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Instrument:
        """Inverse of :meth:`to_dict`; unknown keys are ignored (a newer peer may send more)."""
        known = {k: plain[k] for k in ("lot_size", "multiplier", "full_name", "features") if k in plain}
        return cls(plain["symbol"], plain["tick_size"], **known)


def check_symbol(symbol: str) -> None:
    """Refuse names that could break a line protocol, a log or a terminal."""
    if not symbol.strip():
        raise InstrumentError(f"instrument name {symbol!r}", expected="a non-empty text")
    bad = _CONTROL.search(symbol)
    if bad:
        raise InstrumentError(
            f"alias contains control character U+{ord(bad[0]):04X} at {bad.start()}",
            expected="printable text",
            action="Rename the instrument at its source",
            position=bad.start(),
        )


def _positive_decimal(symbol: str, name: str, value: Real) -> Decimal:
    number = _decimal(value)
    if number is None or not number.is_finite() or number <= 0:
        raise InstrumentError(
            f"instrument {symbol!r} has {name}={value}: refused", expected="a finite number > 0"
        )
    return number.normalize() if number == number.to_integral() and number < 1 else number


def _decimal(value: Real) -> Decimal | None:
    if isinstance(value, bool):
        return None
    try:
        return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        return None


FLOAT_GRID_TOLERANCE: Final = Fraction(1, 10**6)
"""A float counts as on the grid within a millionth of a step: 0.1 + 0.2 is the price 0.3."""


def _on_grid(value: Real, step: Decimal, what: str, symbol: str) -> int:
    if isinstance(value, np.generic):
        value = value.item()
    number = _decimal(value)
    if number is None or not number.is_finite():
        raise OffGridError(f"{what} {value!r} for {symbol}", expected="a finite number")
    steps = Fraction(number) / Fraction(step)
    nearest = round(steps)
    tolerance = FLOAT_GRID_TOLERANCE if isinstance(value, float) else 0
    if abs(steps - nearest) > tolerance:
        below = (number // step) * step if steps >= 0 else ((number // step) - 1) * step
        above = below + step
        raise OffGridError(
            f"{what} {number} for {symbol} is not a multiple of {step}",
            expected=f"nearest {below} or {above}",
            nearest=(below, above),
        )
    return nearest


def _scaled(values: Array, step: Decimal) -> FloatArray:
    # One correctly rounded division (or an exact product) gives the double nearest to the decimal,
    # which a product with float(step) does not: 3 * 0.1 != 0.3.
    ratio = Fraction(step)
    scaled = values.astype(np.float64)
    if ratio.numerator != 1:
        scaled = scaled * float(ratio.numerator)
    return scaled if ratio.denominator == 1 else scaled / float(ratio.denominator)
