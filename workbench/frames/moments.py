"""Moments as people hand them over, as ns since the epoch."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from workbench.errors import RecordingError

Moment = int | datetime | np.datetime64
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_FINE_ISO: Final = re.compile(r"(.*?:\d\d)\.(\d{7,9})(.*)")


def to_ns(moment: Moment | str) -> int:
    """Return ns since the epoch, UTC.

    Parameters
    ----------
    moment : int, datetime, datetime64 or str
        Integers are ns since the epoch; a datetime must know its time zone, and so must a text in ISO 8601, which may
        have nine decimals; a datetime64 is UTC by definition.

    Raises
    ------
    RecordingError
        A time without a zone, a float (too coarse for ns), or anything else.
    """
    if isinstance(moment, str):
        return _iso_ns(moment)
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise RecordingError(
                f"time {moment.isoformat()} without a time zone",
                expected="a datetime that knows its zone, or int ns",
                action="Write datetime(..., tzinfo=timezone.utc)",
                code="naive_time",
            )
        # pandas' Timestamp is a datetime with ns beyond the microsecond.
        return (moment - _EPOCH) // _MICROSECOND * 1000 + int(getattr(moment, "nanosecond", 0))
    if isinstance(moment, np.datetime64) and not np.isnat(moment):
        return int(moment.astype("datetime64[ns]").astype(np.int64))
    if isinstance(moment, int | np.integer) and not isinstance(moment, bool):
        return int(moment)
    raise RecordingError(
        f"time {moment!r} of type {type(moment).__name__}",
        expected="int ns since the epoch, or a datetime with its time zone",
        code="bad_time",
    )


def iso_text(ns: int) -> str:
    """ISO 8601 in UTC with nine decimals, exactly: what :func:`to_ns` reads back.

    >>> iso_text(1723118400123456789)
    '2024-08-08T12:00:00.123456789Z'
    """
    seconds, rest = divmod(ns, 10**9)
    return f"{_EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def _iso_ns(text: str) -> int:
    # a datetime knows microseconds only: finer decimals are added by hand
    fine = _FINE_ISO.fullmatch(text.strip())
    plain, rest = (fine[1] + fine[3], int(fine[2].ljust(9, "0"))) if fine else (text.strip(), 0)
    try:
        return to_ns(datetime.fromisoformat(plain)) + rest
    except ValueError:
        raise RecordingError(
            f"time {text!r}", expected="ISO 8601 with a zone, like 2024-08-08T23:55:00Z", code="bad_time"
        ) from None


def to_datetime(ns: int) -> datetime:
    """UTC datetime of ns since the epoch, cut to microseconds."""
    return _EPOCH + timedelta(microseconds=ns // 1000)


def check_span(start_ns: int | None, end_ns: int | None) -> None:
    """Refuse an end before its start."""
    if start_ns is not None and end_ns is not None and end_ns < start_ns:
        raise RecordingError(
            f"end {to_datetime(end_ns).isoformat()} before start {to_datetime(start_ns).isoformat()}",
            expected="end after start",
            code="end_before_start",
        )
