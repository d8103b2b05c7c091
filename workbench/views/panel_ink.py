"""How the series of a panel are drawn on a still picture."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

import numpy as np

from workbench.views.panel_buckets import Values
from workbench.views.panel_parts import Panel, Part, spread_out
from workbench.views.picture import Canvas

Point = tuple[float, float]
_HATCH_PX: Final = 7


class Ink:
    """One pane of a picture: pixels of times and values, and the strokes of each kind of series.

    Parameters
    ----------
    canvas : Canvas
    panel : Panel
    sides : (float, float), pixels
        Left and right edge.
    edges : (float, float), pixels
        Top and bottom edge.
    span : (float, float)
        Values at the bottom and at the top.
    """

    def __init__(
        self,
        canvas: Canvas,
        panel: Panel,
        sides: tuple[float, float],
        edges: tuple[float, float],
        span: tuple[float, float],
    ):
        self.canvas, self.panel = canvas, panel
        self._sides, self._edges, self._span = sides, edges, span
        self._per_ms = (sides[1] - sides[0]) / max(panel.end_ms - panel.start_ms, 1e-9)

    @property
    def tall(self) -> float:
        """Height, pixels."""
        return self._edges[1] - self._edges[0]

    def scaled(self, extremes: tuple[float, float]) -> Ink:
        """Return the same pane with a scale of its own."""
        span = spread_out([extremes], False, False)
        return Ink(self.canvas, self.panel, self._sides, self._edges, span)

    def x(self, ms: float) -> float:
        """Pixel of a moment."""
        return self._sides[0] + (ms - self.panel.start_ms) * self._per_ms

    def y(self, value: float) -> float:
        """Pixel of a value."""
        low, high = self._span
        return self._edges[1] - (value - low) / max(high - low, 1e-300) * self.tall

    def draw(self, part: Part) -> None:
        """Draw a series as its kind wants it."""
        kind = part.series["kind"]
        if kind == "bars":
            self._bars(part)
        elif kind == "area":
            self._area(part)
        else:
            if part.has("least") and part.has("most"):
                self._range(part)
            if kind == "signed":
                self._fill(part)
            self._line(part.shown, part, 1.0 if part.series.get("own") else 1.4)
            for k in part.series.get("bands", ()):
                for sign in (-1, 1):
                    self._line(part["value"] + sign * k * part["sigma"], part, 0.7, 150)

    def _line(self, values: Values, part: Part, width: float, alpha: int = 255) -> None:
        for run in self._runs(values):
            for stroke in dashed(run, part.dash):
                if len(stroke) > 1:
                    self.canvas.line(stroke, part.role, width, alpha)

    def _runs(self, values: Values) -> list[list[Point]]:
        """Points of a step line, in pieces: it breaks where a value is unknown and where events were missing."""
        runs: list[list[Point]] = [[]]
        for ms, value in zip(self.panel.times.tolist(), values.tolist()):
            if runs[-1] and (value != value or self._broken(ms)):
                runs.append([])
            if value == value:
                if runs[-1]:
                    runs[-1].append((self.x(ms), runs[-1][-1][1]))
                runs[-1].append((self.x(ms), self.y(value)))
        return runs

    def _broken(self, ms: float) -> bool:
        """Whether a gap ends in this column or lies over it."""
        before = ms - self.panel.column_ms
        return any(
            begin <= ms and (end is None or end >= before) for begin, end in self.panel.content["gaps"]
        )

    def _bars(self, part: Part) -> None:
        wide = max(self.panel.column_ms * self._per_ms * 0.85, 0.6)
        zero = self.y(0)
        for ms, value in zip(self.panel.times.tolist(), part.shown.tolist()):
            y, role = self.y(value), "buy" if value >= 0 else "sell"
            self.canvas.box(self.x(ms), min(y, zero), self.x(ms) + wide, max(y, zero), role, 220)

    def _area(self, part: Part) -> None:
        wide, zero = self.panel.column_ms * self._per_ms, self.y(0)
        sign = -1 if part.series.get("down") else 1
        alpha = round(255 * part.series.get("shade", 0.5))
        for ms, value in zip(self.panel.times.tolist(), part.shown.tolist()):
            if value == value:
                y = self.y(sign * value)
                self.canvas.box(self.x(ms), min(y, zero), self.x(ms) + wide, max(y, zero), part.role, alpha)

    def _fill(self, part: Part) -> None:
        wide, zero = self.panel.column_ms * self._per_ms, self.y(0)
        for ms, value in zip(self.panel.times.tolist(), part.shown.tolist()):
            if value == value:
                y, role = self.y(value), "bid" if value >= 0 else "ask"
                self.canvas.box(self.x(ms), min(y, zero), self.x(ms) + wide, max(y, zero), role, 75)

    def _range(self, part: Part) -> None:
        wide = max(self.panel.column_ms * self._per_ms, 0.5)
        for ms, low, high in zip(self.panel.times.tolist(), part["least"].tolist(), part["most"].tolist()):
            if low == low:
                x = self.x(ms)
                self.canvas.box(x, self.y(high), x + wide, self.y(low), part.role, 90)

    def gaps(self, gaps: list[list[float | None]]) -> None:
        """Hatch the time in which events were missing."""
        top, bottom = self._edges
        for begin, end in gaps:
            left = max(self.x(begin or 0.0), self._sides[0])
            right = self._sides[1] if end is None else min(max(self.x(end), left + 2), self._sides[1])
            self.canvas.box(left, top, right, bottom, "gap", 50)
            for x in np.arange(left, right, _HATCH_PX):
                reach = min(right - x, self.tall)
                self.canvas.line([(x, bottom), (x + reach, bottom - reach)], "gap", 0.7, 170)

    def marks(self, marks: list[dict[str, Any]]) -> None:
        """Draw resets and anchors as upright lines, divergence as arrows."""
        for mark in marks:
            x = self.x(mark.get("until_ms", mark["ms"]))
            if mark["kind"] in ("bearish", "bullish"):
                self._arrow(x, mark)
            elif self._sides[0] <= x <= self._sides[1]:
                for stroke in dashed([(x, self._edges[0]), (x, self._edges[1])], (3, 3)):
                    self.canvas.line(stroke, "faint", 1.0)

    def _arrow(self, x: float, mark: dict[str, Any]) -> None:
        down = mark["kind"] == "bearish"
        y = self.y(mark["value"]) + (-12 if down else 12)
        y = min(max(y, self._edges[0] + 6), self._edges[1] - 6)
        tip, role = (6 if down else -6), "sell" if down else "buy"
        self.canvas.line([(x - 4, y), (x, y + tip), (x + 4, y)], role, 1.8)

    @staticmethod
    def sample(canvas: Canvas, x: float, y: float, part: Part) -> None:
        """Draw what a series looks like, for the legend."""
        for stroke in dashed([(x, y), (x + 16, y)], part.dash):
            canvas.line(stroke, part.role, 2.0)


def dashed(points: list[Point], dash: tuple[int, ...]) -> list[list[Point]]:
    """Pieces of a polyline that a dash leaves, its lengths being pixels on and off by turns."""
    if not dash or len(points) < 2:
        return [points]
    pieces: list[list[Point]] = [[points[0]]]
    phase, left = 0, float(dash[0])
    for (x0, y0), (x1, y1) in pairwise(points):
        length, done = float(np.hypot(x1 - x0, y1 - y0)), 0.0
        while length - done > left:
            done += left
            at = (x0 + (x1 - x0) * done / length, y0 + (y1 - y0) * done / length)
            if phase % 2 == 0:
                pieces[-1].append(at)
            else:
                pieces.append([at])
            phase, left = phase + 1, float(dash[(phase + 1) % len(dash)])
        left -= length - done
        if phase % 2 == 0:
            pieces[-1].append((x1, y1))
    return pieces
