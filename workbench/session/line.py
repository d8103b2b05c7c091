"""What a session stands on: the line from a source to the captures, in this process or through the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from workbench.frames.capture import Capture
from workbench.frames.recording import Recording
from workbench.session.health import Health


class Line(Protocol):
    """The line from a source to the captures of a session.

    Attributes
    ----------
    source : str
        Deterministic name of what feeds it.
    place : str
        ``inline`` or ``engine``.
    captures : Mapping of str to Capture
        One per instrument, in the order of the source.
    start_ns, end_ns : int, ns since the epoch, UTC
        Span of the source; no end for one that goes on for ever.
    now_ns : int, ns since the epoch, UTC
        Virtual time.
    state : str
        ``connecting``, ``live``, ``paused``, ``stale``, ``ended`` or ``closed``.
    speed : float
        Virtual seconds per second; infinity means as fast as possible.
    """

    source: str
    place: str
    captures: Mapping[str, Capture]
    start_ns: int
    end_ns: int | None

    @property
    def now_ns(self) -> int: ...

    @property
    def state(self) -> str: ...

    @property
    def speed(self) -> float: ...

    def advance(self, until_ns: int | None, max_events: int | None) -> None:
        """Move virtual time by hand (inline only); None goes to the end."""
        ...

    def wait(
        self,
        done: Callable[[], bool],
        timeout_s: float,
        *,
        until_ns: int | None = None,
        events: int | None = None,
    ) -> bool:
        """Let time pass until ``done()``; False when the time-out or the end of the stream came first.

        ``until_ns`` and ``events`` say what ``done`` waits for where that is known: a clock moved by hand can then
        stop exactly there.
        """
        ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def seek(self, ts_ns: int) -> None: ...

    def set_speed(self, speed: float) -> None: ...

    def record(self, directory: Path, symbols: tuple[str, ...], history: bool) -> RunningRecording: ...

    def health(self) -> Health: ...

    def close(self, *, leave: bool = False) -> None:
        """Let go of everything; ``leave`` lets an engine and its recordings go on."""
        ...


class RunningRecording(Protocol):
    """A recording that is being written."""

    @property
    def running(self) -> bool: ...

    @property
    def paths(self) -> Mapping[str, Path]: ...

    def stop(self) -> Mapping[str, Recording]: ...
