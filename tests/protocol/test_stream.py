"""The shared ring of one instrument."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.wire import INSTRUMENT, Feed, columns_of, depth
from workbench.events import EventBatch, EventKind
from workbench.protocol.limits import MAX_ROWS_PER_FRAME
from workbench.protocol.stream import ALL_KINDS, Stream, kinds_of


def _stream(**options: int) -> Stream:
    feed = Feed(INSTRUMENT, **options)
    return feed.streams["ESZ6"]


def _kept(stream: Stream) -> list[EventBatch]:
    found = [stream.get(i) for i in range(stream.first_index, stream.end_index)]
    return [publication.batch for publication in found if publication is not None]


def test_overlap_is_dropped_and_a_jump_becomes_a_gap() -> None:
    """What a source sends twice is published once; what it skips is a GAP row."""
    stream = _stream()
    for first, count in ((0, 5), (3, 4), (0, 2), (10, 2)):
        stream.publish(depth(first, count), 1)
    kept = _kept(stream)
    assert [(b.first_sequence, len(b)) for b in kept] == [(0, 5), (5, 2), (7, 1), (10, 2)]
    assert (kept[2].kind[0], kept[2].size[0]) == (EventKind.GAP, 3)
    assert stream.next_sequence == 12


def test_ring_lets_go_of_the_oldest() -> None:
    """The ring keeps the newest batches within its bytes, and one at least."""
    stream = _stream(ring_bytes=25 * 43)
    for first in range(0, 100, 10):
        stream.publish(depth(first, 10), 1)
    assert [b.first_sequence for b in _kept(stream)] == [80, 90]
    assert stream.get(0) is None and stream.find(79) is None
    stream.publish(depth(100, 500), 1)
    assert [len(b) for b in _kept(stream)] == [500]


def test_ring_of_small_batches_is_bounded_by_their_number() -> None:
    """Single rows cost far more than their columns: a ring may be told how many batches to keep."""
    stream = Stream(INSTRUMENT, 1, _stream().book, max_publications=3)
    for first in range(10):
        stream.publish(depth(first, 1), 1)
    assert [b.first_sequence for b in _kept(stream)] == [7, 8, 9]
    assert stream.first_index == 7 and stream.find(6) is None


@given(st.lists(st.integers(1, 9), min_size=1, max_size=8), st.data())
def test_every_kept_number_is_found(counts: list[int], data: st.DataObject) -> None:
    """``find`` names publication and row of each number kept, and the end."""
    stream, following = _stream(), 0
    for count in counts:
        stream.publish(depth(following, count), 1)
        following += count
    wanted = data.draw(st.integers(0, following))
    found = stream.find(wanted)
    assert found is not None
    rest = [b for i in range(found[0], stream.end_index) if (p := stream.get(i)) for b in [p.batch]]
    assert columns_of(rest)[found[1] :] == columns_of([depth(wanted, following - wanted)])
    assert stream.find(following + 1) is None and stream.find(-1) is None


def test_large_batches_are_cut_to_frames() -> None:
    """No publication holds more rows than a frame may."""
    stream = _stream()
    stream.publish(depth(0, 2 * MAX_ROWS_PER_FRAME + 1), 1)
    assert [len(b) for b in _kept(stream)] == [MAX_ROWS_PER_FRAME, MAX_ROWS_PER_FRAME, 1]


def test_frames_are_made_once_for_all_clients() -> None:
    """Two clients of the same kind get the very same bytes."""
    stream = _stream()
    stream.publish(depth(0, 3), 1)
    publication = stream.get(0)
    assert publication is not None
    for binary in (True, False):
        assert publication.frames(binary, ALL_KINDS) is publication.frames(binary, ALL_KINDS)


@pytest.mark.parametrize(
    ("data", "kinds"),
    [
        ({"TRADES"}, {2, 8, 9, 10}),
        ({"FULL_ORDER_BOOK"}, {1, 6, 7, 8, 9, 10}),
        ({"MBO"}, {3, 4, 5, 6, 7, 8, 9, 10}),
        ({"DOM", "ACCOUNT"}, set()),
        ({"TRADES", "FULL_ORDER_BOOK", "MBO"}, set(EventKind)),
    ],
)
def test_kinds_of_data(data: set[str], kinds: set[int]) -> None:
    """Each kind of data lets its events through, and the clock, gaps and states with them."""
    assert kinds_of(frozenset(data)) == sum(1 << kind for kind in kinds)


MARKS = (EventKind.CLEAR, EventKind.SNAPSHOT_END, EventKind.GAP)


@given(st.lists(st.lists(st.sampled_from([EventKind.DEPTH, *MARKS]), min_size=1, max_size=5), max_size=12))
def test_an_open_snapshot_is_the_newest_mark_that_is_kept(batches: list[list[EventKind]]) -> None:
    """Known without a search, whatever a ring of five batches has let go of."""
    stream = Stream(INSTRUMENT, 1, _stream().book, max_publications=5)
    marks: list[tuple[int, EventKind]] = []
    following = 0
    for kinds in batches:
        stream.publish(EventBatch.of(following, ts=1, kind=kinds, size=1), 1)
        marks += [(following + row, kind) for row, kind in enumerate(kinds) if kind in MARKS]
        following += len(kinds)
        oldest = _kept(stream)[0].first_sequence
        number, kind = marks[-1] if marks else (-1, EventKind.DEPTH)
        expected = number if kind == EventKind.CLEAR and number >= oldest else None
        assert stream.open_snapshot() == expected
