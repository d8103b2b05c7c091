"""Append-only columns in memory: one writer, any number of readers, nothing a reader holds ever moves."""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.events import COLUMNS, Array, EventBatch, IntArray, polars_schema

if TYPE_CHECKING:
    import polars as pl

FIRST_CHUNK_ROWS: Final = 4_096
CHUNK_ROWS: Final = 262_144
_DTYPES: Final = (*(column.dtype for column in COLUMNS), np.dtype("<i8"))


class LiveColumns:
    """Events in chunks of columns that are written once and never moved, copied or changed.

    Parameters
    ----------
    keep_rows : int, optional
        Forget whole chunks of the oldest rows beyond this many; row numbers stay what they were. Default: keep all.

    Notes
    -----
    Rows are numbered from 0 in order of arrival; sequence numbers are a column beside them. The length is raised
    after the columns are written, so a reader without a lock sees whole rows only. A view inside one chunk shares its
    memory; a view over several chunks is joined (copied) once.
    """

    def __init__(self, keep_rows: int | None = None):
        self.keep_rows = keep_rows
        self._starts: list[int] = []
        self._chunks: list[tuple[Array, ...]] = []
        self._room = 0
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def __repr__(self) -> str:
        return f"LiveColumns({self._length:,} rows)"

    @property
    def first_row(self) -> int:
        """Number of the oldest row still kept."""
        return self._starts[0] if self._starts else 0

    @property
    def nbytes(self) -> int:
        """Memory reserved by the chunks, in bytes."""
        return sum(array.nbytes for chunk in self._chunks for array in chunk)

    def append(self, batch: EventBatch) -> None:
        """Append a batch; columns are copied into the chunk once."""
        first, columns = batch.first_sequence, batch.columns
        count = len(columns[0])
        if not 0 < count <= self._room:
            self.append_columns(columns, np.arange(first, first + count))
            return
        # The usual small batch, at the cost of its ten copies.
        start, chunk = self._length - self._starts[-1], self._chunks[-1]
        rows = slice(start, start + count)
        for target, values in zip(chunk, columns):
            target[rows] = values
        chunk[-1][rows] = np.arange(first, first + count)
        self._room -= count
        self._length += count

    def append_columns(self, columns: tuple[Array, ...], sequence: IntArray) -> None:
        """Append rows that carry their sequence numbers, consecutive or not."""
        done, count = 0, len(sequence)
        while done < count:
            if not self._room:
                self._add_chunk()
            take = min(self._room, count - done)
            start = self._length - self._starts[-1]
            chunk = self._chunks[-1]
            for target, values in zip(chunk, columns):
                target[start : start + take] = values[done : done + take]
            chunk[-1][start : start + take] = sequence[done : done + take]
            self._room -= take
            self._length += take
            done += take

    def _add_chunk(self) -> None:
        rows = min(CHUNK_ROWS, max(FIRST_CHUNK_ROWS, self._length))
        self._starts.append(self._length)
        self._chunks.append(tuple(np.empty(rows, dtype) for dtype in _DTYPES))
        self._room = rows
        if self.keep_rows is not None:
            self._forget(self._length - self.keep_rows)

    def _forget(self, row: int) -> None:
        gone = bisect.bisect_right(self._starts, row) - 1
        if gone > 0:
            self._starts = self._starts[gone:]
            self._chunks = self._chunks[gone:]

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[Array, ...]]:
        """Rows ``start`` to ``stop`` as pieces that share memory: the event columns, then ``sequence``."""
        starts, chunks = self._starts, self._chunks
        stop = self._length if stop is None else min(stop, self._length)
        start = max(start, starts[0] if starts else 0)
        index = max(bisect.bisect_right(starts, start) - 1, 0)
        while start < stop:
            offset = start - starts[index]
            end = min(stop - starts[index], len(chunks[index][0]))
            yield tuple(array[offset:end] for array in chunks[index])
            start = starts[index] + end
            index += 1

    def view(self, start: int = 0, stop: int | None = None) -> tuple[Array, ...]:
        """Columns of rows ``start`` to ``stop`` in the order of :data:`~workbench.events.COLUMNS`.

        Parameters
        ----------
        start, stop : int
            Row numbers; clamped to what is there.

        Returns
        -------
        tuple of ndarray
            Shares memory when the rows lie in one chunk.
        """
        return self._joined(start, stop)[:-1]

    def sequence(self, start: int = 0, stop: int | None = None) -> IntArray:
        """Sequence numbers of rows ``start`` to ``stop``, int64."""
        pieces = [piece[-1] for piece in self.chunks(start, stop)]
        return pieces[0] if len(pieces) == 1 else np.concatenate([np.empty(0, np.int64), *pieces])

    def _joined(self, start: int, stop: int | None) -> tuple[Array, ...]:
        pieces = list(self.chunks(start, stop))
        if len(pieces) == 1:
            return pieces[0]
        if not pieces:
            return tuple(np.empty(0, dtype) for dtype in _DTYPES)
        return tuple(np.concatenate(arrays) for arrays in zip(*pieces))

    def take(self) -> list[tuple[IntArray, tuple[Array, ...]]]:
        """Hand over all rows as (sequence, columns) pieces and be empty; the largest chunk is written again.

        Notes
        -----
        For one owner without readers: the pieces are valid until the next append.
        """
        pieces = [(piece[-1], piece[:-1]) for piece in self.chunks()]
        self._chunks = self._chunks[-1:]
        self._room = len(self._chunks[0][0]) if self._chunks else 0
        self._starts = [0] * len(self._chunks)
        self._length = 0
        return pieces

    def row_at(self, ts_ns: int) -> int:
        """First row with ``ts`` ≥ ``ts_ns``; the length when there is none."""
        length, starts, chunks = self._length, self._starts, self._chunks
        for index in range(len(starts) - 1, -1, -1):
            times = chunks[index][0][: length - starts[index]]
            if len(times) and (times[0] < ts_ns or index == 0):
                return starts[index] + int(np.searchsorted(times, ts_ns))
        return length if not length else self.first_row

    def frame(self, start: int = 0, stop: int | None = None) -> pl.DataFrame:
        """Polars frame of rows ``start`` to ``stop``, sharing memory with the chunks."""
        import polars as pl

        frames = [_frame(piece) for piece in self.chunks(start, stop)]
        if not frames:
            return pl.DataFrame(schema=polars_schema())
        return frames[0] if len(frames) == 1 else pl.concat(frames, rechunk=False)


def _frame(piece: tuple[Array, ...]) -> pl.DataFrame:
    import polars as pl

    from workbench.frames.arrow import record_batch

    frame = pl.from_arrow(record_batch(piece[:-1], piece[-1]), rechunk=False)
    assert isinstance(frame, pl.DataFrame)
    return frame
