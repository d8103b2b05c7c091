"""What can be drawn in the platform, and how it may look."""

from __future__ import annotations

import math
import numbers
import re
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import polars as pl

from workbench.errors import WorkbenchError

Where = Literal["chart", "panel"]
LineStyle = Literal["solid", "short_dash", "long_dash", "dot", "dash_dot"]
MAX_TEXT: Final = 1000

_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ue000\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Style:
    """How an indicator is drawn.

    Parameters
    ----------
    colour : str
        ``#rrggbb``.
    line : str
        ``solid``, ``short_dash``, ``long_dash``, ``dot`` or ``dash_dot``.
    where : str
        ``chart``, where values are prices, or ``panel``, below it.
    """

    colour: str = "#ffb000"
    line: LineStyle = "solid"
    where: Where = "chart"

    def __post_init__(self) -> None:
        if not _COLOUR.fullmatch(self.colour):
            raise _bad("colour", self.colour, "#rrggbb")
        if self.line not in get_args(LineStyle):
            raise _bad("style", self.line, ", ".join(get_args(LineStyle)))
        if self.where not in get_args(Where):
            raise _bad("where", self.where, " or ".join(get_args(Where)))


def one_line(text: object, what: str) -> str:
    """Refuse texts that the platform could take for something else: nothing in them, or more than one line."""
    if not isinstance(text, str) or not text.strip() or len(text) > MAX_TEXT or _CONTROL.search(text):
        raise _bad(what, text, f"one line of text, up to {MAX_TEXT} characters")
    return text


def last_value(what: object, name: str) -> float:
    """The value to draw: a number itself, the last one of a series or array; of a frame that of column ``name``, or of
    the first column that is no time.

    Raises
    ------
    WorkbenchError
        There is none, or it is not finite.
    """
    value = _last(what, name)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not math.isfinite(value):
        raise _bad(f"value of {name!r}", value, "a finite number")
    return float(value)


def _last(what: object, name: str) -> object:
    if isinstance(what, pl.DataFrame):
        what = _drawn_column(what, name)
    if isinstance(what, numbers.Real | str | bytes) or what is None:
        return what
    values = what if isinstance(what, pl.Series) else np.asarray(what).ravel()
    return values[-1] if len(values) else None


def _drawn_column(frame: pl.DataFrame, name: str) -> pl.Series:
    candidates = [name, *(c for c, kind in frame.schema.items() if not kind.is_temporal())]
    for column in candidates:
        if column in frame.columns:
            return frame[column]
    raise _bad(f"frame for {name!r}", frame.columns, "a column of numbers")


def _bad(what: str, found: object, expected: str) -> WorkbenchError:
    return WorkbenchError(f"{what}: {repr(found)[:100]}", expected=expected, code="bad_value")
