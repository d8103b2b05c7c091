"""The desk: takes commands, decides, talks to a venue, and writes down everything.

No clock, no thread, no socket: every method takes ``now``. Whatever changes the state is a record of the journal, so the
state is always what the journal adds up to. Refusals are orders that are ``DENIED`` with a reason, never exceptions.

Stops wait here, not at the venue: they go off by a trade at or through their price, and reach the venue as market or
limit orders. Before the one half of a one-cancels-other pair goes to the venue, the other half is taken back there and
its answer awaited, so that never both are executed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

import msgspec

from workbench.errors import WorkbenchError
from workbench.frames.moments import iso_text
from workbench.trading import groups, journal, risk
from workbench.trading.contracts import Contract
from workbench.trading.desk_work import DeskWork
from workbench.trading.journal import Record
from workbench.trading.limits import REJECTS_WITHIN_NS, SECOND_NS, Limits, TradingState
from workbench.trading.order import MAX_UNDER_WAY, Change, Order
from workbench.trading.risk import Market
from workbench.trading.states import OrderEvent, OrderStatus
from workbench.trading.terms import Terms, fault, price_fault, quantity_fault
from workbench.trading.venue import Report, Venue

_E, _S = OrderEvent, OrderStatus


class Desk(DeskWork):
    """Orders, account and risk of one trader.

    Parameters
    ----------
    venue : Venue
    contracts : Mapping of str to Contract
    limits : Limits, optional
    cash : str, optional
        Money at the beginning, an exact decimal.
    now : int, ns

    Attributes
    ----------
    journal : list of Record
        Everything so far, in order.
    ledger : Ledger
        What it adds up to: ``fold(desk.journal)`` is equal to it.
    markets : dict of str to Market
    """

    def __init__(
        self,
        venue: Venue,
        contracts: Mapping[str, Contract],
        limits: Limits | None = None,
        *,
        cash: str = "0",
        now: int,
    ):
        first = journal.Opened(now, dict(contracts), limits or Limits(), cash)
        self._begin(venue, [first])

    @classmethod
    def restart(
        cls,
        venue: Venue,
        records: Iterable[Record],
        now: int,
        contracts: Mapping[str, Contract] | None = None,
        limits: Limits | None = None,
    ) -> Desk:
        """Go on after a process has ended: orders that were open ended with it, the switch stands where it stood.

        Other fees of ``contracts`` and other ``limits`` than the journal's count from now on.

        Raises
        ------
        WorkbenchError
            A contract on another grid, with another multiplier or settled otherwise: what is kept would mean something
            else (code ``other_contract``).
        """
        desk = cls.__new__(cls)
        desk._begin(venue, records)
        kept = desk.ledger.account.contracts
        contracts, limits = contracts or kept, limits or desk.ledger.limits
        for symbol, contract in contracts.items():
            if symbol in kept and contract.kind != kept[symbol].kind:
                raise _other_contract(kept[symbol], contract)
        if dict(contracts) != kept or limits != desk.ledger.limits:
            desk._write(journal.Continued(now, dict(contracts), limits))
        for order in desk.ledger.open_orders():
            desk._end_here(order, "RESTARTED: its process has ended", now)
        return desk

    # -- commands ---------------------------------------------------------------------------------------------------

    def place(self, terms: Terms, now: int, clicked: int | None = None) -> Order:
        """Place an order; the same terms again are the same order, and nothing happens.

        Parameters
        ----------
        terms : Terms
        now : int, ns
        clicked : int, ns, optional
            When a person asked.

        Returns
        -------
        Order
            ``DENIED`` with a reason if it was refused. Terms that are no order, and names of other orders, are refused
            without being kept.
        """
        self._on_entry(now)
        known = self._known(terms)
        if known is not None and known.terms == terms:
            return known
        wrong = fault(terms, now) or self._unknown(terms)
        if known is not None:
            wrong = (
                f"DUPLICATE_ID_DIFFERENT_ORDER: {terms.client_order_id!r} is another order, {known.status}"
            )
        if wrong:
            self._write(journal.Noted(now, "refused", reason=wrong))
            return _denied(terms, wrong, now)
        market = self.markets.get(terms.symbol)
        return self._enter(terms, now, risk.refusal(self.ledger, market, terms, now, clicked))

    def cancel(self, client_order_id: str, now: int, reason: str = "") -> str:
        """Take an order back; returns why that is not possible, or an empty text. Asked twice, it is asked once."""
        self._on_entry(now)
        order = self.ledger.orders.get(client_order_id)
        late = _too_late(order, client_order_id)
        if late or order is None:
            self._write(journal.Noted(now, "cancel_refused", reason=late))
        elif order.status is not _S.PENDING_CANCEL:
            self._cancel(order, reason, now)
        return late

    def replace(
        self,
        client_order_id: str,
        now: int,
        *,
        lots: int | None = None,
        limit: int | None = None,
        stop: int | None = None,
    ) -> str:
        """Ask for another size or price; returns why that is refused, or an empty text. The order keeps what it has till then.

        Parameters
        ----------
        client_order_id : str
        now : int, ns
        lots : int, optional
            The whole size, with what is filled.
        limit, stop : int, ticks, optional

        Notes
        -----
        What is not named is what the newest change under way makes it, else what it is.
        """
        self._on_entry(now)
        order = self.ledger.orders.get(client_order_id)
        why = _too_late(order, client_order_id)
        if order is not None and not why:
            newest = order.newest
            change = Change(
                newest.lots if lots is None else lots,
                newest.limit if limit is None else limit,
                newest.stop if stop is None else stop,
            )
            why = self._change_refusal(order, change, now)
            if not why:
                self._change(order, change, "", now)
        if why:
            self._write(journal.Noted(now, "replace_refused", "" if order is None else order.name, why))
        return why

    # -- the switch -------------------------------------------------------------------------------------------------

    def reduce(self, now: int, reason: str = "asked for") -> None:
        """Allow only what makes positions smaller."""
        self._switch(TradingState.REDUCING, reason, now)

    def resume(self, now: int) -> None:
        """Allow trading again; nothing else ever does."""
        self._switch(TradingState.ACTIVE, "", now)

    def flatten(self, now: int) -> None:
        """Cancel everything and close every position at market, whatever the switch says.

        What is executed while its cancel is on its way is closed as well. Asked twice, it closes once.
        """
        self._on_entry(now)
        for order in list(self.ledger.open_orders()):
            if order.open and order.status is not _S.PENDING_CANCEL and not groups.closes(order):
                self._cancel(order, "FLATTEN", now)
        self._leaving |= {o.name for o in self.ledger.open_orders() if not groups.closes(o)}
        for symbol in list(self.ledger.account.positions):
            self._close_out(symbol, now)

    # -- what happens -----------------------------------------------------------------------------------------------

    def market(
        self,
        symbol: str,
        now: int,
        *,
        bid: int | None = None,
        ask: int | None = None,
        last: int | None = None,
    ) -> None:
        """Take in the market after a moment: best prices in ticks, and the price of a trade if there was one.

        Several trades of one moment are several calls: each may set off stops and pull trailing ones along.
        It comes before the end of an order at that very time.
        """
        self._expire(now - 1, now)
        known = self.markets.get(symbol)
        self.markets[symbol] = Market(now, bid, ask, None if known is None else known.last)
        if last is not None:
            self.traded(symbol, now, last)

    def traded(self, symbol: str, now: int, last: int) -> None:
        """Take in a trade at ``last`` ticks: stops go off. It tells nothing of the book: a gap in that stays one."""
        self._expire(now - 1, now)
        known = self.markets.setdefault(symbol, Market(now))
        known.ts, known.last = now, last
        for order in self.ledger.open_orders(symbol):
            if order.status is _S.SUSPENDED:
                self._follow_price(order, last, now)

    def gap(self, symbol: str, now: int) -> None:
        """Take in that events were lost: nothing new goes until the market is told again."""
        known = self.markets.setdefault(symbol, Market(now))
        known.gap_since = now if known.gap_since is None else known.gap_since

    def compare(self, symbol: str, lots: int, now: int) -> None:
        """Take in a position as another party counts it."""
        if lots == self.ledger.account.position(symbol).lots:
            self._mismatch.pop(symbol, None)
        else:
            self._mismatch.setdefault(symbol, now)

    def report(self, report: Report, now: int) -> None:
        """Take in what the venue says."""
        self._receive([report], now)

    def on_time(self, now: int) -> None:
        """Do what is due: expire orders, measure equity, halt where a rule says so."""
        self._on_entry(now)
        self._watch_money(now)
        reason = self._halt_reason(now)
        if reason and self.ledger.switch is not TradingState.HALTED:
            self.panic(now, reason)

    def new_day(self, now: int) -> None:
        """Begin a day: its loss is measured from here."""
        self._write(journal.Measured(now, str(self.equity()), new_day=True))

    def deadline(self) -> int | None:
        """When the next order expires, ns."""
        ends = (order.terms.expires for order in self.ledger.open_orders())
        return min((end for end in ends if end is not None), default=None)

    def equity(self) -> Fraction:
        """Money if all were closed at the mids; an exact fraction."""
        return self.ledger.account.equity(self.marks())

    def _known(self, terms: Terms) -> Order | None:
        name: object = terms.client_order_id
        return self.ledger.orders.get(name) if isinstance(name, str) else None

    def _unknown(self, terms: Terms) -> str:
        have = self.ledger.account.contracts
        return (
            "" if terms.symbol in have else f"UNKNOWN_INSTRUMENT: {terms.symbol!r:.80}; have {sorted(have)}"
        )

    def _change_refusal(self, order: Order, change: Change, now: int) -> str:
        wrong = quantity_fault(change.lots)
        for what, new, old in (("price", change.limit, order.limit), ("stop_price", change.stop, order.stop)):
            if new is not None and old is None:
                wrong = wrong or f"{what.upper()}_NOT_ALLOWED: a {order.terms.order_type} order has none"
            wrong = wrong or (price_fault(what, new) if new is not None else "")
        if wrong:
            return wrong
        if change.lots < order.filled or (order.held and change.lots == order.filled):
            return f"QUANTITY_BELOW_FILLED: {change.lots} lots, {order.filled} are filled"
        if order.name in self._armed or not order.can(_E.REPLACE) or len(order.asked) >= MAX_UNDER_WAY:
            return f"CHANGE_UNDER_WAY: the order is {order.status}"
        if order.terms.parent and change.lots != order.newest.lots:
            return f"EXIT_SIZE: exits are as large as what {order.terms.parent!r} has filled, {order.newest.lots} lots"
        held = (
            change if order.held else msgspec.structs.replace(change, stop=None)
        )  # one that went off has none
        wanted = _with(order.terms, held)
        return risk.change_refusal(self.ledger, self.markets.get(wanted.symbol), order, wanted, now)

    def _halt_reason(self, now: int) -> str:
        limits, rejects = self.ledger.limits, self.ledger.rejects
        recent = sum(0 <= now - ts < REJECTS_WITHIN_NS for ts in rejects)
        if limits.rejects is not None and recent >= limits.rejects:
            return f"{recent} rejects within {REJECTS_WITHIN_NS // SECOND_NS} s"
        for symbol, market in self.markets.items():
            since, bound = market.gap_since, limits.gap_ns
            if (
                since is not None
                and bound is not None
                and now - since > bound
                and self.ledger.open_orders(symbol)
            ):
                return f"a gap of {(now - since) / SECOND_NS:.1f} s in {symbol!r} with open orders"
        for symbol, since in self._mismatch.items():
            if limits.mismatch_ns is not None and now - since > limits.mismatch_ns:
                return f"position of {symbol!r} is reported otherwise for {(now - since) / SECOND_NS:.1f} s"
        return ""


def _other_contract(kept: Contract, asked: Contract) -> WorkbenchError:
    names = ("tick_size", "lot_size", "multiplier", "inverse")
    other = [name for name in names if getattr(kept, name) != getattr(asked, name)]
    return WorkbenchError(
        f"{asked.symbol!r} with {', '.join(f'{name} {getattr(asked, name)}' for name in other)}",
        expected=f"{', '.join(f'{name} {getattr(kept, name)}' for name in other)}, as the account was kept",
        action="Name another account: PaperTerms(account=…)",
        code="other_contract",
    )


def _too_late(order: Order | None, name: str) -> str:
    if order is None:
        return f"UNKNOWN_ORDER: {name!r:.40}"
    return "" if order.open else f"too_late: {order.status} since {iso_text(order.changed)}"


def _with(terms: Terms, change: Change) -> Terms:
    return msgspec.structs.replace(terms, lots=change.lots, limit=change.limit, stop=change.stop)


def _denied(terms: Terms, reason: str, now: int) -> Order:
    order = Order.of(terms, now, -1)
    order.status, order.reason = _S.DENIED, reason
    return order
