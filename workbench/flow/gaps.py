"""Where a stream breaks: formulas over trades begin anew behind a GAP or CLEAR."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from workbench.events import EventBatch, EventKind

__all__ = ["unbroken"]


def unbroken(batch: EventBatch) -> Iterator[tuple[bool, EventBatch]]:
    """Cut a batch at each GAP and CLEAR.

    Parameters
    ----------
    batch : EventBatch

    Yields
    ------
    broken : bool
        Whether something was lost before the piece.
    piece : EventBatch
        Rows up to the next break; begins with the row that broke the stream.
    """
    kind = batch.kind
    rows = np.flatnonzero((kind == EventKind.GAP) | (kind == EventKind.CLEAR)).tolist()
    if not rows:
        yield False, batch
        return
    if rows[0]:
        yield False, batch[: rows[0]]
    for start, stop in zip(rows, [*rows[1:], len(batch)]):
        yield True, batch[start:stop]
