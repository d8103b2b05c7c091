"""A recording that the engine writes, seen from the session that asked for it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from workbench.errors import DiskFullError, FeedError, RecordingError, WorkbenchError
from workbench.feeds.client import FeedClient
from workbench.frames.recording import Recording, open_recording
from workbench.protocol import messages

STOP_TIMEOUT_S: Final = 120.0


class EngineRecording:
    """A recording that the engine writes."""

    def __init__(self, client: FeedClient, answer: messages.Recording):
        self._client = client
        self.name = answer.recording
        self.reason = ""
        self._state = answer.state
        self._paths = {symbol: Path(path) for symbol, path in answer.paths.items()}

    @property
    def running(self) -> bool:
        """Whether it is still being written."""
        return self._state == "recording"

    @property
    def paths(self) -> dict[str, Path]:
        """Directory of each instrument's recording."""
        return dict(self._paths)

    def update(self, report: messages.Recording) -> None:
        """Take in what the engine says of it."""
        if report.recording == self.name:
            self._state = report.state
            self._paths |= {symbol: Path(path) for symbol, path in report.paths.items()}
            self.reason = report.reason if report.state == "failed" else ""

    def stop(self) -> dict[str, Recording]:
        """Let the engine finish it; when the engine is gone, what it wrote opens all the same."""
        if self.running:
            try:
                answer = self._client.request(messages.StopRecording(recording=self.name), STOP_TIMEOUT_S)
                assert isinstance(answer, messages.Recording)
                self._paths |= {symbol: Path(path) for symbol, path in answer.paths.items()}
            except FeedError as problem:
                self.reason = problem.message
            finally:
                self._state = (
                    "closed"  # also when the engine could not finish it: asking again would not help
                )
        return {symbol: open_recording(path) for symbol, path in self._paths.items()}


def as_recorded(problem: WorkbenchError) -> WorkbenchError:
    """What the engine could not record, as it is told where there is no engine in between."""
    kind = {kind.code: kind for kind in (RecordingError, DiskFullError)}.get(problem.code)
    return problem if kind is None else kind(problem.message)
