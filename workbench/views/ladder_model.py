"""Core of the ladder: resting and traded lots by price row round the touch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from workbench.views.framing import nice_ticks
from workbench.views.live import Captured, Message
from workbench.views.prints import VolumeAtPrice

WINDOW_ROWS: Final = 240
"""Rows sent round the centre: several times what a page shows, so that scrolling needs no round trip."""
WANTED_FILL: Final = 0.6
SAMPLE_TICKS: Final = 40


class LadderModel:
    """Rows of one capture round the touch.

    Parameters
    ----------
    capture : Captured
    row_ticks : int or None
        None: chosen so that most rows near the touch hold something.
    """

    def __init__(self, capture: Captured, row_ticks: int | None = None):
        self._capture = capture
        self._row_ticks = row_ticks
        self._centre: float | None = None
        self._volume = VolumeAtPrice()
        self._source: object = None
        self._row = 0

    def pull(self, wants: Sequence[dict[str, Any]], full: bool, now_ns: int) -> Message | None:
        """Rows as they are now; None while neither book nor trades are known."""
        for want in wants:
            if want.get("k") == "view":
                centre = want.get("centre")
                self._centre = (
                    float(centre) if isinstance(centre, int | float) and abs(centre) < 2**31 else None
                )
        with self._capture.lock:
            self._count_trades()
            book = self._capture.book
            valid = book.valid
            bid, ask = book.best_bid, book.best_ask
            middle = self._middle(bid, ask)
            if middle is None:
                return None
            if self._row_ticks is None:
                self._row_ticks = self._fitting_rows(round(middle))
            low = (round(middle) // self._row_ticks - WINDOW_ROWS // 2) * self._row_ticks
            bids, asks = book.window(low, low + WINDOW_ROWS * self._row_ticks - 1)
        return self._message(low, bids, asks, (bid, ask), valid)

    def _count_trades(self) -> None:
        trades = self._capture.trades
        if trades is not self._source:
            self._source, self._row, self._volume = trades, 0, VolumeAtPrice()
        length = len(trades)
        for chunk in trades.chunks(self._row, length):
            self._volume.add(chunk)
        self._row = length

    def _middle(self, bid: int | None, ask: int | None) -> float | None:
        if self._centre is not None:
            return self._centre
        sides = [best for best in (bid, ask) if best is not None]
        if sides:
            return sum(sides) / len(sides)
        return float(self._volume.last[0]) if self._volume.last is not None else None

    def _fitting_rows(self, middle: int) -> int:
        bids, asks = self._capture.book.window(middle - SAMPLE_TICKS, middle + SAMPLE_TICKS - 1)
        filled = np.count_nonzero(bids + asks) / (2 * SAMPLE_TICKS)
        if filled == 0 or filled >= WANTED_FILL:
            return 1
        # with levels scattered at random, rows of n ticks are filled with probability 1 − (1 − filled)^n
        return nice_ticks(np.log(1 - WANTED_FILL) / np.log(1 - filled))

    def _message(
        self, low: int, bids: Any, asks: Any, best: tuple[int | None, int | None], valid: bool
    ) -> Message:
        ticks = self._row_ticks or 1
        traded = self._volume.between(low, low + WINDOW_ROWS * ticks)
        lots = np.stack([bids, asks, traded[:, 0], traded[:, 1]]).reshape(4, WINDOW_ROWS, ticks).sum(axis=2)
        last = self._volume.last
        bid, ask = best
        content = {
            "k": "rows",
            "low_row": low // ticks,
            "row_ticks": ticks,
            "count": WINDOW_ROWS,
            "bid_row": None if bid is None else bid // ticks,
            "ask_row": None if ask is None else ask // ticks,
            "last_row": None if last is None else last[0] // ticks,
            "last_tick": None if last is None else last[0],
            "spread": None if bid is None or ask is None else ask - bid,
            "valid": valid,
        }
        return content, [lots.astype(np.float64)]
