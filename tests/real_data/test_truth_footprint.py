"""Footprints of real recordings against a plain program's minute bars, profiles and delta."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

from tests.support.truth import Case
from workbench.flow.footprint import footprint

SETS = ("usdm", "spot", "esh4")


@pytest.fixture(scope="session", params=SETS)
def case(request: pytest.FixtureRequest) -> Case:
    """Recordings whose truth has bars of all prints."""
    found: Case = request.getfixturevalue(request.param)
    return found


def decimal(value: float) -> Decimal:
    """Exact decimal of the shortest spelling of a float."""
    return Decimal(repr(value))


def test_minute_bars_are_those_of_the_truth(case: Case) -> None:
    """Open, high, low, close, prints and volume by aggressor of each minute, the latter summed from its cells."""
    step = case.recording.instrument.lot_size
    cells = footprint(case.recording, "60s").with_columns(
        (pl.col(name) / float(step)).round().cast(pl.Int64).alias(f"{name}_lots")
        for name in ("bid", "ask", "unknown")
    )
    found = cells.group_by("bar", maintain_order=True).agg(
        pl.col("ts", "open", "high", "low", "close", "trades").first(),
        pl.col("ask_lots", "bid_lots", "unknown_lots").sum(),
    )
    shown = [
        [
            int(ts.timestamp()) * 10**9,
            *(decimal(v) for v in prices),
            *(lots * step for lots in volumes),
            trades,
        ]
        for _, ts, *prices, trades, bought, sold, unknown in found.iter_rows()
        for volumes in [(bought, sold, unknown)]
    ]
    expected = [
        [row[0] + case.midnight, *(Decimal(v) for v in row[1:8]), row[8]]
        for row in case.truth["trades"]["bars_60s"]
    ]
    assert shown == expected


def test_one_bar_of_everything_is_the_profile(case: Case) -> None:
    """At every row size of the truth: as many rows, the point of control and its volume, and the delta's extremes."""
    truth = case.truth["trades"]
    for size, expected in truth["profile"].items():
        ticks = int(Decimal(size) / case.recording.instrument.tick_size)
        frame = footprint(case.recording, "1000000000 trades", ticks)
        last = frame.row(-1, named=True)
        assert len(frame) == expected["rows_traded"]
        assert last["poc"] == float(expected["poc"])
        assert frame.filter("is_poc")["volume"].item() == float(expected["poc_volume"])
        found = [decimal(last[name]) for name in ("cvd", "min_delta", "max_delta")]
        assert found == [Decimal(truth[name]) for name in ("cvd_end", "cvd_min", "cvd_max")]
