"""Large additions near the touch that were taken back unfilled: what spoof-like and layering-like flow is made of.

By order where the stream has orders, else by level. A level's addition is what its displayed size grew by in one moment;
its pull is what the size fell by less what was traded there. Prints may come up to 100 ms before the size that they took.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, get_args

import numpy as np
from numba import types

from workbench.book.jit import kernel, part
from workbench.errors import WorkbenchError
from workbench.events import Array, EventBatch, IntArray
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
    MARKED,
    MBO_CANCEL,
    MBO_NEW,
    MBO_REPLACE,
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
from workbench.flow.level_table import EMPTY, slot_of

By = Literal["auto", "orders", "levels"]
AUTO, ORDERS, LEVELS = range(3)
_MODES: Final = {"auto": AUTO, "orders": ORDERS, "levels": LEVELS}

_BUYS, _SELLS, _ADDITIONS, _LARGE, _TYPICAL, _HAS_ORDERS = range(OWN, OWN + 6)
(
    _POSTED, _SINCE, _EATEN, _BUYS_THEN, _SELLS_THEN, _AWAY, _POST_EPOCH, _PULLED, _CREDIT, _CREDIT_TS,
    _IS_ORDER, _AT_PRICE, _AT_SIDE, _GONE,
) = range(LEVEL_OWN, LEVEL_OWN + 14)  # fmt: skip
POSTED, SINCE, EATEN, BUYS, SELLS, AWAY, LARGE, TYPICAL, ORDER = range(FOUND_OWN, FOUND_OWN + 9)
_MODE, _QUANTILE, _NEAR, _WITHIN, _SHARE = range(5)

_ORDER_BASE: Final = 1 << 40  # beyond all prices: orders live in the table of levels
_CREDIT_NS: Final = 100_000_000
_WARM: Final = 200
_CADENCE: Final = 64
_MEMORY: Final = 8192


@part
def _typical(keys: Array, values: Array, scratch: Array, state: Array, near: int) -> int:
    """Median displayed size of the levels near the touch, of both sides."""
    n = 0
    for away in range(near + 1):
        for side in (1, -1):
            lots = size_of(keys, values, (state[BID] if side > 0 else state[ASK]) - side * away, side)
            if lots > 0:
                scratch[n] = lots
                n += 1
    scratch[:n].sort()
    return int(scratch[n // 2]) if n else 0


@part
def _count(
    keys: Array, values: Array, size: int, counts: Array, scratch: Array, state: Array, parameters: Array
) -> None:
    """Count an addition; now and then decide anew what is large."""
    counts[bin_of(size)] += 1
    state[_ADDITIONS] += 1
    if state[_ADDITIONS] % _CADENCE == 0 and state[_ADDITIONS] >= _WARM:
        state[_LARGE] = ranked(counts, state[_ADDITIONS], parameters[_QUANTILE])
        state[_TYPICAL] = _typical(keys, values, scratch, state, int(parameters[_NEAR]))
        if state[_ADDITIONS] >= _MEMORY:
            state[_ADDITIONS] = halved(counts)


@part
def _post(values: Array, at: int, size: int, price: int, side: int, away: int, state: Array) -> None:
    values[at, _POSTED], values[at, _SINCE], values[at, _AWAY] = size, state[NOW], away
    values[at, _BUYS_THEN], values[at, _SELLS_THEN] = state[_BUYS], state[_SELLS]
    values[at, _AT_PRICE], values[at, _AT_SIDE] = price, side
    values[at, _POST_EPOCH], values[at, _EATEN], values[at, _PULLED] = state[EPOCH], 0, 0


@part
def _pull(values: Array, at: int, lots: int, order: int, state: Array, parameters: Array, out: Array) -> None:
    """Take back lots of what was posted; a finding once nearly all of it went soon and unfilled."""
    posted = values[at, _POSTED]
    if posted == 0 or values[at, _POST_EPOCH] != state[EPOCH]:
        return
    values[at, _PULLED] += lots
    if values[at, _PULLED] < parameters[_SHARE] * posted:
        return
    values[at, _POSTED] = 0
    soon = state[NOW] - values[at, _SINCE] <= parameters[_WITHIN]
    if soon and values[at, _EATEN] <= (1.0 - parameters[_SHARE]) * posted:
        row = found(out, state, values[at, _AT_PRICE], values[at, _AT_SIDE])
        out[row, POSTED], out[row, SINCE], out[row, EATEN] = posted, values[at, _SINCE], values[at, _EATEN]
        out[row, BUYS] = state[_BUYS] - values[at, _BUYS_THEN]
        out[row, SELLS] = state[_SELLS] - values[at, _SELLS_THEN]
        out[row, AWAY], out[row, LARGE], out[row, TYPICAL] = values[at, _AWAY], state[_LARGE], state[_TYPICAL]
        out[row, ORDER] = order


@part
def _away(price: int, side: int, state: Array) -> int:
    """Ticks from the best price of the same side; 0 at or before it."""
    return int(max(state[BID] - price if side > 0 else price - state[ASK], 0))


@part
def _judge_level(
    keys: Array,
    values: Array,
    at: int,
    counts: Array,
    scratch: Array,
    state: Array,
    parameters: Array,
    out: Array,
) -> None:
    change, traded = values[at, SIZE] - values[at, BEFORE], values[at, TRADED]
    if state[NOW] - values[at, _CREDIT_TS] > _CREDIT_NS:
        values[at, _CREDIT] = 0
    if traded > 0:
        values[at, _CREDIT] += traded
        values[at, _CREDIT_TS] = state[NOW]
        values[at, _EATEN] += traded
    if change < 0:
        explained = min(values[at, _CREDIT], -change)
        values[at, _CREDIT] -= explained
        if -change > explained:
            _pull(values, at, -change - explained, 0, state, parameters, out)
    elif change > 0:
        price, side = keys[at] >> 1, -1 if keys[at] & 1 else 1
        away = _away(price, side, state)
        if away <= parameters[_NEAR]:
            large = state[_LARGE] > 0 and change >= state[_LARGE]
            stale = values[at, _POST_EPOCH] != state[EPOCH]
            stale |= state[NOW] - values[at, _SINCE] > parameters[_WITHIN]
            if large and (stale or change >= values[at, _POSTED]):
                _post(values, at, change, price, side, away, state)
            _count(keys, values, change, counts, scratch, state, parameters)


@part
def _judge_order(keys: Array, values: Array, at: int, state: Array, parameters: Array, out: Array) -> None:
    values[at, _EATEN] += values[at, TRADED]
    gone = values[at, BEFORE] - values[at, SIZE] - values[at, TRADED]
    if gone > 0:
        _pull(values, at, gone, (keys[at] >> 1) - _ORDER_BASE, state, parameters, out)
    if values[at, _GONE] or values[at, SIZE] <= 0:
        values[at, _POSTED] = values[at, SIZE] = values[at, _GONE] = 0


@part
def _settle(
    keys: Array,
    values: Array,
    marks: Array,
    counts: Array,
    scratch: Array,
    state: Array,
    parameters: Array,
    out: Array,
) -> None:
    """Judge all that this moment touched."""
    n, by_order = state[MARKED], state[_HAS_ORDERS]
    for i in range(n):
        at = marked(keys, values, marks, i)
        if values[at, _IS_ORDER]:
            _judge_order(keys, values, at, state, parameters, out)
        elif not by_order:
            _judge_level(keys, values, at, counts, scratch, state, parameters, out)
    state[MARKED] = 0


@part
def _order_row(
    what: int, price: int, side: int, size: int, name: int, keys: Array, values: Array, used: Array,
    marks: Array, counts: Array, scratch: Array, state: Array, parameters: Array,
) -> None:  # fmt: skip
    """Take in one row about an order: large ones near the touch are followed, of the others only the size counts."""
    if what == MBO_NEW:
        away = _away(price, side, state)
        if size <= 0 or away > parameters[_NEAR]:
            return
        if state[_LARGE] > 0 and size >= state[_LARGE]:
            at = touch(keys, values, used, marks, state, name + _ORDER_BASE, 1)
            _post(values, at, size, price, side, away, state)
            values[at, SIZE] = values[at, BEFORE] = size
            values[at, _IS_ORDER], values[at, _GONE] = 1, 0
        _count(keys, values, size, counts, scratch, state, parameters)
        return
    at = slot_of(keys, name + _ORDER_BASE, 1)
    if keys[at] == EMPTY or values[at, _POSTED] == 0:
        return
    at = touch(keys, values, used, marks, state, name + _ORDER_BASE, 1)
    if what == MBO_REPLACE and price == values[at, _AT_PRICE]:
        values[at, SIZE] = max(size, 0)
    else:  # an order that moves is pulled where it was
        values[at, SIZE], values[at, _GONE] = 0, 1


@kernel(types.int64(*WALK, types.int64[::1], types.int64[::1], TABLE))
def _walk(
    row: int, first: int, ts: Array, kind: Array, side: Array, price: Array, size: Array, name: Array,
    flags: Array, bid: Array, ask: Array, bids: Array, asks: Array, valid: Array, keys: Array, values: Array,
    used: Array, marks: Array, state: Array, parameters: Array, counts: Array, scratch: Array, out: Array,
) -> int:  # fmt: skip
    while row < len(ts) and not crowded(used, keys, marks, state, out, 0):
        if state[STARTED] and ts[row] != state[NOW]:
            _settle(keys, values, marks, counts, scratch, state, parameters, out)
        what = kind[row]
        stand(state, ts[row], first + row, valid[row], bid[row], ask[row], bids[row], asks[row])
        if what in (CLEAR, GAP):
            forget(keys, values, marks, state, what == CLEAR)
            counts[:] = 0
            state[_ADDITIONS] = state[_LARGE] = state[_TYPICAL] = 0
        elif what == DEPTH and side[row] != 0:
            at = touch(keys, values, used, marks, state, price[row], side[row])
            values[at, SIZE] = max(size[row], 0)
            if not state[KNOWN] or flags[row] & SNAPSHOT:
                values[at, BEFORE] = values[at, SIZE]
        elif what == TRADE and size[row] > 0 and side[row] != 0 and not flags[row] & OTC:
            state[_BUYS if side[row] > 0 else _SELLS] += size[row]
            if not flags[row] & HIDDEN and not flags[row] >> SUBTICK:
                at = touch(keys, values, used, marks, state, price[row], -side[row])
                values[at, TRADED] += size[row]
                at = slot_of(keys, name[row] + _ORDER_BASE, 1)
                if name[row] != 0 and keys[at] != EMPTY and values[at, _POSTED] > 0:
                    at = touch(keys, values, used, marks, state, name[row] + _ORDER_BASE, 1)
                    values[at, TRADED] += size[row]
        elif MBO_NEW <= what <= MBO_CANCEL and parameters[_MODE] != LEVELS:
            state[_HAS_ORDERS] = 1
            if state[KNOWN] and not flags[row] & SNAPSHOT:
                _order_row(
                    what, price[row], side[row], size[row], name[row], keys, values, used, marks, counts,
                    scratch, state, parameters,
                )  # fmt: skip
        row += 1
    return row


class WithdrawalRule(NamedTuple):
    """Which additions count as large and near, and which of them as taken back.

    Attributes
    ----------
    quantile : float
        Large: at least this quantile of the sizes of additions as near, of late.
    near : int, ticks
        Posted at most so far from the best price of its side.
    within_ns : int, ns
        Taken back at most so long after it was posted.
    share : float
        So much of it pulled, and at most the rest filled.
    by : {"auto", "orders", "levels"}
        Orders where the stream has them, else levels; ``"levels"`` looks at levels always.
    """

    quantile: float
    near: int
    within_ns: int
    share: float
    by: By


def withdrawal_rule(quantile: float, near: int, within: str, share: float, by: By) -> WithdrawalRule:
    """Check the parameters of a rule.

    Raises
    ------
    WorkbenchError
        A value outside its bounds.
    """
    check("quantile", quantile, 0.5, 1.0)
    check("near", near, 0, 10_000, unit="ticks")
    check("share", share, 0.5, 1.0)
    if by not in get_args(By):
        raise WorkbenchError(f"by={by!r}", expected=f"one of {', '.join(get_args(By))}", code="bad_value")
    return WithdrawalRule(quantile, int(near), duration("within", within), share, by)


class Withdrawals:
    """Large additions taken back unfilled, from events as they come.

    Parameters
    ----------
    rule : WithdrawalRule
    """

    def __init__(self, rule: WithdrawalRule):
        parameters = (_MODES[rule.by], rule.quantile, rule.near, rule.within_ns, rule.share)
        self._follower = Follower(
            _walk,
            own=6,
            level_own=14,
            found_own=9,
            parameters=parameters,
            extra=(empty_counts(), np.zeros(2 * rule.near + 2, np.int64)),
        )
        if rule.by == "orders":
            self._follower.state[_HAS_ORDERS] = 1

    def update(self, batch: EventBatch) -> IntArray:
        """Take in events; what was withdrawn, int64, shape (n, fields): price in ticks, the constants above."""
        return self._follower.follow(batch)

    def close(self) -> IntArray:
        """What the last moment withdrew."""
        return self._follower.finish()


def opposite(rows: IntArray) -> tuple[IntArray, IntArray]:
    """Lots executed against the other side of the book, and on the posting's own, while it stood."""
    bids = rows[:, 3] > 0
    return np.where(bids, rows[:, BUYS], rows[:, SELLS]), np.where(bids, rows[:, SELLS], rows[:, BUYS])


__all__ = ["By", "WithdrawalRule", "Withdrawals", "opposite", "withdrawal_rule"]
