"""Absorption: much aggressive volume at one price that the price outlives."""

from __future__ import annotations

from typing import Any, Final, Literal

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
    EPOCH,
    FOUND_OWN,
    GAP,
    KNOWN,
    LEVEL_OWN,
    MARKED,
    NOW,
    OTC,
    OWN,
    SIZE,
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
    stand,
    touch,
)
from workbench.flow.level_table import slot_of

__all__ = ["Absorption", "absorption"]

Size = float | Literal["auto"]

_HEAD, _TAIL, _FLOOR, _BUCKET, _BUCKETS, _MID, _HAS_MID = range(OWN, OWN + 7)
_VOLUME, _FIRED, _SINCE, _MID_THEN, _LEVEL_EPOCH, _PRINTS = range(LEVEL_OWN, LEVEL_OWN + 6)
_F_VOLUME, _F_SINCE, _F_MOVED, _F_LEFT, _F_FLOOR, _F_PRINTS = range(FOUND_OWN, FOUND_OWN + 6)
_TIME_NS, _FIXED, _SDS = range(3)
_R_TS, _R_KEY, _R_SIZE, _R_EPOCH = range(4)
_FIRST_PRINTS: Final = 1024
_LEAST_SHARE: Final = 0.5
_WARM_BUCKETS: Final = 5
_SD_OF_MAD: Final = 1.4826  # of a normal distribution


@part
def _expire(keys: Array, values: Array, prints: Array, state: Array, until: int) -> None:
    """Take prints up to a time out of the volume of their levels."""
    while state[_TAIL] < state[_HEAD]:
        row = prints[state[_TAIL] % len(prints)]
        if row[_R_TS] > until:
            return
        key = row[_R_KEY]
        at = slot_of(keys, key >> 1, -1 if key & 1 else 1)
        if values[at, _LEVEL_EPOCH] == row[_R_EPOCH]:
            values[at, _VOLUME] -= row[_R_SIZE]
            values[at, _PRINTS] -= 1
        state[_TAIL] += 1


@part
def _bucket(sums: Array, state: Array, parameters: Array, ts: int) -> None:
    """Close the buckets of time that are over; what is much follows from the last ones."""
    number = ts // np.int64(parameters[_TIME_NS])
    n = sums.shape[1] - 1
    if state[_BUCKETS] < 0:
        state[_BUCKET], state[_BUCKETS] = number, 0
    steps = min(number - state[_BUCKET], n)
    if steps <= 0:
        return
    for _ in range(steps):
        for side in range(2):
            sums[side, state[_BUCKETS] % n] = sums[side, n]
            sums[side, n] = 0
        state[_BUCKETS] += 1
    state[_BUCKET] = number
    if state[_BUCKETS] < _WARM_BUCKETS:
        return
    half = min(state[_BUCKETS], n)
    values = np.empty(2 * half, np.int64)
    values[:half], values[half:] = sums[0, :half], sums[1, :half]
    values.sort()
    middle = values[half]
    away = np.abs(values - middle)
    away.sort()
    spread = _SD_OF_MAD * float(away[half])
    state[_FLOOR] = max(np.int64(np.ceil(float(middle) + parameters[_SDS] * spread)), 1)


@part
def _settle(
    keys: Array, values: Array, marks: Array, state: Array, parameters: Array, sums: Array, out: Array
) -> None:
    """Judge the levels that were traded in this moment."""
    floor, mid = state[_FLOOR], state[BID] + state[ASK]
    for i in range(state[MARKED]):
        key = marks[i]
        at = marked(keys, values, marks, i)
        if values[at, TRADED] == 0 or floor <= 0 or not state[KNOWN]:
            continue
        if values[at, _FIRED] and values[at, _VOLUME] - values[at, TRADED] < _LEAST_SHARE * floor:
            values[at, _FIRED] = 0
        if values[at, _FIRED] or values[at, _VOLUME] < floor or values[at, SIZE] <= 0:
            continue
        values[at, _FIRED] = 1
        row = found(out, state, key >> 1, -1 if key & 1 else 1)
        out[row, _F_VOLUME], out[row, _F_SINCE] = values[at, _VOLUME], values[at, _SINCE]
        out[row, _F_MOVED] = mid - values[at, _MID_THEN]
        out[row, _F_LEFT], out[row, _F_FLOOR] = values[at, SIZE], floor
        out[row, _F_PRINTS] = values[at, _PRINTS]
    state[MARKED] = 0
    if state[KNOWN]:
        state[_MID], state[_HAS_MID] = mid, 1


