"""Random commands, reports, losses and time against the order desk: what must hold, whatever comes."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.support.desk_floor import ALIAS, Floor, take_apart, update
from workbench.bridge import wire
from workbench.bridge.result import Moment, Result
from workbench.protocol import messages
from workbench.trading.states import BACK_TO_REST, TRANSITIONS, OrderStatus

IDS = ("a", "b", "c", "d", "e", "f")
OWNERS = ("kernel", "other")


def reachable() -> set[tuple[str, str]]:
    """Pairs of states with at most three steps of the table between them."""
    steps = {(a, to) for (a, _), to in TRANSITIONS.items()}
    steps |= {
        (a, rest) for a, _ in BACK_TO_REST for rest in ("NEW", "PARTIALLY_FILLED", "SUSPENDED", "PENDING_NEW")
    }
    pairs = {(str(a), str(b)) for a, b in steps} | {(s, s) for s in OrderStatus}
    for _ in range(2):
        pairs |= {(a, d) for (a, b), (c, d) in itertools.product(pairs, pairs) if b == c}
    return pairs


REACHABLE = reachable()


class Bookmap:
    """A platform that takes every order and tells of each change; its reports may be kept back, lost or repeated."""

    def __init__(self) -> None:
        self.orders: dict[str, dict[str, Any]] = {}
        self.outbox: list[Any] = []
        self.ids = itertools.count(1)

    def read(self, line: bytes) -> None:
        """Carry out a line."""
        read = take_apart(line)
        if read.type == 19:
            self.accept(read.plain)
        elif read.type == 23:
            self.end(read.fields[1], "CANCELLED")
        elif read.type == 24:
            self.tell(read.fields[1], limitPrice=float(read.fields[2]))
        elif read.type == 26:
            order = self.orders[read.fields[1]]
            self.tell(read.fields[1], unfilled=max(int(read.fields[2]) - order["filled"], 1))

    def accept(self, plain: dict[str, Any]) -> None:
        """Take a new order."""
        order_id = str(next(self.ids))
        self.orders[order_id] = update(
            order_id,
            plain.get("clientId", ""),
            "PENDING_SUBMIT",
            isBuy=plain["isBuy"],
            unfilled=plain["size"],
            limitPrice=plain.get("limitPrice"),
            type="LMT" if "limitPrice" in plain else "MKT",
        )
        self.tell(order_id)
        self.tell(order_id, status="WORKING")

    def end(self, order_id: str, status: str) -> None:
        """Finish an order that works."""
        if self.orders[order_id]["status"] == "WORKING":
            self.tell(order_id, status=status)

    def fill(self, order_id: str) -> None:
        """Execute one lot."""
        order = self.orders[order_id]
        if order["status"] != "WORKING":
            return
        filled, unfilled = order["filled"] + 1, order["unfilled"] - 1
        execution = {"orderId": order_id, "executionId": f"{order_id}/{filled}", "size": 1, "price": 4500.0}
        self.outbox.append(wire.Execution(ALIAS, execution))
        self.tell(order_id, filled=filled, unfilled=unfilled, status="WORKING" if unfilled else "FILLED")

    def tell(self, order_id: str, **changed: Any) -> None:
        """Change an order and queue its report."""
        self.orders[order_id] |= changed
        self.outbox.append(wire.OrderUpdate(dict(self.orders[order_id])))


class DeskMachine(RuleBasedStateMachine):
    """The desk between clients that do anything and a platform that answers when it likes."""

    def __init__(self) -> None:
        super().__init__()
        self.floor, self.bookmap = Floor(), Bookmap()
        self.permitted, self.attached = False, True
        self.owner, self.asking, self.only_cancels = "", "", False
        self.until, self.until_wall = -1, -1
        self.left, self.max_size = 0, 0
        self.sent_ids: set[str] = set()
        self.told: dict[str, messages.Order] = {}
        self.executions: set[str] = set()
        self.position: messages.Position | None = None

    # -- following a result ---------------------------------------------------------------------------------------

    def follow(self, result: Result) -> None:
        """Carry out a result and check all of it."""
        for line in result.lines:
            self.check_line(line)
            self.bookmap.read(line)
        for message in result.account:
            self.check_told(message)
        self.floor.follow(result)

    def check_line(self, line: bytes) -> None:
        """A line goes only with both locks open, within the bounds, and an id only once."""
        read = take_apart(line)
        assert read.type in {19, 23, 24, 26}
        assert self.permitted
        assert self.attached
        assert self.floor.now.mono < self.until
        assert self.floor.now.wall < self.until_wall
        assert read.type == 23 or not self.only_cancels
        flattening = read.type == 19 and read.plain["clientId"].startswith("flatten-")
        assert read.type == 23 or flattening or self.asking == self.owner
        if read.type == 19:
            assert read.plain["clientId"] not in self.sent_ids
            self.sent_ids.add(read.plain["clientId"])
            self.left -= 1
            assert self.left >= 0
            assert read.plain["size"] <= self.max_size
        if read.type == 26:
            assert int(read.fields[2]) <= self.max_size

    def check_told(self, message: messages.AccountMessage) -> None:
        """Orders go through the table, sizes add up, fills and positions are told once."""
        if isinstance(message, messages.Order):
            self.check_order(message)
        elif isinstance(message, messages.Fill):
            assert message.execution_id not in self.executions
            self.executions.add(message.execution_id)
        elif isinstance(message, messages.Position):
            assert message != self.position
            self.position = message

    def check_order(self, order: messages.Order) -> None:
        """One state after another, as the table allows."""
        name = order.client_order_id or f"#{order.order_id}"
        before = self.told.get(name)
        if before is not None:
            assert (before.status, order.status) in REACHABLE, (before, order)
            assert order.filled >= before.filled
        finished = OrderStatus(order.status).terminal
        assert order.leaves == (0 if finished else order.quantity - order.filled)
        if order.status != "REJECTED":  # what was refused is told as it was asked for
            assert 0 <= order.filled <= order.quantity
        assert not (order.status == "FILLED" and order.filled != order.quantity)
        self.told[name] = order

    def ask(self, command: Any, owner: str) -> messages.Message:
        """A command has exactly one answer."""
        self.asking = owner
        result = self.floor.desk.command(command, owner, self.floor.now)
        self.follow(result)
        told = [*result.answers, *([result.error] if result.error else [])]
        assert len(told) == 1
        assert told[0].request_id == command.request_id  # type: ignore[attr-defined]
        return told[0]

    @initialize(shut=st.booleans())
    def begin(self, shut: bool) -> None:
        """Most of what is worth seeing happens behind open locks."""
        if not shut:
            self.permit(True)
            self.arm("kernel", 1.0, 4, 5)

    # -- clients --------------------------------------------------------------------------------------------------

    @rule(
        owner=st.sampled_from(OWNERS),
        minutes=st.sampled_from((1.0, 1.0, 0.01, 0.0, 1e9)),
        orders=st.integers(1, 4),
        size=st.integers(1, 4),
    )
    def arm(self, owner: str, minutes: float, orders: int, size: int) -> None:
        """A client arms, perhaps for no sensible time."""
        command = messages.Arm(minutes=minutes, max_orders=orders, max_size=float(size), request_id="arm")
        if isinstance(self.ask(command, owner), messages.Trading):
            self.owner, lasting = owner, int(minutes * 60e9)
            self.until, self.until_wall = self.floor.now.mono + lasting, self.floor.now.wall + lasting
            self.left, self.max_size, self.only_cancels = orders, size, False

    @rule(owner=st.sampled_from(OWNERS), really=st.integers(0, 6))
    def disarm(self, owner: str, really: int) -> None:
        """Anyone may disarm; a cancel that waits for its order has at most two seconds left."""
        if really:
            return
        self.only_cancels = True
        self.until = min(self.until, self.floor.now.mono + 2_000_000_000)
        self.ask(messages.Disarm(request_id=9), owner)

    @rule(owner=st.sampled_from(OWNERS), really=st.integers(0, 3))
    def leave(self, owner: str, really: int) -> None:
        """A client goes."""
        if really:
            return
        if owner == self.owner:
            self.until = -1
        self.follow(self.floor.desk.owner_left(owner, self.floor.now))

    @rule(
        name=st.sampled_from(IDS),
        size=st.sampled_from((2.0, 3.0, 2.0, 3.0, 1.0, 5.0, 0.5, -1.0)),
        price=st.sampled_from((4500.0, 4500.0, 4500.0, 4500.1, None)),
        side=st.sampled_from(("BUY", "BUY", "BUY", "SELL")),
        owner=st.sampled_from(OWNERS),
    )
    def place(self, name: str, size: float, price: float | None, side: Any, owner: str) -> None:
        """A client places an order, or the same one again, or another one by the same name."""
        kind: Any = "MARKET" if price is None else "LIMIT"
        command = messages.PlaceOrder(
            symbol=ALIAS,
            side=side,
            order_type=kind,
            quantity=size,
            price=price,
            client_order_id=name,
            request_id=1,
        )
        self.ask(command, owner)

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        """A client cancels, mostly what is there."""
        name = data.draw(self.names())
        self.ask(messages.CancelOrder(client_order_id=name, request_id=2), "kernel")

    @rule(flatten=st.sampled_from((False, False, True)), names=st.lists(st.sampled_from(IDS), max_size=3))
    def cancel_all(self, flatten: bool, names: list[str]) -> None:
        """A client cancels many, perhaps flattens."""
        command = messages.CancelAll(flatten=flatten, client_order_ids=names, request_id=3)
        answer = self.ask(command, "kernel")
        if flatten and not (isinstance(answer, messages.Error) and answer.code == "not_armed"):
            self.only_cancels = True
            self.until = min(self.until, self.floor.now.mono + 2_000_000_000)

    @precondition(lambda self: self.bookmap.orders)
    @rule(data=st.data(), size=st.none() | st.integers(1, 5), up=st.booleans(), owner=st.sampled_from(OWNERS))
    def replace(self, data: st.DataObject, size: int | None, up: bool, owner: str) -> None:
        """A client changes an order."""
        name = data.draw(self.names())
        command = messages.ReplaceOrder(
            client_order_id=name,
            quantity=None if size is None else float(size),
            price=4500.5 if up else None,
            request_id=4,
        )
        self.ask(command, owner)

    # -- the platform ---------------------------------------------------------------------------------------------

    @rule(on=st.sampled_from((True, True, True, True, True, False)))
    def permit(self, on: bool) -> None:
        """The user ticks the box in Bookmap, or unticks it."""
        self.permitted = on
        if not on:
            self.until = -1
        self.follow(self.floor.desk.permit(on, self.floor.now))

    @precondition(lambda self: self.bookmap.outbox)
    @rule(number=st.integers(0, 3), again=st.booleans())
    def report(self, number: int, again: bool) -> None:
        """A report arrives, perhaps before earlier ones, perhaps twice."""
        outbox = self.bookmap.outbox
        message = outbox.pop(min(number, len(outbox) - 1))
        for _ in range(1 + again):
            self.follow(self.floor.desk.report(message, self.floor.now))

    @rule(name=st.sampled_from(IDS), size=st.integers(1, 4))
    def place_well(self, name: str, size: int) -> None:
        """A client places an order that nothing speaks against."""
        self.place(name, float(size), 4500.0, "BUY", self.owner)

    @precondition(lambda self: self.bookmap.outbox)
    @rule()
    def catch_up(self) -> None:
        """All reports arrive, in order."""
        while self.bookmap.outbox:
            self.follow(self.floor.desk.report(self.bookmap.outbox.pop(0), self.floor.now))

    @precondition(lambda self: self.bookmap.outbox)
    @rule()
    def lose(self) -> None:
        """A report never arrives."""
        self.bookmap.outbox.pop(0)

    @precondition(lambda self: self.bookmap.orders)
    @rule(
        data=st.data(),
        fate=st.sampled_from(("fill", "fill", "REJECTED", "CANCELLED", "SUSPENDED", "WORKING")),
    )
    def happen(self, data: st.DataObject, fate: str) -> None:
        """Something happens to an order in Bookmap."""
        order_id = data.draw(st.sampled_from(sorted(self.bookmap.orders)))
        if fate == "fill":
            self.bookmap.fill(order_id)
        elif fate in {"REJECTED", "CANCELLED"}:
            self.bookmap.end(order_id, fate)
        elif self.bookmap.orders[order_id]["status"] in {"WORKING", "SUSPENDED"}:
            self.bookmap.tell(order_id, status=fate)

    @rule(client_id=st.sampled_from((*IDS, "", "theirs")))
    def chart(self, client_id: str) -> None:
        """The user places an order on the chart."""
        self.bookmap.accept({"clientId": client_id, "isBuy": True, "size": 2, "limitPrice": 4499.0})

    @rule(lots=st.integers(-5, 5))
    def tell_position(self, lots: int) -> None:
        """Bookmap tells the position, as it does again and again."""
        message = wire.PositionUpdate({"instrumentAlias": ALIAS, "position": lots})
        for _ in range(2):
            self.follow(self.floor.desk.report(message, self.floor.now))

    @rule(reason=st.sampled_from(("", "2.3 s old")))
    def stale(self, reason: str) -> None:
        """The book is late, or fit again."""
        self.floor.desk.book_is_stale(reason)

    @rule(ms=st.sampled_from((1, 100, 300, 700, 2_000, 70_000)), wall=st.sampled_from((1, 1, 1, -5, 900)))
    def wait(self, ms: int, wall: int) -> None:
        """Time passes; the wall clock may be set back meanwhile, or the machine sleeps."""
        now = self.floor.now
        self.floor.now = Moment(now.wall + wall * ms * 10**6, now.mono + ms * 10**6)
        self.follow(self.floor.desk.on_time(self.floor.now))

    @rule(really=st.integers(0, 12), again=st.booleans())
    def detach(self, really: int, again: bool) -> None:
        """The instrument goes, now and then; a new desk takes over with the ids of the old one."""
        if really:
            return
        self.attached = False
        self.follow(self.floor.desk.detach(self.floor.now))
        self.ask(messages.PlaceOrder(**self.any_order(), request_id=5), "kernel")
        now, desk = self.floor.now, self.floor.desk
        self.floor = Floor(used_ids=desk.used_ids)
        self.floor.now, self.told, self.position = now, {}, None
        self.attached, self.permitted, self.until = True, False, -1
        self.executions.clear()  # the new desk may be told of old ones again; whoever keeps accounts knows them
        if again:
            self.permit(True)
            self.arm("kernel", 1.0, 4, 4)

    def names(self) -> st.SearchStrategy[str]:
        """Names of orders, and one of none."""
        return st.sampled_from([*reversed(self.told), "none"])

    def any_order(self) -> dict[str, Any]:
        """Fields of some order."""
        return {
            "symbol": ALIAS,
            "side": "BUY",
            "order_type": "MARKET",
            "quantity": 1.0,
            "client_order_id": "late",
        }

    # -- what always holds ----------------------------------------------------------------------------------------

    @invariant()
    def nothing_left_due(self) -> None:
        """What is due has been done when it was time."""
        deadline = self.floor.desk.deadline()
        self.follow(self.floor.desk.on_time(self.floor.now))
        later = self.floor.desk.deadline()
        assert later is None or later > self.floor.now.mono, (deadline, later)

    @invariant()
    def the_locks_are_told_as_they_are(self) -> None:
        """What clients are told of the locks is what the gate does."""
        told = self.floor.desk.state(self.floor.now)
        assert self.floor.desk.is_open(self.floor.now) == (told.possible and told.permitted and told.armed)
        assert not told.armed or self.floor.now.mono < self.until
        assert not told.armed or self.floor.now.wall < self.until_wall


TestDesk = DeskMachine.TestCase
TestDesk.settings = settings(
    max_examples=200,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
