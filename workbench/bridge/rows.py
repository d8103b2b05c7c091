"""Events of one instrument before they are stamped and numbered: columns, and how a message becomes one row."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np

from workbench.bridge.codes import SEPARATOR
from workbench.bridge.wire import Depth, Interval, MarketMessage, Mbo, Trade
from workbench.events import COLUMNS, SUBTICK_SHIFT, SUBTICKS_PER_TICK, Array, EventKind, Flag

ROW_COLUMNS: Final = COLUMNS[2:]
"""Columns of an event but its two times."""

Row = tuple[int, int, int, int, int, int, int]
"""kind, side, price, size, order_id, aggressor_id, flags."""


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


def read_row(line: str) -> tuple[str, Row] | None:
    """Alias and row of a line in the usual spelling; None means: :func:`workbench.bridge.wire.parse` decides."""
    if (match := _DEPTH_LINE.fullmatch(line)) is not None:
        alias, is_bid, price, size = match.groups()
        row = (_DEPTH, 1 if is_bid == "1" else -1, int(price), int(size), 0, 0, 0)
    elif (match := _MBO_LINE.fullmatch(line)) is not None:
        alias, action, order_id, price, size = match.groups()
        kind, side = _ACTIONS[action]
        row = (kind, side, int(price), int(size), order_number(order_id), 0, 0)
    elif (match := _CANCEL_LINE.fullmatch(line)) is not None:
        alias, order_id = match.groups()
        row = (_MBO_CANCEL, 0, 0, 0, order_number(order_id), 0, 0)
    elif (match := _TRADE_LINE.fullmatch(line)) is not None:
        alias, price, size, otc, buy, start, end, aggressor_id, passive_id = match.groups()
        flags = int(otc) * _OTC | int(start) * _START | int(end) * _END
        ids = order_number(passive_id), order_number(aggressor_id)
        row = (_TRADE, 1 if buy == "1" else -1, int(price), int(size), *ids, flags)
    else:
        return None
    return alias, row


def row_of(message: MarketMessage) -> Row:
    """Row of a market message; a CLOCK row is numbered later."""
    match message:
        case Depth():
            return (_DEPTH, 1 if message.is_bid else -1, message.price, message.size, 0, 0, 0)
        case Mbo():
            kind, side = _ACTIONS[message.action]
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
    if _NUMBER.fullmatch(text) is not None and (number := int(text)) < 2**63:
        return number
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return -1 - (int.from_bytes(digest, "big") >> 1)


_NUMBER: Final = re.compile(r"[1-9][0-9]{0,18}")
# Nine digits fit 32 bits, so that nothing is left to check.
_DEPTH_LINE: Final = re.compile("8~([^~]+)~([01])~(-?[0-9]{1,9})~([0-9]{1,9})".replace("~", SEPARATOR))
_MBO_LINE: Final = re.compile(
    "18~([^~]+)~(BID_NEW|ASK_NEW|REPLACE)~([^~]+)~(-?[0-9]{1,9})~([0-9]{1,9})".replace("~", SEPARATOR)
)
_CANCEL_LINE: Final = re.compile("18~([^~]+)~CANCEL~([^~]+)(?:~.*)?".replace("~", SEPARATOR))
_TRADE_LINE: Final = re.compile(
    r"5~([^~]+)~(-?[0-9]{1,9})\.0~([0-9]{1,9})~([01])~([01])~([01])~([01])~([^~]*)~([^~]*)".replace(
        "~", SEPARATOR
    )
)
_DEPTH: Final = int(EventKind.DEPTH)
_MBO_CANCEL: Final = int(EventKind.MBO_CANCEL)
_TRADE: Final = int(EventKind.TRADE)
_CLOCK: Final = int(EventKind.CLOCK)
_OTC: Final = int(Flag.OTC)
_START: Final = int(Flag.EXEC_START)
_END: Final = int(Flag.EXEC_END)
_ACTIONS: Final = {
    "BID_NEW": (int(EventKind.MBO_NEW), 1),
    "ASK_NEW": (int(EventKind.MBO_NEW), -1),
    "REPLACE": (int(EventKind.MBO_REPLACE), 0),
    "CANCEL": (int(EventKind.MBO_CANCEL), 0),
}
