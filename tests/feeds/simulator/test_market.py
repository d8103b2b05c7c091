"""The market by order against the plainest book there is: lists of orders per price."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from workbench.events import EventBatch, EventKind, Flag
from workbench.feeds.simulator import Simulator

SECOND_NS = 1_000_000_000


class QueueBook:
    """Orders in lists per side and price, first in line first."""

    def __init__(self) -> None:
        self.queues: dict[tuple[int, int], list[int]] = defaultdict(list)
        self.orders: dict[int, tuple[int, int, int]] = {}
        self.added = self.removed = 0

    def enter(self, order: int, side: int, price: int, size: int) -> None:
        assert order not in self.orders
        assert size > 0
        self.orders[order] = side, price, size
        self.queues[side, price].append(order)
        self.added += size

    def leave(self, order: int) -> tuple[int, int, int]:
        side, price, size = self.orders.pop(order)
        self.queues[side, price].remove(order)
        if not self.queues[side, price]:
            del self.queues[side, price]
        self.removed += size
        return side, price, size

    def replace(self, order: int, price: int, size: int) -> None:
        side, old_price, old_size = self.orders[order]
        if price == old_price and size <= old_size:
            self.orders[order] = side, price, size
            self.removed += old_size - size
        else:
            self.leave(order)
            self.enter(order, side, price, size)

    def size(self, side: int, price: int) -> int:
        return sum(self.orders[o][2] for o in self.queues.get((side, price), ()))

    def best(self, side: int) -> int:
        prices = [p for s, p in self.queues if s == side]
        return max(prices) if side > 0 else min(prices)


@pytest.fixture(scope="module", params=["es-like", "btc-like"])
def events(request: pytest.FixtureRequest) -> EventBatch:
    """Some seconds of each profile, from its snapshot on."""
    source = Simulator(21, request.param)
    seconds = 20 if request.param == "es-like" else 4
    [(_, batch)] = source.advance(source.start_ns + seconds * SECOND_NS)
    return batch


def replayed(events: EventBatch) -> QueueBook:
    """Apply every order row in plain Python, and check every other row against the book at that moment."""
    book = QueueBook()
    best: dict[int, int] = {}
    filled: dict[int, int] = {}
    live = False
    rows = zip(*(c.tolist() for c in events.columns[2:]))
    for kind, side, price, size, order, aggressor, _flags in rows:
        if kind == EventKind.SNAPSHOT_END:
            live = True
            best = {1: book.best(1), -1: book.best(-1)}
        elif kind == EventKind.MBO_NEW:
            book.enter(order, side, price, size)
        elif kind == EventKind.MBO_REPLACE:
            assert side == 0
            book.replace(order, price, size)
            if order in filled:
                assert size == filled.pop(order)
        elif kind == EventKind.MBO_CANCEL:
            assert side == 0
            left = book.leave(order)[2]
            assert size == left - (left - filled.pop(order) if order in filled else 0)
        elif kind == EventKind.TRADE:
            assert price == book.best(-side), "a trade happens at the best price"
            assert book.queues[-side, price][0] == order, "and with the order first in line"
            filled[order] = book.orders[order][2] - size
            assert filled[order] >= 0
            assert aggressor not in book.orders
        elif kind == EventKind.DEPTH and live:
            assert size == book.size(side, price)
            if size:
                best[side] = max(best[side], price) if side > 0 else min(best[side], price)
            elif best[side] == price:
                best[side] = book.best(side)
            assert best[1] < best[-1], "the book is never crossed or locked"
    assert not filled
    return book


def test_depth_trades_and_queues_follow_from_the_order_rows(events: EventBatch) -> None:
    """Each depth row is the sum of its queue; trades take the first order of the best level; nothing ever crosses."""
    book = replayed(events)
    assert len(book.orders) > 500


def test_size_is_conserved(events: EventBatch) -> None:
    """What was added minus what was pulled or traded is what rests, and what was traded left the book."""
    book = replayed(events)
    assert book.added - book.removed == sum(size for _, _, size in book.orders.values())
    assert book.removed >= int(events.size[events.kind == EventKind.TRADE].sum())


def test_executions_are_bracketed(events: EventBatch) -> None:
    """Each aggressor's first print is flagged EXEC_START, its last EXEC_END, and its side is one."""
    trades = events.where(events.kind == EventKind.TRADE)[1]
    side, aggressor, flags = trades[3], trades[7], trades[8]
    assert len(side) > 50
    first = np.concatenate(([True], aggressor[1:] != aggressor[:-1]))
    last = np.append(first[1:], True)
    assert np.array_equal((flags & Flag.EXEC_START) != 0, first)
    assert np.array_equal((flags & Flag.EXEC_END) != 0, last)
    assert (side[1:][~first[1:]] == side[:-1][~first[1:]]).all()
    assert len(np.unique(aggressor)) == first.sum()


