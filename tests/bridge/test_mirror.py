"""What reports make of the orders that are known, and of those that are not."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.support.desk_floor import Floor
from workbench.bridge import wire
from workbench.protocol import messages


def test_partially_filled_is_derived() -> None:
    """Bookmap has no word for it: working, with something filled and something left."""
    floor = Floor().open()
    floor.place()
    floor.update(filled=1, unfilled=1, averageFillPrice=4500.0)
    order = floor.order()
    assert (order.status, order.filled, order.leaves, order.avg_price) == (
        "PARTIALLY_FILLED",
        1.0,
        1.0,
        4500.0,
    )


def test_a_repeated_report_is_no_news() -> None:
    """F21: the same report again, marked or not, tells nothing and changes nothing."""
    floor = Floor().open()
    floor.place()
    floor.update(filled=1, unfilled=1)
    told = len(floor.account)
    floor.update(filled=1, unfilled=1)
    floor.update(filled=1, unfilled=1, isDuplicate=True)
    floor.update(filled=1, unfilled=1, modificationUtcTime=1_767_225_600_999)
    assert len(floor.account) == told


def test_an_old_report_takes_nothing_back() -> None:
    """Less filled than before is an old report: nothing changes, and it is in the journal."""
    floor = Floor().open()
    floor.place()
    floor.update(filled=1, unfilled=1)
    floor.update(filled=0, unfilled=2)
    assert floor.order().filled == 1.0
    assert floor.desk.oddities == 1
    floor.update(filled=2, unfilled=0, status="FILLED")
    floor.update(filled=2, unfilled=0, status="WORKING")
    floor.update(status="CANCELLED", filled=1, unfilled=1)
    assert floor.order().status == "FILLED"


def test_the_same_execution_is_told_once() -> None:
    """F21: executions are known by their id, in any order with the report, across repetitions."""
    floor = Floor().open()
    floor.place()
    floor.execution("e-1")  # before the order has a name
    assert not floor.fills
    floor.update(filled=1, unfilled=1)
    floor.execution("e-1")
    floor.execution("e-2")
    floor.update(filled=2, unfilled=0, status="FILLED")
    floor.execution("e-2")
    assert [(f.execution_id, f.client_order_id, f.side, f.size) for f in floor.fills] == [
        ("e-1", "a-1", "BUY", 1.0),
        ("e-2", "a-1", "BUY", 1.0),
    ]


def test_a_repeated_position_is_no_news() -> None:
    """Bookmap tells the position again and again: only what changed is told."""
    floor = Floor()
    for lots in (1, 1, 1, 0, 0):
        floor.wait(1)
        floor.position(lots)
    told = [m for m in floor.account if isinstance(m, messages.Position)]
    assert [(m.position, m.avg_price) for m in told] == [(1.0, 4500.0), (0.0, None)]


def test_a_duplicate_of_a_position_says_nothing() -> None:
    """What is marked as a duplicate is skipped once the account is known, whatever it says."""
    floor = Floor()
    floor.position(2, isDuplicate=True)
    floor.position(3, isDuplicate=True)
    told = [m for m in floor.account if isinstance(m, messages.Position)]
    assert [m.position for m in told] == [2.0]


def test_a_profit_that_is_not_told_is_none() -> None:
    """NaN and absent are not 0: nobody has said that nothing was lost."""
    floor = Floor()
    floor.position(2, unrealizedPnl=math.nan)
    told = next(m for m in floor.account if isinstance(m, messages.Position))
    assert (told.unrealized, told.realized) == (None, None)


def test_balances_are_one_message_a_currency() -> None:
    """Entries without a balance are left out, NaN is nothing, and a repetition is no news."""
    floor = Floor()
    nan = float("nan")
    listed = [
        {"currency": "USD", "balance": 100.0, "unrealizedPnl": 2.5, "netLiquidityValue": nan},
        {"currency": "DOGE", "balance": 0.255, "realizedPnl": nan, "rateToBase": 0.06203},
        {"currency": "EUR"},
        "nonsense",
    ]
    for _ in range(2):
        floor.follow(floor.desk.report(wire.BalanceUpdate({"balancesInCurrency": listed}), floor.now))
    told = [m for m in floor.account if isinstance(m, messages.Balance)]
    assert [(m.currency, m.cash, m.equity, m.rate_to_base) for m in told] == [
        ("USD", 100.0, 102.5, None),
        ("DOGE", 0.255, 0.255, 0.06203),
    ]


@pytest.mark.parametrize(
    "changed",
    [
        {"orderId": None},
        {"isBuy": 1},
        {"filled": "two"},
        {"unfilled": -1},
        {"filled": 10**300},
        {"unfilled": 1.5},
    ],
)
def test_a_report_without_sense_is_counted(changed: dict[str, Any]) -> None:
    """It changes nothing, is counted, and is in the journal."""
    floor = Floor().open()
    floor.place()
    told = len(floor.account)
    floor.update(**changed)
    assert floor.desk.bad_reports == 1
    assert floor.journal[-1]["what"] == "bad_report"
    assert len(floor.account) == told


def test_a_report_of_another_instrument_is_not_ours() -> None:
    """Reports carry the alias: another one's change nothing here."""
    floor = Floor()
    floor.update("9", "", instrumentAlias="NQZ6")
    floor.follow(floor.desk.report(wire.Execution("NQZ6", {}), floor.now))
    assert not [m for m in floor.account if isinstance(m, messages.Order)]
    assert not floor.desk.bad_reports


