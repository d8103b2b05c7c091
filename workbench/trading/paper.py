"""Paper execution of one instrument: a desk, its account and the matching engine over one stream of rows.

A pure function of rows in stream order and of commands with times, cut into whatever pieces: live, replayed at any speed
and made again from a recording, the same rows and commands give the same journal, byte for byte.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable
from typing import Final

import numpy as np

from workbench.errors import WorkbenchError
from workbench.events import EventBatch
from workbench.trading import journal, paper_cuts, slots
from workbench.trading import paper_commands as ask
from workbench.trading.contracts import Contract
from workbench.trading.desk import Desk
from workbench.trading.journal import Record
from workbench.trading.matcher import Matcher, QueueModel
from workbench.trading.order import Order
from workbench.trading.paper_commands import PaperCommand, decode_command, encode_command
from workbench.trading.paper_terms import PaperTerms, encode_terms, read_terms
from workbench.trading.paper_venue import PaperVenue
from workbench.trading.rows import Rows

TICK_NS: Final = 100_000_000
"""Money, expiries and automatic halts are looked at so often, in the stream's own time."""
COMMAND: Final = "command"
TERMS: Final = "terms"
FINISHED: Final = "finished"

Outcome = Order | str
"""What a command led to: the order that was placed, or why it was refused (an empty text: it was not)."""
Listener = Callable[[Record, Order | None], None]


class _PaperDesk(Desk):
    listener: Listener | None = None

    def _on_record(self, record: Record) -> None:
        if self.listener is not None:
            self.listener(record, self.ledger.orders.get(getattr(record, "client_order_id", "")))


