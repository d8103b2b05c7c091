"""What detectors lose where a source tells price levels only: the same events with and without order rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from workbench.errors import WorkbenchError
from workbench.events import EventBatch, EventKind, Instrument
from workbench.feeds.times import Duration, duration_ns
from workbench.flow.batches import event_batches, instrument_of
from workbench.flow.detectors.absorption import Absorption
from workbench.flow.detectors.detections import Detections, Detector, detected
from workbench.flow.detectors.hidden_size import Resistance, Underflow
from workbench.flow.detectors.iceberg_orders import NativeIcebergs, SyntheticIcebergs
from workbench.flow.detectors.large_lots import LargeLots
from workbench.flow.detectors.layering_like import LayeringLike
from workbench.flow.detectors.spoof_like import SpoofLike
from workbench.flow.detectors.stop_runs import StopRuns
from workbench.flow.detectors.sweeps import Sweeps
from workbench.flow.detectors.walls import Walls

__all__ = ["WithoutOrders", "degradation"]

_ORDERS: Final = (EventKind.MBO_NEW, EventKind.MBO_REPLACE, EventKind.MBO_CANCEL)
_ORDER_ID, _AGGRESSOR_ID = 6, 7
Make = Callable[[Instrument], Detector]
PAIRS: Final[Mapping[str, tuple[Make, Make]]] = {
    "native icebergs → underflow": (NativeIcebergs, Underflow),
    "native icebergs → resistance": (NativeIcebergs, Resistance),
    "synthetic icebergs → resistance": (SyntheticIcebergs, Resistance),
    "stop runs": (StopRuns, StopRuns),
    "large prints": (partial(LargeLots, quantile=0.99), partial(LargeLots, quantile=0.99)),
    "sweeps": (Sweeps, Sweeps),
    "absorption": (Absorption, Absorption),
    "walls": (Walls, Walls),
    "spoof-like": (SpoofLike, SpoofLike),
    "layering-like": (LayeringLike, LayeringLike),
}
"""Detector with order rows, and the one that stands in for it without."""


class WithoutOrders:
    """The events of a session or recording as a source of levels and trades would have told them.

    Order rows become CLOCK rows, so every row keeps its number and its time; trades lose the names of both orders.

    Parameters
    ----------
    x : session or recording
    """

    def __init__(self, x: Any):
        self._x = x

    @property
    def instrument(self) -> Instrument:
        """What is traded."""
        found: Instrument = self._x.instrument
        return found

    def batches(self) -> Iterator[EventBatch]:
        """The events, batch by batch."""
        for batch in event_batches(self._x):
            columns = list(batch.columns)
            orders = np.isin(batch.kind, _ORDERS)
            columns[2] = np.where(orders, np.uint8(EventKind.CLOCK), batch.kind)
            for i in (3, 4, 5, 8):
                columns[i] = np.where(orders, columns[i].dtype.type(0), columns[i])
            for i in (_ORDER_ID, _AGGRESSOR_ID):
                columns[i] = np.zeros_like(columns[i])
            yield EventBatch.trusted(tuple(columns), batch.first_sequence)


def degradation(
    x: Any,
    pairs: Mapping[str, tuple[Make, Make]] = PAIRS,
    *,
    within: Duration = "100ms",
    price_within: float = 0.0,
) -> pl.DataFrame:
    """Table what each detector loses without order rows.

    Parameters
    ----------
    x : session or recording
        With order rows.
    pairs : mapping of str to two callables, optional
        What makes the detector with order rows, and the one without them, of an instrument.
    within : duration
        How far apart two findings of the same thing may be in time.
    price_within : float, ticks

    Returns
    -------
    DataFrame
        ``detector, with_orders, without, both, lost, invented, kept``: numbers of findings; ``both`` were matched one
        to one by time, price and side, ``lost`` = with − both, ``invented`` = without − both, ``kept`` = both / with
        (null where nothing was found with orders).

    Raises
    ------
    WorkbenchError
        No session or recording, no pairs, or a tolerance below 0.
    """
    instrument, within_ns = instrument_of(x), duration_ns(within)
    if not isinstance(pairs, Mapping):
        raise WorkbenchError(f"pairs={pairs!r:.60}", expected="names of detectors, each with two callables")
    if within_ns < 0 or price_within < 0:
        raise WorkbenchError(f"within={within!r}, price_within={price_within}", expected="0 or more")
    levels = WithoutOrders(x)
    rows = []
    for name, (full, poor) in pairs.items():
        a, b = _run(x, full(instrument)), _run(levels, poor(instrument))
        both = _matched(a, b, within_ns, round(price_within * 1000))
        counts = (len(a.ts), len(b.ts), both, len(a.ts) - both, len(b.ts) - both)
        rows.append((name, *counts, both / counts[0] if counts[0] else None))
    schema = {
        "detector": pl.String,
        **dict.fromkeys(("with_orders", "without", "both", "lost", "invented"), pl.Int64),
    }
    return pl.DataFrame(rows, schema={**schema, "kept": pl.Float64}, orient="row")


def _run(x: Any, detector: Detector) -> Detections:
    return detected(x, detector)


def _matched(a: Detections, b: Detections, within_ns: int, price_within: int) -> int:
    """How many findings of two streams are the same, each counted once; the earliest that fits is taken."""
    taken: npt.NDArray[np.bool_] = np.zeros(len(b.ts), np.bool_)
    for ts, price, side in zip(a.ts, a.price, a.side):
        first, last = np.searchsorted(b.ts, [ts - within_ns, ts + within_ns + 1])
        near = slice(int(first), int(last))
        fits = (np.abs(b.price[near] - price) <= price_within) & (b.side[near] == side) & ~taken[near]
        if fits.any():
            taken[int(first) + int(np.argmax(fits))] = True
    return int(taken.sum())
