"""What is known of an account: the newest state of each order, position and balance, and what happened of late."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

import msgspec

from workbench.protocol import messages

MAX_KEPT: Final = 10_000
"""Fills, broadcasts and drawn values kept for whoever subscribes late; older ones are in the recording."""
MAX_KEPT_BYTES: Final = 2 << 20
"""All of it waits at once for whoever subscribes, and more than the outbox holds would cut him off."""
MAX_ORDERS: Final = 10_000
MAX_EXECUTIONS: Final = 100_000

_Key = tuple[str, ...]
_encode: Final = msgspec.json.Encoder().encode


class AccountState:
    """Follow the account messages of a feed, so that a new subscriber gets everything that holds now.

    Notes
    -----
    States (``ORDER``, ``POSITION``, ``BALANCE``, ``TRADING``) replace the earlier one of the same key; happenings
    (``FILL``, ``BROADCAST``, ``DRAWN``) are kept in order, a fill once per execution. Whatever comes, what is kept stays
    bounded, in number and in bytes.

    An order of which nothing is known but that it was once sent takes nothing back from what was reported of it.
    """

    def __init__(self) -> None:
        self._states: dict[_Key, messages.AccountMessage] = {}
        self._happened: deque[tuple[int, messages.AccountMessage]] = deque()
        self._happened_bytes = 0
        self._executions: dict[tuple[str, str], None] = {}

    def take(self, message: messages.AccountMessage) -> bool:
        """Take in a message; False when it says nothing new and need not be handed on."""
        match message:
            case messages.Fill():
                return self._take_fill(message)
            case messages.Broadcast() | messages.Drawn():
                self._keep(message)
                return True
            case _:
                return self._take_state(message)

    def known(self, symbol: str | None = None) -> Iterator[messages.AccountMessage]:
        """Everything that holds now: states first, then what happened, oldest first; of one instrument if named.

        Messages that belong to no instrument come with every one.
        """
        for message in (*self._states.values(), *(happened for _, happened in self._happened)):
            if symbol is None or getattr(message, "symbol", symbol) == symbol:
                yield message

    def orders(self) -> list[messages.Order]:
        """Newest state of every order, oldest order first."""
        return [message for message in self._states.values() if isinstance(message, messages.Order)]

    def _take_fill(self, fill: messages.Fill) -> bool:
        key = (fill.symbol, fill.execution_id)
        if fill.execution_id and key in self._executions:
            return False
        if fill.execution_id:
            self._executions[key] = None
        if len(self._executions) > MAX_EXECUTIONS:
            del self._executions[next(iter(self._executions))]
        self._keep(fill)
        return True

    def _keep(self, message: messages.AccountMessage) -> None:
        size = len(_encode(message))
        self._happened.append((size, message))
        self._happened_bytes += size
        while self._happened_bytes > MAX_KEPT_BYTES or len(self._happened) > MAX_KEPT:
            self._happened_bytes -= self._happened.popleft()[0]

    def _take_state(self, message: messages.AccountMessage) -> bool:
        key = _key(message)
        plain = _without_request(message)
        known = self._states.get(key)
        if known == plain or _knows_less(plain, known):
            return False
        self._states[key] = plain
        if known is None and len(self._states) > MAX_ORDERS:
            self._forget_an_order()
        return True

    def _forget_an_order(self) -> None:
        old = next(
            (k for k, m in self._states.items() if isinstance(m, messages.Order) and not m.leaves), None
        )
        if old is not None:
            del self._states[old]


def _knows_less(message: messages.AccountMessage, known: messages.AccountMessage | None) -> bool:
    """Whether a message says of an order only that nothing is known, where the platform had named it already."""
    if not isinstance(message, messages.Order) or not isinstance(known, messages.Order):
        return False
    return message.unknown and not message.order_id and bool(known.order_id)


def _key(message: messages.AccountMessage) -> _Key:
    match message:
        case messages.Order():
            return ("order", message.symbol, message.client_order_id or f"#{message.order_id}")
        case messages.Position():
            return ("position", message.symbol, message.account)
        case messages.Balance():
            return ("balance", message.currency, message.account)
        case messages.Trading():
            return ("trading", message.symbol)
        case _:
            raise TypeError(f"{type(message).__name__} is no state")


def _without_request(message: messages.AccountMessage) -> messages.AccountMessage:
    if getattr(message, "request_id", None) is None:
        return message
    return msgspec.structs.replace(message, request_id=None)
