"""The by-order book against a plain list of orders."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.support.books import ListBook, chunks, order_streams
from workbench.book.orders import OrderBook, QueuePosition, RestingOrder
from workbench.events import EventBatch, EventKind

CUTS = st.lists(st.integers(0, 300), max_size=6)


def _pair(batch: EventBatch, cuts: list[int] | None = None) -> tuple[OrderBook, ListBook]:
    book, oracle = OrderBook(), ListBook()
    for part in chunks(batch, cuts or []):
        book.apply(part)
    for row in zip(*(c.tolist() for c in batch.columns[2:7])):
        oracle.row(*row)
    return book, oracle


def _orders(*rows: tuple[int, int, int, int], kind: EventKind = EventKind.MBO_NEW) -> EventBatch:
    order_id, side, price, size = zip(*rows)
    return EventBatch.of(kind=kind, side=side, price=price, size=size, order_id=order_id)


@given(batch=order_streams(), cuts=CUTS)
def test_levels_are_the_sums_of_the_orders(batch: EventBatch, cuts: list[int]) -> None:
    """Prices, volumes and counters of both sides equal those of the list, in any chunking."""
    book, oracle = _pair(batch, cuts)
    for side in (1, -1):
        prices, sizes = book.levels(side)
        assert list(zip(prices.tolist(), sizes.tolist())) == oracle.levels(side)
        assert book.level_count(side) == len(prices)
        for price, size in oracle.levels(side):
            assert book.size_at(side, price) == size
            assert book.order_count(side, price) == len(oracle.queue(side, price))
    assert (book.unknown, book.rejected, len(book)) == (oracle.unknown, oracle.rejected, len(oracle.orders))


@given(batch=order_streams(), cuts=CUTS)
def test_queue_positions_are_those_of_the_list(batch: EventBatch, cuts: list[int]) -> None:
    """Every order has before and behind it what the list has."""
    book, oracle = _pair(batch, cuts)
    for order_id, side, price, size in oracle.orders:
        queue = oracle.queue(side, price)
        rank = [o[0] for o in queue].index(order_id)
        before, behind = (sum(o[3] for o in part) for part in (queue[:rank], queue[rank + 1 :]))
        expected = QueuePosition(before, rank, behind, before + size + behind)
        assert book.queue_position(order_id) == expected
        assert book.order(order_id) == RestingOrder(order_id, side, price, size)
        assert order_id in book
        ids, sizes = book.orders_at(side, price)
        assert list(zip(ids.tolist(), sizes.tolist())) == [(o[0], o[3]) for o in queue]


@given(batch=order_streams(), more=order_streams())
def test_a_snapshot_rebuilds_orders_and_priorities(batch: EventBatch, more: EventBatch) -> None:
    """A book made from a snapshot has the same checksum, and so has a copy; both go on like the original."""
    book, _ = _pair(batch)
    twin, copy = OrderBook(), book.copy()
    twin.apply(book.snapshot(ts=1, sequence=0))
    assert twin.valid
    assert book.checksum() == twin.checksum() == copy.checksum()
    for one in (book, twin, copy):
        one.apply(more)
    assert book.checksum() == twin.checksum() == copy.checksum()


def test_thousands_of_orders_find_room() -> None:
    """Tables grow by themselves, and freed rows are used again."""
    book, ids = OrderBook(), np.arange(1, 5001)
    for _ in range(3):
        book.apply(EventBatch.of(kind=EventKind.MBO_NEW, side=1, price=ids, size=2, order_id=ids))
        assert (len(book), book.best_bid, book.volume(1)) == (5000, 5000, 10_000)
        book.apply(EventBatch.of(kind=EventKind.MBO_CANCEL, order_id=ids))
        assert len(book) == 0
    assert len(book._orders) == 8192


def test_shrinking_keeps_the_place_and_growing_loses_it() -> None:
    """Of 11, 12, 13: 12 shrinks and stays second, 11 grows and goes last."""
    book = OrderBook()
    book.apply(_orders((11, 1, 100, 5), (12, 1, 100, 5), (13, 1, 100, 5)))
    book.apply(_orders((12, 0, 100, 2), (11, 0, 100, 6), kind=EventKind.MBO_REPLACE))
    assert book.orders_at(1, 100).order_ids.tolist() == [12, 13, 11]
    assert book.queue_position(11) == QueuePosition(7, 2, 0, 13)


def test_a_move_is_a_pull_and_a_stack() -> None:
    """An order that moves leaves its level and joins the end of the other."""
    book = OrderBook()
    book.apply(_orders((1, -1, 101, 5), (2, -1, 102, 4)))
    book.apply(_orders((1, 0, 102, 5), kind=EventKind.MBO_REPLACE))
    assert (book.best_ask, book.size_at(-1, 101), book.size_at(-1, 102)) == (102, 0, 9)
    assert book.orders_at(-1, 102).order_ids.tolist() == [2, 1]


def test_a_replace_of_an_unknown_order_enters_it_if_it_has_a_side() -> None:
    """With a side it is an order, without it is counted; a cancel of nothing is counted too."""
    book = OrderBook()
    book.apply(_orders((1, 1, 100, 5), (2, 0, 100, 5), kind=EventKind.MBO_REPLACE))
    book.apply(_orders((3, 0, 100, 0), kind=EventKind.MBO_CANCEL))
    assert (len(book), book.unknown, book.queue_position(2)) == (1, 2, None)


def test_trades_change_nothing() -> None:
    """A print against an order leaves it as it is: the venue changes it in a row of its own."""
    book = OrderBook()
    book.apply(_orders((1, 1, 100, 5)))
    before = book.checksum()
    book.apply(_orders((1, -1, 100, 5), kind=EventKind.TRADE))
    assert book.checksum() == before


def test_a_gap_makes_the_book_not_valid_until_the_next_snapshot() -> None:
    """After a GAP a SNAPSHOT_END alone does not heal, CLEAR and SNAPSHOT_END do; clear() forgets all."""
    book = OrderBook()
    book.apply(_orders((1, 1, 100, 5)))
    book.apply(EventBatch.of(kind=[EventKind.SNAPSHOT_END, EventKind.GAP], size=-1))
    book.apply(EventBatch.of(kind=[EventKind.SNAPSHOT_END]))
    assert not book.valid
    book.apply(EventBatch.of(kind=[EventKind.CLEAR, EventKind.SNAPSHOT_END]))
    assert (book.valid, len(book)) == (True, 0)
    book.clear()
    assert repr(book) == "OrderBook(no bid, no ask, 0 + 0 levels, 0 orders, not valid)"
