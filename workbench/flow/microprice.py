"""Fair prices between the best ones: the weighted mid, and Stoikov's micro-price with a fitted model."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

import numpy as np
import polars as pl
from numba import types

from workbench.book.jit import kernel
from workbench.errors import WorkbenchError
from workbench.events import SUBTICKS_PER_TICK, Array, EventBatch, FloatArray, IntArray
from workbench.flow.batches import instrument_of
from workbench.flow.microprice_model import BUCKETS, MAX_SPREAD, MicropriceModel
from workbench.flow.prints import as_times, real_prices
from workbench.flow.touch import Moments, TouchStream, touches

METHODS: Final = ("weighted_mid", "stoikov", "stoikov_in_sample")
_BEST = types.int64[::1]


@kernel(types.void(types.boolean[::1], *[_BEST] * 4, types.float64[:, ::1], types.float64[:, ::1]))
def _price(
    known: Array, bid: Array, bid_size: Array, ask: Array, ask_size: Array, adjustment: Array, out: Array
) -> None:  # fmt: skip
    """Write mid, weighted mid and mid + adjustment of each row, ticks; NaN where there is none."""
    buckets, spreads = adjustment.shape
    for row in range(len(known)):
        out[0, row], out[1, row], out[2, row] = np.nan, np.nan, np.nan
        if not (known[row] and bid_size[row] > 0 and ask_size[row] > 0):
            continue
        spread, total = ask[row] - bid[row], bid_size[row] + ask_size[row]
        mid = (bid[row] + ask[row]) / 2.0
        out[0, row], out[1, row] = mid, bid[row] + spread * (bid_size[row] / total)
        if spread > 0 and buckets > 0:
            bucket = min(bid_size[row] * buckets // total, buckets - 1)
            out[2, row] = mid + adjustment[bucket, min(spread, spreads) - 1]


class Fair(NamedTuple):
    """Prices after each moment at which the best levels changed, arrays of shape (n,); prices in ticks, NaN unknown.

    Attributes
    ----------
    ts : int64, ns
    sequence : int64
        Number of the moment's last row.
    mid : float64
    weighted_mid : float64
        I'·ask + (1 − I')·bid with I' = bid size / (bid size + ask size).
    microprice : float64
        Stoikov's; without a model the weighted mid again.
    """

    ts: IntArray
    sequence: IntArray
    mid: FloatArray
    weighted_mid: FloatArray
    microprice: FloatArray


class MicropriceStream:
    """Weighted mid and micro-price of a stream of events.

    Parameters
    ----------
    model : MicropriceModel, optional
        Fitted before, on other data. Without one only the weighted mid is known, as ``book.microprice`` is.

    Notes
    -----
    Unknown (NaN) while the book is not known or a side is empty; Stoikov's also in a locked or crossed book and in states
    that the model never saw. No state is remembered from moment to moment, so there is nothing to warm up behind a gap.

    References
    ----------
    S. Stoikov, "The micro-price: a high-frequency estimator of future prices", Quantitative Finance 18 (2018), SSRN
    2970694.

    Examples
    --------
    >>> from workbench.events import EventBatch
    >>> stream = MicropriceStream()
    >>> opening = EventBatch.of(ts=1, kind=[6, 1, 1, 7], side=[0, 1, -1, 0], price=[0, 100, 101, 0], size=[0, 80, 20, 0])
    >>> len(stream.update(opening).ts), stream.close().weighted_mid.tolist()
    (0, [100.8])
    """

    def __init__(self, model: MicropriceModel | None = None):
        self.model = model
        self._touch = TouchStream()

    def update(self, batch: EventBatch) -> Fair:
        """Take in events in order; the prices of the moments that are over by now."""
        return fair_prices(self._touch.update(batch), self.model)

    def close(self) -> Fair:
        """End the moment that stands: 0 rows or 1."""
        return fair_prices(self._touch.close(), self.model)


def fair_prices(moments: Moments, model: MicropriceModel | None = None) -> Fair:
    """Mid, weighted mid and micro-price of states of the best levels.

    Parameters
    ----------
    moments : Moments
    model : MicropriceModel, optional
    """
    adjustment = np.zeros((0, 1)) if model is None else np.ascontiguousarray(model.adjustment)
    out = np.empty((3, len(moments.ts)))
    sides = (moments.bid, moments.bid_size, moments.ask, moments.ask_size)
    bid, bid_size, ask, ask_size = (np.ascontiguousarray(side[:, 0]) for side in sides)
    _price(np.ascontiguousarray(moments.known), bid, bid_size, ask, ask_size, adjustment, out)
    return Fair(moments.ts, moments.sequence, out[0], out[1], out[1] if model is None else out[2])


def microprice(x: Any, model: MicropriceModel | Literal["fit"] | None = None) -> pl.DataFrame:
    """Fair price between the best ones: the weighted mid, or Stoikov's micro-price.

    Parameters
    ----------
    x : session or recording
    model : MicropriceModel or "fit", optional
        A model fitted before: Stoikov's micro-price. ``"fit"``: fitted on ``x`` itself, which looks ahead; good for
        looking at the past, never for a test of a strategy. Unset: the weighted mid.

    Returns
    -------
    DataFrame
        One row for each moment at which the best levels changed: ``ts``, ``microprice``, ``weighted_mid``, ``mid`` (real
        prices) and ``method``, which says what ``microprice`` is: ``"weighted_mid"``, ``"stoikov"``, or
        ``"stoikov_in_sample"`` if the model saw these data. Null where the book is not known or a side is empty;
        Stoikov's also in a locked or crossed book and in states that the model never saw.

    Raises
    ------
    WorkbenchError
        Too little data to fit, or ``model`` is none.

    Notes
    -----
    Formula, references and rules: :class:`MicropriceStream`, the streaming face, and
    :class:`~workbench.flow.microprice_model.MicropriceModel`.

    References
    ----------
    S. Stoikov, "The micro-price: a high-frequency estimator of future prices", Quantitative Finance 18 (2018).

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("3s")
    >>> wb.microprice(s)["method"].unique().to_list(), wb.microprice(s, model="fit")["method"].unique().to_list()
    (['weighted_mid'], ['stoikov_in_sample'])
    """
    if model is not None and model != "fit" and not isinstance(model, MicropriceModel):
        raise WorkbenchError(f"model {model!r}", expected='a MicropriceModel, "fit" or nothing')
    moments = touches(x)
    method = METHODS[0] if model is None else METHODS[1]
    if model == "fit":
        model, method = MicropriceModel.of_moments(moments), METHODS[2]
    fair = fair_prices(moments, model)
    columns = [as_times(fair.ts)]
    for name in ("microprice", "weighted_mid", "mid"):
        prices = real_prices(getattr(fair, name) * SUBTICKS_PER_TICK, instrument_of(x))
        columns.append(pl.Series(name, prices, pl.Float64).fill_nan(None))
    columns.append(pl.repeat(method, len(fair.ts), eager=True, dtype=pl.Enum(METHODS)).alias("method"))
    return pl.DataFrame(columns)


__all__ = [
    "BUCKETS",
    "MAX_SPREAD",
    "METHODS",
    "Fair",
    "MicropriceModel",
    "MicropriceStream",
    "fair_prices",
    "microprice",
]
