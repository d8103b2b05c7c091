"""Ticket: a trading panel. Buttons, orders with their reasons, position, money and bounds of one instrument."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

import traitlets

from workbench.errors import WorkbenchError
from workbench.views.esm import joined, styled
from workbench.views.ladder_orders import Notes, orders_of
from workbench.views.live import LiveView, Message
from workbench.views.showable import showable
from workbench.views.theme import still_theme
from workbench.views.ticket_desk import TicketDesk
from workbench.views.ticket_model import TicketModel
from workbench.views.ticket_settings import TicketSettings, checked_settings
from workbench.views.ticket_still import chart, png

if TYPE_CHECKING:
    from workbench.session.order import Order

__all__ = ["Ticket"]

BUTTONS: Final[dict[str, dict[str, Any]]] = {
    **{
        f"{side.lower()} {place if place == 'market' else f'at {place}'}": {
            "do": "order",
            "side": side,
            "at": place,
        }
        for side in ("BUY", "SELL")
        for place in ("market", "bid", "ask", "limit", "stop")
    },
    "flatten": {"do": "flatten"},
    "reverse": {"do": "reverse"},
    "cancel all": {"do": "cancel_all"},
    "cancel": {"do": "cancel"},
    "panic": {"do": "panic"},
    "arm": {"do": "arm", "minutes": 30, "max_orders": 20, "max_size": 10.0},
    "disarm": {"do": "disarm"},
}
"""Buttons of the panel by what stands on them, and what each asks for."""


class Ticket(LiveView):
    """Trading panel of one instrument: one click is one order, on paper or in an armed platform.

    Every order gets the panel's size and bracket. So does a click on a ladder of the same group, which also shows them.

    Parameters
    ----------
    session : Session
    symbol : str, optional
        Default: the session's first instrument.
    size : float, real units, optional
        Default: the first of the presets.
    presets : sequence of float, real units
        Sizes to choose from.
    take_profit, stop_loss : int, ticks, optional
        Distances of every order's bracket from its price of entry.
    trailing : bool
        The stop loss follows the price.
    theme : {"dark", "light", "auto"}
    group : str, optional
        Views of one group share size and bracket; default: views of one session do.

    Attributes
    ----------
    settings : dict
        What is set on the panel now: ``size``, ``take_profit``, ``stop_loss``, ``trailing``, ``tif``, ``post_only``.

    Raises
    ------
    WorkbenchError
        A preset that is no size above 0; a distance that is no whole number of ticks.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("5s")
    >>> ticket = wb.Ticket(s, take_profit=16, stop_loss=8)
    >>> ticket, ticket.settings["stop_loss"]
    (Ticket('ES-SIM'), 8)
    >>> order = ticket.press("buy at bid", size=2)
    >>> s.advance("1ms")
    >>> order.status
    'NEW'
    """

    _esm = joined("ticket.js")
    _css = styled("profile_controls.css", "ticket.css")
    _every_ticks = 2
    _needs_every_trade = False
    settings = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        session: object,
        symbol: str | None = None,
        *,
        size: float | None = None,
        presets: Sequence[float] = (1, 2, 5, 10),
        take_profit: int | None = None,
        stop_loss: int | None = None,
        trailing: bool = False,
        theme: Literal["auto", "dark", "light"] = "dark",
        group: str | None = None,
    ):
        if not presets or not all(each > 0 for each in presets):
            raise WorkbenchError(f"presets {presets!r}", expected="sizes above 0", code="bad_value")
        shown = showable(session)
        capture = shown.capture(symbol)
        notes = Notes()
        self._still_theme = still_theme(theme)
        plain: TicketSettings = {
            "size": float(presets[0]),
            "take_profit": take_profit,
            "stop_loss": stop_loss,
            "trailing": trailing,
            "tif": "GTC",
            "post_only": False,
        }
        said = {} if size is None else {"size": size}
        self._chosen = checked_settings(said, plain, capture.instrument)
        self._desk = TicketDesk(shown, capture, notes)
        self._by_code = TicketDesk(shown, capture, notes, by_code=True)
        # random: an earlier panel's names that come again would be taken for repeats
        self._prefix, self._numbers = f"ticket-{secrets.token_hex(4)}", itertools.count(1)
        options: dict[str, Any] = {
            "theme": theme,
            "presets": list(presets),
            "multiplier": float(capture.instrument.multiplier),
        }
        if group is not None:
            options["group"] = group
        super().__init__(shown, capture, lambda: TicketModel(shown, capture, notes), options)
        self.settings = dict(self._chosen)

    def press(self, button: str, **terms: Any) -> Order | None:
        """Press a button, as a hand on the page does; returns when the order was sent.

        Parameters
        ----------
        button : str
            What stands on it: ``buy market``, ``sell at ask``, ``buy at stop``, ``flatten``, ``reverse``, ``cancel all``,
            ``panic``, ``arm``, ….
        **terms
            Instead of what is set on the panel: ``size``, ``take_profit``, ``stop_loss``, ``trailing``, ``tif``,
            ``post_only``; ``tick`` of a limit or stop; ``order``, the order's name; ``late_ms``, how old the click is;
            ``minutes``, ``max_orders``, ``max_size`` of ``arm``.

        Returns
        -------
        Order or None
            What the press placed; None where it placed nothing.

        Raises
        ------
        WorkbenchError
            There is no such button; it was refused before anything was sent, with the reason that a page would show.
        """
        if button not in BUTTONS:
            raise WorkbenchError(f"button {button!r}", expected=f"one of {', '.join(BUTTONS)}")
        plain = BUTTONS[button]
        places = plain["do"] in ("order", "reverse")
        name = {"order": f"{self._prefix}-{next(self._numbers)}"} if places else {}
        act = {**self._chosen, **name, **plain, "late_ms": 0.0, **terms}
        self._by_code.carry_out(act)
        orders = orders_of(self._session)
        return orders[str(act["order"])] if places and orders is not None else None

    def _act(self, act: dict[str, Any]) -> dict[str, Any]:
        if act.get("do") != "settings":
            return self._desk.carry_out(act)
        said = act.get("settings")
        self._chosen = checked_settings(
            said if isinstance(said, dict) else {}, self._chosen, self._capture.instrument
        )
        self.settings = dict(self._chosen)
        return {}

    def figure(self) -> Any:
        """Return the static Plotly twin: money over time above the orders (``plotly.graph_objects.Figure``)."""
        return chart(self._facts(self._still()), self._capture.instrument, self._still_theme)

    def _draw(self, message: Message) -> bytes:
        return png(self._facts(message), self._capture.instrument, self._still_theme)

    def _facts(self, message: Message) -> dict[str, Any]:
        return {**message[0].get("ticket", {}), "settings": self._chosen}
