"""What lines of one kind say behind the name of their instrument: one function a kind, all lines of it at once.

Each writes the rows of its lines and returns which of them are exactly as expected; what it wrote into the others counts
for nothing.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from workbench.bridge.codes import SEPARATOR_BYTES
from workbench.bridge.digits import BACK, Text, word_of
from workbench.bridge.rows import Rows, order_number, split_price
from workbench.bridge.spelling import tick_price
from workbench.events import SUBTICK_SHIFT, Array, EventKind, Flag

_ZERO: Final = ord("0")
_POINT: Final = ord(".")
_GAP: Final = len(SEPARATOR_BYTES)

_BID_NEW: Final = word_of(b"BID_NEW" + SEPARATOR_BYTES[:1])
_ASK_NEW: Final = word_of(b"ASK_NEW" + SEPARATOR_BYTES[:1])
_REPLACE: Final = word_of(b"REPLACE" + SEPARATOR_BYTES[:1])
_CANCEL: Final = word_of(b"CANCEL" + SEPARATOR_BYTES[:2])
_ACTION_LENGTH: Final = 7
"""Of all but ``CANCEL``, which has 6."""

SIDE: Final = SEPARATOR_BYTES + b"0" + SEPARATOR_BYTES
"""How the side of a level stands behind the instrument; the lowest bit of the digit says which it is."""
_TWO_FLAGS: Final = word_of((SEPARATOR_BYTES + b"0") * 2)
_NOT_FLAGS: Final = np.uint64(~(1 << 24 | 1 << 56) & (2**64 - 1))
_FIRST_FLAG: Final = 24
_SECOND_FLAG: Final = 56
_BIT: Final = np.uint64(1)

_ORDER_SEPARATORS: Final = 3
_TRADE_SEPARATORS: Final = 7


class Tails(NamedTuple):
    """Lines that begin alike: their rows, and where the rest of each starts and ends."""

    rows: Array
    starts: Array
    ends: Array

    def where(self, good: Array) -> Tails:
        """Return some of them."""
        return Tails(*(column[good] for column in self))


class _Fields(NamedTuple):
    """Lines with equally many fields: their rows, and what stands before each field and behind the last."""

    rows: Array
    marks: Array

    def start(self, field: int) -> Array:
        """Return where a field begins; field 0 is the first behind the instrument."""
        start: Array = self.marks[field] + _GAP
        return start

    def end(self, field: int) -> Array:
        """Return where a field ends."""
        end: Array = self.marks[field + 1]
        return end


def read_intervals(text: Text, tails: Tails, rows: Rows) -> Array:
    """``12 alias`` and the end of the line, which is all compared before."""
    rows.kind[tails.rows] = int(EventKind.CLOCK)
    return np.ones(len(tails.rows), np.bool_)


def read_depths(text: Text, tails: Tails, rows: Rows) -> Array:
    """``8 alias isBid price size``: what follows :data:`SIDE`."""
    (price, size), good = text.pairs(tails.starts, tails.ends)
    good &= size >= 0
    is_bid = text.codes.take(tails.starts - 1 - _GAP) & 1
    rows.kind[tails.rows] = int(EventKind.DEPTH)
    rows.side[tails.rows] = 2 * is_bid.view(np.int8) - 1
    rows.price[tails.rows] = price
    rows.size[tails.rows] = size
    return good


def read_orders(text: Text, tails: Tails, rows: Rows) -> Array:
    """``18 alias action orderId price size``; an order's own line must name it, and a cancelled one says −1, −1."""
    fields, known = _cut(text, tails, _ORDER_SEPARATORS)
    action = text.words[fields.start(0)]
    bid, ask, cancel = action == _BID_NEW, action == _ASK_NEW, action == _CANCEL
    new = bid | ask
    good = new | cancel | (action == _REPLACE)
    # a damaged action may go on with the very bytes that a separator begins with
    good &= fields.end(0) - fields.start(0) + cancel == _ACTION_LENGTH
    price, price_good = text.signed(fields.start(2), fields.end(2))
    size, size_good = text.signed(fields.start(3), fields.end(3))
    good &= price_good & size_good & (cancel | (size >= 0))
    kind = np.where(new, np.uint8(EventKind.MBO_NEW), np.uint8(EventKind.MBO_REPLACE))
    kind[cancel] = int(EventKind.MBO_CANCEL)
    price[cancel] = size[cancel] = 0
    number, named = _order_numbers(text, fields.start(1), fields.end(1))
    good &= named & (number != 0)
    side = bid.view(np.int8) - ask.view(np.int8)
    for column, values in zip(rows, (kind, side, price, size, number)):
        column[fields.rows] = values
    known[known] = good
    return known


