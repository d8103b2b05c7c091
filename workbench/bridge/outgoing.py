"""Lines on their way to Bookmap: those that trade have a door of their own, and no other way out.

Orders pass everything that waits. Whatever else goes wrong above, a line of a trading type leaves only when it was put
through :meth:`Outgoing.trade` and both locks are open at the moment it leaves: the last gate looks at the line itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from workbench.bridge.result import Moment
from workbench.bridge.wire import SEPARATOR, TRADING_TYPES
from workbench.errors import ProtocolError

MAX_WAITING: Final = 512

_SEPARATOR: Final = SEPARATOR.encode()
_TRADING: Final = frozenset(b"%d" % number for number in TRADING_TYPES)

IsOpen = Callable[[Moment], bool]
"""Whether both locks are open at a moment: :meth:`workbench.bridge.desk.OrderDesk.is_open`."""


class Outgoing:
    """Two queues: lines that trade, and all others."""

    def __init__(self) -> None:
        self.stopped = 0
        self._orders: list[tuple[bytes, IsOpen]] = []
        self._ordinary: deque[bytes] = deque()

    def trade(self, lines: Iterable[bytes], is_open: IsOpen) -> None:
        """Queue lines of an order desk, with the question that :meth:`take_orders` asks of each."""
        self._orders += [(line, is_open) for line in lines]

    def put(self, lines: Iterable[bytes]) -> None:
        """Queue other lines.

        Raises
        ------
        ProtocolError
            Bookmap does not read, and too many lines wait already.
        """
        for line in lines:
            if trades(line):
                self.stopped += 1
            elif len(self._ordinary) >= MAX_WAITING:
                raise ProtocolError(f"{MAX_WAITING} lines wait for Bookmap, which does not read", code="busy")
            else:
                self._ordinary.append(line)

    def take_orders(self, now: Moment) -> bytes:
        """Lines that trade, to be written at once; those of a desk whose lock is shut by now are counted and dropped."""
        orders, self._orders = self._orders, []
        leaving = [line for line, is_open in orders if is_open(now) or not trades(line)]
        self.stopped += len(orders) - len(leaving)
        return b"".join(leaving)

    def take(self) -> bytes:
        """All other lines."""
        lines = b"".join(self._ordinary)
        self._ordinary.clear()
        return lines

    @property
    def waiting(self) -> int:
        """Lines that were not taken yet."""
        return len(self._orders) + len(self._ordinary)


def trades(line: bytes) -> bool:
    """Whether a line is of a type that sends, cancels or changes orders."""
    return line.partition(_SEPARATOR)[0].strip() in _TRADING
