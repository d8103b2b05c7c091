"""Signals put together from signals: they speak at the same rows, so they combine row by row."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Any, ClassVar

import msgspec
import numpy as np
from numba import types

from workbench.book.jit import I8_COLUMN, kernel
from workbench.errors import WorkbenchError
from workbench.events import Array, FloatArray
from workbench.flow.signals.contract import (
    SECOND_NS,
    Parameters,
    Rule,
    Sides,
    Signal,
    Verdict,
    judged,
)
from workbench.flow.signals.sight import Needs, Sight
from workbench.flow.signals.tracking import Latch


class Composed(Signal):
    """Base of signals that rest on others.

    Parameters
    ----------
    *parts : Signal
    **parameters
        Fields of its ``record``.
    """

    count: ClassVar[int | None] = None
    """How many parts there must be; None: two or more."""

    def __init__(self, *parts: Signal, **parameters: Any):
        right = len(parts) == self.count if self.count else len(parts) >= 2
        if not right or not all(isinstance(p, Signal) for p in parts):
            raise WorkbenchError(
                f"{type(self).__name__} of {', '.join(type(p).__name__ for p in parts) or 'nothing'}",
                expected=f"{self.count or 'two or more'} signals",
                code="bad_parameter",
            )
        self._parts = parts
        super().__init__(**parameters)

    @property
    def parts(self) -> tuple[Signal, ...]:
        return self._parts

    @property
    def needs(self) -> Needs:
        return Needs.union(part.needs for part in self._parts)


class Combined(Composed):
    """Base of composed signals whose rows follow from the rows of their parts alone."""

    def rule(self) -> Rule:
        return _RowByRow(self)

    @abstractmethod
    def combine(self, scores: list[FloatArray], sides: list[Sides]) -> Verdict:
        """Score and side from those of the parts."""


class _RowByRow:
    def __init__(self, signal: Combined):
        self._signal = signal
        self._rules = [part.rule() for part in signal.parts]

    def apply(self, sight: Sight) -> Verdict:
        said = [judged(part, rule, sight) for part, rule in zip(self._signal.parts, self._rules)]
        return self._signal.combine([s.score for s in said], [s.side for s in said])


class And(Combined):
    """All parts say the same side; the score is the weakest one's, 0 where they disagree.

    Notes
    -----
    Unknown where any part is unknown.
    """

    def combine(self, scores: list[FloatArray], sides: list[Sides]) -> Verdict:
        agreed = np.all([side == sides[0] for side in sides], axis=0) & (sides[0] != 0)
        side = np.where(agreed, sides[0], 0).astype(np.int8)
        weakest = np.min([np.abs(score) for score in scores], axis=0)
        same = np.all([np.sign(s) == np.sign(scores[0]) for s in scores], axis=0)
        known = ~np.any([np.isnan(score) for score in scores], axis=0)
        score = np.where(known, np.where(same, np.sign(scores[0]) * weakest, 0.0), np.nan)
        return score, side


class Or(Combined):
    """Any part says a side and none the other one; the score is the strongest one's.

    Notes
    -----
    Parts that are unknown count as silent; unknown where all of them are. Of equally strong parts the first counts.
    """

    def combine(self, scores: list[FloatArray], sides: list[Sides]) -> Verdict:
        low, high = np.min(sides, axis=0), np.max(sides, axis=0)
        side = np.where(low * high < 0, 0, low + high).clip(-1, 1).astype(np.int8)
        all_scores = np.array(scores)
        strength = np.where(np.isnan(all_scores), -1.0, np.abs(all_scores))
        strongest = np.argmax(strength, axis=0)
        return np.take_along_axis(all_scores, strongest[None], axis=0)[0], side


class Unless(Combined):
    """What the first part says, while the second one is silent.

    Notes
    -----
    Unknown where either is: nobody knows whether the second one would have spoken.
    """

    count = 2

    def combine(self, scores: list[FloatArray], sides: list[Sides]) -> Verdict:
        free = sides[1] == 0
        score = np.where(np.isnan(scores[1]), np.nan, np.where(free, scores[0], 0.0))
        return score, np.where(free, sides[0], 0).astype(np.int8)


class Reverse(Combined):
    """The opposite of a signal."""

    count = 1

    def combine(self, scores: list[FloatArray], sides: list[Sides]) -> Verdict:
        return -scores[0], (-sides[0]).astype(np.int8)


class ThresholdParameters(Parameters, frozen=True):
    """Parameters of :class:`Threshold`."""

    enter: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    leave: Annotated[float, msgspec.Meta(ge=0)] | None = None


class Threshold(Composed):
    """The side of a signal's score where it is strong enough, whatever the signal itself would do.

    Parameters
    ----------
    part : Signal
    enter : float, default 1
        The side is on from this score on.
    leave : float, optional
        It goes off below this one. Default: ``enter``.
    """

    count = 1
    record: ClassVar[type[Parameters]] = ThresholdParameters
    params: ThresholdParameters

    def rule(self) -> Rule:
        return _Threshold(self)


class _Threshold:
    def __init__(self, signal: Threshold):
        p = signal.params
        self._part, self._rule = signal.parts[0], signal.parts[0].rule()
        self._latch = Latch(p.enter, p.enter if p.leave is None else p.leave)

    def apply(self, sight: Sight) -> Verdict:
        said = judged(self._part, self._rule, sight)
        return said.score, self._latch.follow(said.score)


class CooldownParameters(Parameters, frozen=True):
    """Parameters of :class:`Cooldown`."""

    rest_s: Annotated[float, msgspec.Meta(gt=0)] = 1.0


class Cooldown(Composed):
    """A signal that speaks once, at the moment its side goes on, and then rests.

    Parameters
    ----------
    part : Signal
    rest_s : float, s, default 1
        For so long nothing is said, whatever the part says.

    Notes
    -----
    Rows without a side keep the part's score. A side that is still on when the rest is over does not speak again.
    """

    count = 1
    record: ClassVar[type[Parameters]] = CooldownParameters
    params: CooldownParameters

    def rule(self) -> Rule:
        return _Cooldown(self)


@kernel(types.void(I8_COLUMN, types.int8[::1], types.int64, types.int64[::1], types.int8[::1]))
def _rest(ts: Array, side: Array, rest: int, state: Array, out: Array) -> None:
    """State: side of the row before, whether anything was said, when."""
    for i in range(len(ts)):
        begins = side[i] != 0 and side[i] != state[0]
        state[0], out[i] = side[i], 0
        if begins and (state[1] == 0 or ts[i] - state[2] >= rest):
            state[1], state[2], out[i] = 1, ts[i], side[i]


class _Cooldown:
    def __init__(self, signal: Cooldown):
        self._part, self._rule = signal.parts[0], signal.parts[0].rule()
        self._rest = int(signal.params.rest_s * SECOND_NS)
        self._state = np.zeros(3, np.int64)

    def apply(self, sight: Sight) -> Verdict:
        said = judged(self._part, self._rule, sight)
        side = np.empty(len(said.ts), np.int8)
        _rest(np.ascontiguousarray(said.ts), said.side, self._rest, self._state, side)
        return said.score, side


__all__ = ["And", "Combined", "Composed", "Cooldown", "Or", "Reverse", "Threshold", "Unless"]
