"""Where trading days begin, for deltas and averages that start again with them."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from workbench.errors import WorkbenchError

__all__ = ["day_after", "day_of", "zone_of"]


def zone_of(name: str | None) -> tzinfo:
    """Time zone by its IANA name; UTC for none.

    Raises
    ------
    WorkbenchError
        No such zone.
    """
    if name is None:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise WorkbenchError(
            f"zone {name!r}", expected="an IANA name like 'America/New_York'", code="bad_zone"
        ) from error


def day_of(ts_ns: int, zone: tzinfo) -> int:
    """Midnight at or before a moment, ns."""
    return _midnight(ts_ns, zone, 0)


def day_after(ts_ns: int, zone: tzinfo) -> int:
    """First midnight after a moment, ns."""
    return _midnight(ts_ns, zone, 1)


def _midnight(ts_ns: int, zone: tzinfo, days: int) -> int:
    day = datetime.fromtimestamp(ts_ns // 10**9, zone).date() + timedelta(days=days)
    return int(datetime.combine(day, time(), zone).timestamp()) * 10**9
