"""The one place where sessions, recordings and batches become arrays of trades for the formulas.

Hidden executions are trades like any other. Off-book prints (``OTC``) are left out unless asked for: they did not meet
the book whose flow is studied. Marks of size zero, which only end a batch of executions, are no trades.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from workbench.errors import WorkbenchError
from workbench.events import (
    SUBTICK_SHIFT,
    SUBTICKS_PER_TICK,
    EventBatch,
    EventKind,
    Flag,
    FloatArray,
    Instrument,
    IntArray,
)
from workbench.flow.batches import instrument_of


class TradesSource(Protocol):
    """A session, a recording, or anything else with trades as frames of real units and an instrument."""

    @property
    def instrument(self) -> Instrument:
        """What is traded."""


class Prints(NamedTuple):
    """Trades as arrays of shape (n_trades,).

    Attributes
    ----------
    ts : int64, ns
    price : int64, thousandths of a tick
        Midpoint and hidden executions print between two ticks.
    size : int64, lots
    side : int8
        Aggressor: +1 buy, −1 sell, 0 unknown.
    """

    ts: IntArray
    price: IntArray
    size: IntArray
    side: npt.NDArray[np.int8]


def prints_of(x: TradesSource, *, otc: bool = False) -> Prints:
    """Trades of a session or recording.

    Parameters
    ----------
    x : session or recording
        Its ``trades`` (attribute or method) is a Polars frame as ``Recording.trades()`` gives it.
    otc : bool, optional
        Whether off-book prints count.
    """
    instrument = instrument_of(x)
    trades = getattr(x, "trades", None)
    if callable(trades):
        trades = trades()
    if isinstance(trades, pl.LazyFrame):
        trades = trades.select("ts", "price", "price_ticks", "size_lots", "aggressor", "flags").collect()
    if not isinstance(trades, pl.DataFrame):
        raise WorkbenchError(f"{type(x).__name__} without trades", expected="a session or a recording")
    trades = trades.filter(pl.col("size_lots") > 0)
    if not otc:
        trades = trades.filter((pl.col("flags") & int(Flag.OTC)) == 0)
    ts = trades["ts"].to_physical().to_numpy()
    size = trades["size_lots"].to_numpy()
    side = trades["aggressor"].to_numpy()
    return Prints(
        ts.astype(np.int64),
        _thousandths(trades, instrument),
        size.astype(np.int64),
        side.astype(np.int8),
    )


def prints_of_batch(batch: EventBatch, *, otc: bool = False) -> Prints:
    """Trades among the events of a batch, for the streaming faces."""
    mask = is_print(batch, otc=otc)
    price = batch.price[mask].astype(np.int64) * SUBTICKS_PER_TICK + (batch.flags[mask] >> SUBTICK_SHIFT)
    return Prints(batch.ts[mask], price, batch.size[mask], batch.side[mask])


def is_print(batch: EventBatch, *, otc: bool = False) -> npt.NDArray[np.bool_]:
    """Which events are trades that count, shape (n_events,)."""
    mask: npt.NDArray[np.bool_] = (batch.kind == EventKind.TRADE) & (batch.size > 0)
    if not otc:
        mask &= (batch.flags & Flag.OTC) == 0
    return mask


def split(prints: Prints, moments: Iterable[int]) -> list[Prints]:
    """Trades cut before the first one at or after each moment, ns; empty pieces are kept."""
    rows = sorted({0, *np.searchsorted(prints.ts, list(moments)).tolist()})
    pieces = zip(rows, [*rows[1:], len(prints.ts)])
    return [Prints(prints.ts[i:j], prints.price[i:j], prints.size[i:j], prints.side[i:j]) for i, j in pieces]


def real_prices(thousandths: IntArray | FloatArray, instrument: Instrument) -> FloatArray:
    """Real prices of thousandths of a tick; for whole numbers the doubles nearest to the exact decimals."""
    return _scaled(thousandths, instrument.tick_size / SUBTICKS_PER_TICK)


def real_sizes(lots: IntArray | FloatArray, instrument: Instrument) -> FloatArray:
    """Real sizes of lots."""
    return _scaled(lots, instrument.lot_size)


def as_times(ts: IntArray) -> pl.Series:
    """Column ``ts`` of a frame: ns since the epoch as UTC times."""
    return pl.Series("ts", ts, pl.Int64).cast(pl.Datetime("ns", "UTC"))


def _thousandths(trades: pl.DataFrame, instrument: Instrument) -> IntArray:
    # Frames carry the part below a tick only in the real price. It is the double nearest to a multiple of the step and
    # at most 2⁴¹ steps from zero, so rounding finds that multiple.
    step = Fraction(instrument.tick_size) / SUBTICKS_PER_TICK
    steps = trades["price"].to_numpy() * (float(step.denominator) / float(step.numerator))
    return np.rint(steps).astype(np.int64)


def _scaled(values: IntArray | FloatArray, step: Decimal) -> FloatArray:
    ratio = Fraction(step)
    scaled = values.astype(np.float64) * float(ratio.numerator)
    return scaled / float(ratio.denominator)
