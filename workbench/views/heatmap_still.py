"""Static twins of the heatmap, from one full message: a PNG and a Plotly figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.events import Array, Instrument
from workbench.views import axes
from workbench.views.framing import mids
from workbench.views.heatmap_bubbles import clustered, draw_bubble, largest
from workbench.views.heatmap_settings import HeatSettings
from workbench.views.live import Message
from workbench.views.marks_still import Plot, add_marks_figure, add_marks_png
from workbench.views.picture import Canvas
from workbench.views.raster import COLOUR_POWER, MARK_EMPTY, MARK_GAP, NO_TICK, dequantise
from workbench.views.theme import colour_table, palette, theme

WIDTH, HEIGHT = 1100, 480
_RIGHT, _BOTTOM, _TOP = 150, 22, 24
_PLOT_W, _PLOT_H = WIDTH - _RIGHT, HEIGHT - _BOTTOM - _TOP
MOST_COLUMNS: Final = 475
MOST_BUBBLES: Final = 2000


@dataclass(frozen=True)
class Still:
    """The part of a full message that a still picture shows; arrays by column from old to new."""

    codes: Array  # uint16, (n, rows)
    best: Array  # int32, (n, 2)
    marks: Array  # int32, (n,)
    trades: Array  # float32, (m, 4): column from 0, tick, lots, aggressor
    now: Array  # uint16, (2, rows)
    low_tick: int
    row_ticks: int
    start_ms: float
    column_ms: float
    cut: tuple[float, float]

    @property
    def high_tick(self) -> int:
        """First tick above the picture."""
        return self.low_tick + int(self.codes.shape[1]) * self.row_ticks


def still(message: Message, most_columns: int = MOST_COLUMNS) -> Still:
    """Cut the newest columns, and the rows round the last mid, out of a full message."""
    content, (codes, edges, trades, now) = message
    count = min(len(codes), most_columns)
    skipped = len(codes) - count
    best, marks = edges[skipped:, :2], edges[skipped:, 2]
    visible = int(np.clip(content["visible_ticks"] / content["row_ticks"], 20, codes.shape[1]))
    row = _first_row(best, content, visible, codes.shape[1])
    rows = slice(row, row + visible)
    first = content["first"] + skipped
    shown = trades[trades[:, 0] >= skipped].copy()
    shown[:, 0] -= skipped
    shown[:, 1] += content["low_tick"]
    return Still(
        codes[skipped:, rows],
        best,
        marks,
        shown,
        now[:, rows],
        content["low_tick"] + row * content["row_ticks"],
        content["row_ticks"],
        content["origin_ms"] + first * content["column_ms"],
        content["column_ms"],
        (content["cut"][0], content["cut"][1]),
    )


def _first_row(best: Array, content: dict[str, Any], visible: int, rows: int) -> int:
    known = mids(best)
    known = known[~np.isnan(known)]
    if not len(known):
        return max(0, (rows - visible) // 2)
    middle = ((known.min() + known.max()) / 2 - content["low_tick"]) / content["row_ticks"]
    return int(np.clip(middle - visible / 2, 0, max(0, rows - visible)))


def shade(codes: Array, cut: tuple[float, float], contrast: float = 1.0) -> Array:
    """Index 0–255 into a colour table; 0 where nothing rests. More contrast: only large sizes are bright. Shape as given."""
    power = COLOUR_POWER * contrast
    low, high = np.power(cut, power)
    position = (dequantise(codes) ** power - low) / max(high - low, 1e-9)
    return np.where(codes > 0, 1 + np.rint(np.clip(position, 0, 1) * 254), 0).astype(np.uint8)


def ramp(settings: HeatSettings, theme_name: str) -> Array:
    """Colour table of the settings: dimming mixes the ground into every colour. uint8, shape (256, 3)."""
    table = colour_table(settings["colours"], theme_name).astype(np.float64)
    dimmed: Array = np.rint(table + (table[0] - table) * settings["dimming"]).astype(np.uint8)
    return dimmed


# -- PNG -----------------------------------------------------------------------------------------------------------
def png(message: Message, instrument: Instrument, settings: HeatSettings, theme_name: str) -> bytes:
    """Picture of the newest columns as a PNG, under the settings of the page."""
    view = still(message)
    canvas = Canvas(WIDTH, HEIGHT, theme_name)
    table = ramp(settings, theme_name)
    width = min(_PLOT_W, len(view.codes) * 4)
    left = _PLOT_W - width
    shades = shade(view.codes, view.cut, settings["contrast"])
    canvas.paste(table[shades].transpose(1, 0, 2)[::-1], left, _TOP, width, _PLOT_H)
    per_column = width / len(view.codes)
    _draw_marks(canvas, view, left, per_column)
    if settings["bbo"] != "off":
        _draw_best(canvas, view, left, per_column)
    if settings["bubbles"]:
        _draw_trades(canvas, view, left, per_column, settings, float(instrument.lot_size))
    end_ms = view.start_ms + len(view.codes) * view.column_ms
    edges = (left, _TOP, _PLOT_W, _TOP + _PLOT_H, view.start_ms, end_ms, view.low_tick, view.high_tick)
    add_marks_png(canvas, message[0].get("layers", {}), Plot(*edges))
    canvas.box(_PLOT_W, _TOP, WIDTH, HEIGHT, "panel")
    if settings["book"] != "off":
        _draw_book(canvas, view, settings["book"] == "cumulative")
    _draw_axes(canvas, view, instrument, left, per_column)
    canvas.text(8, _TOP / 2, instrument.symbol, "text", 13)
    return canvas.png()


def _y(view: Still, tick: Array | float) -> Any:
    return _TOP + _PLOT_H * (1 - (tick - view.low_tick) / (view.high_tick - view.low_tick))


def _draw_marks(canvas: Canvas, view: Still, left: float, per_column: float) -> None:
    for column in np.flatnonzero(view.marks & MARK_GAP):
        x = left + column * per_column
        canvas.box(x, _TOP, x + max(per_column, 1), _TOP + _PLOT_H, "gap", 110)


def _draw_best(canvas: Canvas, view: Still, left: float, per_column: float) -> None:
    for side, role in enumerate(("bid", "ask")):
        run: list[tuple[float, float]] = []
        for column, tick in enumerate(view.best[:, side]):
            if tick == NO_TICK or view.marks[column] == MARK_EMPTY:
                _finish(canvas, run, role)
                run = []
                continue
            y = float(np.clip(_y(view, tick + 0.5), _TOP, _TOP + _PLOT_H))
            run += [(left + column * per_column, y), (left + (column + 1) * per_column, y)]
        _finish(canvas, run, role)


def _finish(canvas: Canvas, run: list[tuple[float, float]], role: str) -> None:
    if len(run) > 1:
        canvas.line(run, role, 1.2)


def _draw_trades(
    canvas: Canvas, view: Still, left: float, per_column: float, settings: HeatSettings, lot: float
) -> None:
    found = clustered(view.trades, max(1, round(6 / per_column)), view.row_ticks, settings)
    shown = largest(found, MOST_BUBBLES, settings["min_volume"] / lot)
    if not len(shown):
        return
    unit = 7.5 * settings["bubble_scale"] / np.sqrt(np.percentile(shown[:, 2], 98))
    for column, tick, lots, share in shown:
        y = float(_y(view, tick + 0.5))
        radius = min(unit * float(np.sqrt(lots)), 18.0 * max(settings["bubble_scale"], 0.5))
        if _TOP < y < _TOP + _PLOT_H and radius >= 0.7:
            draw_bubble(
                canvas, left + (column + 0.5) * per_column, y, radius, share, settings["bubble_style"]
            )


def _draw_book(canvas: Canvas, view: Still, summed: bool) -> None:
    lots = dequantise(view.now)
    if summed:  # from the touch outwards
        total = np.stack([np.cumsum(lots[0, ::-1])[::-1], np.cumsum(lots[1])])
        lots = np.where(lots > 0, total, 0)
    scale = 70 / max(float(np.percentile(lots[lots > 0], 99)), 1.0) if (lots > 0).any() else 0.0
    height = _PLOT_H / lots.shape[1]
    for side, role in enumerate(("bid", "ask")):
        for row in np.flatnonzero(lots[side]):
            bottom = _TOP + _PLOT_H - row * height
            length = min(lots[side, row] * scale, 76.0)
            canvas.box(_PLOT_W + 2, bottom - height, _PLOT_W + 2 + length, bottom, role, 170)


def _draw_axes(canvas: Canvas, view: Still, instrument: Instrument, left: float, per_column: float) -> None:
    for tick in axes.price_ticks(view.low_tick, view.high_tick - 1, 12):
        y = _y(view, tick + 0.5)
        canvas.line([(0, y), (_PLOT_W, y)], "text", 0.5, 26)
        canvas.text(WIDTH - 6, y, axes.price_text(tick, instrument.tick_size), "text", 11, "rm")
    span = len(view.codes) * view.column_ms
    for ms, text in axes.time_steps(
        view.start_ms, view.start_ms + span, max(2, int(len(view.codes) * per_column // 110))
    ):
        x = left + (ms - view.start_ms) / view.column_ms * per_column
        canvas.text(min(max(x, 26), _PLOT_W - 26), HEIGHT - _BOTTOM / 2, text, "faint", 11, "mm")
    canvas.text(WIDTH - 6, HEIGHT - _BOTTOM / 2, "UTC", "faint", 11, "rm")


# -- Plotly --------------------------------------------------------------------------------------------------------
def figure(message: Message, instrument: Instrument, settings: HeatSettings, theme_name: str) -> Any:
    """Plotly figure of the newest columns; hovering shows sizes in real units. Times are UTC."""
    import plotly.graph_objects as go

    view = still(message, 400)
    lots = np.where(view.codes > 0, dequantise(view.codes), np.nan)
    low, high = (cut * float(instrument.lot_size) for cut in view.cut)
    times = _times(view)
    middle = view.low_tick + (np.arange(view.codes.shape[1]) + 0.5) * view.row_ticks - 0.5
    chart = go.Figure()
    chart.add_heatmap(
        x=times,
        y=middle * float(instrument.tick_size),
        z=(lots.T * float(instrument.lot_size)).astype(np.float32),
        zmin=low,
        zmax=high,
        colorscale=_power_scale(settings, theme_name, low, high),
        colorbar={"title": "size", "thickness": 10, "x": 1.09},
        hovertemplate="%{x}<br>price %{y}<br>size %{z:.4g}<extra></extra>",
        name="resting size",
    )
    if settings["bbo"] != "off":
        _add_best(chart, view, times, instrument, theme_name)
    _add_gaps(chart, view, theme_name)
    if settings["bubbles"]:
        _add_trades(chart, view, instrument, settings, theme_name)
    end_ms = view.start_ms + len(view.codes) * view.column_ms
    add_marks_figure(chart, message[0].get("layers", {}), instrument, theme_name, view.start_ms, end_ms)
    _lay_out(chart, instrument, theme_name, view)
    return chart


def _add_best(chart: Any, view: Still, times: Array, instrument: Instrument, theme_name: str) -> None:
    for side, (name, role) in enumerate((("best bid", "bid"), ("best ask", "ask"))):
        ticks = np.where(view.best[:, side] == NO_TICK, np.nan, view.best[:, side].astype(np.float64))
        line = {"color": theme(theme_name)[role], "width": 1, "shape": "hv"}
        chart.add_scatter(x=times, y=ticks * float(instrument.tick_size), mode="lines", line=line, name=name)


def _times(view: Still, columns: Array | None = None) -> Array:
    at = np.arange(len(view.codes)) if columns is None else columns
    return (view.start_ms + (at + 0.5) * view.column_ms).astype("datetime64[ms]")


def _power_scale(settings: HeatSettings, theme_name: str, low: float, high: float) -> list[list[Any]]:
    """Colour scale whose stops give colours that follow a power of the size, as on the page."""
    power = COLOUR_POWER * settings["contrast"]
    entries = np.rint(np.linspace(1, 255, len(palette(settings["colours"], theme_name)))).astype(np.intp)
    colours = ["#{:02x}{:02x}{:02x}".format(*entry) for entry in ramp(settings, theme_name)[entries]]
    sizes = np.linspace(low**power, high**power, len(colours)) ** (1 / power)
    stops = (sizes - low) / (high - low)
    stops[0], stops[-1] = 0.0, 1.0
    return [[float(stop), colour] for stop, colour in zip(stops, colours)]


def _add_gaps(chart: Any, view: Still, theme_name: str) -> None:
    """Mask the columns in which events were lost."""
    lost = np.flatnonzero(np.diff(np.r_[0, (view.marks & MARK_GAP) != 0, 0].astype(np.int8)))
    edges = (view.start_ms + lost * view.column_ms).astype("datetime64[ms]")
    for start, end in edges.reshape(-1, 2):
        chart.add_vrect(
            x0=start.item(),
            x1=end.item(),
            fillcolor=theme(theme_name)["gap"],
            opacity=0.45,
            line_width=0,
            annotation_text="gap",
            annotation_position="top left",
        )


def _add_trades(
    chart: Any, view: Still, instrument: Instrument, settings: HeatSettings, theme_name: str
) -> None:
    """Bubbles, those of more bought than sold apart; the mix is a colour between the two, and a figure under the pointer."""
    found = clustered(view.trades, 3, view.row_ticks, settings)
    shown = largest(found, 500, settings["min_volume"] / float(instrument.lot_size))
    shades, share = theme(theme_name), shown[:, 3]
    mix = [[0, shades["sell"]], [1, shades["buy"]]]
    for name, which in (("buys", share > 0.5), ("sells", share <= 0.5), ("unknown", np.isnan(share))):
        mine = shown[which]
        if not len(mine):
            continue
        diameter = 16 * settings["bubble_scale"] * np.sqrt(mine[:, 2] / np.percentile(shown[:, 2], 99))
        colour: dict[str, Any] = {"color": mine[:, 3], "colorscale": mix, "cmin": 0, "cmax": 1}
        if name == "unknown":
            colour = {"color": shades["faint"]}
        chart.add_scatter(
            x=_times(view, mine[:, 0]),
            y=mine[:, 1].astype(np.float64) * float(instrument.tick_size),
            mode="markers",
            marker={"size": np.clip(diameter, 2, 28), "opacity": 0.85, **colour},
            customdata=np.column_stack(
                [mine[:, 2] * float(instrument.lot_size), np.nan_to_num(mine[:, 3]) * 100]
            ),
            hovertemplate="%{x}<br>%{y}<br>volume %{customdata[0]:.4g}, bought %{customdata[1]:.0f} %<extra></extra>",
            name=name,
        )


def _lay_out(chart: Any, instrument: Instrument, theme_name: str, view: Still) -> None:
    shades = theme(theme_name)
    tick = float(instrument.tick_size)
    chart.update_layout(
        template="plotly_dark" if theme_name == "dark" else "plotly_white",
        title={"text": axes.plain(instrument.symbol), "x": 0.01},
        paper_bgcolor=shades["background"],
        plot_bgcolor=shades["background"],
        margin={"l": 10, "r": 10, "t": 40, "b": 30},
        height=HEIGHT,
        legend={"orientation": "h", "y": 1.08, "x": 0.3},
        yaxis={"side": "right", "range": [view.low_tick * tick, view.high_tick * tick], "showgrid": False},
        xaxis={"showgrid": False},
    )
