"""Workspace: the views of one session in one panel, with one clock, cursor, time range and theme."""

from __future__ import annotations

import importlib
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import ipywidgets

from workbench.errors import WorkbenchError
from workbench.views.composing import composed_figure, composed_png
from workbench.views.live import LiveView
from workbench.views.options import check_options
from workbench.views.pictured import SEVERAL_LOOKS_S, Pictured
from workbench.views.showable import showable
from workbench.views.theme import still_theme
from workbench.views.workspace_bar import Grip, WorkspaceBar

__all__ = ["LAYOUTS", "Workspace"]

Rows = Sequence[Mapping[str, float]]

VIEWS: Final = {
    "Heatmap": "heatmap",
    "Ladder": "ladder",
    "Profile": "profile",
    "Footprint": "footprint",
    "Cvd": "cvd",
    "Vwap": "vwap",
    "DepthOverTime": "depth_over_time",
    "Tape": "tape",
    "Health": "health",
    "Ticket": "ticket",
}
LAYOUTS: Final[dict[str, Rows]] = {
    "trader": (
        {"Heatmap": 9, "Ladder": 5},
        {"Cvd": 9, "Tape": 5},
        {"DepthOverTime": 9, "Profile": 5},
        {"Health": 1},
    ),
    "research": (
        {"Heatmap": 9, "Profile": 5},
        {"Footprint": 9, "Tape": 5},
        {"Cvd": 1},
        {"Vwap": 1},
        {"DepthOverTime": 1},
    ),
}
"""Rows from top to bottom: views with the share of the width each gets. What has a time axis stands on the left."""

_OWN_HEIGHT: Final = {"Ladder": "rows", "Tape": "rows", "Health": None, "Ticket": None}
_NO_CLOCK: Final = ("Ladder", "Health", "Ticket")
_ROW_PX, _OTHER_PX = 18, {"Ladder": 72, "Tape": 36}
"""Height of a row, and of what stands round the rows more than round a chart."""


