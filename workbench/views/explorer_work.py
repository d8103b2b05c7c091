"""Work that is done aside, for the newest wish: what became outdated while it waited is not begun, unless it must be."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["NewestWork"]

_log = logging.getLogger("workbench.views")
Wish = TypeVar("Wish")


class NewestWork(Generic[Wish]):
    """Carries out wishes one after another on a thread that lives only while there are some.

    Parameters
    ----------
    work : callable
        Takes a wish; what it raises is logged.
    must : callable, optional
        Whether a wish is to be carried out even when newer ones wait behind it.
    """

    def __init__(self, work: Callable[[Wish], None], must: Callable[[Wish], bool] = lambda wish: False):
        self._work, self._must = work, must
        self._changed = threading.Condition()
        self._waiting: list[Wish] = []
        self._running = False

    def wish(self, wish: Wish) -> None:
        """Ask for something; earlier wishes that were not begun are forgotten, but for those that must be."""
        with self._changed:
            self._waiting = [*filter(self._must, self._waiting), wish]
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name="workbench-explorer", daemon=True).start()

    @property
    def is_outdated(self) -> bool:
        """Whether a newer wish waits for the one at work."""
        return bool(self._waiting)

    @property
    def busy(self) -> bool:
        """Whether anything is at work or waits."""
        return self._running

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until every wish was carried out; returns whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._running, seconds)

    def forget(self) -> None:
        """Take back what was not begun."""
        with self._changed:
            self._waiting.clear()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._waiting:
                    self._running = False
                    self._changed.notify_all()
                    return
                wish = self._waiting.pop(0)
            try:
                self._work(wish)
            except Exception as error:  # noqa: BLE001 - the next wish may be a better one
                _log.warning("a study failed", exc_info=error)
