"""The two loops that put trades into bars: by the clock, and by what was traded."""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import types

from workbench.book.jit import I1_COLUMN, I8_COLUMN, kernel, part
from workbench.events import Array
from workbench.flow.bar_rule import BY_RANGE, BY_TRADES, BY_VOLUME
from workbench.flow.sampling import BY_DELTA, BY_IMBALANCE, BY_VALUE

START, END, OPEN, HIGH, LOW, CLOSE, BUY, SELL, UNKNOWN, TRADES, LEAST, MOST = range(12)
BAR_COLUMNS: Final = 12
"""Columns of bars, int64: times ns, prices thousandths of a tick, lots, prints, lowest and highest delta."""

COUNT, IS_OPEN = range(2)
"""State of bars, int64: how many there are, whether the last one goes on."""

VALUE, THETA, EXPECTED_TRADES, EXPECTED_THETA, EXPECTED_SIZE, BARS_LEARNT = range(6)
LEARNT: Final = 6
"""State of sampling, float64: value and imbalance of the open bar; what the ended ones let expect of the next."""

_FURTHEST: Final = 4.0  # expected trades stay within this factor of their first value, see `expected_of`
_CHUNK: Final = 32
_WHOLE: Final = 2.0**52
_NARROW: Final = 2**31 - 1
_BARS: Final = types.int64[:, ::1]
_MOVED: Final = types.float64[::1]
_STATE: Final = types.int64[::1]


@part
def _open(row: Array, start: int, ts: int, price: int) -> None:
    row[:] = 0
    row[START], row[END] = start, ts
    row[OPEN], row[HIGH], row[LOW], row[CLOSE] = price, price, price, price


@part
def _first_at(ts: Array, first: int, until: int) -> int:
    """First trade from ``first`` on that is not before ``until``."""
    at = first
    while at + _CHUNK <= len(ts):
        late = np.int64(0)
        for i in range(at, at + _CHUNK):
            late += np.int64(ts[i] >= until)
        if late:
            break
        at += _CHUNK
    while at < len(ts) and ts[at] < until:
        at += 1
    return at


@part
def _extend(row: Array, price: Array, size: Array, side: Array, moved: float) -> float:
    """Put trades into a bar; Σ (price − open)·size after them. Several short passes that the compiler does abreast."""
    high, low, bits = row[HIGH], row[LOW], np.int64(0)
    for i in range(len(price)):
        high, low = max(high, price[i]), min(low, price[i])
        bits |= size[i]
    total, signed, away, opened = np.int64(0), np.int64(0), np.int64(0), row[OPEN]
    if high - opened <= _NARROW and opened - low <= _NARROW and 0 <= bits <= _NARROW:
        for i in range(len(price)):  # factors of 32 bits are multiplied several at once
            s = size[i]
            total += s
            signed += s if side[i] != 0 else 0
            away += np.int64(np.int32(price[i] - opened)) * np.int64(np.int32(s))
    else:
        for i in range(len(price)):
            s = size[i]
            total += s
            signed += s if side[i] != 0 else 0
            away += (price[i] - opened) * s
    delta, least, most = row[BUY] - row[SELL], row[LEAST], row[MOST]
    begin = delta
    for i in range(len(price)):  # chosen, not multiplied: 12 against 20 ms for 10 million trades
        s = size[i]
        delta += s if side[i] > 0 else -s if side[i] < 0 else 0
        least, most = min(least, delta), max(most, delta)
    row[UNKNOWN] += total - signed
    row[BUY] += (signed + delta - begin) >> 1
    row[SELL] += (signed - delta + begin) >> 1
    row[HIGH], row[LOW], row[LEAST], row[MOST] = high, low, least, most
    row[CLOSE] = price[len(price) - 1]
    row[TRADES] += len(price)
    furthest = float(max(high - opened, opened - low))
    if abs(moved) + furthest * float(total) < _WHOLE:
        return moved + away
    # Beyond 2⁵³ one double after the other is added, so that cuts change nothing.
    for i in range(len(size)):
        moved += float(price[i] - opened) * size[i]
    return moved


