"""The clock of the market: when the next action comes, and the loop that lets it happen."""

# mypy: disable-error-code="no-any-return"
# (elements of numpy arrays have no static type; numba infers and checks them)

from __future__ import annotations

from typing import Final

from workbench.book.jit import part
from workbench.events import EventKind, Flag
from workbench.feeds.simulator.chance import decay, exponential, uniform
from workbench.feeds.simulator.queues import cancel, emit, level
from workbench.feeds.simulator.rules import (
    TREND_LIVES,
)
from workbench.feeds.simulator.state import (
    OUT_ROWS,
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


@part
def drawn_gap(m: Market) -> float:
    """Market time to the next action, ns: within a cluster, between clusters, or in a burst."""
    u = uniform(m)
    wait = exponential(m)
    if u < m.micro_share:
        return wait * m.micro_ns
    if u < m.micro_share + m.milli_share:
        return wait * m.milli_ns
    if m.burst > 0:
        return wait * m.burst_ns
    return wait * m.macro_ns / (1.0 + m.heat_fast + m.heat_slow)


@part
def turn_trend(m: Market) -> None:
    """Begin the next trend or pause; far from where it began the price leans back."""
    m.trend_end = m.market_ns + drawn(m, TREND_LIVES) * _SECOND_NS
    u = uniform(m)
    if u < 0.4:
        m.trend = 0
        return
    stretch = (m.bid - m.anchor) / (0.02 * m.anchor)
    up = uniform(m) < min(max(0.5 - 0.25 * stretch, 0.1), 0.9)
    strength = 1 if u < 0.8 else 2
    m.trend = strength if up else -strength


@part
def schedule(m: Market) -> None:
    """Draw the times of the next action: at the venue, and when it is received."""
    gap = drawn_gap(m)
    m.heat_fast *= decay(gap / m.fast_ns)
    m.heat_slow *= decay(gap / m.slow_ns)
    m.market_ns += gap
    if m.market_ns > m.trend_end:
        turn_trend(m)
    m.next_venue += int(gap / m.pace)
    if gap > _CLUSTER_NS:  # messages of a cluster travel together
        m.latency = int(m.latency_ns + m.jitter_ns * exponential(m))
    m.next_ts = max(m.next_ts, m.next_venue + m.latency)


@part
def trim(m: Market) -> None:
    """Pull orders that the price has left too far behind: the window of prices moves with it."""
    reach = int(m.reach_ticks)
    while m.low < m.bid - reach and m.rows < OUT_ROWS + _TRIM_ROWS:
        while m.levels[level(m, m.low)].count > 0:
            cancel(m, m.levels[level(m, m.low)].head)
        m.low += 1
    while m.high > m.ask + reach and m.rows < OUT_ROWS + _TRIM_ROWS:
        while m.levels[level(m, m.high)].count > 0:
            cancel(m, m.levels[level(m, m.high)].head)
        m.high -= 1


@part
def tick_clock(m: Market) -> None:
    """Say that 0.1 s passed."""
    m.ts, m.venue = m.next_clock, 0
    emit(m, _CLOCK, 0, 0, 0, 0, 0, 0)
    m.venue = m.ts - int(m.latency_ns)
    trim(m)
    m.next_clock += CLOCK_NS


@part
def due(m: Market, until_ns: int) -> bool:
    """Tick the clock up to the next action; whether that is due, and there is room for its rows.

    Parameters
    ----------
    until_ns : int
        Actions received up to and including this time are due.
    """
    while m.next_clock <= m.next_ts and m.next_clock <= until_ns and m.rows < OUT_ROWS:
        tick_clock(m)
    if m.next_clock <= m.next_ts or m.next_ts > until_ns or m.rows >= OUT_ROWS:
        return False
    m.ts, m.venue = m.next_ts, m.next_venue
    return True


@part
def fill(m: Market, price: int) -> None:
    """Fill a new book round a price."""
    m.free = m.capacity
    m.bid, m.ask, m.anchor = price, price + 1, price
    m.low, m.high = price, price + 1
    m.sign, m.parent, m.pressure = 1, 1, 1
    for i in range(2):
        settle_side(m, 1 - 2 * i)
    m.next_ts = 0


@part
def settling(m: Market) -> bool:
    """Whether a new book needs more actions before anybody looks; nobody hears of the last one."""
    m.rows = 0
    return bool(m.actions < m.warm_actions)


@part
def open_market(m: Market, start_ns: int) -> None:
    """Set the clock to the time from which on the market is watched."""
    m.next_venue = start_ns - int(m.latency_ns)
    m.next_ts = start_ns
    m.next_clock = (start_ns // CLOCK_NS + 1) * CLOCK_NS
    schedule(m)


@part
def snapshot_side(m: Market, side: int) -> None:
    """Write one side, best level first: each level's total, then its orders as they queue."""
    price = m.bid if side > 0 else m.ask
    edge = m.low if side > 0 else m.high
    while (price - edge) * side >= 0:
        at = level(m, price)
        if m.levels[at].count > 0:
            emit(m, _DEPTH, side, price, m.levels[at].size, 0, 0, _SNAPSHOT)
            order = m.levels[at].head
            while order >= 0:
                emit(m, _NEW, side, price, m.orders[order].size, m.orders[order].id, 0, _SNAPSHOT)
                order = m.orders[order].next
        price -= side


@part
def write_snapshot(m: Market, ts_ns: int) -> int:
    """Write the whole book between ``CLEAR`` and ``SNAPSHOT_END``; returns the rows written."""
    ts, venue = m.ts, m.venue
    m.rows = 0
    m.ts, m.venue = ts_ns, ts_ns - int(m.latency_ns)
    emit(m, _CLEAR, 0, 0, 0, 0, 0, 0)
    for i in range(2):
        snapshot_side(m, 1 - 2 * i)
    emit(m, _SNAPSHOT_END, 0, 0, 0, 0, 0, 0)
    m.ts, m.venue = ts, venue
    return m.rows
