"""Search instead of a grid: Optuna asks for points where good ones were, trials answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from workbench.errors import MissingExtraError, WorkbenchError

AT_A_TIME: Final = 8
"""Points that are asked for before answers are given: the same with any number of workers, so that seeds mean something."""


def searched(
    space: Mapping[str, Any],
    number: int,
    seed: int,
    value_of: Callable[[Sequence[dict[str, Any]]], Sequence[float]],
) -> list[dict[str, Any]]:
    """Try points one group after another; the points in the order in which they were asked for.

    Parameters
    ----------
    space : mapping of name to list of values, range, or (low, high)
        Two floats are the ends of an interval; a range is searched as whole numbers.
    number : int
        Points to try.
    seed : int
    value_of : callable
        Of a group of points, what is to be as large as possible; NaN for those that failed.

    Raises
    ------
    MissingExtraError
        Optuna is not installed.
    """
    optuna = _optuna()
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    asked: list[dict[str, Any]] = []
    while len(asked) < number:
        group = [study.ask() for _ in range(min(AT_A_TIME, number - len(asked)))]
        chosen = [{name: _suggested(trial, name, of) for name, of in space.items()} for trial in group]
        for trial, value in zip(group, value_of(chosen)):
            failed = not math.isfinite(value)
            study.tell(trial, None if failed else value, optuna.trial.TrialState.FAIL if failed else None)
        asked += chosen
    return asked


def _suggested(trial: Any, name: str, of: Any) -> Any:
    if isinstance(of, range) and of:
        return trial.suggest_int(name, min(of), max(of), step=abs(of.step))
    if (
        isinstance(of, tuple)
        and len(of) == 2
        and all(isinstance(end, float) for end in of)
        and of[0] <= of[1]
    ):
        return trial.suggest_float(name, *of)
    if isinstance(of, list) and of:
        plain = all(isinstance(value, bool | int | float | str | None) for value in of)
        if plain:
            return trial.suggest_categorical(name, of)
        return of[trial.suggest_categorical(name, list(range(len(of))))]
    raise WorkbenchError(
        f"{name}={of!r} in the space", expected="a list of values, a range, or two floats (low, high)"
    )


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as missing:
        raise MissingExtraError.of("optuna", "ml") from missing
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


__all__ = ["searched"]
