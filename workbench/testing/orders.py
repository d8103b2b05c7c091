"""The trader's own orders as Bookmap keeps and reports them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

from workbench.testing.report import UPDATE_ORDER, Report

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


@dataclass(slots=True, eq=False)
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
    parent: OwnOrder | None = field(default=None, repr=False)
    siblings: list[OwnOrder] = field(default_factory=list, repr=False)
    children: list[OwnOrder] = field(default_factory=list, repr=False)
    offset: int = 0
    trailing_step: int = 0
    _told: dict[str, Any] = field(default_factory=dict, repr=False)

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
