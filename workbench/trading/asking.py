"""What plain Python asks of a desk, each as a kernel of its own: loaded when somebody first asks."""

from __future__ import annotations

from collections.abc import Callable

from numba import types

from workbench.book.jit import kernel
from workbench.trading.passing import STRATEGY, address_of
from workbench.trading.sending import send
from workbench.trading.slots import (
    CANCEL,
    DESK_TYPE,
    EXPIRED,
    MODIFY,
    NEW,
    NOW,
    OVER,
    PARTIALLY_FILLED,
    PENDING_CANCEL,
    PENDING_NEW,
    STATUS,
    SUSPENDED,
    UNDER_WAY,
    Desk,
)
from workbench.trading.strategies import adjust, cancel, drop, stop, submit


@kernel(types.void(DESK_TYPE, types.FunctionType(STRATEGY)))
def act_now(d: Desk, strategy: Callable[[Desk], None]) -> None:
    """Let a compiled strategy act once."""
    strategy(address_of(d))


@kernel(types.int64(DESK_TYPE, *[types.int64] * 5))
def submit_now(d: Desk, side: int, price: int, size: int, tif: int, market: int) -> int:
    """:func:`submit` for plain Python."""
    return submit(address_of(d), side, price, size, tif, market)


@kernel(types.int64(DESK_TYPE, *[types.int64] * 5))
def stop_now(d: Desk, side: int, size: int, trigger: int, limit: int, trail: int) -> int:
    """:func:`stop` for plain Python."""
    return stop(address_of(d), side, size, trigger, limit, trail)


@kernel(types.boolean(DESK_TYPE, types.int64))
def cancel_now(d: Desk, number: int) -> bool:
    """:func:`cancel` for plain Python."""
    return cancel(address_of(d), number)


@kernel(types.void(DESK_TYPE, types.int64))
def withdraw_now(d: Desk, number: int) -> None:
    """Send a cancel whatever is known of the order; a stop that has not gone off ends here."""
    if not drop(address_of(d), number):
        send(address_of(d), d.counters[NOW], CANCEL, number, 0, 0)


@kernel(types.void(DESK_TYPE, types.int64))
def expire_now(d: Desk, number: int) -> None:
    """Take back an order whose time has come, unless it has ended or is taken back already."""
    order = d.orders[number]
    if drop(address_of(d), number):
        order[STATUS] = EXPIRED
    elif order[STATUS] in (PENDING_NEW, NEW, PARTIALLY_FILLED):
        order[STATUS], order[OVER] = PENDING_CANCEL, 1
        send(address_of(d), d.counters[NOW], CANCEL, number, 0, 0)


@kernel(types.boolean(DESK_TYPE, *[types.int64] * 4))
def change_now(d: Desk, number: int, price: int, size: int, trigger: int) -> bool:
    """Send a change whatever is known of the order; a stop that has not gone off changes here, or False."""
    if d.orders[number, STATUS] == SUSPENDED:
        return adjust(address_of(d), number, price, size, trigger)
    d.orders[number, UNDER_WAY] += 1
    send(address_of(d), d.counters[NOW], MODIFY, number, price, size)
    return True
