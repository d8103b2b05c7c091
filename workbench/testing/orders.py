"""The trader's own orders as Bookmap keeps and reports them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from workbench.testing.spelling import gson

EXECUTE_ORDER: Final = 20
UPDATE_ORDER: Final = 21
BALANCE: Final = 27
POSITION: Final = 28
ORDER_INFO: Final = "22"

OPEN: Final = frozenset({"WORKING", "PENDING_CANCEL", "PENDING_SUBMIT", "PENDING_MODIFY", "SUSPENDED"})
_CHANGES: Final = {
    "filledChanged": "filled",
    "unfilledChanged": "unfilled",
    "averageFillPriceChanged": "averageFillPrice",
    "durationChanged": "duration",
    "statusChanged": "status",
    "limitPriceChanged": "limitPrice",
    "stopPriceChanged": "stopPrice",
    "stopTriggeredChanged": "stopTriggered",
    "modificationTimeChanged": "modificationUtcTime",
}


@dataclass(frozen=True, slots=True)
class Report:
    """One message about the account."""

    type: int
    plain: dict[str, Any]
    alias: str = ""

    @property
    def listener(self) -> str:
        """Data type that one must have asked for to get it."""
        return ORDER_INFO if self.type in (EXECUTE_ORDER, UPDATE_ORDER) else str(self.type)

    def fields(self, *, duplicate: bool = False) -> tuple[str | int, ...]:
        """Fields of its line; a duplicate update says that it is one, a duplicate execution does not."""
        plain = (
            self.plain | {"isDuplicate": True} if duplicate and "isDuplicate" in self.plain else self.plain
        )
        return (self.type, self.alias, gson(plain)) if self.alias else (self.type, gson(plain))

    def ends(self, stage: Literal["send", "ack", "fill"]) -> bool:
        """Whether this is the last word of that stage of an order's life."""
        status = self.plain.get("status")
        if self.type != UPDATE_ORDER or status == "PENDING_SUBMIT":
            return False
        return status == "FILLED" if stage == "fill" else True


@dataclass(slots=True)
class OwnOrder:
    """One order; prices in ticks, sizes in lots.

    ``parent`` names the order whose fill wakes a bracket's child; ``siblings`` are cancelled when it fills.
    """

    order_id: str
    alias: str
    is_buy: bool
    size: int
    limit: int | None
    stop: int | None
    duration: str
    client_id: str | None
    status: str = "PENDING_SUBMIT"
    filled: int = 0
    unfilled: int = 0
    average: float = math.nan
    stop_triggered: bool = False
    modified_ms: int = 0
    parent: OwnOrder | None = None
    siblings: list[OwnOrder] = field(default_factory=list)
    children: list[OwnOrder] = field(default_factory=list)
    offset: int = 0
    trailing_step: int = 0
    _told: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.unfilled = self.size

    @property
    def is_open(self) -> bool:
        """Whether anything can still become of it."""
        return self.status in OPEN

    @property
    def rests(self) -> bool:
        """Whether it waits for a price: a limit in the book, or a stop that has not gone off."""
        return self.status == "WORKING" and self.unfilled > 0

    @property
    def waits_for_trigger(self) -> bool:
        """Whether it is a stop that has not gone off."""
        return self.stop is not None and not self.stop_triggered

    @property
    def kind(self) -> str:
        """Bookmap's name: ``LMT``, ``MKT``, ``STP``, ``STP_LMT``."""
        if self.stop is None:
            return "MKT" if self.limit is None else "LMT"
        return "STP" if self.limit is None else "STP_LMT"

    def update(self, pips: float) -> Report:
        """Say how it stands, and what changed since it was said last."""
        state = self._state(pips)
        changed = {name: not _same(state[key], self._told.get(key)) for name, key in _CHANGES.items()}
        self._told = state
        return Report(UPDATE_ORDER, changed | state)

    def _state(self, pips: float) -> dict[str, Any]:
        return {
            "instrumentAlias": self.alias,
            "orderId": self.order_id,
            "isBuy": self.is_buy,
            "type": self.kind,
            "clientId": self.client_id,
            "doNotIncrease": False,
            "filled": self.filled,
            "unfilled": self.unfilled,
            "averageFillPrice": self.average,
            "duration": self.duration,
            "status": self.status,
            "limitPrice": real(self.limit, pips),
            "stopPrice": real(self.stop, pips),
            "stopTriggered": self.stop_triggered,
            "modificationUtcTime": self.modified_ms,
            "isSimulated": True,
            "isDuplicate": False,
        }


def real(ticks: int | None, pips: float) -> float:
    """Price of ticks as a double: a plain product, with the noise that Bookmap's has."""
    return math.nan if ticks is None else ticks * pips


def _same(one: Any, other: Any) -> bool:
    both_nan = isinstance(one, float) and isinstance(other, float) and math.isnan(one) and math.isnan(other)
    return bool(both_nan or one == other)


@dataclass(slots=True)
class Position:
    """Net position of one instrument, in lots and ticks.

    Attributes
    ----------
    net : int, lots
    average : float, ticks
        Price that it was entered at.
    realized : float, ticks × lots
    volume : int, lots
        Everything ever filled.
    """

    net: int = 0
    average: float = 0.0
    realized: float = 0.0
    volume: int = 0
    known: bool = False

    def fill(self, is_buy: bool, size: int, ticks: int) -> None:
        """Take in one execution."""
        self.known = True
        self.volume += size
        signed = size if is_buy else -size
        closing = min(size, abs(self.net)) if signed * self.net < 0 else 0
        self.realized += closing * (ticks - self.average) * (1 if self.net > 0 else -1)
        opening = size - closing
        if opening:
            held = abs(self.net) - closing
            self.average = (self.average * held + ticks * opening) / (held + opening)
        self.net += signed
        if not self.net:
            self.average = 0.0

    def unrealized(self, ticks: float) -> float:
        """What closing at this price would bring, ticks × lots."""
        return self.net * (ticks - self.average)
