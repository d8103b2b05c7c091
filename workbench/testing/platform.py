"""Bookmap's side of one add-on: what it does with each line, and what it sends. No socket, no clock, no thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, Literal

from workbench.events import EventBatch, EventKind, Instrument
from workbench.frames.book_index import Books
from workbench.testing.broadcasting import Broadcasting
from workbench.testing.connection import RESET
from workbench.testing.encoder import DEPTH, MBO, TRADE, Encoder, Provider
from workbench.testing.exchange import Exchange
from workbench.testing.faults import Faults
from workbench.testing.features import usual_features
from workbench.testing.panel import FIRST_INDICATOR_ID, Indicator, Setting, SettingValue, setting_of, typed
from workbench.testing.reader import ConversionError, OrderRequest, Sent, convert, leniently
from workbench.testing.report import Report
from workbench.testing.spelling import boolean, double, gson, line
from workbench.testing.tape import without_clear

INTERVAL_NS: Final = 100_000_000
POSITION_EVERY: Final = 10
"""Intervals between positions that are sent again without any change."""

_EXECUTION, _ORDER, _BALANCE, _POSITION = "20", "21", "27", "28"
_ORDER_INFO: Final = "22"
_DATA: Final = frozenset({DEPTH, TRADE, MBO, _ORDER_INFO, _BALANCE, _POSITION})


class EventLoopError(Exception):
    """What ends Bookmap's event loop: nothing is sent to the add-on any more."""


