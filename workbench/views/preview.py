"""A tile of other rows than those that a pyramid has: to look at until the right one is built."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from workbench.views.pyramid import Pyramid, Tile
from workbench.views.raster import Scale


def rebinned(pyramid: Pyramid, scale: Scale) -> Tile:
    """Tile whose rows are put together of, or cut from, those of a pyramid; never exact.

    Notes
    -----
    Finer rows are added up, which for the rule ``max`` is too much where their largest sizes fall on different times;
    coarser ones are spread evenly.
    """
    have, want = pyramid.row_ticks, scale.row_ticks
    low, high = scale.low_tick // have, -(-scale.high_tick // have)
    source = pyramid.tile(replace(scale, row_ticks=have, base_row=low, rows=max(high - low, 1)))
    edges = (scale.base_row + np.arange(scale.rows + 1)) * want / have - low
    sums = np.concatenate([np.zeros((scale.columns, 1)), np.cumsum(source.heat, axis=1)], axis=1)
    whole = np.minimum(edges.astype(np.int64), sums.shape[1] - 2)
    at = sums[:, whole] + (edges - whole) * source.heat[:, whole]
    return Tile(np.diff(at, axis=1).astype(np.float32), source.best, source.marks, exact=False)
