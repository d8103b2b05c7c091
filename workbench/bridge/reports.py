"""What Bookmap says of orders, executions, positions and balances, checked and in our words.

All of it is JSON made by other people's programs: a key may be missing, a number may be ``NaN``, a text may hold what
no text should. A report that cannot be understood raises :class:`ProtocolError`; a detail that cannot is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from workbench.errors import InstrumentError, ProtocolError
from workbench.instruments import Instrument
from workbench.protocol import messages
from workbench.trading.states import OrderStatus

Plain = Mapping[str, Any]

MAX_TEXT: Final = 256
MAX_LOTS: Final = 2**31 - 1

TYPES: Final = {"LMT": "LIMIT", "MKT": "MARKET", "STP": "STOP", "STP_LMT": "STOP_LIMIT"}
WITH_LIMIT: Final = frozenset({"LIMIT", "STOP_LIMIT"})
WITH_STOP: Final = frozenset({"STOP", "STOP_LIMIT"})

_STATUS: Final = {
    "PENDING_SUBMIT": OrderStatus.PENDING_NEW,
    "WORKING": OrderStatus.NEW,
    "FILLED": OrderStatus.FILLED,
    "PENDING_CANCEL": OrderStatus.PENDING_CANCEL,
    "PENDING_MODIFY": OrderStatus.PENDING_REPLACE,
    "SUSPENDED": OrderStatus.SUSPENDED,
    "INACTIVE": OrderStatus.SUSPENDED,
    "CANCELLED": OrderStatus.CANCELED,
    "REJECTED": OrderStatus.REJECTED,
}
DISCONNECTED: Final = "DISCONNECTED"

# Bookmap's own examples are in ms; other units show by their size (the ranges are the years 1973 to 5138).
_UNITS: Final = ((10**11, 10**9, "s"), (10**14, 10**6, "ms"), (10**17, 10**3, "us"), (10**20, 1, "ns"))
_EARLIEST: Final = 10**8
_INT64_MAX: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class OrderReport:
    """State of one order as Bookmap tells it; sizes in lots, ``ts`` ns UTC or None.

    ``status`` is None where it says nothing of the order itself (``DISCONNECTED``, or a word we do not know).
    """

    order_id: str
    client_id: str
    side: messages.OrderSide
    order_type: str
    status: OrderStatus | None
    said: str
    filled: int
    unfilled: int
    avg_price: float | None
    price: float | None
    stop_price: float | None
    duration: str
    ts: int | None
    simulated: bool
    duplicate: bool
    account: str

    @property
    def total(self) -> int:
        """Quantity of the order, in lots."""
        return self.filled + self.unfilled


@dataclass(frozen=True, slots=True)
class ExecutionReport:
    """One execution; size in lots, ``ts`` ns UTC or None."""

    order_id: str
    execution_id: str
    size: int
    price: float
    ts: int | None
    simulated: bool


def read_order(plain: Plain, instrument: Instrument) -> OrderReport:
    """Read an ``UPDATE_ORDER``.

    Raises
    ------
    ProtocolError
        No order id, no side, or sizes that are no sizes: nothing can be said of such an order.
    """
    order_type = TYPES.get(_text(plain, "type"), _text(plain, "type"))
    filled, unfilled = _size(plain, "filled"), _size(plain, "unfilled")
    said = _text(plain, "status")
    status = _status(said, filled, unfilled)
    waits = status is OrderStatus.SUSPENDED
    return OrderReport(
        order_id=_needed_text(plain, "orderId"),
        client_id=_text(plain, "clientId"),
        side=_side(plain),
        order_type=order_type,
        status=status,
        said=said,
        filled=filled,
        unfilled=unfilled,
        avg_price=_real(plain, "averageFillPrice") if filled else None,
        price=_order_price(plain, "limitPrice", instrument, waits) if order_type in WITH_LIMIT else None,
        stop_price=_order_price(plain, "stopPrice", instrument, waits) if order_type in WITH_STOP else None,
        duration=_text(plain, "duration"),
        ts=nanoseconds(plain.get("modificationUtcTime")),
        simulated=plain.get("isSimulated") is True,
        duplicate=plain.get("isDuplicate") is True,
        account=_text(plain, "accountId"),
    )


def read_execution(plain: Plain, instrument: Instrument) -> ExecutionReport:
    """Read an ``EXECUTE_ORDER``.

    Raises
    ------
    ProtocolError
        No order id, no price, or no size.
    """
    price = on_grid(_real(plain, "price"), instrument)
    size = _size(plain, "size")
    if price is None or not size:
        raise ProtocolError(f"execution with price {plain.get('price')!r}, size {plain.get('size')!r}")
    return ExecutionReport(
        order_id=_needed_text(plain, "orderId"),
        execution_id=_text(plain, "executionId"),
        size=size,
        price=price,
        ts=nanoseconds(plain.get("time")),
        simulated=plain.get("isSimulated") is True,
    )


def read_position(plain: Plain, instrument: Instrument, now: int) -> tuple[int, messages.Position]:
    """Read a ``POSITION``: signed lots, and the message in real units.

    Raises
    ------
    ProtocolError
        The position is no whole number.
    """
    lots = _whole(plain, "position")
    return lots, messages.Position(
        symbol=instrument.symbol,
        position=float(instrument.size(lots)),
        ts=now,
        avg_price=_real(plain, "averagePrice") if lots else None,
        realized=_real(plain, "realizedPnl"),
        unrealized=_real(plain, "unrealizedPnl"),
        volume=float(instrument.size(_size(plain, "volume"))),
        working_buys=_size(plain, "workingBuys"),
        working_sells=_size(plain, "workingSells"),
        currency=_text(plain, "currency"),
        account=_text(plain, "accountId"),
    )


def read_balances(plain: Plain, now: int) -> Iterator[messages.Balance]:
    """Read a ``BALANCE``, one message per currency; entries without a balance are left out.

    Raises
    ------
    ProtocolError
        There is no list of balances.
    """
    listed = plain.get("balancesInCurrency")
    if not isinstance(listed, list):
        raise ProtocolError(f"balances {type(listed).__name__}", expected="a list")
    account = _text(plain, "accountId") or _text(plain, "accountName")
    for entry in listed:
        cash = _real(entry, "balance") if isinstance(entry, Mapping) else None
        if cash is not None:
            yield _balance(entry, cash, account, now)


def _balance(entry: Plain, cash: float, account: str, now: int) -> messages.Balance:
    unrealized = _real(entry, "unrealizedPnl")
    liquidity = _real(entry, "netLiquidityValue")
    return messages.Balance(
        currency=_text(entry, "currency"),
        cash=cash,
        equity=cash + (unrealized or 0.0) if liquidity is None else liquidity,
        ts=now,
        realized=_real(entry, "realizedPnl"),
        unrealized=unrealized,
        previous_day=_real(entry, "previousDayBalance"),
        rate_to_base=_real(entry, "rateToBase"),
        account=account,
    )


def on_grid(price: float | None, instrument: Instrument) -> float | None:
    """Return the double nearest to the tick that a price means; off the grid (an average, a midpoint) as it is."""
    if price is None:
        return None
    try:
        return float(instrument.price(instrument.ticks(price)))
    except InstrumentError:
        return price


def _order_price(plain: Plain, key: str, instrument: Instrument, waits: bool) -> float | None:
    """Price of an order. A bracket's child that waits for its parent has none yet, told as 0."""
    price = on_grid(_real(plain, key), instrument)
    return None if waits and not price else price


