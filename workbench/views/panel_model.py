"""Core of the line panels: which columns the page lacks, at the resolution it shows, and the messages that carry them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol

import numpy as np

from workbench.events import IntArray
from workbench.views.first_look import time_is_up
from workbench.views.live import Message
from workbench.views.panel_buckets import Values
from workbench.views.panel_gaps import Gaps

LIVE_COLUMNS: Final = 2048
"""Columns of a snapshot: twice what a wide page shows at two pixels each."""
TILE_COLUMNS: Final = 6144
MOST_MARKS: Final = 2000
FIRST_COLUMN_NS: Final = 250_000_000
AT_ONCE_NS: Final = 20_000_000
"""Time for taking in what came, per pull: views of one session share a thread."""
FILLING_PULLS: Final = 10
"""Of the pulls that only take in a long past, one in so many is told: a page would draw it over and over."""


class Series(Protocol):
    """What a panel draws: numbers over time that grow at the end."""

    bucket_ns: int
    version: int
    """Changes when the past did: everything is sent again."""

    def follow(self) -> bool:
        """Take in what came, a bounded amount of it; whether nothing is left."""

    @property
    def span_ns(self) -> tuple[int, int] | None:
        """Time of the first and of the newest value, ns."""

    @property
    def progress(self) -> int:
        """A number that grows whenever there is something new."""

    def columns(self, column_ns: int, first: int, stop: int) -> tuple[IntArray, Values]:
        """Columns that hold anything, and their numbers, shape (n, width)."""

    def fitting(self, column_ns: int) -> int:
        """Time of a column nearest to what is wanted, ns."""

    def describe(self) -> dict[str, Any]:
        """How the numbers are drawn: ``panes`` and ``series``, as ``panel_store.js`` reads them."""

    @property
    def marks(self) -> list[dict[str, Any]]:
        """Marks in order of time; only its end changes while the version stays."""


class PanelModel:
    """What was sent of a series, and what comes next.

    Parameters
    ----------
    make_series : function
        Makes the series anew, of the version it is given: after a seek, or when what is shown was changed.
    gaps : Gaps
    version : function
        Number of the version that is to be shown.
    """

    def __init__(self, make_series: Callable[[int], Series], gaps: Gaps, version: Callable[[], int]):
        self._make_series, self._version = make_series, version
        self.series = make_series(version())
        self._gaps = gaps
        self._wanted_ns = FIRST_COLUMN_NS
        self._epoch = 0
        self._sent: tuple[int, int, int] | None = None  # version, column_ns, last column
        self._progress = -1
        self._untold = 0
        self._told = (0, 0)  # marks and gaps sent

    def pull(self, wants: Sequence[dict[str, Any]], full: bool, now_ns: int) -> Message | None:
        """Return what the page lacks; None while nothing is new."""
        self._obey(wants)
        behind = not self._follow_for(AT_ONCE_NS)
        span = self.series.span_ns
        if span is None:
            return None
        column_ns = self.series.fitting(self._wanted_ns)
        last = span[1] // column_ns
        same = self._sent is not None and self._sent[:2] == (self.series.version, column_ns)
        if behind and same and not full and not self._is_time_to_tell():
            return None
        if full or not same or self._sent is None or last - self._sent[2] >= LIVE_COLUMNS:
            return self._snapshot(column_ns, last)
        if self.series.progress == self._progress and self._gaps.count == self._told[1]:
            return None
        return self._news(column_ns, self._sent[2], last)

    def _is_time_to_tell(self) -> bool:
        self._untold = (self._untold + 1) % FILLING_PULLS
        return not self._untold

    def _follow_for(self, ns: int) -> bool:
        """Take in what came, for about so long; whether nothing is left."""
        end = time.monotonic_ns() + ns
        while not (done := self._follow()) and time.monotonic_ns() < end:
            pass
        return done

    def _follow(self) -> bool:
        version = self._version()
        if self._gaps.follow() or version != self.series.version:
            self.series = self._make_series(version)
            self._sent = None
        return self.series.follow()

    def settle(self) -> None:
        """Take in everything there is, however long it takes; on a first look what there is time for."""
        while not self._follow() and not time_is_up():
            pass

    def want(self, column_ns: int) -> None:
        """Ask for columns of about this time."""
        self._wanted_ns = column_ns

    def _obey(self, wants: Sequence[dict[str, Any]]) -> None:
        for want in wants:
            wished = want.get("column_ms")
            if isinstance(wished, int | float) and 1 <= wished <= 1e10:
                self._wanted_ns = round(wished * 1e6)

    def _snapshot(self, column_ns: int, last: int) -> Message:
        self._epoch += 1
        content, arrays = self._piece("snap", column_ns, last - LIVE_COLUMNS + 1, last + 1)
        content |= self.series.describe() | {"marks": self.series.marks[-MOST_MARKS:]}
        self._note(column_ns, last)
        return content | {"gaps": self._gaps.intervals}, arrays

    def _news(self, column_ns: int, first: int, last: int) -> Message:
        content, arrays = self._piece("cols", column_ns, first, last + 1)
        marks, gaps = self._told
        if new := self.series.marks[marks:]:
            content["marks"] = new
        if self._gaps.count != gaps:
            content["gaps"] = self._gaps.intervals
        self._note(column_ns, last)
        return content, arrays

    def _note(self, column_ns: int, last: int) -> None:
        self._sent = (self.series.version, column_ns, last)
        self._progress = self.series.progress
        self._told = (len(self.series.marks), self._gaps.count)

    def _piece(self, kind: str, column_ns: int, first: int, stop: int) -> Message:
        numbers, values = self.series.columns(column_ns, first, stop)
        span = self.series.span_ns or (0, 0)
        content = {
            "k": kind,
            "epoch": self._epoch,
            "column_ms": column_ns / 1e6,
            "width": values.shape[1],
            "version": self.series.version,
            "first_ms": first * column_ns / 1e6,
            "start_ms": span[0] / 1e6,
            "end_ms": span[1] / 1e6,
        }
        return content, [(numbers - first).astype(np.int32), values]

    def tiles(self, look: dict[str, Any]) -> Iterable[Message]:
        """Answer a look at an older range: columns of the wanted time from ``left_ms`` to ``right_ms``."""
        span = self.series.span_ns
        numbers = [look.get(name) for name in ("left_ms", "right_ms", "column_ms")]
        if span is None or not all(isinstance(n, int | float) and abs(n) < 1e14 for n in numbers):
            return
        left, right, column_ms = (float(n) for n in numbers if isinstance(n, int | float))
        column_ns = self.series.fitting(round(min(max(column_ms, 1.0), 1e10) * 1e6))
        first = max(int(left * 1e6), span[0]) // column_ns
        stop = min(min(int(right * 1e6), span[1]) // column_ns + 1, first + TILE_COLUMNS)
        content, arrays = self._piece("tile", column_ns, first, max(stop, first))
        yield content | {"id": look.get("id")}, arrays
