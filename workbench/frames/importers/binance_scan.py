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
from workbench.frames.importers.binance_tokens import (
    FALSE,
    TRUE,
    decimal,
    integer,
    letters,
    levels,
    matches,
    skip_scalar,
    string_end,
)

DONE: Final = 0
HAND_OVER: Final = 1  # the line at the position is for the plain parser

MS: Final = 1_000_000
MAX_MS: Final = (2**63 - 1) // MS
STAMP_DIGITS: Final = 19

# Bits of the keys seen in one message; a second sight of the same key is handed over, and refused there.
_E, _T, _S, _U1, _U2, _PU, _ID, _P, _Q, _B, _A, _BB, _AA, _M, _X, _EVENT = (1 << n for n in range(16))
_DEPTH_KEYS = _U1 | _U2 | _S | _B | _A
_TRADE_KEYS = _S | _P | _Q | _M | _ID
_TICKER_KEYS = _S | _U2 | _B | _A | _BB | _AA

_STREAM = letters('{"stream":"')
_DATA = letters(',"data":{')
_DEPTH_TAIL = letters("depth")
_TRADE_TAIL = letters('trade"')
_TICKER_TAIL = letters('bookTicker"')
_MARKET = letters('"MARKET"')
_DEPTH_EVENT = letters('"depthUpdate"')
_TRADE_EVENT = letters('"trade"')
_TICKER_EVENT = letters('"bookTicker"')


@part
def _stream_kind(text: Array, at: int) -> tuple[int, int]:
    """Kind named by '…@depth@0ms"', and the place behind the closing quote."""
    end = string_end(text, at)
    if end < 0:
        return 0, -1
    while at < end and text[at] != 64:
        at += 1
    at += 1
    kind = 0
    if matches(text, at, _DEPTH_TAIL) and (text[at + 5] == 64 or text[at + 5] == 34):
        kind = DEPTH
    elif matches(text, at, _TRADE_TAIL):
        kind = TRADE
    elif matches(text, at, _TICKER_TAIL):
        kind = TICKER
    return kind, end + 1


@part
def _event_fits(text: Array, at: int, kind: int) -> bool:
    if kind == DEPTH:
        return matches(text, at, _DEPTH_EVENT)
    return matches(text, at, _TRADE_EVENT) if kind == TRADE else matches(text, at, _TICKER_EVENT)


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
        if good and matches(text, at + 1, _STREAM):
            kind, at = _stream_kind(text, at + 1 + len(_STREAM))
        good = kind != 0 and at > 0 and matches(text, at, _DATA)
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
                name_end = string_end(text, at + 1)
                if name_end < 0 or text[name_end + 1] != 58:
                    good = False
                    break
                at = name_end + 2
            if key == 69:  # E
                bit = _E
                event_time, at = integer(text, at)
            elif key == 84:  # T
                bit = _T
                trade_time, at = integer(text, at)
            elif key == 85:  # U
                bit = _U1
                first_id, at = integer(text, at)
            elif key == 117:  # u
                bit = _U2
                last_id, at = integer(text, at)
            elif key == 1:
                bit = _PU
                previous_id, at = integer(text, at)
            elif key == 116:  # t
                bit = _ID
                first_id, at = integer(text, at)
            elif key == 115:  # s
                bit = _S
                foreign = not matches(text, at, symbol)
                at = skip_scalar(text, at)
            elif key == 101:  # e
                bit = _EVENT
                good = _event_fits(text, at, kind)
                at = skip_scalar(text, at)
            elif key == 112:  # p
                bit = _P
                price, at = decimal(text, at, decimals[0])
            elif key == 113:  # q
                bit = _Q
                size, at = decimal(text, at, decimals[1])
            elif key == 109:  # m
                bit = _M
                maker = text[at] == 116
                if not (matches(text, at, TRUE) if maker else matches(text, at, FALSE)):
                    good = False
                    break
                at += 4 if maker else 5
            elif key == 88 and kind == TRADE:  # X: only plain market trades are read here
                bit = _X
                good = matches(text, at, _MARKET)
                at += len(_MARKET)
            elif (key == 98 or key == 97) and kind == DEPTH:  # b, a
                bit = _B if key == 98 else _A
                n_rows, at = levels(text, at, 1 if key == 98 else -1, decimals, prices, sizes, sides, n_rows)
            elif (key == 98 or key == 97 or key == 66 or key == 65) and kind == TICKER:
                slot = 0 if key == 98 else 1 if key == 66 else 2 if key == 97 else 3
                bit = _B if key == 98 else _BB if key == 66 else _A if key == 97 else _AA
                quote[slot], at = decimal(text, at, decimals[slot & 1])
            else:
                at = skip_scalar(text, at)
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
