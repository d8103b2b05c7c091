"""Signals that rest on detectors: what was found pushes, and the push fades."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, ClassVar, Literal

import msgspec
import numpy as np

from workbench.flow.signals.contract import Parameters, Signal, Verdict
from workbench.flow.signals.sight import Finder, Needs, Sight
from workbench.flow.signals.tracking import FadingSum, Latch


class DetectedParameters(Parameters, frozen=True):
    """What all signals that rest on a detector share."""

    half_life_s: Annotated[float, msgspec.Meta(gt=0, le=3600)] = 2.0
    enter: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    leave: Annotated[float, msgspec.Meta(ge=0)] = 0.5


class Detected(Signal):
    """Base of signals that rest on one detector.

    Notes
    -----
    Score: sum of the sides of what was found, each fading to half in ``half_life_s``. The side is on at ``enter`` and off
    below ``leave``; it is looked at whenever the best levels change. A gap forgets everything.
    """

    sign: ClassVar[int] = 1
    """Whether a finding's side is gone with (+1) or against (−1)."""
    params: DetectedParameters

    @property
    @abstractmethod
    def finder(self) -> Finder:
        """The detector and its parameters."""

    @property
    def needs(self) -> Needs:
        return Needs(1, (self.finder,))

    def rule(self) -> _Rule:
        return _Rule(self.params, self.finder, self.sign)


class _Rule:
    def __init__(self, params: DetectedParameters, finder: Finder, sign: int):
        self._finder, self._sign = finder, sign
        self._sum = FadingSum(params.half_life_s)
        self._latch = Latch(params.enter, params.leave)

    def apply(self, sight: Sight) -> Verdict:
        pushed = np.zeros(len(sight.age))
        marks = sight.marks[self._finder]
        np.add.at(pushed, marks.row, self._sign * marks.side.astype(np.float64))
        score = self._sum.follow(sight, pushed)
        return score, self._latch.follow(score)


class IcebergParameters(DetectedParameters, frozen=True):
    """Parameters of :class:`IcebergFollow`."""

    kind: Literal["native", "synthetic"] = "native"


class IcebergFollow(Detected):
    """Go with whoever hides size: buy where a resting buyer refills, sell where a resting seller does.

    Parameters
    ----------
    kind : {"native", "synthetic"}
        Which icebergs, see :func:`workbench.icebergs`.
    half_life_s : float, s, default 2
    enter, leave : float, default 1 and 0.5
        In refills.
    """

    record: ClassVar[type[Parameters]] = IcebergParameters
    params: IcebergParameters

    @property
    def finder(self) -> Finder:
        name = {"native": "NativeIcebergs", "synthetic": "SyntheticIcebergs"}[self.params.kind]
        return Finder("iceberg_orders", name)


class SweepParameters(DetectedParameters, frozen=True):
    """Parameters of :class:`SweepContinuation`."""

    levels: Annotated[int, msgspec.Meta(ge=2)] = 3


class SweepContinuation(Detected):
    """Go with an aggressor who took several levels at once.

    Parameters
    ----------
    levels : int, default 3
        Least number of levels, see :func:`workbench.sweeps`.
    half_life_s : float, s, default 2
    enter, leave : float, default 1 and 0.5
        In sweeps.
    """

    record: ClassVar[type[Parameters]] = SweepParameters
    params: SweepParameters

    @property
    def finder(self) -> Finder:
        return Finder("sweeps", "Sweeps", (("levels", self.params.levels),))


class AbsorptionContinuation(Detected):
    """Go with the resting side that took in aggressive volume and held its price.

    Parameters
    ----------
    half_life_s : float, s, default 2
    enter, leave : float, default 1 and 0.5
        In absorptions.
    """

    record: ClassVar[type[Parameters]] = DetectedParameters

    @property
    def finder(self) -> Finder:
        return Finder("absorption", "Absorption")


__all__ = ["AbsorptionContinuation", "Detected", "IcebergFollow", "SweepContinuation"]
