"""Byte scanner of Binance raw captures: one pass over the text, no object per line.

The scanner reads only what it is sure of: the messages of the three streams in any key order, without white space or
escapes. It stops at every other line (a snapshot, another stream, white space, a broken line), which the caller hands
to the plain parser of :mod:`workbench.frames.importers.binance_plain`; both fill the same tables.
"""

# mypy: disable-error-code="assignment,return-value"
# numba wants every number to be an np.int64 from the start; to mypy a plain int is then another type.

from __future__ import annotations

from typing import Final

import numpy as np

from workbench.book.jit import kernel, part
from workbench.events import Array, IntArray
from workbench.frames.importers.binance_tables import (
    DEPTH,
    FIRST_ID,
    FOREIGN,
    KIND,
    LAST_ID,
    OTC,
    PREVIOUS_ID,
    ROW,
    ROWS,
    SOURCE,
    TICKER,
    TRADE,
    TS,
)

DONE: Final = 0
HAND_OVER: Final = 1  # the line at the position is for the plain parser

MS: Final = 1_000_000
MAX_MS: Final = (2**63 - 1) // MS
MAX_DIGITS: Final = 18  # any 18 digits fit int64
STAMP_DIGITS: Final = 19

# Bits of the keys seen in one message; a second sight of the same key is handed over, and refused there.
_E, _T, _S, _U1, _U2, _PU, _ID, _P, _Q, _B, _A, _BB, _AA, _M, _X, _EVENT = (1 << n for n in range(16))
_DEPTH_KEYS = _U1 | _U2 | _S | _B | _A
_TRADE_KEYS = _S | _P | _Q | _M | _ID
_TICKER_KEYS = _S | _U2 | _B | _A | _BB | _AA


@part
def _integer(text: Array, at: int) -> tuple[int, int]:
    """Unsigned integer and the place behind it; -1 where there is none, or none that fits."""
    start = at
    value = 0
    while True:
        digit = np.int64(text[at]) - 48
        if digit < 0 or digit > 9:
            break
        value = value * 10 + digit
        at += 1
    digits = at - start
    if not 0 < digits <= MAX_DIGITS or (digits > 1 and text[start] == 48):  # JSON knows no leading zeros
        return 0, -1
    return value, at


@part
def _decimal(text: Array, at: int, decimals: int) -> tuple[int, int]:
    """Quoted decimal as a multiple of 10^-decimals, and the place behind it; -1 where the plain parser must look."""
    if text[at] != 34:
        return 0, -1
    at += 1
    start = at
    value = np.int64(0)
    while True:
        digit = np.int64(text[at]) - 48
        if digit < 0 or digit > 9:
            break
        value = value * 10 + digit
        at += 1
    digits = at - start
    missing = decimals
    if digits and text[at] == 46:
        at += 1
        start = at
        while True:
            digit = np.int64(text[at]) - 48
            if digit < 0 or digit > 9:
                break
            if missing > 0:
                value = value * 10 + digit
                missing -= 1
                digits += 1
            elif digit:
                return 0, -1
            at += 1
        if at == start:
            return 0, -1
    if digits == 0 or text[at] != 34 or digits + missing > MAX_DIGITS:
        return 0, -1
    while missing > 0:
        value *= 10
        missing -= 1
    return value, at + 1


@part
def _string_end(text: Array, at: int) -> int:
    """Place of the closing quote of a string whose content starts at ``at``; -1 for escapes, line ends, and beyond ASCII."""
    while True:
        byte = text[at]
        if byte == 34:
            return at
        if byte == 92 or byte < 32 or byte > 126:
            return -1
        at += 1


@part
def _levels(
    text: Array,
    at: int,
    side: int,
    decimals: Array,
    prices: IntArray,
    sizes: IntArray,
    sides: Array,
    row: int,
) -> tuple[int, int]:
    """Read [["price","size"],…]; the row behind the last level and the place behind the list, -1 if not plain."""
    if text[at] != 91:
        return row, -1
    at += 1
    if text[at] == 93:
        return row, at + 1
    while True:
        if text[at] != 91:
            return row, -1
        price, at = _decimal(text, at + 1, decimals[0])
        if at < 0 or text[at] != 44:
            return row, -1
        size, at = _decimal(text, at + 1, decimals[1])
        if at < 0 or text[at] != 93:
            return row, -1
        prices[row] = price
        sizes[row] = size
        sides[row] = side
        row += 1
        at += 1
        if text[at] == 93:
            return row, at + 1
        if text[at] != 44:
            return row, -1
        at += 1


