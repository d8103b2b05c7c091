"""The clock of the market: when the next action comes, and the loop that lets it happen."""

# mypy: disable-error-code="no-any-return"
# (elements of numpy arrays have no static type; numba infers and checks them)

from __future__ import annotations

from typing import Final

from workbench.events import EventKind, Flag
from workbench.feeds.simulator.actions import act
from workbench.feeds.simulator.chance import decay, exponential, kernel, uniform
from workbench.feeds.simulator.queues import cancel, emit, level
from workbench.feeds.simulator.rules import (
    BURST_NS,
    FAST_NS,
    JITTER_NS,
    LATENCY_NS,
    MACRO_NS,
    MICRO_NS,
    MICRO_SHARE,
    MILLI_NS,
    MILLI_SHARE,
    PACE,
    REACH_TICKS,
    SLOW_NS,
    TREND_LIVES,
    WARM_ACTIONS,
)
from workbench.feeds.simulator.state import (
    ACTIONS,
    ANCHOR,
    ASK,
    BID,
    BURST,
    COUNT,
    FREE,
    HEAD,
    HEAT_FAST,
    HEAT_SLOW,
    HIGH,
    LATENCY,
    LOW,
    MARKET_NS,
    NEXT_CLOCK,
    NEXT_TS,
    NEXT_VENUE,
    O_ID,
    O_NEXT,
    O_SIZE,
    OUT_ROWS,
    PARENT,
    PRESSURE,
    ROWS,
    SIGN,
    SIZE,
    TREND,
    TREND_END,
    TS,
    VENUE,
    Market,
)
from workbench.feeds.simulator.terrain import drawn, settle_side

CLOCK_NS: Final = 100_000_000
_SECOND_NS: Final = 1e9
_CLUSTER_NS: Final = 5e6
_TRIM_ROWS: Final = 2000
_DEPTH: Final = int(EventKind.DEPTH)
_NEW: Final = int(EventKind.MBO_NEW)
_CLEAR: Final = int(EventKind.CLEAR)
_CLOCK: Final = int(EventKind.CLOCK)
_SNAPSHOT_END: Final = int(EventKind.SNAPSHOT_END)
_SNAPSHOT: Final = int(Flag.SNAPSHOT)


@kernel
def drawn_gap(m: Market) -> float:
    """Market time to the next action, ns: within a cluster, between clusters, or in a burst."""
    r = m.rules
    u = uniform(m.rng)
    wait = exponential(m.rng)
    if u < r[MICRO_SHARE]:
        return wait * r[MICRO_NS]
    if u < r[MICRO_SHARE] + r[MILLI_SHARE]:
        return wait * r[MILLI_NS]
    if m.s[BURST] > 0:
        return wait * r[BURST_NS]
    return wait * r[MACRO_NS] / (1.0 + m.f[HEAT_FAST] + m.f[HEAT_SLOW])


@kernel
def turn_trend(m: Market) -> None:
    """Begin the next trend or pause; far from where it began the price leans back."""
    m.f[TREND_END] = m.f[MARKET_NS] + drawn(m, TREND_LIVES) * _SECOND_NS
    u = uniform(m.rng)
    if u < 0.4:
        m.s[TREND] = 0
        return
    stretch = (m.s[BID] - m.s[ANCHOR]) / (0.02 * m.s[ANCHOR])
    up = uniform(m.rng) < min(max(0.5 - 0.25 * stretch, 0.1), 0.9)
    strength = 1 if u < 0.8 else 2
    m.s[TREND] = strength if up else -strength


@kernel
def schedule(m: Market) -> None:
    """Draw the times of the next action: at the venue, and when it is received."""
    s, f, r = m.s, m.f, m.rules
    gap = drawn_gap(m)
    f[HEAT_FAST] *= decay(gap / r[FAST_NS])
    f[HEAT_SLOW] *= decay(gap / r[SLOW_NS])
    f[MARKET_NS] += gap
    if f[MARKET_NS] > f[TREND_END]:
        turn_trend(m)
    s[NEXT_VENUE] += int(gap / r[PACE])
    if gap > _CLUSTER_NS:  # messages of a cluster travel together
        s[LATENCY] = int(r[LATENCY_NS] + r[JITTER_NS] * exponential(m.rng))
    s[NEXT_TS] = max(s[NEXT_TS], s[NEXT_VENUE] + s[LATENCY])


