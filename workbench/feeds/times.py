"""Times and durations as people write them, turned into integer ns."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from workbench.errors import RecordingError, ReplayError
from workbench.frames.moments import to_datetime, to_ns

UNITS_NS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "min": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([a-zµ]+)\s*")

Duration = str | timedelta
"""``"30s"``, ``"1m30s"``, ``"250ms"``, or a timedelta."""

Moment = int | str | datetime
"""int ns since the epoch, a datetime with a zone, ISO 8601 text with a zone, or a duration after the start."""


def duration_ns(duration: Duration) -> int:
    """Length in ns of ``"1m30s"`` or a timedelta.

    Raises
    ------
    ReplayError
        Not a duration: no unit, an unknown unit, zero or negative.

    Examples
    --------
    >>> duration_ns("1m30s"), duration_ns("250ms")
    (90000000000, 250000000)
    """
    length = _delta_ns(duration) if isinstance(duration, timedelta) else _parsed_ns(duration)
    if length is None or length <= 0:
        raise ReplayError(
            f"duration {duration!r}",
            expected="a positive number with a unit, like '30s', '1m30s' or '250ms'",
        )
    return length


def moment_ns(moment: Moment, origin_ns: int) -> int:
    """Time in ns since the epoch.

    Parameters
    ----------
    moment : int, str or datetime
    origin_ns : int
        What a duration such as ``"10m"`` counts from.

    Raises
    ------
    ReplayError
        No time, or one without a zone: the same text would mean different moments on different machines.
    """
    length = _parsed_ns(moment)
    if length is not None:
        return origin_ns + length
    try:
        return to_ns(moment)
    except RecordingError as problem:
        raise ReplayError(
            problem.found,
            expected="int ns since the epoch, a datetime with its zone, ISO 8601 with a zone "
            "(2024-08-08T23:55:00Z) or a duration like '10m'",
            code=problem.code,
        ) from None


def moment_text(ns: int) -> str:
    """ISO 8601 in UTC, to the ms: the form used in reprs and messages."""
    return f"{to_datetime(ns):%Y-%m-%dT%H:%M:%S}.{ns // 1_000_000 % 1000:03d}Z"


def _parsed_ns(text: object) -> int | None:
    if not isinstance(text, str):
        return None
    rest, total, position = text.strip(), Fraction(0), 0
    while position < len(rest):
        part = _PART.match(rest, position)
        if part is None or part[2] not in UNITS_NS:
            return None
        total += Fraction(part[1]) * UNITS_NS[part[2]]
        position = part.end()
    return int(total) if rest else None


def _delta_ns(delta: timedelta) -> int:
    return (delta.days * 86_400 + delta.seconds) * 1_000_000_000 + delta.microseconds * 1000
