"""Is this an order that Bookmap can take? Checked before anything is sent, because Bookmap's answer to a bad line is silence.

A refusal begins with a code word. Prices and sizes become whole ticks and lots here and nowhere else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from workbench.errors import InstrumentError, OffGridError, WorkbenchError
from workbench.instruments import Instrument
from workbench.protocol import messages

MAX_LOTS: Final = 2**31 - 1
MAX_TICKS: Final = 2**31 - 1

POST_ONLY: Final = "GTC_PO"
DURATIONS: Final = frozenset(
    {"GTC", "DAY", "IOC", "FOK", "DYP", "GCP", "GDP", "GTT", "ATO", "ATC", POST_ONLY}
)
"""What this wire can say. It has no field for the date of a GTD order."""

TAKE_PROFIT_SUFFIX: Final = ".tp"
STOP_LOSS_SUFFIX: Final = ".sl"

_CLIENT_ORDER_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,32}")

_PRICES: Final = {
    "MARKET": (False, False),
    "LIMIT": (True, False),
    "STOP": (False, True),
    "STOP_LIMIT": (True, True),
}
"""Which of the two prices an order of a type has."""


class RefusedError(WorkbenchError):
    """An order or a change that is not sent; ``found`` is the reason and begins with a code word."""

    code = "refused"


@dataclass(frozen=True, slots=True)
class Ticket:
    """An order as Bookmap takes it: lots and ticks."""

    is_buy: bool
    lots: int
    limit: int | None
    stop: int | None
    duration: str
    take_profit: int | None
    stop_loss: int | None
    trailing: int | None


def check_client_order_id(client_order_id: str) -> None:
    """Refuse ids that could not be told apart everywhere they go.

    Raises
    ------
    RefusedError
        Not 1 to 32 of letters, digits and ``. _ : -``, or with an ending that marks the children of a bracket.
    """
    if not _CLIENT_ORDER_ID.fullmatch(client_order_id):
        raise RefusedError(
            f"INVALID_CLIENT_ORDER_ID: {client_order_id[:40]!r} is not 1 to 32 of the characters A-Z a-z 0-9 . _ : -"
        )
    if client_order_id.endswith((TAKE_PROFIT_SUFFIX, STOP_LOSS_SUFFIX)):
        raise RefusedError(
            f"INVALID_CLIENT_ORDER_ID: {client_order_id!r} ends as the children of a bracket do"
        )


def admit(command: messages.PlaceOrder, instrument: Instrument) -> Ticket:
    """Turn a command into an order for Bookmap.

    Raises
    ------
    RefusedError
    """
    features = instrument.features
    check_client_order_id(command.client_order_id)
    if command.oco or command.at is not None:
        raise RefusedError("UNSUPPORTED_ORDER: groups (oco) and times (at) are kept by the paper desk alone")
    lots = whole_lots(command.quantity, instrument)
    limit, stop = _prices(command, instrument)
    _check_stop(command, features, limit, stop)
    _check_brackets(command, features)
    return Ticket(
        is_buy=command.side == "BUY",
        lots=lots,
        limit=limit,
        stop=stop,
        duration=_duration(command, features),
        take_profit=_distance("take_profit", command.take_profit, instrument),
        stop_loss=_distance("stop_loss", command.stop_loss, instrument),
        trailing=_distance("trailing", command.trailing, instrument),
    )


def whole_lots(quantity: float, instrument: Instrument) -> int:
    """Lots of a quantity, at least 1.

    Raises
    ------
    RefusedError
    """
    if not _is_number(quantity):
        raise RefusedError(f"QUANTITY_INVALID: {quantity!r} is no number")
    if quantity <= 0:
        raise RefusedError(f"QUANTITY_NOT_POSITIVE: {quantity}")
    try:
        lots = instrument.lots(quantity)
    except OffGridError as problem:
        raise RefusedError(
            f"QUANTITY_NOT_ON_GRID: {quantity} is not a multiple of {instrument.lot_size}; {_nearest(problem)}"
        ) from problem
    if lots > MAX_LOTS:
        raise RefusedError(f"QUANTITY_TOO_LARGE: {quantity}; at most {instrument.size(MAX_LOTS)}")
    if lots < 1:
        raise RefusedError(f"QUANTITY_NOT_POSITIVE: {quantity}; at least {instrument.lot_size}")
    return lots


def whole_ticks(what: str, price: float, instrument: Instrument) -> int:
    """Ticks of a price, at least 1.

    Raises
    ------
    RefusedError
    """
    if not _is_number(price):
        raise RefusedError(f"INVALID_PRICE: {what} {price!r} is no number")
    if price <= 0:
        raise RefusedError(f"INVALID_PRICE: {what} {price} is not above 0")
    try:
        ticks = instrument.ticks(price)
    except OffGridError as problem:
        raise RefusedError(
            f"NOT_ON_GRID: {what} {price} is not a multiple of {instrument.tick_size}; {_nearest(problem)}"
        ) from problem
    if not 1 <= ticks <= MAX_TICKS:
        raise RefusedError(f"INVALID_PRICE: {what} {price} is out of range")
    return ticks


def check_stop_side(ticket: Ticket, best_bid: int | None, best_ask: int | None) -> None:
    """Refuse a stop that the market has already passed: it would go off at once.

    Raises
    ------
    RefusedError
    """
    if ticket.stop is None:
        return
    if ticket.is_buy and best_ask is not None and ticket.stop < best_ask:
        raise RefusedError("STOP_ON_WRONG_SIDE: a buy stop below the best ask would go off at once")
    if not ticket.is_buy and best_bid is not None and ticket.stop > best_bid:
        raise RefusedError("STOP_ON_WRONG_SIDE: a sell stop above the best bid would go off at once")


def _prices(command: messages.PlaceOrder, instrument: Instrument) -> tuple[int | None, int | None]:
    if command.order_type not in _PRICES:
        raise RefusedError(f"UNSUPPORTED_ORDER_TYPE: {command.order_type!r}; have {', '.join(_PRICES)}")
    limit, stop = _PRICES[command.order_type]
    for word, needed, price in (("PRICE", limit, command.price), ("STOP_PRICE", stop, command.stop_price)):
        if needed and price is None:
            raise RefusedError(f"{word}_REQUIRED: a {command.order_type} order needs one")
        if price is not None and not needed:
            raise RefusedError(f"{word}_NOT_ALLOWED: a {command.order_type} order has none")
    return (
        None if command.price is None else whole_ticks("price", command.price, instrument),
        None if command.stop_price is None else whole_ticks("stop_price", command.stop_price, instrument),
    )


def _check_stop(
    command: messages.PlaceOrder, features: Mapping[str, Any], limit: int | None, stop: int | None
) -> None:
    if stop is None:
        return
    kinds = _listed(features, "supportedStopOrders")
    if kinds and ("MKT" if limit is None else "LMT") not in kinds:
        raise RefusedError(f"UNSUPPORTED_ORDER_TYPE: {command.order_type}; stops become {', '.join(kinds)}")
    if limit is None or features.get("negativeStopLimitOffset") is not False:
        return
    if (limit < stop) if command.side == "BUY" else (limit > stop):
        raise RefusedError("UNSUPPORTED_STOP_LIMIT: this platform wants the limit at or beyond the stop")


def _check_brackets(command: messages.PlaceOrder, features: Mapping[str, Any]) -> None:
    bracket = command.take_profit is not None or command.stop_loss is not None or command.trailing is not None
    if bracket and features.get("brackets") is False:
        raise RefusedError(
            "UNSUPPORTED_BRACKETS: this platform takes no take profit or stop loss with an order"
        )
    if command.trailing is None:
        return
    if features.get("trailingStopsAsBracketChildren") is False:
        raise RefusedError("UNSUPPORTED_TRAILING: this platform trails no stop loss of an order")
    if command.stop_loss is None:
        raise RefusedError("TRAILING_NEEDS_STOP_LOSS: trailing is the step in which the stop loss follows")


def _duration(command: messages.PlaceOrder, features: Mapping[str, Any]) -> str:
    if command.reduce_only:
        raise RefusedError("UNSUPPORTED_REDUCE_ONLY: Bookmap's add-ons cannot say it")
    duration = _post_only(command) if command.post_only else command.time_in_force
    key = "supportedLimitDurations" if command.stop_price is None else "supportedStopDurations"
    have = [word for word in _listed(features, key) if word in DURATIONS] or sorted(DURATIONS)
    if duration not in DURATIONS or command.expires is not None:
        why = (
            "; an order's date cannot be told to Bookmap"
            if duration == "GTD" or command.expires is not None
            else ""
        )
        raise RefusedError(f"UNSUPPORTED_TIME_IN_FORCE: {duration[:20]!r}; have {', '.join(have)}{why}")
    if command.order_type != "MARKET" and duration not in have:
        raise RefusedError(f"UNSUPPORTED_TIME_IN_FORCE: {duration}; have {', '.join(have)}")
    return duration


def _post_only(command: messages.PlaceOrder) -> str:
    if command.order_type != "LIMIT" or command.time_in_force not in {"GTC", POST_ONLY}:
        raise RefusedError("UNSUPPORTED_POST_ONLY: only LIMIT orders that are GTC")
    return POST_ONLY


def _distance(what: str, distance: float | None, instrument: Instrument) -> int | None:
    return None if distance is None else whole_ticks(what, distance, instrument)


def _listed(features: Mapping[str, Any], key: str) -> list[str]:
    """Texts of a list; a provider that lists nothing has said nothing."""
    listed = features.get(key)
    return [word for word in listed if isinstance(word, str)] if isinstance(listed, list | tuple) else []


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _nearest(problem: InstrumentError) -> str:
    nearest = problem.fields.get("nearest")
    return f"nearest {nearest[0]} or {nearest[1]}" if isinstance(nearest, tuple) else problem.expected
