"""A session's paper desk as a plain strategy sees the matching engine of a backtest: the same calls, the same tables."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Final, Protocol

import numpy as np

from workbench.errors import WorkbenchError
from workbench.events import Instrument
from workbench.lab.venue_tables import EXITS, TIFS, VenueTables, exits_among
from workbench.protocol import messages
from workbench.trading import slots
from workbench.trading.matcher import Matcher, Rows
from workbench.trading.terms import parent_of

CLOSED: Final = frozenset({slots.FULLY_FILLED, slots.CANCELED, slots.EXPIRED, slots.REJECTED})
WORKS: Final = (slots.NEW, slots.PARTIALLY_FILLED)
_DISTANCES: Final = frozenset(EXITS)
_TOLD: Final = [slots.SIDE, slots.SIZE, slots.TIF, slots.TRIGGER, slots.TRAIL]


class Seat(Protocol):
    """What it needs of a session, see :class:`workbench.session.seat.Seat`."""

    refused: dict[str, str]
    unchanged: deque[str]

    @property
    def instrument(self) -> Instrument: ...

    @property
    def facts(self) -> dict[str, Any]: ...

    def name(self, number: int) -> str: ...

    def send(self, command: messages.OrderCommand) -> None: ...

    def news(self) -> tuple[list[messages.Order], list[messages.Fill]]: ...


class LiveVenue(VenueTables):
    """The tables of a matching engine, kept by what a session is told of its orders.

    Parameters
    ----------
    seat : Seat

    Notes
    -----
    ``names`` and ``reasons`` tell of each order its name at the desk, and what was last said of it. What happens within a step is seen at the next one, as in a backtest: commands wait until :meth:`flush`, and what is told
    of them is taken in by :meth:`hear`. The book is that of the matching engine itself, over the rows that the session got.
    """

    def __init__(self, seat: Seat):
        super().__init__()
        self._seat, self._instrument = seat, seat.instrument
        self._book = Matcher()
        self._position = 0
        self.names: list[str] = []
        self.reasons: list[str] = []
        self._numbers: dict[str, int] = {}
        self._waiting: list[messages.OrderCommand] = []

    # -- what a strategy's desk asks, as of a Matcher ----------------------------------------------------------------

    @property
    def desk(self) -> slots.Desk:
        """The book as the strategy sees it."""
        return self._book.desk

    def count(self, slot: int) -> int:
        """The position in lots, and steps that were taken; 0 for what only an engine counts."""
        if slot == slots.STEPS:
            return int(self.desk.counters[slots.STEPS])
        return self._position if slot == slots.POSITION else 0

    def enter(
        self,
        now: int,
        side: int,
        size: int,
        limit: int | None,
        tif: int,
        trigger: int,
        trail: int,
        exits: Mapping[str, Any],
    ) -> int:
        """Send an order with everything that the paper desk knows at the end of the step; its number.

        Raises
        ------
        WorkbenchError
            Exits, groups or a bound to reduce where orders do not go to the paper desk; two distances that trail.
        """
        asked = [name for name, value in exits.items() if value and name != "expires"]
        if asked and "contract" not in self._seat.facts:
            raise WorkbenchError(
                f"an order with {', '.join(asked)} from a strategy, not on paper",
                expected="limit, tif, stop or trailing",
                action="Watch desk.position and send the exit from the strategy",
            )
        if trail and exits.get("trailing"):
            raise WorkbenchError("a trailing stop with an exit that trails", expected="one of both")
        number = self._begin(now)
        row = self._table[number]
        row[[slots.SIDE, slots.PRICE, slots.SIZE, slots.TIF]] = side, limit or 0, size, tif
        row[slots.MARKET], row[slots.STATUS] = int(limit is None), slots.PENDING_NEW
        row[slots.TRIGGER], row[slots.TRAIL] = trigger, trail
        if trigger:
            self._hold(number, now)
        self._call(number, self._seat.name(number))
        self._waiting.append(self._placed(number, limit, dict(exits)))
        return number

    def cancel(self, now: int, number: int) -> bool:
        """Ask for the end of an order; whether there was anything to ask for."""
        if not self._take_back(number, now):
            return False
        name, symbol = self.names[number], self._instrument.symbol
        self._waiting.append(messages.CancelOrder(client_order_id=name, symbol=symbol))
        return True

    def modify(self, now: int, number: int, price: int | None, size: int | None, trigger: int = 0) -> bool:
        """Ask for another price (ticks), whole size (lots) or trigger; a stop that waits has them at once."""
        row = self._table[number]
        if not self._adjust(number, price, size, trigger):
            return False
        command = messages.ReplaceOrder(
            client_order_id=self.names[number],
            symbol=self._instrument.symbol,
            quantity=None if size is None else float(self._instrument.size(size)),
            price=None if row[slots.MARKET] or price is None else self._price(price),
            stop_price=self._price(trigger) if trigger else None,
        )
        self._waiting.append(command)
        return True

    def exits_of(self, number: int) -> dict[str, int]:
        """Numbers of an order's take profit and stop loss, as far as they were placed."""
        return exits_among(self._numbers, self.names[number])

    # -- what a run does -----------------------------------------------------------------------------------------------

    def advance(self, rows: Rows, until: int) -> None:
        """Take rows into the book."""
        self._book.advance(rows, until)

    def hear(self, now: int) -> None:
        """Take in what was told, and look at the book."""
        self._book.hear(now)
        self.update()

    def update(self) -> None:
        """Take in what was told of own orders."""
        orders, fills = self._seat.news()
        for name in [self._seat.unchanged.popleft() for _ in range(len(self._seat.unchanged))]:
            refused = self._numbers[name]
            self._answered(refused, max(int(self._table[refused, slots.UNDER_WAY]) - 1, 0))
        for order in orders:
            number = self._number_of(order)
            if number is not None:
                self._take_state(number, order)
        for fill in fills:
            if fill.client_order_id in self._numbers:
                self._take_fill(self._numbers[fill.client_order_id], fill)
        for name in [name for name in self._seat.refused if name in self._numbers]:
            number = self._numbers[name]
            self._table[number, slots.STATUS], self.reasons[number] = slots.REJECTED, self._seat.refused[name]

    def flush(self) -> None:
        """Send what the step asked for, in its order."""
        waiting, self._waiting = self._waiting, []
        for command in waiting:
            self._seat.send(command)

    def withdraw_all(self, now: int) -> None:
        """Ask for the end of everything that is open, whatever was asked before."""
        self._waiting.clear()
        symbol = self._instrument.symbol
        for number in np.flatnonzero(~np.isin(self.orders[:, slots.STATUS], list(CLOSED))).tolist():
            self._waiting.append(messages.CancelOrder(client_order_id=self.names[number], symbol=symbol))
        self.flush()

    # -- tables --------------------------------------------------------------------------------------------------------

    def _call(self, number: int, name: str) -> None:
        self.names.append(name)
        self.reasons.append("")
        self._numbers[name] = number

    def _placed(self, number: int, limit: int | None, exits: dict[str, Any]) -> messages.PlaceOrder:
        side, size, tif, trigger, trail = self._table[number][_TOLD].tolist()
        kind: messages.OrderType = "LIMIT" if limit is not None else "MARKET"
        if trigger:
            kind = "TRAILING_STOP" if trail else "STOP_LIMIT" if limit is not None else "STOP"
        if exits.pop("trailing", False):  # the exit follows tick by tick, at the distance at which it begins
            trail = 1
        for name in _DISTANCES & exits.keys():
            exits[name] = self._price(exits[name])
        return messages.PlaceOrder(
            symbol=self._instrument.symbol,
            side="BUY" if side > 0 else "SELL",
            order_type=kind,
            quantity=float(self._instrument.size(size)),
            client_order_id=self.names[number],
            price=None if limit is None else self._price(limit),
            stop_price=self._price(trigger) if trigger else None,
            trailing=self._price(trail) if trail else None,
            time_in_force=TIFS[tif],
            post_only=tif == slots.POST_ONLY,
            **exits,
        )

    def _number_of(self, told: messages.Order) -> int | None:
        """Its number; an exit of an own order gets one when it is first heard of. None: it is somebody else's."""
        name = told.client_order_id
        if name not in self._numbers and parent_of(name, self._numbers):
            number = self._begin(told.ts)
            row = self._table[number]
            row[slots.SIDE], row[slots.MARKET] = (1 if told.side == "BUY" else -1), int(told.price is None)
            row[slots.TRAIL] = 0 if told.trailing is None else self._instrument.ticks(told.trailing)
            self._call(number, name)
        return self._numbers.get(name)

    def _take_state(self, number: int, told: messages.Order) -> None:
        row, status = self._table[number], _status(told)
        went_off = row[slots.TRIGGER] != 0 and told.reason.startswith("went off")
        if went_off and number not in self._went_off:
            self._went_off[number] = told.ts
        self.reasons[number] = told.reason
        row[slots.STATUS], row[slots.FILLED] = status, self._instrument.lots(told.filled)
        row[slots.SIZE] = self._instrument.lots(told.quantity)
        self._answered(number, told.changes)
        if told.price is not None:
            row[slots.PRICE] = self._instrument.ticks(told.price)
        if told.stop_price is not None:
            row[slots.TRIGGER] = self._instrument.ticks(told.stop_price)
        if status in CLOSED and not row[slots.CLOSED]:
            row[slots.CLOSED] = told.ts

    def _take_fill(self, number: int, told: messages.Fill) -> None:
        side, lots = (1 if told.side == "BUY" else -1), self._instrument.lots(told.size)
        self._note_fill(
            number,
            side,
            ticks=self._instrument.ticks(told.price),
            lots=lots,
            maker=told.liquidity.upper() == "MAKER",
            happened=told.ts_venue or told.ts,
            known=told.ts,
        )
        self._position += side * lots

    def _price(self, ticks: int) -> float:
        return float(self._instrument.price(ticks))


def _status(told: messages.Order) -> int:
    if told.status in slots.STATUS_NAMES:
        return slots.STATUS_NAMES.index(told.status)
    return slots.PARTIALLY_FILLED if told.filled else slots.NEW  # a change is under way


__all__ = ["LiveVenue", "Seat"]