def test_a_crossing_limit_order_rests_with_what_it_did_not_get() -> None:
    """Some aggressors enter the book under their own id, at the price of their last print."""
    source = Simulator(8)
    [(_, events)] = source.advance(source.start_ns + 120 * SECOND_NS)
    traded = {
        int(a): (int(p), int(s))
        for k, a, p, s in zip(events.kind, events.aggressor_id, events.price, events.side)
        if k == EventKind.TRADE
    }
    rested = [
        (int(o), int(p), int(s))
        for k, o, p, s in zip(events.kind, events.order_id, events.price, events.side)
        if k == EventKind.MBO_NEW and int(o) in traded
    ]
    assert rested
    assert all(traded[order] == (price, side) for order, price, side in rested)


def test_icebergs_show_their_next_slice_under_the_same_id() -> None:
    """Some filled orders enter again at the same price inside the execution that filled them."""
    source = Simulator(8)
    [(_, events)] = source.advance(source.start_ns + 600 * SECOND_NS)
    pairs = np.flatnonzero(
        (events.kind[:-2] == EventKind.TRADE)
        & (events.kind[1:-1] == EventKind.MBO_CANCEL)
        & (events.kind[2:] == EventKind.MBO_NEW)
        & (events.order_id[:-2] == events.order_id[2:])
    )
    assert len(pairs) > 3
    assert (events.price[pairs] == events.price[pairs + 2]).all()


@pytest.mark.parametrize(("profile", "unit"), [("es-like", 4), ("btc-like", 100)])
def test_walls_stand_at_round_prices_for_a_while_and_go(profile: str, unit: int) -> None:
    """Levels of many times the usual size appear, stay for ten seconds and more, and disappear again."""
    source = Simulator(7, profile)
    [(_, events)] = source.advance(source.start_ns + 240 * SECOND_NS)
    depth = events.kind == EventKind.DEPTH
    usual = float(np.median(events.size[depth & (events.size > 0)]))
    limit = 4 * usual if profile == "es-like" else 10_000
    since: dict[tuple[int, int], int] = {}
    stood: list[tuple[int, float]] = []
    for ts, side, price, size in zip(*(events.columns[i][depth].tolist() for i in (0, 3, 4, 5))):
        if size >= limit:
            since.setdefault((side, price), ts)
        elif (side, price) in since:
            stood.append((price, (ts - since.pop((side, price))) / SECOND_NS))
    lasting = [price for price, seconds in stood if seconds > 10]
    assert len(lasting) >= 2
    assert sum(price % unit == 0 for price in lasting) / len(lasting) > 2 / unit


def test_a_market_left_alone_for_long_stays_sound() -> None:
    """After eight hours of the market's own time the book is still deep on both sides, near the touch, and never crossed."""
    source = Simulator(13, intensity=10)
    source.seek(source.start_ns + 240 * SECOND_NS)
    [(_, events)] = source.advance(source.position_ns + SECOND_NS)
    book = replayed(events)
    assert book.best(-1) - book.best(1) < 10
    assert len([p for s, p in book.queues if s > 0]) > 200
    assert len([p for s, p in book.queues if s < 0]) > 200
