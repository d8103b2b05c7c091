"""What every price-level book answers, whatever it keeps its levels in: prices in ticks, sizes in lots."""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np

from workbench.events import COLUMNS, Array, EventBatch, EventKind, Flag, IntArray, Side


class Top(NamedTuple):
    """Levels of both sides, best first; int64 arrays of ticks and lots, shape (n_levels,) per side."""

    bid_prices: IntArray
    bid_sizes: IntArray
    ask_prices: IntArray
    ask_sizes: IntArray


class Quotes(ABC):
    """Answers that follow from the best prices and the levels of a book.

    Notes
    -----
    A one-sided or empty book has no spread, mid or microprice: they are None. Bids and asks are kept apart, so a
    crossed input gives a crossed book and is never repaired by guessing.
    """

    __slots__ = ()

    @property
    @abstractmethod
    def best_bid(self) -> int | None:
        """Highest bid, ticks."""

    @property
    @abstractmethod
    def best_ask(self) -> int | None:
        """Lowest ask, ticks."""

    @abstractmethod
    def size_at(self, side: int, price: int) -> int:
        """Resting size at a price, lots; 0 where no level is."""

    @abstractmethod
    def levels(self, side: int, limit: int | None = None) -> tuple[IntArray, IntArray]:
        """Prices and sizes of one side, best first, at most ``limit`` of them."""

    @property
    def best_bid_size(self) -> int:
        """Lots at the best bid, 0 if there is none."""
        price = self.best_bid
        return 0 if price is None else self.size_at(Side.BID, price)

    @property
    def best_ask_size(self) -> int:
        """Lots at the best ask, 0 if there is none."""
        price = self.best_ask
        return 0 if price is None else self.size_at(Side.ASK, price)

    @property
    def spread(self) -> int | None:
        """Best ask minus best bid, ticks; negative when crossed."""
        bid, ask = self.best_bid, self.best_ask
        return None if bid is None or ask is None else ask - bid

    @property
    def crossed(self) -> bool:
        """Whether the best bid is above the best ask."""
        spread = self.spread
        return spread is not None and spread < 0

    @property
    def locked(self) -> bool:
        """Whether the best bid equals the best ask."""
        return self.spread == 0

    @property
    def mid(self) -> float | None:
        """Middle of the best prices, ticks."""
        bid, ask = self.best_bid, self.best_ask
        return None if bid is None or ask is None else (bid + ask) / 2

    @property
    def microprice(self) -> float | None:
        """Mid weighted by the opposite sizes, ticks.

        References
        ----------
        S. Stoikov, "The micro-price", Quantitative Finance 18 (2018): the weighted mid I·ask + (1 − I)·bid with
        I = bid size / (bid size + ask size).
        """
        bid, ask = self.best_bid, self.best_ask
        if bid is None or ask is None:
            return None
        bid_size, ask_size = self.best_bid_size, self.best_ask_size
        return (bid * ask_size + ask * bid_size) / (bid_size + ask_size)

    def top(self, levels: int) -> Top:
        """Best ``levels`` levels of both sides."""
        return Top(*self.levels(Side.BID, levels), *self.levels(Side.ASK, levels))

    def level_count(self, side: int) -> int:
        """Number of levels of one side."""
        return len(self.levels(side)[0])

    def volume(self, side: int, *, levels: int | None = None, ticks: int | None = None) -> int:
        """Lots resting on one side.

        Parameters
        ----------
        side : int
            +1 bid, −1 ask.
        levels : int, optional
            Only the best so many levels.
        ticks : int, optional
            Only levels at most so many ticks from the best price; 0 is the best level alone.
        """
        prices, sizes = self.levels(side, levels)
        if ticks is not None and len(prices):
            sizes = sizes[np.abs(prices - prices[0]) <= ticks]
        return int(sizes.sum())

    def window(self, low_tick: int, high_tick: int) -> tuple[IntArray, IntArray]:
        """Sizes at every tick from ``low_tick`` to ``high_tick``, both included.

        Returns
        -------
        bids, asks : array of int64 lots, shape (high_tick − low_tick + 1,)
        """
        return self._dense(Side.BID, low_tick, high_tick), self._dense(Side.ASK, low_tick, high_tick)

    def _dense(self, side: int, low_tick: int, high_tick: int) -> IntArray:
        dense = np.zeros(max(high_tick - low_tick + 1, 0), np.int64)
        prices, sizes = self.levels(side)
        inside = (prices >= low_tick) & (prices <= high_tick)
        dense[prices[inside] - low_tick] = sizes[inside]
        return dense

    def snapshot(self, ts: int, sequence: int) -> EventBatch:
        """Events that rebuild this book: CLEAR, its levels best first (bids, then asks), SNAPSHOT_END.

        Parameters
        ----------
        ts : int, ns
            Time of all rows.
        sequence : int
            Sequence number of the first row.
        """
        bid_prices, bid_sizes, ask_prices, ask_sizes = self.top(2**62)
        sides = np.repeat(np.array([1, -1], np.int8), [len(bid_prices), len(ask_prices)])
        prices, sizes = np.concatenate([bid_prices, ask_prices]), np.concatenate([bid_sizes, ask_sizes])
        return snapshot_batch(EventKind.DEPTH, ts, sequence, sides, prices, sizes)

    def checksum(self) -> int:
        """CRC32 of all levels, best first; equal books have equal checksums on every path and machine."""
        crc = 0
        for name, side in ((b"b", Side.BID), (b"a", Side.ASK)):
            crc = zlib.crc32(name, crc)
            crc = zlib.crc32(np.stack(self.levels(side), axis=1).astype("<i8").tobytes(), crc)
        return crc


def describe(book: Quotes) -> str:
    """Best prices and level counts in words, for the representation of books."""
    bid = "no bid" if book.best_bid is None else f"bid {book.best_bid_size} @ {book.best_bid}"
    ask = "no ask" if book.best_ask is None else f"ask {book.best_ask_size} @ {book.best_ask}"
    return f"{bid}, {ask}, {book.level_count(Side.BID)} + {book.level_count(Side.ASK)} levels"


def snapshot_batch(
    kind: EventKind,
    ts: int,
    sequence: int,
    sides: Array,
    prices: IntArray,
    sizes: IntArray,
    order_ids: IntArray | None = None,
) -> EventBatch:
    """Rows of one kind flagged SNAPSHOT, between CLEAR and SNAPSHOT_END, all at one time."""
    columns = {c.name: np.zeros(len(sides) + 2, c.dtype) for c in COLUMNS}
    columns["ts"][:] = ts
    columns["kind"][:] = kind
    columns["kind"][0], columns["kind"][-1] = EventKind.CLEAR, EventKind.SNAPSHOT_END
    columns["flags"][1:-1] = Flag.SNAPSHOT
    columns["side"][1:-1], columns["price"][1:-1], columns["size"][1:-1] = sides, prices, sizes
    if order_ids is not None:
        columns["order_id"][1:-1] = order_ids
    return EventBatch.trusted(tuple(columns.values()), sequence)
