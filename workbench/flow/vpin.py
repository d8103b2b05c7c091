"""VPIN: how one-sided flow is, in equal amounts of volume."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any, Final, Literal, get_args

import numpy as np
import polars as pl
from numba import types

from workbench.book.jit import I1_COLUMN, I8_COLUMN, aligned, kernel
from workbench.errors import WorkbenchError
from workbench.events import Array, EventBatch, FloatArray, Instrument, IntArray
from workbench.flow.batches import event_batches, instrument_of
from workbench.flow.gaps import unbroken
from workbench.flow.prints import Prints, as_times, prints_of_batch, real_sizes
from workbench.flow.rolling import rolling_mean

__all__ = ["Signs", "Vpin", "vpin"]

Signs = Literal["true", "bulk"]

_END, _BUY, _SELL, _CLOSE, _EPOCH = range(5)
_COLUMNS: Final = 5
_COUNT, _BOUGHT, _SOLD, _PLACED, _NOW = range(5)
_STATE: Final = 5
_I8: Final = types.int64
_SQRT_HALF: Final = math.sqrt(0.5)


@kernel(_I8(*[I8_COLUMN] * 3, I1_COLUMN, *[_I8] * 2, _I8[:, ::1], _I8[::1]))
def _fill(
    ts: Array, price: Array, size: Array, side: Array, first: int, bucket: int, rows: Array, state: Array
) -> int:
    """Pour trades from ``first`` on into buckets; how many were poured before the rows were full.

    A trade runs over into as many buckets as it fills; ``state`` keeps how much of it was placed.
    """
    for i in range(first, len(ts)):
        while state[_PLACED] < size[i]:
            if state[_COUNT] == len(rows):
                return i
            room = bucket - state[_BOUGHT] - state[_SOLD]
            taken = min(room, size[i] - state[_PLACED])
            state[_BOUGHT if side[i] > 0 else _SOLD] += taken
            state[_PLACED] += taken
            if taken == room:
                row = rows[state[_COUNT]]
                row[_END], row[_CLOSE], row[_EPOCH] = ts[i], price[i], state[_NOW]
                row[_BUY], row[_SELL] = state[_BOUGHT], state[_SOLD]
                state[_COUNT] += 1
                state[_BOUGHT] = state[_SOLD] = 0
        state[_PLACED] = 0
    return len(ts)


_F8: Final = types.float64[::1]


@kernel(types.void(I8_COLUMN, I8_COLUMN, _F8))
def _bulk(close: Array, epoch: Array, found: Array) -> None:
    """Share of each bucket that bulk classification calls bought; σ of ΔP over the buckets of its epoch so far."""
    count, mean, squares = 0, 0.0, 0.0
    for i in range(1, len(close)):
        if epoch[i] != epoch[i - 1]:
            count, mean, squares = 0, 0.0, 0.0
            continue
        change = float(close[i] - close[i - 1])
        count += 1
        away = change - mean
        mean += away / count
        squares += away * (change - mean)
        sigma = math.sqrt(squares / count)
        if sigma > 0:
            found[i] = 0.5 * (1.0 + math.erf(change / sigma * _SQRT_HALF))
        else:
            found[i] = 0.5


class Vpin:
    """VPIN of a stream of events; see :func:`vpin`.

    Parameters
    ----------
    instrument : Instrument
    bucket : float, int, str or Decimal
        Volume of a bucket, real units.
    window : int, optional, buckets
    signs : {"true", "bulk"}, optional
    otc : bool, optional
    """

    def __init__(
        self,
        instrument: Instrument,
        bucket: float | int | str | Decimal,
        window: int = 50,
        signs: Signs = "true",
        *,
        otc: bool = False,
    ):
        lots = instrument.lots(bucket)
        if lots < 1 or window < 1 or window != int(window):
            raise WorkbenchError(
                f"bucket={bucket!r:.60}, window={window!r:.60}",
                expected="a volume and a number of buckets above 0",
            )
        if signs not in get_args(Signs):
            raise WorkbenchError(f"signs {signs!r:.60}", expected="'true' or 'bulk'")
        self.instrument, self.bucket_lots, self.window = instrument, lots, int(window)
        self.signs, self.otc = signs, otc
        self._rows = np.zeros((64, _COLUMNS), np.int64)
        self._state = np.zeros(_STATE, np.int64)

    def __len__(self) -> int:
        return int(self._state[_COUNT])

    def apply(self, batch: EventBatch) -> None:
        """Take in the trades of a batch; a GAP or CLEAR empties the bucket and the window."""
        for broken, piece in unbroken(batch):
            if broken:
                self.restart()
            self.update(prints_of_batch(piece, otc=self.otc))

    def restart(self) -> None:
        """Begin anew: the open bucket is dropped, and the next window holds later buckets only."""
        self._state[[_BOUGHT, _SOLD]] = 0
        self._state[_NOW] += 1

    def update(self, prints: Prints) -> None:
        """Take in trades, in order of time."""
        if self.signs == "true":
            signed = prints.side != 0
            kept: list[Any] = [column[signed] for column in prints]
            prints = Prints(*kept)
        ts, price, size, side = (aligned(column) for column in prints)
        at = 0
        while at < len(prints.ts):
            at = _fill(ts, price, size, side, at, self.bucket_lots, self._rows, self._state)
            if at < len(prints.ts):
                self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])

    @property
    def frame(self) -> pl.DataFrame:
        """All full buckets so far; see :func:`vpin`."""
        rows = self._rows[: len(self)]
        epoch, bucket = np.ascontiguousarray(rows[:, _EPOCH]), self.bucket_lots
        buy = rows[:, _BUY].astype(np.float64) if self.signs == "true" else self._bought(rows, epoch)
        # ε·V counted twice: |2·Vb − V| = |Vb − Vs|
        values = rolling_mean(np.abs(2.0 * buy - bucket) / bucket, epoch, self.window)
        columns = {"buy": real_sizes(buy, self.instrument), "sell": real_sizes(bucket - buy, self.instrument)}
        series = [pl.Series(n, v, pl.Float64).fill_nan(None) for n, v in (columns | {"vpin": values}).items()]
        signs = pl.Series("signs", [self.signs], pl.String).new_from_index(0, len(rows))
        return pl.DataFrame([as_times(rows[:, _END]), *series, signs])

    def _bought(self, rows: IntArray, epoch: IntArray) -> FloatArray:
        share = np.full(len(rows), np.nan)
        _bulk(np.ascontiguousarray(rows[:, _CLOSE]), epoch, share)
        return share * self.bucket_lots


def vpin(
    x: Any,
    bucket: float | int | str | Decimal,
    window: int = 50,
    signs: Signs = "true",
    *,
    otc: bool = False,
) -> pl.DataFrame:
    """VPIN: mean imbalance of the last buckets of equal volume.

    Parameters
    ----------
    x : session or recording
    bucket : float, int, str or Decimal
        Volume of a bucket, real units; a trade runs over into as many buckets as it fills.
    window : int, optional, buckets
    signs : {"true", "bulk"}, optional
        Who bought: the aggressors as the venue names them, or bulk volume classification from prices alone.
    otc : bool, optional
        Whether off-book prints count. Hidden executions always do.

    Returns
    -------
    DataFrame
        One row per full bucket: ``ts`` (when it was full), ``buy``, ``sell`` (real units), ``vpin`` in [0, 1], ``signs``.
        Null until ``window`` buckets are full, anew after a GAP or CLEAR; with bulk signs the first bucket has none.

    Raises
    ------
    WorkbenchError
        A bucket or window of nothing, or other signs.

    Notes
    -----
    VPIN = Σ |Vb − Vs| / (n·V) over the last n buckets. Bought 30, 50, 70 and sold 70, 50, 30 of buckets of 100 give
    (40 + 0 + 40) / 300 = 0.2667.

    Bulk: Vb = V·Φ(ΔP/σ) with ΔP between the last prices of buckets and σ their deviation so far, never of later ones;
    while no price has moved, half is called bought. With true signs trades without an aggressor are left out.

    With true signs VPIN tends to fall where the bulk one rises, and beyond volume and volatility it foretold nothing in
    Andersen and Bondarenko's tests: compare both before believing either.

    References
    ----------
    D. Easley, M. López de Prado, M. O'Hara, "Flow toxicity and liquidity in a high-frequency world", Review of Financial
    Studies 25 (2012). T. G. Andersen, O. Bondarenko, "VPIN and the flash crash", Journal of Financial Markets 17 (2014).
    """
    stream = Vpin(instrument_of(x), bucket, window, signs, otc=otc)
    for batch in event_batches(x):
        stream.apply(batch)
    return stream.frame
