"""VWAP and its deviation as the heatmap draws them: followed as events come, one point for each span of time."""

from __future__ import annotations

from typing import Final

import numpy as np

from workbench.events import Array, EventBatch, EventKind, IntArray
from workbench.flow.prints import prints_of_batch
from workbench.flow.vwap import Vwap
from workbench.views.live import Captured
from workbench.views.mark_sets import Points

BUCKET_NS: Final = 250_000_000
MOST_POINTS: Final = 4_000
ROWS_AT_ONCE: Final = 200_000
"""Rows looked at per call: some 10 ms also where they come from disk."""


class VwapLine:
    """VWAP from an anchor on, in ticks, thinned to at most 4,000 points.

    Parameters
    ----------
    capture : Captured
    anchor_ns : int, ns since the epoch
        Trades before it do not count; 0: all.
    """

    def __init__(self, capture: Captured, anchor_ns: int = 0):
        self.anchor_ns = anchor_ns
        self._capture = capture
        self._restart()

    def _restart(self) -> None:
        self._source: object = self._capture.columns
        self._vwap = Vwap(self._capture.instrument)
        self._bucket_ns = BUCKET_NS
        self._row = self._capture.columns.row_at(self.anchor_ns) if self.anchor_ns else 0
        self._table = np.empty((MOST_POINTS + 1, 3), np.float64)  # span, VWAP, sigma in real units
        self._count = 0

    def follow(self, rows: int = ROWS_AT_ONCE) -> bool:
        """Take in what came, at most ``rows`` events of it; whether that is all there is."""
        columns = self._capture.columns
        if columns is not self._source:  # the session forgot everything, after a seek
            self._restart()
            columns = self._capture.columns
        length = len(columns)
        stop = min(length, self._row + rows)
        for piece in columns.chunks(self._row, stop):
            self._take(piece)
        self._row = stop
        return stop == length

    def _take(self, piece: tuple[IntArray, ...]) -> None:
        mask = (piece[2] == EventKind.TRADE) & (piece[5] > 0) & (piece[0] >= self.anchor_ns)
        if not mask.any():
            return
        prints = prints_of_batch(EventBatch.trusted(tuple(column[mask] for column in piece[:9]), 0))
        values, sigmas = self._vwap.update(prints)
        if not len(values):
            return
        bucket = prints.ts // BUCKET_NS
        last = np.append(bucket[1:] != bucket[:-1], True)
        for point in np.column_stack([bucket[last], values[last], sigmas[last]]):
            self._put(point)

    def _put(self, point: Array) -> None:
        span = point[0] // (self._bucket_ns // BUCKET_NS)
        if not self._count or self._table[self._count - 1, 0] < span:
            self._count += 1
        self._table[self._count - 1] = span, point[1], point[2]
        if self._count > MOST_POINTS:
            self._coarsen()

    def _coarsen(self) -> None:
        """Double the spans: the last point of two neighbours stands for both."""
        self._bucket_ns *= 2
        spans = self._table[: self._count, 0] // 2
        kept = self._table[: self._count][np.append(spans[1:] != spans[:-1], True)]
        self._count = len(kept)
        self._table[: self._count] = kept
        self._table[: self._count, 0] //= 2

    @property
    def points(self) -> Points:
        """End of each span in ms; VWAP and sigma in ticks, shape (n, 2)."""
        tick = float(self._capture.instrument.tick_size)
        table = self._table[: self._count]
        return Points((table[:, 0] + 1) * (self._bucket_ns / 1e6), table[:, 1:] / tick)
