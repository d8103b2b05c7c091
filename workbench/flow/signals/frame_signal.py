"""Signals from a plain function of a frame."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Annotated, Any, ClassVar

import msgspec
import numpy as np
import polars as pl

from workbench.errors import WorkbenchError
from workbench.flow.prints import as_times
from workbench.flow.signals.code_identity import code_identity
from workbench.flow.signals.contract import SECOND_NS, Parameters, Rule, Signal, Verdict
from workbench.flow.signals.sight import Needs, Sight
from workbench.flow.signals.tracking import Latch

Function = Callable[[pl.DataFrame], Any]


class FrameParameters(Parameters, frozen=True):
    """Parameters of a signal from a function."""

    levels: Annotated[int, msgspec.Meta(ge=1, le=50)] = 1
    lookback_s: Annotated[float, msgspec.Meta(ge=0)] = 10.0
    enter: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    leave: Annotated[float, msgspec.Meta(ge=0)] = 0.0


class FrameSignal(Signal):
    """A signal whose score is a function of a frame; made by :func:`from_frame`."""

    record: ClassVar[type[Parameters]] = FrameParameters
    params: FrameParameters

    def __init__(self, function: Function, **parameters: Any):
        super().__init__(**parameters)
        if not isinstance(function, FunctionType):
            raise WorkbenchError(
                f"from_frame({function!r})", expected="a function of a frame", code="bad_signal"
            )
        self.function = function

    @property
    def name(self) -> str:
        """What it is called among others: its function, which is not its class alone."""
        return f"from_frame({self.function.__name__})"

    @property
    def made_of(self) -> tuple[str, str]:
        """What makes it, and of what."""
        name = self.function.__name__
        return "wb.signals.from_frame", name if name.isidentifier() else "function"

    def remade(self, *parts: Signal, **parameters: Any) -> Signal:
        """The same function with other parameters."""
        return FrameSignal(self.function, **parameters)

    @property
    def needs(self) -> Needs:
        return Needs(self.params.levels)

    @property
    def warm_up_ns(self) -> int:
        return int(self.params.lookback_s * SECOND_NS)

    def rule(self) -> Rule:
        return _Rule(self.function, self.params)

    def described(self) -> str:
        return f"{super().described()} {code_identity(self.function)}"

    def __repr__(self) -> str:
        fields = msgspec.structs.asdict(self.params)
        given = ", ".join(f"{name}={value!r}" for name, value in fields.items())
        return f"from_frame({self.function.__qualname__}, {given})"


class _Rule:
    def __init__(self, function: Function, params: FrameParameters):
        self._function, self._levels = function, params.levels
        self._reach = int(params.lookback_s * SECOND_NS)
        self._latch = Latch(params.enter, params.leave)
        self._kept: Sight | None = None

    def apply(self, sight: Sight) -> Verdict:
        count = len(sight.age)
        whole = sight if self._kept is None else Sight.joined([self._kept, sight])
        score = np.full(count, np.nan)
        if count:
            score = self._asked(whole)[-count:]
            start = int(np.searchsorted(whole.moments.ts, whole.moments.ts[-1] - self._reach))
            self._kept = whole.since(start)
        return score, self._latch.follow(score)

    def _asked(self, sight: Sight) -> Any:
        answer = self._function(frame_of(sight, self._levels))
        try:
            values = answer if isinstance(answer, pl.Series) else pl.Series(answer)
        except TypeError:  # a single number, say
            values = pl.Series()
        if len(values) != len(sight.age):
            raise WorkbenchError(
                f"{answer!r:.60} from {self._function.__qualname__}"
                if not len(values)
                else f"{len(values)} scores from {self._function.__qualname__}",
                expected=f"one for each of the {len(sight.age)} rows of the frame",
                code="bad_signal",
            )
        return values.cast(pl.Float64).fill_null(np.nan).to_numpy().copy()


def frame_of(sight: Sight, levels: int) -> pl.DataFrame:
    """A sight as a frame: ``ts``, ``known``, ``mid`` (ticks) and ``bid_1``, ``bid_size_1``, ``ask_1``, … (ticks, lots)."""
    best = sight.best(levels)
    columns = [as_times(best.ts), pl.Series("known", best.known), pl.Series("mid", sight.mid).fill_nan(None)]
    for k in range(levels):
        for side in ("bid", "ask"):
            size = getattr(best, f"{side}_size")[:, k]
            empty = pl.Series(size == 0)
            columns.append(pl.Series(f"{side}_{k + 1}", getattr(best, side)[:, k]).set(empty, None))
            columns.append(pl.Series(f"{side}_size_{k + 1}", size))
    return pl.DataFrame(columns)


def from_frame(
    function: Function | None = None,
    *,
    levels: int = 1,
    lookback_s: float = 10.0,
    enter: float = 1.0,
    leave: float = 0.0,
) -> Any:
    """A signal from a function of a frame; also a decorator.

    Parameters
    ----------
    function : callable
        Takes a frame of moments (``ts``, ``known``, ``mid``, and for each level ``bid_1``, ``bid_size_1``, ``ask_1``,
        ``ask_size_1``; ticks and lots) and returns the score of each row, above 0 for buying, null where unknown.
    levels : int, optional
        Levels of each side in the frame.
    lookback_s : float, s, optional
        It sees at least so much of the past before each row; what it makes of a row must not depend on more. Until so
        much is known the score is unknown.
    enter, leave : float, optional
        The side is on where the score reaches ``enter`` and off where it falls below ``leave``.

    Returns
    -------
    Signal
        Use :func:`workbench.check_lookahead` on it: it finds functions that look ahead or further back than they said.

    Examples
    --------
    >>> import polars as pl
    >>> import workbench as wb
    >>> @wb.signals.from_frame(enter=5.0)
    ... def thick_bid(frame):
    ...     return frame["bid_size_1"].cast(pl.Float64) - frame["ask_size_1"]
    >>> thick_bid.params.enter
    5.0
    """

    def made(given: Function) -> FrameSignal:
        return FrameSignal(given, levels=levels, lookback_s=lookback_s, enter=enter, leave=leave)

    return made if function is None else made(function)


__all__ = ["FrameSignal", "frame_of", "from_frame"]
