"""Volume profile: volume by price, point of control, value area."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, Literal, get_args

import numpy as np
import polars as pl
from numba import types

from workbench.book.jit import I1_COLUMN, I8_COLUMN, aligned, kernel
from workbench.book.order_kernels import find, reindex
from workbench.errors import WorkbenchError
from workbench.events import SUBTICKS_PER_TICK, Array, EventBatch, Instrument, IntArray
from workbench.flow.batches import instrument_of
from workbench.flow.prints import Prints, TradesSource, prints_of, prints_of_batch, real_prices, real_sizes
from workbench.flow.profile_rows import LEAST_TRADES, dense_volumes

Method = Literal["two_row", "one_row", "traded_only"]

# Columns of the table of rows; KEY and LIVE are those of the hash table it uses.
_KEY, _LIVE, _BUY, _SELL, _UNKNOWN = range(5)
_COLUMNS: Final = 5
_FIRST_ROWS: Final = 256

_I8 = types.int64


@kernel(_I8(I8_COLUMN, I8_COLUMN, I1_COLUMN, _I8, _I8, _I8[:, ::1], types.int32[::1], _I8[::1]))
def _accumulate(
    price: Array,
    size: Array,
    side: Array,
    row_thousandths: int,
    start: int,
    table: Array,
    index: Array,
    used: Array,
) -> int:
    """Add trades to their rows; return how many were added before the table was full."""
    for i in range(start, len(price)):
        row = price[i] // row_thousandths
        at = find(table, index, row)
        if index[at] == 0:
            if used[0] == len(table):
                return i
            table[used[0], _KEY], table[used[0], _LIVE] = row, 1
            used[0] += 1
            index[at] = used[0]
        column = _BUY if side[i] > 0 else _SELL if side[i] < 0 else _UNKNOWN
        table[index[at] - 1, column] += size[i]
    return len(price)


@dataclass(frozen=True)
class VolumeProfile:
    """Volume by price with its point of control and value area, real units.

    Attributes
    ----------
    poc : float or None
        Low edge of the row with most volume, of several the lowest; None without trades.
    val, vah : float or None
        Low edges of the lowest and the highest row of the value area.
    volume : float
        All volume.
    poc_volume, value_area_volume : float
        Volume of the row at ``poc``, and of the value area.
    frame : DataFrame
        ``price`` (low edge), ``volume``, ``buy``, ``sell``, ``unknown``: rows that traded, by price.
    """

    poc: float | None
    vah: float | None
    val: float | None
    volume: float
    poc_volume: float
    value_area_volume: float
    method: Method
    row_ticks: int
    frame: pl.DataFrame = field(repr=False, compare=False)


class ProfileBuilder:
    """Volume profile of a stream of events; the sums are integers, so batches may be cut anywhere.

    Parameters
    ----------
    instrument : Instrument
    row_ticks : int, optional
        Height of a row; rows are anchored at price 0.
    otc : bool, optional
        Whether off-book prints count.
    """

    def __init__(self, instrument: Instrument, row_ticks: int = 1, *, otc: bool = False):
        if row_ticks < 1 or row_ticks != int(row_ticks):
            raise WorkbenchError(f"row_ticks={row_ticks!r}", expected="a whole number of at least 1")
        self.instrument = instrument
        self.row_ticks = int(row_ticks)
        self.otc = otc
        self._table = np.zeros((_FIRST_ROWS, _COLUMNS), np.int64)
        self._index = np.zeros(2 * _FIRST_ROWS, np.int32)
        self._used = np.zeros(1, np.int64)

    def apply(self, batch: EventBatch) -> None:
        """Take in the trades of a batch."""
        self.update(prints_of_batch(batch, otc=self.otc))

    def update(self, prints: Prints) -> None:
        """Take in trades."""
        price, size, side = (aligned(column) for column in prints[1:])
        height, start = self.row_ticks * SUBTICKS_PER_TICK, 0
        while len(price) - start >= LEAST_TRADES:
            stop, low, volumes = dense_volumes(price, size, side, start, height)
            if stop - start < LEAST_TRADES:
                break
            self._add_rows(low, volumes)
            start = stop
        self._add(price[start:], size[start:], side[start:], height)

    def _add_rows(self, low: int, volumes: IntArray) -> None:
        for at, sign in enumerate((-1, 0, 1)):
            traded = np.flatnonzero(volumes[:, at])
            sides = np.full(len(traded), sign, np.int8)
            self._add(traded + low, np.ascontiguousarray(volumes[traded, at]), sides, 1)

    def _add(self, price: Array, size: Array, side: Array, height: int) -> None:
        start = 0
        while True:
            start = _accumulate(price, size, side, height, start, self._table, self._index, self._used)
            if start == len(price):
                return
            self._table = np.concatenate([self._table, np.zeros_like(self._table)])
            self._index = np.zeros(2 * len(self._table), np.int32)
            reindex(self._table, self._index, int(self._used[0]))

    def forget(self, prints: Prints) -> None:
        """Take out trades that were taken in before: the sums are those of the trades that remain."""
        self.update(prints._replace(size=-prints.size))

    @property
    def height(self) -> int:
        """Number of rows from the lowest to the highest that ever traded; 0 without trades."""
        keys = self._table[: self._used[0], _KEY]
        return int(keys.max() - keys.min()) + 1 if len(keys) else 0

    def rows(self) -> IntArray:
        """Rows that traded, upwards: columns row, bought, sold, unknown (lots), shape (n_rows, 4)."""
        table = self._table[: self._used[0]]
        table = table[(table[:, _BUY:] != 0).any(axis=1)]  # what was forgotten altogether is no row
        table = table[np.argsort(table[:, _KEY])]
        rows: IntArray = table[:, [_KEY, _BUY, _SELL, _UNKNOWN]]
        return rows

    def outline(self, value_area: float = 0.70, method: Method = "two_row") -> tuple[int, int, int] | None:
        """Numbers of the rows of POC, VAL and VAH of all trades so far; None without trades."""
        share, rows = _share(value_area, method), self.rows()
        return _outline(rows[:, 0], rows[:, 1:].sum(axis=1), share, method) if len(rows) else None

    def profile(self, value_area: float = 0.70, method: Method = "two_row") -> VolumeProfile:
        """Profile of all trades so far; see :func:`volume_profile`."""
        share = _share(value_area, method)
        table = self.rows()
        rows, lots = table[:, 0], table[:, 1:].sum(axis=1)
        poc, low, high = _outline(rows, lots, share, method)
        inside = lots[(rows >= low) & (rows <= high)].sum() if len(rows) else 0
        edges = self._prices(np.array([poc, high, low])).tolist() if len(rows) else [None, None, None]
        volumes = np.array([lots.sum(), lots.max(initial=0), inside], np.int64)
        total, most, area = real_sizes(volumes, self.instrument).tolist()
        frame = self._frame(rows, lots, table)
        return VolumeProfile(edges[0], edges[1], edges[2], total, most, area, method, self.row_ticks, frame)

    def _frame(self, rows: IntArray, lots: IntArray, table: IntArray) -> pl.DataFrame:
        parts = {
            "volume": lots,
            "buy": table[:, 1],
            "sell": table[:, 2],
            "unknown": table[:, 3],
        }
        sizes = [
            pl.Series(name, real_sizes(values, self.instrument), pl.Float64) for name, values in parts.items()
        ]
        return pl.DataFrame([pl.Series("price", self._prices(rows), pl.Float64), *sizes])

    def _prices(self, rows: IntArray) -> Array:
        return real_prices(rows * (self.row_ticks * SUBTICKS_PER_TICK), self.instrument)


def volume_profile(
    x: TradesSource,
    value_area: float = 0.70,
    method: Method = "two_row",
    row_ticks: int = 1,
    *,
    otc: bool = False,
) -> VolumeProfile:
    """Volume by price, point of control and value area.

    Parameters
    ----------
    x : session or recording
    value_area : float, optional
        Share of all volume that the value area holds at least.
    method : {"two_row", "one_row", "traded_only"}, optional
        How the area grows from the point of control: by the larger of the next two rows above and below, by the larger
        of the next row, or by the larger of the next row that traded. Equal sides: the upper one. A side that has no
        rows left is skipped.
    row_ticks : int, optional
        Height of a row; rows are anchored at price 0.
    otc : bool, optional
        Whether off-book prints count. Hidden executions always do.

    Returns
    -------
    VolumeProfile
        ``poc``, ``vah``, ``val`` are low edges of rows, real units; None without trades.

    Raises
    ------
    WorkbenchError
        An unknown method, a share outside (0, 1], a height below 1.

    Notes
    -----
    Of rows with equal volume the lowest is the point of control. ``two_row`` is the rule of the CBOT's Market Profile
    (Steidlmayer). Volumes 5, 10, 20, 15, 40, 12, 30, 8, 25, 3 give rows 1–6 by ``one_row`` and 2–8 by ``two_row``.

    The method decides: on one and the same session the areas differ by dozens of ticks.

    References
    ----------
    J. P. Steidlmayer, *Market Profile* (CBOT, 1984).
    """
    builder = ProfileBuilder(instrument_of(x), row_ticks, otc=otc)
    builder.update(prints_of(x, otc=otc))
    return builder.profile(value_area, method)


def _share(value_area: float, method: str) -> Fraction:
    if method not in get_args(Method):
        raise WorkbenchError(f"method {method!r}", expected=f"one of {', '.join(get_args(Method))}")
    if not 0 < value_area <= 1:
        raise WorkbenchError(f"value_area={value_area!r}", expected="a share above 0 and at most 1")
    # The decimal that was written, not its double: 0.7 means 7/10 exactly.
    return Fraction(str(value_area))


def _outline(rows: IntArray, lots: IntArray, share: Fraction, method: Method) -> tuple[int, int, int]:
    """Row of the point of control, lowest and highest row of the value area."""
    if not len(rows):
        return 0, 0, 0
    poc = int(np.argmax(lots))
    if method == "traded_only":
        low, high = _grow(list(range(len(rows))), lots.tolist(), poc, share, 1)
        return int(rows[poc]), int(rows[low]), int(rows[high])
    low, high = _grow(rows.tolist(), lots.tolist(), poc, share, 2 if method == "two_row" else 1)
    return int(rows[poc]), low, high


def _grow(rows: list[int], lots: list[int], poc: int, share: Fraction, step: int) -> tuple[int, int]:
    """Grow the area from the point of control until it holds its share; lowest and highest row.

    ``rows`` are the rows that traded, in order; the empty ones between them count as rows of no volume. Stretches of
    them are crossed in one jump, so that one print far away costs nothing.
    """
    sums = [0, *itertools.accumulate(lots)]
    low = high = rows[poc]
    below, above = (
        poc,
        poc + 1,
    )  # traded rows before ``below`` lie under the area, those from ``above`` on over it
    while (sums[above] - sums[below]) * share.denominator < sums[-1] * share.numerator:
        over, under = above, below
        while over < len(rows) and rows[over] <= high + step:
            over += 1
        while under > 0 and rows[under - 1] >= low - step:
            under -= 1
        gain_above, gain_below = sums[over] - sums[above], sums[below] - sums[under]
        if high < rows[-1] and (low == rows[0] or gain_above >= gain_below):
            # No gain: go on upwards, as equal sides do, to where the next row comes within reach.
            steps = 1 if gain_above else (rows[above] - high - 1) // step
            high, above = min(high + step * steps, rows[-1]), over
        else:
            steps = 1 if gain_below else (low - rows[below - 1] - 1) // step
            low, below = max(low - step * steps, rows[0]), under
    return low, high
