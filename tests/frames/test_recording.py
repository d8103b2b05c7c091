"""Recordings: what goes in comes out; any moment's book; clear words for everything else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.events import batches as arbitrary
from tests.support.recordings import (
    INSTRUMENT,
    START_NS,
    assert_accounted,
    crashed,
    pieces,
    recorder,
    reference,
)
from workbench.book.levels import LevelBook
from workbench.errors import DamagedError, RecordingError, SchemaError
from workbench.events import EventBatch, EventKind, Instrument
from workbench.frames import parquet
from workbench.frames.paths import safe_name
from workbench.frames.recording import Recording, check_no_overlap, open_recording, write_recording

EVENTS = reference(3_000)
MS = 1_000_000


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """A closed recording of thirteen row groups with checkpoints between them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("workbench.frames.publication.EventFile.__init__.__defaults__", (250,))
        patch.setattr("workbench.frames.book_index.BookIndex.__init__.__defaults__", (250,))
        out = tmp_path_factory.mktemp("recording")
        return write_recording(out, INSTRUMENT, pieces(EVENTS, 97), source={"kind": "test"})


def written(out: Path, *batches: EventBatch, symbol: str = "SYN") -> Recording:
    return write_recording(out, Instrument(symbol, "0.25"), batches, source={})


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batch=arbitrary(max_rows=200, gaps=False), rows=st.integers(1, 50))
def test_any_events_survive_the_disk(tmp_path: Path, batch: EventBatch, rows: int) -> None:
    """Any columns, extremes included, cut anywhere, are read back bit for bit."""
    for found in (
        written(tmp_path, *pieces(batch, rows)),
        _recorded(tmp_path, pieces(batch, rows)),
    ):
        assert EventBatch.concatenate(found.batches()).columns[0].tobytes() == batch.ts.tobytes()
        assert not len(batch) or EventBatch.concatenate(found.batches()) == batch
        assert not len(batch) or found.events().collect().equals(batch.to_polars())


def _recorded(directory: Path, batches: list[EventBatch]) -> Recording:
    live = recorder(directory / "live")
    for batch in batches:
        live.append(batch)
        live.flush(START_NS)
    return live.close()


def test_recording_again_gives_the_same_recording(tmp_path: Path, recording: Recording) -> None:
    """Record → open → record: the columns' checksums are the same, whatever files hold them."""
    again = _recorded(tmp_path, list(recording.batches(rows=333)))
    assert again.manifest.columns_crc32 == recording.manifest.columns_crc32
    assert again.count == recording.count


def test_it_knows_itself(recording: Recording) -> None:
    """Counts, times, instrument and source are there without reading events; repr is plain."""
    assert recording.instrument == INSTRUMENT
    assert recording.count == len(recording) == len(EVENTS)
    assert (recording.start_ns, recording.end_ns) == (int(EVENTS.ts[0]), int(EVENTS.ts[-1]))
    assert recording.start == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert recording.gaps.is_empty()
    assert repr(recording) == (
        "Recording(SYN/1, 2023-11-14 22:13:20 – 2023-11-14 22:13:23 UTC, 3,012 events, 0 gaps)"
    )


def test_plain_polars_opens_the_files(recording: Recording) -> None:
    """No library of ours is needed to read a recording."""
    assert pl.read_parquet(recording.path / "events-0000.parquet").equals(EVENTS.to_polars())


def book_by_hand(ts: int) -> LevelBook:
    book = LevelBook()
    book.apply(EVENTS[: int(np.searchsorted(EVENTS.ts, ts, "right"))])
    return book


@settings(max_examples=60, deadline=None)
@given(offset=st.integers(-2 * MS, 3_002 * MS))
def test_book_at_any_moment(recording: Recording, offset: int) -> None:
    """The book at a moment is the book after every event up to and with that moment."""
    view, expected = recording.book_at(START_NS + offset, levels=None), book_by_hand(START_NS + offset)
    top = expected.top(100)
    assert [price for price, _ in view.bids] == INSTRUMENT.prices(top.bid_prices).tolist()
    assert [size for _, size in view.asks] == INSTRUMENT.sizes(top.ask_sizes).tolist()
    assert view.valid == expected.valid


