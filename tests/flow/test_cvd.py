"""Cumulative volume delta: exact, streaming like batch."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.books import chunks
from tests.support.trades import COARSE, FINE, Trades, plain_prints, prints, trade_streams
from workbench.errors import WorkbenchError
from workbench.events import EventBatch
from workbench.flow.cvd import Cvd, cvd, size_bounds
from workbench.flow.prints import prints_of_batch


@given(batch=trade_streams(), cuts=st.lists(st.integers(0, 90), max_size=5))
def test_the_delta_is_the_running_sum_of_signed_sizes(batch: EventBatch, cuts: list[int]) -> None:
    """Value, lowest and highest equal a running sum from 0, and both faces give the same doubles."""
    streaming = Cvd(FINE)
    parts = [streaming.update(prints_of_batch(part)) for part in chunks(batch, cuts)]
    path = list(itertools.accumulate((s * side for _, _, s, side in plain_prints(batch)), initial=0))
    assert (streaming.lots, streaming.low_lots, streaming.high_lots) == (path[-1], min(path), max(path))
    frame = cvd(Trades(batch, FINE))
    assert np.concatenate([np.empty(0), *parts]).tobytes() == frame["cvd"].to_numpy().tobytes()
    assert frame["cvd"].to_list() == [float(FINE.size(lots)) for lots in path[1:]]


def test_trades_without_an_aggressor_change_nothing() -> None:
    """Buy 3, unknown 5, sell 1: 3, 3, 2."""
    batch = prints([100, 100, 100], [3, 5, 1], [1, 0, -1])
    assert cvd(Trades(batch, COARSE))["cvd"].to_list() == [3, 3, 2]
    streaming = Cvd(COARSE)
    streaming.apply(batch)
    assert streaming.lots == 2


@given(
    batch=trade_streams(),
    bounds=st.lists(st.integers(0, 1200), min_size=1, max_size=3, unique=True),
    side=st.sampled_from([0, 1, -1]),
)
def test_a_filter_counts_the_sizes_between_its_bounds_and_a_partition_loses_none(
    batch: EventBatch, bounds: list[int], side: int
) -> None:
    """Lower bound included, upper one not; what the parts of a partition count adds up to everything."""
    edges = [0, *sorted(set(bounds) - {0}), None]
    total = 0
    for lower, upper in itertools.pairwise(edges):
        streaming = Cvd(COARSE, sizes=(lower, upper), aggressor=side)
        streaming.apply(batch)
        inside = [
            (s, a)
            for _, _, s, a in plain_prints(batch)
            if lower <= s and (upper is None or s < upper) and a * side >= 0
        ]
        assert streaming.lots == sum(s * a for s, a in inside)
        total += streaming.lots
    everything = Cvd(COARSE, aggressor=side)
    everything.apply(batch)
    assert total == everything.lots


@given(batch=trade_streams(), cuts=st.lists(st.integers(0, 90), max_size=3))
def test_after_a_reset_the_delta_is_that_of_the_trades_since(batch: EventBatch, cuts: list[int]) -> None:
    """Each stretch between two resets is the delta of its own trades, whatever the filter."""
    moments = sorted({int(batch.ts[c % len(batch)]) for c in cuts}) if len(batch) else []
    found = cvd(Trades(batch, COARSE), resets=moments, sizes=(2, None))["cvd"].to_list()
    expected, delta, due = [], 0, list(moments)
    for ts, _, size, side in plain_prints(batch):
        while due and due[0] <= ts:
            due, delta = due[1:], 0
        delta += size * side if size >= 2 else 0
        expected.append(float(delta))
    assert found == expected


def test_an_infinite_bound_is_none() -> None:
    """Both ways of saying that there is no upper bound mean the same."""
    assert size_bounds((2, math.inf), COARSE) == size_bounds((2, None), COARSE)


@pytest.mark.parametrize("sizes", [(-1, None), (3, 3), (5, 2), (math.nan, None), (math.inf, None)])
def test_a_filter_that_lets_nothing_through_is_refused(sizes: tuple[float, float | None]) -> None:
    """The bounds rise from at least 0."""
    with pytest.raises(WorkbenchError, match="0 ≤ lower < upper"):
        Cvd(COARSE, sizes=sizes)
