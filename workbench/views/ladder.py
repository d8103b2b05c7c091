"""Ladder: resting and traded size by price round the touch. Live and as figures."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from workbench.events import Array, Instrument
from workbench.views import axes
from workbench.views.esm import joined, styled
from workbench.views.ladder_model import LadderModel
from workbench.views.live import LiveView, Message
from workbench.views.picture import Canvas, blank
from workbench.views.showable import showable
from workbench.views.theme import theme as theme_colours

__all__ = ["Ladder"]

_ROW_PX = 18
_WIDTH = 520


class Ladder(LiveView):
    """Live price ladder of one instrument: sold, bid, price, ask, bought.

    The wheel scrolls and releases the centre lock; a double-click locks it again.

    Parameters
    ----------
    session : Session or Recording
        Or anything with ``capture(symbol)``, ``clock.now_ns``, ``state`` and ``health``.
    symbol : str, optional
        Default: the session's first instrument.
    rows : int, default 25
        Rows shown.
    row_ticks : int, optional
        Ticks per row; default: chosen so that most rows near the touch hold something.
    theme : {"dark", "light", "auto"}

    Notes
    -----
    Sold and bought are volumes traded since the capture began, by aggressor; off-book prints are left out.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> wb.Ladder(s)
    Ladder('ES')
    """

    _esm = joined("ladder.js")
    _css = styled("ladder.css")

    def __init__(
        self,
        session: object,
        symbol: str | None = None,
        *,
        rows: int = 25,
        row_ticks: int | None = None,
        theme: Literal["auto", "dark", "light"] = "dark",
    ):
        session = showable(session)
        capture = session.capture(symbol)
        self._rows, self._still_theme = rows, "dark" if theme == "auto" else theme
        super().__init__(
            session, capture, lambda: LadderModel(capture, row_ticks), {"theme": theme, "rows": rows}
        )

    def figure(self) -> Any:
        """Return the static Plotly twin: bars of bids and asks by price (``plotly.graph_objects.Figure``)."""
        import plotly.graph_objects as go

        chart = go.Figure()
        message = self._still()
        if message[1]:
            _add_bars(chart, message, self._rows, self._capture.instrument, self._still_theme)
        return chart

    def _draw(self, message: Message) -> bytes:
        if not message[1]:
            return blank(repr(self), self._still_theme, _WIDTH)
        return _png(message, self._rows, self._capture.instrument, self._still_theme)


def shown_rows(message: Message, rows: int) -> tuple[int, Array]:
    """Lowest row shown and lots by kind (bid, ask, bought, sold) and row, shape (4, rows), lowest price first."""
    content, (lots,) = message
    sides = [row for row in (content["bid_row"], content["ask_row"]) if row is not None]
    middle = sum(sides) // len(sides) if sides else content["last_row"]
    start = int(np.clip(middle - rows // 2 - content["low_row"], 0, content["count"] - rows))
    return content["low_row"] + start, lots[:, start : start + rows]


def _png(message: Message, rows: int, instrument: Instrument, theme_name: str) -> bytes:
    content = message[0]
    low, lots = shown_rows(message, rows)
    canvas = Canvas(_WIDTH, (rows + 2) * _ROW_PX, theme_name)
    canvas.text(10, _ROW_PX / 2, instrument.symbol, "text", 12)
    for x, title in ((60, "Sold"), (160, "Bid"), (260, "Price"), (360, "Ask"), (460, "Bought")):
        canvas.text(x, 1.5 * _ROW_PX, title, "faint", 11, "mm")
    most = max(float(lots[:2].max()), 1.0)
    for index in range(rows):
        row, y = low + index, (rows + 1 - index) * _ROW_PX
        bid, ask, bought, sold = (float(value) for value in lots[:, index])
        canvas.box(210 - 100 * bid / most, y, 210, y + _ROW_PX - 1, "bid", 100)
        canvas.box(310, y, 310 + 100 * ask / most, y + _ROW_PX - 1, "ask", 100)
        canvas.box(210, y, 310, y + _ROW_PX - 1, "last" if row == content["last_row"] else "panel")
        _row_texts(canvas, y + _ROW_PX / 2, (sold, bid, ask, bought), instrument)
        role = "background" if row == content["last_row"] else "text"
        canvas.text(
            260,
            y + _ROW_PX / 2,
            axes.price_text(row * content["row_ticks"], instrument.tick_size),
            role,
            11,
            "mm",
        )
    return canvas.png()


def _row_texts(canvas: Canvas, y: float, lots: tuple[float, ...], instrument: Instrument) -> None:
    places = ((100, "rm", "sell"), (204, "rm", "text"), (316, "lm", "text"), (420, "lm", "buy"))
    for value, (x, anchor, role) in zip(lots, places):
        if value > 0:
            canvas.text(x, y, axes.size_text(value * float(instrument.lot_size)), role, 11, anchor)


def _add_bars(chart: Any, message: Message, rows: int, instrument: Instrument, theme_name: str) -> None:
    content = message[0]
    low, lots = shown_rows(message, rows)
    colours = theme_colours(theme_name)
    prices = [axes.price_text((low + i) * content["row_ticks"], instrument.tick_size) for i in range(rows)]
    for kind, name, role, sign in ((0, "bid", "bid", -1), (1, "ask", "ask", 1)):
        size = lots[kind] * float(instrument.lot_size)
        chart.add_bar(
            y=prices, x=sign * size, customdata=size, orientation="h", name=name, marker={"color": colours[role]},
            hovertemplate="%{y}<br>size %{customdata:.4g}<extra>" + name + "</extra>",
        )  # fmt: skip
    chart.update_layout(
        template="plotly_dark" if theme_name == "dark" else "plotly_white",
        title={"text": axes.plain(instrument.symbol), "x": 0.01},
        paper_bgcolor=colours["background"],
        plot_bgcolor=colours["background"],
        barmode="relative",
        bargap=0.08,
        height=max(300, rows * _ROW_PX + 90),
        yaxis={"type": "category", "title": "price"},
        xaxis={"title": "resting size (bids to the left)"},
    )
