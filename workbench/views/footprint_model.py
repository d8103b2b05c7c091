"""Core of the footprint view: bars and cells that changed, older ones when the page looks back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any, Final

import numpy as np

from workbench.events import SUBTICKS_PER_TICK, Array, IntArray
from workbench.flow.footprint import CLOSE, END, HIGH, LOW, OPEN, START, FootprintStream, Span
from workbench.flow.imbalance import ImbalanceRule, points_of_control, stacked_zones
from workbench.views.framing import nice_ticks, worth_changing
from workbench.views.fresh_trades import FreshTrades
from workbench.views.live import Captured, Message

BUY_MARK: Final = 1
SELL_MARK: Final = 2
BUY_STACKED: Final = 4
SELL_STACKED: Final = 8
UNFINISHED: Final = 16
POC_MARK: Final = 32
_FLAGS: Final = (BUY_MARK, SELL_MARK, BUY_STACKED, SELL_STACKED, UNFINISHED)

ROWS_PER_BAR: Final = 22
FIRST_BARS: Final = 48
MOST_BARS: Final = 400
ZONE_BARS: Final = 240
MOST_ZONES: Final = 60
_RULE_NAMES: Final = ("ratio", "min_volume", "stacked", "zeros")
_PRICES: Final = (OPEN, HIGH, LOW, CLOSE)


class FootprintModel:
    """Footprint of one capture.

    Parameters
    ----------
    capture : Captured
    bar : str
        What ends a bar, see :func:`workbench.footprint`.
    row_ticks : int or None
        None: chosen so that a usual bar has about :data:`ROWS_PER_BAR` rows.
    rule : ImbalanceRule
    """

    def __init__(self, capture: Captured, bar: str, row_ticks: int | None, rule: ImbalanceRule):
        self._capture = capture
        self._feed = FreshTrades(capture)
        self._bar, self._wanted, self._rule = bar, row_ticks, rule
        self._epoch = 0
        self._sent_bar: int | None = None
        self._sent_cells: tuple[Array, Array] | None = None
        self._zones: list[list[int]] = []
        self._restart(1 if row_ticks is None else row_ticks)

    def twin(self) -> FootprintModel:
        """Return a fresh model that shows the same."""
        return FootprintModel(self._capture, self._bar, self._wanted, self._rule)

    def fitted(self, row_ticks: int) -> FootprintModel:
        """Return this model, or where rows may be chosen a fresh one with other rows."""
        if self._wanted is not None or row_ticks <= self._stream.row_ticks:
            return self
        return FootprintModel(self._capture, self._bar, row_ticks, self._rule)

    def pull(self, wants: Sequence[dict[str, Any]], full: bool, now_ns: int) -> Message | None:
        """Bars and cells that changed since the last message; None while nothing has."""
        self._obey(wants)
        if self._feed.is_outdated():
            self._restart(self._wanted or 1)
        fresh = self._take()
        if not len(self._stream):
            return None
        if self._wanted is None:
            self._reconsider()
        if full or self._sent_bar is None:
            return self._snapshot()
        return self._changes(self._sent_bar) if fresh else None

    def older(self, first: int, stop: int) -> Message:
        """Bars that the page does not hold, at most :data:`MOST_BARS`, the newest of them."""
        stop = min(int(stop), len(self._stream))
        span = self._stream.span(max(int(first), stop - MOST_BARS), stop)
        content = {"k": "bars", "epoch": self._epoch, "first": span.first}
        return content, self._arrays(span)

    # -- what the page wants -------------------------------------------------------------------------------------
    def _obey(self, wants: Sequence[dict[str, Any]]) -> None:
        for want in wants:
            if want.get("k") == "view":
                self._choose(want)

    def _choose(self, want: dict[str, Any]) -> None:
        chosen = {name: want[name] for name in _RULE_NAMES if want.get(name) is not None}
        rule = replace(self._rule, **chosen)
        bar = str(want.get("bar", self._bar))
        rows = want.get("row_ticks", self._wanted)
        wanted = None if rows in (None, "auto") else int(rows)
        FootprintStream(
            self._capture.instrument, bar, 1 if wanted is None else wanted
        )  # refused before anything is changed
        self._rule = rule
        if (bar, wanted) != (self._bar, self._wanted):
            self._bar, self._wanted = bar, wanted
            self._restart(wanted or self._stream.row_ticks)
        self._sent_bar = None

    def _restart(self, row_ticks: int) -> None:
        self._stream = FootprintStream(self._capture.instrument, self._bar, row_ticks)
        self._feed.restart()
        self._epoch += 1
        self._sent_bar, self._sent_cells, self._zones = None, None, []

    def _take(self) -> bool:
        fresh = self._feed.take()
        if fresh is not None:
            self._stream.update(fresh.prints, fresh.gaps)
        return fresh is not None

    def _reconsider(self) -> None:
        bars = self._stream.bars[-30:]
        ranges = (bars[:, HIGH] - bars[:, LOW])[: max(1, len(bars) - 1)] / SUBTICKS_PER_TICK
        ideal = nice_ticks((float(np.median(ranges)) + 1) / ROWS_PER_BAR)
        current = self._stream.row_ticks
        if worth_changing(current, ideal) and ideal != current:
            self._restart(ideal)
            self._take()

    # -- what is sent --------------------------------------------------------------------------------------------
    def _snapshot(self) -> Message:
        span = self._stream.span(len(self._stream) - FIRST_BARS)
        zones = self._standing()
        self._zones = zones
        arrays = self._arrays(span)
        self._note(arrays)
        content = {
            "k": "snap",
            "epoch": self._epoch,
            "first": span.first,
            "bar": self._bar,
            "row_ticks": self._stream.row_ticks,
            "auto": self._wanted is None,
            "rule": asdict(self._rule),
            "zones": zones,
        }
        return content, arrays

    def _changes(self, first: int) -> Message:
        if len(self._stream) - first > FIRST_BARS:
            return self._snapshot()  # what lies between is looked at where somebody looks
        span = self._stream.span(first)
        bars, keys, lots = self._arrays(span)
        kept = self._unsent(keys, lots)
        self._note([bars, keys, lots])
        content: dict[str, Any] = {"k": "bars", "epoch": self._epoch, "first": span.first}
        zones = self._standing()
        if zones != self._zones:
            content["zones"] = self._zones = zones
        return content, [bars, keys[kept], lots[kept]]

    def _note(self, arrays: list[Array]) -> None:
        """Remember the open bar as it is sent, so that the next message holds only what differs."""
        _, keys, lots = arrays
        self._sent_bar = len(self._stream) - 1
        mine = keys[:, 0] == self._sent_bar
        self._sent_cells = keys[mine], lots[mine]

    def _unsent(self, keys: Array, lots: Array) -> Array:
        """Whether a cell differs from what the page holds, shape (n_cells,)."""
        if self._sent_cells is None or not len(self._sent_cells[0]):
            return np.ones(len(keys), bool)
        known, volumes = self._sent_cells
        at = np.minimum(np.searchsorted(known[:, 1], keys[:, 1]), len(known) - 1)
        same = (known[at] == keys).all(axis=1) & (volumes[at] == lots).all(axis=1)
        changed: Array = ~same
        return changed

    def _arrays(self, span: Span) -> list[Array]:
        """Bars float64 (n, 16): ms, ticks, lots, row of the POC; cells int32 (m, 3) and their lots float64 (m, 3)."""
        cells = span.cells
        poc = points_of_control(cells)
        bars = np.empty((len(span.bars), span.bars.shape[1] + 1))
        bars[:, :-1] = span.bars
        bars[:, [START, END]] /= 1e6
        bars[:, _PRICES] /= SUBTICKS_PER_TICK
        bars[:, -1] = cells.row[poc]
        marks = self._rule.marks(cells, span.in_gap, self._capture.instrument)
        flags = sum((mark * bit for mark, bit in zip(marks, _FLAGS)), poc * POC_MARK)
        keys = np.column_stack([cells.bar, cells.row, flags]).astype(np.int32)
        return [bars, keys, np.column_stack([cells.bid, cells.ask, cells.unknown]).astype(np.float64)]

    def _standing(self) -> list[list[int]]:
        span = self._stream.span(len(self._stream) - ZONE_BARS)
        marks = self._rule.marks(span.cells, span.in_gap, self._capture.instrument)
        low, high = _rows(span, self._stream.row_ticks)
        return [list(zone) for zone in stacked_zones(span.cells, marks, low, high)][-MOST_ZONES:]


def _rows(span: Span, row_ticks: int) -> tuple[IntArray, IntArray]:
    height = row_ticks * SUBTICKS_PER_TICK
    return span.bars[:, LOW] // height, span.bars[:, HIGH] // height
