"""No position that a bracket, a group or a switch was to bound is ever left without what bounds it."""

from __future__ import annotations

import pytest

from tests.support.plain_venue import PlainVenue
from tests.trading.test_trading_desk import X, plain_desk, said, slow_desk, terms
from workbench.trading import journal
from workbench.trading.desk import Desk
from workbench.trading.ledger import fold
from workbench.trading.limits import Limits, TradingState
from workbench.trading.order import Order
from workbench.trading.states import OrderEvent as E
from workbench.trading.states import OrderStatus as S


def exits(desk: Desk) -> dict[str, tuple[int, int | None]]:
    """Open orders that only reduce: lots left, and their price."""
    return {o.name: (o.leaves, o.limit or o.stop) for o in desk.ledger.open_orders() if o.terms.reduce_only}


def held(desk: Desk) -> int:
    return desk.ledger.account.position("X").lots


def test_an_order_that_turns_a_position_gets_its_exits_when_it_opens() -> None:
    """Short 1, buy 5 with a bracket: the first lot closes and protects nothing; 1000 + 8 and − 4 from the next."""
    desk = slow_desk()
    desk.place(terms("short", -1, 1, limit=1000), 1)
    said(desk, "short", E.ACCEPT)
    said(desk, "short", E.FILL, lots=1, ticks=1001, number="0")
    desk.place(terms("turn", lots=5, limit=999, take_profit=8, stop_loss=4), 1)
    said(desk, "turn", E.ACCEPT)
    said(desk, "turn", E.FILL, lots=1, ticks=999, number="1")
    assert (held(desk), exits(desk)) == (0, {})
    said(desk, "turn", E.FILL, lots=1, ticks=998, number="2")
    assert (held(desk), exits(desk)) == (1, {"turn.tp": (1, 1006), "turn.sl": (1, 994)})
    said(desk, "turn.tp", E.ACCEPT)
    said(desk, "turn", E.FILL, lots=3, ticks=997, number="3")
    assert held(desk) == 4 and desk.ledger.orders["turn.sl"].lots == 4


def test_what_is_filled_once_the_exits_have_ended_gets_exits_of_its_own() -> None:
    """Entry of 5: 2 filled and closed by the target; the other 3 are protected from their own price, and so on."""
    desk, _ = plain_desk()
    desk.place(terms("e", lots=5, limit=1000, take_profit=8, stop_loss=4, trailing=1), 1)
    said(desk, "e", E.FILL, lots=2, ticks=1000, number="1")
    said(desk, "e.tp", E.FILL, lots=2, ticks=1008, number="2")
    assert (held(desk), exits(desk)) == (0, {})
    said(desk, "e", E.FILL, lots=2, ticks=999, number="3")
    assert exits(desk) == {"e.2.tp": (2, 1007), "e.2.sl": (2, 995)}
    said(desk, "e", E.FILL, lots=1, ticks=999, number="4")
    assert exits(desk) == {"e.2.tp": (3, 1007), "e.2.sl": (3, 995)}
    said(desk, "e.2.tp", E.FILL, lots=3, ticks=1007, number="5")
    assert (held(desk), exits(desk)) == (0, {}) and fold(desk.journal) == desk.ledger


@pytest.mark.parametrize("by_loss", [False, True])
def test_only_exits_go_on_once_a_loss_has_turned_the_switch(by_loss: bool) -> None:
    """Entries that work, and stops that wait to enter, are taken back; what closes the position stays, as far as it does."""
    venue = PlainVenue()
    desk = venue.desk = Desk(venue, {"X": X}, Limits(daily_loss=40, per_second=None), cash="1000", now=0)  # type: ignore[arg-type]
    desk.market("X", 0, bid=995, ask=1005)
    desk.place(terms("long", lots=4, order_type="MARKET"), 1)
    desk.place(terms("more", limit=990), 2)
    desk.place(terms("stop", order_type="STOP", stop=1010), 2)
    desk.place(terms("exit", -1, 3, limit=1012), 3)
    desk.place(terms("second", -1, 3, limit=1013), 3)
    if by_loss:
        desk.market("X", 4, bid=985, ask=995)
        desk.on_time(4)
    else:
        desk.reduce(4)
    assert desk.ledger.switch is TradingState.REDUCING
    assert [o.name for o in desk.ledger.open_orders()] == ["exit"], "3 and 3 would be more than the 4 held"
    assert desk.ledger.orders["more"].reason.startswith("TRADING_REDUCING")
    desk.place(terms("close", -1, 1, order_type="MARKET"), 5)
    assert held(desk) == 3 and desk.ledger.orders["exit"].open
    desk.place(terms("again", -1, 1, order_type="MARKET", reduce_only=True), 1_000_000_005)
    assert held(desk) == 2 and not desk.ledger.orders["exit"].open, "3 would turn a position of 2"
    assert fold(desk.journal) == desk.ledger


def test_a_group_of_a_name_that_was_used_before_begins_anew() -> None:
    """The cell that is run for the next trade: its exits are not taken back for what the last trade's did."""
    desk, _ = plain_desk()
    for trade in range(3):
        desk.place(terms(f"in{trade}", lots=2, order_type="MARKET"), 1_000_000_000 * trade)
        made = [desk.place(terms(f"{what}{trade}", -1, 2, limit=price, oco="exit"), 1_000_000_000 * trade)
                for what, price in (("near", 1010), ("far", 1015))]  # fmt: skip
        assert all(order.open for order in made)
        said(desk, f"near{trade}", E.FILL, lots=1, ticks=1010, number=f"{trade}a")
        assert [order.lots for order in made] == [2, 1]
        said(desk, f"near{trade}", E.FILL, lots=1, ticks=1010, number=f"{trade}b")
        assert [order.status for order in made] == [S.FILLED, S.CANCELED] and held(desk) == 0


