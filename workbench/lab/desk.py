"""The desk that signals are studied at: what depends on the recording alone is made once and kept."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.events import IntArray
from workbench.flow.depth_series import event_batches
from workbench.flow.signals.contract import Scores, Signal, judged
from workbench.flow.signals.sight import Needs, Sight, sight_of
from workbench.lab.forward import Market
from workbench.lab.points import Points
from workbench.lab.study import Study, Terms, studied
from workbench.lab.trials import Trials


class StudyDesk:
    """Studies of many signals on one recording, each at the cost of its parameters only.

    Parameters
    ----------
    x : session or recording
        As it is now: what comes later is not seen.

    Attributes
    ----------
    trials : Trials
        Everything that was tried here and before.
    """

    def __init__(self, x: Any):
        self.trials = Trials.of(x)
        self._x = x
        self._instrument = getattr(x, "instrument", None)
        self._sights: dict[Needs, tuple[Sight, Market]] = {}
        self._points: dict[tuple[Needs, tuple[str, ...], str], Points] = {}

    def prepare(self, needs: Needs) -> tuple[Sight, Market]:
        """What a signal looks at, read from the events at the first call."""
        if needs not in self._sights:
            sight = sight_of(event_batches(self._x), needs, self._instrument)
            self._sights[needs] = sight, Market.of(sight)
        return self._sights[needs]

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
            signal, scores, onsets(scores), market, points, terms, self.trials, rng, counted=counted
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
