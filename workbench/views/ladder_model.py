"""Core of the ladder: the rows round the touch, what changed in them, and what stands above them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np

from workbench.events import Array
from workbench.views.first_look import time_is_up
from workbench.views.framing import nice_ticks
from workbench.views.ladder_cells import FIELDS, LadderFlow, changed_cells, imbalances
from workbench.views.live import Captured, Message

WINDOW_ROWS: Final = 240
"""Rows sent round the centre: several times what a page shows, so that scrolling needs no round trip."""
WANTED_FILL: Final = 0.6
SAMPLE_TICKS: Final = 40
MAX_ROW_TICKS: Final = 1000
RECENT_S: Final = 5.0
WINDOW_S: Final = 10.0
DEPTH_LEVELS: Final = 10


class OrdersToTell(Protocol):
    """Own orders beside the rows: what the page is told of them."""

    def follow(self, pieces: list[tuple[Array, ...]]) -> None: ...
    def told(self) -> dict[str, Any]: ...


class LadderModel:
    """Rows of one capture round the touch.

    Parameters
    ----------
    capture : Captured
    row_ticks : int or None
        None: chosen so that most rows near the touch hold something.
    recent_s, window_s : float, s
        Pause after which recent trades start anew; window of pulling and stacking.
    levels : int
        Levels of the deeper imbalance.
    orders : OrdersToTell, optional
    rows : int
        Rows that the page shows.
    """

    def __init__(
        self,
        capture: Captured,
        row_ticks: int | None = None,
        *,
        recent_s: float = RECENT_S,
        window_s: float = WINDOW_S,
        levels: int = DEPTH_LEVELS,
        orders: OrdersToTell | None = None,
        rows: int = 60,
    ):
        self._capture = capture
        self._row_ticks = row_ticks
        self._flow = LadderFlow(capture, round(recent_s * 1e9), round(window_s * 1e9))
        self._levels = levels
        self._orders = orders
        self._window_rows = max(WINDOW_ROWS, 4 * rows)
        self._centre: float | None = None
        self._low: int | None = None
        self._cells = np.zeros((len(FIELDS), self._window_rows), np.float32)
        self._told: dict[str, Any] = {}
        self._number = 0

    def catch_up(self) -> None:
        """Take in everything that came so far, however much that is; on a first look what there is time for."""
        while not self._take_in() and not time_is_up():
            pass

    def _take_in(self) -> bool:
        done, pieces = self._flow.follow()
        if self._orders is not None:
            self._orders.follow(pieces)
        return done

    def pull(self, wants: Sequence[dict[str, Any]], full: bool, now_ns: int) -> Message | None:
        """Cells that changed; all of them, not 0, when asked for or when the window moved; None: nothing did."""
        for want in wants:
            self._obey(want)
        done = self._take_in()
        with self._capture.lock:
            framed = self._framed()
            if framed is None:
                return None if self._orders is None else self._message({}, full, None)
            low, ticks = framed
            book = self._capture.book
            resting = book.window(low, low + self._window_rows * ticks - 1)
            head = self._head(ticks) | {"low_row": low // ticks, "row_ticks": ticks, "warming": not done}
        cells = self._flow.cells(resting, low, ticks, now_ns)
        return self._message(head, full or low != self._low, cells, low)

    def _obey(self, want: dict[str, Any]) -> None:
        if want.get("k") != "view":
            return
        if "centre" in want:
            centre = want["centre"]
            known = isinstance(centre, int | float) and abs(centre) < 2**31
            self._centre = float(centre) if known else None
        if "row_ticks" in want:
            ticks = want["row_ticks"]
            wanted = isinstance(ticks, int) and 1 <= ticks <= MAX_ROW_TICKS
            self._row_ticks = ticks if wanted else None
            self._low = None

    def _framed(self) -> tuple[int, int] | None:
        """Lowest tick of the window and ticks per row; the window stays while the middle is well inside."""
        middle = self._middle()
        if middle is None:
            return None
        if self._row_ticks is None:
            self._row_ticks = self._fitting_rows(round(middle))
        ticks, half = self._row_ticks, self._window_rows // 2
        row = round(middle) // ticks
        if self._low is not None and abs(row - (self._low // ticks + half)) <= half // 2:
            return self._low, ticks
        return (row - half) * ticks, ticks

    def _middle(self) -> float | None:
        if self._centre is not None:
            return self._centre
        book = self._capture.book
        sides = [best for best in (book.best_bid, book.best_ask) if best is not None]
        if sides:
            return sum(sides) / len(sides)
        last = self._flow.volume.last
        return float(last[0]) if last is not None else None

    def _fitting_rows(self, middle: int) -> int:
        bids, asks = self._capture.book.window(middle - SAMPLE_TICKS, middle + SAMPLE_TICKS - 1)
        filled = np.count_nonzero(bids + asks) / (2 * SAMPLE_TICKS)
        if filled == 0 or filled >= WANTED_FILL:
            return 1
        # with levels scattered at random, rows of n ticks are filled with probability 1 − (1 − filled)^n
        return nice_ticks(np.log(1 - WANTED_FILL) / np.log(1 - filled))

    def _head(self, ticks: int) -> dict[str, Any]:
        book, last, traded = self._capture.book, self._flow.volume.last, self._flow.traded
        bid, ask = book.best_bid, book.best_ask
        touch, depth = imbalances(book, self._levels)
        return {
            "bid_row": None if bid is None else bid // ticks,
            "ask_row": None if ask is None else ask // ticks,
            "last_row": None if last is None else last[0] // ticks,
            "last_tick": None if last is None else last[0],
            "last_side": 0 if last is None else last[2],
            "spread": ask - bid if bid is not None and ask is not None else None,
            "valid": book.valid,
            "volume": traded.volume,
            "delta": traded.delta,
            "touch": _rounded(touch),
            "depth": _rounded(depth),
            "levels": self._levels,
        }

    def _message(
        self, head: dict[str, Any], fresh: bool, cells: Any, low: int | None = None
    ) -> Message | None:
        orders = {} if self._orders is None else self._orders.told()
        told = head | orders
        if fresh or cells is None:
            self._cells[:] = 0
        at, values = changed_cells(self._cells, self._cells if cells is None else cells)
        news = {name: value for name, value in told.items() if fresh or self._told.get(name, ...) != value}
        news.pop("valid", None)
        valid = told.get("valid", True)  # the strip reads it from each message: one that is bad is said again
        if not news and not len(at) and not fresh and valid:
            return None
        if cells is not None:
            self._cells = cells
        self._told, self._low = told, low
        self._number = 0 if fresh else self._number + 1
        content = {"k": "rows", "count": self._window_rows, "fresh": fresh, "number": self._number}
        return content | {"valid": valid} | news, [at, values]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


__all__ = ["FIELDS", "WINDOW_ROWS", "LadderModel", "OrdersToTell"]
