"""Own orders and fills as the heatmap draws them: a line from placing to the end, a triangle for each execution."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from workbench.events import Instrument
from workbench.session.order import CLOSED
from workbench.trading.terms import STOP_LOSS_SUFFIX, TAKE_PROFIT_SUFFIX

MOST_ORDERS: Final = 500
MOST_FILLS: Final = 2_000


def order_lines(
    states: pl.DataFrame, instrument: Instrument, most: int = MOST_ORDERS
) -> list[dict[str, Any]]:
    """Lines of orders that rested somewhere, the newest ``most`` of them.

    Parameters
    ----------
    states : DataFrame
        Every state that an order was in: columns of ``session.orders.history``.
    instrument : Instrument

    Returns
    -------
    list of dict
        ``side`` (+1 buy), ``steps`` ([ms, tick, leaves], …), ``end`` (ms, null while it works), ``status``, ``id``,
        ``kind`` (``limit``, ``stop``, …; ``target`` and ``stop loss`` of a bracket).

    Notes
    -----
    What a session says of an order before anybody has answered carries the time of its own machine. Where the stream's
    time is another (a replay, a simulation), that order begins with the first answer.
    """
    at = pl.coalesce("price", "stop_price")
    mine = with_ms(states).filter((pl.col("symbol") == instrument.symbol) & at.is_not_null())
    name = pl.when(pl.col("client_order_id").fill_null("") != "").then("client_order_id")
    named = mine.with_columns(name=name.otherwise("#" + pl.col("order_id").fill_null("")))
    lines = [_line(told, instrument) for _, told in named.group_by("name", maintain_order=True)]
    return [line for line in lines if line is not None][-most:]


def _line(told: pl.DataFrame, instrument: Instrument) -> dict[str, Any] | None:
    tick = float(instrument.tick_size)
    steps: list[list[float]] = []
    end = None
    began = told["ms"].reverse().cum_min().reverse()
    for ms, row in zip(began, told.iter_rows(named=True)):
        if row["status"] in CLOSED:
            end = ms
            break
        at = row["price"] if row["price"] is not None else row["stop_price"]
        step = [ms, round(at / tick, 3), row["leaves"]]
        if not steps or steps[-1][1:] != step[1:]:
            steps.append(step)
    if not steps:
        return None
    last = told.row(-1, named=True)
    side = 1 if last["side"] == "BUY" else -1
    facts = {"id": last["name"], "side": side, "steps": steps, "end": end, "status": last["status"]}
    return facts | {"kind": _kind(last)}


def _kind(row: dict[str, Any]) -> str:
    """What an order is for, as it is called on a chart."""
    for suffix, kind in ((TAKE_PROFIT_SUFFIX, "target"), (STOP_LOSS_SUFFIX, "stop loss")):
        if row["client_order_id"].endswith(suffix):
            return kind
    return str(row["order_type"] or "").replace("_", " ").lower()


def fill_marks(fills: pl.DataFrame, instrument: Instrument, most: int = MOST_FILLS) -> list[list[Any]]:
    """Executions as [ms, tick, side, size], the newest ``most`` of them; columns of ``session.fills``."""
    mine = with_ms(fills).filter(pl.col("symbol") == instrument.symbol).tail(most)
    tick = float(instrument.tick_size)
    return [
        [row["ms"], round(row["price"] / tick, 3), 1 if row["side"] == "BUY" else -1, row["size"]]
        for row in mine.iter_rows(named=True)
    ]


def with_ms(frame: pl.DataFrame) -> pl.DataFrame:
    """Frame with its ``ts`` as ms since the epoch beside it."""
    return frame.with_columns(ms=(pl.col("ts").to_physical() / 1e6).round(3))