class Platform:
    """One instrument, one add-on.

    Parameters
    ----------
    instrument : Instrument
    provider : {"both", "depth", "mbo"}
    end : str
        Line ending.
    trading : bool
        Whether the add-on was built as a trading strategy; orders of others are ignored.
    simulate_fills : bool
        Match orders against the stream; otherwise they rest until :meth:`Exchange.fill`.
    resize_means : {"remaining", "total"}
        What a new size is of; which one Bookmap means is not known.
    snapshot_before_response : bool
        Send the book at once when asked for it, before the answer; otherwise after the end of initialisation.
    features : mapping, optional
        What the instrument can do; by default what :func:`~workbench.testing.features.usual_features` says.
    """

    def __init__(
        self,
        instrument: Instrument,
        *,
        provider: Provider = "both",
        end: str = "\n",
        trading: bool = False,
        simulate_fills: bool = True,
        resize_means: Literal["remaining", "total"] = "remaining",
        snapshot_before_response: bool = False,
        features: Mapping[str, object] | None = None,
    ):
        self.instrument = instrument
        self.books = Books()
        self.exchange = Exchange(
            instrument, self.books.levels, simulate_fills=simulate_fills, resize_means=resize_means
        )
        self.broadcasting = Broadcasting()
        self.faults = Faults()
        self.features = usual_features(provider, trading) if features is None else features
        self.provider: Provider = provider
        self.is_crypto = False
        self.trading = trading
        self.log: list[str] = []
        self.received: list[Sent] = []
        self.messages: list[str] = []
        self.indicators: dict[int, Indicator] = {}
        self.settings: dict[str, Setting] = {}
        self.saved: dict[str, SettingValue] = {}
        self.intervals = 0
        self._end = end
        self._snapshot_before_response = snapshot_before_response
        self._next_indicator = FIRST_INDICATOR_ID
        self.late: list[bytes] = []  # what is to be sent ``faults.delay_s`` from now
        self._out: list[bytes] = []
        self.deaf = self.mute = self.gone = self.attached = self.announced = False
        self._forget_addon()

    def connect(self, *, pips: float | None = None) -> None:
        """Meet a new add-on: forget the one before, greet, name the instrument."""
        self._forget_addon()
        self.send(1)
        self.announce(self.instrument, pips=pips)
        self.announced = True

    def announce(self, instrument: Instrument, *, pips: float | None = None) -> None:
        """Name an instrument, with another tick if wanted."""
        self.send(
            2,
            instrument.symbol,
            instrument.full_name or "null",
            boolean(self.is_crypto),
            double(float(instrument.tick_size) if pips is None else pips),
            double(float(1 / instrument.lot_size)),
            double(float(instrument.multiplier)),
            gson(self.features),
        )

    def detach(self, *, last: bool = True) -> None:
        """Take the instrument away; ``last``: of the only one, which turns the server off."""
        self.send(7, self.instrument.symbol)
        self.attached = self.announced = False
        if last:
            self.send(16)

    def send(self, *fields: str | int) -> None:
        """Send one line of these fields, whatever they are; nothing once the event loop is dead."""
        if not (self.mute or self.gone):
            self._out.append(line(*fields) + self._end.encode())

    def take(self) -> list[bytes]:
        """What is to be sent since the last call."""
        taken, self._out = self._out, []
        return taken

    def receive(self, raw: str) -> None:
        """Take one line of the add-on, as Bookmap's reader and event loop do."""
        if self.deaf:
            self.received.append(leniently(raw, heard=False))
            return
        try:
            number, fields = convert(raw)
        except ConversionError as problem:
            self.deaf = True
            self.received.append(leniently(raw, heard=False))
            self.log.append(f"reader stopped: {problem} in {raw[:200]!r}")
            return
        self.received.append(leniently(raw, heard=True))
        if self.mute:
            return
        try:
            self._handlers[number](*fields)
        except EventLoopError as problem:
            self.mute = True
            self.log.append(f"event loop ended: {problem}")
        self._report()

    def play(self, batch: EventBatch) -> None:
        """Let market events happen."""
        for part in without_clear(batch, self._removals):
            while len(part):
                touched = self.exchange.first_touch(part)
                self._pass_on(part[: len(part) if touched is None else touched + 1])
                if touched is not None:
                    self.exchange.on_row(part[touched : touched + 1])
                    self._report()
                part = part[len(part) if touched is None else touched + 1 :]

    def open_book(self, batch: EventBatch) -> None:
        """Take in rows that were before the add-on came: they are in its snapshot only."""
        self.books.apply(batch)
        self.exchange.observe(batch)

    def forget_market(self) -> None:
        """Empty the books, before the tape begins again."""
        self.books = Books()
        self.exchange.follow(self.books.levels)

    def fill(self, order_id: str, size: int | None = None, ticks: int | None = None) -> None:
        """Execute an order, whatever the market does."""
        self.exchange.fill(order_id, size, ticks)
        self._report()

    def interval(self) -> None:
        """0.1 s of data time is over."""
        self.intervals += 1
        if not self.attached:
            return
        self.send(12, self.instrument.symbol)
        if self.intervals % POSITION_EVERY == 0 and self.exchange.position.known:
            self._send_report(self.exchange.position_report(duplicate=True))

    def apply_setting(self, name: str, value: SettingValue) -> None:
        """The user changes a setting and presses Apply."""
        setting = self.settings[name]
        setting.value = self.saved[name] = typed(setting.kind, value)
        self.reload_wanted = setting.reloads
        if not setting.reloads:
            self._send_setting(setting)

    def broadcast(self, provider: str, generator: str, event: object, *, settings: bool = False) -> bool:
        """Another add-on says something; False where nobody listens."""
        if not self.broadcasting.hears(provider, generator):
            return False
        self.send(32 if settings else 29, generator, gson(event))
        return True

    def offer(self, provider: str, generators: list[str]) -> None:
        """Another add-on that broadcasts appears."""
        self.broadcasting.offer(provider, generators)
        self.send(31, self.broadcasting.status())

    def _forget_addon(self) -> None:
        self.deaf = self.mute = self.gone = self.attached = self.announced = False
        self.reload_wanted = False
        self._out.clear()
        self.settings.clear()
        self.broadcasting.forget_subscriptions()
        self._encoder = Encoder(self.instrument.symbol, self.provider, self._end)
        self._owed_snapshots: set[str] = set()
        self._handlers: dict[int, Callable[..., None]] = {
            0: lambda: None,
            3: self._request_data,
            9: self._register_indicator,
            11: self._add_point,
            13: self._init_finished,
            14: self._add_setting,
            19: self._send_order,
            23: partial(self._change_order, self.exchange.cancel),
            24: partial(self._change_order, self.exchange.move),
            25: partial(self._change_order, self.exchange.move_to_market),
            26: partial(self._change_order, self.exchange.resize),
            30: self._subscribe_generator,
            33: self._user_message,
        }

    def _pass_on(self, batch: EventBatch) -> None:
        self.books.apply(batch)
        self.exchange.observe(batch)
        listening = self.attached or self._snapshot_before_response
        if listening and not (self.mute or self.gone):
            self._out.append(self._encoder.encode(batch))

    def _removals(self, ts_ns: int) -> EventBatch:
        rows = self.books.snapshot(ts_ns)
        there = (rows.kind == EventKind.DEPTH) | (rows.kind == EventKind.MBO_NEW)
        _, columns = rows.where(there)
        kind = columns[2].copy()
        kind[kind == EventKind.MBO_NEW] = EventKind.MBO_CANCEL
        changed = (*columns[:2], kind, *columns[3:5], columns[5] * 0, *columns[6:])
        return EventBatch.trusted(changed, 0)

    def _request_data(self, alias: str, request_id: int, data: str) -> None:
        if not self._knows(alias):
            return
        if data not in _DATA:
            raise EventLoopError(f"no handler for data type {data!r}")
        self._encoder.listeners[data] = self._encoder.listeners.get(data, 0) + 1
        if self._snapshot_before_response:
            self._send_snapshot({data})
        self.send(4, request_id)
        if self.attached:
            self._send_snapshot({data})
        elif not self._snapshot_before_response:
            self._owed_snapshots.add(data)

    def _init_finished(self, alias: str) -> None:
        if not self._knows(alias) or self.attached:
            return
        self.attached = True
        self._send_snapshot(self._owed_snapshots)
        self._owed_snapshots = set()

    def _send_snapshot(self, data: set[str]) -> None:
        encoder = Encoder(self.instrument.symbol, self.provider, self._end)
        encoder.listeners = {one: self._encoder.listeners[one] for one in data}
        self._out.append(encoder.encode(self.books.snapshot(self.exchange.now_ns)))
        if _ORDER_INFO in data:
            for report in self.exchange.open_orders():
                self._send_report(report)
        if _POSITION in data and self.exchange.position.known:
            self._send_report(self.exchange.position_report())
        if _BALANCE in data:
            self._send_report(self.exchange.balance_report())

    def _register_indicator(
        self, alias: str, request_id: int, name: str, where: str, initial: float, *looks: Any
    ) -> None:
        if not self._knows(alias):
            return
        number, self._next_indicator = self._next_indicator, self._next_indicator + 1
        _, _, colour, style, _ = looks
        self.indicators[number] = Indicator(number, name, where, initial, colour, style)
        self.send(10, request_id, number)

    def _add_point(self, alias: str, number: int, value: float) -> None:
        if self._knows(alias) and number in self.indicators:
            self.indicators[number].points.append((self.exchange.now_ns, value))
        elif number not in self.indicators:
            self.log.append(f"no indicator {number}")

    def _add_setting(self, alias: str, *rest: Any) -> None:
        if not self._knows(alias):
            return
        setting = setting_of((alias, *rest))
        setting.value = self.saved.get(setting.name, setting.value)
        self.settings[setting.name] = setting
        if setting.kind in ("NUMBER", "BOOLEAN", "STRING"):
            self._send_setting(setting)

    def _send_setting(self, setting: Setting) -> None:
        self.send(15, self.instrument.symbol, setting.name, setting.kind, setting.spelled)

    def _send_order(self, request: OrderRequest) -> None:
        if not self._may_trade(request.alias):
            return
        if self.faults.drop_after == "send":
            self.exchange.place(request)
            self.exchange.take_reports()
            self._drop()
        elif self.faults.reject_orders:
            self.exchange.reject(request)
        elif not self.faults.swallow_orders:
            self.exchange.place(request)

    def _change_order(self, change: Callable[..., None], alias: str, order_id: str, *rest: Any) -> None:
        if not self._may_trade(alias):
            return
        if order_id in self.exchange.orders:
            change(order_id, *rest)
        else:
            self.log.append(f"no order {order_id!r}")

    def _may_trade(self, alias: str) -> bool:
        if not self.trading:
            self.log.append("ignored: the add-on was not built as a trading strategy")
        return self.trading and self._knows(alias)

    def _subscribe_generator(self, provider: str, generator: str, filtered: bool) -> None:
        if not self.broadcasting.subscribe(provider, generator):
            self.log.append(f"no generator {generator!r} of {provider!r}")
            return
        self.send(31, self.broadcasting.status())

    def _user_message(self, alias: str, text: str) -> None:
        if alias != self.instrument.symbol or not self.announced:
            raise EventLoopError(f"NullPointerException: {alias!r} is not attached")
        self.messages.append(text)

    def _knows(self, alias: str) -> bool:
        if alias == self.instrument.symbol and self.announced:
            return True
        self.log.append(f"unknown alias {alias!r}")
        return False

    def _report(self) -> None:
        for report in self.exchange.take_reports():
            self._send_report(report)

    def _send_report(self, report: Report) -> None:
        listeners = self._encoder.listeners.get(report.listener, 0)
        times = listeners * (2 if self.faults.duplicate_reports and report.type in (20, 21) else 1)
        first = len(self._out)
        for n in range(times):
            self.send(*report.fields(duplicate=n >= listeners))
        if self.faults.delay_s:
            self.late += self._out[first:]
            del self._out[first:]
        if self.faults.drop_after and report.ends(self.faults.drop_after):
            self._drop()

    def _drop(self) -> None:
        self.faults.drop_after = None
        self._out.append(RESET)
        self.gone = True
