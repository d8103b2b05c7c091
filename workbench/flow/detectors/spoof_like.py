"""Spoof-like postings: large, near, taken back unfilled, and the other side of the book was executed in between."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import polars as pl

from workbench.events import SUBTICKS_PER_TICK, EventBatch, Instrument, IntArray
from workbench.flow.batches import instrument_of
from workbench.flow.detectors.detections import Detections, detected, frame
from workbench.flow.detectors.following import check
from workbench.flow.detectors.withdrawn import (
    AWAY,
    EATEN,
    LARGE,
    ORDER,
    POSTED,
    SINCE,
    TYPICAL,
    By,
    Withdrawals,
    opposite,
    withdrawal_rule,
)

__all__ = ["SpoofLike", "spoof_like"]

_SHARE: Final = 0.8


class SpoofLike:
    """Spoof-like postings in a stream of events.

    Parameters
    ----------
    instrument : Instrument
    quantile, near, within, multiple, executed, by
        As :func:`spoof_like` has them.

    Raises
    ------
    WorkbenchError
        A parameter outside its bounds.
    """

    def __init__(
        self,
        instrument: Instrument,
        *,
        quantile: float = 0.99,
        near: int = 10,
        within: str = "3s",
        multiple: float = 3.0,
        executed: float = 0.3,
        by: By = "auto",
    ):
        check("multiple", multiple, 0.0)
        check("executed", executed, 0.0, 1.0)
        self.instrument = instrument
        self._multiple, self._executed = multiple, executed
        self._withdrawals = Withdrawals(withdrawal_rule(quantile, near, within, _SHARE, by))

    def update(self, batch: EventBatch) -> Detections:
        """Take in events; what became known with them."""
        return self._kept(self._withdrawals.update(batch))

    def close(self) -> Detections:
        """What the last moment makes known."""
        return self._kept(self._withdrawals.close())

    def _kept(self, rows: IntArray) -> Detections:
        other, own = opposite(rows)
        large = rows[:, POSTED] >= self._multiple * rows[:, TYPICAL]
        # The posting wants the other side executed: more of it than of its own.
        keep = large & (other > 0) & (other >= self._executed * (other + own))
        rows, other, own = rows[keep], other[keep], own[keep]
        score = rows[:, POSTED] / np.maximum(rows[:, LARGE], 1) * other / np.maximum(other + own, 1)
        evidence = {
            "size_lots": rows[:, POSTED],
            "posted_ts": rows[:, SINCE],
            "after_ns": rows[:, 0] - rows[:, SINCE],
            "away_ticks": rows[:, AWAY],
            "filled_lots": rows[:, EATEN],
            "opposite_lots": other,
            "own_side_lots": own,
            "large_lots": rows[:, LARGE],
            "typical_lots": rows[:, TYPICAL],
            "order_id": rows[:, ORDER],
        }
        price = rows[:, 2] * SUBTICKS_PER_TICK
        return Detections(rows[:, 0], rows[:, 1], price, rows[:, 3].astype(np.int8), score, evidence)


def spoof_like(
    x: Any,
    *,
    quantile: float = 0.99,
    near: int = 10,
    within: str = "3s",
    multiple: float = 3.0,
    executed: float = 0.3,
    by: By = "auto",
) -> pl.DataFrame:
    """Large postings near the touch that were taken back unfilled after the other side of the book was executed.

    Parameters
    ----------
    x : session or recording
    quantile : float, optional
        Large: at least this quantile of the additions of late that were as near.
    near : int, ticks, optional
        Posted at most so far from the best price of its side.
    within : str, optional
        Taken back at most so long after it was posted.
    multiple : float, optional
        And at least so many times the median displayed size of the levels as near.
    executed : float, optional
        Least share of the other side in what was executed while the posting stood; some of it always.
    by : {"auto", "orders", "levels"}, optional
        Follow orders where the stream has them, else levels; ``"levels"`` looks at levels always.

    Returns
    -------
    DataFrame
        ``ts`` (when it was taken back), ``price``, ``side`` (+1 a bid was posted), ``score`` (size over the size that
        counts as large, times the share of the other side in the executions), ``evidence`` (sizes in lots, the time of
        posting, how long it stood, its order where orders are known).

    Raises
    ------
    WorkbenchError
        A parameter outside its bounds.

    Notes
    -----
    Taken back: four fifths or more pulled, at most one fifth filled. By level, an addition is what the displayed size
    grew by in one moment, and a pull what it fell by less what was traded there within 100 ms before. Nothing is found
    until 200 additions were seen; after a gap or a new snapshot all begins anew.

    *What it cannot know.* Intent: a maker that withdraws before news looks the same. Who executed on the other side:
    venues do not say whose orders they are. By level also which order a pull belonged to; several small orders that
    leave together are one, and a venue that tells sizes before prints makes fills look like pulls. Hence the name.

    References
    ----------
    T. Fabre, D. Challet, "Learning the Spoofability of Limit Order Books", arXiv:2504.15908 (2025).

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("5s")
    >>> wb.spoof_like(s).columns
    ['ts', 'price', 'side', 'score', 'evidence']
    """
    detector = SpoofLike(
        instrument_of(x),
        quantile=quantile,
        near=near,
        within=within,
        multiple=multiple,
        executed=executed,
        by=by,
    )
    return frame(detected(x, detector), instrument_of(x))
