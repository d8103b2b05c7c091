"""Where own orders stand in their queues, as far as price levels tell: the risk-averse model."""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import types

from workbench.book.jit import I1_COLUMN, I4_COLUMN, I8_COLUMN, U1_COLUMN, U2_COLUMN, aligned, kernel
from workbench.events import SUBTICK_SHIFT, Array, EventKind, Flag, IntArray

DEPTH, TRADE = int(EventKind.DEPTH), int(EventKind.TRADE)
UNDISPLAYED: Final = int(Flag.OTC) | int(Flag.HIDDEN)
PRICE, SIDE, FRONT = 0, 1, 2
_COLUMNS: Final = (U1_COLUMN, I1_COLUMN, I4_COLUMN, I8_COLUMN, U2_COLUMN)


@kernel(types.void(types.int64[:, ::1], *_COLUMNS))
def _follow(orders: Array, kind: Array, side: Array, price: Array, size: Array, flags: Array) -> None:
    for row in range(len(kind)):
        depth = kind[row] == DEPTH
        displayed = not flags[row] & UNDISPLAYED and not flags[row] >> SUBTICK_SHIFT
        if not depth and (kind[row] != TRADE or not displayed):
            continue
        passive = side[row] if depth else -side[row]
        for i in range(len(orders)):
            if orders[i, PRICE] != price[row] or orders[i, SIDE] != passive:
                continue
            if depth:
                orders[i, FRONT] = min(orders[i, FRONT], max(size[row], 0))
            else:
                orders[i, FRONT] = max(orders[i, FRONT] - size[row], 0)


class QueueEstimate:
    """Lots that stand before each of some orders.

    Notes
    -----
    A new order stands behind all that is displayed at its level. A trade there takes its size from the front; a level
    that has become smaller than the front is the new front. Cancels are taken to come from behind, so the estimate is
    never better than the truth as far as displayed size goes and prints come before the new size of their level; where
    a venue sends the size first, what was traded counts twice until the front is gone. Venues that display the own order too add it to the
    front at most until the first change.

    References
    ----------
    hftbacktest, ``queue.rs``: ``RiskAverseQueueModel``.

    Examples
    --------
    >>> from workbench.events import EventBatch
    >>> queue = QueueEstimate()
    >>> queue.enter("mine", side=1, price=100, displayed=40)
    >>> queue.feed(EventBatch.of(kind=[2, 1], side=[-1, 1], price=100, size=[12, 20]).columns)
    >>> queue.front("mine")
    20
    """

    def __init__(self) -> None:
        self._orders: IntArray = np.zeros((0, 3), np.int64)
        self._names: list[str] = []

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def enter(self, name: str, *, side: int, price: int, displayed: int) -> None:
        """Let an order join the end of a level; one of this name stands elsewhere from now on.

        Parameters
        ----------
        name : str
        side : int
            +1 bid, −1 ask.
        price : int, ticks
        displayed : int, lots
            Size of the level now.
        """
        self.leave(name)
        self._names.append(name)
        self._orders = np.vstack([self._orders, np.array([[price, side, displayed]], np.int64)])

    def leave(self, name: str) -> None:
        """Forget an order; one that is not known is no error."""
        if name in self._names:
            at = self._names.index(name)
            del self._names[at]
            self._orders = np.ascontiguousarray(np.delete(self._orders, at, axis=0))

    def feed(self, columns: tuple[Array, ...]) -> None:
        """Take in event columns in stream order."""
        if self._names:
            _follow(self._orders, *(aligned(columns[i]) for i in (2, 3, 4, 5, 8)))

    def front(self, name: str) -> int:
        """Lots before an order."""
        return int(self._orders[self._names.index(name), FRONT])

    def place(self, name: str) -> tuple[int, int]:
        """Side and price of an order, as it was entered."""
        price, side, _ = self._orders[self._names.index(name)].tolist()
        return side, price

    @property
    def names(self) -> tuple[str, ...]:
        """Orders followed."""
        return tuple(self._names)
