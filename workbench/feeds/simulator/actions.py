"""What participants do: enter, pull, change and take. One call is one atomic action of one participant."""

# mypy: disable-error-code="no-any-return"
# (elements of numpy arrays have no static type; numba infers and checks them)

from __future__ import annotations

from typing import Final

from workbench.events import EventKind, Flag
from workbench.feeds.simulator.chance import below, exponential, kernel, uniform
from workbench.feeds.simulator.queues import (
    append,
    best,
    cancel,
    depth,
    emit,
    level,
    move,
    place,
    resize,
    retreat,
    unlink,
)
from workbench.feeds.simulator.rules import (
    AGGRESSIONS,
    BALANCE,
    BURST_LENGTHS,
    BURST_SHARE,
    BURST_TRADE,
    CAP_SHARE,
    CHASE,
    CLOSE_SHARE,
    ECHO,
    FADE_SHARE,
    FADE_STEPS,
    FAST_KICK,
    FLICKER,
    FOLLOW,
    FULL_CLOSE,
    IMBALANCE,
    LEAN,
    MODIFY_SHARE,
    NEAR_SIZES,
    PARENT_BIAS,
    PARENT_KEEP,
    PROTECT_TICKS,
    RESIZE_SHARE,
    REST_SHARE,
    SLOW_KICK,
    TABLE_LENGTH,
    TRADE_SHARE,
    TREND_BIAS,
    WALL_SHARE,
)
from workbench.feeds.simulator.state import (
    ACTIONS,
    ALARM,
    ASK,
    BID,
    BURST,
    BURST_SIGN,
    COUNT,
    FADE,
    FADE_LEFT,
    FREE,
    HEAD,
    HEAT_FAST,
    HEAT_SLOW,
    NEXT_ID,
    O_HIDDEN,
    O_ID,
    O_KIND,
    O_PEAK,
    O_PRICE,
    O_SIDE,
    O_SIZE,
    PARENT,
    PLAIN,
    PRESSURE,
    RECENT,
    RECENT_ID,
    ROWS,
    SIGN,
    SIZE,
    STALE_ASK,
    STALE_BID,
    TREND,
    Market,
)
from workbench.feeds.simulator.terrain import (
    drawn,
    drawn_distance,
    drawn_size,
    occupied,
    picked,
    settled,
    target,
)
from workbench.feeds.simulator.walls import tend_wall

_TRADE: Final = int(EventKind.TRADE)
_NEW: Final = int(EventKind.MBO_NEW)
_REPLACE: Final = int(EventKind.MBO_REPLACE)
_CANCEL: Final = int(EventKind.MBO_CANCEL)
_START: Final = int(Flag.EXEC_START)
_END: Final = int(Flag.EXEC_END)
_MOST_FILLS: Final = 1000
_SPARE_ORDERS: Final = 64


@kernel
def settle_fill(m: Market, order: int, size: int) -> None:
    """Book a fill against a resting order: it shrinks, shows its next slice, or leaves."""
    row = m.orders[order]
    at = level(m, row[O_PRICE])
    if size < row[O_SIZE]:
        row[O_SIZE] -= size
        m.levels[at, SIZE] -= size
        emit(m, _REPLACE, 0, row[O_PRICE], row[O_SIZE], row[O_ID], 0, 0)
        return
    unlink(m, order)
    emit(m, _CANCEL, 0, row[O_PRICE], 0, row[O_ID], 0, 0)
    if row[O_HIDDEN] > 0:  # an iceberg's next slice enters at the end of the queue under the same id
        row[O_SIZE] = min(row[O_PEAK], row[O_HIDDEN])
        row[O_HIDDEN] -= row[O_SIZE]
        append(m, order)
        emit(m, _NEW, row[O_SIDE], row[O_PRICE], row[O_SIZE], row[O_ID], 0, 0)
        return
    row[O_ID] = 0
    m.free[m.s[FREE]] = order
    m.s[FREE] += 1


