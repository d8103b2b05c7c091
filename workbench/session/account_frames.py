"""Account messages as Polars frames; the schemas are a contract, on every source and also when there is no row.

Times are UTC with ns; prices and sizes are real units; texts that were not told are empty, numbers null.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec
import polars as pl

from workbench.protocol import messages

TS: Final = pl.Datetime("ns", "UTC")
Schema = dict[str, pl.DataType | type[pl.DataType]]

ORDERS: Final[Schema] = {
    "ts": TS,
    "symbol": pl.String,
    "client_order_id": pl.String,
    "order_id": pl.String,
    "side": pl.String,
    "order_type": pl.String,
    "status": pl.String,
    "quantity": pl.Float64,
    "filled": pl.Float64,
    "leaves": pl.Float64,
    "price": pl.Float64,
    "stop_price": pl.Float64,
    "avg_price": pl.Float64,
    "time_in_force": pl.String,
    "reason": pl.String,
    "unknown": pl.Boolean,
    "simulated": pl.Boolean,
    "account": pl.String,
}
FILLS: Final[Schema] = {
    "ts": TS,
    "symbol": pl.String,
    "client_order_id": pl.String,
    "order_id": pl.String,
    "execution_id": pl.String,
    "side": pl.String,
    "price": pl.Float64,
    "size": pl.Float64,
    "fee": pl.Float64,
    "liquidity": pl.String,
    "simulated": pl.Boolean,
}
POSITIONS: Final[Schema] = {
    "ts": TS,
    "symbol": pl.String,
    "position": pl.Float64,
    "avg_price": pl.Float64,
    "realized": pl.Float64,
    "unrealized": pl.Float64,
    "volume": pl.Float64,
    "working_buys": pl.Int64,
    "working_sells": pl.Int64,
    "currency": pl.String,
    "account": pl.String,
}
BALANCES: Final[Schema] = {
    "ts": TS,
    "currency": pl.String,
    "cash": pl.Float64,
    "equity": pl.Float64,
    "realized": pl.Float64,
    "unrealized": pl.Float64,
    "previous_day": pl.Float64,
    "rate_to_base": pl.Float64,
    "account": pl.String,
}
SWITCHES: Final[Schema] = {"ts": TS, "symbol": pl.String, "state": pl.String, "reason": pl.String}
BROADCASTS: Final[Schema] = {
    "ts": TS,
    "symbol": pl.String,
    "provider": pl.String,
    "generator": pl.String,
    "kind": pl.String,
    "data": pl.String,
}


def account_frame(told: Iterable[messages.AccountMessage], schema: Schema) -> pl.DataFrame:
    """Frame of messages of one kind, one row each.

    Parameters
    ----------
    told : iterable of messages
    schema : Schema
        One of the schemas above: columns are the messages' fields.
    """
    rows = list(told)
    columns = [_column(name, kind, [getattr(row, name) for row in rows]) for name, kind in schema.items()]
    return pl.DataFrame(columns)


def broadcasts_frame(told: Iterable[messages.Broadcast]) -> pl.DataFrame:
    """Frame of broadcasts; ``data`` is JSON text, since every add-on says something else."""
    return account_frame(
        (msgspec.structs.replace(one, data=msgspec.json.encode(one.data).decode()) for one in told),
        BROADCASTS,
    )


def _column(name: str, kind: pl.DataType | type[pl.DataType], values: list[object]) -> pl.Series:
    if kind == TS:
        return pl.Series(name, values, pl.Int64).cast(TS)
    return pl.Series(name, values, kind)


def switches_frame(told: Iterable[messages.Trading]) -> pl.DataFrame:
    """Turns of the switch, one row each; what was said again is left out."""
    rows = [
        (message.ts, message.symbol, str(message.supported.get("state", _state(message))), message.reason)
        for message in told
    ]
    turned = [row for n, row in enumerate(rows) if not n or row[2:] != rows[n - 1][2:]]
    return pl.DataFrame(turned, schema=SWITCHES, orient="row")


def _state(message: messages.Trading) -> str:
    """Of a platform, which has two locks and no word for both."""
    return "ACTIVE" if message.permitted and message.armed else "HALTED"
