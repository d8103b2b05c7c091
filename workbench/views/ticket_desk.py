"""Clicks on a trading panel that become orders: the ladder's rules, with buttons in place of rows."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import WorkbenchError
from workbench.views.ladder_desk import Desk, clicked_ns
from workbench.views.ladder_orders import Notes, supported_tifs, why_not
from workbench.views.live import Captured, Showable
from workbench.views.ticket_model import why_nothing_goes
from workbench.views.ticket_settings import bracket_of
from workbench.views.words import finite

if TYPE_CHECKING:
    from workbench.session.orders import Orders

MAX_LATE_MS: Final = 2000.0
AGAIN_NS: Final = 300_000_000
SIDES: Final = ("BUY", "SELL")
PLACES: Final = ("market", "bid", "ask", "limit", "stop")

Asked = tuple[str, float, dict[str, Any]]
"""Side, size (real units), and the other terms of an order."""


class TicketDesk(Desk):
    """Carries out what buttons of a panel ask for: each click once, none that is older than two seconds.

    Parameters
    ----------
    session : Showable
    capture : Captured
        Its book says where the best prices are when a click is taken.
    notes : Notes
        Gets a line for each act that was taken and then failed.
    by_code : bool
        Acts come from a program: they are sent before the call returns, and a second press is no slip of the hand.
    """

    def __init__(self, session: Showable, capture: Captured, notes: Notes, *, by_code: bool = False):
        super().__init__(session, capture.instrument, notes)
        self._capture, self._by_code = capture, by_code
        self._pressed: dict[object, int] = {}
        self._asked: dict[str, dict[str, Any]] = {}
        self._verbs = {
            "order": self._order,
            "reverse": self._reverse,
            "flatten": self._flatten,
            "arm": self._arm,
            "disarm": self._disarm,
            **{verb: self._verbs[verb] for verb in ("cancel", "cancel_all", "panic")},
        }

    def _order(self, orders: Orders, act: dict[str, Any]) -> dict[str, Any]:
        side, at = _one_of(act, "side", SIDES), _one_of(act, "at", PLACES)
        size, bracket = self._size(act), bracket_of(act)
        return self._once(
            orders, act, (side, at), lambda: (side, size, self._terms(orders, act, at) | bracket)
        )

    def _terms(self, orders: Orders, act: dict[str, Any], at: str) -> dict[str, Any]:
        if at == "market":
            return {}
        if at == "stop":
            return {"stop": self._price(act)}
        tif = _one_of(act, "tif", supported_tifs(orders, self._instrument.symbol))
        limit = self._price(act) if at == "limit" else self._best(at)
        return {"limit": limit, "tif": tif, "post_only": bool(act.get("post_only"))}

    def _reverse(self, orders: Orders, act: dict[str, Any]) -> dict[str, Any]:
        def turned() -> Asked:
            size = position_of(self._session, self._instrument.symbol)
            if not size:
                raise WorkbenchError("no position to reverse", code="flat")
            return ("SELL" if size > 0 else "BUY"), 2 * abs(size), {}

        return self._once(orders, act, "reverse", turned)

    def _once(
        self, orders: Orders, act: dict[str, Any], button: object, asked: Callable[[], Asked]
    ) -> dict[str, Any]:
        name = act.get("order")
        if not isinstance(name, str) or not name:
            raise WorkbenchError(f"order name {name!r}", expected="a text", code="bad_value")
        plain = {word: value for word, value in act.items() if word != "late_ms"}
        if self._by_code and self._asked.get(name, plain) != plain:
            raise WorkbenchError(
                f"client_order_id {name!r} belongs to another order",
                expected="a new one for a new order",
                code="duplicate_id",
            )
        if name in self._clicks:
            return {"again": True}
        self._check_open(act)
        side, size, terms = asked()
        self._press(button, act)
        place = orders.buy if side == "BUY" else orders.sell
        clicked = time.time_ns() - int(act["late_ms"] * 1e6)
        more: dict[str, Any] = {
            "symbol": self._instrument.symbol,
            "client_order_id": name,
            "clicked": clicked,
        }
        self._clicks.add(name)
        self._asked[name] = plain
        said = _spoken(side, size, terms)
        self._send(said, lambda: place(size, **terms, **more))
        return {"said": said}

    def _flatten(self, orders: Orders, act: dict[str, Any]) -> dict[str, Any]:
        self._press("flatten", act)
        self._send("flatten", lambda: orders.flatten(self._instrument.symbol))
        return {"said": "flatten"}

    def _arm(self, orders: Orders, act: dict[str, Any]) -> dict[str, Any]:
        _check_age(act)
        arm = getattr(self._session, "arm")  # noqa: B009 - what has orders has it
        minutes, count, size = (_bound(act, name) for name in ("minutes", "max_orders", "max_size"))
        symbol = self._instrument.symbol
        self._send("arm", lambda: arm(minutes=minutes, max_orders=int(count), max_size=size, symbol=symbol))
        return {"said": "arm"}

    def _disarm(self, orders: Orders, act: dict[str, Any]) -> dict[str, Any]:
        arm = getattr(self._session, "arm")  # noqa: B009 - what has orders has it
        self._send("disarm", lambda: arm(minutes=0, symbol=self._instrument.symbol))
        return {"said": "disarm"}

    def _send(self, said: str, send: Callable[[], object]) -> None:
        if self._by_code:
            send()
        else:
            super()._send(said, send)

    def _check_open(self, act: dict[str, Any]) -> None:
        _check_age(act)
        why = why_nothing_goes(why_not(self._session, self._instrument.symbol))
        if why:
            raise WorkbenchError(f"orders are off: {why}", code="not_armed")

    def _press(self, button: object, act: dict[str, Any]) -> None:
        clicked = clicked_ns(act)
        if not self._by_code and abs(clicked - self._pressed.get(button, clicked - AGAIN_NS)) < AGAIN_NS:
            raise WorkbenchError("double click: the second one did nothing", code="double_click")
        self._pressed[button] = clicked

    def _best(self, at: str) -> float:
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


def _spoken(side: str, size: float, terms: dict[str, Any]) -> str:
    price = terms.get("limit", terms.get("stop"))
    at = "market" if price is None else f"{'stop ' if 'stop' in terms else ''}{price:.12g}"
    return f"{side.lower()} {size:.12g} at {at}"


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


def _bound(act: dict[str, Any], name: str) -> float:
    bound = finite(act.get(name))
    if bound is None or not bound > 0:
        raise WorkbenchError(
            f"arm with {name}={act.get(name)!r}", expected="a number above 0", code="bad_value"
        )
    return bound
