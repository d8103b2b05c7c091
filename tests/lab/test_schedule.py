"""Hours and warming up: who acts when, the way out at the end of the hours, and the same on every path."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

import workbench as wb
from tests.support.quoting import QuoteBothSides, quote_both_sides
from workbench.errors import WorkbenchError
from workbench.events import EventBatch
from workbench.lab.plain_strategy import PlainDesk
from workbench.lab.schedule import Hours, Schedule
from workbench.session import Session

MINUTE = 60 * 10**9
HOURS = "08:31-08:32 America/Chicago"  # the market begins at 08:30
UNBOUND = wb.Limits(per_second=None, per_minute=None)


def ns(text: str) -> int:
    return int(np.datetime64(text, "ns").astype(np.int64))


@pytest.fixture(scope="module")
def session() -> Session:
    """Three minutes of a simulated market, from 14:30 UTC."""
    s = wb.simulate(seed=11, inline=True)
    s.advance("3m")
    return s


@pytest.mark.parametrize(
    ("hours", "within", "without", "turns"),
    [
        ("08:30-15:00 America/Chicago", "2024-08-08T13:30", "2024-08-08T20:00", "2024-08-09T13:30"),
        ("08:30-15:00 America/Chicago", "2024-12-09T20:59", "2024-12-09T14:29", "2024-12-09T14:30"),
        ("17:00-16:00 America/Chicago", "2024-08-08T20:59", "2024-08-08T21:30", "2024-08-08T22:00"),
        ("22:00-06:00 UTC", "2024-08-08T02:00", "2024-08-08T06:00", "2024-08-08T22:00"),
        ("00:00-00:01 UTC", "2024-08-08T00:00", "2024-08-08T00:01", "2024-08-09T00:00"),
    ],
)
def test_hours_by_the_clock_of_a_place(hours: str, within: str, without: str, turns: str) -> None:
    """With and without summer time, over midnight; they begin with their first moment and end before their last."""
    known = Hours.read(hours)
    assert known.holds(ns(within)) and not known.holds(ns(without))
    assert known.turn(ns(without)) == ns(turns) and known.holds(ns(turns)) and not known.holds(ns(turns) - 1)


@pytest.mark.parametrize("bad", ["08:30", "08:30-25:00 UTC", "08:30-08:30 UTC", "8:30-9:00 UTC", "x", 3])
def test_hours_that_are_none_are_refused(session: Session, bad: Any) -> None:
    with pytest.raises(WorkbenchError, match="expected"):
        wb.backtest(QuoteBothSides(), session, hours=bad)


def test_a_schedule_is_known_however_it_is_asked() -> None:
    """Forwards, where answers are kept for a while, and back."""
    first = ns("2024-08-08T13:00")
    schedule, hours = (
        Schedule(first, "08:30-15:00 America/Chicago", "45m"),
        Hours.read("08:30-15:00 America/Chicago"),
    )
    moments = [first + k * 7 * MINUTE for k in range(300)]
    for ts in moments + moments[::-1]:
        assert schedule.acts(ts) == (ts >= first + 45 * MINUTE and hours.holds(ts))


class Witness(QuoteBothSides):
    """Notes when it is asked and what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[int] = []
        self.told: list[EventBatch] = []

    def on_events(self, desk: PlainDesk, batch: EventBatch) -> None:
        """Keep."""
        self.told.append(batch)

    def on_timer(self, desk: PlainDesk) -> None:
        """Note the time, then quote."""
        self.steps.append(desk.now)
        super().on_timer(desk)


def test_it_acts_within_its_hours_alone_and_holds_nothing_behind(session: Session) -> None:
    """Steps keep their times; at the end orders are taken back and the position is closed; nothing that came is lost."""
    witness = Witness()
    run = wb.backtest(witness, session, every="100ms", hours=HOURS)
    free = Witness()
    wb.backtest(free, session, every="100ms")
    opens, closes = ns("2025-01-06T14:31"), ns("2025-01-06T14:32")
    assert witness.steps == [ts for ts in free.steps if opens <= ts < closes] and len(witness.steps) > 500
    told = EventBatch.concatenate(witness.told)
    behind = session.events.filter(pl.col("ts").dt.timestamp("ns") <= witness.steps[-1])
    assert told.first_sequence == behind["sequence"][0] and len(told) == len(behind)
    sent = run.orders["sent"].dt.timestamp("ns").to_list()
    assert min(sent) >= opens and max(sent) < closes + 10**9
    assert run.equity["position"].to_list()[-1] == 0 and len(run.fills) > 10
    late = run.fills.filter(pl.col("ts").dt.timestamp("ns") > closes + 10**9)
    assert not len(late), "a second is enough to leave"
    assert set(run.orders["status"].to_list()) <= {"FILLED", "CANCELED", "EXPIRED"}


@pytest.mark.parametrize("latency", [0, "1ms", "250ms"])
@pytest.mark.parametrize("when", [{"hours": HOURS}, {"warm_up": "70s"}, {"hours": HOURS, "warm_up": "75s"}])
def test_compiled_and_plain_leave_alike(session: Session, latency: Any, when: dict[str, str]) -> None:
    """Equal orders and fills, to the bit; and fewer than without."""
    compiled = wb.backtest(quote_both_sides, session, latency=latency, **when)  # type: ignore[arg-type]
    plain = wb.backtest(QuoteBothSides(), session, latency=latency, **when)  # type: ignore[arg-type]
    assert compiled.fills.equals(plain.fills) and compiled.orders.equals(plain.orders)
    assert 10 < len(plain.fills) < len(wb.backtest(quote_both_sides, session, latency=latency).fills)


def test_hours_that_always_hold_change_nothing(session: Session) -> None:
    """At every moment of the rows too."""
    always = "14:00-15:00 UTC"
    for every in ("100ms", None):
        free = wb.backtest(quote_both_sides, session, every=every)
        assert wb.backtest(quote_both_sides, session, every=every, hours=always).orders.equals(free.orders)
    free = wb.backtest(QuoteBothSides(), session)
    assert wb.backtest(QuoteBothSides(), session, hours=always).fills.equals(free.fills)


def test_the_paper_desk_and_a_live_run_leave_alike(session: Session) -> None:
    """As ``wb.backtest`` does, with the same latencies."""
    terms = wb.PaperTerms(entry_ns=1_000_000, response_ns=1_000_000, limits=UNBOUND)
    seen = ["ts", "side", "price", "size"]
    told = wb.backtest(QuoteBothSides(), session, hours=HOURS, warm_up="65s").fills.select(seen)
    paper = wb.paper_backtest(QuoteBothSides(), session, terms, hours=HOURS, warm_up="65s")
    with wb.simulate(seed=11, inline=True, paper=terms) as live:
        with wb.trade(QuoteBothSides(), live, hours=HOURS, warm_up="65s") as run:
            live.advance("3m")
        assert run.result().fills.select(seen).equals(told)
    assert paper.fills.select(seen).equals(told) and len(told) > 10


def test_settings_of_a_sweep_too() -> None:
    """Hours are a setting like any other."""
    from workbench.lab.sweep_grid import SETTINGS

    assert {"hours", "warm_up"} <= SETTINGS
