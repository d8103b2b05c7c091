"""The data asked for when an instrument is attached: each type once, and which of them were never answered.

Asking twice would double every event, there is no way to take a request back, and a refusal never reaches us: no
answer within two seconds is the only sign.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from workbench.bridge.wire import DATA_TYPES, Type

if TYPE_CHECKING:
    from workbench.bridge.lines import Lines

ANSWER_NS: Final = 2_000_000_000
NAMES: Final = {
    Type.DEPTH: "depth",
    Type.TRADE: "trades",
    Type.MBO: "market by order",
    Type.ORDER_INFO: "own orders",
    Type.POSITION: "positions",
    Type.BALANCE: "balances",
}
"""Types of data, for people."""


class DataRequests:
    """Requests of one attachment; times are ns of the monotonic clock."""

    def __init__(self, alias: str, next_request: Callable[[], int], mono: int):
        self._alias = alias
        self._waiting = {next_request(): data for data in DATA_TYPES}
        self._due: int | None = mono + ANSWER_NS
        self.overdue = False

    def lines(self, lines: Lines) -> list[bytes]:
        """One request per type."""
        return [lines.request_data(self._alias, number, data) for number, data in self._waiting.items()]

    def answered(self, request_id: int) -> None:
        """Take an answer; one to a request of another instrument changes nothing."""
        self._waiting.pop(request_id, None)

    @property
    def unanswered(self) -> list[str]:
        """Names of the data that Bookmap did not confirm in time."""
        return [NAMES[data] for data in self._waiting.values()] if self.overdue else []

    def on_time(self, mono: int) -> list[str]:
        """Names that became overdue now."""
        if self._due is None or mono < self._due:
            return []
        self._due, self.overdue = None, True
        return self.unanswered

    def deadline(self) -> int | None:
        """When answers are overdue."""
        return self._due if self._waiting else None
