"""How the desk carries out what was decided: writing down, talking to the venue, following up reports."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

import msgspec

from workbench.trading import groups, journal, risk
from workbench.trading.journal import Record
from workbench.trading.ledger import Ledger, fold
from workbench.trading.limits import TradingState
from workbench.trading.order import MAX_UNDER_WAY, Change, Order
from workbench.trading.risk import Market
from workbench.trading.states import OrderEvent, OrderStatus
from workbench.trading.terms import Terms
from workbench.trading.venue import Report, Venue

_E, _S = OrderEvent, OrderStatus
"""Changes of one order under way at once."""
EXPIRED: Final = "EXPIRED: its time is over"


class DeskWork:
    """Everything of :class:`workbench.trading.desk.Desk` that no one calls from outside; attributes as there."""

    def _begin(self, venue: Venue, records: Iterable[Record]) -> None:
        self.venue, self.journal = venue, list(records)
        self.ledger: Ledger = fold(self.journal)
        self.markets: dict[str, Market] = {}
        self._inbox: deque[Report] = deque()
        self._busy = False
        self._armed: dict[
            str, None
        ] = {}  # stops that have gone off and wait for the other half of their pair
        self._mismatch: dict[str, int] = {}
        self._leaving: set[str] = set()  # orders that a flattening has asked to be taken back
        self._expiring: set[str] = set()  # orders that are taken back as their time is over

    def cancel_all(self, now: int, symbol: str | None = None, reason: str = "CANCEL_ALL") -> None:
        """Take back every order, of one symbol or of all."""
        self._on_entry(now)
        for order in self.ledger.open_orders(symbol):
            if order.open and order.status is not _S.PENDING_CANCEL:
                self._cancel(order, reason, now)

    def panic(self, now: int, reason: str = "panic") -> None:
        """Halt: cancel everything, and refuse everything until :meth:`resume`, also after a restart."""
        self._switch(TradingState.HALTED, reason, now)
        self.cancel_all(now, reason=f"TRADING_HALTED: {reason}")

    def note(self, what: str, text: str, now: int) -> None:
        """Keep a text in the journal that changes nothing."""
        self._write(journal.Noted(now, what, reason=text))

    def _write(self, record: Record) -> None:
        self.ledger.apply(record)
        self.journal.append(record)
        self._on_record(record)

    def _on_record(self, record: Record) -> None:
        """What follows each record, while the state is what it made of it; for desks that tell others."""

    def _on_entry(self, now: int) -> None:
        """Take back what is over by now."""
        self._expire(now, now)

    def _expire(self, until: int, now: int) -> None:
        for order in self.ledger.open_orders():
            end = order.terms.expires
            if end is not None and end <= until and order.open and order.status is not _S.PENDING_CANCEL:
                self._expiring.add(order.name)
                self._cancel(order, EXPIRED, now)

    def _enter(self, terms: Terms, now: int, refused: str) -> Order:
        self._write(journal.Placed(now, terms))
        order, name = self.ledger.orders[terms.client_order_id], terms.client_order_id
        if refused:
            self._write(journal.Moved(now, name, _E.DENY, refused))
            return order
        self._write(journal.Moved(now, name, _E.SUBMIT))
        if order.held:
            self._write(journal.Moved(now, name, _E.TRIGGER))
        else:
            self._receive(self.venue.submit(order, now), now)
        return order

    def _change(self, order: Order, change: Change, reason: str, now: int, *, own: bool = False) -> None:
        if order.status is _S.SUSPENDED:
            self._write(journal.Changed(now, order.name, change, asked=False, reason=reason))
            return
        self._write(journal.Asked(now, order.name, change, own))
        self._receive(self.venue.replace(order, change, now), now)

    def _cancel(self, order: Order, reason: str, now: int) -> None:
        if order.held or order.name in self._armed:
            self._end_here(order, reason, now)
            return
        self._write(journal.Moved(now, order.name, _E.CANCEL, reason))
        self._receive(self.venue.cancel(order, now), now)

    def _end_here(self, order: Order, reason: str, now: int) -> None:
        self._armed.pop(order.name, None)
        if order.status is _S.INITIALIZED:  # its process ended between two lines of the journal
            self._write(journal.Moved(now, order.name, _E.DENY, reason))
            return
        if reason != EXPIRED and order.status is not _S.PENDING_CANCEL:
            self._write(journal.Moved(now, order.name, _E.CANCEL, reason))
        event = _E.EXPIRE if reason == EXPIRED else _E.CANCELED
        self._write(journal.Moved(now, order.name, event, reason))

    def _switch(self, state: TradingState, reason: str, now: int) -> None:
        if state is not self.ledger.switch:
            self._write(journal.Switched(now, state, reason))
            for symbol in self.ledger.account.contracts if state is TradingState.REDUCING else ():
                self._keep_to_exits(symbol, now)

    # -- stops ------------------------------------------------------------------------------------------------------

    def _follow_price(self, order: Order, last: int, now: int) -> None:
        side, stop, trail = order.terms.side, order.stop, order.terms.trail
        if stop is None or not order.open:
            return
        if (last - stop) * side >= 0:
            price = self.ledger.account.contracts[order.terms.symbol].price_text(2 * last)
            self._write(journal.Moved(now, order.name, _E.TRIGGER, f"went off at {price}"))
            self._armed[order.name] = None
            self._release(order, now)
        elif trail is not None and (steps := (stop - (last + side * trail)) * side // order.terms.step) > 0:
            moved = Change(order.lots, order.limit, stop - side * steps * order.terms.step)
            price = self.ledger.account.contracts[order.terms.symbol].price_text(2 * last)
            self._write(journal.Changed(now, order.name, moved, asked=False, reason=f"trails {price}"))

    def _release(self, order: Order, now: int) -> None:
        """Send a stop that has gone off, once the other half of its pair is out of the way."""
        mates = [mate for mate in groups.others(self.ledger, order) if mate.open]
        for mate in mates:
            if mate.status is not _S.PENDING_CANCEL and mate.open:
                self._cancel(mate, f"OCO: {order.name} went off", now)
        if order.name not in self._armed or any(mate.open for mate in mates):
            return
        del self._armed[order.name]
        terms = order.terms
        lots = groups.targets(self.ledger, terms.symbol).get(order.name, order.lots)
        useless = "" if lots > order.filled else "REDUCED: nothing is left for it to do"
        crosses = risk.crossing_refusal(self.ledger, terms.symbol, terms.side, order.limit)
        if useless or crosses:
            self._end_here(order, useless or crosses, now)
        else:
            if lots != order.lots:
                sized = Change(lots, order.limit, order.stop)
                self._write(
                    journal.Changed(now, order.name, sized, asked=False, reason=f"REDUCED: {lots} lots")
                )
            self._receive(self.venue.submit(order, now), now)

    # -- reports ----------------------------------------------------------------------------------------------------

    def _receive(self, reports: Iterable[Report], now: int) -> None:
        """Take in reports one after another, also those that come while one is being followed up."""
        self._inbox.extend(reports)
        if self._busy:
            return
        self._busy = True
        try:
            while self._inbox:
                self._take(self._inbox.popleft(), now)
        finally:
            self._busy = False

    def _take(self, report: Report, now: int) -> None:
        order = self.ledger.orders.get(report.client_order_id)
        if order is None:
            self._odd(report, "unknown_order", now)
        elif report.event is _E.FILL:
            self._take_fill(order, report, now)
        else:
            self._take_answer(order, report, now)

    def _take_answer(self, order: Order, report: Report, now: int) -> None:
        event, name = report.event, order.name
        if event is _E.REPLACED and order.asked:
            self._write(journal.Changed(now, name, order.asked[0], asked=True, reason=_why(order, report)))
        elif order.open and (event is _E.CANCELED or (event is _E.REJECT and not order.can(event))):
            if not order.can(_E.CANCELED):
                self._write(journal.Moved(now, name, _E.CANCEL, report.reason))
            over = order.status is _S.PENDING_CANCEL and name in self._expiring
            said = report.reason or (EXPIRED if over else order.reason)
            self._write(journal.Moved(now, name, _E.EXPIRE if over else _E.CANCELED, said))
        elif event is _E.ACCEPT and order.status in {_S.PENDING_REPLACE, _S.NEW}:
            if not order.accepted:
                self._write(journal.Moved(now, name, event, _why(order, report)))
        elif event is _E.REPLACED or not order.can(event):
            self._odd(report, f"illegal_transition: {event} while {order.status}", now)
            return
        else:
            self._write(journal.Moved(now, name, event, _why(order, report)))
        self._follow_up(order, now)

    def _take_fill(self, order: Order, report: Report, now: int) -> None:
        odd = _fill_fault(self.ledger, order, report)
        if odd:
            self._odd(report, odd, now)
            return
        contract = self.ledger.account.contracts[order.terms.symbol]
        fee = contract.fee(report.ticks, report.lots, maker=report.maker)
        self._write(
            journal.Executed(
                now,
                order.name,
                report.execution_id,
                report.ticks,
                report.lots,
                report.maker,
                fee,
                report.venue_ts,
            )
        )
        if self.ledger.switch is not TradingState.HALTED and order.name not in self._leaving:
            for terms in list(groups.children(self.ledger, order, report.ticks)):
                self._enter(
                    terms, now, risk.crossing_refusal(self.ledger, terms.symbol, terms.side, terms.limit)
                )
        self._follow_up(order, now)
        self._watch_money(now)

    def _follow_up(self, order: Order, now: int) -> None:
        """Resize what depends on an order, and send what waited for it."""
        for name, lots in groups.targets(self.ledger, order.terms.symbol).items():
            other = self.ledger.orders[name]
            if not other.open or other.status is _S.PENDING_CANCEL:
                continue
            if lots <= other.filled:
                self._cancel(other, "REDUCED: nothing is left for it to do", now)
            elif name not in self._armed and len(other.asked) < MAX_UNDER_WAY:
                sized = msgspec.structs.replace(other.newest, lots=lots)
                self._change(other, sized, f"REDUCED: {lots} lots", now, own=True)
        for name in list(self._armed):
            waiting = self.ledger.orders[name]
            if order in groups.others(self.ledger, waiting) and not order.open:
                self._release(waiting, now)
        if self.ledger.switch is TradingState.REDUCING:
            self._keep_to_exits(order.terms.symbol, now)
        if order.name in self._leaving:
            self._close_out(order.terms.symbol, now)
            if not order.open:
                self._leaving.discard(order.name)

    def _close_out(self, symbol: str, now: int) -> None:
        """Close at market what is held beyond what is being closed already."""
        held = self.ledger.account.position(symbol).lots
        side = -1 if held > 0 else 1
        closing = (o for o in self.ledger.open_orders(symbol) if groups.closes(o) and o.terms.side == side)
        lots = abs(held) - sum(order.leaves for order in closing)
        if lots > 0:
            name = self._free_name("flatten")
            terms = Terms(
                client_order_id=name,
                symbol=symbol,
                side=side,
                lots=lots,
                order_type="MARKET",
                reduce_only=True,
            )
            self._enter(terms, now, "")

    def _free_name(self, word: str) -> str:
        number = len(self.ledger.orders)
        while f"{word}-{number}" in self.ledger.orders:
            number += 1
        return f"{word}-{number}"

    def _keep_to_exits(self, symbol: str, now: int) -> None:
        """Take back what could make the position larger, or turn it: the oldest exits stay."""
        held = self.ledger.account.position(symbol).lots
        room, reason = abs(held), f"TRADING_REDUCING: {self.ledger.reason}"
        for order in list(self.ledger.open_orders(symbol)):
            if order.terms.reduce_only or order.status is _S.PENDING_CANCEL or not order.open:
                continue
            lots = abs(order.exposed())
            if held * order.terms.side < 0 and lots <= room:
                room -= lots
            else:
                self._cancel(order, reason, now)

    def _odd(self, report: Report, what: str, now: int) -> None:
        """Keep a report that cannot be true; one that would have moved money halts."""
        self._write(journal.Noted(now, "odd_report", report.client_order_id, what))
        if (
            report.event is _E.FILL
            and not what.startswith("duplicate")
            and self.ledger.switch is not TradingState.HALTED
        ):
            self.panic(now, f"odd report of the venue, {what}")

    def marks(self) -> dict[str, int]:
        """Twice the mid of each instrument, ticks."""
        return {s: half for s, m in self.markets.items() if (half := m.half_ticks) is not None}

    def _watch_money(self, now: int) -> None:
        equity = self.ledger.account.equity(self.marks())
        if equity > self.ledger.highest:
            self._write(journal.Measured(now, str(equity), new_day=False))
        lost = risk.loss(self.ledger, self.marks())
        if lost and self.ledger.switch is TradingState.ACTIVE:
            self._switch(TradingState.REDUCING, lost, now)


def _why(order: Order, report: Report) -> str:
    """What is said of an answer; why an order is taken back stays said while answers cross its cancel."""
    crosses = order.status is _S.PENDING_CANCEL and report.event is not _E.CANCEL_REJECT
    return (crosses and order.reason) or report.reason


def _fill_fault(ledger: Ledger, order: Order, report: Report) -> str:
    if report.execution_id in ledger.executions:
        return f"duplicate execution {report.execution_id!r}"
    if not order.can(_E.FILL) or order.held:
        return f"late_fill: while {order.status}"
    if not 0 < report.lots <= order.leaves:
        return f"overfill: {report.lots} lots, {order.leaves} left"
    limits = [order.limit, *(change.limit for change in order.asked)]
    known = [limit for limit in limits if limit is not None]
    if known and all((report.ticks - limit) * order.terms.side > 0 for limit in known):
        return f"beyond_limit: {report.ticks} ticks, limit {order.limit}"
    return ""
