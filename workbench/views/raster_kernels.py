"""Numba kernels of the heatmap: rows of events → columns of resting size per price row.

Level sizes live in pages of 512 ticks that are allocated where touched, so that any int32 price works and a book with
levels at twice the mid costs a few pages. Nothing here knows real units, wall clocks or widgets.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.book.jit import kernel, part
from workbench.events import EventKind

PAGE_SHIFT: Final = 9
PAGE_TICKS: Final = 1 << PAGE_SHIFT
_PAGE_MASK: Final = PAGE_TICKS - 1
_TABLE_HALF: Final = 1 << (31 - PAGE_SHIFT)

NO_BID: Final = -(1 << 62)
NO_ASK: Final = 1 << 62
NO_TICK: Final = -(1 << 31)
"""Best price of a column in which that side was empty, as int32."""

BID: Final = 0
ASK: Final = 1

# Slots of Levels.state.
PAGES, VALID, EVER_VALID, GAPPED, BEST_BID, BEST_ASK, LOW, HIGH, COLUMN, STARTED = range(10)
# Slots of Grid.scale.
COLUMN_NS, ROW_TICKS, BASE_ROW, ORIGIN_COLUMN, RULE = range(5)

RULE_MAX, RULE_LAST, RULE_MEAN = range(3)
MARK_GAP: Final = 1
"""Events were lost in this column, or the book was not known at its end."""
MARK_EMPTY: Final = 2
"""No book was ever known up to this column."""

_DEPTH = int(EventKind.DEPTH)
_CLEAR = int(EventKind.CLEAR)
_SNAPSHOT_END = int(EventKind.SNAPSHOT_END)
_GAP = int(EventKind.GAP)

Array = npt.NDArray[Any]


class Levels(NamedTuple):
    """Sizes at every price: a page table over all int32 ticks and the pages themselves."""

    table: Array  # int32, 1-based page number by tick >> PAGE_SHIFT, 0 = absent
    pool: Array  # int64, shape (capacity, 2, PAGE_TICKS), lots
    counts: Array  # int32, shape (capacity, 2): levels with size
    state: Array  # int64, slots above


class Grid(NamedTuple):
    """Ring of columns over time, and the column that is being filled."""

    heat: Array  # float32, shape (columns, rows), lots
    best: Array  # int32, shape (columns, 2), ticks or NO_TICK
    marks: Array  # uint8, shape (columns,)
    now: Array  # int64, shape (2, rows): resting size by side and row at this moment
    peak: Array  # float64, shape (rows,): largest total in the current column
    area: Array  # float64, shape (rows,): ∫ total dt in the current column up to `since`
    since: Array  # int64, shape (rows,)
    scale: Array  # int64, slots above


def new_levels(capacity: int = 64) -> Levels:
    """Return an empty level store; the table is 32 MiB of untouched, hence unbacked, zero pages."""
    state = np.zeros(10, np.int64)
    state[BEST_BID], state[BEST_ASK] = NO_BID, NO_ASK
    state[LOW], state[HIGH] = NO_ASK, NO_BID
    return Levels(
        np.zeros(2 * _TABLE_HALF, np.int32),
        np.zeros((capacity, 2, PAGE_TICKS), np.int64),
        np.zeros((capacity, 2), np.int32),
        state,
    )


def grown(levels: Levels) -> Levels:
    """Return the same levels with room for twice the pages."""
    extra = len(levels.pool)
    pool = np.concatenate([levels.pool, np.zeros((extra, 2, PAGE_TICKS), np.int64)])
    return levels._replace(pool=pool, counts=np.concatenate([levels.counts, np.zeros((extra, 2), np.int32)]))


def new_grid(columns: int, rows: int, scale: tuple[int, int, int, int, int]) -> Grid:
    """Return an empty ring of ``columns`` × ``rows``."""
    return Grid(
        np.zeros((columns, rows), np.float32),
        np.full((columns, 2), NO_TICK, np.int32),
        np.full(columns, MARK_EMPTY, np.uint8),
        np.zeros((2, rows), np.int64),
        np.zeros(rows),
        np.zeros(rows),
        np.zeros(rows, np.int64),
        np.array(scale, np.int64),
    )


@part
def next_level(levels: Levels, side: int, tick: Any, step: int) -> Any:
    """First tick from ``tick`` in direction ``step`` that holds size, or NO_BID / NO_ASK."""
    state = levels.state
    while state[LOW] <= tick <= state[HIGH]:
        page = levels.table[(tick >> PAGE_SHIFT) + _TABLE_HALF] - 1
        if page < 0 or levels.counts[page, side] == 0:
            edge = (tick >> PAGE_SHIFT) << PAGE_SHIFT
            tick = edge - 1 if step < 0 else edge + PAGE_TICKS
        elif levels.pool[page, side, tick & _PAGE_MASK] > 0:
            return tick
        else:
            tick += step
    return NO_BID if side == BID else NO_ASK


@part
def _write(levels: Levels, grid: Grid, until: int) -> None:
    """Write the current column as it stands at ``until`` into the ring."""
    state, scale = levels.state, grid.scale
    column = state[COLUMN]
    slot = column % len(grid.heat)
    begin = (column + scale[ORIGIN_COLUMN]) * scale[COLUMN_NS]
    heat, nows, areas, since = grid.heat, grid.now, grid.area, grid.since
    if scale[RULE] == RULE_MAX:
        heat[slot] = grid.peak
    elif scale[RULE] == RULE_LAST or until <= begin:
        for row in range(heat.shape[1]):
            heat[slot, row] = nows[BID, row] + nows[ASK, row]
    else:
        for row in range(heat.shape[1]):
            rested = (nows[BID, row] + nows[ASK, row]) * float(until - since[row])
            heat[slot, row] = (areas[row] + rested) / (until - begin)
    grid.best[slot, BID] = state[BEST_BID] if state[BEST_BID] > NO_BID else NO_TICK
    grid.best[slot, ASK] = state[BEST_ASK] if state[BEST_ASK] < NO_ASK else NO_TICK
    if state[EVER_VALID] == 0:
        grid.marks[slot] = MARK_GAP if state[GAPPED] else MARK_EMPTY
    else:
        grid.marks[slot] = MARK_GAP if state[GAPPED] or not state[VALID] else 0


@part
def _open(levels: Levels, grid: Grid, column: int) -> None:
    state, scale = levels.state, grid.scale
    state[COLUMN] = column
    state[GAPPED] = 0
    begin = (column + scale[ORIGIN_COLUMN]) * scale[COLUMN_NS]
    nows, peaks, areas, since = grid.now, grid.peak, grid.area, grid.since
    for row in range(len(peaks)):
        peaks[row] = nows[BID, row] + nows[ASK, row]
    if scale[RULE] == RULE_MEAN:
        areas[:] = 0.0
        since[:] = begin


@kernel()
def roll(levels: Levels, grid: Grid, ts: int) -> None:
    """Close every column that ended at or before ``ts``; a jump beyond the ring writes only what stays."""
    state, scale = levels.state, grid.scale
    target = ts // scale[COLUMN_NS] - scale[ORIGIN_COLUMN]
    if not state[STARTED]:
        state[STARTED] = 1
        _open(levels, grid, target)
    while state[COLUMN] < target:
        column = state[COLUMN]
        _write(levels, grid, (column + 1 + scale[ORIGIN_COLUMN]) * scale[COLUMN_NS])
        _open(levels, grid, max(column + 1, target - len(grid.heat)))


@part
def _settle(grid: Grid, row: int, ts: int) -> None:
    total = grid.now[BID, row] + grid.now[ASK, row]
    if ts > grid.since[row]:
        grid.area[row] += total * float(ts - grid.since[row])
        grid.since[row] = ts


@part
def forget(levels: Levels) -> None:
    """Empty both sides: what rests is not known any more."""
    state = levels.state
    levels.pool[: state[PAGES]] = 0
    levels.counts[: state[PAGES]] = 0
    state[BEST_BID], state[BEST_ASK], state[VALID] = NO_BID, NO_ASK, 0


@part
def _wipe(levels: Levels, grid: Grid, ts: int) -> None:
    forget(levels)
    for row in range(grid.heat.shape[1]):
        _settle(grid, row, ts)
    grid.now[:] = 0


@kernel()
def feed(
    levels: Levels, grid: Grid, ts: Array, kind: Array, side: Array, price: Array, size: Array, start: int
) -> int:
    """Apply rows from ``start`` on; returns the row it stopped at because no page was left, or the length."""
    # The way of a DEPTH row is written out in one piece: handing these arrays to functions costs seven times the work.
    state, scale, rows = levels.state, grid.scale, grid.heat.shape[1]
    table, pool, counts = levels.table, levels.pool, levels.counts
    nows, peaks, areas, since = grid.now, grid.peak, grid.area, grid.since
    low, high = scale[BASE_ROW] * scale[ROW_TICKS], (scale[BASE_ROW] + rows) * scale[ROW_TICKS]
    row_ticks, mean = scale[ROW_TICKS], scale[RULE] == RULE_MEAN
    column_end = -(1 << 62)
    for i in range(start, len(ts)):
        if ts[i] >= column_end:
            roll(levels, grid, ts[i])
            column_end = (state[COLUMN] + 1 + scale[ORIGIN_COLUMN]) * scale[COLUMN_NS]
        k = kind[i]
        if k == _DEPTH:
            tick, which = np.int64(price[i]), BID if side[i] > 0 else ASK
            page = np.int64(table[(tick >> PAGE_SHIFT) + _TABLE_HALF]) - 1
            if page < 0:
                if state[PAGES] == len(pool):
                    return i
                page = state[PAGES]
                state[PAGES] += 1
                table[(tick >> PAGE_SHIFT) + _TABLE_HALF] = page + 1
            at = tick & _PAGE_MASK
            old, new = pool[page, which, at], size[i]
            if old == new:
                continue
            pool[page, which, at] = new
            if (old > 0) != (new > 0):
                state[LOW], state[HIGH] = min(state[LOW], tick), max(state[HIGH], tick)
                counts[page, which] += 1 if new > 0 else -1
                best = BEST_BID if which == BID else BEST_ASK
                step = -1 if which == BID else 1
                if new <= 0:
                    if tick == state[best]:
                        state[best] = next_level(levels, which, tick + step, step)
                elif (state[best] - tick) * step > 0:
                    state[best] = tick
            if tick < low or tick >= high:
                continue
            row = tick - low if row_ticks == 1 else (tick - low) // row_ticks
            total = nows[BID, row] + nows[ASK, row]
            if mean and ts[i] > since[row]:
                areas[row] += total * float(ts[i] - since[row])
                since[row] = ts[i]
            nows[which, row] += new - old
            peaks[row] = max(peaks[row], float(total + new - old))
        elif k == _CLEAR:
            _wipe(levels, grid, ts[i])
        elif k == _SNAPSHOT_END:
            state[VALID] = 1
            state[EVER_VALID] = 1
        elif k == _GAP:
            _wipe(levels, grid, ts[i])
            state[GAPPED] = 1
    return len(ts)


@kernel()
def write_current(levels: Levels, grid: Grid, until: int) -> None:
    """Write the unfinished column as it stands at ``until``; it is written again when it closes."""
    if levels.state[STARTED]:
        _write(levels, grid, until)


@kernel()
def reach(levels: Levels, side: int, count: int) -> int:
    """Ticks from the best price to the ``count``-th level of a side, or to its last one."""
    step = -1 if side == BID else 1
    first = levels.state[BEST_BID] if side == BID else levels.state[BEST_ASK]
    tick = first
    for _ in range(count):
        beyond = next_level(levels, side, tick + step, step)
        if beyond in (NO_BID, NO_ASK):
            break
        tick = beyond
    return int(abs(tick - first))
