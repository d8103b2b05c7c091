"""Strategies live: what is backtested runs unchanged on a session."""

from __future__ import annotations

import contextlib
import threading
from decimal import Decimal
from types import TracebackType
from typing import Any, Final

import numpy as np

from workbench.errors import WorkbenchError
from workbench.events import EventBatch
from workbench.flow.bar_rule import interval_ns
from workbench.lab.backtest_result import Backtest
from workbench.lab.course import Course
from workbench.lab.follow_signal import playable
from workbench.lab.live_venue import LiveVenue
from workbench.lab.plain_strategy import PlainDesk
from workbench.lab.schedule import Schedule
from workbench.trading.contracts import Contract
from workbench.trading.matcher import Rows

RUNNING: Final = "running"
ENDED: Final = "ended"


def trade(
    strategy: Any,
    s: Any,
    *,
    every: str = "100ms",
    hours: str | None = None,
    warm_up: str | None = None,
    symbol: str | None = None,
    params: Any = (),
) -> StrategyRun:
    """Let a strategy trade on a session, as it does in :func:`workbench.backtest`.

    Parameters
    ----------
    strategy : kernel strategy or object
        From :func:`workbench.kernel_strategy`, or with any of ``on_timer(desk)``, ``on_book(desk)``, ``on_trade(desk, trade)``, ``on_fill(desk, fill)``, ``on_events(desk, batch)``; or a signal, which is followed
        (:class:`workbench.FollowSignal`).
    s : Session
        On paper, or of Bookmap once it is armed.
    every : str, optional
        Time between steps, counted from the session's first row.
    hours, warm_up : str, optional
        When it acts, as for :func:`workbench.backtest`, by the session's own time.
    symbol : str, optional
        Default: the first instrument.
    params : sequence of float, optional
        What a kernel strategy finds in ``d.params``.

    Returns
    -------
    StrategyRun
        ``.stop()``, ``.state``, ``.error``, and ``.result()``: a :class:`Backtest` of what really happened.

    Raises
    ------
    WorkbenchError
        Orders would go nowhere (``not_armed``, ``read_only``), or no row comes any more (``ended``); an object without any of
        the methods; no such hours.

    Notes
    -----
    Inline, it steps while ``s.advance()`` moves the clock, and fills are those of a backtest of the same events with the
    same latencies, queue model and fees, bit for bit. Through the engine it steps in a thread of this kernel, each time with
    the first row after its time, and its orders take as long as they take.

    What a backtest has not: bounds. Orders that risk refuses are ``"REJECTED"`` here, among them those that would trade
    with an own one.

    Examples
    --------
    >>> import workbench as wb
    >>> class BuyOnce:
    ...     def on_timer(self, desk):
    ...         if desk.best_ask and not desk.orders:
    ...             desk.buy(2)
    >>> s = wb.simulate(seed=7, inline=True)
    >>> run = wb.trade(BuyOnce(), s)
    >>> s.advance("5s")
    >>> run.stop()
    StrategyRun(ES-SIM, stopped, 1 orders, 1 fills)
    >>> run.result().fills.equals(wb.backtest(BuyOnce(), s, latency=0).fills)
    True
    """
    strategy = playable(strategy, params)
    if not hasattr(getattr(s, "orders", None), "seat"):
        raise WorkbenchError(
            f"{s!r:.60} to trade on",
            expected="a session: of wb.simulate(…), wb.replay(…) or wb.connect(…)",
            action="What is recorded is for wb.backtest(strategy, recording)",
        )
    seat = s.orders.seat(symbol)
    seat.check_ready()
    run = StrategyRun(strategy, s, seat, interval_ns(every), hours, warm_up)
    seat.start(run)
    return run


