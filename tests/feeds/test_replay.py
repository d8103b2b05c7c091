"""Replay: recordings as a source, a pure function of virtual time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.synthetic import START_NS, changes, reference, snapshot
from workbench.book.levels import LevelBook
from workbench.errors import RecordingError, ReplayError
from workbench.events import EventBatch, EventKind, Instrument
from workbench.feeds.replay import Replay
from workbench.feeds.source import Source
from workbench.frames.recording import Recording, write_recording

ROWS = 400
STEP_NS = 1_000_000
SYN = Instrument("SYN", "0.25")


def written(folder: Path, *batches: EventBatch, symbol: str = "SYN", tick: str = "0.25") -> Recording:
    """A recording of these batches."""
    return write_recording(folder, Instrument(symbol, tick), batches, source={"kind": "test"})


def later(batch: EventBatch, shift_ns: int, first_sequence: int | None = None) -> EventBatch:
    """The same events at another time."""
    first = batch.first_sequence if first_sequence is None else first_sequence
    return EventBatch((batch.ts + shift_ns, *batch.columns[1:]), first)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return written(tmp_path_factory.mktemp("replay"), reference(ROWS))


def everything(source: Source, until_ns: int | None = None) -> list[EventBatch]:
    end = source.end_ns if until_ns is None else until_ns
    assert end is not None
    return [batch for _, batch in source.advance(end)]


def test_a_straight_replay_is_the_recording(recording: Recording) -> None:
    """Same events, same sequence numbers, and then nothing more."""
    source = Replay(recording)
    assert EventBatch.concatenate(everything(source)) == reference(ROWS)
    assert source.exhausted and source.advance(2**62) == []


def test_it_is_a_source(recording: Recording) -> None:
    """The replay has what the engine and inline sessions drive."""
    source = Replay(recording)
    assert isinstance(source, Source) and source.instruments == (SYN,)
    assert source.name == "replay SYN 2023-11-14T22:13:20.000Z +0.400s"


@settings(max_examples=30, deadline=None)
@given(steps=st.lists(st.tuples(st.integers(0, 60_000_000), st.integers(1, 200)), max_size=30))
def test_cutting_time_into_pieces_changes_nothing(recording: Recording, steps: list[tuple[int, int]]) -> None:
    """However advance() is called, the events are the same."""
    source = Replay(recording)
    batches = [
        batch for length, most in steps for _, batch in source.advance(source.position_ns + length, most)
    ]
    batches += everything(source)
    assert EventBatch.concatenate(batches) == reference(ROWS)


def test_at_most_so_many_events(recording: Recording) -> None:
    """``max_events`` is exact, and the position is where the last event stands."""
    source = Replay(recording)
    batches = [batch for _, batch in source.advance(2**62, 100)]
    assert sum(map(len, batches)) == 100
    assert source.position_ns == int(batches[-1].ts[-1])


@settings(max_examples=25, deadline=None)
@given(moments=st.lists(st.integers(0, ROWS), min_size=1, max_size=4), ahead=st.integers(0, 50))
def test_a_seek_gives_the_book_of_the_straight_run(
    recording: Recording, moments: list[int], ahead: int
) -> None:
    """After any seeks the book equals the one of a run from the start, and the events go on from there."""
    source, book = Replay(recording), LevelBook()
    number = None
    for row in moments:
        moment = START_NS + row * STEP_NS
        source.seek(moment)
        for _, batch in source.advance(moment + ahead * STEP_NS):
            book.apply(batch)
            assert number is None or batch.first_sequence == number
            number = batch.next_sequence
        straight = LevelBook()
        straight.apply(reference(min(row + ahead, ROWS)))
        assert book.checksum() == straight.checksum() and book.valid


def test_a_seek_hands_out_every_event_from_its_moment_on(recording: Recording) -> None:
    """Events at the very moment of the seek are part of what follows, not swallowed by the snapshot."""
    source = Replay(recording)
    source.seek(START_NS + 100 * STEP_NS)
    rows = EventBatch.concatenate(everything(source))
    end = int(np.flatnonzero(rows.kind == EventKind.SNAPSHOT_END)[0])
    assert rows.kind[0] == EventKind.CLEAR
    assert len(rows) - end - 1 == ROWS - 99 and rows.ts[end + 1] == START_NS + 100 * STEP_NS


def test_a_seek_to_the_beginning_clears_the_book(recording: Recording) -> None:
    """Rewound, the recording's own opening comes again under higher numbers."""
    source = Replay(recording)
    last = everything(source)[-1].last_sequence
    source.seek(source.start_ns)
    again = EventBatch.concatenate(everything(source))
    assert again.first_sequence == last + 1
    assert again == EventBatch(reference(ROWS).columns, last + 1)


