"""One script of commands, on every path: the frames of its orders and fills are the same, byte for byte.

Live: a simulation through the engine, over the socket, recorded. Then the recording, replayed over the socket at 1×, 50×
and as fast as it goes. Then the backtest of the recording, with a strategy that sends the same commands.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

import workbench as wb
from tests.support.collecting import Collected
from tests.support.eventually import eventually
from tests.support.running_engine import RunningEngine, health, record
from workbench.feeds.replay import Replay
from workbench.feeds.simulator.source import Simulator
from workbench.feeds.source import Source
from workbench.frames.recording import Recording, open_recording
from workbench.protocol import messages
from workbench.trading.limits import Limits
from workbench.trading.paper_terms import PaperTerms

MS = 1_000_000
SPAN_MS = 3_000
SYMBOL = "ES-SIM"
UNBOUND = Limits(**dict.fromkeys(Limits.__struct_fields__))  # a backtest has no bounds
Command = messages.PlaceOrder | messages.CancelOrder | messages.ReplaceOrder
Script = list[tuple[int, Command]]
"""Commands with the milliseconds after the first row at which they are sent."""


class Case(NamedTuple):
    """How a script is traded."""

    seed: int
    queue: str
    entry_ns: int
    response_ns: int

    @property
    def terms(self) -> PaperTerms:
        """The paper account of it."""
        return PaperTerms(
            queue=self.queue, entry_ns=self.entry_ns, response_ns=self.response_ns, limits=UNBOUND
        )


CASES = [
    Case(7, "risk_averse", 0, 0),
    Case(11, "power2", 3 * MS, MS),
    Case(5, "pro_rata", 20 * MS, 5 * MS),
    Case(13, "trade_through", 250_000, 40 * MS),
]


def beginning(seed: int) -> tuple[int, int, int]:
    """Time of the first row, best bid and best ask in ticks."""
    with wb.simulate(seed=seed, inline=True) as session:
        book = session.capture().book
        assert book.best_bid is not None and book.best_ask is not None
        return int(session.capture().columns.view()[0][0]), book.best_bid, book.best_ask


def plain_script(seed: int) -> Script:
    """Limit, market, IOC, FOK, post-only, stop and trailing orders near the market, changed and taken back."""
    chance, script = random.Random(seed), []
    _, bid, ask = beginning(seed)
    for number in range(16):
        at, name, side = chance.randrange(100, SPAN_MS - 900), f"o{number}", chance.choice([1, -1])
        tif = chance.choice(
            ["GTC", "GTC", "GTC", "IOC", "FOK", "POST_ONLY", "MARKET", "STOP", "TRAILING_STOP"]
        )
        ticks = bid - chance.randrange(0, 4) if side > 0 else ask + chance.randrange(0, 4)
        ticks += side * 3 if tif in ("IOC", "FOK") else 0
        size = float(chance.randrange(1, 40))
        script.append((at, placed(name, side, size, tif, ticks)))
        later = at + chance.randrange(100, 700)
        change = chance.choice(["cancel", "size", "price", "nothing", "nothing"])
        if change == "cancel":
            script.append((later, messages.CancelOrder(client_order_id=name, symbol=SYMBOL)))
        elif change != "nothing" and tif == "GTC":
            wanted = {"quantity": max(size - 1, 1.0)} if change == "size" else {"price": (ticks - side) / 4}
            script.append((later, messages.ReplaceOrder(client_order_id=name, symbol=SYMBOL, **wanted)))
        script.append((SPAN_MS - 100, messages.CancelOrder(client_order_id=name, symbol=SYMBOL)))
    return sorted(script, key=lambda entry: entry[0])


def placed(name: str, side: int, size: float, tif: str, ticks: int) -> messages.PlaceOrder:
    """An order by its kind; a stop waits six ticks behind the price that a limit order would have."""
    if tif in ("STOP", "TRAILING_STOP"):
        return messages.PlaceOrder(
            symbol=SYMBOL,
            side="BUY" if side > 0 else "SELL",
            order_type=tif,  # type: ignore[arg-type]
            quantity=size,
            stop_price=(ticks + 6 * side) / 4,
            trailing=0.5 if tif == "TRAILING_STOP" else None,
            client_order_id=name,
        )
    return messages.PlaceOrder(
        symbol=SYMBOL,
        side="BUY" if side > 0 else "SELL",
        order_type="MARKET" if tif == "MARKET" else "LIMIT",
        quantity=size,
        price=None if tif == "MARKET" else ticks / 4,
        time_in_force=tif if tif in ("IOC", "FOK") else "GTC",
        post_only=tif == "POST_ONLY",
        client_order_id=name,
    )


def waiting_script(seed: int) -> Script:
    """Stops, trailing stops, groups and brackets, which live paths alone know, and orders that risk refuses."""
    _, bid, ask = beginning(seed)
    entry = placed("in", 1, 2.0, "MARKET", ask)
    exits = {"symbol": SYMBOL, "side": "SELL", "quantity": 2.0, "reduce_only": True, "oco": "exit"}
    script: Script = [
        (100, msgspec.structs.replace(entry, stop_loss=0.5, take_profit=0.25)),
        (150, msgspec.structs.replace(entry, client_order_id="b", quantity=4.0, stop_loss=0.5, trailing=0.5)),
        (900, placed("c", 1, 2.0, "MARKET", ask)),
        (950, messages.PlaceOrder(order_type="LIMIT", price=(ask + 2) / 4, client_order_id="tp", **exits)),
        (960, messages.PlaceOrder(
            order_type="TRAILING_STOP", stop_price=(bid - 2) / 4, trailing=0.25, client_order_id="ts", **exits
        )),
        (1250, placed("far", 1, 1.0, "GTC", bid - 400)),
        (1260, messages.PlaceOrder(
            symbol=SYMBOL, side="BUY", order_type="STOP", stop_price=(ask + 2) / 4, quantity=1.0, client_order_id="st"
        )),
    ]  # fmt: skip
    burst = [(2300, placed(f"n{i}", -1, 1.0, "GTC", ask + 20 + i)) for i in range(8)]
    return [*script, *burst]


def traded(source: Source, speed: float, terms: PaperTerms, script: Script, first: int, out: Path) -> bytes:
    """Frames of orders and fills as a client got them over the socket; what happened is recorded."""
    got = Collected()
    with RunningEngine(source, speed=speed, paper=terms) as engine, engine.client(got) as client:
        for after, command in script:
            timed = msgspec.structs.replace(command, at=first + after * MS)
            assert isinstance(client.request(timed), messages.Done)
        record(client, out, history=True)
        client.subscribe(SYMBOL, ("FULL_ORDER_BOOK", "TRADES", "ACCOUNT"))  # time begins
        eventually(lambda: (health(client).position or 0) >= first + SPAN_MS * MS)
        client.request(messages.StopRecording())
        told = [m for m in got.messages() if isinstance(m, messages.Order | messages.Fill)]
    return b"\n".join(msgspec.json.encode(message, order="deterministic") for message in told)


def recorded(folder: Path) -> Recording:
    (path,) = folder.iterdir()
    return open_recording(path)


class SameCommands:
    """A strategy that sends a script's commands at their times."""

    def __init__(self, script: Script, first: int):
        self._due = [(first + after * MS, command) for after, command in script]
        self.names: list[str] = []

    def on_timer(self, desk: Any) -> None:
        while self._due and self._due[0][0] <= desk.now:
            at, command = self._due.pop(0)
            assert at == desk.now
            self._send(desk, command)

    def _send(self, desk: Any, command: Command) -> None:
        if isinstance(command, messages.PlaceOrder):
            send = desk.buy if command.side == "BUY" else desk.sell
            tif = "POST_ONLY" if command.post_only else command.time_in_force
            waits = {"stop": command.stop_price, "trailing": command.trailing}
            assert send(command.quantity, command.price, tif, **waits) == len(self.names)
            self.names.append(command.client_order_id)
        elif isinstance(command, messages.CancelOrder):
            desk.cancel(self.names.index(command.client_order_id))
        else:
            number = self.names.index(command.client_order_id)
            desk.modify(number, limit=command.price, size=command.quantity)


