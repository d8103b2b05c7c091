"""The state of the books between two events, as rows, as binary frames and as JSON messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np

from workbench.errors import ProtocolError
from workbench.events import Array, EventBatch, EventKind, Flag, Instrument
from workbench.protocol.codec import encode_snapshot
from workbench.protocol.limits import MAX_ROWS_PER_FRAME
from workbench.protocol.messages import Count, Int64, Message, Real
from workbench.protocol.rows import SnapshotEnd, grid_steps, lots_of

Level = tuple[Real, Real]
OrderRow = tuple[Int64, str, Real, Real]


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

    def to_batch(self) -> EventBatch:
        """Rows CLEAR, bids, asks, orders, SNAPSHOT_END, all flagged SNAPSHOT, numbered to end before the next."""
        none = np.zeros(0, np.int64)
        order_ids, sides, prices, sizes = self.orders or (none, none, none, none)
        bids, asks = len(self.bids[0]), len(self.asks[0])
        kinds = np.repeat(_KINDS_IN_ORDER, (1, bids, asks, len(order_ids), 1))
        side = np.repeat(np.array([0, 1, -1, 0], np.int8), (1, bids, asks, len(order_ids) + 1))
        side[1 + bids + asks : -1] = sides
        return EventBatch.of(
            self.next_sequence - len(kinds),
            ts=self.ts,
            kind=kinds,
            side=side,
            price=_framed(0, self.bids[0], self.asks[0], prices),
            size=_framed(0, self.bids[1], self.asks[1], sizes),
            order_id=_framed(bids + asks, order_ids),
            flags=int(Flag.SNAPSHOT),
        )


_KINDS_IN_ORDER: Final = np.array(
    [EventKind.CLEAR, EventKind.DEPTH, EventKind.DEPTH, EventKind.MBO_NEW, EventKind.SNAPSHOT_END], np.uint8
)


def _framed(zeros: int, *parts: Array) -> Array:
    """Values with rows of 0 for CLEAR (and ``zeros`` more) before and SNAPSHOT_END after."""
    return np.concatenate([np.zeros(1 + zeros, np.int64), *parts, np.zeros(1, np.int64)])


def binary_snapshot(state: BookState, stream: int, send_ns: int) -> list[bytes]:
    """Frames of a snapshot; more than one when it is long."""
    batch = state.to_batch()
    return [
        encode_snapshot(batch[start : start + MAX_ROWS_PER_FRAME], state.next_sequence, stream, send_ns)
        for start in range(0, len(batch), MAX_ROWS_PER_FRAME)
    ]


class SnapshotMessage(Message, kw_only=True, tag="SNAPSHOT"):
    """The books after event ``sequence``: ``[price, size]`` best first; ``SNAPSHOT_END`` follows.

    A long one comes in several messages, ``part`` 0 to ``parts`` − 1; levels of later parts come after those before.
    ``orders`` (with MBO): ``[order_id, "BID" | "ASK", price, size]``, oldest first in a level.
    """

    symbol: str
    sequence: Int64
    ts: Int64
    bids: list[Level]
    asks: list[Level]
    orders: list[OrderRow] = msgspec.field(default_factory=list)
    part: Count = 0
    parts: Count = 1


class Dom(Message, kw_only=True, tag="DOM"):
    """The top of the book after event ``sequence``, at most once per interval: ``[price, size]`` best first."""

    symbol: str
    sequence: Int64
    ts: Int64
    bids: list[Level]
    asks: list[Level]


_ENCODER: Final = msgspec.json.Encoder()


def real_levels(side: tuple[Array, Array], instrument: Instrument) -> list[Level]:
    """``(price, size)`` in real units, best first."""
    return list(zip(instrument.prices(side[0]).tolist(), real_sizes(side[1], instrument)))


def real_sizes(lots: Array, instrument: Instrument) -> list[float]:
    """Sizes in real units; whole numbers where a lot is a whole number."""
    if instrument.lot_size == instrument.lot_size.to_integral():
        lot = int(instrument.lot_size)
        return [n * lot for n in lots.tolist()]
    sizes: list[float] = instrument.sizes(lots).tolist()
    return sizes


def json_snapshot(state: BookState, instrument: Instrument) -> list[str]:
    """SNAPSHOT (one or more) and SNAPSHOT_END."""
    bids, asks = real_levels(state.bids, instrument), real_levels(state.asks, instrument)
    orders = _real_orders(state, instrument)
    count = max(len(bids), len(asks), len(orders), 1)
    parts = -(-count // MAX_ROWS_PER_FRAME)
    common: dict[str, Any] = {
        "symbol": instrument.symbol,
        "sequence": state.next_sequence - 1,
        "ts": state.ts,
    }
    messages: list[Message] = []
    for start in range(0, count, MAX_ROWS_PER_FRAME):
        part = slice(start, start + MAX_ROWS_PER_FRAME)
        number = start // MAX_ROWS_PER_FRAME
        messages.append(
            SnapshotMessage(
                **common, bids=bids[part], asks=asks[part], orders=orders[part], part=number, parts=parts
            )
        )
    messages.append(SnapshotEnd(**common))
    return [_ENCODER.encode(message).decode() for message in messages]


def _real_orders(state: BookState, instrument: Instrument) -> list[OrderRow]:
    if state.orders is None:
        return []
    order_ids, sides, prices, sizes = state.orders
    names = ["BID" if side > 0 else "ASK" for side in sides.tolist()]
    real = zip(order_ids.tolist(), names, instrument.prices(prices).tolist(), real_sizes(sizes, instrument))
    return list(real)


def json_dom(state: BookState, instrument: Instrument) -> str:
    """DOM message of a state cut to its top levels."""
    bids, asks = real_levels(state.bids, instrument), real_levels(state.asks, instrument)
    message = Dom(
        symbol=instrument.symbol, sequence=state.next_sequence - 1, ts=state.ts, bids=bids, asks=asks
    )
    return _ENCODER.encode(message).decode()


def state_of(parts: list[SnapshotMessage], instrument: Instrument) -> BookState:
    """State that JSON snapshot messages describe; inverse of :func:`json_snapshot`.

    Raises
    ------
    ProtocolError
        A price or size off the grid, a side that is none.
    """
    orders = [order for part in parts for order in part.orders]
    return BookState(
        next_sequence=parts[0].sequence + 1,
        ts=parts[0].ts,
        bids=_level_columns([level for part in parts for level in part.bids], instrument),
        asks=_level_columns([level for part in parts for level in part.asks], instrument),
        orders=_order_columns(orders, instrument) if orders else None,
    )


def _level_columns(levels: list[Level], instrument: Instrument) -> tuple[Array, Array]:
    return (
        _price_column([price for price, _ in levels], instrument),
        np.array([lots_of(size, instrument) for _, size in levels], np.int64),
    )


def _price_column(prices: list[Real], instrument: Instrument) -> Array:
    ticks = np.array([grid_steps(price, instrument, "price") for price in prices], dtype=object)
    if len(ticks) and not (min(ticks) >= -(2**31) and max(ticks) < 2**31):
        raise ProtocolError("a price beyond 32 bits of ticks", code="out_of_range", field="price")
    return ticks.astype(np.int32)


def _order_columns(orders: list[OrderRow], instrument: Instrument) -> tuple[Array, Array, Array, Array]:
    sides = {"BID": 1, "ASK": -1}
    if any(order[1] not in sides for order in orders):
        raise ProtocolError("an order of a side that is none", expected="BID or ASK", code="bad_value")
    return (
        np.array([order[0] for order in orders], np.int64),
        np.array([sides[order[1]] for order in orders], np.int8),
        _price_column([order[2] for order in orders], instrument),
        np.array([lots_of(order[3], instrument) for order in orders], np.int64),
    )
