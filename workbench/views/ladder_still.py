"""Still twins of the ladder: the same columns as a PNG and as a Plotly figure."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Final

import numpy as np

from workbench.events import FloatArray, Instrument
from workbench.views import axes
from workbench.views.ladder_cells import FIELDS, WARMTHS
from workbench.views.ladder_columns import COLUMNS
from workbench.views.live import Message
from workbench.views.picture import Canvas
from workbench.views.theme import theme as theme_colours

_ROW_PX: Final = 18
_HEAD_PX: Final = 40
_ROLES: Final = {
    "sold": "sell",
    "recent_sold": "sell",
    "bought": "buy",
    "recent_bought": "buy",
    "buys": "bid",
    "sells": "ask",
}
_RIGHT: Final = frozenset({"profit", "buys", "sold", "recent_sold", "bid_flow", "bid"})
_OWN: Final = frozenset({"buys", "sells"})
_BARS: Final = {"bid": ("bid", 110), "ask": ("ask", 110), "sold": ("sell", 45), "bought": ("buy", 45)}

_SPELLED: Final = str.maketrans({"−": "-", "≈": "~", "▲": "b ", "▼": "s ", "Δ": "delta"})
"""Signs that the font of still pictures does not have, as letters."""


class LadderStill:
    """What a ladder shows at one moment, as texts by column and row.

    Parameters
    ----------
    message : Message
        A whole one, as :meth:`LadderModel.pull` gives it when asked for everything.
    rows : int
    columns : list of str
    instrument : Instrument
    theme_name : {"dark", "light"}
    """

    def __init__(
        self, message: Message, rows: int, columns: list[str], instrument: Instrument, theme_name: str
    ):
        self.content = message[0]
        self.columns, self.instrument, self.theme_name = columns, instrument, theme_name
        self.low, self.cells = shown_rows(message, rows)
        self.rows = rows

    def text(self, column: str, index: int) -> str:
        """Text of one cell; ``index`` counts from the lowest row."""
        special = self._special.get(column)
        if special is not None:
            return special(index)
        value = self.value(column, index)
        if column in ("bid_flow", "ask_flow"):
            sign = "+" if value > 0 else "−"
            return sign + self._size(abs(value)) if value else ""
        return self._size(value) if value > 0 else ""

    def value(self, column: str, index: int) -> float:
        """Number behind a cell, lots."""
        return float(self.cells[FIELDS.index(column), index])

    @cached_property
    def _special(self) -> dict[str, Callable[[int], str]]:
        return {
            "price": self._price,
            "profit": self._profit,
            "print": self._print,
            "buys": lambda index: self._own(1, index),
            "sells": lambda index: self._own(-1, index),
        }

    def _size(self, lots: float) -> str:
        return axes.size_text(lots * float(self.instrument.lot_size))

    def _price(self, index: int) -> str:
        return axes.price_text((self.low + index) * self.content["row_ticks"], self.instrument.tick_size)

    def _print(self, index: int) -> str:
        lots = self.value("print", index)
        return ("▲" if lots > 0 else "▼") + self._size(abs(lots)) if lots else ""

    def _profit(self, index: int) -> str:
        position = self.content.get("position")
        if not position:
            return ""
        size, entry = position
        ticks = ((self.low + index) * self.content["row_ticks"] - entry) * size
        money = ticks * float(self.instrument.tick_size) * float(self.instrument.multiplier)
        sign = "+" if money > 0 else "−" if money < 0 else ""
        return sign + axes.size_text(abs(money))

    def _own(self, side: int, index: int) -> str:
        orders = [
            order
            for order in self.content.get("orders", ())
            if order["side"] == side and order["tick"] is not None
            if order["tick"] // self.content["row_ticks"] == self.low + index
        ]
        if not orders:
            return ""
        text = axes.size_text(sum(order["size"] for order in orders))
        first = orders[0]
        if "ahead" not in first:
            return text
        ahead, of = (self._size(first[name]) for name in ("ahead", "of"))
        return f"{text} {'' if first.get('exact') else '≈'}{ahead}/{of}"

    @property
    def heading(self) -> str:
        """Line above the rows: last price, spread, volume, delta, imbalances."""
        content, tick = self.content, self.instrument.tick_size
        parts = []
        if content["last_tick"] is not None:
            parts.append(f"last {axes.price_text(content['last_tick'], tick)}")
        if content["spread"] is not None:
            parts.append(f"spread {axes.price_text(content['spread'], tick)}")
        parts.append(f"vol {self._size(content['volume'])}")
        sign = "−" if content["delta"] < 0 else "+"
        parts.append(f"Δ {sign}{self._size(abs(content['delta']))}")
        names = (("I", "touch"), (f"I{content['levels']}", "depth"))
        parts += [f"{title} {content[name]:+.2f}" for title, name in names if content[name] is not None]
        return " · ".join(parts)


def shown_rows(message: Message, rows: int) -> tuple[int, FloatArray]:
    """Lowest row shown and lots by field and row, shape (len(FIELDS), rows), lowest price first."""
    content, (at, values) = message
    cells = np.zeros(len(FIELDS) * content["count"], np.float64)
    cells[at] = values
    sides = [row for row in (content["bid_row"], content["ask_row"]) if row is not None]
    middle = sum(sides) // len(sides) if sides else content["last_row"]
    start = int(np.clip(middle - rows // 2 - content["low_row"], 0, content["count"] - rows))
    return content["low_row"] + start, cells.reshape(len(FIELDS), -1)[:, start : start + rows]


def png(still: LadderStill) -> bytes:
    """Picture of the ladder with all its columns."""
    width = sum(COLUMNS[name].width for name in still.columns)
    canvas = Canvas(max(width, 320), _HEAD_PX + still.rows * _ROW_PX, still.theme_name)
    canvas.text(8, 11, still.instrument.symbol, "text", 13)
    canvas.text(canvas.width - 8, 11, still.heading.translate(_SPELLED), "faint", 10, "rm")
    left = 0
    for name in still.columns:
        _column(canvas, still, name, left, left + COLUMNS[name].width)
        left += COLUMNS[name].width
    return canvas.png()


def _column(canvas: Canvas, still: LadderStill, name: str, left: int, right: int) -> None:
    anchor, x = _anchor(name, left, right)
    canvas.text(x, _HEAD_PX - 9, COLUMNS[name].title, "faint", 10, anchor)
    most = _most(still, name)
    for index in range(still.rows):
        y = _HEAD_PX + (still.rows - 1 - index) * _ROW_PX
        _ground(canvas, still, name, index, (left, y, right, most))
        text = still.text(name, index).translate(_SPELLED)
        canvas.text(x, y + _ROW_PX / 2, text, _ink(still, name, index), 11, anchor)


def _ground(
    canvas: Canvas, still: LadderStill, name: str, index: int, box: tuple[float, float, float, float]
) -> None:
    """What lies under a text: the price's own colour, a bar, an own order."""
    left, y, right, most = box
    bottom = y + _ROW_PX - 1
    if name == "price":
        canvas.box(left, y, right, bottom, "last" if _is_last(still, index) else "panel")
    elif name in _OWN and still.text(name, index):
        canvas.box(left, y, right, bottom, _ROLES[name])
    elif name in _BARS:
        role, alpha = _BARS[name]
        length = (right - left) * still.value(name, index) / most
        start = right - length if name in _RIGHT else left
        canvas.box(start, y, start + length, bottom, role, alpha)


