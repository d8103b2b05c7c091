"""Footprint: volume sold into the bid and bought from the ask, by bar and price."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl
from numba import types

from workbench.book.jit import I1_COLUMN, I8_COLUMN, U1_COLUMN, kernel, part
from workbench.errors import WorkbenchError
from workbench.events import SUBTICKS_PER_TICK, Array, EventBatch, EventKind, Flag, Instrument, IntArray
from workbench.flow.bar_rule import BY_RANGE, BY_TIME, BY_TRADES, bar_rule
from workbench.flow.batches import instrument_of
from workbench.flow.imbalance import BoolArray, Cells, ImbalanceRule, Marks, Zeros, points_of_control
from workbench.flow.prints import (
    Prints,
    TradesSource,
    as_times,
    prints_of,
    prints_of_batch,
    real_prices,
    real_sizes,
)

START, END, OPEN, HIGH, LOW, CLOSE, BUY, SELL, UNKNOWN, TRADES, LEAST, MOST, CVD, FIRST, GAP = range(15)
"""Columns of the table of bars: ns, thousandths of a tick, lots; LEAST and MOST are the extremes of the bar's delta."""

_BAR_COLUMNS: Final = 15
_ROW, _BID, _ASK, _NEITHER = range(4)
_CELL_COLUMNS: Final = 4
_BARS, _CELLS, _DELTA, _BROKEN = range(4)
_I8 = types.int64
_TABLE = types.int64[:, ::1]


