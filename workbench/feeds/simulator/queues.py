"""Orders in first-in-first-out queues: place, change, take away; each writes the rows that say so."""

# mypy: disable-error-code="no-any-return"
# (elements of numpy arrays have no static type; numba infers and checks them)

from __future__ import annotations

from typing import Final

from workbench.book.jit import part
from workbench.events import EventKind
from workbench.feeds.simulator.state import (
    Market,
)

_DEPTH: Final = int(EventKind.DEPTH)
_NEW: Final = int(EventKind.MBO_NEW)
_REPLACE: Final = int(EventKind.MBO_REPLACE)
_CANCEL: Final = int(EventKind.MBO_CANCEL)


@part
def emit(
    m: Market, kind: int, side: int, price: int, size: int, order: int, aggressor: int, flags: int
) -> None:
    """Write one event row with the times of the action under way."""
    row = m.out[m.rows]
    m.rows += 1
    row.ts = m.ts
    row.ts_source = m.venue
    row.kind = kind
    row.side = side
    row.price = price
    row.size = size
    row.order_id = order
    row.aggressor_id = aggressor
    row.flags = flags


@part
def depth(m: Market, side: int, price: int) -> None:
    """Say the new total of a level."""
    emit(m, _DEPTH, side, price, m.levels[price & m.mask].size, 0, 0, 0)


@part
def best(m: Market, side: int) -> int:
    """Best price of a side, ticks."""
    return m.bid if side > 0 else m.ask


@part
def level(m: Market, price: int) -> int:
    """Row of a price in ``levels``: the window of prices is a ring."""
    return price & m.mask


@part
def append(m: Market, order: int) -> None:
    """Put an order at the end of the queue of its price."""
    at = level(m, m.orders[order].price)
    last = m.levels[at].tail
    m.orders[order].prev = last
    m.orders[order].next = -1
    if last >= 0:
        m.orders[last].next = order
    else:
        m.levels[at].head = order
    m.levels[at].tail = order
    m.levels[at].count += 1
    m.levels[at].size += m.orders[order].size


@part
def unlink(m: Market, order: int) -> None:
    """Take an order out of its queue; the best price is left as it is."""
    at = level(m, m.orders[order].price)
    before, after = m.orders[order].prev, m.orders[order].next
    if before >= 0:
        m.orders[before].next = after
    else:
        m.levels[at].head = after
    if after >= 0:
        m.orders[after].prev = before
    else:
        m.levels[at].tail = before
    m.levels[at].count -= 1
    m.levels[at].size -= m.orders[order].size


@part
def advance_best(m: Market, side: int, price: int) -> None:
    """Note a price that may be a new best or a new edge of the book."""
    if side > 0 and price > m.bid:
        m.stale_bid, m.bid = m.bid, price
    elif side < 0 and price < m.ask:
        m.stale_ask, m.ask = m.ask, price
    m.low = min(m.low, price)
    m.high = max(m.high, price)


@part
def place(m: Market, side: int, price: int, size: int, kind: int, hidden: int, number: int) -> int:
    """Rest a new order and say so; returns its row. The caller says the level's new total.

    ``number`` is the id of an order that was known before (the rest of an aggressor), 0 for a new one.
    """
    m.free -= 1
    order = m.spare[m.free]
    if number == 0:
        m.next_id += 1
        number = m.next_id
    row = m.orders[order]
    row.id, row.price, row.size, row.side = number, price, size, side
    row.hidden, row.peak, row.kind = hidden, size, kind
    append(m, order)
    advance_best(m, side, price)
    m.recent, m.recent_id = order, number
    emit(m, _NEW, side, price, size, number, 0, 0)
    return order


@part
def retreat(m: Market, side: int) -> None:
    """Find the next best price of a side whose best level is empty.

    The book never runs out: an aggressor stops at its protection price, far inside. Should cancellations empty
    a side after all, the venue's own market maker quotes one lot.
    """
    price = best(m, side)
    edge = m.low if side > 0 else m.high
    m.pressure = -side
    while m.levels[level(m, price)].count == 0 and price != edge:
        price -= side
    if side > 0:
        m.bid = price
    else:
        m.ask = price
    if m.levels[level(m, price)].count == 0:
        place(m, side, price, 1, 0, 0, 0)
        depth(m, side, price)


@part
def drop(m: Market, order: int) -> None:
    """Forget an order that left; a best level that became empty gives way to the next."""
    side, price = m.orders[order].side, m.orders[order].price
    unlink(m, order)
    m.orders[order].id = 0
    m.spare[m.free] = order
    m.free += 1
    if m.levels[level(m, price)].count == 0 and price == best(m, side):
        retreat(m, side)


@part
def cancel(m: Market, order: int) -> None:
    """Pull an order: its row carries what was left of it."""
    row = m.orders[order]
    side, price = row.side, row.price
    emit(m, _CANCEL, 0, price, row.size, row.id, 0, 0)
    emit(m, _DEPTH, side, price, m.levels[level(m, price)].size - row.size, 0, 0, 0)
    drop(m, order)


@part
def resize(m: Market, order: int, size: int) -> None:
    """Change an order's size in place: smaller keeps its turn, larger goes to the end of the queue."""
    row = m.orders[order]
    side, price = row.side, row.price
    if size > row.size:
        unlink(m, order)
        row.size = size
        append(m, order)
    else:
        m.levels[level(m, price)].size -= row.size - size
        row.size = size
    emit(m, _REPLACE, 0, price, size, row.id, 0, 0)
    depth(m, side, price)


@part
def move(m: Market, order: int, price: int) -> None:
    """Change an order's price: a pull at the old level and a stack at the end of the new one."""
    row = m.orders[order]
    side, old = row.side, row.price
    unlink(m, order)
    row.price = price
    append(m, order)
    emit(m, _REPLACE, 0, price, row.size, row.id, 0, 0)
    depth(m, side, old)
    depth(m, side, price)
    advance_best(m, side, price)
    if m.levels[level(m, old)].count == 0 and old == best(m, side):
        retreat(m, side)
