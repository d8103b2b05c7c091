"""The numbers of a panel message, picked out as its series name them: what page and still pictures draw alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.events import Array
from workbench.views.live import Message
from workbench.views.panel_buckets import Values

LINE_ROLES: Final = ("accent", "last", "violet", "text", "warn")
"""Colours of series that name none, by their style; ``panel_store.js`` has the same."""
DASHES: Final = ((), (6, 3), (2, 2), (8, 3, 2, 3), (1, 3))
"""Dashes by style, pixels on and off: a series is told by more than its colour."""


@dataclass(frozen=True)
class Part:
    """One series: its description and its numbers by column."""

    series: dict[str, Any]
    values: Values

    def __getitem__(self, name: str) -> Values:
        """Return the numbers of one field, NaN where unknown; shape (n_columns,)."""
        column: Values = self.values[:, self.series["at"][name]]
        return column

    def has(self, name: str) -> bool:
        """Whether the series carries a field."""
        return name in self.series["at"]

    @property
    def role(self) -> str:
        """Role of its colour."""
        given: str = self.series.get("role", "")
        return given or LINE_ROLES[self.series["style"] % len(LINE_ROLES)]

    @property
    def dash(self) -> tuple[int, ...]:
        """Dash of its line."""
        return DASHES[self.series["style"] % len(DASHES)]

    @property
    def shown(self) -> Values:
        """The number that stands for a column: what a line goes through."""
        for name in ("value", "last", "mean"):
            if self.has(name) and not (name == "last" and self.has("mean")):
                return self[name]
        return self["buy"] - self["sell"]

    @property
    def newest(self) -> float:
        """The value now; NaN where unknown."""
        if not len(self.values):
            return float("nan")
        if self.has("last"):
            return float(self["last"][-1])
        return float(self.shown[-1])

    def extremes(self) -> tuple[float, float]:
        """Lowest and highest number it draws; (nan, nan) without any."""
        names = [name for name in ("least", "most", "mean", "value") if self.has(name)]
        columns = [self[name] for name in names] or [self.shown]
        if "sigma" in self.series["at"]:
            reach = max(self.series["bands"], default=0.0) * self["sigma"]
            columns += [self["value"] - reach, self["value"] + reach]
        known = np.concatenate(columns)
        known = known[~np.isnan(known)]
        if not len(known):
            return float("nan"), float("nan")
        low, high = float(known.min()), float(known.max())
        return (-high, -low) if self.series.get("down") else (low, high)


@dataclass(frozen=True)
class Panel:
    """A whole panel message."""

    times: Array  # begin of each column, ms, float64
    column_ms: float
    parts: tuple[Part, ...]
    content: dict[str, Any]

    @property
    def start_ms(self) -> float:
        """Begin of the first column."""
        return float(self.times[0]) if len(self.times) else float(self.content["start_ms"])

    @property
    def end_ms(self) -> float:
        """End of the last column."""
        last = float(self.times[-1]) if len(self.times) else float(self.content["start_ms"])
        return last + self.column_ms

    def of_pane(self, pane: int) -> list[Part]:
        """Series of a pane in the order in which they are drawn."""
        return [part for part in self.parts if part.series["pane"] == pane]

    def range_of(self, pane: int) -> tuple[float, float]:
        """Value axis of a pane, with a little room: of its series without a scale of their own."""
        described = self.content["panes"][pane]
        if "bounds" in described:
            return described["bounds"][0], described["bounds"][1]
        pairs = [part.extremes() for part in self.of_pane(pane) if not part.series.get("own")]
        return spread_out(pairs, described["zero"], bool(described.get("mirror")))


def spread_out(pairs: list[tuple[float, float]], zero: bool, mirror: bool) -> tuple[float, float]:
    """Axis round the extremes of some series: with zero, or as far below zero as above, where asked."""
    known = [pair for pair in pairs if pair[0] == pair[0]]
    if not known:
        return 0.0, 1.0
    low, high = min(pair[0] for pair in known), max(pair[1] for pair in known)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if mirror:
        low, high = -max(-low, high), max(-low, high)
    room = (high - low) * 0.06 or abs(high) * 1e-4 or 1.0
    return (low - room if low else 0.0), (high + room if high else 0.0) or room


def panel_of(message: Message) -> Panel:
    """Read a snapshot as the page reads it."""
    content, (offsets, values) = message
    times = content["first_ms"] + offsets.astype(np.float64) * content["column_ms"]
    parts = tuple(Part(series, values) for series in content["series"])
    return Panel(times, content["column_ms"], parts, content)
