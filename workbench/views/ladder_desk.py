"""Clicks on a ladder that become orders: checked here, carried out at once, each at most once."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import WorkbenchError
from workbench.events import Instrument
from workbench.views.ladder_orders import Notes, orders_of, supported_tifs, why_not
from workbench.views.live import Showable
from workbench.views.ticket_settings import bracket_of, checked_size
from workbench.views.words import finite

if TYPE_CHECKING:
    from workbench.session.order import Order
    from workbench.session.orders import Orders

MAX_LATE_MS: Final = 500.0
"""A price moves on while a click waits behind a busy cell: one that is older places and moves nothing."""
DOUBLE_CLICK_NS: Final = 300_000_000
ON_CHART: Final = ("place", "move", "cancel")
"""What a hand may do with orders on a chart."""
MAX_WAITING: Final = 16
MAX_TICK: Final = 2**31

_log = logging.getLogger("workbench.views")


class Desk:
    """Places, moves and takes back orders of one instrument as a page asks for it.

    Parameters
    ----------
    session : Showable
    instrument : Instrument
    notes : Notes
        Gets a line for each act that was taken and then failed.

    Notes
    -----
    What can be checked here is checked before an act is answered. Sending waits for the platform, so each act that is
    taken is sent from a thread of its own: no view stands still for it. Taking back is never refused for its age.
    """

    def __init__(self, session: Showable, instrument: Instrument, notes: Notes):
        self._session, self._instrument, self._notes = session, instrument, notes
        self._clicks: set[str] = set()
        self._last: tuple[object, int] = (None, 0)
        self._waiting = threading.BoundedSemaphore(MAX_WAITING)
        self._verbs: dict[object, Callable[[Orders, dict[str, Any]], dict[str, Any]]] = {
            "place": self._place,
            "move": self._move,
            "cancel": self._cancel,
            "cancel_all": self._cancel_all,
            "panic": self._panic,
        }

    def carry_out(self, act: dict[str, Any]) -> dict[str, Any]:
        """Do what a page asks for, once; what the page is told.

        Raises
        ------
        WorkbenchError
            It was not taken, and nothing was sent: it is too late, orders are off, or it asks for what cannot be.
        """
        orders, verb = orders_of(self._session), self._verbs.get(act.get("do"))
        if verb is None:
            raise WorkbenchError(f"unknown act {act.get('do')!r}", expected=f"one of {list(self._verbs)}")
        if orders is None:
            raise WorkbenchError(why_not(self._session, self._instrument.symbol), code="read_only")
        return verb(orders, act)

    # -- what may be asked for -----------------------------------------------------------------------------------
    def _place(self, orders: Orders, act: dict[str, Any]) -> dict[str, Any]:
        name = act.get("order")
        if not isinstance(name, str) or not name:
            raise WorkbenchError(f"order name {name!r}", expected="a text", code="bad_value")
        if name in self._clicks:
            return {"again": True}
        self._check_open(act)
        side, kind, price = _one_of(act, "side", ("BUY", "SELL")), _kind(act), self._price(act)
        size, tif, bracket = self._size(act), self._tif(orders, act, kind), bracket_of(act)
        clicked = clicked_ns(act)
        self._check_single((side, kind, price, size), clicked)
        limit, stop = (price, None) if kind == "limit" else (None, price)
        post_only = bool(act.get("post_only")) and kind == "limit"
        place, symbol = orders.buy if side == "BUY" else orders.sell, self._instrument.symbol
        said = f"{side.lower()} {size:.12g} at {price:.12g}"
        terms: dict[str, Any] = {
            "tif": tif,
            "post_only": post_only,
            "symbol": symbol,
            "client_order_id": name,
            **bracket,
        }
        self._send(said, lambda: place(size, limit=limit, stop=stop, **terms))
        self._clicks.add(name)
        self._last = (side, kind, price, size), clicked
        return {"said": said}

    def _move(self, orders: Orders, act: dict[str, Any]) -> dict[str, Any]:
        order, price = self._known(orders, act), self._price(act)
        self._check_open(act)
        self._send(f"move to {price:.12g}", lambda: order.replace(**_moved(order, price)))
        return {"said": f"move to {price:.12g}"}

    def _cancel(self, orders: Orders, act: dict[str, Any]) -> dict[str, Any]:
        order = self._known(orders, act)
        self._send("cancel", order.cancel)
        return {"said": "cancel"}

    def _cancel_all(self, orders: Orders, act: dict[str, Any]) -> dict[str, Any]:
        self._send("cancel all", lambda: orders.cancel_all(self._instrument.symbol))
        return {"said": "cancel all"}

    def _panic(self, orders: Orders, act: dict[str, Any]) -> dict[str, Any]:
        panic: Callable[[], object] = getattr(self._session, "panic")  # noqa: B009 - what has orders has it
        self._send("panic", lambda: self._notes.add(repr(panic())))
        return {"said": "panic"}

    # -- checks --------------------------------------------------------------------------------------------------
    def _check_open(self, act: dict[str, Any]) -> None:
        late = act.get("late_ms", 0.0)
        if not late <= MAX_LATE_MS:
            age = f"{late:.0f} ms old" if late < 1e9 else "of unknown age"
            raise WorkbenchError(
                f"too late: the click is {age}, nothing was sent",
                expected=f"at most {MAX_LATE_MS:.0f} ms",
                code="stale_click",
            )
        why = why_not(self._session, self._instrument.symbol)
        if why:
            raise WorkbenchError(f"orders are off: {why}", code="not_armed")

    def _check_single(self, terms: object, clicked: int) -> None:
        before, at = self._last
        if before == terms and abs(clicked - at) < DOUBLE_CLICK_NS:
            raise WorkbenchError("double click: the second one placed nothing", code="double_click")

    def _price(self, act: dict[str, Any]) -> float:
        tick = act.get("tick")
        if isinstance(tick, bool) or not isinstance(tick, int) or abs(tick) >= MAX_TICK:
            raise WorkbenchError(f"price {tick!r}", expected="a whole number of ticks", code="bad_value")
        return float(self._instrument.price(tick))

    def _size(self, act: dict[str, Any]) -> float:
        return checked_size(act.get("size"), self._instrument)

    def _tif(self, orders: Orders, act: dict[str, Any], kind: str) -> str:
        expected = supported_tifs(orders, self._instrument.symbol)
        return _one_of(act, "tif", expected) if kind == "limit" else "GTC"

    def _known(self, orders: Orders, act: dict[str, Any]) -> Order:
        order = orders[str(act.get("order"))]
        if order.symbol != self._instrument.symbol:
            raise WorkbenchError(f"{order.client_order_id!r} is an order of {order.symbol!r}")
        return order

    # -- sending -------------------------------------------------------------------------------------------------
    def _send(self, said: str, send: Callable[[], object]) -> None:
        if not self._waiting.acquire(blocking=False):
            raise WorkbenchError(
                f"{MAX_WAITING} acts wait for an answer", action="Wait, or look in the platform"
            )
        threading.Thread(target=self._sent, args=(said, send), name="workbench-desk", daemon=True).start()

    def _sent(self, said: str, send: Callable[[], object]) -> None:
        try:
            send()
        except WorkbenchError as problem:
            self._notes.add(f"{said}: {problem}")
        except Exception as error:  # noqa: BLE001 - whoever clicked must learn of it
            _log.warning("an act on a ladder failed", exc_info=error)
            self._notes.add(f"{said}: {type(error).__name__}: {error}")
        finally:
            self._waiting.release()


def clicked_ns(act: dict[str, Any]) -> int:
    """When the hand let go, ns of the monotonic clock: a busy kernel hears clicks of one moment far apart."""
    late = finite(act.get("late_ms"))
    return time.monotonic_ns() - round((late or 0.0) * 1e6)


def _one_of(act: dict[str, Any], name: str, expected: tuple[str, ...]) -> str:
    value = act.get(name)
    if value not in expected:
        raise WorkbenchError(f"{name} {value!r}", expected=f"one of {list(expected)}", code="bad_value")
    return str(value)


def _kind(act: dict[str, Any]) -> str:
    return _one_of(act, "kind", ("limit", "stop"))


def _moved(order: Order, price: float) -> dict[str, float]:
    """New prices of an order that is dragged: the price it shows at, and a limit that keeps its distance to it."""
    if order.stop is None or order.limit is None:
        return {"stop": price} if order.limit is None else {"limit": price}
    shift = Decimal(repr(price)) - Decimal(repr(order.limit))
    return {"limit": price, "stop": float(Decimal(repr(order.stop)) + shift)}
