"""Own orders stand in one queue: cutting an order into pieces, or adding orders, makes no lot out of nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trading.reference_engine import DEPTH, SNAPSHOT_END, TRADE, Command, Order, Row
from tests.trading.test_matcher import played
from workbench.events import EventBatch, EventKind
from workbench.trading import slots
from workbench.trading.matcher import Matcher
from workbench.trading.rows import Rows

QUEUES = ("risk_averse", "power", "power2", "power3", "log", "log2", "touch", "trade_through")
BOOK: list[Row] = [(1, DEPTH, 1, 99, 10), (1, DEPTH, -1, 101, 6), (1, SNAPSHOT_END, 0, 0, 0)]


def joined(pieces: list[int], at: int = 2, price: int = 99) -> list[tuple[int, Command]]:
    """Orders to buy at one price, sent at one time."""
    return [(at, Order(n, 1, price, lots, 0, False)) for n, lots in enumerate(pieces)]


def filled_by_time(matcher: Matcher) -> dict[int, int]:
    """Lots that were filled at each time."""
    found: dict[int, int] = {}
    for ts, lots in matcher.fills[:, [slots.FILL_TS, slots.FILL_SIZE]].tolist():
        found[ts] = found.get(ts, 0) + lots
    return found


@pytest.mark.parametrize("pieces", [[20], [10, 10], [1] * 20, [3, 17]])
@pytest.mark.parametrize("queue", QUEUES[:6])
def test_ten_lots_ahead_and_a_print_of_twelve_leave_two(pieces: list[int], queue: str) -> None:
    """Twenty lots behind ten get two of a print of twelve, in however many orders, and then all of one of three."""
    rows = [*BOOK, (5, TRADE, -1, 99, 12), (6, DEPTH, 1, 99, 4), (7, TRADE, -1, 99, 3)]
    assert filled_by_time(played(rows, joined(pieces), queue, "shared", [])) == {5: 2, 7: 3}


def test_others_between_two_own_orders_are_filled_before_the_second() -> None:
    """10 others, own 2, 5 others, own 4: a print of 15 is 10, 2 and 3 of the others; one of 4 the last 2 and 2 own lots."""
    rows = [*BOOK, (3, DEPTH, 1, 99, 15), (5, TRADE, -1, 99, 15), (6, TRADE, -1, 99, 4)]
    orders: list[tuple[int, Command]] = [(2, Order(0, 1, 99, 2, 0, False)), (4, Order(1, 1, 99, 4, 0, False))]
    matcher = played(rows, orders, "risk_averse", "shared", [])
    wanted = [slots.FILL_TS, slots.FILL_ORDER, slots.FILL_SIZE]
    assert matcher.fills[:, wanted].tolist() == [[5, 0, 2], [6, 1, 2]]


def test_what_a_better_own_order_takes_does_not_reach_the_queue_behind() -> None:
    """Own 5 at 100, 10 others and own 4 at 99: of a print of 12 at 99 seven go to the others, and of the next 4 one."""
    rows = [*BOOK, (5, TRADE, -1, 99, 12), (6, TRADE, -1, 99, 4)]
    orders: list[tuple[int, Command]] = [
        (2, Order(0, 1, 100, 5, 0, False)),
        (2, Order(1, 1, 99, 4, 0, False)),
    ]
    matcher = played(rows, orders, "risk_averse", "shared", [])
    wanted = [slots.FILL_TS, slots.FILL_ORDER, slots.FILL_SIZE]
    assert matcher.fills[:, wanted].tolist() == [[5, 0, 5], [6, 1, 1]]


@settings(max_examples=200)
@given(
    moves=st.lists(st.tuples(st.booleans(), st.integers(0, 14)), max_size=12),
    pieces=st.lists(st.integers(1, 6), min_size=1, max_size=8),
    queue=st.sampled_from(QUEUES),
)
def test_pieces_are_filled_as_the_whole_is(
    moves: list[tuple[bool, int]], pieces: list[int], queue: str
) -> None:
    """Whatever is printed at the price and however its level changes: as many lots at the same times, cut or in one."""
    rows = [*BOOK]
    for i, (printed, lots) in enumerate(moves):
        if not printed or lots:
            rows.append((10 + i, TRADE, -1, 99, lots) if printed else (10 + i, DEPTH, 1, 99, lots))
    whole = played(rows, joined([sum(pieces)]), queue, "shared", [])
    parts = played(rows, joined(pieces), queue, "shared", [])
    assert filled_by_time(parts) == filled_by_time(whole)


@settings(max_examples=100)
@given(
    orders=st.lists(st.tuples(st.integers(2, 20), st.integers(1, 5)), min_size=1, max_size=8),
    prints=st.lists(st.tuples(st.integers(2, 25), st.integers(1, 14)), max_size=10),
)
def test_no_more_is_filled_than_was_printed_behind_those_who_were_first(
    orders: list[tuple[int, int]], prints: list[tuple[int, int]]
) -> None:
    """At a level that is told no more, all own orders together get what was printed beyond the ten lots before the first."""
    told: list[tuple[int, Command]] = [
        (ts, Order(n, 1, 99, lots, 0, False)) for n, (ts, lots) in enumerate(sorted(orders))
    ]
    rows = [*BOOK, *((ts, TRADE, -1, 99, lots) for ts, lots in sorted(prints))]
    matcher = played(rows, told, "risk_averse", "shared", [])
    came = sum(lots for ts, lots in prints if ts > min(ts for ts, _ in orders))
    assert int(matcher.fills[:, slots.FILL_SIZE].sum()) <= max(came - 10, 0)


class Fifo:
    """A bid at one price, first in, first out, twice: as it was without own orders, and as it is with them."""

    def __init__(self) -> None:
        self.was: list[list[int]] = []  # others by name: what is left of them as it was
        self.queue: list[list[int]] = []  # all in their order: name (own ones below 0), what is left
        self.filled: dict[tuple[int, int], int] = {}

    @property
    def size(self) -> int:
        """Lots that the level showed."""
        return sum(lots for _, lots in self.was)

    def join(self, name: int, lots: int) -> None:
        """Somebody joins the end."""
        self.queue.append([name, lots])
        if name >= 0:
            self.was.append([name, lots])

    def print(self, ts: int, lots: int) -> list[list[int]]:
        """So many lots are sold; names that were hit as it was, and what each had left."""
        for name, taken in self._taken(self.queue, lots):
            if name < 0:
                self.filled[ts, -name - 1] = self.filled.get((ts, -name - 1), 0) + taken
        hit = [name for name, _ in self._taken(self.was, lots)]
        return [[name, next((left for other, left in self.was if other == name), 0)] for name in hit]

    def leave(self, name: int) -> None:
        """Somebody cancels."""
        self.was = [entry for entry in self.was if entry[0] != name]
        self.queue = [entry for entry in self.queue if entry[0] != name]

    @staticmethod
    def _taken(queue: list[list[int]], lots: int) -> list[tuple[int, int]]:
        taken = []
        while lots and queue:
            amount = min(queue[0][1], lots)
            taken.append((queue[0][0], amount))
            queue[0][1] -= amount
            lots -= amount
            if not queue[0][1]:
                queue.pop(0)
        return taken


def filled_by_order(matcher: Matcher) -> dict[tuple[int, int], int]:
    """Lots that were filled, by time and order."""
    found: dict[tuple[int, int], int] = {}
    for ts, number, lots in matcher.fills[:, [slots.FILL_TS, slots.FILL_ORDER, slots.FILL_SIZE]].tolist():
        found[ts, number] = found.get((ts, number), 0) + lots
    return found


arrivals = st.lists(st.tuples(st.booleans(), st.integers(1, 6)), min_size=2, max_size=10)
later = st.lists(st.tuples(st.sampled_from(["print", "print", "join"]), st.integers(1, 9)), max_size=12)


@settings(max_examples=300)
@given(arrivals=arrivals, later=later, queue=st.sampled_from(QUEUES[:6]))
def test_own_orders_are_filled_as_in_a_real_queue(
    arrivals: list[tuple[bool, int]], later: list[tuple[str, int]], queue: str
) -> None:
    """Own orders and others in any order, then prints and more others: where nobody cancels, price and time decide all."""
    fifo, rows, orders, ts = Fifo(), [*BOOK], [], 2
    fifo.join(0, 10)
    for own, lots in arrivals:
        ts += 1
        if own:
            orders.append((ts, Order(len(orders), 1, 99, lots, 0, False)))
            fifo.join(-len(orders), lots)
        else:
            fifo.join(ts, lots)
            rows.append((ts, DEPTH, 1, 99, fifo.size))
    for what, lots in later:
        ts += 1
        if what == "join":
            fifo.join(ts, lots)
        elif (lots := min(lots, fifo.size)) > 0:  # nobody sells to those who were not there
            rows.append((ts, TRADE, -1, 99, lots))
            fifo.print(ts, lots)
        rows.append((ts, DEPTH, 1, 99, fifo.size))
    told: list[tuple[int, Command]] = list(orders)
    assert filled_by_order(played(rows, told, queue, "shared", [])) == fifo.filled


@settings(max_examples=200)
@given(
    arrivals=arrivals,
    later=st.lists(
        st.tuples(st.sampled_from(["print", "print", "join", "leave"]), st.integers(1, 9)), max_size=12
    ),
)
def test_by_order_the_queue_is_real_whoever_cancels(
    arrivals: list[tuple[bool, int]], later: list[tuple[str, int]]
) -> None:
    """With orders told one by one: all that cancel, were they ahead or behind, leave it what it is."""
    fifo, rows, orders, ts = Fifo(), _OrderRows(), [], 2
    for own, lots in [(False, 10), *arrivals]:
        ts += 1
        if own:
            orders.append((ts, lots))
            fifo.join(-len(orders), lots)
        else:
            fifo.join(ts, lots)
            rows.add(ts, EventKind.MBO_NEW, 1, lots, ts)
        if ts == 3:
            rows.add(ts, EventKind.DEPTH, 1, 10, 0)
            rows.add(ts, EventKind.SNAPSHOT_END, 0, 0, 0)
    touched: set[int] = set()
    for what, lots in later:
        ts += 1
        if what == "join":
            fifo.join(ts, lots)
            rows.add(ts, EventKind.MBO_NEW, 1, lots, ts)
        elif what == "leave":
            for name in [name for name, _ in fifo.was if name not in touched][lots % 3 :: 3]:
                fifo.leave(name)
                rows.add(ts, EventKind.MBO_CANCEL, 0, 0, name)
        elif (lots := min(lots, fifo.size)) > 0:
            rows.add(ts, EventKind.TRADE, -1, lots, 0)
            for name, left in fifo.print(ts, lots):
                touched.add(name)
                rows.add(ts, EventKind.MBO_REPLACE if left else EventKind.MBO_CANCEL, 1, left, name)
        rows.add(ts, EventKind.DEPTH, 1, fifo.size, 0)
    matcher = Matcher("by_order", window_ticks=4096)
    for sent, lots in orders:
        matcher.submit(sent, 1, 99, lots)
    matcher.advance(rows.rows, slots.NEVER - 1)
    assert filled_by_order(matcher) == fifo.filled


class _OrderRows:
    """Rows at one price, as columns."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, int, int, int, int]] = []

    def add(self, ts: int, kind: EventKind, side: int, size: int, name: int) -> None:
        """One more."""
        self._rows.append((ts, int(kind), side, size, name))

    @property
    def rows(self) -> Rows:
        """All of them."""
        ts, kind, side, size, name = (list(column) for column in zip(*self._rows))
        columns: dict[str, Any] = {"ts": ts, "kind": kind, "side": side, "size": size, "order_id": name}
        return Rows.of(EventBatch.of(**columns, price=[99] * len(ts)))


