"""Meters of a panel: what is used of each bound."""

from __future__ import annotations

import polars as pl

from workbench.session.account_frames import ORDERS
from workbench.views.ticket_risk import Meter, meters, sent_since

MONEY = {"day": -120.0, "drawdown": 80.0}


def test_each_bound_has_its_meter_and_none_is_none():
    """A short position counts as its size; a gain is no loss."""
    told = meters({"position": 10.0, "per_second": 5, "daily_loss": 500.0}, -3.0, 4, 2, MONEY)
    assert told == [
        Meter("position", 3.0, 10.0, "size"),
        Meter("open orders", 4, None, "count"),
        Meter("orders / s", 2, 5, "count"),
        Meter("loss today", 120.0, 500.0, "money"),
        Meter("drawdown", 80.0, None, "money"),
    ]
    assert meters({}, 0.0, 0, 0, {**MONEY, "day": 5.0})[3].used == 0.0
    assert meters({}, 0.0, 0, 0, None)[4].used == 0.0


def state(ts: int, name: str, status: str = "NEW") -> dict:
    return dict.fromkeys(ORDERS) | {"ts": ts, "symbol": "ES", "client_order_id": name, "status": status}


def test_orders_and_changes_of_the_last_second_count_and_exits_of_brackets_do_not():
    """An order counts once, by its first state; a refused one was not sent."""
    rows = [
        state(10, "old"),
        state(50, "old", "PENDING_REPLACE"),
        state(40, "new", "PENDING_NEW"),
        state(60, "new"),
        state(55, "new.tp"),
        state(55, "new.sl"),
        state(70, "no", "REJECTED"),
    ]
    plain = {name: pl.Int64 if name == "ts" else kind for name, kind in ORDERS.items()}
    assert sent_since(pl.DataFrame(rows, schema=plain).cast(ORDERS), 30) == 2
    assert sent_since(pl.DataFrame([], schema=ORDERS), 0) == 0
