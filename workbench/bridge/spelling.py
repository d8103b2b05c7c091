"""How Bookmap's Java side spells numbers, truth and JSON, and nothing else that Python would take too."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

INT32_MIN: Final = -(2**31)
INT32_MAX: Final = 2**31 - 1

Plain = dict[str, Any]
_INTEGER: Final = re.compile(r"-?[0-9]{1,19}")
_DOUBLE: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?|Infinity)|NaN")


def integer(text: str) -> int:
    """Whole number as Java spells it; ValueError for anything else that ``int`` would take."""
    if _INTEGER.fullmatch(text) is None:
        raise ValueError(f"{text[:40]!r} is no whole number")
    return int(text)


def int32(text: str) -> int:
    """Whole number of 32 bits."""
    number = integer(text)
    if not INT32_MIN <= number <= INT32_MAX:
        raise ValueError(f"{text} is beyond 32 bits")
    return number


def count(text: str) -> int:
    """Whole number of 32 bits that is not negative."""
    number = int32(text)
    if number < 0:
        raise ValueError(f"{text} is negative")
    return number


def double(text: str) -> float:
    """Double as Java spells it, ``NaN`` and ``Infinity`` too."""
    if _DOUBLE.fullmatch(text) is None:
        raise ValueError(f"{text[:40]!r} is no number")
    return float(text)


def tick_price(text: str) -> float:
    """Price in ticks, maybe between two, that fits 32 bits."""
    price = double(text)
    if not INT32_MIN <= price <= INT32_MAX:  # also false for NaN
        raise ValueError(f"price {text} is beyond 32 bits of ticks")
    return price


def boolean(text: str) -> bool:
    """``1`` or ``0``. A wrong guess here would turn a bid into an ask, so nothing else passes."""
    if text == "1":
        return True
    if text == "0":
        return False
    raise ValueError(f"{text[:40]!r} is neither 1 nor 0")


def name(text: str) -> str:
    """Text that is there."""
    if not text:
        raise ValueError("an empty name")
    return text


def plain(text: str) -> Plain:
    """JSON object; ``NaN`` and infinite numbers in it become None, as if Java had left them out."""
    value = loose_json(text)
    if not isinstance(value, dict):
        raise ValueError(f"JSON {type(value).__name__} where an object is expected")
    return value


def loose_json(text: str) -> Any:
    """Any JSON as Gson writes it, free of values that could not be written again."""
    value = json.loads(text, parse_constant=_nothing, parse_float=_finite, parse_int=_bounded)
    return _without_surrogates(value) if _SURROGATE.search(text) else value


_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")


def _nothing(_: str) -> None:
    return None


def _finite(text: str) -> float | None:
    number = float(text)
    return number if abs(number) <= 1.7976931348623157e308 else None


def _bounded(text: str) -> int | None:
    number = int(text) if len(text) <= 20 else 2**63
    return number if -(2**63) <= number < 2**63 else None


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value


def double_or_nan(text: str) -> float:
    """Double, or NaN for anything else: always the same one, so that equal messages are equal."""
    number = double(text) if _DOUBLE.fullmatch(text) else math.nan
    return math.nan if number != number else number
