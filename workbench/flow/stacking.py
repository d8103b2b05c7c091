"""Pulling and stacking of a whole session as a frame: what was added to each level, less what was taken back."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from workbench.events import SUBTICKS_PER_TICK, IntArray, Side
from workbench.flow.bar_rule import interval_ns
from workbench.flow.batches import event_batches, instrument_of
from workbench.flow.level_table import EMPTY
from workbench.flow.prints import as_times, real_prices, real_sizes
from workbench.flow.pulling import COUNTING, EPOCH, FLOW, SIZE, Resting

__all__ = ["pulling"]


def pulling(x: Any, window: str = "10s") -> pl.DataFrame:
    """Pulled and stacked size by level in consecutive windows of time.

    Parameters
    ----------
    x : session or recording
    window : str, optional
        A number and a unit, counted from the epoch.

    Returns
    -------
    DataFrame
        One row for each level at which something happened in a window that is over: ``ts`` (end of the window),
        ``side`` (+1 bid, −1 ask), ``price``, ``change`` of the displayed size, ``traded`` against it, and ``net`` =
        change + traded: above 0 more was stacked than pulled, below 0 more was pulled. Real units. Windows with a GAP or
        CLEAR inside have no rows.

    Raises
    ------
    WorkbenchError
        A window that is no number and unit.

    Notes
    -----
    net = added − cancelled, so that size change = added − cancelled − traded, exactly. Prints without an aggressor,
    off book, hidden or between two ticks touch no displayed size and are left out. Streaming face:
    :class:`~workbench.flow.pulling.PullingStream`.

    References
    ----------
    Overcharts, TwoFox: pulling and stacking, the change of displayed size since an earlier moment.
    """
    length = interval_ns(window)
    resting, frames, end = Resting(), [], 0
    before = _levels(resting)
    for batch in event_batches(x):
        row = 0
        while row < len(batch):
            if not end:
                end = (int(batch.ts[0]) // length + 1) * length
            # A window holds (end − length, end]: rows at its very end belong to it.
            row = resting.follow(batch.columns, row, end)
            if row < len(batch):
                now = _levels(resting)
                frames.append(_window(end, before, now, instrument_of(x)))
                before, end = now, -(-int(batch.ts[row]) // length) * length
    return pl.concat(frames or [_window(0, before, before, instrument_of(x))])


def _levels(resting: Resting) -> tuple[int, IntArray, IntArray]:
    """Epoch (−1 while the book is not known), keys and (size, flow) of all levels entered, by key."""
    used = resting.table.keys != EMPTY
    keys, values = resting.table.keys[used], resting.table.values[used]
    order = np.argsort(keys)
    epoch = int(resting.state[EPOCH]) if resting.state[COUNTING] else -1
    return epoch, keys[order], values[order]


def _window(end: int, before: Any, now: Any, instrument: Any) -> pl.DataFrame:
    epoch, keys, values = now
    moved = values.copy()
    # Levels are never taken out of the table, so each key of before is one of now.
    moved[np.searchsorted(keys, before[1])] -= before[2]
    kept = (moved != 0).any(axis=1) if epoch == before[0] >= 0 else np.zeros(len(keys), np.bool_)
    change, net = moved[kept, SIZE], moved[kept, FLOW]
    side = np.where(keys[kept] & 1, int(Side.ASK), int(Side.BID))
    sizes = {"change": change, "traded": net - change, "net": net}
    return pl.DataFrame(
        [
            as_times(np.full(len(change), end, np.int64)),
            pl.Series("side", side, pl.Int8),
            pl.Series("price", real_prices((keys[kept] >> 1) * SUBTICKS_PER_TICK, instrument), pl.Float64),
            *(pl.Series(name, real_sizes(lots, instrument), pl.Float64) for name, lots in sizes.items()),
        ]
    )
