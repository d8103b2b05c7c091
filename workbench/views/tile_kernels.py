"""Numba kernel that draws a tile of the heatmap straight from events, in one pass over events and cells.

Sizes are kept of the ticks that the tile shows; of all others one bit, whether anything rests there: it takes no more
to find the next best price, and it stays in the processor's cache.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numba import types

from workbench.book.jit import I1_COLUMN, I4_COLUMN, I8_COLUMN, U1_COLUMN, kernel, part
from workbench.events import Array, EventKind
from workbench.views.raster_kernels import (
    ASK,
    BID,
    MARK_EMPTY,
    MARK_GAP,
    NO_ASK,
    NO_BID,
    NO_TICK,
    PAGE_SHIFT,
    PAGE_TICKS,
    RULE_MAX,
    RULE_MEAN,
)

_MASK: Final = PAGE_TICKS - 1
_HALF: Final = 1 << (31 - PAGE_SHIFT)
WORDS: Final = PAGE_TICKS // 64
NEVER: Final = -(1 << 62)

# Slots of Easel.state.
VIEW, BEST_BID, BEST_ASK, VALID, EVER_VALID, LOST, PAGES, SHELVES, TOUCHED, LOWEST, HIGHEST = range(11)
# Slots of Easel.scale.
COLUMN_NS, ROW_TICKS, LOW, HIGH, ORIGIN, RULE = range(6)

_DEPTH = int(EventKind.DEPTH)
_CLEAR = int(EventKind.CLEAR)
_SNAPSHOT_END = int(EventKind.SNAPSHOT_END)
_GAP = int(EventKind.GAP)


class Easel(NamedTuple):
    """A tile that is being drawn, and the book as far as it takes."""

    table: Array  # int32, 1-based page by tick >> PAGE_SHIFT
    bits: Array  # int64, shape (pages × 2 × WORDS,): a bit for each level that holds size
    shelf: Array  # int32, shape (pages,): 1-based, where sizes of a page that is shown lie
    held: Array  # int64, shape (shelves × PAGE_TICKS × 2,), lots
    totals: Array  # int64, shape (rows,), lots
    carry: Array  # float32, shape (rows,): the totals
    area: Array  # float64, shape (rows,): ∫ total dt in the column up to `since`, of rows touched in it
    since: Array  # int64, shape (rows,), ns
    touched: Array  # int32, shape (rows,): rows touched in the column, for the mean
    heat: Array  # float32, shape (columns, rows), lots
    best: Array  # int32, shape (columns, 2)
    marks: Array  # uint8, shape (columns,)
    state: Array  # int64
    scale: Array  # int64


_I8 = types.int64
_EASEL: Final = (
    types.int32[::1], _I8[::1], types.int32[::1], _I8[::1], _I8[::1], types.float32[::1], types.float64[::1],
    _I8[::1], types.int32[::1], types.float32[:, ::1], types.int32[:, ::1], types.uint8[::1], _I8[::1], _I8[::1],
)  # fmt: skip


@part
def _below(table: Array, bits: Array, tick: Any, lowest: int) -> Any:
    """Highest bid at or below ``tick``, or NO_BID."""
    while tick >= lowest:
        page = np.int64(table[(tick >> PAGE_SHIFT) + _HALF]) - 1
        if page < 0:
            tick = ((tick >> PAGE_SHIFT) << PAGE_SHIFT) - 1
            continue
        word = bits[(page * 2 + BID) * WORDS + ((tick & _MASK) >> 6)] << (63 - (tick & 63))
        if word == 0:
            tick = ((tick >> 6) << 6) - 1
            continue
        while word > 0:  # until the topmost bit, which is the sign, is set
            word <<= 1
            tick -= 1
        return tick
    return NO_BID


@part
def _above(table: Array, bits: Array, tick: Any, highest: int) -> Any:
    """Lowest ask at or above ``tick``, or NO_ASK."""
    while tick <= highest:
        page = np.int64(table[(tick >> PAGE_SHIFT) + _HALF]) - 1
        if page < 0:
            tick = ((tick >> PAGE_SHIFT) + 1) << PAGE_SHIFT
            continue
        word = bits[(page * 2 + ASK) * WORDS + ((tick & _MASK) >> 6)] >> (tick & 63)
        if word == 0:
            tick = ((tick >> 6) + 1) << 6
            continue
        while word & 1 == 0:
            word >>= 1
            tick += 1
        return tick
    return NO_ASK


@part
def _finish(
    carry: Array, totals: Array, area: Array, since: Array, touched: Array,
    heat: Array, best: Array, marks: Array, state: Array, scale: Array, until: int,
) -> None:  # fmt: skip
    """Write the column that is being drawn as it stands at ``until``."""
    view = state[VIEW]
    if scale[RULE] != RULE_MAX:
        heat[view] = carry
    begin = (view + scale[ORIGIN]) * scale[COLUMN_NS]
    if until > begin:
        for i in range(state[TOUCHED]):
            row = touched[i]
            rested = totals[row] * float(max(until - since[row], 0))
            heat[view, row] = (area[row] + rested) / float(until - begin)
    best[view, BID] = state[BEST_BID] if state[BEST_BID] > NO_BID else NO_TICK
    best[view, ASK] = state[BEST_ASK] if state[BEST_ASK] < NO_ASK else NO_TICK
    if state[EVER_VALID]:
        marks[view] = MARK_GAP if state[LOST] or not state[VALID] else 0
    else:
        marks[view] = MARK_GAP if state[LOST] else MARK_EMPTY


@part
def _turn(
    carry: Array, totals: Array, area: Array, since: Array, touched: Array,
    heat: Array, best: Array, marks: Array, state: Array, scale: Array, target: int,
) -> None:  # fmt: skip
    """Finish every column before ``target`` and begin that one, as far as the tile reaches."""
    columns = len(heat)
    stop = max(min(target, columns), -1)  # one column stands for all before the tile
    if state[VIEW] == NEVER:
        state[VIEW] = stop
        heat[: min(stop + 1, columns)] = 0.0
    while state[VIEW] < stop:
        if state[VIEW] >= 0:
            end = (state[VIEW] + 1 + scale[ORIGIN]) * scale[COLUMN_NS]
            _finish(carry, totals, area, since, touched, heat, best, marks, state, scale, end)
        state[VIEW] += 1
        state[LOST], state[TOUCHED] = 0, 0
        if state[VIEW] < columns and scale[RULE] == RULE_MAX:
            heat[state[VIEW]] = carry


@kernel(types.void(*_EASEL, _I8))
def finish(
    table: Array, bits: Array, shelf: Array, held: Array,
    totals: Array, carry: Array, area: Array, since: Array, touched: Array,
    heat: Array, best: Array, marks: Array, state: Array, scale: Array,
    last_ns: int,
) -> None:  # fmt: skip
    """Finish the tile as it stands at the last event; nothing is known of what comes after it."""
    view, columns = state[VIEW], len(heat)
    if view == NEVER:
        heat[:] = 0.0
        return
    if 0 <= view < columns:
        _finish(carry, totals, area, since, touched, heat, best, marks, state, scale, last_ns)
    heat[max(view + 1, 0) :] = 0.0


@kernel(_I8(I8_COLUMN, U1_COLUMN, I1_COLUMN, I4_COLUMN, I8_COLUMN, _I8, *_EASEL))
def draw(
    ts: Array, kind: Array, side: Array, price: Array, size: Array, start: int,
    table: Array, bits: Array, shelf: Array, held: Array,
    totals: Array, carry: Array, area: Array, since: Array, touched: Array,
    heat: Array, best: Array, marks: Array, state: Array, scale: Array,
) -> int:  # fmt: skip
    """Draw events from row ``start`` on; returns the row before which there was no room for a page, or the length."""
    # In one piece and over single arrays: handing them on in the way of every row costs more than all else.
    column_ns, row_ticks, origin, rule = scale[COLUMN_NS], scale[ROW_TICKS], scale[ORIGIN], scale[RULE]
    low, high, columns = scale[LOW], scale[HIGH], len(heat)
    best_bid, best_ask, view = state[BEST_BID], state[BEST_ASK], state[VIEW]
    begin = NEVER if view == NEVER else (view + origin) * column_ns
    end = NEVER if view == NEVER else begin + column_ns
    keep_max, keep_mean = rule == RULE_MAX and 0 <= view < columns, rule == RULE_MEAN and 0 <= view < columns
    done = len(ts)
    for i in range(start, len(ts)):
        now = ts[i]
        if now >= end:
            state[BEST_BID], state[BEST_ASK] = best_bid, best_ask
            target = now // column_ns - origin
            _turn(carry, totals, area, since, touched, heat, best, marks, state, scale, target)
            view = state[VIEW]
            if view >= columns:
                break
            begin, end = (view + origin) * column_ns, (view + 1 + origin) * column_ns
            keep_max, keep_mean = rule == RULE_MAX and view >= 0, rule == RULE_MEAN and view >= 0
        k = kind[i]
        if k == _DEPTH:
            tick, new = np.int64(price[i]), size[i]
            page = np.int64(table[(tick >> PAGE_SHIFT) + _HALF]) - 1
            if page < 0:
                if state[PAGES] == len(shelf):
                    done = i
                    break
                page = state[PAGES]
                state[PAGES] = page + 1
                table[(tick >> PAGE_SHIFT) + _HALF] = page + 1
                state[LOWEST], state[HIGHEST] = (
                    min(state[LOWEST], tick & ~_MASK),
                    max(state[HIGHEST], tick | _MASK),
                )
            which = BID if side[i] > 0 else ASK
            word = (page * 2 + which) * WORDS + ((tick & _MASK) >> 6)
            bit = np.int64(1) << (tick & 63)
            bits[word] = (bits[word] | bit) if new > 0 else (bits[word] & ~bit)
            if which == BID:
                if tick >= best_bid:
                    best_bid = (
                        tick
                        if new > 0
                        else (_below(table, bits, tick, state[LOWEST]) if tick == best_bid else best_bid)
                    )
            elif tick <= best_ask:
                best_ask = (
                    tick
                    if new > 0
                    else (_above(table, bits, tick, state[HIGHEST]) if tick == best_ask else best_ask)
                )
            if tick < low or tick >= high:
                continue
            place = np.int64(shelf[page]) - 1
            if place < 0:
                if state[SHELVES] * PAGE_TICKS * 2 == len(held):
                    done = i
                    break
                place = state[SHELVES]
                state[SHELVES] = place + 1
                shelf[page] = place + 1
            place = (place * PAGE_TICKS + (tick & _MASK)) * 2 + which
            old = held[place]
            held[place] = new
            row = tick - low if row_ticks == 1 else (tick - low) // row_ticks
            total = totals[row]
            if keep_mean:
                at = max(now, begin)
                if since[row] < begin:
                    area[row] = total * float(at - begin)
                    since[row] = at
                    touched[state[TOUCHED]] = row
                    state[TOUCHED] += 1
                elif at > since[row]:
                    area[row] += total * float(at - since[row])
                    since[row] = at
            total += new - old
            totals[row] = total
            shown = np.float32(total)
            carry[row] = shown
            if keep_max and shown > heat[view, row]:
                heat[view, row] = shown
        elif k in (_CLEAR, _GAP):
            best_bid, best_ask = NO_BID, NO_ASK
            bits[: state[PAGES] * 2 * WORDS] = 0
            held[: state[SHELVES] * PAGE_TICKS * 2] = 0
            if keep_mean:
                at = max(now, begin)
                for row in range(len(totals)):
                    if totals[row] != 0:
                        if since[row] < begin:
                            area[row], since[row] = 0.0, begin
                            touched[state[TOUCHED]] = row
                            state[TOUCHED] += 1
                        if at > since[row]:
                            area[row] += totals[row] * float(at - since[row])
                            since[row] = at
            totals[:] = 0
            carry[:] = 0.0
            state[VALID] = 0
            if k == _GAP:
                state[LOST] = 1
        elif k == _SNAPSHOT_END:
            state[VALID] = 1
            state[EVER_VALID] = 1
    state[BEST_BID], state[BEST_ASK] = best_bid, best_ask
    return done
