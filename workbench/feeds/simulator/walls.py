"""Walls: large resting interest at round prices that is built up, defended, pulled or eaten."""

from __future__ import annotations

from workbench.feeds.simulator.chance import below, kernel, uniform
from workbench.feeds.simulator.queues import best, cancel, depth, level, place
from workbench.feeds.simulator.rules import (
    FLINCH_TICKS,
    ROUND_TICKS,
    WALL_FAR,
    WALL_LIVES,
    WALL_NEAR,
    WALL_SIZES,
)
from workbench.feeds.simulator.state import (
    ALARM,
    HEAD,
    MARKET_NS,
    O_KIND,
    O_NEXT,
    SIZE,
    W_FLIGHTY,
    W_PRICE,
    W_SIDE,
    W_TARGET,
    W_UNTIL,
    WALL,
    Market,
)
from workbench.feeds.simulator.terrain import drawn

_SECOND = 1_000_000_000


@kernel
def found_wall(m: Market, k: int) -> None:
    """Decide on a new wall: a round price, a size, a life, and whether it runs when the price comes near."""
    side = 1 - 2 * below(m.rng, 2)
    away = int(m.rules[WALL_NEAR]) + below(m.rng, int(m.rules[WALL_FAR] - m.rules[WALL_NEAR]))
    unit = int(m.rules[ROUND_TICKS]) * (5 if below(m.rng, 3) == 0 else 1)
    price = (best(m, side) - side * away) // unit * unit
    for other in range(m.walls.shape[0]):
        if m.walls[other, W_TARGET] > 0 and abs(m.walls[other, W_PRICE] - price) < 2 * unit:
            return
    if (best(m, side) - price) * side <= m.rules[FLINCH_TICKS]:
        return
    w = m.walls[k]
    w[W_PRICE], w[W_SIDE], w[W_TARGET] = price, side, drawn(m, WALL_SIZES)
    w[W_UNTIL] = int(m.f[MARKET_NS]) + drawn(m, WALL_LIVES) * _SECOND
    w[W_FLIGHTY] = below(m.rng, 5) < 2


@kernel
def pull_brick(m: Market, k: int) -> bool:
    """Pull one order of a wall; false once none is left and the wall is forgotten."""
    order = m.levels[level(m, m.walls[k, W_PRICE]), HEAD]
    while order >= 0 and m.orders[order, O_KIND] != WALL:
        order = m.orders[order, O_NEXT]
    if order < 0:
        m.walls[k, W_TARGET] = 0
        m.s[ALARM] = 0
        return False
    m.s[ALARM] = k + 1
    cancel(m, order)
    return True


@kernel
def lay_brick(m: Market, k: int) -> bool:
    """Reinforce a wall that is short of its size, now and then with an iceberg; false if it needs nothing."""
    w = m.walls[k]
    missing = w[W_TARGET] - m.levels[level(m, w[W_PRICE]), SIZE]
    if missing <= 0:
        return False
    size = min(missing, w[W_TARGET] // 12 + below(m.rng, w[W_TARGET] // 4)) + 1
    hidden = 0
    if uniform(m.rng) < 0.15:
        size = size // 4 + 1
        hidden = size * (3 + below(m.rng, 6))
    place(m, w[W_SIDE], w[W_PRICE], size, WALL, hidden, 0)
    depth(m, w[W_SIDE], w[W_PRICE])
    return True


@kernel
def tend_wall(m: Market, k: int) -> bool:
    """Do what a wall needs now; false if that is nothing."""
    w = m.walls[k]
    if w[W_TARGET] == 0:
        if uniform(m.rng) < 0.03:
            found_wall(m, k)
        return False
    distance = (best(m, w[W_SIDE]) - w[W_PRICE]) * w[W_SIDE]
    if distance < 0:  # eaten: the price went through
        w[W_TARGET] = 0
        m.s[ALARM] = 0
        return False
    if m.f[MARKET_NS] > w[W_UNTIL] or (w[W_FLIGHTY] and distance <= m.rules[FLINCH_TICKS]):
        return pull_brick(m, k)
    if distance == 0:  # under attack: whoever stands behind it loses heart
        w[W_TARGET] -= w[W_TARGET] // 8
    elif uniform(m.rng) < 0.3:
        return lay_brick(m, k)
    return False
