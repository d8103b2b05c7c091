"""Executions against liquidity that was not displayed, where the venue says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from workbench.errors import WorkbenchError
from workbench.events import SUBTICK_SHIFT, SUBTICKS_PER_TICK, EventBatch, EventKind, Flag, Instrument
from workbench.flow.batches import instrument_of
from workbench.flow.detectors.detections import Detections, detected, frame, nothing

__all__ = ["HiddenExecutions", "hidden"]

_FIELDS = {"size_lots": np.int64, "aggressor_id": np.int64}


class HiddenExecutions:
    """Prints that the venue marks as met by hidden orders.

    Parameters
    ----------
    instrument : Instrument
    min_lots : int, lots, default 1

    Notes
    -----
    Every trade with the flag ``HIDDEN`` of at least ``min_lots``, also between two ticks. ``side`` is the resting side
    (0 unknown), ``score`` the size in lots. No state, so gaps change nothing.

    **What it cannot know.** Most venues mark nothing: their hidden executions look like all others. How much more the
    hidden order holds, and whether two prints met the same one (LOBSTER gives hidden orders no id).
    """

    def __init__(self, instrument: Instrument, *, min_lots: int = 1):
        if min_lots < 1:
            raise WorkbenchError(f"min_lots of {min_lots}", expected="1 or more", code="bad_value")
        self.instrument = instrument
        self.min_lots = min_lots

    def update(self, batch: EventBatch) -> Detections:
        """Take in events; the hidden executions among them."""
        marked = (batch.flags & int(Flag.HIDDEN)) != 0
        mask = (batch.kind == EventKind.TRADE) & marked & (batch.size >= self.min_lots)
        price = batch.price[mask].astype(np.int64) * SUBTICKS_PER_TICK + (batch.flags[mask] >> SUBTICK_SHIFT)
        size = batch.size[mask]
        evidence = {"size_lots": size, "aggressor_id": batch.aggressor_id[mask]}
        side = (-batch.side[mask]).astype(np.int8)
        return Detections(
            batch.ts[mask], batch.sequence[mask], price, side, size.astype(np.float64), evidence
        )

    def close(self) -> Detections:
        """Nothing is pending."""
        return nothing(_FIELDS)


def hidden(x: Any, *, min_lots: int = 1) -> pl.DataFrame:
    """Executions against hidden orders, as the venue marks them.

    Parameters
    ----------
    x : session or recording
    min_lots : int, lots, default 1

    Returns
    -------
    DataFrame
        ``ts, price, side`` (resting), ``score`` (lots), ``evidence`` (``sequence``, ``size_lots``, ``aggressor_id``).
        See :class:`HiddenExecutions`, also for what it cannot know.

    Notes
    -----
    Prints that the venue itself marks as hidden; where it marks none there is no row. Empty without trades.

    References
    ----------
    R. Huang, T. Polak, "LOBSTER: limit order book reconstruction system" (2011): executions of hidden orders.
    """
    return frame(detected(x, HiddenExecutions(instrument_of(x), min_lots=min_lots)), instrument_of(x))
