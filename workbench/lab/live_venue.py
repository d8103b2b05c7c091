"""A session's paper desk as a plain strategy sees the matching engine of a backtest: the same calls, the same tables."""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np

from workbench.events import Instrument
from workbench.lab.venue_tables import TIFS, VenueTables
from workbench.protocol import messages
from workbench.trading import slots
from workbench.trading.matcher import Matcher, Rows

CLOSED: Final = frozenset({slots.FULLY_FILLED, slots.CANCELED, slots.EXPIRED, slots.REJECTED})
WORKS: Final = (slots.NEW, slots.PARTIALLY_FILLED)


class Seat(Protocol):
    """What it needs of a session, see :class:`workbench.session.seat.Seat`."""

    refused: dict[str, str]

    @property
    def instrument(self) -> Instrument: ...

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
    What happens within a step is seen at the next one, as in a backtest: commands wait until :meth:`flush`, and what is told
    of them is taken in by :meth:`hear`. The book is that of the matching engine itself, over the rows that the session got.
    """

    def __init__(self, seat: Seat):
        super().__init__()
        self._seat, self._instrument = seat, seat.instrument
        self._book = Matcher()
        self._position = 0
        self._numbers: dict[str, int] = {}
        self._waiting: list[messages.OrderCommand] = []

    # -- what a strategy's desk asks, as of a Matcher ----------------------------------------------------------------

    @property
    def desk(self) -> slots.Desk:
        """The book as the strategy sees it."""
        return self._book.desk

    def count(self, slot: int) -> int:
        """The position in lots; 0 for what only an engine counts."""
        return self._position if slot == slots.POSITION else 0

    def submit(self, now: int, side: int, price: int, size: int, tif: int, market: bool) -> int:
        """Send an order at the end of the step; its number."""
        number = self._enter(now, side, price, size, tif, market)
        self._place(
            number,
            order_type="MARKET" if market else "LIMIT",
            price=None if market else self._price(price),
            time_in_force=TIFS[tif],
            post_only=tif == slots.POST_ONLY,
        )
        return number

    def stop(
        self, now: int, side: int, size: int, trigger: int, *, limit: int | None = None, trail: int = 0
    ) -> int:
        """Leave a stop with the desk at the end of the step; its number."""
        number = self._enter(now, side, limit or 0, size, slots.GTC, not limit)
        row = self._table[number]
        row[slots.TRIGGER], row[slots.TRAIL] = trigger, trail
        row[slots.STATUS] = slots.REJECTED if self._is_passed(side, trigger) else slots.SUSPENDED
        row[slots.CLOSED] = now if row[slots.STATUS] == slots.REJECTED else 0
        self._place(
            number,
            order_type="TRAILING_STOP" if trail else "STOP_LIMIT" if limit else "STOP",
            price=self._price(limit) if limit else None,
            stop_price=self._price(trigger),
            trailing=self._price(trail) if trail else None,
        )
        return number

    def cancel(self, now: int, number: int) -> bool:
        """Ask for the end of an order; whether there was anything to ask for."""
        status = self._table[number, slots.STATUS] if 0 <= number < self._count else slots.REJECTED
        if status not in (*WORKS, slots.SUSPENDED):
            return False
        held = status == slots.SUSPENDED
        self._table[number, slots.STATUS] = slots.CANCELED if held else slots.PENDING_CANCEL
        self._table[number, slots.CLOSED] = now if held else 0
        name, symbol = self._seat.name(number), self._instrument.symbol
        self._waiting.append(messages.CancelOrder(client_order_id=name, symbol=symbol))
        return True

    def modify(self, now: int, number: int, price: int, size: int, trigger: int = 0) -> bool:
        """Ask for another price (ticks), whole size (lots) or trigger; a stop that waits has them at once."""
        row = self._table[number]
        wanted = trigger or int(row[slots.TRIGGER])
        if row[slots.STATUS] == slots.SUSPENDED:
            if self._is_passed(int(row[slots.SIDE]), wanted):
                return False
            row[slots.TRIGGER], row[slots.SIZE] = wanted, size
        command = messages.ReplaceOrder(
            client_order_id=self._seat.name(number),
            symbol=self._instrument.symbol,
            quantity=float(self._instrument.size(size)),
            price=None if row[slots.MARKET] else self._price(price),
            stop_price=self._price(trigger) if trigger else None,
        )
        self._waiting.append(command)
        return True

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
        for order in orders:
            if order.client_order_id in self._numbers:
                self._take_state(self._numbers[order.client_order_id], order)
        for fill in fills:
            if fill.client_order_id in self._numbers:
                self._take_fill(self._numbers[fill.client_order_id], fill)
        for name in [name for name in self._seat.refused if name in self._numbers]:
            self._table[self._numbers[name], slots.STATUS] = slots.REJECTED

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
            name = self._seat.name(number)
            self._waiting.append(messages.CancelOrder(client_order_id=name, symbol=symbol))
        self.flush()

    # -- tables --------------------------------------------------------------------------------------------------------

    def _enter(self, now: int, side: int, price: int, size: int, tif: int, market: bool) -> int:
        number = self._begin(now)
        row = self._table[number]
        row[[slots.SIDE, slots.PRICE, slots.SIZE, slots.TIF]] = side, price, size, tif
        row[slots.MARKET], row[slots.STATUS] = int(market), slots.PENDING_NEW
        self._numbers[self._seat.name(number)] = number
        return number

    def _place(
        self,
        number: int,
        *,
        order_type: messages.OrderType,
        price: float | None,
        stop_price: float | None = None,
        trailing: float | None = None,
        time_in_force: str = "GTC",
        post_only: bool = False,
    ) -> None:
        row = self._table[number]
        command = messages.PlaceOrder(
            symbol=self._instrument.symbol,
            side="BUY" if row[slots.SIDE] > 0 else "SELL",
            order_type=order_type,
            quantity=float(self._instrument.size(int(row[slots.SIZE]))),
            client_order_id=self._seat.name(number),
            price=price,
            stop_price=stop_price,
            trailing=trailing,
            time_in_force=time_in_force,
            post_only=post_only,
        )
        self._waiting.append(command)

    def _take_state(self, number: int, told: messages.Order) -> None:
        row, status = self._table[number], _status(told)
        went_off = row[slots.TRIGGER] != 0 and told.reason.startswith("went off")
        if went_off and number not in self._went_off:
            self._went_off[number] = told.ts
        row[slots.STATUS], row[slots.FILLED] = status, self._instrument.lots(told.filled)
        row[slots.SIZE] = self._instrument.lots(told.quantity)
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

    def _is_passed(self, side: int, trigger: int) -> bool:
        """Whether a stop is on the wrong side of the best price, as the desk refuses it."""
        bid, bids, ask, asks = self._book.desk.touch.tolist()
        return bool(asks and trigger < ask) if side > 0 else bool(bids and trigger > bid)

    def _price(self, ticks: int) -> float:
        return float(self._instrument.price(ticks))


def _status(told: messages.Order) -> int:
    if told.status in slots.STATUS_NAMES:
        return slots.STATUS_NAMES.index(told.status)
    return slots.PARTIALLY_FILLED if told.filled else slots.NEW  # a change is under way


__all__ = ["LiveVenue", "Seat"]
