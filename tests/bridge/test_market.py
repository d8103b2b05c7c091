"""A stream says where its book begins, where it holds, and has levels even where only orders are sent."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workbench.book.levels import LevelBook
from workbench.book.orders import OrderBook
from workbench.bridge.market import LONGEST_SNAPSHOT_NS, QUIET_NS, Market
from workbench.bridge.rows import Row, Rows
from workbench.events import EventBatch, EventKind, Flag, Instrument, Status

INSTRUMENT = Instrument("ES", Decimal("0.25"))
CLOCK: Row = (8, 0, 0, 0, 0, 0, 0)
PRINT: Row = (2, 1, 10, 1, 0, 0, 0)
END = int(EventKind.SNAPSHOT_END)


def depth(side: int, price: int, size: int) -> Row:
    """New size at a level."""
    return (1, side, price, size, 0, 0, 0)


def new(side: int, price: int, size: int, number: int) -> Row:
    """An order that enters."""
    return (3, side, price, size, number, 0, 0)


def cancel(number: int) -> Row:
    """An order that leaves."""
    return (5, 0, 0, 0, number, 0, 0)


def attached() -> Market:
    """A market that was just attached."""
    market = Market(INSTRUMENT)
    market.attach(INSTRUMENT, 1)
    return market


def taken(market: Market, *rows: Row, mono_ns: int = 0) -> list[tuple[int, int, int, bool]]:
    """Kind, price, size of what comes of some rows, and whether it is part of a snapshot."""
    batch = market.take(Rows.of(rows), 2, mono_ns)
    flags = (batch.flags & int(Flag.SNAPSHOT)).astype(bool)
    return list(zip(*(column.tolist() for column in (batch.kind, batch.price, batch.size, flags))))


def test_attaching_begins_with_a_clear() -> None:
    """Whatever was known is not known any more."""
    market = Market(INSTRUMENT)
    batch = market.attach(INSTRUMENT, 5)
    assert (batch.kind.tolist(), batch.ts.tolist(), batch.first_sequence) == ([EventKind.CLEAR], [5], 0)
    assert not market.book_state().valid


def test_the_first_interval_after_the_first_level_ends_the_snapshot() -> None:
    """Intervals before it say nothing, prints are never part of it."""
    market = attached()
    assert taken(market, CLOCK, PRINT) == [(8, 0, 1, False), (2, 10, 1, False)]
    assert taken(market, depth(1, 10, 5), PRINT, depth(-1, 11, 6), CLOCK, depth(1, 10, 4)) == [
        (1, 10, 5, True),
        (2, 10, 1, False),
        (1, 11, 6, True),
        (END, 0, 0, False),
        (8, 0, 2, False),
        (1, 10, 4, False),
    ]
    state = market.book_state()
    assert state.valid
    assert (state.bids[0].tolist(), state.bids[1].tolist()) == ([10], [4])


def test_quiet_ends_the_snapshot_too() -> None:
    """A tenth of a second after the last level, not earlier."""
    market = attached()
    assert market.deadline() is None
    taken(market, depth(1, 10, 5), mono_ns=7)
    taken(market, depth(1, 9, 5), mono_ns=50)
    assert market.deadline() == 50 + QUIET_NS
    assert market.on_time(3, 49 + QUIET_NS) is None
    batch = market.on_time(3, 50 + QUIET_NS)
    assert batch is not None
    assert batch.kind.tolist() == [END]
    assert market.deadline() is None
    assert market.on_time(3, 51 + QUIET_NS) is None


def test_a_market_that_is_never_quiet_gets_its_book_all_the_same() -> None:
    """Also where no interval comes."""
    market = attached()
    for mono_ns in range(0, LONGEST_SNAPSHOT_NS, QUIET_NS // 2):
        taken(market, depth(1, 10, 5), mono_ns=mono_ns)
    assert market.deadline() == LONGEST_SNAPSHOT_NS


def test_without_a_book_nothing_ends() -> None:
    """A feed of prints only has no snapshot."""
    market = attached()
    assert taken(market, PRINT, CLOCK, PRINT, CLOCK)[-1] == (8, 0, 2, False)
    assert market.deadline() is None
    assert not market.book_state().valid


def test_intervals_are_numbered_from_the_attach_on() -> None:
    """The number of tenths of a second of data time."""
    market = attached()
    assert [row[2] for row in taken(market, CLOCK, PRINT, CLOCK) if row[0] == 8] == [1, 2]
    assert market.interval == 2
    market.attach(INSTRUMENT, 3)
    assert [row[2] for row in taken(market, CLOCK)] == [1]


def test_levels_are_made_of_orders_where_none_are_sent() -> None:
    """At the end of the snapshot the whole book, then each changed level right after its order."""
    market = attached()
    rows = taken(market, new(1, 10, 5, 1), new(1, 10, 2, 2), new(-1, 12, 1, 3), CLOCK, cancel(1))
    assert rows == [
        (3, 10, 5, True),
        (3, 10, 2, True),
        (3, 12, 1, True),
        (1, 10, 7, True),
        (1, 12, 1, True),
        (END, 0, 0, False),
        (8, 0, 1, False),
        (5, 0, 0, False),
        (1, 10, 2, False),
    ]
    assert market.derives_depth


def test_levels_that_come_later_begin_the_books_again() -> None:
    """What was made of the orders is not mixed with what is sent."""
    market = attached()
    taken(market, new(1, 10, 5, 1), CLOCK)
    rows = taken(market, new(-1, 12, 1, 2), depth(1, 10, 6), depth(-1, 12, 1), CLOCK, cancel(1))
    assert rows == [
        (3, 12, 1, False),
        (1, 12, 1, False),
        (6, 0, 0, False),
        (3, 10, 5, True),
        (3, 12, 1, True),
        (1, 10, 6, True),
        (1, 12, 1, True),
        (END, 0, 0, False),
        (8, 0, 2, False),
        (5, 0, 0, False),
    ]
    assert not market.derives_depth
    state = market.book_state(orders=True)
    assert state.bids[1].tolist() == [6]
    assert state.orders is not None
    assert state.orders[0].tolist() == [2]


def test_who_comes_while_the_book_is_coming_gets_the_whole_book_at_its_end() -> None:
    """Else a client that joined half way would take half a book for the whole."""
    market = attached()
    taken(market, depth(1, 10, 5), new(1, 10, 5, 7))
    assert not market.book_state().valid
    late = LevelBook(), OrderBook()
    rows = Rows.of([depth(-1, 11, 6), CLOCK, depth(1, 9, 1)])
    batch = market.take(rows, 2, 0)
    for book in late:
        book.apply(batch)
        assert book.valid
    assert late[0].levels(1)[0].tolist() == [10, 9]
    assert late[0].levels(-1)[0].tolist() == [11]
    assert 7 in late[1]
    assert batch.kind.tolist() == [1, 6, 1, 1, 3, END, 8, 1]
    assert taken(market, CLOCK) == [(8, 0, 2, False)]


def test_detaching_ends_the_stream_and_attaching_goes_on() -> None:
    """Numbers go on, the books begin again."""
    market = attached()
    taken(market, depth(1, 10, 5), CLOCK)
    batch = market.detach(9)
    assert batch.kind.tolist() == [EventKind.CLEAR, EventKind.STATUS]
    assert batch.size.tolist() == [0, Status.ENDED]
    assert not market.book_state().valid
    assert len(market.book_state().bids[0]) == 0
    again = market.attach(INSTRUMENT, 10)
    assert again.first_sequence == batch.next_sequence


def test_time_does_not_run_backwards_in_a_stream() -> None:
    """Whoever stamps."""
    market = attached()
    market.status(Status.STALE, 100)
    assert market.status(Status.LIVE, 50).ts.tolist() == [100]


_steps = st.lists(
    st.one_of(
        st.tuples(
            st.just(1), st.sampled_from([1, -1]), st.integers(-3, 3), st.integers(0, 3), *[st.just(0)] * 3
        ),
        st.tuples(
            st.just(3),
            st.sampled_from([1, -1]),
            st.integers(-3, 3),
            st.integers(1, 3),
            st.integers(1, 5),
            *[st.just(0)] * 2,
        ),
        st.integers(1, 5).map(cancel),
        st.just(CLOCK),
        st.just(PRINT),
    ),
    max_size=30,
)


@given(_steps, _steps, st.booleans(), st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_whoever_reads_the_stream_has_the_markets_books(
    first: list[Row], second: list[Row], orders_only: bool, lengths: list[int]
) -> None:
    """Numbers have no holes, and the books of a reader are those that a late reader is sent."""
    if orders_only:
        first, second = ([row for row in rows if row[0] != 1] for rows in (first, second))
    market = Market(INSTRUMENT)
    batches: list[EventBatch] = []
    for rows in (first, second):
        batches.append(market.attach(INSTRUMENT, 1))
        for n in range(0, len(rows), lengths[0]):
            batches.append(market.take(Rows.of(rows[n : n + lengths[0]]), n, n))
    stream = EventBatch.concatenate(batches)
    assert stream.first_sequence == 0
    assert market.next_sequence == stream.next_sequence
    levels, orders = LevelBook(), OrderBook()
    levels.apply(stream)
    orders.apply(stream)
    state = market.book_state(orders=True)
    assert state.valid == levels.valid
    for side, (prices, sizes) in ((1, state.bids), (-1, state.asks)):
        known_prices, known_sizes = levels.levels(side)
        assert np.array_equal(prices, known_prices)
        assert np.array_equal(sizes, known_sizes)
    if market.derives_depth:
        assert all(np.array_equal(levels.levels(s)[1], orders.levels(s)[1]) for s in (1, -1))
    assert len(orders) == (0 if state.orders is None else len(state.orders[0]))


@given(_steps, st.integers(1, 30))
def test_chunks_do_not_matter(rows: list[Row], length: int) -> None:
    """Rows of one moment give the same stream in one piece or in many."""
    whole, parts = attached(), attached()
    expected = whole.take(Rows.of(rows), 2, 0)
    pieces = [parts.take(Rows.of(rows[n : n + length]), 2, 0) for n in range(0, len(rows), length)]
    joined = EventBatch.concatenate(pieces)
    assert len(joined) == len(expected)
    assert not len(joined) or joined == expected
