"""Static twins of the line panels, from one full message: a PNG and a Plotly figure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any, Final

import numpy as np

from workbench.events import Instrument
from workbench.views import axes
from workbench.views.live import Message
from workbench.views.panel_buckets import Values
from workbench.views.panel_ink import Ink
from workbench.views.panel_parts import Panel, Part, panel_of
from workbench.views.picture import Canvas
from workbench.views.theme import rgb
from workbench.views.theme import theme as theme_colours

WIDTH: Final = 1100
_AXIS, _TOP, _BOTTOM, _LABEL_PX = 150, 26, 22, 26
_PLAIN: Final = str.maketrans({"−": "-", "≥": ">=", "–": "-"})
"""Signs that the font of the pictures lacks."""


@dataclass(frozen=True)
class Dressing:
    """What a still picture needs beside the numbers."""

    instrument: Instrument
    theme: str
    height: int
    zone: tzinfo
    title: str


def value_text(value: float, unit: str, instrument: Instrument) -> str:
    """Number as its unit is written; a dash where unknown."""
    if value != value:
        return "–"
    if unit == "price":
        places = max(0, -int(instrument.tick_size.normalize().as_tuple().exponent))
        return f"{value:.{places}f}"
    if unit == "ratio":
        return f"{value:+.2f}"
    if unit == "ticks":
        return f"{value:.3g}"
    return ("−" if value < 0 else "") + axes.size_text(abs(value))


# -- PNG -----------------------------------------------------------------------------------------------------------
def png(message: Message, dressing: Dressing) -> bytes:
    """Draw all panes under each other."""
    panel = panel_of(message)
    canvas = Canvas(WIDTH, dressing.height, dressing.theme)
    canvas.text(10, 13, dressing.instrument.symbol, "text", 13)
    weights = [pane.get("weight", 1.0) for pane in panel.content["panes"]]
    total = dressing.height - _TOP - _BOTTOM
    top = float(_TOP)
    for index, weight in enumerate(weights):
        high = total * weight / sum(weights)
        _pane(canvas, panel, index, (top, top + high - 6), dressing)
        top += high
    _clock(canvas, panel, dressing)
    return canvas.png()


def _pane(canvas: Canvas, panel: Panel, index: int, edges: tuple[float, float], dressing: Dressing) -> None:
    low, high = panel.range_of(index)
    ink = Ink(canvas, panel, (0.0, WIDTH - _AXIS), edges, (low, high))
    parts = panel.of_pane(index)
    unit = next((part.series["unit"] for part in parts if not part.series.get("own")), "size")
    _grid(ink, (low, high), unit, dressing)
    for part in parts:
        shown = ink if not part.series.get("own") else ink.scaled(part.extremes())
        shown.draw(part)
    ink.gaps(panel.content["gaps"])
    ink.marks(panel.content["marks"] if index == 0 else [])
    _legend(canvas, parts, panel.content["panes"][index]["name"], edges[0], dressing)


def _grid(ink: Ink, span: tuple[float, float], unit: str, dressing: Dressing) -> None:
    step = axes.nice_step(max(span[1] - span[0], 1e-12), max(1, int(ink.tall / _LABEL_PX)))
    first = int(np.ceil(span[0] / step))
    for k in range(first, int(np.floor(span[1] / step)) + 1):
        value = float(Decimal(repr(step)) * k)
        y = ink.y(value)
        ink.canvas.line([(0, y), (WIDTH - _AXIS, y)], "grid", 1.6 if value == 0 else 0.5)
        text = value_text(value, unit, dressing.instrument).translate(_PLAIN)
        ink.canvas.text(WIDTH - _AXIS + 6, y, text, "faint", 11)


def _legend(canvas: Canvas, parts: list[Part], name: str, top: float, dressing: Dressing) -> None:
    x = 90.0 if top <= _TOP else 10.0
    y = top - 13 if top <= _TOP else top + 8
    canvas.text(x, y, name, "faint", 11)
    x += 14 + 6.6 * len(name)
    for part in reversed(parts):
        text = f"{part.series['name']} {value_text(part.newest, part.series['unit'], dressing.instrument)}"
        text = text.translate(_PLAIN)
        Ink.sample(canvas, x, y, part)
        canvas.text(x + 20, y, text, part.role, 11)
        x += 34 + 6.6 * len(text)


def _clock(canvas: Canvas, panel: Panel, dressing: Dressing) -> None:
    start, end = panel.start_ms, panel.end_ms
    for ms, _ in axes.time_steps(start, end, 9):
        x = (ms - start) / max(end - start, 1e-9) * (WIDTH - _AXIS)
        if x < 24:
            continue
        moment = datetime.fromtimestamp(ms / 1e3, dressing.zone)
        long = end - start > 20 * 60_000
        canvas.text(
            x, dressing.height - 10, moment.strftime("%H:%M" if long else "%H:%M:%S"), "faint", 11, "mm"
        )
    canvas.text(WIDTH - 8, dressing.height - 10, datetime.fromtimestamp(end / 1e3, dressing.zone).strftime("%Y-%m-%d %Z"), "faint", 11, "rm")  # fmt: skip


# -- Plotly --------------------------------------------------------------------------------------------------------
def figure(message: Message, dressing: Dressing) -> Any:
    """Draw all panes as subplots over one time axis; the same message gives the same figure."""
    from plotly.subplots import make_subplots

    panel = panel_of(message)
    panes = panel.content["panes"]
    specs = [[{"secondary_y": True}] for _ in panes]
    weights = [float(pane.get("weight", 1.0)) for pane in panes]
    chart = make_subplots(
        len(panes), 1, shared_xaxes=True, vertical_spacing=0.03, row_heights=weights, specs=specs
    )
    for part in panel.parts:
        _trace(chart, panel, part, dressing)
    colours = theme_colours(dressing.theme)
    _marks(chart, panel, colours)
    for index, pane in enumerate(panes):
        title = {"text": axes.plain(pane["name"])}
        chart.update_yaxes(title=title, gridcolor=colours["grid"], row=index + 1, col=1, secondary_y=False)
        chart.update_yaxes(showgrid=False, row=index + 1, col=1, secondary_y=True)
    chart.update_xaxes(gridcolor=colours["grid"])
    chart.update_layout(
        template="plotly_dark" if dressing.theme == "dark" else "plotly_white",
        title={"text": axes.plain(dressing.title), "x": 0.01},
        paper_bgcolor=colours["background"],
        plot_bgcolor=colours["background"],
        height=max(dressing.height, 240),
        hovermode="x unified",
        barmode="overlay",
        legend={"orientation": "h", "y": 1.08},
        margin={"t": 60, "b": 40, "l": 70, "r": 20},
    )
    return chart


def _moments(panel: Panel, dressing: Dressing) -> list[datetime]:
    times = [datetime.fromtimestamp(ms / 1e3, UTC).astimezone(dressing.zone) for ms in panel.times.tolist()]
    return [moment.replace(tzinfo=None) for moment in times]


def _trace(chart: Any, panel: Panel, part: Part, dressing: Dressing) -> None:
    row = part.series["pane"] + 1
    place = {"row": row, "col": 1, "secondary_y": bool(part.series.get("own"))}
    colours = theme_colours(dressing.theme)
    times, name = _moments(panel, dressing), axes.plain(part.series["name"])
    shown = _masked(panel, part.shown)
    if part.series["kind"] == "bars":
        colour = [colours["buy"] if value >= 0 else colours["sell"] for value in shown.tolist()]
        chart.add_bar(x=times, y=shown, name=name, marker={"color": colour, "line": {"width": 0}}, **place)
        return
    dash = ",".join(f"{n}px" for n in part.dash) or "solid"
    line = {"color": colours[part.role], "width": 1.4, "dash": dash, "shape": "hv"}
    if part.series["kind"] == "area":
        sign = -1.0 if part.series.get("down") else 1.0
        fill = {"fill": "tozeroy", "fillcolor": "rgba({},{},{},0.35)".format(*rgb(colours[part.role]))}
        chart.add_scatter(x=times, y=sign * shown, name=name, mode="lines", line=line, **fill, **place)
        return
    chart.add_scatter(x=times, y=shown, name=name, mode="lines", line=line, connectgaps=False, **place)
    for k in part.series.get("bands", ()):
        for sign, word in ((1, "+"), (-1, "−")):
            band = _masked(panel, part["value"] + sign * k * part["sigma"])
            thin = {"color": colours[part.role], "width": 0.8, "dash": "dot"}
            chart.add_scatter(
                x=times,
                y=band,
                name=f"{name} {word}{k:g}σ",
                mode="lines",
                line=thin,
                showlegend=False,
                **place,
            )


def _masked(panel: Panel, values: Values) -> Values:
    """Values with nothing where events were missing, so that lines break there."""
    masked = values.copy()
    for begin, end in panel.content["gaps"]:
        until = panel.end_ms if end is None else end
        masked[(panel.times + panel.column_ms > begin) & (panel.times < until)] = np.nan
    return masked


def _marks(chart: Any, panel: Panel, colours: dict[str, str]) -> None:
    for begin, end in panel.content["gaps"]:
        edges = [_stamp(ms) for ms in (begin, panel.end_ms if end is None else end)]
        chart.add_vrect(x0=edges[0], x1=edges[1], fillcolor=colours["gap"], opacity=0.3, line_width=0)
    shapes = {"bearish": ("triangle-down", "sell"), "bullish": ("triangle-up", "buy")}
    for kind, (symbol, role) in shapes.items():
        found = [mark for mark in panel.content["marks"] if mark["kind"] == kind]
        if found and panel.content["panes"][0]["name"] == "CVD":
            chart.add_scatter(
                x=[_stamp(mark["until_ms"]) for mark in found],
                y=[mark["value"] for mark in found],
                mode="markers",
                name=f"{kind} divergence",
                marker={"symbol": symbol, "size": 9, "color": colours[role]},
                row=1,
                col=1,
            )


def _stamp(ms: float) -> datetime:
    return datetime.fromtimestamp(ms / 1e3, UTC).replace(tzinfo=None)
