"""What the cells of a ladder hold: resting, traded and moved lots by price row."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.events import Array, EventKind, FloatArray, IntArray, Side
from workbench.flow.pulling import PullingStream
from workbench.flow.recent import LAST_SIZE, LAST_TS, LOTS, PRINTS, RecentTrades
from workbench.views.live import Book, Captured
from workbench.views.prints import VolumeAtPrice

FIELDS: Final = (
    "bid",
    "ask",
    "bought",
    "sold",
    "recent_bought",
    "recent_sold",
    "warmth_bought",
    "warmth_sold",
    "bid_flow",
    "ask_flow",
    "print",
    "prints",
)
"""Numbers of one row: lots; warmths are 0 (no print lately) to 4 (just now); the last print's lots are negative where
it was sold; prints are counted modulo 4096, which tells that there was one more of the same size."""
WARMTHS: Final = 4
COUNT_MODULO: Final = 4096
ROWS_PER_PULL: Final = 500_000
"""Events taken in at one go: about 20 ms, so that a page of a long session is not kept waiting."""


class Traded(NamedTuple):
    """Sums over the session, lots."""

    volume: int
    delta: int


class LadderFlow:
    """Everything on a ladder that is summed up from events, fed from a capture as it grows.

    Parameters
    ----------
    capture : Captured
    recent_ns, window_ns : int, ns
        Pause after which recent trades start anew; window of pulling and stacking.
    """

    def __init__(self, capture: Captured, recent_ns: int, window_ns: int):
        self._capture = capture
        self._recent_ns, self._window_ns = recent_ns, window_ns
        self._begin(None)

    def _begin(self, source: object) -> None:
        self._source, self._row = source, 0
        self.volume = VolumeAtPrice()
        self.recent = RecentTrades(self._recent_ns)
        self.pulling = PullingStream(self._window_ns)

    def follow(self, rows: int | None = ROWS_PER_PULL) -> tuple[bool, list[tuple[Array, ...]]]:
        """Take in at most so many events; whether they were the last, and what was taken in."""
        columns = self._capture.columns
        if columns is not self._source:  # after a seek
            self._begin(columns)
        length = len(columns)
        stop = length if rows is None else min(length, self._row + rows)
        pieces = list(columns.chunks(self._row, stop))
        for piece in pieces:
            self._take(piece)
        self._row = stop
        return stop == length, pieces

    def _take(self, piece: tuple[Array, ...]) -> None:
        self.pulling.feed(piece)
        traded = np.flatnonzero(piece[2] == EventKind.TRADE)
        if len(traded):
            prints = tuple(column[traded] for column in piece)
            self.volume.add(prints)
            self.recent.feed(prints)

    @property
    def traded(self) -> Traded:
        """Volume and delta since the capture began; prints without an aggressor are volume alone."""
        bought, sold, unknown = self.volume.lots.sum(axis=0).tolist()
        return Traded(bought + sold + unknown, bought - sold)

    def cells(self, resting: tuple[Array, Array], low: int, ticks: int, now_ns: int) -> FloatCells:
        """Cells of rows of ``ticks`` ticks from ``low`` up, float32, shape (len(FIELDS), n_rows).

        Parameters
        ----------
        resting : (bids, asks), lots, each of shape (n_rows * ticks,)
        low, ticks : int, ticks
        now_ns : int, ns
        """
        high = low + len(resting[0])
        bought, sold = (self.recent.between(low, high, side, now_ns) for side in (1, -1))
        volume = self.volume.between(low, high)
        lots = [*resting, volume[:, 0], volume[:, 1], bought[:, LOTS], sold[:, LOTS]]
        flow = self.pulling.between(low, high, now_ns)
        warmth = [self._warmth(trades, ticks, now_ns) for trades in (bought, sold)]
        sums = [column.reshape(-1, ticks).sum(axis=1) for column in (*lots, flow[:, 0], flow[:, 1])]
        last = _last_print(bought, sold, ticks)
        count = (bought[:, PRINTS] + sold[:, PRINTS]).reshape(-1, ticks).sum(axis=1) % COUNT_MODULO
        return np.stack([*sums[:6], *warmth, *sums[6:], last, count]).astype(np.float32)

    def _warmth(self, trades: IntArray, ticks: int, now_ns: int) -> IntArray:
        age = now_ns - trades[:, LAST_TS]
        left = np.clip(WARMTHS - age * WARMTHS // self._recent_ns, 1, WARMTHS)
        warm: IntArray = np.where(trades[:, LOTS] > 0, left, 0).reshape(-1, ticks).max(axis=1)
        return warm


FloatCells = npt.NDArray[np.float32]


def _last_print(bought: IntArray, sold: IntArray, ticks: int) -> IntArray:
    """Lots of each row's last print, negative where an aggressor sold; 0 where there was none lately."""
    later = bought[:, LAST_TS] >= sold[:, LAST_TS]
    signed = np.where(later, bought[:, LAST_SIZE], -sold[:, LAST_SIZE]).reshape(-1, ticks)
    when = np.maximum(bought[:, LAST_TS], sold[:, LAST_TS]).reshape(-1, ticks)
    latest: IntArray = signed[np.arange(len(signed)), when.argmax(axis=1)]
    return latest


def imbalance(bid: float, ask: float) -> float | None:
    """(bid − ask) / (bid + ask), in [−1, 1]; None where nothing rests.

    References
    ----------
    Gould and Bonart, Queue imbalance as a one-tick-ahead price predictor, arXiv:1512.03492.
    """
    return (bid - ask) / (bid + ask) if bid + ask > 0 else None


def imbalances(book: Book, levels: int) -> tuple[float | None, float | None]:
    """Imbalance at the touch, and of the best ``levels`` levels of each side."""
    bids, asks = (book.levels(int(side), levels)[1] for side in (Side.BID, Side.ASK))
    if not len(bids) or not len(asks):
        return None, None
    return imbalance(float(bids[0]), float(asks[0])), imbalance(float(bids.sum()), float(asks.sum()))


def changed_cells(before: FloatArray | FloatCells, now: FloatCells) -> tuple[Array, Array]:
    """Places (field · n_rows + row, uint16) and values (float32) of the cells that differ."""
    at = np.flatnonzero(before != now)
    return at.astype(np.uint16), now.reshape(-1)[at]