def read_trades(text: Text, tails: Tails, rows: Rows) -> Array:
    """``5 alias price size isOtc isBidAggressor isStart isEnd passiveId aggressorId``; the ids may be left out."""
    fields, known = _cut(text, tails, _TRADE_SEPARATORS)
    rows.kind[fields.rows] = int(EventKind.TRADE)
    size, good = text.signed(fields.start(1), fields.end(1))
    good &= size >= 0
    rows.size[fields.rows] = size
    good &= _read_flags(text, fields, rows)
    good &= _read_prices(text, fields, rows)
    for field, column in ((6, rows.aggressor_id), (7, rows.order_id)):
        column[fields.rows], readable = _order_numbers(text, fields.start(field), fields.end(field))
        good &= readable
    known[known] = good
    return known


def _cut(text: Text, tails: Tails, separators: int) -> tuple[_Fields, Array]:
    """Cut lines into their fields; return which lines have so many, and where these fields are."""
    known = tails.ends - tails.starts <= BACK - 8
    if not known.all():
        tails = tails.where(known)
    lengths = tails.ends - tails.starts
    width = (int(lengths.max(initial=0)) + _GAP + 7) // 8 * 8
    codes = text.window(tails.starts, width).reshape(-1).view(np.uint8)
    first, second, third = SEPARATOR_BYTES
    found = codes == first
    found[:-1] &= codes[1:] == second
    found[:-2] &= codes[2:] == third
    table = found.reshape(-1, width)
    table &= np.arange(width, dtype=np.int16) < lengths.astype(np.int16)[:, np.newaxis]
    marks: Array = np.flatnonzero(table)
    line = marks // width
    fitting = np.bincount(line, minlength=len(lengths)) == separators
    marks += (tails.starts - width * np.arange(len(lengths))).take(line)
    if not fitting.all():
        marks, tails = marks[fitting.take(line)], tails.where(fitting)
        known[known] = fitting
    marks = marks.reshape(-1, separators).T
    return _Fields(tails.rows, np.vstack([tails.starts - _GAP, marks, tails.ends])), known


def _read_flags(text: Text, fields: _Fields, rows: Rows) -> Array:
    """Side and flags of trades; return where all four are bits."""
    before = fields.end(1)
    first, second = text.words[before] ^ _TWO_FLAGS, text.words[before + 8] ^ _TWO_FLAGS
    rows.side[fields.rows] = 2 * (first >> np.uint64(_SECOND_FLAG)).view(np.int64) - 1
    flags = _bit(first, _FIRST_FLAG) * int(Flag.OTC)
    flags += _bit(second, _FIRST_FLAG) * int(Flag.EXEC_START) + _bit(second, _SECOND_FLAG) * int(
        Flag.EXEC_END
    )
    rows.flags[fields.rows] = flags
    good: Array = (((first | second) & _NOT_FLAGS) == 0) & (fields.end(5) == before + 16)
    return good


def _read_prices(text: Text, fields: _Fields, rows: Rows) -> Array:
    """Prices of trades, which are doubles; look one by one at those that do not end in ``.0``."""
    starts, ends = fields.start(0), fields.end(0)
    price, good = text.signed(starts, ends - 2)
    rows.price[fields.rows] = price
    good &= (text.codes.take(ends - 2) == _POINT) & (text.codes.take(ends - 1) == _ZERO)
    for at in np.flatnonzero(~good).tolist():
        row = fields.rows[at]
        try:
            rows.price[row], rest = split_price(
                tick_price(text.between(int(starts[at]), int(ends[at])).decode())
            )
            rows.flags[row] |= rest << SUBTICK_SHIFT
            good[at] = True
        except ValueError:
            pass
    return good


def _order_numbers(text: Text, starts: Array, ends: Array) -> tuple[Array, Array]:
    """Numbers of orders, 0 where none is named, and where they can be read."""
    named = ends > starts
    good = np.ones(len(named), np.bool_)
    if not named.any():
        return np.zeros(len(named), np.int64), good
    value, numeric = text.whole(starts, ends)
    number = value.view(np.int64)
    numeric &= (number > 0) & (text.codes.take(starts) != _ZERO)
    for at in np.flatnonzero(named & ~numeric).tolist():
        try:
            number[at] = order_number(text.between(int(starts[at]), int(ends[at])).decode())
        except UnicodeDecodeError:
            good[at] = False
    number[~named] = 0
    return number, good


def _bit(words: Array, number: int) -> Array:
    bit: Array = ((words >> np.uint64(number)) & _BIT).view(np.int64)
    return bit
