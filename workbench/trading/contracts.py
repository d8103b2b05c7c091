"""Contracts: what a fill is worth, in integers as long as it can be, and what it costs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Final

import msgspec

from workbench.errors import InstrumentError
from workbench.instruments import Instrument
from workbench.trading.field_types import settle_types

LINEAR_SCALE: Final = 10**6
"""Linear money is counted in millionths of a tick times a lot; even, so that a mid between two ticks is exact."""

INVERSE_SCALE: Final = 10**24
"""Inverse money is counted in 10⁻²⁴ lots per tick: one over a price is rounded there, if it has to be an integer."""

ZERO: Final = Decimal(0)


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """What is held and paid: grid, multiplier, direction and fees of one instrument.

    Parameters
    ----------
    symbol : str
    tick_size, lot_size : Decimal
    multiplier : Decimal, optional
        Currency per point and unit of size; of an inverse contract: quote currency per unit of size.
    inverse : bool, optional
        Paid in the base coin: a position of n is worth ``n · multiplier · (1 / entry − 1 / price)``.
    maker, taker : Decimal, optional
        Fee as a part of the value traded, 0.0002 is two basis points; negative is a rebate.
    per_lot : Decimal, optional
        Fee per lot beside it, in the currency of settlement.

    Notes
    -----
    Prices are ticks, sizes lots; money is an integer of :attr:`scale` parts of one *unit*, and only
    :meth:`currency` makes real money of it, an exact fraction.

    Examples
    --------
    >>> from decimal import Decimal
    >>> es = Contract(symbol="ES", tick_size=Decimal("0.25"), lot_size=Decimal(1), multiplier=Decimal(50))
    >>> es.currency(es.worth(4) * 2)  # four ticks, two lots: 4 · 0.25 · 50 · 2
    Fraction(100, 1)
    """

    symbol: str
    tick_size: Decimal
    lot_size: Decimal = Decimal(1)
    multiplier: Decimal = Decimal(1)
    inverse: bool = False
    maker: Decimal = ZERO
    taker: Decimal = ZERO
    per_lot: Decimal = ZERO

    def __post_init__(self) -> None:
        settle_types(self)
        Instrument(self.symbol, self.tick_size, self.lot_size, self.multiplier)
        for name in ("maker", "taker", "per_lot"):
            value = getattr(self, name)
            if not value.is_finite() or (name != "per_lot" and abs(value) >= 1):
                raise InstrumentError(
                    f"fee {name}={value} of {self.symbol!r}",
                    expected="a part of the value, as 0.0002 for two basis points",
                )

    @classmethod
    def of(
        cls,
        instrument: Instrument,
        *,
        inverse: bool = False,
        maker: Decimal = ZERO,
        taker: Decimal = ZERO,
        per_lot: Decimal = ZERO,
    ) -> Contract:
        """Take the grid of an instrument."""
        return cls(
            symbol=instrument.symbol,
            tick_size=instrument.tick_size,
            lot_size=instrument.lot_size,
            multiplier=instrument.multiplier,
            inverse=inverse,
            maker=maker,
            taker=taker,
            per_lot=per_lot,
        )

    @property
    def kind(self) -> tuple[Decimal, Decimal, Decimal, bool]:
        """What a position of it is: its grid, multiplier and settlement, all but the fees."""
        return self.tick_size, self.lot_size, self.multiplier, self.inverse

    @property
    def scale(self) -> int:
        """Parts of one unit of money."""
        return INVERSE_SCALE if self.inverse else LINEAR_SCALE

    @property
    def unit(self) -> Fraction:
        """Currency of one unit: a tick times a lot; inverse: a lot over a tick."""
        lot = Fraction(self.lot_size) * Fraction(self.multiplier)
        tick = Fraction(self.tick_size)
        return lot / tick if self.inverse else lot * tick

    def currency(self, parts: int | Fraction) -> Fraction:
        """Real money of an amount."""
        return Fraction(parts) * self.unit / self.scale

    def price_text(self, half_ticks: int) -> str:
        """Real price of half ticks, exact, for people.

        >>> es = Contract(symbol="ES", tick_size=Decimal("0.25"))
        >>> es.price_text(2 * 18000), es.price_text(36001)
        ('4500', '4500.125')
        """
        return f"{(half_ticks * self.tick_size / 2).normalize():f}"

    def worth(self, ticks: int) -> int:
        """Money of one lot at a price: grows with the price on both kinds of contract.

        Linear: the price. Inverse: minus one over it, as the coin is what is paid with.
        """
        return self.worth_of_half(2 * ticks)

    def worth_of_half(self, half_ticks: int) -> int:
        """Money of one lot at a price in half ticks, as mids are."""
        if not self.inverse:
            return half_ticks * LINEAR_SCALE // 2
        return -round(Fraction(2 * INVERSE_SCALE, half_ticks))

    def exact_worth(self, half_ticks: int) -> Fraction:
        """As :meth:`worth_of_half`, never rounded."""
        scale = self.scale
        return Fraction(-2 * scale, half_ticks) if self.inverse else Fraction(half_ticks * scale, 2)

    def fee(self, ticks: int, lots: int, *, maker: bool) -> int:
        """Fee of an execution, rounded half to even to a part of a unit.

        Parameters
        ----------
        ticks : int
        lots : int
            Without sign.
        maker : bool
            Whether the order rested.
        """
        return self.fees([ticks], [lots], [maker])[0]

    def fees(self, ticks: Iterable[int], lots: Iterable[int], maker: Iterable[bool]) -> list[int]:
        """Fees of many executions, see :meth:`fee`."""
        rates = (self._fee_rates(self.taker), self._fee_rates(self.maker))
        found = []
        for price, size, made in zip(ticks, lots, maker, strict=True):
            by_value, by_lot, parts = rates[bool(made)]
            if self.inverse:
                paid, parts = by_value + by_lot * price, parts * price
            else:
                paid = by_value * abs(price) + by_lot
            found.append(_nearest(paid * size, parts))
        return found

    def _fee_rates(self, rate: Decimal) -> tuple[int, int, int]:
        """Fee by value and by lot, both in so many parts of a part of a unit."""
        by_value = Fraction(rate) * self.scale
        by_lot = Fraction(self.per_lot) * self.scale / self.unit
        parts = math.lcm(by_value.denominator, by_lot.denominator)
        return int(by_value * parts), int(by_lot * parts), parts


def _nearest(value: int, parts: int) -> int:
    """``value / parts`` rounded half to even."""
    whole, rest = divmod(value, parts)
    return whole + (2 * rest > parts or (2 * rest == parts and whole % 2 == 1))
