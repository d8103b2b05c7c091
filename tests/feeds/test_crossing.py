"""Books that stay crossed are asked for anew, patiently."""

from __future__ import annotations

import itertools

from workbench.events import EventBatch, EventKind, Instrument
from workbench.feeds.crossing import CROSSED_NS, MAX_WAIT_NS, CrossedBooks
from workbench.feeds.market import Market

MS = 1_000_000


def market() -> Market:
    opened = Market(Instrument("X", "0.1"), 1)
    kind = [EventKind.CLEAR, EventKind.DEPTH, EventKind.DEPTH, EventKind.SNAPSHOT_END]
    opened.publish(EventBatch.of(ts=1, kind=kind, side=[0, 1, -1, 0], price=[0, 10, 11, 0], size=1), 0)
    return opened


def bid(opened: Market, price: int, size: int) -> None:
    row = EventBatch.of(opened.next_sequence, ts=2, kind=EventKind.DEPTH, side=1, price=price, size=size)
    opened.publish(row, 0)


def test_half_a_second_crossed_asks_for_the_book() -> None:
    """Not sooner; and not at all when it heals by itself."""
    opened = market()
    crossed = CrossedBooks({"X": opened})
    assert crossed.look(0) == []
    bid(opened, 12, 1)
    assert crossed.look(100 * MS) == []
    assert crossed.texts == {"X": "crossed 1.2≥1.1, stale"}
    bid(opened, 12, 0)
    assert crossed.look(300 * MS) == []
    assert crossed.texts == {}
    bid(opened, 12, 1)
    assert crossed.look(400 * MS) == crossed.look(899 * MS) == []
    assert crossed.look(900 * MS) == ["X"]


def test_a_book_that_stays_crossed_is_asked_for_ever_more_rarely() -> None:
    """A venue before its opening is not flooded: each wait is twice the one before, at most a minute."""
    opened = market()
    bid(opened, 12, 1)
    crossed = CrossedBooks({"X": opened})
    asked = [now for now in range(0, 600_000 * MS, 100 * MS) if crossed.look(now)]
    waits = [after - before for before, after in itertools.pairwise(asked)]
    assert asked[0] == CROSSED_NS
    assert waits[:3] == [2 * CROSSED_NS, 4 * CROSSED_NS, 8 * CROSSED_NS]
    assert max(waits) == waits[-1] == MAX_WAIT_NS


def test_a_book_that_is_not_known_is_not_crossed() -> None:
    """Inside a gap a new book is on its way already."""
    opened = market()
    bid(opened, 12, 1)
    opened.publish(EventBatch.of(opened.next_sequence, ts=2, kind=EventKind.GAP, size=-1), 0)
    assert CrossedBooks({"X": opened}).look(0) == []
    assert CrossedBooks({"X": opened}).texts == {}