@part
def _matches(text: Array, at: int, word: Array) -> bool:
    for i in range(len(word)):  # noqa: SIM110 – numba has no generators
        if text[at + i] != word[i]:
            return False
    return True


@part
def _skip_scalar(text: Array, at: int) -> int:
    """Place behind a value of a key that nobody needs: text, whole number, true, false, null; -1 for anything else."""
    byte = text[at]
    if byte == 34:
        end = _string_end(text, at + 1)
        return end + 1 if end >= 0 else -1
    if byte == 116 or byte == 102 or byte == 110:
        word = _TRUE if byte == 116 else _FALSE if byte == 102 else _NULL
        return at + len(word) if _matches(text, at, word) else -1
    start = at + 1 if byte == 45 else at
    _, end = _integer(text, start)
    return end if end > start else -1


def _bytes(text: str) -> Array:
    return np.frombuffer(text.encode(), np.uint8)


_STREAM = _bytes('{"stream":"')
_DATA = _bytes(',"data":{')
_DEPTH_TAIL = _bytes("depth")
_TRADE_TAIL = _bytes('trade"')
_TICKER_TAIL = _bytes('bookTicker"')
_MARKET = _bytes('"MARKET"')
_TRUE = _bytes("true")
_FALSE = _bytes("false")
_NULL = _bytes("null")
_DEPTH_EVENT = _bytes('"depthUpdate"')
_TRADE_EVENT = _bytes('"trade"')
_TICKER_EVENT = _bytes('"bookTicker"')


@part
def _stream_kind(text: Array, at: int) -> tuple[int, int]:
    """Kind named by '…@depth@0ms"', and the place behind the closing quote."""
    end = _string_end(text, at)
    if end < 0:
        return 0, -1
    while at < end and text[at] != 64:
        at += 1
    at += 1
    kind = 0
    if _matches(text, at, _DEPTH_TAIL) and (text[at + 5] == 64 or text[at + 5] == 34):
        kind = DEPTH
    elif _matches(text, at, _TRADE_TAIL):
        kind = TRADE
    elif _matches(text, at, _TICKER_TAIL):
        kind = TICKER
    return kind, end + 1


@part
def _event_fits(text: Array, at: int, kind: int) -> bool:
    if kind == DEPTH:
        return _matches(text, at, _DEPTH_EVENT)
    return _matches(text, at, _TRADE_EVENT) if kind == TRADE else _matches(text, at, _TICKER_EVENT)


