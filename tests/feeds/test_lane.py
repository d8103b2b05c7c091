"""One instrument across bridges that come and go: what its stream says of an absence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.synthetic import START_NS, changes, snapshot
from workbench.errors import ProtocolError
from workbench.events import EventBatch, EventKind, Instrument, Status
from workbench.feeds.lane import PATIENCE_NS, Lane

MS = 1_000_000
BOOK = snapshot(0, START_NS, 0)
DELTAS = changes(0, 5, MS, 12)
TRADE = EventBatch.of(ts=START_NS, kind=EventKind.TRADE, price=400, size=1)
CLEAR, END, GAP, STATUS = EventKind.CLEAR, EventKind.SNAPSHOT_END, EventKind.GAP, EventKind.STATUS


class Written:
    """A lane, and what it wrote."""

    def __init__(self) -> None:
        self.batches: list[EventBatch] = []
        self.lane = Lane(Instrument("ES", "0.25"), self.batches.append)

    @property
    def kinds(self) -> list[int]:
        return [kind for batch in self.batches for kind in batch.kind.tolist()]

    @property
    def sizes(self) -> list[int]:
        return [size for batch in self.batches for size in batch.size.tolist()]

    def forget(self) -> None:
        self.batches.clear()


@pytest.fixture
def written() -> Written:
    return Written()


def at(batch: EventBatch, ts: int) -> EventBatch:
    """Same rows at another time."""
    return EventBatch.trusted((np.full(len(batch), ts, np.int64), *batch.columns[1:]), 0)


def test_a_first_bridge_needs_no_word(written):
    """Rows are handed on as they came; the state is live with the first one."""
    assert written.lane.state == "empty"
    assert written.lane.take(BOOK)
    assert written.lane.take(DELTAS)
    assert written.lane.state == "live"
    assert written.batches == [BOOK, DELTAS]


def test_a_bridge_that_says_that_bookmap_is_silent_is_believed(written):
    """Until it says that it is back, or is gone; other words change nothing, and the rows go on as they came."""
    written.lane.take(BOOK)
    assert written.lane.trouble == ""
    for status, trouble in (
        (Status.STALE, "Bookmap has fallen silent"),
        (Status.CLOCK_STEP, "Bookmap has fallen silent"),
        (Status.LIVE, ""),
        (Status.STALE, "Bookmap has fallen silent"),
    ):
        written.lane.take(EventBatch.of(ts=START_NS, kind=STATUS, size=int(status)))
        assert (written.lane.state, written.lane.trouble) == ("live", trouble)
    written.lane.gone("killed")
    assert written.lane.trouble == "killed"
    written.lane.take(BOOK)
    assert written.lane.trouble == ""


def test_silence_is_told_once_and_its_end_too(written):
    """No gap: the connection goes on where it was."""
    written.lane.take(BOOK)
    written.forget()
    written.lane.silent("nothing heard")
    written.lane.silent("offline")
    assert (written.lane.state, written.lane.reason) == ("stale", "offline")
    written.lane.take(DELTAS)
    assert written.kinds == [STATUS, *DELTAS.kind.tolist(), STATUS]
    assert (written.sizes[0], written.sizes[-1]) == (Status.STALE, Status.LIVE)
    assert (written.lane.state, written.lane.reason) == ("live", "")


def test_a_bridge_that_is_gone_leaves_a_gap_of_unknown_size(written):
    """Said once, however often it is said."""
    written.lane.take(BOOK)
    written.forget()
    written.lane.gone("ended")
    written.lane.gone("ended")
    assert list(zip(written.kinds, written.sizes)) == [(STATUS, Status.STALE), (GAP, -1)]


def test_nothing_is_said_of_a_bridge_that_never_sent_anything(written):
    """An empty stream has no gap."""
    written.lane.gone("ended")
    assert written.batches == []


def test_no_row_of_a_book_comes_before_its_clear(written):
    """Deltas of a book that is not known would be applied to the old one; trades are true without it."""
    written.lane.take(BOOK)
    written.lane.gone("ended")
    written.forget()
    assert written.lane.take(DELTAS[:3])
    assert written.lane.take(TRADE)
    assert written.kinds == [EventKind.TRADE]
    written.lane.take(BOOK)
    assert written.kinds == [EventKind.TRADE, *BOOK.kind.tolist(), STATUS]
    assert written.sizes[-1] == Status.LIVE


def test_a_missed_begin_of_a_snapshot_is_asked_for(written):
    """Subscribed between CLEAR and SNAPSHOT_END: the half book is left out, and False says so."""
    assert written.lane.take(BOOK[3:8])
    assert not written.lane.take(BOOK[8:])
    assert written.batches == []
    assert written.lane.take(BOOK)
    assert written.batches == [BOOK]


def test_live_waits_for_the_end_of_the_snapshot(written):
    """However the snapshot is cut."""
    written.lane.take(BOOK)
    written.lane.gone("ended")
    written.forget()
    written.lane.take(BOOK[:4])
    assert written.lane.state == "stale"
    written.lane.take(BOOK[4:])
    assert written.lane.state == "live"
    assert written.kinds == [*BOOK.kind.tolist(), STATUS]


def test_a_provider_without_a_book_is_live_after_a_second_of_rows(written):
    """It never ends a snapshot."""
    written.lane.take(TRADE)
    written.lane.gone("ended")
    for wait_ns in (1, PATIENCE_NS):
        assert written.lane.state == "stale"
        written.lane.take(at(TRADE, START_NS + wait_ns))
    written.lane.take(at(TRADE, START_NS + PATIENCE_NS + 1))
    assert written.lane.state == "live"


def test_time_never_decreases(written):
    """Another bridge's last event, or its clock, may be before what was handed on."""
    written.lane.take(at(BOOK, START_NS + 5))
    written.lane.take(at(DELTAS, START_NS + 3))
    assert all(ts == START_NS + 5 for batch in written.batches for ts in batch.ts.tolist())


