"""Bookmap's reader of an add-on's lines, with its sharp edges.

It converts each line by its type. The first line that it cannot convert ends its loop: from then on Bookmap is deaf to
the add-on, and only its own log tells.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from workbench.testing.spelling import SEPARATOR

DURATIONS: Final = frozenset(
    {"DAY", "DYP", "GTC", "GCP", "GTD", "GDP", "GTT", "FOK", "ATO", "ATC", "IOC", "GTC_PO"}
)
STYLES: Final = frozenset({"SOLID", "SHORT_DASH", "LONG_DASH", "DOT", "DASH_DOT"})
GRAPHS: Final = frozenset({"PRIMARY", "BOTTOM", "NONE"})
SETTINGS: Final = frozenset({"NUMBER", "BOOLEAN", "STRING", "COLOR", "LABEL"})

_INTEGER: Final = re.compile(r"[+-]?[0-9]+\Z")
_DOUBLE: Final = re.compile(
    r"\s*[+-]?(NaN|Infinity|([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?[fFdD]?)\s*\Z"
)


class ConversionError(ValueError):
    """A line that Bookmap's reader cannot convert; the reader does not survive it."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One line of the add-on as it came over the wire.

    Attributes
    ----------
    type : int
        The first field; -1000 where it is no number.
    fields : tuple of str
        What follows the type, as Python splits it: empty fields at the end are kept.
    raw : str
        The whole line.
    heard : bool
        Whether Bookmap took it in; False after the line that made it deaf, and for that line.
    """

    type: int
    fields: tuple[str, ...]
    raw: str
    heard: bool = True

    @property
    def plain(self) -> Any:
        """The JSON of an order to send, as Python reads it."""
        return json.loads(self.fields[0])


NO_TYPE: Final = -1000


def leniently(raw: str, *, heard: bool) -> Sent:
    """Split a line for those who want to see what was sent, whatever it is."""
    first, *fields = raw.split(SEPARATOR)
    number = int(first) if _INTEGER.match(first) else NO_TYPE
    return Sent(number, tuple(fields), raw, heard)


class LineCutter:
    """Cut bytes into lines as Java's ``readLine`` does: at ``\\n``, ``\\r\\n`` and a lone ``\\r``."""

    def __init__(self) -> None:
        self._rest = b""
        self._after_return = False

    def cut(self, data: bytes) -> list[str]:
        """Lines that are complete with these bytes; what is no UTF-8 becomes U+FFFD."""
        if self._after_return:
            data = data.removeprefix(b"\n")
        self._after_return = data.endswith(b"\r")
        pieces = re.split(b"\r\n|\n|\r", self._rest + data)
        self._rest = pieces.pop()
        return [piece.decode("utf-8", errors="replace") for piece in pieces]


def convert(raw: str) -> tuple[int, tuple[Any, ...]]:
    """Read a line as Bookmap does.

    Returns
    -------
    int
        Its type.
    tuple
        Its fields, typed.

    Raises
    ------
    ConversionError
        An unknown type, too few fields (Java's ``split`` drops empty ones at the end), or a field of the wrong form.
    """
    fields = raw.split(SEPARATOR)
    while len(fields) > 1 and not fields[-1]:
        fields.pop()
    converters = _FORMS.get(fields[0])
    if converters is None:
        raise ConversionError(f"no converter for type {fields[0]!r}")
    if fields[0] == _ADD_SETTING:
        converters = _setting_form(fields)
    if len(fields) - 1 < len(converters):
        raise ConversionError(f"{len(fields) - 1} fields for type {fields[0]}, {len(converters)} are read")
    return int(fields[0]), tuple(convert_field(text) for convert_field, text in zip(converters, fields[1:]))


Converter = Callable[[str], Any]


def _text(text: str) -> str:
    return text


def _integer(text: str, bits: int = 32) -> int:
    if not _INTEGER.match(text) or not -(1 << bits - 1) <= int(text) < 1 << bits - 1:
        raise ConversionError(f'For input string: "{text}"')
    return int(text)


def _long(text: str) -> int:
    return _integer(text, 64)


def _double(text: str) -> float:
    if not _DOUBLE.match(text):
        raise ConversionError(f'For input string: "{text}"')
    return float(text.strip().rstrip("fFdD") if not text.strip().endswith(("NaN", "Infinity")) else text)


def _double_or_nan(text: str) -> float:
    return float("nan") if text == "nan" else _double(text)


def _integer_or_nan(text: str) -> int | None:
    return None if text == "nan" else _integer(text)


