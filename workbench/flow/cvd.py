"""Cumulative volume delta: what aggressors bought minus what they sold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import numpy as np
import polars as pl
from numba import types

from workbench.book.jit import I1_COLUMN, I8_COLUMN, aligned, kernel, part
from workbench.errors import WorkbenchError
from workbench.events import Array, EventBatch, FloatArray, Instrument
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
from workbench.frames.moments import Moment, to_ns

SizeFilter = tuple[float, float | None]
_NO_BOUND: Final = 2**63 - 1


_BLOCK: Final = 1024
"""Trades at a time: what is between the three passes over them stays in the nearest cache."""
_EXPONENT: Final = 0x4338000000000000
_SHIFTED: Final = 6755399441055744.0  # 2⁵² + 2⁵¹, the double of these bits
_WHOLE: Final = 2**51


@part
def _signed(size: Array, side: Array, bounds: tuple[int, int, int], out: Array) -> None:
    """What each trade adds to the delta."""
    least, below, aggressor = bounds
    for i in range(len(size)):
        s, e = size[i], side[i]
        out[i] = s if e > 0 else -s if e < 0 else 0
    if least <= 0 and below == _NO_BOUND and aggressor == 0:
        return
    for i in range(len(size)):
        s, e = size[i], np.int64(side[i])
        out[i] = out[i] if (least <= s) & (s < below) & (e * aggressor >= 0) else 0


@part
def _scale(
    deltas: Array, shifted: Array, numerator: float, denominator: float, near: bool, out: Array
) -> None:
    """Deltas in real units; below 2⁵¹ they become doubles by their bits, which the processor does four at a time."""
    if near:
        for i in range(len(out)):
            deltas[i] += _EXPONENT  # a loop of its own: the next one reads the same bits as doubles
        for i in range(len(out)):
            scaled = (shifted[i] - _SHIFTED) * numerator
            out[i] = scaled / denominator
    else:
        for i in range(len(out)):
            out[i] = float(deltas[i]) * numerator / denominator


_BOUNDS: Final = types.UniTuple(types.int64, 3)  # type: ignore[no-untyped-call]


@kernel(types.void(I8_COLUMN, I1_COLUMN, _BOUNDS, *[types.float64] * 2, types.int64[::1], types.float64[::1]))
def _accumulate(
    size: Array,
    side: Array,
    bounds: tuple[int, int, int],
    numerator: float,
    denominator: float,
    state: Array,
    out: Array,
) -> None:
    """Running delta in real units; ``state``: the delta in lots, its lowest and its highest value, from 0 on."""
    block = np.empty(_BLOCK, np.int64)
    delta, low, high = state[0], state[1], state[2]
    for start in range(0, len(size), _BLOCK):
        stop = min(start + _BLOCK, len(size))
        deltas = block[: stop - start]
        _signed(size[start:stop], side[start:stop], bounds, deltas)
        for i in range(len(deltas)):
            delta += deltas[i]
            deltas[i] = delta
        least = most = delta
        for i in range(len(deltas)):  # apart from the sums, of which each waits for the one before
            least, most = min(least, deltas[i]), max(most, deltas[i])
        near = least > -_WHOLE and most < _WHOLE
        _scale(deltas, deltas.view(np.float64), numerator, denominator, near, out[start:stop])
        low, high = min(low, least), max(high, most)
    state[0], state[1], state[2] = delta, low, high


class Cvd:
    """Cumulative volume delta of a stream of events, in lots and exact.

    Parameters
    ----------
    instrument : Instrument
    otc : bool, optional
        Whether off-book prints count.
    sizes : (float, float or None), optional
        Only trades of ``sizes[0] <= size < sizes[1]`` count, real units; None above: without bound. Filters that share
        a bound share no trade, so the deltas of a partition add up to the delta of all.
    aggressor : {0, 1, -1}
        1: only what buyers bought, −1: only what sellers sold.

    Notes
    -----
    Trades without an aggressor change nothing.
    """

    def __init__(
        self,
        instrument: Instrument,
        *,
        otc: bool = False,
        sizes: SizeFilter | None = None,
        aggressor: int = 0,
    ):
        self.instrument = instrument
        self.otc = otc
        self._bounds = (*size_bounds(sizes, instrument), aggressor)
        lot = Fraction(instrument.lot_size)
        self._lot = float(lot.numerator), float(lot.denominator)
        self._state = np.zeros(3, np.int64)

    def apply(self, batch: EventBatch) -> None:
        """Take in the trades of a batch."""
        self.update(prints_of_batch(batch, otc=self.otc))

    def update(self, prints: Prints) -> FloatArray:
        """Take in trades; the delta after each of them, real units, shape (n_trades,)."""
        out = np.empty(len(prints.size))
        size, side = aligned(prints.size), aligned(prints.side)
        _accumulate(size, side, self._bounds, *self._lot, self._state, out)
        return out

    def reset(self) -> None:
        """Begin again at 0."""
        self._state[:] = 0

    @property
    def lots(self) -> int:
        """Delta now, lots."""
        return int(self._state[0])

    @property
    def value(self) -> float:
        """Delta now, real units: what the batch face has in its last row."""
        return float(real_sizes(np.array([self.lots]), self.instrument)[0])

    @property
    def low_lots(self) -> int:
        """Lowest delta so far, the start at 0 included."""
        return int(self._state[1])

    @property
    def high_lots(self) -> int:
        """Highest delta so far, the start at 0 included."""
        return int(self._state[2])


def size_bounds(sizes: SizeFilter | None, instrument: Instrument) -> tuple[int, int]:
    """Least size that counts and the one from which none does any more, lots.

    Raises
    ------
    WorkbenchError
        Not ``0 <= lower < upper``.
    """
    lower, upper = (0, None) if sizes is None else sizes
    upper = None if upper == math.inf else upper
    if not 0 <= lower < (math.inf if upper is None else upper):
        raise WorkbenchError(
            f"sizes {sizes}", expected="(lower, upper) with 0 ≤ lower < upper, or upper None"
        )
    lot = Fraction(instrument.lot_size)
    least, below = (math.ceil(Fraction(str(bound)) / lot) for bound in (lower, upper or 0))
    return least, _NO_BOUND if upper is None else below


def cvd(
    x: TradesSource, *, otc: bool = False, sizes: SizeFilter | None = None, resets: Sequence[Moment] = ()
) -> pl.DataFrame:
    """Cumulative volume delta after each trade.

    Parameters
    ----------
    x : session or recording
    otc : bool, optional
        Whether off-book prints count. Hidden executions always do.
    sizes : (float, float or None), optional
        Only trades of ``sizes[0] <= size < sizes[1]`` count, real units.
    resets : sequence of int ns or datetime, optional
        The delta begins again at 0 with the first trade at or after each of them.

    Returns
    -------
    DataFrame
        ``ts, cvd``, one row per trade, real units; the last row is the value at the end. No rows without trades.

    Notes
    -----
    Buy aggressors add, sell aggressors subtract, trades without an aggressor leave it as it is.

    References
    ----------
    Bookmap, knowledge base, "CVD": sizes from and to, reference points, split of buyers and sellers.
    """
    prints = prints_of(x, otc=otc)
    running = Cvd(instrument_of(x), sizes=sizes)
    parts = [np.empty(0)]
    for piece in split(prints, [to_ns(moment) for moment in resets]):
        running.reset()
        parts.append(running.update(piece))
    return pl.DataFrame([as_times(prints.ts), pl.Series("cvd", np.concatenate(parts), pl.Float64)])
