"""Orders in first-in-first-out queues: place, change, take away; each writes the rows that say so."""

# mypy: disable-error-code="no-any-return"
# (elements of numpy arrays have no static type; numba infers and checks them)

from __future__ import annotations

from typing import Final

from workbench.events import EventKind
from workbench.feeds.simulator.chance import kernel
from workbench.feeds.simulator.state import (
    ASK,
    BID,
    COUNT,
    FREE,
    HEAD,
    HIGH,
    LOW,
    NEXT_ID,
    O_HIDDEN,
    O_ID,
    O_KIND,
    O_NEXT,
    O_PEAK,
    O_PREV,
    O_PRICE,
    O_SIDE,
    O_SIZE,
    PRESSURE,
    RECENT,
    RECENT_ID,
    ROWS,
    SIZE,
    STALE_ASK,
    STALE_BID,
    TAIL,
    TS,
    VENUE,
    Market,
)

_DEPTH: Final = int(EventKind.DEPTH)
_NEW: Final = int(EventKind.MBO_NEW)
_REPLACE: Final = int(EventKind.MBO_REPLACE)
_CANCEL: Final = int(EventKind.MBO_CANCEL)


@kernel
def emit(
    m: Market, kind: int, side: int, price: int, size: int, order: int, aggressor: int, flags: int
) -> None:
    """Write one event row with the times of the action under way."""
    row = m.out[m.s[ROWS]]
    m.s[ROWS] += 1
    row[0] = m.s[TS]
    row[1] = m.s[VENUE]
    row[2] = kind
    row[3] = side
    row[4] = price
    row[5] = size
    row[6] = order
    row[7] = aggressor
    row[8] = flags


@kernel
def depth(m: Market, side: int, price: int) -> None:
    """Say the new total of a level."""
    emit(m, _DEPTH, side, price, m.levels[price & (m.levels.shape[0] - 1), SIZE], 0, 0, 0)


@kernel
def best(m: Market, side: int) -> int:
    """Best price of a side, ticks."""
    return m.s[BID] if side > 0 else m.s[ASK]


@kernel
def level(m: Market, price: int) -> int:
    """Row of a price in ``levels``: the window of prices is a ring."""
    return price & (m.levels.shape[0] - 1)


@kernel
def append(m: Market, order: int) -> None:
    """Put an order at the end of the queue of its price."""
    at = level(m, m.orders[order, O_PRICE])
    last = m.levels[at, TAIL]
    m.orders[order, O_PREV] = last
    m.orders[order, O_NEXT] = -1
    if last >= 0:
        m.orders[last, O_NEXT] = order
    else:
        m.levels[at, HEAD] = order
    m.levels[at, TAIL] = order
    m.levels[at, COUNT] += 1
    m.levels[at, SIZE] += m.orders[order, O_SIZE]


@kernel
def unlink(m: Market, order: int) -> None:
    """Take an order out of its queue; the best price is left as it is."""
    at = level(m, m.orders[order, O_PRICE])
    before, after = m.orders[order, O_PREV], m.orders[order, O_NEXT]
    if before >= 0:
        m.orders[before, O_NEXT] = after
    else:
        m.levels[at, HEAD] = after
    if after >= 0:
        m.orders[after, O_PREV] = before
    else:
        m.levels[at, TAIL] = before
    m.levels[at, COUNT] -= 1
    m.levels[at, SIZE] -= m.orders[order, O_SIZE]


@kernel
def advance_best(m: Market, side: int, price: int) -> None:
    """Note a price that may be a new best or a new edge of the book."""
    s = m.s
    if side > 0 and price > s[BID]:
        s[STALE_BID], s[BID] = s[BID], price
    elif side < 0 and price < s[ASK]:
        s[STALE_ASK], s[ASK] = s[ASK], price
    s[LOW] = min(s[LOW], price)
    s[HIGH] = max(s[HIGH], price)


@kernel
def place(m: Market, side: int, price: int, size: int, kind: int, hidden: int, number: int) -> int:
    """Rest a new order and say so; returns its row. The caller says the level's new total.

    ``number`` is the id of an order that was known before (the rest of an aggressor), 0 for a new one.
    """
    s = m.s
    s[FREE] -= 1
    order = m.free[s[FREE]]
    if number == 0:
        s[NEXT_ID] += 1
        number = s[NEXT_ID]
    row = m.orders[order]
    row[O_ID], row[O_PRICE], row[O_SIZE], row[O_SIDE] = number, price, size, side
    row[O_HIDDEN], row[O_PEAK], row[O_KIND] = hidden, size, kind
    append(m, order)
    advance_best(m, side, price)
    s[RECENT], s[RECENT_ID] = order, number
    emit(m, _NEW, side, price, size, number, 0, 0)
    return order


@kernel
def retreat(m: Market, side: int) -> None:
    """Find the next best price of a side whose best level is empty.

    The book never runs out: an aggressor stops at its protection price, far inside. Should cancellations empty
    a side after all, the venue's own market maker quotes one lot.
    """
    price = best(m, side)
    edge = m.s[LOW] if side > 0 else m.s[HIGH]
    m.s[PRESSURE] = -side
    while m.levels[level(m, price), COUNT] == 0 and price != edge:
        price -= side
    if side > 0:
        m.s[BID] = price
    else:
        m.s[ASK] = price
    if m.levels[level(m, price), COUNT] == 0:
        place(m, side, price, 1, 0, 0, 0)
        depth(m, side, price)


@kernel
def drop(m: Market, order: int) -> None:
    """Forget an order that left; a best level that became empty gives way to the next."""
    side, price = m.orders[order, O_SIDE], m.orders[order, O_PRICE]
    unlink(m, order)
    m.orders[order, O_ID] = 0
    m.free[m.s[FREE]] = order
    m.s[FREE] += 1
    if m.levels[level(m, price), COUNT] == 0 and price == best(m, side):
        retreat(m, side)


@kernel
def cancel(m: Market, order: int) -> None:
    """Pull an order: its row carries what was left of it."""
    row = m.orders[order]
    side, price = row[O_SIDE], row[O_PRICE]
    emit(m, _CANCEL, 0, price, row[O_SIZE], row[O_ID], 0, 0)
    emit(m, _DEPTH, side, price, m.levels[level(m, price), SIZE] - row[O_SIZE], 0, 0, 0)
    drop(m, order)


@kernel
def resize(m: Market, order: int, size: int) -> None:
    """Change an order's size in place: smaller keeps its turn, larger goes to the end of the queue."""
    row = m.orders[order]
    side, price = row[O_SIDE], row[O_PRICE]
    if size > row[O_SIZE]:
        unlink(m, order)
        row[O_SIZE] = size
        append(m, order)
    else:
        m.levels[level(m, price), SIZE] -= row[O_SIZE] - size
        row[O_SIZE] = size
    emit(m, _REPLACE, 0, price, size, row[O_ID], 0, 0)
    depth(m, side, price)


@kernel
def move(m: Market, order: int, price: int) -> None:
    """Change an order's price: a pull at the old level and a stack at the end of the new one."""
    row = m.orders[order]
    side, old = row[O_SIDE], row[O_PRICE]
    unlink(m, order)
    row[O_PRICE] = price
    append(m, order)
    emit(m, _REPLACE, 0, price, row[O_SIZE], row[O_ID], 0, 0)
    depth(m, side, old)
    depth(m, side, price)
    advance_best(m, side, price)
    if m.levels[level(m, old), COUNT] == 0 and old == best(m, side):
        retreat(m, side)