@part
def _print(
    keys: Array, values: Array, used: Array, marks: Array, prints: Array, state: Array, price: int, side: int,
    size: int,
) -> None:  # fmt: skip
    """Add a print to its level, on the side that rested."""
    at = touch(keys, values, used, marks, state, price, -side)
    if values[at, _LEVEL_EPOCH] != state[EPOCH]:
        values[at, _LEVEL_EPOCH] = state[EPOCH]
        values[at, _VOLUME] = values[at, _PRINTS] = values[at, _FIRED] = 0
    if values[at, _VOLUME] == 0:
        # In the first moment of a book its own mid is all there is.
        then = state[_MID] if state[_HAS_MID] else state[BID] + state[ASK]
        values[at, _SINCE], values[at, _MID_THEN], values[at, _FIRED] = state[NOW], then, 0
    values[at, TRADED] += size
    values[at, _VOLUME] += size
    values[at, _PRINTS] += 1
    row = prints[state[_HEAD] % len(prints)]
    row[_R_TS], row[_R_KEY], row[_R_SIZE], row[_R_EPOCH] = state[NOW], keys[at], size, state[EPOCH]
    state[_HEAD] += 1


@kernel(types.int64(*WALK, TABLE, TABLE, TABLE))
def _walk(
    row: int, first: int, ts: Array, kind: Array, side: Array, price: Array, size: Array, name: Array,
    flags: Array, bid: Array, ask: Array, bids: Array, asks: Array, valid: Array, keys: Array, values: Array,
    used: Array, marks: Array, state: Array, parameters: Array, prints: Array, sums: Array, out: Array,
) -> int:  # fmt: skip
    while row < len(ts) and not crowded(used, keys, marks, state, out, 0):
        if state[_HEAD] - state[_TAIL] == len(prints):
            return row
        if state[STARTED] and ts[row] != state[NOW]:
            _settle(keys, values, marks, state, parameters, sums, out)
        what = kind[row]
        stand(state, ts[row], first + row, valid[row], bid[row], ask[row], bids[row], asks[row])
        if parameters[_FIXED] == 0:
            _bucket(sums, state, parameters, ts[row])
        if what in (CLEAR, GAP):
            forget(keys, values, marks, state, what == CLEAR)
            state[_TAIL] = state[_HEAD]
            state[_HAS_MID] = 0
            sums[:] = 0
            state[_BUCKETS], state[_FLOOR] = -1, np.int64(parameters[_FIXED])
        elif what == DEPTH and side[row] != 0:
            at = touch(keys, values, used, marks, state, price[row], side[row])
            values[at, SIZE] = max(size[row], 0)
        elif what == TRADE and size[row] > 0 and side[row] != 0 and not flags[row] & OTC:
            sums[0 if side[row] > 0 else 1, sums.shape[1] - 1] += size[row]
            if not flags[row] >> SUBTICK and state[KNOWN]:
                _expire(keys, values, prints, state, ts[row] - np.int64(parameters[_TIME_NS]))
                _print(keys, values, used, marks, prints, state, price[row], side[row], size[row])
        row += 1
    return row


class _Prints(Follower):
    """A follower whose ring of prints grows."""

    def _make_room(self) -> None:
        super()._make_room()
        prints, *rest = self.extra
        head, tail = int(self.state[_HEAD]), int(self.state[_TAIL])
        if head - tail < len(prints):
            return
        order = np.arange(tail, head)
        larger = np.zeros((2 * len(prints), prints.shape[1]), np.int64)
        larger[order % len(larger)] = prints[order % len(prints)]
        self.extra = (larger, *rest)


