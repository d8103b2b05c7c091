"""What the line panels share: one time axis with the heatmap, acts that change what is shown, still pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, Literal

from workbench.flow.days import zone_of
from workbench.views import panel_still
from workbench.views.esm import styled
from workbench.views.live import LiveView, Message
from workbench.views.panel_gaps import Gaps
from workbench.views.panel_model import PanelModel, Series
from workbench.views.picture import blank
from workbench.views.showable import showable
from workbench.views.theme import still_theme

__all__ = ["PanelView", "Scaling", "ThemeChoice"]

ThemeChoice = Literal["auto", "dark", "light"]
Scaling = Literal["auto", "symmetrical", "zero", "compact"]
SCALINGS: Final = ("auto", "symmetrical", "zero", "compact")
STILL_COLUMNS: Final = 900


class PanelView(LiveView):
    """Base of the panels: subclasses make the series and name what can be changed.

    Parameters
    ----------
    session : Session or Recording
    symbol : str, optional
    make : function
        Makes the series of a capture, of the version given.
    options : dict
        What the page needs beside theme and height.
    """

    _css = styled("panel.css")
    _every_ticks = 2  # columns are 100 ms at least

    def __init__(
        self,
        session: object,
        symbol: str | None,
        make: Callable[[Any, int], Series],
        options: dict[str, Any],
    ):
        shown = showable(session)
        capture = shown.capture(symbol)
        self._version = 0
        self._zone = zone_of(options.get("zone"))
        theme = options["theme"]
        self._still_theme = still_theme(theme)

        def make_model() -> PanelModel:
            gaps = Gaps(capture)
            return PanelModel(lambda version: make(capture, version), gaps, lambda: self._version)

        kept = {name: value for name, value in options.items() if value is not None}
        super().__init__(shown, capture, make_model, kept)

    def _change(self) -> None:
        """Show everything again, as the settings are now."""
        self._version += 1

    def _answers(self, look: dict[str, Any]) -> Iterable[Message]:
        model = self._model
        assert isinstance(model, PanelModel)
        return model.tiles(look)

    # -- static --------------------------------------------------------------------------------------------------
    def _still(self) -> Message:
        """Everything from the first event to the last, at about a column per pixel."""
        model = self._make_model()
        assert isinstance(model, PanelModel)
        model.settle()
        span = model.series.span_ns
        if span is not None:
            model.want(max(1, (span[1] - span[0]) // STILL_COLUMNS))
        message = model.pull([], True, self._session.clock.now_ns)
        return message if message is not None else ({"k": "idle"}, [])

    def figure(self) -> Any:
        """Return the static Plotly twin of everything up to now (``plotly.graph_objects.Figure``)."""
        message = self._still()
        if not message[1]:
            import plotly.graph_objects as go

            return go.Figure()
        return panel_still.figure(message, self._dressing())

    def _draw(self, message: Message) -> bytes:
        if not message[1]:
            return blank(repr(self), self._still_theme)
        return panel_still.png(message, self._dressing())

    def _dressing(self) -> panel_still.Dressing:
        return panel_still.Dressing(
            self._capture.instrument, self._still_theme, self.options["height"], self._zone, repr(self)
        )
