"""The matching kernels against the reference engine, in any pieces, and rules by hand."""

from __future__ import annotations

import copy
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trading.reference_engine import CLEAR, DEPTH, SNAPSHOT_END, TRADE, Command, Modify, Order, Row, run
from workbench.errors import WorkbenchError
from workbench.events import EventBatch
from workbench.trading import slots
from workbench.trading.matcher import FILL_RULES, Matcher
from workbench.trading.rows import Rows

WINDOW = 4096
QUEUES = ("risk_averse", "power", "touch", "trade_through", "pro_rata")
OPENING: list[Row] = [
    (1, DEPTH, 1, 99, 8),
    (1, DEPTH, 1, 98, 5),
    (1, DEPTH, -1, 101, 6),
    (1, DEPTH, -1, 102, 9),
    (1, SNAPSHOT_END, 0, 0, 0),
]


def columns(rows: list[Row]) -> Rows:
    """Rows as columns."""
    ts, kind, side, price, size = zip(*rows) if rows else ((),) * 5
    return Rows.of(
        EventBatch.of(ts=list(ts), kind=list(kind), side=list(side), price=list(price), size=list(size))
    )


def played(
    rows: list[Row], commands: list[tuple[int, Command]], queue: str, rule: str, cuts: list[int]
) -> Matcher:
    """A matcher that took the same rows and commands, the rows in pieces."""
    matcher = Matcher(queue, fills=rule, window_ticks=WINDOW)
    for ts, what in commands:
        if isinstance(what, Order):
            matcher.submit(ts, what.side, what.price, what.leaves, what.tif, what.market)
        elif isinstance(what, Modify):
            matcher.modify(ts, what.number, what.price, what.size)
        elif what < len(matcher.orders):
            matcher.withdraw(ts, what)
    edges = sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows))})
    for start, stop in itertools.pairwise(edges):
        piece = rows[start:stop]
        matcher.advance(columns(piece), piece[-1][0] - 1)
    matcher.advance(columns([]), slots.NEVER - 1)
    return matcher


row = st.one_of(
    st.tuples(
        st.integers(0, 2), st.just(DEPTH), st.sampled_from([1, -1]), st.integers(97, 103), st.integers(0, 9)
    ),
    st.tuples(
        st.integers(0, 2),
        st.just(TRADE),
        st.sampled_from([1, -1, 0]),
        st.integers(98, 102),
        st.integers(1, 9),
    ),
    st.tuples(
        st.integers(0, 2), st.sampled_from([CLEAR, SNAPSHOT_END, 9]), st.just(0), st.just(0), st.just(0)
    ),
)
command = st.tuples(
    st.integers(0, 4),
    st.one_of(
        st.integers(0, 5),
        st.builds(Modify, st.integers(0, 5), st.integers(97, 103), st.integers(1, 9)),
        st.tuples(
            st.sampled_from([1, -1]),
            st.integers(97, 103),
            st.integers(1, 9),
            st.integers(0, 3),
            st.booleans(),
        ),
    ),
)


@settings(max_examples=300)
@given(
    rows=st.lists(row, min_size=5, max_size=40),
    commands=st.lists(command, max_size=12),
    queue=st.sampled_from(QUEUES),
    rule=st.sampled_from(FILL_RULES),
    cuts=st.lists(st.integers(0, 40), max_size=3),
)
def test_kernels_do_what_the_reference_engine_does_in_any_pieces(
    rows: list[Row],
    commands: list[tuple[int, Modify | int | tuple[int, int, int, int, bool]]],
    queue: str,
    rule: str,
    cuts: list[int],
) -> None:
    """Same fills at the same times, prices and sizes, and the same ends, on random rows and commands."""
    timed, now = list(OPENING), 1
    for step, *rest in rows:
        now += step
        timed.append((now, *rest))  # type: ignore[arg-type]
    orders: list[tuple[int, Command]] = []
    now, number = 1, 0
    for step, what in commands:
        now += step
        if isinstance(what, tuple):
            side, price, size, tif, market = what
            orders.append((now, Order(number, side, 0 if market else price, size, tif, market)))
            number += 1
        elif (what.number if isinstance(what, Modify) else what) < number:
            orders.append((now, what))
    expected = run(timed, copy.deepcopy(orders), queue, rule)
    matcher = played(timed, orders, queue, rule, cuts)
    wanted = [slots.FILL_TS, slots.FILL_ORDER, slots.FILL_PRICE, slots.FILL_SIZE, slots.FILL_MAKER]
    assert [tuple(r) for r in matcher.fills[:, wanted].tolist()] == expected.fills
    matcher.hear(slots.NEVER - 1)
    ends = {n: how for _, n, how in expected.ends}
    found = {
        i: name
        for i, order in enumerate(matcher.orders)
        if (name := slots.STATUS_NAMES[order[slots.STATUS]]) in ("CANCELED", "EXPIRED")
    }
    assert found == ends
    if rule == "shared":
        assert_never_more_than_was_there(timed, matcher)


