"""Bounds of trading, and the three states of the switch above them."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from workbench.errors import WorkbenchError
from workbench.trading.field_types import KnownFields, settle_types

SECOND_NS: Final = 1_000_000_000


class TradingState(StrEnum):
    """What may be placed. Cancels are always allowed."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    """Only what makes a position smaller."""
    HALTED = "HALTED"
    """Nothing."""


class Limits(msgspec.Struct, metaclass=KnownFields, frozen=True, kw_only=True):
    """Bounds, all on by default but for those that depend on the account; None: no bound.

    Parameters
    ----------
    size : int, lots
        Of one order.
    position : int, lots
        Of one instrument, with everything executed that works on the same side.
    notional : Decimal, currency
        Value of such a position.
    per_second, per_minute : int
        Orders and changes; cancels do not count.
    band_ticks : int, ticks
        Distance of a limit or stop price from the mid.
    band_percent : Decimal, percent
        The same, of the mid.
    open_orders : int
    daily_loss : Decimal, currency
        From the equity at the beginning of the day.
    drawdown : Decimal, currency
        From the highest equity so far.
    stale_book_ns : int, ns
        Age of the newest event.
    stale_click_ns : int, ns
        Age of the click or key that asked.
    rejects : int
        So many within ten seconds halt.
    gap_ns : int, ns
        So long a gap in the feed with open orders halts.
    mismatch_ns : int, ns
        So long a position other than the one reported halts.

    Raises
    ------
    WorkbenchError
        A bound that is not positive (code ``bad_limits``), or no number (``bad_value``).
    """

    size: int | None = 100
    position: int | None = 100
    notional: Decimal | None = None
    per_second: int | None = 5
    per_minute: int | None = 200
    band_ticks: int | None = 50
    band_percent: Decimal | None = Decimal(5)
    open_orders: int | None = 50
    daily_loss: Decimal | None = None
    drawdown: Decimal | None = None
    stale_book_ns: int | None = 1_500_000_000
    stale_click_ns: int | None = 2 * SECOND_NS
    rejects: int | None = 3
    gap_ns: int | None = 5 * SECOND_NS
    mismatch_ns: int | None = 2 * SECOND_NS

    def __post_init__(self) -> None:
        settle_types(self)
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if value is not None and (value != value or not value > 0):
                raise WorkbenchError(
                    f"bound {name}={value}",
                    expected="a number above 0, or None for no bound",
                    code="bad_limits",
                    field=name,
                )


REJECTS_WITHIN_NS: Final = 10 * SECOND_NS
