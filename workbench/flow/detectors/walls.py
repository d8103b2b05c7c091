"""Liquidity walls: levels that stand out of their neighbourhood, and what became of them."""

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
    BEFORE,
    BID,
    CLEAR,
    DEPTH,
    EPOCH,
    FOUND_OWN,
    GAP,
    HIDDEN,
    KNOWN,
    LEVEL_OWN,
    MARK,
    MARKED,
    NOW,
    OTC,
    OWN,
    SIZE,
    SNAPSHOT,
    STARTED,
    SUBTICK,
    TABLE,
    TRADE,
    TRADED,
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
from workbench.flow.detectors.size_ranks import bin_of, empty_counts, halved, ranked

__all__ = ["FATES", "Walls", "walls"]

FATES: Final = ("appeared", "consumed", "pulled", "moved")
_APPEARED, _CONSUMED, _PULLED, _MOVED = range(4)

_NEXT_LOOK, _LOOKS, _SEEN, _FLOOR_BID, _FLOOR_ASK, _WALLS, _ADDED = range(OWN, OWN + 7)
_NUMBER, _PEAK, _SINCE, _EATEN, _GONE_TS, _WALL_EPOCH, _AWAY = range(LEVEL_OWN, LEVEL_OWN + 7)
_FATE, _F_NUMBER, _F_SIZE, _F_PEAK, _F_SINCE, _F_EATEN, _F_AWAY, _F_FLOOR, _F_TO, _F_GONE = range(
    FOUND_OWN, FOUND_OWN + 10
)
_MULTIPLE, _QUANTILE, _NEAR, _LOOK_NS, _MOVE_NS, _GONE_SHARE = range(6)
_A_TS, _A_PRICE, _A_SIDE, _A_LOTS = range(4)

_WARM_LOOKS: Final = 10
_MEMORY_LOOKS: Final = 600
_RING: Final = 64
_GONE: Final = 0.1
_EATEN_SHARE: Final = 0.5
_MOVED_SHARE: Final = 0.5


