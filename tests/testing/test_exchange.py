"""Own orders are filled against the stream by simple rules, and told in Bookmap's order."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import bookmap_tape as tape
from workbench.book.live import PyBook
from workbench.events import EventBatch, EventKind, Side
from workbench.testing.exchange import Exchange
from workbench.testing.orders import OwnOrder
from workbench.testing.reader import OrderRequest
from workbench.testing.report import BALANCE, EXECUTE_ORDER, POSITION, UPDATE_ORDER

PIPS = float(tape.INSTRUMENT.tick_size)


class Desk:
    """An exchange at 5 × 400 bid, 7 × 401 and 9 × 402 asked, and a way to let things happen."""

    def __init__(self, **options: Any):
        self.book = PyBook()
        for side, price, size in ((Side.BID, 400, 5), (Side.ASK, 401, 7), (Side.ASK, 402, 9)):
            self.book.set_level(side, price, size)
        self.exchange = Exchange(tape.INSTRUMENT, self.book, **options)

    def send(self, size: int = 2, *, buy: bool = True, **fields: Any) -> OwnOrder:
        ticks = {name: fields.pop(name) for name in ("limit", "stop") if name in fields}
        prices = {f"{name}_price": value * PIPS for name, value in ticks.items()}
        rest = dict.fromkeys(
            ("limit_price", "stop_price", "client_id", "take_profit_client_id", "stop_loss_client_id")
        )
        offsets = dict.fromkeys(("take_profit_offset", "stop_loss_offset", "trailing_step"), 0)
        request = rest | offsets | {"duration": "GTC"} | prices | fields
        return self.exchange.place(OrderRequest(alias="A", is_buy=buy, size=size, **request))

    def trade(self, price: int) -> None:
        self._happen(EventBatch.of(kind=EventKind.TRADE, price=[price], size=1, side=Side.BUY))

    def depth(self, side: Side, price: int, size: int) -> None:
        self._happen(EventBatch.of(kind=EventKind.DEPTH, price=[price], size=size, side=side))

    def _happen(self, row: EventBatch) -> None:
        touched = self.exchange.first_touch(row)
        self.book.apply(row)
        self.exchange.observe(row)
        if touched is not None:
            self.exchange.on_row(row)

    def told(self) -> list[tuple[int, Any]]:
        return [(report.type, report.plain.get("status")) for report in self.exchange.take_reports()]

    def prices(self) -> list[tuple[int, int]]:
        return [(one["size"], round(one["price"] / PIPS)) for one in self.exchange.executions]


def test_a_market_order_takes_the_best_levels_at_once() -> None:
    """Level by level, and nothing is left resting."""
    desk = Desk()
    order = desk.send(10)
    assert desk.prices() == [(7, 401), (3, 402)]
    assert (order.status, order.filled, order.unfilled) == ("FILLED", 10, 0)
    assert order.average == pytest.approx((7 * 401 + 3 * 402) / 10 * PIPS)


def test_the_execution_comes_before_the_update_that_says_so() -> None:
    """PENDING_SUBMIT, WORKING, execution, FILLED, position."""
    desk = Desk()
    desk.send(2)
    assert desk.told() == [
        (UPDATE_ORDER, "PENDING_SUBMIT"),
        (UPDATE_ORDER, "WORKING"),
        (EXECUTE_ORDER, None),
        (UPDATE_ORDER, "FILLED"),
        (POSITION, None),
    ]


def test_a_market_order_without_a_market_is_rejected() -> None:
    """And one that finds too little is cancelled for the rest."""
    desk = Desk()
    desk.book.clear()
    assert desk.send().status == "REJECTED"
    thin = Desk()
    order = thin.send(20)
    assert (order.status, order.filled) == ("CANCELLED", 16)


def test_a_limit_takes_what_it_reaches_and_rests() -> None:
    """Never beyond its price."""
    desk = Desk()
    order = desk.send(10, limit=401)
    assert desk.prices() == [(7, 401)]
    assert (order.status, order.unfilled) == ("WORKING", 3)


def test_a_resting_limit_is_filled_by_a_print_beyond_it() -> None:
    """A print at its own price says nothing of its place in the queue."""
    desk = Desk()
    order = desk.send(limit=399)
    desk.trade(399)
    assert order.filled == 0
    desk.trade(398)
    assert desk.prices() == [(2, 399)]
    assert order.status == "FILLED"


def test_a_resting_limit_is_filled_by_what_comes_to_it() -> None:
    """At its own price, as much as is offered there."""
    desk = Desk()
    order = desk.send(5, limit=399)
    desk.depth(Side.ASK, 398, 3)
    assert desk.prices() == [(3, 399)]
    assert (order.filled, order.unfilled, order.status) == (3, 2, "WORKING")


@pytest.mark.parametrize(
    ("duration", "size", "filled", "status"),
    [
        ("IOC", 10, 7, "CANCELLED"),
        ("IOC", 7, 7, "FILLED"),
        ("FOK", 8, 0, "CANCELLED"),
        ("FOK", 7, 7, "FILLED"),
        ("GTC_PO", 1, 0, "REJECTED"),
    ],
)
def test_durations_decide_what_becomes_of_the_rest(
    duration: str, size: int, filled: int, status: str
) -> None:
    """IOC cancels it, FOK is all or nothing, post-only takes nothing."""
    order = Desk().send(size, limit=401, duration=duration)
    assert (order.filled, order.status) == (filled, status)


def test_post_only_rests_where_it_takes_nothing() -> None:
    """On its own side of the book."""
    assert Desk().send(limit=400, duration="GTC_PO").status == "WORKING"


@pytest.mark.parametrize(("size", "limit"), [(0, 400), (2, 400.5)])
def test_impossible_orders_are_rejected_without_a_reason(size: int, limit: float) -> None:
    """Nothing to fill, or a price between the ticks."""
    desk = Desk()
    desk.send(size, limit=limit)
    assert desk.told() == [(UPDATE_ORDER, "PENDING_SUBMIT"), (UPDATE_ORDER, "REJECTED")]


def test_a_stop_goes_off_at_a_print_and_takes_the_market() -> None:
    """Not before."""
    desk = Desk()
    order = desk.send(stop=402)
    desk.trade(401)
    assert not order.stop_triggered
    desk.trade(402)
    assert (order.stop_triggered, order.status, desk.prices()) == (True, "FILLED", [(2, 401)])


def test_a_stop_limit_becomes_a_limit() -> None:
    """Which may rest."""
    desk = Desk()
    order = desk.send(stop=402, limit=400)
    assert order.kind == "STP_LMT"
    desk.trade(403)
    assert (order.stop_triggered, order.status, order.filled) == (True, "WORKING", 0)
    desk.trade(399)
    assert order.status == "FILLED"


def test_a_brackets_children_sleep_until_their_parent_is_filled() -> None:
    """Then they stand so many ticks from its price, and one ends the other."""
    desk = Desk()
    parent = desk.send(limit=399, take_profit_offset=8, stop_loss_offset=4, take_profit_client_id="tp")
    profit, loss = parent.children
    assert (profit.status, loss.status) == ("SUSPENDED", "SUSPENDED")
    desk.trade(398)
    assert (profit.status, profit.limit, profit.client_id) == ("WORKING", 407, "tp")
    assert (loss.status, loss.stop, loss.kind) == ("WORKING", 395, "STP")
    desk.trade(408)
    assert (profit.status, loss.status) == ("FILLED", "CANCELLED")
    assert desk.exchange.position.net == 0


def test_children_of_a_cancelled_parent_are_cancelled() -> None:
    """There is nothing to protect."""
    desk = Desk()
    parent = desk.send(limit=399, take_profit_offset=8, stop_loss_offset=4)
    desk.exchange.cancel(parent.order_id, True, None)
    assert {child.status for child in parent.children} == {"CANCELLED"}


def test_a_trailing_stop_follows_in_whole_steps() -> None:
    """Upwards only, for what was bought."""
    desk = Desk()
    parent = desk.send(stop_loss_offset=4, trailing_step=2)
    (loss,) = parent.children
    stops = []
    for price in (402, 403, 406, 404):
        desk.trade(price)
        stops.append(loss.stop)
    assert stops == [397, 399, 401, 401]
    desk.trade(401)
    assert (loss.status, desk.exchange.position.net) == ("FILLED", 0)


def test_a_cancel_is_pending_first() -> None:
    """Two updates."""
    desk = Desk()
    order = desk.send(limit=399)
    desk.told()
    desk.exchange.cancel(order.order_id, True, None)
    assert desk.told() == [(UPDATE_ORDER, "PENDING_CANCEL"), (UPDATE_ORDER, "CANCELLED")]


def test_a_batch_is_cancelled_at_its_end_only() -> None:
    """A cancel that is not the last of its batch waits for the one that is."""
    desk = Desk()
    first, second = desk.send(limit=399), desk.send(limit=398)
    desk.exchange.cancel(first.order_id, False, 7)
    desk.exchange.cancel(second.order_id, True, 8)
    assert (first.status, second.status) == ("WORKING", "CANCELLED")
    third = desk.send(limit=397)
    desk.exchange.cancel(third.order_id, True, 7)
    assert (first.status, third.status) == ("CANCELLED", "CANCELLED")


def test_a_moved_limit_may_meet_the_market() -> None:
    """NaN leaves a price as it is."""
    desk = Desk()
    order = desk.send(limit=399)
    desk.exchange.move(order.order_id, 401 * PIPS, float("nan"))
    assert (order.status, desk.prices()) == ("FILLED", [(2, 401)])


@pytest.mark.parametrize(("means", "unfilled"), [("remaining", 6), ("total", 3)])
def test_a_new_size_is_of_what_the_platform_means_by_it(means: Any, unfilled: int) -> None:
    """Which of the two Bookmap means is not known."""
    desk = Desk(resize_means=means)
    order = desk.send(5, limit=399)
    desk.depth(Side.ASK, 399, 3)
    desk.exchange.resize(order.order_id, 6)
    assert order.unfilled == unfilled


def test_a_size_that_leaves_nothing_ends_the_order() -> None:
    """As a cancel does."""
    desk = Desk(resize_means="total")
    order = desk.send(5, limit=399)
    desk.depth(Side.ASK, 399, 3)
    desk.exchange.resize(order.order_id, 3)
    assert order.status == "CANCELLED"


def test_an_order_moved_to_the_market_is_filled() -> None:
    """So many ticks beyond the other side's best."""
    desk = Desk()
    order = desk.send(limit=399)
    desk.exchange.move_to_market(order.order_id, 0)
    assert order.status == "FILLED"


