"""Signals from values that are known already: a column of an indicator's frame."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, ClassVar

import msgspec
import numpy as np
import polars as pl

from workbench.errors import WorkbenchError
from workbench.events import FloatArray, IntArray
from workbench.flow.bar_rule import interval_ns
from workbench.flow.signals.contract import Parameters, Rule, Signal, Verdict
from workbench.flow.signals.sight import Needs, Sight
from workbench.flow.signals.tracking import Latch

_END = "end"


class ValueParameters(Parameters, frozen=True):
    """Parameters of a signal from values."""

    enter: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    leave: Annotated[float, msgspec.Meta(ge=0)] = 0.0


class ValueSignal(Signal):
    """A signal whose score is the newest value that was known; made by :func:`from_values`."""

    record: ClassVar[type[Parameters]] = ValueParameters
    params: ValueParameters

    def __init__(self, column: str, at: IntArray, values: FloatArray, **parameters: Any):
        super().__init__(**parameters)
        self.column, self.at, self.values = column, at, values

    @property
    def name(self) -> str:
        """What it is called among others: its column, which is not its class alone."""
        return f"from_values({self.column})"

    @property
    def made_of(self) -> tuple[str, str]:
        """What makes it, and of what."""
        return "wb.signals.from_values", f"values, {self.column!r}"

    def remade(self, *parts: Signal, **parameters: Any) -> Signal:
        """The same values with other parameters."""
        return ValueSignal(self.column, self.at, self.values, **parameters)

    @property
    def needs(self) -> Needs:
        return Needs(1)

    def rule(self) -> Rule:
        return _Rule(self)

    def described(self) -> str:
        told = hashlib.sha256(self.at.tobytes() + self.values.tobytes()).hexdigest()[:32]
        return f"{super().described()} {self.column} {told}"

    def __repr__(self) -> str:
        fields = msgspec.structs.asdict(self.params)
        given = ", ".join(f"{name}={value!r}" for name, value in fields.items())
        return f"from_values({len(self.at)} of {self.column!r}, {given})"


class _Rule:
    def __init__(self, signal: ValueSignal):
        self._at = signal.at
        self._values = np.concatenate([[np.nan], signal.values])
        self._latch = Latch(signal.params.enter, signal.params.leave)

    def apply(self, sight: Sight) -> Verdict:
        score = self._values[np.searchsorted(self._at, sight.moments.ts, side="right")]
        return score, self._latch.follow(score)


def from_values(
    frame: pl.DataFrame,
    column: str | None = None,
    *,
    known: str | None = None,
    delay: str | None = None,
    enter: float = 1.0,
    leave: float = 0.0,
) -> Signal:
    """Make a signal of any indicator's frame: what :func:`workbench.study` and the explorer take.

    Parameters
    ----------
    frame : DataFrame
        Values over time, as :func:`workbench.ofi`, :func:`workbench.cvd`, :func:`workbench.bars` and their like give them, or
        your own; null where unknown.
    column : str, optional
        Which one; above 0 for buying. Default: the only one besides times.
    known : str, optional
        Column of the time at which a row is known. Default: ``end`` where there is one (bars), else ``ts``.
    delay : str, optional
        From that time to when the row is really known, such as the length of a window whose ``ts`` is its start.
    enter, leave : float, optional
        The side is on where the value reaches ``enter`` and off where it falls below ``leave``.

    Returns
    -------
    Signal
        At each moment the newest value known by then: of the session or recording that the frame was made of, and of no
        other.

    Raises
    ------
    WorkbenchError
        No such column, no times, or times that fall.

    Notes
    -----
    The values are given: :func:`workbench.check_lookahead` cannot see how they were made. Look-ahead comes in where a row
    is not known at its time: bars are known at their ``end``, windows at ``ts`` and their length.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("60s")
    >>> wb.study(wb.signals.from_values(wb.ofi(s), "ofi", enter=20), s, ["1s"]).frame["horizon"].to_list()
    ['1s']
    >>> wb.signals.from_values(wb.bars(s, "1s"), "delta", enter=30.0)
    from_values(58 of 'delta', enter=30.0, leave=0.0)
    """
    if not isinstance(frame, pl.DataFrame):
        raise WorkbenchError(
            f"values {frame!r:.60}", expected="a Polars frame, as wb.ofi(s) gives it", code="bad_signal"
        )
    clock = known if known is not None else _END if _END in frame.columns else "ts"
    times = [name for name, kind in frame.schema.items() if kind.is_temporal() or name in ("ts", clock)]
    if column is None and len(left := [name for name in frame.columns if name not in times]) == 1:
        column = left[0]
    if column is None or column not in frame.columns or clock not in frame.columns:
        raise WorkbenchError(
            f"column {column!r} and time {clock!r} of a frame of {', '.join(frame.columns)}",
            expected="the name of a column of numbers, and one of times",
            code="bad_signal",
        )
    at = frame[clock].to_physical().cast(pl.Int64).to_numpy() + (0 if delay is None else interval_ns(delay))
    if (np.diff(at) < 0).any():
        raise WorkbenchError("times that fall", expected=f"a frame sorted by {clock}", code="bad_signal")
    values = frame[column].cast(pl.Float64).fill_null(np.nan).to_numpy().copy()
    return ValueSignal(column, np.ascontiguousarray(at), values, enter=enter, leave=leave)


__all__ = ["ValueSignal", "from_values"]
