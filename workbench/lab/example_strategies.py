"""Strategies to begin with: compiled, with parameters, and short enough to be read before they are run."""

from __future__ import annotations

from workbench.book.jit import kernel
from workbench.trading.passing import STRATEGY
from workbench.trading.slots import IOC, POST_ONLY, PRICE, Desk
from workbench.trading.strategies import (
    ask_size,
    best_ask,
    best_bid,
    bid_size,
    cancel,
    is_open,
    position,
    quoted,
    submit,
)


@kernel(STRATEGY)
def quote_touch(d: Desk) -> None:
    """Keep an order at each best price.

    ``params``: lots of an order, most lots held on one side; optionally ticks behind the best price.
    """
    if not quoted(d):
        return
    away = int(d.params[2]) if len(d.params) > 2 else 0
    for k in range(2):
        side = 1 - 2 * k
        price = (best_bid(d) if k == 0 else best_ask(d)) - side * away
        number = int(d.memory[k]) - 1
        if is_open(d, number):
            if d.orders[number, PRICE] != price:
                cancel(d, number)
        elif side * position(d) < d.params[1]:
            d.memory[k] = submit(d, side, price, int(d.params[0]), POST_ONLY, 0) + 1


@kernel(STRATEGY)
def take_imbalance(d: Desk) -> None:
    """Take from the thin side of the touch while the other is much thicker.

    ``params``: lots of an order, most lots held on one side, imbalance (bid − ask) / (bid + ask) from which to take.
    """
    if not quoted(d):
        return
    bid, ask = bid_size(d), ask_size(d)
    lean = (bid - ask) / (bid + ask)
    if lean > d.params[2] and position(d) < d.params[1]:
        submit(d, 1, best_ask(d), int(d.params[0]), IOC, 0)
    elif lean < -d.params[2] and -position(d) < d.params[1]:
        submit(d, -1, best_bid(d), int(d.params[0]), IOC, 0)


__all__ = ["quote_touch", "take_imbalance"]
