"""Footprint: what was sold into the bid and bought from the ask, by bar and price. Live and as figures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, get_args

from workbench.errors import WorkbenchError
from workbench.flow.bar_rule import bar_rule
from workbench.flow.imbalance import ImbalanceRule, Zeros
from workbench.views import footprint_still
from workbench.views.esm import joined, styled
from workbench.views.footprint_model import FootprintModel
from workbench.views.live import LiveView, Message
from workbench.views.picture import blank
from workbench.views.showable import showable
from workbench.views.theme import still_theme

__all__ = ["Footprint"]

Mode = Literal["bid_ask", "delta", "volume"]


class Footprint(LiveView):
    """Live footprint of one instrument: bid × ask by bar and price, imbalances, delta rows.

    Drag to pan, wheel to zoom time, Shift+wheel to zoom price, double-click to follow the market again.

    Parameters
    ----------
    session : Session or Recording
    symbol : str, optional
        Default: the session's first instrument.
    bar : str, default "1m"
        What ends a bar: ``"1m"``, ``"500 trades"``, ``"1000 volume"``, ``"8 range"``, see
        :func:`workbench.footprint`.
    row_ticks : int, optional
        Ticks per row; default: chosen so that a usual bar has about twenty rows.
    ratio, min_volume, stacked, zeros
        When a cell counts as imbalanced, see :func:`workbench.footprint`.
    mode : {"bid_ask", "delta", "volume"}
        What cells show to begin with.
    zone : str, optional
        Time zone of the axis, as ``"America/New_York"``; default: the browser's.
    theme : {"dark", "light", "auto"}
    height : int, pixels
    group : str, optional
        Views of one group share a cursor and a time range; default: those of one session.

    Raises
    ------
    WorkbenchError
        A bar, rule or mode that means nothing.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> wb.Footprint(s, bar="10s")
    Footprint('ES-SIM')
    """

    _esm = joined("footprint.js")
    _css = styled("profile_controls.css")
    _every_ticks = 2

    def __init__(
        self,
        session: object,
        symbol: str | None = None,
        *,
        bar: str = "1m",
        row_ticks: int | None = None,
        ratio: float = 3.0,
        min_volume: float = 0.0,
        stacked: int = 3,
        zeros: Zeros = "ignore",
        mode: Mode = "bid_ask",
        zone: str = "",
        theme: Literal["auto", "dark", "light"] = "dark",
        height: int = 560,
        group: str | None = None,
    ):
        if mode not in get_args(Mode):
            raise WorkbenchError(f"mode {mode!r}", expected=f"one of {', '.join(get_args(Mode))}")
        shown = showable(session)
        capture = shown.capture(symbol)
        rule = ImbalanceRule(ratio, min_volume, stacked, zeros)
        bar_rule(bar, capture.instrument)
        self._mode, self._height = mode, height
        self._still_theme = still_theme(theme)
        options = {"theme": theme, "height": height, "mode": mode, "zone": zone}
        super().__init__(
            shown,
            capture,
            lambda: FootprintModel(capture, bar, row_ticks, rule),
            options if group is None else {**options, "group": group},
        )

    def _answers(self, look: dict[str, Any]) -> Iterable[Message]:
        model = self._model
        assert isinstance(model, FootprintModel)
        yield model.older(look["first"], look["stop"])

    def _still(self) -> Message:
        self._read_on()
        live, now_ns = self._model, self._session.clock.now_ns
        assert isinstance(live, FootprintModel)
        model = live.twin()
        message = model.pull([], True, now_ns)
        if message is None:
            return {"k": "idle"}, []
        fitted = model.fitted(footprint_still.fitting_ticks(message))
        return message if fitted is model else fitted.pull([], True, now_ns) or message

    def figure(self) -> Any:
        """Return the static Plotly twin of the newest bars (``plotly.graph_objects.Figure``)."""
        return footprint_still.figure(
            self._still(), self._capture.instrument, self._still_theme, self._height
        )

    def _draw(self, message: Message) -> bytes:
        if not message[1]:
            return blank(repr(self), self._still_theme)
        return footprint_still.png(
            message, self._capture.instrument, self._still_theme, self._height, self._mode
        )
