"""Clicks on a trading panel that become orders: the ladder's rules, with buttons in place of rows."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import WorkbenchError
from workbench.views.ladder_desk import Desk
from workbench.views.ladder_orders import Notes, why_not
from workbench.views.live import Captured, Showable

if TYPE_CHECKING:
    from workbench.session.orders import Orders

MAX_LATE_MS: Final = 2000.0
AGAIN_NS: Final = 300_000_000
SIDES: Final = ("BUY", "SELL")
PRICES: Final = ("market", "bid", "ask")


class TicketDesk(Desk):
    """Carries out what buttons of a panel ask for: each click once, none that is older than two seconds.

    Parameters
    ----------
    session : Showable
    capture : Captured
        Its book says where the best prices are when a click is taken.
    notes : Notes
        Gets a line for each act that was taken and then failed.
    """

    def __init__(self, session: Showable, capture: Captured, notes: Notes):
        super().__init__(session, capture.instrument, notes)
        self._capture = capture
        self._pressed: dict[object, int] = {}
        self._verbs = {
            "order": self._order,
            "reverse": self._reverse,
            "flatten": self._flatten,
            "arm": self._arm,
            **{verb: self._verbs[verb] for verb in ("cancel", "cancel_all", "panic")},
        }

    def _order(self, orders: Orders, act: dict[str, Any]) -> dict[str, Any]:
        side, at = _one_of(act, "side", SIDES), _one_of(act, "at", PRICES)
        size = self._size(act)
        bracket = {name: _distance(act, name) for name in ("stop_loss", "take_profit")}
        return self._once(orders, act, (side, at), lambda: (side, size, self._best(at), bracket))

    def _reverse(self, orders: Orders, act: dict[str, Any]) -> dict[str, Any]:
        def turned() -> tuple[str, float, float | None, dict[str, int | None]]:
            size = position_of(self._session, self._instrument.symbol)
            if not size:
                raise WorkbenchError("no position to reverse", code="flat")
            return ("SELL" if size > 0 else "BUY"), 2 * abs(size), None, {}

        return self._once(orders, act, "reverse", turned)

    def _once(self, orders: Orders, act: dict[str, Any], button: object, asked: Any) -> dict[str, Any]:
        name = act.get("order")
        if not isinstance(name, str) or not name:
            raise WorkbenchError(f"order name {name!r}", expected="a text", code="bad_value")
        if name in self._clicks:
            return {"again": True}
        self._check_open(act)
        side, size, limit, bracket = asked()
        self._press(button)
        place = orders.buy if side == "BUY" else orders.sell
        said = f"{side.lower()} {size:.12g} at {'market' if limit is None else format(limit, '.12g')}"
        terms: dict[str, Any] = {"limit": limit, "symbol": self._instrument.symbol, "client_order_id": name}
        clicked = time.time_ns() - int(act["late_ms"] * 1e6)
        self._send(said, lambda: place(size, clicked=clicked, **terms, **bracket))
        self._clicks.add(name)
        return {"said": said}

    def _flatten(self, orders: Orders, act: dict[str, Any]) -> dict[str, Any]:
        self._press("flatten")
        self._send("flatten", lambda: orders.flatten(self._instrument.symbol))
        return {"said": "flatten"}

    def _arm(self, orders: Orders, act: dict[str, Any]) -> dict[str, Any]:
        _check_age(act)
        arm = getattr(self._session, "arm")  # noqa: B009 - what has orders has it
        bounds = {name: act.get(name) for name in ("minutes", "max_orders", "max_size")}
        self._send("arm", lambda: arm(**bounds))
        return {"said": "arm"}

    def _check_open(self, act: dict[str, Any]) -> None:
        _check_age(act)
        why = why_not(self._session, self._instrument.symbol)
        if why:
            raise WorkbenchError(f"orders are off: {why}", code="not_armed")

    def _press(self, button: object) -> None:
        now = time.monotonic_ns()
        if now - self._pressed.get(button, -AGAIN_NS) < AGAIN_NS:
            raise WorkbenchError("double click: the second one did nothing", code="double_click")
        self._pressed[button] = now

    def _best(self, at: str) -> float | None:
        if at == "market":
            return None
        with self._capture.lock:
            book = self._capture.book
            tick = book.best_bid if at == "bid" else book.best_ask
        if tick is None:
            raise WorkbenchError(f"there is no best {at}", action="Wait for the book", code="no_book")
        return float(self._instrument.price(tick))


def position_of(session: Showable, symbol: str) -> float:
    """Open position of an instrument in real units, short below 0."""
    rows = getattr(session, "positions").iter_rows(named=True)  # noqa: B009 - only with orders
    return next((float(row["position"]) for row in rows if row["symbol"] == symbol), 0.0)


def _check_age(act: dict[str, Any]) -> None:
    late = act.get("late_ms", float("inf"))
    if not late <= MAX_LATE_MS:
        raise WorkbenchError(
            "too late: the click is more than 2 s old, nothing was sent",
            expected=f"at most {MAX_LATE_MS:.0f} ms",
            code="stale_click",
        )


def _one_of(act: dict[str, Any], name: str, expected: tuple[str, ...]) -> str:
    if act.get(name) not in expected:
        raise WorkbenchError(f"{name} {act.get(name)!r}", expected=f"one of {expected}", code="bad_value")
    return str(act[name])


def _distance(act: dict[str, Any], name: str) -> int | None:
    ticks = act.get(name)
    if ticks is not None and (isinstance(ticks, bool) or not isinstance(ticks, int) or ticks < 1):
        raise WorkbenchError(
            f"{name} {ticks!r}", expected="a whole number of ticks above 0", code="bad_value"
        )
    return ticks