def of_backtest(recording: Recording, case: Case, script: Script, first: int) -> bytes:
    """How each order ended, and each fill when it was known, as the backtest has it."""
    strategy = SameCommands(script, first)
    latency = (case.entry_ns, case.response_ns)
    result = wb.backtest(strategy, recording, queue=case.queue, latency=latency, every="1ms")
    ends = result.orders.select("price", "size", "status", "filled", closed=result.orders["closed"].cast(int))
    fills = result.fills.select(
        "order", "side", "price", "size", "maker", ts=result.fills["ts_known"].cast(int)
    )
    orders = {name: list(row) for name, row in zip(strategy.names, ends.rows(), strict=True)}
    return msgspec.json.encode([orders, [[strategy.names[row[0]], *row[1:]] for row in fills.rows()]])


def orders_of(told: bytes) -> list[messages.Order]:
    """Every state of every order."""
    found = (msgspec.json.decode(line, type=messages.Order | messages.Fill) for line in told.splitlines())
    return [message for message in found if isinstance(message, messages.Order)]


def of_frames(told: bytes) -> bytes:
    """The same of the frames that a client got."""
    orders: dict[str, list[Any]] = {}
    fills: list[list[Any]] = []
    for line in told.splitlines():
        message = msgspec.json.decode(line, type=messages.Order | messages.Fill)
        name = message.client_order_id
        if isinstance(message, messages.Fill):
            side, maker = (1 if message.side == "BUY" else -1), message.liquidity == "MAKER"
            fills.append([name, side, message.price, message.size, maker, message.ts])
        elif message.status != "REJECTED":
            orders[name] = [message.price, message.quantity, message.status, message.filled, message.ts]
    return msgspec.json.encode([orders, fills])


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.seed}-{case.queue}")
def test_live_replay_and_backtest_fill_the_same(case: Case, tmp_path: Path) -> None:
    """Of one script, whatever the queue model and the latencies: over the socket at three speeds, and in the backtest."""
    first, script = beginning(case.seed)[0], plain_script(case.seed)
    live = traded(Simulator(seed=case.seed), 10, case.terms, script, first, tmp_path / "live")
    recording = recorded(tmp_path / "live")
    for speed in (50, float("inf")):
        again = traded(Replay(recording), speed, case.terms, script, first, tmp_path / f"{speed}")
        assert again == live
    assert live.count(b'"FILL"') >= 3
    refused = {order.client_order_id for order in orders_of(live) if order.status == "REJECTED"}
    sent = [(at, command) for at, command in script if command.client_order_id not in refused]
    reasons = {order.reason.partition(":")[0] for order in orders_of(live) if order.status == "REJECTED"}
    assert reasons <= {"SELF_CROSS", "STOP_ON_WRONG_SIDE"}
    assert of_frames(live) == of_backtest(recording, case, sent, first)  # which refuses nothing


def test_what_waits_fills_the_same_at_its_own_pace(tmp_path: Path) -> None:
    """Stops, groups, brackets and refusals: live, at 1×, at 50× and without a limit."""
    first, script = beginning(7)[0], waiting_script(7)
    terms = PaperTerms(entry_ns=2 * MS, response_ns=MS)
    live = traded(Simulator(seed=7), 10, terms, script, first, tmp_path / "live")
    recording = recorded(tmp_path / "live")
    for speed in (1, 50, float("inf")):
        assert traded(Replay(recording), speed, terms, script, first, tmp_path / f"{speed}") == live
    words = (b"TRAILING_STOP", b"PRICE_BAND", b"RATE_LIMIT_EXCEEDED", b"OCO", b".sl")
    assert [word for word in words if word not in live] == []