def test_book_at_reads_one_row_group(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thanks to checkpoints no more than one row group of events is read for a moment."""
    from workbench.frames import store

    recording.book_at(START_NS)
    read: list[int] = []
    genuine = parquet.read_group
    monkeypatch.setattr(
        store,
        "read_group",
        lambda group, rows, *file: (read.append(group.number), genuine(group, rows, *file))[1],
    )
    open_recording(recording.path).book_at(START_NS + 1_800 * MS)
    events_groups = [n for n in read if n == 7]
    assert events_groups == [7]
    assert set(read) == {0, 7}  # 0 is the group of the checkpoints' own file


def test_book_without_its_checkpoints_is_the_same(recording: Recording) -> None:
    """Checkpoints are a convenience: without their file the book is built from the first event."""
    path = recording.path / "index.parquet"
    content = path.read_bytes()
    path.write_bytes(content[:-20])
    try:
        crippled = open_recording(recording.path)
        assert crippled.book_at(START_NS + 2_000 * MS) == recording.book_at(START_NS + 2_000 * MS)
        assert crippled.verify().verdict == "INVALID"
    finally:
        path.write_bytes(content)


def test_book_view_speaks_real_units(recording: Recording) -> None:
    """Levels are (price, size), best first; convenience names follow from them."""
    view = recording.book_at(recording.end, levels=2)
    assert len(view.bids) == len(view.asks) == 2
    assert (view.best_bid, view.best_ask) == (99.75, 100.25)
    assert (view.spread, view.mid) == (0.5, 100.0)
    assert view.best_bid_size == view.bids[0][1]
    assert (
        repr(view)
        == f"BookView(SYN/1 bid 99.75 × {view.best_bid_size:g} ask 100.25 × {view.best_ask_size:g}, 2+2 levels)"
    )
    with pytest.raises(RecordingError, match="without a time zone"):
        recording.book_at(datetime(2023, 11, 14))


def test_book_before_the_first_event_is_empty(recording: Recording) -> None:
    """Before the recording there is no book, and it says so."""
    view = recording.book_at(START_NS - 1)
    assert (view.bids, view.asks, view.valid, view.best_bid, view.mid) == ([], [], False, None, None)


@settings(max_examples=40, deadline=None)
@given(start=st.integers(-5, 3_020), length=st.integers(0, 3_000), rows=st.integers(1, 700))
def test_batches_of_any_span(recording: Recording, start: int, length: int, rows: int) -> None:
    """Batches of a span hold exactly its events, however they are cut."""
    low, high = START_NS + start * MS, START_NS + (start + length) * MS
    found = list(recording.batches(low, rows, end_ns=high))
    inside = (EVENTS.ts >= low) & (EVENTS.ts <= high)
    assert sum(map(len, found)) == inside.sum()
    assert all(len(b) <= rows for b in found)
    assert recording.events(low, high).select(pl.len()).collect().item() == inside.sum()


def test_snapshot_rebuilds_the_book(recording: Recording) -> None:
    """The rows of a snapshot, applied to an empty book, give the book of that moment."""
    snapshot = recording.snapshot_at(START_NS + 500 * MS, sequence=70)
    book = LevelBook()
    book.apply(snapshot)
    assert book.checksum() == book_by_hand(START_NS + 500 * MS).checksum()
    assert snapshot.first_sequence == 70
    assert (snapshot.kind[0], snapshot.kind[-1]) == (EventKind.CLEAR, EventKind.SNAPSHOT_END)


def test_spans_that_make_no_sense(recording: Recording) -> None:
    """End before start, and times without a zone, are refused at once."""
    with pytest.raises(RecordingError, match=r"end .* before start"):
        recording.trades(START_NS + 5_000, START_NS)
    with pytest.raises(RecordingError, match=r"end .* before start"):
        recording.batches(START_NS + 5_000, end_ns=START_NS)


def test_empty_recording_says_no_events(tmp_path: Path) -> None:
    """A recording without events opens; asking for its times is a sentence, not a traceback."""
    empty = written(tmp_path)
    assert (empty.count, repr(empty)) == (0, "Recording(SYN, no events)")
    assert empty.trades().collect().is_empty()
    assert list(empty.batches()) == []
    assert empty.book_at(START_NS).bids == []
    assert empty.verify().reasons == ("no events",)
    with pytest.raises(RecordingError, match="no events") as caught:
        _ = empty.start
    assert caught.value.code == "no_events"


def test_gaps_are_listed(tmp_path: Path) -> None:
    """A jump of the sequence becomes a row of the gaps frame and a GAP row of the events."""
    found = written(tmp_path, EVENTS[:100], EVENTS[130:])
    assert found.gaps.rows(named=True)[0]["lost"] == 30
    assert found.gaps.schema == {"ts": pl.Datetime("ns", "UTC"), "sequence": pl.Int64(), "lost": pl.Int64()}
    assert assert_accounted(found.batches(), EVENTS) == len(EVENTS) - 30


def test_writing_leaves_nothing_half_done(tmp_path: Path) -> None:
    """When the stream breaks off with an error, the directory is as it was."""

    def broken():  # type: ignore[no-untyped-def]
        yield EVENTS
        raise ValueError("the source broke")

    with pytest.raises(ValueError, match="the source broke"):
        write_recording(tmp_path, INSTRUMENT, broken(), source={})
    assert list(tmp_path.iterdir()) == []


def test_writing_twice_gives_two_recordings(tmp_path: Path) -> None:
    """A second write of the same session and instrument gets its own place."""
    first, second = written(tmp_path, EVENTS), written(tmp_path, EVENTS[:5])
    assert first.path != second.path
    assert open_recording(first.path).count == len(EVENTS)
    with pytest.raises(RecordingError, match="overlap"):
        check_no_overlap([first, second])


def test_overlap_names_the_seconds(tmp_path: Path) -> None:
    """Two recordings of one instrument may not share time; of two instruments they may."""
    first, second = written(tmp_path, EVENTS), written(tmp_path, EVENTS[1000:])
    with pytest.raises(RecordingError, match=r"overlap 2\.0\d* s, choose session"):
        check_no_overlap([second, first])
    check_no_overlap([first, written(tmp_path, EVENTS, symbol="OTHER")])


def test_unclosed_recording_opens_without_repair(tmp_path: Path) -> None:
    """A crashed recording gives frames, books and gaps; nothing on disk is changed by that."""
    path = crashed(tmp_path, pieces(EVENTS, 500))
    before = {p.name: p.read_bytes() for p in path.iterdir()}
    found = open_recording(path)
    assert not found.closed
    assert assert_accounted(found.batches(), EVENTS) == len(EVENTS)
    assert found.trades().collect().height == int((EVENTS.kind == EventKind.TRADE).sum())
    assert found.events().select("ts").head(3).collect().height == 3
    assert found.book_at(START_NS + 500 * MS).bids == found.book_at(START_NS + 500 * MS).bids != []
    assert found.gaps["lost"].to_list() == [-1]
    assert found.verify().verdict == "DEGRADED"
    assert before == {p.name: p.read_bytes() for p in path.iterdir()}


def test_writers_of_one_session_at_the_same_time_get_a_place_each(tmp_path: Path) -> None:
    """Finished at the same moment, none fails and none replaces another."""
    ready = threading.Barrier(4)

    def write(_: int) -> Recording:
        def batches() -> Iterator[EventBatch]:
            yield EVENTS[:10]
            ready.wait(60)

        return write_recording(tmp_path, INSTRUMENT, batches(), source={}, session="s")

    with ThreadPoolExecutor(4) as writers:
        found = list(writers.map(write, range(4)))
    assert {r.path.parent.name for r in found} == {"s", "s~2", "s~3", "s~4"}
    assert [r.count for r in found] == [10] * 4


def test_a_place_that_a_recorder_has_just_claimed_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty directory, made after one looked, is somebody's all the same."""
    claimed = tmp_path / "s" / safe_name("SYN")
    claimed.mkdir(parents=True)
    genuine = Path.exists
    monkeypatch.setattr(Path, "exists", lambda self, **o: self != claimed and genuine(self, **o))
    found = write_recording(tmp_path, Instrument("SYN", "0.25"), [EVENTS], source={}, session="s")
    assert found.path.parent.name == "s~2"
    assert list(claimed.iterdir()) == []


def test_damaged_manifest_falls_back_to_the_files(tmp_path: Path) -> None:
    """Without a readable manifest the instrument and all events still come from the files themselves."""
    for path in (crashed(tmp_path, [EVENTS]), written(tmp_path, EVENTS).path):
        manifest = path / "manifest.json"
        manifest.write_bytes(manifest.read_bytes()[:-40])
        found = open_recording(path)
        assert assert_accounted(found.batches(), EVENTS) == len(EVENTS)
        assert found.instrument.tick_size == INSTRUMENT.tick_size
        assert found.verify().verdict == "DEGRADED"
        manifest.unlink()
        assert open_recording(path).count == found.count


@pytest.mark.parametrize("make", [lambda p: p / "nothing", lambda p: p, lambda p: p / "file.txt"])
def test_paths_that_are_no_recording(tmp_path: Path, make: object) -> None:
    """Nothing there, an empty directory, a file: each a sentence."""
    (tmp_path / "file.txt").write_text("x", encoding="utf-8")
    with pytest.raises(RecordingError, match="expected"):
        open_recording(make(tmp_path))  # type: ignore[operator]


def test_a_directory_of_several_recordings_names_them(tmp_path: Path) -> None:
    """A session of one recording may be opened by its directory; with several one must choose."""
    one = written(tmp_path, EVENTS)
    assert open_recording(tmp_path).path == open_recording(one.path.parent).path == one.path
    written(tmp_path, EVENTS, symbol="OTHER")
    with pytest.raises(RecordingError, match=r"holds 2 recordings\. Choose one of: .*OTHER.*SYN"):
        open_recording(tmp_path)


def test_cut_parquet_is_a_clear_error(tmp_path: Path) -> None:
    """A cut events file says that it was not finished, and verification says INVALID."""
    found = written(tmp_path, EVENTS)
    events = found.path / "events-0000.parquet"
    events.write_bytes(events.read_bytes()[:-10])
    damaged = open_recording(found.path)
    with pytest.raises(DamagedError, match=r"not finished \(no footer\)"):
        damaged.events()
    with pytest.raises(DamagedError):
        list(damaged.batches())
    assert damaged.verify().verdict == "INVALID"


def test_foreign_columns_are_refused(tmp_path: Path) -> None:
    """A Parquet file of other columns in the place of ours is refused before it is read."""
    found = written(tmp_path, EVENTS)
    pl.DataFrame({"a": [1]}).write_parquet(found.path / "events-0000.parquet")
    with pytest.raises(SchemaError, match="columns"):
        open_recording(found.path).events()


def test_links_inside_a_recording_are_refused(tmp_path: Path) -> None:
    """An events file that is a link leads somewhere else and is not followed."""
    found = written(tmp_path, EVENTS)
    events = found.path / "events-0000.parquet"
    events.rename(tmp_path / "elsewhere.parquet")
    events.symlink_to(tmp_path / "elsewhere.parquet")
    with pytest.raises(RecordingError, match="symbolic link"):
        open_recording(found.path)
