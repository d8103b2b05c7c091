"""What a tape shall let through, in a line of text: ``size>=10 buy price<5000``."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from workbench.errors import WorkbenchError

__all__ = ["wishes_of"]

EXPECTED: Final = "parts like size>=10, size 5..50, price<5000, price 4990..5010, buy, sell, unknown, sweeps, lit; all must hold"
MOST_TEXT: Final = 200
EVERYTHING: Final[dict[str, Any]] = {
    "min": 0.0, "max": None, "low": None, "high": None, "side": None, "hidden": True, "off_book": True, "sweeps": False,
}  # fmt: skip
_WORDS: Final[dict[str, dict[str, Any]]] = {
    **{word: {"side": "buy"} for word in ("buy", "buys", "bought")},
    **{word: {"side": "sell"} for word in ("sell", "sells", "sold")},
    "unknown": {"side": "unknown"},
    **{word: {"sweeps": True} for word in ("sweep", "sweeps")},
    "lit": {"hidden": False, "off_book": False},
}
_ENDS: Final = {"size": ("min", "max"), "price": ("low", "high")}
_NUMBER: Final = r"(\d+(?:\.\d*)?|\.\d+)"
_COMPARED: Final = re.compile(rf"(size|price)?\s*(>=|<=|>|<|=)\s*{_NUMBER}")
_BETWEEN: Final = re.compile(rf"(size|price)?\s*{_NUMBER}\s*\.\.\s*{_NUMBER}")
_WORD: Final = re.compile(r"[a-z]+")
_SPACE: Final = re.compile(r"(?:[\s,&]|\band\b)*")


def wishes_of(text: str, tick: float, lot: float) -> dict[str, Any]:
    """Read a filter.

    Parameters
    ----------
    text : str
        Parts that must all hold: comparisons of ``size`` and ``price`` (``size`` may be left out), ranges ``5..50`` with
        both ends, and the words ``buy``, ``sell``, ``unknown``, ``sweeps``, ``lit``. Nothing lets everything through.
    tick, lot : float, real units
        Smallest steps: ``>`` means from the next one on.

    Returns
    -------
    dict
        ``min``, ``max``, ``low``, ``high`` (real units; None: open), ``side``, ``hidden``, ``off_book``, ``sweeps``.

    Raises
    ------
    WorkbenchError
        A part that means nothing; it is named.

    Examples
    --------
    >>> found = wishes_of("size >= 10 buy price < 5000", tick=0.25, lot=1)
    >>> found["min"], found["high"], found["side"]
    (10.0, 4999.75, 'buy')
    """
    wishes, rest = dict(EVERYTHING), text[:MOST_TEXT].lower()
    rest = rest[_end(_SPACE, rest) :]
    while rest:
        for pattern, read in _READERS:
            found = pattern.match(rest)
            part = None if found is None else read(found, tick, lot)
            if found is not None and part is not None:
                _narrow(wishes, part)
                rest = rest[found.end() :]
                break
        else:
            raise WorkbenchError(f"filter {rest[:40]!r}", expected=EXPECTED, code="bad_value")
        rest = rest[_end(_SPACE, rest) :]
    return wishes


def _end(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.match(text)
    return 0 if found is None else found.end()


def _compared(found: re.Match[str], tick: float, lot: float) -> dict[str, Any]:
    what, sign, number = found[1] or "size", found[2], float(found[3])
    least, most = _ENDS[what]
    step = lot if what == "size" else tick
    if sign == "=":
        return {least: number, most: number}
    if sign[0] == ">":
        return {least: number if sign == ">=" else round(number + step, 12)}
    return {most: number if sign == "<=" else round(number - step, 12)}


def _between(found: re.Match[str], tick: float, lot: float) -> dict[str, Any]:
    least, most = _ENDS[found[1] or "size"]
    return {least: float(found[2]), most: float(found[3])}


def _word(found: re.Match[str], tick: float, lot: float) -> dict[str, Any] | None:
    return _WORDS.get(found[0])


_Reader = Callable[[re.Match[str], float, float], dict[str, Any] | None]
_READERS: Final[tuple[tuple[re.Pattern[str], _Reader], ...]] = (
    (_COMPARED, _compared),
    (_BETWEEN, _between),
    (_WORD, _word),
)


def _narrow(wishes: dict[str, Any], part: dict[str, Any]) -> None:
    """Take in one part: of two bounds the narrower one holds."""
    for name, value in part.items():
        before = wishes[name]
        if name in ("min", "low") and before is not None:
            wishes[name] = max(before, value)
        elif name in ("max", "high") and before is not None:
            wishes[name] = min(before, value)
        else:
            wishes[name] = value
