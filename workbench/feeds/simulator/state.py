"""State of one simulated market as explicit arrays, and the names of their columns."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.events import COLUMNS, IntArray
from workbench.feeds.simulator.profiles import Profile
from workbench.feeds.simulator.rules import RULES, TABLES

# rows of `levels`: one per price, addressed by price & (span - 1)
SIZE, COUNT, HEAD, TAIL = range(4)
# rows of `orders`
O_ID, O_PRICE, O_SIZE, O_SIDE, O_PREV, O_NEXT, O_HIDDEN, O_PEAK, O_KIND = range(9)
ORDER_FIELDS: Final = 9
PLAIN, WALL = range(2)
# rows of `walls`: large resting interest that is built, reinforced, pulled
W_PRICE, W_SIDE, W_TARGET, W_UNTIL, W_FLIGHTY = range(5)
WALLS: Final = 10
(
    BID,  # best prices, ticks
    ASK,
    LOW,  # all live orders stand within [LOW, HIGH]
    HIGH,
    FREE,  # entries left on the stack of free order rows
    NEXT_ID,
    ROWS,  # rows written to `out`
    TS,  # of the action under way
    VENUE,
    NEXT_TS,  # of the action to come
    NEXT_VENUE,
    NEXT_CLOCK,
    PRESSURE,  # +1 after asks were depleted, −1 after bids
    SIGN,  # of the last aggressor
    PARENT,  # sign of the parent order at work
    TREND,  # −2 … 2
    BURST,  # actions left of the burst under way
    BURST_SIGN,
    ALARM,  # wall that is being pulled, plus one
    RECENT,  # order row added last
    RECENT_ID,
    STALE_BID,  # touch that was left behind
    STALE_ASK,
    ACTIONS,
    ANCHOR,  # price that the trends lean back to
    LATENCY,  # from the venue to the receiver, ns
    FADE,  # side whose quotes give way, 0 none
    FADE_LEFT,
) = range(28)
SCALARS: Final = 28
MARKET_NS, HEAT_FAST, HEAT_SLOW, TREND_END = range(4)
REALS: Final = 4

OUT_ROWS: Final = 1 << 15
"""Rows of the output buffer that trigger its hand-over."""
ACTION_ROWS: Final = 1 << 13
"""Room for the rows of one action beyond that: at most 1,000 fills of three rows, or a trim."""


class Market(NamedTuple):
    """One market: all its state, its rules and the buffer it writes to.

    Attributes
    ----------
    levels : int64, shape (span, 4)
        Total size, orders, first and last order of each price.
    orders : int64, shape (capacity, ORDER_FIELDS)
        Orders, linked into first-in-first-out queues.
    free : int64, shape (capacity,)
        Stack of unused rows of ``orders``.
    walls : int64, shape (WALLS, 5)
    s : int64, shape (SCALARS,)
    f : float64, shape (REALS,)
    rng : uint64, shape (2,)
    rules : float64, shape (n_rules,)
        Constants of the profile, see :data:`workbench.feeds.simulator.rules.RULES`.
    tables : int64, shape (n_tables, 1024)
        Quantile tables of the profile.
    out : int64, shape (OUT_ROWS + ACTION_ROWS, 9)
        Rows of events, the columns of :data:`workbench.events.COLUMNS`.
    """

    levels: IntArray
    orders: IntArray
    free: IntArray
    walls: IntArray
    s: IntArray
    f: npt.NDArray[np.float64]
    rng: npt.NDArray[np.uint64]
    rules: npt.NDArray[np.float64]
    tables: IntArray
    out: IntArray


STATE_FIELDS: Final = 7
"""The first fields of a market are its state; the others never change."""


def empty_market(profile: Profile, key: int, pace: float) -> Market:
    """Allocate a market without orders; ``pace`` is market seconds per second."""
    rules = np.array([getattr(profile, name) for name in RULES] + [pace], np.float64)
    tables = np.array([getattr(profile, name) for name in TABLES], np.int64)
    levels = np.zeros((profile.span, 4), np.int64)
    levels[:, HEAD:] = -1
    free = np.arange(profile.capacity, dtype=np.int64)[::-1].copy()
    return Market(
        levels=levels,
        orders=np.zeros((profile.capacity, ORDER_FIELDS), np.int64),
        free=free,
        walls=np.zeros((WALLS, 5), np.int64),
        s=np.zeros(SCALARS, np.int64),
        f=np.zeros(REALS, np.float64),
        rng=np.array([key, 0], np.uint64),
        rules=rules,
        tables=tables,
        out=np.empty((OUT_ROWS + ACTION_ROWS, len(COLUMNS)), np.int64),
    )


def saved(market: Market) -> tuple[npt.NDArray[np.generic], ...]:
    """Copy the state of a market."""
    return tuple(array.copy() for array in market[:STATE_FIELDS])


def restore(market: Market, state: tuple[npt.NDArray[np.generic], ...]) -> None:
    """Put a market back into a saved state."""
    for array, old in zip(market[:STATE_FIELDS], state):
        array[...] = old
