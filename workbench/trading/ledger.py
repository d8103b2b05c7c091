"""The ledger: the whole state of the desk, changed by records of its journal and by nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Final

import msgspec

from workbench.errors import WorkbenchError
from workbench.trading import journal
from workbench.trading.account import Account
from workbench.trading.journal import Record
from workbench.trading.limits import REJECTS_WITHIN_NS, SECOND_NS, Limits, TradingState
from workbench.trading.order import Change, Order
from workbench.trading.states import BACK_TO_REST, STRICT, OrderEvent, OrderStatus
from workbench.trading.terms import Terms

_S, _E = OrderStatus, OrderEvent
MINUTE_NS: Final = 60 * SECOND_NS


class Ledger(msgspec.Struct):
    """Orders, account, bounds and switch of a desk: what its journal adds up to.

    Attributes
    ----------
    orders : dict of str to Order
        By name, oldest first.
    live : list of str
        Names of those that may still trade; most of a long day's may not.
    groups : dict of str to list of str
        Names by group.
    executions : set of str
        Ids of all executions that were counted.
    sent : list of int, ns
        Orders and changes within the last minute, but for those of brackets.
    rejects : list of int, ns
        Rejects within the last ten seconds.
    peak, day_start : str
        Equity that bounds are measured from; exact fractions as text.
    """

    limits: Limits
    account: Account
    orders: dict[str, Order] = {}
    live: list[str] = []
    groups: dict[str, list[str]] = {}
    executions: set[str] = set()
    switch: TradingState = TradingState.ACTIVE
    reason: str = ""
    sent: list[int] = []
    rejects: list[int] = []
    peak: str = "0"
    day_start: str = "0"

    @property
    def highest(self) -> Fraction:
        """Highest equity so far, currency."""
        return Fraction(self.peak)

    def open_orders(self, symbol: str | None = None) -> list[Order]:
        """Orders that may still trade, oldest first."""
        open_ones = (self.orders[name] for name in self.live)
        return [order for order in open_ones if symbol in (None, order.terms.symbol)]

    def mates(self, terms: Terms) -> list[Order]:
        """Members of the one-cancels-other group or bracket that such terms belong to; open or not, oldest first."""
        return [self.orders[name] for name in self.groups.get(_group(terms), ())] if terms.oco else []

    def exits(self, parent: Order) -> list[Order]:
        """Orders that the bracket of an order has placed so far, open or not."""
        names = self.groups.get(_group_name(parent.terms.symbol, parent.name, parent.name), ())
        return [self.orders[name] for name in names]

    def apply(self, record: Record) -> None:
        """Take in what happened.

        Raises
        ------
        WorkbenchError
            A step that the table of states does not have, an execution beyond the size or counted before
            (code ``illegal_transition``): the record was not written by a desk.
        """
        match record:
            case journal.Placed():
                self._begin(record.terms, record.ts)
            case journal.Moved():
                self._move(record)
            case journal.Asked():
                order = self.orders[record.client_order_id]
                if not order.terms.parent and not record.own:
                    self._count_sent(record.ts)
                order.asked = [*order.asked, record.change]
                self._step(order, _E.REPLACE, record.ts, "")
            case journal.Changed():
                self._change(record)
            case journal.Executed():
                self._execute(record)
            case journal.Continued():
                self.limits = record.limits
                self.account.contracts.update(record.contracts)
            case journal.Switched():
                self.switch, self.reason = record.state, record.reason
                self.rejects = []
            case journal.Measured():
                self.peak = record.equity if Fraction(record.equity) > Fraction(self.peak) else self.peak
                self.day_start = record.equity if record.new_day else self.day_start
            case _:
                pass

    def snapshot(self) -> bytes:
        """The whole state; equal states have equal bytes."""
        return msgspec.json.encode(self, order="deterministic")

    @staticmethod
    def restore(snapshot: bytes) -> Ledger:
        """Inverse of :meth:`snapshot`; orders come in the order they were placed in."""
        ledger = msgspec.json.decode(snapshot, type=Ledger)
        ledger.orders = dict(sorted(ledger.orders.items(), key=lambda item: item[1].number))
        return ledger

    def _begin(self, terms: Terms, ts: int) -> None:
        name = terms.client_order_id
        self.orders[name] = Order.of(terms, ts, len(self.orders))
        self.live.append(name)
        if terms.oco:
            mates = self.groups.setdefault(_group(terms), [])
            if not terms.parent and not any(self.orders[mate].open for mate in mates):
                mates.clear()  # all of them have ended: the name begins another group
            mates.append(name)

    def _move(self, record: journal.Moved) -> None:
        order, event = self.orders[record.client_order_id], record.event
        if event is _E.SUBMIT and not order.terms.parent:
            self._count_sent(record.ts)
        if event is _E.REJECT:
            self.rejects = [*(t for t in self.rejects if record.ts - t < REJECTS_WITHIN_NS), record.ts]
        if event is _E.TRIGGER and order.status is _S.SUSPENDED:
            order.triggered = order.accepted = True
        if event is _E.ACCEPT:
            order.accepted = True
            if order.status in {_S.PENDING_REPLACE, _S.NEW}:
                return  # it crossed a change on its way, or is a stop that was NEW before the venue had it
        if event is _E.REPLACE_REJECT:
            order.asked = order.asked[1:]
        self._step(order, event, record.ts, record.reason)
        if order.asked and order.can(_E.REPLACE) and event is _E.REPLACE_REJECT:
            self._step(order, _E.REPLACE, record.ts, record.reason)

    def _change(self, record: journal.Changed) -> None:
        order = self.orders[record.client_order_id]
        _set(order, record.change)
        if record.asked:
            order.asked = order.asked[1:]
            self._step(order, _E.REPLACED, record.ts, record.reason)
            if order.asked and order.can(_E.REPLACE):
                self._step(order, _E.REPLACE, record.ts, record.reason)
        elif order.filled >= order.lots:
            raise _illegal(order, "a change in place down to what is filled")
        else:
            order.changed = record.ts

    def _execute(self, record: journal.Executed) -> None:
        order = self.orders[record.client_order_id]
        if not 0 < record.lots <= order.lots - order.filled or record.execution_id in self.executions:
            raise _illegal(order, f"execution {record.execution_id!r} of {record.lots} lots")
        self.executions.add(record.execution_id)
        order.accepted = True
        order.filled += record.lots
        order.value += record.ticks * record.lots
        order.low = min(order.low or record.ticks, record.ticks)
        order.high = max(order.high, record.ticks)
        self._step(order, _E.FULL_FILL if order.filled == order.lots else _E.FILL, record.ts, order.reason)
        self.account.fill(order.terms.symbol, order.terms.side * record.lots, record.ticks, record.fee)

    def _step(self, order: Order, event: OrderEvent, ts: int, reason: str) -> None:
        following = (
            order.rests if (order.status, event) in BACK_TO_REST else STRICT.get((order.status, event))
        )
        if following is None:
            raise _illegal(order, event)
        order.status, order.changed, order.reason = following, ts, reason
        if not order.open:
            order.asked = []
            if order.name in self.live:
                self.live.remove(order.name)

    def _count_sent(self, ts: int) -> None:
        self.sent = [*(t for t in self.sent if ts - t < MINUTE_NS), ts]


def fold(records: Iterable[Record]) -> Ledger:
    """State that a journal adds up to.

    Parameters
    ----------
    records : iterable of Record
        The first one is :class:`~workbench.trading.journal.Opened`.

    Raises
    ------
    WorkbenchError
        Another first record (code ``bad_journal``), or one that cannot follow (``illegal_transition``).
    """
    rest = iter(records)
    first = next(rest, None)
    if not isinstance(first, journal.Opened):
        raise WorkbenchError(
            f"the journal begins with {type(first).__name__}", expected="Opened", code="bad_journal"
        )
    account = Account(dict(first.contracts), first.cash)
    ledger = Ledger(first.limits, account, peak=first.cash, day_start=first.cash)
    for record in rest:
        ledger.apply(record)
    return ledger


def _group(terms: Terms) -> str:
    return _group_name(terms.symbol, terms.oco, terms.parent)


def _group_name(symbol: str, oco: str, parent: str) -> str:
    return f"{symbol}\n{oco}\n{parent}"


def _set(order: Order, change: Change) -> None:
    order.lots, order.limit, order.stop = max(change.lots, order.filled), change.limit, change.stop


def _illegal(order: Order, what: str) -> WorkbenchError:
    return WorkbenchError(
        f"{what} of order {order.name!r} that is {order.status}",
        expected="a step of the table of states",
        code="illegal_transition",
        client_order_id=order.name,
    )
