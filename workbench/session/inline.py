"""Inline: source and captures in the caller's own thread, with a virtual clock moved by hand.

No process, no thread, no socket. The same source and the same cores as in the engine, so the same results.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, TypeVar

import numpy as np

from workbench.errors import ReplayError
from workbench.events import EventBatch
from workbench.feeds.checked_lines import state_directory
from workbench.feeds.kill_file import look_for_kill, refuse_to_arm
from workbench.feeds.paper_floor import PaperFloor
from workbench.feeds.relay import note_of
from workbench.feeds.requests import Answer, wait_for
from workbench.feeds.seeks import SeekMarks
from workbench.feeds.source import Source
from workbench.frames.book_index import Books
from workbench.frames.capture import Capture
from workbench.frames.moments import to_datetime
from workbench.frames.recorder import Recorder
from workbench.frames.recording import Recording
from workbench.protocol import messages
from workbench.session.account import Account
from workbench.session.health import Health, tally
from workbench.session.line import TRADES, without_platform
from workbench.session.seat import Steps
from workbench.trading.paper_terms import PaperTerms

CHUNK_EVENTS: Final = 262_144
SYNC_S: Final = 1.0
WAIT_STEP_NS: Final = 100_000_000
ONE_SECOND_NS: Final = 1_000_000_000

P = ParamSpec("P")
T = TypeVar("T")


def _in_turn(method: Callable[Concatenate[InlineLine, P], T]) -> Callable[Concatenate[InlineLine, P], T]:
    """A cell that moves the clock and clicks in a view's threads come one after another."""

    @functools.wraps(method)
    def taken(line: InlineLine, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with line._turn:
            return method(line, *args, **kwargs)

    return taken


class InlineLine:
    """The whole line in the caller.

    Parameters
    ----------
    source : Source
        Its opening snapshot is taken in at once, so that the book is there before the first :meth:`advance`.
    speed : float, optional
        Kept for the asking; a clock moved by hand has none.
    paper : PaperTerms, optional
        Terms of the paper account.
    """

    place = "inline"
    has_platform = False
    takes_orders = True
    is_steerable = False  # its time moves by hand only

    def __init__(self, source: Source, speed: float = 1.0, paper: PaperTerms | None = None):
        self._turn = threading.RLock()
        self._feed = source
        self.source = source.name
        self.start_ns = source.start_ns
        self.end_ns = source.end_ns
        self.speed = speed
        self.captures: Mapping[str, Capture] = {i.symbol: Capture(i) for i in source.instruments}
        self.account = Account()
        self._seek_marks = SeekMarks()
        terms = paper or PaperTerms()
        self.has_forerunners = bool(terms.account)
        kept = state_directory() if terms.account else None
        self._floor = PaperFloor(
            terms, lambda symbol: self.captures[symbol].instrument, self._tell, kept, often=True
        )
        self._synced_at = time.monotonic()
        self._recordings: list[InlineRecording] = []
        self._strategies: list[Steps] = []
        self._paused = False
        self._closed = False
        self._is_untouched = True
        try:
            self._drive(source.start_ns, None)
        except BaseException:
            self._floor.close()  # else the account would stay locked by a session that nobody has
            raise
        self._is_untouched = True

    @property
    def now_ns(self) -> int:
        """Virtual time reached."""
        return self._feed.position_ns

    @property
    def state(self) -> str:
        """``live``, ``paused``, ``ended`` or ``closed``."""
        if self._closed:
            return "closed"
        if self._feed.exhausted:
            return "ended"
        return "paused" if self._paused else "live"

    def advance(self, until_ns: int | None, max_events: int | None) -> None:
        """Take in events up to a moment, or so many of them."""
        self._check_movable()
        if until_ns is not None and until_ns < self.now_ns:
            raise ReplayError("the virtual clock goes forward only", action="Use clock.seek() to go back")
        self._drive(until_ns, max_events)

    def wait(
        self,
        done: Callable[[], bool],
        timeout_s: float,
        *,
        until_ns: int | None = None,
        events: int | None = None,
    ) -> bool:
        """Advance until ``done()``: exactly to a moment or number of events where one is given."""
        self._check_movable()
        if until_ns is not None:
            self._drive(max(until_ns, self.now_ns), None)
        elif events is not None:
            self._drive(None, max(events - sum(c.events for c in self.captures.values()), 0))
        give_up = time.monotonic() + timeout_s
        while not done() and self.state == "live" and time.monotonic() < give_up:
            self._drive(self.now_ns + WAIT_STEP_NS, None)
        return done()

    def pause(self) -> None:
        """Refuse to advance until :meth:`resume`."""
        self._paused = True

    def resume(self) -> None:
        """Allow advancing again."""
        self._paused = False

    def set_speed(self, speed: float) -> None:
        """Keep the wish; a clock moved by hand has no speed."""
        self.speed = speed

    @_in_turn
    def seek(self, ts_ns: int) -> None:
        """Forget what was captured and take in the book of that moment."""
        if self._recordings_running():
            raise ReplayError("cannot seek while recording", action="Stop the recording first")
        if self._strategies:
            raise ReplayError("cannot seek while a strategy runs", action="Stop it first")
        self._check_open()
        with self._floor.moving():
            self._feed.seek(ts_ns)
        self._seek_marks.expect(self.captures)
        for capture in self.captures.values():
            capture.clear()
        self._drive(self._feed.position_ns, None)

    def attach(self, steps: Steps) -> None:
        """Let a strategy take its steps from now on, each when everything up to its time has happened."""
        self._strategies.append(steps)

    def detach(self, steps: Steps) -> None:
        """Let it take no more."""
        self._strategies = [other for other in self._strategies if other is not steps]

    @_in_turn
    def record(self, directory: Path, symbols: tuple[str, ...], history: bool) -> InlineRecording:
        """Record here; a recording begun before the first advance holds the source's own opening."""
        self._check_open()
        recorders: dict[str, Recorder] = {}
        with contextlib.ExitStack() as undo:  # one that cannot begin leaves none behind
            for symbol in symbols or tuple(self.captures):
                recorders[symbol] = self._recorder(directory, symbol)
                undo.callback(recorders[symbol].close)
                for batch in self._opening(symbol, history):
                    recorders[symbol].append(batch)
            undo.pop_all()
        running = InlineRecording(recorders, self)
        self._recordings.append(running)
        return running

    def health(self) -> Health:
        """Counters; rates are over virtual time."""
        seconds = (self.now_ns - self.start_ns) / ONE_SECOND_NS
        health = tally(self.state, self.captures.values(), self._recordings)
        return health.with_rate(health.events / seconds if seconds > 0 else 0.0)

    def ask(self, command: messages.Command, timeout_s: float = 0.0) -> messages.Message:
        """Let the paper desk carry out a command, now."""
        return wait_for(self.begin(command), command, timeout_s)

    @_in_turn
    def begin(self, command: messages.Command) -> Answer:
        """Let the paper desk carry out a command, now; its answer is there already."""
        if not isinstance(command, TRADES):
            raise without_platform(command, self.source)
        self._check_open()
        refuse_to_arm(command)
        look_for_kill(self._floor)
        now = self.now_ns
        symbols = self._floor.addressed(command, list(self.captures))
        clicked = getattr(command, "clicked", None)
        age = None if clicked is None else max(time.time_ns() - clicked, 0)
        answers = [self._floor.ask(symbol, command, now, age) for symbol in symbols]
        self._floor.advance(dict.fromkeys(symbols, now))
        if not answers:
            answers = [Answer()]
            answers[0].set_result(messages.Done())
        return next((a for a in answers if a.done() and a.exception() is not None), answers[0])

    @_in_turn
    def close(self, *, leave: bool = False) -> None:
        """Close the recordings that still run and the account, each of them whatever becomes of the others."""
        self._closed = True
        with contextlib.ExitStack() as closing:
            closing.callback(self._floor.close)
            for running in self._recordings_running():
                closing.callback(running.stop)

    @_in_turn
    def _drive(self, until_ns: int | None, max_events: int | None) -> None:
        limit = _FOREVER_NS if until_ns is None else until_ns
        left = max_events
        while left is None or left > 0:
            step = CHUNK_EVENTS if left is None else min(left, CHUNK_EVENTS)
            edge = min(limit, self._next_step())
            handed = self._take(self._feed.advance(edge, step))
            whole = handed < step or self._feed.exhausted
            self._floor.advance(
                {s: self._feed.position_ns if whole else c.last_ts - 1 for s, c in self.captures.items()}
            )
            look_for_kill(self._floor)
            self._sync()
            left = None if left is None else left - handed
            if whole:
                self._let_step(self._feed.position_ns)
            if whole and (edge == limit or self._feed.position_ns < edge):
                break
        if self._feed.exhausted:
            self._floor.finish()
        self._is_untouched = False

    def _sync(self) -> None:
        """Force a kept account to the device each second."""
        if self._floor.files and time.monotonic() - self._synced_at >= SYNC_S:
            try:
                self._floor.sync()
            except OSError as problem:
                self._floor.lose(problem)
            self._synced_at = time.monotonic()

    def _next_step(self) -> int:
        """When the next strategy acts; there is no step at the very end, as in a backtest."""
        due = min((steps.due_ns for steps in self._strategies), default=_FOREVER_NS)
        return due if self.end_ns is None or due < self.end_ns else _FOREVER_NS

    def _let_step(self, now: int) -> None:
        for steps in self._strategies if self._next_step() <= now else ():
            if steps.due_ns <= now:
                steps.step()

    def _take(self, batches: list[tuple[str, EventBatch]]) -> int:
        running = self._recordings_running()
        for symbol, handed in batches:
            batch = self._seek_marks.mark(symbol, handed)
            self.captures[symbol].apply(batch)
            self._floor.take(symbol, batch)
            for recording in running:
                recording.append(symbol, batch)
        for recording in running:
            recording.flush(self.now_ns)
        return sum(len(batch) for _, batch in batches)

    def _tell(self, message: messages.AccountMessage) -> None:
        self.account.take(message)
        for recording in self._recordings_running():
            recording.note(message)

    def _recorder(self, directory: Path, symbol: str) -> Recorder:
        instrument = self.captures[symbol].instrument
        return Recorder(
            directory, instrument, source={"name": self.source}, session=_session_name(self.now_ns)
        )

    def _opening(self, symbol: str, history: bool) -> list[EventBatch]:
        capture = self.captures[symbol]
        return _captured(capture) if history or self._is_untouched else [opening_snapshot(capture)]

    def _recordings_running(self) -> list[InlineRecording]:
        return [r for r in self._recordings if r.running]

    def _check_open(self) -> None:
        if self._closed:
            raise ReplayError("the session is closed", action="Open a new one", code="closed")

    def _check_movable(self) -> None:
        self._check_open()
        if self._paused:
            raise ReplayError("the session is paused", action="Call clock.resume() first", code="paused")


def _session_name(ns: int) -> str:
    return f"{to_datetime(ns):%Y%m%dT%H%M%SZ}"


def opening_snapshot(capture: Capture) -> EventBatch:
    """Rows a recording begun now starts with; they take the numbers before the next event's, so that the recording
    keeps the stream's own numbers."""
    books = Books()
    books.levels, books.orders, books.has_orders = capture.book, capture.orders, capture.has_orders
    rows = books.snapshot(capture.last_ts)
    return EventBatch.trusted(rows.columns, (capture.next_sequence or 0) - len(rows))


class InlineRecording:
    """Recorders fed by an inline line."""

    def __init__(self, recorders: Mapping[str, Recorder], line: InlineLine):
        self._recorders = recorders
        self._line = line
        self.running = True

    @property
    def paths(self) -> dict[str, Path]:
        """Directory of each instrument's recording."""
        return {symbol: recorder.path for symbol, recorder in self._recorders.items()}

    def append(self, symbol: str, batch: EventBatch) -> None:
        """Write a batch, if its instrument is recorded."""
        if symbol in self._recorders:
            self._recorders[symbol].append(batch)

    def note(self, message: messages.AccountMessage) -> None:
        """Keep a message of the account."""
        symbol, table, ts, kind, plain = note_of(message)
        for recorder in [self._recorders[symbol]] if symbol in self._recorders else self._recorders.values():
            recorder.note(table, ts, kind, plain)

    def flush(self, now_ns: int) -> None:
        """Make what was appended durable."""
        for recorder in self._recorders.values():
            recorder.flush(now_ns)

    def stop(self) -> dict[str, Recording]:
        """Close the recorders: all of them, also when one raises."""
        self.running = False
        closed: dict[str, Recording] = {}
        problems: list[Exception] = []
        for symbol, recorder in self._recorders.items():
            try:
                closed[symbol] = recorder.close()
            except Exception as problem:  # noqa: BLE001 - raised below, once the others are safe
                problems.append(problem)
        if problems:
            raise problems[0]
        return closed


_FOREVER_NS: Final = (1 << 63) - 1


def _captured(capture: Capture) -> list[EventBatch]:
    """Everything captured so far, in batches that end where numbers are skipped."""
    sequence = capture.columns.sequence()
    cuts = np.flatnonzero(np.diff(sequence) != 1) + 1
    edges = [0, *cuts.tolist(), len(sequence)]
    return [
        EventBatch.trusted(capture.columns.view(first, end), int(sequence[first]))
        for first, end in itertools.pairwise(edges)
        if end > first
    ]
