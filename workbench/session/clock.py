"""The clock of a session: virtual time, and the hands that move it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from workbench.feeds.pacing import parse_speed
from workbench.feeds.times import Moment, moment_ns, moment_text
from workbench.frames.moments import to_datetime

if TYPE_CHECKING:
    from datetime import datetime

    from workbench.session.line import Line


class Clock:
    """Virtual time of a session: ``session.clock``.

    A live feed's time is read only. Inline it moves by :meth:`Session.advance` and :meth:`Session.until`; through an
    engine it is the engine's, shared by everybody who looks on.
    """

    def __init__(self, line: Line):
        self._line = line

    @property
    def now_ns(self) -> int:
        """Virtual time, ns since the epoch, UTC."""
        return self._line.now_ns

    @property
    def now(self) -> datetime:
        """Virtual time as a datetime in UTC (µs)."""
        return to_datetime(self.now_ns)

    @property
    def speed(self) -> float:
        """Virtual seconds per second; set it to a number or ``"max"``. Inline it has no effect."""
        return self._line.speed

    @speed.setter
    def speed(self, speed: float | str) -> None:
        self._line.set_speed(parse_speed(speed))

    @property
    def is_steerable(self) -> bool:
        """Whether time goes by itself and may be held and hastened: not that of a live feed, nor one moved by hand."""
        return self._line.is_steerable

    @property
    def span_ns(self) -> tuple[int, int | None]:
        """First and last moment of the source, ns since the epoch, UTC; no last one where it goes on for ever."""
        return self._line.start_ns, self._line.end_ns

    def pause(self) -> None:
        """Stand still; nothing is lost. A live feed cannot be paused."""
        self._line.pause()

    def resume(self) -> None:
        """Go on after :meth:`pause`."""
        self._line.resume()

    def seek(self, ts: Moment) -> None:
        """Go to a moment: what was captured is forgotten, and the book of that moment is there at once.

        Parameters
        ----------
        ts : int, datetime or str
            A duration such as ``"30s"`` counts from the start of the source.
        """
        self._line.seek(moment_ns(ts, self._line.start_ns))

    def __repr__(self) -> str:
        speed = "max" if math.isinf(self.speed) else f"{self.speed:g}"
        return f"Clock({moment_text(self.now_ns)}, speed={speed}, {self._line.state})"
