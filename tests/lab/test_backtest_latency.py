"""Latencies of a backtest: drawn ones, and rows that are seen later than they happen."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import workbench as wb
from workbench.lab.plain_strategy import PlainDesk
from workbench.lab.seen import SeenTrade
from workbench.session import Session
from workbench.trading.slots import Desk
from workbench.trading.strategies import best_ask, best_bid, cancel, is_open, position, quoted, stop, submit

MS = 1_000_000
UNEVEN = wb.Latency(np.array([1, 2, 40]) * MS, np.array([0, 30]) * MS, feed=np.array([0, 5, 90]) * MS, seed=4)


@pytest.fixture(scope="module")
def session() -> Session:
    """Forty seconds of a simulated market."""
    s = wb.simulate(seed=7, inline=True)
    s.advance("40s")
    return s


@wb.kernel_strategy
def bid_and_stop(d: Desk) -> None:
    """One bid at the best price, and a stop below it for what was bought."""
    if not quoted(d):
        return
    bidding, stopping = int(d.memory[0]) - 1, int(d.memory[1]) - 1
    if is_open(d, bidding):
        if d.orders[bidding, 1] != best_bid(d):
            cancel(d, bidding)
    elif position(d) < 3:
        d.memory[0] = submit(d, 1, best_bid(d), 1, 0, 0) + 1
    if position(d) > 0 and not is_open(d, stopping):
        d.memory[1] = stop(d, -1, position(d), best_bid(d)) + 1


class BidAndStop:
    """The same in plain Python; asserts that prints come late and in order."""

    def __init__(self) -> None:
        self.bidding, self.stopping, self.price = -1, -1, 0.0
        self.seen: list[int] = []

    def on_trade(self, desk: PlainDesk, trade: SeenTrade) -> None:
        """Note when it is said to have been."""
        self.seen.append(trade.ts)

    def on_timer(self, desk: PlainDesk) -> None:
        """Bid, and protect."""
        bid, orders = desk.best_bid, desk.orders
        working = ("PENDING_NEW", "NEW", "PARTIALLY_FILLED", "PENDING_CANCEL", "SUSPENDED")
        if bid is None or desk.best_ask is None:
            return
        if orders.get(self.bidding) in working:
            if self.price != bid:
                desk.cancel(self.bidding)
        elif desk.position < 3:
            self.bidding, self.price = desk.buy(1, bid), bid
        if desk.position > 0 and orders.get(self.stopping) not in working:
            self.stopping = desk.sell(desk.position, stop=bid)


@pytest.mark.parametrize("latency", [UNEVEN, wb.Latency("3ms", feed="20ms"), ("3ms", "1ms")])
def test_both_ways_of_writing_see_and_send_at_the_same_times(
    session: Session, latency: wb.Latency | tuple[str, str]
) -> None:
    """Equal orders and fills under any latency, with stops."""
    plain = BidAndStop()
    compiled = wb.backtest(bid_and_stop, session, latency=latency)
    interpreted = wb.backtest(plain, session, latency=latency)
    assert len(compiled.fills) > 4
    assert compiled.orders.equals(interpreted.orders) and compiled.fills.equals(interpreted.fills)
    assert plain.seen == sorted(plain.seen)


def test_drawn_delays_keep_their_order_and_come_out_again(session: Session) -> None:
    """What is known is known in the order in which it happened; another seed is another run."""
    once, again = (wb.backtest(bid_and_stop, session, latency=UNEVEN) for _ in range(2))
    other = wb.backtest(
        bid_and_stop, session, latency=wb.Latency(np.array([1, 2, 40]) * MS, np.array([0, 30]) * MS, seed=5)
    )
    assert once.orders.equals(again.orders) and once.fills.equals(again.fills)
    assert not once.fills.equals(other.fills)
    assert once.fills["ts"].is_sorted() and once.fills["ts_known"].is_sorted()
    waits = (once.fills["ts_known"] - once.fills["ts"]).dt.total_milliseconds()
    assert waits.min() == 0 and waits.max() > 20


class Quoted:
    """An ask of 5 lots at 101 that is gone after 405 ms."""

    def __init__(self, session: Session):
        self.instrument = session.instrument
        self.batch = wb.EventBatch.of(
            ts=[10 * MS] * 4 + [405 * MS, 900 * MS],
            kind=[6, 1, 1, 7, 1, 1],
            side=[0, 1, -1, 0, -1, -1],
            price=[0, 99, 101, 0, 101, 103],
            size=[0, 5, 5, 0, 0, 7],
        )

    def batches(self) -> list[wb.EventBatch]:
        """All rows."""
        return [self.batch]


@wb.kernel_strategy
def take_late(d: Desk) -> None:
    """Lift an ask at 101 at step 40."""
    d.memory[0] += 1
    if d.memory[0] == 40 and quoted(d) and best_ask(d) == 101:
        submit(d, 1, 101, 1, 2, 0)


@pytest.mark.parametrize(("feed", "status"), [(0, []), ("20ms", ["EXPIRED"])])
def test_who_sees_late_takes_what_is_gone(session: Session, feed: str | int, status: list[str]) -> None:
    """At 410 ms the ask has left; a strategy that sees rows 20 ms late still sends its order, which finds nothing."""
    result = wb.backtest(take_late, Quoted(session), latency=wb.Latency(0, feed=feed), every="10ms")
    assert result.orders["status"].to_list() == status


def test_the_band_of_fills_takes_a_latency(session: Session) -> None:
    """The same drawn delays under every model."""
    band = wb.fill_uncertainty(bid_and_stop, session, models=["risk_averse", "touch"], latency=UNEVEN)
    once = wb.backtest(bid_and_stop, session, latency=UNEVEN)
    assert band.results["risk_averse"].fills.equals(once.fills)
    assert band.results["touch"].fills["ts_known"].is_sorted()
    assert isinstance(band.frame, pl.DataFrame)
