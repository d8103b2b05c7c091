"""Bars of every kind: open, high, low, close, volume by aggressor, delta, prints and VWAP of each."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from workbench.book.jit import aligned
from workbench.errors import WorkbenchError
from workbench.events import EventBatch, FloatArray, Instrument, IntArray
from workbench.flow import bar_kernels as kernels
from workbench.flow.bar_kernels import (
    BUY,
    CLOSE,
    COUNT,
    END,
    HIGH,
    IS_OPEN,
    LEAST,
    LOW,
    MOST,
    OPEN,
    SELL,
    START,
    TRADES,
    UNKNOWN,
)
from workbench.flow.bar_rule import BY_TIME, interval_ns
from workbench.flow.batches import instrument_of
from workbench.flow.prints import (
    Prints,
    TradesSource,
    as_times,
    prints_of,
    prints_of_batch,
    real_prices,
    real_sizes,
)
from workbench.flow.sampling import sampling_rule

__all__ = ["Bars", "bars", "interval_ns"]

_FIRST_ROWS: Final = 64
_PRICES: Final = {"open": OPEN, "high": HIGH, "low": LOW, "close": CLOSE}


class Bars:
    """Bars of a stream of events; the sums are integers, so batches may be cut anywhere.

    Parameters
    ----------
    instrument : Instrument
    bar : str
        What ends a bar: ``"1s"``, ``"500 trades"``, …; see :func:`bars`.
    otc : bool, optional
        Whether off-book prints count.
    span : float, optional, bars
        Memory of imbalance bars: their means are exponential with weight 2 / (span + 1).

    Examples
    --------
    >>> from workbench.events import EventBatch, Instrument
    >>> built = Bars(Instrument("ES", "0.25"), "2 trades")
    >>> built.apply(EventBatch.of(ts=[1, 2, 3], kind=2, side=[1, -1, 1], price=[8, 9, 9], size=5))
    >>> built.frame.select("open", "close", "volume", "delta").rows()
    [(2.0, 2.25, 10.0, 0.0), (2.25, 2.25, 5.0, 5.0)]
    """

    def __init__(self, instrument: Instrument, bar: str = "1s", *, otc: bool = False, span: float = 20.0):
        if not span >= 1:
            raise WorkbenchError(f"span={span!r:.60}", expected="a number of bars, at least 1")
        self.instrument = instrument
        self.rule = sampling_rule(bar, instrument)
        self.otc = otc
        self._weight = 2.0 / (float(span) + 1.0)
        self._rows = np.zeros((_FIRST_ROWS, kernels.BAR_COLUMNS), np.int64)
        self._moved = np.zeros(_FIRST_ROWS)
        self._state = np.zeros(2, np.int64)
        self._learnt = np.zeros(kernels.LEARNT)
        self._learnt[kernels.EXPECTED_TRADES] = self.rule.step

    def __len__(self) -> int:
        return int(self._state[COUNT])

    def apply(self, batch: EventBatch) -> None:
        """Take in the trades of a batch."""
        self.update(prints_of_batch(batch, otc=self.otc))

    def update(self, prints: Prints) -> None:
        """Take in trades, in order of time."""
        ts, price, size, side = (aligned(column) for column in prints)
        kind, step, unit = self.rule
        at = 0
        while at < len(ts):
            table = self._rows, self._moved, self._state
            if kind == BY_TIME:
                at = kernels.by_time(ts, price, size, side, at, int(step), *table)
            else:
                rule = kind, step, unit, self._weight
                at = kernels.by_trading(ts, price, size, side, at, *rule, *table, self._learnt)
            if at < len(ts):
                self._make_room(at, len(ts))

    def _make_room(self, taken: int, trades: int) -> None:
        """Room for twice the bars, or for as many as the trades taken so far let expect of all of them."""
        have = len(self._rows)
        more = max(have, min(have * trades // max(taken, 1) * 9 // 8, trades) - have)
        self._rows = np.concatenate([self._rows, np.zeros((more, kernels.BAR_COLUMNS), np.int64)])
        self._moved = np.concatenate([self._moved, np.zeros(more)])

    @property
    def rows(self) -> IntArray:
        """All bars so far, shape (n_bars, 12), columns as :mod:`~workbench.flow.bar_kernels` names them; a view."""
        return self._rows[: len(self)]

    @property
    def ended(self) -> int:
        """Bars that further trades cannot change, provided time goes on: all but an open last one."""
        is_open = self.rule.kind == BY_TIME or bool(self._state[IS_OPEN])
        return len(self) - (1 if is_open and len(self) else 0)

    @property
    def frame(self) -> pl.DataFrame:
        """All bars so far, the open one included; see :func:`bars`."""
        rows = self.rows.T.copy()  # column by column from here on
        lots = rows[[BUY, SELL, UNKNOWN]]
        volume = lots.sum(axis=0)
        vwap = rows[OPEN] + self._moved[: len(self)] / np.maximum(volume, 1)
        values = {name: real_prices(rows[at], self.instrument) for name, at in _PRICES.items()}
        values["volume"] = self._sizes(volume)
        for i, name in enumerate(("buy", "sell", "unknown")):
            values[name] = self._sizes(lots[i])
        columns = [pl.Series(name, column, pl.Float64) for name, column in values.items()]
        columns.append(pl.Series("trades", rows[TRADES], pl.Int64))
        columns.append(pl.Series("vwap", real_prices(vwap, self.instrument), pl.Float64))
        deltas = {"delta": lots[0] - lots[1], "delta_low": rows[LEAST], "delta_high": rows[MOST]}
        columns += [pl.Series(name, self._sizes(delta), pl.Float64) for name, delta in deltas.items()]
        return pl.DataFrame([as_times(rows[START]), *columns, as_times(rows[END]).alias("end")])

    def _sizes(self, lots: IntArray) -> FloatArray:
        return real_sizes(lots, self.instrument)


def bars(x: TradesSource, bar: str = "1s", *, otc: bool = False, span: float = 20.0) -> pl.DataFrame:
    """Bars of all trades, by time, prints, volume, value, delta, range or imbalance.

    Parameters
    ----------
    x : session or recording
    bar : str, optional
        A number and what ends a bar:

        - ``"100ms"``, ``"1s"``, ``"1m"``: the clock; units ns, us, ms, s, m, h, d;
        - ``"500 trades"`` (``"500t"``): so many prints;
        - ``"1000 volume"`` (``"1000v"``): at least so much volume, real units;
        - ``"1000000 dollars"`` (``"1000000$"``): at least so much price · size · multiplier, in the currency of prices;
        - ``"200 delta"``: bought and sold volume differ by so much, real units;
        - ``"8 range"``: the next price would stretch the bar over more than so many ticks;
        - ``"500 trades imbalance"``, ``"500 volume imbalance"``, ``"500 dollars imbalance"``: more signed trades, volume
          or value than expected; the first bar has so many trades.
    otc : bool, optional
        Whether off-book prints count. Hidden executions always do.
    span : float, optional, bars
        Memory of imbalance bars: their means are exponential with weight 2 / (span + 1).

    Returns
    -------
    DataFrame
        ``ts`` (time bars: start of the interval, the multiple of it at or before the trade, counted from the epoch;
        else time of the first trade), ``open, high, low, close, volume, buy, sell, unknown, trades, vwap``, ``delta``
        (buy − sell), ``delta_low`` and ``delta_high`` (its extremes within the bar, which starts at 0) and ``end`` (time
        of the last trade), in real units; ``unknown`` is volume without an aggressor. Intervals without trades have no
        row; the last bar may still be open.

    Raises
    ------
    WorkbenchError
        A bar that is written in no such way, a span below 1.

    Notes
    -----
    Trades are never split: a bar ends with the trade that reaches its limit, and that trade belongs to it.

    Imbalance: with the aggressor's sign ε and w = 1, size or value of a trade, a bar ends when |Σ ε·w| reaches
    E[T] · |E[Σ ε·w / T]|. Both means run exponentially over ended bars of T trades. Two bounds keep the rule from its
    known collapse (bars of one trade) and from its runaway (bars that never end): E[T] stays within a quarter and four
    times its first value, and the limit is never below √E[T] · E[w], the imbalance of a fair coin. Trades without an
    aggressor add nothing to the imbalance.

    Trades lost in a gap are missing in the bar that spans it.

    References
    ----------
    M. López de Prado, *Advances in Financial Machine Learning* (2018), ch. 2.3.
    """
    built = Bars(instrument_of(x), bar, otc=otc, span=span)
    built.update(prints_of(x, otc=otc))
    return built.frame
