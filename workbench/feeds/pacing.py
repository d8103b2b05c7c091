"""Virtual time over wall time: how far a source may have come by now. No clock in here: ``wall_ns`` is an argument."""

from __future__ import annotations

import math
from typing import Final

from workbench.errors import ReplayError

MAX: Final = math.inf
"""Speed of "as fast as whoever must not lose anything can take it"."""


def parse_speed(speed: object) -> float:
    """Speed as a number: 1 is real time, ``"max"`` as fast as possible (infinity).

    Raises
    ------
    ReplayError
        Zero, negative, not a number.
    """
    if speed in ("max", MAX):
        return MAX
    try:
        # the command line hands over text
        number = math.nan if isinstance(speed, bool) else float(speed)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = math.nan
    if not (number > 0 and math.isfinite(number)):
        raise ReplayError(
            f"replay speed {speed!r}",
            expected="a positive number (1 = as it happened) or 'max'",
            action="pause() halts",
        )
    return number


def speed_name(speed: float) -> float | str:
    """Speed as it is written: a number, or ``"max"`` for no limit."""
    return "max" if math.isinf(speed) else speed


class Pace:
    """Maps wall time to virtual time: ``virtual = anchor + (wall − wall0) · speed``.

    Parameters
    ----------
    start_ns : int, ns since the epoch, UTC
        Virtual time at the start.
    wall_ns : int, ns
        A monotonic clock; a step of the wall clock must not move virtual time.
    speed : float
        1 is real time; :data:`MAX` as fast as possible.
    """

    def __init__(self, start_ns: int, wall_ns: int, speed: float = 1.0):
        self.speed = speed
        self.paused = False
        self._virtual0 = start_ns
        self._wall0 = wall_ns

    @property
    def unlimited(self) -> bool:
        """Whether virtual time is not bound to the wall clock at all."""
        return math.isinf(self.speed)

    def target(self, wall_ns: int) -> int | None:
        """Virtual time that may have been reached by now; None without a limit."""
        if self.paused:
            return self._virtual0
        if self.unlimited:
            return None
        return self._virtual0 + int((wall_ns - self._wall0) * self.speed)

    def anchor(self, virtual_ns: int, wall_ns: int) -> None:
        """Go on from this virtual time now: after a seek, or when the source could not keep up."""
        self._virtual0 = virtual_ns
        self._wall0 = wall_ns

    def pause(self, virtual_ns: int, wall_ns: int) -> None:
        """Stand still at ``virtual_ns``."""
        self.anchor(virtual_ns, wall_ns)
        self.paused = True

    def resume(self, wall_ns: int) -> None:
        """Go on where :meth:`pause` stopped."""
        if self.paused:
            self._wall0 = wall_ns
            self.paused = False

    def change(self, speed: float, virtual_ns: int, wall_ns: int) -> None:
        """Go on from ``virtual_ns`` with another speed."""
        self.anchor(virtual_ns, wall_ns)
        self.speed = speed
