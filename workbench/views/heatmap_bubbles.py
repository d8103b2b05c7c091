"""Bubbles of the heatmap's still pictures: clustered, mixed and sized as the settings of the page say."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from workbench.events import Array
from workbench.views.heatmap_settings import HeatSettings
from workbench.views.picture import Canvas
from workbench.views.prints import merged

__all__ = ["SLICES", "clustered", "draw_bubble", "largest"]

SLICES: Final = 60
"""Slices of equal volume in a picture."""
_PIE_STEP: Final = math.pi / 18


def clustered(cells: Array, per_slot: int, per_row: int, settings: HeatSettings) -> npt.NDArray[np.float64]:
    """Trades as the bubbles that are drawn.

    Parameters
    ----------
    cells : (n, 4)
        As :func:`workbench.views.prints.bubbles` gives them, ordered by column.
    per_slot, per_row : int
        Columns and ticks of one bubble, where bubbles are slices of time.
    settings : HeatSettings

    Returns
    -------
    float64, shape (m, 4)
        Column, tick, lots, and the share that buyers took: 0 to 1, nan if nobody knows.

    Examples
    --------
    >>> clustered(np.array([[0, 5, 1, 1], [0, 5, 3, -1]]), 1, 1, {"cluster": "time", "bubble_style": "pie"})[0, 2:]
    array([4.  , 0.25])
    """
    cells = cells.astype(np.float64)
    if settings["cluster"] == "volume" and len(cells):
        before = np.cumsum(cells[:, 2]) - cells[:, 2]
        return _mixed(cells, np.floor(before / max(cells[:, 2].sum() / SLICES, 1.0))[None, :])
    if settings["bubble_style"] == "split":
        split = merged(cells, per_slot, per_row)
        split[:, 3] = np.select([split[:, 3] > 0, split[:, 3] < 0], [1.0, 0.0], np.nan)
        return split
    return _mixed(cells, np.stack([cells[:, 0] // per_slot, cells[:, 1] // per_row]))


def _mixed(cells: Array, keys: Array) -> npt.NDArray[np.float64]:
    """Sums over cells of one key; each stands at the volume-weighted mean of its columns and prices."""
    if not len(cells):
        return np.empty((0, 4))
    order = np.lexsort(keys[::-1])
    cells, keys = cells[order], keys[:, order]
    starts = np.flatnonzero(np.r_[True, (keys[:, 1:] != keys[:, :-1]).any(axis=0)])
    lots = cells[:, 2]
    total, bought, sold, column, tick = (
        np.add.reduceat(weights, starts)
        for weights in (lots, lots * (cells[:, 3] > 0), lots * (cells[:, 3] < 0), *(cells[:, :2].T * lots))
    )
    known = bought + sold
    share = np.divide(bought, known, out=np.full(len(known), np.nan), where=known > 0)
    return np.stack([column / total, tick / total, total, share], axis=1)


def largest(found: Array, most: int, least: float) -> Array:
    """The ``most`` largest bubbles of at least ``least`` lots, largest first."""
    kept = found[found[:, 2] >= least]
    return kept[np.argsort(-kept[:, 2], kind="stable")][:most]


def draw_bubble(canvas: Canvas, x: float, y: float, radius: float, share: float, style: str) -> None:
    """Draw one bubble: by the larger side and its share, or as a pie whose buyers' slice begins at twelve o'clock."""
    if math.isnan(share):
        canvas.disc(x, y, radius, "faint", 215)
    elif style == "pie" and radius > 3 and 0 < share < 1:
        canvas.disc(x, y, radius, "sell", 230)
        canvas.polygon(_slice(x, y, radius, share), "buy", 230)
    else:
        canvas.disc(x, y, radius, "sell", 215)
        canvas.disc(x, y, radius, "buy", round(215 * share))


def _slice(x: float, y: float, radius: float, share: float) -> list[tuple[Any, Any]]:
    end = 2 * math.pi * share
    angles = [*np.arange(0.0, end, _PIE_STEP), end]
    return [(x, y), *((x + radius * math.sin(a), y - radius * math.cos(a)) for a in angles)]
