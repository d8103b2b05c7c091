"""How Java spells what it sends: doubles as ``Double.toString`` writes them, objects as Gson does."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

SEPARATOR: Final = "\ue000"
"""Between the fields of a line. Nothing escapes it."""

_PLAIN_FROM: Final = 1e-3
_PLAIN_BELOW: Final = 1e7
_GSON_ESCAPES: Final = {
    "<": "\\u003c",
    ">": "\\u003e",
    "=": "\\u003d",
    "&": "\\u0026",
    "'": "\\u0027",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}
_HTML: Final = re.compile("[<>=&'\u2028\u2029]")


def line(*fields: str | int) -> bytes:
    """Fields of one line, joined; the end of the line is the connection's."""
    return SEPARATOR.join(map(str, fields)).encode()


def double(value: float) -> str:
    """Spell a number as ``Double.toString``: ``0.25``, ``100.0``, ``1.0E-5``, ``1.2345678E7``, ``NaN``.

    >>> [double(x) for x in (0.25, 100, 1e-5, 12345678, float("nan"))]
    ['0.25', '100.0', '1.0E-5', '1.2345678E7', 'NaN']
    """
    value = float(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or _PLAIN_FROM <= abs(value) < _PLAIN_BELOW:
        return _plain(value)
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)  # finite
    text = "".join(map(str, digits))
    return f"{'-' * sign}{text[0]}.{text[1:] or '0'}E{exponent + len(text) - 1}"


def boolean(value: bool) -> str:
    """Spell a truth value as it stands in a line: ``1`` or ``0``."""
    return "1" if value else "0"


def gson(value: object) -> str:
    """Spell a value as Gson does: nulls left out, doubles Java's way, ``< > = & '`` as ``\\u003c`` and so on.

    >>> gson({"clientId": None, "price": float("nan"), "text": "a=b"})
    '{"price":NaN,"text":"a\\\\u003db"}'
    """
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return double(value)
        case str():
            return _HTML.sub(lambda found: _GSON_ESCAPES[found[0]], json.dumps(value, ensure_ascii=False))
        case Mapping():
            members = (f"{gson(str(k))}:{gson(v)}" for k, v in value.items() if v is not None)
            return "{" + ",".join(members) + "}"
        case list() | tuple():
            return "[" + ",".join(map(gson, value)) + "]"
        case _:
            raise TypeError(f"{type(value).__name__} has no spelling in JSON")


def _plain(value: float) -> str:
    text = repr(value)
    if "e" in text:  # never for this range in CPython; Decimal keeps it true everywhere
        text = format(Decimal(text), "f")
    return text if "." in text else f"{text}.0"
