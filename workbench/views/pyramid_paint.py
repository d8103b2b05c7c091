"""Numba kernels that paint tiles of the heatmap from a pyramid's columns, from left to right."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.book.jit import kernel, part
from workbench.views.pyramid_kernels import EVER_KNOWN, KNOWN, LOST, Sheet
from workbench.views.raster_kernels import ASK, BID, MARK_EMPTY, MARK_GAP, RULE_LAST, RULE_MAX, RULE_MEAN

Array = npt.NDArray[Any]

# Slots of Canvas.state.
VIEW, LAST_BID, LAST_ASK, FLAGS, LOST_HERE = range(5)
# Slots of Canvas.scale.
VIEW_NS, ORIGIN, RULE = range(3)


class Canvas(NamedTuple):
    """A tile that is being painted from left to right."""

    heat: Array  # float32, shape (columns, rows)
    best: Array  # int32, shape (columns, 2)
    marks: Array  # uint8, shape (columns,)
    carry: Array  # float32, shape (rows,): what rests
    area: Array  # float64, shape (rows,)
    since: Array  # int64, shape (rows,)
    state: Array  # int64
    scale: Array  # int64


@part
def _start(canvas: Canvas, view: int) -> None:
    state, scale = canvas.state, canvas.scale
    state[VIEW] = view
    state[LOST_HERE] = 0
    if scale[RULE] == RULE_MAX:
        canvas.heat[view] = canvas.carry
    elif scale[RULE] == RULE_MEAN:
        canvas.area[:] = 0.0
        canvas.since[:] = (view + scale[ORIGIN]) * scale[VIEW_NS]


@kernel()
def end(canvas: Canvas, until: int) -> None:
    """Write the view column that is being painted as it stands at ``until``."""
    state, scale = canvas.state, canvas.scale
    view = state[VIEW]
    begin = (view + scale[ORIGIN]) * scale[VIEW_NS]
    if scale[RULE] == RULE_LAST or (scale[RULE] == RULE_MEAN and until <= begin):
        canvas.heat[view] = canvas.carry
    elif scale[RULE] == RULE_MEAN:
        for row in range(canvas.heat.shape[1]):
            area = canvas.area[row] + canvas.carry[row] * float(until - canvas.since[row])
            canvas.heat[view, row] = area / (until - begin)
    canvas.best[view, BID], canvas.best[view, ASK] = state[LAST_BID], state[LAST_ASK]
    if state[FLAGS] & EVER_KNOWN:
        canvas.marks[view] = MARK_GAP if state[LOST_HERE] or not state[FLAGS] & KNOWN else 0
    else:
        canvas.marks[view] = MARK_GAP if state[LOST_HERE] else MARK_EMPTY


@kernel()
def advance(canvas: Canvas, view: int) -> None:
    """Write view columns before ``view`` and begin with that one, as far as the tile reaches."""
    if view < 0:
        return
    state, scale = canvas.state, canvas.scale
    if state[VIEW] < 0:
        _start(canvas, 0)
    while state[VIEW] < view and state[VIEW] < len(canvas.heat):
        end(canvas, (state[VIEW] + 1 + scale[ORIGIN]) * scale[VIEW_NS])
        if state[VIEW] + 1 == len(canvas.heat):
            state[VIEW] += 1
        else:
            _start(canvas, state[VIEW] + 1)


@kernel()
def paint(
    canvas: Canvas, sheet: Sheet, first: int, stop: int, place: Array, column_ns: int, length: int
) -> None:
    """Paint columns ``first`` to ``stop`` of a sheet whose columns are ``column_ns`` apart and last ``length`` ns.

    ``place`` tells the row of the tile by slot, as uint32; slots outside have a number beyond its rows.
    """
    # Written out in one piece: handing these arrays to functions costs more than painting an entry.
    heat, carry, area, since = canvas.heat, canvas.carry, canvas.area, canvas.since
    slots, peaks, ends_with, means, ends = sheet.slot, sheet.peak, sheet.last, sheet.mean, sheet.ends
    state, columns, rows = canvas.state, canvas.heat.shape[0], np.uint32(canvas.heat.shape[1])
    view_ns, origin, rule = canvas.scale[VIEW_NS], canvas.scale[ORIGIN], canvas.scale[RULE]
    entry = ends[first - 1] if first else 0
    for column in range(first, stop):
        begin = sheet.number[column] * column_ns
        view = begin // view_ns - origin
        if view >= columns:
            advance(canvas, columns)
            return
        if view > state[VIEW]:
            advance(canvas, view)
        if view < 0 or rule == RULE_LAST:
            for e in range(entry, ends[column]):
                row = place[slots[e]]
                if row < rows:
                    carry[row] = ends_with[e]
        elif rule == RULE_MAX:
            for e in range(entry, ends[column]):
                row = place[slots[e]]
                if row < rows:
                    heat[view, row] = max(heat[view, row], peaks[e])
                    carry[row] = ends_with[e]
        else:
            for e in range(entry, ends[column]):
                row = place[slots[e]]
                if row < rows:
                    area[row] += carry[row] * float(begin - since[row]) + means[e] * float(length)
                    since[row] = begin + length
                    carry[row] = ends_with[e]
        entry = ends[column]
        state[LAST_BID], state[LAST_ASK] = sheet.best[column, BID], sheet.best[column, ASK]
        state[FLAGS] = sheet.flags[column]
        state[LOST_HERE] |= sheet.flags[column] & LOST
