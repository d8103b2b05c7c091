"""Pulling and stacking as a frame: the identity at every level of every window."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.flow.test_pulling import markets
from tests.support.trades import COARSE, Trades
from workbench.events import EventBatch
from workbench.flow.stacking import pulling

Truth = list[tuple[int, int, int, int]]


@settings(max_examples=60)
@given(market=markets(), length=st.integers(2, 30))
def test_size_change_is_added_less_cancelled_less_traded(
    market: tuple[EventBatch, Truth], length: int
) -> None:
    """net is what was really added less what was cancelled, and the displayed size moved by net − traded."""
    batch, truth = market
    frame = pulling(Trades(batch, COARSE), f"{length}ns")
    placed: dict[tuple[int, int, int], int] = defaultdict(int)
    for ts, price, side, lots in truth:
        placed[-(-ts // length) * length, side, price] += lots
    assert (frame["change"] == frame["net"] - frame["traded"]).all()
    for ts, side, price, net in frame.select(frame["ts"].to_physical(), "side", "price", "net").iter_rows():
        assert placed.pop((ts, side, round(price / 0.25)), 0) == net
    # The first window holds the snapshot, the last one may not be over: neither has rows.
    last = (int(batch.ts[-1]) - 1) // length * length
    assert all(lots == 0 for (ts, *_), lots in placed.items() if length < ts <= last)
