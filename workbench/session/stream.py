"""One instrument of a session: its state at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from workbench.frames.book_view import BookView

if TYPE_CHECKING:
    import polars as pl

    from workbench.events import EventBatch
    from workbench.frames.capture import Capture
    from workbench.instruments import Instrument

BOOK_LEVELS = 20


class Stream:
    """What a session knows of one instrument, for whatever takes a session. Frames are snapshots: what comes later does not change them."""

    def __init__(self, capture: Capture):
        self.capture = capture

    @property
    def instrument(self) -> Instrument:
        """The instrument."""
        return self.capture.instrument

    @property
    def symbol(self) -> str:
        """Its name."""
        return self.capture.instrument.symbol

    @property
    def book(self) -> BookView:
        """Best 20 levels of each side now, in real units; :meth:`top` gives any number."""
        return self.top(BOOK_LEVELS)

    def top(self, levels: int | None = BOOK_LEVELS) -> BookView:
        """Look at the best levels of the book, None: at all of them."""
        with self.capture.lock:
            return BookView.of(self.capture.book, self.instrument, self.capture.last_ts, levels)

    @property
    def trades(self) -> pl.DataFrame:
        """Trades so far, in real units."""
        with self.capture.lock:
            return self.capture.trades_frame()

    @property
    def depth(self) -> pl.DataFrame:
        """Depth changes so far, in real units."""
        with self.capture.lock:
            return self.capture.depth_frame()

    @property
    def events(self) -> pl.DataFrame:
        """Every event so far, as stored: ticks and lots."""
        with self.capture.lock:
            return self.capture.events_frame()

    def batches(self) -> Iterator[EventBatch]:
        """Every event so far, batch by batch: what indicators, signals, studies and backtests read."""
        from workbench.flow.batches import captured_batches

        return captured_batches(self.capture)

    @property
    def gaps(self) -> pl.DataFrame:
        """Where events are missing."""
        with self.capture.lock:
            return self.capture.gaps

    def bars(self, interval: str = "1s") -> pl.DataFrame:
        """Time bars of the trades so far."""
        from workbench.flow.bars import bars

        return bars(self, interval)

    def __repr__(self) -> str:
        return f"Stream({self.symbol})"
