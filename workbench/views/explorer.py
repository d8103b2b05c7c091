"""Explorer: choose a signal, move its parameters, and see at once where it would have acted and what came after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

import ipywidgets
import polars as pl

from workbench.errors import WorkbenchError
from workbench.flow import signals
from workbench.flow.signals.contract import Signal
from workbench.frames.recording import Recording
from workbench.lab.excerpt import Window
from workbench.lab.study import Study, Terms
from workbench.views.composing import composed_figure, composed_png
from workbench.views.explorer_desk import Choice
from workbench.views.explorer_knobs import rebuilt
from workbench.views.explorer_panel import SEEDS, ExplorerPanel
from workbench.views.explorer_presets import Presets
from workbench.views.heatmap import Heatmap
from workbench.views.options import check_options
from workbench.views.pictured import SEVERAL_LOOKS_S, Pictured
from workbench.views.showable import showable
from workbench.views.theme import still_theme

__all__ = ["Explorer"]

HEATMAP_PX: Final = 360
PANEL_PX: Final = 280
"""Height of the event study when nothing else is said."""


class Explorer(Pictured, ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets is not typed
    """Sliders for the parameters of a signal; its marks, event study and scorecard follow them.

    Nothing blocks: studies are made aside, and the newest position of a slider wins. What depends on the recording alone
    is read once. Every choice that was settled (a slider let go, a signal chosen) counts as a trial, beside the recording;
    the number of trials, and what is left of the result after them, always stand under the scorecard.

    Parameters
    ----------
    x : Session or Recording
        Of a session the events so far; :meth:`renew` takes in what came since.
    signal : Signal, type of Signal or str, optional
        To begin with; an object of your own class, or one put together from several, can be chosen on the page too.
        Default: ``"BookImbalance"``.
    symbol : str, optional
        Default: the session's first instrument.
    horizons : sequence of str
        Rising times after the entry; the middle one is that by which trials are compared.
    costs : float (ticks) or "spread"
        Of a round trip.
    latency : str
        From when the signal is known to when an order arrives.
    window : str, timedelta or (start, end), optional
        Only the last ``"30m"``, or what lies between two moments (or durations after the first event, None: no bound), as
        :func:`wb.study` takes it; the heatmap begins with it.
    heatmap : bool
        Whether a heatmap stands above. Marks show on every heatmap of the same session and group, with it or without.
    theme : {"dark", "light", "auto"}
    zone : str, optional
        Time zone of the heatmap, as ``"America/New_York"``; default: the browser's.
    height : int, pixels
        Of the event study.
    group : str, optional
        Views of one group share a cursor and a time range; default: those of one session.

    Attributes
    ----------
    panel : ExplorerPanel
    heatmap : Heatmap or None

    Raises
    ------
    WorkbenchError
        No signal of that name; horizons that do not rise; a setting that means nothing.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("60s")
    >>> explorer = wb.Explorer(s, wb.signals.BookImbalance(levels=3))
    >>> explorer
    Explorer('ES-SIM')
    >>> explorer.choose(enter=0.5)
    >>> explorer.signal
    BookImbalance(levels=3, half_life_s=0.0, enter=0.5, leave=0.3)
    >>> explorer.study.worth.trials
    2
    """

    # what is refused while it is being built is closed too, by ipywidgets
    _first_look_s = SEVERAL_LOOKS_S
    panel: ExplorerPanel | None = None
    heatmap: Heatmap | None = None

    def __init__(
        self,
        x: Any,
        signal: Signal | type[Signal] | str | None = None,
        symbol: str | None = None,
        *,
        horizons: Sequence[str] = ("100ms", "1s", "10s", "60s"),
        costs: float | str = "spread",
        latency: str = "0ms",
        window: Window | None = None,
        heatmap: bool = True,
        theme: Literal["auto", "dark", "light"] = "dark",
        zone: str | None = None,
        height: int = PANEL_PX,
        group: str | None = None,
    ):
        check_options({"theme": theme, "zone": zone, "height": height})
        session = showable(x)
        capture = session.capture(symbol)
        self._still_theme = still_theme(theme)
        terms = Terms(tuple(horizons), costs, latency).verified()
        options: dict[str, Any] = {"theme": theme, "height": height}
        shared: dict[str, Any] = {} if group is None else {"group": group}
        begun = _signal_of(signal)
        if heatmap:
            zoned = {} if zone is None else {"zone": zone}
            looks: dict[str, Any] = {"theme": theme, "height": HEATMAP_PX, **shared, **zoned}
            self.heatmap = Heatmap(x, symbol, **looks)
        self.panel = ExplorerPanel(x, session, capture, begun, terms, options | shared, window)
        self._begin_with_the_window(x, window)
        super().__init__(children=[view for view in (self.heatmap, self.panel) if view is not None])
        self.add_class("ow-explorer")

    def _begin_with_the_window(self, x: Any, window: Window | None) -> None:
        """Let the heatmap begin with what is studied; where newer events belong to that it goes on following them."""
        events = self._panel.workplace.events
        start, end = events.span_ns
        if self.heatmap is not None and window is not None and (events.ends or isinstance(x, Recording)):
            self.heatmap.show(start, max(end, start + 1))

    # -- the choice --------------------------------------------------------------------------------------------------
    @property
    def signal(self) -> Signal:
        """The signal as it is chosen now."""
        return self._panel.choice.signal

    @property
    def study(self) -> Study:
        """Study of :attr:`signal`; waits until it is made.

        Raises
        ------
        WorkbenchError
            It cannot be made, with the reason.
        """
        outcome = self._panel.finished()
        if outcome is None or outcome.study is None:
            raise WorkbenchError(outcome.error if outcome else "no study", code="no_study")
        return outcome.study

    @property
    def marks(self) -> pl.DataFrame:
        """When the signal went on or turned: ``ts, sequence, score, side, price_ticks, price``."""
        return self.study.entries

    def choose(
        self,
        signal: Signal | type[Signal] | str | None = None,
        *,
        costs: float | str | None = None,
        latency: str | None = None,
        **parameters: Any,
    ) -> None:
        """Choose another signal, other parameters, costs or latency, as a hand on the page would; counts as a trial.

        Parameters
        ----------
        signal : Signal, type of Signal or str, optional
        costs : float (ticks) or "spread", optional
        latency : str, optional
        **parameters
            Of the signal, by name.
        """
        panel, now = self._panel, self._panel.choice
        chosen = rebuilt(now.signal if signal is None else _signal_of(signal), parameters)
        given = now.terms.costs if costs is None else costs, now.terms.latency if latency is None else latency
        terms = Terms(now.terms.horizons, *given).verified()
        panel.know(chosen)
        panel.choose(Choice(chosen, terms))

    def renew(self) -> None:
        """Take in the events that came since, and study the choice again."""
        self._panel.renew()

    # -- what is kept ------------------------------------------------------------------------------------------------
    @property
    def code(self) -> str:
        """Text of a cell that makes the signal and its study again."""
        return self._panel.code

    @property
    def presets(self) -> dict[str, str]:
        """Saved signals by name, as text."""
        return {name: recipe.described() for name, recipe in self._presets.recipes.items()}

    def save(self, name: str) -> None:
        """Keep the signal under a name, beside the recordings of the folder (of a session: as long as it lives).

        Parameters
        ----------
        name : str
            1 to 80 characters that can be printed.

        Raises
        ------
        WorkbenchError
            The name cannot be one, or the file cannot be written.
        """
        self._panel.save(name)

    def load(self, name: str) -> None:
        """Choose what was saved under a name.

        Raises
        ------
        WorkbenchError
            No such name; a signal of a class that is not known here.
        """
        self._panel.load(name)

    @property
    def _panel(self) -> ExplorerPanel:
        assert self.panel is not None, "an explorer that was refused"
        return self.panel

    @property
    def _presets(self) -> Presets:
        return self._panel.presets

    # -- static ------------------------------------------------------------------------------------------------------
    def _views(self) -> list[Any]:
        return [view for view in (self.heatmap, self.panel) if view is not None]

    def figure(self) -> Any:
        """Return the static Plotly twin (``plotly.graph_objects.Figure``)."""
        self._panel.finished()
        return composed_figure([[(view.figure(), 1.0)] for view in self._views()], self._still_theme)

    def picture(self) -> bytes:
        """Still picture as a PNG."""
        self._panel.finished()
        return composed_png([[(view.picture(), 1.0)] for view in self._views()], self._still_theme)

    def __repr__(self) -> str:
        return repr(self.panel) if self.panel is not None else "Explorer()"

    def close(self) -> None:
        """Take the marks off the heatmaps and leave the page."""
        for view in (self.panel, self.heatmap):
            if view is not None:
                view.close()
        super().close()


def _signal_of(given: Signal | type[Signal] | str | None) -> Signal:
    if given is None:
        given = "BookImbalance"
    if isinstance(given, str) and given in SEEDS:
        given = getattr(signals, given)
    if isinstance(given, type) and issubclass(given, Signal):
        given = given()
    if not isinstance(given, Signal):
        expected = f"a signal, its class, or one of {', '.join(SEEDS)}"
        raise WorkbenchError(f"signal {given!r:.80}", expected=expected, code="unknown_signal")
    return given
