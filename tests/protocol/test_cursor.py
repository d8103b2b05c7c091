"""Where a client stands in a stream."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from tests.support.wire import Feed, columns_of, depth
from workbench.events import EventBatch, EventKind
from workbench.protocol import messages
from workbench.protocol.codec import decode_frame
from workbench.protocol.cursor import Cursor

EVERYTHING: list[messages.DataKind] = ["FULL_ORDER_BOOK", "TRADES", "MBO"]


def _cursor(feed: Feed, from_sequence: int | None, *, binary: bool = True) -> Cursor:
    request = messages.Subscribe(symbol="ESZ6", data=EVERYTHING, from_sequence=from_sequence)
    return Cursor(feed.streams["ESZ6"], request, binary=binary)


def _pull_all(cursor: Cursor) -> list[str | bytes]:
    frames = []
    while cursor.pending:
        frames += cursor.pull()
    return frames


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.data())
def test_resume_from_any_number_gives_the_rest(counts: list[int], data: st.DataObject) -> None:
    """Whatever number a client asks for, it gets exactly what begins there."""
    feed, following = Feed(), 0
    for count in counts:
        feed.publish(depth(following, count))
        following += count
    wanted = data.draw(st.integers(0, following))
    subscribed, *frames = _pull_all(_cursor(feed, wanted))
    rows = columns_of(decode_frame(f).batch for f in frames if isinstance(f, bytes))
    assert rows == columns_of([depth(wanted, following - wanted)])
    assert json.loads(subscribed)["next_sequence"] == wanted


def test_resume_inside_the_numbers_of_a_gap() -> None:
    """A client that stands inside lost numbers gets the rest of the gap."""
    feed = Feed()
    feed.publish(EventBatch.of(0, ts=1, kind=int(EventKind.GAP), size=10))
    feed.publish(depth(10, 1))
    frames = [decode_frame(f) for f in _pull_all(_cursor(feed, 4)) if isinstance(f, bytes)]
    assert [(f.first, f.next) for f in frames] == [(4, 10), (10, 11)]


def test_number_that_was_never_published_starts_with_a_snapshot() -> None:
    """A client from the future gets the newest book."""
    feed = Feed()
    feed.publish(depth(0, 3))
    types = [json.loads(f)["type"] for f in _pull_all(_cursor(feed, 99, binary=False))]
    assert types == ["SUBSCRIBED", "SNAPSHOT", "SNAPSHOT_END"]


def test_snapshot_is_made_when_it_is_sent() -> None:
    """The book is the one of the moment the client takes it, however long it waited."""
    feed = Feed()
    cursor = _cursor(feed, None, binary=False)
    feed.publish(depth(0, 30))
    subscribed, snapshot, _ = (json.loads(f) for f in _pull_all(cursor))
    assert (subscribed["next_sequence"], snapshot["sequence"]) == (30, 29)


def test_a_book_that_is_still_being_sent_is_sent_from_its_clear() -> None:
    """Whoever comes between CLEAR and SNAPSHOT_END gets all of it, not its end alone."""
    feed = Feed()
    feed.publish(depth(0, 3))
    feed.publish(EventBatch.of(3, ts=1, kind=[EventKind.CLEAR]))
    feed.publish(depth(4, 2))
    subscribed, *frames = _pull_all(_cursor(feed, None))
    assert (json.loads(subscribed)["next_sequence"], json.loads(subscribed)["snapshot"]) == (3, False)
    assert [(f.first, f.next) for f in map(decode_frame, frames)] == [(3, 4), (4, 6)]


def test_after_a_gap_no_snapshot_is_under_way() -> None:
    """Its end will come, and say nothing."""
    feed = Feed()
    feed.publish(EventBatch.of(0, ts=1, kind=[EventKind.CLEAR, EventKind.DEPTH, EventKind.GAP], size=-1))
    assert feed.streams["ESZ6"].open_snapshot() is None
