"""What a session can be told to wait for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from workbench.errors import ReplayError
from workbench.feeds.times import duration_ns, moment_text

if TYPE_CHECKING:
    from workbench.session.line import Line

NS_PER_S: Final = 10**9


def condition(
    line: Line, moment_ns: int | None, events: int | None, predicate: Callable[[], bool] | None
) -> tuple[Callable[[], bool], str]:
    """Whether it has come, and what it is called; with nothing given, the end of the stream.

    Parameters
    ----------
    line : Line
    moment_ns : int, ns since the epoch, optional
    events : int, optional
        Captured so far, all instruments.
    predicate : callable, optional
    """
    if moment_ns is not None:
        return (lambda: line.now_ns >= moment_ns), f"time {moment_text(moment_ns)}"
    if events is not None:
        count = positive(events)
        return (lambda: sum(c.events for c in line.captures.values()) >= count), f"{count} events"
    if predicate is not None:
        return predicate, "what was waited for"
    return (lambda: line.state == "ended"), "the end"


def patience_s(timeout: object) -> float:
    """Seconds to wait, of a number of them or a duration such as ``"3s"``; refused unless 0 or more."""
    if isinstance(timeout, str | timedelta):
        return duration_ns(timeout) / NS_PER_S
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout >= 0:
        raise ReplayError(f"timeout={timeout!r}", expected="seconds, or a duration like '30s'")
    return float(timeout)


def positive(events: int) -> int:
    """A number of events; refused unless whole and above 0."""
    if isinstance(events, bool) or not hasattr(events, "__index__") or int(events) <= 0:
        raise ReplayError(f"events={events!r}", expected="a whole number > 0")
    return int(events)
