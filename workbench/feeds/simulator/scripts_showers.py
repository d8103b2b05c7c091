"""Scripts of those who show more than they mean: walls with their fates, spoof orders and layers of them."""

from __future__ import annotations

from typing import Final

from workbench.feeds.simulator.participant import MS, SECOND, Draws, Hands, Resting, Script
from workbench.feeds.simulator.planting import FATES, Plant

_GLANCE: Final = 10 * MS


class Wall(Script):
    """A large order away from the best price that is consumed, pulled, or moved and pulled later."""

    def __init__(self, plant: Plant, draws: Draws, at_ns: int):
        super().__init__(plant, draws, at_ns)
        self._fate = plant.fate or FATES[draws.between(0, 2)]
        self._until = at_ns + (plant.life or draws.between(2 * SECOND, 4 * SECOND))
        self._order: Resting | None = None
        self._size = self._price = 0

    def act(self, hands: Hands) -> None:
        if self._order is None:
            self._begin(hands)
        elif not hands.alive(self._order):
            self._end(hands, self._order, "consumed")
        elif hands.now < self._until:
            self.wait(hands, 20 * MS, 40 * MS)
        elif self._fate == "consumed":
            self._approach(hands)
        elif self._fate == "moved":
            self._move(hands, self._order)
        else:
            hands.pull(self._order)
            self._end(hands, self._order, "pulled")

    def _begin(self, hands: Hands) -> None:
        away = self.drawn(self.plant.distance, 4, 7)
        self._size = self.scaled(self.plant.size, hands.typical(self.side), 700, 1100)
        self._price = hands.best(self.side) - self.side * hands.ticks_of(self.side, away + 1)
        self._order = hands.rest(self.side, self._price, self._size)
        self.is_over = self._order is None
        self.wait(hands, 20 * MS, 40 * MS)

    def _approach(self, hands: Hands) -> None:
        best = hands.best(self.side)
        hands.take(-self.side, hands.size_at(best), best)
        self.wait(hands, 20 * MS, 60 * MS)

    def _move(self, hands: Hands, order: Resting) -> None:
        target = self._price - self.side * self.draws.between(2, 4)
        hands.move(order, target)
        self.ended(hands, self._price, self._size, fate="moved", price_end=target, order_id=order.number)
        self.start_ns, self._price, self._fate = hands.now, target, "pulled"
        self._until = hands.now + self.draws.between(2 * SECOND, 3 * SECOND)
        self.wait(hands, 20 * MS, 40 * MS)

    def _end(self, hands: Hands, order: Resting, fate: str) -> None:
        self.ended(hands, self._price, self._size, fate=fate, order_id=order.number)
        self.is_over = True


class Spoofing(Script):
    """A large order near the best price draws aggressors to the other side, and is gone before anybody hits it."""

    levels_low = levels_high = 1
    percent = (450, 650)

    def __init__(self, plant: Plant, draws: Draws, at_ns: int):
        super().__init__(plant, draws, at_ns)
        self._until = at_ns + (plant.life or draws.between(900 * MS, 1500 * MS))
        self._lure_ns = at_ns + draws.between(150 * MS, 350 * MS)
        self._lures = 3
        self._orders: list[Resting] = []
        self._placed = self._size = self._price = self._end_price = 0
        self._levels = 0

    def act(self, hands: Hands) -> None:
        if self._levels == 0:
            self._levels = self.drawn(self.plant.count, self.levels_low, self.levels_high)
            self._price = hands.best(self.side) - self.side * self.drawn(self.plant.distance, 1, 2)
            self._size = self.scaled(self.plant.size, hands.typical(self.side), *self.percent)
        if self._placed < self._levels:
            self._show(hands)
        elif hands.now >= self._until or self._is_close(hands) or self._untouched(hands) < len(self._orders):
            self._leave(hands)
        else:
            self._lure(hands)

    def _show(self, hands: Hands) -> None:
        self._end_price = self._price - self.side * self._placed
        order = hands.rest(self.side, self._end_price, self._size)
        self._placed += 1
        if order is not None:
            self._orders.append(order)
        self.wait(hands, MS // 2, 3 * MS)

    def _is_close(self, hands: Hands) -> bool:
        return (hands.best(self.side) - self._price) * self.side <= 0

    def _untouched(self, hands: Hands) -> int:
        return sum(hands.left(order) == self._size for order in self._orders)

    def _lure(self, hands: Hands) -> None:
        if hands.now >= self._lure_ns and self._lures > 0:
            price = hands.best(-self.side)
            hands.take(self.side, self.scaled(0, hands.size_at(price), 25, 50), price)
            self._lures -= 1
            self._lure_ns = hands.now + self.draws.between(60 * MS, 160 * MS)
        self.wait(hands, _GLANCE // 2, _GLANCE)

    def _leave(self, hands: Hands) -> None:
        untouched = self._untouched(hands)
        for order in self._orders:
            hands.pull(order)
        is_whole = untouched == self._levels and self._lures < 3
        self.ended(
            hands, self._price, self._size, count=self._levels, fate="pulled" if is_whole else "failed",
            price_end=self._end_price, order_id=self._orders[0].number if self._orders else 0,
        )  # fmt: skip
        self.is_over = True


class Layering(Spoofing):
    """The same with several levels, laid one after another and pulled at once."""

    levels_low, levels_high = 3, 5
    percent = (200, 350)
