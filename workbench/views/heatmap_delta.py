"""What changed since the last message: few of a column's rows do from one update to the next."""

from __future__ import annotations

from typing import Final

import numpy as np

from workbench.events import Array

MOST_CELLS: Final = 1 << 16
"""Places travel as 16 bits; more cells than that are sent as they are."""

__all__ = ["Changes"]


class Changes:
    """Arrays as they were sent last, and what differs in the next ones.

    Notes
    -----
    A sparse array is one of uint16: the places that changed, then their values. The base of a column that was sent
    before is what was sent; the base of a new one is the column before it.
    """

    def __init__(self) -> None:
        self._column: Array | None = None
        self._now: Array | None = None

    def codes(self, codes: Array, full: bool) -> tuple[Array, bool]:
        """Columns, shape (n, rows), of which the first was sent before; returns what to send and if it is sparse."""
        base = None if full or self._column is None else np.vstack([self._column, codes[:-1]])
        self._column = codes[-1:].copy()
        return _sparse(base, codes)

    def now(self, now: Array, full: bool) -> tuple[Array, bool]:
        """Book of this moment, shape (2, rows); returns what to send and if it is sparse."""
        base = None if full else self._now
        self._now = now.copy()
        return _sparse(base, now)


def _sparse(base: Array | None, cells: Array) -> tuple[Array, bool]:
    if base is None or base.shape != cells.shape or cells.size > MOST_CELLS:
        return cells, False
    values = cells.ravel()
    places = np.flatnonzero(values != base.ravel())
    if 2 * len(places) >= values.size:
        return cells, False
    return np.concatenate([places, values[places]]).astype(np.uint16), True