def _is_last(still: LadderStill, index: int) -> bool:
    return bool(still.low + index == still.content["last_row"])


def _ink(still: LadderStill, name: str, index: int) -> str:
    covered = name in _OWN or (name == "price" and _is_last(still, index))
    return "background" if covered else _role(still, name, index)


def _anchor(name: str, left: int, right: int) -> tuple[str, float]:
    if name == "price":
        return "mm", (left + right) / 2
    return ("rm", right - 6) if name in _RIGHT else ("lm", left + 6)


def _most(still: LadderStill, name: str) -> float:
    together = ("bid", "ask") if name in ("bid", "ask") else ("sold", "bought")
    return max(1.0, *(float(still.cells[FIELDS.index(one)].max()) for one in together))


def _role(still: LadderStill, name: str, index: int) -> str:
    if name in ("recent_bought", "recent_sold"):
        warmth = still.value(name.replace("recent", "warmth"), index)
        return _ROLES[name] if warmth > WARMTHS / 2 else "faint"
    if name in ("bid_flow", "ask_flow"):
        return "text" if still.value(name, index) > 0 else "faint"
    if name == "print":
        return "buy" if still.value(name, index) > 0 else "sell"
    if name == "profit":
        return {"+": "buy", "−": "sell"}.get(still.text(name, index)[:1], "text")
    return _ROLES.get(name, "text")


