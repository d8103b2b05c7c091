"""Signals: rules on the order flow that say buy, sell or nothing, and how strongly.

Everything here is loaded when first touched. Each signal runs live, in replay, over a whole recording and in a backtest.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

_HOMES = {
    "Signal": "contract",
    "Scores": "contract",
    "Parameters": "contract",
    "BookImbalance": "book_imbalance",
    "OfiMomentum": "ofi_momentum",
    "LiquidityFade": "liquidity_fade",
    "VolumeCliff": "volume_cliff",
    "IcebergFollow": "detected",
    "AbsorptionContinuation": "detected",
    "SweepContinuation": "detected",
    "And": "composition",
    "Or": "composition",
    "Unless": "composition",
    "Reverse": "composition",
    "Threshold": "composition",
    "Cooldown": "composition",
    "from_frame": "frame_signal",
    "from_values": "value_signal",
    "Sight": "sight",
    "Needs": "sight",
    "Finder": "sight",
}

__all__ = [
    "AbsorptionContinuation",
    "And",
    "BookImbalance",
    "Cooldown",
    "Finder",
    "IcebergFollow",
    "LiquidityFade",
    "Needs",
    "OfiMomentum",
    "Or",
    "Parameters",
    "Reverse",
    "Scores",
    "Sight",
    "Signal",
    "SweepContinuation",
    "Threshold",
    "Unless",
    "VolumeCliff",
    "from_frame",
    "from_values",
]

if TYPE_CHECKING:
    from workbench.flow.signals.book_imbalance import BookImbalance
    from workbench.flow.signals.composition import And, Cooldown, Or, Reverse, Threshold, Unless
    from workbench.flow.signals.contract import Parameters, Scores, Signal
    from workbench.flow.signals.detected import AbsorptionContinuation, IcebergFollow, SweepContinuation
    from workbench.flow.signals.frame_signal import from_frame
    from workbench.flow.signals.liquidity_fade import LiquidityFade
    from workbench.flow.signals.ofi_momentum import OfiMomentum
    from workbench.flow.signals.sight import Finder, Needs, Sight
    from workbench.flow.signals.value_signal import from_values
    from workbench.flow.signals.volume_cliff import VolumeCliff


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'workbench.flow.signals' has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"workbench.flow.signals.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
