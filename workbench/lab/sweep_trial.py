"""One trial of a sweep, carried out wherever joblib puts it: in this process, in another, on another machine."""

from __future__ import annotations

import hashlib
import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import msgspec
import numpy as np

from workbench import __version__
from workbench.events import EventBatch, Instrument
from workbench.flow.batches import instrument_of, joined_rows
from workbench.flow.signals.code_identity import code_identity
from workbench.frames.manifest import Manifest
from workbench.frames.recording import open_recording
from workbench.lab.backtest import backtest
from workbench.lab.backtest_result import Backtest
from workbench.lab.equity_steps import profits
from workbench.lab.remote_recording import RemoteRecording, is_url
from workbench.lab.trials import SPLITS, Trial, summarised
from workbench.lab.value_identity import value_identity, value_told
from workbench.trading.strategies import kernel_strategy

MOST_PERIODS: Final = 504
_SECOND: Final = 1_000_000_000
_KEPT_MARKETS: Final = 2


@dataclass(frozen=True)
class Recipe:
    """A strategy as it travels: its source function or class, and an identity that is equal in every process.

    Attributes
    ----------
    identity : str
        Changes with the code and with what it refers to.
    name : str
    maker : callable
        A compiled strategy or its plain function; or what makes an object of a plain one.
    compiled : bool
    """

    identity: str
    name: str
    maker: Callable[..., Any] = field(compare=False)
    compiled: bool

    @classmethod
    def of(cls, strategy: Any) -> Recipe:
        """The recipe of a compiled strategy, a class, or a function that makes a strategy."""
        function = getattr(strategy, "py_func", strategy)
        name = f"{function.__module__}.{function.__qualname__}"
        text = f"{name}\0{code_identity(strategy)}\0{__version__}"
        digest = hashlib.sha256(text.encode()).hexdigest()[:32]
        return cls(digest, function.__qualname__, strategy, function is not strategy)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel by name where the other process can import it; out of a notebook, by value and without machine code."""
        function = getattr(self.maker, "py_func", self.maker)
        place = function.__module__, function.__qualname__
        if _found(*place) is self.maker:
            return _by_name, (self.identity, self.name, *place, self.compiled)
        return Recipe, (self.identity, self.name, function, self.compiled)

    def run(self, x: Any, values: Mapping[str, Any], settings: Mapping[str, Any]) -> Backtest:
        """Backtest with these parameters; compiled strategies find them in ``d.params``, in this order."""
        if self.compiled:
            return backtest(_compiled(self), x, params=[float(v) for v in values.values()], **settings)
        return backtest(self.maker(**values), x, **settings)


def _by_name(identity: str, name: str, module: str, qualname: str, compiled: bool) -> Recipe:
    importlib.import_module(module)
    return Recipe(identity, name, _found(module, qualname), compiled)


def _found(module: str, qualname: str) -> Any:
    if module == "__main__" or "<" in qualname:
        return None
    found: Any = sys.modules.get(module)
    for part in qualname.split("."):
        found = getattr(found, part, None)
    return found


@dataclass(frozen=True)
class Task:
    """What one trial is: a recipe, its parameters, the settings of the backtest, and the recording by path or URL.

    Attributes
    ----------
    key : str
        Made from the content of all the others.
    recipe : Recipe
    values, settings : mapping of name to object
    source : str
    told : mapping of name to str
        Values and settings as text.
    """

    key: str
    recipe: Recipe
    values: Mapping[str, Any]
    settings: Mapping[str, Any]
    source: str
    told: Mapping[str, str] = field(default_factory=dict)


class Outcome(msgspec.Struct, frozen=True):
    """What came of a trial.

    Attributes
    ----------
    key : str
    source : str
        Recording, by path or URL.
    values : dict of str to str
        Parameters and settings as text, for readers of the file.
    summary : dict
        As :meth:`Backtest.summary` says.
    trial : Trial or None
        For the register; None where it failed.
    error : str
        Why there is no result.
    """

    key: str
    source: str
    values: dict[str, str]
    summary: dict[str, int | float | None]
    trial: Trial | None
    error: str = ""


class ReadOnce:
    """Events that were read once for many trials.

    Parameters
    ----------
    x : recording
    """

    def __init__(self, x: Any):
        self.instrument: Instrument = instrument_of(x)
        self._batch = joined_rows(x.batches())

    def batches(self) -> Iterator[EventBatch]:
        """All events, in order."""
        yield self._batch


def recording_of(source: str) -> Any:
    """The recording at a path or URL."""
    return RemoteRecording(source) if is_url(source) else open_recording(source)


@lru_cache(_KEPT_MARKETS)
def _market(source: str, identity: str) -> ReadOnce:
    return ReadOnce(recording_of(source))


@lru_cache
def _compiled(recipe: Recipe) -> Any:
    return recipe.maker if hasattr(recipe.maker, "py_func") else kernel_strategy(recipe.maker)


def recording_identity(manifest: Manifest) -> str:
    """What tells two recordings apart: the contents of their events, not where they lie."""
    events = [f.sha256 for f in manifest.files if f.name.startswith("events-")]
    told: list[Any] = list(events) or [manifest.session, manifest.count, manifest.end_ns]
    return hashlib.sha256(repr((manifest.instrument.symbol, told)).encode()).hexdigest()[:32]


def task_of(
    recipe: Recipe, values: Mapping[str, Any], settings: Mapping[str, Any], source: str, identity: str
) -> Task:
    """A task with its key: the same trial has the same key in every process.

    Raises
    ------
    WorkbenchError
        A parameter or setting whose content cannot be known (code ``no_identity``).
    """
    every = {**values, **settings}
    known = {name: value_identity(value, name) for name, value in every.items()}
    given = list(values) if recipe.compiled else sorted(values)
    parts = ([(name, known[name]) for name in names] for names in (given, sorted(settings)))
    text = repr((recipe.identity, *parts, identity))
    told = {name: value_told(value, known[name]) for name, value in every.items()}
    return Task(hashlib.sha256(text.encode()).hexdigest()[:32], recipe, values, settings, source, told)


def carried_out(task: Task, identity: str = "") -> Outcome:
    """Run a trial; what a strategy raises is told and not raised, so that it ends no sweep."""
    told = dict(task.told)
    try:
        result = task.recipe.run(_market(task.source, identity), task.values, task.settings)
        summary = result.summary().row(0, named=True)
        trial = _trial(task, told, result)
    except Exception as problem:  # noqa: BLE001 - a user's strategy may raise anything
        return Outcome(task.key, task.source, told, {}, None, f"{type(problem).__name__}: {problem}")
    return Outcome(task.key, task.source, told, summary, trial)


def _trial(task: Task, told: Mapping[str, str], result: Backtest) -> Trial:
    equity = result.equity
    ts = equity["ts"].to_physical().to_numpy()
    first, last = (int(ts[0]), int(ts[-1])) if len(ts) else (0, 0)
    count = max(min(MOST_PERIODS, (last - first) // _SECOND) // SPLITS, 1) * SPLITS
    steps = profits(equity, np.linspace(first, last, count + 1).astype(np.int64))
    text = ", ".join(f"{name}={value}" for name, value in told.items())
    return summarised(task.key, f"backtest periods {count}", f"{task.recipe.name}({text})", steps)


__all__ = [
    "Outcome",
    "ReadOnce",
    "Recipe",
    "Task",
    "carried_out",
    "recording_identity",
    "recording_of",
    "task_of",
]
