"""The venue of a paper desk: the matching engine behind two latencies.

Commands reach it the entry latency after they were sent, after the rows of that very time; answers come back
the response latency after they were given. The n-th command and the n-th answer have the delays that they have in a
backtest, and nothing overtakes what was sent before. A smaller size keeps the place in the queue; a larger one, or another price, is
a new arrival.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np

from workbench.events import Array
from workbench.trading import slots
from workbench.trading.latency import Latency
from workbench.trading.matcher import Matcher, Rows
from workbench.trading.order import Change, Order
from workbench.trading.states import OrderEvent
from workbench.trading.venue import Report

_E = OrderEvent
_TIFS: Final = {"IOC": slots.IOC, "FOK": slots.FOK}
_ENDS: Final = {
    slots.DONE_CANCELED: (_E.CANCELED, ""),
    slots.DONE_EXPIRED: (_E.EXPIRE, "NOT_FILLABLE: what could not be filled at once has ended"),
    slots.DONE_REJECTED: (_E.REJECT, "PRICE_OUTSIDE_BOOK: further from the market than the book reaches"),
    slots.CANCEL_REFUSED: (_E.CANCEL_REJECT, "too_late: it had ended when the cancel arrived"),
}
ENDED: Final = "STREAM_ENDED: it had not reached the venue when the last row came"
_POST_ONLY: Final = "POST_ONLY: it would have taken liquidity"


class _Way:
    """One direction: delays in their order, and again from the first."""

    def __init__(self, delays: Array):
        self._delays = delays.tolist()
        self._sent = self._last = 0

    def arrival(self, ts: int) -> int:
        """When arrives what is sent now, ns."""
        self._last = max(self._last, ts + self._delays[self._sent % len(self._delays)])
        self._sent += 1
        return int(self._last)


class _Command(NamedTuple):
    """One on its way to the venue."""

    arrives: int
    what: OrderEvent
    order: str
    carry_out: Callable[[int], None]


class PaperVenue:
    """A :class:`~workbench.trading.venue.Venue` of one instrument over a stream of rows.

    Parameters
    ----------
    matcher : Matcher
        Without latencies of its own.
    empty : Rows
        No rows, for time that passes without any.
    latency : Latency
    executions : int
        Executions that were made before, so that ids go on.
    """

    def __init__(self, matcher: Matcher, empty: Rows, latency: Latency, executions: int):
        self._matcher, self._empty = matcher, empty
        self._entry, self._response = _Way(latency.entry), _Way(latency.response)
        self._first = executions
        self._fills = 0
        self._commands: deque[_Command] = deque()
        self._answers: deque[tuple[int, Report]] = deque()
        self._names: dict[int, str] = {}
        self._numbers: dict[str, int] = {}
        self._resting: list[int] = []
        self._moving: set[str] = set()
        self._post_only: set[str] = set()
        self._closes = slots.NEVER

    def close_at(self, ts: int) -> None:
        """Let nothing reach the venue after a time (ns): what was recorded ends there."""
        self._closes = ts

    def cut(self, now: int) -> None:
        """The last row has come: orders and changes on their way never arrive, cancels do, and nothing takes time any more."""
        self._entry = _Way(np.zeros(1, np.int64))
        commands, self._commands = self._commands, deque()
        ending = {command.order for command in commands if command.what is _E.CANCEL}
        lost: set[str] = set()
        for command in commands:
            if command.what is _E.SUBMIT:
                lost.add(command.order)
                said = "" if command.order in ending else ENDED
                self._answer(now, Report(client_order_id=command.order, event=_E.CANCELED, reason=said))
            elif command.order in lost:
                pass
            elif command.what is _E.REPLACE:
                self._answer(
                    now, Report(client_order_id=command.order, event=_E.REPLACE_REJECT, reason=ENDED)
                )
            else:
                command.carry_out(now)
        self._response = _Way(np.zeros(1, np.int64))

    @property
    def matcher(self) -> Matcher:
        """The engine; for its book."""
        return self._matcher

    @property
    def due(self) -> int:
        """When the next command arrives or the next answer is known, ns."""
        arrives = self._commands[0].arrives if self._commands else slots.NEVER
        if arrives > self._closes:
            arrives = slots.NEVER
        known = self._answers[0][0] if self._answers else slots.NEVER
        return min(arrives, known)

    def resting(self) -> Iterator[tuple[int, int]]:
        """Side and price in ticks of what rests."""
        orders = self._matcher.orders
        for number in self._resting:
            yield int(orders[number, slots.SIDE]), int(orders[number, slots.PRICE])

    def submit(self, order: Order, now: int) -> list[Report]:
        """Send an order."""
        self._send(now, _E.SUBMIT, order, lambda at: self._enter(order, at))
        return []

    def cancel(self, order: Order, now: int) -> list[Report]:
        """Send a cancel."""
        self._send(now, _E.CANCEL, order, lambda at: self._withdraw(order.name, at))
        return []

    def replace(self, order: Order, change: Change, now: int) -> list[Report]:
        """Send a change."""
        self._send(now, _E.REPLACE, order, lambda at: self._change(order, change, at))
        return []

    def advance(self, rows: Rows, until: int) -> None:
        """Let rows happen; all of them have a ``ts`` of at most ``until``."""
        self._matcher.advance(rows, until)
        self._collect(until)

    def settle(self, now: int) -> Iterator[Report]:
        """Let everything arrive that is due by ``now``; what is reported may be answered with more."""
        while self.due <= now:
            while self._commands and self._commands[0].arrives <= min(now, self._closes):
                self._commands.popleft().carry_out(now)
            if self._answers and self._answers[0][0] <= now:
                yield self._answers.popleft()[1]

    # -- at the venue ----------------------------------------------------------------------------------------------

    def _send(self, now: int, what: OrderEvent, order: Order, carry_out: Callable[[int], None]) -> None:
        self._commands.append(_Command(self._entry.arrival(now), what, order.name, carry_out))

    def _enter(self, order: Order, at: int) -> None:
        self._arrive(order, order.lots - order.filled, order.limit, at)

    def _arrive(self, order: Order, lots: int, limit: int | None, at: int) -> None:
        terms = order.terms
        tif = slots.POST_ONLY if terms.post_only else _TIFS.get(terms.tif, slots.GTC)
        number = self._matcher.submit(at, terms.side, limit or 0, lots, tif, limit is None)
        self._names[number], self._numbers[order.name] = order.name, number
        self._resting.append(number)
        if terms.post_only:
            self._post_only.add(order.name)
        self.advance(self._empty, at)

    def _withdraw(self, name: str, at: int) -> None:
        self._matcher.withdraw(at, self._numbers[name])
        self.advance(self._empty, at)

    def _change(self, order: Order, change: Change, at: int) -> None:
        number = self._numbers[order.name]
        row = self._matcher.orders[number]
        if not row[slots.RESTING]:
            late = "too_late: it had ended when the change arrived"
            self._answer(at, Report(client_order_id=order.name, event=_E.REPLACE_REJECT, reason=late))
            return
        left, filled = int(row[slots.LEAVES]), self._filled(order.name, order.filled)
        wanted = change.lots - filled
        replaced = Report(client_order_id=order.name, event=_E.REPLACED)
        if change.limit == int(row[slots.PRICE]) and 0 < wanted <= left:
            self._matcher.shrink(number, left - wanted)
            self._answer(at, replaced)
            return
        self._moving.add(order.name)
        self._withdraw(order.name, at)
        self._moving.discard(order.name)
        self._answer(at, replaced)
        if wanted > 0:
            self._moving.add(order.name)  # its acceptance is the answer to the change
            self._arrive(order, wanted, change.limit, at)
            self._moving.discard(order.name)

    def _filled(self, name: str, known: int) -> int:
        """Lots of an order that are executed, with those whose report is on its way."""
        on_the_way = (r for _, r in self._answers if r.client_order_id == name and r.event is _E.FILL)
        return known + sum(report.lots for report in on_the_way)

    # -- and back --------------------------------------------------------------------------------------------------

    def _collect(self, now: int) -> None:
        for row in self._matcher.heard(now).tolist():
            at, what, number = row[slots.ARRIVES], row[slots.WHAT], row[slots.NUMBER]
            name = self._names[number]
            if what == slots.FILLED_PART:
                self._answer(at, self._fill(name, row))
            elif what == slots.ACKED:
                if name in self._moving:
                    self._response.arrival(
                        at
                    )  # the venue answers twice; the desk has heard of it with the change
                else:
                    self._answer(at, Report(client_order_id=name, event=_E.ACCEPT))
            elif what != slots.DONE_CANCELED or name not in self._moving:
                self._answer(at, self._end(name, what))
        orders = self._matcher.orders
        self._resting = [number for number in self._resting if orders[number, slots.RESTING]]

    def _fill(self, name: str, row: list[int]) -> Report:
        self._fills += 1
        return Report(
            client_order_id=name,
            event=_E.FILL,
            ticks=row[slots.ANSWER_PRICE],
            lots=row[slots.ANSWER_SIZE],
            execution_id=f"x{self._first + self._fills}",
            venue_ts=row[slots.ARRIVES],
            maker=bool(self._matcher.fills[self._fills - 1, slots.FILL_MAKER]),
        )

    def _end(self, name: str, what: int) -> Report:
        event, reason = _ENDS[what]
        if what == slots.DONE_EXPIRED and name in self._post_only:
            reason = _POST_ONLY
        return Report(client_order_id=name, event=event, reason=reason)

    def _answer(self, at: int, report: Report) -> None:
        self._answers.append((self._response.arrival(at), report))