@pytest.mark.parametrize("pieces", [[20], [10, 10], [1] * 20])
def test_places_by_order_are_one_queue_too(pieces: list[int]) -> None:
    """Two orders of five stand ahead; a print of twelve leaves two for own orders, in however many pieces."""
    kinds = [EventKind.MBO_NEW, EventKind.MBO_NEW, EventKind.DEPTH, EventKind.SNAPSHOT_END]
    kinds += [EventKind.TRADE, EventKind.MBO_CANCEL, EventKind.MBO_CANCEL, EventKind.TRADE]
    columns_: dict[str, Any] = {
        "ts": [1, 1, 1, 1, 5, 5, 5, 6],
        "kind": [int(kind) for kind in kinds],
        "side": [1, 1, 1, 0, -1, 0, 0, -1],
        "price": [99] * 8,
        "size": [5, 5, 10, 0, 12, 0, 0, 4],
        "order_id": [1, 2, 0, 0, 0, 1, 2, 0],
    }
    matcher = Matcher("by_order", window_ticks=4096)
    for lots in pieces:
        matcher.submit(2, 1, 99, lots)
    matcher.advance(Rows.of(EventBatch.of(**columns_)), slots.NEVER - 1)
    assert filled_by_time(matcher) == {5: 2, 6: 4}


def test_shares_of_a_level_are_shares_of_what_comes_to_it() -> None:
    """Pro rata, own 5 at 100 first: of a print of 13 eight come to 99, where own 10 of 20 lots get four."""
    orders: list[tuple[int, Command]] = [
        (2, Order(0, 1, 100, 5, 0, False)),
        (2, Order(1, 1, 99, 10, 0, False)),
    ]
    matcher = played([*BOOK, (5, TRADE, -1, 99, 13)], orders, "pro_rata", "shared", [])
    assert matcher.fills[:, [slots.FILL_ORDER, slots.FILL_SIZE]].tolist() == [[0, 5], [1, 4]]


@pytest.mark.parametrize("rule", ["partial", "whole"])
def test_other_exchanges_fill_each_order_as_if_it_were_alone(rule: str) -> None:
    """hftbacktest's two exchange models know nothing of a second own order; those rules keep to it."""
    matcher = played([*BOOK, (5, TRADE, -1, 99, 12)], joined([2, 2]), "risk_averse", rule, [])
    assert matcher.fills[:, slots.FILL_SIZE].tolist() == [2, 2]
