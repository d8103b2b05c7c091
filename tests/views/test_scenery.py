"""The scenery at any scale against a raster that is fed with everything."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.bubbles import bubbles
from tests.support.eventually import eventually
from tests.support.recordings import INSTRUMENT, pieces
from tests.support.shown import Shown
from tests.support.synthetic import reference
from workbench.errors import DamagedError
from workbench.events import EventBatch, EventKind
from workbench.frames.recording import write_recording
from workbench.views import bubble_cells, checkpoints, growing, scenery
from workbench.views.exhibit import StoredCapture
from workbench.views.preview import rebinned
from workbench.views.prints import merged
from workbench.views.pyramid import Pyramid, Tile, empty_tile
from workbench.views.raster import Raster, Scale
from workbench.views.scenery import Scenery

START_NS = 1_000_000_000_000
STEP_NS = 7_000_000


def market(count: int, seed: int = 1) -> EventBatch:
    """A random walk of prices with resting sizes, trades, a gap and a new snapshot."""
    rng = np.random.default_rng(seed)
    ts = START_NS + np.cumsum(rng.integers(0, 2 * STEP_NS, count))
    middle = np.cumsum(rng.integers(-1, 2, count)) + 1000
    side = rng.choice([-1, 1], count)
    kind = np.where(rng.random(count) < 0.1, EventKind.TRADE, EventKind.DEPTH)
    price = middle - side * rng.integers(1, 40, count)
    kind[[50, count // 2]] = EventKind.SNAPSHOT_END
    kind[[count // 3, count - count // 5]] = EventKind.GAP
    size = np.where(kind == EventKind.GAP, -1, rng.integers(0, 30, count))
    return EventBatch.of(0, ts=ts, kind=kind, side=side, price=price, size=size)


EVENTS = market(6000)
LAST_NS = int(EVENTS.ts[-1])


def by_raster(scale: Scale, batch: EventBatch = EVENTS) -> Tile:
    """The tile as a raster shows it that took in all events before the tile's end."""
    raster, tile = Raster(replace(scale, columns=scale.columns + 2)), empty_tile(scale)
    end_ns = scale.start_ns(scale.columns)
    stop = int(np.searchsorted(batch.ts, end_ns))
    if stop:
        raster.feed(batch[:stop].columns)
        raster.advance(min(int(batch.ts[-1]), end_ns))
        first, end = max(raster.first_column, 0), min(raster.last_column + 1, scale.columns)
        if first < end:
            tile.heat[first:end] = raster.heat(first, end)
            tile.best[first:end] = raster.best(first, end)
            tile.marks[first:end] = raster.marks(first, end)
    return tile


def assert_same(found: Tile, expected: Tile) -> None:
    assert found.exact
    np.testing.assert_allclose(found.heat, expected.heat, rtol=1e-6)
    assert found.best.tolist() == expected.best.tolist()
    assert found.marks.tolist() == expected.marks.tolist()


def shown(batch: EventBatch = EVENTS) -> Shown:
    session = Shown(INSTRUMENT)
    session.apply(batch)
    return session


@pytest.fixture
def few(monkeypatch):
    """Bounds so low that six thousand events are many."""
    monkeypatch.setattr(scenery, "FEW_ROWS", 100)
    monkeypatch.setattr(scenery, "MANY_ROWS", 1000)
    monkeypatch.setattr(checkpoints, "CHECKPOINT_ROWS", 500)
    monkeypatch.setattr(growing, "EVENTS_PER_COLUMN", 10)
    monkeypatch.setattr(growing, "PIECE_ROWS", 170)


@pytest.fixture
def built(few):
    """A scenery that holds everything, with pyramids of rows of 1 and 4 ticks."""
    found = Scenery(shown().capture())
    for row_ticks in (1, 4):
        whole(found, row_ticks)
    return found


