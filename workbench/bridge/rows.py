"""Events of one instrument before they are stamped and numbered: columns, and how a message becomes one row."""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np

from workbench.bridge.wire import Depth, Interval, MarketMessage, Mbo, Trade
from workbench.events import COLUMNS, SUBTICK_SHIFT, SUBTICKS_PER_TICK, Array, EventKind, Flag

ROW_COLUMNS: Final = COLUMNS[2:]
"""Columns of an event but its two times."""

Row = tuple[int, int, int, int, int, int, int]
"""kind, side, price, size, order_id, aggressor_id, flags."""
pack: Final = struct.Struct("<BbxxiqqqHxxxxxx").pack
"""Make the bytes of one row of its seven values; struct.error if they are not of their columns."""
_PACKED: Final = np.dtype([(c.name, c.dtype) for c in ROW_COLUMNS], align=True)
_PACKED_NAMES: Final = tuple(column.name for column in ROW_COLUMNS)


class Rows(NamedTuple):
    """Columns of events without their times; each of shape (n_rows,)."""

    kind: Array
    side: Array
    price: Array
    size: Array
    order_id: Array
    aggressor_id: Array
    flags: Array

    @classmethod
    def zeros(cls, count: int) -> Rows:
        """Return rows that say nothing yet."""
        return cls(*(np.zeros(count, column.dtype) for column in ROW_COLUMNS))

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Rows:
        """Return the columns of single rows."""
        if not rows:
            return cls.zeros(0)
        return cls(*(np.array(values, c.dtype) for values, c in zip(zip(*rows), ROW_COLUMNS)))

    @classmethod
    def packed(cls, rows: bytearray) -> Rows:
        """Return the columns of rows made by :data:`pack`, as views of these bytes."""
        table = np.frombuffer(rows, _PACKED)
        return cls._make([table[name] for name in _PACKED_NAMES])

    @classmethod
    def join(cls, parts: Iterable[Rows]) -> Rows:
        """Return the rows of all parts, in order."""
        known = [part for part in parts if part.length]
        if len(known) == 1:
            return known[0]
        return cls(*(np.concatenate(columns) for columns in zip(*known))) if known else cls.zeros(0)

    @property
    def length(self) -> int:
        """Number of rows (``len`` is the number of columns)."""
        return len(self.kind)

    def take(self, which: slice | Array) -> Rows:
        """Return some rows: a slice (views) or a mask."""
        return Rows(*(column[which] for column in self))

    def put(self, index: int, row: Row) -> None:
        """Overwrite one row."""
        for column, value in zip(self, row):
            column[index] = value


def row_of(message: MarketMessage) -> Row:
    """Row of a market message; a CLOCK row is numbered later."""
    match message:
        case Depth():
            return (_DEPTH, 1 if message.is_bid else -1, message.price, message.size, 0, 0, 0)
        case Mbo():
            kind, side = ACTIONS[message.action]
            return (kind, side, message.price, message.size, order_number(message.order_id), 0, 0)
        case Trade():
            return _trade_row(message)
        case Interval():
            return (_CLOCK, 0, 0, 0, 0, 0, 0)


def _trade_row(trade: Trade) -> Row:
    tick, thousandths = split_price(trade.price)
    flags = thousandths << SUBTICK_SHIFT
    flags |= trade.is_otc * _OTC | trade.is_start * _START | trade.is_end * _END
    ids = order_number(trade.passive_id), order_number(trade.aggressor_id)
    return (_TRADE, 1 if trade.is_buy else -1, tick, trade.size, *ids, flags)


def split_price(price: float) -> tuple[int, int]:
    """Tick at or below a price in ticks, and the rest in thousandths of a tick, 0–999.

    >>> split_price(20512.5), split_price(-0.25), split_price(7.9999999)
    ((20512, 500), (-1, 750), (8, 0))
    """
    tick = math.floor(price)
    thousandths = round((price - tick) * SUBTICKS_PER_TICK)
    return (tick + 1, 0) if thousandths == SUBTICKS_PER_TICK else (tick, thousandths)


def order_number(text: str) -> int:
    """Return the number of an order: what its decimal text says, else a negative one made of the text.

    Stateless, so that an order has the same number after a restart: text that is no number from 1 to 2⁶³ − 1 in its
    shortest spelling becomes the negative of 63 bits of its BLAKE2b hash. No text is 0, no order.
    """
    if not text:
        return 0
    if len(text) <= _MOST_DIGITS and text[0] != "0" and text.isascii() and text.isdigit():
        number = int(text)
        if number < 2**63:
            return number
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return -1 - (int.from_bytes(digest, "big") >> 1)


_MOST_DIGITS: Final = 19
_DEPTH: Final = int(EventKind.DEPTH)
_MBO_CANCEL: Final = int(EventKind.MBO_CANCEL)
_TRADE: Final = int(EventKind.TRADE)
_CLOCK: Final = int(EventKind.CLOCK)
_OTC: Final = int(Flag.OTC)
_START: Final = int(Flag.EXEC_START)
_END: Final = int(Flag.EXEC_END)
ACTIONS: Final = {
    "BID_NEW": (int(EventKind.MBO_NEW), 1),
    "ASK_NEW": (int(EventKind.MBO_NEW), -1),
    "REPLACE": (int(EventKind.MBO_REPLACE), 0),
    "CANCEL": (int(EventKind.MBO_CANCEL), 0),
}
