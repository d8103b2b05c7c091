"""The contract of signals: one object that runs live, in replay, over a whole recording and in a backtest."""

from __future__ import annotations

import hashlib
import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple, Protocol, Self

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl
from numba import types

import workbench
from workbench.book.jit import I8_COLUMN, kernel
from workbench.errors import WorkbenchError
from workbench.events import SUBTICKS_PER_TICK, Array, EventBatch, FloatArray, Instrument, IntArray
from workbench.flow.batches import event_batches
from workbench.flow.prints import as_times, real_prices
from workbench.flow.signals.code_identity import code_identity
from workbench.flow.signals.sight import Needs, Sight, Sighting

Sides = npt.NDArray[np.int8]
Verdict = tuple[FloatArray, Sides]
"""Score and side of each row of a sight."""
SECOND_NS = 1_000_000_000


class Scores(NamedTuple):
    """What a signal says, one row for each moment; n rows.

    Attributes
    ----------
    ts : int64, ns, shape (n,)
    sequence : int64, shape (n,)
        Number of the event with which it became known.
    score : float64, shape (n,)
        Above 0 speaks for buying; NaN where unknown.
    side : int8, shape (n,)
        What the rule would do: +1 buy, −1 sell, 0 nothing.
    price : float64, ticks, shape (n,)
        Mid; NaN where unknown.
    """

    ts: IntArray
    sequence: IntArray
    score: FloatArray
    side: Sides
    price: FloatArray

    def frame(self, instrument: Instrument | None = None) -> pl.DataFrame:
        """As a frame: ``ts, sequence, score, side, price_ticks``; null where unknown.

        Parameters
        ----------
        instrument : Instrument, optional
            Its grid makes real prices of ticks: a column ``price`` more.
        """
        columns = [
            as_times(self.ts),
            pl.Series("sequence", self.sequence, pl.Int64),
            pl.Series("score", self.score, pl.Float64).fill_nan(None),
            pl.Series("side", self.side, pl.Int8),
            pl.Series("price_ticks", self.price, pl.Float64).fill_nan(None),
        ]
        if instrument is not None:
            real = real_prices(self.price * SUBTICKS_PER_TICK, instrument)
            columns.append(pl.Series("price", real, pl.Float64).fill_nan(None))
        return pl.DataFrame(columns)


class Rule(Protocol):
    """The part of a signal that has a state."""

    def apply(self, sight: Sight) -> Verdict:
        """Judge consecutive rows, in order."""


