"""Commands on their way to the venue, and stops that wait at the desk until a print sends them.

A stop goes off by a print at or through its price, as the live desk's do (docs/orders.md), and is then a command like any
other: it reaches the venue the entry latency after that print.
"""

from __future__ import annotations

from workbench.book.jit import part
from workbench.events import Array
from workbench.trading.slots import (
    ARRIVES,
    BASE,
    COMMAND_PRICE,
    COMMAND_SENT,
    COMMAND_SIZE,
    COMMAND_TAIL,
    HELD,
    NEVER,
    NEW,
    NUMBER,
    PRICE,
    SIDE,
    SIZE,
    STATUS,
    STOPS_CHANGED,
    SUBMIT,
    SUSPENDED,
    TRAIL,
    TRIGGER,
    WATCH_HIGH,
    WATCH_LOW,
    WHAT,
    Desk,
)
from workbench.trading.strategy_cache import call


@call
def send(d: Desk, now: int, what: int, number: int, price: int, size: int) -> None:
    """Send a command; none overtakes another."""
    c = d.counters
    at = c[COMMAND_TAIL]
    arrives = now + d.delays[at % len(d.delays)]
    if at > 0:
        arrives = max(arrives, d.commands[at - 1, ARRIVES])
    row = d.commands[at]
    row[ARRIVES], row[WHAT], row[NUMBER], row[COMMAND_SENT] = arrives, what, number, now
    row[COMMAND_PRICE], row[COMMAND_SIZE] = price, size
    c[COMMAND_TAIL] = at + 1


@part
def set_off(d: Desk, book: Array, now: int, price: int) -> None:
    """A print: stops that it reaches are sent, the oldest first, and trailing ones follow it."""
    for i in range(d.counters[HELD]):
        order = d.orders[d.held[i]]
        side, trigger, trail = order[SIDE], order[TRIGGER], order[TRAIL]
        if order[STATUS] != SUSPENDED:
            continue
        if (price - trigger) * side >= 0:
            order[STATUS] = NEW
            send(d, now, SUBMIT, d.held[i], order[PRICE], order[SIZE])
        elif trail > 0 and (trigger - price) * side > trail:
            order[TRIGGER] = price + side * trail
    settle_stops(d, book)


@part
def settle_stops(d: Desk, book: Array) -> None:
    """Forget stops that wait no more, and note which prints concern the others."""
    c, kept, low, high = d.counters, 0, -NEVER, NEVER
    for i in range(c[HELD]):
        number = d.held[i]
        order = d.orders[number]
        if order[STATUS] != SUSPENDED:
            continue
        d.held[kept] = number
        kept += 1
        at, follows = order[TRIGGER] - book[BASE], order[TRAIL] + 1
        if order[SIDE] > 0:
            high = min(high, at)
            if order[TRAIL] > 0:
                low = max(low, at - follows)
        else:
            low = max(low, at)
            if order[TRAIL] > 0:
                high = min(high, at + follows)
    c[HELD], c[STOPS_CHANGED] = kept, 0
    book[WATCH_LOW], book[WATCH_HIGH] = low, high
