"""Presets: signals with their parameters under names, kept in one file beside the recordings of a folder."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from weakref import WeakKeyDictionary

import msgspec

from workbench.errors import RecordingError, WorkbenchError
from workbench.flow.signals.contract import Signal, checked
from workbench.frames.paths import refuse_link

__all__ = ["FILE", "Kind", "Presets", "Recipe", "recipe_of"]

FILE: Final = "signals.presets.jsonl"
NAME_LIMIT: Final = 80
MOST: Final = 500
_DEPTH: Final = 8
_IN_MEMORY: Final[WeakKeyDictionary[Any, Presets]] = WeakKeyDictionary()


Kind = type[Signal] | Signal


class Recipe(msgspec.Struct, frozen=True):
    """A signal as text: class, parameters, parts.

    Attributes
    ----------
    kind : str
        Its name, looked up among those that are known and nowhere else: a class, or ``from_frame(…)`` of a function.
    params : dict
    parts : tuple of Recipe
    """

    kind: str
    params: dict[str, Any] = {}
    parts: tuple[Recipe, ...] = ()

    def described(self) -> str:
        """As one line of text."""
        fields = [f"{name}={value!r}" for name, value in self.params.items()]
        return f"{self.kind}({', '.join([*(part.described() for part in self.parts), *fields])})"


class _Line(msgspec.Struct, frozen=True):
    name: str
    signal: Recipe


def recipe_of(signal: Signal) -> Recipe:
    """Return the recipe of a signal.

    Raises
    ------
    WorkbenchError
        A function without a name: nobody would find it again.
    """
    if "<lambda>" in signal.name:
        raise WorkbenchError(
            f"a preset of {signal.name}",
            expected="a function with a name",
            action="Define it with def, and give the explorer the signal that is made of it",
            code="bad_signal",
        )
    fields = msgspec.to_builtins(signal.params)
    return Recipe(signal.name, fields, tuple(recipe_of(part) for part in signal.parts))


class Presets:
    """Presets of one folder of recordings, or of a session in memory; safe from any thread.

    Parameters
    ----------
    path : Path, optional
        The file: JSON, one line for each time that somebody saved; the last one of a name holds. None: in memory.
    """

    def __init__(self, path: Path | None = None):
        self.path = path
        self._kept: dict[str, Recipe] = {}
        self._lock = threading.Lock()

    @classmethod
    def of(cls, x: Any) -> Presets:
        """Return those beside a recording; of anything else the ones it has had since it was there."""
        path = getattr(x, "path", None)
        if isinstance(path, Path):
            return cls(path.absolute().with_name(FILE))
        return _IN_MEMORY.setdefault(x, cls())

    @property
    def recipes(self) -> dict[str, Recipe]:
        """Recipes by name, in the order in which the names came; lines that are damaged are passed over."""
        with self._lock:
            return dict(self._read())

    def save(self, name: Any, signal: Signal) -> None:
        """Keep a signal under a name; an earlier one of that name is replaced.

        Parameters
        ----------
        name : str
            1 to 80 characters that can be printed.
        signal : Signal

        Raises
        ------
        WorkbenchError
            The name cannot be one, or there are too many.
        RecordingError
            The file cannot be written.
        """
        name, recipe = checked_name(name), recipe_of(signal)
        with self._lock:
            kept = self._read()
            if name not in kept and len(kept) >= MOST:
                raise WorkbenchError(f"{MOST} presets", expected=f"at most {MOST}", code="too_many")
            if self.path is None:
                self._kept[name] = recipe
            else:
                self._append(self.path, msgspec.json.encode(_Line(name, recipe)) + b"\n")

    def load(self, name: str, kinds: Mapping[str, Kind]) -> Signal:
        """Return the signal of a name, made anew.

        Parameters
        ----------
        name : str
        kinds : mapping of str to type of Signal, or Signal
            What may be made: classes, and signals that are made again with other parameters.

        Raises
        ------
        WorkbenchError
            No such name; a class that is not known here; parameters that its record refuses.
        """
        recipes = self.recipes
        if name not in recipes:
            have = ", ".join(recipes) or "none was saved"
            raise WorkbenchError(
                f"preset {name!r:.80}", expected=f"one of: {have:.300}", code="unknown_preset"
            )
        return _made(recipes[name], kinds)

    def _read(self) -> dict[str, Recipe]:
        if self.path is None:
            return self._kept
        refuse_link(self.path)
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as problem:
            raise _unusable("read", self.path, problem) from problem
        found: dict[str, Recipe] = {}
        for line in data.splitlines():
            read = _decoded(line)
            if read is not None and len(found) < MOST:
                found[read.name] = read.signal
        return found

    @staticmethod
    def _append(path: Path, line: bytes) -> None:
        refuse_link(path)
        try:
            whole = not path.exists() or path.read_bytes()[-1:] in (b"", b"\n")
            with path.open("ab") as file:
                file.write(line if whole else b"\n" + line)  # a line cut off by a crash stays alone
                file.flush()
                os.fsync(file.fileno())
        except OSError as problem:
            raise _unusable("write", path, problem) from problem


def checked_name(name: Any) -> str:
    """Return the name of a preset, or refuse it."""
    if (
        not isinstance(name, str)
        or not 1 <= len(name.strip()) <= NAME_LIMIT
        or not name.strip().isprintable()
    ):
        expected = f"a text of 1 to {NAME_LIMIT} characters that can be printed"
        raise WorkbenchError(f"name {name!r:.100}", expected=expected, code="bad_name")
    return name.strip()


def _decoded(line: bytes) -> _Line | None:
    try:
        read = msgspec.json.decode(line, type=_Line)
        checked_name(read.name)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, WorkbenchError):
        return None
    return read


def _made(recipe: Recipe, kinds: Mapping[str, Kind], depth: int = 0) -> Signal:
    kind = kinds.get(recipe.kind)
    if kind is None or depth > _DEPTH:
        expected = (
            f"one of {', '.join(kinds)}; give the explorer a signal of your own class or function first"
        )
        raise WorkbenchError(f"signal {recipe.kind!r:.80}", expected=expected, code="unknown_signal")
    parts = [_made(part, kinds, depth + 1) for part in recipe.parts]
    checked(kind.record, recipe.params, recipe.kind)
    made: Signal = (kind if isinstance(kind, type) else kind.remade)(*parts, **recipe.params)
    return made


def _unusable(what: str, path: Path, problem: OSError) -> RecordingError:
    return RecordingError(
        f"cannot {what} the presets {path.name}: {problem.strerror or problem}",
        action="Make the folder of the recording readable and writable",
        code="io_error",
        path=str(path),
    )
