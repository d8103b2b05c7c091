"""Volume-weighted average price and its bands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl

from workbench.book.jit import aligned
from workbench.errors import WorkbenchError
from workbench.events import SUBTICKS_PER_TICK, EventBatch, FloatArray, Instrument, IntArray
from workbench.flow.batches import instrument_of
from workbench.flow.prints import (
    Prints,
    TradesSource,
    as_times,
    prints_of,
    prints_of_batch,
    real_sizes,
    split,
)
from workbench.flow.vwap_kernels import REFERENCE, SLOTS, VOLUME, accumulate
from workbench.frames.moments import Moment, to_ns


class Vwap:
    """VWAP of a stream of events, exact over its whole length.

    Parameters
    ----------
    instrument : Instrument
    otc : bool, optional
        Whether off-book prints count.
    deviation : bool, optional
        Whether σ is wanted: it costs as much as VWAP itself. NaN where it is not.

    Notes
    -----
    Σ price·size and Σ size are kept as integers, sub-tick prices included, so nothing is lost however long the stream
    and however it is cut into batches, and each value is the double nearest to the exact average. σ is the population deviation of price weighted by size, by Welford's update.
    """

    def __init__(self, instrument: Instrument, *, otc: bool = False, deviation: bool = True):
        self.instrument = instrument
        self.otc = otc
        self.deviation = deviation
        self._exact = np.zeros(SLOTS, np.int64)
        self._moments = np.zeros(2, np.float64)
        self._last = (np.nan, np.nan)
        step = Fraction(instrument.tick_size) / SUBTICKS_PER_TICK
        self._step = float(step.numerator), float(step.denominator)

    def apply(self, batch: EventBatch) -> None:
        """Take in the trades of a batch."""
        self.update(prints_of_batch(batch, otc=self.otc))

    def update(self, prints: Prints) -> tuple[FloatArray, FloatArray]:
        """Take in trades; VWAP and σ after each of them, real units, shape (n_trades,)."""
        price, size = aligned(prints.price), aligned(prints.size)
        vwap, sigma = np.empty(len(price)), np.empty(len(price) if self.deviation else 0)
        accumulate(price, size, *self._step, self._exact, self._moments, vwap, sigma)
        if not self.deviation:
            sigma = np.broadcast_to(np.nan, len(vwap))
        if len(vwap):
            self._last = (float(vwap[-1]), float(sigma[-1]))
        return vwap, sigma

    @property
    def volume_lots(self) -> int:
        """Lots traded so far."""
        return int(self._exact[VOLUME])

    @property
    def fraction(self) -> Fraction | None:
        """VWAP as an exact fraction in real units, None before the first trade."""
        if not self.volume_lots:
            return None
        moved = sum(int(self._exact[limb]) << (16 * limb) for limb in range(4))
        thousandths = int(self._exact[REFERENCE]) + Fraction(moved, self.volume_lots)
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

    References
    ----------
    S. A. Berkowitz, D. E. Logue, E. A. Noser, "The total cost of transactions on the NYSE", Journal of Finance 43
    (1988). D. H. D. West, "Updating mean and variance estimates: an improved method", Communications of the ACM 22
    (1979).
    """
    prints = prints_of(x, otc=otc)
    _check_bands(bands)
    if anchor is not None:
        prints = split(prints, [to_ns(anchor)])[-1]
    values, sigmas = Vwap(instrument_of(x), otc=otc).update(prints)
    columns: dict[str, FloatArray] = {
        "vwap": values,
        "sigma": sigmas,
        "volume": _running(prints.size, instrument_of(x)),
    }
    for k in bands:
        columns[f"lower_{k:g}"] = values - k * sigmas
        columns[f"upper_{k:g}"] = values + k * sigmas
    return pl.DataFrame([as_times(prints.ts), *(pl.Series(n, v, pl.Float64) for n, v in columns.items())])


def _check_bands(bands: Any) -> None:
    given = bands if isinstance(bands, Sequence) and not isinstance(bands, str) else None
    if given is None or not all(isinstance(k, int | float) and math.isfinite(k) and k > 0 for k in given):
        raise WorkbenchError(
            f"bands {bands!r:.60}", expected="multiples of σ above 0, like (1, 2)", code="bad_value"
        )


def _running(lots: IntArray, instrument: Instrument) -> FloatArray:
    return real_sizes(np.cumsum(lots), instrument)
