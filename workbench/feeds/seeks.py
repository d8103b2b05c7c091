"""The mark of a seek: where in a stream another time begins.

A recording that is replayed may hold clocks that were set back and ``CLEAR`` rows of its own reconnects, so neither
of them says that somebody went to another time. Whoever drives a source therefore marks the ``CLEAR`` with which
the answer to a seek begins, and takes the mark off every other.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from workbench.events import COLUMN_NAMES, Array, EventBatch, EventKind

SOUGHT: Final = 1
"""``order_id`` of the ``CLEAR`` row of a seek: what came before is not continued."""

_CLEAR: Final = bytes([EventKind.CLEAR])
_ORDER_ID: Final = COLUMN_NAMES.index("order_id")


class SeekMarks:
    """Marks the first row after a seek, of each instrument."""

    def __init__(self) -> None:
        self._sought: set[str] = set()

    def expect(self, symbols: Iterable[str]) -> None:
        """The source was sent to another time: its next batch of each of these begins there."""
        self._sought.update(symbols)

    def mark(self, symbol: str, batch: EventBatch) -> EventBatch:
        """Return the batch with a mark where a seek says so, and nowhere else; unchanged ones are not copied."""
        if not len(batch):
            return batch
        begins = symbol in self._sought
        self._sought.discard(symbol)
        if not _has_clear(batch):
            return batch
        marks = np.where(batch.kind == EventKind.CLEAR, 0, batch.order_id)
        if begins and batch.kind[0] == EventKind.CLEAR:
            marks[0] = SOUGHT
        return batch if np.array_equal(marks, batch.order_id) else _with_order_ids(batch, marks)


def seek_row(batch: EventBatch) -> int | None:
    """Row of the last ``CLEAR`` that a seek put there; what stands before it is not continued."""
    if not _has_clear(batch):
        return None
    rows = np.flatnonzero((batch.kind == EventKind.CLEAR) & (batch.order_id == SOUGHT))
    return int(rows[-1]) if len(rows) else None


def _has_clear(batch: EventBatch) -> bool:
    return _CLEAR in batch.kind.tobytes()


def _with_order_ids(batch: EventBatch, order_ids: Array) -> EventBatch:
    columns = (*batch.columns[:_ORDER_ID], order_ids, *batch.columns[_ORDER_ID + 1 :])
    return EventBatch.trusted(columns, batch.first_sequence)
