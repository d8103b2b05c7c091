"""Events of whatever holds some, batch by batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Any

import numpy as np

from workbench.errors import WorkbenchError
from workbench.events import EventBatch, Instrument

__all__ = ["captured_batches", "event_batches", "instrument_of", "joined_rows"]


def event_batches(x: Any) -> Iterator[EventBatch]:
    """Events of a recording, of what a session has captured so far, or of anything with ``batches()``."""
    batches = getattr(x, "batches", None)
    if callable(batches):
        yield from batches()
        return
    if not callable(getattr(x, "capture", None)):
        raise _no_source(x)
    yield from captured_batches(x.capture())


def captured_batches(capture: Any) -> Iterator[EventBatch]:
    """Events that were captured so far, in columns as they lie in memory."""
    for chunk in capture.columns.chunks():
        yield EventBatch.trusted(tuple(chunk[:9]), int(chunk[-1][0]))


def joined_rows(batches: Iterable[EventBatch]) -> EventBatch:
    """All rows of batches that follow each other, with or without holes, as one batch.

    Parameters
    ----------
    batches : iterable of EventBatch
        In order.

    Returns
    -------
    EventBatch
        Numbered from the first row on without holes. Where some were lost the row that says so (GAP) stands, and the book
        is not known until it is told anew.

    See Also
    --------
    EventBatch.concatenate : Keeps the numbers, and so takes no holes.
    """
    parts = [batch for batch in batches if len(batch)]
    if len(parts) < 2:
        return parts[0] if parts else EventBatch.empty()
    columns = tuple(np.concatenate(pieces) for pieces in zip(*(part.columns for part in parts)))
    return EventBatch.trusted(columns, parts[0].first_sequence)


def instrument_of(x: Any) -> Instrument:
    """The instrument that a session or recording is about.

    Raises
    ------
    WorkbenchError
        It is neither (code ``bad_source``).
    """
    found = getattr(x, "instrument", None)
    if not isinstance(found, Instrument):
        raise _no_source(x)
    return found


def _no_source(x: Any) -> WorkbenchError:
    is_path = isinstance(x, str | PurePath)
    return WorkbenchError(
        f"events of {x!r:.60}",
        expected="a session, a recording, or anything with batches() and an instrument",
        action="Open it first: wb.open_recording(path)" if is_path else "",
        code="bad_source",
    )
