"""A strategy that tests of backtests run, in both ways of writing: one lot at each best price."""

from __future__ import annotations

import workbench as wb
from workbench.lab.plain_strategy import PlainDesk
from workbench.lab.seen import SeenFill, SeenTrade
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


class QuoteBothSides:
    """The same in plain Python."""

    def __init__(self) -> None:
        self.numbers: list[int | None] = [None, None]
        self.prices = [0.0, 0.0]
        self.fills: list[SeenFill] = []
        self.trades: list[SeenTrade] = []

    def on_timer(self, desk: PlainDesk) -> None:
        """Keep one lot at each best price."""
        bid, ask = desk.best_bid, desk.best_ask
        if bid is None or ask is None:
            return
        statuses, lot = desk.orders, float(desk.instrument.lot_size)
        for k, price in enumerate((bid, ask)):
            number, side = self.numbers[k], 1 - 2 * k
            if number is not None and statuses[number] in (
                "PENDING_NEW",
                "NEW",
                "PENDING_CANCEL",
                "PARTIALLY_FILLED",
            ):
                if self.prices[k] != price:
                    desk.cancel(number)
            elif side * desk.position < 5 * lot:
                send = desk.buy if side > 0 else desk.sell
                self.numbers[k], self.prices[k] = send(lot, price, "POST_ONLY"), price

    def on_fill(self, desk: PlainDesk, fill: SeenFill) -> None:
        """Note a fill."""
        assert fill.ts <= desk.now
        self.fills.append(fill)

    def on_trade(self, desk: PlainDesk, trade: SeenTrade) -> None:
        """Note a print."""
        assert trade.ts <= desk.now
        self.trades.append(trade)
