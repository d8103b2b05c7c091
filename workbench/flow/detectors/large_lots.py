"""Prints, aggressor orders and resting orders that are large: by a number of lots, or against those before them."""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import polars as pl
from numba import types

from workbench.book.jit import I8_COLUMN, kernel
from workbench.errors import WorkbenchError
from workbench.events import (
    SUBTICK_SHIFT,
    SUBTICKS_PER_TICK,
    Array,
    EventBatch,
    EventKind,
    Flag,
    Instrument,
    IntArray,
)
from workbench.flow.batches import instrument_of
from workbench.flow.detectors.detections import Detections, detected, frame, nothing

__all__ = ["LargeLots", "large_lots"]

Of = Literal["prints", "orders"]
_LARGE: Final = 0.99
"""What is large where nobody says it: above 99 of 100 sizes before."""
_FIELDS: Final = {
    "size_lots": np.int64,
    "limit_lots": np.int64,
    "order_id": np.int64,
    "aggressor_id": np.int64,
}


@kernel(types.void(I8_COLUMN, *[types.int64[::1]] * 3, types.int64, types.int64[::1]))
def _limits(size: Array, ring: Array, ordered: Array, state: Array, rank: int, limit: Array) -> None:
    """Size of the given rank among the ``len(ring)`` before each, −1 until there are so many."""
    n = len(ring)
    for i in range(len(size)):
        held = min(state[0], n)
        limit[i] = ordered[rank] if held == n else -1
        if held == n:
            at = np.searchsorted(ordered, ring[state[0] % n])
            ordered[at : n - 1] = ordered[at + 1 : n]
            held -= 1
        at = np.searchsorted(ordered[:held], size[i])
        for k in range(held, at, -1):
            ordered[k] = ordered[k - 1]
        ordered[at] = size[i]
        ring[state[0] % n] = size[i]
        state[0] += 1


class LargeLots:
    """Large prints, or large orders that come to rest.

    Parameters
    ----------
    instrument : Instrument
    of : str, default ``"prints"``
        ``"prints"``: trades in the book. ``"orders"``: orders that enter, as order rows tell (no snapshots).
    min_lots : int, lots, optional
        Least size whatever the quantile says. Default: 1.
    quantile : float, optional
        Only what is larger than this share of the last ``window`` sizes before it. Default: ``min_lots`` alone; where that
        is not given either, 0.99.
    window : int, default 1000
        Sizes that a quantile is taken of; until there are so many nothing is found.

    Notes
    -----
    The limit is the ⌈q·n⌉-th smallest of the n sizes before, never the size itself; a size must be above it.
    ``score`` is the size in multiples of the limit (of ``min_lots`` without a quantile). ``side`` is the aggressor's
    for prints (0 unknown), the resting side for orders. After CLEAR or GAP the sizes are collected anew.

    **What it cannot know.** One decision may be many prints and many orders: what a program cut into pieces is not
    large here. A large resting order may be pulled before anybody trades with it.
    """

    def __init__(
        self, instrument: Instrument, *, of: Of = "prints", min_lots: int | None = None,
        quantile: float | None = None, window: int = 1000,
    ):  # fmt: skip
        if min_lots is None:
            min_lots, quantile = 1, _LARGE if quantile is None else quantile
        if of not in ("prints", "orders"):
            raise WorkbenchError(f"of={of!r}", expected="prints or orders", code="bad_value")
        if min_lots < 1 or window < 1 or not (quantile is None or 0.0 < quantile <= 1.0):
            raise WorkbenchError(
                f"min_lots={min_lots}, quantile={quantile}, window={window}",
                expected="lots and window of 1 or more, a quantile in (0, 1]",
                code="bad_value",
            )
        self.instrument = instrument
        self.of, self.min_lots, self.quantile, self.window = of, min_lots, quantile, window
        self._forget()

    def update(self, batch: EventBatch) -> Detections:
        """Take in events; the large ones among them."""
        rows = np.flatnonzero(self._mask(batch))
        size = batch.size[rows].astype(np.int64)
        limit = self._limit(batch, rows, size)
        large = (size >= self.min_lots) & (limit >= 0) & ((self.quantile is None) | (size > limit))
        rows, size, limit = rows[large], size[large], limit[large]
        price = batch.price[rows].astype(np.int64) * SUBTICKS_PER_TICK
        if self.of == "prints":
            price += batch.flags[rows] >> SUBTICK_SHIFT
        ids = {"order_id": batch.order_id[rows], "aggressor_id": batch.aggressor_id[rows]}
        evidence = {"size_lots": size, "limit_lots": limit, **ids}
        score = size / np.maximum(limit, 1)
        return Detections(
            batch.ts[rows], batch.first_sequence + rows, price, batch.side[rows], score, evidence
        )

    def close(self) -> Detections:
        """Nothing is pending."""
        return nothing(_FIELDS)

    def _mask(self, batch: EventBatch) -> npt.NDArray[np.bool_]:
        if self.of == "orders":
            entered = (batch.kind == EventKind.MBO_NEW) & ((batch.flags & int(Flag.SNAPSHOT)) == 0)
            return np.asarray(entered & (batch.size > 0), np.bool_)
        in_book = (batch.flags & int(Flag.OTC)) == 0
        return np.asarray((batch.kind == EventKind.TRADE) & in_book & (batch.size > 0), np.bool_)

    def _limit(self, batch: EventBatch, rows: IntArray, size: IntArray) -> IntArray:
        """Limit of each size, −1 where none is known yet."""
        if self.quantile is None:
            return np.full(len(size), self.min_lots, np.int64)
        limit = np.empty(len(size), np.int64)
        rank = max(int(np.ceil(self.quantile * self.window)) - 1, 0)
        breaks = np.flatnonzero((batch.kind == EventKind.CLEAR) | (batch.kind == EventKind.GAP))
        cuts = np.searchsorted(rows, breaks).tolist()
        for number, (start, stop) in enumerate(zip([0, *cuts], [*cuts, len(size)])):
            if number:
                self._forget()
            piece = np.ascontiguousarray(size[start:stop])
            _limits(piece, self._ring, self._ordered, self._state, rank, limit[start:stop])
        return limit

    def _forget(self) -> None:
        self._ring: IntArray = np.zeros(self.window, np.int64)
        self._ordered: IntArray = np.zeros(self.window, np.int64)
        self._state: IntArray = np.zeros(1, np.int64)


def large_lots(x: Any, **parameters: Any) -> pl.DataFrame:
    """Find large prints, or large orders that come to rest.

    Parameters
    ----------
    x : session or recording
    **parameters
        Of :class:`LargeLots`: ``of``, ``min_lots``, ``quantile``, ``window``.

    Returns
    -------
    DataFrame
        ``ts, price, side, score`` (multiples of the limit), ``evidence``; see :class:`LargeLots`, also for what it
        cannot know.

    Notes
    -----
    Empty until there are as many sizes as the quantile is taken of; after a gap or a new snapshot they are collected
    anew.

    References
    ----------
    Bookmap, knowledge base, "Traded Volume Visualization": minimal trade size.
    """
    return frame(detected(x, LargeLots(instrument_of(x), **parameters)), instrument_of(x))
