"""Moments as people hand them over, as ns since the epoch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from workbench.errors import RecordingError

Moment = int | datetime | np.datetime64
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def to_ns(moment: Moment) -> int:
    """Return ns since the epoch, UTC.

    Parameters
    ----------
    moment : int, datetime or datetime64
        Integers are ns since the epoch; a datetime must know its time zone; a datetime64 is UTC by definition.

    Raises
    ------
    RecordingError
        A naive datetime, a float (too coarse for ns), or anything else.
    """
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
