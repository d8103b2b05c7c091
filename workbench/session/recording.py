"""The handle of a recording in progress."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn

from workbench.errors import RecordingError

if TYPE_CHECKING:
    from workbench.frames.recording import Recording
    from workbench.session.line import RunningRecording


class RecordingHandle:
    """A recording in progress, made by :meth:`Session.record`; also a context manager that stops it.

    Examples
    --------
    >>> with session.record("data/sessions") as rec:                                    # doctest: +SKIP
    ...     session.advance("30s")
    >>> rec.recording.trades()                                                           # doctest: +SKIP
    """

    def __init__(self, running: RunningRecording, symbols: tuple[str, ...]):
        self._running = running
        self._symbols = symbols
        self._recordings: Mapping[str, Recording] | None = None

    @property
    def symbols(self) -> tuple[str, ...]:
        """What is recorded, and what joined when it appeared."""
        return tuple(dict.fromkeys((*self._symbols, *self._running.paths)))

    @property
    def running(self) -> bool:
        """Whether events are still being written."""
        return self._recordings is None and self._running.running

    @property
    def paths(self) -> dict[str, Path]:
        """Directory of each instrument's recording."""
        return dict(self._running.paths)

    @property
    def recordings(self) -> dict[str, Recording]:
        """The finished recordings by symbol.

        Raises
        ------
        RecordingError
            It is still running.
        """
        if self._recordings is None:
            raise RecordingError("the recording is still running", action="Call stop() first")
        return dict(self._recordings)

    @property
    def recording(self) -> Recording:
        """The finished recording of the first instrument."""
        return self.recordings[self.symbols[0]]

    def stop(self) -> Recording:
        """Finish: everything received so far is on disk when this returns. Stopping twice is no error.

        Returns
        -------
        Recording
            Of the first instrument; :attr:`recordings` has all.
        """
        if self._recordings is None:
            self._recordings = self._running.stop()
        return self.recording

    def __enter__(self) -> RecordingHandle:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    if not TYPE_CHECKING:  # else any name would pass a type checker

        def __getattr__(self, name: str) -> NoReturn:
            from workbench.frames.recording import Recording

            if not name.startswith("_") and hasattr(Recording, name):
                raise AttributeError(
                    f"{name!r} belongs to the finished recording: call .stop().{name} on what record() gave back, or"
                    f" take .recording.{name} once it is stopped"
                )
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __repr__(self) -> str:
        state = f"running{self._places()}; stop() gives the recording" if self.running else "stopped"
        return f"RecordingHandle({', '.join(self.symbols)}, {state})"

    def _places(self) -> str:
        folders = dict.fromkeys(path.parent for path in self._running.paths.values())
        return f" in {', '.join(map(str, folders))}" if folders else ""
