"""Heatmap: resting size over time and price, trades as bubbles, the book at the right edge. Live and as figures."""

from __future__ import annotations

from typing import Any, Literal

from workbench.errors import WorkbenchError
from workbench.views import heatmap_still
from workbench.views.esm import joined
from workbench.views.heatmap_model import HeatmapModel
from workbench.views.live import LiveView, Message
from workbench.views.marking import Marking
from workbench.views.picture import blank
from workbench.views.showable import showable
from workbench.views.theme import COLOUR_MAPS, ColourMap, palette

__all__ = ["Heatmap"]


class Heatmap(Marking, LiveView):
    """Live heatmap of one instrument.

    Drag to pan, wheel to zoom time, Shift+wheel to zoom price, double-click to follow the market again.

    Parameters
    ----------
    session : Session or Recording
        Or anything with ``capture(symbol)``, ``clock.now_ns``, ``state`` and ``health``.
    symbol : str, optional
        Default: the session's first instrument.
    column_ms : float, default 250
        Time of one column to begin with, ms; zooming changes it.
    row_ticks : int, optional
        Ticks per row; default: chosen from the spread of the book and the range of the mid.
    rule : {"max", "last", "mean"}
        What a column shows of a row whose size changed within it.
    colours : {"bookmap", "cividis"}
    cut : (float, float), percent
        Sizes below the first percentile get the first colour, sizes above the second the last one.
    theme : {"dark", "light", "auto"}
        ``auto`` follows JupyterLab; still pictures are then dark.
    height : int, pixels

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> wb.Heatmap(s)
    Heatmap('ES')
    """

    _esm = joined("heatmap.js")

    def __init__(
        self,
        session: object,
        symbol: str | None = None,
        *,
        column_ms: float = 250,
        row_ticks: int | None = None,
        rule: Literal["max", "last", "mean"] = "max",
        colours: ColourMap = "bookmap",
        cut: tuple[float, float] = (10.0, 98.5),
        theme: Literal["auto", "dark", "light"] = "dark",
        height: int = 480,
    ):
        if not 0 <= cut[0] < cut[1] <= 100:
            raise WorkbenchError(f"cut {cut}", expected="two percentiles, 0 ≤ lower < upper ≤ 100")
        palette(colours, "dark")
        source, session = session, showable(session)
        capture = session.capture(symbol)
        self._begin_marking(source, session, capture)
        self._serving = False
        self._colours, self._still_theme = colours, "dark" if theme == "auto" else theme

        def make_model() -> HeatmapModel:
            extras = self._marks.reader(whole=self._serving)
            self._serving = True  # the first model is the page's; those after it are for still pictures
            return HeatmapModel(capture, round(column_ms * 1e6), row_ticks, rule, cut, extras=extras)

        options = {"theme": theme, "height": height, "maps": COLOUR_MAPS[colours]}
        super().__init__(session, capture, make_model, options)

    def _act(self, act: dict[str, Any]) -> dict[str, Any]:
        known = self._marking_acts()
        name = act.get("do")
        return known[name](act) if isinstance(name, str) and name in known else super()._act(act)

    def figure(self) -> Any:
        """Return the static Plotly twin of what there is to see now (``plotly.graph_objects.Figure``)."""
        message = self._still()
        if not message[1]:
            import plotly.graph_objects as go

            return go.Figure()
        return heatmap_still.figure(message, self._capture.instrument, self._colours, self._still_theme)

    def _draw(self, message: Message) -> bytes:
        if not message[1]:
            return blank(repr(self), self._still_theme)
        return heatmap_still.png(message, self._capture.instrument, self._colours, self._still_theme)
