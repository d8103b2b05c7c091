"""One tile of the heatmap straight from events: what there is no pyramid for, or too few events to need one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from workbench.book.jit import aligned
from workbench.events import Array
from workbench.views import tile_kernels as kernels
from workbench.views.pyramid import Tile
from workbench.views.raster import MARK_EMPTY, NO_TICK, RULES, Scale
from workbench.views.raster_kernels import NO_ASK, NO_BID, PAGE_SHIFT, PAGE_TICKS
from workbench.views.tile_kernels import Easel

__all__ = ["drawn"]

FIRST_PAGES = 2048
FIRST_SHELVES = 16


def drawn(scale: Scale, pieces: Iterable[Sequence[Array]]) -> Tile:
    """Draw a tile in one pass.

    Parameters
    ----------
    scale : Scale
    pieces : iterable of columns
        Events as columns of :data:`workbench.events.COLUMNS`, in stream order, from an empty book on. What comes
        before the tile counts with what it left resting, what comes after it is not read.

    Returns
    -------
    Tile
        As it stands at the last event.
    """
    easel = _new_easel(scale)
    last_ns, end_ns = 0, scale.start_ns(scale.columns)
    for piece in pieces:
        ts, _, kind, side, price, size = (aligned(column) for column in piece[:6])
        row = 0
        while row < len(ts):
            row = kernels.draw(ts, kind, side, price, size, row, *easel)
            if row < len(ts):
                easel = _with_room(easel)
        if len(ts):
            last_ns = max(last_ns, int(ts[-1]))
        if last_ns >= end_ns:
            break
    kernels.finish(*easel, last_ns)
    return Tile(easel.heat, easel.best, easel.marks)


def _new_easel(scale: Scale) -> Easel:
    rows = scale.rows
    state = np.zeros(11, np.int64)
    state[kernels.VIEW] = kernels.NEVER
    state[[kernels.BEST_BID, kernels.HIGHEST]] = NO_BID
    state[[kernels.BEST_ASK, kernels.LOWEST]] = NO_ASK
    numbers = (scale.column_ns, scale.row_ticks, scale.low_tick, scale.high_tick, scale.origin_column)
    return Easel(
        table=np.zeros(1 << (32 - PAGE_SHIFT), np.int32),
        bits=np.zeros(FIRST_PAGES * 2 * kernels.WORDS, np.int64),
        shelf=np.zeros(FIRST_PAGES, np.int32),
        held=np.zeros(FIRST_SHELVES * PAGE_TICKS * 2, np.int64),
        totals=np.zeros(rows, np.int64),
        carry=np.zeros(rows, np.float32),
        area=np.zeros(rows),
        since=np.full(rows, kernels.NEVER),
        touched=np.zeros(rows, np.int32),
        heat=np.empty((scale.columns, rows), np.float32),
        best=np.full((scale.columns, 2), NO_TICK, np.int32),
        marks=np.full(scale.columns, MARK_EMPTY, np.uint8),
        state=state,
        scale=np.array([*numbers, RULES.index(scale.rule)]),
    )


def _with_room(easel: Easel) -> Easel:
    """The same with room for twice the pages, or for twice the pages that are shown."""
    if easel.state[kernels.PAGES] == len(easel.shelf):
        easel = easel._replace(bits=_doubled(easel.bits), shelf=_doubled(easel.shelf))
    if easel.state[kernels.SHELVES] * PAGE_TICKS * 2 == len(easel.held):
        easel = easel._replace(held=_doubled(easel.held))
    return easel


def _doubled(array: Array) -> Array:
    return np.concatenate([array, np.zeros_like(array)])
