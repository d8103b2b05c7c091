"""Ticket: a trading panel. Buttons, working orders, position and money of one instrument."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Final, Literal

from workbench.errors import WorkbenchError
from workbench.views.esm import joined, styled
from workbench.views.ladder_orders import Notes, OwnOrders, orders_of
from workbench.views.live import Captured, LiveView, Message, Showable
from workbench.views.picture import Canvas
from workbench.views.showable import showable
from workbench.views.theme import still_theme
from workbench.views.ticket_desk import TicketDesk

__all__ = ["Ticket"]

POINTS_KEPT: Final = 600
FILLS_SHOWN: Final = 6


class TicketModel:
    """What a panel is told: state, orders, position, money and its curve, newest fills."""

    def __init__(self, session: Showable, capture: Captured, notes: Notes):
        self._session, self._capture = session, capture
        self._own = OwnOrders(session, capture, notes)
        self._curve: deque[float] = deque(maxlen=POINTS_KEPT)
        self._told: dict[str, Any] = {}

    def pull(self, wants: Sequence[dict[str, Any]], full: bool, now_ns: int) -> Message | None:
        """Everything that is shown, where anything of it changed."""
        facts = {**self._own.told(), **self._money()}
        if facts == self._told and not full:
            return None
        self._told = facts
        return {"k": "ticket", "ticket": facts}, []

    def _money(self) -> dict[str, Any]:
        if orders_of(self._session) is None:
            return {"money": None, "curve": [], "fills": []}
        symbol, tick = self._capture.instrument.symbol, float(self._capture.instrument.tick_size)
        rows = getattr(self._session, "positions").iter_rows(named=True)  # noqa: B009 - only with orders
        row = next((row for row in rows if row["symbol"] == symbol), None)
        fills = getattr(self._session, "fills")  # noqa: B009 - only with orders
        mine = [fill for fill in fills.tail(50).iter_rows(named=True) if fill["symbol"] == symbol]
        newest = [[f["side"], f["size"], round(f["price"] / tick)] for f in mine[-FILLS_SHOWN:][::-1]]
        if row is None:
            return {"money": None, "curve": list(self._curve), "fills": newest}
        realized, unrealized = row["realized"] or 0.0, row["unrealized"] or 0.0
        if not self._curve or self._curve[-1] != realized + unrealized:
            self._curve.append(realized + unrealized)
        return {"money": [realized, unrealized], "curve": list(self._curve), "fills": newest}


class Ticket(LiveView):
    """Trading panel of one instrument: one click is one order, on paper or in an armed platform.

    Parameters
    ----------
    session : Session
    symbol : str, optional
        Default: the session's first instrument.
    presets : sequence of float, real units
        Sizes to choose from.
    theme : {"dark", "light", "auto"}

    Raises
    ------
    WorkbenchError
        A preset that is no size above 0.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> wb.Ticket(s)
    Ticket('ES-SIM')
    """

    _esm = joined("ticket.js")
    _css = styled("profile_controls.css", "ticket.css")
    _every_ticks = 4
    _needs_every_trade = False

    def __init__(
        self,
        session: object,
        symbol: str | None = None,
        *,
        presets: Sequence[float] = (1, 2, 5, 10),
        theme: Literal["auto", "dark", "light"] = "dark",
    ):
        if not presets or not all(size > 0 for size in presets):
            raise WorkbenchError(f"presets {presets!r}", expected="sizes above 0", code="bad_value")
        shown = showable(session)
        capture = shown.capture(symbol)
        notes = Notes()
        self._still_theme = still_theme(theme)
        self._desk = TicketDesk(shown, capture, notes)
        options = {"theme": theme, "presets": list(presets)}
        super().__init__(shown, capture, lambda: TicketModel(shown, capture, notes), options)

    def _act(self, act: dict[str, Any]) -> dict[str, Any]:
        return self._desk.carry_out(act)

    def _draw(self, message: Message) -> bytes:
        facts = message[0].get("ticket", {})
        money = facts.get("money")
        lines = [
            facts.get("why") or "orders go through",
            f"position {facts['position'][0]:.12g}" if facts.get("position") else "flat",
            "no money yet" if money is None else f"realised {money[0]:.2f}, unrealised {money[1]:.2f}",
            f"{len(facts.get('orders', []))} working orders",
        ]
        canvas = Canvas(600, 40 + 20 * len(lines), self._still_theme)
        canvas.text(10, 14, f"Ticket of {self._capture.instrument.symbol[:60]}", "text", 13)
        for number, line in enumerate(lines):
            canvas.text(10, 38 + 20 * number, line[:90], "text")
        return canvas.png()
