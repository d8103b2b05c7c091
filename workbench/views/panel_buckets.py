"""Values over time, kept in small buckets and merged into columns of any size: what lets a panel zoom.

A bucket holds for each number what the panel needs of it (its first, least, most, last, sum), so columns of any multiple
of a bucket follow from buckets alone, whatever the number of events behind them. Buckets in which nothing came are not
kept. Old buckets are put together ten by ten, so that days cost little memory.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from numba import types

from workbench.book.jit import I8_COLUMN, kernel
from workbench.events import Array, IntArray

__all__ = ["FIRST", "LAST", "LEAST", "MOST", "SUM", "Buckets", "Values"]

Values = npt.NDArray[np.float64]
FIRST, LEAST, MOST, LAST, SUM = range(5)
_FIRST_ROOM: Final = 1024
KEPT_BUCKETS: Final = 36_000
"""Newest buckets that stay as they are, an hour of 100 ms; tenfold ones stay for tenfold the time, and so on."""
TIERS: Final = 3
_READ_2D = types.Array(types.float64, 2, "C", readonly=True)


@kernel(
    types.int64(
        I8_COLUMN, _READ_2D, I8_COLUMN, I8_COLUMN, *[types.int64] * 2, types.int64[::1], types.float64[:, ::1]
    )
)
def _gather(
    ts: Array,
    values: Array,
    source: Array,
    rule: Array,
    bucket_ns: int,
    count: int,
    buckets: Array,
    rows: Array,
) -> int:
    """Merge values into buckets from the last of ``count`` on; return the new number of buckets."""
    for i in range(len(ts)):
        bucket = ts[i] // bucket_ns
        if count == 0 or bucket > buckets[count - 1]:  # a clock set back adds to the newest bucket
            buckets[count] = bucket
            rows[count] = np.nan
            count += 1
        row = rows[count - 1]
        for j in range(len(source)):
            value = values[i, source[j]]
            if value != value:
                continue
            known = row[j] == row[j]
            if not known:
                row[j] = value
            elif rule[j] == LEAST:
                row[j] = min(row[j], value)
            elif rule[j] == MOST:
                row[j] = max(row[j], value)
            elif rule[j] == LAST:
                row[j] = value
            elif rule[j] == SUM:
                row[j] += value
    return count


class Buckets:
    """Columns of numbers over time.

    Parameters
    ----------
    bucket_ns : int, ns
    plan : sequence of (int, int)
        For each number kept: which of the values fed it is made of, and by which rule (:data:`FIRST` …).
    unit_ns : int, ns, optional
        Old buckets are put together to multiples of this, a multiple of ``bucket_ns``, so that columns of that time
        stay exact.
    """

    def __init__(self, bucket_ns: int, plan: Sequence[tuple[int, int]], unit_ns: int | None = None):
        self._widths = [
            math.lcm(10**tier, (unit_ns or bucket_ns) // bucket_ns) for tier in range(1, TIERS + 1)
        ]
        self.bucket_ns = bucket_ns
        self._source = np.array([source for source, _ in plan], np.int64)
        self._rule = np.array([rule for _, rule in plan], np.int64)
        self._count = 0
        self._coarsen_at = 2 * KEPT_BUCKETS
        self._buckets = np.zeros(_FIRST_ROOM, np.int64)
        self._rows = np.zeros((_FIRST_ROOM, len(plan)))

    def __len__(self) -> int:
        return self._count

    @property
    def width(self) -> int:
        """How many numbers a bucket keeps."""
        return len(self._rule)

    @property
    def first_ns(self) -> int:
        """Begin of the first bucket, ns."""
        return int(self._buckets[0]) * self.bucket_ns

    @property
    def last_ns(self) -> int:
        """Begin of the newest bucket, ns."""
        return int(self._buckets[self._count - 1]) * self.bucket_ns

    def feed(self, ts: IntArray, values: Values) -> None:
        """Take in values, shape (n, k), of rising times; NaN counts as no value."""
        if len(ts):
            self._reserve(self._count + min(len(ts), int((ts[-1] - ts[0]) // self.bucket_ns) + 2))
            stamps, numbers = np.ascontiguousarray(ts, np.int64), np.ascontiguousarray(values, np.float64)
            kept = (self._buckets, self._rows)
            self._count = _gather(
                stamps, numbers, self._source, self._rule, self.bucket_ns, self._count, *kept
            )

    def columns(self, column_ns: int, first: int, stop: int) -> tuple[IntArray, Values]:
        """Columns ``first`` to ``stop``, counted from the epoch, that hold anything: numbers and values.

        ``column_ns`` is a multiple of the bucket. Buckets that were put together and are longer than a column, or lie
        in two of them, stand where they begin.
        """
        per = column_ns // self.bucket_ns
        kept = self._buckets[: self._count]
        begin, end = np.searchsorted(kept, [first * per, stop * per])
        rows = self._rows[begin:end]
        room = min(end - begin, max(stop - first, 0))
        numbers, values = np.zeros(room, np.int64), np.zeros((room, self.width))
        identity = np.arange(self.width)
        times = kept[begin:end] * self.bucket_ns
        count = _gather(times, rows, identity, self._rule, column_ns, 0, numbers, values)
        return numbers[:count], values[:count]

    def coarsen(self) -> None:
        """Put old buckets together; each is then what columns of its time would have been.

        It costs something only once in thousands of buckets.
        """
        if self._count < self._coarsen_at:
            return
        newest, kept = int(self._buckets[self._count - 1]), KEPT_BUCKETS
        for width in self._widths:
            self._merge((newest - kept) // width * width, width)
            kept *= 10
        self._coarsen_at = self._count + KEPT_BUCKETS
        self._buckets, self._rows = (
            self._buckets[: self._coarsen_at].copy(),
            self._rows[: self._coarsen_at].copy(),
        )

    def _merge(self, before: int, width: int) -> None:
        """Make the buckets before one, all of whose neighbours of ``width`` buckets are whole, that wide."""
        old = int(np.searchsorted(self._buckets[: self._count], before))
        times, rows = self._buckets[:old].copy(), self._rows[:old].copy()
        merged = _gather(times, rows, np.arange(self.width), self._rule, width, 0, self._buckets, self._rows)
        self._buckets[:merged] *= width
        left = self._count - old
        for kept in (self._buckets, self._rows):
            kept[merged : merged + left] = kept[old : self._count].copy()
        self._count = merged + left

    def _reserve(self, buckets: int) -> None:
        if buckets > len(self._buckets):
            more = max(buckets, 2 * len(self._buckets)) - len(self._buckets)
            self._buckets = np.concatenate([self._buckets, np.zeros(more, np.int64)])
            self._rows = np.concatenate([self._rows, np.zeros((more, self.width))])
