"""Stories of the desk: brackets, pairs, stops, expiry, answers that cross, restarts."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.support.plain_venue import PlainVenue
from workbench.trading import journal
from workbench.trading.contracts import Contract
from workbench.trading.desk import Desk
from workbench.trading.ledger import fold
from workbench.trading.limits import Limits, TradingState
from workbench.trading.order import Change, Order
from workbench.trading.states import OrderEvent as E
from workbench.trading.states import OrderStatus as S
from workbench.trading.terms import Terms
from workbench.trading.venue import Report

X = Contract(symbol="X", tick_size=Decimal("0.5"), multiplier=Decimal(2))
LIMITS = Limits(per_second=None, per_minute=None, stale_book_ns=None)


class SlowVenue:
    """Answers nothing at once: the test does, when it likes."""

    def submit(self, order: Order, now: int) -> list[Report]:
        return []

    def cancel(self, order: Order, now: int) -> list[Report]:
        return []

    def replace(self, order: Order, change: Change, now: int) -> list[Report]:
        return []


def plain_desk() -> tuple[Desk, PlainVenue]:
    """A desk above a venue that answers at once, market 995 to 1005 with 10 on each side."""
    venue = PlainVenue()
    desk = venue.desk = Desk(venue, {"X": X}, LIMITS, cash="1000", now=0)
    desk.market("X", 0, bid=995, ask=1005)
    return desk, venue


def slow_desk() -> Desk:
    """A desk above a venue that is silent."""
    desk = Desk(SlowVenue(), {"X": X}, LIMITS, now=0)
    desk.market("X", 0, bid=995, ask=1005)
    return desk


def terms(name: str, side: int = 1, lots: int = 1, **more: Any) -> Terms:
    """An order of the one instrument."""
    return Terms(client_order_id=name, symbol="X", side=side, lots=lots, **more)


def said(desk: Desk, name: str, *events: E, lots: int = 0, ticks: int = 995, number: str = "") -> S:
    """Let the venue say something; the state after it."""
    for event in events:
        desk.report(
            Report(client_order_id=name, event=event, lots=lots, ticks=ticks, execution_id=number or name), 1
        )
    return desk.ledger.orders[name].status


def test_a_bracket_is_as_large_as_what_is_filled() -> None:
    """Entry 5 @ 1000, take profit 8, stop loss 4: filled 2 then 3, the children are 2 then 5, around the first price."""
    desk, venue = plain_desk()
    entry = desk.place(terms("e", lots=5, limit=1000, take_profit=8, stop_loss=4), 1)
    assert len(desk.ledger.orders) == 1
    venue.trade(-1, 1000, 2, 2)
    profit, loss = desk.ledger.orders["e.tp"], desk.ledger.orders["e.sl"]
    assert (profit.limit, profit.lots, profit.status) == (1008, 2, S.NEW)
    assert (loss.stop, loss.lots, loss.status) == (996, 2, S.SUSPENDED)
    venue.trade(-1, 999, 9, 3)
    assert entry.status is S.FILLED
    assert (profit.lots, loss.lots) == (5, 5)
    venue.trade(1, 1008, 2, 4)
    assert (profit.leaves, loss.leaves) == (3, 3)
    venue.trade(1, 1009, 9, 5)
    assert (profit.status, loss.status) == (S.FILLED, S.CANCELED)
    assert desk.ledger.account.position("X").lots == 0
    assert desk.ledger.account.realized() == 40  # 5 lots · 8 ticks · 0.5 · 2


def test_a_stop_loss_takes_the_profit_taker_back_first() -> None:
    """The stop goes off at 996: the other half is canceled, the rest is sold at the bid."""
    desk, venue = plain_desk()
    desk.place(terms("e", lots=5, order_type="MARKET", take_profit=8, stop_loss=4), 1)
    assert desk.ledger.orders["e.sl"].stop == 1001
    venue.best = {1: 998, -1: 1002}
    desk.market("X", 2, bid=998, ask=1002, last=1001)
    assert desk.ledger.orders["e.tp"].status is S.CANCELED
    loss = desk.ledger.orders["e.sl"]
    assert (loss.status, loss.average, loss.reason) == (S.FILLED, Fraction(998), "went off at 500.5")
    assert desk.ledger.account.position("X").lots == 0


def test_a_stop_waits_for_the_answer_of_its_pair() -> None:
    """The venue is slow: the stop that went off is sent when the cancel is answered, for what is left then."""
    desk = slow_desk()
    desk.place(terms("e", lots=3, limit=995, take_profit=10, stop_loss=5), 1)
    said(desk, "e", E.ACCEPT)
    said(desk, "e", E.FILL, lots=3)
    said(desk, "e.tp", E.ACCEPT)
    desk.market("X", 2, bid=989, ask=991, last=990)
    assert desk.ledger.orders["e.tp"].status is S.PENDING_CANCEL
    assert desk.ledger.orders["e.sl"].status is S.NEW
    said(desk, "e.tp", E.FILL, lots=1, ticks=1005)
    said(desk, "e.tp", E.CANCELED)
    assert desk.ledger.orders["e.sl"].lots == 2
    assert said(desk, "e.sl", E.FILL, lots=2, ticks=989) is S.FILLED
    assert desk.ledger.account.position("X").lots == 0
    assert fold(desk.journal) == desk.ledger


def test_a_trailing_stop_follows_and_never_goes_back() -> None:
    """Long, trail 3 from a stop of 994: trades of 999, 1003, 1001 put it at 996, 1000, 1000; 1000 sets it off."""
    desk, _ = plain_desk()
    desk.place(terms("long", lots=2, order_type="MARKET"), 1)
    stop = desk.place(terms("s", -1, 2, order_type="TRAILING_STOP", stop=994, trail=3, reduce_only=True), 2)
    places = []
    for last in (999, 1003, 1001):
        desk.market("X", 3, bid=995, ask=1005, last=last)
        places.append(stop.stop)
    assert places == [996, 1000, 1000]
    desk.market("X", 4, bid=995, ask=1005, last=1000)
    assert stop.status is S.FILLED


def test_what_the_desk_does_to_a_group_counts_to_no_bound() -> None:
    """Two orders of one group: ten executions of one change the other ten times, and the next order goes all the same."""
    venue = PlainVenue()
    desk = venue.desk = Desk(venue, {"X": X}, Limits(per_second=3), now=0)
    desk.market("X", 0, bid=995, ask=1005)
    desk.place(terms("low", lots=20, limit=995, oco="g"), 1)
    high = desk.place(terms("high", -1, 20, limit=1005, oco="g"), 1)
    for n in range(10):
        said(desk, "low", E.FILL, lots=1, number=str(n))
    assert (high.lots, len(desk.ledger.sent)) == (10, 2)
    assert desk.place(terms("next", limit=990), 2).open


def test_the_stop_of_a_bracket_follows_in_its_steps() -> None:
    """Bought at 1005, stop 5 below, step 2: trades of 1006, 1007, 1010, 1008 put it at 1000, 1002, 1004, 1004."""
    desk, _ = plain_desk()
    desk.place(terms("long", lots=1, order_type="MARKET", stop_loss=5, trailing=2), 1)
    stop = desk.ledger.orders["long.sl"]
    places = [stop.stop]
    for last in (1006, 1007, 1010, 1008):
        desk.market("X", 3, bid=1005, ask=1015, last=last)
        places.append(stop.stop)
    assert places == [1000, 1000, 1002, 1004, 1004]
    assert list(journal.decode(journal.encode(desk.journal))) == desk.journal
    old = journal.encode(desk.journal).replace(b'"trailing":2', b'"trailing":true')
    assert (
        fold(journal.decode(old)).orders["long"].terms.trailing == 1
    )  # as journals had it that only said whether


def test_one_cancels_the_other() -> None:
    """Of two orders of 4, one is filled by 1, then wholly: the other has 3 left, then ends."""
    desk, venue = plain_desk()
    low = desk.place(terms("low", lots=4, limit=996, oco="pair"), 1)
    high = desk.place(terms("high", lots=4, limit=997, oco="pair"), 1)
    venue.trade(-1, 997, 1, 2)
    assert (high.leaves, low.leaves) == (3, 3)
    venue.trade(-1, 997, 3, 3)
    assert (high.status, low.status) == (S.FILLED, S.CANCELED)
    assert low.reason.startswith("REDUCED")


def test_orders_end_when_their_time_is_over() -> None:
    """GTD at 50: open at 49, EXPIRED at 50, whoever calls; the deadline is told before; a stop expires where it waits."""
    desk, venue = plain_desk()
    order = desk.place(terms("a", limit=995, tif="GTD", expires=50), 1)
    stop = desk.place(terms("b", order_type="STOP", stop=1010, tif="DAY", expires=60), 1)
    assert desk.deadline() == 50
    desk.on_time(49)
    assert order.status is S.NEW
    desk.on_time(50)
    assert (order.status, order.reason) == (S.EXPIRED, "EXPIRED: its time is over")
    assert not venue.resting
    late = desk.place(terms("c", order_type="STOP", stop=1010, tif="GTD", expires=61), 1)
    desk.market("X", 61, bid=995, ask=1005, last=1010)
    assert stop.status is S.EXPIRED
    assert late.status is S.FILLED  # what happens at the time of the end happens before it
    assert desk.deadline() is None


def test_answers_that_cross_a_request_are_taken() -> None:
    """Accepted while a cancel or a change is under way; rejected while a cancel is under way."""
    desk = slow_desk()
    for name in "abc":
        desk.place(terms(name, lots=2, limit=995), 1)
    desk.cancel("a", 1)
    assert said(desk, "a", E.ACCEPT) is S.PENDING_CANCEL
    assert said(desk, "a", E.CANCELED) is S.CANCELED
    desk.replace("b", 1, lots=3)
    assert said(desk, "b", E.ACCEPT) is S.PENDING_REPLACE
    assert said(desk, "b", E.REPLACE_REJECT) is S.NEW
    desk.cancel("c", 1)
    assert said(desk, "c", E.REJECT) is S.REJECTED
    assert fold(desk.journal) == desk.ledger


def test_changes_follow_each_other() -> None:
    """Two changes under way are answered in turn, a third is refused; down to what is filled meanwhile is FILLED."""
    desk = slow_desk()
    order = desk.place(terms("a", lots=5, limit=995), 1)
    said(desk, "a", E.ACCEPT)
    assert desk.replace("a", 1, lots=4) == ""
    assert desk.replace("a", 1, lots=3) == ""
    assert desk.replace("a", 1, lots=2).startswith("CHANGE_UNDER_WAY")
    assert said(desk, "a", E.REPLACED) is S.PENDING_REPLACE
    assert order.lots == 4
    said(desk, "a", E.FILL, lots=3)
    assert said(desk, "a", E.REPLACED) is S.FILLED
    assert (order.lots, order.leaves) == (3, 0)
    assert desk.replace("a", 1, lots=9).startswith("too_late: FILLED")
    assert desk.cancel("a", 1).startswith("too_late: FILLED")
    assert desk.cancel("nobody", 1) == "UNKNOWN_ORDER: 'nobody'"


def test_a_change_keeps_what_one_under_way_asks_for() -> None:
    """Price, then size, before the venue has answered: the second does not take the first back; one refused is undone."""
    desk = slow_desk()
    order = desk.place(terms("a", lots=5, limit=995), 1)
    said(desk, "a", E.ACCEPT)
    assert desk.replace("a", 1, limit=990) == desk.replace("a", 1, lots=4) == ""
    assert [(change.lots, change.limit) for change in order.asked] == [(5, 990), (4, 990)]
    said(desk, "a", E.REPLACED, E.REPLACED)
    assert (order.lots, order.limit) == (4, 990)
    assert desk.replace("a", 1, limit=980) == ""
    said(desk, "a", E.REPLACE_REJECT)
    assert desk.replace("a", 1, lots=3) == ""
    said(desk, "a", E.REPLACED)
    assert (order.lots, order.limit) == (3, 990)


def test_an_exit_that_is_resized_keeps_the_price_that_was_asked_for() -> None:
    """The target is moved, and before the venue has answered more of the entry is filled."""
    desk = slow_desk()
    desk.place(terms("e", lots=5, limit=995, take_profit=8), 1)
    said(desk, "e", E.ACCEPT, E.FILL, lots=2, number="1")
    target = desk.ledger.orders["e.tp"]
    said(desk, "e.tp", E.ACCEPT)
    assert desk.replace("e.tp", 1, limit=1010) == ""
    said(desk, "e", E.FILL, lots=3, number="2")
    said(desk, "e.tp", E.REPLACED, E.REPLACED)
    assert (target.lots, target.limit) == (5, 1010)


def test_a_cancel_that_comes_too_late_leaves_the_fill() -> None:
    """Filled while the cancel was on its way: the cancel is refused and the order is FILLED."""
    desk = slow_desk()
    desk.place(terms("a", limit=995), 1)
    said(desk, "a", E.ACCEPT)
    desk.cancel("a", 1)
    assert said(desk, "a", E.FILL, lots=1) is S.FILLED
    assert said(desk, "a", E.CANCEL_REJECT) is S.FILLED
    assert desk.ledger.switch is TradingState.ACTIVE


def test_executions_that_cannot_be_true_halt() -> None:
    """More than is left, beyond the limit, of an order nobody placed: not counted, and everything stops."""
    for lots, ticks, name in ((3, 995, "a"), (1, 996, "a"), (1, 995, "nobody")):
        desk = slow_desk()
        desk.place(terms("a", lots=2, limit=995), 1)
        report = Report(client_order_id=name, event=E.FILL, lots=lots, ticks=ticks, execution_id="x")
        desk.report(report, 1)
        assert desk.ledger.switch is TradingState.HALTED
        assert desk.ledger.account.position("X").lots == 0


def test_three_rejects_halt() -> None:
    """Three rejects within ten seconds: something is wrong, and trying again makes it worse."""
    desk = slow_desk()
    for name in "abc":
        desk.place(terms(name, limit=995), 1)
        said(desk, name, E.REJECT)
    desk.on_time(2)
    assert desk.ledger.reason == "3 rejects within 10 s"


def test_a_restart_ends_what_was_open_and_keeps_the_rest() -> None:
    """Positions, money, names and the switch come from the journal's bytes; open orders ended with their process."""
    desk, _ = plain_desk()
    desk.place(terms("long", lots=2, order_type="MARKET"), 1)
    desk.place(terms("a", limit=990), 2)
    desk.place(terms("b", order_type="STOP", stop=1020), 2)
    desk.reduce(3)
    again = Desk.restart(PlainVenue(), journal.decode(journal.encode(desk.journal)), 4)
    assert again.ledger.account == desk.ledger.account
    assert [again.ledger.orders[name].status for name in "ab"] == [S.CANCELED, S.CANCELED]
    assert again.ledger.switch is TradingState.REDUCING
    assert again.place(terms("long", lots=2, order_type="MARKET"), 5).status is S.FILLED
    assert again.ledger.account.position("X").lots == 2


def test_flatten_closes_everything_while_halted() -> None:
    """Positions are closed at market and orders taken back, whatever the switch says; it still says it."""
    desk, venue = plain_desk()
    desk.place(terms("short", -1, 3, order_type="MARKET", stop_loss=9), 1)
    desk.place(terms("a", limit=990), 1)
    desk.panic(2)
    desk.flatten(3)
    assert desk.ledger.account.position("X").lots == 0
    assert not desk.ledger.open_orders() and not venue.resting
    assert desk.ledger.switch is TradingState.HALTED
