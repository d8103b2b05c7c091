"""Recent trades at price: sums since the last pause, any chunking."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.books import chunks
from tests.support.trades import trade_streams
from workbench.errors import WorkbenchError
from workbench.events import EventBatch, EventKind, Flag
from workbench.flow.recent import LAST_SIZE, LOTS, PRINTS, RecentTrades, recent_trades

PAUSE = 3_000_000_000


def plain(batch: EventBatch, now: int) -> dict[tuple[int, int], int]:
    """The rule in plain Python: lots by (price, aggressor)."""
    lots: dict[tuple[int, int], int] = {}
    last: dict[tuple[int, int], int] = {}
    for ts, side, price, size, flags in zip(
        *(c.tolist() for c in (batch.ts, batch.side, batch.price, batch.size, batch.flags))
    ):
        if size <= 0 or not side or flags & Flag.OTC:
            continue
        key = price, side
        lots[key] = size + (lots[key] if key in last and ts - last[key] < PAUSE else 0)
        last[key] = ts
    return {key: value for key, value in lots.items() if now - last[key] < PAUSE}


@given(batch=trade_streams(), cuts=st.lists(st.integers(0, 90), max_size=5), later=st.integers(0, 2 * PAUSE))
def test_lots_add_up_until_a_pause(batch: EventBatch, cuts: list[int], later: int) -> None:
    """Both faces equal a dictionary, for any chunking and at any moment after the last print."""
    _, columns = batch.where(batch.kind == EventKind.TRADE)
    recent = RecentTrades(PAUSE)
    prints = [tuple(c[part.kind == EventKind.TRADE] for c in part.columns) for part in chunks(batch, cuts)]
    for piece in prints:
        recent.feed(piece)
    now = (int(batch.ts[-1]) if len(batch) else 0) + later
    low = int(batch.price.min()) if len(batch) else 0
    high = int(batch.price.max()) + 1 if len(batch) else 1
    found = np.stack([recent.between(low, high, side, now)[:, LOTS] for side in (1, -1)], axis=1)
    whole = EventBatch(columns)
    expected = np.zeros_like(found)
    for (price, side), lots in plain(whole, now).items():
        expected[price - low, 0 if side > 0 else 1] = lots
    assert found.tolist() == expected.tolist()
    assert recent_trades(tuple(columns), PAUSE, low, high, now).tolist() == expected.tolist()


def test_the_last_print_and_their_number_are_known() -> None:
    """Three prints, the last of 2; after the pause only their number stays."""
    recent = RecentTrades(10)
    recent.feed(EventBatch.of(ts=[1, 2, 3], kind=EventKind.TRADE, side=-1, price=7, size=[4, 1, 2]).columns)
    row = recent.between(7, 8, -1, 12)[0]
    assert (row[LOTS], row[LAST_SIZE], row[PRINTS]) == (7, 2, 3)
    assert recent.between(7, 8, -1, 13)[0].tolist() == [0, 0, 0, 3]


def test_a_pause_of_no_length_is_refused() -> None:
    """Pauses last longer than nothing."""
    with pytest.raises(WorkbenchError, match="above 0"):
        RecentTrades(0)
