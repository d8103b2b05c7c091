"""Databento's orders, refills and best quotes against the figures of a plain program."""

from __future__ import annotations

import zlib
from collections import defaultdict
from decimal import Decimal

import numpy as np
import pytest

from tests.support.truth import Case
from workbench.book.orders import OrderBook
from workbench.events import EventKind, Flag

ORDER_KINDS = (EventKind.MBO_NEW, EventKind.MBO_REPLACE, EventKind.MBO_CANCEL)
FILL = Flag.EXEC_START | Flag.EXEC_END


@pytest.mark.parametrize("name", ["esh4", "esh4_snapshot"])
def test_by_order_book_after_every_record(name: str, request: pytest.FixtureRequest) -> None:
    """Replayed order by order, the best prices after every record of the file are the truth's."""
    case: Case = request.getfixturevalue(name)
    expected = case.truth["book"]
    orders: dict[int, tuple[int, int, int]] = {}
    levels: dict[int, dict[int, int]] = {1: defaultdict(int), -1: defaultdict(int)}
    best = {1: None, -1: None}
    counts = dict.fromkeys(("messages", "best", "crossed", "locked", "updates", "removes"), 0)
    crc = 0
    last: tuple[object, ...] = ("-", "-", "-", "-")

    def change(side: int, price: int, lots: int) -> None:
        sizes = levels[side]
        sizes[price] += lots
        if not sizes[price]:
            del sizes[price]
            if best[side] == price:
                best[side] = (max if side > 0 else min)(sizes, default=None)
        elif best[side] is None or (price - best[side]) * side > 0:
            best[side] = price

    events = case.events
    names = ("kind", "side", "price", "size", "order_id")
    rows = np.flatnonzero(np.isin(events.kind, ORDER_KINDS))
    columns = [getattr(events, n)[rows].tolist() for n in names]
    followed = np.zeros(len(rows), np.bool_)  # a fill made visible, followed by the refill of the same record
    followed[:-1] = (events.kind[rows[:-1]] == EventKind.MBO_REPLACE) & (np.diff(events.order_id[rows]) == 0)
    followed[:-1] &= np.diff(rows) == 1
    followed &= shown_fills(events.flags[rows], events.order_id[rows], events.kind[rows])
    for kind, side, price, size, order, inner in zip(*columns, followed.tolist()):
        before = orders.pop(order, None)
        if before:
            change(before[0], before[1], -before[2])
            if not inner:  # the truth takes an order off its level before it puts the changed one on
                counts["updates"] += 1
                counts["removes"] += before[1] not in levels[before[0]]
        if kind != EventKind.MBO_CANCEL:
            side = side or before[0]
            if size:
                change(side, price, size)
            orders[order] = (side, price, size)
            counts["updates"] += not inner
        if inner:
            continue
        state: list[object] = []
        for one in (1, -1):
            at = best[one]
            state += ["-", "-"] if at is None else [at, levels[one][at]]
        crc = zlib.crc32(("{},{},{},{}\n".format(*state)).encode(), crc)
        counts["messages"] += 1
        counts["best"] += tuple(state) != last
        last = tuple(state)
        if best[1] is not None and best[-1] is not None:
            counts["crossed"] += best[1] > best[-1]
            counts["locked"] += best[1] == best[-1]
    assert counts["messages"] == expected["depth_messages"]
    assert crc == expected["rolling_crc32"]
    assert (counts["crossed"], counts["locked"]) == (
        expected["crossed_after_message"],
        expected["locked_after_message"],
    )
    assert (counts["best"], counts["updates"], counts["removes"]) == (
        expected["best_changes"],
        expected["level_updates"],
        expected["removes"],
    )
    assert len(orders) == case.truth["open_orders_at_end"]