def test_the_unit_of_time_that_was_seen_is_noted_once() -> None:
    """Times in another unit than ms are recognised by their size, and the journal says so once."""
    floor = Floor().open()
    floor.place()
    for filled in (0, 1):
        floor.update(filled=filled, unfilled=2 - filled, modificationUtcTime=1_767_225_600)
    assert floor.order().ts == 1_767_225_600 * 10**9
    assert [e["unit"] for e in floor.journal if e["what"] == "time_unit"] == ["s"]


def test_a_child_that_carries_its_parents_name_is_an_order_of_its_own() -> None:
    """One client id on two orders of Bookmap: the first keeps the name, the other goes by its number."""
    floor = Floor().open()
    floor.place()
    floor.update()
    floor.update("8", "a-1", isBuy=False, status="SUSPENDED", limitPrice=4510.0)
    assert floor.order().status == "NEW"
    assert floor.order("#8").status == "SUSPENDED"


def test_a_late_fill_is_taken() -> None:
    """A fill that was on its way when the order was cancelled counts; the order stays cancelled."""
    floor = Floor().open()
    floor.place()
    floor.update()
    floor.update(status="CANCELLED", unfilled=0)
    floor.update(status="CANCELLED", filled=1, unfilled=0)
    order = floor.order()
    assert (order.status, order.filled, order.leaves) == ("CANCELED", 1.0, 0.0)
    assert "LATE_FILL" in order.reason
    floor.update(status="FILLED", filled=2, unfilled=0)
    assert (floor.order().status, floor.order().filled) == ("FILLED", 2.0)
    assert "LATE_FILL" in floor.order().reason


def test_a_child_that_is_reported_before_its_parent_is_not_its_parent() -> None:
    """The same client id on the other side is the child of a bracket: the order we sent stays unanswered."""
    floor = Floor().open()
    floor.place()
    floor.update("8", "a-1", isBuy=False, status="SUSPENDED", limitPrice=4510.0)
    assert floor.order().status == "PENDING_NEW"
    assert floor.order("#8").side == "SELL"
    floor.update()
    assert (floor.order().status, floor.order().order_id) == ("NEW", "7")


def test_a_report_marked_as_duplicate_answers_nothing() -> None:
    """A repeated WORKING after PENDING_CANCEL is no refusal of the cancel; unmarked it is one."""
    floor = Floor().open()
    floor.place()
    floor.update()
    floor.cancel()
    floor.update(status="PENDING_CANCEL")
    floor.update(isDuplicate=True)
    assert floor.order().status == "PENDING_CANCEL"
    floor.update()
    assert floor.order().status == "NEW"
    assert floor.order().reason.startswith("CANCEL_REJECTED")