def assert_never_more_than_was_there(rows: list[Row], matcher: Matcher) -> None:
    """Fills of resting orders at one time are at most what was printed or newly quoted then."""
    for ts in {r[0] for r in rows}:
        fills = matcher.fills[
            (matcher.fills[:, slots.FILL_TS] == ts) & (matcher.fills[:, slots.FILL_MAKER] == 1)
        ]
        reopened = any(r[0] == ts and r[1] == SNAPSHOT_END for r in rows)
        offered = sum(r[4] for r in rows if r[0] == ts and r[1] in (DEPTH, TRADE))
        assert reopened or int(fills[:, slots.FILL_SIZE].sum()) <= offered


def test_a_queue_of_eight_lets_the_ninth_lot_through() -> None:
    """Join 8 lots at 99 with 3: prints of 5 and 5 leave −2 ahead, so 2 lots fill; the next print fills the third."""
    rows = [*OPENING, (5, TRADE, -1, 99, 5), (6, TRADE, -1, 99, 5), (7, TRADE, -1, 99, 1)]
    matcher = played(rows, [(2, Order(0, 1, 99, 3, 0, False))], "risk_averse", "shared", [])
    assert matcher.fills[:, [slots.FILL_TS, slots.FILL_SIZE]].tolist() == [[6, 2], [7, 1]]


def test_every_fill_of_an_order_counts() -> None:
    """Under the partial rule 4 of 10 lots and 2 of 10 are a position of 6, whether or not their orders ever end full.

    Four lots are taken at 101 by an order that expires then; a print of 10 at 99 leaves 2 beyond the 8 ahead of the other,
    and what is left of it is canceled before the next print.
    """
    rows = [*OPENING, (2, DEPTH, -1, 101, 4), (5, TRADE, -1, 99, 10), (8, TRADE, -1, 99, 20)]
    commands: list[tuple[int, Command]] = [
        (3, Order(0, 1, 101, 10, 2, False)),
        (3, Order(1, 1, 99, 10, 0, False)),
        (6, 1),
    ]
    matcher = played(rows, commands, "risk_averse", "partial", [])
    matcher.hear(slots.NEVER - 1)
    assert matcher.fills[:, [slots.FILL_ORDER, slots.FILL_SIZE]].tolist() == [[0, 4], [1, 2]]
    assert matcher.count(slots.POSITION) == 6
    assert matcher.orders[:, slots.STATUS].tolist() == [slots.EXPIRED, slots.CANCELED]


@pytest.mark.parametrize("rule", ["shared", "partial"])
def test_a_print_never_fills_more_than_it_was(rule: str) -> None:
    """Nine lots leave a level where eight stood ahead: the model guesses one too few ahead, and a print of 1 fills 1, not 2."""
    rows = [
        *OPENING,
        (3, DEPTH, 1, 99, 9),
        (4, DEPTH, 1, 99, 0),
        (5, TRADE, -1, 99, 1),
        (6, TRADE, -1, 99, 2),
    ]
    matcher = played(rows, [(2, Order(0, 1, 99, 5, 0, False))], "power", rule, [])
    assert matcher.fills[:, [slots.FILL_TS, slots.FILL_SIZE]].tolist() == [[5, 1], [6, 2]]