@part
def _look(keys: Array, values: Array, counts: Array, scratch: Array, state: Array, parameters: Array) -> None:
    """Take the sizes near the touch: what stands out from now on; levels that do so already are marked."""
    near = int(parameters[_NEAR])
    for side in (1, -1):
        best = state[BID] if side > 0 else state[ASK]
        n = 0
        for away in range(near + 1):
            lots = size_of(keys, values, best - side * away, side)
            if lots > 0:
                scratch[n] = lots
                n += 1
                counts[bin_of(lots)] += 1
        state[_SEEN] += n
        scratch[:n].sort()
        median = scratch[n // 2] if n else np.int64(0)
        floor = max(np.int64(np.ceil(parameters[_MULTIPLE] * median)), 1)
        state[_FLOOR_BID if side > 0 else _FLOOR_ASK] = floor
    state[_LOOKS] += 1
    usual = ranked(counts, state[_SEEN], parameters[_QUANTILE])
    state[_FLOOR_BID], state[_FLOOR_ASK] = max(state[_FLOOR_BID], usual), max(state[_FLOOR_ASK], usual)
    if state[_LOOKS] % _MEMORY_LOOKS == 0:
        state[_SEEN] = halved(counts)
    state[_NEXT_LOOK] = (state[NOW] // int(parameters[_LOOK_NS]) + 1) * int(parameters[_LOOK_NS])


@part
def _tell(values: Array, at: int, price: int, side: int, fate: int, state: Array, out: Array) -> int:
    row = found(out, state, price, side)
    out[row, _FATE], out[row, _F_NUMBER], out[row, _F_SIZE] = fate, values[at, _NUMBER], values[at, SIZE]
    out[row, _F_PEAK], out[row, _F_SINCE] = values[at, _PEAK], values[at, _SINCE]
    out[row, _F_EATEN], out[row, _F_AWAY] = values[at, _EATEN], values[at, _AWAY]
    out[row, _F_FLOOR] = state[_FLOOR_BID if side > 0 else _FLOOR_ASK]
    out[row, _F_TO], out[row, _F_GONE] = price, values[at, _GONE_TS]
    return row


@part
def _target(ring: Array, state: Array, price: int, side: int, lots: float, around: int, span: int) -> int:
    """Slot of an addition of that size on the same side at another price, within ``span`` of a time; −1 without."""
    for k in range(min(state[_ADDED], len(ring))):
        at = int((state[_ADDED] - 1 - k) % len(ring))
        near = abs(ring[at, _A_TS] - around) <= span and ring[at, _A_SIDE] == side
        if near and ring[at, _A_PRICE] != price and ring[at, _A_LOTS] >= lots:
            return at
    return -1


@part
def _fate(
    values: Array, at: int, price: int, side: int, ring: Array, state: Array, parameters: Array, out: Array
) -> bool:
    """Say what became of a wall that is gone, or that it is too early to say."""
    lost = values[at, _PEAK] - values[at, SIZE]
    span = int(parameters[_MOVE_NS])
    fate, to = -1, price
    if values[at, _EATEN] >= _EATEN_SHARE * lost:
        fate = _CONSUMED
    else:
        left = lost - values[at, _EATEN]
        target = _target(ring, state, price, side, _MOVED_SHARE * left, values[at, _GONE_TS], span)
        if target >= 0:
            fate, to = _MOVED, ring[target, _A_PRICE]
            ring[target, _A_SIDE] = 0
        elif state[NOW] - values[at, _GONE_TS] >= span:
            fate = _PULLED
    if fate < 0:
        return False
    row = _tell(values, at, price, side, fate, state, out)
    out[row, _F_TO] = to
    values[at, _NUMBER] = 0
    return True


@part
def _additions(keys: Array, values: Array, marks: Array, ring: Array, state: Array) -> None:
    """Remember the large additions of the moment: a wall may have moved there."""
    for i in range(state[MARKED]):
        at = marked(keys, values, marks, i)
        values[at, MARK] = 1
        side = -1 if keys[at] & 1 else 1
        floor = state[_FLOOR_BID if side > 0 else _FLOOR_ASK]
        change = values[at, SIZE] - values[at, BEFORE] + values[at, TRADED]
        if floor > 0 and 2 * change >= floor:
            row = ring[state[_ADDED] % len(ring)]
            row[_A_TS], row[_A_PRICE], row[_A_SIDE], row[_A_LOTS] = state[NOW], keys[at] >> 1, side, change
            state[_ADDED] += 1


@part
def _settle(
    keys: Array, values: Array, marks: Array, ring: Array, state: Array, parameters: Array, out: Array
) -> None:
    """Judge all that this moment touched; walls whose fate is open stay marked."""
    _additions(keys, values, marks, ring, state)
    kept = 0
    for i in range(state[MARKED]):
        key = marks[i]
        at = marked(keys, values, marks, i)
        price, side = key >> 1, -1 if key & 1 else 1
        size = values[at, SIZE]
        if values[at, _WALL_EPOCH] != state[EPOCH]:
            values[at, _NUMBER] = 0
        if values[at, _NUMBER] == 0:
            floor = state[_FLOOR_BID if side > 0 else _FLOOR_ASK]
            away = max(state[BID] - price if side > 0 else price - state[ASK], 0)
            if state[_LOOKS] >= _WARM_LOOKS and size >= floor and away <= parameters[_NEAR]:
                state[_WALLS] += 1
                values[at, _NUMBER], values[at, _PEAK] = state[_WALLS], size
                values[at, _SINCE], values[at, _EATEN], values[at, _GONE_TS] = state[NOW], 0, 0
                values[at, _WALL_EPOCH], values[at, _AWAY] = state[EPOCH], away
                _tell(values, at, price, side, _APPEARED, state, out)
            continue
        values[at, _EATEN] += values[at, TRADED]
        values[at, _PEAK] = max(values[at, _PEAK], size)
        if size > parameters[_GONE_SHARE] * values[at, _PEAK]:
            values[at, _GONE_TS] = 0
            continue
        if values[at, _GONE_TS] == 0:
            values[at, _GONE_TS] = state[NOW]
        if not _fate(values, at, price, side, ring, state, parameters, out):
            values[at, MARK], values[at, BEFORE], values[at, TRADED] = 1, size, 0
            marks[kept] = key
            kept += 1
    state[MARKED] = kept


@part
def _mark_standing(
    keys: Array, values: Array, used: Array, marks: Array, state: Array, parameters: Array
) -> None:
    """Mark levels that stand out although nothing happened to them: the market came, or others left."""
    for side in (1, -1):
        best = state[BID] if side > 0 else state[ASK]
        floor = state[_FLOOR_BID if side > 0 else _FLOOR_ASK]
        for away in range(int(parameters[_NEAR]) + 1):
            if size_of(keys, values, best - side * away, side) >= floor:
                touch(keys, values, used, marks, state, best - side * away, side)


@kernel(types.int64(*WALK, types.int64[::1], TABLE, types.int64[::1], TABLE))
def _walk(
    row: int, first: int, ts: Array, kind: Array, side: Array, price: Array, size: Array, name: Array,
    flags: Array, bid: Array, ask: Array, bids: Array, asks: Array, valid: Array, keys: Array, values: Array,
    used: Array, marks: Array, state: Array, parameters: Array, counts: Array, ring: Array, scratch: Array,
    out: Array,
) -> int:  # fmt: skip
    while row < len(ts) and not crowded(used, keys, marks, state, out, len(scratch)):
        if state[STARTED] and ts[row] != state[NOW]:
            if state[KNOWN] and state[NOW] >= state[_NEXT_LOOK]:
                _look(keys, values, counts, scratch, state, parameters)
                _mark_standing(keys, values, used, marks, state, parameters)
            if state[KNOWN]:
                _settle(keys, values, marks, ring, state, parameters, out)
        what = kind[row]
        stand(state, ts[row], first + row, valid[row], bid[row], ask[row], bids[row], asks[row])
        if what in (CLEAR, GAP):
            forget(keys, values, marks, state, what == CLEAR)
            counts[:] = 0
            ring[:, _A_SIDE] = 0
            state[_SEEN] = state[_LOOKS] = state[_FLOOR_BID] = state[_FLOOR_ASK] = 0
        elif what == DEPTH and side[row] != 0:
            at = touch(keys, values, used, marks, state, price[row], side[row])
            values[at, SIZE] = max(size[row], 0)
            if not state[KNOWN] or flags[row] & SNAPSHOT:
                values[at, BEFORE] = values[at, SIZE]
        elif (
            what == TRADE and side[row] != 0 and not flags[row] & (OTC | HIDDEN) and not flags[row] >> SUBTICK
        ):
            at = touch(keys, values, used, marks, state, price[row], -side[row])
            values[at, TRADED] += size[row]
        row += 1
    return row


class Walls:
    """Walls, and what became of them, in a stream of events.

    Parameters
    ----------
    instrument : Instrument
    multiple, near, quantile, look, move
        As :func:`walls` has them.

    Raises
    ------
    WorkbenchError
        A parameter outside its bounds.
    """

    def __init__(
        self,
        instrument: Instrument,
        *,
        multiple: float = 6.0,
        near: int = 20,
        quantile: float = 0.97,
        look: str = "100ms",
        move: str = "1s",
    ):
        check("multiple", multiple, 1.0)
        check("near", near, 1, 10_000, unit="ticks")
        check("quantile", quantile, 0.5, 1.0)
        self.instrument = instrument
        look_ns, move_ns = duration("look", look), duration("move", move)
        room = 2 * (int(near) + 1)
        self._follower = Follower(
            _walk,
            own=7,
            level_own=7,
            found_own=10,
            parameters=(multiple, quantile, near, look_ns, move_ns, _GONE),
            extra=(empty_counts(), np.zeros((_RING, 4), np.int64), np.zeros(room, np.int64)),
            reserve=room,
        )

    def update(self, batch: EventBatch) -> Detections:
        """Take in events; what became known with them."""
        return _detections(self._follower.follow(batch))

    def close(self) -> Detections:
        """What the last moment makes known; walls that stand have no fate."""
        return _detections(self._follower.finish())


def _detections(rows: IntArray) -> Detections:
    evidence: dict[str, Array] = {
        "event": np.array(FATES)[rows[:, _FATE]],
        "wall": rows[:, _F_NUMBER],
        "size_lots": rows[:, _F_SIZE],
        "peak_lots": rows[:, _F_PEAK],
        "traded_lots": rows[:, _F_EATEN],
        "since_ts": rows[:, _F_SINCE],
        "gone_ts": rows[:, _F_GONE],
        "away_ticks": rows[:, _F_AWAY],
        "floor_lots": rows[:, _F_FLOOR],
        "to_ticks": rows[:, _F_TO],
    }
    score = rows[:, _F_PEAK] / np.maximum(rows[:, _F_FLOOR], 1)
    side = rows[:, 3].astype(np.int8)
    return Detections(rows[:, 0], rows[:, 1], rows[:, 2] * SUBTICKS_PER_TICK, side, score, evidence)


def walls(
    x: Any,
    *,
    multiple: float = 6.0,
    near: int = 20,
    quantile: float = 0.97,
    look: str = "100ms",
    move: str = "1s",
) -> pl.DataFrame:
    """Levels that stand out of their neighbourhood, and what became of them.

    Parameters
    ----------
    x : session or recording
    multiple : float, optional
        A wall has at least so many times the median size of the levels near the best price of its side.
    near : int, ticks, optional
        What counts as near, for the wall and for those it is compared with.
    quantile : float, optional
        And at least this quantile of all sizes of late as near, of both sides.
    look : str, optional
        How often medians and quantiles are taken anew.
    move : str, optional
        A wall that was pulled counts as moved where at least half of it was added elsewhere on its side within so long.

    Returns
    -------
    DataFrame
        Two rows for each wall whose fate is known, one while it stands. ``ts`` (when known), ``price``, ``side`` (+1
        bid), ``score`` (its peak over what is needed for a wall), ``evidence``: ``event`` (appeared, consumed, pulled,
        moved), ``wall`` (its number), sizes in lots, ``since_ts``, ``gone_ts`` (0 while it stands), ``to_ticks`` (where
        it moved).

    Raises
    ------
    WorkbenchError
        A parameter outside its bounds.

    Notes
    -----
    A wall is gone when at most a tenth of its peak is left: consumed where trades took at least half of what went, else
    moved or pulled. That it was pulled is known only when the time for moving has passed. An addition explains one wall:
    the first that was gone, of several in one moment the first that was touched. A wall that the market leaves behind
    goes on standing. Of the sizes of late the last minute weighs most. Nothing is found in the first ten looks;
    after a gap or a new snapshot all begins anew, and walls from before have no fate.

    *What it cannot know.* Whose the size is: a wall may be one order or a hundred. Whether it would have stood: only
    its fate tells. Where the venue sends no print for a fill at the level (off book, hidden) it looks pulled.

    References
    ----------
    Bookmap, knowledge base, "Heatmap Settings": sizes that stand out by percentile. The fates are a rule of this
    package.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("5s")
    >>> wb.walls(s).columns
    ['ts', 'price', 'side', 'score', 'evidence']
    """
    detector = Walls(instrument_of(x), multiple=multiple, near=near, quantile=quantile, look=look, move=move)
    return frame(detected(x, detector), instrument_of(x))
