"""One instrument inside the engine: its books, and its stream to all clients."""

from __future__ import annotations

from typing import Final

import numpy as np

from workbench.events import Array, EventBatch, EventKind, Flag, Instrument, Side
from workbench.frames.book_index import Books
from workbench.protocol.stream import BookState, Stream

MAX_PUBLICATIONS: Final = 65_536
"""The engine publishes at most fifty times a second: twenty minutes of a busy market, 130 MB beside the columns."""


class Market:
    """Follow one instrument: apply to the books, hand on to the clients.

    Parameters
    ----------
    instrument : Instrument
    number : int
        Names the stream in binary frames; unique within the engine.
    """

    def __init__(self, instrument: Instrument, number: int):
        self.instrument = instrument
        self.books = Books()
        self.stream = Stream(instrument, number, self.book_state, max_publications=MAX_PUBLICATIONS)
        self.events = 0
        self.last_ts = 0
        self.next_sequence = 0

    def publish(self, batch: EventBatch, send_ns: int) -> None:
        """Take the newest events.

        Parameters
        ----------
        batch : EventBatch
            Starts where the last one ended.
        send_ns : int, ns since the epoch, UTC
            Wall clock, from which clients compute their lag.
        """
        self.books.apply(batch)
        self.events += len(batch)
        self.last_ts = int(batch.ts[-1])
        self.next_sequence = batch.next_sequence
        self.stream.publish(batch, send_ns)

    def book_state(self, levels: int | None, orders: bool) -> BookState:
        """Both books as the protocol sends them: best first; ``levels=None`` is every level."""
        bids, asks = (self._side(side, levels) for side in (Side.BID, Side.ASK))
        return BookState(
            next_sequence=self.next_sequence,
            ts=self.last_ts,
            bids=bids,
            asks=asks,
            valid=self.books.levels.valid,
            orders=self._orders() if orders and self.books.has_orders else None,
        )

    def opening(self, *, history: bool = False) -> list[EventBatch]:
        """Rows that a recording begun now starts with: the books, numbered to end right before the next event.

        ``history``: instead everything since the stream began, as long as the ring holds that.
        """
        past = self.stream.history() if history else None
        if past is not None:
            return past
        rows = self.books.snapshot(self.last_ts)
        return [EventBatch.trusted(rows.columns, self.next_sequence - len(rows))]

    def _side(self, side: Side, levels: int | None) -> tuple[Array, Array]:
        prices, sizes = self.books.levels.levels(side, levels)
        return prices.astype(np.int32), sizes

    def _orders(self) -> tuple[Array, Array, Array, Array]:
        rows = self.books.orders.snapshot(self.last_ts, 0)
        _, columns = rows.where((rows.kind == EventKind.MBO_NEW) & (rows.flags & Flag.SNAPSHOT > 0))
        return columns[6], columns[3], columns[4], columns[5]
