"""Through the engine: the session is a client, one reader thread feeds the captures.

What must not stall (recording, pacing, the upstream connection) lives in the engine process; a kernel that is busy or
dies costs nothing but its own view.
"""

from __future__ import annotations

import contextlib
import logging
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from workbench.errors import EngineError, FeedError, ReplayError, WorkbenchError
from workbench.events import EventBatch, Instrument
from workbench.feeds.client import Delivery, FeedClient
from workbench.feeds.discovery import Endpoint
from workbench.feeds.requests import Answer, wait_for
from workbench.feeds.seeks import seek_row
from workbench.feeds.target import Target
from workbench.frames.capture import Capture
from workbench.frames.suspicion import DAY_NS, LATEST_NS
from workbench.protocol import messages
from workbench.protocol.notices import MarketData, Received, Snapshot, StreamChanged
from workbench.session.account import Account
from workbench.session.departure import departure, is_listed, is_needed
from workbench.session.engine_recording import EngineRecording, as_recorded
from workbench.session.health import Health, engine_facts, tally
from workbench.session.line import TRADES, without_platform

KINDS: Final = ("FULL_ORDER_BOOK", "TRADES", "MBO")
ASK_TIMEOUT_S: Final = 5.0
FIRST_BOOK_S: Final = 10.0
LIVE_BOOK_S: Final = 3.0
"""A platform that has just attached an instrument sends its book within a fraction of a second, or has none."""
LEAVE_S: Final = 5.0
LEAVE_POLL_S: Final = 0.02
HEALTH_INTERVAL_MS: Final = 250
WAIT_SLICE_S: Final = 0.25
READY: Final = "ready"
STATES: Final = {"waiting": "connecting", "failed": "stale"}
"""Our words for states of the engine that differ from its own."""

_log = logging.getLogger("workbench.session")


