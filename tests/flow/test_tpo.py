"""Time at price, composites and nodes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.books import chunks
from tests.support.trades import COARSE, FINE, Trades, prints, trade_streams
from workbench.errors import WorkbenchError
from workbench.events import EventBatch
from workbench.flow.composite import composite_profile, profile_nodes
from workbench.flow.profile import volume_profile
from workbench.flow.tpo import TpoBuilder, tpo


def test_letters_balance_and_area() -> None:
    """A trades 100–101, B 101–102, C 101, D nothing, E 104: most letters at 101, balance 100–102."""
    price, second = [100, 101, 101, 101, 102, 101, 104], [0, 0, 0, 1, 1, 2, 4]
    batch = prints(price, [1] * 7, ts=[s * 10**9 for s in second])
    found = tpo(Trades(batch, COARSE), "1s", value_area=0.6)
    assert found.frame.rows() == [(25.0, 1, "A"), (25.25, 3, "ABC"), (25.5, 1, "B"), (26.0, 1, "E")]
    assert (found.balance_low, found.balance_high) == (25.0, 25.5)
    # 3 of 6 letters at 101; equal sides: up first, 4 of 6 ≥ 60 %
    assert (found.poc, found.val, found.vah) == (25.25, 25.25, 25.5)


def test_no_trades_no_time() -> None:
    """Everything is None, and the frame is empty."""
    found = tpo(Trades(EventBatch.of(kind=1, side=1, size=1), COARSE))
    assert (found.poc, found.balance_low, len(found.frame)) == (None, None, 0)


@settings(max_examples=50)
@given(batch=trade_streams(), cuts=st.lists(st.integers(0, 90), max_size=5))
def test_letters_do_not_depend_on_chunks(batch: EventBatch, cuts: list[int]) -> None:
    """Streaming in any pieces gives what all at once gives."""
    stream = TpoBuilder(COARSE, "5s", 2)
    for part in chunks(batch, cuts):
        stream.apply(part)
    whole = tpo(Trades(batch, COARSE), "5s", row_ticks=2)
    assert stream.profile() == whole and stream.profile().frame.equals(whole.frame)


@settings(max_examples=50)
@given(batch=trade_streams(), cut=st.integers(0, 80))
def test_a_composite_is_the_profile_of_all(batch: EventBatch, cut: int) -> None:
    """Two halves of a session add up to the session."""
    parts = [Trades(batch[:cut], COARSE), Trades(batch[cut:], COARSE)]
    whole = volume_profile(Trades(batch, COARSE))
    found = composite_profile(parts)
    assert found == whole and found.frame.equals(whole.frame)


def test_composites_need_one_grid() -> None:
    """Sessions of different ticks, and no session at all, are refused."""
    batch = prints([1], [1], ts=[1])
    with pytest.raises(WorkbenchError, match="grid of the first"):
        composite_profile([Trades(batch, COARSE), Trades(batch, FINE)])
    with pytest.raises(WorkbenchError, match="at least one"):
        composite_profile([])


def test_nodes_have_prices() -> None:
    """Two humps at 103 and 111 with the valley at 107, ticks of 0.25."""
    lots = [1, 4, 9, 20, 9, 4, 2, 1, 2, 4, 9, 20, 9, 4, 1]
    batch = prints(list(range(100, 115)), lots, ts=range(15))
    found = profile_nodes(Trades(batch, COARSE))
    assert found.rows() == [(25.75, "high", 20.0), (26.75, "low", 1.0), (27.75, "high", 20.0)]
