"""A book as people see it: real prices and sizes, best first, frozen at one moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.events import Array

if TYPE_CHECKING:
    from workbench.book.levels import LevelBook
    from workbench.events import Instrument

Level = tuple[float, float]
ALL_LEVELS = 2**31 - 1


@dataclass(frozen=True, slots=True)
class BookView:
    """Top of a book at one moment, in real units.

    Attributes
    ----------
    ts : int
        Moment, ns since the epoch, UTC; the state is after every event with ``ts`` ≤ this.
    bids, asks : list of (float, float)
        Price and size of each level, best first.
    valid : bool
        False before the first snapshot and inside a gap: what stands here may then be wrong.
    """

    ts: int
    bids: list[Level]
    asks: list[Level]
    valid: bool
    symbol: str = field(default="")

    @classmethod
    def of(cls, book: LevelBook, instrument: Instrument, ts: int, levels: int | None = 10) -> BookView:
        """Look at the best ``levels`` levels of a book; None: at all of them."""
        top = book.top(ALL_LEVELS if levels is None else levels)
        bids = _levels(instrument, top.bid_prices, top.bid_sizes)
        asks = _levels(instrument, top.ask_prices, top.ask_sizes)
        return cls(ts, bids, asks, bool(book.valid), instrument.symbol)

    @property
    def best_bid(self) -> float | None:
        """Highest price somebody pays, None when the side is empty."""
        return self.bids[0][0] if self.bids else None

    @property
    def best_ask(self) -> float | None:
        """Lowest price somebody takes, None when the side is empty."""
        return self.asks[0][0] if self.asks else None

    @property
    def best_bid_size(self) -> float:
        """Size at the best bid, 0 when the side is empty."""
        return self.bids[0][1] if self.bids else 0.0

    @property
    def best_ask_size(self) -> float:
        """Size at the best ask, 0 when the side is empty."""
        return self.asks[0][1] if self.asks else 0.0

    @property
    def spread(self) -> float | None:
        """Best ask minus best bid, None when a side is empty."""
        return self.asks[0][0] - self.bids[0][0] if self.bids and self.asks else None

    @property
    def mid(self) -> float | None:
        """Middle of the best prices, None when a side is empty."""
        return (self.asks[0][0] + self.bids[0][0]) / 2 if self.bids and self.asks else None

    @property
    def microprice(self) -> float | None:
        """Best prices weighted by the size on the other side, None when a side is empty."""
        if not (self.bids and self.asks):
            return None
        (bid, bid_size), (ask, ask_size) = self.bids[0], self.asks[0]
        return (bid * ask_size + ask * bid_size) / (bid_size + ask_size)

    def __repr__(self) -> str:
        state = "" if self.valid else ", not valid"
        bid, ask = _level_text(self.bids), _level_text(self.asks)
        return f"BookView({self.symbol} bid {bid} ask {ask}, {len(self.bids)}+{len(self.asks)} levels{state})"


def _levels(instrument: Instrument, ticks: Array, lots: Array) -> list[Level]:
    return list(zip(instrument.prices(ticks).tolist(), instrument.sizes(lots).tolist()))


def _level_text(levels: list[Level]) -> str:
    return f"{levels[0][0]:.12g} × {levels[0][1]:.12g}" if levels else "none"
