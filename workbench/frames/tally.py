"""What the events of a rectangle add up to: volume by side, and resting size that came and went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from workbench.events import SUBTICKS_PER_TICK, EventKind, Flag, Side
from workbench.frames.moments import Moment, to_ns
from workbench.frames.selecting import TIME, Real, events_in, price_bounds, source_of

if TYPE_CHECKING:
    from workbench.book.levels import LevelBook

_KNOWS_NOTHING = [EventKind.CLEAR.name, EventKind.GAP.name]


class Tally(NamedTuple):
    """Facts of a rectangle, in real units.

    Attributes
    ----------
    events, trades : int
    buy, sell : float
        Volume by aggressor; trades of unknown side count in neither.
    added, removed : float
        Sums of what levels inside grew and shrank by. What was traded away is removed, too.
    """

    events: int
    trades: int
    buy: float
    sell: float
    added: float
    removed: float

    @property
    def delta(self) -> float:
        """Bought minus sold volume."""
        return self.buy - self.sell


def tally_in(
    x: Any,
    start: Moment | str,
    end: Moment | str,
    low: Any = None,
    high: Any = None,
    symbol: str | None = None,
) -> Tally:
    """Add up a rectangle; parameters as :func:`~workbench.frames.selecting.events_in`.

    Notes
    -----
    A level's change is its new size less the one before, which may lie before the rectangle. Rows of a snapshot are no
    changes, and after a gap nothing counts as one until a level was told again.
    """
    events = events_in(x, start, end, low, high, symbol)
    trades = events.filter((pl.col("kind") == EventKind.TRADE.name) & (pl.col("size_lots") > 0))
    changes = _changes(events, levels_before(x, to_ns(start), low, high, symbol))
    lots = _lot_size(x, symbol)
    return Tally(
        len(events),
        len(trades),
        _sum(trades.filter(pl.col("side") == int(Side.BUY))["size_lots"], lots),
        _sum(trades.filter(pl.col("side") == int(Side.SELL))["size_lots"], lots),
        _sum(changes.filter(changes > 0), lots),
        _sum(-changes.filter(changes < 0), lots),
    )


def _changes(events: pl.DataFrame, before: pl.DataFrame) -> pl.Series:
    era = pl.col("kind").is_in(_KNOWS_NOTHING).cum_sum().alias("era")
    depth = events.with_columns(era).filter(pl.col("kind") == EventKind.DEPTH.name)
    rows = pl.concat(
        [
            before.select("side", "price_ticks", "size_lots", era=pl.lit(0, pl.UInt32), counts=pl.lit(False)),
            depth.select(
                *("side", "price_ticks", "size_lots", pl.col("era").cast(pl.UInt32)),
                counts=(pl.col("flags") & int(Flag.SNAPSHOT)) == 0,
            ),
        ]
    )
    level = ("era", "side", "price_ticks")
    earlier = pl.col("size_lots").shift(1).over(level)
    # In the first era all levels are known, so that an absent one was empty; later ones begin with a snapshot.
    change = pl.col("size_lots") - earlier.fill_null(0)
    return rows.select(change=change, counts="counts").filter(pl.col("counts"))["change"]


def levels_before(
    x: Any, start_ns: int, low: Real | None = None, high: Real | None = None, symbol: str | None = None
) -> pl.DataFrame:
    """Levels in [low, high] that rest just before a moment: ``side``, ``price_ticks``, ``size_lots``."""
    instrument, events = source_of(x, symbol, None, None)
    first, last = price_bounds(low, high, instrument)
    fine = pl.col("price_ticks").cast(pl.Int64) * SUBTICKS_PER_TICK
    within = (pl.lit(True) if first is None else fine >= first) & (
        pl.lit(True) if last is None else fine <= last
    )
    if callable(getattr(x, "books_at", None)):
        rows = _resting(x.books_at(start_ns - 1)[0]).filter(within)
    else:
        rows = _last_told(events.filter(pl.col("ts") < pl.lit(start_ns).cast(TIME)), within)
    return rows.filter(pl.col("size_lots") > 0)


def _resting(book: LevelBook) -> pl.DataFrame:
    sides = [(side, *book.levels(side)) for side in (Side.BID, Side.ASK)]
    schema = pl.Schema({"side": pl.Int8(), "price_ticks": pl.Int32(), "size_lots": pl.Int64()})
    return pl.concat(
        pl.DataFrame({"side": [int(side)] * len(prices), "price_ticks": prices, "size_lots": sizes}).cast(
            schema
        )
        for side, prices, sizes in sides
    )


def _last_told(events: pl.LazyFrame, within: pl.Expr) -> pl.DataFrame:
    """Newest size of each level inside since the book was last unknown."""
    unknown = pl.col("kind").is_in([int(EventKind.CLEAR), int(EventKind.GAP)])
    told = (
        events.select("kind", "side", pl.col("price").alias("price_ticks"), pl.col("size").alias("size_lots"))
        .with_row_index("row")
        .filter(unknown | ((pl.col("kind") == int(EventKind.DEPTH)) & within))
        .collect()
    )
    forgotten = told.filter(unknown)["row"].max()
    known = told.filter(~unknown)
    if forgotten is not None:
        known = known.filter(pl.col("row") > forgotten)
    return known.group_by("side", "price_ticks", maintain_order=True).agg(pl.col("size_lots").last())


def _sum(lots: pl.Series, lot_size: float) -> float:
    return float(lots.sum()) * lot_size


def _lot_size(x: Any, symbol: str | None) -> float:
    instrument = x.capture(symbol).instrument if callable(getattr(x, "capture", None)) else x.instrument
    return float(instrument.lot_size)
