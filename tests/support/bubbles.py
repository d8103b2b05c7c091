"""Bubbles of trades written from what they are, as oracle of the one pass that views make."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workbench.events import SUBTICK_SHIFT, SUBTICKS_PER_TICK, Array
from workbench.views.prints import merged
from workbench.views.raster import Scale


def bubbles(columns: tuple[Array, ...], scale: Scale) -> npt.NDArray[np.float32]:
    """Trades summed per column, price row and aggressor.

    Parameters
    ----------
    columns : event columns of trades only
    scale : Scale

    Returns
    -------
    float32, shape (n, 4)
        Column; price in ticks above the window's low edge, the volume-weighted mean of the cell; lots; aggressor.
        Ordered by column. Batch marks without size are left out.
    """
    ts, _, _, side, price, size, _, _, flags = columns[:9]
    kept = size > 0
    ts, side, size = ts[kept], side[kept].astype(np.int64), size[kept].astype(np.float64)
    exact = price[kept] + (flags[kept] >> SUBTICK_SHIFT) / SUBTICKS_PER_TICK
    column = ts // scale.column_ns - scale.origin_column
    cells = np.stack([column, exact - scale.low_tick, size, side], axis=1)
    return merged(cells, 1, scale.row_ticks).astype(np.float32)
