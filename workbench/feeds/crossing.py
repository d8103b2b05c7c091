"""Books that stay crossed: an update was lost on the way here, or the venue itself is before its opening."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from workbench.feeds.market import Market
from workbench.frames.suspicion import crossed_book

CROSSED_NS: Final = 500_000_000
MAX_WAIT_NS: Final = 60_000_000_000


@dataclass(slots=True)
class _Crossing:
    due_ns: int
    wait_ns: int = CROSSED_NS


class CrossedBooks:
    """Tells which books to ask for anew. ``now`` is monotonic ns.

    Attributes
    ----------
    texts : dict of str to str
        Symbols that are crossed now, and how.
    resyncs : int
        How often a book was asked for anew, counted by whoever asks.
    """

    def __init__(self, markets: Mapping[str, Market]):
        self._markets = markets
        self._crossings: dict[str, _Crossing] = {}
        self.texts: dict[str, str] = {}
        self.resyncs = 0

    def look(self, now: int) -> list[str]:
        """Look at every book; return those that have been crossed for half a second.

        Notes
        -----
        A venue may send crossed books for hours before its opening: each further try on the same crossing waits
        twice as long, at most a minute.
        """
        return [symbol for symbol, market in self._markets.items() if self._is_due(symbol, market, now)]

    def _is_due(self, symbol: str, market: Market, now: int) -> bool:
        text = crossed_book(market.books.levels, market.instrument) if market.books.levels.valid else ""
        if not text:
            self._crossings.pop(symbol, None)
            self.texts.pop(symbol, None)
            return False
        self.texts[symbol] = text
        crossing = self._crossings.setdefault(symbol, _Crossing(now + CROSSED_NS))
        if now < crossing.due_ns:
            return False
        crossing.wait_ns = min(2 * crossing.wait_ns, MAX_WAIT_NS)
        crossing.due_ns = now + crossing.wait_ns
        return True
