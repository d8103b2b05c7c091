"""State of one simulated market as one record, and the names of its parts."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from workbench.events import COLUMNS
from workbench.feeds.simulator.profiles import Profile
from workbench.feeds.simulator.rules import RULES, TABLE_LENGTH, TABLES

PLAIN, WALL, PLANTED = range(3)
"""Kinds of orders; only plain ones are ever changed or pulled by others than their owner."""
WALLS: Final = 10
MOST_PRICES: Final = 1 << 17
MOST_ORDERS: Final = 1 << 15
OUT_ROWS: Final = 1 << 15
"""Rows of the output buffer that trigger its hand-over."""
_BUFFER_ROWS: Final = 2 + 2 * MOST_ORDERS
"""Room for a snapshot, and for the rows of one action beyond ``OUT_ROWS``: at most 1,000 fills of three, or a trim."""

_WHOLE: Final = (
    "bid",  # best prices, ticks
    "ask",
    "low",  # all live orders stand within [LOW, HIGH]
    "high",
    "free",  # entries left on the stack of free order rows
    "next_id",
    "rows",  # rows written to `out`
    "ts",  # of the action under way
    "venue",
    "next_ts",  # of the action to come
    "next_venue",
    "next_clock",
    "pressure",  # +1 after asks were depleted, −1 after bids
    "sign",  # of the last aggressor
    "parent",  # sign of the parent order at work
    "trend",  # −2 … 2
    "burst",  # actions left of the burst under way
    "burst_sign",
    "alarm",  # wall that is being pulled, plus one
    "recent",  # order row added last
    "recent_id",
    "stale_bid",  # touch that was left behind
    "stale_ask",
    "actions",
    "anchor",  # price that the trends lean back to
    "latency",  # from the venue to the receiver, ns
    "fade",  # side whose quotes give way, 0 none
    "fade_left",
    "capacity",  # orders that can rest at once
    "mask",  # prices in the ring of levels, less one
    "quiet",  # 1: nobody but planted participants hides size or builds walls
    "hand_verb",  # what a planted participant does now
    "hand_side",
    "hand_price",
    "hand_size",
    "hand_hidden",
    "hand_order",
)
_REAL: Final = ("market_ns", "heat_fast", "heat_slow", "trend_end")
_CHANCE: Final = ("key", "counter")


def _fields(names: tuple[str, ...], code: str) -> list[tuple[str, str]]:
    return [(name, code) for name in names]


_LEVEL: Final = np.dtype(_fields(("size", "count", "head", "tail"), "i8"))
_ORDER: Final = np.dtype(
    _fields(("id", "price", "size", "side", "prev", "next", "hidden", "peak", "kind"), "i8")
)
_BRICKS: Final = np.dtype(_fields(("price", "side", "target", "until", "flighty"), "i8"))
_ROW: Final = np.dtype([(column.name, "i8") for column in COLUMNS])
MARKET: Final = np.dtype(
    [
        *_fields(_WHOLE, "i8"),
        *_fields(_REAL, "f8"),
        *_fields(_CHANCE, "u8"),
        *_fields((*RULES, "pace"), "f8"),
        ("tables", "i8", (len(TABLES), TABLE_LENGTH)),
        ("walls", _BRICKS, (WALLS,)),
        ("spare", "i8", (MOST_ORDERS,)),
        ("orders", _ORDER, (MOST_ORDERS,)),
        ("levels", _LEVEL, (MOST_PRICES,)),
        ("out", _ROW, (_BUFFER_ROWS,)),
    ]
)
"""One market: its scalars, its rules, and

``tables``
    Quantile tables of the profile.
``walls``
    Large resting interest that is built, reinforced, pulled.
``spare``
    Stack of unused places in ``orders``.
``orders``
    Orders, linked into first-in-first-out queues by ``prev`` and ``next``.
``levels``
    Total size, orders, first and last order of each price, found at ``price & mask``.
``out``
    Rows of events, the columns of :data:`workbench.events.COLUMNS`.

A record is one pointer to a kernel. Ten arrays instead took half as long again to compile.
"""
Market: TypeAlias = Any
"""A record of type :data:`MARKET`; its fields have no static type, numba infers and checks them."""

_STATE: Final = (*_WHOLE, *_REAL, *_CHANCE, "walls", "spare", "orders", "levels")
State: TypeAlias = dict[str, npt.NDArray[np.generic]]


def empty_market(profile: Profile, key: int, pace: float) -> Market:
    """Allocate a market without orders; ``pace`` is market seconds per second."""
    assert profile.span <= MOST_PRICES and profile.capacity <= MOST_ORDERS
    market = np.zeros(1, MARKET)[0]
    for name in RULES:
        market[name] = getattr(profile, name)
    market["pace"], market["key"] = pace, key
    market["tables"][:] = [getattr(profile, name) for name in TABLES]
    market["capacity"], market["mask"] = profile.capacity, profile.span - 1
    market["spare"][: profile.capacity] = np.arange(profile.capacity)[::-1]
    levels = _used(market, "levels")
    levels["head"] = levels["tail"] = -1
    return market


def saved(market: Market) -> State:
    """Copy the state of a market."""
    return {name: _used(market, name).copy() for name in _STATE}


def restore(market: Market, state: State) -> None:
    """Put a market back into a saved state."""
    for name, old in state.items():
        if old.ndim:
            _used(market, name)[:] = old
        else:
            market[name] = old


def _used(market: Market, name: str) -> Any:
    # Memory that a small market never touches is never copied.
    if name == "levels":
        return market[name][: market["mask"] + 1]
    return market[name][: market["capacity"]] if name in ("spare", "orders") else market[name]