class Absorption:
    """Absorption in a stream of events.

    Parameters
    ----------
    instrument : Instrument
    time, size, deviations, over
        As :func:`absorption` has them.

    Raises
    ------
    WorkbenchError
        A parameter outside its bounds.
    """

    def __init__(
        self,
        instrument: Instrument,
        *,
        time: str = "3s",
        size: Size = "auto",
        deviations: float = 3.0,
        over: str = "60s",
    ):
        time_ns, over_ns = duration("time", time), duration("over", over)
        check("deviations", deviations, 0.1)
        check("over", over_ns / time_ns, 5, 100_000, unit="times `time`")
        lots = 0
        if size != "auto":
            check("size", size, 0)
            lots = instrument.lots(size)
            check("size", lots, 1, unit="lot")
        self.instrument = instrument
        prints = np.zeros((_FIRST_PRINTS, 4), np.int64)
        sums = np.zeros((2, over_ns // time_ns + 1), np.int64)
        self._follower = _Prints(
            _walk,
            own=7,
            level_own=6,
            found_own=6,
            parameters=(time_ns, lots, deviations),
            extra=(prints, sums),
        )
        self._follower.state[_BUCKETS], self._follower.state[_FLOOR] = -1, lots

    def update(self, batch: EventBatch) -> Detections:
        """Take in events; what became known with them."""
        return _detections(self._follower.follow(batch))

    def close(self) -> Detections:
        """What the last moment makes known."""
        return _detections(self._follower.finish())


def _detections(rows: IntArray) -> Detections:
    moved = rows[:, _F_MOVED] / 2
    evidence: dict[str, Array] = {
        "traded_lots": rows[:, _F_VOLUME],
        "trades": rows[:, _F_PRINTS],
        "since_ts": rows[:, _F_SINCE],
        "mid_moved_ticks": moved,
        "left_lots": rows[:, _F_LEFT],
        "floor_lots": rows[:, _F_FLOOR],
    }
    score = rows[:, _F_VOLUME] / np.maximum(np.abs(moved), 0.5)
    side = rows[:, 3].astype(np.int8)
    return Detections(rows[:, 0], rows[:, 1], rows[:, 2] * SUBTICKS_PER_TICK, side, score, evidence)


def absorption(
    x: Any, *, time: str = "3s", size: Size = "auto", deviations: float = 3.0, over: str = "60s"
) -> pl.DataFrame:
    """Prices at which much was traded against one side, and that side is still there.

    Parameters
    ----------
    x : session or recording
    time : str, optional
        How far back the volume at a price counts.
    size : float or "auto", optional
        At least so much volume at one price against one side within ``time``, real units. ``"auto"``: more than all
        prices together usually trade against one side in spans of ``time``, by ``deviations`` standard deviations.
    deviations : float, optional
    over : str, optional
        Over how long the standard deviation is taken, at least five times ``time``.

    Returns
    -------
    DataFrame
        ``ts`` (when known), ``price``, ``side`` (of what rested: +1 a bid absorbed selling), ``score`` (lots traded
        there over how far the mid moved since they began, in ticks, at least half a tick), ``evidence`` (lots and number
        of trades, since when, movement of the mid, what is left at the price, what was needed).

    Raises
    ------
    WorkbenchError
        A parameter outside its bounds.

    Notes
    -----
    Usual is the median, and the standard deviation that of a normal distribution with the same median absolute
    deviation: plain means would rise with the very bursts that are looked for. Judged at the end of each moment in
    which the price traded: a level that is gone by then absorbed nothing. A price is told again only after its volume
    within ``time`` fell below half of what is needed. Its trades began when it had none within ``time`` before, which
    may be longer ago than ``time``; the mid is that of the moment before. Off-book prints, prints between two ticks and
    those without an aggressor do not count. ``"auto"`` finds nothing for the first five spans of ``time``; after a gap
    or a new snapshot all begins anew.

    *What it cannot know.* Whether one party absorbed or many; whether it will go on doing so; whether the volume met
    hidden size, a refilled order or simply a deep queue (see :func:`workbench.icebergs`).

    References
    ----------
    Bookmap, knowledge base, "Absorption Indicator": time, size, and automatic size from the deviation of volume
    (there a multiple of it alone, here beyond the median).

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("5s")
    >>> wb.absorption(s, time="1s", size=20).columns
    ['ts', 'price', 'side', 'score', 'evidence']
    """
    detector = Absorption(instrument_of(x), time=time, size=size, deviations=deviations, over=over)
    return frame(detected(x, detector), instrument_of(x))