def _digit(text: str) -> bool:
    return text == "1"


def _word(text: str) -> bool:
    return text.lower() == "true"


def _one_of(names: frozenset[str]) -> Converter:
    def constant(text: str) -> str:
        if text not in names:
            raise ConversionError(f"No enum constant {text}")
        return text

    return constant


def _colour(text: str) -> tuple[int, ...]:
    parts = tuple(_integer(part) for part in text.split(","))
    if len(parts) != 3 or not all(0 <= part <= 255 for part in parts):
        raise ConversionError(f"no colour: {text}")
    return parts


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What Bookmap understood of an order to send; see :func:`order_request`."""

    alias: str
    is_buy: bool
    size: int
    limit_price: float | None
    stop_price: float | None
    duration: str
    client_id: str | None
    take_profit_offset: int
    stop_loss_offset: int
    trailing_step: int
    take_profit_client_id: str | None
    stop_loss_client_id: str | None


def order_request(text: str) -> OrderRequest:
    """Read the JSON of an order with Gson's habits: ``isBuy: 1`` is false, a sell; size 2.5 is 2."""
    try:
        plain = json.loads(text)
    except ValueError as problem:
        raise ConversionError(f"MalformedJsonException: {problem}") from None
    if not isinstance(plain, dict):
        raise ConversionError("Not a JSON Object")
    for name in ("alias", "isBuy", "size"):
        if plain.get(name) is None:
            raise ConversionError(f"NullPointerException: {name}")
    duration = plain.get("duration")
    return OrderRequest(
        str(plain["alias"]),
        _gson_boolean(plain["isBuy"]),
        _gson_integer(plain["size"]),
        _gson_price(plain.get("limitPrice")),
        _gson_price(plain.get("stopPrice")),
        "GTC" if duration is None else _one_of(DURATIONS)(str(duration)),
        _gson_text(plain.get("clientId")),
        _gson_integer(plain.get("takeProfitOffset", 0)),
        _gson_integer(plain.get("stopLossOffset", 0)),
        _gson_integer(plain.get("stopLossTrailingStep", 0)),
        _gson_text(plain.get("takeProfitClientId")),
        _gson_text(plain.get("stopLossClientId")),
    )


def _gson_boolean(value: object) -> bool:
    # JsonPrimitive.getAsBoolean: a boolean, else Boolean.parseBoolean of its text; the text of 1 is not "true"
    return value if isinstance(value, bool) else str(value).lower() == "true"


def _gson_integer(value: object) -> int:
    # LazilyParsedNumber.intValue cuts the fraction off; a text goes through Integer.parseInt
    if isinstance(value, str):
        return _integer(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConversionError(f"NumberFormatException: {value!r}")
    try:
        return int(Decimal(str(value)))
    except (InvalidOperation, OverflowError, ValueError):
        raise ConversionError(f"NumberFormatException: {value!r}") from None


def _gson_price(value: object) -> float | None:
    if value is None:
        return None
    number = _double(str(value))
    if number != number or abs(number) == float("inf"):
        raise ConversionError(f"NumberFormatException: {value!r}")
    return number


def _gson_text(value: object) -> str | None:
    return None if value is None else str(value)


_ADD_SETTING: Final = "14"
_FORMS: Final[dict[str, Sequence[Converter]]] = {
    "0": (),
    "3": (_text, _long, _text),
    "9": (_text, _long, _text, _one_of(GRAPHS), _double, _digit, _digit, _colour, _one_of(STYLES), _digit),
    "11": (_text, _integer, _double),
    "13": (_text,),
    _ADD_SETTING: (_text, _one_of(SETTINGS), _text, _digit),
    "19": (order_request,),
    "23": (_text, _text, _word, _integer_or_nan),
    "24": (_text, _text, _double_or_nan, _double_or_nan),
    "25": (_text, _text, _integer),
    "26": (_text, _text, _integer),
    "30": (_text, _text, _word),
    "33": (_text, _text),
}
_SETTING_FORMS: Final[dict[str, Sequence[Converter]]] = {
    "NUMBER": (_double, _double, _double, _double),
    "BOOLEAN": (_digit,),
    "STRING": (_text,),
    "COLOR": (_colour,),
    "LABEL": (),
}


def _setting_form(fields: list[str]) -> Sequence[Converter]:
    form = _FORMS[_ADD_SETTING]
    return (*form, *_SETTING_FORMS.get(fields[2] if len(fields) > 2 else "", ()))
