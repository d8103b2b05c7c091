"""The blotter: every order once, as it stands, and why."""

from __future__ import annotations

import polars as pl

from workbench.events import Instrument
from workbench.session.account_frames import ORDERS
from workbench.views.ticket_blotter import blotter

ES = Instrument("ES", "0.25")


def states(*rows: dict) -> pl.DataFrame:
    plain = {name: pl.Int64 if name == "ts" else kind for name, kind in ORDERS.items()}
    usual = {
        "symbol": "ES",
        "order_id": "",
        "side": "BUY",
        "order_type": "LIMIT",
        "quantity": 2.0,
        "filled": 0.0,
        "time_in_force": "GTC",
        "reason": "",
        "unknown": False,
    }
    return pl.DataFrame([dict.fromkeys(ORDERS) | usual | row for row in rows], schema=plain).cast(ORDERS)


def order(ts: int, name: str, status: str, **more: object) -> dict:
    return {"ts": ts * 1_000_000, "client_order_id": name, "status": status} | more


def test_open_orders_come_first_then_the_newest():
    """Each at its first moment, in its last state, in words; its price in ticks."""
    rows = blotter(
        states(
            order(1, "done", "NEW", price=25.0),
            order(2, "open", "PARTIALLY_FILLED", price=25.5, filled=1.0, avg_price=25.5),
            order(9, "done", "FILLED", price=25.0, filled=2.0, avg_price=24.875),
            order(5, "no", "REJECTED", reason="PRICE_BAND: 60 ticks; at most 50"),
            order(6, "else", "NEW", symbol="NQ"),
        ),
        ES,
    )
    assert [(row["id"], row["state"], row["ms"]) for row in rows] == [
        ("open", "part filled", 2.0),
        ("no", "rejected", 5.0),
        ("done", "filled", 1.0),
    ]
    assert (rows[0]["tick"], rows[0]["filled"], rows[0]["open"]) == (102.0, 1.0, True)
    assert (rows[1]["tick"], rows[1]["reason"]) == (None, "PRICE_BAND: 60 ticks; at most 50")
    assert rows[2]["avg"] == 99.5


def test_an_order_of_unknown_fate_says_so_and_one_placed_elsewhere_has_its_number():
    """Neither is claimed to work; a state that nobody knows is told as it is."""
    told = states(
        order(1, "", "NEW", order_id="77", unknown=True), order(2, "b", "PENDING_MAGIC", stop_price=26.0)
    )
    rows = {row["id"]: row for row in blotter(told, ES)}
    assert rows["#77"]["state"] == "unknown"
    assert (rows["b"]["state"], rows["b"]["tick"]) == ("pending_magic", 104.0)


def test_open_orders_are_never_left_out():
    """Only those that ended are."""
    told = states(
        *(order(i, f"o{i}", "NEW") for i in range(5)), *(order(i, f"e{i}", "CANCELED") for i in range(9))
    )
    assert [row["open"] for row in blotter(told, ES, most=3)] == [True] * 5
    assert len(blotter(told, ES, most=7)) == 7
