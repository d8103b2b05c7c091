"""Events of whatever holds some, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workbench.errors import WorkbenchError
from workbench.events import EventBatch

__all__ = ["event_batches"]


def event_batches(x: Any) -> Iterator[EventBatch]:
    """Events of a recording, of what a session has captured so far, or of anything with ``batches()``."""
    batches = getattr(x, "batches", None)
    if callable(batches):
        yield from batches()
        return
    if not callable(getattr(x, "capture", None)):
        raise WorkbenchError(
            f"events of {x!r:.60}",
            expected="a session, a recording, or anything with batches()",
            code="bad_source",
        )
    for chunk in x.capture().columns.chunks():
        yield EventBatch.trusted(tuple(chunk[:9]), int(chunk[-1][0]))
