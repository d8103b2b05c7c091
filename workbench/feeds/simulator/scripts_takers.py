"""Scripts of those who take: sweeps and runs of stops."""

from __future__ import annotations

from typing import Final

from workbench.feeds.simulator.participant import MS, SECOND, Draws, Hands, Script
from workbench.feeds.simulator.planting import Plant

_GLANCE: Final = 50 * MS
_NEAR_TICKS: Final = 2
_PATIENCE: Final = 10 * SECOND
_LOOK_BACK: Final = 5 * SECOND


class Sweep(Script):
    """One aggressor takes all of several levels at once."""

    def act(self, hands: Hands) -> None:
        levels = self.drawn(self.plant.count, 4, 7)
        first = hands.best(-self.side)
        last = first + self.side * hands.ticks_of(-self.side, levels)
        traded = hands.take(self.side, self.plant.size or hands.up_to(-self.side, last), last)
        self.ended(hands, first, traded, count=levels, price_end=last)
        self.is_over = True


class StopRun(Script):
    """A push to a new extreme sets off a burst of aggressors that run the same way.

    It watches the best prices for the plant's ``life`` (5 s), then waits until the extreme is near; an order takes the
    price one tick beyond it, and 8 to 14 stops follow within fractions of a ms to 3 ms of each other.
    """

    def __init__(self, plant: Plant, draws: Draws, at_ns: int):
        super().__init__(plant, draws, at_ns)
        self._watch_until = at_ns + (plant.life or _LOOK_BACK)
        self._extreme: int | None = None
        self._left = self.drawn(plant.count, 8, 14)
        self._stops = self._traded = self._price = 0
        self._is_running = False

    def act(self, hands: Hands) -> None:
        if self._is_running:
            self._stop(hands)
            return
        best = hands.best(-self.side)
        seen = best if self._extreme is None else self._extreme
        is_near = (seen - best) * self.side <= _NEAR_TICKS
        if hands.now >= self._watch_until and is_near:
            self._push(hands, seen)
            return
        self._extreme = max(seen, best) if self.side > 0 else min(seen, best)
        self.is_over = hands.now > self._watch_until + _PATIENCE
        self.next_ns = hands.now + _GLANCE

    def _push(self, hands: Hands, extreme: int) -> None:
        beyond = self.side * max(self.side * extreme, self.side * hands.best(-self.side)) + self.side
        self.start_ns, self._price, self._is_running = hands.now, beyond, True
        self._traded = hands.take(self.side, hands.up_to(-self.side, beyond - self.side) + 2, beyond)
        self.wait(hands, MS, 4 * MS)

    def _stop(self, hands: Hands) -> None:
        typical = hands.typical(-self.side)
        price = hands.best(-self.side)
        size = self.scaled(self.plant.size // max(self._stops + self._left, 1), typical, 15, 45)
        self._traded += hands.take(self.side, size, price + 4 * self.side)
        self._stops += 1
        self._left -= 1
        if self._left > 0:
            self.wait(hands, MS // 5, 3 * MS)
            return
        self.ended(hands, self._price, self._traded, count=self._stops, price_end=price)
        self.is_over = True
