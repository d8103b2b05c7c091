"""Sweeps: one strategy, many parameters, many recordings, as many processes or machines as there are."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from workbench.errors import WorkbenchError
from workbench.lab.sweep_file import SweepFile
from workbench.lab.sweep_grid import Grid, check_strategy, divided, points
from workbench.lab.sweep_markets import markets_of, short_names
from workbench.lab.sweep_search import searched
from workbench.lab.sweep_trial import Outcome, Recipe, Task, recording_of, task_of
from workbench.lab.sweep_work import Workers
from workbench.lab.trials import Deflation, Trial, Trials

OBJECTIVES: Final = ("sharpe", "profit")
LESS_IS_BETTER: Final = ("fees", "max_drawdown")
_SUMMARY: Final = (
    "steps", "orders", "fills", "volume", "maker_share", "position", "fees", "profit", "max_drawdown",
)  # fmt: skip
RESULTS: Final = (*_SUMMARY, "recording", "recordings", "sharpe", "error")
"""Names of columns that are no parameters: a varied name that is among them has ``_set`` behind it."""
_SCHEMA: Final = {"sharpe": pl.Float64, "error": pl.String}


class Sweep(NamedTuple):
    """What came of a sweep.

    Attributes
    ----------
    frame : DataFrame
        A row for each point and recording, in the order of the grid: what was varied, ``recording`` (its session and
        instrument; more of its path where two recordings share them), what :meth:`Backtest.summary` says, ``sharpe``
        per period, ``error`` (null where there is a result).
    names : tuple of str
        Columns of what was varied; ``fees_set`` and ``fills_set`` where there is a result of that name.
    worth : dict of str to Deflation
        Of the best trial on each recording, by the names of the column ``recording``, among all that were ever tried
        on it.
    """

    frame: pl.DataFrame
    names: tuple[str, ...]
    worth: dict[str, Deflation]

    def best(self, by: str = "sharpe") -> pl.DataFrame:
        """One row for each point, means over recordings, best first.

        Parameters
        ----------
        by : str, optional
            A column that holds numbers. Of fees and drawdowns the least is best, of all others the most.

        Returns
        -------
        DataFrame
            What was varied; ``recordings``, how many of them have a value of ``by``; means over those that have one.

        Raises
        ------
        WorkbenchError
            There is no such column of numbers.

        Notes
        -----
        A point that has no value on some recording, because it failed there or never traded, has the mean of fewer: it
        stands behind all points that have one on each, however good it looks.
        """
        numbers = [n for n, kind in self.frame.schema.items() if kind.is_numeric() and n not in self.names]
        if by not in numbers:
            raise WorkbenchError(f"best by {by!r}", expected=f"one of {', '.join(numbers)}")
        known = self.frame.with_columns(pl.col(pl.Float64).fill_nan(None))
        told = pl.col("recording").filter(pl.col(by).is_not_null()).n_unique().alias("recordings")
        wanted = [told, pl.col(numbers).mean()]
        means = (
            known.group_by(self.names, maintain_order=True).agg(wanted)
            if self.names
            else known.select(wanted)
        )
        whole = pl.col("recordings") == self.frame["recording"].n_unique()
        return means.sort(
            whole, by, descending=[True, by not in LESS_IS_BETTER], nulls_last=True, maintain_order=True
        )

    @property
    def errors(self) -> pl.DataFrame:
        """Rows that have no result; they are tried again when the sweep is repeated."""
        return self.frame.filter(pl.col("error").is_not_null())

    def __repr__(self) -> str:
        failed = f", {self.errors.height} failed" if self.errors.height else ""
        return f"Sweep({self.frame.height} trials over {', '.join(self.names) or 'nothing'}{failed})"


def sweep(
    strategy: Any,
    grid: Grid,
    recordings: Any,
    *,
    results: str | os.PathLike[str] | None = None,
    n_jobs: int | None = None,
    progress: bool = True,
    search: int | None = None,
    objective: str = "sharpe",
    seed: int = 7,
    **settings: Any,
) -> Sweep:
    """Backtest a strategy at every point of a grid on every recording, in parallel.

    Parameters
    ----------
    strategy : kernel strategy, class, or function that makes a strategy
        Classes and functions are called with the parameters by name; a kernel strategy finds them in ``d.params``, in
        the order of the grid.
    grid : mapping of name to values, or sequence of points
        Names of :func:`workbench.backtest`'s settings (``latency``, ``queue``, …) vary those, all others the strategy.
    recordings : recording, path, URL, or a sequence of them
        Workers open them by path or URL: each must reach them. A URL needs the extra ``cluster``, a closed recording,
        and the store's fsspec driver.
    results : path-like, optional
        File that takes every result as it comes. A sweep that is run again with it does only what is missing.
    n_jobs : int, optional
        Default: as joblib is configured; every core where it is not.
    progress : bool, optional
        Whether to show a bar.
    search : int, optional
        Let Optuna choose so many points: values are then lists, ranges, or two floats (low, high).
    objective : str, optional
        What the search makes large, mean over the recordings: ``"sharpe"`` or ``"profit"``.
    seed : int, optional
        Of the search.
    **settings
        Of every backtest.

    Returns
    -------
    Sweep
        ``frame``, ``best()``, ``errors``, ``worth``.

    Raises
    ------
    WorkbenchError
        An unknown name, an object instead of a class, no points, no recordings or one that is still being written.

    Notes
    -----
    Written against joblib: ``with joblib.parallel_config(backend="dask"):`` sends the trials to a Dask cluster. Each is
    counted in the register of its recording, where there is one beside it. docs/sweeps.md has the rest.
    """
    check_strategy(strategy)
    if objective not in OBJECTIVES:
        raise WorkbenchError(f"objective {objective!r}", expected=f"one of {', '.join(OBJECTIVES)}")
    _check_terms(results, n_jobs, search, seed)
    markets = markets_of(recordings)
    recipe = Recipe.of(strategy)

    def tasks(point: Mapping[str, Any]) -> list[Task]:
        values, chosen = divided(point, strategy, settings)
        return [task_of(recipe, values, chosen, *market) for market in markets.items()]

    registers = {source: Trials.of(recording_of(source)) for source in markets}
    workers = Workers(
        SweepFile(None if results is None else Path(results)), registers, markets, n_jobs, progress
    )
    if search is None:
        chosen = points(grid)
    else:
        chosen = searched(_space(grid), search, seed, lambda group: _values(group, tasks, workers, objective))
    wanted = [(point, task) for point in chosen for task in tasks(point)]
    done = workers.finish([task for _, task in wanted])
    columns = {name: _column(name) for point in chosen for name in point}
    called = short_names(list(markets))
    rows = [_row(point, columns, task, called[task.source], done[task.key]) for point, task in wanted]
    return Sweep(
        pl.DataFrame(rows, schema_overrides=_SCHEMA, infer_schema_length=None, strict=False),
        tuple(columns.values()),
        _worth([(task.source, done[task.key].trial) for _, task in wanted], registers, called),
    )


def _check_terms(results: Any, n_jobs: Any, search: Any, seed: Any) -> None:
    if not isinstance(results, str | os.PathLike | None):
        raise WorkbenchError(f"results={results!r:.60}", expected="the path of a file, or None")
    if n_jobs is not None and (not _is_whole(n_jobs) or n_jobs == 0):
        raise WorkbenchError(
            f"n_jobs={n_jobs!r:.40}", expected="how many processes, -1 for every core, or None"
        )
    if search is not None and (not _is_whole(search) or search < 1):
        raise WorkbenchError(f"search={search!r:.40}", expected="how many points to try, 1 or more")
    if not _is_whole(seed) or not 0 <= seed < 2**32:
        raise WorkbenchError(f"seed={seed!r:.40}", expected="a whole number from 0 to 2³² − 1")


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _space(grid: Grid) -> Mapping[str, Any]:
    if not isinstance(grid, Mapping):
        raise WorkbenchError(f"grid={grid!r:.60} to search in", expected="a mapping of name to values")
    return grid


def _values(group: Sequence[Mapping[str, Any]], tasks: Any, workers: Workers, objective: str) -> list[float]:
    asked = [tasks(point) for point in group]
    done = workers.finish([task for some in asked for task in some])
    return [sum(_aim(done[task.key], objective) for task in some) / len(some) for some in asked]


def _aim(outcome: Outcome, objective: str) -> float:
    if outcome.trial is None:
        return math.nan
    return outcome.trial.sharpe if objective == "sharpe" else float(outcome.summary["profit"] or 0.0)


def _column(name: str) -> str:
    return f"{name}_set" if name in RESULTS else name


def _row(
    point: Mapping[str, Any], columns: Mapping[str, str], task: Task, recording: str, outcome: Outcome
) -> dict[str, Any]:
    told = {column: _cell(point.get(name), task.told.get(name)) for name, column in columns.items()}
    sharpe = None if outcome.trial is None else outcome.trial.sharpe
    return {
        **told,
        "recording": recording,
        **outcome.summary,
        "sharpe": sharpe,
        "error": outcome.error or None,
    }


def _cell(value: Any, told: str | None) -> Any:
    if isinstance(value, np.number | np.bool_):
        return value.item()
    return value if isinstance(value, bool | int | float | str | None) else told


def _worth(
    found: Iterable[tuple[str, Trial | None]], registers: Mapping[str, Trials], called: Mapping[str, str]
) -> dict[str, Deflation]:
    best: dict[str, Trial] = {}
    for source, trial in found:
        if trial is not None and (source not in best or trial.sharpe > best[source].sharpe):
            best[source] = trial
    return {called[source]: registers[source].judge(trial) for source, trial in best.items()}


__all__ = ["Sweep", "sweep"]
