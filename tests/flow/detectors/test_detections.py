"""Findings of detectors: joined, and as frames."""

from __future__ import annotations

import numpy as np
import polars as pl

from workbench.events import Instrument
from workbench.flow.detectors.detections import Detections, frame, joined, nothing

FIELDS = {"size_lots": np.int64, "share": np.float64}


def some(ts: int, price: int) -> Detections:
    evidence = {"size_lots": np.array([7]), "share": np.array([0.5])}
    return Detections(
        np.array([ts]), np.array([3]), np.array([price]), np.array([1], np.int8), np.array([2.0]), evidence
    )


def test_a_frame_shows_real_prices_and_typed_evidence() -> None:
    """Thousandths of a tick become prices, and evidence a struct that begins with the sequence number."""
    found = frame(some(5, 4_000_500), Instrument("X", "0.25"))  # 4000.5 ticks of 0.25
    assert found["price"].to_list() == [1000.125]
    assert found["evidence"].to_list() == [{"sequence": 3, "size_lots": 7, "share": 0.5}]
    assert found.schema["ts"] == pl.Datetime("ns", "UTC")


def test_nothing_has_the_same_schema_as_something() -> None:
    """An empty result can be concatenated with a full one."""
    instrument = Instrument("X", "0.25")
    assert frame(nothing(FIELDS), instrument).schema == frame(some(1, 2), instrument).schema


def test_joining_keeps_order() -> None:
    """Parts follow each other; empty parts vanish."""
    together = joined([some(1, 10), nothing(FIELDS), some(2, 20)])
    assert together.ts.tolist() == [1, 2]
    assert together.price.tolist() == [10, 20]
    assert together.evidence["size_lots"].dtype == np.int64