def test_an_order_arrives_after_the_rows_of_its_time() -> None:
    """A print at the time of arrival is over; the next one finds the order."""
    rows = [*OPENING, (5, TRADE, -1, 99, 9), (6, TRADE, -1, 99, 9)]
    matcher = played(rows, [(5, Order(0, 1, 99, 1, 0, False))], "risk_averse", "shared", [])
    assert matcher.fills[:, slots.FILL_TS].tolist() == [6]


@pytest.mark.parametrize(
    ("price", "size", "fills"),
    [(99, 2, [[8, 2]]), (99, 4, [[9, 4]]), (98, 3, [[9, 3]]), (101, 3, [[7, 3]]), (99, 1, [[8, 1]])],
)
def test_only_a_smaller_order_keeps_its_place(price: int, size: int, fills: list[list[int]]) -> None:
    """Three lots behind eight at 99, changed at 7.

    A print of 6 leaves 2 ahead, one of 5 reaches the order at 8. A larger order is behind the 8 of the level again and
    waits for the print at 97 at time 9, as does one at 98; a price of 101 takes at once.
    """
    rows = [*OPENING, (5, TRADE, -1, 99, 6), (8, TRADE, -1, 99, 5), (9, TRADE, -1, 97, 9)]
    commands: list[tuple[int, Command]] = [(2, Order(0, 1, 99, 3, 0, False)), (7, Modify(0, price, size))]
    matcher = played(rows, commands, "risk_averse", "shared", [])
    assert matcher.fills[:, [slots.FILL_TS, slots.FILL_SIZE]].tolist() == fills
    matcher.hear(slots.NEVER - 1)
    assert matcher.orders[0, [slots.PRICE, slots.SIZE]].tolist() == [price, size]


def test_a_change_is_seen_when_the_venue_has_answered() -> None:
    """Changed at the venue at 23, told at 27: until then the old price is what is known."""
    matcher = Matcher(entry_ns=3, response_ns=4, window_ticks=WINDOW)
    matcher.advance(columns(list(OPENING)), 9)
    number = matcher.submit(10, 1, 98, 2)
    matcher.modify(20, number, 99, 5)
    matcher.advance(columns([]), 30)
    for now, terms in ((26, [98, 2]), (27, [99, 5])):
        matcher.hear(now)
        assert matcher.orders[number, [slots.PRICE, slots.SIZE]].tolist() == terms


@pytest.mark.parametrize("size", [1, 2])
def test_what_shall_be_no_larger_than_what_was_filled_is_filled(size: int) -> None:
    """Two of three lots are filled: a whole size of two or one leaves nothing to fill, and the order is one of two lots."""
    rows = [*OPENING, (5, TRADE, -1, 99, 10), (8, TRADE, -1, 99, 10)]
    commands: list[tuple[int, Command]] = [(2, Order(0, 1, 99, 3, 0, False)), (7, Modify(0, 99, size))]
    matcher = played(rows, commands, "risk_averse", "shared", [])
    matcher.hear(slots.NEVER - 1)
    wanted = [slots.STATUS, slots.FILLED, slots.SIZE, slots.CLOSED]
    assert matcher.orders[0, wanted].tolist() == [slots.FULLY_FILLED, 2, 2, 7]
    assert len(matcher.fills) == 1


def test_two_orders_do_not_take_the_same_lots() -> None:
    """Six lots are offered at 101: two orders for five at a limit of 101 take five and one."""
    orders: list[tuple[int, Command]] = [(2, Order(n, 1, 101, 5, 2, False)) for n in range(2)]
    matcher = played(list(OPENING), orders, "risk_averse", "shared", [])
    assert matcher.fills[:, slots.FILL_SIZE].tolist() == [5, 1]


