"""What is planted for each detector, which parameters are tried, and what it must reach at its defaults."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from workbench.feeds.simulator.planting import Plants, plants
from workbench.flow.detectors.detections import Detector
from workbench.lab.scoring import Ground, Scorecard, score

__all__ = ["CASES", "Case"]

_ROOM: Final = "workbench.flow.detectors"


@dataclass(frozen=True)
class Case:
    """One detector with what it is tried on.

    Parameters
    ----------
    name : str
        Of the detector's class.
    module : str
        In ``workbench.flow.detectors``.
    kind : str
        What is planted for it.
    grid : mapping of str to sequence
        Values tried, one parameter at a time.
    floor : tuple of float
        Precision and recall that it must reach at its defaults on an ``es-like`` market.
    ticks : int
        How far off its price may be.
    only : Expr, optional
        Which detections are judged.
    """

    name: str
    module: str
    kind: str
    grid: Mapping[str, Sequence[Any]]
    floor: tuple[float, float] = (0.8, 0.8)
    ticks: int = 2
    only: pl.Expr | None = None

    @property
    def plants(self) -> Plants:
        """One event every 10 s."""
        return plants(self.kind, every="10s")

    @property
    def detector(self) -> Callable[..., Detector]:
        """The detector's class."""
        found: Callable[..., Detector] = getattr(importlib.import_module(f"{_ROOM}.{self.module}"), self.name)
        return found

    def score(
        self, grounds: Sequence[Ground] | None = None, *, curve: bool = True, **markets: Any
    ) -> Scorecard:
        """Score it, along its grid unless ``curve`` is false."""
        planted: Any = self.plants if grounds is None else grounds
        return score(
            self.detector,
            planted,
            self.grid if curve else None,
            kind=self.kind,
            ticks=self.ticks,
            only=self.only,
            name=self.name,
            **markets,
        )


CASES: Final[tuple[Case, ...]] = (
    Case("NativeIcebergs", "iceberg_orders", "iceberg", {"min_refills": (1, 2, 3, 4)}, (0.99, 0.99)),
    Case(
        "SyntheticIcebergs",
        "iceberg_orders",
        "synthetic_iceberg",
        {
            "within_ns": (2_000_000, 5_000_000, 10_000_000, 100_000_000, 1_000_000_000),
            "min_refills": (1, 2, 3),
            "min_peak_lots": (1, 2, 3, 5),
            "min_surprise": (0.0, 1.0, 3.0, 6.0),
        },
    ),
    # what levels and trades alone can say of native icebergs: docs/detectors.md tells why the floors are so low
    Case("Underflow", "hidden_size", "iceberg", {"min_lots": (1, 5, 20)}, (0.95, 0.3)),
    Case(
        "Resistance",
        "hidden_size",
        "iceberg",
        {"delay_ns": (1_000_000, 10_000_000, 100_000_000), "min_lots": (2, 5, 10)},
        (0.03, 0.95),
    ),
    Case(
        "StopRuns",
        "stop_runs",
        "stop_run",
        {
            "look_back_ns": (1_000_000_000, 5_000_000_000, 30_000_000_000),
            "within_ns": (1_000_000, 10_000_000, 100_000_000),
            "gap_ns": (500_000, 2_000_000, 5_000_000, 50_000_000),
            "min_orders": (4, 6, 8, 10),
        },
        ticks=12,
    ),
    Case("Sweeps", "sweeps", "sweep", {"levels": (2, 3, 4, 5, 6), "time": ("1ms", "100ms", "1s")}),
    Case(
        "Absorption",
        "absorption",
        "absorption",
        {
            "time": ("1s", "2s", "5s", "10s"),
            "deviations": (0.5, 1.0, 1.5, 2.0, 4.0),
            "over": ("30s", "60s", "300s"),
        },
    ),
    Case(
        "SpoofLike",
        "spoof_like",
        "spoofing",
        {
            "quantile": (0.9, 0.97, 0.99, 0.999),
            "near": (1, 2, 5, 10),
            "within": ("1s", "2s", "5s"),
            "multiple": (2.0, 3.0, 5.0, 8.0),
            "executed": (0.1, 0.5, 1.0),
            "by": ("orders", "levels"),
        },
    ),
    Case(
        "LayeringLike",
        "layering_like",
        "layering",
        {
            "levels": (2, 3, 4),
            "quantile": (0.9, 0.95, 0.99, 0.999),
            "near": (5, 10, 15),
            "within": ("2s", "5s", "10s"),
            "together": ("10ms", "100ms", "1s"),
            "multiple": (1.5, 2.0, 3.0, 5.0),
            "by": ("orders", "levels"),
        },
    ),
    Case(
        "Walls",
        "walls",
        "wall",
        {"multiple": (3.0, 5.0, 8.0, 12.0), "near": (5, 10, 20), "quantile": (0.9, 0.97, 0.99)},
        only=pl.col("evidence").struct.field("event") == "appeared",
    ),
)
"""Every detector for which something can be planted."""
