"""What trades cost and what came after them: effective and realised spread, impact, markouts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import polars as pl

from workbench.errors import WorkbenchError
from workbench.events import SUBTICKS_PER_TICK, EventBatch, FloatArray, Instrument
from workbench.flow.bar_rule import interval_ns
from workbench.flow.batches import event_batches, instrument_of
from workbench.flow.prints import as_times, real_prices, real_sizes
from workbench.flow.quoted import QuotedStream, QuotedTrades

__all__ = ["HORIZONS", "Markouts", "Spreads", "markouts", "spreads"]

HORIZONS: Final = ("100ms", "1s", "5s", "10s", "60s")


class Markouts:
    """Markouts of trades from events as they come; see :func:`markouts`.

    Parameters
    ----------
    instrument : Instrument
    horizons : sequence of str, optional
    otc : bool, optional
    """

    def __init__(self, instrument: Instrument, horizons: Sequence[str] = HORIZONS, *, otc: bool = False):
        horizons = (horizons,) if isinstance(horizons, str) else horizons
        if not horizons or len(set(horizons)) < len(horizons):
            raise WorkbenchError(
                f"horizons {tuple(horizons)}", expected="different times, like ('1s', '10s')"
            )
        self.instrument = instrument
        self.horizons = tuple(horizons)
        self._stream = QuotedStream([interval_ns(horizon) for horizon in horizons], otc=otc)

    def update(self, batch: EventBatch) -> pl.DataFrame:
        """Take in events in order; rows of the trades whose longest horizon is over."""
        return self._frame(self._stream.update(batch))

    def close(self) -> pl.DataFrame:
        """Rows of the trades that still wait; null where a horizon lies beyond the last event."""
        return self._frame(self._stream.close())

    def _frame(self, trades: QuotedTrades) -> pl.DataFrame:
        sign, price = _sign(trades), trades.price / SUBTICKS_PER_TICK
        named = zip(self.horizons, trades.after.T)
        marks = {f"markout_{name}": sign * (after - price) for name, after in named}
        return _told(trades, self.instrument).with_columns(_columns(marks))


def markouts(x: Any, horizons: Sequence[str] = HORIZONS, *, otc: bool = False) -> pl.DataFrame:
    """How far the mid moved in favour of each aggressor, from its price on.

    Parameters
    ----------
    x : session or recording
    horizons : sequence of str, optional
        Numbers and units.
    otc : bool, optional
        Whether off-book prints count. Hidden executions always do.

    Returns
    -------
    DataFrame
        One row per trade: ``ts, sequence, price, size`` (real units), ``aggressor``, ``mid`` (before the trade, real
        units) and for each horizon ``markout_…`` in ticks. Null without an aggressor, where the mid is not known then
        (one-sided book, or the time lies beyond the last event), and across a GAP or CLEAR.

    Raises
    ------
    WorkbenchError
        No horizon, one twice, or one that is no number and unit.

    Notes
    -----
    markout_τ = ε(M_{t+τ} − P). It looks ahead by its nature; :class:`Markouts` tells it when it is known. M_{t+τ} is the
    mid of the last moment at or before t + τ.

    References
    ----------
    R. D. Huang, H. R. Stoll, "Dealer versus auction markets", Journal of Financial Economics 41 (1996).

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("5s")
    >>> wb.markouts(s, ["1s"]).columns
    ['ts', 'sequence', 'price', 'size', 'aggressor', 'mid', 'markout_1s']
    """
    stream = Markouts(instrument_of(x), horizons, otc=otc)
    return pl.concat([*(stream.update(batch) for batch in event_batches(x)), stream.close()])


class Spreads:
    """Effective and realised spreads of trades from events as they come; see :func:`spreads`.

    Parameters
    ----------
    instrument : Instrument
    horizon : str, optional
    otc : bool, optional
    """

    def __init__(self, instrument: Instrument, horizon: str = "5s", *, otc: bool = False):
        self.instrument = instrument
        self._stream = QuotedStream([interval_ns(horizon)], otc=otc)

    def update(self, batch: EventBatch) -> pl.DataFrame:
        """Take in events in order; rows of the trades whose horizon is over."""
        return self._frame(self._stream.update(batch))

    def close(self) -> pl.DataFrame:
        """Rows of the trades that still wait, without what is not known yet."""
        return self._frame(self._stream.close())

    def _frame(self, trades: QuotedTrades) -> pl.DataFrame:
        sign, price, after = _sign(trades), trades.price / SUBTICKS_PER_TICK, trades.after[:, 0]
        found = {
            "effective": 2 * sign * (price - trades.mid),
            "realised": 2 * sign * (price - after),
            "impact": 2 * sign * (after - trades.mid),
        }
        return _told(trades, self.instrument).with_columns(_columns(found))


def spreads(x: Any, horizon: str = "5s", *, otc: bool = False) -> pl.DataFrame:
    """Effective spread of each trade, and how it divides into realised spread and impact.

    Parameters
    ----------
    x : session or recording
    horizon : str, optional
        How long after the trade the mid counts: a number and a unit.
    otc : bool, optional
        Whether off-book prints count. Hidden executions always do.

    Returns
    -------
    DataFrame
        One row per trade: ``ts, sequence, price, size`` (real units), ``aggressor``, ``mid`` (before the trade, real
        units), ``effective``, ``realised``, ``impact`` in ticks. Null without an aggressor, without a mid, and across a
        GAP or CLEAR.

    Notes
    -----
    Effective 2ε(P − M_t), realised 2ε(P − M_{t+τ}), impact 2ε(M_{t+τ} − M_t): effective = realised + impact. M_t is the
    mid of the last moment before that of the trade: a quote that the trade already moved is none that it met.

    References
    ----------
    R. D. Huang, H. R. Stoll, "Dealer versus auction markets", Journal of Financial Economics 41 (1996).
    """
    stream = Spreads(instrument_of(x), horizon, otc=otc)
    return pl.concat([*(stream.update(batch) for batch in event_batches(x)), stream.close()])


def _sign(trades: QuotedTrades) -> FloatArray:
    sign = trades.side.astype(np.float64)
    sign[trades.side == 0] = np.nan
    return sign


def _told(trades: QuotedTrades, instrument: Instrument) -> pl.DataFrame:
    known = {
        "price": real_prices(trades.price, instrument),
        "size": real_sizes(trades.size, instrument),
    }
    return pl.DataFrame(
        [
            as_times(trades.ts),
            pl.Series("sequence", trades.sequence, pl.Int64),
            *(pl.Series(name, values, pl.Float64) for name, values in known.items()),
            pl.Series("aggressor", trades.side, pl.Int8),
            *_columns({"mid": real_prices(trades.mid * SUBTICKS_PER_TICK, instrument)}),
        ]
    )


def _columns(values: dict[str, FloatArray]) -> list[pl.Series]:
    return [pl.Series(name, column, pl.Float64).fill_nan(None) for name, column in values.items()]
