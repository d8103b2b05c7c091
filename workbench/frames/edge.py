"""The edge: integers become real units, in one place, for trades, depth and gaps.

Frames have the columns that :func:`trades_frame` lists: ``ts`` and ``ts_source`` (null where the venue sends none) as UTC
times with ns, ``sequence``, ``price`` and ``size`` in real units, ``price_ticks`` and ``size_lots`` as stored.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import polars as pl

from workbench.events import FLAG_MASK, SUBTICK_SHIFT, SUBTICKS_PER_TICK, EventKind, Flag

if TYPE_CHECKING:
    from workbench.events import Instrument


def trades_frame(events: pl.LazyFrame, instrument: Instrument) -> pl.LazyFrame:
    """Prints, without the zero-size marks that only end a batch of executions.

    Parameters
    ----------
    events : LazyFrame
        Columns of :func:`~workbench.events.polars_schema`.
    instrument : Instrument
        Gives tick and lot size.

    Returns
    -------
    LazyFrame
        ``ts, ts_source, sequence, price, size, price_ticks, size_lots, aggressor, hidden, order_id, aggressor_id,
        flags``. ``price`` and ``size`` are the doubles nearest to the exact decimals, sub-tick prices included;
        ``aggressor`` is +1 buy, −1 sell, 0 unknown.
    """
    trades = events.filter((pl.col("kind") == int(EventKind.TRADE)) & (pl.col("size") != 0))
    return trades.select(*_shared(instrument), pl.col("side").alias("aggressor"), *_identity())


def depth_frame(events: pl.LazyFrame, instrument: Instrument) -> pl.LazyFrame:
    """Changes of price levels: ``size`` is the new total, 0 = level gone; columns as trades, with ``side``."""
    depth = events.filter(pl.col("kind") == int(EventKind.DEPTH))
    return depth.select(*_shared(instrument), pl.col("side"), *_identity())


def gaps_frame(events: pl.LazyFrame) -> pl.LazyFrame:
    """Where events are missing: ``ts``, ``sequence`` (first lost number), ``lost`` (how many, −1 unknown)."""
    gaps = events.filter(pl.col("kind") == int(EventKind.GAP))
    return gaps.select("ts", "sequence", pl.col("size").alias("lost"))


def real_prices(thousandths: pl.Expr, instrument: Instrument) -> pl.Expr:
    """Real prices of thousandths of a tick."""
    return _scaled(thousandths, instrument.tick_size / SUBTICKS_PER_TICK)


def real_sizes(lots: pl.Expr, instrument: Instrument) -> pl.Expr:
    """Real sizes of lots."""
    return _scaled(lots, instrument.lot_size)


def _shared(instrument: Instrument) -> tuple[pl.Expr, ...]:
    subtick = pl.col("flags") // (1 << SUBTICK_SHIFT)
    thousandths = pl.col("price").cast(pl.Int64) * SUBTICKS_PER_TICK + subtick.cast(pl.Int64)
    is_trade = pl.col("kind") == int(EventKind.TRADE)
    fine = pl.when(is_trade).then(thousandths).otherwise(pl.col("price").cast(pl.Int64) * SUBTICKS_PER_TICK)
    return (
        pl.col("ts"),
        pl.when(pl.col("ts_source").to_physical() != 0).then(pl.col("ts_source")).alias("ts_source"),
        pl.col("sequence"),
        real_prices(fine, instrument).alias("price"),
        real_sizes(pl.col("size"), instrument).alias("size"),
        pl.col("price").alias("price_ticks"),
        pl.col("size").alias("size_lots"),
    )


def _identity() -> tuple[pl.Expr, ...]:
    hidden = (pl.col("flags") & int(Flag.HIDDEN)) != 0
    flags = pl.col("flags") & FLAG_MASK
    return hidden.alias("hidden"), pl.col("order_id"), pl.col("aggressor_id"), flags.alias("flags")


def _scaled(values: pl.Expr, step: Decimal) -> pl.Expr:
    # An exact product and one correctly rounded division give the double nearest to the decimal, as
    # Instrument.prices does; a product with float(step) does not: 3 * 0.1 != 0.3.
    ratio = Fraction(step)
    scaled = values.cast(pl.Float64)
    if ratio.numerator != 1:
        scaled = scaled * float(ratio.numerator)
    if ratio.denominator == 1:
        return scaled
    # Polars divides by a scalar as a product with its reciprocal, rounding twice; by a column it divides.
    return scaled / (scaled * 0.0 + float(ratio.denominator))
