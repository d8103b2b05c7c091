"""An order desk with everything round it that its tests need: a clock, a journal, the lines, what everyone was told."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.bridge import wire
from workbench.bridge.desk import OrderDesk
from workbench.bridge.lines import Lines
from workbench.bridge.order_journal import ids_sent
from workbench.bridge.result import Moment, Result
from workbench.instruments import Instrument
from workbench.protocol import messages
from workbench.protocol.account import AccountState

ALIAS = "ESZ6.CME@RITHMIC"
START_NS = 1_767_225_600_000_000_000
SECOND_NS = 1_000_000_000
SENT = {"client_order_id": "a-1", "side": "BUY", "order_type": "LIMIT", "quantity": 2.0, "price": 4500.0}


@dataclass
class Line:
    """One line to Bookmap, taken apart as Java does."""

    type: int
    fields: list[str]

    @property
    def plain(self) -> dict[str, Any]:
        """JSON of a SEND_ORDER."""
        return dict(json.loads(self.fields[0]))


def take_apart(line: bytes) -> Line:
    """Fields of a line; a line that is not exactly one fails the test."""
    assert line.endswith(b"\n"), line
    text = line[:-1].decode("utf-8")
    assert "\n" not in text, text
    assert "\r" not in text, text
    number, *fields = text.split("\ue000")
    return Line(int(number), fields)


def update(
    order_id: str = "7", client_id: str = "a-1", status: str = "WORKING", **changed: Any
) -> dict[str, Any]:
    """An UPDATE_ORDER as Bookmap sends it; the side is the buyer's unless told."""
    plain = {
        "instrumentAlias": ALIAS,
        "orderId": order_id,
        "clientId": client_id,
        "isBuy": True,
        "type": "LMT",
        "doNotIncrease": False,
        "filled": 0,
        "unfilled": 2,
        "averageFillPrice": math.nan,
        "duration": "GTC",
        "status": status,
        "limitPrice": 4500.0,
        "stopPrice": math.nan,
        "stopTriggered": False,
        "modificationUtcTime": 1_767_225_600_123,
        "isSimulated": True,
        "isDuplicate": False,
    }
    return plain | changed


@dataclass
class Floor:
    """The desk of one instrument, at work; ``used_ids`` as an earlier process left them."""

    features: Mapping[str, object] = field(default_factory=dict)
    used_ids: Mapping[str, str] = field(default_factory=dict)
    trading: bool = True
    tick: str = "0.25"
    lot: str = "1"
    best: tuple[int | None, int | None] = (None, None)

    def __post_init__(self) -> None:
        lines = Lines()
        lines.attach(ALIAS)
        instrument = Instrument(ALIAS, self.tick, self.lot, features=self.features)  # type: ignore[arg-type]
        self.desk = OrderDesk(
            instrument, lines, trading=self.trading, used_ids=self.used_ids, best_prices=lambda: self.best
        )
        self.now = Moment(START_NS, 0)
        self.lines: list[Line] = []
        self.journal: list[dict[str, Any]] = []
        self.account: list[messages.AccountMessage] = []
        self.state = AccountState()

    # -- what happens ---------------------------------------------------------------------------------------------

    def follow(self, result: Result) -> Result:
        """Carry out a result, as the shell does."""
        self.journal += result.journal
        self.lines += map(take_apart, result.lines)
        self.account += result.account
        for message in result.account:
            self.state.take(message)
        return result

    def ask(self, command: Any, owner: str = "kernel") -> messages.Message:
        """Send a command and return its one answer or error."""
        result = self.follow(self.desk.command(command, owner, self.now))
        told = [*result.answers, *([result.error] if result.error else [])]
        assert len(told) == 1, told
        assert getattr(told[0], "request_id", None) == command.request_id
        return told[0]

    def open(self, **bounds: Any) -> Floor:
        """Open both locks."""
        self.permit()
        answer = self.arm(**bounds)
        assert isinstance(answer, messages.Trading)
        assert answer.armed
        return self

    def permit(self, on: bool = True) -> Result:
        """The user ticks the box in Bookmap."""
        return self.follow(self.desk.permit(on, self.now))

    def arm(self, owner: str = "kernel", **bounds: Any) -> messages.Message:
        """A client arms."""
        given = {"minutes": 30.0, "max_orders": 20, "max_size": 10.0, "request_id": "arm"} | bounds
        return self.ask(messages.Arm(**given), owner)

    def place(self, **given: Any) -> messages.Message:
        """A client places an order: to buy 2 at 4500.00 as ``a-1`` unless told."""
        return self.ask(messages.PlaceOrder(**({"symbol": ALIAS, "request_id": 1} | SENT | given)))

    def cancel(self, name: str = "a-1") -> messages.Message:
        """A client cancels an order."""
        return self.ask(messages.CancelOrder(client_order_id=name, request_id=2))

    def replace(self, name: str = "a-1", **given: Any) -> messages.Message:
        """A client changes an order."""
        return self.ask(messages.ReplaceOrder(client_order_id=name, request_id=3, **given))

    def update(self, *given: str, **changed: Any) -> Result:
        """Bookmap reports an order."""
        return self.follow(self.desk.report(wire.OrderUpdate(update(*given, **changed)), self.now))

    def execution(
        self, execution_id: str = "e-1", order_id: str = "7", size: int = 1, **changed: Any
    ) -> Result:
        """Bookmap reports an execution."""
        plain = {
            "orderId": order_id,
            "executionId": execution_id,
            "size": size,
            "price": 4500.0,
            "time": 1_767_225_600_200,
            "isSimulated": True,
        }
        return self.follow(self.desk.report(wire.Execution(ALIAS, plain | changed), self.now))

    def position(self, lots: int, **changed: Any) -> Result:
        """Bookmap reports the position."""
        plain = {"instrumentAlias": ALIAS, "position": lots, "averagePrice": 4500.0, "isDuplicate": False}
        return self.follow(self.desk.report(wire.PositionUpdate(plain | changed), self.now))

    def wait(self, seconds: float) -> Result:
        """Time passes, on both clocks."""
        ns = int(seconds * SECOND_NS)
        self.now = Moment(self.now.wall + ns, self.now.mono + ns)
        return self.follow(self.desk.on_time(self.now))

    # -- what is there --------------------------------------------------------------------------------------------

    def sent(self, *types: int) -> list[Line]:
        """Lines of these types, or all."""
        return [line for line in self.lines if not types or line.type in types]

    def order(self, name: str = "a-1") -> messages.Order:
        """Newest state of an order, as everyone was told."""
        return next(o for o in self.state.orders() if (o.client_order_id or f"#{o.order_id}") == name)

    @property
    def told(self) -> messages.Trading:
        """Newest state of the locks, as everyone was told."""
        return [m for m in self.account if isinstance(m, messages.Trading)][-1]

    @property
    def fills(self) -> list[messages.Fill]:
        """All fills, as everyone was told."""
        return [m for m in self.account if isinstance(m, messages.Fill)]

    def restart(self) -> Floor:
        """Return the same instrument under a new process, which read the journal of this one."""
        return Floor(
            self.features, ids_sent(self.journal) | dict(self.used_ids), tick=self.tick, lot=self.lot
        )


def error_code(answer: messages.Message) -> str:
    """Code of an error; an answer that is none fails the test."""
    assert isinstance(answer, messages.Error), answer
    return answer.code


def refusal(answer: messages.Message) -> str:
    """Code word of a refused order."""
    assert isinstance(answer, messages.Order), answer
    assert answer.status == "REJECTED"
    assert answer.leaves == 0
    return answer.reason.split(":")[0]
