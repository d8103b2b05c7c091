"""Scripts of those who show less than they have: icebergs, and whoever absorbs what is thrown at a price."""

from __future__ import annotations

from typing import Final

from workbench.feeds.simulator.participant import MS, SECOND, Draws, Hands, Resting, Script
from workbench.feeds.simulator.planting import Plant

_LIFE: Final = 8 * SECOND
_GLANCE: Final = 4 * MS


class _Hit(Script):
    """Somebody hits the price now and then, so that what hides there comes to light."""

    def __init__(self, plant: Plant, draws: Draws, at_ns: int):
        super().__init__(plant, draws, at_ns)
        self.until = at_ns + (plant.life or _LIFE)
        self.price = 0
        self._hit_ns = 0

    def hit(self, hands: Hands, order: Resting, low_ns: int, high_ns: int) -> None:
        """Take all up to an order's displayed size, if its price is the best and the time has come."""
        if hands.now < self._hit_ns or hands.best(self.side) != self.price:
            return
        size = hands.through(order)
        if not hands.hidden(order) and size == hands.size_at(self.price):
            return  # with the level empty the other side would be there before the next order is
        hands.take(-self.side, size, self.price)
        self._hit_ns = hands.now + self.draws.between(low_ns, high_ns)


class Iceberg(_Hit):
    """A native iceberg: the venue shows the next slice under the same order number."""

    def __init__(self, plant: Plant, draws: Draws, at_ns: int):
        super().__init__(plant, draws, at_ns)
        self._order: Resting | None = None
        self._size = self._peak = 0

    def act(self, hands: Hands) -> None:
        if self._order is None:
            self._begin(hands)
            return
        if not hands.alive(self._order) or hands.now >= self.until:
            self._end(hands, self._order)
            return
        self.hit(hands, self._order, 200 * MS, 700 * MS)
        self.wait(hands, 20 * MS, 60 * MS)

    def _begin(self, hands: Hands) -> None:
        self._peak = self.scaled(self.plant.peak, hands.typical(self.side), 8, 20)
        self._size = self.plant.size or self._peak * self.draws.between(4, 9)
        self.price = hands.best(self.side)
        hidden = max(self._size - self._peak, 0)
        self._order = hands.rest(self.side, self.price, min(self._peak, self._size), hidden)
        self.is_over = self._order is None
        self.wait(hands, 50 * MS, 200 * MS)

    def _end(self, hands: Hands, order: Resting) -> None:
        hidden = hands.hidden(order)
        whole = max(self._size - self._peak, 0)
        refills = -(-(whole - hidden) // self._peak)
        fate = "failed" if refills == 0 else "pulled" if hands.alive(order) else "filled"
        hands.pull(order)
        self.ended(hands, self.price, self._size, count=refills, fate=fate, order_id=order.number)
        self.is_over = True


class SyntheticIceberg(_Hit):
    """A synthetic iceberg: a program rests the next order of the same size when the last one is gone."""

    def __init__(self, plant: Plant, draws: Draws, at_ns: int):
        super().__init__(plant, draws, at_ns)
        self._order: Resting | None = None
        self._first = self._peak = self._left = self._size = self._refills = 0
        self._again_ns = 0

    def act(self, hands: Hands) -> None:
        if self._order is None:
            self._begin(hands)
        elif hands.now >= self.until or (hands.best(-self.side) - self.price) * self.side <= 0:
            self._end(hands, self._order)  # its time is over, or the other side stands there now
        elif not hands.alive(self._order):
            self._refill(hands, self._order)
        else:
            self.hit(hands, self._order, 200 * MS, 700 * MS)
            self.wait(hands, _GLANCE // 2, _GLANCE)

    def _begin(self, hands: Hands) -> None:
        self._peak = self.scaled(self.plant.peak, hands.typical(self.side), 8, 20)
        self._left = self._size = self.plant.size or self._peak * self.draws.between(4, 9)
        self.price = hands.best(self.side)
        self._rest(hands)
        self._first = 0 if self._order is None else self._order.number

    def _refill(self, hands: Hands, gone: Resting) -> None:
        if self._left <= 0:
            self._end(hands, gone)
        elif self._again_ns == 0:  # the program needs a moment
            self._again_ns = hands.now
            self.wait(hands, MS, 6 * MS)
        else:
            self._again_ns = 0
            self._refills += 1
            self._rest(hands)

    def _rest(self, hands: Hands) -> None:
        size = min(self._peak, self._left)
        self._left -= size
        self._order = hands.rest(self.side, self.price, size)
        self.is_over = self._order is None
        self.wait(hands, _GLANCE // 2, _GLANCE)

    def _end(self, hands: Hands, order: Resting) -> None:
        fate = "failed" if self._refills == 0 else "pulled" if self._left or hands.alive(order) else "filled"
        hands.pull(order)
        self.ended(hands, self.price, self._size, count=self._refills, fate=fate, order_id=self._first)
        self.is_over = True


class Absorption(Script):
    """Aggressors throw themselves at one price for two or three seconds, and somebody there takes it all."""

    def __init__(self, plant: Plant, draws: Draws, at_ns: int):
        super().__init__(plant, draws, at_ns)
        self.until = at_ns + (plant.life or draws.between(2 * SECOND, 3 * SECOND))
        self._orders: list[Resting] = []
        self._price = self._typical = self._goal = self._traded = 0

    def act(self, hands: Hands) -> None:
        if self._typical == 0:
            self._typical = hands.typical(self.side)
            self._goal = self.scaled(self.plant.size, self._typical, 600, 1000)
            self._price = hands.best(self.side)
        is_through = (
            hands.best(-self.side) - self._price
        ) * self.side <= 0  # the other side stands there now
        if hands.now >= self.until or self._traded >= self._goal or is_through:
            self._end(hands)
            return
        while hands.size_at(self._price) < self._typical and self._rest(hands):
            pass
        self._throw(hands)
        self.wait(hands, 15 * MS, 45 * MS)

    def _rest(self, hands: Hands) -> bool:
        size = self.scaled(0, self._typical, 30, 70)
        order = hands.rest(self.side, self._price, size)
        if order is not None:
            self._orders.append(order)
        return order is not None

    def _throw(self, hands: Hands) -> None:
        share = self.scaled(0, self._typical, 8, 30)
        better = hands.up_to(self.side, self._price + self.side)
        traded = hands.take(-self.side, better + min(share, hands.size_at(self._price) - 1), self._price)
        self._traded += max(traded - better, 0)

    def _end(self, hands: Hands) -> None:
        for order in self._orders:
            if hands.alive(order):
                self._orders = [order]
        fate = "filled" if 2 * self._traded >= self._goal else "failed"
        first = self._orders[0].number if self._orders else 0
        self.ended(hands, self._price, self._traded, count=1, fate=fate, order_id=first)
        self.is_over = True
