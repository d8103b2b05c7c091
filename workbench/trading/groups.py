"""Orders that depend on each other: brackets, one-cancels-other groups, and orders that may only reduce."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from workbench.trading.ledger import Ledger
from workbench.trading.order import Order
from workbench.trading.terms import MAX_TICKS, STOP_LOSS_SUFFIX, TAKE_PROFIT_SUFFIX, Terms


def children(ledger: Ledger, parent: Order, ticks: int) -> Iterator[Terms]:
    """Exits to place after an execution at a price, sized to what is filled; none while some of the bracket work.

    Parameters
    ----------
    ledger : Ledger
    parent : Order
    ticks : int
        Price of the execution: both distances are measured from it, and later ones add size alone.

    Notes
    -----
    An execution that only closes a position of the other side has nothing to protect: the exits come with the one that
    opens. What is filled once they have ended gets exits of its own (``.2.tp``, ``.2.sl``, …). A side of the bracket
    whose price would not be positive is left out.
    """
    asked, placed = parent.terms, ledger.exits(parent)
    if (asked.take_profit is None and asked.stop_loss is None) or any(order.open for order in placed):
        return
    left = parent.filled - sum(order.filled for order in placed)
    lots = min(left, reducible(ledger, asked.symbol, -asked.side))
    if lots < 1:
        return
    profit, loss, turn = asked.take_profit, asked.stop_loss, _turn(ledger, parent)
    if profit is not None and 1 <= (limit := ticks + asked.side * profit) <= MAX_TICKS:
        yield _child(parent, lots, turn + TAKE_PROFIT_SUFFIX, limit=limit)
    if loss is not None and 1 <= (stop := ticks - asked.side * loss) <= MAX_TICKS:
        trail, step = (loss, int(asked.trailing)) if asked.trailing else (None, 1)
        yield _child(parent, lots, turn + STOP_LOSS_SUFFIX, stop=stop, trail=trail, step=step)


def _turn(ledger: Ledger, parent: Order) -> str:
    """What stands before the ends of the names of exits: nothing the first time, then a number that is free."""
    turns = ("" if number == 1 else f".{number}" for number in itertools.count(1))
    ends = (TAKE_PROFIT_SUFFIX, STOP_LOSS_SUFFIX)
    return next(t for t in turns if not any(parent.name + t + end in ledger.orders for end in ends))


def _child(
    parent: Order,
    lots: int,
    suffix: str,
    *,
    limit: int | None = None,
    stop: int | None = None,
    trail: int | None = None,
    step: int = 1,
) -> Terms:
    stops = "STOP" if trail is None else "TRAILING_STOP"
    return Terms(
        client_order_id=parent.name + suffix,
        symbol=parent.terms.symbol,
        side=-parent.terms.side,
        lots=lots,
        order_type="LIMIT" if limit is not None else stops,  # type: ignore[arg-type]
        limit=limit,
        stop=stop,
        trail=trail,
        step=step,
        reduce_only=True,
        oco=parent.name,
        parent=parent.name,
    )


def closes(order: Order) -> bool:
    """Whether an order closes at market, as flattening does."""
    return order.terms.order_type == "MARKET" and order.terms.reduce_only


def others(ledger: Ledger, order: Order) -> list[Order]:
    """Other members of an order's group, on the same instrument; open or not."""
    return [mate for mate in ledger.mates(order.terms) if mate is not order]


def reducible(ledger: Ledger, symbol: str, side: int, beside: Order | None = None) -> int:
    """Lots of a side that may still be placed to reduce the position, beside what already works to reduce it."""
    held = -side * ledger.account.position(symbol).lots
    return max(held - sum(reducing(ledger, symbol, side, beside).values()), 0)


def reducing(ledger: Ledger, symbol: str, side: int, beside: Order | None = None) -> dict[str, int]:
    """Lots of a side that work to reduce the position, by group: of each, one member at most is executed."""
    taken: dict[str, int] = {}
    for order in ledger.open_orders(symbol):
        if order.terms.reduce_only and order.terms.side == side and order is not beside:
            key = group_of(order.terms)
            taken[key] = max(taken.get(key, 0), abs(order.exposed()))
    return taken


def targets(ledger: Ledger, symbol: str) -> dict[str, int]:
    """Sizes that orders of a symbol should have now, where that is not the size they have or have been asked to have.

    Notes
    -----
    - The children of a bracket are as large as what their parent has filled, less what the other one has closed.
    - In any other group, what one has filled is no longer to be filled by the others.
    - Orders that only reduce are together never larger than the position; those at market come first, then the oldest,
      and a group counts once, because only one of it is ever executed.

    A size that is not above what is filled means: nothing is left to do, cancel it.
    """
    found: dict[str, int] = {}
    held = ledger.account.position(symbol).lots
    room, granted = abs(held), dict[str, int]()
    for order in sorted(ledger.open_orders(symbol), key=lambda order: not closes(order)):
        lots = _of_group(ledger, order)
        if order.terms.reduce_only:
            key = group_of(order.terms)
            if held * order.terms.side >= 0:
                room = 0
            if key not in granted:
                granted[key] = min(lots - order.filled, room)
                room -= max(granted[key], 0)
            lots = min(lots, order.filled + granted[key])
        if lots != order.newest.lots:
            found[order.name] = lots
    return found


def group_of(terms: Terms) -> str:
    """Name of the group of an order; one without a group is one of its own."""
    return f"{terms.oco}/{terms.parent}" if terms.oco else f"/{terms.client_order_id}/"


def _of_group(ledger: Ledger, order: Order) -> int:
    taken = sum(mate.filled for mate in others(ledger, order))
    if order.terms.parent:
        return ledger.orders[order.terms.parent].filled - taken
    lots = order.newest.lots
    return min(lots, order.terms.lots - taken) if taken else lots
