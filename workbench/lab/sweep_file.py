"""The file of a sweep: one line for each trial that is done, so that what was broken off goes on where it stopped."""

from __future__ import annotations

from pathlib import Path

import msgspec

from workbench.errors import RecordingError
from workbench.frames.paths import refuse_link
from workbench.lab.appending import append_line
from workbench.lab.sweep_trial import Outcome


class SweepFile:
    """Outcomes by key, in a file of JSON lines or, without a path, in memory.

    Parameters
    ----------
    path : Path or None

    Raises
    ------
    RecordingError
        The file cannot be read.
    """

    def __init__(self, path: Path | None):
        self.path = path
        self.damaged = 0
        self.known: dict[str, Outcome] = {}
        if path is not None:
            refuse_link(path)
            for line in _lines(path):
                self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            outcome = msgspec.json.decode(line, type=Outcome)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            self.damaged += 1
            return
        if not outcome.error:
            self.known.setdefault(outcome.key, outcome)

    def keep(self, outcome: Outcome) -> None:
        """Put an outcome down; those that failed are tried again the next time, and are not kept.

        Raises
        ------
        RecordingError
            The file cannot be written.
        """
        if outcome.error or outcome.key in self.known:
            return
        if self.path is not None:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                append_line(self.path, msgspec.json.encode(outcome) + b"\n")
            except OSError as problem:
                raise _unusable("write", self.path, problem) from problem
        self.known[outcome.key] = outcome


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as problem:
        raise _unusable("read", path, problem) from problem


def _unusable(what: str, path: Path, problem: OSError) -> RecordingError:
    return RecordingError(
        f"cannot {what} the results of the sweep in {path.name}: {problem.strerror or problem}",
        action="Name another file in results=…",
        code="io_error",
        path=str(path),
    )


__all__ = ["SweepFile"]
