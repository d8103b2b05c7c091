"""Ladder: what rests, moves and is traded at each price round the touch, and own orders. Live and as figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from workbench.errors import WorkbenchError
from workbench.events import Instrument
from workbench.frames.recording import Recording
from workbench.views.esm import joined, styled
from workbench.views.ladder_columns import COLUMNS, check_columns
from workbench.views.ladder_desk import MAX_LATE_MS, Desk
from workbench.views.ladder_model import DEPTH_LEVELS, RECENT_S, WINDOW_S, LadderModel
from workbench.views.ladder_orders import Notes, OwnOrders
from workbench.views.ladder_still import LadderStill, chart, png, shown_rows
from workbench.views.live import LiveView, Message, Showable
from workbench.views.picture import blank
from workbench.views.showable import showable
from workbench.views.theme import still_theme

__all__ = ["Ladder", "shown_rows"]

MOST_ROWS = 200


class Ladder(LiveView):
    """Live price ladder of one instrument, to read the book and to work orders.

    Wheel, arrows and PageUp/PageDown scroll and release the centre lock; C, or a double-click on a price, locks it
    again. Where orders may be placed, a click in "My buys" or "My sells" places one of the ticket's size at that price
    (with Shift a stop), dragging an order moves it, a right-click or Delete takes it back, Escape lets go of what the
    hand holds.

    Parameters
    ----------
    session : Session or Recording
        Or anything with ``capture(symbol)``, ``clock.now_ns``, ``state`` and ``health``.
    symbol : str, optional
        Default: the session's first instrument.
    rows : int, default 25
        Rows shown.
    row_ticks : int, optional
        Ticks per row; default: chosen so that most rows near the touch hold something. Can be changed on the page.
    columns : sequence of str, optional
        Which columns, from left to right; default: all of :data:`~workbench.views.ladder_columns.COLUMNS`.
    size : float, real units, optional
        Size of the ticket to begin with; default: one lot.
    recent_s : float, s
        A price without a print for so long starts its recent volume at 0 again.
    window_s : float, s
        Window of pulling and stacking.
    levels : int
        Levels of the deeper imbalance above the rows.
    theme : {"dark", "light", "auto"}
    group : str, optional
        Views of one group share a cursor; default: views of one session do.

    Notes
    -----
    Sold and bought are volumes since the capture began, by aggressor; off-book prints are left out. Imbalance is
    (bids − asks) / (bids + asks). Nothing is ever placed by a click that reaches the kernel more than 500 ms late.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> wb.Ladder(s)
    Ladder('ES-SIM')
    """

    _esm = joined("ladder.js")
    _css = styled("ladder.css")

    def __init__(
        self,
        session: Showable | Recording,
        symbol: str | None = None,
        *,
        rows: int = 25,
        row_ticks: int | None = None,
        columns: Sequence[str] | None = None,
        size: float | None = None,
        recent_s: float = RECENT_S,
        window_s: float = WINDOW_S,
        levels: int = DEPTH_LEVELS,
        theme: Literal["auto", "dark", "light"] = "dark",
        group: str | None = None,
    ):
        session = showable(session)
        capture = session.capture(symbol)
        self._rows = _checked("rows", rows, MOST_ROWS)
        self._still_theme = still_theme(theme)
        notes = Notes()
        self._desk = Desk(session, capture.instrument, notes)
        flows: dict[str, Any] = {"recent_s": recent_s, "window_s": window_s, "levels": levels}

        def make_model() -> LadderModel:
            orders = OwnOrders(session, capture, notes)
            return LadderModel(capture, row_ticks, orders=orders, rows=rows, **flows)

        options = {
            "theme": theme,
            "rows": rows,
            "columns": check_columns(COLUMNS if columns is None else columns),
            "kinds": {name: list(column) for name, column in COLUMNS.items()},
            "rowTicks": row_ticks,
            **_ticket(capture.instrument, size),
            **flows,
            **({} if group is None else {"group": group}),
        }
        super().__init__(session, capture, make_model, options)

    def figure(self) -> Any:
        """Return the static Plotly twin: the rows as a table with bars (``plotly.graph_objects.Figure``)."""
        return chart(self._shown(self._still()))

    def _act(self, act: dict[str, Any]) -> dict[str, Any]:
        if act.get("do") == "columns":
            names = act.get("columns")
            self.options = {
                **self.options,
                "columns": check_columns(names if isinstance(names, list) else []),
            }
            return {}
        return self._desk.carry_out(act)

    def _still(self) -> Message:
        model = self._make_model()
        assert isinstance(model, LadderModel)
        model.catch_up()
        message = model.pull([], True, self._session.clock.now_ns)
        return message if message is not None else ({"k": "idle"}, [])

    def _draw(self, message: Message) -> bytes:
        shown = self._shown(message)
        return blank(repr(self), self._still_theme, 560) if shown is None else png(shown)

    def _shown(self, message: Message) -> LadderStill | None:
        if "row_ticks" not in message[0]:
            return None
        return LadderStill(
            message, self._rows, self.options["columns"], self._capture.instrument, self._still_theme
        )


def _ticket(instrument: Instrument, size: float | None) -> dict[str, Any]:
    lots = 1 if size is None else instrument.lots(size)
    if lots < 1:
        raise WorkbenchError(f"size {size!r}", expected=f"at least {instrument.lot_size:f}", code="bad_value")
    multiplier = float(instrument.multiplier)
    return {"size": float(instrument.size(lots)), "multiplier": multiplier, "maxLateMs": MAX_LATE_MS}


def _checked(name: str, value: int, most: int) -> int:
    if not 1 <= value <= most or value != int(value):
        raise WorkbenchError(f"{name}={value!r}", expected=f"a whole number, 1 to {most}", code="bad_value")
    return value
