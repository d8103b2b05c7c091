"""Where a paper desk has to look up while rows pass: moments that may concern its orders.

Everything between two such moments goes through the matching engine in one call.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from workbench.events import Array, EventKind, Flag
from workbench.trading.order import Order
from workbench.trading.rows import Rows
from workbench.trading.slots import NEVER


def next_cut(rows: Rows, first: int, resting: Iterable[tuple[int, int]], stops: Iterable[Order]) -> int:
    """Time of the next row that may fill or set off something, or that breaks the book; NEVER if there is none.

    Parameters
    ----------
    rows : Rows
    first : int
        Row to begin at.
    resting : iterable of (int, int)
        Side and price in ticks of what rests at the venue.
    stops : iterable of Order
        What waits at the desk.

    Notes
    -----
    It may name a moment in which nothing happens, and never misses one.
    """
    kind, price = rows.kind[first:], rows.price[first:].astype(np.int64)
    trades, levels = kind == EventKind.TRADE, kind == EventKind.DEPTH
    found = (kind == EventKind.CLEAR) | (kind == EventKind.GAP) | (kind == EventKind.SNAPSHOT_END)
    for side, ticks in resting:
        reached = price <= ticks if side > 0 else price >= ticks
        found |= reached & (trades | (levels & (rows.side[first:] == -side)))
    for order in stops:
        found |= trades & _concerns(order, price)
    at = int(found.argmax()) if found.size else 0
    return int(rows.ts[first + at]) if found.size and found[at] else NEVER


def prints(rows: Rows, ts: int) -> list[int]:
    """Prices of the trades of one moment, ticks, in order; off-book trades are none."""
    first = int(np.searchsorted(rows.ts, ts, "left"))
    on_book = (rows.kind[first:] == EventKind.TRADE) & (rows.flags[first:] & Flag.OTC == 0)
    return [int(price) for price in rows.price[first:][on_book]]


def _concerns(order: Order, price: Array) -> Array:
    stop, trail, side = order.stop, order.terms.trail, order.terms.side
    assert stop is not None  # what waits at the desk waits for its stop price
    reached = (price - stop) * side >= 0
    return reached if trail is None else reached | ((stop - (price + side * trail)) * side > 0)
