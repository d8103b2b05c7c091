"""Strategies that are compiled: what they see, and what they may do.

A strategy is a function of one argument, its desk. It is called at every step, sees whole ticks and lots, and leaves
what it wants to remember in ``d.memory``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

from numba import njit, types

from workbench.book.jit import Function, compile_once, kernel, part
from workbench.trading.slots import (
    ARRIVES,
    CANCEL,
    CANCELS,
    COMMAND_PRICE,
    COMMAND_SENT,
    COMMAND_SIZE,
    COMMAND_TAIL,
    DESK_TYPE,
    ENTRY_NS,
    GTC,
    LEAVES,
    MARKET,
    MODIFY,
    NEW,
    NOW,
    NUMBER,
    ORDERS,
    PARTIALLY_FILLED,
    PENDING_CANCEL,
    POSITION,
    PRICE,
    SENT,
    SIDE,
    SIZE,
    STATUS,
    STRATEGY,
    SUBMIT,
    SUBMITS,
    TIF,
    VENUE_PRICE,
    VENUE_SIZE,
    WHAT,
    Desk,
)
from workbench.trading.strategy_cache import StrategyCache

_NONE: Final = -1


def call(function: Function) -> Function:
    """Compile what strategies call, once: that is most of the work on a strategy seen for the first time."""
    dispatcher: Any = part(function)
    dispatcher._cache = StrategyCache(function)
    return cast(Function, dispatcher)


@call
def _send(d: Desk, what: int, number: int, price: int, size: int) -> None:
    c = d.counters
    at = c[COMMAND_TAIL]
    arrives = c[NOW] + c[ENTRY_NS]
    if at > 0:
        arrives = max(arrives, d.commands[at - 1, ARRIVES])
    row = d.commands[at]
    row[ARRIVES], row[WHAT], row[NUMBER], row[COMMAND_SENT] = arrives, what, number, c[NOW]
    row[COMMAND_PRICE], row[COMMAND_SIZE] = price, size
    c[COMMAND_TAIL] = at + 1


@call
def submit(d: Desk, side: int, price: int, size: int, tif: int, market: int) -> int:
    """Send an order; its number, or −1 where it makes no sense or the step has sent too much."""
    c = d.counters
    number = c[ORDERS]
    full = number + 1 >= len(d.orders) or c[COMMAND_TAIL] + 1 >= len(d.commands)
    if size <= 0 or full:
        return _NONE
    order = d.orders[number]
    order[:] = 0
    order[SIDE], order[PRICE], order[SIZE], order[TIF] = side, price, size, tif
    order[SENT], order[LEAVES], order[MARKET] = c[NOW], size, market
    order[VENUE_PRICE], order[VENUE_SIZE] = price, size
    c[ORDERS] += 1
    c[SUBMITS] += 1
    _send(d, SUBMIT, number, price, size)
    return int(number)


@call
def buy(d: Desk, price: int, size: int, tif: int = GTC) -> int:
    """Send a limit order to buy, in ticks and lots; its number, −1 if refused."""
    return submit(d, 1, price, size, tif, 0)


@call
def sell(d: Desk, price: int, size: int, tif: int = GTC) -> int:
    """Send a limit order to sell."""
    return submit(d, -1, price, size, tif, 0)


@call
def buy_market(d: Desk, size: int) -> int:
    """Buy at once."""
    return submit(d, 1, 0, size, GTC, 1)


@call
def sell_market(d: Desk, size: int) -> int:
    """Sell at once."""
    return submit(d, -1, 0, size, GTC, 1)


@call
def cancel(d: Desk, number: int) -> bool:
    """Ask for the end of an order; False where nothing can be asked (unknown, closed, asked already, not yet there)."""
    if number < 0 or number >= d.counters[ORDERS] or d.counters[COMMAND_TAIL] + 1 >= len(d.commands):
        return False
    status = d.orders[number, STATUS]
    if status != NEW and status != PARTIALLY_FILLED:
        return False
    d.orders[number, STATUS] = PENDING_CANCEL
    d.counters[CANCELS] += 1
    _send(d, CANCEL, number, 0, 0)
    return True


@call
def modify(d: Desk, number: int, price: int, size: int) -> bool:
    """Ask for another price or size of an order, in ticks and lots; False where nothing can be asked.

    The size is that of the whole order, what has been filled included. A smaller one at the same price keeps its place
    in the queue; everything else is a new arrival, and may take. ``d.orders`` shows the new terms when the venue has
    answered.
    """
    if number < 0 or number >= d.counters[ORDERS] or d.counters[COMMAND_TAIL] + 1 >= len(d.commands):
        return False
    status = d.orders[number, STATUS]
    if size <= 0 or (status != NEW and status != PARTIALLY_FILLED):
        return False
    _send(d, MODIFY, number, price, size)
    return True


@call
def is_open(d: Desk, number: int) -> bool:
    """Whether an order may still trade, as far as the strategy knows."""
    return bool(
        0 <= number < d.counters[ORDERS]
        and d.orders[number, STATUS] in (0, NEW, PARTIALLY_FILLED, PENDING_CANCEL)
    )


@call
def now(d: Desk) -> int:
    """Time of the step, ns."""
    return int(d.counters[NOW])


@call
def position(d: Desk) -> int:
    """Lots held, as far as answers have arrived."""
    return int(d.counters[POSITION])


@call
def best_bid(d: Desk) -> int:
    """Best bid in ticks; only where :func:`quoted`."""
    return int(d.touch[0])


@call
def bid_size(d: Desk) -> int:
    """Lots at the best bid, 0 where there is none."""
    return int(d.touch[1])


@call
def best_ask(d: Desk) -> int:
    """Best ask in ticks; only where :func:`quoted`."""
    return int(d.touch[2])


@call
def ask_size(d: Desk) -> int:
    """Lots at the best ask, 0 where there is none."""
    return int(d.touch[3])


@call
def quoted(d: Desk) -> bool:
    """Whether the book is known and both sides have a best price."""
    return bool(d.touch[1] > 0 and d.touch[3] > 0)


@call
def size_at(d: Desk, side: int, price: int) -> int:
    """Lots at a price, side +1 bids or −1 asks."""
    at = price - d.base[0]
    return int(d.levels[0 if side > 0 else 1, at]) if 0 <= at < d.levels.shape[1] else 0


def kernel_strategy(function: Callable[[Desk], None]) -> Any:
    """Compile a strategy: a function of its desk, called at every step.

    Notes
    -----
    What was compiled is kept on disk and found again by what it does, so that a cell run again, or a fresh process,
    waits for no compiler. See :mod:`workbench.trading.strategy_cache`.

    Examples
    --------
    >>> import workbench as wb
    >>> from workbench.trading.strategies import buy_market, quoted
    >>> @wb.kernel_strategy
    ... def hold_one(d):
    ...     if quoted(d) and d.memory[0] == 0:
    ...         d.memory[0] = 1
    ...         _ = buy_market(d, 1)
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("5s")
    >>> wb.backtest(hold_one, s)
    Backtest(ES-SIM, 1 orders, 1 fills)
    """
    dispatcher: Any = njit(nogil=True, error_model="numpy")(function)
    dispatcher._cache = StrategyCache(function)
    compile_once(dispatcher, STRATEGY)
    return dispatcher


@kernel(STRATEGY)
def rest_idle(d: Desk) -> None:
    """Do nothing; for engines that are driven from outside."""


@kernel(types.int64(DESK_TYPE, *[types.int64] * 5))
def submit_now(d: Desk, side: int, price: int, size: int, tif: int, market: int) -> int:
    """:func:`submit` for plain Python."""
    return submit(d, side, price, size, tif, market)


@kernel(types.boolean(DESK_TYPE, types.int64))
def cancel_now(d: Desk, number: int) -> bool:
    """:func:`cancel` for plain Python."""
    return cancel(d, number)


@kernel(types.void(DESK_TYPE, types.int64))
def withdraw_now(d: Desk, number: int) -> None:
    """Send a cancel whatever is known of the order."""
    _send(d, CANCEL, number, 0, 0)


@kernel(types.void(DESK_TYPE, *[types.int64] * 3))
def change_now(d: Desk, number: int, price: int, size: int) -> None:
    """Send a change whatever is known of the order."""
    _send(d, MODIFY, number, price, size)
