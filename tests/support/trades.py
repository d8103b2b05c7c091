"""Streams of trades, and a holder that looks like a recording to the formulas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np
import polars as pl
from hypothesis import strategies as st

from workbench.events import SUBTICK_SHIFT, EventBatch, EventKind, Flag, Instrument
from workbench.frames.edge import trades_frame

FINE = Instrument("ETHUSDT", "0.01", "0.00000001")
COARSE = Instrument("ESZ6", "0.25")


@dataclass
class Trades:
    """Trades of a batch as a recording would give them."""

    batch: EventBatch
    instrument: Instrument

    def trades(self) -> pl.LazyFrame:
        return trades_frame(self.batch.to_polars().lazy(), self.instrument)

    def batches(self) -> Iterator[EventBatch]:
        yield self.batch


def prints(price: list[float], size: list[int], side: list[int] | int = 1, **columns: object) -> EventBatch:
    """A batch of prints; prices in ticks, fractions of a tick allowed in thousandths."""
    fine = [round(p * 1000) for p in price]
    flags = [(f % 1000) << SUBTICK_SHIFT for f in fine]
    ticks = [f // 1000 for f in fine]
    return EventBatch.of(kind=EventKind.TRADE, price=ticks, size=size, side=side, flags=flags, **columns)


@st.composite
def trade_streams(draw: st.DrawFn, max_rows: int = 80) -> EventBatch:
    """Trades in order of time with sub-tick prices, unknown aggressors, huge sizes, off-book prints, marks, depth."""
    rows = draw(st.integers(0, max_rows))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    price = draw(st.sampled_from([0, -40, 25_000, 2**31 - 200])) + rng.integers(-9, 10, rows).cumsum().clip(
        -90, 90
    )
    most = draw(st.sampled_from([3, 1000, 10**12]))
    below = np.where(rng.random(rows) < 0.1, rng.integers(1, 1000, rows), 0)
    flags = (below << SUBTICK_SHIFT) | np.where(rng.random(rows) < 0.05, int(Flag.OTC), 0)
    kind = np.where(rng.random(rows) < 0.9, EventKind.TRADE, EventKind.DEPTH)
    ts = 1_700_000_000 * 10**9 + rng.integers(0, 10**9, rows).cumsum()
    side, size = rng.choice([1, -1, 0], rows, p=[0.45, 0.45, 0.1]), rng.integers(0, most, rows)
    return EventBatch.of(ts=ts, kind=kind, side=side, price=price, size=size, flags=flags)


def plain_prints(batch: EventBatch, *, otc: bool = False) -> list[tuple[int, int, int, int]]:
    """(ts, price in thousandths of a tick, size, side) of every trade, in plain Python."""
    rows = zip(
        *(c.tolist() for c in (batch.ts, batch.kind, batch.price, batch.size, batch.side, batch.flags))
    )
    return [
        (ts, price * 1000 + (flags >> SUBTICK_SHIFT), size, side)
        for ts, kind, price, size, side, flags in rows
        if kind == EventKind.TRADE and size > 0 and (otc or not flags & Flag.OTC)
    ]


def real(thousandths: int | Fraction, instrument: Instrument) -> Fraction:
    """Exact real price of thousandths of a tick."""
    return Fraction(thousandths) * Fraction(instrument.tick_size) / 1000


def exact_size(lots: int, instrument: Instrument) -> Decimal:
    """Exact real size."""
    return instrument.size(lots)