@part
def _is_over(bar: Array, kind: int, step: int, ts: int, price: int) -> bool:
    """Whether a print at ``ts`` and ``price`` begins another bar."""
    if kind == BY_TIME:
        return bool(ts // step * step > bar[START])
    if kind == BY_TRADES:
        return bool(bar[TRADES] >= step)
    if kind == BY_RANGE:
        return bool(max(bar[HIGH], price) - min(bar[LOW], price) > step)
    return bool(bar[BUY] + bar[SELL] + bar[UNKNOWN] >= step)


@part
def _cell_at(cells: Array, first: int, count: int, row: int) -> tuple[int, int]:
    """Place of the row among the sorted cells from ``first`` to ``count``, and how many had to be made for it."""
    low, high = first, count
    while low < high:
        middle = (low + high) // 2
        if cells[middle, _ROW] < row:
            low = middle + 1
        else:
            high = middle
    if low < count and cells[low, _ROW] == row:
        return low, 0
    for at in range(count, low, -1):
        cells[at] = cells[at - 1]
    cells[low] = 0
    cells[low, _ROW] = row
    return low, 1


@part
def _open(bar: Array, kind: int, step: int, ts: int, price: int, first: int) -> None:
    bar[:] = 0
    bar[START] = ts // step * step if kind == BY_TIME else ts
    bar[OPEN], bar[HIGH], bar[LOW] = price, price, price
    bar[FIRST] = first


@part
def _count(bar: Array, ts: int, price: int, size: int, side: int) -> None:
    bar[END], bar[CLOSE] = ts, price
    bar[HIGH], bar[LOW] = max(bar[HIGH], price), min(bar[LOW], price)
    bar[BUY if side > 0 else SELL if side < 0 else UNKNOWN] += size
    bar[TRADES] += 1
    delta = bar[BUY] - bar[SELL]
    bar[LEAST], bar[MOST] = min(bar[LEAST], delta), max(bar[MOST], delta)


@kernel(_I8(I8_COLUMN, I8_COLUMN, I8_COLUMN, I1_COLUMN, U1_COLUMN, *[_I8] * 4, _TABLE, _TABLE, _I8[::1]))
def _accumulate(
    ts: Array,
    price: Array,
    size: Array,
    side: Array,
    broken: Array,
    start: int,
    kind: int,
    step: int,
    height: int,
    bars: Array,
    cells: Array,
    state: Array,
) -> int:
    """Put trades into bars and cells; return how many were put before a table was full."""
    for i in range(start, len(ts)):
        if state[_BARS] == len(bars) or state[_CELLS] == len(cells):
            return i
        if broken[i]:
            state[_BROKEN] = 1
            if state[_BARS] > 0:
                bars[state[_BARS] - 1, GAP] = 1
        if state[_BARS] == 0 or _is_over(bars[state[_BARS] - 1], kind, step, ts[i], price[i]):
            _open(bars[state[_BARS]], kind, step, ts[i], price[i], state[_CELLS])
            state[_BARS] += 1
        bar = bars[state[_BARS] - 1]
        bar[GAP] |= state[_BROKEN]
        state[_BROKEN] = 0
        _count(bar, ts[i], price[i], size[i], side[i])
        state[_DELTA] += size[i] * side[i]
        bar[CVD] = state[_DELTA]
        at, made = _cell_at(cells, bar[FIRST], state[_CELLS], price[i] // height)
        state[_CELLS] += made
        cells[at, _ASK if side[i] > 0 else _BID if side[i] < 0 else _NEITHER] += size[i]
    return len(ts)


class Span(NamedTuple):
    """Some consecutive bars with their cells.

    Attributes
    ----------
    first : int
        Number of the first bar.
    bars : array of int64, shape (n_bars, 15)
        Columns as :data:`START` … :data:`GAP` name them.
    cells : Cells
        Cells of these bars, by bar and row.
    """

    first: int
    bars: IntArray
    cells: Cells

    @property
    def in_gap(self) -> BoolArray:
        """Whether events are missing in the bar of a cell, shape (n_cells,)."""
        found: BoolArray = self.bars[self.cells.bar - self.first, GAP] > 0
        return found


class FootprintStream:
    """Footprint of a stream of events; the sums are integers, so batches may be cut anywhere.

    Parameters
    ----------
    instrument : Instrument
    bar : str, optional
        What ends a bar, see :func:`~workbench.flow.bar_rule.bar_rule`.
    row_ticks : int, optional
        Height of a row; rows are anchored at price 0.
    otc : bool, optional
        Whether off-book prints count.
    """

    def __init__(self, instrument: Instrument, bar: str = "1m", row_ticks: int = 1, *, otc: bool = False):
        if not 1 <= row_ticks < 2**31 or row_ticks != int(row_ticks):
            raise WorkbenchError(f"row_ticks={row_ticks!r:.60}", expected="a whole number of at least 1")
        self.instrument = instrument
        self.rule = bar_rule(bar, instrument)
        self.row_ticks = int(row_ticks)
        self.otc = otc
        self._bars = np.zeros((64, _BAR_COLUMNS), np.int64)
        self._cells = np.zeros((1024, _CELL_COLUMNS), np.int64)
        self._state = np.zeros(4, np.int64)

    def __len__(self) -> int:
        return int(self._state[_BARS])

    def apply(self, batch: EventBatch) -> None:
        """Take in the trades and the gaps of a batch."""
        counted = (batch.kind == EventKind.TRADE) & (batch.size > 0)
        if not self.otc:
            counted &= (batch.flags & Flag.OTC) == 0
        gaps = np.flatnonzero(batch.kind == EventKind.GAP)
        self.update(prints_of_batch(batch, otc=self.otc), np.searchsorted(np.flatnonzero(counted), gaps))

    def update(self, prints: Prints, gaps: IntArray | None = None) -> None:
        """Take in trades.

        Parameters
        ----------
        prints : Prints
            In order of time.
        gaps : array of int64, optional
            Where events are missing: before the print of this number, ``len(prints.ts)`` meaning after the last.
        """
        broken = np.zeros(len(prints.ts) + 1, np.uint8)
        if gaps is not None:
            broken[gaps] = 1
        ts, price, size, side = (np.ascontiguousarray(column) for column in prints)
        kind, step = self.rule
        height, start = self.row_ticks * SUBTICKS_PER_TICK, 0
        while start < len(ts):
            self._make_room()
            tables = (self._bars, self._cells, self._state)
            start = _accumulate(ts, price, size, side, broken, start, kind, step, height, *tables)
        if broken[-1]:
            self._state[_BROKEN] = 1
            self._bars[: len(self), GAP][-1:] = 1

    def _make_room(self) -> None:
        if self._state[_BARS] == len(self._bars):
            self._bars = np.concatenate([self._bars, np.zeros_like(self._bars)])
        if self._state[_CELLS] == len(self._cells):
            self._cells = np.concatenate([self._cells, np.zeros_like(self._cells)])

    @property
    def bars(self) -> IntArray:
        """Table of bars, shape (n_bars, 15), as it is now: not a copy."""
        return self._bars[: len(self)]

    def span(self, first: int = 0, stop: int | None = None) -> Span:
        """Bars ``first`` to ``stop`` with their cells; copies."""
        stop = len(self) if stop is None else min(stop, len(self))
        first = min(max(first, 0), stop)
        edges = np.append(self._bars[first:stop, FIRST], self._cells_before(stop))
        cells = self._cells[edges[0] : edges[-1]].copy()
        bar = np.repeat(np.arange(first, stop), np.diff(edges))
        columns = (np.ascontiguousarray(cells[:, at]) for at in range(_CELL_COLUMNS))
        return Span(first, self._bars[first:stop].copy(), Cells(bar, *columns))

    def _cells_before(self, bar: int) -> int:
        return int(self._bars[bar, FIRST] if bar < len(self) else self._state[_CELLS])

    def frame(self, rule: ImbalanceRule | None = None) -> pl.DataFrame:
        """All bars so far, the open one included; see :func:`footprint`."""
        span = self.span()
        marks = (rule or ImbalanceRule()).marks(span.cells, span.in_gap, self.instrument)
        return _frame(span, marks, self.instrument, self.row_ticks)


def footprint(
    x: TradesSource,
    bar: str = "1m",
    row_ticks: int = 1,
    ratio: float = 3.0,
    min_volume: float = 0.0,
    stacked: int = 3,
    zeros: Zeros = "ignore",
    *,
    otc: bool = False,
) -> pl.DataFrame:
    """Footprint: volume by bar and price, by who crossed the spread.

    Parameters
    ----------
    x : session or recording
    bar : str, optional
        What ends a bar: an interval (``"1s"``, ``"1m"``), a number of prints (``"500 trades"``), a volume in real units
        (``"1000 volume"``) or a range in ticks (``"8 range"``).
    row_ticks : int, optional
        Height of a row; rows are anchored at price 0.
    ratio : float, optional
        A cell is imbalanced when it has at least so many times the volume of its diagonal neighbour.
    min_volume : float, optional
        Least volume of an imbalanced cell's larger side, real units.
    stacked : int, optional
        So many imbalances in a column, row upon row, are stacked.
    zeros : {"ignore", "count"}, optional
        What a diagonal neighbour without volume means: nothing to compare with, or an imbalance of any ratio.
    otc : bool, optional
        Whether off-book prints count. Hidden executions always do.

    Returns
    -------
    DataFrame
        A row for each bar and price that traded, by bar and upwards, real units. Of the cell: ``ts`` (start of the bar),
        ``bar`` (its number), ``price`` (low edge), ``bid`` (sold by aggressors into the bid), ``ask`` (bought by
        aggressors from the ask), ``unknown`` (no aggressor known), ``volume``, ``delta`` (ask − bid), ``buy_imbalance``,
        ``sell_imbalance``, ``buy_stacked``, ``sell_stacked``, ``unfinished``, ``is_poc``. Of its bar, repeated: ``end``
        (last print), ``open, high, low, close``, ``bar_volume``, ``bar_delta``, ``min_delta``, ``max_delta``, ``cvd``
        (delta since the first print of all), ``poc``, ``trades``, ``gap``.

    Raises
    ------
    WorkbenchError
        A bar, height or rule that means nothing.

    Notes
    -----
    A buy imbalance at row p compares what was bought there with what was sold one row below: ask(p) ≥ ratio · bid(p − 1).
    A sell imbalance compares bid(p) ≥ ratio · ask(p + 1). An auction is unfinished where both sides traded at the bar's
    extreme. Of rows with equal volume the lowest is the point of control. Extremes of the delta include the bar's start
    at 0. Bars by volume end with the print that reaches it, whole; a print that would widen a bar beyond its range
    begins another. Where events are missing, the bars before and after are marked (``gap``) and claim nothing: their
    imbalances and unfinished auctions are null.

    References
    ----------
    NinjaTrader 8, "Order Flow Volumetric Bars": diagonal imbalances, ratio 1.5 (flowsurface has 2, freqtrade 3).

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("10s")
    >>> wb.footprint(s, bar="5s")["bar"].max()
    1
    """
    rule = ImbalanceRule(ratio, min_volume, stacked, zeros)
    stream = FootprintStream(instrument_of(x), bar, row_ticks, otc=otc)
    stream.update(*_prints_and_gaps(x, otc))
    return stream.frame(rule)


class _Held(NamedTuple):
    instrument: Instrument
    trades: pl.DataFrame


def _prints_and_gaps(x: TradesSource, otc: bool) -> tuple[Prints, IntArray]:
    """Trades of a source, and before which of them events are missing."""
    source: Any = x
    trades = source.trades() if callable(getattr(x, "trades", None)) else getattr(x, "trades", None)
    if isinstance(trades, pl.LazyFrame):
        names = ("ts", "sequence", "price", "price_ticks", "size_lots", "aggressor", "flags")
        trades = trades.select(names).collect()
    if not isinstance(trades, pl.DataFrame):
        return prints_of(x, otc=otc), np.empty(0, np.int64)
    counted = trades.filter(pl.col("size_lots") > 0)
    if not otc:
        counted = counted.filter((pl.col("flags") & int(Flag.OTC)) == 0)
    gaps = getattr(x, "gaps", None)
    lost = gaps["sequence"].to_numpy() if isinstance(gaps, pl.DataFrame) else np.empty(0, np.int64)
    before = np.searchsorted(counted["sequence"].to_numpy(), lost)
    return prints_of(_Held(instrument_of(x), counted), otc=otc), before


def _frame(span: Span, marks: Marks, instrument: Instrument, row_ticks: int) -> pl.DataFrame:
    cells, bars = span.cells, span.bars[span.cells.bar - span.first]
    gap, poc = span.in_gap, points_of_control(cells)
    edges = real_prices(cells.row * (row_ticks * SUBTICKS_PER_TICK), instrument)
    return pl.DataFrame(
        [
            as_times(bars[:, START]),
            pl.Series("bar", cells.bar, pl.Int64),
            pl.Series("price", edges, pl.Float64),
            *_volumes(cells, instrument),
            *_claims(marks, pl.Series(~gap)),
            pl.Series("is_poc", poc, pl.Boolean),
            *_bar_columns(bars, instrument),
            pl.Series("poc", edges[poc][cells.bar - span.first], pl.Float64),
            pl.Series("trades", bars[:, TRADES], pl.Int64),
            pl.Series("gap", gap, pl.Boolean),
        ]
    )


def _volumes(cells: Cells, instrument: Instrument) -> list[pl.Series]:
    """Sizes of each cell, in real units."""
    lots = {
        "bid": cells.bid,
        "ask": cells.ask,
        "unknown": cells.unknown,
        "volume": cells.volume,
        "delta": cells.ask - cells.bid,
    }
    return [pl.Series(name, real_sizes(values, instrument), pl.Float64) for name, values in lots.items()]


def _claims(marks: Marks, known: pl.Series) -> list[pl.Series]:
    """What is claimed of each cell; null where its bar lacks events."""
    claims = {
        "buy_imbalance": marks.buy,
        "sell_imbalance": marks.sell,
        "buy_stacked": marks.buy_stacked,
        "sell_stacked": marks.sell_stacked,
        "unfinished": marks.unfinished,
    }
    return [_claimed(name, values, known) for name, values in claims.items()]


def _claimed(name: str, values: BoolArray, known: pl.Series) -> pl.Series:
    claimed = pl.Series(name, values, pl.Boolean)
    return claimed.zip_with(known, pl.Series(name, [None] * len(values), pl.Boolean))


def _bar_columns(bars: IntArray, instrument: Instrument) -> list[pl.Series]:
    """Columns of the bars, one row per row given."""
    prices = {"open": OPEN, "high": HIGH, "low": LOW, "close": CLOSE}
    volumes = {
        "bar_volume": bars[:, BUY] + bars[:, SELL] + bars[:, UNKNOWN],
        "bar_delta": bars[:, BUY] - bars[:, SELL],
        "min_delta": bars[:, LEAST],
        "max_delta": bars[:, MOST],
        "cvd": bars[:, CVD],
    }
    return [
        as_times(bars[:, END]).alias("end"),
        *(pl.Series(n, real_prices(bars[:, at], instrument), pl.Float64) for n, at in prices.items()),
        *(pl.Series(n, real_sizes(values, instrument), pl.Float64) for n, values in volumes.items()),
    ]
