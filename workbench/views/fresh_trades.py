"""Trades of a capture as they come, with the places where events are missing."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from workbench.events import EventBatch, EventKind, Flag, IntArray
from workbench.flow.prints import Prints, prints_of_batch
from workbench.views.live import Captured
from workbench.views.reading import reading_of


class Fresh(NamedTuple):
    """Trades that are new, and before which of them events are missing (their number: after the last)."""

    prints: Prints
    gaps: IntArray


class FreshTrades:
    """Reads the trades of a capture once, in order, whole.

    Parameters
    ----------
    capture : Captured
        Of a session or of a recording.
    """

    def __init__(self, capture: Captured):
        self._capture: Any = capture
        self.restart()

    def restart(self) -> None:
        """Begin again with the first trade."""
        self._source: object = self._capture.trades
        self.row = 0
        self._gaps = 0

    def is_outdated(self) -> bool:
        """Whether the capture began anew since :meth:`restart`, as it does after a seek."""
        return self._capture.trades is not self._source

    def take(self) -> Fresh | None:
        """Everything that is new; None where there is nothing."""
        with self._capture.lock:
            trades = self._capture.trades
            start, stop = self.row, len(trades)
            lost = self._lost_after(self._gaps)
            if (
                len(lost) and reading_of(self._capture) is not None
            ):  # trades before the later gaps are to come
                lost = lost[lost <= (trades.sequence(stop - 1, stop)[0] if stop else -1)]
        if start == stop and not len(lost):
            return None
        self.row, self._gaps = stop, self._gaps + len(lost)
        batch = EventBatch.trusted(trades.view(start, stop), 0)
        counted = (batch.kind == EventKind.TRADE) & (batch.size > 0) & ((batch.flags & Flag.OTC) == 0)
        places = np.searchsorted(trades.sequence(start, stop)[counted], lost)
        return Fresh(prints_of_batch(batch), places.astype(np.int64))

    def _lost_after(self, known: int) -> IntArray:
        rows = getattr(self._capture, "gap_rows", None)
        if rows is None:
            sequence: IntArray = self._capture.gaps["sequence"].to_numpy()[known:]
            return sequence
        found: IntArray = rows.sequence(known) if len(rows) > known else np.empty(0, np.int64)
        return found
