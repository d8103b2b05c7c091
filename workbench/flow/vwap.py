"""Volume-weighted average price and its bands."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import numpy as np
import polars as pl
from numba import types

from workbench.book.jit import I8_COLUMN, kernel, part
from workbench.events import SUBTICKS_PER_TICK, Array, EventBatch, FloatArray, Instrument, IntArray
from workbench.flow.prints import (
    Prints,
    TradesSource,
    as_times,
    prints_of,
    prints_of_batch,
    real_prices,
    real_sizes,
    split,
)
from workbench.frames.moments import Moment, to_ns

# Slots of the exact state: Σ(price − reference)·size in four limbs of 16 bits (the last one open), Σ size, the
# reference price. One 64-bit product overflows for sizes of 1e-8: 260,000 ticks · 1000 · 10 coins · 10⁸.
_VOLUME: Final = 4
_REFERENCE: Final = 5
_SLOTS: Final = 6
_MEAN: Final = 0
_SQUARES: Final = 1


@part
def _product(a: float, b: float) -> tuple[float, float]:
    """Product of two doubles without error, as a sum of two (Dekker 1971)."""
    split_a, split_b = 134217729.0 * a, 134217729.0 * b  # 2²⁷ + 1
    high_a, high_b = split_a - (split_a - a), split_b - (split_b - b)
    low_a, low_b = a - high_a, b - high_b
    product = a * b
    return product, low_a * low_b - (((product - high_a * high_b) - low_a * high_b) - high_a * low_b)


@part
def _quotient(high: float, low: float, divisor: float) -> tuple[float, float]:
    """Quotient of a sum of two doubles by a double, as a sum of two."""
    first = high / divisor
    product, error = _product(first, divisor)
    return first, ((high - product) - error + low) / divisor


@part
def _average(exact: Array, numerator: float, denominator: float) -> float:
    """(reference + moved / volume) · numerator / denominator, rounded once: the double nearest to the exact price."""
    volume, reference = float(exact[_VOLUME]), float(exact[_REFERENCE])
    fine = exact[2] * 4294967296.0 + exact[1] * 65536.0 + exact[0]
    moved = exact[3] * 281474976710656.0 + fine
    rest = fine - (moved - exact[3] * 281474976710656.0)
    away, away_rest = _quotient(moved, rest, volume)
    total = reference + away
    back = total - reference
    total_rest = (reference - (total - back)) + (away - back) + away_rest
    scaled, scaled_rest = _product(total, numerator)
    value, value_rest = _quotient(scaled, scaled_rest + total_rest * numerator, denominator)
    return value + value_rest


@kernel(types.void(I8_COLUMN, I8_COLUMN, *[types.float64] * 2, types.int64[::1], *[types.float64[::1]] * 3))
def _accumulate(
    price: Array,
    size: Array,
    numerator: float,
    denominator: float,
    exact: Array,
    moments: Array,
    vwap: Array,
    sigma: Array,
) -> None:
    """One formula for both faces: VWAP (real units) and σ (thousandths of a tick) after each trade."""
    for i in range(len(price)):
        if exact[_VOLUME] == 0:
            exact[_REFERENCE] = price[i]
        away = price[i] - exact[_REFERENCE]
        carry = np.int64(0)
        for limb in range(4):
            part = (size[i] >> (16 * limb)) & 0xFFFF if limb < 3 else size[i] >> 48
            total = exact[limb] + away * part + carry
            exact[limb], carry = (total & 0xFFFF, total >> 16) if limb < 3 else (total, np.int64(0))
        exact[_VOLUME] += size[i]
        vwap[i] = _average(exact, numerator, denominator)
        # Weighted Welford: the form Σs·p²/Σs − vwap² loses the digits that matter.
        delta = price[i] - moments[_MEAN]
        moments[_MEAN] += delta * (size[i] / float(exact[_VOLUME]))
        moments[_SQUARES] += size[i] * delta * (price[i] - moments[_MEAN])
        sigma[i] = np.sqrt(max(moments[_SQUARES], 0.0) / float(exact[_VOLUME]))


class Vwap:
    """VWAP of a stream of events, exact over its whole length.

    Parameters
    ----------
    instrument : Instrument
    otc : bool, optional
        Whether off-book prints count.

    Notes
    -----
    Σ price·size and Σ size are kept as integers, sub-tick prices included, so nothing is lost however long the stream
    and however it is cut into batches, and each value is the double nearest to the exact average. σ is the population deviation of price weighted by size, by Welford's update.
    """

    def __init__(self, instrument: Instrument, *, otc: bool = False):
        self.instrument = instrument
        self.otc = otc
        self._exact = np.zeros(_SLOTS, np.int64)
        self._moments = np.zeros(2, np.float64)
        self._last = (np.nan, np.nan)
        step = Fraction(instrument.tick_size) / SUBTICKS_PER_TICK
        self._step = float(step.numerator), float(step.denominator)

    def apply(self, batch: EventBatch) -> None:
        """Take in the trades of a batch."""
        self.update(prints_of_batch(batch, otc=self.otc))

    def update(self, prints: Prints) -> tuple[FloatArray, FloatArray]:
        """Take in trades; VWAP and σ after each of them, real units, shape (n_trades,)."""
        vwap, sigma = np.empty((2, len(prints.price)))
        price, size = np.ascontiguousarray(prints.price), np.ascontiguousarray(prints.size)
        _accumulate(price, size, *self._step, self._exact, self._moments, vwap, sigma)
        values = vwap, real_prices(sigma, self.instrument)
        if len(vwap):
            self._last = (float(values[0][-1]), float(values[1][-1]))
        return values

    @property
    def volume_lots(self) -> int:
        """Lots traded so far."""
        return int(self._exact[_VOLUME])

    @property
    def fraction(self) -> Fraction | None:
        """VWAP as an exact fraction in real units, None before the first trade."""
        if not self.volume_lots:
            return None
        moved = sum(int(self._exact[limb]) << (16 * limb) for limb in range(4))
        thousandths = int(self._exact[_REFERENCE]) + Fraction(moved, self.volume_lots)
        return thousandths * Fraction(self.instrument.tick_size) / SUBTICKS_PER_TICK

    @property
    def value(self) -> float | None:
        """VWAP, real units, None before the first trade."""
        return self._last[0] if self.volume_lots else None

    @property
    def sigma(self) -> float | None:
        """Standard deviation of price weighted by size, real units, None before the first trade."""
        return self._last[1] if self.volume_lots else None


def vwap(
    x: TradesSource, *, anchor: Moment | None = None, bands: Sequence[float] = (), otc: bool = False
) -> pl.DataFrame:
    """VWAP after each trade from an anchor on.

    Parameters
    ----------
    x : session or recording
    anchor : int ns or datetime, optional
        Trades before it neither count nor have a row. Default: the first trade.
    bands : sequence of float, optional
        Multiples of σ; each adds columns ``lower_K`` and ``upper_K``.
    otc : bool, optional
        Whether off-book prints count. Hidden executions always do.

    Returns
    -------
    DataFrame
        ``ts, vwap, sigma, volume``, one row per trade, real units; the last row is the value at the end. ``volume`` is
        the running total. No rows without trades.

    Notes
    -----
    σ² = Σs(p − VWAP)²/Σs. Prices 100, 101, 99, 102 with sizes 10, 20, 5, 5 give 100.625 and σ = 0.856957.
    """
    prints = prints_of(x, otc=otc)
    if anchor is not None:
        prints = split(prints, [to_ns(anchor)])[-1]
    values, sigmas = Vwap(x.instrument, otc=otc).update(prints)
    columns: dict[str, FloatArray] = {
        "vwap": values,
        "sigma": sigmas,
        "volume": _running(prints.size, x.instrument),
    }
    for k in bands:
        columns[f"lower_{k:g}"] = values - k * sigmas
        columns[f"upper_{k:g}"] = values + k * sigmas
    return pl.DataFrame([as_times(prints.ts), *(pl.Series(n, v, pl.Float64) for n, v in columns.items())])


def _running(lots: IntArray, instrument: Instrument) -> FloatArray:
    return real_sizes(np.cumsum(lots), instrument)
