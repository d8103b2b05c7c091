"""Carrying out the trials of a sweep by joblib: results come in as they are done, each is kept and counted at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec import structs
from tqdm.auto import tqdm

from workbench.errors import MissingExtraError, WorkbenchError
from workbench.lab.sweep_file import SweepFile
from workbench.lab.sweep_trial import Outcome, Task, carried_out
from workbench.lab.trials import Trials

LIVES: Final = 3
"""How often local processes are started again after one of them died."""


class Workers:
    """Trials of a sweep, and where their results go.

    Parameters
    ----------
    file : SweepFile
    registers : dict of source to Trials
    identities : dict of source to str
        Of the recordings.
    n_jobs : int or None
        None: as the active configuration of joblib says; every core where there is none.
    progress : bool
    """

    def __init__(
        self,
        file: SweepFile,
        registers: dict[str, Trials],
        identities: dict[str, str],
        n_jobs: int | None,
        progress: bool,
    ):
        self._file, self._registers, self._identities = file, registers, identities
        self._n_jobs, self._progress = n_jobs, progress
        self._sources: dict[
            str, dict[str, None]
        ] = {}  # of each key: copies of a recording share their trials

    def finish(self, tasks: Sequence[Task]) -> dict[str, Outcome]:
        """Carry out what is not known yet; outcomes by key, failed ones too.

        Raises
        ------
        WorkbenchError
            Processes died again and again; what was done is kept.
        """
        unique = {task.key: task for task in tasks}
        for task in tasks:
            self._sources.setdefault(task.key, {})[task.source] = None
        known = self._file.known  # of the same events, wherever they lay then
        done = {k: structs.replace(known[k], source=task.source) for k, task in unique.items() if k in known}
        for outcome in done.values():
            self._count(outcome)
        with tqdm(total=len(unique), initial=len(done), disable=not self._progress, unit="trial") as bar:
            for life in range(LIVES):
                left = [task for key, task in unique.items() if key not in done]
                if left and self._live(left, done, bar, last=life == LIVES - 1):
                    break
        return done

    def _live(self, left: Sequence[Task], done: dict[str, Outcome], bar: Any, *, last: bool) -> bool:
        """Whether all was carried out before a process died."""
        died = _terminated()
        try:
            for outcome in self._stream(left):
                self._file.keep(outcome)
                self._count(outcome)
                done[outcome.key] = outcome
                bar.update()
        except died as problem:
            if last:
                raise WorkbenchError(
                    f"worker processes died {LIVES} times, {len(done)} trials are done",
                    action="Give the sweep a results file, fewer n_jobs or more memory, and run it again",
                    code="workers_died",
                ) from problem
            return False
        return True

    def _stream(self, left: Sequence[Task]) -> Iterator[Outcome]:
        joblib = _joblib()
        calls = [joblib.delayed(carried_out)(task, self._identities[task.source]) for task in left]
        backend, n_jobs = joblib.parallel.get_active_backend()
        jobs = self._n_jobs if self._n_jobs is not None else n_jobs
        if jobs is None and backend.default_n_jobs == 1:
            jobs = -1
        try:
            parallel = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)
        except ValueError:  # a backend that gives all results at the end
            parallel = joblib.Parallel(n_jobs=jobs, batch_size=1)
        yield from parallel(calls)

    def _count(self, outcome: Outcome) -> None:
        if outcome.trial is not None:
            for source in self._sources[outcome.key]:
                self._registers[source].count(outcome.trial)


def _joblib() -> Any:
    try:
        import joblib
    except ImportError as missing:
        raise MissingExtraError.of("joblib", "cluster") from missing
    return joblib


def _terminated() -> type[Exception]:
    _joblib()
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    found: type[Exception] = TerminatedWorkerError
    return found


__all__ = ["Workers"]
