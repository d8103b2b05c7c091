"""Order flow imbalance as momentum: what was added at the best bid less what was added at the best ask."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
import numpy as np

from workbench.flow.ofi import OfiStream
from workbench.flow.signals.contract import SECOND_NS, Parameters, Signal, Verdict
from workbench.flow.signals.sight import Needs, Sight
from workbench.flow.signals.tracking import FadingMean, FadingSum, Latch

_WARM_HALF_LIVES = 3


class OfiMomentumParameters(Parameters, frozen=True):
    """Parameters of :class:`OfiMomentum`."""

    half_life_s: Annotated[float, msgspec.Meta(gt=0, le=3600)] = 1.0
    depth_half_life_s: Annotated[float, msgspec.Meta(gt=0, le=3600)] = 10.0
    enter: Annotated[float, msgspec.Meta(gt=0)] = 2.0
    leave: Annotated[float, msgspec.Meta(ge=0)] = 0.5


class OfiMomentum(Signal):
    """Go with the order flow imbalance of the last moments.

    Parameters
    ----------
    half_life_s : float, s, default 1
        The weight of past flow halves in this time.
    depth_half_life_s : float, s, default 10
        The same for the usual size at the touch.
    enter, leave : float, default 2 and 0.5
        In usual sizes at the touch.

    Notes
    -----
    Score: fading sum of e (Cont, Kukanov & Stoikov, arXiv:1011.6402) divided by the mean size at the best prices over
    time. Behind a gap unknown for three half-lives of the flow.
    """

    record: ClassVar[type[Parameters]] = OfiMomentumParameters
    params: OfiMomentumParameters

    @property
    def needs(self) -> Needs:
        return Needs(1)

    @property
    def warm_up_ns(self) -> int:
        return int(_WARM_HALF_LIVES * self.params.half_life_s * SECOND_NS)

    def rule(self) -> _Rule:
        return _Rule(self.params)


class _Rule:
    def __init__(self, params: OfiMomentumParameters):
        self._flow = OfiStream(1)
        self._sum = FadingSum(params.half_life_s)
        self._depth = FadingMean(params.depth_half_life_s)
        self._latch = Latch(params.enter, params.leave)

    def apply(self, sight: Sight) -> Verdict:
        best = sight.best(1)
        flow = self._flow.follow(best)
        added = np.where(flow.measured, flow.e[:, 0], 0).astype(np.float64)
        depth = np.where(np.isnan(sight.mid), np.nan, (best.bid_size[:, 0] + best.ask_size[:, 0]) / 2.0)
        score = self._sum.follow(sight, added) / self._depth.follow(sight, depth)
        return score, self._latch.follow(score)


__all__ = ["OfiMomentum", "OfiMomentumParameters"]
