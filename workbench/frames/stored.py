"""The events of a recording as columns, read from disk where somebody looks and forgotten again."""

from __future__ import annotations

import bisect
import itertools
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from workbench.events import Array
from workbench.frames.parquet import RowGroup, group_columns

CACHED_ROWS: Final = 1 << 20
"""Decoded rows that are kept for the next look: four row groups of ours, 85 MB."""


class StoredColumns:
    """Events in row groups on disk, with the face of :class:`~workbench.frames.live.LiveColumns`.

    Parameters
    ----------
    groups : sequence of RowGroup
        In stream order.
    cached_rows : int
        Decoded rows to keep, at least the row group that was read last.

    Notes
    -----
    Any thread may read. Pieces are shared and must not be written to.
    """

    def __init__(self, groups: Sequence[RowGroup], cached_rows: int = CACHED_ROWS):
        self._groups = tuple(groups)
        self._starts = [0, *itertools.accumulate(group.rows for group in self._groups)]
        # A clock may be set back: an event counts as late as the latest one before it.
        self._reached = list(itertools.accumulate((group.last_ts for group in self._groups), max))
        self._cached_rows = cached_rows
        self._cache: OrderedDict[int, tuple[Array, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self._starts[-1]

    def __repr__(self) -> str:
        return f"StoredColumns({len(self):,} rows, {len(self._groups):,} row groups)"

    @property
    def first_row(self) -> int:
        """Number of the oldest row: nothing is forgotten on disk."""
        return 0

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[Array, ...]]:
        """Rows ``start`` to ``stop`` as pieces: the event columns, then ``sequence``.

        Raises
        ------
        DamagedError
            A page fails its checksum, or cannot be unpacked.
        """
        stop = len(self) if stop is None else min(stop, len(self))
        start = max(start, 0)
        while start < stop:
            number = bisect.bisect_right(self._starts, start) - 1
            begin = self._starts[number]
            end = min(stop, self._starts[number + 1])
            yield tuple(array[start - begin : end - begin] for array in self._decoded(number))
            start = end

    def row_at(self, ts_ns: int) -> int:
        """First row with ``ts`` ≥ ``ts_ns``; the length when there is none."""
        number = bisect.bisect_left(self._reached, ts_ns)
        if number == len(self._groups):
            return len(self)
        if ts_ns <= self._groups[number].first_ts:
            return self._starts[number]
        return self._starts[number] + int(np.argmax(self._decoded(number)[0] >= ts_ns))

    def _decoded(self, number: int) -> tuple[Array, ...]:
        with self._lock:
            if number in self._cache:
                self._cache.move_to_end(number)
                return self._cache[number]
        columns = group_columns(self._groups[number])  # the lock not held: others read on meanwhile
        with self._lock:
            self._cache[number] = columns
            while len(self._cache) > 1 and self._held() > self._cached_rows:
                self._cache.popitem(last=False)
        return columns

    def _held(self) -> int:
        return sum(len(columns[0]) for columns in self._cache.values())
