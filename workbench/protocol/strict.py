"""Strict JSON: what the wire accepts as one message.

Common parsers are lenient in ways that hide mistakes: the last of two equal keys wins, ``NaN`` and ``1e400`` pass
as numbers, deep nesting ends in a ``RecursionError``. Here each has its own error code. The usual message takes the
fast road (msgspec); only a suspicious one is read again slowly, to say what is wrong and where.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final, NoReturn

import msgspec

from workbench.errors import ProtocolError
from workbench.protocol.limits import MAX_DEPTH, MAX_MESSAGE_BYTES

INT64_MIN: Final = -(2**63)
INT64_MAX: Final = 2**63 - 1
_DECODER: Final = msgspec.json.Decoder()
_STRUCTURE: Final = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]')


def parse(text: str) -> dict[str, Any]:
    """Read one JSON object.

    Parameters
    ----------
    text : str
        One WebSocket text message.

    Returns
    -------
    dict
        Plain values; integers within int64, floats finite, no key twice, nesting at most 16.

    Raises
    ------
    ProtocolError
        ``bad_json``, ``bad_text``, ``too_big``, ``too_deep``, ``non_finite``, ``out_of_range``,
        ``duplicate_key``.
    """
    if len(text) > MAX_MESSAGE_BYTES:
        raise ProtocolError(
            f"message of {len(text)} characters", expected=f"at most {MAX_MESSAGE_BYTES}", code="too_big"
        )
    if text.count("[") + text.count("{") > MAX_DEPTH:
        _check_depth(text)
    try:
        plain: object = _DECODER.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        _explain(text)
    if not isinstance(plain, dict):
        raise ProtocolError(f"a {type(plain).__name__} as message", expected="a JSON object", code="bad_json")
    if len(plain) != text.count(":"):  # every colon belongs to a key of its own, or we look closer
        plain = _parse_slowly(text)
    _check_integers(plain)
    return plain


def _check_integers(plain: dict[str, Any]) -> None:
    for key, value in plain.items():
        if type(value) is int and not INT64_MIN <= value <= INT64_MAX:
            raise _out_of_range(key, value)


def _out_of_range(key: str, value: int) -> ProtocolError:
    shown = str(value) if abs(value) < 10**30 else "an integer of more than 30 digits"
    return ProtocolError(
        f"out_of_range field={key}: {shown}", expected="an integer of 64 bits", code="out_of_range", field=key
    )


def _check_depth(text: str) -> None:
    depth = 0
    for found in _STRUCTURE.finditer(text):
        first = found[0][0]
        depth += (first in "[{") - (first in "]}")
        if depth > MAX_DEPTH:
            raise ProtocolError(
                f"too_deep: nesting of more than {MAX_DEPTH} at character {found.start()}",
                expected=f"at most {MAX_DEPTH}",
                code="too_deep",
            )


def _explain(text: str) -> NoReturn:
    """Raise the error that says best why the fast reader refused ``text``."""
    _parse_slowly(text)
    raise ProtocolError("bad_json: the text is no JSON message", code="bad_json")


def _parse_slowly(text: str) -> dict[str, Any]:
    try:
        text.encode()
        plain: object = json.loads(text, object_pairs_hook=_checked_object)
        json.dumps(plain, ensure_ascii=False).encode()  # escaped lone surrogates pass the reader
    except json.JSONDecodeError as error:
        raise ProtocolError(
            f"bad_json at byte {len(text[: error.pos].encode())}: {error.msg}",
            expected="one JSON object",
            code="bad_json",
            position=error.pos,
        ) from None
    except UnicodeEncodeError as error:
        raise ProtocolError(
            f"a lone surrogate at character {error.start}", expected="valid UTF-8", code="bad_text"
        ) from None
    except (RecursionError, ValueError) as error:  # ValueError: an integer of thousands of digits
        raise ProtocolError(f"bad_json: {type(error).__name__}", code="bad_json") from None
    if not isinstance(plain, dict):
        raise ProtocolError(f"a {type(plain).__name__} as message", expected="a JSON object", code="bad_json")
    return plain


def _checked_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key, value in pairs:
        if key in plain:
            raise ProtocolError(
                f"duplicate key {key!r}", expected="each key once", code="duplicate_key", field=key
            )
        _check_number(key, value)
        plain[key] = value
    return plain


def _check_number(key: str, value: object) -> None:
    if isinstance(value, list):
        for item in value:
            _check_number(key, item)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ProtocolError(
            f"non_finite field={key}", expected="a finite number", code="non_finite", field=key
        )
    elif type(value) is int and not INT64_MIN <= value <= INT64_MAX:
        raise _out_of_range(key, value)
