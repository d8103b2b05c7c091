"""The fast way through a block of lines: whole columns at once, for the events of one instrument.

Nearly all that Bookmap sends is four kinds of lines about the one instrument of this process. Their separators are found
in one pass, what stands before the first value is compared as words, and the numbers of all lines are read together. A
line that is not exactly as expected is left to :func:`workbench.bridge.wire.parse`, at its place in the order, so that
both ways always agree.

A step over a column costs 1–10 ns a line and 1–3 µs in itself (measured), so there are few steps and no loops.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from workbench.bridge.codes import SEPARATOR_BYTES, Type
from workbench.bridge.digits import Text, word_of
from workbench.bridge.rows import Rows, order_number, split_price
from workbench.bridge.spelling import tick_price
from workbench.events import SUBTICK_SHIFT, Array, EventKind, Flag

_NEWLINE: Final = ord("\n")
_ZERO: Final = ord("0")
_POINT: Final = ord(".")
_SEPARATOR_LENGTH: Final = len(SEPARATOR_BYTES)
_MOST_FIELDS: Final = 10

_BID_NEW: Final = word_of(b"BID_NEW" + SEPARATOR_BYTES[:1])
_ASK_NEW: Final = word_of(b"ASK_NEW" + SEPARATOR_BYTES[:1])
_REPLACE: Final = word_of(b"REPLACE" + SEPARATOR_BYTES[:1])
_CANCEL: Final = word_of(b"CANCEL" + SEPARATOR_BYTES[:2])
_TWO_FLAGS: Final = word_of((SEPARATOR_BYTES + b"0") * 2)
_NOT_FLAGS: Final = np.uint64(~(1 << 24 | 1 << 56) & (2**64 - 1))
_FIRST_FLAG: Final = 24
_SECOND_FLAG: Final = 56

TYPE_OF_KIND: Final = {
    int(kind): int(type_)
    for kind, type_ in (
        (EventKind.DEPTH, Type.DEPTH),
        (EventKind.TRADE, Type.TRADE),
        (EventKind.CLOCK, Type.ON_INTERVAL),
        (EventKind.MBO_NEW, Type.MBO),
        (EventKind.MBO_REPLACE, Type.MBO),
        (EventKind.MBO_CANCEL, Type.MBO),
    )
}
_INTERVAL_SEPARATORS: Final = 1
_DEPTH_SEPARATORS: Final = 4
_MBO_SEPARATORS: Final = 5
_TRADE_SEPARATORS: Final = 9
_HEADS: Final = {
    _INTERVAL_SEPARATORS: (b"12", EventKind.CLOCK),
    _DEPTH_SEPARATORS: (b"8", EventKind.DEPTH),
    _MBO_SEPARATORS: (b"18", EventKind.MBO_REPLACE),
    _TRADE_SEPARATORS: (b"5", EventKind.TRADE),
}
"""By their number of separators, what lines begin with and the kind of event they are."""

_HEAD: Final = np.ones(_MOST_FIELDS + 1, np.uint64)
_HEAD_MASK: Final = np.zeros(_MOST_FIELDS + 1, np.uint64)  # nothing masked with 0 is 1
_ALIAS_AT: Final = np.zeros(_MOST_FIELDS + 1, np.int64)
_KIND: Final = np.zeros(_MOST_FIELDS + 1, np.uint8)
for _count, (_type, _kind) in _HEADS.items():
    _HEAD[_count] = word_of(_type + SEPARATOR_BYTES)
    _ALIAS_AT[_count] = len(_type) + _SEPARATOR_LENGTH
    _HEAD_MASK[_count] = 2 ** (8 * int(_ALIAS_AT[_count])) - 1
    _KIND[_count] = _kind


class Table(NamedTuple):
    """Lines of a block, one row each; ``odd``: rows that mean nothing (kind 0), as their lines must be read one by one."""

    rows: Rows
    odd: Array
    text: Text
    starts: Array
    ends: Array

    def line(self, index: int) -> bytes:
        """Return one line, without its end."""
        return self.text.between(int(self.starts[index]), int(self.ends[index]))


class _Lines(NamedTuple):
    """Lines with equally many fields: their rows, and what stands before each field and behind the last."""

    rows: Array
    marks: Array

    def start(self, field: int) -> Array:
        """Return where a field begins; field 0 is the type."""
        start: Array = self.marks[field] + _SEPARATOR_LENGTH
        return start

    def end(self, field: int) -> Array:
        """Return where a field ends."""
        end: Array = self.marks[field + 1]
        return end


class Scanner:
    """Read blocks of lines of one instrument.

    Parameters
    ----------
    alias : str
        Lines about another one are odd.
    """

    def __init__(self, alias: str) -> None:
        name = alias.encode("utf-8", "surrogatepass")
        pieces = [(place, name[place : place + 8]) for place in range(0, len(name), 8)]
        self._length = len(name)
        self._words = [(place, word_of(p), np.uint64(2 ** (8 * len(p)) - 1)) for place, p in pieces]

    def scan(self, block: bytes) -> Table:
        r"""Read whole lines, each with its ``\n``."""
        text = Text(block)
        marks = _marks(text)
        newlines = np.flatnonzero(text.codes.take(marks) == _NEWLINE)
        places = marks.take(newlines)
        starts, ends, before = places[:-1] + 1, places[1:], newlines[:-1]
        separators = np.minimum(np.diff(newlines) - 1, _MOST_FIELDS)
        good = self._is_ours(text, starts, separators, marks.take(before + 2, mode="clip"))
        rows = Rows.zeros(len(ends))
        np.copyto(rows.kind, _KIND.take(separators))
        depths, mbos, trades = (
            _lines(count, good & (separators == count), before, marks)
            for count in (_DEPTH_SEPARATORS, _MBO_SEPARATORS, _TRADE_SEPARATORS)
        )
        price_good, size_good = _read_numbers(text, depths, mbos, trades, rows)
        _read_order_numbers(text, mbos, trades, rows, good)
        good[depths.rows] &= _read_sides(text, depths, rows)
        good[mbos.rows] &= _read_actions(text, mbos, rows, price_good, size_good)
        good[trades.rows] &= _read_flags(text, trades, rows)
        _read_trade_prices(text, trades, rows, price_good)
        good &= price_good
        good &= size_good
        odd = np.flatnonzero(~good)
        rows.kind[odd] = 0
        return Table(rows, odd, text, starts, ends)

    def _is_ours(self, text: Text, starts: Array, separators: Array, second: Array) -> Array:
        """Whether lines are of a known type, and their next field is our instrument; it ends at ``second``."""
        head = text.words[starts]
        head &= _HEAD_MASK.take(separators)
        good: Array = head == _HEAD.take(separators)
        alias = starts + _ALIAS_AT.take(separators)
        good &= second == alias + self._length
        for place, word, mask in self._words:
            good &= (text.words[np.minimum(alias + place, len(text.words) - 1)] & mask) == word
        return good


def _marks(text: Text) -> Array:
    """Places of all newlines and separators."""
    codes = text.codes
    first, second, third = SEPARATOR_BYTES
    found = codes[:-2] == first
    found &= codes[1:-1] == second
    found &= codes[2:] == third
    found |= codes[:-2] == _NEWLINE
    return np.flatnonzero(found)


def _lines(separators: int, which: Array, before: Array, marks: Array) -> _Lines:
    rows = np.flatnonzero(which)
    return _Lines(rows, marks.take(before.take(rows) + np.arange(separators + 2)[:, np.newaxis]))


def _read_numbers(
    text: Text, depths: _Lines, mbos: _Lines, trades: _Lines, rows: Rows
) -> tuple[Array, Array]:
    """Read prices and sizes of all lines, in one go; return where the price is a number, and where the size is."""
    prices = ((depths, 3), (mbos, 4), (trades, 2))
    before = [group.end(field + more - 1) for more in (0, 1) for group, field in prices]
    ends = [group.end(field + more) for more in (0, 1) for group, field in prices]
    ends[2] = ends[2] - 2  # prices of trades are doubles; nearly all end in ".0"
    number, fits = text.signed(np.concatenate(before) + _SEPARATOR_LENGTH, np.concatenate(ends))
    row = np.concatenate([group.rows for group, _ in prices])
    price_good, size_good = np.ones((2, rows.length), np.bool_)
    rows.price[row], rows.size[row] = number[: len(row)], number[len(row) :]
    price_good[row] = fits[: len(row)]
    size_good[row] = fits[len(row) :] & (number[len(row) :] >= 0)
    return price_good, size_good


def _read_sides(text: Text, depths: _Lines, rows: Rows) -> Array:
    """``8 alias isBid price size``: the side; return where it is one."""
    start = depths.start(2)
    is_bid = text.codes.take(start) - _ZERO  # wraps round below "0"
    rows.side[depths.rows] = 2 * is_bid.view(np.int8) - 1
    good: Array = (is_bid <= 1) & (depths.end(2) == start + 1)
    return good


def _read_actions(text: Text, mbos: _Lines, rows: Rows, price_good: Array, size_good: Array) -> Array:
    """``18 alias action orderId price size``: kind and side; return where the action is one."""
    if not len(mbos.rows):
        return np.ones(0, np.bool_)
    action = text.words[mbos.start(2)]
    bid, ask, cancel = action == _BID_NEW, action == _ASK_NEW, action == _CANCEL
    new = bid | ask
    rows.kind[mbos.rows[new]] = int(EventKind.MBO_NEW)
    rows.side[mbos.rows] = bid.view(np.int8) - ask.view(np.int8)
    gone = mbos.rows[cancel]
    rows.kind[gone] = int(EventKind.MBO_CANCEL)
    rows.price[gone] = rows.size[gone] = 0  # the line says −1, −1
    price_good[gone] = size_good[gone] = True
    good: Array = new | cancel | (action == _REPLACE)
    return good


def _read_flags(text: Text, trades: _Lines, rows: Rows) -> Array:
    """``5 alias price size isOtc isBidAggressor isStart isEnd …``: side and flags; return where all four are bits."""
    before = trades.end(3)
    first, second = text.words[before] ^ _TWO_FLAGS, text.words[before + 8] ^ _TWO_FLAGS
    rows.side[trades.rows] = 2 * (first >> np.uint64(_SECOND_FLAG)).view(np.int64) - 1
    flags = _bit(first, _FIRST_FLAG) * int(Flag.OTC)
    flags += _bit(second, _FIRST_FLAG) * int(Flag.EXEC_START) + _bit(second, _SECOND_FLAG) * int(
        Flag.EXEC_END
    )
    rows.flags[trades.rows] = flags
    good: Array = (((first | second) & _NOT_FLAGS) == 0) & (trades.end(7) == before + 16)
    return good


def _read_trade_prices(text: Text, trades: _Lines, rows: Rows, price_good: Array) -> None:
    """Look one by one at the prices of trades that do not end in ``.0``."""
    ends = trades.end(2)
    whole = price_good[trades.rows]
    whole &= (text.codes.take(ends - 2) == _POINT) & (text.codes.take(ends - 1) == _ZERO)
    for at in np.flatnonzero(~whole).tolist():
        row = trades.rows[at]
        try:
            spelled = text.between(int(trades.start(2)[at]), int(ends[at])).decode()
            rows.price[row], rest = split_price(tick_price(spelled))
            rows.flags[row] |= rest << SUBTICK_SHIFT
            price_good[row] = True
        except ValueError:
            price_good[row] = False


def _read_order_numbers(text: Text, mbos: _Lines, trades: _Lines, rows: Rows, good: Array) -> None:
    """Numbers of orders, in one go; an order's own line must have one, a trade may leave them out."""
    fields = ((mbos, 3, rows.order_id), (trades, 9, rows.order_id), (trades, 8, rows.aggressor_id))
    starts = np.concatenate([group.end(field - 1) for group, field, _ in fields])
    starts += _SEPARATOR_LENGTH
    ends = np.concatenate([group.end(field) for group, field, _ in fields])
    named = ends > starts
    if not named.any():
        good[mbos.rows] = False
        return
    value, numeric = text.whole(starts, ends)
    number = value.view(np.int64)
    numeric &= (number > 0) & (text.codes.take(starts) != _ZERO)
    row = np.concatenate([group.rows for group, _, _ in fields])
    for at in np.flatnonzero(named & ~numeric).tolist():
        try:
            number[at] = order_number(text.between(int(starts[at]), int(ends[at])).decode())
        except UnicodeDecodeError:
            good[row[at]] = False
    number[~named] = 0
    good[mbos.rows] &= named[: len(mbos.rows)]
    cuts = np.cumsum([len(mbos.rows), len(trades.rows)])
    for part, (group, _, column) in zip(np.split(number, cuts), fields):
        column[group.rows] = part


def _bit(words: Array, number: int) -> Array:
    bit: Array = ((words >> np.uint64(number)) & np.uint64(1)).view(np.int64)
    return bit
