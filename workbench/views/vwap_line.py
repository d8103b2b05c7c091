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
        self._spans = np.empty(MOST_POINTS + 1, np.float64)
        self._ticks = np.empty((MOST_POINTS + 1, 2), np.float64)  # VWAP, sigma
        self._count = 0
        self._points: Points | None = None

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
        ticks = np.column_stack([values[last], sigmas[last]]) / float(self._capture.instrument.tick_size)
        for span, point in zip(bucket[last].tolist(), ticks):
            self._put(span // (self._bucket_ns // BUCKET_NS), point)
        self._points = None

    def _put(self, span: int, point: Array) -> None:
        if not self._count or self._spans[self._count - 1] < span:
            self._count += 1
            self._spans[self._count - 1] = span
        self._ticks[self._count - 1] = point
        if self._count > MOST_POINTS:
            self._coarsen()

    def _coarsen(self) -> None:
        """Double the spans: the last point of two neighbours stands for both."""
        self._bucket_ns *= 2
        spans = self._spans[: self._count] // 2
        last = np.append(spans[1:] != spans[:-1], True)
        self._spans[: last.sum()], self._ticks[: last.sum()] = spans[last], self._ticks[: self._count][last]
        self._count = int(last.sum())

    @property
    def points(self) -> Points:
        """End of each span in ms; VWAP and sigma in ticks, shape (n, 2)."""
        if self._points is None:
            ms = (self._spans[: self._count] + 1) * (self._bucket_ns / 1e6)
            self._points = Points(ms, self._ticks[: self._count].copy())
        return self._points
