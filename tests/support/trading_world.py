"""A desk, a plain venue and a market, with every rule that must hold among them: for machines and random walks."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

from tests.support.plain_venue import PlainVenue
from workbench.trading import journal
from workbench.trading.contracts import Contract
from workbench.trading.desk import Desk
from workbench.trading.groups import reducing
from workbench.trading.ledger import Ledger, fold
from workbench.trading.limits import Limits, TradingState
from workbench.trading.order import Order
from workbench.trading.states import TERMINAL, OrderEvent, OrderStatus
from workbench.trading.terms import Terms
from workbench.trading.venue import Report

X = Contract(
    symbol="X",
    tick_size=Decimal("0.25"),
    multiplier=Decimal(4),
    maker=Decimal("-0.0001"),
    taker=Decimal("0.0003"),
)
LIMITS = Limits(size=8, position=12, per_second=4, open_orders=12, rejects=None, drawdown=Decimal(400))
STEP_NS = 150_000_000
MIDDLE = 1000


class World:
    """Everything at once; ``mirrored``: prices are reflected and sides swapped."""

    def __init__(
        self, venue: type[PlainVenue] = PlainVenue, *, mirrored: bool = False, limits: Limits = LIMITS
    ):
        self.now, self.sign = 1_000_000_000, -1 if mirrored else 1
        self.venue = venue()
        self.desk = Desk(self.venue, {"X": X}, limits, cash="1000", now=self.now)
        self.venue.desk = self.desk
        self.names, self.seen, self.position = 0, 0, 0
        self.money = Fraction(1000)
        self.ended: dict[str, tuple[OrderStatus, int]] = {}
        self.fills: dict[str, list[tuple[int, int, int]]] = {}
        self.limit: dict[str, int | None] = {}
        self.market(995, 1005, 9, 9)

    # -- what may happen ----------------------------------------------------------------------------------------------

    def market(self, bid: int, ask: int, bid_size: int, ask_size: int) -> None:
        """Other best prices and sizes."""
        self.now += STEP_NS
        best = {1: self.at(bid), -1: self.at(ask)} if self.sign > 0 else {1: self.at(ask), -1: self.at(bid)}
        size = {1: bid_size, -1: ask_size} if self.sign > 0 else {1: ask_size, -1: bid_size}
        self.venue.best, self.venue.size = best, size
        self.desk.market("X", self.now, bid=best[1], ask=best[-1])
        self.check()

    def trade(self, aggressor: int, ticks: int, lots: int) -> None:
        """A trade of others."""
        self.now += STEP_NS
        self.venue.taken.clear()
        self.venue.trade(self.sign * aggressor, self.at(ticks), lots, self.now)
        assert sum(part for _, _, part in self.venue.taken) <= lots, "more than was traded"
        self.check_queue(self.sign * aggressor)
        best = self.venue.best
        self.desk.market("X", self.now, bid=best[1], ask=best[-1], last=self.at(ticks))
        self.check()

    def place(self, side: int, lots: int, **terms: Any) -> Order:
        """A new order; prices as they are before they are reflected."""
        self.now += STEP_NS
        self.names += 1
        for what in ("limit", "stop"):
            if terms.get(what) is not None:
                terms[what] = self.at(terms[what])
        if terms.get("expires") is not None:
            terms["expires"] += self.now
        wanted = Terms(
            client_order_id=f"o{self.names}", symbol="X", side=self.sign * side, lots=lots, **terms
        )
        order = self.desk.place(wanted, self.now)
        before = len(self.desk.journal)
        assert self.desk.place(wanted, self.now) == order, "the same order again is another one"
        assert len(self.desk.journal) == before, "a repeated order left a trace"
        other = Terms(client_order_id=f"o{self.names}", symbol="X", side=self.sign * side, lots=lots + 1)
        if order.number >= 0 and order.terms != other:
            assert self.desk.place(other, self.now).reason.startswith("DUPLICATE_ID"), (
                "two orders of one name"
            )
        self.check()
        return order

    def cancel(self, name: str) -> None:
        """Take one back, known or not, open or not."""
        self.now += STEP_NS
        self.desk.on_time(self.now)  # what is over by now, is over
        order = self.desk.ledger.orders.get(name)
        late = order is None or not order.open
        why = self.desk.cancel(name, self.now)
        assert bool(why) == late, "too late is said, and only then"
        self.check()

    def replace(self, name: str, lots: int | None, limit: int | None) -> None:
        """Another size or price."""
        self.now += STEP_NS
        order = self.desk.ledger.orders.get(name)
        below = order is not None and lots is not None and lots < order.filled
        why = self.desk.replace(name, self.now, lots=lots, limit=None if limit is None else self.at(limit))
        assert why or not below, "replaced below what is filled"
        self.check()

    def repeat_execution(self) -> None:
        """The newest execution is told once more."""
        done = [r for r in self.desk.journal if isinstance(r, journal.Executed)]
        if done:
            last, before = done[-1], self.desk.ledger.snapshot()
            again = Report(
                client_order_id=last.client_order_id,
                event=OrderEvent.FILL,
                ticks=last.ticks,
                lots=last.lots,
                execution_id=last.execution_id,
            )
            self.desk.report(again, self.now)
            assert self.desk.ledger.snapshot() == before, "an execution counted twice"

    def wait(self) -> None:
        """Time passes."""
        self.now += 10 * STEP_NS
        self.desk.on_time(self.now)
        self.check()

    def panic(self) -> None:
        """Halt, see that all is over and nothing goes; then resume."""
        self.now += STEP_NS
        self.desk.panic(self.now)
        assert not self.desk.ledger.open_orders() and not self.venue.resting, "orders are left after a panic"
        assert self.place(1, 1, order_type="MARKET").reason.startswith("TRADING_HALTED")
        self.desk.resume(self.now)
        self.check()

    def flatten(self) -> None:
        """Close everything; with enough to trade against, nothing is left."""
        self.now += STEP_NS
        self.venue.size = {1: 100, -1: 100}
        self.desk.flatten(self.now)
        assert self.desk.ledger.account.position("X").lots == 0, "not flat"
        assert not self.desk.ledger.open_orders(), "orders are left"
        self.check()

    def restart(self) -> None:
        """The process ends and another one goes on from the journal."""
        self.now += STEP_NS
        kept = list(journal.decode(journal.encode(self.desk.journal)))
        state = self.desk.ledger.switch
        self.venue.resting.clear()
        self.desk = self.venue.desk = Desk.restart(self.venue, kept, self.now)
        assert self.desk.ledger.switch is state and not self.desk.ledger.open_orders()
        best = self.venue.best
        self.desk.market("X", self.now, bid=best[1], ask=best[-1])
        self.check()

    # -- what must hold -----------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Every rule, on what is new since the last time."""
        for record in self.desk.journal[self.seen :]:
            self.check_record(record)
        self.seen = len(self.desk.journal)
        self.check_orders()
        self.check_account()

    def check_record(self, record: journal.Record) -> None:
        """I3, I4, I5, I9, I12: each execution on its own; and nothing odd was ever reported."""
        if isinstance(record, journal.Noted) and record.what == "odd_report":
            assert record.reason.startswith("duplicate"), record.reason
        if isinstance(record, journal.Placed):
            self.limit[record.terms.client_order_id] = record.terms.limit
        if isinstance(record, journal.Changed):
            self.limit[record.client_order_id] = record.change.limit
        if not isinstance(record, journal.Executed):
            return
        order = self.desk.ledger.orders[record.client_order_id]
        side, terms = order.terms.side, order.terms
        fills = self.fills.setdefault(order.name, [])
        fills.append((record.ticks, record.lots, record.ts))
        assert order.name not in self.ended, "filled after its end"
        assert terms.order_type in {"MARKET", "LIMIT"} or order.triggered, "filled before it went off"
        limit = self.limit[order.name]
        assert limit is None or (record.ticks - limit) * side <= 0, "beyond the limit"
        assert record.maker or not terms.post_only or limit != terms.limit, "post-only took"
        before, self.position = self.position, self.position + side * record.lots
        if terms.reduce_only:
            assert before * side < 0 and abs(self.position) < abs(before), "reduce-only increased"
        rate = Fraction(X.maker if record.maker else X.taker)
        fee = rate * record.ticks * record.lots  # ticks × lots; one of them is worth 0.25 · 4 = 1
        assert abs(Fraction(record.fee, 10**6) - fee) <= Fraction(1, 10**6)
        self.money -= side * record.lots * record.ticks + Fraction(record.fee, 10**6)

    def check_orders(self) -> None:
        """I1, I2, I3, I5, I8, I14, I15: each order, and all of them together."""
        orders, held = self.desk.ledger.orders, self.desk.ledger.account.position("X").lots
        for order in orders.values():
            fills = self.fills.get(order.name, [])
            assert 0 <= order.filled <= order.lots or order.status is OrderStatus.DENIED
            assert order.filled == sum(lots for _, lots, _ in fills)
            assert order.leaves == (order.lots - order.filled if order.open else 0)
            assert not order.open or order.leaves > 0, "open with nothing left"
            if fills and order.average is not None:
                prices = [ticks for ticks, _, _ in fills]
                assert order.average == Fraction(sum(t * n for t, n, _ in fills), order.filled)
                assert (order.low, order.high) == (min(prices), max(prices))
            if order.terms.tif == "FOK":
                assert order.filled in {0, order.lots} and len({ts for _, _, ts in fills}) <= 1, "part of FOK"
            if order.terms.order_type == "MARKET" or order.terms.tif in {"IOC", "FOK"}:
                assert not order.open, "rests"
            if order.status in TERMINAL:
                end = (order.status, order.filled)
                assert self.ended.setdefault(order.name, end) == end, "changed after its end"
        here = {o.name for o in orders.values() if o.open and not o.held}
        assert set(self.venue.resting) == here, "desk and venue differ"
        bids = [o.limit for o in self.venue.resting.values() if o.side > 0]
        asks = [o.limit for o in self.venue.resting.values() if o.side < 0]
        assert not bids or not asks or max(bids) < min(asks), "own orders cross"
        for side in (1, -1):
            works = sum(o.leaves for o in orders.values() if o.terms.side == side and not o.terms.reduce_only)
            works += sum(reducing(self.desk.ledger, "X", side).values())
            assert side * held + works <= 12, "position could grow beyond its bound"

    def check_account(self) -> None:
        """I11–I13: position and money are what the executions say, to the last part."""
        account, marks = self.desk.ledger.account, self.desk.marks()
        position = account.position("X")
        assert position.lots == self.position
        assert (position.average(X) is None) == (self.position == 0)
        equity = self.money + Fraction(marks["X"], 2) * self.position
        assert account.equity(marks) == equity
        assert (
            Fraction(account.cash) + account.realized() + account.unrealized(marks) - account.fees() == equity
        )

    def check_queue(self, aggressor: int) -> None:
        """I6: nobody was filled while an order at the same price that came earlier had something left."""
        for name, limit, _ in self.venue.taken:
            mine = self.venue.resting.get(name)
            for other in self.venue.resting.values():
                if other.side == -aggressor and other.limit == limit and other.name != name:
                    order, first = self.desk.ledger.orders[name], self.desk.ledger.orders[other.name]
                    if not (self.resized(order) or self.resized(first)):
                        assert order.number < first.number, "not first come, first served"
            assert mine is None or mine.leaves > 0

    def resized(self, order: Order) -> bool:
        """Whether it was ever changed: its place in the queue may be another one."""
        return (
            any(isinstance(r, journal.Asked) and r.client_order_id == order.name for r in self.desk.journal)
            or order.triggered
        )

    def check_fold(self) -> None:
        """I16–I18: the state is what the journal adds up to, through bytes too, and times never go back."""
        desk = self.desk
        state = desk.ledger.snapshot()
        assert fold(desk.journal).snapshot() == state
        assert fold(journal.decode(journal.encode(desk.journal))).snapshot() == state
        assert Ledger.restore(state).snapshot() == state
        times = [record.ts for record in desk.journal]
        assert times == sorted(times)
        assert desk.ledger.switch is not TradingState.HALTED

    def at(self, ticks: int) -> int:
        """A price, reflected if the world is."""
        return MIDDLE + self.sign * (ticks - MIDDLE)


