"""The bridge's books are the workbench's own books, however late they are folded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.book.levels import LevelBook
from workbench.book.orders import OrderBook
from workbench.bridge import books as books_module
from workbench.bridge.books import Books, stable_order
from workbench.bridge.levels import WINDOW_TICKS
from workbench.bridge.rows import Row, Rows
from workbench.events import EventBatch, EventKind, Flag

_prices = st.one_of(st.integers(-5, 5), st.sampled_from([-(2**31), 2**31 - 1, WINDOW_TICKS]))
_sides = st.sampled_from([1, -1])
_depths = st.tuples(st.just(1), _sides, _prices, st.integers(0, 3), st.just(0), st.just(0), st.just(0))
_ids = st.integers(-3, 8).filter(bool)
_news = st.tuples(st.just(3), _sides, _prices, st.integers(0, 4), _ids, st.just(0), st.just(0))
_replaces = st.tuples(st.just(4), st.just(0), _prices, st.integers(0, 4), _ids, st.just(0), st.just(0))
_cancels = st.tuples(st.just(5), st.just(0), st.just(0), st.just(0), _ids, st.just(0), st.just(0))
_clears = st.just((6, 0, 0, 0, 0, 0, 0))
_orders = st.one_of(_news, _news, _replaces, _cancels)
_rows = st.lists(st.lists(st.one_of(_depths, _orders, _orders, _clears), max_size=12), max_size=6)


def batch_of(rows: Rows) -> EventBatch:
    """Rows as events, for the books of the workbench."""
    times = np.zeros(rows.length, np.int64)
    return EventBatch((times, times, *rows), 0)


def pairs(columns: Sequence[np.ndarray]) -> list[tuple[int, ...]]:
    """Two columns as rows."""
    return list(zip(*(column.tolist() for column in columns)))


def levels_of(books: Books) -> list[list[tuple[int, ...]]]:
    """Levels of both sides, best first."""
    return [pairs(books.side(side)) for side in (1, -1)]


def orders_of(books: Books) -> list[tuple[int, ...]]:
    """Orders in queue order."""
    return list(zip(*(column.tolist() for column in books.orders())))


@given(_rows, st.sampled_from([1, 7, 10**6]))
def test_books_are_the_workbenchs_books(parts: list[list[Row]], fold_rows: int) -> None:
    """Levels, orders and their places in the queue, whenever they are folded."""
    levels, orders, books = LevelBook(), OrderBook(), Books()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(books_module, "FOLD_ROWS", fold_rows)
        for part in parts:
            batch = batch_of(Rows.of(part))
            levels.apply(batch)
            orders.apply(batch)
            books.add(Rows.of(part))
    assert levels_of(books) == [pairs(levels.levels(side)) for side in (1, -1)]
    for side in (1, -1):
        for price, _ in pairs(orders.levels(side)):
            mine = [(n, size) for n, s, p, size in orders_of(books) if (s, p) == (side, price)]
            assert mine == pairs(orders.orders_at(side, price))
    assert len(orders) == len(orders_of(books))
    assert books.has_orders == (len(orders) > 0)


@given(st.lists(st.lists(_orders, max_size=12), max_size=5))
def test_derived_levels_are_the_sums_of_the_orders(parts: list[list[Row]]) -> None:
    """After each row of an order, the levels say what the orders add up to; only changed levels are told."""
    books, told, orders = Books(), LevelBook(), OrderBook()
    told.apply(batch_of(books.derive_levels()))
    for part in parts:
        derived = books.derive(Rows.of(part))
        told.apply(batch_of(derived))
        orders.apply(batch_of(Rows.of(part)))
        assert derived.take(derived.kind != EventKind.DEPTH).kind.tolist() == [row[0] for row in part]
        for book in (orders, told):
            assert levels_of(books) == [pairs(book.levels(side)) for side in (1, -1)]


def test_a_moved_order_changes_two_levels() -> None:
    """The old level first, then the new one, right after the row."""
    books = Books()
    rows = [(3, 1, 10, 5, 1, 0, 0), (4, 0, 11, 7, 1, 0, 0), (4, 0, 11, 7, 1, 0, 0), (5, 0, 0, 0, 1, 0, 0)]
    derived = books.derive(Rows.of(rows))
    assert list(zip(derived.kind.tolist(), derived.price.tolist(), derived.size.tolist())) == [
        (3, 10, 5),
        (1, 10, 5),
        (4, 11, 7),
        (1, 10, 0),
        (1, 11, 7),
        (4, 11, 7),
        (5, 0, 0),
        (1, 11, 0),
    ]


def test_a_replace_of_equal_price_does_not_add_up() -> None:
    """The official package's book makes a level of 12 of an order that grows from 5 to 7."""
    books = Books()
    books.derive(Rows.of([(3, 1, 10, 5, 1, 0, 0), (4, 0, 10, 7, 1, 0, 0)]))
    assert levels_of(books) == [[(10, 7)], []]


def test_derived_snapshots_are_flagged_best_first() -> None:
    """The whole book, before anything changes."""
    books = Books()
    books.add(Rows.of([(3, 1, 10, 5, 1, 0, 0), (3, 1, 11, 1, 2, 0, 0), (3, -1, 12, 2, 3, 0, 0)]))
    rows = books.derive_levels()
    assert list(zip(rows.side.tolist(), rows.price.tolist(), rows.size.tolist())) == [
        (1, 11, 1),
        (1, 10, 5),
        (-1, 12, 2),
    ]
    assert set(rows.flags.tolist()) == {Flag.SNAPSHOT}


@given(
    st.lists(st.one_of(st.integers(-5, 5), st.integers(-(2**63), 2**63 - 1)), min_size=1, max_size=60),
)
def test_rows_of_an_order_stay_in_order(numbers: list[int]) -> None:
    """Whether the numbers are near each other or fill all 64 bits."""
    column = np.array(numbers, np.int64)
    for part in (column, column % 7):
        assert np.array_equal(stable_order(part), np.argsort(part, kind="stable"))
