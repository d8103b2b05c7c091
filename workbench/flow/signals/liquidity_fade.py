"""Liquidity fade: trade against a move that runs into more resting size than usual."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

import msgspec
import numpy as np
from numba import types

from workbench.book.jit import kernel
from workbench.events import Array
from workbench.flow.signals.contract import SECOND_NS, Parameters, Signal, Verdict
from workbench.flow.signals.sight import Needs, Sight
from workbench.flow.signals.tracking import FadingMean, Latch

_GRID: Final = types.Array(types.int64, 2, "C", readonly=True)
_REALS: Final = types.Array(types.float64, 1, "C", readonly=True)


@kernel(types.void(_GRID, _GRID, _REALS, *[types.float64[::1]] * 3))
def _depth(bid_size: Array, ask_size: Array, mid: Array, bids: Array, asks: Array, middle: Array) -> None:
    for i in range(len(mid)):
        bid, ask = 0, 0
        for k in range(bid_size.shape[1]):
            bid += bid_size[i, k]
            ask += ask_size[i, k]
        bids[i], asks[i] = bid, ask
        middle[i] = np.nan if np.isnan(mid[i]) else (bid + ask) / 2.0


@kernel(types.void(*[_REALS] * 5, types.float64, types.float64[::1]))
def _fade(
    price: Array, mid: Array, bids: Array, asks: Array, usual: Array, thick: float, score: Array
) -> None:
    for i in range(len(mid)):
        away = price[i] - mid[i]
        in_the_way = asks[i] if away < 0 else bids[i]
        score[i] = away if np.isnan(away) or in_the_way >= thick * usual[i] else 0.0


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
        bids, asks, usual = np.empty((3, len(sight.age)))
        _depth(best.bid_size, best.ask_size, sight.mid, bids, asks, usual)
        price, usual = self._price.follow(sight, sight.mid), self._depth.follow(sight, usual)
        score = np.empty(len(sight.age))
        _fade(price, sight.mid, bids, asks, usual, self._params.thick, score)
        return score, self._latch.follow(score)


__all__ = ["LiquidityFade", "LiquidityFadeParameters"]