@kernel(types.int64(*[I8_COLUMN] * 3, I1_COLUMN, *[types.int64] * 2, _BARS, _MOVED, _STATE))
def by_time(
    ts: Array, price: Array, size: Array, side: Array,
    first: int, interval: int, rows: Array, moved: Array, state: Array,
) -> int:  # fmt: skip
    """Put trades from ``first`` on into bars of the clock; how many were put before the rows were full."""
    at = first
    while at < len(ts):
        if state[COUNT] == 0 or ts[at] >= rows[state[COUNT] - 1, START] + interval:
            if state[COUNT] == len(rows):
                return at
            _open(rows[state[COUNT]], ts[at] // interval * interval, ts[at], price[at])
            moved[state[COUNT]] = 0.0
            state[COUNT] += 1
        last = state[COUNT] - 1
        row = rows[last]
        stop = _first_at(ts, at, row[START] + interval)
        moved[last] = _extend(row, price[at:stop], size[at:stop], side[at:stop], moved[last])
        row[END] = ts[stop - 1]
        at = stop
    return at


@part
def expected_of(learnt: Array) -> float:
    """Imbalance at which a bar ends: E[T] · |E[θ/T]|, never below that of a fair coin, √E[T] · E[size]."""
    trades = float(learnt[EXPECTED_TRADES])
    return float(max(trades * abs(learnt[EXPECTED_THETA]), trades**0.5 * learnt[EXPECTED_SIZE]))


@part
def _learn(learnt: Array, trades: int, total: float, first: float, weight: float) -> None:
    """Take an ended bar into the exponential means; the first one sets them."""
    if learnt[BARS_LEARNT] == 0:
        weight = 1.0
    learnt[BARS_LEARNT] += 1.0
    expected = learnt[EXPECTED_TRADES] + weight * (trades - learnt[EXPECTED_TRADES])
    learnt[EXPECTED_TRADES] = min(max(expected, first / _FURTHEST), first * _FURTHEST)
    learnt[EXPECTED_THETA] += weight * (learnt[THETA] / trades - learnt[EXPECTED_THETA])
    learnt[EXPECTED_SIZE] += weight * (total / trades - learnt[EXPECTED_SIZE])


@part
def _has_ended(kind: int, step: float, row: Array, learnt: Array) -> bool:
    if kind == BY_TRADES:
        return bool(row[TRADES] >= step)
    if kind == BY_VOLUME:
        return bool(row[BUY] + row[SELL] + row[UNKNOWN] >= step)
    if kind == BY_VALUE:
        return bool(learnt[VALUE] >= step)
    if kind == BY_DELTA:
        return bool(abs(row[BUY] - row[SELL]) >= step)
    if kind == BY_RANGE:
        return False
    if learnt[BARS_LEARNT] == 0:
        return bool(row[TRADES] >= step)
    return bool(abs(learnt[THETA]) >= expected_of(learnt))


@part
def _count(row: Array, ts: int, price: int, size: int, side: int) -> None:
    row[END], row[CLOSE] = ts, price
    row[HIGH], row[LOW] = max(row[HIGH], price), min(row[LOW], price)
    row[BUY if side > 0 else SELL if side < 0 else UNKNOWN] += size
    row[TRADES] += 1
    delta = row[BUY] - row[SELL]
    row[LEAST], row[MOST] = min(row[LEAST], delta), max(row[MOST], delta)


_RULE: Final = (types.int64, *[types.float64] * 3)


@kernel(types.int64(*[I8_COLUMN] * 3, I1_COLUMN, types.int64, *_RULE, _BARS, _MOVED, _STATE, _MOVED))
def by_trading(
    ts: Array, price: Array, size: Array, side: Array, first: int,
    kind: int, step: float, unit: float, weight: float,
    rows: Array, moved: Array, state: Array, learnt: Array,
) -> int:  # fmt: skip
    """Put trades from ``first`` on into bars that what is traded ends; how many were put before the rows were full."""
    for i in range(first, len(ts)):
        if state[IS_OPEN] and kind == BY_RANGE:
            row = rows[state[COUNT] - 1]
            state[IS_OPEN] = max(row[HIGH], price[i]) - min(row[LOW], price[i]) <= step
        if not state[IS_OPEN]:
            if state[COUNT] == len(rows):
                return i
            _open(rows[state[COUNT]], ts[i], ts[i], price[i])
            moved[state[COUNT]] = 0.0
            learnt[VALUE] = learnt[THETA] = 0.0
            state[COUNT] += 1
            state[IS_OPEN] = 1
        row = rows[state[COUNT] - 1]
        _count(row, ts[i], price[i], size[i], side[i])
        moved[state[COUNT] - 1] += float(price[i] - row[OPEN]) * size[i]
        value = float(price[i]) * size[i] * unit
        learnt[VALUE] += abs(value)
        of_trade = 1.0 if kind == BY_IMBALANCE else float(size[i]) if kind == BY_IMBALANCE + 1 else abs(value)
        learnt[THETA] += of_trade * side[i]
        if _has_ended(kind, step, row, learnt):
            state[IS_OPEN] = 0
            if kind >= BY_IMBALANCE:
                lots = float(row[BUY] + row[SELL] + row[UNKNOWN])
                total = (
                    float(row[TRADES])
                    if kind == BY_IMBALANCE
                    else lots
                    if kind == BY_IMBALANCE + 1
                    else learnt[VALUE]
                )
                _learn(learnt, row[TRADES], total, step, weight)
    return len(ts)
