"""Where orders like to stand: round prices, sparse grids, targets per level, and the search for a level or order."""

# mypy: disable-error-code="no-any-return"
# (elements of numpy arrays have no static type; numba infers and checks them)

from __future__ import annotations

import numpy as np

from workbench.book.jit import part
from workbench.feeds.simulator.chance import below, cell, mixed, uniform
from workbench.feeds.simulator.queues import best, level, place
from workbench.feeds.simulator.rules import (
    DISTANCES,
    FAR_SIZES,
    NEAR_SIZES,
    TABLE_LENGTH,
    TARGETS,
)
from workbench.feeds.simulator.state import PLAIN, Market

_NONE = -1


@part
def drawn(m: Market, table: int) -> int:
    """Draw from one of the profile's tables."""
    return m.tables[table, cell(m)]


@part
def drawn_size(m: Market, distance: int) -> int:
    """Draw the size of a new order, lots."""
    return drawn(m, NEAR_SIZES) if distance == 0 else drawn(m, FAR_SIZES)


@part
def grain(m: Market, price: int) -> int:
    """Random but lasting property of a price, 0 … 2³¹ − 1."""
    return np.int64(mixed(m.key ^ np.uint64(price)) >> np.uint64(33))  # type: ignore[return-value]


@part
def inhabited(m: Market, price: int, distance: int) -> bool:
    """Whether orders like to stand at a price: all of a dense book, every few of a sparse one, round ones always."""
    gap = int(m.gap_ticks)
    if gap <= 1 or distance == 0 or price % int(m.round_ticks) == 0:
        return True
    if distance > 2000:
        gap *= 2
    if distance > 8000:
        gap *= 2
    return bool(grain(m, price) % gap == 0)


@part
def target(m: Market, price: int, distance: int) -> float:
    """Orders that like to stand at a price; round prices draw more of them."""
    if not inhabited(m, price, distance):
        return 0.0
    wanted = m.tables[TARGETS, min(distance, TABLE_LENGTH - 1)] / 256.0
    if distance < 3:
        return wanted
    unit = int(m.round_ticks)
    if price % (5 * unit) == 0:
        return wanted * 2.2
    if price % unit == 0:
        return wanted * 1.4
    return wanted * (0.65 + 0.5 * (grain(m, price) % 1024) / 1024.0)


@part
def settled(m: Market, side: int, distance: int) -> int:
    """Price at a distance from the best, moved outward to one where orders like to stand."""
    price = best(m, side) - side * distance
    while not inhabited(m, price, distance):
        price -= side
        distance += 1
    return price


@part
def occupied(m: Market, side: int, distance: int) -> int:
    """Nearest price at or beyond a distance that holds orders, or −1 (64 ticks tried)."""
    price = best(m, side) - side * distance
    for _ in range(64):
        if m.levels[level(m, price)].count > 0:
            return price
        price -= side
    return _NONE


@part
def drawn_distance(m: Market) -> int:
    """Draw a distance from the best price, ticks, inside the window."""
    return min(drawn(m, DISTANCES), int(m.reach_ticks) - 200)


@part
def picked(m: Market, price: int) -> int:
    """Pick an order of a level that its owner may change: often the last, else one of the first 24; −1 if none."""
    at = level(m, price)
    order = m.levels[at].tail
    if uniform(m) >= m.fleet:
        order = m.levels[at].head
        for _ in range(below(m, min(m.levels[at].count, 24))):
            order = m.orders[order].next
    if m.orders[order].kind != PLAIN:
        order = m.levels[at].head
        while order >= 0 and m.orders[order].kind != PLAIN:
            order = m.orders[order].next
    return order


@part
def settle_side(m: Market, side: int) -> None:
    """Fill one side of a new book, from the best price outward."""
    start = best(m, side)
    for distance in range(int(m.book_ticks)):
        price = start - side * distance
        for _ in range(int(target(m, price, distance) + uniform(m))):
            if m.free > 64:
                place(m, side, price, drawn_size(m, distance), PLAIN, 0, 0)
                m.rows = 0  # nobody hears of these: the snapshot will show them