KINDS = ("LIMIT", "LIMIT", "LIMIT", "MARKET", "STOP", "STOP_LIMIT", "TRAILING_STOP")


def wander(world: World, seed: int, steps: int) -> None:
    """Let a random walk of everything happen."""
    rng = Random(seed)
    for _ in range(steps):
        one_step(world, rng)
    world.check_fold()


def one_step(world: World, rng: Random) -> None:
    """Let one random thing happen."""
    draw = rng.random()
    if draw < 0.2:
        bid = rng.randint(990, 1008)
        world.market(bid, bid + rng.randint(1, 4), rng.randint(0, 9), rng.randint(0, 9))
    elif draw < 0.45:
        world.trade(rng.choice((1, -1)), rng.randint(988, 1012), rng.randint(1, 9))
    elif draw < 0.78:
        random_order(world, rng)
    elif draw < 0.85:
        world.cancel(f"o{rng.randint(1, world.names + 1)}")
    elif draw < 0.93:
        lots = rng.choice((None, rng.randint(1, 8)))
        world.replace(f"o{rng.randint(1, world.names + 1)}", lots, rng.choice((None, rng.randint(990, 1010))))
    else:
        rest = (world.repeat_execution, world.wait, world.panic, world.flatten, world.restart)
        rng.choices(rest, weights=(5, 5, 1, 1, 1))[0]()


