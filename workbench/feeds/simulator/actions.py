"""What participants do: enter, pull, change and take. One call is one atomic action of one participant."""

# mypy: disable-error-code="no-any-return"
# (elements of numpy arrays have no static type; numba infers and checks them)

from __future__ import annotations

from typing import Final

from workbench.book.jit import part
from workbench.events import EventKind, Flag
from workbench.feeds.simulator.chance import below, exponential, uniform
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
    BURST_LENGTHS,
    NEAR_SIZES,
    TABLE_LENGTH,
)
from workbench.feeds.simulator.state import (
    PLAIN,
    WALLS,
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


@part
def settle_fill(m: Market, order: int, size: int) -> None:
    """Book a fill against a resting order: it shrinks, shows its next slice, or leaves."""
    row = m.orders[order]
    at = level(m, row.price)
    if size < row.size:
        row.size -= size
        m.levels[at].size -= size
        emit(m, _REPLACE, 0, row.price, row.size, row.id, 0, 0)
        return
    unlink(m, order)
    emit(m, _CANCEL, 0, row.price, 0, row.id, 0, 0)
    if row.hidden > 0:  # an iceberg's next slice enters at the end of the queue under the same id
        row.size = min(row.peak, row.hidden)
        row.hidden -= row.size
        append(m, order)
        emit(m, _NEW, row.side, row.price, row.size, row.id, 0, 0)
        return
    row.id = 0
    m.spare[m.free] = order
    m.free += 1


@part
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
        while size > 0 and m.levels[at].count > 0 and fills < _MOST_FILLS:
            order = m.levels[at].head
            traded = min(size, m.orders[order].size)
            last = m.rows
            emit(m, _TRADE, sign, price, traded, m.orders[order].id, aggressor, flags)
            settle_fill(m, order, traded)
            size -= traded
            fills += 1
            flags = 0
        depth(m, -sign, price)
        if m.levels[at].count == 0:
            retreat(m, -sign)
    m.out[last].flags |= _END
    return size


@part
def drawn_sign(m: Market) -> int:
    """Side of the next aggressor: the burst, the last order's next slice, or the parent order at work."""
    if m.burst > 0 and uniform(m) < 0.8:
        if uniform(m) < 0.06:  # the other side fights back
            m.burst_sign = -m.burst_sign
        return m.burst_sign
    if uniform(m) < m.echo:
        return m.sign
    if uniform(m) >= m.parent_keep:
        m.parent = 1 if uniform(m) < 0.5 + m.trend_bias * m.trend else -1
    bid, ask = m.levels[level(m, m.bid)].size, m.levels[level(m, m.ask)].size
    tilt = m.imbalance * (bid - ask) / (bid + ask)
    return 1 if uniform(m) < 0.5 + m.parent_bias * m.parent + tilt else -1


@part
def aggress(m: Market) -> None:
    """Send a market order, or a limit order that crosses and rests with what it did not get."""
    sign = drawn_sign(m)
    m.sign = sign
    price = best(m, -sign)
    size = drawn(m, AGGRESSIONS)
    if uniform(m) < m.cap_share:
        size = min(size, m.levels[level(m, price)].size)
    m.next_id += 1
    aggressor = m.next_id
    rests = uniform(m) < m.rest_share
    left = match(m, sign, size, price if rests else price + sign * int(m.protect_ticks), aggressor)
    if rests and left > 0 and m.levels[level(m, price)].count == 0:
        place(m, sign, price, left, PLAIN, 0, aggressor)
        depth(m, sign, price)
    m.heat_fast += m.fast_kick
    m.heat_slow += m.slow_kick
    if m.burst == 0 and uniform(m) < m.burst_share:
        m.burst, m.burst_sign = drawn(m, BURST_LENGTHS), sign


@part
def close_spread(m: Market) -> None:
    """Quote inside a wide spread: the price follows the pressure, or the depleted side comes back."""
    chance = 0.95 if m.fade != 0 else m.follow + m.lean * m.trend * m.pressure
    follows = uniform(m) < chance
    side = m.pressure if follows else -m.pressure
    room = m.ask - m.bid - 1
    step = room if uniform(m) < m.full_close else 1 + below(m, room)
    price = best(m, side) + side * step
    place(m, side, price, drawn_size(m, 0), PLAIN, 0, 0)
    depth(m, side, price)


@part
def enter(m: Market, side: int, price: int, distance: int) -> None:
    """Rest a new order at a price, now and then one that shows only a slice of itself."""
    size = drawn_size(m, distance)
    iceberg = size > 2 and below(m, 40) == 0 and m.quiet == 0
    place(m, side, price, size, PLAIN, size * (3 + below(m, 6)) if iceberg else 0, 0)
    depth(m, side, price)


@part
def withdraw(m: Market, side: int, distance: int) -> None:
    """Pull an order: the one entered last (a flickering quote), or one at a distance."""
    recent = m.recent
    if m.recent_id > 0 and uniform(m) < m.flicker:
        if m.orders[recent].id == m.recent_id and m.orders[recent].kind == PLAIN:
            cancel(m, recent)
        m.recent_id = 0
        return
    price = occupied(m, side, distance)
    order = picked(m, price) if price >= 0 else -1
    if order >= 0:
        cancel(m, order)


@part
def enter_or_withdraw(m: Market) -> None:
    """Enter where orders are missing, pull where there are many."""
    side = 1 if below(m, 2) else -1
    distance = drawn_distance(m)
    price = settled(m, side, distance)
    away = (best(m, side) - price) * side
    wanted = target(m, price, away)
    count = m.levels[level(m, price)].count
    share = 0.5 + m.balance * (wanted - count) / max(wanted, 1.0)
    if uniform(m) < min(max(share, 0.04), 0.96):
        enter(m, side, price, away)
    else:
        withdraw(m, side, distance)


@part
def chase(m: Market, side: int) -> bool:
    """Bring an order from the touch that was left behind to the new one."""
    stale = m.stale_bid if side > 0 else m.stale_ask
    if (best(m, side) - stale) * side <= 0 or m.levels[level(m, stale)].count == 0:
        return False
    order = picked(m, stale)
    if order < 0 or m.orders[order].side != side or m.orders[order].price != stale:
        return False
    move(m, order, best(m, side))
    return True


@part
def modify(m: Market) -> None:
    """Change an order's price or size."""
    side = 1 if below(m, 2) else -1
    if uniform(m) < m.chase and chase(m, side):
        return
    price = occupied(m, side, drawn_distance(m))
    order = picked(m, price) if price >= 0 else -1
    if order < 0:
        return
    goal = settled(m, side, drawn_distance(m))
    whale = m.orders[order].size > m.tables[NEAR_SIZES, TABLE_LENGTH - 2]  # stays away from the touch
    if uniform(m) < m.resize_share or goal == price or whale:
        size = drawn_size(m, (best(m, side) - price) * side)
        resize(m, order, size if size != m.orders[order].size else size + 1)
    else:
        move(m, order, goal)


@part
def begin_fade(m: Market) -> None:
    """Let the quotes of one side give way for some steps: the price moves without much trade."""
    up = uniform(m) < 0.5 + m.trend_bias * m.trend
    m.fade = -1 if up else 1
    m.fade_left = 1 + int(m.fade_steps * exponential(m))


@part
def fade(m: Market) -> None:
    """Pull or set back one order of the touch that gives way; a wall there ends it."""
    side = m.fade
    price = best(m, side)
    order = picked(m, price)
    if order < 0:
        m.fade = 0
        return
    if below(m, 2):
        cancel(m, order)
    else:
        move(m, order, settled(m, side, 1 + drawn_distance(m)))
    if best(m, side) != price:
        m.fade_left -= 1
        m.fade = side if m.fade_left > 0 else 0


@part
def act(m: Market) -> None:
    """Let one participant do one thing."""
    m.actions += 1
    if m.burst > 0:
        m.burst -= 1
    if m.free < _SPARE_ORDERS:
        withdraw(m, 1 - 2 * below(m, 2), drawn_distance(m))
        return
    if m.ask - m.bid > 1 and uniform(m) < m.close_share:
        close_spread(m)
        return
    if m.fade != 0 and uniform(m) < 0.75:
        fade(m)
        return
    if m.alarm > 0 and uniform(m) < 0.6 and tend_wall(m, m.alarm - 1):
        return
    if m.fade == 0 and uniform(m) < m.fade_share:
        begin_fade(m)
    trade = m.burst_trade if m.burst > 0 else m.trade_share
    u = uniform(m)
    if u < trade:
        aggress(m)
    elif u < trade + m.modify_share:
        modify(m)
    elif u >= 1.0 - m.wall_share and tend_wall(m, below(m, WALLS)):
        return
    else:
        enter_or_withdraw(m)
