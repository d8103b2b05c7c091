"""The matching rules in plain Python: dicts and loops, no thought of speed. The kernel must do exactly this."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

DEPTH, TRADE, CLEAR, SNAPSHOT_END, GAP = 1, 2, 6, 7, 9
GTC, POST_ONLY, IOC, FOK = range(4)

Row = tuple[int, int, int, int, int]  # ts, kind, side, price, size
Fill = tuple[int, int, int, int, int]  # venue time, order, price, size, maker


@dataclass
class Order:
    """One own order at the venue."""

    number: int
    side: int
    price: int
    leaves: int
    tif: int
    market: bool
    ahead: float = 0.0
    traded: float = 0.0
    kept: float = 0.0
    size: int = 0

    def __post_init__(self) -> None:
        self.size = self.leaves


@dataclass
class Modify:
    """A new price and whole size of an order; of a stop that waits also a new trigger."""

    number: int
    price: int
    size: int
    trigger: int = 0


@dataclass
class Stop:
    """An order that waits for a print at its trigger or through it."""

    order: Order
    trigger: int
    trail: int = 0

    def hear(self, price: int) -> bool:
        """Whether a print sets it off; one that does not may pull its trigger along."""
        if self.order.side * (price - self.trigger) >= 0:
            return True
        if self.trail:
            nearest = min if self.order.side > 0 else max
            self.trigger = nearest(self.trigger, price + self.order.side * self.trail)
        return False


@dataclass
class ReferenceEngine:
    """The venue alone: rows and arriving commands in, fills out."""

    queue: str
    rule: str
    bids: dict[int, int] = field(default_factory=dict)
    asks: dict[int, int] = field(default_factory=dict)
    bid: int | None = None
    ask: int | None = None
    known: bool = False
    resting: list[Order] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    ends: list[tuple[int, int, str]] = field(default_factory=list)
    taken: dict[tuple[int, int], int] = field(default_factory=dict)

    def fill(self, ts: int, order: Order, price: int, size: int, maker: int) -> None:
        """Note a fill."""
        order.leaves -= size
        self.fills.append((ts, order.number, price, size, maker))
        self.resting = [o for o in self.resting if o.leaves > 0]

    def row(self, ts: int, kind: int, side: int, price: int, size: int) -> None:
        """One recorded row."""
        if kind == DEPTH and side:
            self._depth(ts, side, price, size)
        elif kind == TRADE and side and self.known:
            self._trade(ts, side, price, size)
        elif kind in (CLEAR, GAP):
            self.known = False
            if kind == CLEAR:
                self.bids, self.asks, self.bid, self.ask = {}, {}, None, None
        elif kind == SNAPSHOT_END:
            self._reopen(ts)

    def _depth(self, ts: int, side: int, price: int, size: int) -> None:
        levels = self.bids if side > 0 else self.asks
        before = levels.pop(price, 0)
        if size:
            levels[price] = size
        self._best(side, price, size)
        self.taken[side, price] = min(self.taken.get((side, price), 0), size)
        for order in self.resting:
            if (order.side, order.price) == (side, price):
                self._level_changed(order, before, size)
        if size and self.known:
            self._quote(ts, side, price, size - before)

    def _best(self, side: int, price: int, size: int) -> None:
        if side > 0:
            if size and (self.bid is None or price > self.bid):
                self.bid = price
                if self.ask is not None and self.bid >= self.ask:
                    self.ask = min((p for p in self.asks if p > price), default=None)
            elif not size and price == self.bid:
                self.bid = max((p for p in self.bids if p < price), default=None)
        elif size and (self.ask is None or price < self.ask):
            self.ask = price
            if self.bid is not None and self.ask <= self.bid:
                self.bid = max((p for p in self.bids if p < price), default=None)
        elif not size and price == self.ask:
            self.ask = min((p for p in self.asks if p > price), default=None)

    def _level_changed(self, order: Order, before: int, after: int) -> None:
        order.ahead -= order.kept
        order.ahead, order.traded = order.kept + self._after_change(order, before, after), 0.0
        order.kept = min(order.kept, max(order.ahead, 0.0))

    def _after_change(self, order: Order, before: int, after: int) -> float:
        if self.queue in ("touch", "trade_through", "pro_rata"):
            return order.ahead
        if self.queue == "risk_averse":
            return min(order.ahead, after)
        gone = before - after - order.traded
        if gone < 0:
            return min(order.ahead, after)
        behind = before - order.ahead
        above, below = behind**3, behind**3 + order.ahead**3
        share = above / below if below else (math.nan if above == 0 else 1.0)
        left = order.ahead - (1 - share) * gone + min(behind - share * gone, 0)
        return after if math.isnan(left) else min(left, after)

    def _reached(self, aggressor: int, price: int) -> list[Order]:
        """Own orders that a print or quote at a price reaches, best price first, then oldest."""
        found = [o for o in self.resting if o.side == -aggressor and aggressor * o.price <= aggressor * price]
        return sorted(found, key=lambda o: aggressor * o.price)

    def _trade(self, ts: int, side: int, price: int, size: int) -> None:
        left = size
        own = sum(o.leaves for o in self.resting if (o.side, o.price) == (-side, price))
        comes = size
        for order in self._reached(side, price):
            amount = order.leaves
            if order.price == price:
                if self.rule == "shared":  # own orders that stand before it have taken theirs
                    reached = self._print_at(order, size, own, comes, left)
                else:
                    reached = self._print_at(order, size, own, size, size)
                amount = 0 if reached <= 0 else amount if self.rule == "whole" else min(amount, reached, size)
            if self.rule == "shared":
                amount = min(amount, left)
            if amount > 0:
                self.fill(ts, order, order.price, amount, 1)
                left -= amount
            if order.price != price:
                comes = left

    def _print_at(self, order: Order, size: int, own: int, comes: int, left: int) -> int:
        if self.queue == "pro_rata":
            shown = (self.bids if order.side > 0 else self.asks).get(order.price, 0)
            return comes * order.leaves // (shown + own)
        order.ahead -= left
        order.traded += size
        order.kept = min(order.kept + size - left, max(order.ahead, 0.0))
        reached = math.floor(-order.ahead + 0.5) if order.ahead < 0 else 0
        if reached or (left < comes and order.ahead <= 0.5):
            order.ahead = order.kept = 0.0
        return reached

    def _quote(self, ts: int, side: int, price: int, budget: int) -> None:
        for order in self._reached(side, price):
            amount = min(order.leaves, budget) if self.rule == "shared" else order.leaves
            if amount > 0:
                self.fill(ts, order, order.price, amount, 1)
                budget -= amount
                if self.rule == "shared":
                    self._take(side, price, amount)

    def _reopen(self, ts: int) -> None:
        self.known = True
        for (side, price), lots in self.taken.items():
            self.taken[side, price] = min(lots, (self.bids if side > 0 else self.asks).get(price, 0))
        for order in self.resting:
            order.kept = 0.0
            if self.queue != "trade_through":
                shown = (self.bids if order.side > 0 else self.asks).get(order.price, 0)
                order.ahead, order.traded = min(order.ahead, shown), 0.0
        for price in sorted(self.bids, reverse=True):
            if self.bid is not None and price <= self.bid:
                self._quote(ts, 1, price, self._free(1, price, self.bids[price]))
        for price in sorted(self.asks):
            if self.ask is not None and price >= self.ask:
                self._quote(ts, -1, price, self._free(-1, price, self.asks[price]))

    def arrive(self, ts: int, order: Order) -> None:
        """A new order reaches the venue."""
        best = self.ask if order.side > 0 else self.bid
        reaches = self.known and best is not None and (order.market or order.side * (order.price - best) >= 0)
        if reaches and order.tif != POST_ONLY:
            assert best is not None
            self._aggress(ts, order, best)
        elif reaches or order.market or order.tif in (IOC, FOK):
            self.ends.append((ts, order.number, "EXPIRED"))
        else:
            self._rest(order)

    def _rest(self, order: Order) -> None:
        shown = (
            float((self.bids if order.side > 0 else self.asks).get(order.price, 0)) if self.known else 2.0**60
        )
        order.ahead = {"touch": 0.0, "pro_rata": 0.0, "trade_through": 2.0**60}.get(self.queue, shown)
        order.traded = order.kept = 0.0
        self.resting.append(order)

    def _aggress(self, ts: int, order: Order, best: int) -> None:
        if self.rule == "whole":
            self.fill(ts, order, best, order.leaves, 0)
            return
        levels = self.asks if order.side > 0 else self.bids
        seen = [p for p in levels if order.side * (p - best) >= 0]
        within = [p for p in seen if order.market or order.side * (order.price - p) >= 0]
        within.sort(key=lambda p: order.side * p)
        free = {p: self._free(-order.side, p, levels[p]) for p in within}
        if order.tif == FOK and sum(free.values()) < order.leaves:
            self.ends.append((ts, order.number, "EXPIRED"))
            return
        for price in within:
            amount = min(free[price], order.leaves)
            if amount > 0:
                self.fill(ts, order, price, amount, 0)
                if self.rule == "shared":
                    self._take(-order.side, price, amount)
        self._leftover(ts, order)

    def _leftover(self, ts: int, order: Order) -> None:
        if order.leaves and (order.market or order.tif in (IOC, FOK)):
            self.ends.append((ts, order.number, "EXPIRED"))
        elif order.leaves and self.rule == "shared":
            self._rest(order)
        elif order.leaves:
            self.fill(ts, order, order.price, order.leaves, 0)

    def _free(self, side: int, price: int, shown: int) -> int:
        gone = self.taken.get((side, price), 0)
        return max(shown - gone, 0) if self.rule == "shared" else shown

    def _take(self, side: int, price: int, lots: int) -> None:
        self.taken[side, price] = self.taken.get((side, price), 0) + lots

    def cancel(self, ts: int, number: int) -> None:
        """A cancel reaches the venue."""
        if any(o.number == number for o in self.resting):
            self.resting = [o for o in self.resting if o.number != number]
            self.ends.append((ts, number, "CANCELED"))

    def modify(self, ts: int, change: Modify) -> None:
        """A change reaches the venue: less at the same price stays where it is, everything else arrives anew."""
        for order in [o for o in self.resting if o.number == change.number]:
            left = change.size - (order.size - order.leaves)
            if left <= 0:  # what is filled is all that was wanted
                self.resting.remove(order)
                return
            stays = change.price == order.price and change.size <= order.size
            order.price, order.size, order.leaves = change.price, change.size, left
            if not stays:
                self.resting.remove(order)
                self.arrive(ts, order)


Command = Order | Modify | Stop | int


@dataclass
class Waiting:
    """The desk before the venue: commands under way, none of which overtakes another, and stops."""

    engine: ReferenceEngine
    entry: tuple[int, ...]
    sent: int = 0
    newest: int = 0
    flight: list[tuple[int, Order | Modify | int]] = field(default_factory=list)
    held: list[Stop] = field(default_factory=list)
    ends: dict[int, str] = field(default_factory=dict)

    def is_passed(self, side: int, trigger: int) -> bool:
        """Whether the best price on the other side is beyond a trigger already."""
        best = self.engine.ask if side > 0 else self.engine.bid
        return self.engine.known and best is not None and side * (trigger - best) < 0

    def send(self, ts: int, what: Command) -> None:
        """Take a command: what concerns a stop that waits happens here."""
        number = what.number if isinstance(what, Modify) else what
        stop = next((s for s in self.held if s.order.number == number), None)
        if isinstance(what, Stop):
            if self.is_passed(what.order.side, what.trigger):
                self.ends[what.order.number] = "REJECTED"
            else:
                self.held.append(what)
        elif stop is None:
            self.leave(ts, what)
        elif isinstance(what, Modify):
            self.change(stop, what)
        else:
            self.held.remove(stop)
            self.ends[stop.order.number] = "CANCELED"

    def change(self, stop: Stop, what: Modify) -> None:
        """Change a stop that waits, unless it would go off at once."""
        trigger = what.trigger or stop.trigger
        if not self.is_passed(stop.order.side, trigger):
            stop.trigger = trigger
            stop.order.size = stop.order.leaves = what.size
            stop.order.price = 0 if stop.order.market else what.price

    def arrive(self) -> None:
        """Hand the first command over."""
        ts, what = self.flight.pop(0)
        if isinstance(what, Order):
            self.engine.arrive(ts, what)
        elif isinstance(what, Modify):
            self.engine.modify(ts, what)
        else:
            self.engine.cancel(ts, what)

    def hear(self, ts: int, price: int) -> None:
        """A print."""
        gone = [stop for stop in self.held if stop.hear(price)]
        self.held = [stop for stop in self.held if not any(stop is other for other in gone)]
        for stop in gone:
            self.leave(ts, stop.order)

    def leave(self, ts: int, what: Order | Modify | int) -> None:
        """Send a command: the delays follow each other, and again from the first."""
        self.newest = max(self.newest, ts + self.entry[self.sent % len(self.entry)])
        self.sent += 1
        self.flight.append((self.newest, what))


def run(
    rows: list[Row], commands: list[tuple[int, Command]], queue: str, rule: str, entry: tuple[int, ...] = (0,)
) -> ReferenceEngine:
    """All rows, and commands (time; an order, a change, or the number to cancel) after the rows of their time."""
    return play(rows, commands, queue, rule, entry).engine


def play(
    rows: list[Row], commands: list[tuple[int, Command]], queue: str, rule: str, entry: tuple[int, ...] = (0,)
) -> Waiting:
    """As :func:`run`, and what still waits."""
    desk, script = Waiting(ReferenceEngine(queue, rule), entry), list(commands)
    for row in [*rows, None]:
        while script or desk.flight:
            due = desk.flight[0][0] if desk.flight else math.inf
            sent = script[0][0] if script else math.inf
            if row is not None and min(due, sent) >= row[0]:
                break
            if due <= sent:
                desk.arrive()
            else:
                desk.send(*script.pop(0))
        if row is not None:
            desk.engine.row(*row)
            if row[1] == TRADE:
                desk.hear(row[0], row[3])
    return desk
