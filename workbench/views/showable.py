"""What may be given to a view: a session, or a recording."""

from __future__ import annotations

import threading
import weakref
from typing import Final, cast

from workbench.errors import WorkbenchError
from workbench.frames.recording import Recording
from workbench.views.exhibit import Exhibit
from workbench.views.live import Showable

__all__ = ["showable"]

_ASKED: Final = ("clock", "state", "health", "capture")
_exhibits: weakref.WeakValueDictionary[int, Exhibit] = weakref.WeakValueDictionary()
_lock = threading.Lock()


def showable(x: object) -> Showable:
    """Return what a view shows: a session as it is, a recording as an exhibit.

    Parameters
    ----------
    x : Session or Recording
        Or anything with ``capture(symbol)``, ``clock.now_ns``, ``state`` and ``health``.

    Returns
    -------
    Showable
        The same exhibit for the same recording while a view holds it, so that its views share a cursor and what was
        read.

    Raises
    ------
    WorkbenchError
        It is neither (code ``not_showable``).

    Examples
    --------
    >>> showable(3)
    Traceback (most recent call last):
    workbench.errors.WorkbenchError: cannot show 3; expected a session (wb.simulate, ...) or a recording (...)
    """
    if isinstance(x, Recording):
        return cast(Showable, _exhibit(x))
    kind = type(x)  # asked of the type: asking a session itself would compute its health
    if all(hasattr(kind, name) or name in getattr(x, "__dict__", ()) for name in _ASKED):
        return cast(Showable, x)
    raise WorkbenchError(
        f"cannot show {_short(x)}",
        expected="a session (wb.simulate, wb.replay, wb.connect) or a recording (wb.open_recording)",
        code="not_showable",
    )


def _exhibit(recording: Recording) -> Exhibit:
    with _lock:  # an exhibit holds its recording, so the number is nobody else's while it lives
        found = _exhibits.get(id(recording))
        if found is None:
            found = _exhibits[id(recording)] = Exhibit(recording)
        return found


def _short(x: object) -> str:
    text = repr(x) if isinstance(x, str | int | float | None) else f"a {type(x).__name__}"
    return text if len(text) <= 80 else text[:77] + "…"