@kernel()
def scan(
    text: Array,
    at: int,
    end: int,
    symbol: Array,
    decimals: IntArray,
    lines: IntArray,
    prices: IntArray,
    sizes: IntArray,
    sides: Array,
    tickers: IntArray,
    counts: IntArray,
) -> tuple[int, int]:
    """Read lines from ``at``; append to the tables behind ``counts`` (lines, rows, tickers).

    Parameters
    ----------
    text : array of uint8
        Whole lines; the byte before ``end`` is a line end.
    symbol : array of uint8
        The symbol in quotes; other symbols become lines of kind FOREIGN.
    decimals : array of int64, shape (2,)
        Price and size unit.

    Returns
    -------
    at, status : int
        Place behind the last line read, and DONE or HAND_OVER.
    """
    n_lines, n_rows, n_tickers = counts[0], counts[1], counts[2]
    quote = np.zeros(4, np.int64)
    while at < end:
        begin = at
        first_row = n_rows
        stamp = np.int64(0)
        while text[at] >= 48 and text[at] <= 57:
            stamp = stamp * 10 + (np.int64(text[at]) - 48)
            at += 1
        good = at - begin == STAMP_DIGITS and text[begin] < 57 and text[at] == 32
        kind = 0
        if good and _matches(text, at + 1, _STREAM):
            kind, at = _stream_kind(text, at + 1 + len(_STREAM))
        good = kind != 0 and at > 0 and _matches(text, at, _DATA)
        at += len(_DATA)
        seen = np.int64(0)
        event_time = np.int64(0)
        trade_time = np.int64(0)
        first_id = np.int64(-1)
        last_id = np.int64(-1)
        previous_id = np.int64(-1)
        price = np.int64(0)
        size = np.int64(0)
        maker = False
        foreign = False
        while good:
            if text[at] != 34:
                good = False
                break
            key = np.int64(text[at + 1])
            bit = np.int64(0)
            if text[at + 2] == 34 and text[at + 3] == 58:
                if (
                    key == 34 or key == 92 or key < 32 or key > 126
                ):  # no name: an end, an escape, or beyond ASCII
                    good = False
                    break
                at += 4
            elif key == 112 and text[at + 2] == 117 and text[at + 3] == 34 and text[at + 4] == 58:
                key = 1  # "pu"
                at += 5
            else:
                key = 0
                name_end = _string_end(text, at + 1)
                if name_end < 0 or text[name_end + 1] != 58:
                    good = False
                    break
                at = name_end + 2
            if key == 69:  # E
                bit = _E
                event_time, at = _integer(text, at)
            elif key == 84:  # T
                bit = _T
                trade_time, at = _integer(text, at)
            elif key == 85:  # U
                bit = _U1
                first_id, at = _integer(text, at)
            elif key == 117:  # u
                bit = _U2
                last_id, at = _integer(text, at)
            elif key == 1:
                bit = _PU
                previous_id, at = _integer(text, at)
            elif key == 116:  # t
                bit = _ID
                first_id, at = _integer(text, at)
            elif key == 115:  # s
                bit = _S
                foreign = not _matches(text, at, symbol)
                at = _skip_scalar(text, at)
            elif key == 101:  # e
                bit = _EVENT
                good = _event_fits(text, at, kind)
                at = _skip_scalar(text, at)
            elif key == 112:  # p
                bit = _P
                price, at = _decimal(text, at, decimals[0])
            elif key == 113:  # q
                bit = _Q
                size, at = _decimal(text, at, decimals[1])
            elif key == 109:  # m
                bit = _M
                maker = text[at] == 116
                if not (_matches(text, at, _TRUE) if maker else _matches(text, at, _FALSE)):
                    good = False
                    break
                at += 4 if maker else 5
            elif key == 88 and kind == TRADE:  # X: only plain market trades are read here
                bit = _X
                good = _matches(text, at, _MARKET)
                at += len(_MARKET)
            elif (key == 98 or key == 97) and kind == DEPTH:  # b, a
                bit = _B if key == 98 else _A
                n_rows, at = _levels(text, at, 1 if key == 98 else -1, decimals, prices, sizes, sides, n_rows)
            elif (key == 98 or key == 97 or key == 66 or key == 65) and kind == TICKER:
                slot = 0 if key == 98 else 1 if key == 66 else 2 if key == 97 else 3
                bit = _B if key == 98 else _BB if key == 66 else _A if key == 97 else _AA
                quote[slot], at = _decimal(text, at, decimals[slot & 1])
            else:
                at = _skip_scalar(text, at)
            if at < 0 or seen & bit:
                good = False
                break
            seen |= bit
            if text[at] == 44:
                at += 1
            elif text[at] == 125:
                at += 1
                break
            else:
                good = False
        if good:
            needed = _DEPTH_KEYS if kind == DEPTH else _TRADE_KEYS if kind == TRADE else _TICKER_KEYS
            good = (seen & needed) == needed and text[at] == 125
            good = good and event_time <= MAX_MS and trade_time <= MAX_MS
            at += 1
            if good and text[at] == 13:
                at += 1
            good = good and text[at] == 10
        if not good:
            counts[0], counts[1], counts[2] = n_lines, first_row, n_tickers
            return begin, HAND_OVER
        at += 1
        if foreign:
            n_rows = first_row
            kind = FOREIGN
        elif kind == TRADE:
            prices[n_rows] = price
            sizes[n_rows] = size
            sides[n_rows] = -1 if maker else 1
            n_rows += 1
        elif kind == TICKER:
            tickers[n_tickers, 0] = n_lines
            tickers[n_tickers, 1] = last_id
            for slot in range(4):
                tickers[n_tickers, 2 + slot] = quote[slot]
            n_tickers += 1
        line = lines[n_lines]
        line[KIND] = kind
        line[TS] = stamp
        line[SOURCE] = MS * (trade_time or event_time)
        line[FIRST_ID] = first_id
        line[LAST_ID] = last_id
        line[PREVIOUS_ID] = previous_id
        line[ROW] = first_row
        line[ROWS] = n_rows - first_row
        line[OTC] = 0
        n_lines += 1
    counts[0], counts[1], counts[2] = n_lines, n_rows, n_tickers
    return at, DONE