class Paper:
    """Paper execution of one instrument.

    Parameters
    ----------
    contract : Contract
    terms : PaperTerms
    now : int, ns
        Stream time at which it begins.
    records : iterable of Record, optional
        Journal of an earlier process, to go on from: its open orders have ended with it.
    listener : callable, optional
        ``listener(record, order)``: called for each new record, with the order that it is about as it then is.

    Attributes
    ----------
    desk : Desk
    late : int
        Rows that came after their time had been declared complete; they count at the next time.
    """

    def __init__(
        self,
        contract: Contract,
        terms: PaperTerms,
        now: int,
        records: Iterable[Record] = (),
        listener: Listener | None = None,
    ):
        self.terms, self.symbol, self.late = terms, contract.symbol, 0
        self._contract = contract
        self._listener = listener
        self._rows, self._next = Rows.of(EventBatch.empty()), 0
        self._until, self._numbers = now, itertools.count()
        self._is_finished = False
        self._tick, self._next_day = _tick_after(now), terms.trading_day.after(now)
        self._script: list[tuple[int, int, PaperCommand, Callable[[Outcome], object]]] = []
        self._begin(now, list(records))

    def _begin(self, now: int, records: list[Record]) -> None:
        executions = sum(isinstance(record, journal.Executed) for record in records)
        venue = self._venue = self._new_venue(executions)
        if records:
            contracts = {self.symbol: self._contract}
            self.desk = _PaperDesk.restart(venue, records, now, contracts, self.terms.limits)
            if self.terms.trading_day.after(_day_began(records)) <= now:
                self.desk.new_day(now)
            self._heed(records=len(records))
        else:
            contracts = {self.symbol: self._contract}
            self.desk = _PaperDesk(venue, contracts, self.terms.limits, cash=self.terms.cash, now=now)
            self._heed(records=0)
            self.desk.note(TERMS, encode_terms(self.terms), now)

    def _heed(self, records: int) -> None:
        desk = self.desk
        assert isinstance(desk, _PaperDesk)
        desk.listener = self._listener
        if self._listener is not None:
            for record in desk.journal[records:]:
                self._listener(record, desk.ledger.orders.get(getattr(record, "client_order_id", "")))

    def _new_venue(self, executions: int) -> PaperVenue:
        queue = QueueModel(self.terms.queue, unit=float(self._contract.lot_size))
        matcher = Matcher(queue, fills=self.terms.fills)
        return PaperVenue(matcher, _NO_ROWS, self.terms.latency, executions)

    @property
    def now(self) -> int:
        """Everything up to here has happened, ns."""
        return self._until

    @property
    def at_work(self) -> bool:
        """Whether orders are open or a position is held."""
        return bool(self.desk.ledger.live) or bool(self.desk.ledger.account.position(self.symbol).lots)

    @property
    def idle(self) -> bool:
        """Whether nothing is open and nothing is under way or waits for its time: money stays what it is."""
        return not self.at_work and not self._script and self._venue.due == slots.NEVER

    def take(self, batch: EventBatch) -> None:
        """Take in rows, in stream order; they happen when :meth:`advance` says that their time is complete."""
        new = Rows.of(batch)
        behind = new.ts <= self._until
        if behind.any():
            self.late += int(behind.sum())
            new = new._replace(ts=np.maximum(new.ts, self._until + 1))
        left = (column[self._next :] for column in self._rows)
        self._rows = Rows(*map(np.concatenate, zip(left, new, strict=True)))
        self._next = 0

    def open(self, batch: EventBatch) -> None:
        """Take in the book as it is now: rows whose time has passed already."""
        self._venue.advance(Rows.of(batch), self._until)
        if len(batch):
            self._see(int(batch.ts[-1]))

    def schedule(
        self, command: PaperCommand, ts: int, done: Callable[[Outcome], object] = lambda _: None
    ) -> None:
        """Carry out a command after all rows of a time; one that has passed is now.

        Parameters
        ----------
        command : PaperCommand
        ts : int, ns
        done : callable, optional
            Called with what it led to.
        """
        heapq.heappush(self._script, (max(ts, self._until), next(self._numbers), command, done))

    def forget(self, client_order_id: str) -> None:
        """Drop commands of an order whose time has not come."""
        kept = [entry for entry in self._script if _order_of(entry[2]) != client_order_id]
        heapq.heapify(kept)
        self._script = kept

    def advance(self, until: int) -> None:
        """Let everything happen up to a time.

        Parameters
        ----------
        until : int, ns
            No row of this time or before will come any more.
        """
        until = max(until, self._until)
        while True:
            stop = min(self._next_stop(), until)
            self._happen(stop)
            self._until = stop
            if stop == until and self._venue.due > until and not self._is_scripted(until):
                return

    def end(self, ts: int) -> None:
        """Let everything happen up to the end of what was recorded, and hear what the venue has answered by then.

        Parameters
        ----------
        ts : int, ns
            Of the last row: nothing reaches the venue later, and nothing falls due.
        """
        self._venue.close_at(ts)
        self.advance(ts)
        while (known := self._venue.due) < slots.NEVER:
            self._until = known
            self._settle(known)

    def finish(self) -> None:
        """The stream has ended, and stands still: nothing is under way any more.

        Orders and changes that had not reached the venue never do (``STREAM_ENDED``), cancels do; what the venue had answered
        is heard at its time. What is asked for from now on takes no time and meets the book as it stood last.
        """
        if self._is_finished:
            return
        self._is_finished = True
        self.desk.note(FINISHED, "", self._until)
        self._venue.cut(self._until)
        while (known := self._venue.due) < slots.NEVER:
            self._until = max(known, self._until)
            self._settle(self._until)

    def move(self, now: int, opening: EventBatch) -> None:
        """Go to another time with another book; nothing may be at work.

        Raises
        ------
        WorkbenchError
            Orders are open, or a position is held (code ``at_work``).
        """
        if self.at_work:
            raise WorkbenchError(
                f"orders or a position of {self.symbol!r} are open",
                expected="a flat paper account, when time is moved",
                action="Flatten it first",
                code="at_work",
            )
        self._venue = self._new_venue(len(self.desk.ledger.executions))
        self.desk.venue = self._venue
        self.desk.markets.clear()
        self._rows, self._next = Rows.of(EventBatch.empty()), 0
        self._until, self._tick = now, _tick_after(now)
        self._next_day, self._is_finished = self.terms.trading_day.after(now), False
        self.open(opening)

    # -- what happens ----------------------------------------------------------------------------------------------

    def _next_stop(self) -> int:
        """When something may happen next that the desk must see at its own time."""
        stop = min(self._venue.due, self._next_day, self._script[0][0] if self._script else slots.NEVER)
        ledger = self.desk.ledger
        if ledger.live or self.at_work or ledger.rejects:
            held = [order for order in ledger.open_orders() if order.held]
            cut = paper_cuts.next_cut(self._rows, self._next, self._venue.resting(), held)
            stop = min(stop, self._tick, cut, self._deadline() or slots.NEVER)
        return max(stop, self._until)

    def _deadline(self) -> int | None:
        ends = (order.terms.expires for order in self.desk.ledger.open_orders())
        return min((end for end in ends if end is not None and end > self._until), default=None)

    def _happen(self, stop: int) -> None:
        passed = self._pass_rows(stop)
        self._settle(stop)
        if len(passed.ts) and any(order.held for order in self.desk.ledger.open_orders()):
            self._set_off_stops(passed, stop)
        if self._next_day <= stop:
            self._next_day = self.terms.trading_day.after(stop)
            self.desk.new_day(stop)
        deadline = self._deadline()
        if self._tick <= stop or (deadline is not None and deadline <= stop):
            self._tick = _tick_after(stop)
            self.desk.on_time(stop)
            self._settle(stop)
        while self._is_scripted(stop):
            _, _, command, done = heapq.heappop(self._script)
            outcome = self._carry_out(command, stop)
            self._settle(stop)
            self.desk.on_time(stop)
            self._settle(stop)
            done(outcome)

    def _pass_rows(self, stop: int) -> Rows:
        first, self._next = self._next, int(np.searchsorted(self._rows.ts, stop, "right"))
        passed = Rows(*(column[first : self._next] for column in self._rows))
        self._venue.advance(passed, stop)
        if len(passed.ts):
            self._see(int(passed.ts[-1]))
        return passed

    def _see(self, ts: int) -> None:
        matcher = self._venue.matcher
        if not matcher.known:
            self.desk.gap(self.symbol, ts)
            return
        bid, bids, ask_price, asks = matcher.desk.touch.tolist()
        self.desk.market(self.symbol, ts, bid=bid if bids else None, ask=ask_price if asks else None)

    def _set_off_stops(self, passed: Rows, stop: int) -> None:
        for ticks in paper_cuts.prints(passed, stop):
            self.desk.traded(self.symbol, stop, ticks)
            self._settle(stop)

    def _settle(self, now: int) -> None:
        for report in self._venue.settle(now):
            self.desk.report(report, now)

    def _is_scripted(self, until: int) -> bool:
        return bool(self._script) and self._script[0][0] <= until

    def _carry_out(self, command: PaperCommand, now: int) -> Outcome:
        desk = self.desk
        desk.note(COMMAND, encode_command(command), now)
        match command:
            case ask.Place():
                return desk.place(command.terms, now, command.clicked)
            case ask.Cancel():
                return desk.cancel(command.client_order_id, now, command.reason)
            case ask.Replace(name, lots, limit, stop):
                return desk.replace(name, now, lots=lots, limit=limit, stop=stop)
            case ask.CancelEvery():
                desk.cancel_all(now, reason=command.reason)
            case ask.Flatten():
                desk.flatten(now)
            case ask.Halt():
                desk.panic(now, command.reason)
            case ask.Reduce():
                desk.reduce(now, command.reason)
            case ask.Resume():
                desk.resume(now)
        return ""


