"""Order-book imbalance: more rests on one side than on the other."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from workbench.flow.queue_imbalance import depth_imbalance
from workbench.flow.signals.contract import SECOND_NS, Parameters, Signal, Verdict
from workbench.flow.signals.sight import Needs, Sight
from workbench.flow.signals.tracking import FadingMean, Latch


class BookImbalanceParameters(Parameters, frozen=True):
    """Parameters of :class:`BookImbalance`."""

    levels: Annotated[int, msgspec.Meta(ge=1, le=50)] = 1
    half_life_s: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 0.0
    enter: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.6
    leave: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.3


class BookImbalance(Signal):
    """Follow the thicker side of the book.

    Parameters
    ----------
    levels : int, default 1
        Best levels of each side whose sizes are added up.
    half_life_s : float, s, default 0
        Smoothing over time; 0: none.
    enter, leave : float, default 0.6 and 0.3
        The side goes on where the score reaches ``enter`` and off where it falls below ``leave``.

    Notes
    -----
    Score: (bids − asks) / (bids + asks), from −1 to 1 (Gould & Bonart, arXiv:1512.03492), as a mean over time. Unknown
    where a side is empty, and behind a gap for three half-lives.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("3s")
    >>> wb.signals.BookImbalance(levels=3).over(s).columns
    ['ts', 'sequence', 'score', 'side', 'price_ticks', 'price']
    """

    record: ClassVar[type[Parameters]] = BookImbalanceParameters
    params: BookImbalanceParameters

    @property
    def needs(self) -> Needs:
        return Needs(self.params.levels)

    @property
    def warm_up_ns(self) -> int:
        return int(3 * self.params.half_life_s * SECOND_NS)

    def rule(self) -> _Rule:
        return _Rule(self.params)


class _Rule:
    def __init__(self, params: BookImbalanceParameters):
        self._levels = params.levels
        self._mean = FadingMean(params.half_life_s)
        self._latch = Latch(params.enter, params.leave)

    def apply(self, sight: Sight) -> Verdict:
        score = self._mean.follow(sight, depth_imbalance(sight.best(self._levels)))
        return score, self._latch.follow(score)


__all__ = ["BookImbalance", "BookImbalanceParameters"]
