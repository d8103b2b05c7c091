"""Terms of an order: what is asked for, in ticks and lots; and whether it is an order at all."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Final, Literal

import msgspec

OrderType = Literal["MARKET", "LIMIT", "STOP", "STOP_LIMIT", "TRAILING_STOP"]
Tif = Literal["GTC", "IOC", "FOK", "DAY", "GTD"]

TIFS: Final = ("GTC", "IOC", "FOK", "DAY", "GTD")
PRICES: Final = {
    "MARKET": (False, False),
    "LIMIT": (True, False),
    "STOP": (False, True),
    "STOP_LIMIT": (True, True),
    "TRAILING_STOP": (False, True),
}
"""Which of limit and stop an order of a type has."""

MAX_LOTS: Final = 2**31 - 1
MAX_TICKS: Final = 2**31 - 1
TAKE_PROFIT_SUFFIX: Final = ".tp"
STOP_LOSS_SUFFIX: Final = ".sl"
MAX_PARENT: Final = 26
"""Characters in the name of an order with a bracket: those of its exits end in up to ``.99.tp``."""
_TURN: Final = re.compile(r"\.\d+$")
_NAME: Final = re.compile(r"[A-Za-z0-9._:-]{1,32}")


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for.

    Parameters
    ----------
    client_order_id : str
        1 to 32 of ``A-Z a-z 0-9 . _ : -``. The same terms again under the same name are the same order.
    symbol : str
    side : int
        +1 buy, −1 sell.
    lots : int
    order_type : str
        ``MARKET``, ``LIMIT``, ``STOP``, ``STOP_LIMIT``, ``TRAILING_STOP``.
    limit, stop : int, ticks, optional
    trail : int, ticks, optional
        Distance at which a trailing stop follows the price.
    step : int, ticks
        It is moved by multiples of this.
    tif : str
        ``GTC``, ``IOC``, ``FOK``, ``DAY``, ``GTD``.
    expires : int, ns, optional
        End of a ``DAY`` order (its session) or a ``GTD`` order.
    post_only, reduce_only : bool
    take_profit, stop_loss : int, ticks, optional
        Bracket: distances from the price of the first execution.
    trailing : int or bool, ticks
        Step in which the bracket's stop loss follows the price, at its distance; 0: it stays. True, as older journals
        have it, is 1.
    oco : str
        Name of a group: an execution of one takes as much from the others, and an end of one ends them.
    parent : str
        Order whose bracket this one is part of; set by the desk alone.
    """

    client_order_id: str
    symbol: str
    side: int
    lots: int
    order_type: OrderType = "LIMIT"
    limit: int | None = None
    stop: int | None = None
    trail: int | None = None
    step: int = 1
    tif: Tif = "GTC"
    expires: int | None = None
    post_only: bool = False
    reduce_only: bool = False
    take_profit: int | None = None
    stop_loss: int | None = None
    trailing: int | bool = 0
    oco: str = ""
    parent: str = ""


def parent_of(name: str, known: Container[str]) -> str:
    """Order whose bracket has placed an exit of this name, among known names; an empty text: none."""
    for end in (TAKE_PROFIT_SUFFIX, STOP_LOSS_SUFFIX):
        parent = name.removesuffix(end)
        if parent != name:
            return next((found for found in (parent, _TURN.sub("", parent)) if found in known), "")
    return ""


def fault(terms: Terms, now: int) -> str:
    """Why these are no terms of an order, beginning with a code word; an empty text: they are.

    Parameters
    ----------
    terms : Terms
    now : int, ns
    """
    return (
        _name_fault(terms)
        or quantity_fault(terms.lots)
        or _price_fault(terms)
        or _time_fault(terms, now)
        or _flag_fault(terms)
    )


def quantity_fault(lots: object) -> str:
    """Why this is no size of an order; an empty text: it is."""
    if isinstance(lots, bool) or not isinstance(lots, int):
        return f"QUANTITY_INVALID: {lots!r} is no whole number of lots"
    if lots < 1:
        return f"QUANTITY_NOT_POSITIVE: {lots}; at least 1 lot"
    return f"QUANTITY_TOO_LARGE: {lots}; at most {MAX_LOTS} lots" if lots > MAX_LOTS else ""


