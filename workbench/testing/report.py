"""One message of Bookmap about the trader's account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from workbench.testing.spelling import gson

EXECUTE_ORDER: Final = 20
UPDATE_ORDER: Final = 21
BALANCE: Final = 27
POSITION: Final = 28
ORDER_INFO: Final = "22"


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
        if self.type != UPDATE_ORDER or status == "PENDING_SUBMIT" or stage == "send":
            return False
        return status == "FILLED" or stage == "ack"
