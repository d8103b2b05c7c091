"""Profile: traded volume by price with point of control and value area. Live and as figures."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from workbench.errors import WorkbenchError
from workbench.events import Instrument
from workbench.views import axes
from workbench.views.esm import joined
from workbench.views.live import LiveView, Message
from workbench.views.picture import Canvas, blank
from workbench.views.profile_model import ProfileModel
from workbench.views.showable import showable
from workbench.views.theme import theme as theme_colours

__all__ = ["Profile"]

_WIDTH, _TOP, _BOTTOM, _AXIS = 640, 26, 18, 90


class Profile(LiveView):
    """Live volume profile of one instrument: sold and bought by price, POC, VAH and VAL.

    Parameters
    ----------
    session : Session or Recording
        Or anything with ``capture(symbol)``, ``clock.now_ns``, ``state`` and ``health``.
    symbol : str, optional
        Default: the session's first instrument.
    row_ticks : int, optional
        Ticks per row; default: chosen so that about 120 rows show everything.
    value_area : float, default 0.70
        Share of the volume in the value area.
    method : {"two_row", "one_row", "traded_only"}
        How the value area grows, see :func:`workbench.volume_profile`.
    theme : {"dark", "light", "auto"}
    height : int, pixels

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> wb.Profile(s)
    Profile('ES')
    """

    _esm = joined("profile.js")

    def __init__(
        self,
        session: object,
        symbol: str | None = None,
        *,
        row_ticks: int | None = None,
        value_area: float = 0.70,
        method: Literal["two_row", "one_row", "traded_only"] = "two_row",
        theme: Literal["auto", "dark", "light"] = "dark",
        height: int = 480,
    ):
        if not 0 < value_area <= 1:
            raise WorkbenchError(f"value_area {value_area}", expected="a share in (0, 1]")
        session = showable(session)
        capture = session.capture(symbol)
        self._height, self._still_theme = height, "dark" if theme == "auto" else theme
        super().__init__(
            session,
            capture,
            lambda: ProfileModel(capture, row_ticks, value_area, method),
            {"theme": theme, "height": height},
        )

    def figure(self) -> Any:
        """Return the static Plotly twin (``plotly.graph_objects.Figure``)."""
        import plotly.graph_objects as go

        chart = go.Figure()
        message = self._still()
        if message[1]:
            _add_bars(chart, message, self._capture.instrument, self._still_theme, self._height)
        return chart

    def _draw(self, message: Message) -> bytes:
        if not message[1]:
            return blank(repr(self), self._still_theme, _WIDTH)
        return _png(message, self._capture.instrument, self._still_theme, self._height)


def _lines(content: dict[str, Any]) -> list[tuple[str, int, str]]:
    return [
        ("VAH", content["vah_row"], "accent"),
        ("POC", content["poc_row"], "last"),
        ("VAL", content["val_row"], "accent"),
    ]


def _png(message: Message, instrument: Instrument, theme_name: str, height: int) -> bytes:
    content, (lots,) = message
    canvas = Canvas(_WIDTH, height, theme_name)
    canvas.text(10, _TOP / 2, instrument.symbol, "text", 13)
    per_row = (height - _TOP - _BOTTOM) / content["count"]
    unit = (_WIDTH - _AXIS - 60) / max(float(lots.sum(axis=0).max()), 1.0)
    low = content["low_row"]

    def top_of(row: int) -> float:
        return float(height - _BOTTOM - (row - low + 1) * per_row)

    canvas.box(0, top_of(content["vah_row"]), _WIDTH - _AXIS, top_of(content["val_row"] - 1), "area", 150)
    for index in range(content["count"]):
        x, y = 0.0, top_of(low + index)
        for kind, role in ((1, "sell"), (0, "buy"), (2, "faint")):
            wide = float(lots[kind, index]) * unit
            canvas.box(x, y, x + wide, y + max(per_row * 0.88, 0.6), role, 215)
            x += wide
    for name, row, role in _lines(content):
        y = top_of(row) + per_row / 2
        canvas.line([(0, y), (_WIDTH - _AXIS, y)], role, 1.2)
        # names stay apart where two lines fall together: VAL below its line, POC further in
        x, y_name = _WIDTH - _AXIS - (46 if name == "POC" else 6), y + (8 if name == "VAL" else -8)
        canvas.text(x, y_name, name, role, 11, "rm")
        canvas.text(
            _WIDTH - 8, y, axes.price_text(row * content["row_ticks"], instrument.tick_size), role, 12, "rm"
        )
    return canvas.png()


def _add_bars(chart: Any, message: Message, instrument: Instrument, theme_name: str, height: int) -> None:
    content, (lots,) = message
    colours = theme_colours(theme_name)
    tick = float(instrument.tick_size)
    low_edges = (content["low_row"] + np.arange(content["count"])) * content["row_ticks"] * tick
    step = content["row_ticks"] * tick
    for kind, name, role in ((1, "sold", "sell"), (0, "bought", "buy"), (2, "unknown", "faint")):
        if lots[kind].any():
            volume = lots[kind] * float(instrument.lot_size)
            chart.add_bar(
                y=low_edges + step / 2,
                x=volume,
                width=step * 0.9,
                orientation="h",
                name=name,
                marker={"color": colours[role]},
            )
    inside = (content["val_row"] * step, (content["vah_row"] + 1) * step)
    chart.add_hrect(
        y0=inside[0], y1=inside[1], fillcolor=colours["area"], opacity=0.5, line_width=0, layer="below"
    )
    for name, row, role in _lines(content):
        text = f"{name} {axes.price_text(row * content['row_ticks'], instrument.tick_size)}"
        chart.add_hline(
            y=(row + 0.5) * step,
            line={"color": colours[role], "width": 1},
            annotation={"text": text, "font": {"color": colours[role]}},
        )
    chart.update_layout(
        template="plotly_dark" if theme_name == "dark" else "plotly_white",
        title={"text": axes.plain(instrument.symbol), "x": 0.01},
        paper_bgcolor=colours["background"],
        plot_bgcolor=colours["background"],
        barmode="stack",
        bargap=0,
        height=height,
        xaxis={"title": "volume"},
        yaxis={"title": "price", "tickformat": "f"},
    )
