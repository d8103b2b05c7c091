"""Strategies in plain Python: an object whose methods are called as time goes on."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from workbench.errors import WorkbenchError
from workbench.events import EventBatch, EventKind, Instrument
from workbench.flow.days import TradingDay
from workbench.frames.moments import Moment
from workbench.lab.asked_order import LASTING, TIFS, time_in_force, whole
from workbench.lab.passage import Passage
from workbench.lab.seen import Exits, SeenFill, SeenTrade
from workbench.trading import slots
from workbench.trading.matcher import Matcher
from workbench.trading.order import MAX_UNDER_WAY
from workbench.trading.rows import Rows
from workbench.trading.strategies import size_at

if TYPE_CHECKING:
    from workbench.lab.desk_venue import DeskVenue
    from workbench.lab.schedule import Schedule

_ENDED = {slots.STATUS_NAMES[s] for s in (slots.FULLY_FILLED, slots.CANCELED, slots.EXPIRED, slots.REJECTED)}
_CANCELING = slots.STATUS_NAMES[slots.PENDING_CANCEL]
_size_at: Callable[[slots.Desk, int, int], int] = getattr(
    size_at, "py_func", size_at
)  # no compiler for one number


class PlainDesk:
    """What a plain strategy sees and does; prices and sizes in real units.

    Parameters
    ----------
    matcher : Matcher, DeskVenue or LiveVenue
    instrument : Instrument
    day : TradingDay, optional
        When ``DAY`` orders end; None: whoever gets them knows.
    """

    def __init__(self, matcher: Matcher | DeskVenue, instrument: Instrument, day: TradingDay | None = None):
        self._matcher = matcher
        self._tick, self._lot = instrument.tick_size, instrument.lot_size
        self.instrument = instrument
        self.now = 0
        self._told = 0
        self._day = day
        self._ends: list[tuple[int, int]] = []

    @property
    def venue(self) -> Matcher | DeskVenue:
        """Where its orders go, in ticks and lots."""
        return self._matcher

    @property
    def best_bid(self) -> float | None:
        """Best bid, None where the book is empty or not known."""
        price, size = self._matcher.desk.touch[:2].tolist()
        return self._price(price) if size else None

    @property
    def best_ask(self) -> float | None:
        """Best ask, None where the book is empty or not known."""
        price, size = self._matcher.desk.touch[2:].tolist()
        return self._price(price) if size else None

    @property
    def bid_size(self) -> float:
        """Size at the best bid, 0 without one."""
        return self._size(self._matcher.desk.touch[1])

    @property
    def ask_size(self) -> float:
        """Size at the best ask, 0 without one."""
        return self._size(self._matcher.desk.touch[3])

    @property
    def mid(self) -> float | None:
        """Between the best prices, None without one of them."""
        bid, ask = self.best_bid, self.best_ask
        return None if bid is None or ask is None else (bid + ask) / 2

    def size_at(self, side: int, price: float) -> float:
        """Size that stands at a price, side +1 bids or −1 asks.

        Raises
        ------
        WorkbenchError
            A price off the grid.
        """
        return self._size(_size_at(self._matcher.desk, side, self._ticks(price, "price")))

    @property
    def position(self) -> float:
        """What is held, as far as answers have arrived."""
        return self._size(self._matcher.count(slots.POSITION))

    @property
    def orders(self) -> dict[int, str]:
        """Status of every order that was sent, by number."""
        column = self._matcher.orders[:, slots.STATUS]
        return {number: slots.STATUS_NAMES[status] for number, status in enumerate(column.tolist())}

    @property
    def open_orders(self) -> dict[int, str]:
        """Status of every order that may still be filled, by number."""
        return {number: status for number, status in self.orders.items() if status not in _ENDED}

    def buy(
        self,
        size: float,
        limit: float | None = None,
        tif: str = "GTC",
        *,
        stop: float | None = None,
        trailing: float | None = None,
        expires: Moment | str | None = None,
        **exits: Unpack[Exits],
    ) -> int:
        """Send an order to buy, at the market without a limit; its number.

        Parameters
        ----------
        size : float
        limit : float, optional
        tif : str, optional
            ``"GTC"``, ``"POST_ONLY"``, ``"IOC"``, ``"FOK"``, ``"DAY"`` or ``"GTD"``; a stop waits, and is neither of the
            middle three.
        stop : float, optional
            The order waits here for a print at this price or beyond, and is then sent. Where the best price has passed it
            already, the order is ``"REJECTED"``.
        trailing : float, optional
            Distance at which the stop follows prints, never back; without ``stop`` it begins so far from the best price.
        expires : int (ns), datetime or str, optional
            When the desk takes the order back: it is ``"GTD"`` then, or ``"DAY"`` with another end than that of the day.
        **exits
            What the paper desk alone does, see :class:`Exits`: in :func:`workbench.paper_backtest`, and live on paper.

        Raises
        ------
        WorkbenchError
            Values off the grid; a stop that cannot wait, a trailing one with a limit, or without any price to
            begin at; an end that is over; exits in a backtest without a desk.
        """
        return self._send(1, size, limit, tif, stop, trailing, expires, exits)

    def sell(
        self,
        size: float,
        limit: float | None = None,
        tif: str = "GTC",
        *,
        stop: float | None = None,
        trailing: float | None = None,
        expires: Moment | str | None = None,
        **exits: Unpack[Exits],
    ) -> int:
        """Send an order to sell; see :meth:`buy`."""
        return self._send(-1, size, limit, tif, stop, trailing, expires, exits)

    def cancel(self, order: int) -> bool:
        """Ask for the end of an order; whether there was anything to ask for."""
        return self._knows(order) and self._matcher.cancel(self.now, order)

    def modify(
        self,
        order: int,
        *,
        limit: float | None = None,
        size: float | None = None,
        stop: float | None = None,
    ) -> bool:
        """Ask for another limit, whole size, or stop while it waits; whether there was anything to ask for.

        A smaller size at the same limit keeps its place in the queue; everything else is a new arrival. A stop that waits
        changes at once. What is not named stays as it is, or as a change under way will make it. The size is never less than
        what is filled, and a third change is not sent while two are under way.
        """
        if not self._knows(order):
            return False
        row = self._matcher.orders[order]
        waits = row[slots.STATUS] == slots.SUSPENDED
        if not waits and (stop is not None or row[slots.STATUS] not in (slots.NEW, slots.PARTIALLY_FILLED)):
            return False
        price = None if limit is None else self._ticks(limit, "price")
        lots = None if size is None else self._lots(size)
        trigger = 0 if stop is None else self._ticks(stop, "stop")
        wanted = self._matcher.newest(order)[1] if lots is None else lots
        if wanted < row[slots.FILLED] or row[slots.UNDER_WAY] >= MAX_UNDER_WAY:
            return False
        return self._matcher.modify(self.now, order, price, lots, trigger)

    def _price(self, ticks: int) -> float:
        return float(self.instrument.price(ticks))

    def _size(self, lots: int) -> float:
        return float(self.instrument.size(lots))

    def _ticks(self, price: float, what: str) -> int:
        return whole(price, self._tick, what)

    def _lots(self, size: float) -> int:
        lots = whole(size, self._lot, "size")
        if lots < 1:
            raise WorkbenchError(f"size {size}", expected=f"{self._lot} or more")
        return lots

    def _knows(self, order: int) -> bool:
        """Whether there is an order of this number."""
        if isinstance(order, bool) or not isinstance(order, int | np.integer):
            raise WorkbenchError(f"order {order!r:.60}", expected="a number that buy() or sell() gave")
        return 0 <= order < len(self._matcher.orders)

    def _send(
        self,
        side: int,
        size: float,
        limit: float | None,
        tif: str,
        stop: float | None,
        trailing: float | None,
        expires: Moment | str | None,
        exits: Exits,
    ) -> int:
        tif, end = time_in_force(tif, expires, self.now, self._day)
        lots, price = self._lots(size), None if limit is None else self._ticks(limit, "price")
        waits = stop is not None or trailing is not None
        trail, trigger = self._wait(side, limit, tif, stop, trailing) if waits else (0, 0)
        told: dict[str, Any] = dict(exits)
        if hasattr(self._matcher, "enter") and end is not None:
            told["expires"] = end
        if told:
            return self._depend(side, lots, price, TIFS[tif], trigger, trail, told)
        if waits:
            number = self._matcher.stop(
                self.now, side, lots, trigger, limit=price, trail=trail, tif=TIFS[tif]
            )
        else:
            number = self._matcher.submit(self.now, side, price or 0, lots, TIFS[tif], price is None)
        if end is not None:
            heapq.heappush(self._ends, (end, number))
        return number

    def _wait(
        self, side: int, limit: float | None, tif: str, stop: float | None, trailing: float | None
    ) -> tuple[int, int]:
        """Trail (0: none) and trigger of a stop, ticks."""
        if tif not in LASTING:
            raise WorkbenchError(f"a stop that is {tif}", expected=f"one of {', '.join(LASTING)}: it waits")
        if trailing is None:
            if limit is not None:
                self._trigger(limit, "limit of a stop")
            return 0, self._trigger(stop)
        if limit is not None:
            raise WorkbenchError("a trailing stop with a limit", expected="one of both")
        trail = self._trigger(trailing, "trailing")
        return trail, self._best(side) + side * trail if stop is None else self._trigger(stop)

    def _depend(
        self,
        side: int,
        lots: int,
        limit: int | None,
        tif: int,
        trigger: int,
        trail: int,
        told: dict[str, Any],
    ) -> int:
        """An order that the paper desk alone knows."""
        enter = getattr(self._matcher, "enter", None)
        if enter is None:
            raise WorkbenchError(
                f"an order with {', '.join(told)} in a backtest without a desk",
                expected="limit, tif, stop or trailing",
                action="Run it with wb.paper_backtest(strategy, x)",
            )
        told["trailing"] = told.pop("trails", False)
        for what in ("take_profit", "stop_loss"):
            if what in told:
                told[what] = self._trigger(told[what], what)
        return int(enter(self.now, side, lots, limit, tif, trigger, trail, told))

    def exits(self, order: int) -> dict[str, int]:
        """Numbers of an order's ``take_profit`` and ``stop_loss``, as far as they were placed; see :class:`Exits`."""
        found = getattr(self._matcher, "exits_of", None)
        return {} if found is None else dict(found(order))

    def _trigger(self, price: float | None, what: str = "stop") -> int:
        ticks = self._ticks(price or 0, what)
        if ticks < 1:
            raise WorkbenchError(f"{what} {price}", expected=f"{self._tick} or more")
        return ticks

    def _best(self, side: int) -> int:
        bid, bids, ask, asks = self._matcher.desk.touch.tolist()
        best, there = (ask, asks) if side > 0 else (bid, bids)
        if not there:
            raise WorkbenchError(
                "a trailing stop while no best price is known",
                expected="stop=… or a quoted market",
                action="Say where it begins with stop=…",
            )
        return int(best)

    def leave(self) -> bool:
        """Take back what works, then close the position at market; whether anything is left to do."""
        for number, status in (working := self.open_orders).items():
            if status != _CANCELING:
                self.cancel(number)
        held = self.position
        if not working and held and (self.best_bid if held > 0 else self.best_ask) is not None:
            (self.sell if held > 0 else self.buy)(abs(held))
        return bool(working or held)

    def run(
        self,
        strategy: Any,
        rows: Rows,
        interval_ns: int,
        view: Rows | None,
        events: EventBatch,
        schedule: Schedule | None = None,
    ) -> None:
        """Go through the rows, a step at a time.

        ``view`` are the rows as they are seen, where that is later; ``events`` the same as they were recorded, one for each.
        Out of schedule the desk leaves the market, and the strategy hears of what came with its next step.
        """
        seen = rows if view is None else view
        if not len(rows.ts):
            return
        touch, begin = self._matcher.desk.touch.copy(), min(int(rows.ts[0]), int(seen.ts[0]))
        end, told, passage = max(int(rows.ts[-1]), int(seen.ts[-1])), 0, Passage(self._matcher, rows, view)
        for step in range(begin + interval_ns, end, interval_ns):
            self._let_end(passage, step)
            passage.to(step)
            self._matcher.hear(step)
            self.now = step
            if schedule is not None and not schedule.acts(step):
                self.leave()
                continue
            changed = not np.array_equal(touch, self._matcher.desk.touch)
            touch[:] = self._matcher.desk.touch
            new = Rows(*(column[told : passage.seen] for column in seen))
            self.tell(strategy, new, changed, events[told : passage.seen])
            told = passage.seen
        self._let_end(passage, end)
        passage.rest(end - 1)

    def _let_end(self, passage: Passage, until: int) -> None:
        """Take back orders whose time comes by ``until``, each at its own."""
        while self._ends and self._ends[0][0] <= until:
            end, number = heapq.heappop(self._ends)
            passage.to(end)
            self._matcher.hear(end)
            self._matcher.expire(end, number)  # type: ignore[union-attr]  # a desk has no ends of ours

    def tell(self, strategy: Any, rows: Rows, changed: bool, events: EventBatch) -> None:
        """Let a strategy know what came since its last step, and act."""
        self._matcher.desk.counters[slots.STEPS] += 1
        if len(events) and (on_events := getattr(strategy, "on_events", None)):
            on_events(self, events)
        if on_trade := getattr(strategy, "on_trade", None):
            for i in np.flatnonzero(rows.kind == EventKind.TRADE).tolist():
                price, size = self._price(rows.price[i]), self._size(rows.size[i])
                on_trade(self, SeenTrade(int(rows.ts[i]), price, size, int(rows.side[i])))
        on_fill, fills = getattr(strategy, "on_fill", None), self._matcher.fills
        while self._told < len(fills) and fills[self._told, slots.FILL_KNOWN] <= self.now:
            row = fills[self._told].tolist()
            self._told += 1
            if on_fill:
                price, size = self._price(row[slots.FILL_PRICE]), self._size(row[slots.FILL_SIZE])
                on_fill(
                    self,
                    SeenFill(row[slots.FILL_TS], row[slots.FILL_ORDER], row[slots.FILL_SIDE], price, size, bool(row[slots.FILL_MAKER])),
                )  # fmt: skip
        if changed and (on_book := getattr(strategy, "on_book", None)):
            on_book(self)
        if on_timer := getattr(strategy, "on_timer", None):
            on_timer(self)


__all__ = ["PlainDesk"]
