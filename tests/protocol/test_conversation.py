"""Server and client together: over any link, the columns are the published ones, and what is missing is a gap."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.support.wire import INSTRUMENT, MS, Feed, Link, columns_of, depth, is_numbered, market_batches
from workbench.events import EventBatch, EventKind
from workbench.protocol.limits import SECOND_NS
from workbench.protocol.notices import BadMessage, MarketData, Snapshot, StreamChanged

EVERYTHING = ("FULL_ORDER_BOOK", "TRADES", "MBO")
both_faces = pytest.mark.parametrize("binary", [True, False])


def _live(feed: Feed, binary: bool = True, data: tuple[str, ...] = EVERYTHING) -> Link:
    link = Link(feed, binary=binary)
    link.connect()
    link.client.subscribe("ESZ6", data)
    link.deliver()
    return link


def _is_data(way: str, frame: str | bytes) -> bool:
    return way == "down" and (isinstance(frame, bytes) or '"DEPTH"' in frame)


@both_faces
def test_late_client_gets_the_book_and_then_every_event(binary: bool) -> None:
    """A snapshot of the moment, then the stream from exactly there."""
    feed = Feed()
    feed.publish(depth(0, 10))
    link = _live(feed, binary)
    feed.publish(depth(10, 5))
    link.deliver()
    (snapshot,) = link.of_kind(Snapshot)
    assert isinstance(snapshot, Snapshot)
    assert snapshot.next_sequence == snapshot.batch.next_sequence == 10
    assert link.batches() == [depth(10, 5)]


@settings(max_examples=25, deadline=None)
@given(st.lists(market_batches(max_rows=20, gaps=False), max_size=5), st.booleans(), st.data())
def test_any_chunking_gives_the_same_columns(
    parts: list[EventBatch], binary: bool, data: st.DataObject
) -> None:
    """However a stream is cut into batches, both faces hand on the same rows."""
    feed = Feed()
    link = _live(feed, binary)
    following, expected = 0, []
    for part in parts:
        batch = EventBatch(part.columns, following)
        following = batch.next_sequence
        expected += columns_of([batch])
        cut = data.draw(st.integers(0, len(batch)))
        for piece in (batch[:cut], batch[cut:]):
            feed.publish(piece)
            if data.draw(st.booleans()):
                link.deliver()
    link.deliver()
    assert columns_of(link.batches()) == expected


@both_faces
def test_reconnecting_client_resumes_without_loss(binary: bool) -> None:
    """What was published while the client was away comes from the ring: nothing lost, nothing twice."""
    feed = Feed()
    link = _live(feed, binary)
    for first in range(0, 100, 10):
        link.disconnect()
        feed.publish(depth(first, 10))
        link.connect()
    assert columns_of(link.batches()) == columns_of([depth(0, 100)])
    assert link.client.counts.duplicates == link.client.counts.lost == 0


@both_faces
def test_too_long_an_absence_is_one_gap_and_a_fresh_book(binary: bool) -> None:
    """What the ring no longer has is one GAP row of the right size, then the newest book."""
    feed = Feed(ring_bytes=2_000)
    link = _live(feed, binary)
    feed.publish(depth(0, 10))
    link.deliver()
    link.disconnect()
    for first in range(10, 1000, 10):
        feed.publish(depth(first, 10))
    link.connect()
    feed.publish(depth(1000, 5))
    link.deliver()
    before, gap, after = link.batches()
    assert (before, after) == (depth(0, 10), depth(1000, 5))
    assert (gap.kind[0], gap.first_sequence, gap.size[0]) == (EventKind.GAP, 10, 990)
    assert link.client.counts.lost == 990 and link.notices[-1] == MarketData(
        "ESZ6", after, None, 1 if binary else 0
    )
    assert [s.next_sequence for s in link.of_kind(Snapshot)] == [0, 1000]  # type: ignore[attr-defined]


@both_faces
def test_lost_frame_is_noticed_at_once_and_comes_again(binary: bool) -> None:
    """The next frame, or the heartbeat where none follows, shows the loss; the ring heals it within a second."""
    feed = Feed()
    link = _live(feed, binary)
    link.drop = _is_data
    feed.publish(depth(0, 33))
    link.deliver()
    link.drop = lambda way, frame: False
    feed.publish(depth(33, 7))
    link.deliver()
    reasons = [n.reason for n in link.of_kind(StreamChanged) if n.reason]  # type: ignore[attr-defined]
    assert reasons == ["gap 0–32 (33 events), resync"]
    link.pass_time(SECOND_NS)
    assert columns_of(link.batches()) == columns_of([depth(0, 40)])


@both_faces
def test_lost_last_frame_is_noticed_by_the_heartbeat(binary: bool) -> None:
    """A quiet market does not hide a loss."""
    feed = Feed()
    link = _live(feed, binary)
    link.drop = _is_data
    feed.publish(depth(0, 5))
    link.deliver()
    link.drop = lambda way, frame: False
    link.pass_time(SECOND_NS)
    assert columns_of(link.batches()) == columns_of([depth(0, 5)])


@both_faces
def test_duplicates_are_dropped_and_counted(binary: bool) -> None:
    """A frame that comes twice, or again later, is handed on once."""
    feed = Feed()
    link = _live(feed, binary)
    feed.publish(depth(0, 5))
    feed.publish(depth(5, 5))
    link.deliver()
    for way, frame in list(link.wire):
        if _is_data(way, frame):
            link.client.receive(frame, link.now)
    link.notices += link.client.events()
    assert columns_of(link.batches()) == columns_of([depth(0, 10)])
    assert link.client.counts.duplicates == 10


@both_faces
def test_lost_snapshot_is_complained_about_and_asked_for_again(binary: bool) -> None:
    """Data before the snapshot waits; after 2 s the client says so and asks again."""
    feed = Feed()
    feed.publish(depth(0, 10))
    link = Link(feed, binary=binary)
    link.connect()
    link.drop = lambda way, frame: way == "down" and (isinstance(frame, bytes) or "SNAPSHOT" in frame)
    link.client.subscribe("ESZ6")
    link.deliver()
    link.drop = lambda way, frame: False
    feed.publish(depth(10, 5))
    link.pass_time(SECOND_NS)
    assert not link.batches()
    link.pass_time(2 * SECOND_NS)
    assert [n.message for n in link.of_kind(BadMessage)] == ["ESZ6: no snapshot in 2 s"]  # type: ignore[attr-defined]
    (snapshot,) = link.of_kind(Snapshot)
    assert isinstance(snapshot, Snapshot)
    feed.publish(depth(15, 5))
    link.deliver()
    assert columns_of(link.batches())[-5:] == columns_of([depth(15, 5)])


@both_faces
def test_book_is_asked_for_anew_without_silence(binary: bool) -> None:
    """A book that its owner finds impossible comes again; what the server had not sent yet is a gap, nothing else."""
    feed = Feed()
    link = _live(feed, binary)
    feed.publish(depth(0, 5))
    link.deliver()
    link.client.resync("ESZ6", "crossed")
    link.client.resync("ESZ6", "crossed")
    feed.publish(depth(5, 7))
    link.deliver()
    feed.publish(depth(12, 3))
    link.deliver()
    assert is_numbered(link.batches())
    assert link.batches()[0] == depth(0, 5)
    assert link.batches()[-1] == depth(12, 3)
    lost = sum(int(b.size[0]) for b in link.batches() if b.kind[0] == EventKind.GAP)
    assert lost == link.client.counts.lost
    assert (len(link.of_kind(Snapshot)), link.client.counts.resyncs) == (2, 1)
    assert [n.state for n in link.of_kind(StreamChanged)][-2:] == ["syncing", "live"]  # type: ignore[attr-defined]


@both_faces
def test_restarted_server_goes_on_upwards(binary: bool) -> None:
    """When the server's numbers begin anew, the owner's go on: an unknown gap, then a book, then the events."""
    feed = Feed()
    link = _live(feed, binary)
    feed.publish(depth(0, 50))
    link.deliver()
    link.disconnect()
    link.feed, link.session = Feed(), "s2"
    link.feed.publish(depth(0, 3))
    link.connect()
    link.feed.publish(depth(3, 4))
    link.deliver()
    before, gap, after = link.batches()
    assert is_numbered([before, gap, after]) and gap.size[0] == -1 and len(after) == 4
    assert link.client.next_sequence("ESZ6") == 55
    link.disconnect()
    link.feed.publish(depth(7, 2))
    link.connect()
    assert link.batches()[-1].first_sequence == 55


@both_faces
def test_filtered_subscription_sees_losses_too(binary: bool) -> None:
    """Trades alone skip numbers without harm, and a lost message still shows and heals."""
    feed = Feed()
    link = _live(feed, binary, ("TRADES",))
    trades = []
    for first in range(0, 60, 6):
        kinds = [1, 2, 1, 1, 2, 8] if first % 12 else [1, 1, 1, 1, 1, 1]
        batch = EventBatch.of(first, ts=first, kind=kinds, side=1, price=3, size=first + 1)
        trades += [n for n, kind in zip(batch.sequence.tolist(), kinds) if kind != 1]
        link.drop = (lambda way, frame: way == "down") if first == 30 else (lambda way, frame: False)
        feed.publish(batch)
        link.deliver()
    link.pass_time(SECOND_NS)
    seen = [
        n
        for notice in link.of_kind(MarketData)
        for n in (notice.batch.sequence if notice.sequence is None else notice.sequence).tolist()  # type: ignore[attr-defined]
    ]
    assert seen == trades


def test_book_that_is_not_known_is_not_waited_for() -> None:
    """While the server's own book is invalid there is no snapshot; the stream brings it when it can."""
    feed = Feed(valid=False)
    feed.publish(depth(0, 10))
    link = _live(feed)
    feed.publish(depth(10, 5))
    link.pass_time(5 * SECOND_NS)
    assert link.batches() == [depth(10, 5)] and not link.of_kind(BadMessage) and not link.of_kind(Snapshot)


