"""An indicator in the platform, fed from a session."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from workbench.errors import WorkbenchError
from workbench.protocol import messages
from workbench.session.account_frames import TS
from workbench.session.drawing import Style, last_value

if TYPE_CHECKING:
    from workbench.frames.capture import Capture
    from workbench.session.line import Line

ANSWER_S: Final = 2.0
Live = Callable[[], object]
"""Gives a value whenever it is asked, or None while there is none."""


class Publication:
    """An indicator in the platform, fed from here: made by :meth:`Session.publish`. A context manager that stops it.

    The platform draws at the present only: a value appears when it is sent.
    """

    def __init__(self, line: Line, capture: Capture, name: str, style: Style, live: Live | None = None):
        self._line, self._capture, self.style = line, capture, style
        self.name = name
        self.live = live
        self._lock = threading.Lock()
        # sixteen bytes for a value: a day has a million of them
        self._sent_ts, self._sent_values = array("q"), array("d")
        self._error = ""
        self._stopped = False

    @property
    def symbol(self) -> str:
        """Instrument on whose chart it is drawn."""
        return self._capture.instrument.symbol

    @property
    def drawn(self) -> bool:
        """Whether anything was sent: the platform keeps the look of the first value."""
        return bool(self._sent_values)

    @property
    def running(self) -> bool:
        """Whether values are still taken."""
        return not self._stopped

    @property
    def error(self) -> str:
        """What went wrong last; empty when the last value went out."""
        return self._error

    @property
    def values(self) -> pl.DataFrame:
        """What was sent: ``ts`` (UTC, the newest event then) and ``value``."""
        with self._lock:
            ts, values = np.array(self._sent_ts, np.int64), np.array(self._sent_values, np.float64)
        return pl.DataFrame([pl.Series("ts", ts).cast(TS), pl.Series("value", values)])

    def add(self, value: object) -> None:
        """Draw a value now: a number, or the last one of a series, frame or array.

        Raises
        ------
        WorkbenchError
            No finite number; stopped; the platform refused it, or there is none (``not_supported``).
        """
        if self._stopped:
            raise WorkbenchError(f"publication {self.name!r} was stopped", action="Publish it again")
        self._send(last_value(value, self.name))

    def stop(self) -> None:
        """Send nothing more; what was drawn stays. Stopping twice is no error."""
        self._stopped = True

    def update(self) -> None:
        """Send what the live value is now, if it changed; an error is kept, never raised."""
        if self._stopped or self.live is None:
            return
        try:
            told = self.live()
            if told is not None and not self._is_drawn(value := last_value(told, self.name)):
                self._send(value)
        except Exception as problem:  # noqa: BLE001 - it is the user's function, on a thread without a caller
            self._error = f"{type(problem).__name__}: {problem}"
            self._stopped = isinstance(problem, WorkbenchError) and problem.code == "not_supported"
        else:
            self._error = ""

    def _is_drawn(self, value: float) -> bool:
        return self.drawn and self._sent_values[-1] == value

    def _send(self, value: float) -> None:
        ts = self._capture.last_ts
        self._line.ask(
            messages.Publish(
                symbol=self.symbol,
                indicator=self.name,
                value=value,
                ts=ts,
                where=self.style.where,
                colour=self.style.colour,
                style=self.style.line,
            ),
            ANSWER_S,
        )
        with self._lock:
            self._sent_ts.append(ts)
            self._sent_values.append(value)

    def __enter__(self) -> Publication:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = "stopped" if self._stopped else "live" if self.live is not None else "by hand"
        error = f", error={self._error!r}" if self._error else ""
        return f"Publication({self.name!r}, {self.symbol}, {self.style.where}, {state}{error})"
