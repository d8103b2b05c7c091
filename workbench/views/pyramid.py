"""Tiles of the heatmap at any level of detail, from columns that are stored once and merged by tens.

Notes
-----
Semantics are those of :mod:`workbench.views.raster`: tiles for ``max`` and ``last`` equal the raster's to the bit,
those for ``mean`` to float32.

A tile of 1,000 columns costs what was touched in it: ``last`` and ``max`` of a level whose columns are ten times finer
at most. Memory is 16 bytes for every row touched in a column, and less than half as much again for all coarser levels.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.errors import WorkbenchError
from workbench.views import pyramid_kernels as kernels
from workbench.views import pyramid_paint as brush
from workbench.views import raster_kernels
from workbench.views.checkpoints import Seed
from workbench.views.pyramid_kernels import Array, Sheet
from workbench.views.pyramid_paint import Canvas
from workbench.views.pyramid_store import (
    Level,
    Published,
    grown_merger,
    grown_rows,
    new_merger,
    new_rows,
    new_sheet,
)
from workbench.views.raster import MARK_EMPTY, NO_TICK, RULES, Scale

__all__ = ["Pyramid", "Tile", "empty_tile"]

TIMES: Final = 10
LEVELS: Final = 5
"""Columns of base, 10, 100, 1,000 and 10,000 times base."""


class Tile(NamedTuple):
    """A piece of the heatmap: ``scale.columns`` columns of ``scale.rows`` rows.

    Attributes
    ----------
    heat : float32, shape (columns, rows), lots
        Resting size, lowest price first; 0 outside the data.
    best : int32, shape (columns, 2), ticks
        Best bid and ask at the end of each column; NO_TICK where a side is empty and outside the data.
    marks : uint8, shape (columns,)
        MARK_GAP, MARK_EMPTY (also outside the data) or 0.
    exact : bool
        False: a preview made of other facts, to be asked for again.
    """

    heat: npt.NDArray[np.float32]
    best: npt.NDArray[np.int32]
    marks: npt.NDArray[np.uint8]
    exact: bool = True


def empty_tile(scale: Scale) -> Tile:
    """Return a tile without data."""
    return Tile(
        np.zeros((scale.columns, scale.rows), np.float32),
        np.full((scale.columns, 2), NO_TICK, np.int32),
        np.full(scale.columns, MARK_EMPTY, np.uint8),
    )


class Front(NamedTuple):
    """All that a tile is made of at one moment."""

    levels: tuple[Published, ...]
    row_of: Array
    slots: int
    open: Sheet  # the base column that is not finished, as it stands at last_ns
    last_ns: int


class Pyramid:
    """Resting size per price row and column at all levels of detail; fed in pieces of any size it is the same.

    Parameters
    ----------
    row_ticks : int, ticks
        Price range of one row; row edges are multiples of it.
    base_ns : int, ns
        Length of the finest columns.
    levels : int
        Lengths of columns, each ten times the one before.

    Notes
    -----
    One thread feeds, any number make tiles meanwhile, without a lock.

    Examples
    --------
    >>> pyramid = Pyramid(row_ticks=1, base_ns=1_000_000_000)
    >>> pyramid
    Pyramid(rows of 1 ticks, columns of 1 s, 0 columns)
    """

    def __init__(self, row_ticks: int, base_ns: int, levels: int = LEVELS):
        if min(row_ticks, base_ns) < 1:
            raise WorkbenchError(
                f"a pyramid of {row_ticks} ticks × {base_ns} ns", expected="row_ticks and base_ns ≥ 1"
            )
        self.row_ticks, self.base_ns = row_ticks, base_ns
        self._book = raster_kernels.new_levels()
        self._rows = new_rows()
        self._levels = [Level(base_ns * TIMES**power) for power in range(levels)]
        self._mergers = [new_merger(len(self._rows.row_of)) for _ in self._levels[1:]]
        self._merged = [0] * len(self._mergers)  # columns of the finer level's open sheet that were merged
        self._last_ns = 0
        self._front: Front | None = None

    # -- growing -------------------------------------------------------------------------------------------------
    def feed(self, columns: Sequence[Array]) -> None:
        """Take in events given as columns of :data:`workbench.events.COLUMNS`, in stream order."""
        ts, _, kind, side, price, size = columns[:6]
        if not len(ts):
            return
        scale = np.array([self.base_ns, self.row_ticks])
        row = 0
        while True:
            row = kernels.take(
                self._book, self._rows, self._levels[0].sheet, scale, ts, kind, side, price, size, row
            )
            if row == len(ts):
                break
            self._make_room()
        self._last_ns = max(self._last_ns, int(ts[-1]))
        for power in range(len(self._mergers)):
            self._merge(power)
        self._front = self._published()

    def _make_room(self) -> None:
        if self._book.state[raster_kernels.PAGES] == len(self._book.pool):
            self._book = raster_kernels.grown(self._book)
        self._rows = grown_rows(self._rows, len(self._book.pool))
        touched = int(self._rows.state[kernels.TOUCHED])
        if _is_full(self._levels[0], touched):
            self._grow(0, touched)

    def _grow(self, power: int, touched: int) -> None:
        self._merge(power)  # a sheet is put away with all its columns merged
        level = self._levels[power]
        full = len(level.leaves)
        level.make_room(touched, self._slots)
        if len(level.leaves) > full and power < len(self._merged):
            self._merged[power] = 0

    def _merge(self, power: int) -> None:
        """Merge the finished columns of a level into the next coarser one."""
        if power == len(self._mergers):
            return
        fine, coarse = self._levels[power], self._levels[power + 1]
        merger = self._mergers[power] = grown_merger(self._mergers[power], len(self._rows.row_of))
        while True:
            done = kernels.merge(fine.sheet, self._merged[power], merger, coarse.sheet, TIMES)
            self._merged[power] = done
            if done == int(fine.sheet.used[kernels.COLUMNS]):
                return
            self._grow(power + 1, int(merger.state[kernels.TOUCHED]))

    @property
    def _slots(self) -> int:
        return int(self._rows.state[kernels.SLOTS])

    def _published(self) -> Front:
        reaches = [int(self._rows.state[kernels.NUMBER]) * self.base_ns]
        for merger, level in zip(self._mergers, self._levels[1:]):
            # a coarser column that was never opened reaches nowhere
            number = int(merger.state[kernels.NUMBER]) if merger.state[kernels.OPEN] else 0
            reaches.append(min(number * level.column_ns, reaches[-1]))
        levels = tuple(level.published(reach) for level, reach in zip(self._levels, reaches))
        return Front(levels, self._rows.row_of, self._slots, self._open_column(), self._last_ns)

    def _open_column(self) -> Sheet:
        """The unfinished base column as it stands at the last event, as a sheet of its own."""
        rows, book = self._rows, self._book
        count = int(rows.state[kernels.TOUCHED])
        sheet = new_sheet(count, 1)
        touched = rows.touched[:count]
        cells = rows.cells[touched]
        now, since = cells[:, kernels.NOW], cells[:, kernels.SINCE]
        length = self._last_ns - int(rows.state[kernels.NUMBER]) * self.base_ns
        sheet.slot[:], sheet.peak[:], sheet.last[:] = touched, cells[:, kernels.PEAK], now
        sheet.mean[:] = (rows.area[touched] + now * np.maximum(self._last_ns - since, 0.0)) / max(length, 1)
        sheet.ends[0], sheet.number[0] = count, rows.state[kernels.NUMBER]
        bid, ask = int(book.state[raster_kernels.BEST_BID]), int(book.state[raster_kernels.BEST_ASK])
        sheet.best[0] = (
            bid if bid > raster_kernels.NO_BID else NO_TICK,
            ask if ask < raster_kernels.NO_ASK else NO_TICK,
        )
        known = bool(book.state[raster_kernels.VALID]) * kernels.KNOWN
        ever = bool(book.state[raster_kernels.EVER_VALID]) * kernels.EVER_KNOWN
        sheet.flags[0] = bool(rows.state[kernels.GAPPED]) * kernels.LOST | known | ever
        return sheet

    def seed(self) -> Seed:
        """Return the book after the last event."""
        return Seed.of(self._book, self._last_ns)

    # -- reading -------------------------------------------------------------------------------------------------
    def tile(self, scale: Scale) -> Tile:
        """Piece of the heatmap: ``scale.columns`` columns from the scale's origin.

        Parameters
        ----------
        scale : Scale
            ``column_ns`` a multiple of ``base_ns``, ``row_ticks`` those of the pyramid.

        Raises
        ------
        WorkbenchError
            The scale does not fit.
        """
        if scale.row_ticks != self.row_ticks or scale.column_ns % self.base_ns:
            raise WorkbenchError(
                f"a tile of {scale.row_ticks} ticks × {scale.column_ns} ns",
                expected=f"{self.row_ticks} ticks × a multiple of {self.base_ns} ns",
            )
        front, tile = self._front, empty_tile(scale)
        last = -1 if front is None else front.last_ns // scale.column_ns - scale.origin_column
        if front is not None and last >= 0:
            canvas = _canvas(tile, scale)
            _paint(front, canvas, scale)
            brush.advance(canvas, min(last, scale.columns))
            if last < scale.columns:
                brush.end(canvas, front.last_ns)
        return tile

    @property
    def last_ns(self) -> int:
        """Time of the last event, ns; 0 before the first."""
        return self._last_ns

    @property
    def columns(self) -> int:
        """Base columns stored: those in which something happened."""
        return self._levels[0].columns

    @property
    def nbytes(self) -> int:
        """Memory in use, bytes; the two tables over all prices count with the pages that were touched."""
        book, rows = self._book, self._rows
        pages = int(book.state[raster_kernels.PAGES]) + int(rows.state[kernels.ROW_PAGES])
        working = [*book[1:], *rows[1:], *(array for merger in self._mergers for array in merger)]
        return sum(level.nbytes for level in self._levels) + sum(a.nbytes for a in working) + 4096 * pages

    def __repr__(self) -> str:
        return (
            f"Pyramid(rows of {self.row_ticks:,} ticks, columns of {self.base_ns / 1e9:g} s, "
            f"{self.columns:,} columns)"
        )


def _is_full(level: Level, touched: int) -> bool:
    columns, entries = (int(n) for n in level.sheet.used)
    return columns == len(level.sheet.number) or entries + touched > len(level.sheet.slot)


def _canvas(tile: Tile, scale: Scale) -> Canvas:
    state = np.array([-1, NO_TICK, NO_TICK, 0, 0])
    numbers = np.array([scale.column_ns, scale.origin_column, RULES.index(scale.rule)])
    rows = scale.rows
    return Canvas(
        *tile[:3], np.zeros(rows, np.float32), np.zeros(rows), np.zeros(rows, np.int64), state, numbers
    )


def _paint(front: Front, canvas: Canvas, scale: Scale) -> None:
    """Paint the coarsest columns that fit, then finer ones where those are not finished, then the open one."""
    # below the tile a row number wraps to one far above it
    place = (front.row_of[: front.slots].astype(np.int64) - scale.base_row).astype(np.uint32)
    fitting = [level for level in front.levels if scale.column_ns % level.column_ns == 0]
    reached: int | None = None
    for level in reversed(fitting):
        start = scale.start_ns(0) if reached is None else reached
        if level.readable and (reached is None or level.reach_ns > reached):
            _paint_level(level, canvas, place, start, begin=reached is None)
            reached = level.reach_ns
    column_ns = front.levels[0].column_ns
    begin = int(front.open.number[0]) * column_ns
    if scale.columns > canvas.state[brush.VIEW]:
        brush.paint(canvas, front.open, 0, 1, place, column_ns, max(front.last_ns - begin, 0))


def _paint_level(level: Published, canvas: Canvas, place: Array, start_ns: int, *, begin: bool) -> None:
    """Paint the columns of one level from ``start_ns`` on; the first level painted begins with what rests there."""
    number = start_ns // level.column_ns
    index = (
        bisect.bisect_right(range(level.readable), number, key=lambda i: level.leaf(i)[0].first_number) - 1
    )
    index = max(index, 0)
    if begin:
        leaf = level.leaf(index)[0]
        shown = np.flatnonzero(place[: len(leaf.carry)] < len(canvas.carry))
        canvas.carry[place[shown]] = leaf.carry[shown]
        canvas.state[brush.LAST_BID], canvas.state[brush.LAST_ASK] = leaf.best
        canvas.state[brush.FLAGS] = leaf.flags
    for each in range(index, level.readable):
        leaf, columns = level.leaf(each)
        first = 0 if begin else int(np.searchsorted(leaf.sheet.number[:columns], number))
        brush.paint(canvas, leaf.sheet, first, columns, place, level.column_ns, level.column_ns)
        if canvas.state[brush.VIEW] == len(canvas.heat):
            return
