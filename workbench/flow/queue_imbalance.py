"""Queue and depth imbalance: by how much more rests on one side than on the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import polars as pl
from numba import types

from workbench.book.jit import aligned, kernel
from workbench.book.kernels import FAR_ROWS
from workbench.book.levels import RECENTRE_ROWS, LevelBook
from workbench.errors import WorkbenchError
from workbench.events import Array, EventBatch, FloatArray, IntArray
from workbench.flow import range_kernels as ranges
from workbench.flow.batches import event_batches
from workbench.flow.prints import as_times
from workbench.flow.touch import Moments, TouchStream, checked_levels

Levels = int | Literal["all"]
_PIECE_ROWS: Final = 65_536
_SIZES = types.int64[:, ::1]


@kernel(types.void(types.boolean[::1], _SIZES, _SIZES, types.float64[::1], types.float64[::1]))
def _weigh(known: Array, bid_size: Array, ask_size: Array, weights: Array, out: Array) -> None:
    """Write (Σw·qb − Σw·qa) / (Σw·qb + Σw·qa) of each row, NaN where unknown or a side is empty."""
    for row in range(len(out)):
        bids, asks = 0.0, 0.0
        for k in range(len(weights)):
            bids += weights[k] * bid_size[row, k]
            asks += weights[k] * ask_size[row, k]
        both = bid_size[row, 0] > 0 and ask_size[row, 0] > 0 and bids + asks > 0
        out[row] = (bids - asks) / (bids + asks) if known[row] and both else np.nan


def depth_imbalance(moments: Moments, weights: Sequence[float] | FloatArray | None = None) -> FloatArray:
    """Imbalance of states of the best levels, shape (n,); NaN where unknown or a side is empty.

    Parameters
    ----------
    moments : Moments
    weights : sequence of float, optional
        One for each level, best first, ≥ 0. Default: 1.

    Returns
    -------
    array of float64, shape (n,)
        (Σ w·qb − Σ w·qa) / (Σ w·qb + Σ w·qa), from −1 (only asks) to 1 (only bids).
    """
    by_rank = np.ones(moments.levels) if weights is None else np.asarray(weights, np.float64)
    out = np.empty(len(moments.ts))
    known, bid_size, ask_size = (
        np.ascontiguousarray(c) for c in (moments.known, moments.bid_size, moments.ask_size)
    )
    _weigh(known, bid_size, ask_size, by_rank, out)
    return out


class Imbalances(NamedTuple):
    """Imbalance after each moment at which it changed, arrays of shape (n,).

    Attributes
    ----------
    ts : int64, ns
    sequence : int64
        Number of the moment's last row.
    value : float64
        −1 to 1; NaN where the book is not known, a side is empty or nothing rests in the range.
    """

    ts: IntArray
    sequence: IntArray
    value: FloatArray


class _RangedBook(LevelBook):
    """The price-level book with sums over a range of it."""

    __slots__ = ("_rule", "clock")

    def __init__(self, fraction: float, block: int):
        super().__init__()
        self._rule = (fraction, block)
        self.clock = np.zeros(ranges.CLOCK_SLOTS, np.int64)

    def walk(self, batch: EventBatch) -> list[tuple[IntArray, FloatArray]]:
        if not self._pages.size:
            self._place_at_first(batch)
        ts, _, kind, side, price, size = (aligned(column) for column in batch.columns[:6])
        room = max(2, min(len(ts) + 2, _PIECE_ROWS))
        row, first, pieces = 0, batch.first_sequence, []
        while row < len(ts):
            stamps, sums = np.empty((2, room), np.int64), np.empty((room, 2))
            self.clock[ranges.EMITTED] = 0
            book = (self._levels, self._pages, self._far, self._state)
            rest = (*book, self.clock, stamps, sums)
            row = ranges.walk(*self._rule, first, ts, kind, side, price, size, row, *rest)
            count = int(self.clock[ranges.EMITTED])
            pieces.append((stamps[:, :count], sums[:count]))
            if row < len(ts) and count + 2 <= room:
                self._far = np.concatenate([self._far, np.zeros_like(self._far)], axis=1)
            if self._state[FAR_ROWS] >= RECENTRE_ROWS:
                self._recentre()
        return pieces

    def settle(self) -> list[tuple[IntArray, FloatArray]]:
        if not self.clock[ranges.OPEN]:
            return []
        stamps, sums = np.empty((2, 1), np.int64), np.empty((1, 2))
        self.clock[ranges.EMITTED] = 0
        book = (self._levels, self._pages, self._far, self._state)
        ranges.settle(*self._rule, *book, self.clock, stamps, sums)
        return [(stamps, sums)]


class ImbalanceStream:
    """Queue or depth imbalance of a stream of events.

    Parameters
    ----------
    levels : int or "all", optional
        The best so many levels of each side. 1: queue imbalance.
    percent : float, optional
        Instead: all levels at most so many percent of the mid away from it.
    decay : int, optional
        Levels of a block; each block behind the first weighs half of the one before it: w = 2^−⌊k/decay⌋, k = 0 at the
        best price. Bookmap's block is 10.
    weights : sequence of float, optional
        Instead of ``decay``, for ``levels`` levels: one weight ≥ 0 for each, best first.

    Raises
    ------
    WorkbenchError
        Parameters out of range, or two that exclude each other.

    Notes
    -----
    (Σ w·qb − Σ w·qa) / (Σ w·qb + Σ w·qa): signed, −1 to 1. Signed unlike the ratio min/max of some products, and centred
    unlike Stoikov's I' = qb/(qb + qa) = (I + 1)/2. A row comes with each moment (all rows of one ``ts``) that changed
    it. Unknown (NaN) while the book is not, with an empty side, and where nothing rests in the range. A CLEAR or GAP is
    told at once, even if the moment ends with a known book. Any cut of the stream gives the same bits.

    References
    ----------
    M. Gould, J. Bonart, "Queue imbalance as a one-tick-ahead price predictor", arXiv:1512.03492. Ranges and decay as
    Bookmap's "Orderbook Imbalance" has them.

    Examples
    --------
    >>> from workbench.events import EventBatch
    >>> stream = ImbalanceStream()
    >>> opening = EventBatch.of(ts=1, kind=[6, 1, 1, 7], side=[0, 1, -1, 0], price=[0, 100, 101, 0], size=[0, 80, 20, 0])
    >>> len(stream.update(opening).ts), stream.close().value.tolist()
    (0, [0.6])
    """

    def __init__(
        self,
        levels: Levels = 1,
        *,
        percent: float | None = None,
        decay: int | None = None,
        weights: Sequence[float] | None = None,
    ):
        _check(levels, percent, decay, weights)
        self._last = np.full(1, np.nan)
        self._touch: TouchStream | None = None
        self._book: _RangedBook | None = None
        if percent is None and levels != "all":
            self._touch = TouchStream(levels)
            self._weights = _by_rank(checked_levels(levels), decay, weights)
        else:
            self._book = _RangedBook(0.0 if percent is None else percent / 100, decay or 0)

    def update(self, batch: EventBatch) -> Imbalances:
        """Take in events in order; the imbalance of the moments that are over by now, where it changed."""
        if self._touch is not None:
            return self._of_moments(self._touch.update(batch))
        assert self._book is not None
        return self._of_sums(self._book.walk(batch))

    def close(self) -> Imbalances:
        """End the moment that stands: 0 rows or 1."""
        if self._touch is not None:
            return self._of_moments(self._touch.close())
        assert self._book is not None
        return self._of_sums(self._book.settle())

    def _of_moments(self, moments: Moments) -> Imbalances:
        values = depth_imbalance(moments, self._weights)
        return self._changed(moments.ts, moments.sequence, values)

    def _of_sums(self, pieces: list[tuple[IntArray, FloatArray]]) -> Imbalances:
        stamps = np.concatenate([np.empty((2, 0), np.int64), *(stamps for stamps, _ in pieces)], axis=1)
        sums = np.concatenate([np.empty((0, 2)), *(sums for _, sums in pieces)])
        total = sums[:, 0] + sums[:, 1]
        total[total == 0] = np.nan
        return self._changed(stamps[0], stamps[1], (sums[:, 0] - sums[:, 1]) / total)

    def _changed(self, ts: IntArray, sequence: IntArray, values: FloatArray) -> Imbalances:
        before = np.concatenate([self._last, values[:-1]])[: len(values)]
        fresh = (values != before) & ~(np.isnan(values) & np.isnan(before))
        self._last = values[-1:].copy() if len(values) else self._last
        return Imbalances(ts[fresh], sequence[fresh], values[fresh])


def imbalance(
    x: Any,
    levels: Levels = 1,
    percent: float | None = None,
    decay: int | None = None,
    weights: Sequence[float] | None = None,
) -> pl.DataFrame:
    """Queue imbalance, or depth imbalance over several levels, a share of the price or all of the book.

    Parameters
    ----------
    x : session or recording
    levels : int or "all", optional
        The best so many levels of each side. 1: queue imbalance.
    percent : float, optional
        Instead: all levels at most so many percent of the mid away from it.
    decay : int, optional
        Each block of so many levels weighs half of the one before it.
    weights : sequence of float, optional
        Instead of ``decay``: one weight for each of ``levels`` levels.

    Returns
    -------
    DataFrame
        ``ts, imbalance``, one row for each moment that changed it, −1 (only asks) to 1 (only bids); the last row is the
        value at the end. Null where the book is not known, a side is empty or nothing rests in the range.

    Notes
    -----
    Formula, references and rules: :class:`ImbalanceStream`, the streaming face. Ranges in percent and ``"all"`` are
    summed anew at each moment, which costs in proportion to the ticks they span.

    References
    ----------
    M. D. Gould, J. Bonart, "Queue imbalance as a one-tick-ahead price predictor in a limit order book",
    arXiv:1512.03492. Bookmap, knowledge base, "Orderbook Imbalance": levels, percent, decay.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("3s")
    >>> bool(wb.imbalance(s, levels=5, decay=2)["imbalance"].is_between(-1, 1).all())
    True
    """
    stream = ImbalanceStream(levels, percent=percent, decay=decay, weights=weights)
    pieces = [*(stream.update(batch) for batch in event_batches(x)), stream.close()]
    ts, _, values = (np.concatenate(column) for column in zip(*pieces))
    return pl.DataFrame([as_times(ts), pl.Series("imbalance", values, pl.Float64).fill_nan(None)])


def _by_rank(levels: int, decay: int | None, weights: Sequence[float] | None) -> FloatArray:
    if weights is not None:
        return np.asarray(weights, np.float64)
    halvings = np.zeros(levels) if decay is None else np.arange(levels) // decay
    return np.exp2(-halvings)


def _check(levels: Levels, percent: float | None, decay: int | None, weights: Sequence[float] | None) -> None:
    if levels != "all":
        checked_levels(levels)
    if percent is not None and not 0 < percent <= 100:
        raise WorkbenchError(f"percent {percent}", expected="more than 0, at most 100")
    if percent is not None and levels != 1:
        raise WorkbenchError(f"levels {levels} and percent {percent}", expected="one of them")
    if decay is not None and decay < 1:
        raise WorkbenchError(f"decay {decay}", expected="a number of levels ≥ 1")
    if weights is None:
        return
    if decay is not None or percent is not None or levels == "all":
        raise WorkbenchError("weights beside decay, percent or all levels", expected="weights with levels=N")
    given = np.asarray(weights, np.float64)
    if given.shape != (levels,) or not (given >= 0).all() or not given[0] > 0:
        raise WorkbenchError(f"weights {weights}", expected=f"{levels} numbers ≥ 0, the first above 0")


__all__ = ["ImbalanceStream", "Imbalances", "depth_imbalance", "imbalance"]
