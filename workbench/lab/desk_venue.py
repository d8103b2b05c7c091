"""The live paper desk as a plain strategy sees the matching engine of a backtest: the same calls, the same tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from workbench.events import EventBatch
from workbench.lab.venue_tables import TIFS, VenueTables, exits_among
from workbench.trading import slots
from workbench.trading.contracts import Contract
from workbench.trading.journal import Executed, Moved, Record
from workbench.trading.order import Order
from workbench.trading.paper import Outcome, Paper
from workbench.trading.paper_commands import Cancel, PaperCommand, Place, Replace
from workbench.trading.paper_terms import PaperTerms
from workbench.trading.paper_venue import PaperVenue
from workbench.trading.rows import Rows
from workbench.trading.states import OrderEvent, OrderStatus
from workbench.trading.terms import Terms

_NAMES: Final = {OrderStatus.DENIED: "REJECTED", OrderStatus.INITIALIZED: "PENDING_NEW"}


class DeskVenue(VenueTables):
    """Tables of orders and fills that a paper desk's journal adds up to.

    Parameters
    ----------
    contract : Contract
    terms : PaperTerms
    batch : EventBatch
        All rows; they are handed over as time goes on.

    Attributes
    ----------
    paper : Paper
    names, reasons : list of str
        Of each order its name at the desk, and what was last said of it.

    Notes
    -----
    What a step asks for is carried out at its time and seen at the next one. Exits that a bracket places are orders with
    numbers of their own.
    """

    def __init__(self, contract: Contract, terms: PaperTerms, batch: EventBatch):
        super().__init__()
        first = int(batch.ts[0]) if len(batch) else 0
        self._symbol, self._batch, self._row = contract.symbol, batch, 0
        self.names: list[str] = []
        self._numbers: dict[str, int] = {}
        self.reasons: list[str] = []
        self.paper = Paper(contract, terms, first - 1, listener=self._hear)

    # -- what a plain desk asks, as of a Matcher ---------------------------------------------------------------------

    @property
    def desk(self) -> slots.Desk:
        """The book as the strategy sees it."""
        return cast(PaperVenue, self.paper.desk.venue).matcher.desk

    def count(self, slot: int) -> int:
        """The position in lots, and steps that were taken; 0 for what only an engine counts."""
        if slot == slots.STEPS:
            return int(self.desk.counters[slots.STEPS])
        account = self.paper.desk.ledger.account
        return account.position(self._symbol).lots if slot == slots.POSITION else 0

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
        """Place an order with everything that the desk knows; its number."""
        number = self._name(now)
        if trail:
            kind = "TRAILING_STOP"
        elif trigger:
            kind = "STOP_LIMIT" if limit is not None else "STOP"
        else:
            kind = "MARKET" if limit is None else "LIMIT"
        told: dict[str, Any] = {
            "client_order_id": self.names[number],
            "symbol": self._symbol,
            "side": side,
            "lots": size,
            "order_type": kind,
            "limit": limit,
            "stop": trigger or None,
            "trail": trail or None,
            "tif": TIFS[tif],
            "post_only": tif == slots.POST_ONLY,
        }
        terms = Terms(**told, **exits)
        self._show(number, Order.of(terms, now, -1))
        if trigger:
            self._hold(number, now)
        self._ask(now, Place(terms), number)
        return number

    def cancel(self, now: int, number: int) -> bool:
        """Ask for the end of an order; whether there was anything to ask for."""
        if not self._take_back(number, now):
            return False
        self._ask(now, Cancel(self.names[number]))
        return True

    def modify(self, now: int, number: int, price: int | None, size: int | None, trigger: int = 0) -> bool:
        """Ask for another price (ticks), whole size (lots) or trigger; a stop that waits has them at once."""
        if not self._adjust(number, price, size, trigger):
            return False
        limit = None if self._table[number, slots.MARKET] else price
        self._ask(now, Replace(self.names[number], size, limit, trigger or None))
        return True

    def advance(self, rows: Rows, until: int, view: Rows | None = None) -> None:
        """Let the next rows happen, as many as these, and everything up to a time."""
        end = self._row + len(rows.ts)
        self.paper.take(self._batch[self._row : end])
        self._row = end
        self.paper.advance(until)

    def hear(self, now: int) -> None:
        """Nothing: what is known is in the tables."""

    # -- what a backtest does ------------------------------------------------------------------------------------------

    def finish(self) -> None:
        """Let the last row happen, and hear what the venue has answered by then."""
        self.paper.end(int(self._batch.ts[-1]) if len(self._batch) else 0)

    def exits_of(self, number: int) -> dict[str, int]:
        """Numbers of an order's take profit and stop loss, as far as they were placed."""
        return exits_among(self._numbers, self.names[number])

    # -- tables --------------------------------------------------------------------------------------------------------

    def _name(self, now: int, name: str = "") -> int:
        number = self._begin(now)
        self.names.append(name or f"s{number}")
        self.reasons.append("")
        self._numbers[self.names[number]] = number
        return number

    def _ask(self, now: int, command: PaperCommand, number: int = -1) -> None:
        def done(outcome: Outcome) -> None:
            if isinstance(outcome, Order) and outcome.number < 0:
                self._show(number, outcome)

        self.paper.schedule(command, now, done)

    def _hear(self, record: Record, order: Order | None) -> None:
        if order is None:
            return
        if order.name not in self._numbers:
            self._name(record.ts, order.name)
        number = self._numbers[order.name]
        if isinstance(record, Executed):
            self._note_fill(
                number,
                order.terms.side,
                ticks=record.ticks,
                lots=record.lots,
                maker=record.maker,
                happened=record.venue_ts,
                known=record.ts,
            )
        elif isinstance(record, Moved) and record.event is OrderEvent.TRIGGER and order.triggered:
            self._went_off.setdefault(number, record.ts)
        self._show(number, order)

    def _show(self, number: int, order: Order) -> None:
        row, terms = self._table[number], order.terms
        row[slots.SIDE], row[slots.SIZE], row[slots.FILLED] = terms.side, order.lots, order.filled
        row[slots.PRICE], row[slots.MARKET] = order.limit or 0, int(order.limit is None)
        row[slots.TRIGGER], row[slots.TRAIL] = order.stop or 0, terms.trail or 0
        row[slots.TIF] = slots.POST_ONLY if terms.post_only else _TIF_SLOTS[terms.tif]
        row[slots.STATUS] = _status(order)
        self._answered(number, len(order.asked))
        # what is answered to an order that has ended does not end it again
        row[slots.CLOSED] = 0 if order.open else row[slots.CLOSED] or order.changed
        self.reasons[number] = order.reason


_TIF_SLOTS: Final = {name: slot for slot, name in enumerate(slots.TIF_NAMES)}


def _status(order: Order) -> int:
    if order.status is OrderStatus.PENDING_REPLACE:  # as who is told of the order alone sees it, live
        return slots.PARTIALLY_FILLED if order.filled else slots.NEW
    return slots.STATUS_NAMES.index(_NAMES.get(order.status, str(order.status)))


__all__ = ["DeskVenue"]
