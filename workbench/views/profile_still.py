"""Static twins of the profile, from one full message: a PNG and a Plotly figure."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from workbench.events import Array, Instrument
from workbench.views import axes
from workbench.views.live import Message
from workbench.views.picture import Canvas
from workbench.views.theme import theme

WIDTH: Final = 760
_TOP, _BOTTOM, _AXIS, _STEPS = 26, 18, 90, 190
_LINES: Final = (("VAH", "vah_row", "accent"), ("POC", "poc_row", "last"), ("VAL", "val_row", "accent"))


def parts(lots: Array, split: str) -> list[tuple[str, Array]]:
    """Lengths of the pieces of each row by their role, lots; ``lots`` has shape (3, n): bought, sold, unknown."""
    bought, sold, unknown = lots
    if split == "aggressor":
        return [("sell", sold), ("buy", bought), ("faint", unknown)]
    if split == "total":
        return [("accent", lots.sum(axis=0))]
    delta = bought - sold
    return [("sell", np.maximum(-delta, 0)), ("buy", np.maximum(delta, 0))]


# -- PNG -----------------------------------------------------------------------------------------------------------
class _Frame:
    """Where rows and volumes lie in a PNG."""

    def __init__(self, content: dict[str, Any], lots: Array, height: int, developed: bool):
        self.low, self.height = content["low_row"], height
        self.row_px = (height - _TOP - _BOTTOM) / max(content["count"], 1)
        self.right = WIDTH - _AXIS
        self.plot = self.right - (_STEPS if developed else 0)
        self.unit = (self.plot - 60) / max(float(lots.sum(axis=0).max()), 1.0)

    def top_of(self, row: float) -> float:
        return float(self.height - _BOTTOM - (row - self.low + 1) * self.row_px)


def png(message: Message, instrument: Instrument, theme_name: str, height: int, split: str) -> bytes:
    """Picture of the profile as a PNG."""
    content, (lots, points) = message
    canvas = Canvas(WIDTH, height, theme_name)
    frame = _Frame(content, lots, height, len(points) > 1)
    canvas.text(10, _TOP / 2, f"{instrument.symbol}   {content['kind']}", "text", 13)
    canvas.box(
        0, frame.top_of(content["vah_row"]), frame.plot, frame.top_of(content["val_row"] - 1), "area", 150
    )
    _draw_rows(canvas, frame, content, lots, split)
    _draw_steps(canvas, frame, points)
    _draw_naked(canvas, frame, content)
    _draw_axis(canvas, frame, content, instrument)
    _draw_lines(canvas, frame, content, instrument)
    return canvas.png()


def _draw_rows(canvas: Canvas, frame: _Frame, content: dict[str, Any], lots: Array, split: str) -> None:
    pieces = parts(lots, split)
    for index in range(content["count"]):
        x, y = 0.0, frame.top_of(frame.low + index)
        bottom = y + max(frame.row_px * 0.88, 0.6)
        if split == "delta":
            canvas.box(0, y, float(lots[:, index].sum()) * frame.unit, bottom, "faint", 60)
        for role, lengths in pieces:
            wide = float(lengths[index]) * frame.unit
            canvas.box(x, y, x + wide, bottom, role, 215)
            x += wide


def _draw_steps(canvas: Canvas, frame: _Frame, points: Array) -> None:
    if len(points) < 2:
        return
    left, width = frame.plot + 8, frame.right - frame.plot - 14
    first, last = points[0, 0], points[-1, 0]
    xs = left + (points[:, 0] - first) / max(last - first, 1) * width
    for column, role, thick in ((3, "accent", 1.0), (2, "accent", 1.0), (1, "last", 1.6)):
        line: list[tuple[float, float]] = []
        for at, x in enumerate(xs.tolist()):
            y = frame.top_of(points[at, column]) + frame.row_px / 2
            line += [(line[-1][0], y) if line else (left, y), (x, y)]
        canvas.line(line, role, thick)
    times = [str(points[at, 0].astype("datetime64[ms]"))[11:16] for at in (0, -1)]
    canvas.text(left, frame.height - _BOTTOM / 2, times[0], "faint", 11)
    canvas.text(frame.right - 6, frame.height - _BOTTOM / 2, f"{times[1]} UTC", "faint", 11, "rm")


def _draw_naked(canvas: Canvas, frame: _Frame, content: dict[str, Any]) -> None:
    for row, start_ms in content["naked"]:
        y = frame.top_of(row) + frame.row_px / 2
        for x in range(0, int(frame.plot), 10):
            canvas.line([(x, y), (x + 4, y)], "warn", 1, 200)
        text = f"naked POC {str(np.datetime64(round(start_ms), 'ms'))[11:16]}"
        canvas.text(frame.plot - 60, y - 7, text, "warn", 10, "rm")


def _draw_axis(canvas: Canvas, frame: _Frame, content: dict[str, Any], instrument: Instrument) -> None:
    ticks = content["row_ticks"]
    taken = [frame.top_of(content[key]) for _, key, _ in _LINES]
    for tick in axes.price_ticks(frame.low * ticks, (frame.low + content["count"]) * ticks - 1, 10):
        y = frame.top_of(tick // ticks) + frame.row_px / 2
        if all(abs(y - other) > 14 for other in taken):
            canvas.text(WIDTH - 8, y, axes.price_text(tick, instrument.tick_size), "text", 11, "rm")


def _draw_lines(canvas: Canvas, frame: _Frame, content: dict[str, Any], instrument: Instrument) -> None:
    for name, key, role in _LINES:
        row = content[key]
        y = frame.top_of(row) + frame.row_px / 2
        canvas.line([(0, y), (frame.right, y)], role, 1.2)
        # names stay apart where two lines fall together: VAL below its line, POC further in
        x, y_name = frame.plot - (46 if name == "POC" else 6), y + (8 if name == "VAL" else -8)
        canvas.text(x, y_name, name, role, 11, "rm")
        text = axes.price_text(row * content["row_ticks"], instrument.tick_size)
        canvas.text(WIDTH - 8, y, text, role, 12, "rm")


# -- Plotly --------------------------------------------------------------------------------------------------------
def figure(message: Message, instrument: Instrument, theme_name: str, height: int, split: str) -> Any:
    """Plotly figure of the profile, developing lines beside it. Times are UTC."""
    from plotly.subplots import make_subplots

    developed = bool(message[1]) and len(message[1][1]) > 1
    widths = [0.72, 0.28] if developed else [1.0]
    chart = make_subplots(1, len(widths), shared_yaxes=True, column_widths=widths, horizontal_spacing=0.01)
    if message[1] and message[0]["count"]:
        _add_rows(chart, message, instrument, theme(theme_name), split)
        _add_lines(chart, message, instrument, theme(theme_name))
        if developed:
            _add_steps(chart, message, instrument, theme(theme_name))
    _lay_out(chart, instrument, theme_name, height)
    return chart


_NAMES: Final = {"sell": "sold", "buy": "bought", "faint": "unknown", "accent": "volume"}


def _step(content: dict[str, Any], instrument: Instrument) -> float:
    return float(content["row_ticks"]) * float(instrument.tick_size)


def _add_rows(
    chart: Any, message: Message, instrument: Instrument, colours: dict[str, str], split: str
) -> None:
    content, (lots, _) = message
    step, lot = _step(content, instrument), float(instrument.lot_size)
    middle = (content["low_row"] + np.arange(content["count"]) + 0.5) * step
    for role, lengths in parts(lots, split):
        if not lengths.any():
            continue
        name = ("net " if split == "delta" else "") + _NAMES[role]
        bars = {"x": lengths * lot, "y": middle, "width": step * 0.9, "orientation": "h", "name": name}
        chart.add_bar(**bars, marker={"color": colours[role]}, row=1, col=1)


def _add_lines(chart: Any, message: Message, instrument: Instrument, colours: dict[str, str]) -> None:
    content, step = message[0], _step(message[0], instrument)
    inside = (content["val_row"] * step, (content["vah_row"] + 1) * step)
    chart.add_hrect(
        y0=inside[0], y1=inside[1], fillcolor=colours["area"], opacity=0.5, line_width=0, layer="below"
    )
    named = [(name, content[key], role, "solid") for name, key, role in _LINES]
    named += [("naked POC", row, "warn", "dot") for row, _ in content["naked"]]
    for name, row, role, dash in named:
        text = f"{name} {axes.price_text(row * content['row_ticks'], instrument.tick_size)}"
        chart.add_hline(
            y=(row + 0.5) * step,
            line={"color": colours[role], "width": 1, "dash": dash},
            annotation={"text": text, "font": {"color": colours[role]}},
            row=1,
            col=1,
        )


def _add_steps(chart: Any, message: Message, instrument: Instrument, colours: dict[str, str]) -> None:
    content, (_, points) = message
    step, times = _step(content, instrument), points[:, 0].astype("datetime64[ms]")
    for column, name, role in (
        (1, "developing POC", "last"),
        (3, "developing VAH", "accent"),
        (2, "developing VAL", "accent"),
    ):
        line = {"color": colours[role], "width": 1.5, "shape": "vh"}
        chart.add_scatter(
            x=times, y=(points[:, column] + 0.5) * step, mode="lines", line=line, name=name, row=1, col=2
        )


def _lay_out(chart: Any, instrument: Instrument, theme_name: str, height: int) -> None:
    colours = theme(theme_name)
    chart.update_layout(
        template="plotly_dark" if theme_name == "dark" else "plotly_white",
        title={"text": axes.plain(instrument.symbol), "x": 0.01},
        paper_bgcolor=colours["background"],
        plot_bgcolor=colours["background"],
        barmode="stack",
        bargap=0,
        height=height,
    )
    chart.update_xaxes(title_text="volume", row=1, col=1)
    chart.update_yaxes(title_text="price", tickformat="f", row=1, col=1)
