"""What a backtest gives: fills, orders, equity and a summary, exact until the last step into real units."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from workbench.events import Array, EventBatch, FloatArray, Instrument
from workbench.flow.prints import as_times
from workbench.flow.touch import Moments, TouchStream
from workbench.trading import slots
from workbench.trading.account import Account
from workbench.trading.contracts import Contract
from workbench.trading.matcher import Matcher

if TYPE_CHECKING:
    from workbench.lab.desk_venue import DeskVenue


class Backtest:
    """The outcome of a backtest.

    Parameters
    ----------
    instrument : Instrument
    matcher : Matcher or DeskVenue
        That has run.
    contract : Contract
        What its fills are worth and cost.
    batch : EventBatch
        What it ran over.

    Attributes
    ----------
    instrument : Instrument
        With the multiplier of the contract.
    contract : Contract
    """

    def __init__(
        self, instrument: Instrument, matcher: Matcher | DeskVenue, contract: Contract, batch: EventBatch
    ):
        self.instrument = dataclasses.replace(instrument, multiplier=contract.multiplier)
        self.contract = contract
        self._fills, self._orders = matcher.fills.copy(), matcher.orders.copy()
        self._went_off = _went_off(matcher)
        told = {"name": getattr(matcher, "names", None), "reason": getattr(matcher, "reasons", None)}
        self._told = {word: list(said) for word, said in told.items() if said is not None}
        self._steps, self._batch = matcher.count(slots.STEPS), batch

    @property
    def events(self) -> EventBatch:
        """What it ran over."""
        return self._batch

    @cached_property
    def touch(self) -> Moments:
        """Best prices that the equity is worked out at; may be set to those of another backtest of the same events."""
        stream = TouchStream()
        return Moments.joined([stream.update(self._batch), stream.close()])

    @cached_property
    def fills(self) -> pl.DataFrame:
        """Fills: ``ts`` at the venue, ``ts_known`` here, order, side, price, size, maker, fee (real units)."""
        f = self._fills
        return pl.DataFrame(
            {
                "ts": as_times(f[:, slots.FILL_TS]),
                "ts_known": as_times(f[:, slots.FILL_KNOWN]),
                "order": f[:, slots.FILL_ORDER],
                "side": f[:, slots.FILL_SIDE].astype(np.int8),
                "price": self.instrument.prices(f[:, slots.FILL_PRICE]),
                "size": self.instrument.sizes(f[:, slots.FILL_SIZE]),
                "maker": f[:, slots.FILL_MAKER].astype(bool),
                "fee": self._money(self._fees),
            }
        )

    @cached_property
    def account(self) -> Account:
        """Position, average price, what was gained and paid, in integers: see :class:`workbench.trading.account.Account`."""
        symbol = self.contract.symbol
        account = Account({symbol: self.contract})
        columns = (
            self._fills[:, slot].tolist() for slot in (slots.FILL_SIDE, slots.FILL_SIZE, slots.FILL_PRICE)
        )
        for side, lots, ticks, fee in zip(*columns, self._fees):
            account.fill(symbol, side * lots, ticks, fee)
        return account

    @cached_property
    def _fees(self) -> list[int]:
        """Of each fill, parts of a unit."""
        columns = (
            self._fills[:, slot].tolist() for slot in (slots.FILL_PRICE, slots.FILL_SIZE, slots.FILL_MAKER)
        )
        return self.contract.fees(*columns)

    def _money(self, parts: Iterable[int]) -> FloatArray:
        """Amounts in parts of a unit as real money."""
        part = self.contract.unit / self.contract.scale
        return np.array([number * part.numerator / part.denominator for number in parts], np.float64)

    @cached_property
    def orders(self) -> pl.DataFrame:
        """Orders as they ended; ``price`` null for market orders, ``closed`` null while open.

        ``stop`` is where a stop stood last, and ``went_off`` when a print set it off; null for other orders. On the paper desk,
        in a backtest and live, also its ``name`` of each and the ``reason`` that was last given.
        """
        o = self._orders
        prices, sizes = self.instrument.prices, self.instrument.sizes
        frame = pl.DataFrame(
            {
                "order": np.arange(len(o)),
                "side": o[:, slots.SIDE].astype(np.int8),
                "price": prices(o[:, slots.PRICE]),
                "size": sizes(o[:, slots.SIZE]),
                "stop": prices(o[:, slots.TRIGGER]),
                "tif": [slots.TIF_NAMES[i] for i in o[:, slots.TIF].tolist()],
                "sent": as_times(o[:, slots.SENT]),
                "status": [slots.STATUS_NAMES[i] for i in o[:, slots.STATUS].tolist()],
                "filled": sizes(o[:, slots.FILLED]),
                "closed": as_times(o[:, slots.CLOSED]),
                "went_off": as_times(self._went_off),
            },
            schema_overrides={"tif": pl.String, "status": pl.String},
        )
        market, open_ = pl.Series(o[:, slots.MARKET] == 1), pl.Series(o[:, slots.CLOSED] == 0)
        stop, waits = pl.Series(o[:, slots.TRIGGER] != 0), pl.Series(self._went_off == 0)
        told = {word: pl.Series(said, dtype=pl.String) for word, said in self._told.items()}
        return frame.with_columns(
            **told,
            price=pl.when(market).then(None).otherwise(pl.col("price")),
            closed=pl.when(open_).then(None).otherwise(pl.col("closed")),
            stop=pl.when(stop).then(pl.col("stop")),
            went_off=pl.when(waits).then(None).otherwise(pl.col("went_off")),
        )

    @cached_property
    def equity(self) -> pl.DataFrame:
        """Position, cash after fees and equity at the mid: whenever the best prices changed, at each fill, and at the end.

        In currency; of an inverse contract in its coin. Null where no mid is known; the end is valued at the last one that was.
        """
        order = np.argsort(self._fills[:, slots.FILL_TS], kind="stable")
        f = self._fills[order]
        ts, half, quoted = self._marks(f[:, slots.FILL_TS])
        signed = f[:, slots.FILL_SIDE] * f[:, slots.FILL_SIZE]
        at = np.searchsorted(f[:, slots.FILL_TS], ts, side="right")
        held = np.concatenate([[0], np.cumsum(signed)])[at]
        fees = [self._fees[i] for i in order.tolist()]
        paid = self._money(itertools.accumulate(fees, initial=0))[at]
        flow, worth = self._worth(f[:, slots.FILL_PRICE], signed, at, held, np.where(quoted, half, 2))
        return pl.DataFrame(
            {
                "ts": as_times(ts),
                "position": self.instrument.sizes(held),
                "cash": flow - paid,
                "equity": pl.Series(np.where(quoted, worth - paid, np.nan)).fill_nan(None),
            }
        )

    def _marks(self, filled: Array) -> tuple[Array, Array, Array]:
        """Times at which equity is worked out, mids in half ticks, and whether there is one; ``filled`` are in order."""
        touch = self.touch
        known, bid, bids, ask, asks = (
            getattr(touch, name).reshape(len(touch.ts))
            for name in ("known", "bid", "bid_size", "ask", "ask_size")
        )
        half, quoted = bid + ask, known & (bids > 0) & (asks > 0)
        if not len(self._batch):
            return touch.ts, half, quoted
        end = max(int(self._batch.ts[-1]), int(filled[-1]) if len(filled) else 0)
        more = np.unique(np.append(filled, end))
        more = more[~np.isin(more, touch.ts)]
        at = np.searchsorted(touch.ts, more, side="right")
        half = np.insert(half, at, np.concatenate([[0], half])[at])
        quoted = np.insert(quoted, at, np.concatenate([[False], quoted])[at])
        seen = np.flatnonzero(quoted)
        if len(seen):
            half[-1], quoted[-1] = half[seen[-1]], True
        return np.insert(touch.ts, at, more), half, quoted

    def _worth(
        self, price: Array, signed: Array, at: Array, held: Array, half: Array
    ) -> tuple[FloatArray, FloatArray]:
        """What was received less what was paid after so many fills, and that with what is held at a mid in half ticks."""
        unit = float(self.contract.unit)
        if self.contract.inverse:
            worth = [
                -lots * self.contract.worth(ticks) for ticks, lots in zip(price.tolist(), signed.tolist())
            ]
            flow = self._money(itertools.accumulate(worth, initial=0))[at]
            return flow, flow - held * (2 / half) * unit
        received = np.concatenate([[0], np.cumsum(-signed * price)])[at]
        return received * unit, (2 * received + held * half) * (unit / 2)

    def summary(self) -> pl.DataFrame:
        """One row: steps, orders, fills, volume, maker share, position, fees, profit and drawdown at the mid."""
        f = self._fills
        lots = f[:, slots.FILL_SIZE]
        equity = self.equity["equity"].drop_nulls()
        peak = equity.cum_max()
        volume = int(lots.sum())
        made = int(lots[f[:, slots.FILL_MAKER] == 1].sum())
        values: dict[str, Any] = {
            "steps": self._steps,
            "orders": len(self._orders),
            "fills": len(f),
            "volume": float(self.instrument.size(volume)),
            "maker_share": made / volume if volume else None,
            "position": float(self.instrument.size((f[:, slots.FILL_SIDE] * lots).sum())),
            "fees": float(self.contract.currency(sum(self._fees))),
            "profit": equity[-1] if len(equity) else 0.0,
            "max_drawdown": float((peak - equity).max() or 0.0) if len(equity) else 0.0,  # type: ignore[arg-type]
        }
        return pl.DataFrame([values])

    def __repr__(self) -> str:
        return f"Backtest({self.instrument.symbol}, {len(self._orders)} orders, {len(self._fills)} fills)"


def _went_off(matcher: Matcher | DeskVenue) -> Array:
    """When each order's stop went off, ns; 0 where it has none or waits."""
    sent = matcher.commands
    sent = sent[sent[:, slots.WHAT] == slots.SUBMIT]
    times = np.zeros(len(matcher.orders), np.int64)
    times[sent[:, slots.NUMBER]] = sent[:, slots.COMMAND_SENT]
    return np.where(matcher.orders[:, slots.TRIGGER] != 0, times, 0)


__all__ = ["Backtest"]
