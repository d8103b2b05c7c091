"""One bridge inside Bookmap, seen from the engine: its connection, and what it says of itself."""

from __future__ import annotations

import contextlib
from typing import Any, Final, Protocol

import msgspec

from workbench.errors import FeedError, WorkbenchError
from workbench.events import EventBatch, Instrument
from workbench.feeds.client import CONNECTED, READY, Delivery, FeedClient
from workbench.feeds.discovery import Endpoint
from workbench.feeds.requests import Answer
from workbench.feeds.target import Target
from workbench.protocol import messages
from workbench.protocol.notices import MarketData, Received, Snapshot

EVERYTHING: Final = ("FULL_ORDER_BOOK", "TRADES", "MBO", "ACCOUNT")
TRADING_SUFFIX: Final = "(trading)"
MAX_REMEMBERED: Final = 20_000

_Happening = messages.Fill | messages.Broadcast | messages.Drawn


class LinkOwner(Protocol):
    """Who uses a link. Everything is called in the link's reader thread."""

    def take_rows(self, link: BridgeLink, symbol: str, batch: EventBatch) -> None:
        """Rows of an instrument that the link is subscribed to."""
        ...

    def take_account(self, link: BridgeLink, message: messages.AccountMessage) -> None:
        """A message of the account, each happening once."""
        ...

    def instruments_told(self, link: BridgeLink) -> None:
        """:attr:`BridgeLink.instruments` may have changed."""
        ...

    def state_changed(self, link: BridgeLink) -> None:
        """:attr:`BridgeLink.state` has changed."""
        ...