class StrategyRun:
    """A strategy that trades on a session; made by :func:`workbench.trade`. A context manager: leaving it stops.

    Attributes
    ----------
    state : str
        ``"running"``, ``"stopped"``, ``"failed"``, or ``"ended"``: the session brings no row any more, and it waits to be
        stopped.
    error : Exception or None
        Why it failed.
    steps : int
        Steps so far.
    due_ns : int, ns
        When the next one is due.
    """

    def __init__(
        self,
        strategy: Any,
        session: Any,
        seat: Any,
        interval: int,
        hours: str | None = None,
        warm_up: str | None = None,
    ):
        self._state, self.steps = RUNNING, 0
        self.error: BaseException | None = None
        self._is_untold = False
        self._strategy, self._session, self._seat, self._interval = strategy, session, seat, interval
        self._lock = threading.RLock()
        self._venue = LiveVenue(seat)
        self._desk = PlainDesk(self._venue, seat.instrument)  # type: ignore[arg-type]
        self._touch = np.zeros_like(self._venue.desk.touch)
        self._seen = 0
        self._events = self._unseen()
        now, first = seat.now_ns, int(self._events.ts[0]) if len(self._events) else seat.now_ns
        self._schedule = Schedule.of(first, hours, warm_up)
        self._untold = EventBatch.empty()
        self.due_ns = first + (max(now - first, 0) // interval + 1) * interval
        self._past = self._until(now)
        self._venue.advance(Rows.of(self._past), now)

    @property
    def state(self) -> str:
        """What it does, as above."""
        return ENDED if self._state == RUNNING and self._seat.has_ended else self._state

    def step(self) -> None:
        """Let the strategy act at :attr:`due_ns`; called by the session."""
        with self._lock:
            if self._state != RUNNING:
                return
            now, self.due_ns = self.due_ns, self.due_ns + self._interval
            try:
                self._act(now)
            except BaseException as problem:
                self.error = problem
                self._end("failed")
                raise

    def fail(self, problem: BaseException) -> None:
        """Take notice that nobody saw it fail; :meth:`stop` says so."""
        self._is_untold = True

    def stop(self) -> StrategyRun:
        """Stop, and take back what is open; the position stays.

        Raises
        ------
        Exception
            What the strategy raised, if it has failed in its thread.
        """
        self._seat.stop(self)
        with self._lock:
            if self._state == RUNNING:
                self._end("stopped")
            if self.error is not None and self._is_untold:
                self._is_untold = False
                raise self.error
        return self

    def result(self) -> Backtest:
        """What has come of it so far: fills, orders, equity and summary, as of a backtest."""
        with self._lock:
            self._venue.update()
            instrument = self._seat.instrument
            events = Course.of(self._session[instrument.symbol]).batch
            return Backtest(instrument, self._venue, self._contract(), events)  # type: ignore[arg-type]

    def _contract(self) -> Contract:
        told = self._seat.facts.get("contract", {})
        fees = {name: Decimal(told.get(name, "0")) for name in ("maker", "taker", "per_lot")}
        return Contract.of(self._seat.instrument, inverse=bool(told.get("inverse")), **fees)

    def _act(self, now: int) -> None:
        venue, desk = self._venue, self._desk
        self._events = EventBatch.concatenate([self._events, self._unseen()])
        events = self._until(now)
        rows = Rows.of(events)
        venue.advance(rows, now)
        venue.hear(now)
        desk.now = now
        if self._schedule is not None and not self._schedule.acts(now):
            self._untold = EventBatch.concatenate([self._untold, events])
            desk.leave()
            venue.flush()
            return
        changed = not np.array_equal(self._touch, venue.desk.touch)
        self._touch[:] = venue.desk.touch
        if len(self._untold):
            events = EventBatch.concatenate([self._untold, events])
            self._untold, rows = EventBatch.empty(), Rows.of(events)
        whole = EventBatch.concatenate(
            [self._past, events]
        )  # what came before it began is told once, with the first step
        self._past = EventBatch.empty()
        desk.tell(self._strategy, rows, changed, whole)
        self.steps += 1
        venue.flush()

    def _until(self, ts: int) -> EventBatch:
        stop = int(np.searchsorted(self._events.ts, ts, side="right"))
        passed, self._events = self._events[:stop], self._events[stop:]
        return passed

    def _unseen(self) -> EventBatch:
        """Rows that came since the last look, counted from the first."""
        capture = self._seat.capture
        with capture.lock:
            if len(capture.columns) < self._seen:
                raise WorkbenchError("the session's time was moved", action="Start the strategy again")
            columns = capture.columns.view(self._seen)
            events = EventBatch.trusted(tuple(columns[:9]), self._seen)
            self._seen += len(columns[0])
        return events

    def _end(self, state: str) -> None:
        self._state = state
        self._seat.stop(self)
        self._venue.update()
        with contextlib.suppress(
            WorkbenchError
        ):  # the session is closed: its orders are taken back by themselves
            self._venue.withdraw_all(self._desk.now)

    def __enter__(self) -> StrategyRun:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        with self._lock:
            self._venue.update()
            counts = f"{len(self._venue.orders)} orders, {len(self._venue.fills)} fills"
        why = f", {self.error!r}" if self.error is not None else ""
        return f"StrategyRun({self._seat.instrument.symbol}, {self.state}, {counts}{why})"


__all__ = ["StrategyRun", "trade"]
