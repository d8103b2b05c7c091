"""Delta divergence of a whole recording by its definition, frame by frame: what the panel's marks must equal."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from workbench.events import Array, IntArray
from workbench.flow.bars import interval_ns
from workbench.flow.cvd import Cvd
from workbench.flow.divergence import Divergence
from workbench.flow.prints import Prints, TradesSource, as_times, prints_of, real_prices

HIGH, LOW, CVD_HIGH, CVD_LOW = range(4)


def divergences(x: TradesSource, n: int, bar: str) -> pl.DataFrame:
    """Bars in which price made a new extreme and the delta did not: ``ts``, ``known``, ``side``, ``price``, ``cvd``."""
    interval = interval_ns(bar)
    prints = prints_of(x)
    delta = Cvd(x.instrument).update(prints)
    starts, bars = closed_bars(prints, delta, interval)
    sides = Divergence(n).update_between(starts // interval, bars, _gap_bars(x, prints, interval))
    found = np.flatnonzero(sides)
    side, rows = sides[found], bars[found]
    bearish = side < 0
    price = np.where(bearish, rows[:, HIGH], rows[:, LOW])
    return pl.DataFrame(
        [
            as_times(starts[found]),
            as_times(starts[found] + interval).rename("known"),
            pl.Series("side", side, pl.Int8),
            pl.Series("price", real_prices(price, x.instrument), pl.Float64),
            pl.Series("cvd", np.where(bearish, rows[:, CVD_HIGH], rows[:, CVD_LOW]), pl.Float64),
        ]
    )


def _gap_bars(x: Any, prints: Prints, interval: int) -> IntArray:
    """Bars before the open one that a gap lies in, or whose last trade was the one before a gap."""
    gaps = getattr(x, "gaps", None)
    if not isinstance(gaps, pl.DataFrame) or not len(prints.ts):
        return np.empty(0, np.int64)
    lost = gaps["ts"].to_physical().to_numpy()
    before = np.searchsorted(prints.ts, lost) - 1
    bars = np.unique(np.concatenate([lost, prints.ts[before[before >= 0]]]) // interval)
    found: IntArray = bars[bars < prints.ts[-1] // interval]
    return found


def closed_bars(prints: Prints, delta: Array, interval: int) -> tuple[IntArray, npt.NDArray[np.float64]]:
    """Starts of all bars but the last, and their extremes: thousandths of a tick and the units of ``delta``."""
    bucket = prints.ts // interval
    first = np.flatnonzero(np.r_[True, bucket[1:] != bucket[:-1]]) if len(bucket) else np.empty(0, np.int64)
    if len(first) < 2:
        return np.empty(0, np.int64), np.empty((0, 4))
    price = prints.price.astype(np.float64)
    extremes = [f.reduceat(v, first) for v in (price, delta) for f in (np.maximum, np.minimum)]
    return bucket[first[:-1]] * interval, np.stack(extremes, axis=1)[:-1]
