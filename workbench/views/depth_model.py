"""Core of the depth panel: spread, resting size near the touch and its imbalance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from workbench.events import EventBatch, IntArray
from workbench.flow.depth_series import BID, IMBALANCE, LAST, LEAST, MEAN, MOST, SPREAD, DepthSeries
from workbench.views.live import Captured
from workbench.views.panel_buckets import Values

BUCKET_NS: Final = 100_000_000
EVENTS_AT_ONCE: Final = 1 << 16
"""About 4 ms of work."""
_WIDE: Final = (MEAN, LEAST, MOST, LAST)
_SLIM: Final = (MEAN, LAST)


class DepthPanelSeries:
    """Depth of one capture, bucket by bucket.

    Parameters
    ----------
    capture : Captured
    levels : sequence of int
        Cuts, rising.
    version : int
    """

    bucket_ns = BUCKET_NS

    def __init__(self, capture: Captured, levels: Sequence[int], version: int = 0):
        self.version = version
        self.marks: list[dict[str, Any]] = []
        self._capture = capture
        self._levels = tuple(levels)
        self._depth = DepthSeries(self._levels, BUCKET_NS)
        self._lot = float(capture.instrument.lot_size)
        self._row = 0

    @property
    def progress(self) -> int:
        """Events taken in."""
        return self._row

    @property
    def span_ns(self) -> tuple[int, int] | None:
        """Time of the first and of the newest event."""
        return self._depth.span_ns

    def follow(self) -> bool:
        """Take in a bounded number of events."""
        columns = self._capture.columns
        length = len(columns)
        stop = min(length, self._row + EVENTS_AT_ONCE)
        for chunk in columns.chunks(self._row, stop):
            self._depth.apply(EventBatch.trusted(tuple(chunk[:9]), 0))
        self._row = stop
        return stop == length

    def columns(self, column_ns: int, first: int, stop: int) -> tuple[IntArray, Values]:
        """Every column from the first event on; sizes in real units, NaN where the book was not known."""
        span = self.span_ns
        if span is None:
            return np.empty(0, np.int64), np.empty((0, 0))
        begin = max(first, span[0] // column_ns)
        end = max(begin, min(stop, span[1] // column_ns + 1))
        found = self._depth.columns(column_ns, begin, end)
        found[:, BID:] *= self._lot
        wide = [found[:, q, field] for q in (SPREAD, IMBALANCE) for field in _WIDE]
        slim = [found[:, q, field] for q in range(BID, found.shape[1]) for field in _SLIM]
        return np.arange(begin, end), np.ascontiguousarray(np.stack([*wide, *slim], axis=1))

    def fitting(self, column_ns: int) -> int:
        """Whole buckets."""
        return max(1, round(column_ns / BUCKET_NS)) * BUCKET_NS

    def describe(self) -> dict[str, Any]:
        """Return the three panes and their series."""
        spread = {
            "name": "spread",
            "kind": "range",
            "pane": 0,
            "at": _at(0),
            "unit": "ticks",
            "role": "last",
            "style": 0,
        }
        name = f"{self._levels[-1]} levels"
        imbalance = {
            "name": name, "kind": "signed", "pane": 2, "at": _at(4), "unit": "ratio", "role": "accent", "style": 0,
        }  # fmt: skip
        series = [spread, *self._areas("bid", 0), *self._areas("ask", 1), imbalance]
        panes = [
            {"name": "spread, ticks", "zero": True, "weight": 1},
            {"name": "resting size", "zero": True, "mirror": True, "weight": 2.4},
            {"name": "imbalance", "zero": True, "bounds": [-1, 1], "weight": 1},
        ]
        return {"panes": panes, "series": series}

    def _areas(self, side: str, which: int) -> list[dict[str, Any]]:
        """Return the areas of one side, deepest first, so that the nearer ones are drawn over them."""
        n = len(self._levels)
        areas = []
        for k in range(n - 1, -1, -1):
            base = 8 + len(_SLIM) * (which * n + k)
            areas.append(
                {
                    "name": f"{side} {self._levels[k]}", "kind": "area", "pane": 1, "unit": "size", "role": side,
                    "at": {"mean": base, "last": base + 1}, "down": side == "ask", "style": k,
                    "shade": round(0.25 + 0.5 * (1 - k / max(n - 1, 1)) if n > 1 else 0.5, 3),
                }
            )  # fmt: skip
        return areas


def _at(base: int) -> dict[str, int]:
    return {"mean": base, "least": base + 1, "most": base + 2, "last": base + 3}
