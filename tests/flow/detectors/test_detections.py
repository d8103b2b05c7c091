"""Findings of detectors: joined, and as frames."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from workbench.errors import WorkbenchError
from workbench.events import Instrument
from workbench.flow.detectors.detections import Detections, evidence, frame, joined, nothing

FIELDS = {"size_lots": np.int64, "share": np.float64}


def some(ts: int, price: int) -> Detections:
    grounds = {"size_lots": np.array([7]), "share": np.array([0.5])}
    return Detections(
        np.array([ts]), np.array([3]), np.array([price]), np.array([1], np.int8), np.array([2.0]), grounds
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


def test_evidence_as_columns_speaks_real_units() -> None:
    """Lots become sizes, thousandths a price, `_ts` a time, and a name that is taken is told apart; the rest stays."""
    fields = {
        "size_lots": 7, "peak_lots": 30, "extreme_thousandths": 4_000_500, "since_ts": 5, "gone_ts": 0, "side": -1,
        "after_ns": 9,
    }  # fmt: skip
    detections = some(5, 4_000_500)._replace(evidence={k: np.array([v]) for k, v in fields.items()})
    instrument = Instrument("X", "0.25", "0.001")
    [row] = evidence(frame(detections, instrument), instrument).to_dicts()
    moment = row.pop("since_ts")
    assert (moment.year, moment.microsecond) == (1970, 0)
    assert row.pop("ts") == moment
    assert row == {
        "price": 1000.125, "side": 1, "score": 2.0, "sequence": 3, "size": 0.007, "peak_size": 0.03,
        "extreme_price": 1000.125, "gone_ts": None, "evidence_side": -1, "after_ns": 9,
    }  # fmt: skip


def test_a_frame_without_evidence_is_refused() -> None:
    """With its columns, and what was expected."""
    with pytest.raises(WorkbenchError, match="evidence"):
        evidence(pl.DataFrame({"ts": [1]}), Instrument("X", "0.25"))
