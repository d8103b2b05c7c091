"""One subscription at the client: its states and its numbers."""

from __future__ import annotations

import pytest

from tests.support.wire import INSTRUMENT, Feed, depth
from workbench.errors import WorkbenchError
from workbench.events import EventBatch, EventKind, Status
from workbench.protocol import messages
from workbench.protocol.codec import decode_frame, encode_batch, encode_filtered, encode_snapshot
from workbench.protocol.limits import RESYNC_RETRY_NS, SNAPSHOT_TIMEOUT_NS
from workbench.protocol.notices import Counts, MarketData, Snapshot
from workbench.protocol.reader import StreamReader
from workbench.protocol.snapshot import binary_snapshot
from workbench.protocol.transitions import SUBSCRIPTION


def _waiting(**options: int) -> StreamReader:
    return StreamReader("ESZ6", messages.Subscribe(symbol="ESZ6", **options), Counts())


def _subscribed(reader: StreamReader, following: int = 0, *, snapshot: bool = False) -> StreamReader:
    plain = INSTRUMENT.to_dict()
    answer = messages.Subscribed(
        symbol="ESZ6", stream=0, data=[], next_sequence=following, snapshot=snapshot, instrument=plain
    )
    reader.subscribed(answer, 0)
    return reader


def _give(reader: StreamReader, batch: EventBatch) -> StreamReader:
    reader.frame(decode_frame(encode_batch(batch, 0, 1)), 0)
    return reader


def _snapshot(reader: StreamReader, following: int = 0) -> StreamReader:
    feed = Feed()
    if following:
        feed.publish(depth(0, following))
    for data in binary_snapshot(feed.streams["ESZ6"].book(None, False), 0, 1):
        reader.frame(decode_frame(data), 0)
    return reader


_IN_STATE = {
    "waiting": _waiting,
    "syncing": lambda: _subscribed(_waiting(), snapshot=True),
    "live": lambda: _subscribed(_waiting()),
    "refused": lambda: _refuse(_waiting()),
}
_BY_EVENT = {
    "subscribed": _subscribed,
    "subscribed, snapshot follows": lambda r: _subscribed(r, snapshot=True),
    "snapshot": _snapshot,
    "connection lost": lambda r: r.lost(),
    "refused": lambda r: r.refused("unknown"),
    "loss": lambda r: _give(r, depth(5, 1)),
}


def _refuse(reader: StreamReader) -> StreamReader:
    reader.refused("unknown")
    return reader


@pytest.mark.parametrize("transition", sorted(SUBSCRIPTION))
def test_every_transition_of_the_table_happens(transition: tuple[str, str]) -> None:
    """Each pair of the table is reached, and leads where the table says."""
    reader = _IN_STATE[transition[0]]()
    assert reader.state == transition[0]
    _BY_EVENT[transition[1]](reader)
    assert reader.state == SUBSCRIPTION[transition]


def _rows(reader: StreamReader) -> list[tuple[int, int]]:
    return [(n.batch.first_sequence, len(n.batch)) for n in reader.notices if isinstance(n, MarketData)]


def test_data_before_the_snapshot_waits_for_it() -> None:
    """What came too early follows the snapshot, without what the snapshot already holds."""
    reader = _subscribed(_waiting(), 10, snapshot=True)
    _give(_give(reader, depth(8, 4)), depth(12, 3))
    assert not _rows(reader)
    _snapshot(reader, 10)
    assert [n.next_sequence for n in reader.notices if isinstance(n, Snapshot)] == [10]
    assert _rows(reader) == [(10, 2), (12, 3)]


def test_overlap_is_cut_off() -> None:
    """Of a frame that begins too early only the new rows are handed on."""
    reader = _give(_give(_subscribed(_waiting()), depth(0, 5)), depth(3, 5))
    assert _rows(reader) == [(0, 5), (5, 3)]


