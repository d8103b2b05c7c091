"""The desk that signals are studied at: what depends on the recording alone is made once and kept."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from workbench.events import IntArray
from workbench.flow.batches import event_batches
from workbench.flow.signals.contract import Scores, Signal, judged
from workbench.flow.signals.sight import Needs, Sight, sight_of
from workbench.lab.excerpt import Excerpt, Window
from workbench.lab.forward import Mids
from workbench.lab.points import Points
from workbench.lab.study import Study, Terms, studied
from workbench.lab.trials import Trials

_DEPTHS: Final = (5, 10, 20, 50)
"""Levels that are read once more than one number was asked for: whoever tries 2 may try 3."""


class StudyDesk:
    """Studies of many signals on one recording, each at the cost of its parameters only.

    Parameters
    ----------
    x : session or recording
        As it is now: what comes later is not seen.
    window : str, timedelta or (start, end), optional
        Only the last ``"30m"``, or what lies between two moments (or durations after the first event, None: no bound).
    most : int, optional
        Of how many different needs what was read is kept; the one used longest ago goes. Default: all.

    Attributes
    ----------
    trials : Trials
        Everything that was tried here and before.
    """

    def __init__(self, x: Any, window: Window | None = None, *, most: int | None = None):
        self.trials = Trials.of(x)
        self.window, self.most = window, most
        self._x = x if window is None else Excerpt(x, window)
        self._instrument = getattr(x, "instrument", None)
        self._sights: dict[Needs, tuple[Sight, Mids]] = {}
        self._points: dict[tuple[Needs, tuple[str, ...], str], Points] = {}

    def prepare(self, needs: Needs) -> tuple[Sight, Mids]:
        """What a signal looks at, read from the events at the first call."""
        found = self._sights.pop(needs, None)
        if found is None:
            sight = self._seen(needs)
            found = sight, Mids.of(sight)
        self._sights[needs] = found  # the last one of the dict is the one used last
        self._forget()
        return found

    def holds(self, needs: Needs) -> bool:
        """Whether a signal with these needs costs no reading."""
        return needs in self._sights or self._deeper(needs) is not None

    def _deeper(self, needs: Needs) -> Needs | None:
        """What was read with more levels, of which fewer are a part; detectors add rows of their own."""
        deeper = [n for n in self._sights if n.levels > needs.levels and not n.finders]
        return None if needs.finders else min(deeper, default=None)

    def _seen(self, needs: Needs) -> Sight:
        deeper = self._deeper(needs)
        if deeper is None and not needs.finders and any(not n.finders for n in self._sights):
            levels = next((depth for depth in _DEPTHS if depth >= needs.levels), needs.levels)
            deeper = Needs(levels) if levels > needs.levels else None
        if deeper is None:
            return sight_of(event_batches(self._x), needs, self._instrument)
        return self.prepare(deeper)[0].narrowed(needs.levels)

    def _forget(self) -> None:
        while self.most is not None and len(self._sights) > self.most:
            gone = next(iter(self._sights))
            del self._sights[gone]
            self._points = {key: points for key, points in self._points.items() if key[0] != gone}

    def scores(self, signal: Signal) -> Scores:
        """What a signal says, from what was read before."""
        return judged(signal, signal.rule(), self.prepare(signal.needs)[0])

    def entries(self, signal: Signal) -> IntArray:
        """Rows at which its side goes on or turns."""
        return onsets(self.scores(signal))

    def study(
        self, signal: Signal, terms: Terms | None = None, *, seed: int = 7, counted: bool = True
    ) -> Study:
        """Study a signal and count the trial.

        Parameters
        ----------
        signal : Signal
        terms : Terms, optional
            Horizons, costs, latency.
        seed : int, optional
            Of the resampling.
        counted : bool, optional
            False: judged as if it were counted, but not put down, as for a slider in motion.
        """
        terms = terms or Terms()
        market, points = self.prepare(signal.needs)[1], self._spread(signal.needs, terms)
        scores = self.scores(signal)
        rng = np.random.default_rng(seed)
        return studied(
            signal,
            scores,
            onsets(scores),
            market,
            points,
            terms,
            self.trials,
            rng,
            counted=counted,
            window=self.window,
            instrument=self._instrument,
        )

    def _spread(self, needs: Needs, terms: Terms) -> Points:
        key = needs, terms.horizons, terms.latency
        if key not in self._points:
            market = self.prepare(needs)[1]
            self._points[key] = Points.of(market, terms.horizons_ns, terms.latency_ns)
        return self._points[key]


def onsets(scores: Scores) -> IntArray:
    """Rows at which the side goes on or turns."""
    side = scores.side
    begins = side != 0
    begins[1:] &= side[1:] != side[:-1]
    return np.flatnonzero(begins)


__all__ = ["StudyDesk", "onsets"]
