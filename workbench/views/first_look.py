"""How long the picture under a cell may be waited for, when a view of a long recording is shown for the first time."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from workbench.views.reading import reading_of

if TYPE_CHECKING:
    from workbench.views.live import Captured

__all__ = ["FIRST_LOOK_S", "UNFINISHED", "FirstLook", "first_look", "time_is_up", "wait_for", "waited"]

FIRST_LOOK_S: Final = 1.0
"""How long the picture of one view may be waited for."""
UNFINISHED: Final = "first look: the recording is still being read"


@dataclass
class FirstLook:
    """Until when stills are worked at, and whether one had to stop before it held everything."""

    until: float
    cut_short: bool = False


_current: ContextVar[FirstLook | None] = ContextVar("first_look", default=None)


@contextlib.contextmanager
def first_look(seconds: float = FIRST_LOOK_S) -> Iterator[FirstLook]:
    """Within it, still pictures show what there is after so many seconds."""
    look = FirstLook(time.monotonic() + seconds)
    token = _current.set(look)
    try:
        yield look
    finally:
        _current.reset(token)


def time_is_up() -> bool:
    """Whether whoever has more to take in is to stop, and to show what it has; never outside of a first look."""
    look = _current.get()
    if look is None or time.monotonic() < look.until:
        return False
    look.cut_short = True
    return True


def wait_for(capture: Captured, *, on_first_look: bool = True) -> None:
    """Wait until the trades of a recording are read, on a first look only as long as that may last."""
    reading, look = reading_of(capture), _current.get()
    if reading is None:
        return
    if look is None:
        reading.wait()
    elif on_first_look and not reading.wait(max(0.0, look.until - time.monotonic())):
        look.cut_short = True


def waited(wait: Callable[[float | None], bool]) -> bool:
    """Wait for work that is done aside, on a first look only as long as that may last; returns whether it is done.

    Parameters
    ----------
    wait : callable
        Waits so many seconds at most, None: for ever; returns whether the work is done.
    """
    look = _current.get()
    done = wait(None if look is None else max(0.0, look.until - time.monotonic()))
    if look is not None and not done:
        look.cut_short = True
    return done
