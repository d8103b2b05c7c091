"""What a session knows of its account: the newest state of everything, and all that happened, in order."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

import msgspec

from workbench.protocol import messages
from workbench.protocol.account import MAX_KEPT, AccountState
from workbench.session.order import ADVICE, CLOSED

OrderKey = tuple[str, str]
"""Symbol and name of an order: the client order id, or ``#`` and the venue's for orders placed elsewhere."""

MAX_BROADCASTS: Final = 100_000
"""Broadcasts kept; a recording keeps them all."""

LOST: Final = "the connection to the engine is lost"
MAX_POSITIONS: Final = 20_000
"""Positions kept of each instrument; of the older half every second one goes when there are more."""
_encode: Final = msgspec.json.Encoder().encode
_Told = TypeVar("_Told", bound=messages.AccountMessage)


class Account:
    """Account messages of a session, taken in by its reader thread and read from any other.

    Notes
    -----
    Whoever connects again is told everything again: states that hold already and executions that are known change
    nothing, and happenings without a number (broadcasts) are counted against those that were known.

    An answer tells a state, too, but it takes another way through the engine than what everybody is told: it counts
    only while nothing was told since it was asked for (:meth:`note_asked`).

    Attributes
    ----------
    changed : Condition
        Notified after every message that was news; its lock guards all state.
    version : int
        Number of messages that were news: where it is what it was, so is everything.
    """

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.version = 0
        self._state = AccountState()
        self._orders: dict[OrderKey, messages.Order] = {}
        self._trading: dict[OrderKey, messages.Trading] = {}
        self._trading_log: deque[messages.Trading] = deque(maxlen=MAX_KEPT)
        self._asked: dict[OrderKey, messages.AccountMessage | None] = {}
        self._order_log: list[messages.Order] = []
        self._fills: list[messages.Fill] = []
        self._position_log: defaultdict[str, list[messages.Position]] = defaultdict(list)
        self._broadcasts: deque[messages.Broadcast] = deque(maxlen=MAX_BROADCASTS)
        self._happened: defaultdict[str, deque[int]] = defaultdict(partial(deque, maxlen=MAX_KEPT))
        self._told_again: defaultdict[str, Counter[int]] = defaultdict(Counter)

    def take(self, message: messages.AccountMessage) -> None:
        """Take in a message; one that says nothing new changes nothing."""
        with self.changed:
            if self._is_overtaken(message) or self._is_repeated(message) or not self._state.take(message):
                return
            self._keep(message)
            self.version += 1
            self.changed.notify_all()

    def note_asked(self, command: messages.Command) -> None:
        """A command is about to be sent: what is told from now on is newer than its answer."""
        key = str(getattr(command, "symbol", "")), str(getattr(command, "client_order_id", ""))
        with self.changed:
            self._asked[key] = self._current(key)

    def expect_again(self, symbol: str) -> None:
        """The connection was lost: what happened on this instrument will be told once more.

        Until then nobody knows what became of its open orders.
        """
        with self.changed:
            self._told_again[symbol] = Counter(self._happened[symbol])
            for order in list(self._orders.values()):
                if order.symbol == symbol and order.status not in CLOSED and not order.unknown:
                    self.take(msgspec.structs.replace(order, unknown=True, reason=f"{LOST}: {ADVICE}"))

    def wait(self, done: Callable[[], bool], timeout_s: float) -> bool:
        """Wait for something that messages bring about; whether it came in time."""
        with self.changed:
            return self.changed.wait_for(done, timeout_s)

    def order(self, key: OrderKey) -> messages.Order | None:
        """Newest state of an order."""
        return self._orders.get(key)

    def order_keys(self) -> list[OrderKey]:
        """Every order, oldest first."""
        with self.changed:
            return list(self._orders)

    def orders(self) -> list[messages.Order]:
        """Newest state of every order, oldest order first."""
        with self.changed:
            return list(self._orders.values())

    def order_log(self, since: int = 0) -> list[messages.Order]:
        """Every state that an order was in, as told, from the ``since``-th on."""
        with self.changed:
            return self._order_log[since:]

    def fills(self, since: int = 0) -> list[messages.Fill]:
        """Executions, each once, from the ``since``-th on."""
        with self.changed:
            return self._fills[since:]

    def broadcasts(self) -> list[messages.Broadcast]:
        """What other add-ons said, the newest of it."""
        with self.changed:
            return list(self._broadcasts)

    def position_log(self, symbol: str) -> list[messages.Position]:
        """What was told of the position in an instrument, oldest first; of long ago only a part."""
        with self.changed:
            return list(self._position_log[symbol])

    def positions(self) -> list[messages.Position]:
        """Newest position of each instrument and account."""
        return self._newest(messages.Position)

    def balances(self) -> list[messages.Balance]:
        """Newest balance of each currency and account."""
        return self._newest(messages.Balance)

    def trading(self, symbol: str) -> messages.Trading | None:
        """Whether orders of an instrument would go through; None: not told."""
        return self._trading.get((symbol, ""))

    def trading_log(self, symbol: str) -> list[messages.Trading]:
        """Whether orders of an instrument would have gone through, as it was told, oldest first."""
        with self.changed:
            return [message for message in self._trading_log if message.symbol == symbol]

    def _newest(self, kind: type[_Told]) -> list[_Told]:
        with self.changed:
            return [message for message in self._state.known() if isinstance(message, kind)]

    def _current(self, key: OrderKey) -> messages.AccountMessage | None:
        return self._orders.get(key) if key[1] else self._trading.get(key)

    def _is_overtaken(self, message: messages.AccountMessage) -> bool:
        if not isinstance(message, messages.Order | messages.Trading) or message.request_id is None:
            return False
        key = order_key(message) if isinstance(message, messages.Order) else (message.symbol, "")
        return key in self._asked and self._current(key) is not self._asked[key]

    def _is_repeated(self, message: messages.AccountMessage) -> bool:
        if not isinstance(message, messages.Fill | messages.Broadcast | messages.Drawn):
            return False
        fingerprint = hash(_encode(message))
        if self._told_again[message.symbol][fingerprint]:
            self._told_again[message.symbol][fingerprint] -= 1
            return True
        self._happened[message.symbol].append(fingerprint)  # no engine tells more than so many again
        return False

    def _keep(self, message: messages.AccountMessage) -> None:
        match message:
            case messages.Order():
                self._orders[order_key(message)] = message
                self._order_log.append(message)
            case messages.Trading():
                self._trading[message.symbol, ""] = message
                self._trading_log.append(message)
            case messages.Fill():
                self._fills.append(message)
            case messages.Position():
                log = self._position_log[message.symbol]
                log.append(message)
                if len(log) > MAX_POSITIONS:
                    del log[1 : MAX_POSITIONS // 2 : 2]
            case messages.Broadcast():
                self._broadcasts.append(message)


def order_key(order: messages.Order) -> OrderKey:
    """Symbol and name of an order."""
    return order.symbol, order.client_order_id or f"#{order.order_id}"
