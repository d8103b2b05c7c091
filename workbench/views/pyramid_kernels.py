"""Numba kernels of the pyramid: events → what changed per column and price row → coarser columns.

A column stores only the rows that were touched in it: largest total (what rested before counts in it), last total and
time-weighted mean. A column in which nothing happened is not stored at all. Rows are known by slots, numbered as they
are first touched, so that what belongs to them lies close together whatever their prices are.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.book.jit import kernel, part
from workbench.events import EventKind
from workbench.views.raster_kernels import (
    ASK,
    BEST_ASK,
    BEST_BID,
    BID,
    EVER_VALID,
    HIGH,
    LOW,
    NO_ASK,
    NO_BID,
    NO_TICK,
    PAGE_SHIFT,
    PAGE_TICKS,
    PAGES,
    VALID,
    Levels,
    forget,
    next_level,
)

Array = npt.NDArray[Any]

_MASK: Final = PAGE_TICKS - 1
_HALF: Final = 1 << (31 - PAGE_SHIFT)
NEVER: Final = -(1 << 62)

# Slots of Rows.state and Merger.state.
ROW_PAGES, SLOTS, TOUCHED, NUMBER, OPEN, GAPPED = range(6)
# Columns of Rows.cells.
NOW, PEAK, SINCE, STAMP = range(4)
# Columns of Merger.cells; NOW, PEAK, SINCE and STAMP are the same.
AREA: Final = 4
# Slots of Sheet.used.
COLUMNS, ENTRIES = range(2)
# Bits of Sheet.flags.
LOST, KNOWN, EVER_KNOWN = 1, 2, 4

_DEPTH = int(EventKind.DEPTH)
_CLEAR = int(EventKind.CLEAR)
_SNAPSHOT_END = int(EventKind.SNAPSHOT_END)
_GAP = int(EventKind.GAP)


class Rows(NamedTuple):
    """What rests per price row, and what happened to it in the column that is open."""

    table: Array  # int32, 1-based page by row >> PAGE_SHIFT
    pages: Array  # int32, shape (capacity, PAGE_TICKS): 1-based slot
    by_tick: Array  # int32, shape (pages of the book, PAGE_TICKS): 1-based slot by tick
    row_of: Array  # int32, shape (slots,)
    cells: Array  # int64, shape (slots, 4): NOW and PEAK in lots, SINCE in ns, STAMP = column last touched in
    area: Array  # float64, shape (slots,): ∫ total dt in the open column up to SINCE
    touched: Array  # int32, shape (slots,): slots touched in the open column
    state: Array  # int64


class Sheet(NamedTuple):
    """Columns one after another, each with an entry for every row that was touched in it."""

    slot: Array  # uint32, shape (entries,)
    peak: Array  # float32, lots
    last: Array  # float32, lots
    mean: Array  # float32, lots
    ends: Array  # int64, shape (columns,): where the entries of a column end
    number: Array  # int64: number of the column since the epoch
    best: Array  # int32, shape (columns, 2), ticks or NO_TICK
    flags: Array  # uint8
    used: Array  # int64, shape (2,): columns and entries written


class Merger(NamedTuple):
    """A coarser column that is being made of finer ones."""

    cells: Array  # float64, shape (slots, 5); times in finer columns
    touched: Array  # int32, shape (slots,)
    best: Array  # int32, shape (2,)
    state: Array  # int64


@part
def _slot_of(rows: Rows, row: Any) -> Any:
    entry = (row >> PAGE_SHIFT) + _HALF
    page = rows.table[entry] - 1
    if page < 0:
        page = rows.state[ROW_PAGES]
        rows.state[ROW_PAGES] += 1
        rows.table[entry] = page + 1
    slot = rows.pages[page, row & _MASK] - 1
    if slot < 0:
        slot = rows.state[SLOTS]
        rows.state[SLOTS] += 1
        rows.pages[page, row & _MASK] = slot + 1
        rows.row_of[slot] = row
    return slot


@part
def _add(rows: Rows, slot: int, ts: int, begin: int, delta: int) -> None:
    """Change what rests in a row at ``ts``."""
    cell, state = rows.cells[slot], rows.state
    if cell[STAMP] != state[NUMBER]:
        cell[STAMP] = state[NUMBER]
        cell[PEAK] = cell[NOW]
        cell[SINCE] = begin
        rows.area[slot] = 0.0
        rows.touched[state[TOUCHED]] = slot
        state[TOUCHED] += 1
    if ts > cell[SINCE]:
        rows.area[slot] += cell[NOW] * float(ts - cell[SINCE])
        cell[SINCE] = ts
    cell[NOW] += delta
    cell[PEAK] = max(cell[PEAK], cell[NOW])


@part
def _finish(sheet: Sheet, number: int, bid: int, ask: int, flags: int, entries: int) -> None:
    column = sheet.used[COLUMNS]
    sheet.ends[column] = entries
    sheet.number[column] = number
    sheet.best[column, BID], sheet.best[column, ASK] = bid, ask
    sheet.flags[column] = flags
    sheet.used[ENTRIES] = entries
    sheet.used[COLUMNS] = column + 1


@part
def _close(levels: Levels, rows: Rows, sheet: Sheet, base_ns: int) -> None:
    state, book = rows.state, levels.state
    end = (state[NUMBER] + 1) * base_ns
    at = sheet.used[ENTRIES]
    cells, areas, touched = rows.cells, rows.area, rows.touched
    slots, peaks, ends_with, means = sheet.slot, sheet.peak, sheet.last, sheet.mean
    for i in range(state[TOUCHED]):
        slot = touched[i]
        total = cells[slot, NOW]
        slots[at], peaks[at], ends_with[at] = slot, cells[slot, PEAK], total
        means[at] = (areas[slot] + total * float(end - cells[slot, SINCE])) / base_ns
        at += 1
    bid = book[BEST_BID] if book[BEST_BID] > NO_BID else NO_TICK
    ask = book[BEST_ASK] if book[BEST_ASK] < NO_ASK else NO_TICK
    flags = (LOST if state[GAPPED] else 0) | (KNOWN if book[VALID] else 0)
    _finish(sheet, state[NUMBER], bid, ask, flags | (EVER_KNOWN if book[EVER_VALID] else 0), at)
    state[OPEN] = 0


@part
def _wipe(levels: Levels, rows: Rows, ts: int, begin: int) -> None:
    forget(levels)
    for slot in range(rows.state[SLOTS]):
        if rows.cells[slot, NOW] != 0:
            _add(rows, slot, ts, begin, -rows.cells[slot, NOW])


@part
def _full(sheet: Sheet, touched: int) -> bool:
    no_entries = sheet.used[ENTRIES] + touched > len(sheet.slot)
    return bool(sheet.used[COLUMNS] == len(sheet.number) or no_entries)


@part
def _new_page(levels: Levels, tick: Any) -> Any:
    page = levels.state[PAGES]
    levels.state[PAGES] += 1
    levels.table[(tick >> PAGE_SHIFT) + _HALF] = page + 1
    return page


@part
def _move_best(levels: Levels, side: int, tick: Any) -> None:
    """Find the best price anew after ``tick`` appeared or vanished."""
    best = BEST_BID if side == BID else BEST_ASK
    step = -1 if side == BID else 1
    here = levels.pool[levels.table[(tick >> PAGE_SHIFT) + _HALF] - 1, side, tick & _MASK] > 0
    levels.state[best] = tick if here else next_level(levels, side, tick + step, step)


@kernel()
def take(
    levels: Levels, rows: Rows, sheet: Sheet, scale: Array,
    ts: Array, kind: Array, side: Array, price: Array, size: Array, start: int,
) -> int:  # fmt: skip
    """Take in events from row ``start`` on; returns the row before which something was full, or the length."""
    # The way of a DEPTH row is written out in one piece: handing these arrays to functions costs more than all else.
    base_ns, row_ticks, state, book = scale[0], scale[1], rows.state, levels.state
    table, pool, counts, by_tick = levels.table, levels.pool, levels.counts, rows.by_tick
    cells, areas, touched = rows.cells, rows.area, rows.touched
    number, begin = state[NUMBER], state[NUMBER] * base_ns
    end = begin + base_ns if state[OPEN] else NEVER
    for i in range(start, len(ts)):
        now = ts[i]
        if now >= end:
            if state[OPEN]:
                if _full(sheet, state[TOUCHED]):
                    return i
                _close(levels, rows, sheet, base_ns)
            number = now // base_ns
            begin = number * base_ns
            end = begin + base_ns
            state[NUMBER], state[OPEN], state[GAPPED], state[TOUCHED] = number, 1, 0, 0
        k = kind[i]
        if k == _DEPTH:
            tick, which = np.int64(price[i]), BID if side[i] > 0 else ASK
            page = np.int64(table[(tick >> PAGE_SHIFT) + _HALF]) - 1
            if page < 0:
                if book[PAGES] == len(pool):
                    return i
                page = _new_page(levels, tick)
                book[LOW], book[HIGH] = min(book[LOW], tick), max(book[HIGH], tick)
            slot = np.int64(by_tick[page, tick & _MASK]) - 1
            if slot < 0:
                if state[ROW_PAGES] == len(rows.pages) or state[SLOTS] == len(touched):
                    return i
                slot = _slot_of(rows, tick // row_ticks)
                by_tick[page, tick & _MASK] = slot + 1
                book[LOW], book[HIGH] = min(book[LOW], tick), max(book[HIGH], tick)
            old, new = pool[page, which, tick & _MASK], size[i]
            if old == new:
                continue
            pool[page, which, tick & _MASK] = new
            if (old > 0) != (new > 0):
                counts[page, which] += 1 if new > 0 else -1
                if which == BID:
                    if tick >= book[BEST_BID]:
                        _move_best(levels, BID, tick)
                elif tick <= book[BEST_ASK]:
                    _move_best(levels, ASK, tick)
            total = cells[slot, NOW]
            if cells[slot, STAMP] != number:
                cells[slot, STAMP], cells[slot, PEAK] = number, total
                areas[slot] = float(total) * float(max(now - begin, 0))
                touched[state[TOUCHED]] = slot
                state[TOUCHED] += 1
                cells[slot, SINCE] = max(now, begin)
            elif now > cells[slot, SINCE]:
                areas[slot] += float(total) * float(now - cells[slot, SINCE])
                cells[slot, SINCE] = now
            total += new - old
            cells[slot, NOW] = total
            if total > cells[slot, PEAK]:
                cells[slot, PEAK] = total
        elif k in (_CLEAR, _GAP):
            _wipe(levels, rows, now, begin)
            state[GAPPED] |= k == _GAP
        elif k == _SNAPSHOT_END:
            book[VALID] = 1
            book[EVER_VALID] = 1
    return len(ts)


@kernel()
def lasts(sheet: Sheet, carry: Array) -> None:
    """Bring what rests per slot from the beginning of a sheet to its end."""
    for i in range(sheet.used[ENTRIES]):
        carry[sheet.slot[i]] = sheet.last[i]


@part
def _close_merged(merger: Merger, sheet: Sheet, times: int) -> None:
    state = merger.state
    end = (state[NUMBER] + 1) * times
    at = sheet.used[ENTRIES]
    cells, touched = merger.cells, merger.touched
    slots, peaks, ends_with, means = sheet.slot, sheet.peak, sheet.last, sheet.mean
    for i in range(state[TOUCHED]):
        slot = touched[i]
        total = cells[slot, NOW]
        slots[at], peaks[at], ends_with[at] = slot, cells[slot, PEAK], total
        means[at] = (cells[slot, AREA] + total * (end - cells[slot, SINCE])) / times
        at += 1
    _finish(sheet, state[NUMBER], merger.best[BID], merger.best[ASK], state[GAPPED], at)
    state[OPEN] = 0


@kernel()
def merge(fine: Sheet, first: int, merger: Merger, sheet: Sheet, times: int) -> int:
    """Merge finer columns from ``first`` on by ``times``; returns the one before which the sheet was full, or all."""
    state, cells, touched = merger.state, merger.cells, merger.touched
    slots, peaks, ends_with, means, ends = fine.slot, fine.peak, fine.last, fine.mean, fine.ends
    entry = ends[first - 1] if first else 0
    for column in range(first, fine.used[COLUMNS]):
        at = fine.number[column]
        if not state[OPEN] or at // times != state[NUMBER]:
            if state[OPEN]:
                if _full(sheet, state[TOUCHED]):
                    return column
                _close_merged(merger, sheet, times)
            state[NUMBER], state[OPEN], state[GAPPED], state[TOUCHED] = at // times, 1, 0, 0
        number, begin = state[NUMBER], state[NUMBER] * times
        for e in range(entry, ends[column]):
            slot, rested = slots[e], cells[slots[e], NOW]
            if cells[slot, STAMP] != number:
                cells[slot, STAMP], cells[slot, PEAK] = number, rested
                cells[slot, AREA] = rested * (at - begin) + means[e]
                touched[state[TOUCHED]] = slot
                state[TOUCHED] += 1
            else:
                cells[slot, AREA] += rested * (at - cells[slot, SINCE]) + means[e]
            cells[slot, SINCE] = at + 1
            cells[slot, NOW] = ends_with[e]
            cells[slot, PEAK] = max(cells[slot, PEAK], peaks[e])
        entry = ends[column]
        merger.best[BID], merger.best[ASK] = fine.best[column, BID], fine.best[column, ASK]
        state[GAPPED] = (state[GAPPED] & LOST) | fine.flags[column]
    return int(fine.used[COLUMNS])
