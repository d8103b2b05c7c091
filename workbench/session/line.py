"""What a session stands on: the line from a source to the captures, in this process or through the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Protocol

from workbench.errors import WorkbenchError
from workbench.feeds.requests import Answer
from workbench.frames.capture import Capture
from workbench.frames.recording import Recording
from workbench.protocol import messages
from workbench.session.account import Account
from workbench.session.health import Health

OUTCOME_UNKNOWN: Final = frozenset({"timeout", "lost", "unknown_outcome", "internal"})
"""Codes of errors after which a command may have been carried out, or not."""

TRADES: Final = (
    *(messages.PlaceOrder, messages.CancelOrder, messages.ReplaceOrder, messages.CancelAll),
    *(messages.Arm, messages.Disarm),
)


class Line(Protocol):
    """The line from a source to the captures of a session.

    Attributes
    ----------
    source : str
        Deterministic name of what feeds it.
    place : str
        ``inline`` or ``engine``.
    is_steerable : bool
        Whether its time goes by itself and may be held, hastened and, where it has an end, moved.
    has_forerunners : bool
        Whether an earlier session may have given its orders names that count still.
    captures : Mapping of str to Capture
        One per instrument, in the order of the source. Replaced as a whole when instruments appear, never changed.
    account : Account
        Orders, positions and what else the platform tells; stays empty without one.
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
    is_steerable: bool
    has_forerunners: bool
    captures: Mapping[str, Capture]
    account: Account
    start_ns: int
    end_ns: int | None

    @property
    def now_ns(self) -> int: ...

    @property
    def state(self) -> str: ...

    @property
    def speed(self) -> float: ...

    @property
    def has_platform(self) -> bool:
        """Whether somebody behind the source may draw, and take real orders."""
        ...

    @property
    def takes_orders(self) -> bool:
        """Whether orders go anywhere: to the platform, or to the paper desk."""
        ...

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

    def ask(self, command: messages.Command, timeout_s: float = ...) -> messages.Message:
        """Let the platform behind the source carry out a command; its answer.

        Raises
        ------
        WorkbenchError
            It was refused, with a code; there is no platform (``read_only``, ``not_supported``); or what became of it
            is not known (a code of :data:`OUTCOME_UNKNOWN`).
        """
        ...

    def begin(self, command: messages.Command) -> Answer:
        """Send a command as :meth:`ask` does, and wait for nothing.

        Raises
        ------
        WorkbenchError
            It was not sent.
        """
        ...

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


def capture_of(line: Line, symbol: str | None) -> Capture:
    """What was captured of an instrument; of the first one if none is named.

    Raises
    ------
    WorkbenchError
        There is no such instrument, or none yet (code ``unknown_instrument``).
    """
    captures = line.captures
    if symbol is None and not captures:
        raise WorkbenchError(
            f"{line.source} has no instrument yet",
            action="Subscribe to one at the source: it appears here by itself",
            code="unknown_instrument",
        )
    capture = captures.get(next(iter(captures)) if symbol is None else symbol)
    if capture is None:
        raise WorkbenchError(
            f"unknown instrument {symbol!r}; have {list(captures)}", code="unknown_instrument"
        )
    return capture


def without_platform(command: messages.Command, source: str) -> WorkbenchError:
    """Why a source that nobody trades on cannot carry out a command."""
    if isinstance(command, TRADES):
        return WorkbenchError(
            f"read_only: no orders can be placed on {source}",
            action='Orders need a platform behind the feed: wb.connect("bookmap")',
            code="read_only",
        )
    return WorkbenchError(
        f"not_supported: there is no chart or add-on behind {source}",
        action='Open wb.connect("bookmap")',
        code="not_supported",
    )
