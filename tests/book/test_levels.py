"""The price-level book against a book of dicts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.books import DictBook, chunks, depth_streams
from workbench.book.levels import LevelBook
from workbench.book.live import PyBook
from workbench.events import EventBatch, EventKind, Side

WINDOWS = st.sampled_from([1024, 4096, 1 << 23])
CUTS = st.lists(st.integers(0, 200), max_size=6)


def _rows(batch: EventBatch) -> zip:
    return zip(*(c.tolist() for c in batch.columns[2:6]))


def _levels(book: LevelBook | PyBook, side: int) -> list[tuple[int, int]]:
    prices, sizes = book.levels(side)
    return list(zip(prices.tolist(), sizes.tolist()))


def _depth(*levels: tuple[int, int, int], valid: bool = False) -> EventBatch:
    side, price, size = zip(*levels)
    batch = EventBatch.of(kind=EventKind.DEPTH, side=side, price=price, size=size)
    return (
        batch
        if not valid
        else EventBatch.concatenate(
            [
                EventBatch.of(kind=[EventKind.CLEAR]),
                EventBatch.trusted(batch.columns, 1),
                EventBatch.of(len(batch) + 1, kind=[EventKind.SNAPSHOT_END]),
            ]
        )
    )


@given(batch=depth_streams(), cuts=CUTS, window=WINDOWS)
def test_best_prices_after_every_row_are_those_of_the_dicts(
    batch: EventBatch, cuts: list[int], window: int
) -> None:
    """Any stream, any chunking, any window: best prices and validity row by row equal two dicts with max and min."""
    oracle, book = DictBook(), LevelBook(window)
    expected = []
    for row in _rows(batch):
        oracle.row(*row)
        expected.append((*oracle.best(1), *oracle.best(-1), oracle.valid))
    found = []
    for part in chunks(batch, cuts):
        best = book.apply_with_best(part)
        found += list(zip(*(a.tolist() for a in best)))
    assert found == expected


@given(batch=depth_streams(), cuts=CUTS, window=WINDOWS)
def test_all_three_books_hold_the_same_levels(batch: EventBatch, cuts: list[int], window: int) -> None:
    """Compiled, plain and dict book end with the same levels, best first, and the same checksum."""
    oracle, book, live = DictBook(), LevelBook(window), PyBook()
    for row in _rows(batch):
        oracle.row(*row)
    for part in chunks(batch, cuts):
        book.apply(part)
        live.apply(part)
    for side in (1, -1):
        assert _levels(book, side) == _levels(live, side) == oracle.levels(side)
        assert book.level_count(side) == live.level_count(side) == len(oracle.sides[side])
    assert book.checksum() == live.checksum()
    assert (book.valid, book.rejected) == (live.valid, live.rejected)
    assert book.valid == oracle.valid
    for name in (
        "best_bid",
        "best_ask",
        "best_bid_size",
        "best_ask_size",
        "mid",
        "microprice",
        "spread",
        "crossed",
        "locked",
    ):
        assert getattr(book, name) == getattr(live, name), name


@given(batch=depth_streams(), window=WINDOWS)
def test_a_snapshot_rebuilds_the_book(batch: EventBatch, window: int) -> None:
    """The events of a snapshot give an empty book the same levels, and make it valid."""
    book, twin = LevelBook(window), LevelBook()
    book.apply(batch)
    twin.apply(book.snapshot(ts=5, sequence=9))
    assert twin.checksum() == book.checksum()
    assert twin.valid


@given(batch=depth_streams(), more=depth_streams(), window=WINDOWS)
def test_a_copy_lives_its_own_life(batch: EventBatch, more: EventBatch, window: int) -> None:
    """Events applied to a copy leave the original as it was, and both go on alike."""
    book = LevelBook(window)
    book.apply(batch)
    before, twin = book.checksum(), book.copy()
    twin.apply(more)
    assert book.checksum() == before
    book.apply(more)
    assert (book.checksum(), book.valid) == (twin.checksum(), twin.valid)


@given(batch=depth_streams(), low=st.integers(-30, 30), width=st.integers(0, 60), window=WINDOWS)
def test_a_window_shows_the_size_at_every_tick(batch: EventBatch, low: int, width: int, window: int) -> None:
    """Dense rows between two ticks, both included, hold what the levels hold."""
    book = LevelBook(window)
    book.apply(batch)
    low += int(batch.price[0]) if len(batch) else 0
    for side, dense in zip((Side.BID, Side.ASK), book.window(low, low + width)):
        assert dense.tolist() == [book.size_at(side, p) for p in range(low, low + width + 1)]


@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 200))
def test_valid_input_never_crosses_the_book(seed: int, rows: int) -> None:
    """Bids below a moving middle and asks above it, stale levels removed first: never crossed, after any row."""
    rng = np.random.default_rng(seed)
    oracle, book, middle = DictBook(), LevelBook(1024), 1000
    levels: list[tuple[int, int, int]] = []

    def put(side: int, price: int, size: int) -> None:
        levels.append((side, price, size))
        oracle.row(EventKind.DEPTH, side, price, size)

    for _ in range(rows):
        middle += int(rng.integers(-2, 3))
        for price in [p for p in oracle.sides[1] if p >= middle]:
            put(1, price, 0)
        for price in [p for p in oracle.sides[-1] if p <= middle]:
            put(-1, price, 0)
        side = int(rng.choice([1, -1]))
        put(side, middle - side * int(rng.integers(1, 9)), int(rng.integers(0, 5)))
    best = book.apply_with_best(_depth(*levels))
    both = (best.bid_size > 0) & (best.ask_size > 0)
    assert (best.bid[both] < best.ask[both]).all()


def test_many_far_levels_find_room() -> None:
    """Thousands of levels outside the window are kept, in order, and leave it again."""
    book = LevelBook(1024)
    prices = np.arange(-3_000_000, 3_000_000, 977)
    book.apply(EventBatch.of(kind=EventKind.DEPTH, side=1, price=prices, size=1))
    assert book.levels(1)[0].tolist() == prices[::-1].tolist()
    book.apply(EventBatch.of(kind=EventKind.DEPTH, side=1, price=prices, size=0))
    assert book.best_bid is None


def test_a_window_in_the_wrong_place_moves_to_the_market() -> None:
    """A stream that starts with a far level ends with the best prices inside the window."""
    book = LevelBook(1024)
    book.apply(_depth((1, 1, 5)))
    rows = 5_000
    prices = np.resize([900_000, 900_001], rows)
    book.apply(EventBatch.of(kind=EventKind.DEPTH, side=np.resize([1, -1], rows), price=prices, size=3))
    assert (book.best_bid, book.best_ask, book.level_count(1)) == (900_000, 900_001, 2)
    base = int(book._state[0])
    assert base <= 900_000 < base + 1024


def test_microprice_is_the_mid_weighted_by_opposite_sizes() -> None:
    """80 lots bid at 100, 20 offered at 101: I = 0.8, so 0.8·101 + 0.2·100 = 100.8 (Stoikov 2018)."""
    book = LevelBook()
    book.apply(_depth((1, 100, 80), (-1, 101, 20)))
    assert (book.microprice, book.mid, book.spread) == (100.8, 100.5, 1)


def test_crossed_and_locked_are_told_apart() -> None:
    """Bid above ask is crossed, equal is locked, and neither is repaired."""
    book = LevelBook()
    book.apply(_depth((1, 100, 1), (-1, 100, 1)))
    assert (book.crossed, book.locked) == (False, True)
    book.set_level(1, 101, 1)
    assert (book.crossed, book.locked, book.spread) == (True, False, -1)


def test_an_empty_side_has_no_price() -> None:
    """Without bids there is no best bid, spread, mid or microprice, and its size is 0."""
    book = LevelBook()
    book.apply(_depth((-1, 100, 1)))
    assert (book.best_bid, book.best_bid_size, book.spread, book.mid, book.microprice) == (
        None,
        0,
        None,
        None,
        None,
    )


def test_volume_counts_levels_or_ticks_from_the_best() -> None:
    """5 at 100, 7 at 98, 9 at 90: all 21, two best levels 12, within 2 ticks 12, within 1 tick 5."""
    book = LevelBook()
    book.apply(_depth((1, 100, 5), (1, 98, 7), (1, 90, 9)))
    assert [book.volume(1), book.volume(1, levels=2), book.volume(1, ticks=2), book.volume(1, ticks=1)] == [
        21,
        12,
        12,
        5,
    ]
    assert book.volume(-1, ticks=3) == 0


def test_after_a_gap_only_a_new_snapshot_makes_the_book_valid() -> None:
    """SNAPSHOT_END without CLEAR after a GAP leaves the book not valid; CLEAR and SNAPSHOT_END heal it."""
    book = LevelBook()
    book.apply(_depth((1, 100, 1), valid=True))
    assert book.valid
    book.apply(EventBatch.of(kind=[EventKind.GAP], size=3))
    book.apply(EventBatch.of(kind=[EventKind.SNAPSHOT_END]))
    assert not book.valid
    assert book.best_bid == 100
    book.apply(_depth((1, 99, 1), valid=True))
    assert (book.valid, book.best_bid) == (True, 99)


def test_columns_inside_a_message_may_start_at_any_byte() -> None:
    """Unaligned and read-only columns, as a received message gives them, work like any other."""
    plain = _depth((1, 100, 5), (-1, 103, 7), (1, 101, 2))
    columns = []
    for column in plain.columns:
        raw = b"x" + column.tobytes()
        columns.append(np.frombuffer(raw, np.uint8)[1:].view(column.dtype))
    book = LevelBook()
    book.apply(EventBatch(columns))
    assert (book.best_bid, book.best_ask) == (101, 103)


def test_the_representation_tells_the_state() -> None:
    """Best prices, level counts and validity, and nothing that changes from run to run."""
    book = LevelBook()
    book.apply(_depth((1, 100, 5), valid=True))
    assert repr(book) == "LevelBook(bid 5 @ 100, no ask, 1 + 0 levels, valid)"


@pytest.mark.parametrize("side", [1, -1])
def test_removing_an_absent_level_changes_nothing(side: int) -> None:
    """A removal outside the book, better or worse than the best, leaves best price and levels alone."""
    book = LevelBook()
    book.apply(_depth((side, 100, 5), (side, 120, 0), (side, 80, 0), (side, 9_000_000, 0)))
    assert _levels(book, side) == [(100, 5)]
