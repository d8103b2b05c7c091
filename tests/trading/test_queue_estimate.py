"""The risk-averse estimate of queue positions against its definition."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.support.books import chunks
from workbench.events import SUBTICK_SHIFT, EventBatch, EventKind, Flag
from workbench.trading.queue_estimate import QueueEstimate

happenings = st.lists(
    st.tuples(
        st.sampled_from([EventKind.DEPTH, EventKind.TRADE]),
        st.sampled_from([1, -1]),
        st.integers(99, 101),
        st.integers(0, 30),
    ),
    max_size=40,
)


@given(rows=happenings, displayed=st.integers(0, 40), cuts=st.lists(st.integers(0, 40), max_size=4))
def test_the_front_shrinks_by_trades_and_is_never_more_than_the_level(
    rows: list[tuple[int, int, int, int]], displayed: int, cuts: list[int]
) -> None:
    """front −= traded; front = min(front, new size); for a bid and an ask at once, in any chunks."""
    queue = QueueEstimate()
    queue.enter("bid", side=1, price=100, displayed=displayed)
    queue.enter("ask", side=-1, price=101, displayed=displayed)
    kind, side, price, size = (list(column) for column in zip(*rows)) if rows else ([], [], [], [])
    batch = EventBatch.of(ts=0, kind=kind, side=side, price=price, size=size)
    for part in chunks(batch, cuts):
        queue.feed(part.columns)
    for name, own_side, own_price in (("bid", 1, 100), ("ask", -1, 101)):
        front = displayed
        for what, whose, where, lots in rows:
            if where == own_price and what == EventKind.TRADE and whose == -own_side:
                front = max(front - lots, 0)
            elif where == own_price and what == EventKind.DEPTH and whose == own_side:
                front = min(front, lots)
        assert queue.front(name) == front


def test_the_worked_example() -> None:
    """Behind 40: a trade of 12 leaves 28, a level of 20 leaves 20, a larger level changes nothing."""
    queue = QueueEstimate()
    queue.enter("a", side=1, price=100, displayed=40)
    kind = [EventKind.TRADE, EventKind.DEPTH, EventKind.DEPTH]
    batch = EventBatch.of(kind=kind, side=[-1, 1, 1], price=100, size=[12, 20, 90])
    fronts = []
    for part in chunks(batch, [1, 2]):
        queue.feed(part.columns)
        fronts.append(queue.front("a"))
    assert fronts == [28, 20, 20]


def test_executions_outside_the_displayed_queue_move_nobody() -> None:
    """Hidden, off-book and midpoint prints do not come from the front."""
    queue = QueueEstimate()
    queue.enter("a", side=-1, price=100, displayed=40)
    flags = [Flag.HIDDEN, Flag.OTC, 500 << SUBTICK_SHIFT]
    queue.feed(EventBatch.of(kind=EventKind.TRADE, side=1, price=100, size=5, flags=flags).columns)
    assert queue.front("a") == 40


def test_an_order_that_moves_stands_at_the_end_of_another_level() -> None:
    """Entering again replaces the place; leaving forgets it, also one that is not known."""
    queue = QueueEstimate()
    queue.enter("a", side=1, price=100, displayed=40)
    queue.enter("b", side=1, price=100, displayed=41)
    queue.enter("a", side=1, price=99, displayed=7)
    assert (queue.place("a"), queue.front("a"), queue.front("b")) == ((1, 99), 7, 41)
    queue.leave("a")
    queue.leave("a")
    assert queue.names == ("b",) and "a" not in queue
