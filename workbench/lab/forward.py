"""What happened after a signal: forward moves of the mid, their costs and extremes, and the average path."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numba import types

from workbench.book.jit import I8_COLUMN, kernel, part
from workbench.events import Array, FloatArray, IntArray
from workbench.flow.signals.sight import Sight

_REALS: Final = types.Array(types.float64, 1, "C", readonly=True)
_GRID: Final = types.Array(types.float64, 2, "C", readonly=True)
_OUT: Final = types.float64[:, ::1]
_BLOCK: Final = 32
_WIDE: Final = 32 * _BLOCK


class Mids(NamedTuple):
    """The mid over time, as forward moves need it; n rows, one for each moment.

    Attributes
    ----------
    ts, age : int64, ns
    mid, spread : float64, ticks
        NaN where unknown.
    travelled : float64, ticks
        Way the mid went since the first row, there and back; nothing across gaps.
    blocks, wide : float64, ticks, shape (2, …)
        Lowest and highest mid in blocks of 32 and of 1024 rows.
    """

    ts: IntArray
    age: IntArray
    mid: FloatArray
    spread: FloatArray
    travelled: FloatArray
    blocks: FloatArray
    wide: FloatArray

    @classmethod
    def of(cls, sight: Sight) -> Mids:
        """The market of a sight."""
        moments, mid = sight.moments, np.ascontiguousarray(sight.mid)
        spread = np.where(np.isnan(mid), np.nan, (moments.ask[:, 0] - moments.bid[:, 0]).astype(np.float64))
        travelled = np.empty(len(mid))
        _travel(sight.age, mid, travelled)
        blocks = _extremes(np.stack([mid, mid]), _BLOCK)
        wide = _extremes(blocks, _WIDE // _BLOCK)
        return cls(np.ascontiguousarray(moments.ts), sight.age, mid, spread, travelled, blocks, wide)


@kernel(types.void(I8_COLUMN, _REALS, types.float64[::1]))
def _travel(age: Array, mid: Array, out: Array) -> None:
    way, last = 0.0, np.nan
    for i in range(len(mid)):
        if age[i] <= 0:
            last = np.nan
        if not np.isnan(mid[i]):
            way += 0.0 if np.isnan(last) else abs(mid[i] - last)
            last = mid[i]
        out[i] = way


def _extremes(of: FloatArray, size: int) -> FloatArray:
    """Least of the first and most of the second row, in blocks; infinite where nothing is known."""
    padded = np.full((2, -(-of.shape[1] // size) * size), np.nan)
    padded[:, : of.shape[1]] = of
    low, high = padded.reshape(2, -1, size)
    return np.stack(
        [
            np.fmin.reduce(low, axis=1, initial=np.inf),
            np.fmax.reduce(high, axis=1, initial=-np.inf),
        ]
    )


class Forward(NamedTuple):
    """Moves after entries, ticks, arrays of shape (n_entries, n_horizons); NaN where they are not known.

    Attributes
    ----------
    row : int64, shape (n_entries,)
        Row of the entry, −1 where there is none.
    move : float64
        Mid at the horizon less mid at the entry.
    paid : float64
        Half the spread at the entry and half the spread at the exit.
    high, low : float64
        Highest and lowest mid until the horizon, less the mid at the entry.
    """

    row: IntArray
    move: FloatArray
    paid: FloatArray
    high: FloatArray
    low: FloatArray

    def part(self, kept: Array) -> Forward:
        """The entries of a mask."""
        return Forward(self.row[kept], self.move[kept], self.paid[kept], self.high[kept], self.low[kept])


@part
def _last_until(ts: Array, moment: int, low: int) -> int:
    """Last row with ts ≤ moment, at or after row ``low``, by steps that double."""
    n, step = len(ts), 1
    high = low + 1
    while high < n and ts[high] <= moment:
        low, high, step = high, high + step, 2 * step
    high = min(high, n)
    while high - low > 1:
        middle = (low + high) // 2
        if ts[middle] <= moment:
            low = middle
        else:
            high = middle
    return low


@kernel(
    types.void(
        *[I8_COLUMN] * 2,
        *[_REALS] * 2,
        *[_GRID] * 2,
        I8_COLUMN,
        types.int64,
        I8_COLUMN,
        types.int64[::1],
        *[_OUT] * 4,
    )
)
def _follow(
    ts: Array, age: Array, mid: Array, spread: Array, blocks: Array, wide: Array, rows: Array, latency: int,
    horizons: Array, entry: Array, move: Array, paid: Array, high: Array, low: Array,
) -> None:  # fmt: skip
    """Walk from each entry to its horizons, over whole blocks where they fit; longer in one piece for speed."""
    n = len(ts)
    for e in range(len(rows)):
        start = _last_until(ts, ts[rows[e]] + latency, rows[e]) + 1
        entry[e] = -1
        if start >= n or np.isnan(mid[start]) or age[start] < ts[start] - ts[rows[e]]:
            continue
        entry[e] = start
        up, down, at = mid[start], mid[start], start
        for h in range(len(horizons)):
            end = ts[start] + horizons[h]
            if end > ts[n - 1]:
                break
            stop = _last_until(ts, end, at)
            if age[stop] < ts[stop] - ts[start]:
                break
            while at <= stop:
                if at % _WIDE == 0 and at + _WIDE - 1 <= stop:
                    up, down = max(up, wide[1, at // _WIDE]), min(down, wide[0, at // _WIDE])
                    at += _WIDE
                elif at % _BLOCK == 0 and at + _BLOCK - 1 <= stop:
                    up, down = max(up, blocks[1, at // _BLOCK]), min(down, blocks[0, at // _BLOCK])
                    at += _BLOCK
                else:
                    if not np.isnan(mid[at]):
                        up, down = max(up, mid[at]), min(down, mid[at])
                    at += 1
            at = stop
            move[e, h] = mid[stop] - mid[start]
            paid[e, h] = (spread[start] + spread[stop]) / 2
            high[e, h], low[e, h] = up - mid[start], down - mid[start]


def forward(market: Mids, rows: IntArray, horizons_ns: IntArray, latency_ns: int = 0) -> Forward:
    """Moves after the rows at which something was known.

    Parameters
    ----------
    market : Mids
    rows : array of int64, shape (n_entries,)
    horizons_ns : array of int64, ns
        Rising; counted from the entry.
    latency_ns : int, ns, optional

    Notes
    -----
    The entry is the first state strictly after the row's time plus the latency: nobody trades at a price that a signal was
    made from. Nothing is known across a CLEAR or GAP, nor beyond the last event.
    """
    entry = np.empty(len(rows), np.int64)
    values = [np.full((len(rows), len(horizons_ns)), np.nan) for _ in range(4)]
    columns = market.ts, market.age, market.mid, market.spread, market.blocks, market.wide
    _follow(*columns, np.ascontiguousarray(rows), latency_ns, horizons_ns, entry, *values)
    return Forward(entry, *values)


@kernel(types.void(*[I8_COLUMN] * 2, _REALS, *[I8_COLUMN] * 2, _OUT))
def _paths(ts: Array, age: Array, mid: Array, rows: Array, offsets: Array, out: Array) -> None:
    for e in range(len(rows)):
        row, at = rows[e], -1
        for k in range(len(offsets)):
            moment = ts[row] + offsets[k]
            if moment < ts[0] or moment > ts[len(ts) - 1]:
                continue
            at = np.searchsorted(ts, moment, "right") - 1 if at < 0 else _last_until(ts, moment, at)
            first, last = min(at, row), max(at, row)
            if age[last] >= ts[last] - ts[first]:
                out[e, k] = mid[at] - mid[row]


def paths(market: Mids, rows: IntArray, offsets_ns: IntArray) -> FloatArray:
    """Mid around rows less the mid at them, ticks, shape (n_rows, n_offsets); NaN across gaps and ends.

    Offsets rise.
    """
    out = np.full((len(rows), len(offsets_ns)), np.nan)
    _paths(market.ts, market.age, market.mid, np.ascontiguousarray(rows), offsets_ns, out)
    return out


__all__ = ["Forward", "Mids", "forward", "paths"]