def random_order(world: World, rng: Random) -> None:
    """Place an order of any kind."""
    kind, side = rng.choice(KINDS), rng.choice((1, -1))
    terms: dict[str, Any] = {"order_type": kind}
    if kind in {"LIMIT", "STOP_LIMIT"}:
        terms["limit"] = rng.randrange(991, 1011, 3)  # few prices, so that several orders queue at one
    if "STOP" in kind:
        terms["stop"] = 1000 + side * rng.randint(1, 12)
    if kind == "TRAILING_STOP":
        terms["trail"] = rng.randint(1, 6)
    if kind in {"LIMIT", "MARKET"}:
        terms["tif"] = rng.choice(("GTC", "GTC", "IOC", "FOK"))
    if kind == "LIMIT" and terms["tif"] == "GTC":
        terms["post_only"] = rng.random() < 0.2
    if terms.get("tif", "GTC") == "GTC" and rng.random() < 0.15:
        terms |= {"tif": "GTD", "expires": rng.randint(1, 20) * STEP_NS}
    if rng.random() < 0.3:
        terms |= {
            "take_profit": rng.randint(1, 6),
            "stop_loss": rng.randint(1, 6),
            "trailing": rng.choice((0, 0, 0, 0, 1, 2, 3)),
        }
    elif rng.random() < 0.2:
        terms["reduce_only"] = True
    if rng.random() < 0.2:
        terms["oco"] = f"g{world.names // 3}"
    world.place(side, rng.randint(1, 9), **terms)