def test_loss_within_a_filtered_frame_shows() -> None:
    """Frames tell what they cover: rows left out are no loss, uncovered numbers are."""
    reader = _subscribed(_waiting())
    for first in (0, 20):
        batch = depth(first, 10)
        reader.frame(decode_frame(encode_filtered(batch, batch.price % 5 == 0, 0, 1)), 0)
    assert [
        n.sequence.tolist() for n in reader.notices if isinstance(n, MarketData) and n.sequence is not None
    ] == [[0, 5]]
    assert reader.state == "syncing"


def test_loss_is_asked_for_until_it_comes() -> None:
    """The missing number is asked for at once, and again each half second."""
    reader = _give(_give(_subscribed(_waiting()), depth(0, 2)), depth(9, 1))
    for now in (0, RESYNC_RETRY_NS):
        assert reader.ask_at == now
        (request,) = reader.subscription(now)
        assert isinstance(request, messages.Subscribe) and request.from_sequence == 2
    _give(_subscribed(reader, 2), depth(2, 8))
    assert _rows(reader)[-1] == (2, 8) and reader.ask_at is None


def test_snapshot_that_never_comes_is_asked_for_anew() -> None:
    """After 2 s the subscription is dropped and made again, because the server thinks it was sent."""
    reader = _subscribed(_waiting(), 3, snapshot=True)
    assert reader.deadline == SNAPSHOT_TIMEOUT_NS
    reader.on_time(SNAPSHOT_TIMEOUT_NS)
    kinds = [type(m) for m in reader.subscription(SNAPSHOT_TIMEOUT_NS)]
    assert kinds == [messages.Unsubscribe, messages.Subscribe] and reader.complaint == "no snapshot in 2 s"


def test_incomplete_snapshot_is_not_taken_for_one() -> None:
    """When a part is lost, nothing is handed on."""
    reader = _subscribed(_waiting(), 10, snapshot=True)
    feed = Feed()
    feed.publish(depth(0, 10))
    batch = feed.streams["ESZ6"].book(None, False).to_batch()
    for part in (batch[:3], batch[5:]):
        reader.frame(decode_frame(encode_snapshot(part, 10, 0, 1)), 0)
    assert not [n for n in reader.notices if isinstance(n, Snapshot)] and reader.state == "syncing"


@pytest.mark.parametrize("tick", ["0", "-1", "NaN", "1e999999", "1e-999999", None, [], {}])
def test_impossible_grid_is_refused(tick: object) -> None:
    """A server cannot make a client calculate with a tick beyond all reason."""
    plain = INSTRUMENT.to_dict() | {"tick_size": tick}
    answer = messages.Subscribed(
        symbol="ESZ6", stream=0, data=[], next_sequence=0, snapshot=False, instrument=plain
    )
    with pytest.raises(WorkbenchError):
        _waiting().subscribed(answer, 0)


def _row(number: int, kind: EventKind, size: int) -> EventBatch:
    return EventBatch.of(number, ts=1, kind=kind, size=size)


@pytest.mark.parametrize("away", [Status.STALE, Status.ENDED])
def test_the_book_of_a_source_that_is_away_is_not_asked_for(away: Status) -> None:
    """Nobody has it: a gap behind its going is no reason to complain, before it is back."""
    reader = _snapshot(_subscribed(_waiting(), snapshot=True))
    for number, (kind, size) in enumerate([(EventKind.STATUS, away), (EventKind.GAP, -1)]):
        _give(reader, _row(number, kind, size))
    assert reader.deadline is None
    _give(reader, _row(2, EventKind.STATUS, Status.CLOCK_STEP))
    assert reader.deadline is None
    _give(reader, _row(3, EventKind.STATUS, Status.LIVE))
    assert reader.deadline == SNAPSHOT_TIMEOUT_NS
    reader.on_time(SNAPSHOT_TIMEOUT_NS)
    assert reader.complaint


def test_a_source_that_goes_after_a_gap_is_not_asked_either() -> None:
    """In whatever order the two are told."""
    reader = _snapshot(_subscribed(_waiting(), snapshot=True))
    _give(reader, _row(0, EventKind.GAP, -1))
    assert reader.deadline == SNAPSHOT_TIMEOUT_NS
    _give(reader, _row(1, EventKind.STATUS, Status.STALE))
    assert reader.deadline is None
