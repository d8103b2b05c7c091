"""What an explorer studies at: a desk for the events so far of one instrument, anew when newer ones are asked for."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from workbench.errors import WorkbenchError
from workbench.events import FloatArray
from workbench.flow.signals.contract import Signal
from workbench.frames.recording import Recording
from workbench.lab.desk import StudyDesk
from workbench.lab.excerpt import Excerpt, Window
from workbench.lab.study import Study, Terms
from workbench.lab.trials import Trials
from workbench.views.live import Captured
from workbench.views.mark_sets import MOST_MARKS

__all__ = ["Choice", "Outcome", "Workplace", "marks_of"]

MOST_SIGHTS: Final = 3
"""Sights kept at a time: each holds the best levels of every moment, 50 MB for a level of a million moments."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What is to be studied.

    Attributes
    ----------
    signal : Signal
    terms : Terms
    settled : bool
        Whether it was chosen, and not only passed on the way to another one; those that were count as trials.
    token : str
        By which a page knows its own choice again.
    """

    signal: Signal
    terms: Terms
    settled: bool = True
    token: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a choice: the study, what it took, the marks; or why there is none."""

    choice: Choice
    study: Study | None = None
    took_ms: float = 0.0
    read: bool = False
    error: str = ""


class Workplace:
    """Desk for one instrument, and how many events came since it was set up; used by one thread at a time.

    Parameters
    ----------
    source : session or recording
        Whose register counts the trials.
    capture : Captured
    window : str, timedelta or (start, end), optional
        Only these events, as :func:`wb.study` takes it.

    Attributes
    ----------
    events : Excerpt
        What is studied.
    """

    def __init__(self, source: Any, capture: Captured, window: Window | None = None):
        self._source, self._capture = source, capture
        self.window = window
        self.trials = Trials.of(source)
        self.renew()

    def renew(self) -> None:
        """Begin anew with the events that there are now."""
        whole = self._source if isinstance(self._source, Recording) else self._capture
        self._seen = len(self._capture.columns)
        self.events = Excerpt(whole, self.window)
        self.desk = StudyDesk(self.events, most=MOST_SIGHTS)
        self.desk.trials, self.desk.window = self.trials, self.window

    @property
    def newer(self) -> int:
        """Events that came since, of those that belong to the window."""
        return 0 if self.events.ends else len(self._capture.columns) - self._seen

    def outcome(self, choice: Choice) -> Outcome:
        """Study a choice; what is wrong with it is told, not raised."""
        begun = time.perf_counter_ns()
        read = not self.desk.holds(choice.signal.needs)
        try:
            study = self.desk.study(choice.signal, choice.terms, counted=choice.settled)
        except Exception as error:  # noqa: BLE001 - a user's own signal may raise anything: it is shown
            text = str(error) if isinstance(error, WorkbenchError) else f"{type(error).__name__}: {error}"
            return Outcome(choice, error=text)
        return Outcome(choice, study, (time.perf_counter_ns() - begun) / 1e6, read)


def marks_of(study: Study) -> pl.DataFrame:
    """What a heatmap shows of a study: ``ts, price, side, score``; of very many events every k-th."""
    entries = study.entries
    step = max(-(-len(entries) // (4 * MOST_MARKS)), 1)
    return entries.gather_every(step).select("ts", "price", "side", "score")


def finite_list(values: FloatArray) -> list[float | None]:
    """Numbers for the page, null where there is none."""
    return [None if not np.isfinite(v) else float(f"{v:.6g}") for v in values.tolist()]