def unit_of_time(value: object) -> str:
    """Name the unit of a time since 1970: ``s``, ``ms``, ``us``, ``ns``; empty if it is none."""
    read = _magnitude(value)
    return read[1] if read is not None else ""


def nanoseconds(value: object) -> int | None:
    """Return a time since 1970 as ns, whichever unit it is in; None if it is no such time."""
    read = _magnitude(value)
    return read[0] if read is not None else None


def _magnitude(value: object) -> tuple[int, str] | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not value >= _EARLIEST:  # also NaN; no float is made of an int, which may be too large for one
        return None
    for bound, factor, unit in _UNITS:
        if value < bound:
            ns = int(Fraction(value) * factor)  # a product of floats would be off by some ns
            return (ns, unit) if ns <= _INT64_MAX else None
    return None


def _status(said: str, filled: int, unfilled: int) -> OrderStatus | None:
    """Bookmap has no word for partly filled; an order at work with nothing left is filled."""
    status = _STATUS.get(said)
    if said != "WORKING" or not filled:
        return status
    return OrderStatus.PARTIALLY_FILLED if unfilled else OrderStatus.FILLED


def _side(plain: Plain) -> messages.OrderSide:
    is_buy = plain.get("isBuy")
    if not isinstance(is_buy, bool):
        raise ProtocolError(f"order with isBuy {is_buy!r}", expected="true or false")
    return "BUY" if is_buy else "SELL"


def _text(plain: Plain, key: str) -> str:
    value = plain.get(key)
    if not isinstance(value, str):
        return ""
    # A lone surrogate is legal in JSON and cannot be sent on as UTF-8.
    return value[:MAX_TEXT].encode("utf-8", "replace").decode("utf-8")


def _needed_text(plain: Plain, key: str) -> str:
    text = _text(plain, key)
    if not text:
        raise ProtocolError(f"report with {key} {plain.get(key)!r}"[:MAX_TEXT], expected="a text")
    return text


def _real(plain: Plain, key: str) -> float | None:
    value = plain.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        real = float(value)
    except OverflowError:
        return None
    return real if math.isfinite(real) else None


def _whole(plain: Plain, key: str) -> int:
    value = _real(plain, key) if key in plain else 0.0
    if value is None or value != int(value) or abs(value) > MAX_LOTS:
        raise ProtocolError(f"{key} {plain.get(key)!r}"[:MAX_TEXT], expected="a whole number of lots")
    return int(value)


def _size(plain: Plain, key: str) -> int:
    value = _whole(plain, key)
    if value < 0:
        raise ProtocolError(f"{key} {value}", expected="a size, not negative")
    return value
