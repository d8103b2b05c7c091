"""One instrument on the serving side: its ring of recent events, encoded once for all clients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from workbench.events import Array, EventBatch, Instrument
from workbench.protocol.limits import RING_BYTES


@dataclass(frozen=True, slots=True)
class BookState:
    """The books before event ``next_sequence``.

    Parameters
    ----------
    next_sequence : int
        Number of the first event not contained.
    ts : int, ns UTC
        Time of the last event contained.
    bids, asks : pair of arrays, shape (n_levels,)
        Prices (ticks, int32) and sizes (lots, int64), best first.
    valid : bool
        False after CLEAR or a gap: then there is nothing to send.
    orders : columns of resting orders in queue order, or None
        ``(order_id, side, price, size)``, shape (n_orders,), best level first, oldest first in a level.
    """

    next_sequence: int
    ts: int
    bids: tuple[Array, Array]
    asks: tuple[Array, Array]
    valid: bool = True
    orders: tuple[Array, Array, Array, Array] | None = None


class Stream:
    """Events of one instrument for any number of connections.

    Parameters
    ----------
    instrument : Instrument
    number : int
        Names the stream in binary frames; unique within a server.
    book : callable
        ``book(levels, orders) -> BookState``: the books after everything published; ``levels=None`` all levels.
        Called while a connection asks for data, so it must be consistent with the last :meth:`publish`.
    next_sequence : int
        Number the first published event will have.
    """

    def __init__(
        self,
        instrument: Instrument,
        number: int,
        book: Callable[[int | None, bool], BookState],
        *,
        next_sequence: int = 0,
        ring_bytes: int = RING_BYTES,
    ):
        self.instrument = instrument
        self.number = number
        self.next_sequence = next_sequence

    def publish(self, batch: EventBatch, send_ns: int) -> None:
        """Append to the ring; connections take it from there. ``send_ns``: wall clock, ns UTC."""