class EngineLine:
    """The line through a running engine.

    Parameters
    ----------
    target : Target
    source : str, optional
        Deterministic name of what was asked for; default: what the engine says.
    on_demand : Endpoint, optional
        The engine was started for sessions like this one: the last session to be closed ends it.

    Raises
    ------
    FeedError
        Nothing listens there, it is no engine, or no book came.
    """

    place = "engine"
    has_forerunners = True

    def __init__(self, target: Target, source: str = "", *, on_demand: Endpoint | None = None):
        self._on_demand = on_demand
        self._changed = threading.Condition()
        self._report: messages.Health | None = None
        self._awaited_seeks: set[str] = set()
        self._live: set[str] = set()
        self._recordings: list[EngineRecording] = []
        self._closed = False
        self._is_leaving = False
        self._kinds: tuple[str, ...] = KINDS
        self._was_lost = False
        self._following = threading.Lock()
        self.account = Account()
        self.captures: Mapping[str, Capture] = {}
        self._client = FeedClient(target, self._take, name="session").open()
        try:
            self._begin(source)
        except BaseException:
            self._client.close()
            raise

    def _begin(self, source: str) -> None:
        engine = self._client.request(messages.EngineQuery())
        listed = self._client.request(messages.ListInstruments())
        assert isinstance(engine, messages.Engine) and isinstance(listed, messages.Instruments)
        facts = engine.sources[0] if engine.sources else {}
        self.source = source or str(facts.get("name", engine.name))
        self.start_ns = int(facts.get("start") or 0)
        self.end_ns = facts.get("end")
        instruments = [Instrument.from_dict(plain) for plain in listed.instruments]
        self.is_steerable = not facts.get("live")
        self.takes_orders = self.has_platform or "orders" in facts
        if self.takes_orders:
            self._kinds = (*KINDS, "ACCOUNT")
        first = facts.get("first") or {}
        self._follow(instruments, first)
        if not self._wait(lambda: self._live >= set(self.captures), FIRST_BOOK_S):
            raise FeedError(f"no book from {self._client.target.uri} in {FIRST_BOOK_S:g} s", code="timeout")
        self._ask_health()
        if not self.is_steerable and not self._wait(lambda: not self._bookless(), LIVE_BOOK_S):
            _log.warning("%s", self._missing_books())

    def _follow(self, instruments: Iterable[Instrument], first: Mapping[str, int | None]) -> None:
        """Take in the instruments that are new; one that vanished keeps its data, and goes on when it is back."""
        with self._following:  # the opening and the reader thread both may
            new = [instrument for instrument in instruments if instrument.symbol not in self.captures]
            self.captures = {**self.captures, **{i.symbol: Capture(i) for i in new}}
        for symbol in (instrument.symbol for instrument in new):
            number = first.get(symbol)
            options = {} if number is None else {"from_sequence": number}
            self._client.subscribe(symbol, self._kinds, **options)

    def _follow_list(self, listed: messages.Instruments) -> None:
        instruments = list(_readable(listed.instruments))
        # one that appeared just now began just now: everything of it is still there
        with contextlib.suppress(FeedError):  # closed meanwhile
            self._follow(instruments, dict.fromkeys((i.symbol for i in instruments), 0))

    def _follow_connection(self, symbol: str, state: str) -> None:
        (self._live.add if state == "live" else self._live.discard)(symbol)
        if state == "waiting":  # the connection is lost: the next one tells the account from the start
            self.account.expect_again(symbol)
            self._was_lost = True
        elif self._was_lost:
            self._was_lost = False
            with contextlib.suppress(FeedError):  # lost once more: the next connection asks again
                self._client.send(messages.HealthQuery(interval_ms=HEALTH_INTERVAL_MS))
                self._client.send(messages.ListInstruments())

    @property
    def now_ns(self) -> int:
        """Time of the newest event, or of the engine's virtual clock if that is further."""
        newest = max((c.last_ts for c in self.captures.values()), default=0)
        position = self._report.position if self._report is not None else None
        return (
            max(newest, self.start_ns) if position is None or self._awaited_seeks else max(newest, position)
        )

    @property
    def state(self) -> str:
        """``closed``; ``stale`` while the engine does not answer or a live book is crossed; else what the engine says."""
        if self._closed:
            return "closed"
        if self._client.state != READY or (not self.is_steerable and self._is_crossed()):
            return "stale"
        if self._report is None or (self._report.state == "ended" and self._is_behind(self._report)):
            return "live"
        return STATES.get(self._report.state, self._report.state)

    def _is_crossed(self) -> bool:
        return any(capture.crossed for capture in self.captures.values())

    def _bookless(self) -> list[str]:
        """Instruments whose book is not known, now."""
        return [symbol for symbol, capture in self.captures.items() if not capture.book.valid]

    def _missing_books(self) -> str:
        """One sentence on books that are not there; empty when all are."""
        missing = [] if self.is_steerable or self._closed else self._bookless()
        return f"no book of {', '.join(map(repr, missing))}: the source has sent none" if missing else ""

    def _is_behind(self, report: messages.Health) -> bool:
        # the engine's report may overtake the last events; its numbers say what is still on the way
        following = report.sources[0].get("next", {}) if report.sources else {}
        return any((c.next_sequence or 0) < following.get(s, 0) for s, c in self.captures.items())

    @property
    def speed(self) -> float:
        """Virtual seconds per second, as the engine says."""
        speed = self._report.speed if self._report is not None else None
        return 1.0 if speed is None else (speed or math.inf)

    @property
    def has_platform(self) -> bool:
        """Whether somebody behind the engine may draw: not where time can be moved."""
        return not self.is_steerable

    def advance(self, until_ns: int | None, max_events: int | None) -> None:
        """Refuse: the clock is the engine's."""
        raise ReplayError(
            "this session follows the engine's clock",
            expected="a session opened with inline=True",
            action="Use until() to wait, or open it inline",
        )

    def wait(
        self,
        done: Callable[[], bool],
        timeout_s: float,
        *,
        until_ns: int | None = None,
        events: int | None = None,
    ) -> bool:
        """Wait while the reader thread works; ends early when nothing more can come."""
        self._wait(lambda: done() or self.state in ("ended", "closed"), timeout_s)
        return done()

    def pause(self) -> None:
        """Pause the engine's virtual clock, for all its clients."""
        self._steer("pause")

    def resume(self) -> None:
        """Let the engine's virtual clock go on."""
        self._steer("resume")

    def set_speed(self, speed: float) -> None:
        """Change the speed of the engine's virtual clock."""
        self._steer("speed", 0 if math.isinf(speed) else speed)

    def seek(self, ts_ns: int) -> None:
        """Move the engine's virtual clock, and wait for the book of that moment."""
        self._awaited_seeks = set(self.captures)
        try:
            self._steer("seek", ts_ns)
        except BaseException:
            self._awaited_seeks = set()
            raise
        if not self._wait(lambda: not self._awaited_seeks, FIRST_BOOK_S):
            raise FeedError(f"no book within {FIRST_BOOK_S:g} s of the seek", code="timeout")

    def record(self, directory: Path, symbols: tuple[str, ...], history: bool) -> EngineRecording:
        """Let the engine record."""
        self._check_open()
        out = str(directory.absolute())
        try:
            answer = self._client.request(messages.Record(out=out, symbols=list(symbols), history=history))
        except EngineError as problem:
            raise as_recorded(problem) from None
        assert isinstance(answer, messages.Recording)
        running = EngineRecording(self._client, answer)
        self._recordings = [r for r in self._recordings if r.running] + [running]
        return running

    def health(self) -> Health:
        """Counters of this client and of its connection."""
        link = self._client.health
        latest = LATEST_NS if self.is_steerable else time.time_ns() + DAY_NS
        health = tally(self.state, self.captures.values(), self._recordings, latest)
        sources = self._report.sources if self._report is not None else []
        return replace(
            health,
            lag_ms=link.lag_ms,
            events_per_s=link.events_per_s,
            reconnects=link.reconnects,
            bad_messages=link.bad_messages + sum(_number(s.get("bad_messages")) for s in sources),
            resyncs=link.resyncs + sum(_number(s.get("resyncs")) for s in sources),
            note=self._trouble(link.reason) or health.note,
            engine={} if self._report is None else engine_facts(self._report),
        )

    def ask(self, command: messages.Command, timeout_s: float = ASK_TIMEOUT_S) -> messages.Message:
        """Send a command to the platform behind the engine; its answer."""
        return wait_for(self.begin(command), command, timeout_s)

    def begin(self, command: messages.Command) -> Answer:
        """Send a command to the platform behind the engine; its answer to come."""
        self._check_open()
        if not (self.takes_orders if isinstance(command, TRADES) else self.has_platform):
            raise without_platform(command, self.source)
        self.account.note_asked(command)
        return self._client.ask(command)

    def close(self, *, leave: bool = False) -> None:
        """End the connection; the last session of an engine that was started on demand ends it, unless told to leave."""
        if self._closed:
            return
        try:
            if not leave:
                self._stop_all()
        finally:
            self._closed = True
            self._client.close()
            self._wait_until_left()

    def _stop_all(self) -> None:
        for running in self._recordings:
            if running.running:
                running.stop()
        if self._on_demand is None or self._client.state != READY:
            return
        try:
            engine = self._client.request(messages.EngineQuery())
            if isinstance(engine, messages.Engine) and not is_needed(engine):
                self._client.request(messages.Shutdown(reason="last session closed"))
                self._is_leaving = True
        except (EngineError, FeedError):
            return  # it is going or gone already

    def _wait_until_left(self) -> None:
        give_up = time.monotonic() + LEAVE_S
        with self._changed:
            self._changed.notify_all()
            # whoever asks for the same events next must not find an engine that is about to end
            while self._is_leaving and is_listed(self._on_demand) and time.monotonic() < give_up:
                self._changed.wait(LEAVE_POLL_S)

    def _trouble(self, link_reason: str) -> str:
        if self._client.state != READY:
            return "" if self._closed else str(departure(self._on_demand, self.source) or link_reason)
        sources = self._report.sources if self._report is not None else []
        reasons = [str(s.get("reason", "")) for s in sources] + [r.reason for r in self._recordings]
        return next((reason for reason in reasons if reason), "") or self._missing_books()

    def _steer(self, action: str, value: float | int | None = None) -> None:
        self._check_open()
        self._client.request(messages.Replay(action=action, value=value))  # type: ignore[arg-type]
        self._ask_health()

    def _ask_health(self) -> None:
        report = self._client.request(messages.HealthQuery(interval_ms=HEALTH_INTERVAL_MS))
        assert isinstance(report, messages.Health)
        self._report = report

    def _check_open(self) -> None:
        if self._closed:
            raise FeedError("the session is closed", action="Open a new one", code="closed")
        gone = None if self._client.state == READY else departure(self._on_demand, self.source)
        if gone is not None:
            raise gone

    def _wait(self, done: Callable[[], bool], timeout_s: float) -> bool:
        give_up = time.monotonic() + timeout_s
        with self._changed:
            while not done():
                left = give_up - time.monotonic()
                if left <= 0 or self._client.error is not None:
                    return done()
                # a predicate of the user's may look at things nobody announces, so it is asked at least so often
                self._changed.wait(min(left, WAIT_SLICE_S))
        return True

    def _take(self, notice: Delivery) -> None:
        """Take in what the reader thread hands over."""
        match notice:
            case MarketData(symbol=symbol, batch=batch) if symbol in self.captures:
                self._apply(symbol, batch)
            case Snapshot(symbol=symbol) if symbol in self.captures:
                self._resync(symbol, notice)
            case StreamChanged(symbol=symbol, state=state):
                self._follow_connection(symbol, state)
            case Received(message=message):
                self._take_message(message)
        with self._changed:
            self._changed.notify_all()

    def _take_message(self, message: messages.Message) -> None:
        if isinstance(message, messages.AccountMessage):
            self.account.take(message)
        elif isinstance(message, messages.Instruments):
            self._follow_list(message)
        elif isinstance(message, messages.Health):
            self._report = message
        elif isinstance(message, messages.Recording):
            for running in self._recordings:
                running.update(message)

    def _apply(self, symbol: str, batch: EventBatch) -> None:
        capture = self.captures[symbol]
        # a live feed has no other time to go to; neither clocks nor reconnects of a recording cost what was captured
        row = seek_row(batch) if self.is_steerable else None
        if row is not None:
            self._forget(symbol)
            batch = batch[row:]
        capture.apply(batch)
        if row is not None:  # only now: whoever waits for the seek wants the book
            self._awaited_seeks.discard(symbol)

    def _forget(self, symbol: str) -> None:
        self.captures[symbol].clear()

    def _resync(self, symbol: str, snapshot: Snapshot) -> None:
        capture = self.captures[symbol]
        is_earlier = bool(len(snapshot.batch) and snapshot.batch.ts[0] < capture.last_ts)
        if self.is_steerable and (symbol in self._awaited_seeks or is_earlier):
            self._forget(symbol)
        capture.apply_snapshot(snapshot.batch, snapshot.next_sequence)
        self._awaited_seeks.discard(symbol)


def _readable(listed: Iterable[messages.Plain]) -> Iterator[Instrument]:
    for plain in listed:
        try:
            yield Instrument.from_dict(plain)
        except (WorkbenchError, KeyError, TypeError, AttributeError, ValueError):
            _log.warning("an instrument that cannot be read is left out: %.200r", plain)


def _number(fact: object) -> int:
    return fact if isinstance(fact, int) else 0
