"""One order of our own: its terms, where it stands, what was filled."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import msgspec

from workbench.trading.states import STRICT, TERMINAL, OrderEvent, OrderStatus
from workbench.trading.terms import Terms

_S, _E = OrderStatus, OrderEvent
WAITING = frozenset({"STOP", "STOP_LIMIT", "TRAILING_STOP"})
MAX_UNDER_WAY: Final = 2
"""Changes of an order that may be under way at a time."""


class Change(msgspec.Struct, frozen=True):
    """Other values that were asked for; each is the whole value, changed or not."""

    lots: int
    limit: int | None
    stop: int | None


class Order(msgspec.Struct, kw_only=True):
    """State of an order; only :class:`workbench.trading.ledger.Ledger` changes it.

    Attributes
    ----------
    terms : Terms
        As they were asked for; ``lots``, ``limit`` and ``stop`` are the values of now.
    filled : int, lots
    value : int, ticks × lots
        Sum of the executions, so that the average is exact.
    low, high : int, ticks
        Lowest and highest price of an execution; 0 before the first.
    triggered : bool
        Whether a stop has gone off.
    asked : list of Change
        Changes under way, the oldest first.
    """

    terms: Terms
    lots: int
    limit: int | None = None
    stop: int | None = None
    status: OrderStatus = OrderStatus.INITIALIZED
    filled: int = 0
    value: int = 0
    low: int = 0
    high: int = 0
    accepted: bool = False
    triggered: bool = False
    asked: list[Change] = []
    reason: str = ""
    number: int = 0
    entered: int = 0
    changed: int = 0

    @classmethod
    def of(cls, terms: Terms, ts: int, number: int) -> Order:
        """Begin an order, the ``number``-th of its desk."""
        return cls(
            number=number,
            terms=terms,
            lots=terms.lots,
            limit=terms.limit,
            stop=terms.stop,
            entered=ts,
            changed=ts,
        )

    @property
    def name(self) -> str:
        """Client order id."""
        return self.terms.client_order_id

    @property
    def open(self) -> bool:
        """Whether it may still trade."""
        return self.status not in TERMINAL

    @property
    def leaves(self) -> int:
        """Lots still working; 0 once it has ended."""
        return self.lots - self.filled if self.open else 0

    @property
    def newest(self) -> Change:
        """Size and prices that it has, or will have when all that is under way has arrived."""
        return self.asked[-1] if self.asked else Change(self.lots, self.limit, self.stop)

    @property
    def held(self) -> bool:
        """Whether it waits at the desk: a stop that has not gone off, so nothing of it is at the venue."""
        return self.terms.order_type in WAITING and not self.triggered

    @property
    def average(self) -> Fraction | None:
        """Average price of the executions, ticks; None before the first."""
        return Fraction(self.value, self.filled) if self.filled else None

    @property
    def rests(self) -> OrderStatus:
        """Where it stands but for a cancel or a change under way."""
        if self.filled >= self.lots:
            return _S.FILLED
        if self.filled:
            return _S.PARTIALLY_FILLED
        if self.held:
            return _S.SUSPENDED
        return _S.NEW if self.accepted else _S.PENDING_NEW

    def can(self, event: OrderEvent) -> bool:
        """Whether the table has this step."""
        return (self.status, event) in STRICT

    def exposed(self) -> int:
        """Signed lots that may still be executed, with the largest size that was asked for."""
        most = max([self.lots, *(change.lots for change in self.asked)])
        return self.terms.side * (most - self.filled) if self.open else 0
