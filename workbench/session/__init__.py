"""Sessions: a source of market events and all that comes from it, as notebooks hold them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

_HOMES = {
    "Clock": "clock",
    "Health": "health",
    "Order": "order",
    "Orders": "orders",
    "PanicReport": "arming",
    "Publication": "publication",
    "RecordingHandle": "recording",
    "Session": "facade",
    "Stream": "stream",
    "TradingState": "arming",
    "connect": "opening",
    "demo": "demo",
    "replay": "opening",
    "simulate": "opening",
}

__all__ = [
    "Clock",
    "Health",
    "Order",
    "Orders",
    "PanicReport",
    "Publication",
    "RecordingHandle",
    "Session",
    "Stream",
    "TradingState",
    "connect",
    "demo",
    "replay",
    "simulate",
]

if TYPE_CHECKING:
    from workbench.session.arming import PanicReport, TradingState
    from workbench.session.clock import Clock
    from workbench.session.demo import demo
    from workbench.session.facade import Session
    from workbench.session.health import Health
    from workbench.session.opening import connect, replay, simulate
    from workbench.session.order import Order
    from workbench.session.orders import Orders
    from workbench.session.publication import Publication
    from workbench.session.recording import RecordingHandle
    from workbench.session.stream import Stream


def __getattr__(name: str) -> object:
    """Load a public name on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
