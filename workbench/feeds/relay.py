"""Orders and drawings on their way from an engine's clients to the platform, and its answers back.

The platform decides: whether orders are allowed, what becomes of them, what an order sent twice means. This end keeps
three rules of its own. Only the client that armed an instrument sends orders for it, and what it armed is disarmed when it
goes. Nothing is kept for a platform that is away. Where no answer came the outcome is unknown, and said to be.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from workbench.errors import EngineError, FeedError, WorkbenchError
from workbench.feeds.requests import Answer
from workbench.protocol import messages
from workbench.protocol.account import AccountState

if TYPE_CHECKING:
    from workbench.feeds.server import Client
    from workbench.feeds.source import Platform

ANSWER_S: Final = 3.0
"""Longer than the two seconds in which a bridge itself calls an order unknown."""
DISARM_S: Final = 1.0
UNKNOWN_OUTCOME: Final = "unknown_outcome"
ENDED: Final = ("FILLED", "CANCELED", "REJECTED", "EXPIRED")

Note = tuple[str, Literal["orders", "annotations"], int, str, dict[str, Any]]
RelayedCommand = messages.OrderCommand | messages.PlatformCommand
TO_ALL: Final = (messages.CancelAll, messages.Disarm)
"""Commands that mean every instrument when they name none."""

_log = logging.getLogger("workbench.feeds.relay")


class Relay:
    """Carries commands of clients to a platform. Everything is called in the engine's event loop.

    Parameters
    ----------
    platform : Platform
    symbols : callable
        ``symbols()``: the instruments there are.
    account : AccountState
        What is known of orders.
    tell : callable
        Takes account messages that this end has to say itself: which orders are unknown.
    is_here : callable
        ``is_here(client)``: whether it is still connected.
    """

    def __init__(
        self,
        platform: Platform,
        symbols: Callable[[], Sequence[str]],
        account: AccountState,
        tell: Callable[[messages.AccountMessage], object],
        is_here: Callable[[Client], bool],
    ):
        self._platform, self._symbols, self._account = platform, symbols, account
        self._tell, self._is_here = tell, is_here
        self._armed_by: dict[str, Client] = {}

    async def carry_out(self, client: Client, command: RelayedCommand) -> messages.Message:
        """Send a command on and return its answer.

        Raises
        ------
        WorkbenchError
            As the platform answered; ``disconnected``: nothing was sent; ``unknown_outcome``: nobody knows whether it was
            carried out, and it is not sent again.
        """
        if getattr(command, "at", None) is not None:
            raise EngineError("not_supported: at is kept by the paper desk alone", code="not_supported")
        # all are sent before the first answer is waited for: of two commands the first one leaves first
        sent = {symbol: self._send(client, command, symbol) for symbol in self._addressed(command)}
        replies = {symbol: await self._reply(command, symbol, outcome) for symbol, outcome in sent.items()}
        if isinstance(command, messages.Arm):
            self._note_armed(client, replies)
        return msgspec.structs.replace(self._joined(replies), request_id=command.request_id)

    def heard(self, message: messages.AccountMessage) -> None:
        """Take notice of an account message: what is not armed was armed by nobody."""
        if isinstance(message, messages.Trading) and not message.armed:
            self._armed_by.pop(message.symbol, None)

    def left(self, client: Client) -> None:
        """Disarm what a client that has gone had armed."""
        for symbol in [symbol for symbol, owner in self._armed_by.items() if owner is client]:
            self._disarm(symbol, "the session that armed has gone")

    async def stop(self) -> None:
        """Disarm everything, and wait a moment until that is sure."""
        answers = [self._disarm(symbol, "the engine ends") for symbol in list(self._armed_by)]
        waiting = [asyncio.wrap_future(answer) for answer in answers if answer is not None]
        if waiting:
            await asyncio.wait(waiting, timeout=DISARM_S)

    # -- there -----------------------------------------------------------------------------------------------------

    def _addressed(self, command: RelayedCommand) -> list[str]:
        """Instruments that a command is for."""
        if command.symbol:
            return [command.symbol]
        symbols = list(self._symbols())
        if isinstance(command, messages.CancelOrder | messages.ReplaceOrder):
            order = self._order("", command.client_order_id)
            symbols = symbols if order is None else [order.symbol]
        elif isinstance(command, messages.Listen):
            symbols = symbols[:1]
        if not symbols or (len(symbols) > 1 and not isinstance(command, TO_ALL)):
            raise EngineError(
                f"{command.__struct_config__.tag} names no instrument",
                expected=f"symbol: one of {symbols}",
                code="bad_value",
            )
        return symbols

    def _send(self, client: Client, command: RelayedCommand, symbol: str) -> Answer | WorkbenchError:
        owner = self._armed_by.get(symbol, client)
        if isinstance(command, messages.PlaceOrder | messages.ReplaceOrder) and owner is not client:
            return EngineError(
                f"another session armed {symbol!r}", action="Arm it from this one", code="not_armed"
            )
        try:
            return self._platform.ask(symbol, msgspec.structs.replace(command, symbol=symbol))
        except WorkbenchError as problem:
            return problem

    def _disarm(self, symbol: str, reason: str) -> Answer | None:
        self._armed_by.pop(symbol, None)
        try:
            return self._platform.ask(symbol, messages.Disarm(symbol=symbol, reason=reason))
        except FeedError as problem:
            _log.info("%s is not told to disarm: %s", symbol, problem)  # it does when the link is lost
            return None

    # -- and back --------------------------------------------------------------------------------------------------

    async def _reply(
        self, command: RelayedCommand, symbol: str, sent: Answer | WorkbenchError
    ) -> messages.Message | WorkbenchError:
        if isinstance(sent, WorkbenchError):
            return sent
        try:
            reply = await asyncio.wait_for(asyncio.wrap_future(sent), ANSWER_S)
        except TimeoutError:
            return self._unknown(command, symbol, f"no answer within {ANSWER_S:g} s")
        except FeedError as problem:
            if problem.code == "lost":
                return self._unknown(command, symbol, str(problem))
            return FeedError(str(problem), action="Nothing was sent", code="disconnected")
        if isinstance(reply, messages.Error):
            return EngineError(reply.message, code=reply.code)
        return reply

    def _unknown(self, command: RelayedCommand, symbol: str, reason: str) -> WorkbenchError:
        client_order_id = getattr(command, "client_order_id", "")
        if client_order_id:
            self._mark_unknown(command, symbol, client_order_id, reason)
        return EngineError(
            f"{command.__struct_config__.tag} for {symbol!r}: {reason}; whether it was carried out is not known",
            action="It is not sent again by itself. The same client_order_id never makes a second order",
            code=UNKNOWN_OUTCOME,
        )

    def _mark_unknown(self, command: RelayedCommand, symbol: str, client_order_id: str, reason: str) -> None:
        order = self._order(symbol, client_order_id)
        if order is None and isinstance(command, messages.PlaceOrder):
            order = _sent(command)
        if order is not None and order.status not in ENDED:
            now = max(time.time_ns(), order.ts)
            self._tell(msgspec.structs.replace(order, unknown=True, reason=reason, ts=now))

    def _order(self, symbol: str, client_order_id: str) -> messages.Order | None:
        named = (o for o in self._account.orders() if o.client_order_id == client_order_id)
        return next((order for order in named if symbol in ("", order.symbol)), None)

    def _note_armed(self, client: Client, replies: Mapping[str, messages.Message | WorkbenchError]) -> None:
        for symbol, reply in replies.items():
            if isinstance(reply, messages.Trading) and reply.armed:
                self._armed_by[symbol] = client
                if not self._is_here(client):
                    self._disarm(symbol, "the session that armed has gone")
            elif isinstance(reply, WorkbenchError) and reply.code == UNKNOWN_OUTCOME:
                self._disarm(
                    symbol, "nobody knows whether it was armed"
                )  # nor who would disarm it when he goes

    def _joined(self, replies: Mapping[str, messages.Message | WorkbenchError]) -> messages.Message:
        """One answer of those of several instruments, or all their refusals as one."""
        problems = {s: reply for s, reply in replies.items() if isinstance(reply, WorkbenchError)}
        answers = [reply for reply in replies.values() if not isinstance(reply, WorkbenchError)]
        serious = {s: p for s, p in problems.items() if not answers or self._matters(s, p)}
        if not serious:
            return answers[0]
        if len(serious) == 1:
            raise next(iter(serious.values()))
        texts = "; ".join(f"{symbol}: {problem}" for symbol, problem in serious.items())
        codes = [problem.code for problem in serious.values()]
        raise EngineError(texts, code=UNKNOWN_OUTCOME if UNKNOWN_OUTCOME in codes else codes[0])

    def _matters(self, symbol: str, problem: WorkbenchError) -> bool:
        """Whether it matters that one instrument refuses what others did: not where nothing could be at work."""
        if problem.code in ("read_only", "not_supported"):
            return False
        working = any(o.symbol == symbol and o.status not in ENDED for o in self._account.orders())
        return problem.code != "not_armed" or working


def note_of(message: messages.AccountMessage) -> Note:
    """Arguments of :meth:`~workbench.feeds.recording_thread.RecordingThread.note` for an account message."""
    table: Literal["orders", "annotations"] = (
        "annotations" if isinstance(message, messages.Broadcast | messages.Drawn) else "orders"
    )
    plain = msgspec.to_builtins(message)
    return getattr(message, "symbol", ""), table, message.ts, plain["type"], plain


def _sent(command: messages.PlaceOrder) -> messages.Order:
    """An order of which nothing is known but that it was sent."""
    return messages.Order(
        symbol=command.symbol,
        client_order_id=command.client_order_id,
        status="PENDING_NEW",
        side=command.side,
        order_type=command.order_type,
        quantity=command.quantity,
        filled=0.0,
        leaves=command.quantity,
        ts=0,
        price=command.price,
        stop_price=command.stop_price,
        time_in_force=command.time_in_force,
    )
