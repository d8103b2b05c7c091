"""What an explorer studies at: the events so far of one instrument, and desks that keep what they read of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from workbench.errors import WorkbenchError
from workbench.events import EventBatch, FloatArray
from workbench.flow.signals.contract import Signal
from workbench.flow.signals.sight import Needs
from workbench.frames.recording import Recording
from workbench.lab.desk import StudyDesk
from workbench.lab.study import Study, Terms
from workbench.lab.trials import Trials
from workbench.views.live import Captured
from workbench.views.mark_sets import MOST_MARKS

__all__ = ["Choice", "Desks", "EventsSoFar", "Outcome"]

MOST_DESKS: Final = 3
"""Desks kept at a time: each holds the best levels of every moment, 50 MB for a level of a million moments."""


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


class EventsSoFar:
    """Events of one instrument up to now, whatever comes later.

    Parameters
    ----------
    capture : Captured
    """

    def __init__(self, capture: Captured):
        self.instrument = capture.instrument
        self._columns = capture.columns
        self.count = len(capture.columns)

    def batches(self) -> Iterator[EventBatch]:
        """The events, in order."""
        for chunk in self._columns.chunks(0, self.count):
            yield EventBatch.trusted(tuple(chunk[:9]), int(chunk[-1][0]))


class Desks:
    """Desks for one instrument, one for what each signal looks at; used by one thread at a time.

    Parameters
    ----------
    source : session or recording
        Whose register counts the trials.
    capture : Captured
    """

    def __init__(self, source: Any, capture: Captured):
        self._source, self._capture = source, capture
        self.trials = Trials.of(source)
        self.renew()

    def renew(self) -> None:
        """Begin anew with the events that there are now."""
        self._events = self._source if isinstance(self._source, Recording) else EventsSoFar(self._capture)
        self.count = len(self._capture.columns)
        self._kept: dict[Needs, StudyDesk] = {}

    @property
    def newer(self) -> int:
        """Events that came since."""
        return len(self._capture.columns) - self.count

    def outcome(self, choice: Choice) -> Outcome:
        """Study a choice; what is wrong with it is told, not raised."""
        begun = time.perf_counter_ns()
        read = choice.signal.needs not in self._kept
        try:
            study = self._desk(choice.signal.needs).study(choice.signal, choice.terms, counted=choice.settled)
        except Exception as error:  # noqa: BLE001 - a user's own signal may raise anything: it is shown
            text = str(error) if isinstance(error, WorkbenchError) else f"{type(error).__name__}: {error}"
            return Outcome(choice, error=text)
        return Outcome(choice, study, (time.perf_counter_ns() - begun) / 1e6, read)

    def _desk(self, needs: Needs) -> StudyDesk:
        desk = self._kept.pop(needs, None)
        if desk is None:
            while len(self._kept) >= MOST_DESKS:
                del self._kept[next(iter(self._kept))]
            desk = StudyDesk(self._events)
            desk.trials = self.trials
        self._kept[needs] = desk  # the last one of the dict is the one used last
        return desk


def marks_of(study: Study, tick: float) -> pl.DataFrame:
    """What a heatmap shows of a study: ``ts, price, side, score``; of very many events every k-th."""
    entries = study.entries
    step = max(-(-len(entries) // (4 * MOST_MARKS)), 1)
    return entries.gather_every(step).select(
        "ts", (pl.col("price_ticks") * tick).alias("price"), "side", "score"
    )


def finite_list(values: FloatArray) -> list[float | None]:
    """Numbers for the page, null where there is none."""
    return [None if not np.isfinite(v) else float(f"{v:.6g}") for v in values.tolist()]
