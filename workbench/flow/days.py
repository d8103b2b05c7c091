"""Where trading days begin: for deltas and averages that start again with them, for a day's losses and orders."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from workbench.errors import WorkbenchError

__all__ = ["MIDNIGHT_UTC", "TradingDay", "day_after", "zone_of"]

_SAID = re.compile(r"([01]\d|2[0-3]):([0-5]\d) (\S+)")


class TradingDay(NamedTuple):
    """The hour at which a market's day begins, by the clock of a place.

    Parameters
    ----------
    begins : time
    zone : tzinfo

    Examples
    --------
    Futures of the CME: the day of Monday begins on Sunday at 17:00 in Chicago, which is 22:00 or 23:00 UTC.

    >>> import numpy as np
    >>> day = TradingDay.read("17:00 America/Chicago")
    >>> noon = int(np.datetime64("2024-08-08T12:00", "ns").astype(int))
    >>> np.datetime64(day.after(noon), "ns"), np.datetime64(day.of(noon), "ns")
    (numpy.datetime64('2024-08-08T22:00:00.000000000'), numpy.datetime64('2024-08-07T22:00:00.000000000'))
    """

    begins: time
    zone: tzinfo

    @staticmethod
    def read(text: str) -> TradingDay:
        """Day that is written as ``"17:00 America/Chicago"``.

        Raises
        ------
        WorkbenchError
            No such hour, or no such zone (code ``bad_value`` or ``bad_zone``).
        """
        said = _SAID.fullmatch(str(text))
        if said is None:
            raise WorkbenchError(
                f"trading day {text!r}",
                expected="the hour at which it begins and an IANA zone, like '17:00 America/Chicago'",
                code="bad_value",
            )
        hour, minute, name = said.groups()
        return TradingDay(time(int(hour), int(minute)), UTC if name == "UTC" else zone_of(name))

    def of(self, ts_ns: int) -> int:
        """Beginning of the day to which a moment belongs, ns."""
        date = datetime.fromtimestamp(ts_ns // 10**9, self.zone).date()
        today = self._beginning(date.toordinal())
        return today if today <= ts_ns else self._beginning(date.toordinal() - 1)

    def after(self, ts_ns: int) -> int:
        """Beginning of the next day, ns: behind the moment, never at it."""
        date = datetime.fromtimestamp(ts_ns // 10**9, self.zone).date()
        today = self._beginning(date.toordinal())
        return today if today > ts_ns else self._beginning(date.toordinal() + 1)

    def _beginning(self, ordinal: int) -> int:
        day = datetime.min.date() + timedelta(days=ordinal - 1)
        return int(datetime.combine(day, self.begins, self.zone).timestamp()) * 10**9


MIDNIGHT_UTC = "00:00 UTC"
"""Days of markets that never close."""


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


def day_after(ts_ns: int, zone: tzinfo) -> int:
    """First midnight after a moment, ns."""
    return TradingDay(time(), zone).after(ts_ns)