def chart(still: LadderStill | None) -> Any:
    """Plotly figure: a table of the rows, highest price first, with the resting sizes as bars beside it."""
    import plotly.graph_objects as go

    figure = go.Figure()
    if still is None:
        return figure
    colours = theme_colours(still.theme_name)
    order = range(still.rows - 1, -1, -1)
    _add_bars(figure, still, colours)
    figure.add_table(
        domain={"x": [0.0, 0.78]},
        columnwidth=[COLUMNS[name].width for name in still.columns],
        header={
            "values": [COLUMNS[name].title for name in still.columns],
            "fill": {"color": colours["panel"]}, "font": {"color": colours["faint"], "size": 11}, "height": _ROW_PX + 2,
        },
        cells={
            "values": [[still.text(name, index) for index in order] for name in still.columns],
            "fill": {"color": [_fills(still, name, colours) for name in still.columns]},
            "font": {"color": [_fonts(still, name, colours) for name in still.columns], "size": 11},
            "align": [_align(name) for name in still.columns], "height": _ROW_PX, "line": {"color": colours["grid"]},
        },
    )  # fmt: skip
    title = f"{axes.plain(still.instrument.symbol)}  <sub>{axes.plain(still.heading)}</sub>"
    figure.update_layout(
        template="plotly_dark" if still.theme_name == "dark" else "plotly_white",
        title={"text": title, "x": 0.01},
        paper_bgcolor=colours["background"],
        plot_bgcolor=colours["background"],
        barmode="relative",
        bargap=0.08,
        height=max(320, (still.rows + 1) * (_ROW_PX + 2) + 130),
        width=sum(COLUMNS[name].width for name in still.columns) + 320,
        margin={"l": 20, "r": 20, "t": 50, "b": 40},
        xaxis={"title": "resting size (bids to the left)", "domain": [0.86, 1.0]},
        yaxis={"type": "category"},
        showlegend=False,
    )
    return figure


def _add_bars(figure: Any, still: LadderStill, colours: dict[str, str]) -> None:
    prices = [still.text("price", index) for index in range(still.rows)]
    for name, sign in (("bid", -1), ("ask", 1)):
        size = still.cells[FIELDS.index(name)] * float(still.instrument.lot_size)
        figure.add_bar(
            y=prices, x=sign * size, customdata=size, orientation="h", name=name, marker={"color": colours[name]},
            hovertemplate="%{y}<br>size %{customdata:.4g}<extra>" + name + "</extra>",
        )  # fmt: skip


def _fills(still: LadderStill, name: str, colours: dict[str, str]) -> list[str]:
    return [colours[_fill(still, name, index)] for index in range(still.rows - 1, -1, -1)]


def _fill(still: LadderStill, name: str, index: int) -> str:
    if name == "price":
        return "last" if _is_last(still, index) else "panel"
    return _ROLES[name] if name in _OWN and still.text(name, index) else "background"


def _fonts(still: LadderStill, name: str, colours: dict[str, str]) -> list[str]:
    return [colours[_ink(still, name, index)] for index in range(still.rows - 1, -1, -1)]


def _align(name: str) -> str:
    return "center" if name == "price" else "right" if name in _RIGHT else "left"
