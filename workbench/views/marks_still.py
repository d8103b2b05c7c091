"""Marks in still pictures: the same content that the page gets, on the PNG and in the Plotly figure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.events import FloatArray, Instrument
from workbench.views import axes
from workbench.views.picture import Canvas
from workbench.views.theme import rgb, theme

BANDS: Final = (1, 2)
FLAG_PX: Final = 4.0
LABEL_SIGNS: Final = 32
Layers = dict[str, Any]


@dataclass(frozen=True)
class Plot:
    """Where the chart lies in a picture, in pixels, and what it shows, in ms and ticks."""

    left: float
    top: float
    right: float
    bottom: float
    start_ms: float
    end_ms: float
    low_tick: float
    high_tick: float

    def x(self, ms: Any) -> Any:
        """Pixels of a time."""
        return self.left + (ms - self.start_ms) / (self.end_ms - self.start_ms) * (self.right - self.left)

    def y(self, tick: Any) -> Any:
        """Pixels of the middle of a price's row."""
        share = (tick + 0.5 - self.low_tick) / (self.high_tick - self.low_tick)
        return self.bottom - share * (self.bottom - self.top)

    def shows(self, ms: float, tick: float | None) -> bool:
        """Whether a point lies inside; one without a price does by its time."""
        inside = tick is None or self.low_tick <= tick + 0.5 <= self.high_tick
        return self.start_ms <= ms <= self.end_ms and inside

    def box(self, region: dict[str, Any]) -> tuple[float, float, float, float] | None:
        """Left, top, right, bottom of a region, cut to the chart; None: outside."""
        left, right = (
            float(np.clip(self.x(region[name]), self.left, self.right)) for name in ("left", "right")
        )
        low = self.bottom if region["low"] is None else self.y(region["low"])
        high = self.top if region["high"] is None else self.y(region["high"])
        top, bottom = (float(np.clip(edge, self.top, self.bottom)) for edge in (high, low))
        return (left, top, right, bottom) if right > left and bottom > top else None


def lines_of(layers: Layers) -> Iterator[tuple[str, str, FloatArray, FloatArray, bool]]:
    """Each line to be drawn: name, colour, ms, ticks, whether it is a band; NaN where it breaks."""
    for line in layers.get("lines", ()):
        if line.get("gone"):
            continue
        ms, ticks = np.array(line["ms"], float), np.array(line["ticks"], float)
        yield line["name"], line["colour"], ms, ticks[0], False
        for k in BANDS if line["kind"] == "vwap" else ():
            yield f"{line['name']} +{k}σ", line["colour"], ms, ticks[0] + k * ticks[1], True
            yield f"{line['name']} −{k}σ", line["colour"], ms, ticks[0] - k * ticks[1], True


# -- PNG -------------------------------------------------------------------------------------------------------------
def add_marks_png(canvas: Canvas, layers: Layers, plot: Plot) -> None:
    """Draw what lies over the market on a picture.

    Parameters
    ----------
    canvas : Canvas
    layers : dict
        As :class:`~workbench.views.heat_marks.HeatMarks` tells a page everything.
    plot : Plot
    """
    own = {c: c for c in _colours(layers) if c not in canvas.colours}
    canvas.colours = {**canvas.colours, **own}
    if layers.get("selection"):
        _draw_region(canvas, plot, layers["selection"], "accent", "")
    for label in layers.get("labels", {}).get("items", ()):
        _draw_region(canvas, plot, label, "last", label["name"])
    for _, colour, ms, ticks, is_band in lines_of(layers):
        _draw_line(canvas, plot, ms, ticks, colour, 110 if is_band else 235)
    account = layers.get("account", {})
    if account.get("position"):
        _draw_entry(canvas, plot, *account["position"])
    for order in account.get("orders", ()):
        _draw_order(canvas, plot, order)
    for marks in layers.get("marks", {}).values():
        for ms, tick, side in zip(marks["ms"], marks["tick"], marks["side"]):
            _draw_flag(canvas, plot, ms, tick, side, FLAG_PX, marks["colour"])
    for ms, tick, side, _ in account.get("fills", ()):
        _draw_flag(canvas, plot, ms, tick, side, FLAG_PX * 1.5, "buy" if side > 0 else "sell")


def _colours(layers: Layers) -> set[str]:
    sets = {marks["colour"] for marks in layers.get("marks", {}).values()}
    return sets | {line["colour"] for line in layers.get("lines", ()) if "colour" in line}