def test_a_book_that_means_nothing_any_more_is_forgotten_once(written):
    """Not before there was one, and not again before the next."""
    written.lane.forget_book()
    assert written.kinds == []
    for _ in range(2):
        written.lane.take(BOOK)
        written.lane.gone("killed")
        written.forget()
        written.lane.forget_book()
        written.lane.forget_book()
        assert written.kinds == [CLEAR]


@pytest.mark.parametrize("other", [("0.5", "1", "1"), ("0.25", "2", "1"), ("0.25", "1", "50")])
def test_another_grid_is_refused(written, other):
    """A recording has one tick, one lot, one multiplier; how they are spelt does not matter."""
    written.lane.check(Instrument("ES", "0.250", "1.0", "1", features={"depth": True}))
    with pytest.raises(ProtocolError, match="came back with tick") as caught:
        written.lane.check(Instrument("ES", *other))
    assert caught.value.code == "other_grid"


MOVES = st.lists(st.sampled_from(["book", "deltas", "trade", "half", "silent", "gone"]), max_size=40)
PARTS = {"book": BOOK, "deltas": DELTAS, "trade": TRADE, "half": BOOK[5:]}


@given(moves=MOVES)
def test_whatever_happens_the_stream_makes_sense(moves):
    """STALE and LIVE take turns; after a gap CLEAR comes before any row of a book; time never decreases."""
    written = Written()
    for move in moves:
        if move in PARTS:
            written.lane.take(PARTS[move])
        else:
            getattr(written.lane, move)(move)
    statuses = [s for k, s in zip(written.kinds, written.sizes) if k == STATUS]
    assert statuses == ([Status.STALE, Status.LIVE] * len(statuses))[: len(statuses)]
    knows_book = False
    for kind in written.kinds:
        knows_book = kind == CLEAR or (knows_book and kind != GAP)
        assert knows_book or kind not in (EventKind.DEPTH, END)
    times = [ts for batch in written.batches for ts in batch.ts.tolist()]
    assert times == sorted(times)
