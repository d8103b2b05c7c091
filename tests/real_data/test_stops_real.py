"""Stops on a real session: compiled, in plain Python, and on the desk that trades on paper."""

from __future__ import annotations

import polars as pl

import workbench as wb
from tests.support.truth import Case
from workbench.lab.plain_strategy import PlainDesk
from workbench.trading.slots import Desk
from workbench.trading.strategies import best_ask, best_bid, is_open, position, quoted, stop, submit

UNBOUND = wb.Limits(**dict.fromkeys(wb.Limits.__struct_fields__))
LOTS, TICKS = 20, 5


@wb.kernel_strategy
def follow_up(d: Desk) -> None:
    """Buy by a stop that trails the market; what is bought is sold by one with a limit."""
    entry, leave = int(d.memory[0]) - 1, int(d.memory[1]) - 1
    if not quoted(d) or is_open(d, entry) or is_open(d, leave):
        return
    if position(d) == 0:
        d.memory[0] = stop(d, 1, 20, best_ask(d) + 5, 0, 5) + 1
    elif position(d) == 20:
        d.memory[1] = stop(d, -1, 20, best_bid(d) - 5, best_bid(d) - 205) + 1
    else:
        d.memory[1] = submit(d, -1, 0, position(d), 0, 1) + 1


class FollowUp:
    """The same in plain Python."""

    def __init__(self) -> None:
        self.entry = self.leave = -1

    def on_timer(self, desk: PlainDesk) -> None:
        """Enter, or protect."""
        working = ("PENDING_NEW", "NEW", "PARTIALLY_FILLED", "PENDING_CANCEL", "SUSPENDED")
        bid, ask, orders = desk.best_bid, desk.best_ask, desk.orders
        if (
            bid is None
            or ask is None
            or orders.get(self.entry) in working
            or orders.get(self.leave) in working
        ):
            return
        tick, lot = float(desk.instrument.tick_size), float(desk.instrument.lot_size)
        held = round(desk.position / lot)
        if held == 0:
            self.entry = desk.buy(LOTS * lot, stop=ask + TICKS * tick, trailing=TICKS * tick)
        elif held == LOTS:
            self.leave = desk.sell(LOTS * lot, bid - (TICKS + 200) * tick, stop=bid - TICKS * tick)
        else:
            self.leave = desk.sell(held * lot)


def test_stops_of_a_real_session_fill_the_same_three_ways(usdm: Case) -> None:
    """Every trigger, trail and fill; a sale follows the first print at or below where its stop stood."""
    latency = (3_000_000, 2_000_000)
    compiled = wb.backtest(follow_up, usdm.recording, latency=latency)
    plain = wb.backtest(FollowUp(), usdm.recording, latency=latency)
    terms = wb.PaperTerms(entry_ns=latency[0], response_ns=latency[1], limits=UNBOUND)
    desk = wb.paper_backtest(FollowUp(), usdm.recording, terms)
    assert len(compiled.fills) > 20
    assert plain.orders.equals(compiled.orders) and plain.fills.equals(compiled.fills)
    assert desk.fills.equals(compiled.fills)
    same = ["side", "price", "size", "stop", "sent", "filled", "went_off"]
    assert desk.orders.select(same).equals(compiled.orders.select(same))
    assert_went_off_by_a_print(compiled.orders, usdm.events)


def assert_went_off_by_a_print(orders: pl.DataFrame, events: wb.EventBatch) -> None:
    """At the time of each trigger something was printed at the stop or through it."""
    prints = events.kind == wb.EventKind.TRADE
    ts, price = events.ts[prints], events.price[prints] * 0.1
    gone = orders.filter(pl.col("went_off").is_not_null())
    for went_off, side, stopped in zip(gone["went_off"].to_physical(), gone["side"], gone["stop"]):
        assert (side * (price[ts == went_off] - stopped) > -1e-6).any()
