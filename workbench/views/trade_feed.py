"""The trades of a capture as the formulas want them, in bounded pieces that stop where something begins again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import tzinfo
from typing import Final, NamedTuple

from workbench.events import EventBatch
from workbench.flow.days import day_after
from workbench.flow.prints import Prints, prints_of_batch, split
from workbench.views.live import Captured

ROWS_AT_ONCE: Final = 1 << 15
"""About 5 ms of work for a panel of four lines."""


class Piece(NamedTuple):
    """Trades, and what begins with the first of them."""

    prints: Prints
    moments: tuple[int, ...]
    """Those of the feed's moments that lie after the trade before and not after the first one."""
    new_day: bool
    first: bool
    """Whether these are the first trades of all."""


class TradeFeed:
    """Reads on where it stopped.

    Parameters
    ----------
    capture : Captured
    moments : iterable of int, ns
        A piece ends before the first trade at or after each of them.
    days : tzinfo or None
        A piece ends also at each midnight of this zone.
    """

    def __init__(self, capture: Captured, moments: Iterable[int], days: tzinfo | None):
        self._capture = capture
        self._moments = sorted(set(moments))
        self._days = days
        self._row = 0
        self._newest = -(1 << 62)
        self.seen = 0

    @property
    def behind(self) -> bool:
        """Whether trades are left to read."""
        return self._row < len(self._capture.trades)

    def pieces(self, rows: int = ROWS_AT_ONCE) -> Iterator[Piece]:
        """At most so many rows that came since, cut where something begins."""
        trades = self._capture.trades
        stop = min(len(trades), self._row + rows)
        for chunk in trades.chunks(self._row, stop):
            yield from self._cut(prints_of_batch(EventBatch.trusted(tuple(chunk[:9]), 0)))
        self._row = stop

    def _cut(self, prints: Prints) -> Iterator[Piece]:
        if not len(prints.ts):
            return
        for part in split(prints, self._due(prints)):
            if len(part.ts):
                yield self._piece(part)

    def _due(self, prints: Prints) -> list[int]:
        first, last = int(prints.ts[0]), int(prints.ts[-1])
        due = [moment for moment in self._moments if first <= moment <= last]
        if self._days is not None:
            midnight = day_after(first, self._days)
            while midnight <= last:
                due.append(midnight)
                midnight = day_after(midnight, self._days)
        return due

    def _piece(self, prints: Prints) -> Piece:
        start, before = int(prints.ts[0]), self._newest
        moments = tuple(moment for moment in self._moments if before < moment <= start)
        new_day = bool(self._days is not None and self.seen and day_after(before, self._days) <= start)
        piece = Piece(prints, moments, new_day, not self.seen)
        self.seen += len(prints.ts)
        self._newest = int(prints.ts[-1])
        return piece
