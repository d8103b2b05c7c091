"""Columns of events as the matching engine takes them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

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


def rows_until(rows: Rows, first: int, ts: int) -> tuple[Rows, int]:
    """Rows from one on, up to a time; and the row behind them."""
    stop = int(np.searchsorted(rows.ts, ts, side="right"))
    return Rows(*(column[first:stop] for column in rows)), stop
