"""When a strategy may act: within the hours of its market, and once what it looks at has warmed up."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from workbench.errors import WorkbenchError
from workbench.flow.bar_rule import interval_ns
from workbench.flow.days import TradingDay

_SAID: Final = re.compile(r"(\d\d:\d\d)\s*[-–]\s*(\d\d:\d\d) (\S+)")
_ALWAYS: Final = 1 << 63


class Hours(NamedTuple):
    """Hours of each day, by the clock of a place; over midnight too.

    Parameters
    ----------
    opens, closes : TradingDay
        They belong to the hours from the opening on, up to the closing, which does not.

    Examples
    --------
    >>> import numpy as np
    >>> hours = Hours.read("08:30-15:00 America/Chicago")
    >>> noon = int(np.datetime64("2024-08-08T17:00", "ns").astype(int))
    >>> hours.holds(noon), np.datetime64(hours.turn(noon), "ns")
    (True, numpy.datetime64('2024-08-08T20:00:00.000000000'))
    """

    opens: TradingDay
    closes: TradingDay

    @staticmethod
    def read(text: str) -> Hours:
        """Hours that are written as ``"08:30-15:00 America/Chicago"``.

        Raises
        ------
        WorkbenchError
            None, or no such zone (code ``bad_value`` or ``bad_zone``).
        """
        said = _SAID.fullmatch(str(text))
        if said is None or said[1] == said[2]:
            raise WorkbenchError(
                f"hours {text!r}",
                expected="an opening, a closing and an IANA zone, like '08:30-15:00 America/Chicago'",
                code="bad_value",
            )
        return Hours(TradingDay.read(f"{said[1]} {said[3]}"), TradingDay.read(f"{said[2]} {said[3]}"))

    def holds(self, ts_ns: int) -> bool:
        """Whether a moment lies within."""
        return self.closes.after(self.opens.of(ts_ns)) > ts_ns

    def turn(self, ts_ns: int) -> int:
        """When they next begin or end, ns: behind the moment."""
        return self.closes.after(ts_ns) if self.holds(ts_ns) else self.opens.after(ts_ns)


class Schedule:
    """Whether to act at a step; asked in order of time, mostly.

    Parameters
    ----------
    first_ns : int, ns
        First event.
    hours : str, optional
    warm_up : str, optional
        No step before so long after the first event.

    Attributes
    ----------
    until : int, ns
        Up to which moment the last answer holds.

    Raises
    ------
    WorkbenchError
        No such hours, no such duration.
    """

    def __init__(self, first_ns: int, hours: str | None = None, warm_up: str | None = None):
        self._hours = None if hours is None else Hours.read(hours)
        self._warm = first_ns + (0 if warm_up is None else interval_ns(warm_up))
        self._since, self.until, self._acts = _ALWAYS, -_ALWAYS, False

    @staticmethod
    def of(first_ns: int, hours: str | None, warm_up: str | None) -> Schedule | None:
        """Schedule, or None where a strategy always acts."""
        return None if hours is None and warm_up is None else Schedule(first_ns, hours, warm_up)

    def acts(self, ts_ns: int) -> bool:
        """Whether a strategy acts at a moment."""
        if not self._since <= ts_ns < self.until:
            self._look(ts_ns)
        return self._acts

    def _look(self, ts_ns: int) -> None:
        self._since = ts_ns
        if ts_ns < self._warm:
            self._acts, self.until = False, self._warm
        elif self._hours is None:
            self._acts, self.until = True, _ALWAYS
        else:
            self._acts, self.until = self._hours.holds(ts_ns), self._hours.turn(ts_ns)


__all__ = ["Hours", "Schedule"]
