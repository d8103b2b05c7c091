"""Own orders on a ladder: what the page is told of them, and whether it may place any."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.events import Array, EventKind, Instrument, Side
from workbench.trading.queue_estimate import QueueEstimate
from workbench.views.live import Captured, Showable

if TYPE_CHECKING:
    from workbench.session.order import Order
    from workbench.session.orders import Orders

NOTES_KEPT: Final = 4
FILLS_SHOWN: Final = 20
FILLS_SEARCHED: Final = 200
SIDES: Final = {"BUY": int(Side.BID), "SELL": int(Side.ASK)}
TIFS: Final = ("GTC", "DAY", "IOC", "FOK")
RESTING: Final = frozenset({"NEW", "PARTIALLY_FILLED", "PENDING_CANCEL", "PENDING_REPLACE"})


def orders_of(session: Showable) -> Orders | None:
    """What executes orders for a session; None where there is nothing of the kind."""
    return getattr(session, "orders", None)


def why_not(session: Showable, symbol: str) -> str:
    """Why an order of an instrument would not go through, in words for whoever clicks; empty: it would."""
    if session.state == "recorded":
        return "a recording cannot take orders"
    orders = orders_of(session)
    if orders is None:
        return "nothing here takes orders"
    trading = orders.trading(symbol)
    if trading.ready:
        return ""
    if trading.is_paper and trading.reason:
        return f"{trading.reason}{f'; {trading.advice}' if trading.advice else ''}"
    return trading.advice or trading.reason or "orders would not go through now"


def supported_tifs(orders: Orders, symbol: str) -> tuple[str, ...]:
    """Times in force that a click can ask for: those that the platform takes, the usual ones where it says nothing.

    ``GTD`` is none of them, for it needs a date.
    """
    said = orders.trading(symbol).supported.get("supportedLimitDurations")
    named = said if isinstance(said, list | tuple) and said else TIFS
    return tuple(str(tif) for tif in named if tif != "GTD")


def open_position(session: Showable, instrument: Instrument) -> list[float] | None:
    """Size (real units, short below 0) and price of entry (ticks) of the open position; None: there is none."""
    for row in getattr(session, "positions").iter_rows(named=True):  # noqa: B009 - only with orders
        if row["symbol"] == instrument.symbol and row["position"] and row["avg_price"] is not None:
            return [row["position"], row["avg_price"] / float(instrument.tick_size)]
    return None


class Notes:
    """The newest words about orders, numbered, for the line below the ladder."""

    def __init__(self) -> None:
        self._kept: deque[tuple[int, str]] = deque(maxlen=NOTES_KEPT)
        self._lock = threading.Lock()
        self._count = 0

    def add(self, text: str) -> None:
        """Say something."""
        with self._lock:
            self._count += 1
            self._kept.append((self._count, text))

    def told(self) -> list[tuple[int, str]]:
        """Number and text of each, oldest first."""
        with self._lock:
            return list(self._kept)


class OwnOrders:
    """Orders and position of one instrument, and where its orders stand in their queues.

    Parameters
    ----------
    session : Showable
    capture : Captured
    notes : Notes, optional
        Gets a line for each order that is refused from now on.

    Notes
    -----
    Where the venue tells every order and the platform the venue's number of ours, the queue position is exact.
    Elsewhere it is the risk-averse estimate of :class:`~workbench.trading.queue_estimate.QueueEstimate`, from the
    moment on at which this ladder first saw the order work at its price.
    """

    def __init__(self, session: Showable, capture: Captured, notes: Notes | None = None):
        self._session, self._capture = session, capture
        self._symbol = capture.instrument.symbol
        self._orders = orders_of(session)
        self._notes = notes or Notes()
        self._queue = QueueEstimate()
        self._version = -1
        self._open: list[Order] = []
        self._ended: set[str] = {o.client_order_id for o in self._mine() if o.status == "REJECTED"}
        self._position: list[float] | None = None
        self._fills: list[list[float]] = []

    def follow(self, pieces: list[tuple[Array, ...]]) -> None:
        """Let the queues move as these events say."""
        for piece in pieces:
            if not self._queue.names:
                return
            moved = np.flatnonzero((piece[2] == EventKind.DEPTH) | (piece[2] == EventKind.TRADE))
            self._queue.feed(tuple(column[moved] for column in piece))

    def told(self) -> dict[str, Any]:
        """What the page is told: orders, position, whether it may place, the newest words."""
        orders = self._orders
        if orders is not None and orders.version != self._version:
            self._version = orders.version
            self._look(orders)
        return {
            "orders": [self._facts(order) for order in self._open],
            "position": self._position,
            "fills": self._fills,
            "why": why_not(self._session, self._symbol),
            "desk": self._desk(),
            "notes": self._notes.told(),
        }

    def _desk(self) -> dict[str, Any] | None:
        if self._orders is None:
            return None
        trading = self._orders.trading(self._symbol)
        if not trading.possible:
            return None
        tifs = supported_tifs(self._orders, self._symbol)
        return {"max_size": trading.max_size, "left": trading.orders_left, "tifs": list(tifs)}

    def _mine(self) -> Iterator[Order]:
        return (order for order in self._orders or () if order.symbol == self._symbol)

    def _look(self, orders: Orders) -> None:
        mine = list(self._mine())
        self._open = [order for order in mine if order.is_open]
        for order in mine:
            if order.status == "REJECTED" and order.client_order_id not in self._ended:
                self._ended.add(order.client_order_id)
                self._notes.add(f"rejected: {_spoken(order)}: {order.reason or 'no reason told'}")
        self._place_in_queues()
        self._position = open_position(self._session, self._capture.instrument)
        self._fills = self._newest_fills()

    def _place_in_queues(self) -> None:
        resting = {order.client_order_id: order for order in self._open if order.status in RESTING}
        for name in self._queue.names:
            if name not in resting:
                self._queue.leave(name)
        for name, order in resting.items():
            if order.order_type != "LIMIT" or order.limit is None:
                continue
            place = SIDES[order.side], self._tick(order.limit)
            if name not in self._queue or self._queue.place(name) != place:
                displayed = self._displayed(*place)
                self._queue.enter(name, side=place[0], price=place[1], displayed=displayed)

    def _displayed(self, side: int, tick: int) -> int:
        with self._capture.lock:
            sizes = self._capture.book.window(tick, tick)
        return int(sizes[0 if side > 0 else 1][0])

    def _newest_fills(self) -> list[list[float]]:
        """Newest executions as [tick, side, size], oldest first."""
        fills = getattr(self._session, "fills").tail(FILLS_SEARCHED)  # noqa: B009 - only with orders
        mine = [row for row in fills.iter_rows(named=True) if row["symbol"] == self._symbol]
        return [[self._tick(row["price"]), SIDES[row["side"]], row["size"]] for row in mine[-FILLS_SHOWN:]]

    def _facts(self, order: Order) -> dict[str, Any]:
        price = order.limit if order.limit is not None else order.stop
        facts: dict[str, Any] = {
            "id": order.client_order_id,
            "side": SIDES[order.side],
            "tick": None if price is None else self._tick(price),
            "kind": order.order_type,
            "size": order.leaves,
            "status": order.status,
        }
        if order.unknown:
            facts["unknown"] = order.reason or "not known what became of it"
        return facts | self._place(order)

    def _place(self, order: Order) -> dict[str, Any]:
        """Lots ahead of an order, of how many, and whether that is known or estimated."""
        exact = self._exact_place(order)
        if exact is not None:
            return {"ahead": exact[0], "of": exact[1], "exact": True}
        name = order.client_order_id
        if name not in self._queue:
            return {}
        front = self._queue.front(name)
        return {"ahead": front, "of": max(self._displayed(*self._queue.place(name)), front)}

    def _exact_place(self, order: Order) -> tuple[int, int] | None:
        """Lots ahead and of the level, where the order itself is in the by-order book."""
        if not getattr(self._capture, "has_orders", False) or not order.order_id.isdecimal():
            return None
        with self._capture.lock:
            book, number = getattr(self._capture, "orders"), int(order.order_id)  # noqa: B009 - only with has_orders
            found = book.order(number) if number < 2**63 else None
            if found is None or order.limit is None:
                return None
            if (found.side, found.price) != (SIDES[order.side], self._tick(order.limit)):
                return None
            place = book.queue_position(number)
        return place.ahead_lots, place.level_lots

    def _tick(self, price: float) -> int:
        return round(Decimal(repr(price)) / self._capture.instrument.tick_size)


def _spoken(order: Order) -> str:
    price = order.limit if order.limit is not None else order.stop
    at = "" if price is None else f" at {price:.12g}"
    return f"{order.side.lower()} {order.size:.12g}{at}"
