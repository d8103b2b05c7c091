"""The thread that feeds the views of a session."""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any, ClassVar, Final

from workbench.views.pacing import TICK_NS, Mode

if TYPE_CHECKING:
    from workbench.views.live import LiveView, Showable

__all__ = ["Bell", "Sender"]

_FINAL_STATES: Final = ("closed",)


class Bell:
    """Wakes one thread that waits for it.

    Notes
    -----
    It may be rung from everywhere, also by the collector in the middle of any line of the waiting thread: nothing is
    held while it rings, unlike in an ``Event``.
    """

    def __init__(self) -> None:
        self._quiet = threading.Lock()
        self._quiet.acquire()

    def ring(self) -> None:
        """End this wait, or the next one if nobody waits now."""
        with contextlib.suppress(RuntimeError):  # it rings already
            self._quiet.release()

    def wait(self, seconds: float) -> bool:
        """Wait for the bell, so long at most; returns whether it rang."""
        return self._quiet.acquire(timeout=seconds)


class Sender:
    """The one daemon thread that feeds all views of a session, 20 times a second; it ends with the last view."""

    _of: ClassVar[weakref.WeakKeyDictionary[Any, Sender]] = weakref.WeakKeyDictionary()
    # The collector may close a forgotten view in the middle of any line: that lock is re-entrant, and to leave takes
    # none at all.
    _of_lock = threading.RLock()

    def __init__(self, session: Showable):
        self._session = weakref.ref(session)
        self.group = secrets.token_hex(8)  # views of one session share a cursor on the page
        self._views: dict[weakref.ref[LiveView], None] = {}  # in the order in which they came
        self._lock = threading.RLock()
        self._bell = Bell()
        self._thread: threading.Thread | None = None

    @classmethod
    def of(cls, session: Showable) -> Sender:
        """Return the sender of a session, the same one for all its views."""
        with cls._of_lock:
            if session not in cls._of:
                cls._of[session] = cls(session)
            return cls._of[session]

    def add(self, view: LiveView) -> None:
        """Feed this view too."""
        with self._lock:
            self._views[weakref.ref(view)] = None
            self._begin()

    def _begin(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="workbench-views", daemon=True)
            self._thread.start()

    @property
    def views(self) -> list[LiveView]:
        """The views that are fed now."""
        return self._fed()

    def modes(self) -> list[Mode]:
        """How fast each view sends now."""
        return [view._pacing.mode(time.monotonic_ns()) for view in self._fed()]

    def remove(self, view: LiveView) -> None:
        """Stop feeding this view."""
        self._views.pop(weakref.ref(view), None)
        self._bell.ring()

    def wake(self) -> None:
        """Look at the views now instead of at the next tick.

        A page may ask first when the session is closed already, for pages draw what is scrolled into sight: it gets
        the last picture.
        """
        self._bell.ring()
        with self._lock:
            if self._views:
                self._begin()

    def join(self, timeout: float) -> None:
        """Wait until the thread has ended, after the last view has left or the session was closed."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout)

    def _run(self) -> None:
        while views := self._current():
            now = time.monotonic_ns()
            for view in views:
                try:
                    view._serve()
                    view._tick(now)
                except Exception as error:  # noqa: BLE001 - one broken channel must not stop the other views
                    view._fail(error)
            del views, view
            self._bell.wait(TICK_NS / 1e9)

    def _fed(self) -> list[LiveView]:
        """Views that are fed; one that was dropped without a word is forgotten."""
        views = []
        for reference in list(self._views):
            view = reference()
            if view is None:
                self._views.pop(reference, None)
            else:
                views.append(view)
        return views

    def _current(self) -> list[LiveView]:
        session = self._session()
        final = session is None or session.state in _FINAL_STATES
        with self._lock:
            views = self._fed()
            if views and not final:
                return views
            if not views:
                self._thread = None
                return []
        while True:
            self._farewell(views)
            with self._lock:  # given up only now: never two threads for one model
                if not self._bell.wait(0):  # a page that asked meanwhile is answered too
                    self._thread = None
                    return []

    @staticmethod
    def _farewell(views: list[LiveView]) -> None:
        for view in views:  # the page learns that the session is closed
            try:
                view._serve()
                view._tick(time.monotonic_ns() + TICK_NS)
            except Exception as error:  # noqa: BLE001 - one broken channel must not keep it from the others
                view._fail(error)
