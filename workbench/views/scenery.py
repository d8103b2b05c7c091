"""Everything there is to see of one instrument, at any scale."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workbench.views.live import Captured
from workbench.views.prints import bubbles
from workbench.views.pyramid import Tile, empty_tile
from workbench.views.raster import Raster, Scale

__all__ = ["Scenery"]


class Scenery:
    """Tiles and trades of one capture at any scale.

    Parameters
    ----------
    capture : Captured
    """

    def __init__(self, capture: Captured):
        self._capture = capture

    @property
    def first_ns(self) -> int:
        """Time of the first event, ns; 0 before it."""
        piece = next(iter(self._capture.columns.chunks(0, 1)), None)
        return 0 if piece is None else int(piece[0][0])

    @property
    def last_ns(self) -> int:
        """Time of the last event, ns; 0 before the first."""
        length = len(self._capture.columns)
        piece = next(iter(self._capture.columns.chunks(max(0, length - 1), length)), None)
        return 0 if piece is None else int(piece[0][-1])

    def follow(self) -> bool:
        """Take in what came since; returns whether all of it is in."""
        return True

    def tile(self, scale: Scale) -> Tile:
        """Piece of the heatmap: columns 0 to ``scale.columns`` of the scale, counted from its origin."""
        columns = self._capture.columns
        raster = Raster(scale)
        for chunk in columns.chunks(0, columns.row_at(scale.start_ns(scale.columns))):
            raster.feed(chunk)
        tile = empty_tile(scale)
        if raster.first_column is None or raster.last_column is None:
            return tile
        raster.advance(min(self.last_ns, scale.start_ns(scale.columns) - 1))
        first, stop = max(raster.first_column, 0), raster.last_column + 1
        if first < stop:
            tile.heat[first:stop] = raster.heat(first, stop)
            tile.best[first:stop] = raster.best(first, stop)
            tile.marks[first:stop] = raster.marks(first, stop)
        return tile

    def trades(self, scale: Scale) -> npt.NDArray[np.float32]:
        """Bubble cells of the trades in the same piece, as :func:`workbench.views.prints.bubbles` gives them."""
        trades = self._capture.trades
        start, stop = (trades.row_at(scale.start_ns(column)) for column in (0, scale.columns))
        parts = [bubbles(chunk, scale) for chunk in trades.chunks(start, stop)]
        return np.concatenate(parts) if parts else np.empty((0, 4), np.float32)