def test_latencies_are_kept() -> None:
    """Sent at 10 with 3 ns to the venue and 4 back: it trades at 13 and is known at 17, not at 16."""
    matcher = Matcher(entry_ns=3, response_ns=4, window_ticks=WINDOW)
    matcher.advance(columns(list(OPENING)), 9)
    number = matcher.submit(10, 1, 101, 2)
    matcher.advance(columns([]), 30)
    matcher.hear(16)
    assert matcher.orders[number, slots.STATUS] == slots.PENDING_NEW
    matcher.hear(17)
    assert matcher.orders[number, slots.STATUS] == slots.FULLY_FILLED
    assert matcher.fills[0, [slots.FILL_TS, slots.FILL_KNOWN]].tolist() == [13, 17]
    assert matcher.count(slots.POSITION) == 2
    assert matcher.count(slots.CASH) == -202


def test_nothing_fills_while_the_book_is_not_known() -> None:
    """Prints inside a gap fill nothing; a book that comes back beyond the order's price has traded through it."""
    rows = [
        *OPENING,
        (5, 9, 0, 0, 1),
        (6, TRADE, -1, 99, 90),
        (7, CLEAR, 0, 0, 0),
        (7, DEPTH, -1, 98, 4),
        (7, SNAPSHOT_END, 0, 0, 0),
    ]
    matcher = played(rows, [(2, Order(0, 1, 99, 3, 0, False))], "risk_averse", "shared", [])
    assert matcher.fills[:, [slots.FILL_TS, slots.FILL_PRICE, slots.FILL_SIZE]].tolist() == [[7, 99, 3]]


def test_a_book_that_comes_back_beyond_an_order_fills_it_level_by_level() -> None:
    """Asks of 3 at 98 and 10 at 99 come back beyond an order to buy 12 at 100: it gets 3 and 9, as of quotes one by one."""
    told: list[Row] = [(7, DEPTH, -1, 98, 3), (7, DEPTH, -1, 99, 10), (7, DEPTH, -1, 101, 5)]
    buys: list[tuple[int, Command]] = [(2, Order(0, 1, 100, 12, 0, False))]
    found = {}
    for name, rows in {
        "at once": [*OPENING, (5, 9, 0, 0, 1), (6, CLEAR, 0, 0, 0), *told, (7, SNAPSHOT_END, 0, 0, 0)],
        "one by one": [*OPENING, *told],
    }.items():
        matcher = played(rows, buys, "risk_averse", "shared", [])
        found[name] = matcher.fills[:, [slots.FILL_TS, slots.FILL_PRICE, slots.FILL_SIZE]].tolist()
    assert found["at once"] == found["one by one"] == [[7, 100, 3], [7, 100, 9]]


def test_lots_that_were_taken_are_gone_however_many_levels_there_are() -> None:
    """A hundred asks of one lot: a market order for a hundred takes them, and the next two find nothing."""
    rows: list[Row] = [(1, DEPTH, -1, 100 + i, 1) for i in range(100)]
    rows += [(1, SNAPSHOT_END, 0, 0, 0), (9, DEPTH, -1, 150, 4), (20, DEPTH, 1, 90, 1)]
    orders: list[tuple[int, Command]] = [
        (ts, Order(n, 1, 0, 100, 2, True)) for n, ts in enumerate((2, 3, 4, 10))
    ]
    matcher = played(rows, orders, "risk_averse", "shared", [])
    filled = [
        int(matcher.fills[matcher.fills[:, slots.FILL_ORDER] == n, slots.FILL_SIZE].sum()) for n in range(4)
    ]
    assert filled == [100, 0, 0, 3]  # of four lots that the level shows then, one is gone