def _draw_region(canvas: Canvas, plot: Plot, region: dict[str, Any], role: str, name: str) -> None:
    box = plot.box(region)
    if box is None:
        return
    left, top, right, bottom = box
    canvas.box(*box, role, 30)
    canvas.line([(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], role, 1.0, 210)
    if name:
        short = name if len(name) <= LABEL_SIGNS else name[: LABEL_SIGNS - 1] + "…"
        canvas.text(left + 4, top + 8, short.replace("\n", " "), role, 11)


def _draw_line(
    canvas: Canvas, plot: Plot, ms: FloatArray, ticks: FloatArray, colour: str, alpha: int
) -> None:
    inside = (ms >= plot.start_ms) & (ms <= plot.end_ms)
    inside &= (ticks + 0.5 >= plot.low_tick) & (ticks + 0.5 <= plot.high_tick)  # NaN compares as outside
    run: list[tuple[float, float]] = []
    for x, y, is_inside in zip(plot.x(ms), plot.y(ticks), inside):
        if is_inside:
            run.append((float(x), float(y)))
        elif run:
            _finish(canvas, run, colour, alpha)
            run = []
    _finish(canvas, run, colour, alpha)


def _finish(canvas: Canvas, run: list[tuple[float, float]], colour: str, alpha: int) -> None:
    if len(run) > 1:
        canvas.line(run, colour, 1.2, alpha)


def _draw_order(canvas: Canvas, plot: Plot, order: dict[str, Any]) -> None:
    role = "bid" if order["side"] > 0 else "ask"
    ends = [step[0] for step in order["steps"][1:]] + [plot.end_ms if order["end"] is None else order["end"]]
    for (start, tick, _), end in zip(order["steps"], ends):
        left, right = (float(np.clip(plot.x(ms), plot.left, plot.right)) for ms in (start, end))
        if right > left and plot.low_tick <= tick + 0.5 <= plot.high_tick:
            canvas.line([(left, plot.y(tick)), (right, plot.y(tick))], role, 1.6)


def _draw_entry(canvas: Canvas, plot: Plot, size: float, tick: float) -> None:
    """Price of entry of the open position, all along."""
    if plot.low_tick <= tick + 0.5 <= plot.high_tick:
        role, y = "buy" if size > 0 else "sell", float(plot.y(tick))
        canvas.line([(plot.left, y), (plot.right, y)], role, 0.8, 150)
        words = f"{'long' if size > 0 else 'short'} {axes.size_text(abs(size))}"
        canvas.text(plot.left + 6, y - 8, words, role, 11)


def _draw_flag(
    canvas: Canvas, plot: Plot, ms: float, tick: float | None, side: int, size: float, colour: str
) -> None:
    if not plot.shows(ms, tick):
        return
    edge = plot.top + 3 * FLAG_PX if side < 0 else plot.bottom - 3 * FLAG_PX
    x, y = float(plot.x(ms)), edge if tick is None else float(plot.y(tick))
    if side == 0:
        corners = [(x, y - size), (x + size, y), (x, y + size), (x - size, y)]
    else:
        base = y + side * (1.5 + size * 1.7)
        corners = [(x, y + side * 1.5), (x - size, base), (x + size, base)]
    canvas.polygon(corners, colour)


# -- Plotly ----------------------------------------------------------------------------------------------------------
def add_marks_figure(
    chart: Any, layers: Layers, instrument: Instrument, theme_name: str, start_ms: float, end_ms: float
) -> None:
    """Draw what lies over the market in a figure; parameters as :func:`add_marks_png`."""
    shades = theme(theme_name)
    tick_size = float(instrument.tick_size)
    for name, colour, ms, ticks, is_band in lines_of(layers):
        inside = (ms >= start_ms) & (ms <= end_ms)
        line = {"color": shades.get(colour, colour), "width": 1, "dash": "dot" if is_band else "solid"}
        points = {"x": _times(ms[inside]), "y": ticks[inside] * tick_size}
        chart.add_scatter(**points, mode="lines", line=line, name=axes.plain(name), showlegend=not is_band)
    for name, marks in _all_marks(layers).items():
        known = [i for i, tick in enumerate(marks["tick"]) if tick is not None]
        shown = [i for i in known if start_ms <= marks["ms"][i] <= end_ms]
        _add_flags(chart, name, marks, shown, tick_size, shades)
    for region, role in _regions(layers):
        _add_region(chart, region, tick_size, shades[role], region.get("name", ""))


def _regions(layers: Layers) -> list[tuple[dict[str, Any], str]]:
    labels = [(label, "last") for label in layers.get("labels", {}).get("items", ())]
    return ([(layers["selection"], "accent")] if layers.get("selection") else []) + labels


def _all_marks(layers: Layers) -> dict[str, dict[str, Any]]:
    """Sets of flags, own fills among them."""
    fills = layers.get("account", {}).get("fills", [])
    sets = dict(layers.get("marks", {}))
    if fills:
        ms, tick, side, size = zip(*fills)
        text = [f"{'bought' if s > 0 else 'sold'} {axes.size_text(q)}" for s, q in zip(side, size)]
        sets["own fills"] = {"ms": ms, "tick": tick, "side": side, "text": text, "colour": "accent"}
    return sets


def _add_flags(
    chart: Any, name: str, marks: dict[str, Any], known: list[int], tick_size: float, shades: dict[str, str]
) -> None:
    symbols = {1: "triangle-up", -1: "triangle-down", 0: "diamond"}
    chart.add_scatter(
        x=_times(np.array([marks["ms"][i] for i in known], float)),
        y=[marks["tick"][i] * tick_size for i in known],
        mode="markers",
        marker={
            "symbol": [symbols[marks["side"][i]] for i in known],
            "size": 10,
            "color": shades.get(marks["colour"], marks["colour"]),
            "line": {"width": 1, "color": shades["background"]},
        },
        text=[axes.plain(marks["text"][i]) for i in known],
        hovertemplate="%{x}<br>%{y}<br>%{text}<extra>" + axes.plain(name) + "</extra>",
        name=axes.plain(name),
    )


def _add_region(chart: Any, region: dict[str, Any], tick_size: float, colour: str, name: str) -> None:
    left, right = _times(np.array([region["left"], region["right"]]))
    bounded = region["low"] is not None and region["high"] is not None
    low, high = (region["low"] * tick_size, region["high"] * tick_size) if bounded else (0, 1)
    chart.add_shape(
        type="rect",
        x0=left,
        x1=right,
        y0=low,
        y1=high,
        yref="y" if bounded else "paper",
        line={"color": colour, "width": 1, "dash": "dash"},
        fillcolor="rgba({}, {}, {}, 0.12)".format(*rgb(colour)),
        label={"text": axes.plain(name), "textposition": "top left", "font": {"color": colour}},
    )


def _times(ms: FloatArray) -> Any:
    return np.asarray(ms, float).astype("datetime64[ms]")
