"""A stretch of a session or recording as events of its own, with the books as they were where it begins."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import cached_property
from typing import Any, Final

from workbench.errors import WorkbenchError
from workbench.events import EventBatch, Instrument
from workbench.feeds.times import Duration, Moment, duration_ns, moment_ns, moment_text
from workbench.flow.batches import instrument_of
from workbench.frames.book_index import Books
from workbench.frames.moments import check_span
from workbench.frames.recording import Recording

__all__ = ["Excerpt", "Window", "span_of"]

Window = Duration | tuple[Moment | None, Moment | None]
"""The last ``"30m"``, or start and end, each a moment, a duration after the first event, or None for no bound."""

_EVENT_COLUMNS: Final = 9


class Excerpt:
    """Events of a stretch of time, as they are now, whatever comes later.

    Parameters
    ----------
    x : session, recording or capture
    window : str, timedelta or (start, end), optional
        See :data:`Window`; the start belongs to it, the end does not. Default: everything so far.

    Attributes
    ----------
    instrument : Instrument
    count : int
        Number of events within.
    ends : bool
        Whether the window has an end, so that what comes later never belongs to it.

    Raises
    ------
    WorkbenchError
        No such window, or nothing within (code ``empty_window``).

    Notes
    -----
    Its events begin with rows that rebuild both books, numbered so that the last of them stands right before the first
    event within. What signals and detectors remember beyond the books begins there.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("20s")
    >>> late = Excerpt(s, ("10s", None))
    >>> 0 < late.count < Excerpt(s).count
    True
    """

    def __init__(self, x: Any, window: Window | None = None):
        self._recording = x if isinstance(x, Recording) else None
        capture = getattr(x, "capture", x)
        capture = capture() if callable(capture) else capture
        self.instrument: Instrument = instrument_of(capture)
        self._columns: Any = capture.columns() if isinstance(x, Recording) else capture.columns
        self._start_ns, end_ns = (None, None) if window is None else span_of(self._columns, window)
        self.ends = end_ns is not None
        self._first = 0 if self._start_ns is None else self._columns.row_at(self._start_ns)
        self._stop = len(self._columns) if end_ns is None else self._columns.row_at(end_ns)
        self.count = self._stop - self._first
        if window is not None and self.count <= 0:
            raise WorkbenchError(
                f"no events within {window!r:.120}",
                expected=f"a part of {_extent(self._columns)}",
                code="empty_window",
            )

    @property
    def span_ns(self) -> tuple[int, int]:
        """Times of the first and the last event within, ns since the epoch; zeros where there is none."""
        return _ends(self._columns, self._first, self._stop)

    def batches(self) -> Iterator[EventBatch]:
        """The books at the start, then the events, in order."""
        opening = self._opening
        for chunk in self._columns.chunks(self._first, self._stop):
            batch = EventBatch.trusted(tuple(chunk[:_EVENT_COLUMNS]), int(chunk[-1][0]))
            if opening is not None:
                yield EventBatch.trusted(opening.columns, batch.first_sequence - len(opening))
                opening = None
            yield batch

    @cached_property
    def _opening(self) -> EventBatch | None:
        if self._start_ns is None or self._first == 0:
            return None
        before = self._start_ns - 1
        if self._recording is not None:
            return self._recording.snapshot_at(before)
        books = Books()
        for chunk in self._columns.chunks(0, self._first):
            books.apply(EventBatch.trusted(tuple(chunk[:_EVENT_COLUMNS]), int(chunk[-1][0])))
        return books.snapshot(before)


def span_of(columns: Any, window: Window) -> tuple[int | None, int | None]:
    """Start and end of a window on a store of events, ns since the epoch; None: no bound.

    Raises
    ------
    WorkbenchError
        Neither a duration nor a pair of moments, or an end before its start.
    """
    if isinstance(window, tuple | list):
        if len(window) != 2:
            raise WorkbenchError(
                f"window {window!r:.80}", expected="start and end, or a duration", code="bad_window"
            )
        origin, _ = _ends(columns)
        start, end = (None if moment is None else moment_ns(moment, origin) for moment in window)
        check_span(start, end)
        return start, end
    if not isinstance(window, str | timedelta):
        raise WorkbenchError(
            f"window {window!r:.80}", expected="a duration like '30m', or start and end", code="bad_window"
        )
    return _ends(columns)[1] - duration_ns(window), None


def _ends(columns: Any, first: int = 0, stop: int | None = None) -> tuple[int, int]:
    """Times of the first and the last of some rows, ns; zeros where there is none."""
    stop = len(columns) if stop is None else stop
    for begin in columns.chunks(first, stop):
        (end,) = columns.chunks(stop - 1, stop)
        return int(begin[0][0]), int(end[0][0])
    return 0, 0


def _extent(columns: Any) -> str:
    if not len(columns):
        return "a session with events: it has none yet"
    first, last = _ends(columns)
    return f"{moment_text(first)} – {moment_text(last)}"
