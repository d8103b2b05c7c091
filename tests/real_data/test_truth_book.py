"""Books of real recordings against the figures of a plain program."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from tests.support.truth import Case, crc_of_best, last_rows_of_diffs, removed_absent, sha_of
from workbench.book.levels import LevelBook
from workbench.events import EventKind, Flag, IntArray

BOOKS = ("usdm", "spot", "amzn", "msft", "esh4", "esh4_snapshot")


@pytest.fixture(scope="session", params=BOOKS)
def book_case(request: pytest.FixtureRequest) -> Case:
    """Each set with a book."""
    case: Case = request.getfixturevalue(request.param)
    return case


def samples(case: Case) -> list[dict[str, Any]]:
    """All moments at which the truth names the book."""
    book = case.truth["book"]
    return [*book["by_time"], *book["by_event"], book["final"]]


def test_forty_books_are_equal_to_the_last_level(book_case: Case) -> None:
    """At each sampled time the ten best levels, the number of levels and the hash of all levels are the truth's."""
    case = book_case
    book, done = LevelBook(), 0
    for sample in sorted(samples(case), key=lambda s: s["t"]):
        ts = sample["t"] + case.midnight
        view = case.recording.book_at(ts, levels=10)
        for side, name in ((view.bids, "bids"), (view.asks, "asks")):
            shown = [(Decimal(repr(p)), Decimal(repr(z))) for p, z in side]
            assert shown == [(Decimal(p), Decimal(z)) for p, z in sample[name]]
        until = int(np.searchsorted(case.events.ts, ts, side="right"))
        book.apply(case.events[done:until])
        done = until
        assert (book.level_count(1), book.level_count(-1)) == (sample["n_bid_levels"], sample["n_ask_levels"])
        assert sha_of(case, book) == sample["book_sha256"]


def test_running_totals_of_trades_at_the_samples(book_case: Case) -> None:
    """At each sampled time the number of trades, both volumes and their difference are the truth's."""
    case = book_case
    trades = case.trades
    for sample in samples(case):
        until = trades.where(trades.ts <= sample["t"] + case.midnight)
        buy, sell = (int(until.size[until.side == s].sum()) for s in (1, -1))
        assert len(until.ts) == sample["trades"]
        assert (buy, sell) == (case.size(sample["buy"]), case.size(sample["sell"]))
        assert buy - sell == case.size(sample["cvd"])


@pytest.mark.parametrize("name", ["usdm", "spot"])
def test_every_diff_leaves_the_same_best_prices(name: str, request: pytest.FixtureRequest) -> None:
    """The chained checksum over the best prices after every diff is the truth's."""
    case: Case = request.getfixturevalue(name)
    rows = last_rows_of_diffs(case.events)
    book = case.truth["book"]
    assert len(rows) == book["depth_messages"]
    assert crc_of_best(case, rows) == book["rolling_crc32"]
    assert_best(case, rows)


@pytest.mark.parametrize("name", ["amzn", "msft"])
def test_every_message_leaves_the_same_best_prices(name: str, request: pytest.FixtureRequest) -> None:
    """The chained checksum over the best prices after every row of the orderbook file is the truth's."""
    case: Case = request.getfixturevalue(name)
    rows = last_rows_of_messages(case)
    book = case.truth["book"]
    assert len(rows) == book["depth_messages"]
    assert crc_of_best(case, rows) == book["rolling_crc32"]
    assert_best(case, rows)


def last_rows_of_messages(case: Case) -> IntArray:
    """A LOBSTER message begins with its trade, or with its order where none was traded."""
    events = case.events
    orders = np.isin(events.kind, (EventKind.MBO_NEW, EventKind.MBO_REPLACE, EventKind.MBO_CANCEL))
    traded = (events.kind == EventKind.TRADE) & ((events.flags & Flag.HIDDEN) == 0)
    behind_trade = np.concatenate(([False], traded[:-1]))
    begins = (events.kind == EventKind.TRADE) | (orders & ~behind_trade)
    firsts = np.flatnonzero(begins)
    return np.append(firsts[1:] - 1, len(events) - 1)


def assert_best(case: Case, rows: IntArray) -> None:
    """Crossed, locked and changed best prices after the messages are as many as the truth's."""
    book, best = case.truth["book"], case.best
    both = (best.bid_size[rows] > 0) & (best.ask_size[rows] > 0)
    assert int((both & (best.bid[rows] > best.ask[rows])).sum()) == book["crossed_after_message"]
    assert int((both & (best.bid[rows] == best.ask[rows])).sum()) == book["locked_after_message"]
    before = np.concatenate(([row_before(case)], rows[:-1]))
    changed = (best.bid[rows] != best.bid[before]) | (best.ask[rows] != best.ask[before])
    changed |= (best.bid_size[rows] != best.bid_size[before]) | (best.ask_size[rows] != best.ask_size[before])
    assert int(changed.sum()) == book["best_changes"]


def row_before(case: Case) -> int:
    """Row of the state before the first message: the snapshot; for LOBSTER, whose first row is one, nothing."""
    mark = EventKind.CLEAR if case.midnight else EventKind.SNAPSHOT_END
    return int(np.flatnonzero(case.events.kind == mark)[0])


@pytest.mark.parametrize("name", ["usdm", "spot", "amzn", "msft"])
def test_every_level_update_is_kept(name: str, request: pytest.FixtureRequest) -> None:
    """Updates, removals and removals of absent prices are as many as in the files: no-ops are not swallowed."""
    case: Case = request.getfixturevalue(name)
    book = case.truth["book"]
    changes, removals, absent = removed_absent(case.events)
    if case.midnight:  # LOBSTER's truth counts the first row as updates too
        changes += int(((case.events.flags & Flag.SNAPSHOT) > 0).sum())
    assert (changes, removals, absent) == (
        book["level_updates"],
        book["removes"],
        book["removes_of_absent_price"],
    )


def test_heat_of_five_columns(book_case: Case) -> None:
    """Size at the start and end, largest and time-weighted size of the best prices are the truth's."""
    case = book_case
    heat = case.truth["book"]["heat"]
    for column in heat["columns"]:
        start = column["start"] + case.midnight
        end = start + heat["width_ns"]
        book, _ = case.recording.books_at(start)
        events = case.events[: int(np.searchsorted(case.events.ts, end, side="right"))]
        events = events[int(np.searchsorted(case.events.ts, start, side="right")) :]
        for side_name, price, *expected in column["cells"]:
            side = 1 if side_name == "b" else -1
            ticks = case.recording.instrument.ticks(price)
            rows = (events.kind == EventKind.DEPTH) & (events.side == side) & (events.price == ticks)
            times = np.concatenate(([start], events.ts[rows], [end]))
            sizes = np.concatenate(([book.size_at(side, ticks)], events.size[rows])) * case.sizes_per_lot
            shown = [int(sizes[0]), int(sizes[-1]), int(sizes.max())]
            assert shown == [case.size(text) for text in expected[:3]]
            mean = float((sizes * np.diff(times)).sum() / (end - start)) * float(case.size_unit)
            assert mean == pytest.approx(expected[3], rel=1e-9)
