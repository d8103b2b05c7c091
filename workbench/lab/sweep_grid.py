"""The points of a sweep: every combination of a grid, or a list of points, told apart into parameters and settings."""

from __future__ import annotations

import difflib
import inspect
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from workbench.errors import WorkbenchError
from workbench.lab.backtest import backtest

Grid: TypeAlias = Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]]
SETTINGS: Final = frozenset(
    name
    for name, known in inspect.signature(backtest).parameters.items()
    if known.kind is known.KEYWORD_ONLY and name != "params"
)
"""Names that are settings of the backtest; all others are parameters of the strategy."""


def points(grid: Grid) -> list[dict[str, Any]]:
    """All points of a grid, the last name changing fastest.

    Parameters
    ----------
    grid : mapping of name to values, or sequence of mappings of name to value

    Raises
    ------
    WorkbenchError
        Neither, no points, a name without values, or values that are no sequence.

    Examples
    --------
    >>> points({"edge": [1, 2], "queue": ["touch"]})
    [{'edge': 1, 'queue': 'touch'}, {'edge': 2, 'queue': 'touch'}]
    """
    if not isinstance(grid, Mapping):
        return _listed_points(grid)
    _check_names(grid)
    for name, values in grid.items():
        if not _has_values(values):
            raise WorkbenchError(f"{name}={values!r:.60} in the grid", expected=f"values to try: {name}=[…]")
    return [dict(zip(grid, chosen)) for chosen in itertools.product(*grid.values())]


def _has_values(values: Any) -> bool:
    if isinstance(values, str | bytes) or getattr(values, "shape", None) == ():
        return False
    return isinstance(values, Sized) and len(values) > 0


def _listed_points(grid: Any) -> list[dict[str, Any]]:
    found = list(grid) if isinstance(grid, Iterable) else []
    if not found or not all(isinstance(point, Mapping) for point in found):
        raise WorkbenchError(
            f"grid={grid!r:.60}",
            expected="a mapping of names to values, as {'lots': [1, 2]}, or a list of points, as [{'lots': 1}]",
            action="For the one point of all defaults: {}",
        )
    for point in found:
        _check_names(point)
    return [dict(point) for point in found]


def _check_names(names: Iterable[Any]) -> None:
    for name in names:
        if not isinstance(name, str):
            raise WorkbenchError(f"{name!r:.40} as a name in the grid", expected="text")


def divided(
    point: Mapping[str, Any], strategy: Any, fixed: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parameters of the strategy, in the order of the point, and settings of the backtest.

    Raises
    ------
    WorkbenchError
        A name that the strategy does not take, or that looks like a mistyped setting.
    """
    settings = {**fixed, **{name: value for name, value in point.items() if name in SETTINGS}}
    values = {name: value for name, value in point.items() if name not in SETTINGS}
    unknown = sorted(set(fixed) - SETTINGS)
    for name in [*unknown, *_refused(values, strategy)]:
        raise _unknown(name, strategy)
    return values, settings


def check_settings(given: Iterable[str], instead: Mapping[str, str] = MappingProxyType({})) -> None:
    """Refuse settings that a backtest has not.

    Parameters
    ----------
    given : names
    instead : mapping of name to str, optional
        Settings that are told another way, and which.

    Raises
    ------
    WorkbenchError
        One of them, with the nearest name.
    """
    known = sorted({*SETTINGS, "params"} - {*instead})
    for name in given:
        if name in instead:
            raise WorkbenchError(f"the setting {name!r}", expected=instead[name], code="unknown_name")
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            raise WorkbenchError(
                f"unknown setting {name!r}",
                expected=f"one of {', '.join(known)}",
                action=f"Did you mean {near[0]!r}?" if near else "",
                code="unknown_name",
            )


def check_strategy(strategy: Any) -> None:
    """Refuse what cannot be made anew for each trial.

    Raises
    ------
    WorkbenchError
        An object that has a state of its own.
    """
    if (
        not hasattr(strategy, "py_func")
        and not inspect.isclass(strategy)
        and not inspect.isfunction(strategy)
    ):
        name = type(strategy).__name__
        raise WorkbenchError(
            f"an object of {name} as strategy",
            expected="a kernel strategy, a class, or a function that makes a strategy",
            action=f"Give {name} itself: each trial begins with a fresh one",
        )


def _refused(values: Mapping[str, Any], strategy: Any) -> Iterator[str]:
    if hasattr(strategy, "py_func"):
        yield from (name for name in values if difflib.get_close_matches(name, SETTINGS, 1, 0.8))
        return
    known = inspect.signature(strategy).parameters
    if not any(p.kind is p.VAR_KEYWORD for p in known.values()):
        yield from (name for name in values if name not in known)


def _unknown(name: str, strategy: Any) -> WorkbenchError:
    taken = (
        []
        if hasattr(strategy, "py_func")
        else [n for n in inspect.signature(strategy).parameters if n != "self"]
    )
    near = difflib.get_close_matches(name, [*SETTINGS, *taken], 1)
    return WorkbenchError(
        f"unknown name {name!r}",
        expected=f"a setting of the backtest ({', '.join(sorted(SETTINGS))})"
        + (f" or of the strategy ({', '.join(taken)})" if taken else ""),
        action=f"Did you mean {near[0]!r}?" if near else "",
        code="unknown_name",
    )


__all__ = ["SETTINGS", "Grid", "check_settings", "check_strategy", "divided", "points"]
