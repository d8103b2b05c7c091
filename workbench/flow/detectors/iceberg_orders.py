"""Icebergs that order rows give away: refilled under their own id, or by one order after another of the same size."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Final

import numpy as np

from workbench.book.jit import aligned
from workbench.errors import WorkbenchError
from workbench.events import SUBTICKS_PER_TICK, EventBatch, Instrument, IntArray
from workbench.flow.detectors import iceberg_kernel as kernel
from workbench.flow.detectors.detections import Detections
from workbench.flow.detectors.order_table import first_table, remade
from workbench.flow.level_table import LevelTable
from workbench.flow.survival import Survival

EVIDENCE: Final = {
    "order_id": np.int64,
    "first_order_id": np.int64,
    "refills": np.int64,
    "executed_lots": np.int64,
    "shown_before_lots": np.int64,
    "shown_after_lots": np.int64,
    "revealed_lots": np.int64,
    "executed_total_lots": np.int64,
    "peak_lots": np.int64,
    "started_ts": np.int64,
    "remaining_lots": np.float64,
    "half_remaining_lots": np.float64,
}
_FROM: Final = (
    kernel.O_ORDER, kernel.O_CHAIN, kernel.O_REFILLS, kernel.O_EXECUTED, kernel.O_BEFORE, kernel.O_AFTER,
    kernel.O_REVEALED, kernel.O_TOTAL, kernel.O_PEAK, kernel.O_STARTED,
)  # fmt: skip
_FIRST_ROWS: Final = 256
_NO_ROOM: Final = 2  # rows that the kernel keeps free


class _Icebergs(ABC):
    """Both kinds: the kernel's state, and the sizes of the icebergs that were seen to end."""

    mode: ClassVar[int]

    def __init__(
        self, instrument: Instrument, within_ns: int, replenish_ns: int, min_refills: int, min_peak: int,
        min_surprise: float, memory: int,
    ):  # fmt: skip
        for name, value, least in (
            ("within_ns", within_ns, 0),
            ("replenish_ns", replenish_ns, 0),
            ("min_refills", min_refills, 1),
            ("min_peak_lots", min_peak, 1),
            ("min_surprise", min_surprise, 0),
        ):
            if not value >= least:
                raise WorkbenchError(f"{name} of {value}", expected=f"{least} or more", code="bad_value")
        self.instrument = instrument
        self._keep_ns = max(within_ns, replenish_ns)
        surprise = round(min_surprise * kernel.MILLIONTHS)
        self._params = np.array(
            [self.mode, within_ns, replenish_ns, min_refills, min_peak, surprise], np.int64
        )
        self._table = first_table()
        self._levels = LevelTable(1)
        self._ring = np.zeros((kernel.RING, kernel.RING_WIDTH), np.int64)
        self._sizes = np.zeros(kernel.SIZE_BINS, np.int64)
        self._state = np.zeros(kernel.STATE_SLOTS, np.int64)
        self._out: IntArray = np.zeros((_FIRST_ROWS, kernel.OUT_WIDTH), np.int64)
        self._survival = Survival(memory)

    def update(self, batch: EventBatch) -> Detections:
        """Take in events; the refills among them."""
        return self._judged(self._rows(batch))

    def close(self) -> Detections:
        """Nothing: a refill is known when it comes."""
        return self._judged(np.empty((0, kernel.OUT_WIDTH), np.int64))

    def _rows(self, batch: EventBatch) -> IntArray:
        events = [aligned(batch.columns[i]) for i in (0, 1, 2, 3, 4, 5, 6, 8)]
        row, found = 0, []
        while True:
            levels = self._levels
            own = (self._table, self._ring, levels.keys, levels.values, levels.used, self._sizes)
            row = kernel.follow(
                row, batch.first_sequence, *own, self._params, self._state, self._out, *events
            )
            count = int(self._state[kernel.COUNT])
            found.append(self._out[:count].copy())
            self._state[kernel.COUNT] = 0
            if row == len(batch):
                return np.concatenate(found)
            self._make_room(int(batch.ts[row]))

    def _make_room(self, now_ns: int) -> None:
        if 2 * self._state[kernel.USED] >= len(self._table):
            self._table, used = remade(self._table, now_ns - self._keep_ns)
            self._state[kernel.USED] = used
        if 2 * self._levels.used[0] >= len(self._levels.keys):
            self._levels.grow()

    def _judged(self, rows: IntArray) -> Detections:
        """Refills with what the icebergs that ended before them say about their rest."""
        remaining = []
        for row in rows:
            peak = max(int(row[kernel.O_PEAK]), 1)
            slices = int(row[kernel.O_TOTAL]) / peak
            if row[kernel.O_WHAT] == kernel.REFILL:
                curve = self._survival.curve
                remaining.append((curve.remaining(slices) * peak, curve.half_remaining(slices) * peak))
            else:
                self._survival.add(slices, row[kernel.O_WHAT] == kernel.EXHAUSTED)
        refills = rows[rows[:, kernel.O_WHAT] == kernel.REFILL]
        estimates = np.array(remaining, np.float64).reshape(-1, 2)
        evidence = {name: refills[:, column] for name, column in zip(EVIDENCE, _FROM)}
        evidence |= {"remaining_lots": estimates[:, 0], "half_remaining_lots": estimates[:, 1]}
        return Detections(
            refills[:, kernel.O_TS],
            refills[:, kernel.O_ROW],
            refills[:, kernel.O_PRICE] * SUBTICKS_PER_TICK,
            refills[:, kernel.O_SIDE].astype(np.int8),
            self._score(refills),
            evidence,
        )

    @abstractmethod
    def _score(self, refills: IntArray) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """How strong each refill is."""


