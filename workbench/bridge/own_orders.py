"""All orders of one instrument that we know of, by the names they go by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from workbench.bridge.mirror import MirroredOrder, mirror
from workbench.bridge.reports import OrderReport

MAX_FINISHED: Final = 10_000


class OwnOrders:
    """Orders by client order id and by Bookmap's id; the oldest finished ones are forgotten."""

    def __init__(self) -> None:
        self._by_client: dict[str, MirroredOrder] = {}
        self._by_id: dict[str, MirroredOrder] = {}
        self._open: dict[int, MirroredOrder] = {}
        self._finished: dict[int, MirroredOrder] = {}

    def keep(self, order: MirroredOrder) -> None:
        """Take in an order, or the names and the state it got since."""
        if order.client_order_id:
            self._by_client.setdefault(order.client_order_id, order)
        if order.order_id:
            self._by_id.setdefault(order.order_id, order)
        here, there = (self._open, self._finished) if order.open else (self._finished, self._open)
        there.pop(id(order), None)
        here[id(order)] = order
        if len(self._finished) > MAX_FINISHED:
            self._forget(next(iter(self._finished.values())))

    def named(self, name: str) -> MirroredOrder | None:
        """Find an order by its client order id, or by ``#`` and Bookmap's id."""
        found = self._by_client.get(name)
        return self._by_id.get(name[1:]) if found is None and name.startswith("#") else found

    def by_id(self, order_id: str) -> MirroredOrder | None:
        """Find an order by Bookmap's id."""
        return self._by_id.get(order_id)

    def of(self, report: OrderReport) -> MirroredOrder | None:
        """Return the order a report is about: its id says so; its client id only until Bookmap has named the order."""
        known = self._by_id.get(report.order_id)
        if known is not None:
            return known
        known = self._by_client.get(report.client_id)
        return known if known is not None and not known.order_id and known.side == report.side else None

    def begin(self, report: OrderReport, content: str = "", *, taken: bool = False) -> MirroredOrder:
        """Take in an order that was placed elsewhere, or by an earlier process of ours.

        Where its client id is ``taken`` (a bracket's child may carry its parent's), it goes by Bookmap's id alone.
        """
        order = mirror(report)
        if taken or order.client_order_id in self._by_client:
            order.client_order_id = ""
        order.content = content
        self.keep(order)
        return order

    def working(self) -> Iterator[MirroredOrder]:
        """Orders that may still trade, oldest first."""
        return iter(list(self._open.values()))

    def __len__(self) -> int:
        return len(self._open) + len(self._finished)

    def _forget(self, order: MirroredOrder) -> None:
        del self._finished[id(order)]
        if self._by_client.get(order.client_order_id) is order:
            del self._by_client[order.client_order_id]
        if self._by_id.get(order.order_id) is order:
            del self._by_id[order.order_id]
