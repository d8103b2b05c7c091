"""Values drawn on Bookmap's chart: registered once per name, then one point at a time, the newest first of all.

Bookmap draws at its current time only, so a value that is not drawn yet is worthless once there is a newer one: each
indicator holds at most one. Values on the price chart are prices and leave as levels; values of a panel leave as they
are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from workbench.errors import ProtocolError
from workbench.instruments import Instrument
from workbench.protocol.messages import Publish

if TYPE_CHECKING:
    from workbench.bridge.lines import Lines

MAX_INDICATORS: Final = 64
POINT_INTERVAL_NS: Final = 100_000_000
"""One point per indicator and data interval; so long without an interval, and the next one goes all the same."""

_WHERE: Final = {"chart": "PRIMARY", "panel": "BOTTOM"}
_NO_LOOK: Final = Publish(symbol="", indicator="", value=0.0)


@dataclass(frozen=True, slots=True)
class Point:
    """A value that leaves for Bookmap: its line, and what was asked for."""

    line: bytes
    indicator: str
    value: float
    where: str


@dataclass(slots=True)
class _Indicator:
    """One name: how it looks, what Bookmap calls it, and the newest value it was not told."""

    look: Publish
    request_id: int | None = None
    number: int | None = None
    waiting: tuple[float, float] | None = None  # value, and the same as Bookmap takes it
    free_at: int = 0

    def forget(self) -> None:
        self.request_id = self.number = self.waiting = None
        self.free_at = 0


class Indicators:
    """Drawings of one instrument.

    Parameters
    ----------
    alias : str
    lines : Lines
    next_request : callable
        Fresh request number, unique in the run.
    """

    def __init__(self, alias: str, lines: Lines, next_request: Callable[[], int]):
        self.alias = alias
        self._lines, self._next_request = lines, next_request
        self._indicators: dict[str, _Indicator] = {}

    def publish(self, command: Publish, instrument: Instrument) -> list[bytes]:
        """Take a value; the lines register its indicator, if it is the first one.

        Raises
        ------
        ProtocolError, LineError
            Not finite, too many indicators, a name that fits on no line, or one that is drawn elsewhere or
            otherwise already.
        """
        drawn = _as_bookmap_takes_it(command, instrument)
        indicator = self._indicators.get(command.indicator) or self._new(command)
        _check_look(indicator.look, command)
        lines = [] if indicator.request_id is not None else [self._register(indicator, drawn)]
        self._indicators[command.indicator] = indicator
        indicator.waiting = (command.value, drawn)
        return lines

    def made(self, request_id: int, number: int) -> None:
        """Bookmap gave an indicator its number; one of another instrument changes nothing."""
        for indicator in self._indicators.values():
            if indicator.request_id == request_id:
                indicator.number = number

    def interval_passed(self) -> None:
        """Data time moved on: every indicator may have its next point."""
        for indicator in self._indicators.values():
            indicator.free_at = 0

    def points(self, mono: int) -> Iterator[Point]:
        """Points that may leave now."""
        for name, indicator in self._indicators.items():
            if indicator.waiting is None or indicator.number is None or indicator.free_at > mono:
                continue
            (value, drawn), indicator.waiting = indicator.waiting, None
            indicator.free_at = mono + POINT_INTERVAL_NS
            line = self._lines.add_point(self.alias, indicator.number, drawn)
            yield Point(line, name, value, indicator.look.where)

    def deadline(self) -> int | None:
        """When a point that waits may leave, monotonic ns."""
        waiting = [i.free_at for i in self._indicators.values() if i.waiting and i.number is not None]
        return min(waiting, default=None)

    def forget_numbers(self) -> None:
        """The instrument was detached: names and looks stay, and are registered anew with their next value."""
        for indicator in self._indicators.values():
            indicator.forget()

    @property
    def names(self) -> list[str]:
        """Indicators that were asked for."""
        return list(self._indicators)

    @property
    def unanswered(self) -> list[str]:
        """Indicators that Bookmap gave no number yet."""
        return [n for n, i in self._indicators.items() if i.request_id is not None and i.number is None]

    def _new(self, command: Publish) -> _Indicator:
        if len(self._indicators) >= MAX_INDICATORS:
            raise ProtocolError(
                f"{MAX_INDICATORS} indicators of {self.alias} are drawn already",
                action="Use one of their names",
                code="too_many",
            )
        return _Indicator(command)

    def _register(self, indicator: _Indicator, drawn: float) -> bytes:
        look, number = indicator.look, self._next_request()
        red, green, blue = bytes.fromhex(look.colour[1:])
        line = self._lines.register_indicator(
            self.alias,
            number,
            look.indicator,
            _WHERE[look.where],
            drawn,
            (red, green, blue),
            look.style.upper(),
        )
        indicator.request_id = number
        return line


def _check_look(first: Publish, command: Publish) -> None:
    """Refuse another look than an indicator was registered with: Bookmap would go on in the first one.

    A command that names no look has the usual one, and means the one that is there.
    """
    if first.where != command.where:
        raise ProtocolError(
            f"indicator {command.indicator!r} is drawn in the {first.where} already",
            expected=f"where={first.where!r}, or another name",
            code="bad_value",
        )
    colours, styles = (first.colour.lower(), _NO_LOOK.colour), (first.style, _NO_LOOK.style)
    if command.colour.lower() not in colours or command.style not in styles:
        raise ProtocolError(
            f"indicator {command.indicator!r} is drawn in {first.colour} {first.style} already",
            expected=f"colour={first.colour!r}, style={first.style!r}, or another name",
            code="bad_value",
        )


def _as_bookmap_takes_it(command: Publish, instrument: Instrument) -> float:
    """Levels for the chart, the value itself for a panel; the double nearest to the exact quotient."""
    try:
        if math.isfinite(command.value):
            if command.where == "panel":
                return command.value
            return float(Fraction(command.value) / Fraction(instrument.tick_size))
    except OverflowError:
        pass
    raise ProtocolError(
        f"value {command.value!r} of {command.indicator[:80]!r}", expected="a finite number", code="bad_value"
    )
