"""Volume cliffs and gaps of the book: where resting size ends, and where there is none between levels."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import polars as pl
from numba import types

from workbench.book.jit import kernel, part
from workbench.events import SUBTICKS_PER_TICK, Array, EventBatch, Instrument, IntArray
from workbench.flow.batches import instrument_of
from workbench.flow.detectors.detections import Detections, detected, frame
from workbench.flow.detectors.following import (
    ASK,
    BID,
    CLEAR,
    DEPTH,
    FOUND_OWN,
    GAP,
    KNOWN,
    LEVEL_OWN,
    MARKED,
    NOW,
    NUMBERS,
    OWN,
    SIZE,
    STARTED,
    TABLE,
    WALK,
    Follower,
    check,
    crowded,
    duration,
    forget,
    found,
    marked,
    size_of,
    stand,
    touch,
)
from workbench.flow.level_table import entered

__all__ = ["Cliffs", "cliffs"]

_KINDS: Final = ("gap", "cliff")
_GAP_KIND, _CLIFF_KIND = range(2)
_NEXT_LOOK, _LOOKS = OWN, OWN + 1
_SEEN_GAP, _SEEN_CLIFF = LEVEL_OWN, LEVEL_OWN + 1
_F_KIND, _F_TICKS, _F_BEFORE, _F_BEYOND, _F_AWAY = range(FOUND_OWN, FOUND_OWN + 5)
_GAP_TICKS, _QUANTILE, _RATIO, _SPAN, _REACH, _LOOK_NS = range(6)


@part
def _sizes(keys: Array, values: Array, best: int, side: int, reach: int, sizes: Array) -> int:
    """Sizes by ticks from the best price; how many up to the last level that has any."""
    known = 0
    for away in range(reach + 1):
        sizes[away] = size_of(keys, values, best - side * away, side)
        if sizes[away] > 0:
            known = away + 1
    return known


@part
def _thin(sizes: Array, known: int, scratch: Array, quantile: float) -> int:
    """Size below which a level is thin: a quantile of the levels that have any."""
    if quantile <= 0:
        return 1
    n = 0
    for away in range(known):
        if sizes[away] > 0:
            scratch[n] = sizes[away]
            n += 1
    scratch[:n].sort()
    return int(scratch[min(int(quantile * n), n - 1)]) if n else 1


@part
def _tell(
    values: Array, at: int, field: int, price: int, side: int, kind: int, ticks: int, before: int, beyond: int,
    away: int, state: Array, out: Array,
) -> None:  # fmt: skip
    """Tell what was not there at the last look."""
    if values[at, field] != state[_LOOKS] - 1 or values[at, field] == 0:
        row = found(out, state, price, side)
        out[row, _F_KIND], out[row, _F_TICKS], out[row, _F_AWAY] = kind, ticks, away
        out[row, _F_BEFORE], out[row, _F_BEYOND] = before, beyond
    values[at, field] = state[_LOOKS]


@part
def _gaps(
    keys: Array, values: Array, used: Array, sizes: Array, known: int, thin: int, best: int, side: int,
    state: Array, parameters: Array, out: Array,
) -> None:  # fmt: skip
    """Runs of thin ticks between levels that are not; each is named after the level before it."""
    run, lots, total = 0, 0, 0
    for away in range(known):
        if sizes[away] < thin:
            run += 1
            lots += sizes[away]
            total += sizes[away]
            continue
        if run >= parameters[_GAP_TICKS] and away > run:
            start = away - run - 1
            at = entered(keys, used, best - side * start, side)
            _tell(
                values, at, _SEEN_GAP, best - side * start, side, _GAP_KIND, run, total - lots, lots, start,
                state, out,
            )  # fmt: skip
        run, lots = 0, 0
        total += sizes[away]


@part
def _cliff(
    keys: Array, values: Array, used: Array, sizes: Array, known: int, best: int, side: int, state: Array,
    parameters: Array, out: Array,
) -> None:  # fmt: skip
    """The steepest end of resting size: ``span`` ticks up to a level against as many beyond it."""
    span, steepest, where = int(parameters[_SPAN]), 0.0, -1
    before_there, beyond_there = 0, 0
    for last in range(span - 1, known - span):
        before, beyond = 0, 0
        for k in range(span):
            before += sizes[last - k]
            beyond += sizes[last + 1 + k]
        ratio = float(before) / float(max(beyond, 1))
        if sizes[last] > 0 and ratio >= parameters[_RATIO] and ratio > steepest:
            steepest, where, before_there, beyond_there = ratio, last, before, beyond
    if where >= 0:
        at = entered(keys, used, best - side * where, side)
        _tell(
            values, at, _SEEN_CLIFF, best - side * where, side, _CLIFF_KIND, span, before_there, beyond_there,
            where, state, out,
        )  # fmt: skip


@kernel(types.int64(*WALK, NUMBERS, NUMBERS, TABLE))
def _walk(
    row: int, first: int, ts: Array, kind: Array, side: Array, price: Array, size: Array, name: Array,
    flags: Array, bid: Array, ask: Array, bids: Array, asks: Array, valid: Array, keys: Array, values: Array,
    used: Array, marks: Array, state: Array, parameters: Array, sizes: Array, scratch: Array, out: Array,
) -> int:  # fmt: skip
    reach = int(parameters[_REACH])
    while row < len(ts) and not crowded(used, keys, marks, state, out, 2 * len(sizes)):
        if state[STARTED] and ts[row] != state[NOW]:
            for i in range(state[MARKED]):
                marked(keys, values, marks, i)
            state[MARKED] = 0
            if state[KNOWN] and state[NOW] >= state[_NEXT_LOOK]:
                state[_LOOKS] += 1
                for which in (1, -1):
                    best = state[BID] if which > 0 else state[ASK]
                    known = _sizes(keys, values, best, which, reach, sizes)
                    thin = _thin(sizes, known, scratch, parameters[_QUANTILE])
                    _gaps(keys, values, used, sizes, known, thin, best, which, state, parameters, out)
                    _cliff(keys, values, used, sizes, known, best, which, state, parameters, out)
                look = np.int64(parameters[_LOOK_NS])
                state[_NEXT_LOOK] = (state[NOW] // look + 1) * look
        what = kind[row]
        stand(state, ts[row], first + row, valid[row], bid[row], ask[row], bids[row], asks[row])
        if what in (CLEAR, GAP):
            forget(keys, values, marks, state, what == CLEAR)
            state[_LOOKS] += 2
        elif what == DEPTH and side[row] != 0:
            at = touch(keys, values, used, marks, state, price[row], side[row])
            values[at, SIZE] = max(size[row], 0)
        row += 1
    return row


class Cliffs:
    """Cliffs and gaps in a stream of events.

    Parameters
    ----------
    instrument : Instrument
    gap, quantile, ratio, span, reach, look
        As :func:`cliffs` has them.

    Raises
    ------
    WorkbenchError
        A parameter outside its bounds.
    """

    def __init__(
        self,
        instrument: Instrument,
        *,
        gap: int = 3,
        quantile: float = 0.0,
        ratio: float = 5.0,
        span: int = 3,
        reach: int = 20,
        look: str = "100ms",
    ):
        check("gap", gap, 1, unit="tick")
        check("quantile", quantile, 0.0, 0.9)
        check("ratio", ratio, 1.0)
        check("span", span, 1, 1000, unit="ticks")
        check("reach", reach, 2, 10_000, unit="ticks")
        self.instrument = instrument
        self._follower = Follower(
            _walk,
            own=2,
            level_own=2,
            found_own=5,
            parameters=(gap, quantile, ratio, span, reach, duration("look", look)),
            extra=(np.zeros(int(reach) + 1, np.int64), np.zeros(int(reach) + 1, np.int64)),
            reserve=2 * (int(reach) + 1),
        )

    def update(self, batch: EventBatch) -> Detections:
        """Take in events; what became known with them."""
        return _detections(self._follower.follow(batch))

    def close(self) -> Detections:
        """What the last moment makes known."""
        return _detections(self._follower.finish())


def _detections(rows: IntArray) -> Detections:
    before, beyond = rows[:, _F_BEFORE], rows[:, _F_BEYOND]
    evidence: dict[str, Array] = {
        "event": np.array(_KINDS)[rows[:, _F_KIND]],
        "ticks": rows[:, _F_TICKS],
        "before_lots": before,
        "beyond_lots": beyond,
        "away_ticks": rows[:, _F_AWAY],
    }
    score = np.where(
        rows[:, _F_KIND] == _GAP_KIND, rows[:, _F_TICKS].astype(np.float64), before / np.maximum(beyond, 1)
    )
    side = rows[:, 3].astype(np.int8)
    return Detections(rows[:, 0], rows[:, 1], rows[:, 2] * SUBTICKS_PER_TICK, side, score, evidence)


def cliffs(
    x: Any,
    *,
    gap: int = 3,
    quantile: float = 0.0,
    ratio: float = 5.0,
    span: int = 3,
    reach: int = 20,
    look: str = "100ms",
) -> pl.DataFrame:
    """Where the resting size near the touch ends or has holes.

    Parameters
    ----------
    x : session or recording
    gap : int, ticks, optional
        A gap is a run of so many thin ticks or more between two levels that are not.
    quantile : float, optional
        Thin: less than this quantile of the levels in reach that have any size; 0: empty.
    ratio : float, optional
        A cliff: ``span`` ticks up to a level hold at least so many times what the ``span`` ticks beyond it hold.
    span : int, ticks, optional
    reach : int, ticks, optional
        How far from the best price is looked.
    look : str, optional
        How often: at the end of the first moment in each such interval.

    Returns
    -------
    DataFrame
        ``ts`` (of the look), ``price`` (the last level before what is missing), ``side`` (of the book: +1 bids),
        ``score`` (ticks of a gap; ratio of a cliff, one lot beyond where there is none), ``evidence`` (``event``: gap or
        cliff, ticks, lots before and beyond, distance from the best price).

    Raises
    ------
    WorkbenchError
        A parameter outside its bounds.

    Notes
    -----
    Told when it was not there, at that price, at the look before. Of each side only the steepest cliff is told. Ticks
    beyond the last known level are no gap: many feeds show so many levels and no more. Before a gap's lots count all that
    rest up to it. After lost events or a new snapshot all is told again.

    *What it cannot know.* Hidden and refilling size: a hole may be none. What lies beyond the depth that the venue shows.
    On instruments with ticks far finer than their quotes every place is a gap: give ``gap`` and ``span`` to match.

    References
    ----------
    J. D. Farmer, L. Gillemot, F. Lillo, S. Mike, A. Sen, "What really causes large price changes?", Quantitative
    Finance 4 (2004): gaps behind the best price.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("5s")
    >>> wb.cliffs(s).columns
    ['ts', 'price', 'side', 'score', 'evidence']
    """
    detector = Cliffs(
        instrument_of(x), gap=gap, quantile=quantile, ratio=ratio, span=span, reach=reach, look=look
    )
    return frame(detected(x, detector), instrument_of(x))