def test_start_and_end_are_inclusive(recording: Recording) -> None:
    """Every event between the two moments, and the book of the start before them."""
    start, end = START_NS + 100 * STEP_NS, START_NS + 200 * STEP_NS
    source = Replay(recording, start=start, end=end)
    rows = EventBatch.concatenate(everything(source))
    changed = rows.where(rows.flags & 1 == 0)[1]
    times = changed[0][changed[2] != EventKind.CLEAR][1:]
    assert source.end_ns == end and times[0] == start and times[-1] == end


def test_a_start_inside_keeps_the_recordings_numbers(recording: Recording) -> None:
    """Events keep their numbers when the snapshot before them fits in below."""
    source = Replay(recording, start="100ms")
    assert EventBatch.concatenate(everything(source)).last_sequence == reference(ROWS).last_sequence


def test_gaps_are_replayed_as_gaps(tmp_path: Path) -> None:
    """A hole of the recording is a hole of the replay: same row, same numbers."""
    opening = reference(50)
    gap = EventBatch.of(opening.next_sequence, ts=int(opening.ts[-1]) + 1, kind=EventKind.GAP, size=7)
    rest = later(changes(50, 90, STEP_NS, gap.next_sequence), 0)
    got = everything(Replay(written(tmp_path, opening, gap, rest)))
    gaps = [b for b in got if (b.kind == EventKind.GAP).any()]
    assert len(gaps) == 1 and gaps[0].next_sequence == rest.first_sequence
    assert int(gaps[0].size[-1]) == 7 and got[-1].last_sequence == rest.last_sequence


def test_clock_rows_are_kept(tmp_path: Path) -> None:
    """Market time that passed without an event passes in the replay too."""
    clock = EventBatch.of(ts=[START_NS, START_NS + 1], kind=EventKind.CLOCK)
    assert EventBatch.concatenate(everything(Replay(written(tmp_path, clock)))) == clock


