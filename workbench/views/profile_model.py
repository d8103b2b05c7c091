"""Core of the volume profile view: the profile of all trades so far, at rows that fit a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from workbench.events import EventBatch
from workbench.flow.profile import Method, ProfileBuilder, VolumeProfile
from workbench.views.framing import nice_ticks
from workbench.views.live import Captured, Message

MOST_ROWS: Final = 120


class ProfileModel:
    """Profile of all trades of one capture.

    Parameters
    ----------
    capture : Captured
    row_ticks : int or None
        None: chosen, and doubled as the market moves, so that about :data:`MOST_ROWS` rows show everything.
    value_area : float
        Share of the volume in the value area.
    method : {"two_row", "one_row", "traded_only"}
    """

    def __init__(self, capture: Captured, row_ticks: int | None, value_area: float, method: Method):
        self._capture = capture
        self._wanted = row_ticks
        self._area, self._method = value_area, method
        self._source: object = None
        self._row = 0
        self._sent = 0
        self._range: tuple[int, int] | None = None
        self._builder = ProfileBuilder(capture.instrument, row_ticks or 1)

    def pull(self, wants: Sequence[dict[str, Any]], full: bool, now_ns: int) -> Message | None:
        """Profile as it is now; None while nothing new has traded."""
        if self._capture.trades is not self._source:  # the session forgot everything, after a seek
            self._source = self._capture.trades
            self._restart(self._wanted or 1)
        self._feed()
        if self._range is None or (self._row == self._sent and not full):
            return None
        self._sent = self._row
        fitting = nice_ticks((self._range[1] - self._range[0] + 1) / MOST_ROWS)
        if self._wanted is None and fitting >= 2 * self._builder.row_ticks:
            self._restart(fitting)
            self._feed()
        return self._message(self._builder.profile(self._area, self._method))

    def _restart(self, row_ticks: int) -> None:
        self._builder = ProfileBuilder(self._capture.instrument, row_ticks)
        self._row, self._range = 0, None

    def _feed(self) -> None:
        trades = self._capture.trades
        length = len(trades)
        for chunk in trades.chunks(self._row, length):
            low, high = int(chunk[4].min()), int(chunk[4].max())
            known = self._range or (low, high)
            self._range = (min(known[0], low), max(known[1], high))
            self._builder.apply(EventBatch.trusted(tuple(chunk[:9]), 0))
        self._row = length

    def _message(self, profile: VolumeProfile) -> Message | None:
        if profile.poc is None or profile.val is None or profile.vah is None:
            return None
        height = float(self._capture.instrument.tick_size) * profile.row_ticks
        rows = np.rint(profile.frame["price"].to_numpy() / height).astype(np.int64)
        low, count = int(rows[0]), int(rows[-1] - rows[0]) + 1
        lots = np.zeros((3, count))
        for kind, name in enumerate(("buy", "sell", "unknown")):
            lots[kind, rows - low] = profile.frame[name].to_numpy() / float(self._capture.instrument.lot_size)
        edges = {"poc_row": profile.poc, "val_row": profile.val, "vah_row": profile.vah}
        content = {
            "k": "rows",
            "low_row": low,
            "row_ticks": profile.row_ticks,
            "count": count,
            **{name: round(price / height) for name, price in edges.items()},
        }
        return content, [lots]
