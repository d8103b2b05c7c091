"""The exact queue: the kernels against every order by hand, in any pieces, and the rules of priority."""

from __future__ import annotations

import copy
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trading.reference_by_order import CANCEL, NEW, REPLACE, ByOrderEngine, OrderRow
from tests.trading.reference_engine import CLEAR, DEPTH, SNAPSHOT_END, TRADE, Command, Modify, Order
from workbench.events import EventBatch
from workbench.trading import slots
from workbench.trading.matcher import FILL_RULES, Matcher
from workbench.trading.priorities import Priorities
from workbench.trading.rows import Rows

GAP = 9
OPENING: list[OrderRow] = [
    (1, CLEAR, 0, 0, 0, 0),
    (1, NEW, 1, 99, 5, 1),
    (1, NEW, 1, 99, 3, 2),
    (1, NEW, -1, 101, 6, 3),
    (1, DEPTH, 1, 99, 8, 0),
    (1, DEPTH, -1, 101, 6, 0),
    (1, SNAPSHOT_END, 0, 0, 0, 0),
]


def columns(rows: list[OrderRow]) -> Rows:
    """Rows as columns."""
    names = ("ts", "kind", "side", "price", "size", "order_id")
    values = zip(*rows) if rows else [()] * 6
    return Rows.of(EventBatch.of(**{name: list(column) for name, column in zip(names, values)}))


def played(
    rows: list[OrderRow],
    commands: list[tuple[int, Command]],
    rule: str = "shared",
    cuts: tuple[int, ...] = (),
) -> Matcher:
    """A matcher that took rows and commands, the rows in pieces."""
    matcher = Matcher("by_order", fills=rule, window_ticks=4096)
    for ts, what in commands:
        if isinstance(what, Order):
            matcher.submit(ts, what.side, what.price, what.leaves, what.tif, what.market)
        elif isinstance(what, Modify):
            matcher.modify(ts, what.number, what.price, what.size)
        else:
            matcher.withdraw(ts, what)
    edges = sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows))})
    for start, stop in itertools.pairwise(edges):
        matcher.advance(columns(rows[start:stop]), rows[stop - 1][0] - 1)
    matcher.advance(columns([]), slots.NEVER - 1)
    return matcher


def filled(matcher: Matcher) -> list[list[int]]:
    """Time, order and size of the fills."""
    found: list[list[int]] = matcher.fills[:, [slots.FILL_TS, slots.FILL_ORDER, slots.FILL_SIZE]].tolist()
    return found


def replayed(rows: list[OrderRow], commands: list[tuple[int, Command]], rule: str) -> ByOrderEngine:
    """The reference engine after all rows, and commands after the rows of their time."""
    engine, waiting = ByOrderEngine("by_order", rule), list(commands)
    for row in [*rows, None]:
        while waiting and (row is None or waiting[0][0] < row[0]):
            ts, what = waiting.pop(0)
            if isinstance(what, Order):
                engine.arrive(ts, what)
            elif isinstance(what, Modify):
                engine.now = ts
                engine.modify(ts, what)
            else:
                engine.cancel(ts, what)
        if row is not None:
            engine.row(*row)
    return engine


side = st.sampled_from([1, -1])
price = st.integers(98, 102)
order_rows = st.one_of(
    st.tuples(st.just(NEW), side, price, st.integers(1, 9), st.integers(1, 6)),
    st.tuples(st.just(REPLACE), st.sampled_from([0, 1, -1]), price, st.integers(0, 9), st.integers(1, 6)),
    st.tuples(st.just(CANCEL), st.just(0), st.just(0), st.just(0), st.integers(1, 6)),
    st.tuples(st.just(DEPTH), side, price, st.integers(0, 9), st.just(0)),
    st.tuples(st.just(TRADE), side, price, st.integers(1, 9), st.just(0)),
    st.tuples(st.sampled_from([CLEAR, SNAPSHOT_END, GAP]), st.just(0), st.just(0), st.just(0), st.just(0)),
)
commands_sent = st.one_of(
    st.integers(0, 5),
    st.builds(Modify, st.integers(0, 5), price, st.integers(1, 9)),
    st.tuples(side, price, st.integers(1, 9), st.integers(0, 3), st.booleans()),
)


@settings(max_examples=300)
@given(
    rows=st.lists(st.tuples(st.integers(0, 2), order_rows), min_size=5, max_size=40),
    commands=st.lists(st.tuples(st.integers(0, 4), commands_sent), max_size=12),
    rule=st.sampled_from(FILL_RULES),
    cuts=st.lists(st.integers(0, 40), max_size=3),
)
def test_the_exact_queue_is_that_of_the_reference_engine_in_any_pieces(
    rows: list[tuple[int, tuple[int, int, int, int, int]]],
    commands: list[tuple[int, Modify | int | tuple[int, int, int, int, bool]]],
    rule: str,
    cuts: list[int],
) -> None:
    """Same fills at the same times, prices and sizes on random orders, levels, prints and commands."""
    timed, now = list(OPENING), 1
    for step, row in rows:
        now += step
        timed.append((now, *row))
    sent: list[tuple[int, Command]] = []
    now, number = 1, 0
    for step, what in commands:
        now += step
        if isinstance(what, tuple):
            way, ticks, size, tif, market = what
            sent.append((now, Order(number, way, 0 if market else ticks, size, tif, market)))
            number += 1
        elif (what.number if isinstance(what, Modify) else what) < number:
            sent.append((now, what))
    expected = replayed(timed, copy.deepcopy(sent), rule)
    matcher = played(timed, sent, rule, tuple(cuts))
    wanted = [slots.FILL_TS, slots.FILL_ORDER, slots.FILL_PRICE, slots.FILL_SIZE, slots.FILL_MAKER]
    assert [tuple(r) for r in matcher.fills[:, wanted].tolist()] == expected.fills