def test_several_instruments_are_merged_by_time(tmp_path: Path) -> None:
    """Two recordings of two instruments interleave; the first so many events are the first in time."""
    one = written(tmp_path / "a", reference(100))
    other = written(tmp_path / "b", later(reference(100), STEP_NS // 2), symbol="OTHER")
    source = Replay([one, other])
    assert [i.symbol for i in source.instruments] == ["SYN", "OTHER"]
    first = source.advance(2**62, 60)
    stamps = sorted(t for _, b in first for t in b.ts.tolist())
    rest = source.advance(2**62)
    assert stamps[-1] <= min(int(b.ts[0]) for _, b in rest)
    for symbol in ("SYN", "OTHER"):
        joined = EventBatch.concatenate([b for s, b in first + rest if s == symbol])
        assert len(joined) == len(reference(100))


def test_recordings_of_one_instrument_follow_each_other_with_a_gap(tmp_path: Path) -> None:
    """What happened between two recordings is unknown, and said so."""
    one = written(tmp_path / "a", reference(50))
    hour = 3_600_000_000_000
    other = written(tmp_path / "b", later(reference(50), hour))
    rows = EventBatch.concatenate(everything(Replay([other, one])))
    assert rows.kind.tolist().count(EventKind.GAP) == 1
    assert len(rows) == 2 * len(reference(50)) + 1 and (np.diff(rows.ts) >= 0).all()


def test_a_recording_that_continues_another_has_no_gap(tmp_path: Path) -> None:
    """Two files of one session join without a seam."""
    whole = reference(100)
    halves = [written(tmp_path / "a", whole[:60]), written(tmp_path / "b", whole[60:])]
    assert EventBatch.concatenate(everything(Replay(halves))) == whole


def test_overlapping_recordings_are_refused(tmp_path: Path) -> None:
    """The same instrument twice at the same time: the user chooses."""
    one = written(tmp_path / "a", reference(13_000))
    other = written(tmp_path / "b", later(reference(13_000), 1_000_000_000))
    with pytest.raises(RecordingError, match="overlap 12 s, choose session"):
        Replay([one, other])


def test_different_grids_are_refused(tmp_path: Path) -> None:
    """One stream has one tick size."""
    one = written(tmp_path / "a", reference(5))
    other = written(tmp_path / "b", later(reference(5), 10**12), tick="0.5")
    with pytest.raises(ReplayError, match="one grid"):
        Replay([one, other])


@pytest.mark.parametrize("speed", [0, -1, float("nan"), "fast", True, None])
def test_a_speed_that_makes_no_sense_is_refused(recording: Recording, speed: object) -> None:
    """Zero, negative, NaN or no number: the message names it."""
    with pytest.raises(ReplayError, match="speed"):
        Replay(recording, speed)  # type: ignore[arg-type]


@pytest.mark.parametrize("speed", [1, 50, 0.5, "max"])
def test_any_positive_speed_is_taken(recording: Recording, speed: float | str) -> None:
    """What is handed out for a virtual time does not depend on the speed."""
    assert EventBatch.concatenate(everything(Replay(recording, speed))) == reference(ROWS)


def test_an_empty_recording_says_so(tmp_path: Path) -> None:
    """No stack trace, just: no events."""
    with pytest.raises(ReplayError, match="no events"):
        Replay(written(tmp_path))


def test_end_before_start_is_refused(recording: Recording) -> None:
    """A span that ends before it begins is a mistake."""
    with pytest.raises(ReplayError, match="before start"):
        Replay(recording, start="200ms", end="100ms")


def test_a_start_after_the_end_of_the_recording_has_no_events(recording: Recording) -> None:
    """The message names both moments."""
    with pytest.raises(ReplayError, match=r"no events.*after the last event"):
        Replay(recording, start="1h")


def test_no_recordings_is_refused() -> None:
    """An empty list is a mistake, not an empty market."""
    with pytest.raises(ReplayError, match="no recordings"):
        Replay([])


def test_a_book_that_was_never_valid_stays_so(tmp_path: Path) -> None:
    """A recording without a snapshot replays levels, but never claims that the book is whole."""
    source = Replay(written(tmp_path, changes(0, 100, STEP_NS, 0)), start="50ms")
    book = LevelBook()
    for batch in everything(source):
        book.apply(batch)
    assert not book.valid and book.best_bid is not None


def test_the_snapshot_of_the_reference_is_what_seek_relies_on() -> None:
    """The reference's own snapshot equals the book after its changes."""
    straight, jumped = LevelBook(), LevelBook()
    straight.apply(reference(77))
    jumped.apply(snapshot(77, START_NS + 77 * STEP_NS, 0))
    assert straight.checksum() == jumped.checksum()


def with_a_clock_set_back(back_at: int = 250, by_ns: int = 100 * STEP_NS) -> EventBatch:
    """The reference stream, stamped by a clock that is set back once."""
    whole = reference(ROWS)
    ts = whole.ts.copy()
    ts[back_at:] -= by_ns
    return EventBatch((ts, *whole.columns[1:]), whole.first_sequence)


@pytest.mark.parametrize("piece", [7, 64, 1_000])
def test_a_clock_set_back_costs_no_event(tmp_path: Path, piece: int) -> None:
    """Events keep their order and their number, however the recording and the time are cut."""
    stream = with_a_clock_set_back()
    source = Replay(written(tmp_path, *(stream[k : k + piece] for k in range(0, len(stream), piece))))
    assert source.end_ns == stream.ts.max()
    batches = []
    while not source.exhausted:
        batches += [batch for _, batch in source.advance(source.position_ns + 9 * STEP_NS, piece)]
    assert EventBatch.concatenate(batches) == stream


@pytest.mark.parametrize("row", [40, 200, 251, 300, 390])
def test_a_seek_where_a_clock_was_set_back_splits_the_stream_in_two(tmp_path: Path, row: int) -> None:
    """The snapshot and the events after it give the book of the whole stream: none is missed, none comes twice."""
    stream = with_a_clock_set_back()
    recording = written(tmp_path, stream)
    source = Replay(recording)
    source.seek(int(np.maximum.accumulate(stream.ts)[row]))
    book, whole = LevelBook(), LevelBook()
    whole.apply(stream)
    for batch in everything(source):
        book.apply(batch)
    assert book.checksum() == whole.checksum()
    assert recording.book_at(recording.end_ns).bids == [
        (float(SYN.price(int(p))), float(s)) for p, s in zip(*whole.levels(1, 10))
    ]
