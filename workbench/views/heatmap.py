"""Heatmap: resting size over time and price, trades as bubbles, the book at the right edge. Live and as figures."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, Literal, Unpack

import traitlets

from workbench.errors import WorkbenchError
from workbench.frames.moments import Moment, to_ns
from workbench.views import heatmap_still
from workbench.views.esm import joined, styled
from workbench.views.heatmap_looks import HeatLooks
from workbench.views.heatmap_model import HeatmapModel
from workbench.views.heatmap_range import ranged
from workbench.views.heatmap_settings import HeatSettings, checked
from workbench.views.ladder_desk import ON_CHART, Desk
from workbench.views.live import Captured, LiveView, Message
from workbench.views.marking import Marking
from workbench.views.picture import blank
from workbench.views.scenery import Scenery
from workbench.views.showable import showable
from workbench.views.theme import COLOUR_MAPS, still_theme

__all__ = ["Heatmap"]


class Heatmap(Marking, LiveView):
    """Live heatmap of one instrument.

    Drag to pan, wheel to zoom time, Shift+wheel or the price axis to zoom price, double-click to follow the market
    again; ``?`` on the page lists the keys. Everything under ``settings`` is in the bar above the picture too, and
    survives a reload of the page.

    Parameters
    ----------
    session : Session or Recording
        Or anything with ``capture(symbol)``, ``clock.now_ns``, ``state`` and ``health``.
    symbol : str, optional
        Default: the session's first instrument.
    column_ms : float, default 200
        Time of one column to begin with, ms; zooming changes it.
    row_ticks : int, optional
        Ticks per row; default: chosen from the spread of the book and the range of the mid.
    theme : {"dark", "light", "auto"}
        ``auto`` follows JupyterLab; still pictures are then dark.
    height : int, pixels
    group : str, optional
        Views of one group share cursor and time range; default: the views of one session.
    **settings
        rule : {"max", "last", "mean"}
            What a column shows of a row whose size changed within it.
        colours : {"bookmap", "cividis", "grey"}
        cut : (float, float), default (10, 98.5)
            Sizes below the first get the first colour, sizes above the second the last one.
        cut_by : {"percentile", "size"}
            What ``cut`` is given in: percent of the sizes in view, or sizes.
        contrast : float, 0.25 to 4
            More: only the largest sizes are bright.
        dimming : float, 0 to 0.9
            Darkens the heat under lines and bubbles.
        bubbles : bool
        bubble_style : {"gradient", "pie", "split"}
            Aggressors' mix as a colour, as a pie, or one bubble for each side.
        cluster : {"time", "volume"}
            One bubble per slice of time and price, or per slice of volume; each stands at its slice's VWAP.
        bubble_scale : float, 0.25 to 4
        min_trade, min_volume : float, size
            Smallest single trade that counts, and smallest bubble that is drawn.
        bbo : {"range", "last", "off"}
            Best prices: every value within a pixel, or its last one.
        vwap : bool
        profile : {"range", "session", "off"}
            Volume at price of what is in view, or of the session.
        book : {"plain", "cumulative", "off"}
            Book of this moment at the right edge, by row or summed up from the touch.
        zone : str
            IANA name of the time axis' zone; default: the browser's.
        linked : bool
            Whether it shares the time range of its group.

    Raises
    ------
    WorkbenchError
        A setting that is unknown or out of range.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> wb.Heatmap(s)
    Heatmap('ES-SIM')
    """

    _esm = joined("heatmap.js")
    _css = styled("heatmap.css", "heat_marks.css")
    settings = traitlets.Dict().tag(sync=True)
    _needs_every_trade = False  # bubbles of the newest columns are made of events

    def __init__(
        self,
        session: object,
        symbol: str | None = None,
        *,
        column_ms: float = 200,
        row_ticks: int | None = None,
        theme: Literal["auto", "dark", "light"] = "dark",
        height: int = 480,
        group: str | None = None,
        **settings: Unpack[HeatSettings],
    ):
        defaults = checked(settings)
        source, session = session, showable(session)
        capture = session.capture(symbol)
        self._begin_marking(source, session, capture)
        self._trading = Desk(session, capture.instrument, self._marks.notes)
        self._marks.shows_vwap = lambda: self._chosen["vwap"]
        self._chosen, self._still_theme = defaults, still_theme(theme)
        self._scenery = Scenery(capture)
        self._looks = HeatLooks(capture, self._scenery)
        self._shown: dict[str, Any] | None = None
        self._serving = False
        make_model = partial(self._modelled, capture, round(column_ms * 1e6), row_ticks)
        options: dict[str, Any] = {"theme": theme, "height": height, "column_ms": column_ms}
        options |= {"maps": COLOUR_MAPS, "defaults": defaults}
        if group is not None:
            options["group"] = group
        super().__init__(session, capture, make_model, options)
        self.settings = dict(defaults)

    def _modelled(self, capture: Captured, column_ns: int, row_ticks: int | None) -> HeatmapModel:
        """A model: the first one is the page's, in a hurry; those after it are for still pictures, and whole."""
        serving, self._serving = self._serving, True
        return HeatmapModel(
            capture,
            column_ns,
            row_ticks,
            self._chosen["rule"],
            self._still_cut(),
            extras=self._marks.reader(whole=serving),
            scenery=self._scenery,
            hasty=not serving,
        )

    def show(
        self, start: Moment | str, end: Moment | str, low: float | None = None, high: float | None = None
    ) -> None:
        """Move the page to a time range, and a price range if given; still pictures show it from then on, too.

        Parameters
        ----------
        start, end : int (ns since the epoch), datetime or text
            Text as ISO 8601 with its zone.
        low, high : float, price

        Raises
        ------
        WorkbenchError
            The range is empty.
        """
        left, right = to_ns(start), to_ns(end)
        if left >= right or (low is not None and high is not None and low >= high):
            raise WorkbenchError(
                f"range {start} to {end}, {low} to {high}", expected="a start before its end"
            )
        tick = float(self._capture.instrument.tick_size)
        self._shown = {"left_ms": left / 1e6, "right_ms": right / 1e6}
        if low is not None and high is not None:
            self._shown |= {"low": low / tick, "high": high / tick + 1}
        self.send({"k": "show", **self._shown})

    def _answers(self, look: dict[str, Any]) -> Iterable[Message]:
        return self._looks.answers(look)

    def _header(self, number: int) -> dict[str, Any]:
        shown = {} if self._shown is None else {"shown": self._shown}
        return {**super()._header(number), **shown}

    def _act(self, act: dict[str, Any]) -> dict[str, Any]:
        known = {
            **self._marking_acts(),
            "settings": self._settle,
            **dict.fromkeys(ON_CHART, self._trading.carry_out),
        }
        name = act.get("do")
        return known[name](act) if isinstance(name, str) and name in known else super()._act(act)

    def _settle(self, act: dict[str, Any]) -> dict[str, Any]:
        """Keep what a hand has set, for still pictures and for the next page."""
        said = act.get("settings")
        self._chosen = checked(said if isinstance(said, dict) else {}, self._chosen)
        self.settings = dict(self._chosen)
        return {}

    def _still_cut(self) -> tuple[float, float]:
        return self._chosen["cut"] if self._chosen["cut_by"] == "percentile" else (10.0, 98.5)

    def _still(self) -> Message:
        """Everything there is to see now, or the range that :meth:`show` asked for, under the settings of the page."""
        model = self._make_model()
        want = {"k": "view", "min_trade": self._chosen["min_trade"]}
        message = model.pull([want], True, self._session.clock.now_ns)
        if message is None:
            return {"k": "idle"}, []
        lot = float(self._capture.instrument.lot_size)
        if self._shown is not None:
            message = ranged(message, self._shown, self._chosen, self._scenery, lot)
        if self._chosen["cut_by"] == "size":
            message[0]["cut"] = [max(size, 1e-12) / lot for size in self._chosen["cut"]]
        return message

    def figure(self) -> Any:
        """Return the static Plotly twin of what there is to see now (``plotly.graph_objects.Figure``)."""
        message = self._still()
        if not message[1]:
            import plotly.graph_objects as go

            return go.Figure()
        return heatmap_still.figure(message, self._capture.instrument, self._chosen, self._still_theme)

    def _draw(self, message: Message) -> bytes:
        if not message[1]:
            return blank(repr(self), self._still_theme)
        return heatmap_still.png(message, self._capture.instrument, self._chosen, self._still_theme)
