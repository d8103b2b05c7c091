"""What no market sends: a bid above the ask, and times of another age.

Neither is repaired by guessing and neither ends anything: what came is kept as it came, and whoever acts on it is told.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from workbench.book.quotes import Quotes
from workbench.events import Array, EventKind, Instrument
from workbench.frames.moments import to_datetime

DAY_NS: Final = 86_400 * 10**9
EARLIEST_NS: Final = 365 * DAY_NS
"""Stamps of 1970 are those of a clock that was never set, or of a unit that was mistaken."""
LATEST_NS: Final = 2**63 - 1
# They mark the stream and carry the time of their neighbours, which may not have come yet.
_MARKS = (EventKind.CLEAR, EventKind.SNAPSHOT_END, EventKind.GAP)


def crossed_book(book: Quotes, instrument: Instrument) -> str:
    """Say that a book is crossed, and therefore not to be acted on; empty when it is not.

    >>> from workbench.book.levels import LevelBook
    >>> crossed_book(LevelBook(), Instrument("X", "0.1"))
    ''
    """
    bid, ask = book.best_bid, book.best_ask
    if bid is None or ask is None or bid <= ask:
        return ""
    return f"crossed {instrument.price(bid):f}≥{instrument.price(ask):f}, stale"


class SuspectTimes:
    """Counts events stamped in 1970, or later than they can be.

    Attributes
    ----------
    count : int
    first_ns : int or None
        The first of them, ns since the epoch.
    """

    __slots__ = ("count", "first_ns")

    def __init__(self) -> None:
        self.count = 0
        self.first_ns: int | None = None

    def add(self, ts: Array, kind: Array, latest_ns: int = LATEST_NS) -> None:
        """Take rows into account.

        Parameters
        ----------
        ts, kind : array, shape (n_events,)
            Columns of events.
        latest_ns : int, ns since the epoch
            Later than this is suspect: for live events a day after the wall clock.
        """
        rows = np.flatnonzero((ts < EARLIEST_NS) | (ts > latest_ns))
        if not len(rows):
            return
        rows = rows[~np.isin(kind[rows], _MARKS)]
        self.count += len(rows)
        if len(rows) and self.first_ns is None:
            self.first_ns = int(ts[rows[0]])

    def __str__(self) -> str:
        if self.first_ns is None:
            return ""
        return (
            f"clock_suspect: {self.count} events, the first stamped {to_datetime(self.first_ns).isoformat()}"
        )
