"""Paper execution beside a stream: a desk for each instrument, its file, and what is told of it.

Without a thread or a clock of its own: whoever owns the stream hands in rows and says how far time is complete.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from workbench.errors import EngineError, WorkbenchError
from workbench.events import EventBatch, Instrument
from workbench.feeds import paper_messages as words
from workbench.feeds.account_lock import AccountLock
from workbench.feeds.paper_file import FOLDER, PaperFile
from workbench.feeds.paper_money import AccountMoney
from workbench.flow.days import TradingDay
from workbench.protocol import messages
from workbench.trading import journal
from workbench.trading import paper_commands as wanted
from workbench.trading.journal import Record
from workbench.trading.limits import TradingState
from workbench.trading.order import Order
from workbench.trading.paper import Outcome, Paper
from workbench.trading.paper_terms import PaperTerms
from workbench.trading.slots import NEVER

MARK_NS: Final = 250_000_000
"""Positions are valued anew so often while they are open, in the stream's own time."""
STATES: Final = journal.Placed | journal.Moved | journal.Asked | journal.Changed | journal.Executed

_log = logging.getLogger("workbench.feeds.engine")

Answer = Future[messages.Message]
Tell = Callable[[messages.AccountMessage], object]


class PaperFloor:
    """Paper desks of all instruments of a stream.

    Parameters
    ----------
    terms : PaperTerms
    instrument_of : callable
        The instrument of a symbol.
    tell : callable
        Takes what is news of the account.
    folder : Path, optional
        Where the account is kept; default: nowhere.
    often : bool, optional
        Value positions every 250 ms of the stream however far it goes at a time; default: once each time at most.

    Raises
    ------
    EngineError
        Another engine works on this account (code ``account_in_use``).

    Attributes
    ----------
    papers : dict of str to Paper
        Desks of the instruments that something was heard of.
    files : dict of str to PaperFile
        Where they are kept. One that cannot be written any more is left out, and its desk halted.
    """

    def __init__(
        self,
        terms: PaperTerms,
        instrument_of: Callable[[str], Instrument],
        tell: Tell,
        folder: Path | None = None,
        *,
        often: bool = False,
    ):
        self._often = often
        self.terms, self.papers = terms, dict[str, Paper]()
        self._instrument_of, self._tell, self._folder = instrument_of, tell, folder
        self.files: dict[str, PaperFile] = {}
        self._lock = None if folder is None else AccountLock(terms.account, folder / FOLDER)
        self._new: dict[str, list[Record]] = {}
        self._told: list[messages.AccountMessage] = []
        self._answers: list[tuple[Answer, messages.Message | WorkbenchError]] = []
        bound = terms.daily_loss is not None or terms.drawdown is not None
        self._money = AccountMoney(terms) if bound else None
        self._marked: dict[str, int] = {}
        self._is_moved: set[str] = set()

    @property
    def at_work(self) -> bool:
        """Whether orders are open or positions are held."""
        return any(paper.at_work for paper in self.papers.values())

    def take(self, symbol: str, batch: EventBatch) -> None:
        """Take in rows of an instrument."""
        if not len(batch):
            return
        before = int(batch.ts[0]) - 1
        if symbol not in self.papers:
            self._open(symbol, before)
        elif symbol in self._is_moved:
            self._is_moved.discard(symbol)
            self.papers[symbol].move(before, EventBatch.empty())
        self.papers[symbol].take(batch)

    def advance(self, until: Mapping[str, int]) -> None:
        """Let everything happen up to the times that are complete, by instrument, and tell of it."""
        going = {s: ts for s, ts in until.items() if s in self.papers and s not in self._is_moved}
        if self._money is not None and going:
            self._go_together(self._money, list(going), min(going.values()))
        for symbol, ts in going.items():
            for stop in self._stops(self.papers[symbol], ts) if self._money is None else ():
                self.papers[symbol].advance(stop)
                self._mark(symbol, self.papers[symbol])
            self._mark(symbol, self.papers[symbol])
        self._flush()

    def finish(self) -> None:
        """The stream has ended where everything was advanced to; until it is moved, nothing is under way any more."""
        for symbol, paper in self.papers.items():
            if symbol not in self._is_moved:
                paper.finish()
                self._mark(symbol, paper)
        self._flush()

    @contextmanager
    def moving(self) -> Iterator[None]:
        """The stream goes on from another time; from its own where moving it fails.

        Raises
        ------
        WorkbenchError
            Orders or a position are open (code ``at_work``): nothing was done.
        """
        for symbol, paper in self.papers.items():
            if paper.at_work:
                raise EngineError(
                    f"paper orders or a position of {symbol!r} are open",
                    action="Flatten them before time is moved: s.orders.flatten()",
                    code="at_work",
                )
        self._is_moved = set(self.papers)
        try:
            yield
        except BaseException:
            self._is_moved.clear()  # what was asked for meanwhile is carried out with what comes next
            raise

    def ask(self, symbol: str, command: messages.Command, ts: int, age_ns: int | None = None) -> Answer:
        """Carry out a command once everything up to a time has happened.

        Parameters
        ----------
        symbol : str
        command : message
        ts : int, ns
            Stream time of the command.
        age_ns : int, ns, optional
            How long ago a person asked.

        Notes
        -----
        One that names a later time (``at``) is done as soon as it is kept; what became of it is told when it is carried out.

        Returns
        -------
        Future
            Done with the answer when it was carried out and written down.
        """
        answer: Answer = Future()
        paper, later = self.papers.get(symbol), getattr(command, "at", None)
        is_later = later is not None and later > ts
        ts = later if later is not None and is_later else ts
        try:
            if paper is None:
                raise EngineError(
                    f"STALE_BOOK: nothing was heard of {symbol!r} yet", code="stale_book", symbol=symbol
                )
            asked = _wanted(command, self._instrument_of(symbol), ts, age_ns, self.terms.trading_day)
        except WorkbenchError as problem:
            answer.set_exception(problem)
            return answer
        if is_later:
            paper.schedule(asked, ts, lambda outcome: self._reply(symbol, command, outcome))
            answer.set_result(messages.Done())
            return answer
        paper.schedule(
            asked, ts, lambda outcome: self._answers.append((answer, self._reply(symbol, command, outcome)))
        )
        return answer

    def addressed(self, command: messages.Command, have: Sequence[str]) -> list[str]:
        """Instruments that a command is for.

        Raises
        ------
        EngineError
            It names none, or one that is not there.
        """
        symbol, name = getattr(command, "symbol", ""), getattr(command, "client_order_id", "")
        if symbol and symbol not in have:
            raise EngineError(f"unknown instrument {symbol!r}; have {list(have)}", code="unknown_instrument")
        if symbol:
            return [symbol]
        if isinstance(command, messages.CancelAll | messages.Disarm | messages.Arm):
            return list(self.papers)
        named = [s for s, paper in self.papers.items() if name in paper.desk.ledger.orders]
        if len(named) != 1:
            raise EngineError(
                f"{command.__struct_config__.tag} names no instrument",
                expected=f"symbol: one of {list(have)}",
                code="bad_value",
            )
        return named

    def command(self, symbol: str, command: wanted.PaperCommand) -> None:
        """Carry out a command of our own, now."""
        self.papers[symbol].schedule(command, 0)
        self.advance({symbol: self.papers[symbol].now})

    def sync(self) -> None:
        """Force what was written to the device; for a thread of its own, while everything else goes on.

        Raises
        ------
        OSError
        """
        for file in list(self.files.values()):
            file.sync()

    def lose(self, problem: OSError) -> None:
        """Halt everything that is kept: what is told from now on would be forgotten by the next process."""
        for symbol in list(self.files):
            self._lose(symbol, problem)
        self._flush()

    def close(self) -> None:
        """Close the files and let go of the account."""
        self._flush()
        for file in self.files.values():
            file.sync()
            file.close()
        self.files.clear()
        if self._lock is not None:
            self._lock.release()

    def _stops(self, paper: Paper, end: int) -> Iterator[int]:
        """Times up to ``end`` to bring a desk to, one after another: where it is valued, then the end."""
        while self._often and not paper.idle and (mark := (paper.now // MARK_NS + 1) * MARK_NS) < end:
            yield mark
        yield end

    def _go_together(self, money: AccountMoney, symbols: list[str], end: int) -> None:
        """Bring desks on side by side, so that the sum of their money is that of one moment."""
        for tick in money.ticks(self.papers, end):
            for symbol in symbols:
                self.papers[symbol].advance(tick)
                if self._often:
                    self._mark(symbol, self.papers[symbol])
            why = money.lost(paper.desk for paper in self.papers.values())
            for symbol in symbols if why else ():
                paper = self.papers[symbol]
                if paper.desk.ledger.switch is TradingState.ACTIVE:
                    paper.schedule(wanted.Reduce(why), tick)
                    paper.advance(tick)
        for symbol in symbols:
            self.papers[symbol].advance(end)

    # -- what happened ---------------------------------------------------------------------------------------------

    def _open(self, symbol: str, now: int) -> None:
        records: list[Record] = []
        damaged = False
        if self._folder is not None:
            file = self.files[symbol] = PaperFile(symbol, self.terms.account, self._folder)
            records, damaged = file.records, file.damaged
            self._keep_cash(records)
        contract = self.terms.contract(self._instrument_of(symbol))
        self.papers[symbol] = Paper(
            contract, self.terms, now, records, lambda record, order: self._heard(symbol, record, order)
        )
        if damaged:
            self.papers[symbol].schedule(wanted.Halt("the journal of the paper account is damaged"), now)
        for order in self.papers[symbol].desk.ledger.orders.values():
            self._told.append(words.order_message(order, self._instrument_of(symbol)))
        self._tell_account(symbol, trading=True)

    def _keep_cash(self, records: list[Record]) -> None:
        """Money at the beginning is that of the account, which began once."""
        began = records[0] if records else None
        if isinstance(began, journal.Opened):
            self.terms = msgspec.structs.replace(self.terms, cash=began.cash)
            if self._money is not None:
                self._money = AccountMoney(self.terms, fresh=False)

    def _heard(self, symbol: str, record: Record, order: Order | None) -> None:
        self._new.setdefault(symbol, []).append(record)
        if order is not None and isinstance(record, STATES) and not isinstance(record, journal.Placed):
            instrument = self._instrument_of(symbol)
            if isinstance(record, journal.Executed):
                self._told.append(words.fill_message(record, order, self.papers[symbol].desk, instrument))
            self._told.append(words.order_message(order, instrument))

    def _mark(self, symbol: str, paper: Paper) -> None:
        new = self._new.get(symbol, ())
        is_due = paper.at_work and paper.now // MARK_NS > self._marked.get(symbol, -NEVER) // MARK_NS
        switched = any(isinstance(record, journal.Switched) for record in new)
        if is_due or switched or any(isinstance(record, STATES) for record in new):
            self._tell_account(symbol, trading=switched)

    def _tell_account(self, symbol: str, *, trading: bool) -> None:
        paper, instrument = self.papers[symbol], self._instrument_of(symbol)
        self._marked[symbol] = paper.now
        self._told.append(words.position_message(paper.desk, instrument, paper.now))
        desks = [other.desk for other in self.papers.values()]
        self._told.append(words.balance_message(desks, self.terms.cash, paper.now))
        if trading:
            self._told.append(words.trading_message(paper.desk, instrument, paper.now, self.terms.day))

    def _flush(self) -> None:
        """Write down what is new, then tell it, then answer: nobody learns what a killed process would forget."""
        new, self._new = self._new, {}
        for symbol, records in new.items():
            self._write_down(symbol, records)
        told, self._told = self._told, []
        for message in told:
            self._tell(message)
        answers, self._answers = self._answers, []
        for answer, outcome in answers:
            if isinstance(outcome, WorkbenchError):
                answer.set_exception(outcome)
            else:
                answer.set_result(outcome)

    def _write_down(self, symbol: str, records: list[Record]) -> None:
        file = self.files.get(symbol)
        if file is None:
            return
        try:
            file.write(records)
        except OSError as problem:
            self._lose(symbol, problem)

    def _lose(self, symbol: str, problem: OSError) -> None:
        _log.error("the journal of the paper account cannot be written: %s", problem)
        self.files.pop(symbol).close()
        paper = self.papers[symbol]
        paper.schedule(wanted.Halt(f"JOURNAL: {problem.strerror}"), paper.now)
        paper.advance(paper.now)
        self._tell_account(symbol, trading=True)

    def _reply(
        self, symbol: str, command: messages.Command, outcome: Outcome
    ) -> messages.Message | WorkbenchError:
        instrument, desk = self._instrument_of(symbol), self.papers[symbol].desk
        if isinstance(command, messages.Arm | messages.Disarm):
            return words.trading_message(desk, instrument, self.papers[symbol].now, self.terms.day)
        if isinstance(outcome, Order):
            told = words.order_message(outcome, instrument)
            if outcome.reason.startswith("DUPLICATE_ID"):
                return EngineError(outcome.reason, code="duplicate_id")
            if outcome.name not in desk.ledger.orders:
                self._told.append(told)  # no order at all, refused without being kept
            return told
        if outcome:
            return words.refusal_error(outcome)
        name = getattr(command, "client_order_id", "")
        order = desk.ledger.orders.get(name)
        return messages.Done() if order is None else words.order_message(order, instrument)


def _wanted(
    command: messages.Command, instrument: Instrument, now: int, age_ns: int | None, day: TradingDay
) -> wanted.PaperCommand:
    match command:
        case messages.PlaceOrder():
            clicked = None if age_ns is None else now - age_ns
            return wanted.Place(words.terms_of(command, instrument, now, day), clicked)
        case messages.CancelOrder():
            return wanted.Cancel(command.client_order_id)
        case messages.ReplaceOrder():
            return wanted.Replace(command.client_order_id, **words.change_of(command, instrument))
        case messages.CancelAll():
            return wanted.Flatten() if command.flatten else wanted.CancelEvery()
        case messages.Disarm():
            return wanted.Halt(command.reason or "disarmed")
        case messages.Arm():
            return wanted.Resume()
        case _:
            raise EngineError(
                f"not_supported: {command.__struct_config__.tag} needs a platform with a chart",
                action='Open wb.connect("bookmap")',
                code="not_supported",
            )


def is_halted(paper: Paper) -> bool:
    """Whether the switch of a desk stands on ``HALTED``."""
    return paper.desk.ledger.switch is TradingState.HALTED


def as_answer(message: messages.Message, request_id: messages.RequestId) -> messages.Message:
    """A message as the answer to a request."""
    return msgspec.structs.replace(message, request_id=request_id)
