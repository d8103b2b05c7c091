"""A simple exchange for the add-on's orders: filled against the stream that is played, without moving it.

Rules, the same for every source: a market order takes the best levels at once; a limit takes what its price reaches
and rests; a resting limit is filled once a print goes through its price or the other side's best comes to it; stops go
off at the first print at or beyond them. Prints at a resting limit's own price fill nothing: nobody knows its place in
the queue. What an own order takes stays in the book.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import count
from typing import Any, Final, Literal

import numpy as np

from workbench.book.quotes import Quotes
from workbench.events import Array, EventBatch, EventKind, Instrument, Side
from workbench.testing.orders import OwnOrder, real
from workbench.testing.position import Position
from workbench.testing.reader import OrderRequest
from workbench.testing.report import EXECUTE_ORDER, Report

FIRST_ORDER_ID: Final = 3_427_547_165


class Exchange:
    """Orders of one instrument.

    Parameters
    ----------
    instrument : Instrument
    book : Quotes
        The stream's book, kept by somebody else.
    simulate_fills : bool
        Otherwise every order rests until :meth:`fill`.
    resize_means : {"remaining", "total"}

    Attributes
    ----------
    orders : dict of str to OwnOrder
        All there ever were, by Bookmap's id.
    executions : list of dict
        As they are sent.
    position : Position
    now_ns : int, ns
        Data time; set by whoever plays.
    """

    def __init__(
        self,
        instrument: Instrument,
        book: Quotes,
        *,
        simulate_fills: bool = True,
        resize_means: Literal["remaining", "total"] = "remaining",
    ):
        self.instrument = instrument
        self.orders: dict[str, OwnOrder] = {}
        self.executions: list[dict[str, Any]] = []
        self.position = Position()
        self.now_ns = 0
        self.last_ticks: int | None = None
        self._book = book
        self._pips = float(instrument.tick_size)
        self._simulates = simulate_fills
        self._resize_means = resize_means
        self._ids = count(FIRST_ORDER_ID)
        self._reports: list[Report] = []
        self._batches: dict[int | None, list[str]] = {}

    def follow(self, book: Quotes) -> None:
        """Look at another book from now on."""
        self._book = book

    def take_reports(self) -> list[Report]:
        """What is to be told since the last call, in order."""
        taken, self._reports = self._reports, []
        return taken

    def place(self, request: OrderRequest) -> OwnOrder:
        """Accept, or reject, an order; it may be filled at once."""
        order = self._make(request)
        self._tell(order)
        if not self._acceptable(request, order):
            self._end(order, "REJECTED")
            return order
        order.children = self._bracket(request, order)
        order.status = "WORKING"
        self._tell(order)
        for child in order.children:
            self._tell(child)
        if self._simulates and not order.waits_for_trigger:
            self._take(order)
        return order

    def reject(self, request: OrderRequest) -> None:
        """Refuse an order, without a reason: the wire has none."""
        order = self._make(request)
        self._tell(order)
        self._end(order, "REJECTED")

    def cancel(self, order_id: str, batch_end: bool, batch_id: int | None) -> None:
        """Cancel, or wait for the last one of a batch; without that it never happens."""
        waiting = self._batches.setdefault(batch_id, [])
        waiting.append(order_id)
        if not batch_end:
            return
        del self._batches[batch_id]
        for one in waiting:
            order = self.orders.get(one)
            if order is not None and order.is_open:
                self._change(order, "PENDING_CANCEL")
                self._end(order, "CANCELLED")

    def move(self, order_id: str, limit_price: float, stop_price: float) -> None:
        """Give an order other prices; a price that is NaN stays as it is."""
        order = self.orders.get(order_id)
        if order is None or not order.is_open:
            return
        self._change(order, "PENDING_MODIFY")
        order.limit = order.limit if limit_price != limit_price else self._ticks(limit_price)
        order.stop = order.stop if stop_price != stop_price else self._ticks(stop_price)
        self._change(order, "WORKING")
        if self._simulates and not order.waits_for_trigger:
            self._take(order)

    def move_to_market(self, order_id: str, offset: int) -> None:
        """Put a limit as many ticks beyond the other side's best."""
        order = self.orders.get(order_id)
        if order is None:
            return
        best = self._book.best_ask if order.is_buy else self._book.best_bid
        if best is not None:
            self.move(order_id, real(best + offset * (1 if order.is_buy else -1), self._pips), float("nan"))

    def resize(self, order_id: str, size: int) -> None:
        """Give an order another size; one that leaves nothing is a cancel."""
        order = self.orders.get(order_id)
        if order is None or not order.is_open:
            return
        self._change(order, "PENDING_MODIFY")
        left = size if self._resize_means == "remaining" else size - order.filled
        order.unfilled = max(left, 0)
        order.size = order.filled + order.unfilled
        if order.unfilled:
            self._change(order, "WORKING")
        else:
            self._end(order, "CANCELLED")

    def fill(self, order_id: str, size: int | None = None, ticks: int | None = None) -> None:
        """Execute an order, whatever the market does: all of it, at its own price, unless told otherwise."""
        order = self.orders[order_id]
        price = next(p for p in (ticks, order.limit, order.stop, self.last_ticks) if p is not None)
        self._execute(order, order.unfilled if size is None else size, price)

    def observe(self, batch: EventBatch) -> None:
        """Follow time and the last price; nothing is filled by it."""
        if len(batch):
            self.now_ns = int(batch.ts[-1])
            prints = np.flatnonzero(batch.kind == EventKind.TRADE)
            self.last_ticks = int(batch.price[prints[-1]]) if len(prints) else self.last_ticks

    def first_touch(self, batch: EventBatch) -> int | None:
        """Row of the first event that may concern an order; None where none does."""
        resting = [order for order in self.orders.values() if order.rests]
        if not self._simulates or not resting:
            return None
        rows = np.flatnonzero(_touching(batch, resting))
        return int(rows[0]) if len(rows) else None

    def on_row(self, row: EventBatch) -> None:
        """Let one event have its effect, after it is in the book."""
        is_print, price = row.kind[0] == EventKind.TRADE, int(row.price[0])
        for order in list(self.orders.values()):
            if not order.rests:
                continue  # or a sibling's fill has cancelled it meanwhile
            if order.waits_for_trigger:
                if is_print:
                    self._trail(order, price)
                    self._trigger(order, price)
            elif order.limit is not None:
                self._meet(order, order.limit, price if is_print else None)

    def open_orders(self) -> list[Report]:
        """Every order that is still open, as it stands."""
        return [order.update(self._pips) for order in self.orders.values() if order.is_open]

    def position_report(self, *, duplicate: bool = False) -> Report:
        """Say how the position stands."""
        working = [order.is_buy for order in self.orders.values() if order.is_open]
        return self.position.report(
            self.instrument,
            self.last_ticks,
            working_buys=sum(working),
            working_sells=len(working) - sum(working),
            duplicate=duplicate,
        )

    def balance_report(self) -> Report:
        """Say what is in the account."""
        return self.position.balance_report(self.instrument)

    def _make(self, request: OrderRequest) -> OwnOrder:
        order = OwnOrder(
            str(next(self._ids)),
            request.alias,
            request.is_buy,
            request.size,
            self._ticks(request.limit_price),
            self._ticks(request.stop_price),
            request.duration,
            request.client_id,
        )
        self.orders[order.order_id] = order
        return order

    def _acceptable(self, request: OrderRequest, order: OwnOrder) -> bool:
        prices = ((request.limit_price, order.limit), (request.stop_price, order.stop))
        on_grid = all(
            price is None or (ticks is not None and abs(ticks - price / self._pips) < 1e-6)
            for price, ticks in prices
        )
        takes = bool(self._reachable(order))
        if order.duration == "GTC_PO" and takes:
            return False
        needs_book = self._simulates and order.kind == "MKT"
        return on_grid and order.size > 0 and (takes or not needs_book)

    def _bracket(self, request: OrderRequest, parent: OwnOrder) -> list[OwnOrder]:
        children = []
        for offset, client_id, is_profit in (
            (request.take_profit_offset, request.take_profit_client_id, True),
            (request.stop_loss_offset, request.stop_loss_client_id, False),
        ):
            if offset:
                child = OwnOrder(
                    str(next(self._ids)), parent.alias, not parent.is_buy, parent.size,
                    0 if is_profit else None, None if is_profit else 0, parent.duration, client_id,
                    status="SUSPENDED", parent=parent, offset=offset,
                    trailing_step=0 if is_profit else request.trailing_step,
                )  # fmt: skip
                self.orders[child.order_id] = child
                children.append(child)
        for child in children:
            child.siblings = [other for other in children if other is not child]
        return children

    def _wake(self, parent: OwnOrder) -> None:
        entry = round(parent.average / self._pips)
        towards_profit = 1 if parent.is_buy else -1
        for child in parent.children:
            if child.status != "SUSPENDED":
                continue
            child.size = child.unfilled = parent.filled
            if child.limit is not None:
                child.limit = entry + towards_profit * child.offset
            else:
                child.stop = entry - towards_profit * child.offset
            self._change(child, "WORKING")

    def _meet(self, order: OwnOrder, limit: int, printed: int | None) -> None:
        """Fill a resting limit at its own price: all of it by a print beyond, else as much as has come to it."""
        sign = 1 if order.is_buy else -1
        through = printed is not None and sign * printed < sign * limit
        size = order.unfilled if through else sum(size for _, size in self._reachable(order))
        if size:
            self._execute(order, min(size, order.unfilled), limit)

    def _take(self, order: OwnOrder) -> None:
        """Take what can be had now; what the duration does not let rest is cancelled."""
        offers = self._reachable(order)
        enough = sum(size for _, size in offers) >= order.unfilled
        if order.duration != "FOK" or enough:
            for price, size in offers:
                if order.unfilled:
                    self._execute(order, min(size, order.unfilled), price)
        if order.is_open and order.unfilled and (order.duration in ("IOC", "FOK") or order.limit is None):
            self._end(order, "CANCELLED")

    def _reachable(self, order: OwnOrder) -> list[tuple[int, int]]:
        prices, sizes = self._book.levels(Side.ASK if order.is_buy else Side.BID)
        sign = 1 if order.is_buy else -1
        return [
            (price, size)
            for price, size in zip(prices.tolist(), sizes.tolist())
            if order.limit is None or sign * price <= sign * order.limit
        ]

    def _execute(self, order: OwnOrder, size: int, ticks: int) -> None:
        price = real(ticks, self._pips)
        before = 0.0 if not order.filled else order.average * order.filled
        order.filled += size
        order.unfilled = max(order.unfilled - size, 0)
        order.average = (before + price * size) / order.filled
        self._report_execution(order, size, price)
        realized = self.position.realized
        self.position.fill(order.is_buy, size, ticks)
        self._change(order, "WORKING" if order.unfilled else "FILLED")
        self._reports.append(self.position_report())
        if self.position.realized != realized:
            self._reports.append(self.balance_report())
        if not order.unfilled:
            self._after_end(order)

    def _report_execution(self, order: OwnOrder, size: int, price: float) -> None:
        execution = {
            "orderId": order.order_id,
            "size": size,
            "price": price,
            "executionId": f"{len(self.executions) + 1:032x}",
            "time": self.now_ns // 1_000_000,
            "isSimulated": True,
        }
        self.executions.append(execution)
        self._reports.append(Report(EXECUTE_ORDER, execution, order.alias))

    def _end(self, order: OwnOrder, status: str) -> None:
        order.unfilled = 0 if status == "CANCELLED" else order.unfilled
        self._change(order, status)
        self._after_end(order)

    def _after_end(self, order: OwnOrder) -> None:
        if order.filled and order.children:
            self._wake(order)
        orphans = [] if order.filled else order.children
        for other in (*orphans, *(order.siblings if order.filled else ())):
            if other.is_open:
                self._end(other, "CANCELLED")

    def _trail(self, order: OwnOrder, price: int) -> None:
        if not order.trailing_step or order.stop is None:
            return
        sign = 1 if order.is_buy else -1  # a sell stop follows the price up, a buy stop down
        steps = (sign * order.stop - order.offset - sign * price) // order.trailing_step
        if steps > 0:
            order.stop -= sign * steps * order.trailing_step
            self._change(order, "WORKING")

    def _trigger(self, order: OwnOrder, price: int) -> None:
        sign = 1 if order.is_buy else -1
        if order.stop is not None and sign * price >= sign * order.stop:
            order.stop_triggered = True
            self._change(order, "WORKING")
            self._take(order)

    def _ticks(self, price: float | None) -> int | None:
        return None if price is None else round(Decimal(str(price)) / self.instrument.tick_size)

    def _change(self, order: OwnOrder, status: str) -> None:
        order.status = status
        order.modified_ms = self.now_ns // 1_000_000
        self._tell(order)

    def _tell(self, order: OwnOrder) -> None:
        order.modified_ms = order.modified_ms or self.now_ns // 1_000_000
        self._reports.append(order.update(self._pips))


def _touching(batch: EventBatch, resting: list[OwnOrder]) -> Array:
    prints, price = batch.kind == EventKind.TRADE, batch.price
    offers = (batch.kind == EventKind.DEPTH) & (batch.size > 0)
    touching = np.zeros(len(batch), np.bool_)
    for order in resting:
        sign = 1 if order.is_buy else -1
        if order.trailing_step and order.waits_for_trigger:
            touching |= prints
        elif order.waits_for_trigger and order.stop is not None:
            touching |= prints & (sign * price >= sign * order.stop)
        elif order.limit is not None:
            touching |= prints & (sign * price < sign * order.limit)
            touching |= offers & (batch.side == -sign) & (sign * price <= sign * order.limit)
    return touching
