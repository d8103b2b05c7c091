"""Strategies that are compiled: what they see, and what they may do.

A strategy is a function of one argument, its desk. It is called at every step, sees whole ticks and lots, and leaves
what it wants to remember in ``d.memory``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final

from numba import njit

from workbench.book.jit import compile_once, kernel
from workbench.errors import WorkbenchError
from workbench.trading.order import MAX_UNDER_WAY
from workbench.trading.passing import STRATEGY
from workbench.trading.sending import send
from workbench.trading.slots import (
    CANCEL,
    CANCELED,
    CANCELS,
    CLOSED,
    COMMAND_TAIL,
    FILLED,
    GTC,
    HELD,
    LEAVES,
    MARKET,
    MODIFY,
    NEW,
    NOW,
    ORDERS,
    PARTIALLY_FILLED,
    PENDING_CANCEL,
    POSITION,
    PRICE,
    REJECTED,
    SENT,
    SIDE,
    SIZE,
    STATUS,
    STOPS_CHANGED,
    SUBMIT,
    SUBMITS,
    SUSPENDED,
    TIF,
    TRAIL,
    TRIGGER,
    UNDER_WAY,
    VENUE_PRICE,
    VENUE_SIZE,
    Desk,
)
from workbench.trading.strategy_cache import StrategyCache, call

_NONE: Final = -1


@call
def _enter(d: Desk, side: int, price: int, size: int, tif: int, market: int) -> int:
    c = d.counters
    number = c[ORDERS]
    full = number + 1 >= len(d.orders) or c[COMMAND_TAIL] + c[HELD] + 1 >= len(d.commands)
    if size <= 0 or full:
        return _NONE
    order = d.orders[number]
    order[:] = 0
    order[SIDE], order[PRICE], order[SIZE], order[TIF] = side, price, size, tif
    order[SENT], order[LEAVES], order[MARKET] = c[NOW], size, market
    order[VENUE_PRICE], order[VENUE_SIZE] = price, size
    c[ORDERS] += 1
    c[SUBMITS] += 1
    return int(number)


@call
def submit(d: Desk, side: int, price: int, size: int, tif: int, market: int) -> int:
    """Send an order; its number, or −1 where it makes no sense or the step has sent too much."""
    number = _enter(d, side, price, size, tif, market)
    if number >= 0:
        send(d, d.counters[NOW], SUBMIT, number, price, size)
    return number


@call
def stop(d: Desk, side: int, size: int, trigger: int, limit: int = 0, trail: int = 0) -> int:
    """Leave a stop with the desk; its number, or −1 where it makes no sense or the step has sent too much.

    It goes off by the first print at ``trigger`` or through it, and is then sent: at market, or with a ``limit``. With a
    ``trail`` it follows prints at that distance and never goes back. All in ticks and lots. One that the best price has
    passed already is ``REJECTED``.
    """
    if trigger < 1 or limit < 0 or trail < 0 or (limit > 0 and trail > 0):
        return _NONE
    number = _enter(d, side, limit, size, GTC, int(limit == 0))
    if number < 0:
        return _NONE
    c, order = d.counters, d.orders[number]
    order[TRIGGER], order[TRAIL] = trigger, trail
    if _is_passed(d, side, trigger):
        order[STATUS], order[CLOSED] = REJECTED, c[NOW]
        return number
    order[STATUS] = SUSPENDED
    d.held[c[HELD]] = number
    c[HELD] += 1
    c[STOPS_CHANGED] = 1
    return number


@call
def _is_passed(d: Desk, side: int, trigger: int) -> bool:
    """Whether a stop is on the wrong side of the best price, as the live desk refuses it."""
    if side > 0:
        return bool(d.touch[3] > 0 and trigger < d.touch[2])
    return bool(d.touch[1] > 0 and trigger > d.touch[0])


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
    """Ask for the end of an order; False where nothing can be asked (unknown, closed, asked already, not yet there).

    A stop that has not gone off ends at once.
    """
    if number < 0 or number >= d.counters[ORDERS] or _is_full(d):
        return False
    status = d.orders[number, STATUS]
    if status != NEW and status != PARTIALLY_FILLED and status != SUSPENDED:
        return False
    d.counters[CANCELS] += 1
    if not drop(d, number):
        d.orders[number, STATUS] = PENDING_CANCEL
        send(d, d.counters[NOW], CANCEL, number, 0, 0)
    return True


@call
def _is_full(d: Desk) -> bool:
    return bool(d.counters[COMMAND_TAIL] + d.counters[HELD] + 1 >= len(d.commands))


@call
def drop(d: Desk, number: int) -> bool:
    """End a stop that has not gone off; False where the order is none."""
    order, c = d.orders[number], d.counters
    if order[STATUS] != SUSPENDED:
        return False
    order[STATUS], order[CLOSED] = CANCELED, c[NOW]
    c[STOPS_CHANGED] = 1
    return True


@call
def modify(d: Desk, number: int, price: int, size: int, trigger: int = 0) -> bool:
    """Ask for another price or size of an order, in ticks and lots; False where nothing can be asked.

    The size is that of the whole order, what has been filled included. A smaller one at the same price keeps its place
    in the queue; everything else is a new arrival, and may take. ``d.orders`` shows the new terms when the venue has
    answered. It is never less than what is known to be filled, and a third change is not sent while two are under way. A stop that has not gone off changes at once, its ``trigger`` where one is given; ``price`` is its limit.
    """
    if number < 0 or number >= d.counters[ORDERS] or size <= 0 or _is_full(d):
        return False
    status = d.orders[number, STATUS]
    if status == SUSPENDED:
        return adjust(d, number, price, size, trigger)
    if trigger != 0 or size < d.orders[number, FILLED] or (status != NEW and status != PARTIALLY_FILLED):
        return False
    if d.orders[number, UNDER_WAY] >= MAX_UNDER_WAY:
        return False
    d.orders[number, UNDER_WAY] += 1
    send(d, d.counters[NOW], MODIFY, number, price, size)
    return True


@call
def adjust(d: Desk, number: int, price: int, size: int, trigger: int) -> bool:
    order = d.orders[number]
    wanted = trigger if trigger > 0 else order[TRIGGER]
    if trigger < 0 or _is_passed(d, order[SIDE], wanted):
        return False
    order[TRIGGER] = wanted
    order[SIZE] = order[VENUE_SIZE] = order[LEAVES] = size
    if not order[MARKET]:
        order[PRICE] = order[VENUE_PRICE] = price
    d.counters[STOPS_CHANGED] = 1
    return True


@call
def is_open(d: Desk, number: int) -> bool:
    """Whether an order may still trade, as far as the strategy knows."""
    return bool(
        0 <= number < d.counters[ORDERS]
        and d.orders[number, STATUS] in (0, NEW, PARTIALLY_FILLED, PENDING_CANCEL, SUSPENDED)
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

    Raises
    ------
    WorkbenchError
        No function.

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
    if not inspect.isfunction(function):
        raise WorkbenchError(
            f"a strategy of {function!r:.60}", expected="a function of its desk: def mine(d): …"
        )
    dispatcher: Any = njit(nogil=True, error_model="numpy")(function)
    dispatcher._cache = StrategyCache(function)
    compile_once(dispatcher, STRATEGY)
    return dispatcher


@kernel(STRATEGY)
def rest_idle(d: Desk) -> None:
    """Do nothing; for engines that are driven from outside."""