class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of the records of parameters: typed, immutable, hashable; bounds stand in their annotations."""


class Signal(ABC):
    """Base of all signals.

    A signal says what it looks at (:attr:`needs`) and makes a :class:`Rule` that judges it; everything else follows:
    events as they come (:meth:`update`), a whole session or recording (:meth:`over`), composition (``a & b``, ``a | b``,
    ``~a``).

    Parameters
    ----------
    **parameters
        Fields of :attr:`record`.

    Attributes
    ----------
    record : type of Parameters
        Which parameters there are; the same for all signals of a class.
    params : Parameters
        Typed, frozen, hashable.

    Raises
    ------
    WorkbenchError
        A parameter that is unknown, of another type or out of its bounds (code ``bad_parameter``).

    Notes
    -----
    Behind a CLEAR or GAP the score is unknown until the book is known again and :attr:`warm_up_ns` has passed; the rule
    begins anew. Cutting the stream into batches in any way gives the same rows, and nothing that comes later changes a
    row that was told.
    """

    record: ClassVar[type[Parameters]] = Parameters
    params: Parameters

    def __init__(self, **parameters: Any):
        self.params = checked(type(self).record, parameters, type(self).__name__)
        self._instrument: Instrument | None = None
        self._running: tuple[Sighting, Rule] | None = None

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        if "record" in cls.__dict__ and "__init__" not in cls.__dict__:
            cls.__signature__ = inspect.signature(cls.record)  # type: ignore[attr-defined]  # read by inspect

    @property
    @abstractmethod
    def needs(self) -> Needs:
        """What of the events it looks at."""

    @abstractmethod
    def rule(self) -> Rule:
        """A fresh rule, with no state yet."""

    @property
    def warm_up_ns(self) -> int:
        """How long the book must have been known before a score is, ns."""
        return 0

    @property
    def parts(self) -> tuple[Signal, ...]:
        """The signals that it is put together from."""
        return ()

    @property
    def name(self) -> str:
        """What it is called among others: its class."""
        return type(self).__name__

    @property
    def made_of(self) -> tuple[str, str] | None:
        """Call that makes it and what that takes besides parameters, as code; None: its class takes nothing else."""
        return None

    def remade(self, *parts: Signal, **parameters: Any) -> Signal:
        """The same kind of signal put together from other parts, with other parameters."""
        made: Signal = type(self)(*parts, **parameters)
        return made

    def fresh(self, instrument: Instrument | None = None) -> Self:
        """The same parameters, and no state.

        Parameters
        ----------
        instrument : Instrument, optional
            Needed for signals that rest on detectors before :meth:`update`.
        """
        twin = self.__class__.__new__(self.__class__)
        twin.__dict__.update(self.__dict__)
        twin._instrument, twin._running = instrument or self._instrument, None
        return twin

    def update(self, batch: EventBatch) -> Scores:
        """Take in events in order; what is known by now.

        Parameters
        ----------
        batch : EventBatch

        Returns
        -------
        Scores
            Moments that are over: the newest is told when an event with a later ``ts`` comes.
        """
        sighting, rule = self._run()
        return judged(self, rule, sighting.update(batch))

    def close(self) -> Scores:
        """End the moment that stands; the signal then begins anew."""
        sighting, rule = self._run()
        self._running = None
        return judged(self, rule, sighting.close())

    def over(self, x: Any) -> pl.DataFrame:
        """Whole session or recording, one row for each moment.

        Parameters
        ----------
        x : session or recording

        Returns
        -------
        DataFrame
            ``ts, sequence, score, side``, and the mid as ``price_ticks`` and ``price``; null where unknown.
        """
        return joined(self.scores(x)).frame(getattr(x, "instrument", None))

    def scores(self, x: Any) -> Iterator[Scores]:
        """Pieces of what it says of a whole session or recording, in order."""
        runner = self.fresh(getattr(x, "instrument", None))
        for batch in event_batches(x):
            yield runner.update(batch)
        yield runner.close()

    def identity(self) -> str:
        """Hash of class, parameters, parts and software version: equal for equal signals, in every process.

        The code of a class of your own counts: a signal that was rewritten is another one.
        """
        code = code_identity(type(self))
        text = "\0".join((workbench.__version__, self.described(), code, *(p.identity() for p in self.parts)))
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def described(self) -> str:
        """Class and parameters as one line of text."""
        kind = type(self)
        return f"{kind.__module__}.{kind.__qualname__} {msgspec.json.encode(self.params).decode()}"

    def _run(self) -> tuple[Sighting, Rule]:
        if self._running is None:
            self._running = Sighting(self.needs, self._instrument), self.rule()
        return self._running

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Signal) and self.identity() == other.identity()

    def __hash__(self) -> int:
        return hash(self.identity())

    def __repr__(self) -> str:
        fields = msgspec.structs.asdict(self.params)
        given = [*map(repr, self.parts), *(f"{name}={value!r}" for name, value in fields.items())]
        return f"{type(self).__name__}({', '.join(given)})"

    def __and__(self, other: Signal) -> Signal:
        from workbench.flow.signals.composition import And

        return And(self, other)

    def __or__(self, other: Signal) -> Signal:
        from workbench.flow.signals.composition import Or

        return Or(self, other)

    def __invert__(self) -> Signal:
        from workbench.flow.signals.composition import Reverse

        return Reverse(self)


def judged(signal: Signal, rule: Rule, sight: Sight) -> Scores:
    """What a rule says of a sight, unknown where the signal is not warm."""
    said, wanted = rule.apply(sight)
    count = len(sight.age)
    if len(said) != count or len(wanted) != count:
        raise WorkbenchError(
            f"{len(said)} scores and {len(wanted)} sides from {type(signal).__name__}",
            expected=f"one of each for each of the {count} rows",
            code="bad_signal",
        )
    score, side = np.array(said, np.float64), np.array(wanted, np.int8)
    _cool(sight.age, signal.warm_up_ns, score, side)
    return Scores(sight.moments.ts, sight.moments.sequence, score, side, sight.mid)


@kernel(types.void(I8_COLUMN, types.int64, types.float64[::1], types.int8[::1]))
def _cool(age: Array, warm_up: int, score: Array, side: Array) -> None:
    for i in range(len(age)):
        if age[i] < warm_up or age[i] < 0:
            score[i] = np.nan
        if np.isnan(score[i]):
            side[i] = 0


def joined(pieces: Any) -> Scores:
    """Consecutive pieces as one."""
    parts = list(pieces)
    return Scores(*(np.concatenate(columns) for columns in zip(*parts)))


def checked(kind: type[Parameters], given: dict[str, Any], name: str) -> Parameters:
    """A record of parameters, its types and bounds checked."""
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as problem:
        known = ", ".join(kind.__struct_fields__) or "none"
        raise WorkbenchError(
            f"{name}: {problem}", expected=f"parameters {known}, each within its bounds", code="bad_parameter"
        ) from problem


__all__ = ["SECOND_NS", "Parameters", "Rule", "Scores", "Signal", "checked", "joined", "judged"]
