"""How bars are sampled: by the clock, or by what was traded (prints, volume, value, delta, range, imbalance)."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple

from workbench.errors import WorkbenchError
from workbench.events import SUBTICKS_PER_TICK, Instrument
from workbench.flow.bar_rule import (
    BY_RANGE,
    BY_TIME,
    BY_TRADES,
    BY_VOLUME,
    interval_ns,
)

BY_VALUE: Final = 4
BY_DELTA: Final = 5
BY_IMBALANCE: Final = 6
"""Imbalance of prints; of volume the number after it, of value the next."""

_KINDS: Final = {
    "t": BY_TRADES, "tick": BY_TRADES, "ticks": BY_TRADES, "trade": BY_TRADES, "trades": BY_TRADES,
    "v": BY_VOLUME, "volume": BY_VOLUME,
    "$": BY_VALUE, "dollar": BY_VALUE, "dollars": BY_VALUE,
    "delta": BY_DELTA,
    "range": BY_RANGE,
}  # fmt: skip
_IMBALANCES: Final = {BY_TRADES: BY_IMBALANCE, BY_VOLUME: BY_IMBALANCE + 1, BY_VALUE: BY_IMBALANCE + 2}
_WRITTEN: Final = re.compile(r"(\d+(?:\.\d+)?) ?([a-z$]+)( imbalance)?")
_EXPECTED: Final = (
    "an interval like '1s', or '500 trades', '1000 volume', '1000000 dollars', '200 delta', '8 range', "
    "'500 trades imbalance' (short: '500t', '1000v', '1000000$')"
)


class SamplingRule(NamedTuple):
    """When a bar ends.

    Attributes
    ----------
    kind : int
        ``BY_…`` of :mod:`~workbench.flow.bar_rule` and of this module.
    step : int
        ns, prints, lots, value in units of :attr:`value_unit`, or thousandths of a tick; of imbalance bars the trades
        that the first bar has.
    value_unit : float
        Real value (quote currency) of one lot at a price of a thousandth of a tick.
    """

    kind: int
    step: float
    value_unit: float


def sampling_rule(bar: str, instrument: Instrument) -> SamplingRule:
    """Read how bars are sampled.

    Parameters
    ----------
    bar : str
        A number and one of: a unit of time (ns, us, ms, s, m, h, d); ``trades`` (``ticks``, ``t``); ``volume`` (``v``),
        real units; ``dollars`` (``$``), price · size · multiplier; ``delta``, real units; ``range``, ticks; or
        ``trades imbalance``, ``volume imbalance``, ``dollars imbalance`` with the trades that the first bar has.
    instrument : Instrument
        Gives lot, tick and multiplier.

    Raises
    ------
    WorkbenchError
        Anything else.

    Examples
    --------
    >>> from workbench.events import Instrument
    >>> sampling_rule("500t", Instrument("ES", "0.25", multiplier=50)).step
    500.0
    """
    tick, lot = Fraction(instrument.tick_size), Fraction(instrument.lot_size)
    unit = float(tick * lot * Fraction(instrument.multiplier) / SUBTICKS_PER_TICK)
    match = _WRITTEN.fullmatch(str(bar).strip())
    if match is None or match[2] not in _KINDS:
        return SamplingRule(BY_TIME, _interval(bar), unit)
    kind, wanted = _KINDS[match[2]], Decimal(match[1])
    if match[3]:
        kind = _IMBALANCES.get(kind, -1)
    step = _step(kind, wanted, instrument)
    if kind < 0 or step <= 0 or step > 2**53:
        raise WorkbenchError(f"bar {bar!r:.60}", expected=_EXPECTED)
    return SamplingRule(kind, step, unit)


def _interval(bar: str) -> float:
    try:
        return float(interval_ns(bar))
    except WorkbenchError:
        raise WorkbenchError(f"bar {bar!r:.60}", expected=_EXPECTED) from None


def _step(kind: int, wanted: Decimal, instrument: Instrument) -> float:
    if kind in (BY_VOLUME, BY_DELTA):
        return float(instrument.lots(wanted))
    if kind == BY_VALUE:
        return float(wanted)
    if wanted != int(wanted):
        return 0.0
    return float(wanted) * (SUBTICKS_PER_TICK if kind == BY_RANGE else 1)