def test_without_simulation_a_hand_fills() -> None:
    """Orders rest whatever happens."""
    desk = Desk(simulate_fills=False)
    order = desk.send(5, limit=410)
    desk.trade(300)
    assert order.filled == 0
    desk.exchange.fill(order.order_id, 2)
    assert (order.filled, order.unfilled, order.status) == (2, 3, "WORKING")


def test_position_and_account_follow_the_fills() -> None:
    """Bought at 401, sold half at 400: one tick of one lot lost, then the rest is short of nothing."""
    desk = Desk()
    desk.send(2)
    desk.send(1, buy=False)
    report = desk.exchange.position_report().plain
    assert (report["position"], report["volume"], report["averagePrice"]) == (1, 3, 401 * PIPS)
    assert report["realizedPnl"] == pytest.approx(-1 * PIPS)
    assert desk.told()[-1] == (BALANCE, None)
    (entry,) = desk.exchange.balance_report().plain["balancesInCurrency"]
    assert entry["balance"] == pytest.approx(100_000 - PIPS)


def test_a_position_can_turn_round() -> None:
    """Selling more than is held opens the other side at the new price."""
    desk = Desk()
    desk.send(2)
    desk.send(5, buy=False)
    position = desk.exchange.position
    assert (position.net, position.average, position.realized) == (-3, 400, -2)


def test_updates_say_what_changed() -> None:
    """Against the update before."""
    desk = Desk()
    desk.send(limit=399)
    first, second = (report.plain for report in desk.exchange.take_reports())
    assert first["limitPriceChanged"] is True
    assert (second["limitPriceChanged"], second["statusChanged"]) == (False, True)
