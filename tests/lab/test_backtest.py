"""Backtests end to end: both ways of writing, exact results, refusals, and the same fills as hand arithmetic."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

import workbench as wb
from tests.support.quoting import QuoteBothSides, quote_both_sides
from workbench.book.levels import LevelBook
from workbench.errors import WorkbenchError
from workbench.events import EventBatch, Side
from workbench.lab.plain_strategy import PlainDesk
from workbench.session import Session
from workbench.trading.slots import Desk
from workbench.trading.strategies import best_ask, best_bid, is_open, modify, quoted, submit


@pytest.fixture(scope="module")
def session() -> Session:
    """Half a minute of a simulated market."""
    s = wb.simulate(seed=7, inline=True)
    s.advance("30s")
    return s


def test_compiled_and_plain_strategies_make_the_same_fills(session: Session) -> None:
    """One rule written twice: equal orders and fills, to the bit."""
    plain = QuoteBothSides()
    compiled, interpreted = wb.backtest(quote_both_sides, session), wb.backtest(plain, session)
    assert len(compiled.fills) > 10
    assert compiled.fills.equals(interpreted.fills)
    assert compiled.orders.equals(interpreted.orders)
    assert abs(len(plain.fills) - len(interpreted.fills)) <= 2
    assert plain.trades


class Looks:
    """Keeps a book of its own from the events, and compares it with the desk's at each step."""

    def __init__(self) -> None:
        self.book, self.steps = LevelBook(), 0

    def on_events(self, desk: PlainDesk, batch: EventBatch) -> None:
        """Follow."""
        self.book.apply(batch)

    def on_timer(self, desk: PlainDesk) -> None:
        """Compare, and let one order rest and one end at once."""
        self.steps += 1
        tick, lot = float(desk.instrument.tick_size), float(desk.instrument.lot_size)
        for side, best, size in ((1, desk.best_bid, desk.bid_size), (-1, desk.best_ask, desk.ask_size)):
            prices, sizes = (column.tolist() for column in self.book.levels(Side(side)))
            assert (best, size) == (prices[0] * tick, sizes[0] * lot)
            for price, told in zip(prices[:20], sizes[:20], strict=True):
                assert desk.size_at(side, price * tick) == told * lot
            assert desk.size_at(-side, prices[0] * tick) == 0
        assert desk.best_bid and desk.best_ask and desk.mid == (desk.best_bid + desk.best_ask) / 2
        if not desk.orders:
            desk.buy(1, limit=desk.best_bid - 10 * tick)
            desk.buy(1, limit=desk.best_bid - 10 * tick, tif="IOC")
        elif self.steps > 2:
            assert list(desk.open_orders.values()) == ["NEW"]


@pytest.mark.parametrize("run", [wb.backtest, wb.paper_backtest], ids=lambda run: run.__name__)
def test_what_a_plain_strategy_sees_is_the_book(session: Session, run: Any) -> None:
    """Best prices, the mid, sizes at any price and what still works, at each step; and its steps are counted."""
    looks = Looks()
    done = run(looks, session, every="500ms")
    assert looks.steps == done.summary()["steps"].item() > 50


@wb.kernel_strategy
def follow_the_bid(d: Desk) -> None:
    """One bid of three lots that moves with the best bid, and a new one when it is filled."""
    if quoted(d):
        number = int(d.memory[0]) - 1
        if not is_open(d, number):
            d.memory[0] = submit(d, 1, best_bid(d), 3, 0, 0) + 1
        elif d.orders[number, 1] != best_bid(d):
            modify(d, number, best_bid(d), 3)


class FollowTheBid:
    """The same in plain Python."""

    def __init__(self) -> None:
        self.number: int | None = None
        self.sent: list[float] = []

    def on_timer(self, desk: PlainDesk) -> None:
        """Move the bid."""
        if desk.best_bid is None or desk.best_ask is None:
            return
        if self.number is None or desk.orders[self.number] in ("FILLED", "CANCELED", "EXPIRED"):
            self.number = desk.buy(3, limit=desk.best_bid)
            self.sent.append(desk.best_bid)
        else:
            desk.modify(self.number, limit=desk.best_bid)


