"""One planted participant: what it sees of the book, what it can do, and the chance it draws from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final, NamedTuple

import numpy as np

from workbench.events import COLUMNS, IntArray
from workbench.feeds.simulator.entry import carry_out
from workbench.feeds.simulator.hand import MOVE, PULL, REST, TAKE
from workbench.feeds.simulator.planted import Planted
from workbench.feeds.simulator.planting import Plant
from workbench.feeds.simulator.state import Market

MS: Final = 1_000_000
SECOND: Final = 1_000_000_000
_SPARE_ORDERS: Final = 16
_SEARCH_TICKS: Final = 512
_MASK: Final = (1 << 64) - 1


class Draws:
    """Chance of its own for every planted event: the market's draws stay the market's (SplitMix64)."""

    def __init__(self, *key: int):
        self._state = 0
        for number in key:
            self._state = (self._state ^ number) & _MASK
            self._state = self.bits()  # keys close to each other begin far apart

    def bits(self) -> int:
        """64 random bits."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        value = self._state
        value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
        return value ^ (value >> 31)

    def between(self, low: int, high: int) -> int:
        """Integer from ``low`` to ``high``, both inclusive."""
        return low + self.bits() % (high - low + 1)

    def sign(self) -> int:
        """+1 or −1."""
        return 1 - 2 * (self.bits() >> 63)


class Resting(NamedTuple):
    """An order of a participant: its row in the market, and its number, by which a row used again is told apart."""

    row: int
    number: int


class Hands:
    """What participants see and do; one per market. All that is done at one time is one message.

    Parameters
    ----------
    market : Market
    """

    def __init__(self, market: Market):
        self._market = market
        self._parts: list[IntArray] = []
        self.now = 0

    def written(self) -> list[IntArray]:
        """Rows of events since the last call."""
        parts, self._parts = self._parts, []
        return parts

    def best(self, side: int) -> int:
        """Best price, ticks."""
        return int(self._market["bid" if side > 0 else "ask"])

    def size_at(self, price: int) -> int:
        """Displayed size of a level, lots."""
        return int(self._market["levels"]["size"][price & int(self._market["mask"])])

    def sizes(self, side: int, count: int) -> IntArray:
        """Displayed sizes of ``count`` prices from the best outward, empty ones included."""
        prices = self.best(side) - side * np.arange(count)
        sizes: IntArray = self._market["levels"]["size"][prices & int(self._market["mask"])]
        return sizes

    def typical(self, side: int) -> int:
        """Median of the nearest twenty occupied levels of a side, lots."""
        sizes = self.sizes(side, _SEARCH_TICKS)
        return max(int(np.median(sizes[sizes > 0][:20])), 1)

    def ticks_of(self, side: int, levels: int) -> int:
        """How many ticks the nearest ``levels`` occupied levels of a side span beyond the best."""
        occupied = np.flatnonzero(self.sizes(side, _SEARCH_TICKS) > 0)
        return int(occupied[min(levels, len(occupied)) - 1])

    def up_to(self, side: int, price: int) -> int:
        """Displayed size from the best of a side to a price, both inclusive, lots."""
        ticks = (self.best(side) - price) * side
        return int(self.sizes(side, ticks + 1).sum()) if ticks >= 0 else 0

    def alive(self, order: Resting) -> bool:
        """Whether an order still rests."""
        return int(self._market["orders"]["id"][order.row]) == order.number

    def through(self, order: Resting) -> int:
        """What must trade at its price until a displayed order is gone: all that queues before it, and itself, lots."""
        orders = self._market["orders"]
        row, total = order.row, 0
        while row >= 0:
            total += int(orders["size"][row])
            row = int(orders["prev"][row])
        return total

    def left(self, order: Resting) -> int:
        """What is left of an order with what it hides, lots."""
        if not self.alive(order):
            return 0
        orders = self._market["orders"]
        return int(orders["size"][order.row]) + int(orders["hidden"][order.row])

    def hidden(self, order: Resting) -> int:
        """What an order still hides, lots."""
        return int(self._market["orders"]["hidden"][order.row]) if self.alive(order) else 0

    def rest(self, side: int, price: int, size: int, hidden: int = 0) -> Resting | None:
        """Rest an order, never across the spread; None when the market holds no more orders."""
        if int(self._market["free"]) < _SPARE_ORDERS:
            return None
        price = side * min(side * price, side * (self.best(-side) - side))
        self._do(REST, side=side, price=price, size=size, hidden=hidden)
        row = int(self._market["hand_order"])
        return Resting(row, int(self._market["orders"]["id"][row]))

    def pull(self, order: Resting) -> None:
        """Pull an order, if it still rests."""
        if self.alive(order):
            self._do(PULL, order=order.row)

    def move(self, order: Resting, price: int) -> None:
        """Change the price of an order that still rests."""
        if self.alive(order):
            self._do(MOVE, order=order.row, price=price)

    def take(self, sign: int, size: int, limit: int) -> int:
        """Send an aggressor that takes no worse price than ``limit``; what it got, lots."""
        if size <= 0 or (self.best(-sign) - limit) * sign > 0:
            return 0
        self._do(TAKE, side=sign, price=limit, size=size)
        return size - int(self._market["hand_size"])

    def _do(
        self, verb: int, *, side: int = 0, price: int = 0, size: int = 0, hidden: int = 0, order: int = 0
    ) -> None:
        market = self._market
        market["hand_verb"], market["hand_side"], market["hand_price"] = verb, side, price
        market["hand_size"], market["hand_hidden"], market["hand_order"] = size, hidden, order
        rows = carry_out(market, self.now)
        self._parts.append(market["out"][:rows].copy().view(np.int64).reshape(rows, len(COLUMNS)))


class Script(ABC):
    """What one participant does, act by act.

    Parameters
    ----------
    plant : Plant
    draws : Draws
        Chance of this event.
    at_ns : int
        Time of the first act.

    Attributes
    ----------
    next_ns : int
        Time of the next act.
    records : list of Planted
        What came to its end, in order.
    is_over : bool
    """

    def __init__(self, plant: Plant, draws: Draws, at_ns: int):
        self.plant, self.draws = plant, draws
        self.start_ns = self.next_ns = at_ns
        self.side = plant.side or draws.sign()
        self.records: list[Planted] = []
        self.is_over = False

    @abstractmethod
    def act(self, hands: Hands) -> None:
        """Do what is due, and set ``next_ns`` later or ``is_over``."""

    def wait(self, hands: Hands, low_ns: int, high_ns: int) -> None:
        """Act again after a time drawn between two bounds."""
        self.next_ns = hands.now + self.draws.between(low_ns, high_ns)

    def drawn(self, given: int, low: int, high: int) -> int:
        """What the plant says, or a draw between two bounds."""
        return given or self.draws.between(low, high)

    def scaled(self, given: int, typical: int, low_percent: int, high_percent: int) -> int:
        """What the plant says, or a draw in percent of a typical size, lots."""
        return given or max(typical * self.draws.between(low_percent, high_percent) // 100, 2)

    def ended(
        self, hands: Hands, price: int, size: int, *, count: int = 1, fate: str = "filled",
        price_end: int | None = None, order_id: int = 0,
    ) -> None:  # fmt: skip
        """Note what happened from ``start_ns`` until now."""
        end = price if price_end is None else price_end
        self.records.append(
            Planted(
                self.plant.kind, self.start_ns, hands.now, self.side, price, end, size, count, fate, order_id
            )
        )
