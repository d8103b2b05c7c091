"""How profiles develop, which points of control stay naked, and where nodes are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.books import chunks
from tests.support.trades import COARSE, FINE, Trades, plain_prints, prints, trade_streams
from workbench.errors import WorkbenchError
from workbench.events import EventBatch, Instrument
from workbench.flow.bars import interval_ns
from workbench.flow.developing import (
    DevelopingProfile,
    NakedPocs,
    developing_profile,
    naked_pocs,
    volume_nodes,
)
from workbench.flow.profile import volume_profile

POINTS = Instrument("X", 1)
SECOND = 1_000_000_000
METHODS = ["two_row", "one_row", "traded_only"]


@given(
    batch=trade_streams(),
    interval=st.sampled_from(["1s", "7s", "1m"]),
    method=st.sampled_from(METHODS),
    row_ticks=st.sampled_from([1, 3]),
)
def test_each_moment_is_the_profile_of_the_trades_before_it(
    batch: EventBatch, interval: str, method: Any, row_ticks: int
) -> None:
    """The row at t equals volume_profile of the trades stamped before t; the last row equals that of all."""
    source = Trades(batch, FINE)
    frame = developing_profile(source, interval, 0.6, method, row_ticks)
    step = interval_ns(interval)
    ends = sorted({(ts // step + 1) * step for ts, *_ in plain_prints(batch)})
    assert frame["ts"].to_physical().to_list() == ends
    for end, row in zip(ends, frame.iter_rows(named=True), strict=True):
        past = batch[: int(np.searchsorted(batch.ts, end))]
        profile = volume_profile(Trades(past, FINE), 0.6, method, row_ticks)
        assert (row["poc"], row["vah"], row["val"]) == (profile.poc, profile.vah, profile.val)


@given(
    batch=trade_streams(),
    cuts=st.lists(st.integers(0, 90), max_size=5),
    interval=st.sampled_from(["1s", "7s"]),
)
def test_any_chunks_develop_alike(batch: EventBatch, cuts: list[int], interval: str) -> None:
    """Points do not depend on where batches end."""
    whole, parts = DevelopingProfile(COARSE, interval), DevelopingProfile(COARSE, interval)
    whole.apply(batch)
    for piece in chunks(batch, cuts):
        parts.apply(piece)
    assert parts.now == whole.now
    assert parts.points == whole.points


def test_a_clock_that_was_set_back_reopens_no_interval() -> None:
    """A print stamped 0.5 s after one at 1.5 s belongs to the second interval."""
    batch = prints([10, 11, 12], [1, 1, 5], ts=[SECOND // 2, 3 * SECOND // 2, SECOND // 2])
    frame = developing_profile(Trades(batch, POINTS), "1s")
    assert frame["ts"].to_physical().to_list() == [SECOND, 2 * SECOND]
    assert frame["poc"].to_list() == [10, 12]


def plain_naked(batch: EventBatch, period_ns: int, row_ticks: int) -> list[tuple[int, int]]:
    """(start of the period, row) of every point of control that no later print touches."""
    periods: dict[int, list[tuple[int, int]]] = {}
    for ts, price, size, _ in plain_prints(batch):
        periods.setdefault(ts // period_ns, []).append((price // (1000 * row_ticks), size))
    found = []
    for number, period in list(periods.items())[:-1]:
        volumes: dict[int, int] = {}
        for row, size in period:
            volumes[row] = volumes.get(row, 0) + size
        poc = min(row for row, lots in volumes.items() if lots == max(volumes.values()))
        later = {row for other, rows in periods.items() if other > number for row, _ in rows}
        if poc not in later:
            found.append((number * period_ns, poc))
    return found


@given(
    batch=trade_streams(),
    cuts=st.lists(st.integers(0, 90), max_size=5),
    period=st.sampled_from(["1s", "5s", "30s"]),
    row_ticks=st.sampled_from([1, 4]),
)
def test_naked_points_of_control_have_not_traded_since(
    batch: EventBatch, cuts: list[int], period: str, row_ticks: int
) -> None:
    """They are those that a search through all later trades finds, in any chunks."""
    expected = plain_naked(batch, interval_ns(period), row_ticks)
    frame = naked_pocs(Trades(batch, FINE), period, row_ticks)
    assert frame["ts"].to_physical().to_list() == [start for start, _ in expected]
    assert frame["price"].to_list() == [float(FINE.price(row * row_ticks)) for _, row in expected]
    stream = NakedPocs(FINE, period, row_ticks)
    for piece in chunks(batch, cuts):
        stream.apply(piece)
    assert [(start, row) for row, start in stream.naked.items()] == expected


def test_a_point_of_control_is_naked_until_it_trades() -> None:
    """POC 10 of the first second is touched in the third; POC 12 of the second is not."""
    rows = [(0, 10, 5), (1, 12, 5), (2, 10, 1)]
    batch = prints([p for _, p, _ in rows], [s for *_, s in rows], ts=[t * SECOND for t, *_ in rows])
    assert naked_pocs(Trades(batch[:2], POINTS), "1s")["price"].to_list() == [10]
    assert naked_pocs(Trades(batch, POINTS), "1s")["price"].to_list() == [12]


def test_nodes_are_hills_and_valleys_of_the_smoothed_volume() -> None:
    """Two hills of 40 with a valley between them: the hills are high nodes, the valley's middle is a low one."""
    lots = np.array([0, 5, 20, 40, 20, 5, 2, 1, 2, 5, 20, 40, 20, 5, 0])
    assert volume_nodes(lots) == ([3, 11], [7])


def test_a_flat_profile_has_no_nodes() -> None:
    """Equal rows are neither hills nor valleys; nor has a profile of few rows any."""
    assert volume_nodes(np.full(40, 7)) == ([], [])
    assert volume_nodes(np.array([1, 9, 1])) == ([], [])


def test_a_period_that_is_no_time_is_refused() -> None:
    """An interval is a number and a unit."""
    with pytest.raises(WorkbenchError, match="like '100ms'"):
        naked_pocs(Trades(prints([1], [1]), POINTS), "session")
