"""Compiled strategies where plain ones go: on the paper desk of a backtest, and live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.events import Array
from workbench.trading import slots
from workbench.trading.slots import Desk
from workbench.trading.strategy_reach import check_reach, memory, parameters

if TYPE_CHECKING:
    from workbench.lab.plain_strategy import PlainDesk

_FIRST_ROOM: Final = 1024
_ROOM: Final = slots.COMMANDS_PER_STEP + 2


class CompiledStrategy:
    """A compiled strategy as one in plain Python: it acts at each step of its desk.

    Parameters
    ----------
    strategy : kernel strategy
        From :func:`workbench.kernel_strategy`.
    params : sequence of float, optional
        What it finds in ``d.params``.

    Raises
    ------
    WorkbenchError
        Parameters that are no numbers, or fewer than it names.

    Notes
    -----
    It sees the book of its desk and a copy of the orders as the desk knows them; what it asks for goes out in its order when
    it has returned, as from a matching engine.
    """

    def __init__(self, strategy: Any, params: Any = ()):
        self._strategy, self._params = strategy, parameters(params)
        check_reach(strategy, len(self._params))
        self._plain: PlainDesk | None = None
        self._desk: Desk
        self._counted = 0

    def on_timer(self, desk: PlainDesk) -> None:
        """Let it act."""
        if desk is not self._plain:
            self._plain, self._desk, self._counted = desk, self._laid(desk), 0
        known = desk.venue.orders
        self._show(desk, known)
        _asking().act_now(self._desk, self._strategy)
        self._carry_out(desk, known)

    def _laid(self, desk: PlainDesk) -> Desk:
        """A desk with the book of another and nothing else of it."""
        shown = desk.venue.desk
        return Desk(
            np.zeros(slots.COUNTERS, np.int64),
            shown.touch,
            shown.levels,
            shown.base,
            np.zeros((_FIRST_ROOM, slots.ORDER_SLOTS), np.int64),
            np.zeros((_FIRST_ROOM, slots.COMMAND_SLOTS), np.int64),
            np.zeros(_FIRST_ROOM, np.int64),
            np.zeros(1, np.int64),
            self._params,
            memory(),
        )

    def _show(self, desk: PlainDesk, known: Array) -> None:
        d = self._desk
        while len(known) + _ROOM > len(d.orders):
            d = self._desk = d._replace(orders=np.concatenate([d.orders, np.zeros_like(d.orders)]))
        d.orders[: len(known)] = known
        c = d.counters
        c[slots.NOW], c[slots.ORDERS] = desk.now, len(known)
        c[slots.POSITION] = desk.venue.count(slots.POSITION)
        c[slots.COMMAND_TAIL] = c[slots.HELD] = 0
        c[slots.STEPS] += 1
        fills = desk.venue.fills[self._counted :]
        heard = fills[fills[:, slots.FILL_KNOWN] <= desk.now]
        self._counted += len(heard)
        paid = heard[:, slots.FILL_SIDE] * heard[:, slots.FILL_SIZE] * heard[:, slots.FILL_PRICE]
        c[slots.CASH] -= int(paid.sum())

    def _carry_out(self, desk: PlainDesk, known: Array) -> None:
        d, now, first = self._desk, desk.now, len(known)
        placed = first
        for _, what, number, _, price, lots in d.commands[: d.counters[slots.COMMAND_TAIL]].tolist():
            if what == slots.SUBMIT:
                self._leave_stops(desk, placed, number)
                placed = number + 1
                side, tif, market = d.orders[number, [slots.SIDE, slots.TIF, slots.MARKET]].tolist()
                desk.venue.submit(now, side, price, lots, tif, bool(market))
            elif what == slots.CANCEL:
                desk.venue.cancel(now, number)
            else:
                desk.venue.modify(now, number, price, lots)
        self._leave_stops(desk, placed, int(d.counters[slots.ORDERS]))
        for number in np.flatnonzero(known[:, slots.STATUS] == slots.SUSPENDED).tolist():
            self._change_stop(desk, number, known[number])

    def _leave_stops(self, desk: PlainDesk, first: int, stop: int) -> None:
        """Place the stops among the new orders; they wait at the desk, and no command has told of them."""
        for number in range(first, stop):
            row = self._desk.orders[number]
            side, lots, trigger, price, trail, market, status = row[
                [slots.SIDE, slots.SIZE, slots.TRIGGER, slots.PRICE, slots.TRAIL, slots.MARKET, slots.STATUS]
            ].tolist()
            desk.venue.stop(desk.now, side, lots, trigger, limit=None if market else price, trail=trail)
            if status == slots.CANCELED:
                desk.venue.cancel(desk.now, number)

    def _change_stop(self, desk: PlainDesk, number: int, before: Array) -> None:
        """A stop that waited: what the strategy did to it was done at once, without a command."""
        row = self._desk.orders[number]
        if row[slots.STATUS] == slots.CANCELED:
            desk.venue.cancel(desk.now, number)
        elif (row[_CHANGEABLE] != before[_CHANGEABLE]).any():
            price, lots, trigger = row[_CHANGEABLE].tolist()
            desk.venue.modify(desk.now, number, price, lots, trigger)


_CHANGEABLE: Final = [slots.PRICE, slots.SIZE, slots.TRIGGER]


def _asking() -> Any:
    """Kernels for plain Python, loaded with the first step."""
    from workbench.trading import asking

    return asking


__all__ = ["CompiledStrategy"]
