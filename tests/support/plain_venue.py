"""A venue in plain Python, small and obviously right: one best price a side, trades that fill by price, then by time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.trading.order import Change, Order
from workbench.trading.states import OrderEvent as E
from workbench.trading.venue import Report

if TYPE_CHECKING:
    from workbench.trading.desk import Desk


@dataclass
class Resting:
    """An order in the book of the venue."""

    name: str
    side: int
    limit: int
    leaves: int
    arrived: int


class PlainVenue:
    """Answers at once; ``best[+1]`` is the bid and ``size[+1]`` what is left there for those who sell."""

    def __init__(self) -> None:
        self.desk: Desk
        self.best = {1: 995, -1: 1005}
        self.size = {1: 10, -1: 10}
        self.resting: dict[str, Resting] = {}
        self.numbers = 0
        self.taken: list[tuple[str, int, int]] = []
        self.done: dict[str, int] = {}

    def submit(self, order: Order, now: int) -> list[Report]:
        terms, name = order.terms, order.name
        lots, crossing = order.leaves, self.crosses(terms.side, order.limit)
        if terms.post_only and crossing:
            return [self.said(name, E.ACCEPT), self.said(name, E.CANCELED, reason="POST_ONLY: would take")]
        there = self.size[-terms.side] if crossing else 0
        if self.kills(order, there):
            return [self.said(name, E.CANCELED, reason="FOK: not all at once")]
        reports = [self.said(name, E.ACCEPT), *self.take(name, terms.side, min(there, lots))]
        left = lots - min(there, lots)
        if left and (order.limit is None or not self.rests(order)):
            reports.append(self.said(name, E.CANCELED, reason="the rest cannot wait"))
        elif left and order.limit is not None:
            self.rest(name, terms.side, order.limit, left)
        return reports

    def kills(self, order: Order, there: int) -> bool:
        return order.terms.tif == "FOK" and there < order.leaves

    def rests(self, order: Order) -> bool:
        return order.terms.tif not in {"IOC", "FOK"}

    def cancel(self, order: Order, now: int) -> list[Report]:
        found = self.resting.pop(order.name, None)
        return [self.said(order.name, E.CANCELED if found else E.CANCEL_REJECT)]

    def replace(self, order: Order, change: Change, now: int) -> list[Report]:
        known = self.resting.get(order.name)
        if known is None or change.limit is None:
            return [self.said(order.name, E.REPLACE_REJECT, reason="not here")]
        left = change.lots - self.done.get(order.name, 0)
        del self.resting[order.name]
        reports = [self.said(order.name, E.REPLACED)]
        stays = order.terms.post_only and change.limit == known.limit  # behind a quote that passed it by
        if self.crosses(known.side, change.limit) and not stays:
            there = max(min(self.size[-known.side], left), 0)
            reports += self.take(order.name, known.side, there)
            left -= there
        if left > 0:
            arrived = known.arrived
            self.rest(order.name, known.side, change.limit, left)
            if change.limit == known.limit and left <= known.leaves:
                self.resting[order.name].arrived = arrived
        return reports

    def rest(self, name: str, side: int, limit: int, lots: int) -> None:
        self.numbers += 1
        self.resting[name] = Resting(name, side, limit, lots, self.numbers)

    def crosses(self, side: int, limit: int | None) -> bool:
        return limit is None or (limit - self.best[-side]) * side >= 0

    def take(self, name: str, side: int, lots: int) -> list[Report]:
        if lots < 1:
            return []
        self.size[-side] -= lots
        return [self.filled(name, self.best[-side], lots, maker=False)]

    def trade(self, aggressor: int, ticks: int, lots: int, now: int) -> None:
        """A trade of others: own orders at its price or better are executed first, at their own price."""
        left = lots
        while left:
            first = self.first(-aggressor, ticks)
            if first is None:
                return
            part = min(left, first.leaves)
            left -= part
            first.leaves -= part
            if not first.leaves:
                del self.resting[first.name]
            self.taken.append((first.name, first.limit, part))
            self.execute(self.filled(first.name, self.price(first), part, maker=True), now)

    def execute(self, report: Report, now: int) -> None:
        self.desk.report(report, now)

    def price(self, order: Resting) -> int:
        return order.limit

    def first(self, side: int, ticks: int) -> Resting | None:
        reached = [o for o in self.resting.values() if o.side == side and (o.limit - ticks) * side >= 0]
        return min(reached, key=lambda o: (-o.limit * side, self.place(o)), default=None)

    def place(self, order: Resting) -> int:
        return order.arrived

    def said(self, name: str, event: E, reason: str = "") -> Report:
        return Report(client_order_id=name, event=event, reason=reason)

    def filled(self, name: str, ticks: int, lots: int, *, maker: bool) -> Report:
        self.numbers += 1
        self.done[name] = self.done.get(name, 0) + lots
        return Report(
            client_order_id=name,
            event=E.FILL,
            ticks=ticks,
            lots=lots,
            execution_id=f"x{self.numbers}",
            maker=maker,
        )


class LateVenue(PlainVenue):
    """Does everything at once and says it later, in order, when it is asked to :meth:`speak`."""

    def __init__(self) -> None:
        super().__init__()
        self.unsaid: deque[Report] = deque()

    def submit(self, order: Order, now: int) -> list[Report]:
        self.unsaid.extend(super().submit(order, now))
        return []

    def cancel(self, order: Order, now: int) -> list[Report]:
        self.unsaid.extend(super().cancel(order, now))
        return []

    def replace(self, order: Order, change: Change, now: int) -> list[Report]:
        self.unsaid.extend(super().replace(order, change, now))
        return []

    def execute(self, report: Report, now: int) -> None:
        self.unsaid.append(report)

    def speak(self, count: int, now: int) -> None:
        for _ in range(min(count, len(self.unsaid))):
            self.desk.report(self.unsaid.popleft(), now)
