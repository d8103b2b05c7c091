"""What people do on a page: a queue in which each act stands once, however often the page says it."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict, deque
from typing import Any, Final

__all__ = ["Acts"]

_REMEMBERED: Final = 4096
"""Acts whose names are kept; a page repeats one for seconds at most."""


class Acts:
    """Acts in the order in which they came first.

    Notes
    -----
    A page says an act again while nobody answers it, for its first word may wait behind a running cell: the one that
    comes first is taken, and every later one with its ``id`` is not.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[dict[str, Any]] = deque()
        self._taken: OrderedDict[object, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, content: dict[str, Any]) -> None:
        """Take an act, unless it was taken before; notes how late it is as ``late_ms``."""
        name = str(content.get("id"))[:80]
        with self._lock:
            if name in self._taken:
                return
            self._taken[name] = None
            if len(self._taken) > _REMEMBERED:
                self._taken.popitem(last=False)
            self._waiting.append({**content, "late_ms": _late_ms(content)})

    def next(self) -> dict[str, Any] | None:
        """Oldest act that waits, or None."""
        with self._lock:
            return self._waiting.popleft() if self._waiting else None


def _late_ms(content: dict[str, Any]) -> float:
    """Milliseconds since the page let go of an act, by our clock as the page heard it last; inf where it did not say."""
    said = content.get("kernel_ms")
    return time.time() * 1e3 - said if isinstance(said, int | float) else math.inf
