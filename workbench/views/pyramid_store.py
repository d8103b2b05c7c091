"""Columns of a pyramid in memory: sheets that are full and never change, and one that is being written.

A reader takes what is published and needs no lock: published columns are never written again, a sheet that grows is
replaced, not moved.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from workbench.views import pyramid_kernels as kernels
from workbench.views.pyramid_kernels import COLUMNS, ENTRIES, NEVER, Array, Merger, Rows, Sheet
from workbench.views.raster_kernels import NO_TICK, PAGE_SHIFT, PAGE_TICKS

SHEET_ENTRIES: Final = 1 << 18
"""Entries of one sheet: reading on from its beginning costs half a millisecond at most, and what rests there little."""
SHEET_COLUMNS: Final = 1 << 14
FIRST_ENTRIES, FIRST_COLUMNS = 1 << 12, 1 << 10


class Leaf(NamedTuple):
    """A sheet and what was known at its beginning."""

    sheet: Sheet
    carry: Array  # float32, shape (slots then,), lots
    best: tuple[int, int]
    flags: int

    @property
    def first_number(self) -> int:
        """Number of its first column."""
        return int(self.sheet.number[0])


def new_sheet(entries: int, columns: int) -> Sheet:
    """Return an empty sheet."""
    return Sheet(
        np.empty(entries, np.uint32),
        np.empty(entries, np.float32),
        np.empty(entries, np.float32),
        np.empty(entries, np.float32),
        np.empty(columns, np.int64),
        np.empty(columns, np.int64),
        np.empty((columns, 2), np.int32),
        np.empty(columns, np.uint8),
        np.zeros(2, np.int64),
    )


def resized(sheet: Sheet, entries: int, columns: int) -> Sheet:
    """Return the same columns with other room."""
    other = new_sheet(entries, columns)
    kept_columns, kept_entries = (int(n) for n in sheet.used)
    for index, (old, new) in enumerate(zip(sheet[:-1], other[:-1])):
        kept = kept_entries if index < 4 else kept_columns
        new[:kept] = old[:kept]
    other.used[:] = sheet.used
    return other


def new_rows(slots: int = 4096, pages: int = 64) -> Rows:
    """Return price rows in which nothing rests; the table is 32 MiB of untouched, hence unbacked, zero pages."""
    cells = np.zeros((slots, 4), np.int64)
    cells[:, kernels.STAMP] = NEVER
    return Rows(
        np.zeros(1 << (32 - PAGE_SHIFT), np.int32),
        np.zeros((pages, PAGE_TICKS), np.int32),
        np.zeros((pages, PAGE_TICKS), np.int32),
        np.zeros(slots, np.int32),
        cells,
        np.zeros(slots),
        np.zeros(slots, np.int32),
        np.zeros(6, np.int64),
    )


def grown_rows(rows: Rows, book_pages: int) -> Rows:
    """Return the same rows with room for more where there is none, and for the ticks of so many pages."""
    if book_pages > len(rows.by_tick):
        more_ticks = np.zeros((book_pages - len(rows.by_tick), PAGE_TICKS), np.int32)
        rows = rows._replace(by_tick=np.concatenate([rows.by_tick, more_ticks]))
    if rows.state[kernels.ROW_PAGES] == len(rows.pages):
        rows = rows._replace(pages=np.concatenate([rows.pages, np.zeros_like(rows.pages)]))
    if rows.state[kernels.SLOTS] == len(rows.row_of):
        more = new_rows(len(rows.row_of), 1)
        rows = rows._replace(
            **{
                name: np.concatenate([getattr(rows, name), getattr(more, name)])
                for name in ("row_of", "cells", "area", "touched")
            }
        )
    return rows


def new_merger(slots: int) -> Merger:
    """Return a coarser column without anything in it."""
    cells = np.zeros((slots, 5))
    cells[:, kernels.STAMP] = NEVER
    return Merger(cells, np.zeros(slots, np.int32), np.full(2, NO_TICK, np.int32), np.zeros(6, np.int64))


def grown_merger(merger: Merger, slots: int) -> Merger:
    """Return the same with room for ``slots``."""
    have = len(merger.cells)
    if have >= slots:
        return merger
    more = new_merger(slots - have)
    return merger._replace(
        cells=np.concatenate([merger.cells, more.cells]),
        touched=np.concatenate([merger.touched, more.touched]),
    )


class Published(NamedTuple):
    """What a reader may read of one level, whatever is written meanwhile."""

    leaves: list[Leaf]  # so many of them: append-only
    full: int
    open: Leaf
    columns: int
    column_ns: int
    reach_ns: int  # the columns that are there hold all events before

    def leaf(self, index: int) -> tuple[Leaf, int]:
        """One leaf and how many columns of it may be read."""
        if index < self.full:
            leaf = self.leaves[index]
            return leaf, len(leaf.sheet.number)
        return self.open, self.columns

    @property
    def readable(self) -> int:
        """Leaves with columns."""
        return self.full + (self.columns > 0)


class Level:
    """All columns of one length, grown at the end.

    Parameters
    ----------
    column_ns : int, ns
    """

    def __init__(self, column_ns: int):
        self.column_ns = column_ns
        self.leaves: list[Leaf] = []
        self._begin: tuple[Array, tuple[int, int], int] = (
            np.empty(0, np.float32),
            (NO_TICK, NO_TICK),
            0,
        )
        self.sheet = new_sheet(FIRST_ENTRIES, FIRST_COLUMNS)

    def make_room(self, entries: int, slots: int) -> None:
        """Make room for one more column of so many entries: grow the sheet, or put it away and begin another."""
        columns, used = (int(n) for n in self.sheet.used)
        have_entries, have_columns = len(self.sheet.slot), len(self.sheet.number)
        if columns >= SHEET_COLUMNS or (columns and used + entries > SHEET_ENTRIES):
            self._put_away(slots)
            self.sheet = new_sheet(max(SHEET_ENTRIES, entries), SHEET_COLUMNS)
            return
        while used + entries > have_entries:
            have_entries *= 4
        self.sheet = resized(self.sheet, have_entries, have_columns * (4 if columns == have_columns else 1))

    def _put_away(self, slots: int) -> None:
        columns, entries = (int(n) for n in self.sheet.used)
        leaf = Leaf(resized(self.sheet, entries, columns), *self._begin)
        carry = np.zeros(slots, np.float32)
        carry[: len(leaf.carry)] = leaf.carry
        kernels.lasts(leaf.sheet, carry)
        bid, ask = leaf.sheet.best[-1].tolist()
        self._begin = (carry, (bid, ask), int(leaf.sheet.flags[-1]))
        self.leaves.append(leaf)

    def published(self, reach_ns: int) -> Published:
        """What may be read now."""
        columns = int(self.sheet.used[COLUMNS])
        leaf = Leaf(self.sheet, *self._begin)
        return Published(self.leaves, len(self.leaves), leaf, columns, self.column_ns, reach_ns)

    @property
    def columns(self) -> int:
        """Columns stored so far."""
        return sum(len(leaf.sheet.number) for leaf in self.leaves) + int(self.sheet.used[COLUMNS])

    @property
    def entries(self) -> int:
        """Touched rows of all columns so far."""
        return sum(len(leaf.sheet.slot) for leaf in self.leaves) + int(self.sheet.used[ENTRIES])

    @property
    def nbytes(self) -> int:
        """Memory of the columns."""
        sheets = [leaf.sheet for leaf in self.leaves] + [self.sheet]
        carries = sum(leaf.carry.nbytes for leaf in self.leaves)
        return carries + sum(array.nbytes for sheet in sheets for array in sheet)
