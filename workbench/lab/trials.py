"""The register of trials: everything that was tried on a recording, kept beside it, so that luck can be discounted.

``<recording>.trials.jsonl`` lies beside the directory of the recording. Each line is one trial, written by one append
and synced: whoever tries meanwhile in another process loses nothing. A trial that is repeated counts once.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

import msgspec
import numpy as np

from workbench.errors import RecordingError
from workbench.events import FloatArray
from workbench.frames.paths import refuse_link
from workbench.lab.appending import append_line
from workbench.lab.statistics import dsr, pbo, psr

SUFFIX: Final = ".trials.jsonl"
SPLITS: Final = 12


_IN_MEMORY: Final[WeakKeyDictionary[Any, Trials]] = WeakKeyDictionary()


class Trial(msgspec.Struct, frozen=True):
    """One trial.

    Attributes
    ----------
    key : str
        Identity of the signal and of all settings that change the result.
    setting : str
        Settings that make trials comparable period by period: horizon, costs, latency, number of periods.
    signal : str
        As text.
    sharpe : float
        Per period.
    periods : int
    skew, kurtosis : float
    sums, squares : tuple of float, shape (12,)
        Σ and Σ² of the returns in twelfths of the time.
    """

    key: str
    setting: str
    signal: str
    sharpe: float
    periods: int
    skew: float
    kurtosis: float
    sums: tuple[float, ...]
    squares: tuple[float, ...]


class Deflation(NamedTuple):
    """What a result is worth among all trials.

    Attributes
    ----------
    trials : int
        Different ones, this one included.
    sharpe : float
        Per period.
    psr, dsr : float
        Probability that the true Sharpe ratio is above 0, and above what the best of so many by chance would show.
    pbo : float
        Probability of backtest overfitting among comparable trials; NaN for one.
    """

    trials: int
    sharpe: float
    psr: float
    dsr: float
    pbo: float

    def __repr__(self) -> str:
        rest = ", ".join(f"{n} {v:.2f}" for n, v in zip(self._fields[1:], self[1:]))
        return f"Deflation({self.trials} trial{'s' * (self.trials != 1)}, {rest})"


class Trials:
    """Trials on one recording.

    Parameters
    ----------
    path : Path, optional
        The file. None: kept in memory, for sessions.
    """

    def __init__(self, path: Path | None = None):
        self.path = path
        self._known: dict[str, Trial] = {}
        self._read = 0
        self.damaged = 0

    @classmethod
    def of(cls, x: Any) -> Trials:
        """The register of a recording; for anything else one in memory, which lasts as long as the object does."""
        path = getattr(x, "path", None)
        if isinstance(path, Path):
            return cls(path.absolute().with_name(path.absolute().name + SUFFIX))
        try:
            return _IN_MEMORY.setdefault(x, cls())
        except TypeError:  # what can be neither hashed nor referred to weakly, such as a list of batches
            return cls()

    def __len__(self) -> int:
        self._refresh()
        return len(self._known) + self.damaged

    def __repr__(self) -> str:
        return f"Trials({len(self)} different)"

    def count(self, trial: Trial) -> None:
        """Put a trial down, unless it is there already.

        Raises
        ------
        RecordingError
            The file cannot be written.
        """
        self._refresh()
        if trial.key in self._known:
            return
        if self.path is not None:
            refuse_link(self.path)
            try:
                append_line(self.path, msgspec.json.encode(trial) + b"\n")
            except OSError as problem:
                raise _unusable("write", self.path, problem) from problem
        self._known[trial.key] = trial

    def judge(self, trial: Trial) -> Deflation:
        """Worth of a trial among all that were counted, and itself; damaged lines count as trials too.

        Notes
        -----
        All trials count. The variance of Sharpe ratios and PBO are taken over those of the same setting: ratios of other
        periods are other numbers. A trial that is alone in its setting has the variance of noise, 1 / (periods − 1).
        """
        self._refresh()
        among = self._known | {trial.key: trial}
        number = len(among) + self.damaged
        alike = [t.sharpe for t in among.values() if t.setting == trial.setting and math.isfinite(t.sharpe)]
        noise = 1 / max(trial.periods - 1, 1) if number > 1 else 0.0
        variance = float(np.var(alike, ddof=1)) if len(alike) > 1 else noise
        facts = trial.sharpe, trial.periods
        shape = trial.skew, trial.kurtosis
        return Deflation(
            number,
            trial.sharpe,
            psr(*facts, *shape),
            dsr(*facts, variance, number, *shape),
            _overfitting(among, trial.setting),
        )

    def overfitting(self, setting: str) -> float:
        """Probability of backtest overfitting among the trials of a setting; NaN for fewer than two."""
        self._refresh()
        return _overfitting(self._known, setting)

    def _refresh(self) -> None:
        if self.path is None:
            return
        refuse_link(self.path)
        try:
            with self.path.open("rb") as file:
                file.seek(self._read)
                data = file.read()
        except FileNotFoundError:
            return
        except OSError as problem:
            raise _unusable("read", self.path, problem) from problem
        whole = data.rfind(b"\n") + 1
        self._read += whole
        for line in data[:whole].splitlines():
            trial = _decoded(line)
            if trial is None:
                self.damaged += bool(line)
            else:
                self._known.setdefault(trial.key, trial)


def _overfitting(among: dict[str, Trial], setting: str) -> float:
    alike = [t for t in among.values() if t.setting == setting]
    if len(alike) < 2:
        return math.nan
    counts = np.full(SPLITS, alike[0].periods / SPLITS)
    sums, squares = (np.array([getattr(t, name) for t in alike]).T for name in ("sums", "squares"))
    return pbo(sums, squares, counts)


def summarised(key: str, setting: str, signal: str, returns: FloatArray) -> Trial:
    """A trial from its returns per period, whose number is a multiple of 12."""
    mean, deviation = float(returns.mean()), float(returns.std())
    z = (returns - mean) / deviation if deviation > 0 else np.zeros_like(returns)
    parts = returns.reshape(SPLITS, -1)
    return Trial(
        key=key,
        setting=setting,
        signal=signal,
        sharpe=mean / deviation if deviation > 0 else 0.0,
        periods=len(returns),
        skew=float((z**3).mean()),
        kurtosis=float((z**4).mean()) if deviation > 0 else 3.0,
        sums=tuple(parts.sum(axis=1).tolist()),
        squares=tuple((parts**2).sum(axis=1).tolist()),
    )


def _decoded(line: bytes) -> Trial | None:
    try:
        trial = msgspec.json.decode(line, type=Trial)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return trial if len(trial.sums) == len(trial.squares) == SPLITS else None


def _unusable(what: str, path: Path, problem: OSError) -> RecordingError:
    return RecordingError(
        f"cannot {what} the register of trials {path.name}: {problem.strerror or problem}",
        action="Every trial must be counted: make the file and its directory readable and writable",
        code="io_error",
        path=str(path),
    )


__all__ = ["SPLITS", "Deflation", "Trial", "Trials", "summarised"]