def price_fault(what: str, ticks: object) -> str:
    """Why this is no price; an empty text: it is."""
    if isinstance(ticks, bool) or not isinstance(ticks, int):
        return f"INVALID_PRICE: {what} {ticks!r} is no whole number of ticks"
    if not 1 <= ticks <= MAX_TICKS:
        return f"INVALID_PRICE: {what} {ticks} ticks; 1 to {MAX_TICKS}"
    return ""


def _name_fault(terms: Terms) -> str:
    name: object = terms.client_order_id
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return f"INVALID_CLIENT_ORDER_ID: {name!r:.40} is not 1 to 32 of the characters A-Z a-z 0-9 . _ : -"
    if terms.parent:
        return f"INVALID_PARENT: {terms.parent!r:.40}; the desk alone makes the children of a bracket"
    if terms.oco and not _NAME.fullmatch(terms.oco):
        return f"INVALID_GROUP: {terms.oco!r:.40} is not 1 to 32 of the characters A-Z a-z 0-9 . _ : -"
    if name.endswith((TAKE_PROFIT_SUFFIX, STOP_LOSS_SUFFIX)):
        return f"INVALID_CLIENT_ORDER_ID: {name!r} ends as the children of a bracket do"
    if (terms.take_profit or terms.stop_loss) and len(name) > MAX_PARENT:
        return f"INVALID_CLIENT_ORDER_ID: {name!r} is too long for the names of its bracket; at most {MAX_PARENT} characters"
    return "" if terms.side in (1, -1) else f"INVALID_SIDE: {terms.side!r}; +1 buys, -1 sells"


def _price_fault(terms: Terms) -> str:
    if terms.order_type not in PRICES:
        return f"UNSUPPORTED_ORDER_TYPE: {terms.order_type!r}; have {', '.join(PRICES)}"
    needed = PRICES[terms.order_type]
    for word, need, ticks in (("PRICE", needed[0], terms.limit), ("STOP_PRICE", needed[1], terms.stop)):
        if need and ticks is None:
            return f"{word}_REQUIRED: a {terms.order_type} order needs one"
        if ticks is not None and not need:
            return f"{word}_NOT_ALLOWED: a {terms.order_type} order has none"
        if ticks is not None and (bad := price_fault(word.lower(), ticks)):
            return bad
    if (terms.order_type == "TRAILING_STOP") != (terms.trail is not None):
        return "TRAIL_REQUIRED: trailing stops have a trail, other orders none"
    distances = {"trail": terms.trail, "take_profit": terms.take_profit, "stop_loss": terms.stop_loss}
    distances |= {"step": terms.step, "trailing": int(terms.trailing) or None}
    return next((bad for what, d in distances.items() if d is not None and (bad := price_fault(what, d))), "")


def _time_fault(terms: Terms, now: int) -> str:
    if terms.tif not in TIFS:
        return f"UNSUPPORTED_TIME_IN_FORCE: {terms.tif!r:.20}; have {', '.join(TIFS)}"
    if terms.tif in {"IOC", "FOK"} and terms.order_type not in {"MARKET", "LIMIT"}:
        return f"UNSUPPORTED_TIME_IN_FORCE: {terms.tif} of a {terms.order_type} order, which waits"
    if terms.tif in {"DAY", "GTD"} and terms.expires is None:
        return f"EXPIRY_REQUIRED: a {terms.tif} order needs the time of its end"
    if terms.tif not in {"DAY", "GTD"} and terms.expires is not None:
        return f"EXPIRY_NOT_ALLOWED: a {terms.tif} order has no time of end"
    if terms.expires is not None and terms.expires <= now:
        return f"EXPIRED_ALREADY: its end is {(now - terms.expires) / 1e9:.3f} s ago"
    return ""


def _flag_fault(terms: Terms) -> str:
    if terms.post_only and (terms.order_type != "LIMIT" or terms.tif in {"IOC", "FOK"}):
        return f"UNSUPPORTED_POST_ONLY: a {terms.order_type} order that is {terms.tif}; only limit orders that rest"
    if terms.trailing and terms.stop_loss is None:
        return "TRAILING_NEEDS_STOP_LOSS: trailing says how the stop loss follows"
    bracket = terms.take_profit is not None or terms.stop_loss is not None
    if bracket and terms.reduce_only:
        return "UNSUPPORTED_BRACKETS: an order that only reduces opens nothing to protect"
    return ""
