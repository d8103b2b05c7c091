"""Exactly the events of a rectangle of time and price, from a session or a recording."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, Protocol

import polars as pl

from workbench.errors import WorkbenchError
from workbench.events import FLAG_MASK, SUBTICK_SHIFT, SUBTICKS_PER_TICK, EventKind, Instrument
from workbench.frames.edge import real_prices, real_sizes, trades_frame
from workbench.frames.moments import Moment, check_span, to_ns

if TYPE_CHECKING:
    from collections.abc import Iterable

TIME: Final = pl.Datetime("ns", "UTC")
KIND: Final = pl.Enum([kind.name for kind in EventKind])
ORDER_ROWS: Final = (int(EventKind.MBO_NEW), int(EventKind.MBO_REPLACE))
PRICED: Final = (int(EventKind.DEPTH), int(EventKind.TRADE), *ORDER_ROWS, int(EventKind.MBO_CANCEL))
EVERYWHERE: Final = (
    int(EventKind.CLEAR),
    int(EventKind.SNAPSHOT_END),
    int(EventKind.GAP),
    int(EventKind.STATUS),
)
"""Rows that concern all prices at once: they belong to every rectangle of their time."""
_A_MILLIONTH_OF_A_TICK: Final = Fraction(SUBTICKS_PER_TICK, 10**6)

Real = float | int | str | Decimal


class Recorded(Protocol):
    """What is read of a recording."""

    @property
    def instrument(self) -> Instrument: ...
    def events(self, start: Moment | None = None, end: Moment | None = None) -> pl.LazyFrame: ...


class Captured(Protocol):
    """What is read of a session."""

    def capture(self, symbol: str | None = None) -> Any: ...


def events_in(
    x: Recorded | Captured,
    start: Moment | str,
    end: Moment | str,
    low: Real | None = None,
    high: Real | None = None,
    symbol: str | None = None,
) -> pl.DataFrame:
    """Events with ``start ≤ ts < end`` and ``low ≤ price ≤ high``, in the order of the stream.

    Parameters
    ----------
    x : session or recording
        Of a recording only the row groups of the time span are read.
    start, end : int ns, datetime with its zone, or ISO 8601 text with up to nine decimals
        Start inclusive, end exclusive: rectangles that follow each other share nothing and miss nothing.
    low, high : float, real units, optional
        Both inclusive; need not be on the grid. None: no bound on that side.
    symbol : str, optional
        Instrument of a session; default: its first one.

    Returns
    -------
    DataFrame
        ``ts``, ``ts_source`` (null where the venue sends none), ``sequence``, ``kind`` (name of the
        :class:`~workbench.events.EventKind`), ``side`` (+1 bid or buyer, −1 ask or seller, 0 none), ``price`` and
        ``size`` in real units, ``price_ticks``, ``size_lots``, ``order_id``, ``aggressor_id``, ``flags``.

    Raises
    ------
    WorkbenchError
        No times, an end before its start, bounds that are no finite numbers or in the wrong order.

    Notes
    -----
    Rows with a price (``DEPTH``, ``TRADE``, ``MBO_NEW``, ``MBO_REPLACE``, ``MBO_CANCEL``) are judged by it: trades by
    their exact price, sub-ticks included, and an ``MBO_CANCEL`` that carries none by the price at which its order
    last stood, which is then written into the row. ``GAP``, ``CLEAR``, ``SNAPSHOT_END`` and ``STATUS`` concern all
    prices and belong to every rectangle of their time, with null ``price`` and ``size`` (``size_lots`` keeps the number
    of lost events, or of the status). ``CLOCK`` rows are no events of the market and left out.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("2s")
    >>> near = wb.events_in(s, 0, s.clock.now_ns, s.book.best_bid, s.book.best_ask)
    >>> 0 < len(near) < len(wb.events_in(s, 0, s.clock.now_ns))
    True
    """
    start_ns, end_ns = to_ns(start), to_ns(end)
    check_span(start_ns, end_ns)
    instrument, events = source_of(x, symbol, start_ns, end_ns)
    bounds = price_bounds(low, high, instrument)
    inside = events.filter(*_while(start_ns, end_ns), pl.col("kind").is_in([*PRICED, *EVERYWHERE])).collect()
    inside = _with_cancelled_prices(inside, lambda: source_of(x, symbol, None, end_ns)[1])
    return _shown(inside.lazy().filter(_within(*bounds)), instrument).collect()


def trades_in(
    x: Recorded | Captured,
    start: Moment | str,
    end: Moment | str,
    low: Real | None = None,
    high: Real | None = None,
    symbol: str | None = None,
) -> pl.DataFrame:
    """Trades among :func:`events_in`, with the columns of ``session.trades``."""
    start_ns, end_ns = to_ns(start), to_ns(end)
    check_span(start_ns, end_ns)
    instrument, events = source_of(x, symbol, start_ns, end_ns)
    within = _within(*price_bounds(low, high, instrument))
    inside = events.filter(*_while(start_ns, end_ns), pl.col("kind") == int(EventKind.TRADE), within)
    return trades_frame(inside, instrument).collect()


def price_bounds(
    low: Real | None, high: Real | None, instrument: Instrument
) -> tuple[int | None, int | None]:
    """First and last thousandth of a tick within [low, high]; a float counts as the step it is a millionth of a tick from.

    Raises
    ------
    WorkbenchError
        No finite numbers, or low above high.
    """
    first = None if low is None else _thousandths(low, instrument, up=True)
    last = None if high is None else _thousandths(high, instrument, up=False)
    if low is not None and high is not None and Decimal(str(low)) > Decimal(str(high)):
        raise WorkbenchError(f"prices from {low} to {high}", expected="low ≤ high", code="bad_span")
    return first, last


def _thousandths(price: Real, instrument: Instrument, *, up: bool) -> int:
    try:
        exact = Fraction(Decimal(str(price)))
    except (ArithmeticError, ValueError):
        raise WorkbenchError(f"price {price!r}", expected="a finite number", code="bad_price") from None
    steps = exact / Fraction(instrument.tick_size) * SUBTICKS_PER_TICK
    nearest = round(steps)
    if abs(steps - nearest) <= _A_MILLIONTH_OF_A_TICK:
        return nearest
    return -(-steps.numerator // steps.denominator) if up else steps.numerator // steps.denominator


def source_of(
    x: Any, symbol: str | None, start_ns: int | None, end_ns: int | None
) -> tuple[Instrument, pl.LazyFrame]:
    """Instrument and stored events of a session (all) or a recording (those of the span, both ends inclusive)."""
    if callable(getattr(x, "capture", None)):
        capture = x.capture(symbol)
        return capture.instrument, capture.columns.frame().lazy()
    if callable(getattr(x, "events", None)):
        if symbol not in (None, x.instrument.symbol):
            found = f"unknown instrument {symbol!r}; have {[x.instrument.symbol]}"
            raise WorkbenchError(found, code="unknown_instrument")
        return x.instrument, x.events(start_ns, end_ns)
    raise WorkbenchError(f"{type(x).__name__} without events", expected="a session or a recording")


def _while(start_ns: int, end_ns: int) -> Iterable[pl.Expr]:
    return pl.col("ts") >= pl.lit(start_ns).cast(TIME), pl.col("ts") < pl.lit(end_ns).cast(TIME)


def _within(first: int | None, last: int | None) -> pl.Expr:
    fine = fine_price()
    above = pl.lit(True) if first is None else fine >= first
    below = pl.lit(True) if last is None else fine <= last
    return pl.col("kind").is_in(EVERYWHERE) | (above & below)


def fine_price() -> pl.Expr:
    """Price of a row in thousandths of a tick: those of trades include what lies between two ticks."""
    whole = pl.col("price").cast(pl.Int64) * SUBTICKS_PER_TICK
    rest = (pl.col("flags") // (1 << SUBTICK_SHIFT)).cast(pl.Int64)
    return pl.when(pl.col("kind") == int(EventKind.TRADE)).then(whole + rest).otherwise(whole)


def _with_cancelled_prices(inside: pl.DataFrame, earlier: Any) -> pl.DataFrame:
    """Give each cancel without a price the one at which its order last stood."""
    bare = (pl.col("kind") == int(EventKind.MBO_CANCEL)) & (pl.col("price") == 0)
    ids = inside.filter(bare)["order_id"].unique()
    if not len(ids):
        return inside
    stood = (
        earlier()
        .filter(pl.col("kind").is_in(ORDER_ROWS), pl.col("order_id").is_in(ids.implode()))
        .select("sequence", "order_id", pl.col("price").alias("stood"))
        .collect()
    )
    joined = inside.join_asof(
        stood.sort("sequence"), on="sequence", by="order_id", strategy="backward", check_sortedness=False
    )
    price = pl.when(bare & pl.col("stood").is_not_null()).then(pl.col("stood")).otherwise(pl.col("price"))
    return joined.with_columns(price.alias("price")).drop("stood")


def _shown(events: pl.LazyFrame, instrument: Instrument) -> pl.LazyFrame:
    names: Mapping[int, str] = {int(kind): kind.name for kind in EventKind}
    priced = pl.col("kind").is_in(PRICED)
    fine = real_prices(fine_price(), instrument)
    return events.select(
        "ts",
        pl.when(pl.col("ts_source").to_physical() != 0).then(pl.col("ts_source")).alias("ts_source"),
        "sequence",
        pl.col("kind").replace_strict(names, return_dtype=KIND).alias("kind"),
        "side",
        pl.when(priced).then(fine).alias("price"),
        pl.when(priced).then(real_sizes(pl.col("size"), instrument)).alias("size"),
        pl.when(priced).then(pl.col("price")).alias("price_ticks"),
        pl.col("size").alias("size_lots"),
        "order_id",
        "aggressor_id",
        (pl.col("flags") & FLAG_MASK).alias("flags"),
    )
