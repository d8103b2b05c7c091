"""Orders by their names: each found, none mistaken for another, the oldest finished ones forgotten."""

from __future__ import annotations

from tests.support.desk_floor import ALIAS, update
from workbench.bridge.own_orders import MAX_FINISHED, OwnOrders
from workbench.bridge.reports import OrderReport, read_order
from workbench.instruments import Instrument

ES = Instrument(ALIAS, "0.25")  # type: ignore[arg-type]


def report(order_id: str, client_id: str = "", status: str = "WORKING", **changed: object) -> OrderReport:
    """A report of an order."""
    return read_order(update(order_id, client_id, status, **changed), ES)


def test_an_order_is_found_by_each_of_its_names() -> None:
    """By client order id, by ``#`` and Bookmap's id, and by what a report says."""
    orders = OwnOrders()
    order = orders.begin(report("7", "a"))
    assert (
        orders.named("a") is orders.named("#7") is orders.by_id("7") is orders.of(report("7", "x")) is order
    )
    assert orders.named("7") is orders.named("") is orders.by_id("") is None


def test_a_client_id_belongs_to_the_first_order_that_has_it() -> None:
    """Another order of Bookmap with the same client id is not taken for it."""
    orders = OwnOrders()
    first = orders.begin(report("7", "a"))
    assert orders.of(report("8", "a")) is None
    second = orders.begin(report("8", "a"))
    assert (second.client_order_id, second.name) == ("", "#8")
    assert orders.named("a") is first


def test_what_is_finished_is_forgotten_in_the_end() -> None:
    """Open orders are kept whatever their number; of the finished ones the latest."""
    orders = OwnOrders()
    works = orders.begin(report("w", "works"))
    for number in range(MAX_FINISHED + 5):
        orders.begin(report(str(number), f"c{number}", "CANCELLED"))
    assert len(orders) == MAX_FINISHED + 1
    assert list(orders.working()) == [works]
    assert orders.named("c4") is orders.by_id("4") is None
    assert orders.named("c5") is not None
