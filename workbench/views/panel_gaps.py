"""When events were missing: from a gap to the end of the next snapshot, so that panels can mask it."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.events import EventKind
from workbench.views.live import Captured

_SNAPSHOT_END = int(EventKind.SNAPSHOT_END)
_GAP = int(EventKind.GAP)


class Gaps:
    """Stretches of time of one capture in which events are missing.

    Parameters
    ----------
    capture : Captured
        Its ``gap_rows``, or the times of its ``gaps``, are the gaps; one that has neither has no gaps.

    Notes
    -----
    A source that never knew a book has gaps of no length: nothing tells when it is whole again, for it always is.
    """

    def __init__(self, capture: Captured):
        self._capture = capture
        self._columns: object = None
        self._seen = 0
        self._open_row: int | None = None
        self._found: list[list[float | None]] = []
        self.count = 0

    @property
    def intervals(self) -> list[list[float | None]]:
        """Begin and end, ms since the epoch; the end is None while events are still missing."""
        return [list(pair) for pair in self._found]

    def follow(self) -> bool:
        """Look at what came; whether the capture has forgotten everything since, after a seek."""
        columns = self._capture.columns
        sought = self._columns is not None and columns is not self._columns
        if columns is not self._columns:
            self._columns, self._seen, self._open_row, self._found = columns, 0, None, []
            self.count += 1
        self._try_to_close(columns)
        times = gap_times(self._capture, self._seen)
        for ts in times:
            self._begin(ts, columns)
        self._seen += len(times)
        return sought

    def _begin(self, ts: int, columns: Any) -> None:
        if self._open_row is None:
            self._found.append([ts / 1e6, None])
            self._open_row = _gap_row(columns, ts)
            self.count += 1
        self._try_to_close(columns)

    def _try_to_close(self, columns: Any) -> None:
        if self._open_row is None:
            return
        length = len(columns)
        for chunk in columns.chunks(self._open_row, length):
            ends = np.flatnonzero(chunk[2] == _SNAPSHOT_END)
            if len(ends):
                self._close(int(chunk[0][ends[0]]) / 1e6)
                return
        self._open_row = length
        book = self._capture.book
        if book.best_bid is None and book.best_ask is None and self._found[-1][0] is not None:
            self._close(self._found[-1][0])

    def _close(self, end_ms: float) -> None:
        self._found[-1][1] = end_ms
        self._open_row = None
        self.count += 1


def gap_times(capture: Captured, seen: int) -> list[int]:
    """Times of the gaps of a capture after the first ``seen`` ones, ns."""
    rows: Any = getattr(capture, "gap_rows", None)
    if rows is not None:
        return [ts for piece in rows.chunks(seen, len(rows)) for ts in piece[0].tolist()]
    frame: Any = getattr(capture, "gaps", None) if not seen else None
    return [] if frame is None else [int(ts) for ts in frame["ts"].to_physical().to_list()]


def _gap_row(columns: Any, ts: int) -> int:
    """Row of the first gap at or after a moment."""
    row: int = columns.row_at(ts)
    for chunk in columns.chunks(row, len(columns)):
        found = np.flatnonzero(chunk[2] == _GAP)
        if len(found):
            return row + int(found[0])
        row += len(chunk[0])
    return row
