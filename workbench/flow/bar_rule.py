"""What ends a bar: time, a number of prints, volume, or the range of its prices."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final, NamedTuple

from workbench.errors import WorkbenchError
from workbench.events import SUBTICKS_PER_TICK, Instrument

BY_TIME: Final = 0
BY_TRADES: Final = 1
BY_VOLUME: Final = 2
BY_RANGE: Final = 3
_UNITS: Final = {"trades": BY_TRADES, "volume": BY_VOLUME, "range": BY_RANGE}
_UNITS_NS: Final = {
    "ns": 1,
    "us": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
    "d": 86400 * 10**9,
}
_EXPECTED: Final = "an interval like '1m', or '500 trades', '1000 volume', '8 range' (ticks)"


class BarRule(NamedTuple):
    """When a bar ends.

    Attributes
    ----------
    kind : int
        :data:`BY_TIME`, :data:`BY_TRADES`, :data:`BY_VOLUME` or :data:`BY_RANGE`.
    step : int
        ns, prints, lots or thousandths of a tick.
    """

    kind: int
    step: int


def bar_rule(bar: str, instrument: Instrument) -> BarRule:
    """Read how bars are cut.

    Parameters
    ----------
    bar : str
        ``"1m"`` (units ns, us, ms, s, m, h, d), ``"500 trades"``, ``"1000 volume"`` (real units) or ``"8 range"`` (ticks).
    instrument : Instrument
        Gives the lot size of volumes.

    Raises
    ------
    WorkbenchError
        Anything else.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?(trades|volume|range)", str(bar).strip())
    if match is None:
        try:
            return BarRule(BY_TIME, interval_ns(bar))
        except WorkbenchError:
            raise WorkbenchError(f"bar {bar!r}", expected=_EXPECTED) from None
    kind, wanted = _UNITS[match[2]], Decimal(match[1])
    step = instrument.lots(wanted) if kind == BY_VOLUME else int(wanted)
    if step < 1 or (kind != BY_VOLUME and wanted != step):
        raise WorkbenchError(f"bar {bar!r}", expected=_EXPECTED)
    return BarRule(kind, step * SUBTICKS_PER_TICK if kind == BY_RANGE else step)


def interval_ns(interval: str, *, or_none: bool = False) -> int:
    """Nanoseconds of an interval like ``"100ms"`` or ``"1m"``.

    Parameters
    ----------
    interval : str
    or_none : bool, optional
        Whether ``"0ms"`` is an interval too, as it is of latencies.

    Raises
    ------
    WorkbenchError
        Anything else.
    """
    match = re.fullmatch(r"(\d+)(ns|us|ms|s|m|h|d)", str(interval).strip())
    if match is None or (int(match[1]) == 0 and not or_none):
        raise WorkbenchError(
            f"interval {interval!r}", expected="a whole number and a unit, like '100ms', '1s' or '1m'"
        )
    return int(match[1]) * _UNITS_NS[match[2]]
