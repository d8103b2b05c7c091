"""Trade imbalance: what aggressors bought less what they sold, as a share of both."""

from __future__ import annotations

import numpy as np
import polars as pl

from workbench.events import EventBatch, Instrument
from workbench.flow.bar_kernels import BUY, END, SELL, START
from workbench.flow.bars import Bars
from workbench.flow.batches import instrument_of
from workbench.flow.prints import Prints, TradesSource, as_times, prints_of, real_sizes

__all__ = ["TradeImbalance", "trade_imbalance"]


class TradeImbalance:
    """Trade imbalance by bar of a stream of events; see :func:`trade_imbalance`.

    Parameters
    ----------
    instrument : Instrument
    bar : str, optional
    otc : bool, optional
    """

    def __init__(self, instrument: Instrument, bar: str = "1s", *, otc: bool = False):
        self.bars = Bars(instrument, bar, otc=otc)

    def apply(self, batch: EventBatch) -> None:
        """Take in the trades of a batch."""
        self.bars.apply(batch)

    def update(self, prints: Prints) -> None:
        """Take in trades, in order of time."""
        self.bars.update(prints)

    @property
    def frame(self) -> pl.DataFrame:
        """All bars so far, the open one included; see :func:`trade_imbalance`."""
        rows = self.bars.rows
        both = rows[:, BUY] + rows[:, SELL]
        share = np.full(len(rows), np.nan)
        np.divide(rows[:, BUY] - rows[:, SELL], both, out=share, where=both > 0)
        volume = real_sizes(both, self.bars.instrument)
        return pl.DataFrame(
            [
                as_times(rows[:, START]),
                pl.Series("imbalance", share, pl.Float64).fill_nan(None),
                pl.Series("volume", volume, pl.Float64),
                as_times(rows[:, END]).alias("end"),
            ]
        )


def trade_imbalance(x: TradesSource, bar: str = "1s", *, otc: bool = False) -> pl.DataFrame:
    """Trade imbalance (B − S)/(B + S) of each bar.

    Parameters
    ----------
    x : session or recording
    bar : str, optional
        Any that :func:`workbench.bars` takes.
    otc : bool, optional
        Whether off-book prints count. Hidden executions always do.

    Returns
    -------
    DataFrame
        ``ts`` (start of the bar), ``imbalance`` in [−1, 1], ``volume`` (B + S, real units), ``end`` (time of the last
        trade). Null where no trade of the bar has an aggressor; intervals without trades have no row, the last bar may
        still be open.

    Notes
    -----
    B is what buying aggressors took, S what selling ones did. Trades without an aggressor count on neither side.

    References
    ----------
    T. Chordia, R. Roll, A. Subrahmanyam, "Order imbalance, liquidity, and market returns", Journal of Financial
    Economics 65 (2002).
    """
    stream = TradeImbalance(instrument_of(x), bar, otc=otc)
    stream.update(prints_of(x, otc=otc))
    return stream.frame
