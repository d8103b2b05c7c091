"""Orders that end at a time: taken back at that time, between steps too, the same in every kind of run."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

import workbench as wb
from workbench.errors import WorkbenchError
from workbench.lab.plain_strategy import PlainDesk
from workbench.session import Session
from workbench.trading.limits import Limits

UNBOUND = Limits(**dict.fromkeys(Limits.__struct_fields__))
MS = 1_000_000
DAY = "14:30 UTC"


@pytest.fixture(scope="module")
def session() -> Session:
    """Half a minute of a simulated market."""
    s = wb.simulate(seed=7, inline=True)
    s.advance("30s")
    return s


class Timed:
    """Orders that end between the steps of its clock, stops that do, and orders of the day."""

    def __init__(self) -> None:
        self.steps = 0

    def on_timer(self, desk: PlainDesk) -> None:
        """Send three orders every two seconds."""
        self.steps += 1
        if self.steps % 20 == 1 and desk.best_bid:
            desk.buy(2, limit=desk.best_bid - 0.25 * (self.steps % 3), expires=desk.now + 1_234_567_890)
            desk.sell(1, stop=desk.best_bid - 2, tif="GTD", expires=desk.now + 500 * MS)
            desk.buy(3, limit=desk.best_bid - 5, tif="DAY", expires=desk.now + 9_000 * MS)


@pytest.mark.parametrize("latency", [0, 3 * MS, 2_000 * MS])
def test_orders_end_at_their_time_in_a_backtest_and_on_the_desk(session: Session, latency: int) -> None:
    """Equal fills and orders, to the bit; what rests is back the latency after its time, and a stop at it."""
    tested = wb.backtest(Timed(), session, latency=latency)
    terms = wb.PaperTerms(entry_ns=latency, response_ns=latency, limits=UNBOUND)
    desk = wb.paper_backtest(Timed(), session, terms)
    assert tested.fills.equals(desk.fills)
    assert tested.orders.equals(desk.orders.drop("name", "reason"))
    ended = tested.orders.filter(pl.col("status") == "EXPIRED").with_columns(
        waited=(pl.col("closed") - pl.col("sent")).dt.total_nanoseconds()
    )
    assert set(ended["tif"]) == {"GTD", "DAY"}
    stops, others = ended.filter(pl.col("stop") > 0), ended.filter(pl.col("stop").is_null())
    assert set(stops["waited"]) == {500 * MS}
    taken = set(others.filter(pl.col("tif") == "GTD")["waited"])
    assert taken == {max(1_234_567_890, latency) + 2 * latency} or latency == 2_000 * MS


def test_a_live_run_ends_them_too(session: Session) -> None:
    """Inline, the same fills and ends as in a backtest of the same events."""
    s = wb.simulate(seed=7, inline=True, paper=wb.PaperTerms(limits=UNBOUND))
    run = wb.trade(Timed(), s)
    s.advance("30s")
    run.stop()
    tested, lived = wb.backtest(Timed(), session, latency=0), run.result()
    assert lived.fills.equals(tested.fills)
    over = [r.orders.filter(pl.col("status") == "EXPIRED")["order"].to_list() for r in (tested, lived)]
    assert over[0] == over[1] != []


class OneOfTheDay:
    """An order and a stop of the day, far from the market."""

    def on_timer(self, desk: PlainDesk) -> None:
        """Send them."""
        if desk.best_bid and not desk.orders:
            desk.buy(1, limit=desk.best_bid - 50, tif="DAY")
            desk.sell(1, stop=desk.best_bid - 50, tif="DAY")


@pytest.mark.parametrize("kind", ["backtest", "paper", "live"])
@pytest.mark.parametrize(("day", "status"), [("14:31 UTC", "EXPIRED"), ("00:00 UTC", "NEW")])
def test_orders_of_the_day_end_with_it(kind: str, day: str, status: str) -> None:
    """The market opens at 14:30; a day that begins at 14:31 ends them, and midnight does not come."""
    s = wb.simulate(seed=7, inline=True, paper=wb.PaperTerms(limits=UNBOUND, day=day))
    run = wb.trade(OneOfTheDay(), s)
    s.advance("70s")
    found: Any = {
        "live": lambda: run.result(),
        "backtest": lambda: wb.backtest(OneOfTheDay(), s, day=day),
        "paper": lambda: wb.paper_backtest(OneOfTheDay(), s, wb.PaperTerms(limits=UNBOUND, day=day)),
    }[kind]()
    waits = "SUSPENDED" if status == "NEW" else status
    assert found.orders.select("tif", "status").rows() == [("DAY", status), ("DAY", waits)]


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({"tif": "GTD"}, "a GTD order without its end"),
        ({"tif": "IOC", "expires": 1 << 62}, "IOC order with an end"),
        ({"expires": 5}, "before now; expected a later end"),
        ({"expires": "tomorrow"}, "tomorrow"),
        ({"tif": "GTX"}, "'GTX'; expected one of GTC, POST_ONLY, IOC, FOK, DAY, GTD"),
        ({"tif": ["GTC"]}, "expected one of"),
        ({"stop": 1.0, "tif": "IOC"}, "a stop that is IOC; expected one of GTC, DAY, GTD"),
        ({"limit": 0, "stop": 1.0}, "limit of a stop 0; expected 0.25 or more"),
        ({"size": "x"}, "size 'x'; expected a number"),
        ({"size": None}, "size None; expected a number"),
        ({"size": 1e30}, "size 1e[+]30; expected a multiple of 1, at most"),
        ({"size": float("nan")}, "size nan"),
        ({"size": 0}, "size 0; expected 1 or more"),
        ({"limit": "best"}, "price 'best'; expected a number"),
        ({"limit": 5000.1}, "Nearest: 5000.00 and 5000.25"),
    ],
)
def test_wishes_that_mean_nothing_are_refused(session: Session, wish: dict[str, Any], told: str) -> None:
    """What was asked for and what is possible are said, where the strategy asks."""

    class Asks:
        def on_timer(self, desk: PlainDesk) -> None:
            desk.buy(wish.get("size", 1), **{name: value for name, value in wish.items() if name != "size"})

    for run in (wb.backtest, wb.paper_backtest):
        with pytest.raises(WorkbenchError, match=told):
            run(Asks(), session)


class ChangesLate:
    """An order whose change is on its way when its time comes, and one that is flattened so."""

    def __init__(self) -> None:
        self.steps = 0

    def on_timer(self, desk: PlainDesk) -> None:
        """Send it, and change it a little before its end."""
        self.steps += 1
        if self.steps == 20 and desk.best_bid:
            desk.buy(2, limit=desk.best_bid - 10, expires=desk.now + 3_950 * MS)
        if self.steps == 59:
            assert desk.modify(0, size=1)


@pytest.mark.parametrize("kind", ["backtest", "paper", "live"])
def test_a_change_on_its_way_does_not_hide_that_the_time_is_over(session: Session, kind: str) -> None:
    """The change is answered after the cancel was sent: the order is EXPIRED, and says why where reasons are given."""
    latency = 200 * MS
    terms = wb.PaperTerms(entry_ns=latency, response_ns=latency, limits=UNBOUND)
    s = wb.simulate(seed=7, inline=True, paper=terms)
    run = wb.trade(ChangesLate(), s)
    s.advance("30s")
    found: Any = {
        "live": lambda: run.result(),
        "backtest": lambda: wb.backtest(ChangesLate(), session, latency=latency),
        "paper": lambda: wb.paper_backtest(ChangesLate(), session, terms),
    }[kind]()
    (order,) = found.orders.rows(named=True)
    assert (order["status"], order["size"]) == ("EXPIRED", 1.0)
    assert kind == "backtest" or order["reason"] == "EXPIRED: its time is over"


def test_why_an_order_is_taken_back_stays_said() -> None:
    """A panic while a change is on its way: its answer does not wipe the reason away."""
    terms = wb.PaperTerms(entry_ns=200 * MS, response_ns=200 * MS, limits=UNBOUND)
    with wb.simulate(seed=7, inline=True, paper=terms) as s:
        s.advance("2s")
        order = s.orders.buy(3, limit=s.book.best_bid - 10)
        s.advance("1s")
        s.orders.replace(order, size=2)
        s.advance("50ms")
        s.orders.cancel_all()
        s.advance("2s")
        assert order.status == "CANCELED"
        assert order.reason == "CANCEL_ALL"


class Changes:
    """An order that rests, and changes of orders that there are not."""

    def __init__(self) -> None:
        self.answers: list[bool] = []

    def on_timer(self, desk: PlainDesk) -> None:
        """Ask for everything that is none of its orders."""
        if desk.best_bid and not desk.orders:
            desk.buy(1, limit=desk.best_bid - 20)
        elif desk.orders and not self.answers:
            self.answers += [desk.modify(n, size=9) for n in (-1, 1, 99)]
            self.answers += [desk.cancel(n) for n in (-1, 1, 99)]
            with pytest.raises(WorkbenchError, match="order 'a'; expected a number"):
                desk.cancel("a")  # type: ignore[arg-type]
            with pytest.raises(WorkbenchError, match="order None"):
                desk.modify(None, size=2)  # type: ignore[arg-type]


@pytest.mark.parametrize("run", [wb.backtest, wb.paper_backtest], ids=lambda run: run.__name__)
def test_orders_that_are_none_are_not_changed(session: Session, run: Any) -> None:
    """A number below 0 or beyond the last is no order, on every kind of desk."""
    strategy = Changes()
    found = run(strategy, session)
    assert strategy.answers == [False] * 6
    assert found.orders["size"].to_list() == [1.0]


class Shrinks:
    """Five hundred lots at the best bid; once some are filled, a change to fewer than that, then to as many."""

    def __init__(self) -> None:
        self.less: bool | None = None
        self.done = False

    def on_timer(self, desk: PlainDesk) -> None:
        """Ask."""
        if desk.best_bid and not desk.orders:
            desk.buy(500, limit=desk.best_bid)
        filled = int(desk.position)
        if 1 < filled < 500 and not self.done:
            self.done = True
            self.less = desk.modify(0, size=filled - 1)
            desk.modify(0, size=filled)


def unbound(strategy: Any, x: Any) -> Any:
    """A backtest on a desk without bounds."""
    return wb.paper_backtest(strategy, x, wb.PaperTerms(limits=UNBOUND))


@pytest.mark.parametrize("run", [wb.backtest, unbound], ids=lambda run: run.__name__)
def test_a_change_to_what_is_filled_ends_an_order_as_filled(session: Session, run: Any) -> None:
    """Less than what is known to be filled is not asked for; as much is all that was wanted."""
    strategy = Shrinks()
    found = run(strategy, session)
    assert strategy.done
    assert strategy.less is False
    (order,) = found.orders.rows(named=True)
    assert (order["status"], order["size"]) == ("FILLED", order["filled"])
    assert 1 < order["filled"] < 500