def whole(found: Scenery, row_ticks: int = 1, rule: str = "max") -> Tile:
    """The tile of everything, once it is exact."""
    scale = Scale(10**9, row_ticks, 900 // row_ticks, START_NS // 10**9 - 1, 50, 200, rule)
    return eventually(lambda: (tile := found.tile(scale)).exact and tile)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    column_ns=st.sampled_from([10**6, 7 * 10**6, 5 * 10**7, 10**8, 25 * 10**7, 10**9, 5 * 10**9, 13 * 10**7]),
    row_ticks=st.sampled_from([1, 4]),
    rule=st.sampled_from(["max", "last", "mean"]),
    at_ms=st.integers(-2_000, 50_000),
    columns=st.integers(1, 120),
)
def test_tiles_equal_a_raster_of_everything_at_any_scale(built, column_ns, row_ticks, rule, at_ms, columns):
    """From a pyramid, or from events and a checkpoint: the same cells, best prices and marks."""
    origin = (START_NS + at_ms * 10**6) // column_ns
    scale = Scale(column_ns, row_ticks, 960 // row_ticks, origin, columns, 90, rule)
    assert_same(built.tile(scale), by_raster(scale))


def test_wide_tiles_are_previews_until_their_pyramid_stands(few):
    """A first wide look is answered at once and says that it is not exact; the exact one follows by itself."""
    found = Scenery(shown().capture())
    scale = Scale(10**9, 2, 450, START_NS // 10**9, 60, 100)
    first = found.tile(scale)
    assert first.heat.shape == (60, 100)
    final = eventually(lambda: (tile := found.tile(scale)).exact and tile)
    assert_same(final, by_raster(scale))
    assert found.progress == 1.0
    assert 0 < found.nbytes < 10**8


def test_a_preview_adds_finer_rows_up_and_spreads_coarser_ones():
    """For the rule last a preview of whole multiples is even right; it never claims to be exact."""
    fine, coarse = Pyramid(1, 10**8), Pyramid(4, 10**8)
    for pyramid in (fine, coarse):
        pyramid.feed(EVENTS.columns)
    scale = Scale(10**9, 4, 240, START_NS // 10**9, 40, 20, "last")
    preview, exact = rebinned(fine, scale), coarse.tile(scale)
    assert not preview.exact
    np.testing.assert_allclose(preview.heat, exact.heat, rtol=1e-5, atol=1e-3)
    spread = rebinned(coarse, replace(scale, row_ticks=1, base_row=960, rows=80))
    np.testing.assert_allclose(spread.heat.reshape(40, 20, 4).sum(axis=2), exact.heat, rtol=1e-5, atol=1e-3)


def test_a_growing_capture_is_followed_event_by_event(few):
    """After every batch the tile at the live edge is that of all events so far."""
    session = Shown(INSTRUMENT)
    session.apply(EVENTS[:3000])
    found = Scenery(session.capture())
    whole(found)
    for stop in range(3000, 6001, 97):
        session.apply(EVENTS[stop - (97 if stop > 3000 else 0) : stop])
        scale = Scale(5 * 10**8, 1, 950, int(EVENTS.ts[stop - 1]) // (5 * 10**8) - 30, 31, 100, "mean")
        part = EVENTS[:stop]
        final = eventually(lambda s=scale: (tile := found.tile(s)).exact and tile)
        assert_same(final, by_raster(scale, part))
    assert found.follow()


def test_a_seek_makes_it_start_anew(built):
    """When the capture forgot everything, so does its scenery."""
    capture = built._capture
    capture.clear()
    capture.apply(EVENTS[:2000])
    scale = Scale(10**9, 1, 950, START_NS // 10**9, 30, 100)
    final = eventually(lambda: (tile := built.tile(scale)).exact and tile)
    assert_same(final, by_raster(scale, EVENTS[:2000]))


def test_a_raster_begins_at_a_checkpoint(built):
    """Columns from the asked time on equal those of a raster fed with everything, and it can be fed on."""
    scale = Scale(10**8, 1, 950, START_NS // 10**8, 64, 100)
    start_ns = LAST_NS - 3 * 10**9
    raster, row = built.raster(scale, start_ns)
    other = Raster(scale)
    other.feed(EVENTS.columns)
    assert row == len(EVENTS)
    first = -(-start_ns // 10**8) - scale.origin_column
    assert raster.last_column == other.last_column
    assert np.array_equal(
        raster.heat(first, raster.last_column + 1), other.heat(first, other.last_column + 1)
    )
    assert np.array_equal(raster.now, other.now)


class Counted:
    """Columns that count the rows that are read of them."""

    def __init__(self, columns):
        self.columns, self.rows = columns, 0

    def __len__(self):
        return len(self.columns)

    def row_at(self, ts_ns):
        return self.columns.row_at(ts_ns)

    def chunks(self, start=0, stop=None):
        for piece in self.columns.chunks(start, stop):
            self.rows += len(piece[0])
            yield piece


def test_the_second_raster_of_what_is_not_built_yet_reads_only_the_end(few, monkeypatch):
    """The first one reads everything and keeps the book before its begin; the next, also a later one, equals one of all."""
    monkeypatch.setattr(scenery, "CHECKPOINT_ROWS", 500)
    market = shown()
    counted = market.captured.columns = Counted(market.captured.columns)
    found = Scenery(market.capture())
    scale = Scale(10**8, 1, 950, START_NS // 10**8, 64, 100)
    start_ns = LAST_NS - 3 * 10**9
    found.raster(replace(scale, rows=1), start_ns)
    assert counted.rows == len(EVENTS)
    for later_ns in (0, 10**9):
        counted.rows = 0
        raster, row = found.raster(scale, start_ns + later_ns)
        assert row == len(EVENTS) and counted.rows == len(EVENTS) - counted.row_at(start_ns)
        other = Raster(scale)
        other.feed(EVENTS.columns)
        first = -(-(start_ns + later_ns) // 10**8) - scale.origin_column
        span = (first, other.last_column + 1)
        assert np.array_equal(raster.heat(*span), other.heat(*span))
        assert np.array_equal(raster.best(*span), other.best(*span))
        assert np.array_equal(raster.now, other.now)
    earlier, _ = found.raster(scale, START_NS)
    assert np.array_equal(earlier.now, other.now)


def test_a_recording_has_the_scenery_of_its_events(few, tmp_path):
    """Read from disk, the tile of everything is that of the events in memory."""
    recording = write_recording(tmp_path, INSTRUMENT, pieces(EVENTS, 1000), source={})
    found = Scenery(StoredCapture(recording))
    assert (found.first_ns, found.last_ns) == (int(EVENTS.ts[0]), LAST_NS)
    assert_same(whole(found), whole(Scenery(shown().capture())))


def test_damage_is_told_where_it_is_asked_for(few, tmp_path):
    """What the building thread cannot read reaches whoever follows."""
    batch = reference(5000)
    recording = write_recording(tmp_path, INSTRUMENT, pieces(batch, 1000), source={})
    found = Scenery(StoredCapture(recording))
    file = recording.path / "events-0000.parquet"
    data = bytearray(file.read_bytes())
    data[2000:2400] = bytes(400)
    file.write_bytes(data)
    with pytest.raises(DamagedError):
        eventually(lambda: whole(found) and False)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 400), st.sampled_from([1, 3]), st.integers(0, 2000), st.integers(0, 3))
def test_bubbles_are_those_of_the_raw_trades(columns, row_ticks, at_ms, least):
    """Sums per column, row and aggressor equal those of prints.bubbles inside the rows of the tile."""
    session = shown()
    origin = (START_NS + at_ms * 10**6) // 10**8
    scale = Scale(10**8, row_ticks, 960 // row_ticks, origin, columns, 60)
    found = Scenery(session.capture()).trades(scale, min_lots=least)
    trades = EVENTS.where((EVENTS.kind == EventKind.TRADE) & (EVENTS.size >= least))[1]
    expected = bubbles(trades, scale)
    shown_here = (expected[:, 0] >= 0) & (expected[:, 0] < columns)
    inside = (expected[:, 1] >= 0) & (expected[:, 1] < 60 * row_ticks)
    expected = expected[shown_here & inside]
    order = [np.lexsort((c[:, 3], np.floor(c[:, 1] / row_ticks), c[:, 0])) for c in (found, expected)]
    np.testing.assert_allclose(found[order[0]], expected[order[1]], rtol=1e-5)


def test_too_many_bubbles_are_put_together(monkeypatch):
    """Neighbouring cells join until few enough are left; volume by side stays what it was."""
    scale = Scale(10**8, 1, 900, START_NS // 10**8, 600, 200)
    every = Scenery(shown().capture()).trades(scale)
    monkeypatch.setattr(bubble_cells, "MOST_CELLS", 100)
    few_cells = Scenery(shown().capture()).trades(scale)
    assert len(few_cells) <= 100 < len(every)
    for side in (-1, 1):
        volume = [cells[cells[:, 3] == side, 2].sum() for cells in (every, few_cells)]
        assert volume[0] == pytest.approx(volume[1])
    assert len(merged(every, 1, 1)) == len(every)


def test_a_long_recording_begins_at_the_books_on_its_disk(tmp_path):
    """Before anything was built, a raster of its end reads one row group, not everything, and is exact."""
    columns = list(market(270_000, 5).columns)
    columns[2] = np.where(columns[2] == EventKind.GAP, EventKind.CLOCK, columns[2]).astype(np.uint8)
    events = EventBatch(tuple(columns), 0)
    recording = write_recording(tmp_path / "out", INSTRUMENT, pieces(events, 65_536), source={})
    capture = StoredCapture(recording)
    capture.columns = Counted(capture.columns)
    scale = Scale(10**8, 1, 950, START_NS // 10**8, 64, 100)
    start_ns = int(events.ts[-1]) - 3 * 10**9
    raster, _ = Scenery(capture).raster(scale, start_ns)
    assert capture.columns.rows < 20_000
    other = Raster(scale)
    other.feed(events.columns)
    first, stop = -(-start_ns // 10**8) - scale.origin_column, other.last_column + 1
    assert np.array_equal(raster.heat(first, stop), other.heat(first, stop))
    assert np.array_equal(raster.best(first, stop), other.best(first, stop))
    assert np.array_equal(raster.now, other.now)


def test_a_book_that_was_not_known_is_no_place_to_begin(tmp_path):
    """Where the kept book lies in a gap, an earlier one is taken, or the first event: why it is unknown must be seen."""
    events = market(270_000, 5)
    recording = write_recording(tmp_path / "out", INSTRUMENT, pieces(events, 65_536), source={})
    assert recording.checkpoint_before(265_000)[0] == 262_144
    assert recording.checkpoint_before(262_143) is None
    assert StoredCapture(recording).seed_before(265_000) is None
