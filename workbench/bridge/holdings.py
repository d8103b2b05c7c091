"""Executions, positions and balances as they are reported: what is news, once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from workbench.bridge.mirror import MirroredOrder
from workbench.bridge.reports import ExecutionReport, read_balances, read_position
from workbench.instruments import Instrument
from workbench.protocol import messages

MAX_SEEN: Final = 100_000
MAX_WAITING: Final = 1_000


class Executions:
    """Fills, each once, whichever comes first: the execution or the report of its order."""

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self._seen: dict[str, None] = {}
        self._waiting: dict[str, list[ExecutionReport]] = {}

    def take(
        self, execution: ExecutionReport, order: MirroredOrder | None, now: int
    ) -> Iterator[messages.Fill]:
        """Return the fill, or nothing: it is known, or waits for the report of its order."""
        if execution.execution_id in self._seen:
            return
        if execution.execution_id:
            self._remember(execution.execution_id)
        if order is not None:
            yield self._fill(execution, order, now)
        elif sum(map(len, self._waiting.values())) < MAX_WAITING:
            self._waiting.setdefault(execution.order_id, []).append(execution)

    def release(self, order: MirroredOrder, now: int) -> Iterator[messages.Fill]:
        """Fills that waited for this order."""
        for execution in self._waiting.pop(order.order_id, ()):
            yield self._fill(execution, order, now)

    @property
    def waiting(self) -> int:
        """Executions of orders that were never reported."""
        return sum(map(len, self._waiting.values()))

    def _remember(self, execution_id: str) -> None:
        self._seen[execution_id] = None
        if len(self._seen) > MAX_SEEN:
            del self._seen[next(iter(self._seen))]

    def _fill(self, execution: ExecutionReport, order: MirroredOrder, now: int) -> messages.Fill:
        return messages.Fill(
            symbol=self._instrument.symbol,
            client_order_id=order.client_order_id,
            execution_id=execution.execution_id,
            side=order.side,
            price=execution.price,
            size=float(self._instrument.size(execution.size)),
            ts=execution.ts if execution.ts is not None else now,
            order_id=execution.order_id,
            simulated=execution.simulated or order.simulated,
        )


class Holdings:
    """Positions and balances; Bookmap repeats them all the time, only what changed is news."""

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self._told: dict[tuple[str, ...], messages.Position | messages.Balance] = {}
        self.positions: dict[str, int] = {}
        """Signed lots by account."""

    def position(self, plain: Mapping[str, Any], now: int) -> Iterator[messages.Position]:
        """Take a position; what is new of it. One that is marked as a duplicate says nothing of an account we know."""
        lots, message = read_position(plain, self._instrument, now)
        if plain.get("isDuplicate") is True and message.account in self.positions:
            return
        self.positions[message.account] = lots
        if self._is_news(("position", message.account), message):
            yield message

    def balances(self, plain: Mapping[str, Any], now: int) -> Iterator[messages.Balance]:
        """Take balances; those that are new."""
        for message in read_balances(plain, now):
            if self._is_news(("balance", message.currency, message.account), message):
                yield message

    def _is_news(self, key: tuple[str, ...], message: messages.Position | messages.Balance) -> bool:
        known = self._told.get(key)
        self._told[key] = message
        return known is None or msgspec.structs.replace(known, ts=message.ts) != message