def rerun(contract: Contract, records: list[Record], batches: Iterable[EventBatch], until: int) -> Paper:
    """Make a paper run again, from its journal's commands and the recorded rows: it has the same journal.

    Parameters
    ----------
    contract : Contract
    records : list of Record
        Journal of the run, made by one process in one go.
    batches : iterable of EventBatch
        Recorded rows, from before its first order.
    until : int, ns
        Where it ends.

    Returns
    -------
    Paper
        ``journal.encode(paper.desk.journal) == journal.encode(records)``.
    """
    noted = [record for record in records if isinstance(record, journal.Noted)]
    terms = next((read_terms(record.reason) for record in noted if record.what == TERMS), PaperTerms())
    began = records[0].ts
    paper = Paper(contract, terms, began)
    asked = [record for record in noted if record.what in (COMMAND, FINISHED)]
    end = next((at for at, record in enumerate(asked) if record.what == FINISHED), len(asked))
    for record in asked[:end]:
        paper.schedule(decode_command(record.reason), record.ts)
    for batch in batches:
        before = int(np.searchsorted(batch.ts, began, "right"))
        paper.open(batch[:before])
        if before < len(batch):
            paper.take(batch[before:])
            paper.advance(min(int(batch.ts[-1]) - 1, until))
    if end < len(asked):
        paper.advance(asked[end].ts)
        paper.finish()
    for record in asked[end + 1 :]:
        paper.schedule(decode_command(record.reason), record.ts)
        paper.advance(record.ts)
    paper.advance(until)
    return paper


def _order_of(command: PaperCommand) -> str:
    match command:
        case ask.Place():
            return command.terms.client_order_id
        case ask.Cancel() | ask.Replace():
            return command.client_order_id
    return ""


_NO_ROWS: Final = Rows.of(EventBatch.empty())


def _day_began(records: list[Record]) -> int:
    """Time from which the last loss of a day was measured."""
    return max(
        record.ts
        for record in records
        if isinstance(record, journal.Opened) or (isinstance(record, journal.Measured) and record.new_day)
    )


def _tick_after(now: int) -> int:
    return (now // TICK_NS + 1) * TICK_NS
