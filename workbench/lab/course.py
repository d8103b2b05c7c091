"""What a backtest runs over, and its way through it."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple

import numpy as np

from workbench.errors import WorkbenchError
from workbench.events import EventBatch, EventKind, Instrument
from workbench.flow.bar_rule import interval_ns
from workbench.flow.batches import event_batches, instrument_of, joined_rows
from workbench.flow.days import MIDNIGHT_UTC, TradingDay
from workbench.lab.backtest_result import Backtest
from workbench.lab.follow_signal import playable
from workbench.lab.passage import Passage
from workbench.lab.plain_strategy import PlainDesk
from workbench.lab.schedule import Schedule
from workbench.trading import queue_models, slots
from workbench.trading.contracts import Contract
from workbench.trading.latency import Latency
from workbench.trading.matcher import Matcher, QueueModel
from workbench.trading.rows import Rows
from workbench.trading.strategy_reach import check_reach

_PACE_NS: Final = 100_000_000
"""Between the steps of a desk that leaves the market, where the strategy has no clock."""
CLOCKS: Final = ("receive", "venue")


class Course(NamedTuple):
    """What a backtest runs over: rows at the venue's times and, where the strategy has another clock, as it sees them."""

    instrument: Instrument
    batch: EventBatch
    rows: Rows
    view: Rows | None
    happened: EventBatch
    """The events at the venue's times, as fills are: what they are valued by."""

    @staticmethod
    def of(x: Any, clock: str = "receive", latency: Any = 0) -> Course:
        """All rows of a session or recording, seen the latency of the feed later."""
        if clock not in CLOCKS:
            raise WorkbenchError(f"clock {clock!r}", expected=f"one of {', '.join(CLOCKS)}")
        batch = joined_rows(event_batches(x))
        happened, view = _by_venue(batch) if clock == "venue" else (batch, None)
        rows = Rows.of(happened)
        seen = rows if view is None else view
        late = Latency.of(latency).seen(seen.ts)
        return Course(
            instrument_of(x), batch, rows, view if late is seen.ts else seen._replace(ts=late), happened
        )

    def matcher(
        self, queue: str | QueueModel, *, latency: Any = "1ms", fills: str = "shared", params: Any = ()
    ) -> Matcher:
        """A matching engine that has seen nothing."""
        delays = Latency.of(latency)
        if _model(queue, 1.0).name == queue_models.EXACT and not self.has_orders:
            raise WorkbenchError(
                f"a recording of {self.instrument.symbol!r} that tells levels, not orders",
                expected="rows MBO_NEW, MBO_REPLACE, MBO_CANCEL for queue='by_order'",
                action=f"Take a model for levels: {', '.join(queue_models.NAMES)}; wb.fill_uncertainty shows all",
                code="no_orders",
            )
        return Matcher(
            _model(queue, float(self.instrument.lot_size)),
            entry_ns=delays.entry,
            response_ns=delays.response,
            fills=fills,
            two_clocks=self.view is not None,
            params=params,
        )

    @property
    def has_orders(self) -> bool:
        """Whether single orders are told, so that places in a queue are known."""
        return bool((self.rows.kind == EventKind.MBO_NEW).any())

    def run(
        self,
        strategy: Any,
        matcher: Matcher,
        every: str | None,
        *,
        hours: str | None = None,
        warm_up: str | None = None,
        day: str = MIDNIGHT_UTC,
    ) -> None:
        """Take a strategy through all rows, or through those of its hours."""
        matcher.close_at(self.close)
        interval = None if every is None else interval_ns(every)
        schedule = Schedule.of(self.first, hours, warm_up)
        if not hasattr(strategy, "py_func"):
            desk = PlainDesk(matcher, self.instrument, TradingDay.read(day))
            _run_plain(strategy, desk, self, interval, schedule)
        else:
            _run_compiled(strategy, matcher, self, interval, schedule)
        _finish(matcher, self.view)

    def run_commands(self, matcher: Matcher, sent: Matcher) -> None:
        """Take the commands that another engine has sent through all rows."""
        matcher.resend(sent)
        matcher.close_at(self.close)
        matcher.advance(self.rows, self.last - 1, self.view)
        _finish(matcher, self.view)

    @property
    def first(self) -> int:
        """Time of the first row by any clock, 0 without rows."""
        begins = [rows.ts[0] for rows in (self.rows, self.view) if rows is not None and len(rows.ts)]
        return int(min(begins, default=0))

    @property
    def last(self) -> int:
        """Time of the last row by any clock, 0 without rows."""
        ends = [rows.ts[-1] for rows in (self.rows, self.view) if rows is not None and len(rows.ts)]
        return int(max(ends, default=0))

    @property
    def close(self) -> int:
        """Time of the last row at the venue: what would reach it later stays under way."""
        return int(self.rows.ts[-1]) if len(self.rows.ts) else 0

    def result(
        self,
        matcher: Matcher,
        fees: tuple[float | str, float | str] = (0, 0),
        contract: Contract | None = None,
    ) -> Backtest:
        """What has come of it."""
        return Backtest(self.instrument, matcher, _contract(self.instrument, fees, contract), self.happened)


def _run_plain(
    strategy: Any, desk: PlainDesk, course: Course, interval: int | None, schedule: Schedule | None
) -> None:
    if interval is None:
        raise WorkbenchError(
            "a strategy in plain Python",
            expected="every=…",
            action="Compile it with wb.kernel_strategy",
        )
    desk.run(playable(strategy), course.rows, interval, course.view, course.batch, schedule)


