"""Volume cliff: little rests before a gap on one side, much on the other."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

import msgspec
import numpy as np
from numba import types

from workbench.book.jit import I8_COLUMN, kernel
from workbench.events import Array
from workbench.flow.signals.contract import Parameters, Signal, Verdict
from workbench.flow.signals.sight import Needs, Sight
from workbench.flow.signals.tracking import Latch

_GRID: Final = types.Array(types.int64, 2, "C", readonly=True)


@kernel(types.void(I8_COLUMN, *[_GRID] * 4, types.int64, types.float64[::1]))
def _cliffs(
    age: Array, bid: Array, bid_size: Array, ask: Array, ask_size: Array, gap: int, out: Array
) -> None:
    """Log ratio of what rests before the first gap of each side, where the thinner side has a gap; else 0."""
    for i in range(len(age)):
        bids, asks = float(bid_size[i, 0]), float(ask_size[i, 0])
        if age[i] < 0 or bids <= 0 or asks <= 0:
            out[i] = np.nan
            continue
        bid_gap, ask_gap = False, False
        for k in range(1, bid.shape[1]):
            if not bid_gap and bid_size[i, k] > 0:
                bid_gap = bid[i, k - 1] - bid[i, k] > gap
                bids += 0.0 if bid_gap else bid_size[i, k]
            if not ask_gap and ask_size[i, k] > 0:
                ask_gap = ask[i, k] - ask[i, k - 1] > gap
                asks += 0.0 if ask_gap else ask_size[i, k]
        thin = ask_gap if bids > asks else bid_gap
        out[i] = np.log(bids / asks) if thin else 0.0


class VolumeCliffParameters(Parameters, frozen=True):
    """Parameters of :class:`VolumeCliff`."""

    levels: Annotated[int, msgspec.Meta(ge=2, le=50)] = 10
    gap_ticks: Annotated[int, msgspec.Meta(ge=1)] = 2
    ratio: Annotated[float, msgspec.Meta(gt=1)] = 3.0


class VolumeCliff(Signal):
    """Go where little stands before a gap in the book.

    Parameters
    ----------
    levels : int, default 10
        Best levels of each side that are looked at.
    gap_ticks : int, ticks, default 2
        So many empty ticks between two neighbouring levels are a gap.
    ratio : float, default 3
        The other side must have so many times as much before its own first gap.

    Notes
    -----
    Score: ln(bids before the first gap / asks before the first gap) where the thinner side has a gap, else 0. Unknown
    where a side is empty; nothing to warm up.
    """

    record: ClassVar[type[Parameters]] = VolumeCliffParameters
    params: VolumeCliffParameters

    @property
    def needs(self) -> Needs:
        return Needs(self.params.levels)

    def rule(self) -> _Rule:
        return _Rule(self.params)


class _Rule:
    def __init__(self, params: VolumeCliffParameters):
        self._levels, self._gap = params.levels, params.gap_ticks
        self._latch = Latch(float(np.log(params.ratio)), float(np.log(params.ratio)))

    def apply(self, sight: Sight) -> Verdict:
        score = np.empty(len(sight.age))
        best = sight.best(self._levels)
        _cliffs(sight.age, best.bid, best.bid_size, best.ask, best.ask_size, self._gap, score)
        return score, self._latch.follow(score)


__all__ = ["VolumeCliff", "VolumeCliffParameters"]
