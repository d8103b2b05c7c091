"""Trades out of fills: what was opened and closed again, first in first out, with the best and worst moment between."""

from __future__ import annotations

from collections import deque
from typing import Any, Final

import numpy as np
import polars as pl

from workbench.events import Array, FloatArray, Instrument, IntArray
from workbench.lab.forward import Mids

_SCHEMA: Final = {
    "entry": pl.Int64,
    "exit": pl.Int64,
    "side": pl.Int8,
    "size": pl.Int64,
    "entry_price": pl.Int64,
    "exit_price": pl.Int64,
    "fees": pl.Float64,
}


def round_trips(
    fills: pl.DataFrame, instrument: Instrument, market: Mids, *, inverse: bool = False
) -> pl.DataFrame:
    """Trades of a position, first in first out.

    Parameters
    ----------
    fills : DataFrame
        As a backtest gives them.
    instrument : Instrument
    market : Mids
        The mid over time.
    inverse : bool, optional
        Of a contract that is paid in its coin: money is coins, and a tick is worth less the higher the price.

    Returns
    -------
    DataFrame
        A row for each part of a position that was closed by one fill: ``entry, exit, side, size, entry_price, exit_price``
        (real units), ``gross`` (ticks), ``fees`` and ``profit`` (money, after fees), ``net`` (ticks for each lot, after
        fees), ``mfe, mae`` (ticks: highest and lowest of s(M − entry price) from entry to exit; null where
        the book was lost, GAP or CLEAR, in between), ``held_s``.

    Notes
    -----
    A fill that turns the position closes it and opens the rest. What is still open has no row.
    """
    tick, lot = float(instrument.tick_size), float(instrument.lot_size)
    table = pl.DataFrame(list(_matched(fills, tick, lot)), schema=_SCHEMA, orient="row")
    worth = _worth_of_tick(tick, lot * float(instrument.multiplier), inverse)
    entry, exit_ = table["entry"].to_numpy(), table["exit"].to_numpy()
    side, price = table["side"].to_numpy().astype(np.float64), table["entry_price"].to_numpy()
    high, low = _extremes(market, entry, exit_)
    best, worst = np.where(side > 0, high - price, price - low), np.where(side > 0, low - price, price - high)
    gross = pl.col("side") * (pl.col("exit_price") - pl.col("entry_price"))
    profit = gross * pl.col("size") * worth - pl.col("fees")
    return table.select(
        pl.from_epoch("entry", "ns").dt.replace_time_zone("UTC"),
        pl.from_epoch("exit", "ns").dt.replace_time_zone("UTC"),
        "side",
        pl.Series("size", instrument.sizes(table["size"].to_numpy())),
        *(
            pl.Series(name, instrument.prices(table[name].to_numpy()))
            for name in ("entry_price", "exit_price")
        ),
        gross.alias("gross"),
        "fees",
        profit.alias("profit"),
        (profit / (pl.col("size") * worth)).alias("net"),
        pl.Series("mfe", best, pl.Float64).fill_nan(None),
        pl.Series("mae", worst, pl.Float64).fill_nan(None),
        ((pl.col("exit") - pl.col("entry")) / 1e9).alias("held_s"),
    )


def _worth_of_tick(tick: float, lot: float, inverse: bool) -> pl.Expr:
    """Money that a lot gains by a tick between its entry and its exit, exact for the whole way."""
    if inverse:
        return lot / tick / (pl.col("entry_price") * pl.col("exit_price"))
    return pl.lit(tick * lot)


def _matched(fills: pl.DataFrame, tick: float, lot: float) -> Any:
    """Rows of the table in ticks and lots."""
    ts = fills["ts"].to_physical().to_list()
    price = np.rint(fills["price"].to_numpy() / tick).astype(np.int64).tolist()
    size = np.rint(fills["size"].to_numpy() / lot).astype(np.int64).tolist()
    held: deque[list[Any]] = deque()  # of one side: ts, price, lots left, fee for each lot
    side = 0
    for now, sign, at, lots, paid in zip(ts, fills["side"].to_list(), price, size, fills["fee"].to_list()):
        each, left = paid / lots, lots
        while left and held and sign != side:
            first = held[0]
            part = min(left, first[2])
            yield first[0], now, side, part, first[1], at, part * (first[3] + each)
            left, first[2] = left - part, first[2] - part
            if not first[2]:
                held.popleft()
        if left:
            side = sign
            held.append([now, at, left, each])


def _extremes(market: Mids, start: IntArray, end: IntArray) -> tuple[FloatArray, FloatArray]:
    """Highest and lowest mid in force from each start to each end, both inclusive; NaN where none was known.

    NaN too where the book was lost in between: what happened meanwhile nobody knows.
    """
    if not len(start) or not len(market.ts):
        return np.full(len(start), np.nan), np.full(len(start), np.nan)
    mid: Array = np.append(market.mid, np.nan)
    first = np.maximum(np.searchsorted(market.ts, start, "right") - 1, 0)
    stop = np.maximum(np.searchsorted(market.ts, end, "right"), first + 1)
    pairs = np.stack([first, stop], axis=1).ravel()
    breaks = np.cumsum(market.age <= 0)
    whole = breaks[np.minimum(stop, len(breaks)) - 1] == breaks[first]
    high, low = (extreme.reduceat(mid, pairs)[::2] for extreme in (np.fmax, np.fmin))
    return np.where(whole, high, np.nan), np.where(whole, low, np.nan)


__all__ = ["round_trips"]
