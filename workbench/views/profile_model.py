"""Core of the volume profile view: volume by price of a session, a span, or several sessions, and how it developed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, get_args

import numpy as np

from workbench.errors import WorkbenchError
from workbench.events import Array, IntArray
from workbench.flow.bar_rule import interval_ns
from workbench.flow.developing import DevelopingProfile, NakedPocs, volume_nodes
from workbench.flow.profile import Method, ProfileBuilder
from workbench.views.framing import nice_ticks
from workbench.views.fresh_trades import FreshTrades
from workbench.views.live import Captured, Message
from workbench.views.profile_window import ProfileWindow
from workbench.views.reading import reading_of
from workbench.views.words import finite

Kind = Literal["session", "visible", "fixed", "composite"]

MOST_ROWS: Final = 120
MOST_POINTS: Final = 480
_STEPS: Final = ("1s", "5s", "15s", "1m", "5m", "15m", "1h", "6h", "1d", "7d")


@dataclass(frozen=True)
class ProfileRule:
    """What is summed, and how it is cut and outlined.

    Attributes
    ----------
    kind : {"session", "visible", "fixed", "composite"}
    start_ns, end_ns : int or None
        Span of ``fixed``; None: no bound.
    row_ticks : int or None
        None: chosen, and doubled as the market moves, so that about :data:`MOST_ROWS` rows show everything.
    value_area : float
        Share of the volume in the value area.
    method : {"two_row", "one_row", "traded_only"}
    period : str
        Periods whose points of control are kept while naked; empty: none.
    """

    kind: Kind = "session"
    start_ns: int | None = None
    end_ns: int | None = None
    row_ticks: int | None = None
    value_area: float = 0.70
    method: Method = "two_row"
    period: str = "1h"

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise WorkbenchError(f"kind {self.kind!r}", expected=f"one of {', '.join(get_args(Kind))}")
        if not 0 < self.value_area <= 1:
            raise WorkbenchError(f"value_area {self.value_area}", expected="a share in (0, 1]")
        if self.method not in get_args(Method):
            raise WorkbenchError(f"method {self.method!r}", expected=f"one of {', '.join(get_args(Method))}")
        rows = self.row_ticks
        if rows is not None and (not 1 <= rows < 2**31 or rows != int(rows)):
            raise WorkbenchError(f"row_ticks={self.row_ticks!r}", expected="a whole number of at least 1")
        for name, bound in (("start_ns", self.start_ns), ("end_ns", self.end_ns)):
            if bound is not None and (finite(bound) is None or abs(bound) >= 2**63):
                raise WorkbenchError(f"{name} {bound!r:.60}", expected="ns since the epoch, or None")
        if self.period:
            interval_ns(self.period)

    @property
    def spanned(self) -> bool:
        """Whether only a part of the trades counts."""
        return self.kind in ("visible", "fixed")


class ProfileModel:
    """Profile of the trades of one capture, or of several together.

    Parameters
    ----------
    captures : sequence of Captured
        Of one instrument, or of several with the same grid; spans are of the first.
    rule : ProfileRule
    """

    def __init__(self, captures: Sequence[Captured], rule: ProfileRule):
        self._captures = captures
        self._feeds = [FreshTrades(capture) for capture in captures]
        self._capture = captures[0]
        self._rule = rule
        self._seen: dict[str, Any] | None = None  # what of the time axis the page shows
        self._restart(rule.row_ticks or 1)

    def twin(self) -> ProfileModel:
        """Return a fresh model that shows the same."""
        other = ProfileModel(self._captures, self._rule)
        other._seen = self._seen
        return other

    def pull(self, wants: Sequence[dict[str, Any]], full: bool, now_ns: int) -> Message | None:
        """Profile as it is now, or the rows of it that changed; None while nothing has."""
        for want in wants:
            if want.get("k") == "view":
                self._choose(want)
        if any(feed.is_outdated() for feed in self._feeds):  # the session forgot everything, after a seek
            self._restart(self._rule.row_ticks or 1)
        fresh = self._take()
        moved = self._move(now_ns)
        if self._reconsider():
            moved = self._move(now_ns) or moved
        if not full and self._sent is not None and not fresh and not moved:
            return None
        return self._message(full)

    # -- what the page wants -------------------------------------------------------------------------------------
    def _choose(self, want: dict[str, Any]) -> None:
        names = ("kind", "value_area", "method", "period", "start_ns", "end_ns")
        rule = replace(self._rule, **{name: want[name] for name in names if name in want})
        if "row_ticks" in want:
            rows = want["row_ticks"]
            rule = replace(rule, row_ticks=None if rows in (None, "auto") else int(rows))
        if "seen" in want:
            self._seen = _seen(want["seen"])
        if rule != self._rule:
            self._rule = rule
            self._restart(rule.row_ticks or self._row_ticks)

    def _restart(self, row_ticks: int) -> None:
        rule, instrument = self._rule, self._capture.instrument
        self._row_ticks = row_ticks
        self._window = ProfileWindow(self._capture, row_ticks)
        self._step = self._fitting_step()
        step = (instrument, self._step, row_ticks, rule.value_area, rule.method)
        self._whole = DevelopingProfile(*step)
        apart = bool(rule.period) and len(self._feeds) == 1  # sessions side by side have no periods in order
        self._naked = NakedPocs(instrument, rule.period, row_ticks) if apart else None
        self._sent: tuple[int, Array] | None = None
        self._known_points = 0
        for feed in self._feeds:
            feed.restart()

    def _fitting_step(self) -> str:
        # of a recording whose trades are still being read, all events say how long it will be
        being_read = reading_of(self._capture) is not None
        trades = self._capture.columns if being_read else self._capture.trades
        edges = (trades.row_at(0), len(trades) - 1)
        first, last = (next(iter(trades.chunks(row, row + 1)), None) if row >= 0 else None for row in edges)
        span = int(last[0][0]) - int(first[0][0]) if first is not None and last is not None else 0
        return next((s for s in _STEPS if span <= interval_ns(s) * MOST_POINTS // 2), _STEPS[-1])

    # -- what is summed ------------------------------------------------------------------------------------------
    def _take(self) -> bool:
        anything = False
        for feed in self._feeds:
            fresh = feed.take()
            if fresh is None:
                continue
            anything = True
            self._whole.update(fresh.prints)
            if self._naked is not None:
                self._naked.update(fresh.prints)
        return anything

    def _move(self, now_ns: int) -> bool:
        """Let the window follow its span; whether the picture of a span changed."""
        if not self._rule.spanned:
            return False
        return self._window.move(*self._span(now_ns))

    def _span(self, now_ns: int) -> tuple[int | None, int | None]:
        if self._rule.kind == "fixed":
            return self._rule.start_ns, self._rule.end_ns
        seen = self._seen
        if seen is None:
            return None, None
        left, right = (round(seen[name] * 1e6) for name in ("left_ms", "right_ms"))
        return (now_ns - (right - left), None) if seen.get("follow") else (left, right)

    @property
    def _builder(self) -> ProfileBuilder:
        return self._window.builder if self._rule.spanned else self._whole.builder

    def _reconsider(self) -> bool:
        """Choose other rows, or other steps, where these have become too many."""
        span = self._whole.builder.height
        if not span:
            return False
        wanted = nice_ticks(span * self._row_ticks / MOST_ROWS)
        coarser = self._rule.row_ticks is None and wanted >= 2 * self._row_ticks
        crowded = len(self._whole.points) > MOST_POINTS and self._fitting_step() != self._step
        if not coarser and not crowded:
            return False
        self._restart(wanted if coarser else self._row_ticks)
        self._take()
        return True

    # -- what is sent --------------------------------------------------------------------------------------------
    def _message(self, full: bool) -> Message | None:
        rows = self._builder.rows()
        outline = self._builder.outline(self._rule.value_area, self._rule.method)
        if outline is None:
            # an empty span is told, an empty market is not: the page waits for it
            return self._empty() if self._rule.spanned and self._whole.builder.height else None
        low, lots = int(rows[0, 0]), dense(rows)
        content = {**self._facts(), "low_row": low, "count": lots.shape[1]}
        content.update(zip(("poc_row", "val_row", "vah_row"), outline))
        content["hvn"], content["lvn"] = ([low + at for at in nodes] for nodes in volume_nodes(_totals(lots)))
        return self._difference(content, low, lots, full)

    def _difference(self, content: dict[str, Any], low: int, lots: Array, full: bool) -> Message:
        sent, self._sent = self._sent, (low, lots)
        developing = self._developing()
        known, self._known_points = (
            self._known_points,
            max(len(developing) - 1, 0),
        )  # the last one still moves
        if not full and sent is not None and sent[0] == low and sent[1].shape == lots.shape:
            changed = np.flatnonzero((sent[1] != lots).any(axis=0)).astype(np.int32)
            content.update(k="some", dev_from=min(known, len(developing)))
            return content, [
                np.ascontiguousarray(lots[:, changed]),
                developing[content["dev_from"] :],
                changed,
            ]
        content.update(k="rows", dev_from=0)
        return content, [lots, developing]

    def _empty(self) -> Message:
        self._sent = None
        nothing = {"low_row": 0, "count": 0, "poc_row": None, "val_row": None, "vah_row": None}
        content = {**self._facts(), **nothing, "hvn": [], "lvn": [], "k": "rows", "dev_from": 0}
        return content, [np.zeros((3, 0)), np.zeros((0, 4))]

    def _facts(self) -> dict[str, Any]:
        rule = self._rule
        naked = sorted(self._naked.naked.items()) if self._naked is not None else []
        return {
            "kind": rule.kind,
            "row_ticks": self._row_ticks,
            "auto": rule.row_ticks is None,
            "value_area": rule.value_area,
            "method": rule.method,
            "period": rule.period,
            "naked": [[row, start / 1e6] for row, start in naked],
        }

    def _developing(self) -> Array:
        """Points (ms, rows of POC, VAL, VAH), float64, shape (n, 4); none of a span or a composite."""
        if self._rule.kind != "session":
            return np.zeros((0, 4))
        points = np.array(self._whole.now, np.float64).reshape(-1, 4)
        points[:, 0] /= 1e6
        return points


def _seen(said: Any) -> dict[str, Any] | None:
    """Time range that a page shows; None if what it says is none."""
    if not isinstance(said, dict):
        return None
    left, right = finite(said.get("left_ms")), finite(said.get("right_ms"))
    if left is None or right is None or max(abs(left), abs(right)) >= 1e13:
        return None
    return {"left_ms": left, "right_ms": right, "follow": bool(said.get("follow"))}


def dense(rows: IntArray) -> Array:
    """Lots of every row from the lowest to the highest: bought, sold, unknown; float64, shape (3, n)."""
    low, count = int(rows[0, 0]), int(rows[-1, 0] - rows[0, 0]) + 1
    lots = np.zeros((3, count))
    lots[:, rows[:, 0] - low] = rows[:, 1:].T
    return lots


def _totals(lots: Array) -> IntArray:
    totals: IntArray = np.rint(lots.sum(axis=0)).astype(np.int64)
    return totals
