"""Heat of resting size over time × price, grown column by column from events.

Notes
-----
A row of the raster holds ``row_ticks`` ticks and shows the **sum** of what rests in it, both sides together. Over the
time of a column the rule decides: ``max`` (what a trader must not miss: a wall shown for 5 ms stays visible),
``last`` (the value at the column's end) or ``mean`` (weighted by time). Size that rested before a column began counts
in it from its beginning. Losing events empties the raster until the next snapshot and marks the columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from workbench.errors import WorkbenchError
from workbench.views import raster_kernels as kernels
from workbench.views.raster_kernels import MARK_EMPTY, MARK_GAP, NO_TICK
from workbench.views.size_codes import dequantise, quantise

__all__ = [
    "MARK_EMPTY",
    "MARK_GAP",
    "NO_TICK",
    "RULES",
    "Raster",
    "Scale",
    "cut_offs",
    "dequantise",
    "quantise",
]

Array = npt.NDArray[Any]
RULES: Final = ("max", "last", "mean")


@dataclass(frozen=True, slots=True)
class Scale:
    """Where columns and rows of a raster lie.

    Parameters
    ----------
    column_ns : int, ns
        Time of one column; column edges are multiples of it since the epoch.
    row_ticks : int, ticks
        Price range of one row; row edges are multiples of it.
    base_row : int
        Absolute number of the lowest row: its low edge is ``base_row · row_ticks`` ticks.
    origin_column : int
        Absolute number (``ts // column_ns``) of the column called 0.
    columns, rows : int
        Length of the ring and height of the window.
    rule : {"max", "last", "mean"}
    """

    column_ns: int
    row_ticks: int = 1
    base_row: int = 0
    origin_column: int = 0
    columns: int = 2048
    rows: int = 512
    rule: str = "max"

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise WorkbenchError(f"rule {self.rule!r}", expected=f"one of {list(RULES)}", code="bad_rule")
        if min(self.column_ns, self.row_ticks, self.columns, self.rows) < 1:
            raise WorkbenchError(f"scale {self}", expected="column_ns, row_ticks, columns and rows ≥ 1")

    @property
    def low_tick(self) -> int:
        """Lowest tick of the window."""
        return self.base_row * self.row_ticks

    @property
    def high_tick(self) -> int:
        """First tick above the window."""
        return (self.base_row + self.rows) * self.row_ticks

    def centred(self, tick: float) -> Scale:
        """Return the same scale with its window centred on ``tick``."""
        return replace(self, base_row=int(tick // self.row_ticks) - self.rows // 2)

    def start_ns(self, column: int) -> int:
        """Time at which a column begins, ns since the epoch."""
        return (column + self.origin_column) * self.column_ns


class Raster:
    """Ring of the newest columns of a heatmap; feeding it in pieces of any size gives the same columns.

    Parameters
    ----------
    scale : Scale
    """

    def __init__(self, scale: Scale):
        self.scale = scale
        self._levels = kernels.new_levels()
        rule = RULES.index(scale.rule)
        numbers = (scale.column_ns, scale.row_ticks, scale.base_row, scale.origin_column, rule)
        self._grid = kernels.new_grid(scale.columns, scale.rows, numbers)
        self._first: int | None = None
        self.last_ts = 0

    @property
    def levels(self) -> kernels.Levels:
        """Whole book as it is now, for kernels."""
        return self._levels

    def feed(self, columns: Sequence[Array]) -> None:
        """Apply events given as columns of :data:`workbench.events.COLUMNS`, in stream order."""
        ts, _, kind, side, price, size = columns[:6]
        if not len(ts):
            return
        row = 0
        while True:
            row = kernels.feed(self._levels, self._grid, ts, kind, side, price, size, row)
            if row == len(ts):
                break
            self._levels = kernels.grown(self._levels)
        if self._first is None:
            self._first = int(ts[0]) // self.scale.column_ns - self.scale.origin_column
        self.last_ts = max(self.last_ts, int(ts[-1]))
        kernels.write_current(self._levels, self._grid, self.last_ts)

    def advance(self, now_ns: int) -> None:
        """Let time pass without events: columns that ended by ``now_ns`` are closed with what rests."""
        if self._first is not None and now_ns > self.last_ts:
            kernels.roll(self._levels, self._grid, now_ns)
            self.last_ts = now_ns
            kernels.write_current(self._levels, self._grid, now_ns)

    @property
    def last_column(self) -> int | None:
        """Number of the unfinished column; None before the first event."""
        return None if self._first is None else int(self._levels.state[kernels.COLUMN])

    @property
    def first_column(self) -> int | None:
        """Number of the oldest column that the ring still holds."""
        last = self.last_column
        return (
            None if last is None or self._first is None else max(self._first, last - self.scale.columns + 1)
        )

    def _slots(self, first: int, stop: int) -> Array:
        return np.arange(first, stop) % self.scale.columns

    def heat(self, first: int, stop: int) -> npt.NDArray[np.float32]:
        """Resting size, lots, shape (stop − first, rows), lowest price first; a copy."""
        begin = first % self.scale.columns
        if begin + stop - first <= self.scale.columns:  # in one piece: copied as it lies
            return self._grid.heat[begin : begin + stop - first].copy()
        heat: npt.NDArray[np.float32] = self._grid.heat[self._slots(first, stop)]
        return heat

    def best(self, first: int, stop: int) -> npt.NDArray[np.int32]:
        """Best bid and ask at the end of each column, ticks, shape (n, 2); NO_TICK where a side is empty."""
        best: npt.NDArray[np.int32] = self._grid.best[self._slots(first, stop)]
        return best

    def marks(self, first: int, stop: int) -> npt.NDArray[np.uint8]:
        """MARK_GAP, MARK_EMPTY or 0 per column."""
        marks: npt.NDArray[np.uint8] = self._grid.marks[self._slots(first, stop)]
        return marks

    @property
    def now(self) -> npt.NDArray[np.int64]:
        """Resting size at this moment, lots, shape (2, rows): bids, asks."""
        return self._grid.now

    @property
    def valid(self) -> bool:
        """Whether the book is known at this moment."""
        return bool(self._levels.state[kernels.VALID])

    @property
    def best_bid(self) -> int | None:
        """Best bid at this moment, ticks."""
        best = int(self._levels.state[kernels.BEST_BID])
        return None if best == kernels.NO_BID else best

    @property
    def best_ask(self) -> int | None:
        """Best ask at this moment, ticks."""
        best = int(self._levels.state[kernels.BEST_ASK])
        return None if best == kernels.NO_ASK else best

    def reach(self, levels: int) -> int:
        """Ticks from the touch to the ``levels``-th populated level, the wider side."""
        sides = [(self.best_bid, kernels.BID), (self.best_ask, kernels.ASK)]
        return max(
            (int(kernels.reach(self._levels, s, levels)) for best, s in sides if best is not None), default=0
        )


COLOUR_POWER: Final = 0.4
"""Between the cut-offs the colour follows size^0.4: a wall stands out, ordinary size still shows. The square root left
real crypto books dark, the logarithm made every level of an index future glow."""


OUTLIER: Final = 25.0


def cut_offs(heat: Array, lower: float, upper: float) -> tuple[float, float]:
    """Sizes that get the first and the last colour: percentiles of what rests in the picture.

    Parameters
    ----------
    heat : array of lots, any shape
    lower, upper : float, percent
        Bookmap's lower and upper cut-off.

    Returns
    -------
    (low, high) : lots, ``0 < low < high``; (1, 2) for an empty picture. ``high`` is at most :data:`OUTLIER` times the
        median: one huge wall must not darken the rest (BTC: 500 coins among rows of 3).
    """
    sizes = heat[heat > 0]
    if not len(sizes):
        return 1.0, 2.0
    stride = (
        1 + len(sizes) // 50_000
    )  # 50 000 samples hold a percentile to about ±0.2 points, in under a millisecond
    low, middle, high = np.percentile(sizes[::stride], [lower, 50, upper])
    return float(low), float(max(min(high, OUTLIER * middle), 2 * low))
