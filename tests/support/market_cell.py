"""What notebooks of the browser tests run: a seeded market paced by wall clock in a thread of the kernel."""

from __future__ import annotations

import threading
import time
from typing import Any

from tests.support.shown import Shown
from workbench.feeds.simulator import Simulator


def running_market(head_s: float = 60.0, **simulator: Any) -> Shown:
    """Market that has run for ``head_s`` seconds and goes on until its state is ``closed``."""
    shown = Shown.of(Simulator(**{"seed": 7, "profile": "es-like", **simulator}))
    shown.advance(head_s)
    threading.Thread(target=_pace, args=(shown,), daemon=True).start()
    return shown


def _pace(shown: Shown) -> None:
    last = time.monotonic()
    while shown.state == "live":
        time.sleep(0.04)
        now = time.monotonic()
        shown.advance(now - last)
        last = now