class LossyFeed(RuleBasedStateMachine):
    """Publish, lose frames either way, cut the line, let time pass, restart: the columns stay true."""

    @initialize(binary=st.booleans())
    def start(self, binary: bool) -> None:
        self.feed = Feed(INSTRUMENT, ring_bytes=200 * 43)
        self.link = Link(self.feed, binary=binary)
        self.link.connect()
        self.link.client.subscribe("ESZ6", EVERYTHING)
        self.link.deliver()
        self.next = 0

    @rule(rows=st.integers(1, 40), times=st.integers(1, 4))
    def publish(self, rows: int, times: int) -> None:
        for _ in range(times):
            self.feed.publish(depth(self.next, rows))
            self.next += rows

    @rule()
    def deliver(self) -> None:
        self.link.deliver()

    @rule(pattern=st.lists(st.booleans(), min_size=1, max_size=12))
    def deliver_badly(self, pattern: list[bool]) -> None:
        """Lose frames by a pattern, whatever they are."""
        turns = iter(pattern)
        self.link.drop = lambda way, frame: next(turns, False)
        self.link.deliver()
        self.link.drop = lambda way, frame: False

    @rule(ms=st.integers(1, 3000))
    def wait(self, ms: int) -> None:
        self.link.pass_time(ms * MS)

    @rule()
    def reconnect(self) -> None:
        self.link.disconnect()
        self.link.connect()

    @invariant()
    def rows_are_the_published_ones_or_a_gap(self) -> None:
        """Numbers are continuous, and each row that is no gap is the one that was published under its number."""
        batches = self.link.batches() if hasattr(self, "link") else []
        assert is_numbered(batches)
        for batch in batches:
            if batch.kind[0] != EventKind.GAP:
                assert batch == depth(batch.first_sequence, len(batch))

    def teardown(self) -> None:
        """On a line that works again everything arrives up to the last event."""
        if not hasattr(self, "link"):
            return
        self.link.disconnect()
        self.link.connect()
        self.link.pass_time(6 * SECOND_NS)
        self.feed.publish(depth(self.next, 1))
        self.link.pass_time(SECOND_NS)
        assert self.link.client.next_sequence("ESZ6") == self.next + 1
        self.rows_are_the_published_ones_or_a_gap()
        assert self.link.batches()[-1].last_sequence == self.next


TestLossyFeed = LossyFeed.TestCase
TestLossyFeed.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
