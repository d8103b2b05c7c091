"""What is drawn over the heatmap: selection, labels, own orders and fills, signal marks, lines, VWAP, gaps."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import numpy as np
import polars as pl

from workbench.errors import WorkbenchError
from workbench.frames.label_file import Label
from workbench.frames.labels import Labels
from workbench.session.labels import trouble_of
from workbench.views.first_look import time_is_up
from workbench.views.ladder_orders import Notes, open_position, why_not
from workbench.views.live import Captured
from workbench.views.mark_sets import MOST_NAMED, Points, check_colour, points_of
from workbench.views.order_lines import fill_marks, order_lines
from workbench.views.selection import Selection, region_of
from workbench.views.vwap_line import VwapLine

MOST_GAPS: Final = 500
MOST_LABELS: Final = 2_000
FOLDERS_EVERY: Final = 20
"""Pulls between two looks at the recordings that labels belong to: a second at 20 Hz."""


class HeatMarks:
    """Marks of one heatmap; safe from any thread.

    Parameters
    ----------
    session : Showable
    capture : Captured
    """

    def __init__(self, session: Any, capture: Captured):
        self._session = session
        self._capture = capture
        self._instrument = capture.instrument
        self._lock = threading.RLock()
        self.labels: Labels = Labels.of_session(session, self._instrument.symbol)
        self.trouble = ""
        self._pulls = 0
        self._selection: Selection | None = None
        self._sets: dict[str, dict[str, Any]] = {}
        self._lines: dict[str, tuple[str, Points]] = {}
        self._functions: dict[str, tuple[str, Callable[[Any], Any], int]] = {}
        self._vwap: VwapLine | None = VwapLine(capture)
        self.shows_vwap: Callable[[], bool] = lambda: True
        self._versions = dict.fromkeys(("selection", "sets"), 0)
        self._account: tuple[object, dict[str, Any]] = (-1, {"orders": [], "fills": []})
        self.notes = Notes()
        self.pull = self.reader()

    # -- what is put there -------------------------------------------------------------------------------------------
    @property
    def selection(self) -> Selection | None:
        """What is selected, None: nothing."""
        return self._selection

    def select(self, selection: Selection | None) -> None:
        """Draw a selection, or none."""
        with self._lock:
            self._selection = selection
            self._versions["selection"] += 1

    def put_marks(self, name: str, content: dict[str, Any]) -> None:
        """Draw a set of marks under a name; an earlier one of that name goes."""
        with self._lock:
            self._sets[checked_title(name, [*self._sets, *self.line_names])] = content
            self._versions["sets"] += 1

    def put_line(self, name: str, what: Any, colour: str, value: str | None) -> None:
        """Draw a line under a name: a frame as it is, a function of the session asked again as events come."""
        check_colour(colour)
        points = points_of(what(self._session) if callable(what) else what, self._instrument, value)
        with self._lock:
            name = checked_title(name, [*self._sets, *self.line_names])
            self._lines[name] = (colour, points)
            self._functions.pop(name, None)
            if callable(what):
                self._functions[name] = (value or "", what, len(self._capture.columns))

    def remove(self, name: str) -> None:
        """Take marks or a line off the chart."""
        with self._lock:
            if name not in self._sets and name not in self._lines:
                have = [*self._sets, *self._lines]
                raise WorkbenchError(
                    f"nothing named {name!r:.80}", expected=f"one of {have}", code="unknown_mark"
                )
            self._sets.pop(name, None)
            self._lines.pop(name, None)
            self._functions.pop(name, None)
            self._versions["sets"] += 1

    @property
    def line_names(self) -> list[str]:
        """Names of lines."""
        return list(self._lines)

    @property
    def mark_counts(self) -> dict[str, int]:
        """How many marks each set has."""
        return {name: sum(content["count"]) for name, content in self._sets.items()}

    def anchor_vwap(self, anchor_ns: int | None) -> None:
        """Begin VWAP at a moment, 0: at the first trade; None: draw none."""
        with self._lock:
            self._vwap = None if anchor_ns is None else VwapLine(self._capture, anchor_ns)

    # -- what is sent ------------------------------------------------------------------------------------------------
    def reader(self, *, whole: bool = False) -> Callable[[bool], dict[str, Any] | None]:
        """Return a function of whether everything is wanted, that gives what changed since its last call, or None.

        Parameters
        ----------
        whole : bool
            Take in everything that came before answering, as still pictures want it; on a first look what there is
            time for.
        """
        sent: dict[str, Any] = {}

        def pull(full: bool) -> dict[str, Any] | None:
            while whole and not self._draws_all_vwap() and not time_is_up():
                pass  # the page's own pulls go between
            with self._lock:
                if full:
                    sent.clear()
                self._follow(whole)
                return self._changes(sent)

        return pull

    def _draws_all_vwap(self) -> bool:
        """Take in a piece of what came; whether VWAP, if it is drawn, holds everything."""
        with self._lock:
            return self._vwap is None or not self.shows_vwap() or self._vwap.follow()

    def _follow(self, whole: bool) -> None:
        if self._pulls % FOLDERS_EVERY == 0 or whole:
            self.trouble = trouble_of(self._session, self.labels)
            self._ask_functions()
        self._pulls += 1
        if self._vwap is not None and self.shows_vwap():
            self._vwap.follow()

    def _ask_functions(self) -> None:
        length = len(self._capture.columns)
        for name, (value, function, asked) in list(self._functions.items()):
            if asked != length:
                self._functions[name] = (value, function, length)
                self._ask_function(name, value, function)

    def _ask_function(self, name: str, value: str, function: Callable[[Any], Any]) -> None:
        try:
            points = points_of(function(self._session), self._instrument, value or None)
        except Exception as error:  # noqa: BLE001 - the user's own code: shown under the chart, which goes on
            self.trouble = f"line {name!r}: {type(error).__name__}: {error}"
        else:
            self._lines[name] = (self._lines[name][0], points)

    def _changes(self, sent: dict[str, Any]) -> dict[str, Any] | None:
        news: dict[str, Any] = {}
        self._when(sent, news, "selection", self._versions["selection"], self._selection_content)
        self._when(sent, news, "labels", (self.labels.version, self.trouble), self._labels_content)
        self._when(sent, news, "marks", self._versions["sets"], lambda: dict(self._sets))
        gap_rows = getattr(self._capture, "gap_rows", ())  # others after a seek
        self._when(sent, news, "gaps", (gap_rows, len(gap_rows)), self._gaps_content)
        self._when(sent, news, "account", self._account_version(), self._account_content)
        lines = self._lines_content(sent)
        if lines:
            news["lines"] = lines
        return news or None

    @staticmethod
    def _when(
        sent: dict[str, Any], news: dict[str, Any], name: str, version: object, content: Callable[[], Any]
    ) -> None:
        if sent.get(name) != version:
            sent[name] = version
            news[name] = content()

    def _selection_content(self) -> dict[str, Any] | None:
        if self._selection is None:
            return None
        return {**self._selection.region(), "facts": self._selection.facts, "code": self._selection.code}

    def _labels_content(self) -> dict[str, Any]:
        shown = [self._label(label) for label in self.labels][-MOST_LABELS:]
        return {"items": shown, "names": self.labels.names[:20], "trouble": self.trouble}

    def _label(self, label: Label) -> dict[str, Any]:
        low, high = (None if text is None else Decimal(text) for text in (label.low, label.high))
        corners = region_of(label.start, label.end, low, high, self._instrument)
        return {"id": label.id, "name": label.name, "note": label.note, **corners}

    # -- gaps and account --------------------------------------------------------------------------------------------
    def _gaps_content(self) -> list[list[float]]:
        gaps = self._capture.gaps.tail(MOST_GAPS)  # type: ignore[attr-defined]
        ms = gaps["ts"].to_physical().to_numpy() / 1e6
        return [[round(float(at), 3), lost] for at, lost in zip(ms, gaps["lost"].to_list())]

    def _account_version(self) -> object:
        orders = getattr(self._session, "orders", None)
        return 0 if orders is None else (orders.version, self._session.state, self.notes.told())

    def _account_content(self) -> dict[str, Any]:
        version = self._account_version()
        if self._account[0] != version:
            self._account = version, self._account_now()
        return self._account[1]

    def _account_now(self) -> dict[str, Any]:
        orders = getattr(self._session, "orders", None)
        if orders is not None:
            states, fills = orders.history, self._session.fills
        else:
            states, fills = self._recorded_account()
        if states is None:
            return {"orders": [], "fills": []}
        lines = order_lines(states, self._instrument)
        return {"orders": lines, "fills": fill_marks(fills, self._instrument), **self._desk_now(orders)}

    def _desk_now(self, orders: Any) -> dict[str, Any]:
        """Of an account that is alive: the open position, why a click places nothing, words about orders."""
        if orders is None:
            return {}
        return {
            "position": open_position(self._session, self._instrument),
            "why": why_not(self._session, self._instrument.symbol),
            "notes": self.notes.told(),
        }

    def _recorded_account(self) -> tuple[pl.DataFrame | None, pl.DataFrame | None]:
        recording = getattr(self._session, "recording", None)
        if recording is None or "orders" not in recording.tables:
            return None, None
        table = recording.table("orders").collect()
        return table.filter(pl.col("kind") == "ORDER"), table.filter(pl.col("kind") == "FILL")

    # -- lines -------------------------------------------------------------------------------------------------------
    def _lines_content(self, sent: dict[str, Any]) -> list[dict[str, Any]]:
        """Tails of lines that changed; ``from`` says how many points before them stay. A line that went has no points."""
        lines = dict(self._lines)
        if self._vwap is not None and self.shows_vwap():
            lines["VWAP"] = ("violet", self._vwap.points)
        known: dict[str, tuple[str, Points]] = sent.setdefault("lines", {})
        news: list[dict[str, Any]] = [{"name": name, "gone": True} for name in known if name not in lines]
        for name, (colour, points) in lines.items():
            old_colour, old = known.get(name, ("", None))
            if old is points and old_colour == colour:
                continue
            keep = 0 if old is None or old_colour != colour else _shared(old, points)
            if old is None or keep < len(points.ms) or keep < len(old.ms):
                kind = "vwap" if name == "VWAP" and name not in self._lines else "line"
                news.append(
                    {"name": name, "colour": colour, "kind": kind, "from": keep, **_tail(points, keep)}
                )
        sent["lines"] = lines
        return news


def _shared(old: Points, new: Points) -> int:
    """How many points both begin with."""
    if old.ticks.shape[1:] != new.ticks.shape[1:]:
        return 0
    count = min(len(old.ms), len(new.ms))
    same_values = (old.ticks[:count] == new.ticks[:count]) | (
        np.isnan(old.ticks[:count]) & np.isnan(new.ticks[:count])
    )
    same = (old.ms[:count] == new.ms[:count]) & same_values.all(axis=1)
    return count if same.all() else int(np.argmin(same))


def _tail(points: Points, start: int) -> dict[str, Any]:
    ticks = np.round(points.ticks[start:], 3)
    plain = [[None if np.isnan(v) else v for v in column] for column in ticks.T.tolist()]
    return {"ms": np.round(points.ms[start:], 3).tolist(), "ticks": plain}


def checked_title(name: Any, taken: list[str]) -> str:
    """Return the name of marks or a line, or refuse it: one too long, or one too many."""
    if not isinstance(name, str) or not name.strip() or len(name) > 80:
        raise WorkbenchError(f"name {name!r:.100}", expected="a text of 1 to 80 characters", code="bad_name")
    if name not in taken and len(taken) >= MOST_NAMED:
        raise WorkbenchError(f"{len(taken)} sets of marks and lines", expected=f"at most {MOST_NAMED}")
    return name
