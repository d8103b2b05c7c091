"""The one place where events become states of the best levels: the touch, moment by moment."""

from __future__ import annotations

import numbers
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.book.jit import aligned
from workbench.book.kernels import FAR_ROWS
from workbench.book.levels import RECENTRE_ROWS, LevelBook
from workbench.errors import WorkbenchError
from workbench.events import EventBatch, IntArray
from workbench.flow import touch_kernels as kernels
from workbench.flow.batches import event_batches

MOST_LEVELS: Final = 1000
_PIECE_ROWS: Final = 65_536
_PIECE_CELLS: Final = 1 << 20


class Moments(NamedTuple):
    """States of the best levels, one row for each moment at which they changed; n rows.

    Attributes
    ----------
    ts : int64, ns, shape (n,)
    sequence : int64, shape (n,)
        Number of the moment's last row: from then on the state is known.
    known : bool, shape (n,)
        Whether the book is known to equal the venue's. Where it is not, all levels are missing.
    bid, ask : int64, ticks, shape (n, levels)
        Prices, best first; 0 where a level is missing.
    bid_size, ask_size : int64, lots, shape (n, levels)
        0 where a level is missing.
    """

    ts: IntArray
    sequence: IntArray
    known: npt.NDArray[np.bool_]
    bid: IntArray
    bid_size: IntArray
    ask: IntArray
    ask_size: IntArray

    @property
    def levels(self) -> int:
        """Levels of each side."""
        return int(self.bid.shape[1])

    def part(self, rows: Any) -> Moments:
        """The rows of a slice, mask or array of row numbers."""
        return Moments(*(column[rows] for column in self))

    @staticmethod
    def joined(pieces: Iterable[Moments], levels: int = 1) -> Moments:
        """Put consecutive pieces together."""
        kept = list(pieces) or [_Rows(0, levels).moments(0)]
        return kept[0] if len(kept) == 1 else Moments(*(np.concatenate(c) for c in zip(*kept)))


class _Rows:
    """Room for rows that a kernel writes."""

    def __init__(self, room: int, levels: int):
        self.stamps = np.empty((2, room), np.int64)
        self.known = np.empty(room, np.bool_)
        self.sides = [np.empty((room, levels), np.int64) for _ in range(4)]

    @property
    def arrays(self) -> tuple[Any, ...]:
        return (self.stamps, self.known, *self.sides)

    def moments(self, count: int) -> Moments:
        ts, sequence = self.stamps[:, :count]
        return Moments(ts, sequence, self.known[:count], *(side[:count] for side in self.sides))


class _FollowedBook(LevelBook):
    """The price-level book with its best levels at hand."""

    __slots__ = ("clock", "cur", "last")

    def __init__(self, levels: int):
        super().__init__()
        self.clock = np.zeros(kernels.CLOCK_SLOTS, np.int64)
        self.clock[[kernels.HORIZON_BID, kernels.HORIZON_ASK]] = kernels.NO_HORIZON
        self.cur, self.last = np.zeros((4, levels), np.int64), np.zeros((4, levels), np.int64)

    def walk(self, batch: EventBatch) -> list[Moments]:
        """Apply a batch; the moments that are over by now, in pieces."""
        if not self._pages.size:
            self._place_at_first(batch)
        ts, _, kind, side, price, size = (aligned(column) for column in batch.columns[:6])
        levels, pieces, row = self.cur.shape[1], [], 0
        room = max(2, min(len(ts) + 2, _PIECE_ROWS, _PIECE_CELLS // levels))
        while row < len(ts):
            rows = _Rows(room, levels)
            self.clock[kernels.EMITTED] = 0
            row = kernels.walk(
                batch.first_sequence, ts, kind, side, price, size, row, *self._state_arrays, *rows.arrays
            )
            if self.clock[kernels.EMITTED]:
                pieces.append(rows.moments(int(self.clock[kernels.EMITTED])))
            if row < len(ts) and self.clock[kernels.EMITTED] + 2 <= room:
                self._far = np.concatenate([self._far, np.zeros_like(self._far)], axis=1)
            if self._state[FAR_ROWS] >= RECENTRE_ROWS:
                self._recentre()
        return pieces

    def settle(self) -> Moments:
        """The moment that stands, if it changed anything."""
        rows = _Rows(1, self.cur.shape[1])
        self.clock[kernels.EMITTED] = 0
        if self.clock[kernels.TOUCHED]:
            kernels.settle(*self._state_arrays, *rows.arrays)
        return rows.moments(int(self.clock[kernels.EMITTED]))

    @property
    def _state_arrays(self) -> tuple[Any, ...]:
        return (self._levels, self._pages, self._far, self._state, self.clock, self.cur, self.last)


class TouchStream:
    """States of the best levels from events as they come.

    Parameters
    ----------
    levels : int, optional
        Levels of each side, 1 to 1000.

    Raises
    ------
    WorkbenchError
        ``levels`` out of range.

    Notes
    -----
    A moment is all rows that share one ``ts``: the book between rows of one message never existed at the venue. It is
    over when a row with another ``ts`` comes; until then its state may still change and is not told. Moments that leave
    the best levels as they were are left out. A CLEAR or GAP is told at once, by a row with ``known`` false, even when
    the book is known again within the same moment, so that nothing is ever measured across it. Any cut of the stream
    gives the same rows.

    Examples
    --------
    >>> from workbench.events import EventBatch
    >>> stream = TouchStream()
    >>> opening = EventBatch.of(ts=1, kind=[6, 1, 1, 7], side=[0, 1, -1, 0], price=[0, 100, 101, 0], size=[0, 80, 20, 0])
    >>> len(stream.update(opening).ts)
    0
    >>> moments = stream.update(EventBatch.of(ts=2, kind=[1], side=[1], price=100, size=[70]))
    >>> moments.ts.tolist(), moments.bid.tolist(), moments.bid_size.tolist()
    ([1], [[100]], [[80]])
    >>> stream.close().bid_size.tolist()
    [[70]]
    """

    def __init__(self, levels: int = 1):
        self.levels = checked_levels(levels)
        self._book = _FollowedBook(self.levels)

    def update(self, batch: EventBatch) -> Moments:
        """Take in events in order; the moments that are over by now.

        Parameters
        ----------
        batch : EventBatch
        """
        return Moments.joined(self._book.walk(batch), self.levels)

    def close(self) -> Moments:
        """End the moment that stands and return it, 0 rows or 1."""
        return self._book.settle()


def touches(x: Any, levels: int = 1) -> Moments:
    """States of the best levels of a session or recording; the batch face of :class:`TouchStream`.

    Parameters
    ----------
    x : session or recording
    levels : int, optional
        Levels of each side.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("3s")
    >>> bool((touches(s).bid < touches(s).ask).all())
    True
    """
    stream = TouchStream(levels)
    pieces = [stream.update(batch) for batch in event_batches(x)]
    return Moments.joined([*pieces, stream.close()], levels)


def checked_levels(levels: int) -> int:
    """Refuse a number of levels that makes no sense."""
    whole = isinstance(levels, numbers.Integral)
    if not whole or not 1 <= levels <= MOST_LEVELS:
        raise WorkbenchError(f"levels {levels!r}", expected=f"a whole number from 1 to {MOST_LEVELS}")
    return int(levels)


__all__ = ["Moments", "TouchStream", "checked_levels", "touches"]
