"""A strategy that tests of backtests run: one lot at each best price."""

from __future__ import annotations

import workbench as wb
from workbench.trading.slots import Desk
from workbench.trading.strategies import best_ask, best_bid, cancel, is_open, position, quoted, submit


@wb.kernel_strategy
def quote_both_sides(d: Desk) -> None:
    """Keep one lot at each best price."""
    if quoted(d):
        for k in range(2):
            side, price = (1, best_bid(d)) if k == 0 else (-1, best_ask(d))
            number = int(d.memory[k]) - 1
            if is_open(d, number):
                if d.orders[number, 1] != price:
                    cancel(d, number)
            elif side * position(d) < 5:
                d.memory[k] = submit(d, side, price, 1, 1, 0) + 1
