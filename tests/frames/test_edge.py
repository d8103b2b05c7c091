"""The edge: integers become the doubles nearest to the exact decimals."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.events import SUBTICK_SHIFT, EventBatch, EventKind, Flag, Instrument
from workbench.frames.edge import depth_frame, gaps_frame, trades_frame

TICKS = ["0.1", "0.25", "0.01", "0.00000001", "5", "2.5", "0.05", "0.03125", "25"]


@given(st.integers(-(2**31), 2**31 - 1), st.integers(0, 2**53), st.integers(0, 999), st.sampled_from(TICKS))
def test_prices_and_sizes_are_the_nearest_doubles(ticks: int, lots: int, rest: int, tick: str) -> None:
    """Price, with its sub-tick part, and size equal the exact decimal rounded once."""
    instrument = Instrument("X", tick, "0.00000001")
    events = EventBatch.of(
        kind=EventKind.TRADE, price=[ticks], size=max(lots, 1), flags=rest << SUBTICK_SHIFT
    )
    row = trades_frame(events.to_polars().lazy(), instrument).collect().row(0, named=True)
    assert row["price"] == float((Decimal(ticks) + Decimal(rest) / 1000) * Decimal(tick))
    assert row["size"] == float(max(lots, 1) * Decimal("0.00000001"))


def frames() -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    events = EventBatch.of(
        5,
        ts=[1, 2, 3, 4, 5],
        ts_source=[0, 7, 0, 0, 0],
        kind=[EventKind.TRADE, EventKind.TRADE, EventKind.DEPTH, EventKind.TRADE, EventKind.GAP],
        side=[1, -1, -1, 0, 0],
        price=[10, 11, 12, 13, 0],
        size=[3, 4, 0, 0, 9],
        order_id=[1, 2, 3, 4, 0],
        aggressor_id=[9, 8, 7, 6, 0],
        flags=[Flag.HIDDEN | 500 << SUBTICK_SHIFT, Flag.EXEC_END, 0, Flag.EXEC_END, 0],
    )
    lazy, instrument = events.to_polars().lazy(), Instrument("X", "0.5", "2")
    return (
        trades_frame(lazy, instrument).collect(),
        depth_frame(lazy, instrument).collect(),
        gaps_frame(lazy).collect(),
    )


def test_trades_have_the_columns_of_the_contract() -> None:
    """Names, types and values of the trades frame; zero-size marks are no trades."""
    trades, _, _ = frames()
    assert dict(trades.schema) == {
        "ts": pl.Datetime("ns", "UTC"),
        "ts_source": pl.Datetime("ns", "UTC"),
        "sequence": pl.Int64(),
        "price": pl.Float64(),
        "size": pl.Float64(),
        "price_ticks": pl.Int32(),
        "size_lots": pl.Int64(),
        "aggressor": pl.Int8(),
        "hidden": pl.Boolean(),
        "order_id": pl.Int64(),
        "aggressor_id": pl.Int64(),
        "flags": pl.UInt16(),
    }
    assert trades["sequence"].to_list() == [5, 6]
    assert trades["price"].to_list() == [5.25, 5.5]
    assert trades["size"].to_list() == [6.0, 8.0]
    assert trades["aggressor"].to_list() == [1, -1]
    assert trades["hidden"].to_list() == [True, False]
    assert trades["ts_source"].to_physical().to_list() == [None, 7]
    assert trades["flags"].to_list() == [int(Flag.HIDDEN), int(Flag.EXEC_END)]


def test_depth_keeps_removed_levels_and_names_the_side() -> None:
    """A removed level is a row of size 0."""
    _, depth, gaps = frames()
    assert depth.select("sequence", "price", "size", "side").rows() == [(7, 6.0, 0.0, -1)]
    assert gaps.select("sequence", "lost").rows() == [(9, 9)]


@pytest.mark.parametrize("tick", TICKS)
def test_frames_agree_with_the_instrument(tick: str) -> None:
    """The frame's prices are bit for bit those of Instrument.prices."""
    instrument = Instrument("X", tick)
    ticks = np.random.default_rng(1).integers(-(2**31), 2**31 - 1, 500)
    events = EventBatch.of(kind=EventKind.DEPTH, side=1, price=ticks, size=1)
    found = depth_frame(events.to_polars().lazy(), instrument).collect()["price"].to_numpy()
    assert np.array_equal(found, instrument.prices(events.price))