class Workspace(Pictured, ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets is not typed
    """Views of one session side by side.

    Grips between the views share the width, by hand or with the arrow keys, of all rows with as many views at once, so that
    time axes stay under each other; grips between the rows set the height of the one above. The page remembers that and
    the theme. Where there is little room the views of a row stand under each other.
    A replay through an engine can be held, hastened and moved; sessions of several instruments choose one.

    Parameters
    ----------
    session : Session or Recording
    symbol : str, optional
        Default: the session's first instrument.
    layout : {"trader", "research"} or sequence of dict
        Rows from top to bottom, each names its views and their shares of the width: ``[{"Heatmap": 3, "Ladder": 1}]``.
    views : sequence of str, optional
        Only these views of the layout; those it does not have come below, one a row.
    theme : {"dark", "light", "auto"}
    zone : str, optional
        Time zone of every view, as ``"America/New_York"``; default: the browser's.
    height : int, pixels
        Of the first row; the others follow from it.
    settings : dict, optional
        More arguments by view: ``{"Tape": {"min_size": 5}}``.

    Attributes
    ----------
    by_name : dict
        The views, each a widget of its own kind.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> desk = wb.Workspace(s, layout=[{"Heatmap": 3, "Ladder": 1}])
    >>> desk, desk.by_name["Ladder"]
    (Workspace('ES-SIM'), Ladder('ES-SIM'))
    """

    # what is refused while it is being built is closed too, by ipywidgets
    _first_look_s = SEVERAL_LOOKS_S
    _symbol = ""
    _held: Sequence[ipywidgets.Widget] = ()

    def __init__(
        self,
        session: object,
        symbol: str | None = None,
        *,
        layout: Literal["trader", "research"] | Rows = "trader",
        views: Sequence[str] | None = None,
        theme: Literal["auto", "dark", "light"] = "dark",
        zone: str | None = None,
        height: int = 520,
        settings: Mapping[str, Mapping[str, Any]] | None = None,
    ):
        check_options({"theme": theme, "zone": zone, "height": height})
        self._shown = showable(session)
        self._theme, self._zone, self._height = theme, zone, height
        self._still_theme = still_theme(theme)
        self._name = layout if isinstance(layout, str) else "own"
        self._rows = _rows_of(layout, views)
        self._settings = dict(settings or {})
        shown = [name for row in self._rows for name in row]
        strange = [name for name in self._settings if name not in shown]
        if strange:
            raise WorkbenchError(
                f"settings of {', '.join(map(repr, strange))}", expected=f"settings of {', '.join(shown)}"
            )
        self._group = secrets.token_hex(8)
        self.by_name: dict[str, Any] = {}
        super().__init__()
        self.add_class("ow-workspace")
        self._show(symbol)

    def _show(self, symbol: str | None) -> None:
        old = [*self._held]
        symbol = self._shown.capture(symbol).instrument.symbol
        self._symbol = symbol
        self.by_name = {
            name: self._made(name, symbol, at) for at, row in enumerate(self._rows) for name in row
        }
        options = {
            "theme": self._theme,
            "zone": self._zone or "",
            "group": self._group,
            "key": self._key("theme"),
        }
        self._bar = WorkspaceBar(self._shown, symbol, self._show, options)
        self._held = self._stacked()
        self.children = self._held
        for child in old:
            _close(child)

    def _stacked(self) -> list[ipywidgets.Widget]:
        """The head, and the rows with a grip under each but the last."""
        children: list[ipywidgets.Widget] = [self._bar]
        for number, row in enumerate(self._rows):
            if number:
                key = self._key(f"height{number - 1}")
                children.append(_between({"between": "rows", "key": key}, "100%", "7px"))
            children.append(self._row(row))
        return children

    def _key(self, what: str) -> str:
        return f"orderflow-workspace:{self._name}:{what}"

    def _made(self, name: str, symbol: str, row: int) -> LiveView:
        kind = getattr(importlib.import_module(f"workbench.views.{VIEWS[name]}"), name)
        chosen: dict[str, Any] = {"theme": self._theme, "group": self._group}
        height = self._height if row == 0 else max(140, self._height // 3)
        if name not in _OWN_HEIGHT:
            chosen["height"] = height
        elif _OWN_HEIGHT[name] is not None:
            chosen["rows"] = max(5, (height - _OTHER_PX[name]) // _ROW_PX)
        if name not in _NO_CLOCK and self._zone is not None:
            chosen["zone"] = self._zone
        view: LiveView = kind(self._shown, symbol, **{**chosen, **self._settings.get(name, {})})
        return view

    def _row(self, row: Mapping[str, float]) -> ipywidgets.HBox:
        children: list[ipywidgets.Widget] = []
        options = {
            "between": "views",
            "key": self._key(f"columns{len(row)}"),
            "weights": list(row.values()),
        }
        for name, weight in row.items():
            if children:
                children.append(_between(options, "7px", "auto"))
            view = self.by_name[name]
            view.layout = ipywidgets.Layout(flex=f"{weight:g} 1 0px", width="auto", min_width="0")
            children.append(view)
        box = ipywidgets.HBox(children, layout=ipywidgets.Layout(width="100%"))
        box.add_class("ow-row")
        return box

    def _cells(self) -> list[list[tuple[Any, float]]]:
        return [[(self.by_name[name], share) for name, share in row.items()] for row in self._rows]

    def picture(self) -> bytes:
        """Still picture of all views as they are arranged, as a PNG."""
        cells = [[(view.picture(), share) for view, share in row] for row in self._cells()]
        return composed_png(cells, self._still_theme)

    def figure(self) -> Any:
        """Return the static Plotly twin: the views' figures in one, time axes shared (``plotly.graph_objects.Figure``)."""
        cells = [[(view.figure(), share) for view, share in row] for row in self._cells()]
        return composed_figure(cells, self._still_theme)

    def __repr__(self) -> str:
        return f"Workspace({self._symbol!r})"

    def close(self) -> None:
        """Close every view, and leave the page."""
        for child in self._held:
            _close(child)
        super().close()


def _between(options: dict[str, Any], width: str, height: str) -> Grip:
    grip = Grip(options=options, layout=ipywidgets.Layout(flex="0 0 7px", width=width, height=height))
    grip.add_class("ow-between")
    return grip


def _close(child: ipywidgets.Widget) -> None:
    for inner in getattr(child, "children", ()):
        _close(inner)
    child.close()


def _rows_of(layout: str | Rows, views: Sequence[str] | None) -> list[dict[str, float]]:
    if isinstance(layout, str) and layout not in LAYOUTS:
        raise WorkbenchError(f"layout {layout!r}", expected=f"{', '.join(LAYOUTS)} or rows", code="bad_value")
    rows = [dict(row) for row in (LAYOUTS[layout] if isinstance(layout, str) else layout)]
    if views is not None:
        known = {name for row in rows for name in row}
        rows = [{name: share for name, share in row.items() if name in views} for row in rows]
        rows += [{name: 1.0} for name in dict.fromkeys(views) if name not in known]
    rows = [row for row in rows if row]
    names = [name for row in rows for name in row]
    unknown = [name for name in names if name not in VIEWS]
    if unknown or not names or len(set(names)) < len(names):
        expected = f"each at most once of {', '.join(VIEWS)}"
        raise WorkbenchError(f"views {names}", expected=expected, code="bad_value")
    return rows