class BridgeLink:
    """Connection to one bridge; :meth:`start` returns at once.

    Parameters
    ----------
    endpoint : Endpoint
    owner : LinkOwner

    Attributes
    ----------
    instruments : dict of str to Instrument, or None
        As the bridge told last; None before.
    report : dict
        What the bridge said of itself last.
    """

    def __init__(self, endpoint: Endpoint, owner: LinkOwner):
        self.endpoint = endpoint
        self.instruments: dict[str, Instrument] | None = None
        self.report: dict[str, Any] = {}
        self.problem = ""
        self._owner = owner
        self._happened: dict[int, None] = {}
        self._asked: Answer | None = None
        self._client = FeedClient(Target.of(endpoint), self._take, "engine", on_state=self._on_state)

    def __repr__(self) -> str:
        return f"BridgeLink({self.endpoint.uri}, {self.state})"

    def start(self) -> None:
        """Begin to connect."""
        self._client.start()

    @property
    def state(self) -> str:
        """``ready``, ``stale`` when nothing was heard for 1.5 s, or why there is no connection."""
        return self._client.state

    @property
    def is_connected(self) -> bool:
        """Whether commands can be sent."""
        return self.state in CONNECTED

    @property
    def is_gone(self) -> bool:
        """Whether it cannot come back: its process has ended, or it is not who its file says."""
        return self._client.error is not None or (self.state != READY and not self.endpoint.running)

    @property
    def rank(self) -> tuple[bool, int, str]:
        """Smallest first: of bridges that serve the same instrument one that can trade, else the oldest, is used."""
        return not self.trades, self.endpoint.started_ns, self.endpoint.identity

    @property
    def trades(self) -> bool:
        """Whether it was built with the permission to trade."""
        return self.endpoint.source.endswith(TRADING_SUFFIX)

    def follow(self, endpoint: Endpoint) -> None:
        """Take in that the discovery file was written anew."""
        changed = endpoint.symbols != self.endpoint.symbols
        self.endpoint = endpoint
        if changed:
            self._ask_instruments()

    def subscribe(self, symbol: str) -> None:
        """Ask for everything of an instrument."""
        with contextlib.suppress(FeedError):  # it is being closed
            self._client.subscribe(symbol, EVERYTHING)

    def unsubscribe(self, symbol: str) -> None:
        """Ask for nothing of an instrument any more."""
        with contextlib.suppress(FeedError):
            self._client.unsubscribe(symbol)

    def resync(self, symbol: str, reason: str) -> None:
        """Ask for the book of an instrument anew."""
        with contextlib.suppress(FeedError):
            self._client.resync(symbol, reason)

    def ask(self, command: messages.Command) -> Answer:
        """Send a command, as :meth:`workbench.feeds.client.FeedClient.ask` does."""
        return self._client.ask(command)

    def ask_health(self) -> None:
        """Let the bridge tell how it is, unless it was asked and has not answered yet."""
        if self.is_connected and (self._asked is None or self._asked.done()):
            with contextlib.suppress(FeedError):
                self._asked = self._client.ask(messages.HealthQuery())
                self._asked.add_done_callback(self._take_answer)

    def close(self) -> None:
        """Leave the bridge; never from its reader thread."""
        self._client.close()

    def describe(self) -> dict[str, Any]:
        """Facts for ``HEALTH``: of this connection, and of the bridge as it said itself; free of secrets."""
        health = self._client.health
        return self.report | {
            "uri": self.endpoint.uri,
            "pid": self.endpoint.pid,
            "symbols": sorted(self.instruments or self.endpoint.symbols),
            "trading_script": self.trades,
            "link": health.state,
            "reason": self.problem or ("" if health.state == READY else health.reason),
            "bad_messages": health.bad_messages,
            "lag_ms": health.lag_ms,
        }

    # -- reader thread ---------------------------------------------------------------------------------------------

    def _on_state(self, state: str, reason: str) -> None:
        if state == READY:
            self._ask_instruments()
        self._owner.state_changed(self)

    def _ask_instruments(self) -> None:
        with contextlib.suppress(FeedError):  # not connected: asked as soon as it is
            self._client.ask(messages.ListInstruments()).add_done_callback(self._take_answer)

    def _take_answer(self, answer: Answer) -> None:
        if not answer.cancelled() and answer.exception() is None:
            self._take_message(answer.result())

    def _take(self, delivery: Delivery) -> None:
        match delivery:
            case MarketData() | Snapshot():
                self._owner.take_rows(self, delivery.symbol, delivery.batch)
            case Received():
                self._take_message(delivery.message)

    def _take_message(self, message: messages.Message) -> None:
        match message:
            case messages.Instruments():
                self._take_instruments(message)
            case messages.Health():
                self.report = dict(message.sources[0]) if message.sources else {}
            case _ if isinstance(message, messages.AccountMessage):
                self._take_account(message)

    def _take_instruments(self, told: messages.Instruments) -> None:
        try:
            instruments = [Instrument.from_dict(plain) for plain in told.instruments]
        except (WorkbenchError, KeyError, TypeError, AttributeError, ValueError) as problem:
            self.problem = f"instruments that cannot be read: {problem}"
            return
        self.instruments = {instrument.symbol: instrument for instrument in instruments}
        self._owner.instruments_told(self)

    def _take_account(self, message: messages.AccountMessage) -> None:
        if isinstance(message, _Happening):
            if self._is_new(message):
                self._owner.take_account(self, message)
        else:
            self._owner.take_account(self, _without_number(message))

    def _is_new(self, message: _Happening) -> bool:
        """Whether it was not told yet: with every new subscription a bridge tells again all it keeps."""
        fingerprint = hash(msgspec.json.encode(message))
        if fingerprint in self._happened:
            return False
        self._happened[fingerprint] = None
        if len(self._happened) > MAX_REMEMBERED:
            del self._happened[next(iter(self._happened))]
        return True


def _without_number(message: messages.AccountMessage) -> messages.AccountMessage:
    """An answer as the news that it is: its number means something else to everybody else."""
    if getattr(message, "request_id", None) is None:
        return message
    return msgspec.structs.replace(message, request_id=None)
