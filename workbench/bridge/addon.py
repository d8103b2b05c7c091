"""The add-on, without input or output: Bookmap's lines on one side, the feed's messages on the other.

The shell's loop::

    addon = Addon(trading=…, open_journal=…); addon.connected()
    addon.receive(data, wall, mono, full=…)     # or on_time(…) at deadline(), or command(…), or lost(…)
    …write addon.orders_to_send(…) at once, and addon.lines_to_send(…) when the transport takes more…
    …publish addon.publications(), tell addon.account_messages(), print addon.log()…
    if addon.finished: …flush and leave…
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, NamedTuple

from workbench.bridge import wire
from workbench.bridge.attachment import Attachment, BestPrices
from workbench.bridge.broadcasts import Broadcasts
from workbench.bridge.commands import Commands
from workbench.bridge.desk import SETTING, OrderDesk
from workbench.bridge.failures import Failures
from workbench.bridge.indicators import Indicators, Point
from workbench.bridge.lines import Lines
from workbench.bridge.market import Market
from workbench.bridge.order_path import OpenJournal, OrderPath
from workbench.bridge.outgoing import Outgoing
from workbench.bridge.requests import DataRequests
from workbench.bridge.result import Moment, Result
from workbench.bridge.translation import Translator
from workbench.bridge.watch import BEHIND, SILENT, Backlog
from workbench.errors import WorkbenchError
from workbench.events import EventBatch, Status
from workbench.instruments import Instrument
from workbench.protocol import messages

MAX_NOTES: Final = 20

_Report = wire.OrderUpdate | wire.Execution | wire.PositionUpdate | wire.BalanceUpdate


class Published(NamedTuple):
    """Events for a stream: of which instrument, as it was when they came, and where its books are."""

    instrument: Instrument
    batch: EventBatch
    market: Market


class Addon:
    """Everything the bridge decides.

    Parameters
    ----------
    trading : bool
        The script is the one for orders.
    open_journal : callable, optional
        See :class:`workbench.bridge.order_path.OrderPath`; without it no order is sent.

    Attributes
    ----------
    attached : dict of str to Attachment
    refused : dict of str to str
        Instruments that cannot be served, and why.
    finished : str
        Why the add-on is over; empty while it is not.
    notes : deque of str
        The latest sentences of the log.
    """

    def __init__(self, *, trading: bool = False, open_journal: OpenJournal | None = None):
        self.trading = trading
        self.attached: dict[str, Attachment] = {}
        self.refused: dict[str, str] = {}
        self.finished = ""
        self.notes: deque[str] = deque(maxlen=MAX_NOTES)
        self.backlog = Backlog()
        self.failures = Failures()
        self.lines = Lines()
        self.outgoing = Outgoing()
        self.translator = Translator()
        self.broadcasts = Broadcasts(self.lines)
        self._commands = Commands(self)
        self._orders = OrderPath(self.outgoing, open_journal if trading else None, self._say)
        self._indicators: dict[str, Indicators] = {}
        self._used_ids: dict[str, dict[str, str]] = {}
        self._markets: dict[str, tuple[Instrument, Market]] = {}
        self._last_request = 0
        self._publications: list[Published] = []
        self._account: list[messages.AccountMessage] = []
        self._log: list[str] = []

    # -- what happens ----------------------------------------------------------------------------------------------

    def connected(self) -> None:
        """Bookmap accepted the connection."""
        self.outgoing.put([self.lines.client_init()])

    def receive(self, data: bytes, wall: int, mono: int, *, full: bool = False) -> None:
        """Take what was read; never raises for what Bookmap sent. ``full``: the read filled its buffer."""
        now = Moment(wall, mono)
        events = 0
        for item in self._translate(data, now):
            if isinstance(item, tuple):
                events += len(item[1])
                self._publish(*item)
            else:
                self._guard(self._take, item, now)
        self.backlog.read(full=full, events=events, mono=mono)
        self._follow_intervals(now)
        self.judge(now)

    def lost(self, reason: str, wall: int, mono: int) -> None:
        """The connection to Bookmap has ended, or we leave it."""
        now = Moment(wall, mono)
        for alias, batch in self.translator.end(wall):
            self._publish(alias, batch)
        for alias in list(self.attached):
            self._guard(self._detach, alias, now)
        self.finished = self.finished or reason

    def on_time(self, wall: int, mono: int) -> None:
        """Do what is due."""
        now = Moment(wall, mono)
        for alias, batch in self.translator.on_time(wall, mono):
            self._publish(alias, batch)
        for attachment in self.attached.values():
            self._guard(self._watch, attachment, now)
            self._guard(self._desk_time, attachment, now)
        self.judge(now)

    def deadline(self) -> int | None:
        """When :meth:`on_time` or :meth:`lines_to_send` has something to do, monotonic ns."""
        times = [self.translator.deadline(), *(a.deadline() for a in self.attached.values())]
        return min((time for time in times if time is not None), default=None)

    def command(self, owner: str, command: messages.Command, wall: int, mono: int) -> messages.Message:
        """Carry out what a client of the feed asks, and return its one answer; never raises."""
        return self._commands.take(owner, command, Moment(wall, mono))

    def found_waiting(self, waiting_bytes: int, since: int, wall: int, mono: int) -> None:
        """So much lies in the socket unread since then, in case nobody read meanwhile."""
        self.backlog.found(waiting_bytes, since)
        self.judge(Moment(wall, mono))

    def owner_left(self, owner: str, wall: int, mono: int) -> None:
        """A client of the feed has gone: what it armed is disarmed."""
        now = Moment(wall, mono)
        for attachment in self.attached.values():
            self._guard(self._owner_left, attachment, owner, now)

    def decide(self, desk: OrderDesk, work: Callable[[], Result], now: Moment) -> Result:
        """Let a desk decide, send what it may, tell everyone."""
        result = self._orders.follow(desk, work, now)
        self._account += result.account
        return result

    # -- what is to be done ----------------------------------------------------------------------------------------

    def orders_to_send(self, wall: int, mono: int) -> bytes:
        """Lines that trade: to be written at once, past everything that waits."""
        stopped = self.outgoing.stopped
        lines = self.outgoing.take_orders(Moment(wall, mono))
        if self.outgoing.stopped > stopped:
            self._say("lines that trade were not sent: a lock was closed before they left")
        return lines

    def note_market(self) -> None:
        """Complete the journal of what has just left, before anything else is read."""
        self._orders.note_market()

    def lines_to_send(self, wall: int, mono: int) -> bytes:
        """All other lines; ask only when the transport takes more, for a point that waits gives way to newer ones."""
        points = [
            self._draw(alias, point, wall)
            for alias, attachment in self.attached.items()
            for point in attachment.indicators.points(mono)
        ]
        return self.outgoing.take() + b"".join(points)

    def publications(self) -> list[Published]:
        """Events for the streams, in order."""
        taken, self._publications = self._publications, []
        return taken

    def account_messages(self) -> list[messages.AccountMessage]:
        """For everyone who subscribes to ``ACCOUNT``."""
        taken, self._account = self._account, []
        return taken

    def log(self) -> list[str]:
        """Sentences for the log."""
        taken, self._log = self._log, []
        return taken

    # -- lines from Bookmap ----------------------------------------------------------------------------------------

    def _translate(self, data: bytes, now: Moment) -> list[tuple[str, EventBatch] | wire.Message]:
        try:
            return self.translator.receive(data, now.wall, now.mono)
        except Exception as problem:  # noqa: BLE001  (the add-on lives on, and says that it lost something)
            self.failures.take(problem, "reading", now.mono)
            self._say(
                "a read was lost to a fault of ours: there is a gap; switch the add-on off and on for a new book"
            )
            return [*self.translator.lose(now.wall, now.mono)]

    def _guard(self, work: Callable[..., object], *arguments: Any) -> None:
        """Let no exception out of the work on one line; the last argument is the moment."""
        try:
            work(*arguments)
        except Exception as problem:  # noqa: BLE001  (whatever it is: the next line is another one)
            self.failures.take(problem, f"{work.__name__} {arguments[0]!r}", arguments[-1].mono)

    def _publish(self, alias: str, batch: EventBatch) -> None:
        if alias in self._markets and len(batch):
            instrument, market = self._markets[alias]
            self._publications.append(Published(instrument, batch, market))

    def _take(self, message: wire.Message, now: Moment) -> None:
        match message:
            case wire.InstrumentInfo():
                self._attach(message.alias, now)
            case wire.Refused():
                self._refuse(message, now)
            case wire.Detached():
                self._detach(message.alias, now)
            case wire.ServerOff():
                self.finished = self.finished or "Bookmap ended the add-on"
                for alias in list(self.attached):  # nothing is sent any more, cancels included
                    self._detach(alias, now)
            case wire.Response():
                for attachment in self.attached.values():
                    attachment.requests.answered(message.request_id)
            case wire.IndicatorMade():
                for attachment in self.attached.values():
                    attachment.indicators.made(message.request_id, message.indicator_id)
            case wire.SettingChanged():
                self._set(message, now)
            case wire.OrderUpdate() | wire.Execution() | wire.PositionUpdate() | wire.BalanceUpdate():
                self._report(message, now)
            case wire.Broadcasting() | wire.BroadcastSettings():
                self._account.append(self.broadcasts.event(message, self._any_symbol(), now.wall))
            case wire.Providers():
                self._account.append(self.broadcasts.status(message, self._any_symbol(), now.wall))

    def _attach(self, alias: str, now: Moment) -> None:
        market = self.translator.markets.get(alias)
        if market is None:  # gone again with the same read
            return
        self._detach(alias, now)
        self.refused.pop(alias, None)
        self._markets[alias] = (market.instrument, market)
        self.lines.attach(alias)
        attachment = self.attached[alias] = self._new_attachment(market, now)
        self.outgoing.put(attachment.opening_lines(self.lines))
        self._account.append(attachment.desk.state(now))

    def _new_attachment(self, market: Market, now: Moment) -> Attachment:
        instrument = market.instrument
        alias = instrument.symbol
        journal = self._orders.journal(alias)
        desk = OrderDesk(
            instrument,
            self.lines,
            trading=journal is not None,
            used_ids=self._used_ids.get(alias) or (journal.used_ids if journal is not None else {}),
            best_prices=BestPrices(market),
        )
        if alias not in self._indicators:
            self._indicators[alias] = Indicators(alias, self.lines, self._next_request)
        requests = DataRequests(alias, self._next_request, now.mono)
        return Attachment(market, desk, self._indicators[alias], requests, trading=self.trading)

    def _refuse(self, message: wire.Refused, now: Moment) -> None:
        """Bookmap waits for our word even about an instrument that we cannot serve."""
        self._detach(message.alias, now)
        self.refused[message.alias] = message.reason
        self._say(f"not served: {message.reason}")
        with suppress(WorkbenchError):  # a name that fits on no line cannot be answered
            self.lines.attach(message.alias)
            self.outgoing.put([self.lines.init_finished(message.alias)])
            self.lines.detach(message.alias)

    def _detach(self, alias: str, now: Moment) -> None:
        attachment = self.attached.pop(alias, None)
        if attachment is not None:
            self.decide(attachment.desk, lambda: attachment.desk.detach(now), now)
            self._used_ids[alias] = attachment.desk.used_ids
            attachment.indicators.forget_numbers()
            self.lines.detach(alias)
            if not self.attached:
                self.broadcasts.forget()

    def _set(self, message: wire.SettingChanged, now: Moment) -> None:
        attachment = self.attached.get(message.alias)
        if attachment is not None and (message.name, message.kind) == (SETTING, "BOOLEAN"):
            desk = attachment.desk
            self.decide(desk, lambda: desk.permit(message.value is True, now), now)

    def _report(self, message: _Report, now: Moment) -> None:
        attachment = self._concerned(message)
        if attachment is not None:
            desk, known = attachment.desk, attachment.desk.bad_reports
            self.decide(desk, lambda: desk.report(message, now), now)
            if desk.bad_reports > known:
                self._say(f"{desk.instrument.symbol}: a report that cannot be understood: {desk.problem}")

    def _concerned(self, message: _Report) -> Attachment | None:
        match message:
            case wire.Execution():
                return self.attached.get(message.alias)
            case wire.BalanceUpdate():  # belongs to no instrument: one desk is enough to tell it
                return next(iter(self.attached.values()), None)
            case _:
                return self.attached.get(str(message.plain.get("instrumentAlias")))

    # -- watching --------------------------------------------------------------------------------------------------

    def _follow_intervals(self, now: Moment) -> None:
        for alias, attachment in self.attached.items():
            count = attachment.market.interval
            if count != attachment.watch.count:
                attachment.indicators.interval_passed()
                if attachment.watch.saw(count, now.mono):
                    self._change_status(alias, Status.LIVE, now)

    def _watch(self, attachment: Attachment, now: Moment) -> None:
        alias = attachment.instrument.symbol
        if attachment.watch.on_time(now.mono):
            self._change_status(alias, Status.STALE, now)
        overdue = attachment.requests.on_time(now.mono)
        if overdue:
            self._say(f"{alias}: Bookmap did not confirm the request for {', '.join(overdue)}")

    def _change_status(self, alias: str, status: Status, now: Moment) -> None:
        self._say(f"{alias}: {'intervals are back' if status == Status.LIVE else 'no interval for 3 s'}")
        for symbol, batch in self.translator.status(alias, status, now.wall, now.mono):
            self._publish(symbol, batch)

    def judge(self, now: Moment) -> None:
        """Tell the desks whether the books are fit to trade on."""
        behind = BEHIND if self.backlog.degraded(now.mono) else ""
        for attachment in self.attached.values():
            silent = SILENT if attachment.watch.silent(now.mono) else ""
            if attachment.desk.book_is_stale(silent or behind):
                self._guard(self._desk_time, attachment, now)

    def _desk_time(self, attachment: Attachment, now: Moment) -> None:
        self.decide(attachment.desk, lambda: attachment.desk.on_time(now), now)

    def _owner_left(self, attachment: Attachment, owner: str, now: Moment) -> None:
        self.decide(attachment.desk, lambda: attachment.desk.owner_left(owner, now), now)

    # -- small things ----------------------------------------------------------------------------------------------

    def _draw(self, alias: str, point: Point, wall: int) -> bytes:
        self._account.append(
            messages.Drawn(
                symbol=alias, ts=wall, indicator=point.indicator, value=point.value, where=point.where
            )
        )
        return point.line

    def _next_request(self) -> int:
        self._last_request += 1
        return self._last_request

    def _any_symbol(self) -> str:
        """Broadcasts belong to no instrument; they are told with the first one."""
        return next(iter(self.attached), "")

    def _say(self, text: str) -> None:
        self.notes.append(text)
        self._log.append(text)