def test_an_order_that_is_moved_is_one_order_in_both_ways_of_writing(session: Session) -> None:
    """None is canceled, and some end where they were not sent; moving to where it stands changes nothing."""
    plain = FollowTheBid()
    compiled, interpreted = wb.backtest(follow_the_bid, session), wb.backtest(plain, session)
    assert compiled.orders["price"].to_list() != plain.sent
    assert len(plain.sent) == len(compiled.orders)
    assert "CANCELED" not in set(compiled.orders["status"])
    assert compiled.fills.equals(interpreted.fills)
    assert compiled.orders.equals(interpreted.orders)
    again = wb.fill_uncertainty(follow_the_bid, session, models=["risk_averse"]).results["risk_averse"]
    assert again.fills.equals(compiled.fills)
    assert again.orders.drop("status", "closed").equals(compiled.orders.drop("status", "closed"))


def test_a_size_of_nothing_is_no_change(session: Session) -> None:
    """To end an order is a cancel."""

    class Vanish(FollowTheBid):
        def on_timer(self, desk: PlainDesk) -> None:
            super().on_timer(desk)
            if self.number is not None:
                desk.modify(self.number, size=0)

    with pytest.raises(WorkbenchError, match="or more"):
        wb.backtest(Vanish(), session)


def test_optimistic_and_pessimistic_ends_enclose_the_queue_models(session: Session) -> None:
    """First in the queue fills at least as often as last, and only-through at most."""
    filled = {
        queue: wb.backtest(quote_both_sides, session, queue=queue).fills["size"].sum()
        for queue in ("touch", "power", "risk_averse", "trade_through")
    }
    assert filled["touch"] >= filled["risk_averse"] >= filled["trade_through"]
    assert filled["touch"] >= filled["power"] >= filled["trade_through"]


def test_equity_is_cash_and_position_at_the_mid(session: Session) -> None:
    """equity = cash + position · mid · multiplier, and the summary's profit is its last value."""
    result = wb.backtest(quote_both_sides, session, fees=("0.0001", "0.0003"))
    fills, last = result.fills, result.equity.row(-1, named=True)
    paid = fills["fee"].sum()
    multiplier = float(result.instrument.multiplier)
    cash = -float((fills["side"] * fills["price"] * fills["size"]).sum()) * multiplier - float(paid)
    assert last["cash"] == pytest.approx(cash)
    assert last["position"] == (fills["side"] * fills["size"]).sum()
    summary = result.summary()
    assert summary["fees"].item() == pytest.approx(paid)
    assert summary["profit"].item() == last["equity"]
    assert summary["fills"].item() == len(fills)


def test_orders_end_as_the_fills_say(session: Session) -> None:
    """What an order was filled is the sum of its fills."""
    result = wb.backtest(quote_both_sides, session)
    sums = result.fills.group_by("order").agg(pl.col("size").sum())
    joined = result.orders.filter(pl.col("filled") > 0).join(sums, on="order", suffix="_fills")
    assert (joined["filled"] == joined["size_fills"]).all()
    assert set(result.orders["status"]) <= {"NEW", "FILLED", "CANCELED", "EXPIRED", "PARTIALLY_FILLED"}


def test_more_latency_is_never_known_sooner(session: Session) -> None:
    """Every fill is known exactly the response latency after it happened, or later."""
    result = wb.backtest(quote_both_sides, session, latency=("3ms", "5ms"))
    delay = (result.fills["ts_known"] - result.fills["ts"]).dt.total_nanoseconds()
    assert delay.min() == 5_000_000


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"queue": "fifo"}, "risk_averse"),
        ({"clock": "wall"}, "receive, venue"),
        ({"fills": "all"}, "shared"),
        ({"latency": -1}, "0 ns or more"),
    ],
)
def test_what_makes_no_sense_is_refused(session: Session, wrong: dict[str, object], said: str) -> None:
    """The message names what is known."""
    with pytest.raises(WorkbenchError, match=said):
        wb.backtest(quote_both_sides, session, **wrong)  # type: ignore[arg-type]


def test_an_order_off_the_grid_is_refused_with_its_neighbours(session: Session) -> None:
    """A price between ticks names the nearest valid ones."""

    class OffGrid:
        def on_timer(self, desk: PlainDesk) -> None:
            desk.buy(1, limit=100.1)

    with pytest.raises(WorkbenchError, match="Nearest"):
        wb.backtest(OffGrid(), session)


