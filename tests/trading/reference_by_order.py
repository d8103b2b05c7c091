"""The queue by order in plain Python: every order of the market by its id, and who among them is older."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.trading.reference_engine import CLEAR, DEPTH, SNAPSHOT_END, Order, ReferenceEngine

NEW, REPLACE, CANCEL = 3, 4, 5
OLDEST = -1

OrderRow = tuple[int, int, int, int, int, int]  # ts, kind, side, price, size, order id
Place = tuple[int, int]  # side, price


@dataclass
class Resting:
    """An order of the market."""

    side: int
    price: int
    size: int
    since: int


@dataclass
class Here:
    """What an own order needs to know of its queue."""

    arrived: int
    printed: float = 0.0
    unseen: bool = False


@dataclass
class ByOrderEngine(ReferenceEngine):
    """The reference engine with the exact queue."""

    orders: dict[int, Resting] = field(default_factory=dict)
    lost: dict[int, Resting] = field(default_factory=dict)
    shown: dict[Place, int] = field(default_factory=dict)
    unnamed: dict[Place, int] = field(default_factory=dict)
    partial: bool = False
    here: dict[int, Here] = field(default_factory=dict)
    now: int = 0

    def row(self, ts: int, kind: int, side: int, price: int, size: int, name: int = 0) -> None:
        """One recorded row."""
        before = {o.number: self.older(o) for o in self.resting}
        if kind in (NEW, REPLACE, CANCEL):
            self._order(ts, kind, side, price, size, name)
        elif kind == DEPTH and side:
            self.shown[side, price] = size
            if self.partial:
                self._fit(side, price)
                self._name(side, price)
        elif kind == CLEAR:
            self.lost, self.orders = {**self.lost, **self.orders}, {}
            self.shown, self.unnamed, self.partial = {}, {}, False
        elif kind == SNAPSHOT_END:
            self.lost = {}
            for at in list(self.shown):
                self.partial |= self._name(*at)
        for order in self.resting:
            here = self.here[order.number]
            here.printed = max(here.printed - max(before[order.number] - self.older(order), 0), 0)
        super().row(ts, kind, side, price, size)

    def _fit(self, side: int, price: int) -> None:
        here = {name: o for name, o in self.orders.items() if (o.side, o.price) == (side, price)}
        for name in sorted(here, key=lambda n: (here[n].since, n)):
            if sum(o.size for n, o in here.items() if n in self.orders) > self.shown[side, price]:
                del self.orders[name]

    def _name(self, side: int, price: int) -> bool:
        named = sum(o.size for o in self.orders.values() if (o.side, o.price) == (side, price))
        self.unnamed[side, price] = max(self.shown[side, price] - named, 0)
        return self.unnamed[side, price] > 0

    def _order(self, ts: int, kind: int, side: int, price: int, size: int, name: int) -> None:
        known, before = self.orders.get(name), self.orders.get(name) or self.lost.get(name)
        if kind == REPLACE and side == 0 and known:
            side = known.side
        if kind == CANCEL or (kind == REPLACE and size <= 0):
            self.orders.pop(name, None)
        elif size > 0 and side and name:
            stays = before and (before.side, before.price) == (side, price) and size <= before.size
            self.orders[name] = Resting(side, price, size, before.since if before and stays else ts)
            self.lost.pop(name, None)

    def older(self, order: Order) -> float:
        """Lots that stand before an own order."""
        here = self.here[order.number]
        if here.unseen:
            return 2.0**60
        at = (order.side, order.price)
        named = sum(
            o.size for o in self.orders.values() if (o.side, o.price) == at and o.since <= here.arrived
        )
        return named + self.unnamed.get(at, 0)

    def _after_change(self, order: Order, before: int, after: int) -> float:
        self.here[order.number].printed = 0
        return 0.0

    def _print_at(self, order: Order, size: int, own: int, comes: int, left: int) -> int:
        here, older = self.here[order.number], self.older(order)
        ahead = older - here.printed + order.kept
        here.printed = min(here.printed + size, older)
        order.kept = max(max(ahead - left, 0) - (older - here.printed), 0)
        return int(max(left - ahead, 0))

    def _reopen(self, ts: int) -> None:
        for order in self.resting:
            here = self.here[order.number]
            here.printed = 0
            if here.unseen:  # all that are there now stand before it
                here.unseen, here.arrived = False, ts
        super()._reopen(ts)

    def arrive(self, ts: int, order: Order) -> None:
        """A new order reaches the venue."""
        self.now = ts
        super().arrive(ts, order)

    def _rest(self, order: Order) -> None:
        self.here[order.number] = Here(self.now, unseen=not self.known)
        super()._rest(order)
