"""Layering-like flow: several large postings on one side, put up together and pulled together, unfilled."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import polars as pl
from numba import types

from workbench.book.jit import kernel
from workbench.events import SUBTICKS_PER_TICK, Array, EventBatch, Instrument, IntArray
from workbench.flow.batches import instrument_of
from workbench.flow.detectors.detections import Detections, detected, frame
from workbench.flow.detectors.following import check, duration
from workbench.flow.detectors.withdrawn import (
    LARGE,
    POSTED,
    SINCE,
    TYPICAL,
    By,
    Withdrawals,
    opposite,
    withdrawal_rule,
)

__all__ = ["LayeringLike", "layering_like"]

_SHARE: Final = 0.8
_RING: Final = 256
# Columns of what is kept of a withdrawal, and of a group.
_TS, _PRICE, _SIDE, _SINCE, _LOTS, _OTHER, _OWN, _USED, _LARGE = range(9)
_FIELDS: Final = 9
_ROW, _LEVELS, _SUM, _FIRST, _OTHER_SUM, _OWN_SUM, _LOW, _HIGH, _LEAST = range(9)
_ROWS = types.int64[:, ::1]


@kernel(types.int64(_ROWS, _ROWS, types.int64[::1], types.int64, types.int64, types.int64, _ROWS))
def _group(rows: Array, ring: Array, seen: Array, together: int, pulled: int, levels: int, out: Array) -> int:
    """Groups that became whole: ``levels`` prices of one side posted, and pulled, within two spans of time."""
    count = 0
    for i in range(len(rows)):
        ring[seen[0] % len(ring)] = rows[i]
        seen[0] += 1
        newest = rows[i]
        known = min(seen[0], len(ring))
        mates = np.empty(known, np.int64)
        found, distinct = 0, 0
        for k in range(known):
            at = (seen[0] - 1 - k) % len(ring)
            old = ring[at]
            if newest[_TS] - old[_TS] > pulled:
                break
            if old[_USED] or old[_SIDE] != newest[_SIDE] or abs(old[_SINCE] - newest[_SINCE]) > together:
                continue
            fresh = True
            for j in range(found):
                fresh &= ring[mates[j], _PRICE] != old[_PRICE]
            distinct += fresh
            mates[found] = at
            found += 1
        if distinct >= levels:
            group = out[count]
            group[_ROW], group[_LEVELS], group[_SUM], group[_FIRST] = i, distinct, 0, newest[_SINCE]
            group[_OTHER_SUM], group[_OWN_SUM] = newest[_OTHER], newest[_OWN]
            group[_LOW] = group[_HIGH] = newest[_PRICE]
            group[_LEAST] = newest[_LARGE]
            for j in range(found):
                mate = ring[mates[j]]
                mate[_USED] = 1
                group[_SUM] += mate[_LOTS]
                group[_FIRST] = min(group[_FIRST], mate[_SINCE])
                group[_OTHER_SUM], group[_OWN_SUM] = (
                    max(group[_OTHER_SUM], mate[_OTHER]), max(group[_OWN_SUM], mate[_OWN]),
                )  # fmt: skip
                group[_LOW], group[_HIGH] = min(group[_LOW], mate[_PRICE]), max(group[_HIGH], mate[_PRICE])
            count += 1
    return count


class LayeringLike:
    """Layering-like flow in a stream of events.

    Parameters
    ----------
    instrument : Instrument
    levels, quantile, near, within, together, multiple, by
        As :func:`layering_like` has them.

    Raises
    ------
    WorkbenchError
        A parameter outside its bounds.
    """

    def __init__(
        self,
        instrument: Instrument,
        *,
        levels: int = 3,
        quantile: float = 0.98,
        near: int = 15,
        within: str = "5s",
        together: str = "1s",
        multiple: float = 1.2,
        by: By = "auto",
    ):
        check("levels", levels, 2)
        check("multiple", multiple, 0.0)
        self.instrument = instrument
        self._levels, self._multiple = int(levels), multiple
        self._together_ns = duration("together", together)
        self._withdrawals = Withdrawals(withdrawal_rule(quantile, near, within, _SHARE, by))
        self._ring = np.zeros((_RING, _FIELDS), np.int64)
        self._seen = np.zeros(1, np.int64)

    def update(self, batch: EventBatch) -> Detections:
        """Take in events; what became known with them."""
        return self._grouped(self._withdrawals.update(batch))

    def close(self) -> Detections:
        """What the last moment makes known."""
        return self._grouped(self._withdrawals.close())

    def _grouped(self, rows: IntArray) -> Detections:
        rows = rows[rows[:, POSTED] >= self._multiple * rows[:, TYPICAL]]
        other, own = opposite(rows)
        kept = np.zeros((len(rows), _FIELDS), np.int64)
        for column, values in (
            (_TS, rows[:, 0]), (_PRICE, rows[:, 2]), (_SIDE, rows[:, 3]), (_SINCE, rows[:, SINCE]),
            (_LOTS, rows[:, POSTED]), (_OTHER, other), (_OWN, own), (_LARGE, rows[:, LARGE]),
        ):  # fmt: skip
            kept[:, column] = values
        groups = np.zeros((len(rows), 9), np.int64)
        spans = (self._together_ns, self._together_ns)
        groups = groups[: _group(kept, self._ring, self._seen, *spans, self._levels, groups)]
        rows = rows[groups[:, _ROW]]
        evidence = {
            "levels": groups[:, _LEVELS],
            "size_lots": groups[:, _SUM],
            "posted_ts": groups[:, _FIRST],
            "after_ns": rows[:, 0] - groups[:, _FIRST],
            "low_ticks": groups[:, _LOW],
            "high_ticks": groups[:, _HIGH],
            "opposite_lots": groups[:, _OTHER_SUM],
            "own_side_lots": groups[:, _OWN_SUM],
        }
        score = groups[:, _SUM] / np.maximum(groups[:, _LEAST], 1)
        best = np.where(rows[:, 3] > 0, groups[:, _HIGH], groups[:, _LOW])
        return Detections(
            rows[:, 0], rows[:, 1], best * SUBTICKS_PER_TICK, rows[:, 3].astype(np.int8), score, evidence
        )


def layering_like(
    x: Any,
    *,
    levels: int = 3,
    quantile: float = 0.98,
    near: int = 15,
    within: str = "5s",
    together: str = "1s",
    multiple: float = 1.2,
    by: By = "auto",
) -> pl.DataFrame:
    """Several large postings of one side that were put up together and pulled together, unfilled.

    Parameters
    ----------
    x : session or recording
    levels : int, optional
        At so many different prices or more.
    quantile : float, optional
        Each at least this quantile of the additions of late that were as near.
    near : int, ticks, optional
        Posted at most so far from the best price of their side.
    within : str, optional
        Each pulled at most so long after it was posted.
    together : str, optional
        All posted within so long of the last one pulled, and all pulled within so long.
    multiple : float, optional
        Each at least so many times the median displayed size of the levels as near.
    by : {"auto", "orders", "levels"}, optional
        Follow orders where the stream has them, else levels.

    Returns
    -------
    DataFrame
        ``ts`` (when the last of the needed levels was pulled), ``price`` (of the nearest), ``side`` (+1 bids were
        posted), ``score`` (their sizes over the size that counts as large), ``evidence`` (number of levels, their
        range, sizes, executions meanwhile against the other side of the book and their own).

    Raises
    ------
    WorkbenchError
        A parameter outside its bounds.

    Notes
    -----
    Nothing is found until 200 additions were seen. A posting belongs to one finding. Levels pulled after a finding count
    towards the next. After a gap or a new snapshot all begins anew. At most the last 256 withdrawals are compared.

    *What it cannot know.* Whether the postings were one party's, and what it wanted: a maker that quotes several levels
    and steps back looks the same, and so does one whose venue connection failed. Executions on the other side are told
    as evidence and not demanded, since layering need not succeed.

    References
    ----------
    X. Tao, A. Day, L. Ling, S. Drapeau, "On detecting spoofing strategies in high frequency trading", arXiv:2009.14818.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("5s")
    >>> wb.layering_like(s).columns
    ['ts', 'price', 'side', 'score', 'evidence']
    """
    detector = LayeringLike(
        instrument_of(x), levels=levels, quantile=quantile, near=near, within=within, together=together,
        multiple=multiple, by=by,
    )  # fmt: skip
    return frame(detected(x, detector), instrument_of(x))
