"""Profile: traded volume by price with point of control and value area. Live and as figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

from workbench.errors import WorkbenchError
from workbench.flow.profile import Method
from workbench.frames.moments import Moment, to_ns
from workbench.views import profile_still
from workbench.views.esm import joined, styled
from workbench.views.live import LiveView, Message
from workbench.views.picture import blank
from workbench.views.profile_model import Kind, ProfileModel, ProfileRule
from workbench.views.showable import showable
from workbench.views.theme import still_theme

__all__ = ["Profile"]

Split = Literal["aggressor", "delta", "total"]


class Profile(LiveView):
    """Live volume profile: volume by price, POC, VAH and VAL, how they developed, and naked POCs of earlier periods.

    Parameters
    ----------
    session : Session or Recording, or a list of them
        Several of one instrument, or of instruments with the same grid, make a composite.
    symbol : str, optional
        Default: the session's first instrument.
    kind : {"session", "visible", "fixed", "composite"}, optional
        Sum everything, the time range that the heatmap beside it shows, a fixed span, or several sessions. Default:
        ``fixed`` if ``start`` or ``end`` is given, ``composite`` for a list, else ``session``.
    start, end : int ns or datetime, optional
        Span of ``fixed``: trades with ``start`` ≤ ts < ``end``.
    row_ticks : int, optional
        Ticks per row; default: chosen so that about 120 rows show everything.
    value_area : float, default 0.70
        Share of the volume in the value area.
    method : {"two_row", "one_row", "traded_only"}
        How the value area grows, see :func:`workbench.volume_profile`.
    split : {"aggressor", "delta", "total"}
        Bars show sold and bought, their difference over the volume, or the volume alone.
    period : str, default "1h"
        Periods whose POC is marked while it is naked, that is, not traded since; empty: none.
    nodes : bool
        Mark high and low volume nodes.
    zone : str, optional
        Time zone of the developing lines, as ``"America/New_York"``; default: the browser's.
    theme : {"dark", "light", "auto"}
    height : int, pixels
    group : str, optional
        Views of one group share a cursor, a time range and the price axis; default: those of one session.

    Raises
    ------
    WorkbenchError
        A choice that means nothing; sessions whose grids differ.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> wb.Profile(s)
    Profile('ES-SIM')
    """

    _esm = joined("profile.js")
    _css = styled("profile_controls.css")
    _every_ticks = 2

    def __init__(
        self,
        session: object,
        symbol: str | None = None,
        *,
        kind: Kind | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
        row_ticks: int | None = None,
        value_area: float = 0.70,
        method: Method = "two_row",
        split: Split = "aggressor",
        period: str = "1h",
        nodes: bool = False,
        zone: str = "",
        theme: Literal["auto", "dark", "light"] = "dark",
        height: int = 480,
        group: str | None = None,
    ):
        if split not in get_args(Split):
            raise WorkbenchError(f"split {split!r}", expected=f"one of {', '.join(get_args(Split))}")
        sources = list(session) if isinstance(session, list | tuple) else [session]
        shown = [showable(source) for source in sources]
        if not shown:
            raise WorkbenchError("no session to show", expected="a session, a recording, or a list of them")
        captures = [one.capture(symbol) for one in shown]
        _check_grids(captures)
        span = (None if start is None else to_ns(start), None if end is None else to_ns(end))
        chosen = kind or ("fixed" if span != (None, None) else "composite" if len(shown) > 1 else "session")
        if chosen == "fixed" and span == (None, None):
            raise WorkbenchError("a fixed profile without a span", expected="start, end, or both")
        if span[0] is not None and span[1] is not None and span[0] >= span[1]:
            raise WorkbenchError(f"a span from {start!r} to {end!r}", expected="a start before the end")
        rule = ProfileRule(chosen, *span, row_ticks, value_area, method, period)
        self._height, self._split, self._nodes = height, split, nodes
        self._still_theme = still_theme(theme)
        options = {"theme": theme, "height": height, "split": split, "nodes": nodes, "zone": zone}
        options["sources"] = len(shown)
        super().__init__(
            shown[0],
            captures[0],
            lambda: ProfileModel(captures, rule),
            options if group is None else {**options, "group": group},
        )
        self._drawn_from = captures

    def _still(self) -> Message:
        self._read_on()
        live = self._model
        assert isinstance(live, ProfileModel)
        return live.twin().pull([], True, self._session.clock.now_ns) or ({"k": "idle"}, [])

    def figure(self) -> Any:
        """Return the static Plotly twin (``plotly.graph_objects.Figure``)."""
        return profile_still.figure(
            self._still(), self._capture.instrument, self._still_theme, self._height, self._split
        )

    def _draw(self, message: Message) -> bytes:
        if not message[1] or not message[0]["count"]:
            return blank(repr(self), self._still_theme, profile_still.WIDTH)
        return profile_still.png(
            message, self._capture.instrument, self._still_theme, self._height, self._split
        )


def _check_grids(captures: Sequence[Any]) -> None:
    grids = {(capture.instrument.tick_size, capture.instrument.lot_size) for capture in captures}
    if len(grids) > 1:
        found = ", ".join(sorted(f"{tick} × {lot}" for tick, lot in grids))
        raise WorkbenchError(f"grids {found}", expected="one tick size and one lot size in a composite")
