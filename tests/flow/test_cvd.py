"""Cumulative volume delta: exact, streaming like batch."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.support.books import chunks
from tests.support.trades import COARSE, FINE, Trades, plain_prints, prints, trade_streams
from workbench.events import EventBatch
from workbench.flow.cvd import Cvd, cvd
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
