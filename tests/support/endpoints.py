"""What a discovery file says of a feed, made by hand."""

from __future__ import annotations

import os

from workbench.feeds import discovery
from workbench.feeds.discovery import Endpoint
from workbench.feeds.processes import process_start


def endpoint(**changes: object) -> Endpoint:
    """Say of a feed of this process what a discovery file says."""
    values: dict[str, object] = {
        "identity": discovery.new_identity(),
        "uri": "ws://127.0.0.1:8765/v1",
        "secret": discovery.new_secret(),
        "pid": os.getpid(),
        "process_start": process_start(os.getpid()),
        "source": "simulate seed=7",
        "key": "simulate-1",
        "symbols": ("ESZ6",),
        "started_ns": 1,
    }
    return Endpoint(**(values | changes))  # type: ignore[arg-type]
