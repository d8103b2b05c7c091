"""Waiting for what another thread or process is about to do, without sleeping for a guess."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE_S = 30.0
_POLL_S = 0.005
_T = TypeVar("_T")


def eventually(condition: Callable[[], _T], patience_s: float = PATIENCE_S, *, what: str = "") -> _T:
    """Return the first true value of ``condition()``; fail when none came within ``patience_s`` seconds."""
    pulse = threading.Event()
    give_up = time.monotonic() + patience_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > give_up:
            raise AssertionError(
                f"{what or 'condition'} did not become true within {patience_s:g} s, last {value!r}"
            )
        pulse.wait(_POLL_S)
