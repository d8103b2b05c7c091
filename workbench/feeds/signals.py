"""How a process of ours is asked to end: Ctrl-C and SIGTERM, on every system."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable


def on_interrupt(stop: Callable[[], object]) -> None:
    """Call ``stop`` in the running event loop when this process is interrupted or told to terminate."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # Windows has no such handlers
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