def test_a_mate_on_the_other_side_lets_nothing_through() -> None:
    """Long 5 and selling 5 to reduce: a purchase that says it only reduces is refused, in a group too."""
    desk, _ = plain_desk()
    desk.place(terms("long", lots=5, order_type="MARKET"), 1)
    assert desk.place(terms("out", -1, 5, limit=1012, reduce_only=True, oco="e"), 1).open
    wrong = desk.place(terms("in", 1, 5, order_type="MARKET", reduce_only=True, oco="e"), 1)
    assert wrong.reason.startswith("REDUCE_ONLY_WOULD_INCREASE") and held(desk) == 5


def test_a_journal_that_ends_anywhere_is_gone_on_with() -> None:
    """Also between the line of an order and that of what became of it."""
    desk, _ = plain_desk()
    desk.place(terms("e", lots=5, limit=1000, take_profit=8, stop_loss=4), 1)
    said(desk, "e", E.FILL, lots=2, ticks=1000, number="1")
    desk.place(terms("big", lots=10_000), 2)
    said(desk, "e.tp", E.FILL, lots=1, ticks=1008, number="2")
    for length in range(1, len(desk.journal) + 1):
        again = Desk.restart(PlainVenue(), desk.journal[:length], 9)
        assert not again.ledger.open_orders() and fold(again.journal) == again.ledger
        assert [order for order in again.ledger.orders.values() if order.status is S.INITIALIZED] == []


def test_an_account_goes_on_with_the_fees_and_bounds_it_is_given() -> None:
    """From then on, and not before; and never with another multiplier."""
    desk, venue = plain_desk()
    first: Order = desk.place(terms("a", lots=3, order_type="MARKET"), 1)
    fees = desk.ledger.account.fees()
    dearer = journal.decode(journal.encode(desk.journal))
    other = type(X)(symbol="X", tick_size=X.tick_size, multiplier=X.multiplier, per_lot=7)  # type: ignore[arg-type]
    again = venue.desk = Desk.restart(venue, dearer, 5, {"X": other}, Limits(size=2))
    assert again.ledger.account.fees() == fees and first.filled == 3
    again.market("X", 5, bid=995, ask=1005)
    assert again.place(terms("b", lots=3, order_type="MARKET"), 6).reason.startswith("QUANTITY_EXCEEDS_LIMIT")
    again.place(terms("c", lots=2, order_type="MARKET"), 7)
    assert again.ledger.account.fees() == fees + 14 and fold(again.journal) == again.ledger
    with pytest.raises(Exception, match=r"multiplier 3; expected multiplier 2.*Name another account"):
        Desk.restart(
            PlainVenue(), again.journal, 8, {"X": type(X)(symbol="X", tick_size=X.tick_size, multiplier=3)}
        )  # type: ignore[arg-type]


def test_flattening_twice_closes_once_and_closes_what_crosses_it() -> None:
    """The venue is slow: nothing is answered before the second time; an entry is executed while it is taken back."""
    desk = slow_desk()
    desk.place(terms("long", lots=5, limit=1000, take_profit=9, stop_loss=9), 1)
    said(desk, "long", E.ACCEPT)
    said(desk, "long", E.FILL, lots=4, ticks=1000, number="1")
    desk.place(terms("more", lots=3, limit=999, take_profit=9, stop_loss=9), 1)
    said(desk, "more", E.ACCEPT)
    for now in (2, 3):
        desk.flatten(now)
    [closing] = [order for order in desk.ledger.open_orders() if order.name.startswith("flatten")]
    assert (closing.lots, closing.terms.side) == (4, -1)
    said(desk, "more", E.FILL, lots=3, ticks=999, number="2")
    said(desk, "long", E.FILL, lots=1, ticks=1000, number="3")
    ways_out = [order for order in desk.ledger.open_orders() if order.name.startswith("flatten")]
    assert [order.lots for order in ways_out] == [4, 3, 1] and not any(
        o.name.startswith("more.") for o in desk.ledger.open_orders()
    )
    for number, order in enumerate(ways_out):
        said(desk, order.name, E.FILL, lots=order.lots, ticks=998, number=f"out{number}")
    for name in ("more", "long"):
        assert not desk.ledger.orders[name].open
    said(desk, "long.tp", E.CANCELED)
    assert held(desk) == 0 and not desk.ledger.open_orders() and fold(desk.journal) == desk.ledger


def test_exits_have_the_size_of_what_they_protect() -> None:
    """Asking for another one is refused, not forgotten; another price goes."""
    desk, _ = plain_desk()
    desk.place(terms("e", lots=5, order_type="MARKET", take_profit=8, stop_loss=4), 1)
    assert desk.replace("e.tp", 2, lots=2).startswith(
        "EXIT_SIZE: exits are as large as what 'e' has filled, 5 lots"
    )
    assert desk.replace("e.tp", 3, limit=1011) == "" and desk.ledger.orders["e.tp"].limit == 1011