@kernel
def match(m: Market, sign: int, size: int, limit: int, aggressor: int) -> int:
    """Trade against the resting orders, first in first out, best price first; returns what is left.

    Parameters
    ----------
    sign : int
        +1 buy, −1 sell.
    limit : int, ticks
        Worst price taken (market orders: their protection price).
    """
    fills, last = 0, 0
    flags = _START
    while size > 0 and fills < _MOST_FILLS:
        price = best(m, -sign)
        if (price - limit) * sign > 0:
            break
        at = level(m, price)
        while size > 0 and m.levels[at, COUNT] > 0 and fills < _MOST_FILLS:
            order = m.levels[at, HEAD]
            traded = min(size, m.orders[order, O_SIZE])
            last = m.s[ROWS]
            emit(m, _TRADE, sign, price, traded, m.orders[order, O_ID], aggressor, flags)
            settle_fill(m, order, traded)
            size -= traded
            fills += 1
            flags = 0
        depth(m, -sign, price)
        if m.levels[at, COUNT] == 0:
            retreat(m, -sign)
    m.out[last, 8] |= _END
    return size


@kernel
def drawn_sign(m: Market) -> int:
    """Side of the next aggressor: the burst, the last order's next slice, or the parent order at work."""
    s, r = m.s, m.rules
    if s[BURST] > 0 and uniform(m.rng) < 0.8:
        if uniform(m.rng) < 0.06:  # the other side fights back
            s[BURST_SIGN] = -s[BURST_SIGN]
        return s[BURST_SIGN]
    if uniform(m.rng) < r[ECHO]:
        return s[SIGN]
    if uniform(m.rng) >= r[PARENT_KEEP]:
        s[PARENT] = 1 if uniform(m.rng) < 0.5 + r[TREND_BIAS] * s[TREND] else -1
    bid, ask = m.levels[level(m, s[BID]), SIZE], m.levels[level(m, s[ASK]), SIZE]
    tilt = r[IMBALANCE] * (bid - ask) / (bid + ask)
    return 1 if uniform(m.rng) < 0.5 + r[PARENT_BIAS] * s[PARENT] + tilt else -1


@kernel
def aggress(m: Market) -> None:
    """Send a market order, or a limit order that crosses and rests with what it did not get."""
    s, r = m.s, m.rules
    sign = drawn_sign(m)
    s[SIGN] = sign
    price = best(m, -sign)
    size = drawn(m, AGGRESSIONS)
    if uniform(m.rng) < r[CAP_SHARE]:
        size = min(size, m.levels[level(m, price), SIZE])
    s[NEXT_ID] += 1
    aggressor = s[NEXT_ID]
    rests = uniform(m.rng) < r[REST_SHARE]
    left = match(m, sign, size, price if rests else price + sign * int(r[PROTECT_TICKS]), aggressor)
    if rests and left > 0 and m.levels[level(m, price), COUNT] == 0:
        place(m, sign, price, left, PLAIN, 0, aggressor)
        depth(m, sign, price)
    m.f[HEAT_FAST] += r[FAST_KICK]
    m.f[HEAT_SLOW] += r[SLOW_KICK]
    if s[BURST] == 0 and uniform(m.rng) < r[BURST_SHARE]:
        s[BURST], s[BURST_SIGN] = drawn(m, BURST_LENGTHS), sign


@kernel
def close_spread(m: Market) -> None:
    """Quote inside a wide spread: the price follows the pressure, or the depleted side comes back."""
    s, r = m.s, m.rules
    chance = 0.95 if s[FADE] != 0 else r[FOLLOW] + r[LEAN] * s[TREND] * s[PRESSURE]
    follows = uniform(m.rng) < chance
    side = s[PRESSURE] if follows else -s[PRESSURE]
    room = s[ASK] - s[BID] - 1
    step = room if uniform(m.rng) < r[FULL_CLOSE] else 1 + below(m.rng, room)
    price = best(m, side) + side * step
    place(m, side, price, drawn_size(m, 0), PLAIN, 0, 0)
    depth(m, side, price)


@kernel
def enter(m: Market, side: int, price: int, distance: int) -> None:
    """Rest a new order at a price, now and then one that shows only a slice of itself."""
    size = drawn_size(m, distance)
    iceberg = size > 2 and below(m.rng, 40) == 0
    place(m, side, price, size, PLAIN, size * (3 + below(m.rng, 6)) if iceberg else 0, 0)
    depth(m, side, price)


@kernel
def withdraw(m: Market, side: int, distance: int) -> None:
    """Pull an order: the one entered last (a flickering quote), or one at a distance."""
    s = m.s
    recent = s[RECENT]
    if s[RECENT_ID] > 0 and uniform(m.rng) < m.rules[FLICKER]:
        if m.orders[recent, O_ID] == s[RECENT_ID] and m.orders[recent, O_KIND] == PLAIN:
            cancel(m, recent)
        s[RECENT_ID] = 0
        return
    price = occupied(m, side, distance)
    order = picked(m, price) if price >= 0 else -1
    if order >= 0:
        cancel(m, order)


