"""The price-level book for columns of events."""

from __future__ import annotations

import mmap
import sys
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.book import kernels
from workbench.book.jit import aligned
from workbench.book.kernels import (
    ASK,
    BASE,
    BID,
    FAR_ASKS,
    FAR_BIDS,
    FAR_ROWS,
    PAGE_TICKS,
    REJECTED,
    STATE_SLOTS,
    VALID,
)
from workbench.book.quotes import Quotes, describe
from workbench.events import Array, EventBatch, EventKind, IntArray, Side

WINDOW_TICKS: Final = 1 << 23
"""Ticks per side that are indexed directly: 64 MiB of address space, of which only touched pages cost memory."""

FAR_CAPACITY: Final = 64
RECENTRE_ROWS: Final = 4096
"""Rows outside the window after which it is asked whether the window stands in the wrong place."""


class BestPrices(NamedTuple):
    """Best prices after each event, arrays of shape (n_events,); a size of 0 means that the side is empty."""

    bid: npt.NDArray[np.int32]
    bid_size: IntArray
    ask: npt.NDArray[np.int32]
    ask_size: IntArray
    valid: npt.NDArray[np.bool_]


class LevelBook(Quotes):
    """Price → resting size for both sides, updated by whole batches of events.

    Parameters
    ----------
    window_ticks : int, optional
        Ticks that are indexed directly, a multiple of 1024. Levels outside cost more time, never correctness: any
        int32 price works, negative ones too.

    Notes
    -----
    Reads DEPTH, CLEAR, SNAPSHOT_END and GAP rows and nothing else. ``valid`` is true only from a SNAPSHOT_END to the
    next CLEAR or GAP; after a GAP a CLEAR must come first. An invalid book still shows what it was told. A size of 0
    or less removes the level; removing an absent level changes nothing. DEPTH rows without a side are counted in
    ``rejected``.

    Examples
    --------
    >>> book = LevelBook()
    >>> book.set_level(Side.BID, 100, 80)
    >>> book.set_level(Side.ASK, 101, 20)
    >>> book
    LevelBook(bid 80 @ 100, ask 20 @ 101, 1 + 1 levels, not valid)
    >>> book.microprice
    100.8
    """

    __slots__ = ("_far", "_levels", "_pages", "_state", "_window_ticks")

    def __init__(self, window_ticks: int = WINDOW_TICKS):
        self._window_ticks = -(-window_ticks // PAGE_TICKS) * PAGE_TICKS
        self._levels = np.zeros((2, 0), np.int64)
        self._pages = np.zeros((2, 0), np.int16)
        self._far = np.zeros((4, FAR_CAPACITY), np.int64)
        self._state = np.zeros(STATE_SLOTS, np.int64)
        self._state[BID] = -1

    def apply(self, batch: EventBatch) -> None:
        """Apply all events of a batch."""
        self._feed(batch, *_NO_REPORT)

    def apply_with_best(self, batch: EventBatch) -> BestPrices:
        """Apply all events of a batch and report the best prices after each of them."""
        rows = len(batch)
        prices, sizes = np.empty((2, rows), np.int32), np.empty((2, rows), np.int64)
        valid = np.empty(rows, np.bool_)
        self._feed(batch, prices, sizes, valid)
        return BestPrices(prices[0], sizes[0], prices[1], sizes[1], valid)

    def set_level(self, side: int, price: int, size: int) -> None:
        """Set one level; a live handler of single events is faster with :class:`~workbench.book.live.PyBook`."""
        self.apply(EventBatch.of(kind=EventKind.DEPTH, side=[side], price=price, size=size))

    def clear(self) -> None:
        """Forget all levels and be invalid, like a CLEAR row."""
        self.apply(EventBatch.of(kind=[EventKind.CLEAR]))

    def copy(self) -> LevelBook:
        """Return an independent book of the same state; copies occupied pages only."""
        twin = LevelBook(self._window_ticks)
        twin._far, twin._state = self._far.copy(), self._state.copy()
        if self._levels.shape[1]:
            twin._levels, twin._pages = _zero_window(self._window_ticks), self._pages.copy()
            kernels.copy_pages(self._levels, self._pages, twin._levels)
        return twin

    @property
    def valid(self) -> bool:
        """Whether the book is known to equal the venue's."""
        return bool(self._state[VALID])

    @property
    def rejected(self) -> int:
        """DEPTH rows without a side, which changed nothing."""
        return int(self._state[REJECTED])

    @property
    def best_bid(self) -> int | None:
        return self._best(Side.BID)

    @property
    def best_ask(self) -> int | None:
        return self._best(Side.ASK)

    def size_at(self, side: int, price: int) -> int:
        at = price - int(self._state[BASE])
        if 0 <= at < self._levels.shape[1]:
            return int(self._levels[_row(side), at])
        prices, sizes = self._far_levels(side)
        i = int(np.searchsorted(prices, price))
        return int(sizes[i]) if i < len(prices) and prices[i] == price else 0

    def level_count(self, side: int) -> int:
        return int(self._pages[_row(side)].sum(dtype=np.int64)) + len(self._far_levels(side)[0])

    def levels(self, side: int, limit: int | None = None) -> tuple[IntArray, IntArray]:
        count = self.level_count(side)
        limit = count if limit is None else min(max(limit, 0), count)
        prices, sizes = np.empty(limit, np.int64), np.empty(limit, np.int64)
        found = kernels.collect(_row(side), limit, self._levels, self._pages, self._state, prices, sizes)
        far_prices, far_sizes = self._far_levels(side)
        if not len(far_prices):
            return prices, sizes
        # Far levels of this side stand before and behind those of the window.
        split = int(np.searchsorted(far_prices, self._state[BASE]))
        parts = (
            [slice(split, None), slice(None, split)]
            if side == Side.BID
            else [slice(None, split), slice(split, None)]
        )
        step = -1 if side == Side.BID else 1
        before, behind = ((far_prices[p][::step], far_sizes[p][::step]) for p in parts)
        pairs = zip(before, (prices[:found], sizes[:found]), behind)
        merged_prices, merged_sizes = (np.concatenate(arrays)[:limit] for arrays in pairs)
        return merged_prices, merged_sizes

    def __repr__(self) -> str:
        return f"LevelBook({describe(self)}, {'valid' if self.valid else 'not valid'})"

    def _best(self, side: int) -> int | None:
        n, base = self._levels.shape[1], int(self._state[BASE])
        at = int(self._state[BID if side == Side.BID else ASK])
        best = base + at if 0 <= at < n else None
        far = self._far_levels(side)[0]
        if not len(far):
            return best
        # Far levels lie outside the window, so the better of the two is a matter of comparison only.
        candidate = int(far[-1] if side == Side.BID else far[0])
        if best is None:
            return candidate
        return max(best, candidate) if side == Side.BID else min(best, candidate)

    def _far_levels(self, side: int) -> tuple[IntArray, IntArray]:
        row, count = (0, self._state[FAR_BIDS]) if side == Side.BID else (2, self._state[FAR_ASKS])
        return self._far[row, :count], self._far[row + 1, :count]

    def _dense(self, side: int, low_tick: int, high_tick: int) -> IntArray:
        start, stop = low_tick - int(self._state[BASE]), high_tick - int(self._state[BASE]) + 1
        if 0 <= start <= stop <= self._levels.shape[1]:
            return self._levels[_row(side), start:stop].copy()
        return super()._dense(side, low_tick, high_tick)

    def _feed(self, batch: EventBatch, prices: Array, sizes: Array, valid: Array) -> None:
        columns = batch.columns
        if not self._pages.size:
            self._place_at_first(batch)
        row, rows = 0, len(columns[0])
        while True:
            kind, side, price, size = columns[2:6]
            book = (self._levels, self._pages, self._far, self._state)
            try:
                row = kernels.apply(kind, side, price, size, row, *book, prices, sizes, valid)
            except TypeError:
                # Columns at odd bytes of a message; asking each column beforehand costs a sixth of a small batch.
                straight = tuple(aligned(column) for column in columns)
                if all(a is b for a, b in zip(straight, columns)):
                    raise
                columns = straight
                continue
            if row == rows:
                break
            # Twice the room each time: n far levels cost O(n) copies in all.
            self._far = np.concatenate([self._far, np.zeros_like(self._far)], axis=1)
        if self._state[FAR_ROWS] >= RECENTRE_ROWS:
            self._recentre()

    def _place_at_first(self, batch: EventBatch) -> None:
        rows = np.flatnonzero(batch.kind == EventKind.DEPTH)
        if len(rows):
            self._place(_base_for(int(batch.price[rows[0]]), self._window_ticks))

    def _place(self, base: int) -> None:
        """Stand an empty window at ``base`` and put back the levels that the book already holds."""
        bid_prices, bid_sizes, ask_prices, ask_sizes = self.top(2**62)
        self._levels = _zero_window(self._window_ticks)
        self._pages = np.zeros((2, self._window_ticks // PAGE_TICKS), np.int16)
        kernels.clear(self._levels, self._pages, self._state)
        self._state[BASE] = base
        sides = np.repeat(np.array([1, -1], np.int8), [len(bid_prices), len(ask_prices)])
        if len(sides):
            price, size = np.concatenate([bid_prices, ask_prices]), np.concatenate([bid_sizes, ask_sizes])
            self._feed(EventBatch.of(kind=EventKind.DEPTH, side=sides, price=price, size=size), *_NO_REPORT)

    def _recentre(self) -> None:
        """Move the window if it does not hold the best prices, so that far rows stay rare."""
        self._state[FAR_ROWS] = 0
        bests = [price for price in (self.best_bid, self.best_ask) if price is not None]
        if not bests:
            return
        base = _base_for(sum(bests) // len(bests), self._window_ticks)
        outside = any(not 0 <= price - self._state[BASE] < self._window_ticks for price in bests)
        if outside and base != self._state[BASE]:
            self._place(base)
            self._state[FAR_ROWS] = 0


_NO_REPORT: Final = (np.empty((2, 0), np.int32), np.empty((2, 0), np.int64), np.empty(0, np.bool_))


def _row(side: int) -> int:
    return 0 if side == Side.BID else 1


def _base_for(price: int, window_ticks: int) -> int:
    """Lowest tick of a window that suits a market trading near ``price``.

    Outright prices are positive and far levels lie between nothing and a multiple of the market, so a market low in
    the window gets it from a quarter below zero (spreads trade negative), a higher one from zero, else the middle.
    """
    if abs(price) < window_ticks // 4:
        base = -window_ticks // 4
    elif 0 < price < window_ticks // 2:
        base = 0
    else:
        base = price - window_ticks // 2
    return base // PAGE_TICKS * PAGE_TICKS


def _zero_window(window_ticks: int) -> IntArray:
    """Zeros that cost memory only where touched.

    numpy asks for huge pages, of which scattered levels would touch many: 12–18 MB for a real futures book against
    2–3 MB with plain pages at the same speed, measured.
    """
    size = 2 * window_ticks * 8
    if sys.platform == "win32":
        pages = mmap.mmap(-1, size)
    else:
        pages = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return np.frombuffer(pages, np.int64).reshape(2, window_ticks)
