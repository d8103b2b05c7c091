"""Everything there is to see of one instrument, at any scale: from pyramids, or from events where those are few."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from operator import itemgetter
from typing import Final

import numpy as np
import numpy.typing as npt

from workbench.views.bubble_cells import cells
from workbench.views.checkpoints import CHECKPOINT_ROWS, NOTHING, Checkpoints, Seed
from workbench.views.drawn import drawn
from workbench.views.growing import Growth, base_for, grow_behind
from workbench.views.live import Captured
from workbench.views.preview import rebinned
from workbench.views.pyramid import Pyramid, Tile
from workbench.views.raster import Raster, Scale
from workbench.views.reading import trade_chunks, trades_known

__all__ = ["Scenery"]

FEW_ROWS: Final = 200_000
"""Rows that are drawn straight from events, and taken in at once by :meth:`Scenery.follow`: about 10 ms."""
MANY_ROWS: Final = 1_500_000
"""Rows drawn from events while no pyramid is ready: about 100 ms."""
MOST_BYTES: Final = 512_000_000


class Scenery:
    """Tiles and trades of one capture at any scale; it follows the capture as it grows.

    Parameters
    ----------
    capture : Captured
        Live, or of a recording.

    Notes
    -----
    Tiles equal those of :class:`~workbench.views.raster.Raster` fed with everything, at any scale. Where a scale takes
    in more than :data:`FEW_ROWS` events, a pyramid of its ``row_ticks`` is built on a thread of its own; until it is
    there, wide tiles are previews (``Tile.exact`` is False). Columns of 1, 2 or 5 times a power of ten are quick at any
    width, others are made of events. One thread asks.
    """

    def __init__(self, capture: Captured):
        self._capture = capture
        self._feeding = threading.Lock()
        self._thread: threading.Thread | None = None
        self._forget()

    def _forget(self) -> None:
        self._source = self._capture.columns
        self._checkpoints = Checkpoints()
        self._near: tuple[object, int, Seed] = (self._source, 0, NOTHING)
        self._growths: dict[int, Growth] = {}
        self._times: dict[
            int, int
        ] = {}  # of the first and the last row: on disk they lie in row groups to decode
        self._failure: Exception | None = None

    # -- what there is -------------------------------------------------------------------------------------------
    @property
    def first_ns(self) -> int:
        """Time of the first event, ns; 0 before it."""
        return self._time_of(0)

    @property
    def last_ns(self) -> int:
        """Time of the last event, ns; 0 before the first."""
        return self._time_of(max(0, len(self._capture.columns) - 1))

    def _time_of(self, row: int) -> int:
        known = self._times.get(row)
        if known is not None:
            return known
        piece = next(iter(self._source.chunks(row, row + 1)), None)
        if piece is None:
            return 0
        # put there as a whole: a still picture asks from another thread
        first = {key: value for key, value in self._times.items() if key == 0}
        self._times = {**first, row: int(piece[0][0])}
        return int(piece[0][0])

    @property
    def progress(self) -> float:
        """Share of the events that all wanted pyramids hold, 0 to 1."""
        length = len(self._capture.columns)
        return min((growth.row / max(length, 1) for growth in self._growths.values()), default=1.0)

    @property
    def nbytes(self) -> int:
        """Memory of the pyramids, bytes."""
        return sum(growth.pyramid.nbytes for growth in self._growths.values())

    # -- growing -------------------------------------------------------------------------------------------------
    def follow(self) -> bool:
        """Take in what came since, as far as a few milliseconds allow; returns whether all of it is in.

        Raises
        ------
        WorkbenchError
            What the events could not be read for, on the thread that builds.
        """
        if self._capture.columns is not self._source:  # the session forgot everything, after a seek
            with self._feeding:
                self._forget()
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        length = len(self._source)
        behind = sum(length - growth.row for growth in self._growths.values())
        if behind > FEW_ROWS:
            self._begin()
        elif behind and self._feeding.acquire(blocking=False):
            try:
                for growth in self._growths.values():
                    growth.feed(self._source, length, self._checkpoints)
            finally:
                self._feeding.release()
        return all(growth.row >= length for growth in self._growths.values())

    def _begin(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = grow_behind(self)

    def step(self) -> bool:
        """Build for some 20 ms; returns whether there is more to do. For the thread that builds."""
        with self._feeding:
            length = len(self._source)
            behind = [growth for growth in self._growths.values() if growth.row < length]
            if not behind or self._failure is not None:
                return False
            newest = max(behind, key=lambda growth: growth.asked)
            try:
                newest.feed(self._source, min(newest.row + FEW_ROWS, length), self._checkpoints)
            except Exception as error:  # noqa: BLE001 - whoever follows learns of it
                self._failure = error
        return True

    def _growth(self, scale: Scale) -> Growth:
        """Return the pyramid for a row size, a new one if there is none."""
        found = self._growths.get(scale.row_ticks)
        if found is None:
            with self._feeding:
                base_ns = base_for(len(self._source), self.last_ns - self.first_ns)
                found = Growth(Pyramid(scale.row_ticks, base_ns))
                self._growths = {**self._growths, scale.row_ticks: found}
        found.touch(self._latest)
        if self.nbytes > MOST_BYTES and len(self._growths) > 2:
            oldest = min(self._growths.values(), key=lambda growth: growth.asked)
            with self._feeding:
                self._growths = {k: v for k, v in self._growths.items() if v is not oldest}
        return found

    @property
    def _latest(self) -> int:
        return max((growth.asked for growth in self._growths.values()), default=0)

    # -- reading -------------------------------------------------------------------------------------------------
    def tile(self, scale: Scale) -> Tile:
        """Piece of the heatmap: columns 0 to ``scale.columns`` of the scale, counted from its origin.

        Parameters
        ----------
        scale : Scale

        Returns
        -------
        Tile
            Drawn as it stands at the last event; what lies after it, or before the first, is empty.
        """
        length = len(self._capture.columns)
        self.follow()
        known = self._growths.get(scale.row_ticks)
        if known is not None and known.holds(scale, length):
            known.touch(self._latest)
            return known.pyramid.tile(scale)
        start, stop = (self._source.row_at(scale.start_ns(column)) for column in (0, scale.columns))
        if stop - start <= FEW_ROWS:
            return self._from_events(scale, start, stop)
        growth = self._growth(scale)
        self._begin()
        if stop - start <= MANY_ROWS or not growth.fits(scale):
            return self._from_events(scale, start, stop)
        return self._preview(scale, growth)

    def _preview(self, scale: Scale, growth: Growth) -> Tile:
        others = [other for other in self._growths.values() if other.row > growth.row and other.fits(scale)]
        if not others:
            return growth.pyramid.tile(scale)._replace(exact=False)
        best = max(others, key=lambda other: (other.row, other.asked))
        return rebinned(best.pyramid, scale)

    def _from_events(self, scale: Scale, start: int, stop: int) -> Tile:
        row, seed = self._before(start)
        # one event more: it ends the last column
        return drawn(scale, itertools.chain([seed.columns()], self._source.chunks(row, stop + 1)))

    def raster(self, scale: Scale, start_ns: int) -> tuple[Raster, int]:
        """Raster of everything that came so far, of which columns that begin at or after ``start_ns`` are exact.

        Returns
        -------
        (raster, row)
            Feed it on with events from ``row`` on.
        """
        self.follow()
        source = self._source
        length = len(source)
        begin = source.row_at(start_ns)
        row, seed = max(self._before(begin), self._nearest(begin), key=itemgetter(0))
        raster = Raster(scale)
        raster.feed(seed.columns())
        if begin - row > CHECKPOINT_ROWS:  # nothing is built yet: what was read is not to be read again
            for chunk in source.chunks(row, begin):
                raster.feed(chunk)
            self._near = (source, begin, Seed.of(raster.levels, raster.last_ts))
            row = begin
        for chunk in source.chunks(row, length):
            raster.feed(chunk)
        return raster, length

    def _before(self, row: int) -> tuple[int, Seed]:
        """Latest row at or before ``row`` whose book is known: from what was built, or from the recording's own index."""
        built = self._checkpoints.before(row)
        if row - built[0] <= CHECKPOINT_ROWS:
            return built
        stored: Callable[[int], tuple[int, Seed] | None] = getattr(
            self._capture, "seed_before", lambda row: None
        )
        return max(built, stored(row) or built, key=itemgetter(0))

    def _nearest(self, begin: int) -> tuple[int, Seed]:
        """Book that the last raster began with, if it serves one that begins before row ``begin``."""
        source, row, seed = self._near
        return (row, seed) if source is self._source and row <= begin else (0, NOTHING)

    def trades(self, scale: Scale, min_lots: float = 0.0) -> npt.NDArray[np.float32]:
        """Bubble cells of the trades in the same piece, at most 40,000.

        Parameters
        ----------
        scale : Scale
        min_lots : float, lots
            Leave out single prints below.

        Returns
        -------
        float32, shape (n, 4)
            As :func:`workbench.views.prints.bubbles` gives them, those outside the rows left out.
        """
        span = (scale.start_ns(0), scale.start_ns(scale.columns))
        return cells(trade_chunks(self._capture, *span, MANY_ROWS), scale, min_lots)

    def knows_trades(self, scale: Scale) -> bool:
        """Whether :meth:`trades` gives them all: a long recording may still be read."""
        return trades_known(self._capture, scale.start_ns(0), scale.start_ns(scale.columns), MANY_ROWS)
