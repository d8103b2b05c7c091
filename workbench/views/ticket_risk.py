"""How near a trader is to each bound: what is used of it, and how much there is."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import polars as pl

from workbench.trading.terms import STOP_LOSS_SUFFIX, TAKE_PROFIT_SUFFIX

__all__ = ["Meter", "meters", "sent_since"]

SECOND_NS: Final = 1_000_000_000


class Meter(NamedTuple):
    """One bound.

    Parameters
    ----------
    name : str
    used : float
    bound : float or None
        None: there is none.
    kind : {"size", "count", "money"}
    """

    name: str
    used: float
    bound: float | None
    kind: str


def meters(
    limits: dict[str, Any], position: float, working: int, sent: int, money: dict[str, float] | None
) -> list[Meter]:
    """Meters of a desk that says its bounds.

    Parameters
    ----------
    limits : dict
        ``position`` (real units), ``open_orders``, ``per_second``, ``daily_loss``, ``drawdown`` (currency); what is
        missing or None is no bound.
    position : float, real units
        Short below 0.
    working, sent : int
        Open orders; orders and changes within the last second.
    money : dict, optional
        As :func:`~workbench.views.ticket_money.money_facts` gives it.
    """
    lost = 0.0 if money is None else max(-money["day"], 0.0)
    below = 0.0 if money is None else money["drawdown"]
    return [
        Meter("position", abs(position), limits.get("position"), "size"),
        Meter("open orders", working, limits.get("open_orders"), "count"),
        Meter("orders / s", sent, limits.get("per_second"), "count"),
        Meter("loss today", lost, limits.get("daily_loss"), "money"),
        Meter("drawdown", below, limits.get("drawdown"), "money"),
    ]


def sent_since(states: pl.DataFrame, since_ns: int) -> int:
    """Orders and changes sent after a moment; those that a bracket placed count against no rate.

    Parameters
    ----------
    states : DataFrame
        Every state that an order was in: columns of ``session.orders.history``.
    since_ns : int, ns
    """
    name = pl.col("client_order_id").str
    named = states.filter(~(name.ends_with(TAKE_PROFIT_SUFFIX) | name.ends_with(STOP_LOSS_SUFFIX)))
    begun = named.group_by("symbol", "client_order_id").agg(pl.col("ts").min(), pl.col("status").last())
    is_late = pl.col("ts").to_physical() > since_ns
    placed = begun.filter(is_late & (pl.col("status") != "REJECTED")).height
    return placed + named.filter(is_late & (pl.col("status") == "PENDING_REPLACE")).height