@kernel
def trim(m: Market) -> None:
    """Pull orders that the price has left too far behind: the window of prices moves with it."""
    s = m.s
    reach = int(m.rules[REACH_TICKS])
    while s[LOW] < s[BID] - reach and s[ROWS] < OUT_ROWS + _TRIM_ROWS:
        while m.levels[level(m, s[LOW]), COUNT] > 0:
            cancel(m, m.levels[level(m, s[LOW]), HEAD])
        s[LOW] += 1
    while s[HIGH] > s[ASK] + reach and s[ROWS] < OUT_ROWS + _TRIM_ROWS:
        while m.levels[level(m, s[HIGH]), COUNT] > 0:
            cancel(m, m.levels[level(m, s[HIGH]), HEAD])
        s[HIGH] -= 1


@kernel
def tick_clock(m: Market) -> None:
    """Say that 0.1 s passed."""
    s = m.s
    s[TS], s[VENUE] = s[NEXT_CLOCK], 0
    emit(m, _CLOCK, 0, 0, 0, 0, 0, 0)
    s[VENUE] = s[TS] - int(m.rules[LATENCY_NS])
    trim(m)
    s[NEXT_CLOCK] += CLOCK_NS


@kernel
def run(m: Market, until_ns: int) -> int:
    """Let the market go on until a time, or until the buffer is full; returns the rows written.

    Parameters
    ----------
    until_ns : int
        Rows received up to and including this time.
    """
    s = m.s
    s[ROWS] = 0
    while s[ROWS] < OUT_ROWS:
        if s[NEXT_CLOCK] <= s[NEXT_TS]:
            if s[NEXT_CLOCK] > until_ns:
                break
            tick_clock(m)
        elif s[NEXT_TS] > until_ns:
            break
        else:
            s[TS], s[VENUE] = s[NEXT_TS], s[NEXT_VENUE]
            act(m)
            schedule(m)
    return s[ROWS]


@kernel
def found_market(m: Market, price: int, start_ns: int) -> None:
    """Fill a new book round a price and let it settle before anybody looks."""
    s = m.s
    s[FREE] = m.free.shape[0]
    s[BID], s[ASK], s[ANCHOR] = price, price + 1, price
    s[LOW], s[HIGH] = price, price + 1
    s[SIGN], s[PARENT], s[PRESSURE] = 1, 1, 1
    settle_side(m, 1)
    settle_side(m, -1)
    s[NEXT_TS] = 0
    while s[ACTIONS] < m.rules[WARM_ACTIONS]:
        act(m)
        schedule(m)
        s[ROWS] = 0
    s[NEXT_VENUE] = start_ns - int(m.rules[LATENCY_NS])
    s[NEXT_TS] = start_ns
    s[NEXT_CLOCK] = (start_ns // CLOCK_NS + 1) * CLOCK_NS
    schedule(m)


@kernel
def snapshot_side(m: Market, side: int) -> None:
    """Write one side, best level first: each level's total, then its orders as they queue."""
    price = m.s[BID] if side > 0 else m.s[ASK]
    edge = m.s[LOW] if side > 0 else m.s[HIGH]
    while (price - edge) * side >= 0:
        at = level(m, price)
        if m.levels[at, COUNT] > 0:
            emit(m, _DEPTH, side, price, m.levels[at, SIZE], 0, 0, _SNAPSHOT)
            order = m.levels[at, HEAD]
            while order >= 0:
                emit(m, _NEW, side, price, m.orders[order, O_SIZE], m.orders[order, O_ID], 0, _SNAPSHOT)
                order = m.orders[order, O_NEXT]
        price -= side


@kernel
def snapshot(m: Market, ts_ns: int) -> int:
    """Write the whole book between ``CLEAR`` and ``SNAPSHOT_END``; returns the rows written."""
    s = m.s
    s[ROWS] = 0
    s[TS], s[VENUE] = ts_ns, ts_ns - int(m.rules[LATENCY_NS])
    emit(m, _CLEAR, 0, 0, 0, 0, 0, 0)
    snapshot_side(m, 1)
    snapshot_side(m, -1)
    emit(m, _SNAPSHOT_END, 0, 0, 0, 0, 0, 0)
    return s[ROWS]