@pytest.mark.parametrize(
    ("sizes", "free"),
    [
        ([0, 5], 5),
        ([8], 3),
        ([3], 0),
        ([3, 5], 2),
        ([5], 0),
        ([2, 0, 1], 1),
        ([6, 9, 7], 2),
    ],
)
def test_lots_that_were_taken_come_back_as_the_level_gets_new_ones(sizes: list[int], free: int) -> None:
    """Five lots at 101 are taken; what is added is there, what leaves are those that are missing, and an empty level is new."""
    rows: list[Row] = [(1, DEPTH, -1, 101, 5), (1, DEPTH, -1, 120, 1), (1, SNAPSHOT_END, 0, 0, 0)]
    rows += [(3 + i, DEPTH, -1, 101, size) for i, size in enumerate(sizes)]
    orders: list[tuple[int, Command]] = [(ts, Order(n, 1, 101, 50, 2, False)) for n, ts in enumerate((2, 30))]
    matcher = played([*rows, (40, DEPTH, 1, 90, 1)], orders, "risk_averse", "shared", [])
    second = matcher.fills[matcher.fills[:, slots.FILL_ORDER] == 1]
    assert int(second[:, slots.FILL_SIZE].sum()) == free


@pytest.mark.parametrize(
    ("again", "free"),
    [
        ([(9, DEPTH, -1, 101, 5)], 0),
        ([(9, DEPTH, -1, 101, 7)], 2),
        ([], 0),
        ([(10, DEPTH, -1, 101, 5)], 5),
    ],
)
def test_what_a_book_that_is_told_again_shows_was_taken_before(again: list[Row], free: int) -> None:
    """Five lots are taken, the stream breaks off, the same five are told: nobody knows of new ones; of a level that was gone, all are."""
    told: list[Row] = [(1, DEPTH, -1, 101, 5), (1, DEPTH, 1, 99, 5), (1, SNAPSHOT_END, 0, 0, 0)]
    break_: list[Row] = [(8, 9, 0, 0, 1), (9, CLEAR, 0, 0, 0), (9, DEPTH, 1, 99, 5)]
    seen = [row for row in again if row[0] == 9]
    rows = [*told, *break_, *seen, (9, SNAPSHOT_END, 0, 0, 0), *again[len(seen) :], (20, DEPTH, 1, 90, 1)]
    orders: list[tuple[int, Command]] = [(ts, Order(n, 1, 101, 5, 2, False)) for n, ts in enumerate((2, 12))]
    matcher = played(rows, orders, "risk_averse", "shared", [])
    second = matcher.fills[matcher.fills[:, slots.FILL_ORDER] == 1]
    assert int(second[:, slots.FILL_SIZE].sum()) == free


def test_what_a_quote_gave_to_a_resting_order_is_not_there_to_be_taken() -> None:
    """Asks of five come to an own bid for ten; a change of it, and another order, find none of the five."""
    rows: list[Row] = [(1, DEPTH, 1, 99, 8), (1, DEPTH, -1, 105, 6), (1, SNAPSHOT_END, 0, 0, 0)]
    rows += [(5, DEPTH, -1, 100, 5), (20, DEPTH, 1, 90, 1)]
    orders: list[tuple[int, Command]] = [
        (2, Order(0, 1, 100, 10, 0, False)),
        (7, Order(1, 1, 100, 5, 2, False)),
        (8, Modify(0, 101, 12)),
    ]
    matcher = played(rows, orders, "risk_averse", "shared", [])
    assert matcher.fills[:, [slots.FILL_TS, slots.FILL_ORDER, slots.FILL_SIZE]].tolist() == [[5, 0, 5]]


def test_tables_grow_while_rows_are_walked() -> None:
    """Ten thousand orders, each filled, need more room than the tables have at first."""
    matcher = Matcher(window_ticks=WINDOW)
    matcher.advance(columns(list(OPENING)), 1)
    rows = [(ts, DEPTH, -1, 101, 6 + ts) for ts in range(2, 10_002)]
    for ts in range(2, 10_002):
        matcher.submit(ts, 1, 0, 1, market=True)
    matcher.advance(columns(rows), 10_002)
    assert len(matcher.fills) == 10_000
    assert np.all(matcher.fills[:, slots.FILL_PRICE] == 101)


@pytest.mark.parametrize("wrong", [{"queue": "fifo"}, {"fills": "all"}, {"entry_ns": -1}])
def test_parameters_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    """What was found and what is known are said."""
    with pytest.raises(WorkbenchError, match="expected"):
        Matcher(**wrong)  # type: ignore[arg-type]
