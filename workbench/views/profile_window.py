"""Trades of a span that moves: what enters is added to the profile, what leaves is taken out, exactly."""

from __future__ import annotations

from workbench.events import EventBatch
from workbench.flow.prints import prints_of_batch
from workbench.flow.profile import ProfileBuilder
from workbench.views.live import Captured


class ProfileWindow:
    """Profile of the trades of one capture between two rows.

    Parameters
    ----------
    capture : Captured
    row_ticks : int
    """

    def __init__(self, capture: Captured, row_ticks: int):
        self._capture = capture
        self.builder = ProfileBuilder(capture.instrument, row_ticks)
        self.start = self.stop = 0

    def move(self, start_ns: int | None, end_ns: int | None) -> bool:
        """Sum the trades with ``start_ns`` ≤ ts < ``end_ns`` (None: no bound); whether that changed anything."""
        trades = self._capture.trades
        length = len(trades)
        start = 0 if start_ns is None else min(trades.row_at(start_ns), length)
        stop = length if end_ns is None else max(start, min(trades.row_at(end_ns), length))
        if (start, stop) == (self.start, self.stop):
            return False
        if start >= self.stop or stop <= self.start:
            self.builder = ProfileBuilder(self.builder.instrument, self.builder.row_ticks)
            self.start = self.stop = start
        self._shift(start, stop)
        self.start, self.stop = start, stop
        return True

    def _shift(self, start: int, stop: int) -> None:
        for low, high, entering in (
            (start, self.start, True),
            (self.start, start, False),
            (self.stop, stop, True),
            (stop, self.stop, False),
        ):
            for chunk in self._capture.trades.chunks(low, high) if low < high else ():
                prints = prints_of_batch(EventBatch.trusted(tuple(chunk[:9]), 0))
                if entering:
                    self.builder.update(prints)
                else:
                    self.builder.forget(prints)
