"""Where orders like to stand: round prices, sparse grids, targets per level, and the search for a level or order."""

# mypy: disable-error-code="no-any-return"
# (elements of numpy arrays have no static type; numba infers and checks them)

from __future__ import annotations

import numpy as np

from workbench.feeds.simulator.chance import below, cell, kernel, mixed, uniform
from workbench.feeds.simulator.queues import best, level, place
from workbench.feeds.simulator.rules import (
    BOOK_TICKS,
    DISTANCES,
    FAR_SIZES,
    FLEET,
    GAP_TICKS,
    NEAR_SIZES,
    REACH_TICKS,
    ROUND_TICKS,
    TABLE_LENGTH,
    TARGETS,
)
from workbench.feeds.simulator.state import COUNT, FREE, HEAD, O_KIND, O_NEXT, PLAIN, ROWS, TAIL, Market

_NONE = -1


@kernel
def drawn(m: Market, table: int) -> int:
    """Draw from one of the profile's tables."""
    return m.tables[table, cell(m.rng)]


@kernel
def drawn_size(m: Market, distance: int) -> int:
    """Draw the size of a new order, lots."""
    return drawn(m, NEAR_SIZES) if distance == 0 else drawn(m, FAR_SIZES)


@kernel
def grain(m: Market, price: int) -> int:
    """Random but lasting property of a price, 0 … 2³¹ − 1."""
    return np.int64(mixed(m.rng[0] ^ np.uint64(price)) >> np.uint64(33))  # type: ignore[return-value]


@kernel
def inhabited(m: Market, price: int, distance: int) -> bool:
    """Whether orders like to stand at a price: all of a dense book, every few of a sparse one, round ones always."""
    gap = int(m.rules[GAP_TICKS])
    if gap <= 1 or distance == 0 or price % int(m.rules[ROUND_TICKS]) == 0:
        return True
    if distance > 2000:
        gap *= 2
    if distance > 8000:
        gap *= 2
    return bool(grain(m, price) % gap == 0)


@kernel
def target(m: Market, price: int, distance: int) -> float:
    """Orders that like to stand at a price; round prices draw more of them."""
    if not inhabited(m, price, distance):
        return 0.0
    wanted = m.tables[TARGETS, min(distance, TABLE_LENGTH - 1)] / 256.0
    if distance < 3:
        return wanted
    unit = int(m.rules[ROUND_TICKS])
    if price % (5 * unit) == 0:
        return wanted * 2.2
    if price % unit == 0:
        return wanted * 1.4
    return wanted * (0.65 + 0.5 * (grain(m, price) % 1024) / 1024.0)


@kernel
def settled(m: Market, side: int, distance: int) -> int:
    """Price at a distance from the best, moved outward to one where orders like to stand."""
    price = best(m, side) - side * distance
    while not inhabited(m, price, distance):
        price -= side
        distance += 1
    return price


@kernel
def occupied(m: Market, side: int, distance: int) -> int:
    """Nearest price at or beyond a distance that holds orders, or −1 (64 ticks tried)."""
    price = best(m, side) - side * distance
    for _ in range(64):
        if m.levels[level(m, price), COUNT] > 0:
            return price
        price -= side
    return _NONE


@kernel
def drawn_distance(m: Market) -> int:
    """Draw a distance from the best price, ticks, inside the window."""
    return min(drawn(m, DISTANCES), int(m.rules[REACH_TICKS]) - 200)


@kernel
def picked(m: Market, price: int) -> int:
    """Pick an order of a level that its owner may change: often the last, else one of the first 24; −1 if none."""
    at = level(m, price)
    order = m.levels[at, TAIL]
    if uniform(m.rng) >= m.rules[FLEET]:
        order = m.levels[at, HEAD]
        for _ in range(below(m.rng, min(m.levels[at, COUNT], 24))):
            order = m.orders[order, O_NEXT]
    if m.orders[order, O_KIND] != PLAIN:
        order = m.levels[at, HEAD]
        while order >= 0 and m.orders[order, O_KIND] != PLAIN:
            order = m.orders[order, O_NEXT]
    return order


@kernel
def settle_side(m: Market, side: int) -> None:
    """Fill one side of a new book, from the best price outward."""
    start = best(m, side)
    for distance in range(int(m.rules[BOOK_TICKS])):
        price = start - side * distance
        for _ in range(int(target(m, price, distance) + uniform(m.rng))):
            if m.s[FREE] > 64:
                place(m, side, price, drawn_size(m, distance), PLAIN, 0, 0)
                m.s[ROWS] = 0  # nobody hears of these: the snapshot will show them
