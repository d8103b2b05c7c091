"""Blotter of a trading panel: every order with where it stands, and why."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from workbench.events import Instrument
from workbench.session.order import CLOSED

__all__ = ["STATES", "blotter"]

ROWS_SHOWN: Final = 40
STATES: Final = {
    "INITIALIZED": "sending",
    "PENDING_NEW": "sending",
    "NEW": "working",
    "SUSPENDED": "waiting",
    "PARTIALLY_FILLED": "part filled",
    "PENDING_CANCEL": "cancelling",
    "PENDING_REPLACE": "changing",
    "FILLED": "filled",
    "CANCELED": "canceled",
    "REJECTED": "rejected",
    "DENIED": "rejected",
    "EXPIRED": "expired",
}
"""States in a trader's words; those that a platform has beside them are told as they are."""


def blotter(states: pl.DataFrame, instrument: Instrument, most: int = ROWS_SHOWN) -> list[dict[str, Any]]:
    """Orders of an instrument, open ones first, then the newest of those that ended.

    Parameters
    ----------
    states : DataFrame
        Every state that an order was in: columns of ``session.orders.history``.
    instrument : Instrument
    most : int
        Orders that ended beyond so many rows are left out; an open one never is.

    Returns
    -------
    list of dict
        ``id``, ``ms`` (since the epoch), ``side`` (+1 buy), ``size``, ``filled`` (real units), ``kind``, ``tif``, ``tick``
        and ``avg`` (ticks, null where there is none), ``state`` (in words), ``open``, ``reason``.
    """
    name = (
        pl.when(pl.col("client_order_id") != "").then("client_order_id").otherwise("#" + pl.col("order_id"))
    )
    mine = states.filter(pl.col("symbol") == instrument.symbol).with_columns(name=name)
    orders = mine.group_by("name", maintain_order=True).agg(
        pl.col("ts").min().to_physical().alias("first"), pl.exclude("name", "ts").last()
    )
    rows = [_row(order, float(instrument.tick_size)) for order in orders.iter_rows(named=True)]
    rows.sort(key=lambda row: (row["open"], row["ms"]), reverse=True)
    working = sum(row["open"] for row in rows)
    return rows[: max(most, working)]


def _row(order: dict[str, Any], tick_size: float) -> dict[str, Any]:
    price = order["price"] if order["price"] is not None else order["stop_price"]
    return {
        "id": order["name"],
        "ms": round(order["first"] / 1e6, 3),
        "side": 1 if order["side"] == "BUY" else -1,
        "size": order["quantity"],
        "filled": order["filled"],
        "kind": order["order_type"].replace("_", " ").lower(),
        "tif": order["time_in_force"],
        "tick": None if price is None else round(price / tick_size, 3),
        "avg": None if order["avg_price"] is None else round(order["avg_price"] / tick_size, 3),
        "state": "unknown" if order["unknown"] else STATES.get(order["status"], order["status"].lower()),
        "open": order["status"] not in CLOSED,
        "reason": order["reason"],
    }