def shown_fills(flags: np.ndarray, order: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """Rows of a fill that a refill follows: EXEC_END before an unmarked replace, EXEC_START before EXEC_END."""
    marked = (flags & int(FILL)) > 0
    start = (flags & int(Flag.EXEC_START)) > 0
    refill = np.concatenate((~marked[1:] & (kind[1:] == EventKind.MBO_REPLACE), [False]))
    return start | (marked & refill)


def test_order_book_agrees_with_levels_at_the_end(esh4: Case) -> None:
    """The by-order book of the package ends with the levels of the truth and its open orders."""
    book = OrderBook()
    book.apply(esh4.events)
    final = esh4.truth["book"]["final"]
    assert len(book) == esh4.truth["open_orders_at_end"]
    assert (book.level_count(1), book.level_count(-1)) == (final["n_bid_levels"], final["n_ask_levels"])
    prices, sizes = book.levels(1, 10)
    shown = [(esh4.recording.instrument.price(p), z) for p, z in zip(prices.tolist(), sizes.tolist())]
    assert shown == [(Decimal(p), int(z)) for p, z in final["bids"]]


def test_native_refills(esh4: Case) -> None:
    """All 83 refills of hidden size can be read from the order rows: time, order, executed, shown, revealed."""
    assert refills(esh4) == [tuple(row) for row in esh4.truth["native_icebergs"]["refills"]]


def refills(case: Case) -> list[tuple[object, ...]]:
    """A refill is an unmarked replace behind a replace of the same order marked as executed."""
    events = case.events
    shown: dict[int, tuple[int, int]] = {}
    filled: dict[int, int] = {}
    found = []
    for i in np.flatnonzero(np.isin(events.kind[:-1], ORDER_KINDS)).tolist():
        order, kind = int(events.order_id[i]), int(events.kind[i])
        size, price, flags = int(events.size[i]), int(events.price[i]), int(events.flags[i])
        if kind == EventKind.MBO_CANCEL:
            shown.pop(order, None)
            continue
        if flags & Flag.EXEC_START:
            filled[order] = size
            continue
        displayed = shown.get(order, (0, 0))[1]
        refilled = events.order_id[i + 1] == order and not events.flags[i + 1] & int(FILL)
        if flags & Flag.EXEC_END and refilled:
            filled.setdefault(order, displayed - size)
            continue
        executed = filled.pop(order, 0)
        if executed:
            side = "B" if events.side[i] > 0 else "A"
            text = f"{case.recording.instrument.price(price):.2f}"
            revealed = size - (displayed - executed)
            found.append((int(events.ts[i]), side, text, str(order), executed, displayed, size, revealed))
        shown[order] = (price, size)
    return found


def test_counts_of_records(esh4: Case) -> None:
    """Records per action and side, and those of the snapshot, stand in the manifest as the truth has them."""
    source, counts = esh4.recording.manifest.source, esh4.truth["counts"]
    for name, count in source["counts"].items():
        assert counts[name] == count
    assert source["snapshot_records"] == counts["snapshot_records"]
    assert source["book_complete"] is True
    times = esh4.events
    first = int(np.flatnonzero(times.kind == EventKind.SNAPSHOT_END)[0])
    assert int(times.ts[first + 1]) == esh4.truth["book"]["t0"]
    assert esh4.recording.end_ns == esh4.truth["book"]["t1"]


def test_tick_of_the_definition_and_multiplier(esu4: Case) -> None:
    """Tick and contract size come from the definition beside the data."""
    assert (esu4.recording.instrument.tick_size, esu4.recording.instrument.multiplier) == (
        Decimal("0.25"),
        50,
    )


def test_best_quotes_of_mbp_1(esu4: Case) -> None:
    """Best bid and ask with their sizes at 20 times are the truth's; the counts of orders are not events."""
    for ts, bid, bid_size, _, ask, ask_size, _ in esu4.truth["bbo_by_time"]:
        view = esu4.recording.book_at(ts, levels=1)
        assert view.bids == [(float(bid), bid_size)]
        assert view.asks == [(float(ask), ask_size)]
    for name, count in esu4.recording.manifest.source["counts"].items():
        assert name == "records" or esu4.truth["counts"][name] == count


def test_trades_file_equals_the_prints_of_mbp_1(esu4: Case, shared_data, tmp_path) -> None:  # type: ignore[no-untyped-def]
    """The file of trades gives the same prints as the T records beside the quotes."""
    from workbench.frames.importers import import_recording

    path = shared_data / "databento/futures_trades_2024-07-01T23-58_2024-07-02T00-02.dbn.zst"
    alone = Case(import_recording(path, out=tmp_path, progress=False), esu4.truth).trades
    assert esu4.truth["trades_file_equals_T_records"]
    for name in ("ts", "price", "size", "side"):
        assert np.array_equal(getattr(alone, name), getattr(esu4.trades, name))
