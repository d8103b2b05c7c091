"""Liquidity fade: trade against a move that runs into more resting size than usual."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
import numpy as np

from workbench.flow.signals.contract import SECOND_NS, Parameters, Signal, Verdict
from workbench.flow.signals.sight import Needs, Sight
from workbench.flow.signals.tracking import FadingMean, Latch


class LiquidityFadeParameters(Parameters, frozen=True):
    """Parameters of :class:`LiquidityFade`."""

    levels: Annotated[int, msgspec.Meta(ge=1, le=50)] = 3
    half_life_s: Annotated[float, msgspec.Meta(gt=0, le=3600)] = 2.0
    depth_half_life_s: Annotated[float, msgspec.Meta(gt=0, le=3600)] = 30.0
    move_ticks: Annotated[float, msgspec.Meta(gt=0)] = 2.0
    thick: Annotated[float, msgspec.Meta(ge=0)] = 1.5


class LiquidityFade(Signal):
    """Sell into thick offers after a rise, buy into thick bids after a fall.

    Parameters
    ----------
    levels : int, default 3
        Best levels whose sizes are added up.
    half_life_s : float, s, default 2
        Of the mean price that a move is measured from.
    depth_half_life_s : float, s, default 30
        Of the usual size that thickness is measured by.
    move_ticks : float, ticks, default 2
        Least distance of the mid from its mean.
    thick : float, default 1.5
        Least size in the way of the move, in usual sizes (of both sides' mean). 0: any.

    Notes
    -----
    Score: mean price less mid, in ticks, where the book stands thick in the way of the move, else 0. The side is on at
    ``move_ticks`` and off at half of it. Behind a gap unknown for three half-lives of the price.
    """

    record: ClassVar[type[Parameters]] = LiquidityFadeParameters
    params: LiquidityFadeParameters

    @property
    def needs(self) -> Needs:
        return Needs(self.params.levels)

    @property
    def warm_up_ns(self) -> int:
        return int(3 * self.params.half_life_s * SECOND_NS)

    def rule(self) -> _Rule:
        return _Rule(self.params)


class _Rule:
    def __init__(self, params: LiquidityFadeParameters):
        self._params = params
        self._price = FadingMean(params.half_life_s)
        self._depth = FadingMean(params.depth_half_life_s)
        self._latch = Latch(params.move_ticks, params.move_ticks / 2)

    def apply(self, sight: Sight) -> Verdict:
        best = sight.best(self._params.levels)
        bids, asks = best.bid_size.sum(axis=1), best.ask_size.sum(axis=1)
        away = self._price.follow(sight, sight.mid) - sight.mid
        usual = self._depth.follow(sight, np.where(np.isnan(sight.mid), np.nan, (bids + asks) / 2.0))
        stands_in_the_way = np.where(away < 0, asks, bids) >= self._params.thick * usual
        score = np.where(np.isnan(away) | stands_in_the_way, away, 0.0)
        return score, self._latch.follow(score)


__all__ = ["LiquidityFade", "LiquidityFadeParameters"]
