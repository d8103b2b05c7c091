"""What the lines of a Binance capture hold, as tables, and the rows they become."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.events import Array, EventKind, IntArray

DEPTH: Final = 1
TRADE: Final = 2
TICKER: Final = 3
SNAPSHOT: Final = 4
OTHER: Final = 5
FOREIGN: Final = 6  # of another symbol

# Columns of the table of lines.
KIND, TS, SOURCE, FIRST_ID, LAST_ID, PREVIOUS_ID, ROW, ROWS, OTC = range(9)
LINE_COLUMNS: Final = 9
# Columns of the table of best quotes: line, update id, bid, bid size, ask, ask size.
TICKER_COLUMNS: Final = 6


class Tables:
    """What a piece of text holds: one row per line, per level or trade, and per best quote.

    Attributes
    ----------
    lines : array of int64, shape (n_lines, 9)
    prices, sizes : array of int64, shape (n_rows,)
        Multiples of the price and size unit.
    sides : array of int8, shape (n_rows,)
        Depth: the book's side; trades: the aggressor.
    tickers : array of int64, shape (n_tickers, 6)
    """

    __slots__ = ("lines", "prices", "sides", "sizes", "tickers")

    def __init__(self, lines: IntArray, prices: IntArray, sizes: IntArray, sides: Array, tickers: IntArray):
        self.lines = lines
        self.prices = prices
        self.sizes = sizes
        self.sides = sides
        self.tickers = tickers

    @classmethod
    def of_capacity(cls, size: int) -> Tables:
        """Room for everything that ``size`` bytes of text can hold."""
        rows = size // 9 + 16  # '["1","1"],' makes a row; a trade is longer
        lines = size // 20 + 16  # a stamp and a space
        return cls(
            np.empty((lines, LINE_COLUMNS), np.int64),
            np.empty(rows, np.int64),
            np.empty(rows, np.int64),
            np.empty(rows, np.int8),
            np.empty((size // 50 + 16, TICKER_COLUMNS), np.int64),
        )

    def first(self, counts: Any) -> Tables:
        """Views of the filled rows."""
        lines, rows, tickers = (int(n) for n in counts)
        return Tables(
            self.lines[:lines],
            self.prices[:rows],
            self.sizes[:rows],
            self.sides[:rows],
            self.tickers[:tickers],
        )


@dataclass(slots=True)
class Piece:
    """Consecutive rows of the stream, prices and sizes still in units; size −1 in a gap."""

    ts: IntArray
    source: IntArray
    kinds: Array
    sides: Array
    prices: IntArray
    sizes: IntArray
    flags: Array

    def __len__(self) -> int:
        return len(self.ts)

    @classmethod
    def join(cls, pieces: list[Piece]) -> Piece:
        """Rows of all pieces in their order; the only piece itself is not copied."""
        if len(pieces) == 1:
            return pieces[0]
        if not pieces:
            return cls.marks(0, ())
        return cls(*(np.concatenate([getattr(p, name) for p in pieces]) for name in cls.__slots__))

    @classmethod
    def marks(cls, ts: int, kinds: tuple[EventKind, ...]) -> Piece:
        """Rows without price; a gap's size is −1."""
        n = len(kinds)
        none = np.zeros(n, np.int64)
        codes = np.array(kinds, np.uint8)
        sizes = np.where(codes == EventKind.GAP, -1, 0)
        return cls(np.full(n, ts), none, codes, np.zeros(n, np.int8), none, sizes, np.zeros(n, np.uint16))
