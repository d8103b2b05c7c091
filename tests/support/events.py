"""Hypothesis strategies for event batches: the one home of random events in the tests."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from workbench.events import COLUMNS, EventBatch, EventKind

_KINDS = [k for k in EventKind if k is not EventKind.GAP]


@st.composite
def batches(draw: st.DrawFn, max_rows: int = 60, gaps: bool = True) -> EventBatch:
    """Batches of arbitrary, not necessarily sensible, events; ``gaps`` allows a skipping gap as last row."""
    rows = draw(st.integers(0, max_rows))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    columns = []
    for column in COLUMNS:
        limits = np.iinfo(column.dtype)
        # Extremes matter more than the middle: half the values are at the borders of the type.
        border = rng.choice(np.array([limits.min, limits.max, 0, 1], dtype=column.dtype), rows)
        middle = rng.integers(limits.min, limits.max, rows, dtype=column.dtype, endpoint=True)
        columns.append(np.where(rng.random(rows) < 0.5, border, middle).astype(column.dtype))
    columns[2] = rng.choice(np.array(_KINDS, dtype=np.uint8), rows).astype(np.uint8)
    if gaps and rows and draw(st.booleans()):
        columns[2][-1] = EventKind.GAP
        columns[5][-1] = draw(st.sampled_from([-1, 1, 2, 1000]))
    return EventBatch(columns, draw(st.integers(0, 2**40)))