class Delayed:
    """A recording of which every row was seen 10 ms after it happened; the bounds of the snapshot carry no time."""

    def __init__(self, session: Session, timed: bool = True):
        self.instrument = session.instrument
        ms = 1_000_000
        ts = [20 * ms] * 4 + [400 * ms, 900 * ms]
        source = [0, 10 * ms, 10 * ms, 0, 390 * ms, 890 * ms] if timed else 0
        self.batch = wb.EventBatch.of(
            ts=ts,
            ts_source=source,
            kind=[6, 1, 1, 7, 1, 1],
            side=[0, 1, -1, 0, -1, -1],
            price=[0, 99, 101, 0, 101, 101],
            size=[0, 5, 5, 0, 0, 7],
        )

    def batches(self) -> list[wb.EventBatch]:
        """All rows."""
        return [self.batch]


@wb.kernel_strategy
def take_once(d: Desk) -> None:
    """Lift the ask at the fourth step."""
    d.memory[0] += 1
    if quoted(d) and d.memory[0] == d.params[0]:
        submit(d, 1, best_ask(d), 1, 2, 0)


@pytest.mark.parametrize(("clock", "fills"), [("receive", 1), ("venue", 0)])
def test_the_venue_is_ahead_of_what_is_seen(session: Session, clock: str, fills: int) -> None:
    """The ask left at 390 ms and that is seen at 400: an order that arrives at 396 trades only by receipt.

    Steps are 5 ms apart from the first row on, at 20 ms by receipt and at 10 ms by the venue's time: the 75th and the
    77th are both at 395 ms, when both see the ask, and the order is 1 ms on its way in both.
    """
    step = 75 if clock == "receive" else 77
    result = wb.backtest(take_once, Delayed(session), clock=clock, every="5ms", params=[step], latency="1ms")
    assert result.orders["sent"].dt.timestamp("ms").to_list() == [395]
    assert len(result.fills) == fills


class Broken:
    """A recording that lost rows before its second batch."""

    def __init__(self, session: Session):
        self.instrument = session.instrument

    def batches(self) -> list[wb.EventBatch]:
        """Both sides of the gap."""
        ms = 1_000_000
        before = wb.EventBatch.of(
            ts=[20 * ms] * 4 + [700 * ms],
            kind=[6, 1, 1, 7, 9],
            side=[0, 1, -1, 0, 0],
            price=[0, 99, 101, 0, 0],
            size=[0, 5, 5, 0, 3],
        )
        after = wb.EventBatch.of(
            ts=[900 * ms] * 4 + [1000 * ms],
            kind=[6, 1, 1, 7, 2],
            side=[0, 1, -1, 0, 1],
            price=[0, 97, 98, 0, 98],
            size=[0, 5, 5, 0, 1],
        )
        return [before, wb.EventBatch.trusted(after.columns, before.first_sequence + 7)]


def test_a_recording_that_lost_rows_runs_on_behind_the_gap(session: Session) -> None:
    """A bid at 99 rests while rows are lost; the book that comes back at 97 to 98 has traded through it."""

    class BidOnce:
        def on_timer(self, desk: PlainDesk) -> None:
            if desk.best_bid and not desk.orders:
                desk.buy(1, limit=desk.best_bid)

    result = wb.backtest(BidOnce(), Broken(session))
    assert result.fills["ts"].dt.timestamp("ms").to_list() == [900]


def test_a_recording_without_the_venues_times_has_one_clock(session: Session) -> None:
    """The other clock is refused, and what to do is said."""
    with pytest.raises(WorkbenchError, match="clock='receive'"):
        wb.backtest(take_once, Delayed(session, timed=False), clock="venue", params=[1])


def test_the_exact_queue_needs_orders(session: Session) -> None:
    """With orders a bid has its place among them; a recording of levels is refused, and what it may have is said."""
    exact = wb.backtest(quote_both_sides, session, queue="by_order")
    assert len(exact.fills) > 10
    rows = wb.EventBatch.of(ts=[1, 2], kind=[1, 7], side=[1, 0], price=[100, 0], size=[5, 0])

    class Levels:
        instrument = session.instrument

        def batches(self) -> list[wb.EventBatch]:
            """All events."""
            return [rows]

    with pytest.raises(WorkbenchError, match=r"levels, not orders.*MBO_NEW.*risk_averse"):
        wb.backtest(quote_both_sides, Levels(), queue="by_order")


def test_snapshots_have_no_queue(session: Session) -> None:
    """A backtest on snapshots asked for the exact queue is the one without: no print ever reaches an order there."""
    one, other = (
        wb.snapshot_backtest(quote_both_sides, session, queue=q) for q in ("by_order", "risk_averse")
    )
    assert one.fills.equals(other.fills)
