"""Strategies for sweeps, in a module that worker processes can import, and a worker that dies once."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import workbench as wb
from workbench.lab.plain_strategy import PlainDesk
from workbench.trading.slots import Desk
from workbench.trading.strategies import best_ask, best_bid, cancel, is_open, position, quoted, submit


@wb.kernel_strategy
def quote_away(d: Desk) -> None:
    """Keep an order at a distance from each best price: params are distance and most lots."""
    if quoted(d):
        for k in range(2):
            side = 1 - 2 * k
            price = (best_bid(d) if k == 0 else best_ask(d)) - side * int(d.params[0])
            number = int(d.memory[k]) - 1
            if is_open(d, number):
                if d.orders[number, 1] != price:
                    cancel(d, number)
            elif side * position(d) < d.params[1]:
                d.memory[k] = submit(d, side, price, 1, 1, 0) + 1


class BuyEvery:
    """Buy one lot at the market every n-th step."""

    def __init__(self, n: int, size: float = 1.0):
        self.n, self.size, self.steps = n, size, 0

    def on_timer(self, desk: PlainDesk) -> None:
        """Count, and buy."""
        self.steps += 1
        if desk.best_ask and self.steps % self.n == 0:
            desk.buy(self.size)


class Deadly(BuyEvery):
    """The first process that meets the chosen number is killed while it works; every life leaves a trace."""

    def __init__(self, n: int, deadly: int, traces: str):
        super().__init__(n)
        folder = Path(traces)
        (folder / f"{n}-{os.getpid()}").touch()
        if n == deadly:
            try:
                (folder / "died").touch(exist_ok=False)
            except FileExistsError:
                return
            os.kill(os.getpid(), signal.SIGKILL)


def failing(n: int) -> Any:
    """Make a strategy, but for one number."""
    if n == 2:
        raise ValueError("two is not for me")
    return BuyEvery(n)
