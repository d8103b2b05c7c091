"""Tiles of the heatmap at any level of detail."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.views.raster import MARK_EMPTY, NO_TICK, Scale

__all__ = ["Tile"]


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
        False: a preview made of coarser facts, to be asked for again.
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
