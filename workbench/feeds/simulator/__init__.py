"""The market simulator: a seeded order-by-order market, the same bit for bit on every machine."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.feeds.simulator.profiles import PROFILES, Profile
    from workbench.feeds.simulator.source import Simulator
    from workbench.feeds.simulator.statistics import FlowStatistics, flow_statistics

__all__ = ["PROFILES", "FlowStatistics", "Profile", "Simulator", "flow_statistics"]

_HOMES = {
    "PROFILES": "profiles",
    "Profile": "profiles",
    "Simulator": "source",
    "FlowStatistics": "statistics",
    "flow_statistics": "statistics",
}


def __getattr__(name: str) -> object:
    """Load a public name on first use: importing the room loads no numba."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
