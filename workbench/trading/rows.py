"""Columns of events as the matching engine takes them."""

from __future__ import annotations

from typing import NamedTuple

from workbench.book.jit import aligned
from workbench.events import Array, EventBatch


class Rows(NamedTuple):
    """Rows of a stream, in time order."""

    ts: Array
    kind: Array
    side: Array
    price: Array
    size: Array
    flags: Array
    order_id: Array

    @staticmethod
    def of(batch: EventBatch) -> Rows:
        """The columns of a batch."""
        ts, _, kind, side, price, size, order_id, _, flags = (aligned(column) for column in batch.columns)
        return Rows(ts, kind, side, price, size, flags, order_id)
