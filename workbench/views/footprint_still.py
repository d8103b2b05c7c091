"""Static twins of the footprint, from one full message: a PNG and a Plotly figure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.events import Array, Instrument
from workbench.views import axes
from workbench.views.footprint_model import BUY_MARK, POC_MARK, SELL_MARK, UNFINISHED
from workbench.views.framing import nice_ticks
from workbench.views.live import Message
from workbench.views.picture import Canvas
from workbench.views.theme import theme

WIDTH: Final = 1100
_TOP, _BOTTOM, _AXIS, _LINE = 26, 20, 84, 15
MOST_ROWS: Final = 36
_BAR_PX: Final = 112
_FIGURE_BARS: Final = 24
_START, _OPEN, _HIGH, _LOW, _CLOSE, _BUY, _SELL, _UNKNOWN = 0, 2, 3, 4, 5, 6, 7, 8
_LEAST, _MOST, _CVD, _GAP = 10, 11, 12, 14


@dataclass(frozen=True)
class Still:
    """The newest bars of a full message; cells by bar from 0."""

    bars: Array  # float64, (n, 16)
    keys: Array  # int32, (m, 3): bar, row, flags
    lots: Array  # float64, (m, 3): bid, ask, unknown
    zones: list[list[int]]  # side, low row, high row, first bar, last bar or −1; from 0 too
    row_ticks: int
    bar: str

    @property
    def rows(self) -> tuple[int, int]:
        """Lowest and highest row of all."""
        return int(self.keys[:, 1].min()), int(self.keys[:, 1].max())


def still(message: Message, most: int) -> Still:
    """Cut the newest ``most`` bars out of a full message."""
    content, (bars, keys, lots) = message
    skipped = max(0, len(bars) - most)
    first = content["first"] + skipped
    mine = keys[:, 0] >= first
    moved = keys[mine] - np.array([first, 0, 0], np.int32)
    zones = [
        [side, low, high, start - first, last if last < 0 else last - first]
        for side, low, high, start, last in content["zones"]
        if last < 0 or last > first
    ]
    return Still(bars[skipped:], moved, lots[mine], zones, content["row_ticks"], content["bar"])


def fitting_ticks(message: Message) -> int:
    """Ticks per row with which the numbers of the newest bars can be read."""
    view = still(message, (WIDTH - _AXIS) // _BAR_PX)
    low, high = view.rows
    return nice_ticks((high - low + 1) * view.row_ticks / MOST_ROWS)


# -- PNG -----------------------------------------------------------------------------------------------------------
class _Frame:
    """Where bars and rows lie in a PNG."""

    def __init__(self, view: Still, height: int):
        low, high = view.rows
        self.bottom = height - _BOTTOM - 4 * _LINE
        self.row_px = min((self.bottom - _TOP) / (high - low + 3), 20.0)
        self.low = (low + high) / 2 - (self.bottom - _TOP) / self.row_px / 2
        self.right = WIDTH - _AXIS

    def top_of(self, row: float) -> float:
        return self.bottom - (row + 0.5 - self.low) * self.row_px

    def left_of(self, bar: int) -> float:
        return 6.0 + bar * _BAR_PX


def png(message: Message, instrument: Instrument, theme_name: str, height: int, mode: str) -> bytes:
    """Picture of the newest bars as a PNG."""
    view = still(message, (WIDTH - _AXIS) // _BAR_PX)
    canvas, frame = Canvas(WIDTH, height, theme_name), _Frame(view, height)
    lot = float(instrument.lot_size)
    _draw_zones(canvas, view, frame)
    _draw_cells(canvas, view, frame, mode, lot)
    for index, bar in enumerate(view.bars):
        _draw_candle(canvas, bar, frame, index, view.row_ticks)
        _draw_sums(canvas, view, frame, index, lot)
    canvas.box(0, 0, WIDTH, _TOP - 1, "panel")
    title = f"{instrument.symbol}   {view.bar} bars, {view.row_ticks} tick{'s' * (view.row_ticks > 1)} a row"
    canvas.text(10, _TOP / 2, title, "text", 13)
    _draw_axis(canvas, view, frame, instrument, height)
    return canvas.png()


def _draw_zones(canvas: Canvas, view: Still, frame: _Frame) -> None:
    for side, low, high, first, last in view.zones:
        left = max(frame.left_of(first + 1), 0)
        right = frame.right if last < 0 else frame.left_of(last)
        role = "buy" if side > 0 else "sell"
        canvas.box(left, frame.top_of(high), right, frame.top_of(low - 1), role, 38)


def _draw_cells(canvas: Canvas, view: Still, frame: _Frame, mode: str, lot: float) -> None:
    painters = {"bid_ask": _draw_sides, "delta": _draw_delta, "volume": _draw_volume}
    most = {"bid_ask": np.quantile(view.lots[:, :2], 0.97), "volume": view.lots.sum(axis=1).max()}
    most["delta"] = np.quantile(np.abs(view.lots[:, 1] - view.lots[:, 0]), 0.97)
    scale = max(float(most[mode]), 1e-9)
    for (bar, row, flags), lots in zip(view.keys.tolist(), view.lots.tolist()):
        left, top = frame.left_of(bar) + 12, frame.top_of(row)
        box = (left, top, left + _BAR_PX - 18, top + frame.row_px - 1)
        painters[mode](canvas, box, lots, flags, scale, lot)
        if flags & POC_MARK:
            corners = [(box[0], top), (box[2], top), (box[2], box[3]), (box[0], box[3]), (box[0], top)]
            canvas.line(corners, "last", 1.2)
        if flags & UNFINISHED:
            canvas.disc(box[2] + 3, top + frame.row_px / 2, 2.2, "warn")


_Box = tuple[float, float, float, float]


def _draw_sides(canvas: Canvas, box: _Box, lots: list[float], flags: int, scale: float, lot: float) -> None:
    left, top, right, bottom = box
    middle, centre = (left + right) / 2, (top + bottom) / 2
    sides = (("sell", lots[0], left, middle, SELL_MARK), ("buy", lots[1], middle, right, BUY_MARK))
    for role, size, start, stop, mark in sides:
        canvas.box(start, top, stop, bottom, role, round(12 + 155 * min(size / scale, 1) ** 0.7))
        inwards = 1 if role == "sell" else -1
        if flags & mark:
            edge = start if role == "sell" else stop
            canvas.box(min(edge, edge + 3 * inwards), top, max(edge, edge + 3 * inwards), bottom, role)
        if bottom - top >= 8:
            anchor = "rm" if role == "sell" else "lm"
            shade = "text" if size else "faint"
            canvas.text(middle - 5 * inwards, centre, axes.size_text(size * lot), shade, 10, anchor)


def _draw_delta(canvas: Canvas, box: _Box, lots: list[float], flags: int, scale: float, lot: float) -> None:
    delta = lots[1] - lots[0]
    role = "sell" if delta < 0 else "buy"
    canvas.box(*box, role, round(14 + 160 * min(abs(delta) / scale, 1) ** 0.7))
    _number(canvas, box, signed(delta * lot))


def _draw_volume(canvas: Canvas, box: _Box, lots: list[float], flags: int, scale: float, lot: float) -> None:
    x = box[0]
    for size, role in zip(lots, ("sell", "buy", "faint")):
        wide = size / scale * (box[2] - box[0])
        canvas.box(x, box[1], x + wide, box[3], role, 160)
        x += wide
    _number(canvas, box, axes.size_text(sum(lots) * lot))


def _number(canvas: Canvas, box: _Box, text: str) -> None:
    if box[3] - box[1] >= 8:
        canvas.text((box[0] + box[2]) / 2, (box[1] + box[3]) / 2, text, "text", 10, "mm")


def signed(size: float) -> str:
    """Size with its sign."""
    return f"{'-' if size < 0 else '+' if size > 0 else ''}{axes.size_text(abs(size))}"


def _draw_candle(canvas: Canvas, bar: Array, frame: _Frame, index: int, row_ticks: int) -> None:
    x = frame.left_of(index) + 5

    def at(tick: float) -> float:
        return frame.top_of((tick + 0.5) / row_ticks - 1)

    role = "buy" if bar[_CLOSE] >= bar[_OPEN] else "sell"
    if bar[_GAP]:
        canvas.box(x - 5, _TOP, x + _BAR_PX - 6, frame.bottom, "gap", 60)
    canvas.line([(x, at(bar[_HIGH] + 0.5)), (x, at(bar[_LOW] - 0.5))], role, 1)
    top, bottom = at(max(bar[_OPEN], bar[_CLOSE])), at(min(bar[_OPEN], bar[_CLOSE]))
    canvas.box(x - 3, top, x + 3, max(bottom, top + 2), role)


def _sums(bar: Array) -> Iterator[tuple[str, float, bool]]:
    yield "delta", float(bar[_BUY] - bar[_SELL]), True
    yield "min / max", float(bar[_LEAST]), True
    yield "volume", float(bar[_BUY] + bar[_SELL] + bar[_UNKNOWN]), False
    yield "CVD", float(bar[_CVD]), True


def _draw_sums(canvas: Canvas, view: Still, frame: _Frame, index: int, lot: float) -> None:
    bar = view.bars[index]
    for row, (name, value, is_signed) in enumerate(_sums(bar)):
        top = frame.bottom + row * _LINE
        role = "accent" if not is_signed else "sell" if value < 0 else "buy"
        left = frame.left_of(index)
        canvas.box(left, top, left + _BAR_PX - 2, top + _LINE - 1, role, 45)
        text = signed(value * lot) if is_signed else axes.size_text(value * lot)
        if name == "min / max":
            text += f" / {signed(float(bar[_MOST]) * lot)}"
        canvas.text(left + _BAR_PX / 2, top + _LINE / 2, text, "text", 10, "mm")
        if not index:
            canvas.text(frame.right + 6, top + _LINE / 2, name, "faint", 10)


def _draw_axis(canvas: Canvas, view: Still, frame: _Frame, instrument: Instrument, height: int) -> None:
    low, high = ((row * view.row_ticks) for row in view.rows)
    for tick in axes.price_ticks(low, high, 12):
        y = frame.top_of((tick + 0.5) / view.row_ticks - 1)
        canvas.text(WIDTH - 8, y, axes.price_text(tick, instrument.tick_size), "text", 11, "rm")
    for index, text in enumerate(_times(view)):
        canvas.text(frame.left_of(index) + 4, height - _BOTTOM / 2, text, "faint", 11)
    canvas.text(WIDTH - 8, height - _BOTTOM / 2, "UTC", "faint", 11, "rm")


def _times(view: Still) -> list[str]:
    stamps = view.bars[:, _START].astype("datetime64[ms]")
    return [str(stamp)[11:19] for stamp in stamps]


# -- Plotly --------------------------------------------------------------------------------------------------------
def figure(message: Message, instrument: Instrument, theme_name: str, height: int) -> Any:
    """Plotly figure of the newest bars: cells coloured by delta with both sides written, delta and CVD below."""
    from plotly.subplots import make_subplots

    chart = make_subplots(2, 1, shared_xaxes=True, row_heights=[0.8, 0.2], vertical_spacing=0.03)
    if message[1]:
        view = still(message, _FIGURE_BARS)
        _add_cells(chart, view, instrument, theme(theme_name))
        _add_sums(chart, view, instrument, theme(theme_name))
    _lay_out(chart, instrument, theme_name, height)
    return chart


def _add_cells(chart: Any, view: Still, instrument: Instrument, colours: dict[str, str]) -> None:
    low, high = view.rows
    shape = (high - low + 1, len(view.bars))
    delta, text, flags = np.full(shape, np.nan), np.full(shape, "", object), np.zeros(shape, int)
    lot, step = float(instrument.lot_size), view.row_ticks * float(instrument.tick_size)
    for (bar, row, flag), (bid, ask, _) in zip(view.keys.tolist(), view.lots.tolist()):
        delta[row - low, bar], flags[row - low, bar] = (ask - bid) * lot, flag
        text[row - low, bar] = f"{axes.size_text(bid * lot)} × {axes.size_text(ask * lot)}"
    most = float(np.nanmax(np.abs(delta))) or 1.0
    chart.add_heatmap(
        x=list(range(len(view.bars))),
        y=(np.arange(low, high + 1) + 0.5) * step,
        z=delta,
        text=text,
        texttemplate="%{text}",
        zmin=-most,
        zmax=most,
        colorscale=[[0, colours["sell"]], [0.5, colours["panel"]], [1, colours["buy"]]],
        showscale=False,
        hovertemplate="price %{y}<br>%{text}<br>delta %{z:.4g}<extra></extra>",
        name="bid × ask",
    )
    for name, mark, role, symbol in _MARKS:
        rows, bars = np.nonzero(flags & mark)
        if len(rows):
            place = {"x": bars + (0.42 if mark == BUY_MARK else -0.42 if mark == SELL_MARK else 0.47)}
            marker = {"color": colours[role], "symbol": symbol, "size": 7}
            chart.add_scatter(
                **place,
                y=(rows + low + 0.5) * step,
                mode="markers",
                name=name,
                marker=marker,
                hoverinfo="name",
            )


_MARKS: Final = (
    ("buy imbalance", BUY_MARK, "buy", "triangle-left"),
    ("sell imbalance", SELL_MARK, "sell", "triangle-right"),
    ("point of control", POC_MARK, "last", "line-ns-open"),
    ("unfinished auction", UNFINISHED, "warn", "circle-open"),
)


def _add_sums(chart: Any, view: Still, instrument: Instrument, colours: dict[str, str]) -> None:
    lot, at = float(instrument.lot_size), list(range(len(view.bars)))
    delta = (view.bars[:, _BUY] - view.bars[:, _SELL]) * lot
    shades = [colours["sell" if value < 0 else "buy"] for value in delta]
    chart.add_bar(x=at, y=delta, marker={"color": shades}, name="delta", row=2, col=1)
    line = {"color": colours["accent"], "width": 2}
    chart.add_scatter(x=at, y=view.bars[:, _CVD] * lot, mode="lines", line=line, name="CVD", row=2, col=1)
    chart.update_xaxes(tickvals=at, ticktext=_times(view), row=2, col=1)


def _lay_out(chart: Any, instrument: Instrument, theme_name: str, height: int) -> None:
    colours = theme(theme_name)
    chart.update_layout(
        template="plotly_dark" if theme_name == "dark" else "plotly_white",
        title={"text": axes.plain(instrument.symbol), "x": 0.01},
        paper_bgcolor=colours["background"],
        plot_bgcolor=colours["background"],
        height=height,
        legend={"orientation": "h", "y": 1.08, "x": 0.2},
        margin={"l": 10, "r": 10, "t": 40, "b": 30},
    )
    chart.update_xaxes(showgrid=False, title_text="UTC", row=2, col=1)
    chart.update_yaxes(side="right", tickformat="f", showgrid=False)
