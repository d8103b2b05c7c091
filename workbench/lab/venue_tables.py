"""Tables of own orders and fills as the matching engine keeps them, for venues that are told of both."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from workbench.events import Array
from workbench.trading import slots
from workbench.trading.terms import STOP_LOSS_SUFFIX, TAKE_PROFIT_SUFFIX, parent_of

TIFS: Final = dict(enumerate(slots.TIF_NAMES)) | {slots.POST_ONLY: "GTC"}
"""Times in force by slot; post-only is a flag of its own there."""
EXITS: Final = {"take_profit": TAKE_PROFIT_SUFFIX, "stop_loss": STOP_LOSS_SUFFIX}
_FIRST_ROOM: Final = 64


class VenueTables(ABC):
    """Orders by number, what they got, and when stops went off."""

    def __init__(self) -> None:
        self._table = np.zeros((_FIRST_ROOM, slots.ORDER_SLOTS), np.int64)
        self._count = 0
        self._made: list[list[int]] = []
        self._fills = np.zeros((0, slots.FILL_SLOTS), np.int64)
        self._went_off: dict[int, int] = {}
        self._asked: dict[int, tuple[int, int]] = {}

    @property
    def orders(self) -> Array:
        """Orders by number, int64, shape (n, ORDER_SLOTS)."""
        return self._table[: self._count]

    @property
    def fills(self) -> Array:
        """Fills in the order in which they were told, int64, shape (n, FILL_SLOTS)."""
        if len(self._fills) != len(self._made):
            self._fills = np.array(self._made, np.int64).reshape(-1, slots.FILL_SLOTS)
        return self._fills

    @property
    def commands(self) -> Array:
        """When stops went off, as commands that were sent then."""
        sent = np.zeros((len(self._went_off), slots.COMMAND_SLOTS), np.int64)
        sent[:, slots.NUMBER] = list(self._went_off)
        sent[:, slots.COMMAND_SENT] = list(self._went_off.values())
        return sent

    def newest(self, number: int) -> tuple[int, int]:
        """Price (ticks) and whole size (lots) that an order has, or will have when all changes under way have arrived."""
        row = self._table[number]
        return self._asked.get(number) or (int(row[slots.PRICE]), int(row[slots.SIZE]))

    def submit(self, now: int, side: int, price: int, size: int, tif: int, market: bool) -> int:
        """Send an order; its number."""
        return self.enter(now, side, size, None if market else price, tif, 0, 0, {})

    def stop(
        self,
        now: int,
        side: int,
        size: int,
        trigger: int,
        *,
        limit: int | None = None,
        trail: int = 0,
        tif: int = slots.GTC,
    ) -> int:
        """Leave a stop with the desk; its number."""
        return self.enter(now, side, size, limit or None, tif, trigger, trail, {})

    @abstractmethod
    def enter(
        self,
        now: int,
        side: int,
        size: int,
        limit: int | None,
        tif: int,
        trigger: int,
        trail: int,
        exits: Mapping[str, Any],
    ) -> int:
        """Send an order with everything that the paper desk knows; its number."""

    @property
    @abstractmethod
    def desk(self) -> slots.Desk:
        """The book as the strategy sees it."""

    def _hold(self, number: int, now: int) -> None:
        """A stop has been left: it waits, or the best price has passed it already."""
        row = self._table[number]
        if self._is_passed(int(row[slots.SIDE]), int(row[slots.TRIGGER])):
            row[slots.STATUS], row[slots.CLOSED] = slots.REJECTED, now
        else:
            row[slots.STATUS] = slots.SUSPENDED

    def _take_back(self, number: int, now: int) -> bool:
        """A cancel is asked for: a stop that waits has ended, others will have; False where there is nothing to ask for."""
        if not 0 <= number < self._count:
            return False
        row = self._table[number]
        if row[slots.STATUS] == slots.SUSPENDED:
            row[slots.STATUS], row[slots.CLOSED] = slots.CANCELED, now
        elif row[slots.STATUS] in (slots.NEW, slots.PARTIALLY_FILLED):
            row[slots.STATUS] = slots.PENDING_CANCEL
        else:
            return False
        return True

    def _adjust(self, number: int, price: int | None, size: int | None, trigger: int) -> bool:
        """A change is asked for: a stop that waits has it at once; False where it would go off."""
        row, newest = self._table[number], self.newest(number)
        asked = newest[0] if price is None else price, newest[1] if size is None else size
        if row[slots.STATUS] != slots.SUSPENDED:
            row[slots.UNDER_WAY] += 1
            self._asked[number] = asked
            return True
        wanted = trigger or int(row[slots.TRIGGER])
        if self._is_passed(int(row[slots.SIDE]), wanted):
            return False
        row[slots.TRIGGER], row[slots.SIZE] = wanted, asked[1]
        if not row[slots.MARKET]:
            row[slots.PRICE] = asked[0]
        return True

    def _answered(self, number: int, left: int) -> None:
        """So many changes are under way yet."""
        self._table[number, slots.UNDER_WAY] = left
        if not left:
            self._asked.pop(number, None)

    def _is_passed(self, side: int, trigger: int) -> bool:
        """Whether a stop is on the wrong side of the best price, as the desk refuses it."""
        bid, bids, ask, asks = self.desk.touch.tolist()
        return bool(asks and trigger < ask) if side > 0 else bool(bids and trigger > bid)

    def _begin(self, now: int) -> int:
        """Number of a new order, sent now."""
        number = self._count
        if number == len(self._table):
            self._table = np.concatenate([self._table, np.zeros_like(self._table)])
        self._table[number, slots.SENT] = now
        self._count += 1
        return number

    def _note_fill(
        self, number: int, side: int, *, ticks: int, lots: int, maker: bool, happened: int, known: int
    ) -> None:
        row = [0] * slots.FILL_SLOTS
        row[slots.FILL_TS], row[slots.FILL_KNOWN] = happened, known
        row[slots.FILL_ORDER], row[slots.FILL_SIDE], row[slots.FILL_PRICE] = number, side, ticks
        row[slots.FILL_SIZE], row[slots.FILL_MAKER] = lots, int(maker)
        self._made.append(row)


def exits_among(numbers: Mapping[str, int], name: str) -> dict[str, int]:
    """Numbers of the exits that the bracket of an order has placed, the newest of each kind."""
    mine = {order: number for order, number in numbers.items() if parent_of(order, numbers) == name}
    found = {word: [n for order, n in mine.items() if order.endswith(end)] for word, end in EXITS.items()}
    return {word: placed[-1] for word, placed in found.items() if placed}


__all__ = ["EXITS", "TIFS", "VenueTables", "exits_among"]