class NativeIcebergs(_Icebergs):
    """Icebergs that the venue itself refills, order by order: one detection per refill.

    Parameters
    ----------
    instrument : Instrument
    within_ns : int, ns, default 0
        How long after an execution a refill may come, beside those within the same batch of executions and the same
        time. 0 suits venues that tell both in one message.
    min_refills : int, default 1
        Report from the order's so-many-th refill on.
    memory : int, default 1000
        How many ended icebergs the estimate of the rest looks back on.

    Notes
    -----
    Rule: an execution took ``executed_lots`` off an order that showed ``shown_before_lots``, and within it the same
    order id shows again, at the same price, more than the execution left: ``revealed_lots`` = shown after −
    (shown before − executed) > 0. More may be executed than was displayed; the next slice then already pays for it.

    ``side`` is the resting side, ``score`` the whole known size in multiples of the largest size displayed so far:
    (executed in all + displayed now) / peak. ``remaining_lots`` and ``half_remaining_lots`` are what the sizes of
    earlier icebergs of this stream say is still to be executed, mean and median, by Kaplan and Meier, in multiples of
    the peak so that large and small ones can be compared; NaN until one that ended was larger. Orders that were
    cancelled count as censored, orders executed to the end as ended.

    After CLEAR or GAP every order is forgotten and nothing is reported before the next SNAPSHOT_END; sizes of icebergs
    that ended stay known.

    **What it cannot know.** Hidden size before the first refill. Whether a participant changed the order by hand in the
    very message of a fill (it looks like a refill). Icebergs whose venue gives each slice a new id: see
    :class:`SyntheticIcebergs`. Without order rows it finds nothing.

    References
    ----------
    D. Zotikov, A. Antonov: CME iceberg order detection and prediction, arXiv:1909.09495.
    """

    mode = kernel.NATIVE

    def __init__(
        self, instrument: Instrument, *, within_ns: int = 0, min_refills: int = 1, memory: int = 1000
    ):
        super().__init__(instrument, within_ns, within_ns, min_refills, 1, 0.0, memory)

    def _score(self, refills: IntArray) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        size = refills[:, kernel.O_TOTAL] + refills[:, kernel.O_AFTER]
        return size / np.maximum(refills[:, kernel.O_PEAK], 1).astype(np.float64)


class SyntheticIcebergs(_Icebergs):
    """Icebergs that a participant's program refills with new orders: one detection per slice that continues a chain.

    Parameters
    ----------
    instrument : Instrument
    within_ns : int, ns, default 100 ms
        How soon after an order was executed completely its successor must come.
    min_refills : int, default 2
        Report from the chain's so-many-th successor on.
    min_peak_lots : int, lots, default 2
        Smallest size that counts as repeated: single lots follow each other all day.
    min_surprise : float, default 3
        Least evidence against coincidence, in powers of ten, see Notes.
    memory : int, default 1000
        How many ended icebergs the estimate of the rest looks back on.

    Notes
    -----
    Rule: an order is executed to its last lot; at the same price and side a *new* order of the same initial size comes
    within ``within_ns``. Chains go on from slice to slice; once a chain is reported its last slice may be smaller. If
    several orders wait for a successor the longest chain gets it, then the newest.

    ``score`` is the surprise, −Σ log₁₀ min(1, k·share): ``share`` is how much of all orders so far entered with this
    size, k counts the orders that entered at this price and side since the execution: the chance that one of them has
    this size by accident, summed over the chain. ``side`` is the resting side. ``remaining_lots`` as for
    :class:`NativeIcebergs`; a chain counts as ended when no successor came in time, as censored when its slice was
    cancelled.

    After CLEAR or GAP all orders and chains are forgotten and nothing is reported before the next SNAPSHOT_END.

    **What it cannot know.** Whether the orders of a chain belong to one participant: two programs that quote the same
    round size at the touch look alike. Slices of random size are missed on purpose. Without order rows it finds
    nothing: see :class:`~workbench.flow.detectors.hidden_size.Resistance`.

    References
    ----------
    D. Zotikov, A. Antonov: CME iceberg order detection and prediction, arXiv:1909.09495.
    """

    mode = kernel.SYNTHETIC

    def __init__(
        self, instrument: Instrument, *, within_ns: int = 100_000_000, min_refills: int = 2, min_peak_lots: int = 2,
        min_surprise: float = 3.0, memory: int = 1000,
    ):  # fmt: skip
        super().__init__(instrument, 0, within_ns, min_refills, min_peak_lots, min_surprise, memory)

    def _score(self, refills: IntArray) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.asarray(refills[:, kernel.O_SURPRISE] / kernel.MILLIONTHS, np.float64)
