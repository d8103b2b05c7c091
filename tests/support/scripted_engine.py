"""An engine with a platform behind it, worked by hand: the real feed server, and answers that a test can replace."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

import msgspec

from tests.support.loop_thread import LoopThread
from tests.support.synthetic import SyntheticSource
from workbench.events import EventBatch, Instrument
from workbench.feeds import discovery
from workbench.feeds.addresses import Listening
from workbench.feeds.market import Market
from workbench.feeds.processes import process_start
from workbench.feeds.server import Access, Client, FeedServer
from workbench.feeds.target import Target
from workbench.protocol import messages
from workbench.session import Session
from workbench.session.remote import EngineLine

SECRET = "canary-Zx8mLq4vN2wR7tYb5uHc1eJk9sDf3gPa0oIiQrT6"
Answer = Callable[[messages.Command], messages.Message | None]
_T = TypeVar("_T")


class ScriptedEngine(LoopThread):
    """Serves one synthetic market and takes every command. A context manager.

    Attributes
    ----------
    heard : list of commands
        What sessions asked for, in order; health and facts left out.
    answers : dict
        Kind of command to what it is answered with; None as an answer is silence. :meth:`done` where none is set.
    armed : bool
        Whether orders are taken.
    """

    def __init__(self, *, live: bool = True):
        super().__init__("scripted-engine")
        self.source = SyntheticSource()
        self.markets: dict[str, Market] = {}
        self.heard: list[messages.Command] = []
        self.armed = False
        self.rows = 0
        self.answers: dict[type, Answer] = {
            messages.PlaceOrder: self.accept,
            messages.CancelOrder: self.cancel,
            messages.Arm: self.arm,
            messages.Disarm: self.disarm,
        }
        self._live = live
        self._streams = {}
        self._add(self.source.instruments[0])
        self.server = FeedServer(
            self._streams, Access(SECRET, armed=True), Listening(), self._take, name="scripted"
        )

    def session(self) -> Session:
        """Open a session on it."""
        return Session(EngineLine(Target(self.server.uri, SECRET, self.server.uri), "connect scripted"))

    def announce(self) -> discovery.Endpoint:
        """Write a discovery file, so that :func:`workbench.connect` finds it."""
        return discovery.publish(
            discovery.Endpoint(
                identity=discovery.new_identity(),
                uri=self.server.uri,
                secret=SECRET,
                pid=os.getpid(),
                process_start=process_start(os.getpid()) or "",
                source="scripted",
                key="scripted",
                symbols=tuple(self.markets),
                started_ns=0,
            )
        )

    def publish(self, rows: int) -> None:
        """Publish the next rows of the market."""
        self.rows += rows
        until_ns = self.source.start_ns + self.rows * self.source.step_ns
        self.call(lambda: [self.hand_on(symbol, batch) for symbol, batch in self.source.advance(until_ns)])

    def tell(self, message: messages.AccountMessage) -> None:
        """Tell every session something of its account."""
        self.call(lambda: self.server.tell(message))

    def say(self, message: messages.Message) -> None:
        """Send something to every session, news or not."""
        self.call(lambda: [client.send(message) for client in self.server.clients])

    def appear(self, instrument: Instrument, batch: EventBatch) -> None:
        """An instrument appears, with these events."""
        self.call(lambda: self.appear_quietly(instrument, batch))
        self.say(self.listed())

    def appear_quietly(self, instrument: Instrument, batch: EventBatch) -> None:
        """The same without telling anybody, in the server's own thread."""
        self._add(instrument)
        self.hand_on(instrument.symbol, batch)

    def listed(self) -> messages.Instruments:
        """What there is."""
        return messages.Instruments(instruments=[m.instrument.to_dict() for m in self.markets.values()])

    def drop(self) -> None:
        """Cut every connection."""
        self.call(lambda: [client.abort() for client in self.server.clients])

    def of_type(self, kind: type[_T]) -> list[_T]:
        """Commands of one kind."""
        return [command for command in list(self.heard) if isinstance(command, kind)]

    # -- answers ---------------------------------------------------------------------------------------------------

    def accept(self, command: messages.Command) -> messages.Message:
        """An order works, as the platform says; the answer comes before everyone is told."""
        assert isinstance(command, messages.PlaceOrder)
        if not self.armed:
            return messages.Error(code="not_armed", message="not_armed: paper only; arm() first")
        return order(
            command.client_order_id, side=command.side, quantity=command.quantity, price=command.price
        )

    def cancel(self, command: messages.Command) -> messages.Message:
        """An order is gone."""
        assert isinstance(command, messages.CancelOrder)
        return order(command.client_order_id, status="CANCELED", leaves=0.0)

    def arm(self, command: messages.Command) -> messages.Message:
        """The notebook's lock opens; the platform's is open."""
        assert isinstance(command, messages.Arm)
        self.armed = True
        bounds = {"orders_left": command.max_orders, "max_size": command.max_size}
        return trading(possible=True, permitted=True, armed=True, **bounds)

    def disarm(self, command: messages.Command) -> messages.Message:
        """The notebook's lock closes."""
        self.armed = False
        self.server.tell(trading(possible=True, permitted=True, reason="disarmed"))
        return messages.Done()

    def facts(self) -> messages.Engine:
        """What an engine says of itself."""
        source = {"name": "scripted", "live": self._live, "start": self.source.start_ns, "end": None}
        first = dict.fromkeys(self.markets, 0)
        return messages.Engine(
            name="scripted",
            pid=1,
            version="0",
            started=0,
            endpoint=self.server.uri,
            sources=[source | {"first": first}],
        )

    def _add(self, instrument: Instrument) -> None:
        market = Market(instrument, len(self.markets) + 1)
        self.markets[instrument.symbol] = market
        self._streams[instrument.symbol] = market.stream

    def hand_on(self, symbol: str, batch: EventBatch) -> None:
        """Publish events of an instrument, in the server's own thread."""
        self.markets[symbol].publish(batch, time.time_ns())
        self.server.wake()

    def _take(self, client: Client, command: messages.Command) -> None:
        match command:
            case messages.EngineQuery():
                answer: messages.Message | None = self.facts()
            case messages.HealthQuery():
                answer = messages.Health(ts=0)
            case _:
                self.heard.append(command)
                answer = self.answers.get(type(command), lambda _: messages.Done())(command)
        if answer is not None:
            client.send(msgspec.structs.replace(answer, request_id=command.request_id))


def order(name: str, **facts: object) -> messages.Order:
    """A working order to buy 2 at 99.75, or what ``facts`` make of it."""
    usual: dict[str, object] = {
        "symbol": "SYN",
        "client_order_id": name,
        "status": "NEW",
        "side": "BUY",
        "order_type": "LIMIT",
        "quantity": 2.0,
        "filled": 0.0,
        "price": 99.75,
        "ts": 1_700_000_000_000_000_000,
    }
    told = usual | facts
    told.setdefault("leaves", told["quantity"])
    return messages.Order(**told)  # type: ignore[arg-type]


def fill(name: str, execution_id: str, size: float = 1.0, **facts: object) -> messages.Fill:
    """An execution of an order to buy, at 99.75."""
    usual = {"symbol": "SYN", "side": "BUY", "price": 99.75, "ts": 1_700_000_000_000_000_001}
    return messages.Fill(client_order_id=name, execution_id=execution_id, size=size, **(usual | facts))  # type: ignore[arg-type]


def trading(**facts: object) -> messages.Trading:
    """State of both locks."""
    return messages.Trading(symbol="SYN", ts=0, **facts)  # type: ignore[arg-type]
