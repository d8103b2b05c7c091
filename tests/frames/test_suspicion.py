"""Crossed books and impossible times."""

from __future__ import annotations

import numpy as np

from workbench.book.levels import LevelBook
from workbench.events import EventBatch, EventKind, Instrument
from workbench.frames.suspicion import DAY_NS, EARLIEST_NS, SuspectTimes, crossed_book

INSTRUMENT = Instrument("X", "0.1")


def book(bid: int, ask: int) -> LevelBook:
    levels = LevelBook()
    levels.apply(EventBatch.of(ts=1, kind=EventKind.DEPTH, side=[1, -1], price=[bid, ask], size=1))
    return levels


def test_a_crossed_book_is_said_in_real_units() -> None:
    """Exact decimals, the bid first; a locked or one-sided book is not crossed."""
    assert crossed_book(book(1012, 1011), INSTRUMENT) == "crossed 101.2≥101.1, stale"
    assert crossed_book(book(1011, 1011), INSTRUMENT) == ""
    assert crossed_book(LevelBook(), INSTRUMENT) == ""


def test_times_of_1970_and_of_the_future_are_counted() -> None:
    """The bounds themselves are good; marks of the stream are not looked at."""
    latest = 2_000 * 365 * DAY_NS // 40
    times = SuspectTimes()
    assert str(times) == ""
    ts = np.array([EARLIEST_NS, latest, EARLIEST_NS - 1, latest + 1, 0])
    kind = np.array([EventKind.TRADE] * 4 + [EventKind.CLEAR])
    times.add(ts, kind, latest)
    assert (times.count, times.first_ns) == (2, EARLIEST_NS - 1)
    assert str(times).startswith("clock_suspect: 2 events, the first stamped 1970-12-31T23:59:59")
