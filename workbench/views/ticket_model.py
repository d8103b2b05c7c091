"""What a trading panel is told: the switch, prices, position, money and its curve, bounds, every order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from workbench.errors import WorkbenchError
from workbench.flow.days import MIDNIGHT_UTC, TradingDay
from workbench.views.ladder_orders import Notes, OwnOrders, orders_of
from workbench.views.live import Captured, Message, Showable
from workbench.views.ticket_blotter import blotter
from workbench.views.ticket_money import equity, money_facts, thinned
from workbench.views.ticket_risk import SECOND_NS, meters, sent_since

if TYPE_CHECKING:
    from workbench.session.arming import TradingState
    from workbench.session.orders import Orders

__all__ = ["TicketModel", "why_nothing_goes"]

REDUCING = "TRADING_REDUCING"


def why_nothing_goes(why: str) -> str:
    """Why a panel places nothing; a desk that lets through what reduces is asked, and says no by itself."""
    return "" if why.startswith(REDUCING) else why


class TicketModel:
    """Core of a trading panel.

    Parameters
    ----------
    session : Showable
    capture : Captured
    notes : Notes
        Words about orders; gets a line for each one that is refused.
    """

    def __init__(self, session: Showable, capture: Captured, notes: Notes):
        self._session, self._capture = session, capture
        self._own = OwnOrders(session, capture, notes)
        self._version = -1
        self._account: dict[str, Any] = {"money": None, "curve": [], "blotter": []}
        self._states: pl.DataFrame | None = None
        self._told: dict[str, Any] = {}

    def pull(self, wants: Sequence[dict[str, Any]], full: bool, now_ns: int) -> Message | None:
        """Facts that changed, or all of them."""
        facts = self.facts(now_ns)
        news = {name: value for name, value in facts.items() if full or self._told.get(name, ...) != value}
        self._told = facts
        return ({"k": "ticket", "ticket": news}, []) if news else None

    def facts(self, now_ns: int) -> dict[str, Any]:
        """Everything that is shown."""
        orders, own = orders_of(self._session), self._own.told()
        why = own["why"]
        facts = {**own, "why": why_nothing_goes(why), "switch": None, "quote": self._quote()}
        if orders is None:
            return {**facts, **self._account, "risk": []}
        trading = orders.trading(self._capture.instrument.symbol)
        if orders.version != self._version:
            self._version = orders.version
            self._account = self._look(orders, _day(trading))
        facts["switch"] = _switch(trading, why)
        return {**facts, **self._account, "risk": self._risk(trading, own, now_ns)}

    def _quote(self) -> list[int | None]:
        with self._capture.lock:
            book = self._capture.book
            return [book.best_bid, book.best_ask] if book.valid else [None, None]

    def _look(self, orders: Orders, day: TradingDay) -> dict[str, Any]:
        instrument = self._capture.instrument
        self._states = orders.history
        positions = orders.positions(instrument.symbol)
        fills = getattr(self._session, "fills").filter(pl.col("symbol") == instrument.symbol)  # noqa: B009
        rows = blotter(self._states, instrument)
        if positions.is_empty():
            return {"money": None, "curve": [], "blotter": rows}
        ts, gained = equity(positions, fills)
        newest, fees = positions.row(-1, named=True), float(fills["fee"].fill_null(0).sum())
        money = money_facts(ts, gained, newest, fees, instrument, day)
        return {
            "money": {**money, "currency": newest["currency"]},
            "curve": thinned(ts, gained),
            "blotter": rows,
        }

    def _risk(self, trading: TradingState, own: dict[str, Any], now_ns: int) -> list[list[Any]]:
        if not trading.possible or self._states is None:
            return []
        said = trading.supported.get("limits")
        limits = said if isinstance(said, dict) else {"per_second": trading.max_per_second or None}
        position = own["position"][0] if own["position"] else 0.0
        sent = sent_since(self._states, now_ns - SECOND_NS)
        return [list(m) for m in meters(limits, position, len(own["orders"]), sent, self._account["money"])]


def _day(trading: TradingState) -> TradingDay:
    """When a desk's day begins; at midnight, UTC, where it does not say."""
    try:
        return TradingDay.read(str(trading.supported.get("day", MIDNIGHT_UTC)))
    except WorkbenchError:
        return TradingDay.read(MIDNIGHT_UTC)


def _switch(trading: TradingState, why: str) -> dict[str, Any]:
    """Where orders go, and whether they may; ``state`` is one of ACTIVE, REDUCING, HALTED, ARMED, LOCKED, OFF."""
    if trading.is_paper:
        state = str(trading.supported.get("state") or ("ACTIVE" if trading.armed else "HALTED"))
    else:
        state = "ARMED" if not why else "LOCKED" if trading.possible else "OFF"
    until = trading.until
    return {
        "place": "paper" if trading.is_paper else "platform",
        "state": state,
        "reason": why,
        "armed": trading.armed,
        "left": None if trading.is_paper else trading.orders_left,
        "most": trading.max_size,
        "until": None if until is None else until.timestamp() * 1e3,
    }
