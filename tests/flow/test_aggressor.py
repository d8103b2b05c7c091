"""Prints of one aggressor are one order, in any chunks, whatever comes after."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.support.books import chunks
from workbench.events import EventBatch, EventKind, Flag
from workbench.flow.aggressor import NO_ORDER, AggressorOrders, aggressor_orders

START, END = int(Flag.EXEC_START), int(Flag.EXEC_END)


def plain_orders(batch: EventBatch) -> list[int]:
    """The rule, told print by print."""
    numbers, number = [], -1
    before, is_open, closed = None, False, True
    columns = (batch.ts, batch.ts_source, batch.side, batch.size, batch.aggressor_id, batch.flags)
    for ts, source, side, size, name, flags in zip(*(c.tolist() for c in columns)):
        starts = bool(flags & START)
        if size:
            new = before is None or closed or starts or before[1] != side
            if not new and name and before[2]:
                new = name != before[2]
            elif not new:
                new = not is_open and before[0] != ts and (source == 0 or source != before[3])
            number += new
            before, closed = (ts, side, name, source), False
        numbers.append(number if size else NO_ORDER)
        closed = closed or (starts and not size)
        is_open = is_open or starts
        if flags & END:
            is_open, closed = False, True
    return numbers


@st.composite
def marked_streams(draw: st.DrawFn) -> EventBatch:
    """Trades with few times, sides, names, and marks."""
    rows = draw(st.integers(0, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    flags = rng.choice([0, START, END, START | END], rows, p=[0.6, 0.15, 0.15, 0.1])
    return EventBatch.of(
        ts=rng.integers(0, 2, rows).cumsum(),
        ts_source=rng.choice([0, 5, 6], rows),
        kind=EventKind.TRADE,
        side=rng.choice([1, -1, 0], rows, p=[0.6, 0.3, 0.1]),
        size=rng.integers(0, 4, rows),
        aggressor_id=rng.choice([0, 7, 8], rows),
        price=100,
        flags=flags,
    )


@given(batch=marked_streams(), cuts=st.lists(st.integers(0, 60), max_size=5))
def test_orders_follow_the_rule_in_any_chunks(batch: EventBatch, cuts: list[int]) -> None:
    """Streaming in any chunks, the batch face and the rule in plain Python agree."""
    streaming = AggressorOrders()
    parts = [streaming.update(part) for part in chunks(batch, cuts)]
    found = np.concatenate([np.empty(0, np.int64), *parts]).tolist()
    assert found == plain_orders(batch) == aggressor_orders(batch).tolist()
    assert streaming.count == max(found, default=-1) + 1


@given(batch=marked_streams(), stop=st.integers(0, 60))
def test_the_future_changes_no_number(batch: EventBatch, stop: int) -> None:
    """Numbers of the first rows are the same when the rest never comes."""
    part = EventBatch.trusted(tuple(c[:stop] for c in batch.columns), 0)
    assert aggressor_orders(part).tolist() == aggressor_orders(batch)[:stop].tolist()


def test_the_venues_clock_joins_what_came_one_by_one() -> None:
    """Four prints with times of our own: two of one venue time are one order; without a venue's time nothing joins them."""
    prints = {"ts": [1, 2, 3, 4], "kind": EventKind.TRADE, "side": 1, "size": 1, "price": 100}
    assert aggressor_orders(EventBatch.of(**prints, ts_source=[9, 9, 10, 0])).tolist() == [0, 0, 1, 2]
    assert aggressor_orders(EventBatch.of(**prints)).tolist() == [0, 1, 2, 3]