@kernel
def enter_or_withdraw(m: Market) -> None:
    """Enter where orders are missing, pull where there are many."""
    side = 1 if below(m.rng, 2) else -1
    distance = drawn_distance(m)
    price = settled(m, side, distance)
    away = (best(m, side) - price) * side
    wanted = target(m, price, away)
    count = m.levels[level(m, price), COUNT]
    share = 0.5 + m.rules[BALANCE] * (wanted - count) / max(wanted, 1.0)
    if uniform(m.rng) < min(max(share, 0.04), 0.96):
        enter(m, side, price, away)
    else:
        withdraw(m, side, distance)


@kernel
def chase(m: Market, side: int) -> bool:
    """Bring an order from the touch that was left behind to the new one."""
    stale = m.s[STALE_BID] if side > 0 else m.s[STALE_ASK]
    if (best(m, side) - stale) * side <= 0 or m.levels[level(m, stale), COUNT] == 0:
        return False
    order = picked(m, stale)
    if order < 0 or m.orders[order, O_SIDE] != side or m.orders[order, O_PRICE] != stale:
        return False
    move(m, order, best(m, side))
    return True


@kernel
def modify(m: Market) -> None:
    """Change an order's price or size."""
    side = 1 if below(m.rng, 2) else -1
    if uniform(m.rng) < m.rules[CHASE] and chase(m, side):
        return
    price = occupied(m, side, drawn_distance(m))
    order = picked(m, price) if price >= 0 else -1
    if order < 0:
        return
    goal = settled(m, side, drawn_distance(m))
    whale = m.orders[order, O_SIZE] > m.tables[NEAR_SIZES, TABLE_LENGTH - 2]  # stays away from the touch
    if uniform(m.rng) < m.rules[RESIZE_SHARE] or goal == price or whale:
        size = drawn_size(m, (best(m, side) - price) * side)
        resize(m, order, size if size != m.orders[order, O_SIZE] else size + 1)
    else:
        move(m, order, goal)


@kernel
def begin_fade(m: Market) -> None:
    """Let the quotes of one side give way for some steps: the price moves without much trade."""
    s, r = m.s, m.rules
    up = uniform(m.rng) < 0.5 + r[TREND_BIAS] * s[TREND]
    s[FADE] = -1 if up else 1
    s[FADE_LEFT] = 1 + int(r[FADE_STEPS] * exponential(m.rng))


@kernel
def fade(m: Market) -> None:
    """Pull or set back one order of the touch that gives way; a wall there ends it."""
    s = m.s
    side = s[FADE]
    price = best(m, side)
    order = picked(m, price)
    if order < 0:
        s[FADE] = 0
        return
    if below(m.rng, 2):
        cancel(m, order)
    else:
        move(m, order, settled(m, side, 1 + drawn_distance(m)))
    if best(m, side) != price:
        s[FADE_LEFT] -= 1
        s[FADE] = side if s[FADE_LEFT] > 0 else 0


@kernel
def act(m: Market) -> None:
    """Let one participant do one thing."""
    s, r = m.s, m.rules
    s[ACTIONS] += 1
    if s[BURST] > 0:
        s[BURST] -= 1
    if s[FREE] < _SPARE_ORDERS:
        withdraw(m, 1 - 2 * below(m.rng, 2), drawn_distance(m))
        return
    if s[ASK] - s[BID] > 1 and uniform(m.rng) < r[CLOSE_SHARE]:
        close_spread(m)
        return
    if s[FADE] != 0 and uniform(m.rng) < 0.75:
        fade(m)
        return
    if s[ALARM] > 0 and uniform(m.rng) < 0.6 and tend_wall(m, s[ALARM] - 1):
        return
    if s[FADE] == 0 and uniform(m.rng) < r[FADE_SHARE]:
        begin_fade(m)
    trade = r[BURST_TRADE] if s[BURST] > 0 else r[TRADE_SHARE]
    u = uniform(m.rng)
    if u < trade:
        aggress(m)
    elif u < trade + r[MODIFY_SHARE]:
        modify(m)
    elif u >= 1.0 - r[WALL_SHARE] and tend_wall(m, below(m.rng, m.walls.shape[0])):
        return
    else:
        enter_or_withdraw(m)
