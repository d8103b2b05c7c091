"""A signal as a strategy: it holds what the signal says, the same in every kind of run."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from workbench.errors import WorkbenchError
from workbench.events import EventBatch, EventKind, Instrument
from workbench.flow.batches import event_batches
from workbench.flow.signals.contract import Signal
from workbench.lab.follow_signal import FollowSignal
from workbench.session import Session

MS = 1_000_000
SIGNALS = [
    wb.signals.BookImbalance(enter=0.5, leave=0.2),
    wb.signals.SweepContinuation(),
    wb.signals.BookImbalance(levels=3, enter=0.4, leave=0.1) | wb.signals.OfiMomentum(),
]


@pytest.fixture(scope="module")
def session() -> Session:
    """Twenty seconds of a simulated market in which every signal below speaks."""
    s = wb.simulate(seed=11, inline=True)
    s.advance("20s")
    return s


def steps_of(s: Session) -> list[int]:
    """Times of the steps of a backtest at a clock of 100 ms."""
    ts = events_of(s).ts
    return list(range(int(ts[0]) + 100 * MS, int(ts[-1]), 100 * MS))


def events_of(s: Session) -> EventBatch:
    return EventBatch.concatenate(event_batches(s))


def sides_at(signal: Signal, s: Session, steps: list[int]) -> list[int]:
    """What a fresh signal, shown all events up to a time at once, has said last."""
    events, found = events_of(s), []
    for step in steps:
        sides = (
            signal.fresh(s.instrument).update(events[: int(np.searchsorted(events.ts, step, "right"))]).side
        )
        found.append(int(sides[-1]) if len(sides) else 0)
    return found


def wanted(sides: list[int], steps: list[int], hold_ns: int) -> list[int]:
    """What is to be held after each step: the side, changed no sooner than ``hold_ns`` after it was entered."""
    held, since, found = 0, 0, []
    for side, now in zip(sides, steps, strict=True):
        if side != held and (not held or now >= since + hold_ns):
            held, since = side, now
        found.append(held)
    return found


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: type(signal).__name__)
@pytest.mark.parametrize("hold", [None, "700ms"])
def test_what_is_held_is_what_the_signal_says(session: Session, signal: Signal, hold: str | None) -> None:
    """At no latency and in a deep market each change is one market order, at the step at which it was known."""
    steps = steps_of(session)[:150]
    holds = wanted(sides_at(signal, session, steps), steps, 700 * MS if hold else 0)
    changes = np.diff([0, *holds])
    expected = [(step, int(np.sign(c)), abs(int(c)) * 2) for step, c in zip(steps, changes, strict=True) if c]
    found = wb.backtest(FollowSignal(signal, size=2, hold=hold), session, latency=0).orders
    sent = found.filter(found["sent"].cast(int) <= steps[-1]).select("sent", "side", "size")
    assert expected
    assert [(row[0], row[1], int(row[2])) for row in sent.cast({"sent": int}).iter_rows()] == expected


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: type(signal).__name__)
def test_live_backtest_and_desk_give_the_same_fills(signal: Signal) -> None:
    """The same object on a session as it goes on, over what was captured, and on the paper desk."""
    strategy = FollowSignal(signal, size=2, hold="500ms")
    s = wb.simulate(seed=11, inline=True)
    with wb.trade(strategy, s) as run:
        for _ in range(20):
            s.advance("1s")
    live = run.result().fills
    again = wb.backtest(strategy, s, latency=0).fills
    assert len(live) and live.equals(again[: len(live)])
    terms = wb.PaperTerms(entry_ns=0, response_ns=0)
    assert wb.paper_backtest(strategy, s, terms).fills.equals(again)


def test_a_signal_is_followed_where_a_strategy_is_asked_for(session: Session) -> None:
    """One lot, as if it had been put into a strategy by hand; in bands and trials too."""
    signal = SIGNALS[0]
    plain = wb.backtest(FollowSignal(signal), session)
    assert len(plain.fills)
    assert wb.backtest(signal, session).fills.equals(plain.fills)
    assert "FollowSignal(BookImbalance" in repr(FollowSignal(signal, size=2))


def test_a_gap_ends_what_is_held(session: Session) -> None:
    """A signal does not speak behind lost events: what was held is sold at the first step at which the book is known."""
    events = events_of(session)
    cut = int(np.searchsorted(events.ts, int(events.ts[0]) + 10_000 * MS))
    lost = EventBatch.of(0, ts=int(events.ts[cut]), kind=EventKind.GAP, size=5)
    parts = [events[:cut], lost, events[cut:]]
    twin = SIGNALS[0].fresh(session.instrument)
    said = [twin.update(part).side for part in parts]
    assert (said[2] == 0).all()
    orders = wb.backtest(FollowSignal(SIGNALS[0]), Pieces(session.instrument, parts)).orders
    assert (orders.filter(orders["sent"].cast(int) > int(events.ts[cut]))["filled"] == 0).all()


class Pieces:
    """Events in pieces of their own, as a recording gives them."""

    def __init__(self, instrument: Instrument, parts: list[EventBatch]):
        self.instrument, self._parts = instrument, parts

    def batches(self) -> list[EventBatch]:
        """All of them."""
        return self._parts


@pytest.mark.parametrize(("given", "size"), [("BookImbalance", None), (SIGNALS[0], 0), (SIGNALS[0], -1)])
def test_what_cannot_be_followed_is_refused(given: object, size: float | None) -> None:
    """A name is no signal, and nothing is not a size."""
    with pytest.raises(WorkbenchError, match=r"expected"):
        FollowSignal(given, size=size)  # type: ignore[arg-type]
