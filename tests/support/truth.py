"""A real recording beside its truth, and plain calculations on whole columns to compare the two."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np

from workbench.book.levels import LevelBook
from workbench.events import SUBTICK_SHIFT, Array, EventBatch, EventKind, Flag, IntArray
from workbench.frames.recording import Recording


@dataclass
class Case:
    """One imported recording and what a plain program found in the same files.

    Parameters
    ----------
    recording : Recording
    truth : dict
    midnight : int
        ns to add to the truth's times (LOBSTER counts from New York's midnight).
    """

    recording: Recording
    truth: dict[str, Any]
    midnight: int = 0

    @cached_property
    def events(self) -> EventBatch:
        """All events as one batch."""
        return EventBatch.concatenate(list(self.recording.batches()))

    @cached_property
    def price_unit(self) -> Decimal:
        """The truth's price unit; MBP-1 names none and means the tick."""
        return Decimal(self.truth.get("price_unit") or self.recording.instrument.tick_size)

    @cached_property
    def size_unit(self) -> Decimal:
        """The truth's size unit."""
        return Decimal(self.truth.get("size_unit") or self.recording.instrument.lot_size)

    @property
    def prices_per_tick(self) -> int:
        """Price units in a tick."""
        return int(self.recording.instrument.tick_size / self.price_unit)

    @property
    def sizes_per_lot(self) -> int:
        """Size units in a lot."""
        return int(self.recording.instrument.lot_size / self.size_unit)

    def price(self, text: str) -> int:
        """Units of a price of the truth."""
        units = Decimal(text) / self.price_unit
        assert units == int(units)
        return int(units)

    def size(self, text: str) -> int:
        """Units of a size of the truth."""
        units = Decimal(text) / self.size_unit
        assert units == int(units)
        return int(units)

    @cached_property
    def trades(self) -> Trades:
        """All prints."""
        return Trades.of(self)

    @cached_property
    def best(self) -> Best:
        """Best prices after every event."""
        return Best(*LevelBook().apply_with_best(self.events)[:4])


@dataclass
class Best:
    """Best prices and sizes after each row."""

    bid: Array
    bid_size: IntArray
    ask: Array
    ask_size: IntArray


@dataclass
class Trades:
    """Prints in units of the truth."""

    ts: IntArray
    price: IntArray
    size: IntArray
    side: IntArray
    hidden: Array

    @classmethod
    def of(cls, case: Case) -> Trades:
        """Read the prints of a recording."""
        events = case.events
        mask = (events.kind == EventKind.TRADE) & (events.size > 0)
        rest = (events.flags[mask] >> SUBTICK_SHIFT).astype(np.int64)
        per_tick = case.prices_per_tick
        assert not (rest * per_tick % 1000).any()
        return cls(
            events.ts[mask],
            events.price[mask].astype(np.int64) * per_tick + rest * per_tick // 1000,
            events.size[mask] * case.sizes_per_lot,
            events.side[mask].astype(np.int64),
            (events.flags[mask] & Flag.HIDDEN) > 0,
        )

    def where(self, mask: Array) -> Trades:
        """Prints of a mask."""
        return Trades(self.ts[mask], self.price[mask], self.size[mask], self.side[mask], self.hidden[mask])


def crc_of_best(case: Case, rows: IntArray) -> int:
    """CRC32 chained over the best prices after each of ``rows``."""
    best = case.best
    p, z = case.prices_per_tick, case.sizes_per_lot
    text = bytearray()
    columns = (best.bid[rows], best.bid_size[rows], best.ask[rows], best.ask_size[rows])
    for bid, bid_size, ask, ask_size in zip(*(c.tolist() for c in columns)):
        left = f"{bid * p},{bid_size * z}" if bid_size else "-,-"
        right = f"{ask * p},{ask_size * z}" if ask_size else "-,-"
        text += f"{left},{right}\n".encode()
    return zlib.crc32(text)


def sha_of(case: Case, book: Any) -> str:
    """SHA-256 over all levels of a book, best first, bids then asks."""
    digest = hashlib.sha256()
    for name, side in (("b", 1), ("a", -1)):
        prices, sizes = book.levels(side)
        for price, size in zip(prices.tolist(), sizes.tolist()):
            digest.update(f"{name}:{price * case.prices_per_tick}:{size * case.sizes_per_lot}\n".encode())
    return digest.hexdigest()


def removed_absent(events: EventBatch) -> tuple[int, int, int]:
    """Changes, removals, and removals of levels that are not there, behind the snapshot."""
    rows = events.kind == EventKind.DEPTH
    change = (events.flags[rows] & Flag.SNAPSHOT) == 0
    level = events.price[rows].astype(np.int64) * 4 + events.side[rows]
    gone = events.size[rows] == 0
    order = np.argsort(level, kind="stable")
    first = np.concatenate(([True], np.diff(level[order]) != 0))
    was_gone = np.empty(len(level), np.bool_)
    was_gone[order] = first | np.concatenate(([True], gone[order][:-1]))
    return int(change.sum()), int((change & gone).sum()), int((change & gone & was_gone).sum())


def last_rows_of_diffs(events: EventBatch) -> IntArray:
    """Last row of each run of depth rows with one stamp: one exchange message."""
    depth = (events.kind == EventKind.DEPTH) & ((events.flags & Flag.SNAPSHOT) == 0)
    rows = np.flatnonzero(depth)
    follows = np.ones(len(rows), np.bool_)
    follows[:-1] = (np.diff(rows) > 1) | (np.diff(events.ts[rows]) != 0)
    return rows[follows]
