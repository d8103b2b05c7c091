"""What a planted participant can do: rest an order, pull it, move it, or take; told by the fields ``hand_…``."""

# mypy: disable-error-code="no-any-return"
# (elements of numpy arrays have no static type; numba infers and checks them)

from __future__ import annotations

from workbench.book.jit import part
from workbench.feeds.simulator.actions import match
from workbench.feeds.simulator.queues import cancel, depth, move, place
from workbench.feeds.simulator.state import PLANTED, Market

REST, PULL, MOVE, TAKE = range(4)


@part
def perform(m: Market, ts_ns: int) -> int:
    """Carry out one act at a time at which every earlier action is done; returns the rows written.

    ``hand_order`` becomes the row of the order that rests, ``hand_size`` what an aggressor did not get.
    """
    m.ts = ts_ns
    m.venue = min(max(m.venue, ts_ns - int(m.latency)), m.next_venue)  # venue time never runs backwards
    if m.hand_verb == REST:
        m.hand_order = place(m, m.hand_side, m.hand_price, m.hand_size, PLANTED, m.hand_hidden, 0)
        depth(m, m.hand_side, m.hand_price)
    elif m.hand_verb == PULL:
        cancel(m, m.hand_order)
    elif m.hand_verb == MOVE:
        move(m, m.hand_order, m.hand_price)
    else:
        m.next_id += 1
        m.hand_size = match(m, m.hand_side, m.hand_size, m.hand_price, m.next_id)
    return m.rows