def _run_compiled(
    strategy: Any, matcher: Matcher, course: Course, interval: int | None, schedule: Schedule | None
) -> None:
    check_reach(strategy, len(matcher.desk.params))
    if schedule is not None:
        _run_within(schedule, strategy, matcher, course, interval)
        return
    matcher.step_every(interval)
    matcher.advance(course.rows, course.last - 1, course.view, strategy)
    matcher.step_never()


def _run_within(
    schedule: Schedule, strategy: Any, matcher: Matcher, course: Course, interval: int | None
) -> None:
    """Take a compiled strategy through the stretches of its schedule; between them a plain desk leaves the course.

    Steps fall on the same times as without a schedule, and where a plain strategy has its own.
    """
    desk, pace = PlainDesk(matcher, course.instrument), interval or _PACE_NS
    walk = Passage(matcher, course.rows, course.view)
    step, end = course.first + (0 if interval is None else pace), course.last
    while step < end:
        acts, until = schedule.acts(step), min(schedule.until, end)
        if acts:
            if interval is None:
                walk.to(step - 1)
            matcher.step_every(interval, slots.NEVER if interval is None else step)
            walk.to(until - 1, strategy)
            matcher.step_never()
        else:
            _leave(desk, matcher, walk, range(step, until, pace))
        step += -((step - until) // pace) * pace
    walk.rest(end - 1)


def _leave(desk: PlainDesk, matcher: Matcher, walk: Passage, moments: range) -> None:
    """Leave the market, in as many steps as it takes."""
    for moment in moments:
        walk.to(moment)
        matcher.hear(moment)
        desk.now = moment
        if not desk.leave():
            return


def _finish(matcher: Matcher, view: Rows | None) -> None:
    matcher.advance(_empty(), slots.NEVER - 1, None if view is None else _empty())
    matcher.hear(slots.NEVER - 1)


def _empty() -> Rows:
    return Rows.of(EventBatch.empty())


def _by_venue(batch: EventBatch) -> tuple[EventBatch, Rows]:
    """Events in the venue's order at its times, and rows as received; a clock that runs behind the venue's is set right."""
    seen, source = Rows.of(batch), np.array(batch.ts_source)
    timed = source != 0
    if (~timed & np.isin(seen.kind, (EventKind.DEPTH, EventKind.TRADE))).any() or not timed.any():
        raise WorkbenchError(
            "rows without the venue's time", expected="ts_source", action="Use clock='receive'"
        )
    source = np.where(timed, source, np.maximum.accumulate(source))
    # A snapshot happened as a whole, when its last part did; its bounds carry no time of their own.
    ends = np.flatnonzero(seen.kind == EventKind.SNAPSHOT_END)
    for start in np.flatnonzero(seen.kind == EventKind.CLEAR).tolist():
        stop = int(ends[np.searchsorted(ends, start)]) + 1 if len(ends) and ends[-1] > start else start + 1
        source[start:stop] = source[start:stop].max()
    ahead = int((source - seen.ts).max())
    order = np.argsort(source, kind="stable")
    columns = tuple(np.ascontiguousarray(column[order]) for column in (source, *batch.columns[1:]))
    return EventBatch.trusted(columns, batch.first_sequence), seen._replace(ts=seen.ts + max(ahead, 0))


def _model(queue: str | QueueModel, lot: float) -> QueueModel:
    if isinstance(queue, QueueModel):
        return queue
    if queue not in queue_models.EVERY:
        raise WorkbenchError(f"queue model {queue!r}", expected=f"one of {', '.join(queue_models.EVERY)}")
    return QueueModel(queue, unit=lot)


def _contract(
    instrument: Instrument, fees: tuple[float | str, float | str], contract: Contract | None
) -> Contract:
    maker, taker = _fees(fees)
    if contract is None:
        return Contract.of(instrument, maker=maker, taker=taker)
    given: object = contract
    if not isinstance(given, Contract):
        raise WorkbenchError(
            f"contract {given!r:.60}", expected="wb.Contract.of(x.instrument, …)", code="bad_value"
        )
    grid = (contract.symbol, contract.tick_size, contract.lot_size)
    if grid != (instrument.symbol, instrument.tick_size, instrument.lot_size) or maker or taker:
        raise WorkbenchError(
            f"a contract {contract.symbol!r} in ticks of {contract.tick_size}, lots of {contract.lot_size}, fees {fees}",
            expected=f"{instrument.symbol!r} in ticks of {instrument.tick_size}, lots of {instrument.lot_size}; "
            "fees in the contract alone",
            action="Make it with wb.Contract.of(x.instrument, …)",
        )
    return contract


def _fees(fees: tuple[float | str, float | str]) -> tuple[Decimal, Decimal]:
    try:
        maker, taker = (Decimal(str(fee)) for fee in fees)
    except (TypeError, ValueError, InvalidOperation):
        maker = taker = Decimal("NaN")
    text: object = fees
    if isinstance(text, str) or not (maker.is_finite() and taker.is_finite()):
        raise WorkbenchError(
            f"fees {fees!r:.60}",
            expected='two shares of the traded value, of makers and takers, like ("-0.00005", "0.0002")',
            code="bad_value",
        )
    return maker, taker


__all__ = ["Course"]
