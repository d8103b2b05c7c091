"""Walls: large resting interest at round prices that is built up, defended, pulled or eaten."""

from __future__ import annotations

from workbench.book.jit import part
from workbench.feeds.simulator.chance import below, uniform
from workbench.feeds.simulator.queues import best, cancel, depth, level, place
from workbench.feeds.simulator.rules import (
    WALL_LIVES,
    WALL_SIZES,
)
from workbench.feeds.simulator.state import (
    WALL,
    WALLS,
    Market,
)
from workbench.feeds.simulator.terrain import drawn

_SECOND = 1_000_000_000


@part
def found_wall(m: Market, k: int) -> None:
    """Decide on a new wall: a round price, a size, a life, and whether it runs when the price comes near."""
    if m.quiet == 1:
        return
    side = 1 - 2 * below(m, 2)
    away = int(m.wall_near) + below(m, int(m.wall_far - m.wall_near))
    unit = int(m.round_ticks) * (5 if below(m, 3) == 0 else 1)
    price = (best(m, side) - side * away) // unit * unit
    for other in range(WALLS):
        if m.walls[other].target > 0 and abs(m.walls[other].price - price) < 2 * unit:
            return
    if (best(m, side) - price) * side <= m.flinch_ticks:
        return
    w = m.walls[k]
    w.price, w.side, w.target = price, side, drawn(m, WALL_SIZES)
    w.until = int(m.market_ns) + drawn(m, WALL_LIVES) * _SECOND
    w.flighty = below(m, 5) < 2


@part
def pull_brick(m: Market, k: int) -> bool:
    """Pull one order of a wall; false once none is left and the wall is forgotten."""
    order = m.levels[level(m, m.walls[k].price)].head
    while order >= 0 and m.orders[order].kind != WALL:
        order = m.orders[order].next
    if order < 0:
        m.walls[k].target = 0
        m.alarm = 0
        return False
    m.alarm = k + 1
    cancel(m, order)
    return True


@part
def lay_brick(m: Market, k: int) -> bool:
    """Reinforce a wall that is short of its size, now and then with an iceberg; false if it needs nothing."""
    w = m.walls[k]
    missing = w.target - m.levels[level(m, w.price)].size
    if missing <= 0:
        return False
    size = min(missing, w.target // 12 + below(m, w.target // 4)) + 1
    hidden = 0
    if uniform(m) < 0.15:
        size = size // 4 + 1
        hidden = size * (3 + below(m, 6))
    place(m, w.side, w.price, size, WALL, hidden, 0)
    depth(m, w.side, w.price)
    return True


@part
def tend_wall(m: Market, k: int) -> bool:
    """Do what a wall needs now; false if that is nothing."""
    w = m.walls[k]
    if w.target == 0:
        if uniform(m) < 0.03:
            found_wall(m, k)
        return False
    distance = (best(m, w.side) - w.price) * w.side
    if distance < 0:  # eaten: the price went through
        w.target = 0
        m.alarm = 0
        return False
    if m.market_ns > w.until or (w.flighty and distance <= m.flinch_ticks):
        return pull_brick(m, k)
    if distance == 0:  # under attack: whoever stands behind it loses heart
        w.target -= w.target // 8
    elif uniform(m) < 0.3:
        return lay_brick(m, k)
    return False