@pytest.mark.parametrize(
    ("change", "fills"),
    [
        ([(3, CANCEL, 0, 99, 0, 1)], [[9, 0, 2]]),  # 3 ahead of 2: a print of 6 fills both lots
        ([(3, REPLACE, 0, 99, 2, 1)], [[9, 0, 1]]),  # smaller in its place: 5 ahead
        ([(3, REPLACE, 0, 99, 6, 1)], [[9, 0, 2]]),  # larger goes behind: 3 ahead
        ([(3, REPLACE, 0, 98, 5, 1)], [[9, 0, 2]]),  # so does what moves away, even if it comes back
        ([(3, REPLACE, 0, 98, 5, 1), (4, REPLACE, 0, 99, 5, 1)], [[9, 0, 2]]),
        ([(3, NEW, 1, 99, 9, 7)], []),  # who comes later stands behind: still 8 ahead
        ([(3, NEW, 1, 99, 9, 7), (4, CANCEL, 0, 99, 0, 7)], []),
    ],
)
def test_only_older_orders_stand_ahead(change: list[OrderRow], fills: list[list[int]]) -> None:
    """Two lots join behind 5 and 3 at 99; something happens to the five; a print of 6 at 99."""
    rows = [*OPENING, *change, (9, TRADE, -1, 99, 6, 0)]
    assert filled(played(rows, [(2, Order(0, 1, 99, 2, 0, False))])) == fills


def test_what_was_printed_and_then_leaves_counts_once() -> None:
    """Five of eight ahead are printed and leave: three stay ahead, whether or not the level says so in between."""
    rows = [
        *OPENING,
        (3, TRADE, -1, 99, 5, 1),
        (4, CANCEL, 0, 99, 0, 1),
        (4, DEPTH, 1, 99, 3, 0),
        (5, TRADE, -1, 99, 4, 2),
    ]
    assert filled(played(rows, [(2, Order(0, 1, 99, 2, 0, False))])) == [[5, 0, 1]]


def test_an_iceberg_that_shows_its_next_part_goes_behind() -> None:
    """The five are printed and shown anew in one moment, the level says nothing: only three stand ahead."""
    rows = [
        *OPENING,
        (3, TRADE, -1, 99, 5, 1),
        (3, REPLACE, 0, 99, 0, 1),
        (3, REPLACE, 1, 99, 5, 1),
        (5, TRADE, -1, 99, 4, 2),
    ]
    assert filled(played(rows, [(2, Order(0, 1, 99, 2, 0, False))])) == [[5, 0, 1]]


def test_a_place_outlives_a_snapshot() -> None:
    """After a gap the book is told anew: who was ahead is ahead still, as far as left; who came meanwhile is behind."""
    again: list[OrderRow] = [
        (4, GAP, 0, 0, -1, 0),
        (5, CLEAR, 0, 0, 0, 0),
        (5, NEW, 1, 99, 4, 1),
        (5, NEW, 1, 99, 7, 8),
        (5, DEPTH, 1, 99, 11, 0),
        (5, SNAPSHOT_END, 0, 0, 0, 0),
    ]
    rows = [*OPENING, *again, (9, TRADE, -1, 99, 5, 0)]
    assert filled(played(rows, [(2, Order(0, 1, 99, 2, 0, False))])) == [[9, 0, 1]]


def test_lots_of_no_known_order_are_older_than_all() -> None:
    """A level shows 8 of which 3 are known; those of nobody leave when the level shows it, before or behind no matter."""
    rows: list[OrderRow] = [
        (1, CLEAR, 0, 0, 0, 0),
        (1, NEW, 1, 99, 3, 2),
        (1, DEPTH, 1, 99, 8, 0),
        (1, SNAPSHOT_END, 0, 0, 0, 0),
        (3, NEW, 1, 99, 4, 5),
        (3, DEPTH, 1, 99, 12, 0),
        (4, DEPTH, 1, 99, 9, 0),
        (9, TRADE, -1, 99, 6, 0),
    ]
    assert filled(played(rows, [(2, Order(0, 1, 99, 2, 0, False))])) == [[9, 0, 1]]


def test_who_left_out_of_sight_stands_ahead_no_more() -> None:
    """In a feed of a few levels an order is pulled while its level is out of sight; the level comes back with less."""
    rows: list[OrderRow] = [
        (1, CLEAR, 0, 0, 0, 0),
        (1, DEPTH, 1, 98, 4, 0),
        (1, SNAPSHOT_END, 0, 0, 0, 0),
        (1, NEW, 1, 99, 5, 1),
        (1, NEW, 1, 99, 3, 2),
        (1, DEPTH, 1, 99, 8, 0),
        (3, DEPTH, 1, 99, 3, 0),
        (9, TRADE, -1, 99, 4, 0),
    ]
    assert filled(played(rows, [(2, Order(0, 1, 99, 2, 0, False))])) == [[9, 0, 1]]


def test_tables_grow_and_shrink_with_the_orders() -> None:
    """Ten thousand orders enter and leave at a thousand prices: what came has left, level by level."""
    enter: list[OrderRow] = [(n, NEW, 1, n % 1000, 1 + n % 7, n + 1) for n in range(10_000)]
    leave: list[OrderRow] = [(10_000 + n, CANCEL, 0, 0, 0, n + 1) for n in range(10_000)]
    priorities, totals = Priorities(), dict.fromkeys(range(1000), 0)
    for piece in (enter, leave):
        rows, since = priorities.follow(columns(piece))
        assert (since < 10_000).all()
        for at, lots in zip(rows.price.tolist(), rows.size.tolist()):
            totals[at] += lots
    assert set(totals.values()) == {0}
