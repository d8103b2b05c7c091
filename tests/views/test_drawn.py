"""Tiles drawn straight from events against a plain-Python oracle, and against the raster."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.heat_oracle import START, assert_equals_the_oracle, batch_of, events
from workbench.events import EventBatch, EventKind
from workbench.views import drawn as drawing
from workbench.views.drawn import drawn
from workbench.views.pyramid import Pyramid
from workbench.views.raster import Raster, Scale

COLUMNS, ROWS = 12, 8


def pieces(batch: EventBatch, cuts: list[int]):
    edges = sorted({0, len(batch), *(min(cut, len(batch)) for cut in cuts)})
    return [batch[start:stop].columns for start, stop in itertools.pairwise(edges)]


@settings(max_examples=200, deadline=None)
@given(
    rows=events,
    rule=st.sampled_from(["max", "last", "mean"]),
    row_ticks=st.sampled_from([1, 3, 200]),
    column_ns=st.sampled_from([10, 30, 77, 100, 1000]),
    offset=st.integers(-30, 30),
    cuts=st.lists(st.integers(0, 60), max_size=4),
    room=st.sampled_from([1, 2, 64]),
)
def test_tiles_equal_the_oracle_at_any_scale_and_place_under_any_chunking(
    rows, rule, row_ticks, column_ns, offset, cuts, room
):
    """Every cell, best price and mark equals a walk over all events: however cut, wherever the tile lies."""
    batch = batch_of(rows)
    scale = Scale(column_ns, row_ticks, -1, START // column_ns + offset, COLUMNS, ROWS, rule)
    with pytest.MonkeyPatch.context() as patch:  # room so small that it is made several times
        patch.setattr(drawing, "FIRST_PAGES", room)
        patch.setattr(drawing, "FIRST_SHELVES", room)
        tile = drawn(scale, pieces(batch, cuts))
    assert_equals_the_oracle(tile, batch, scale)


def crossing_market(seed: int) -> EventBatch:
    """Levels far apart that come, go and cross, with gaps and snapshots; about half of them are empty."""
    rng = np.random.default_rng(seed)
    count = 4000
    price = rng.choice(rng.integers(-3000, 3000, 60), count) + rng.integers(0, 2, count) * 70_000
    kind = rng.choice(
        [EventKind.DEPTH] * 300 + [EventKind.CLEAR, EventKind.GAP, EventKind.SNAPSHOT_END], count
    )
    size = np.where(kind == EventKind.GAP, -1, rng.integers(0, 10**9, count) * rng.integers(0, 2, count))
    ts = START + np.cumsum(rng.integers(0, 40, count))
    return EventBatch.of(0, ts=ts, kind=kind, side=rng.choice([-1, 1], count), price=price, size=size)


@pytest.mark.parametrize("rule", ["max", "last", "mean"])
@pytest.mark.parametrize("seed", range(3))
def test_it_draws_the_same_bits_as_the_raster(rule, seed):
    """Random books with levels at any distance: the ring of the raster and the tile hold the same numbers."""
    batch = crossing_market(seed)
    scale = Scale(100, 9, -330, START // 100, 900, 700, rule)
    raster = Raster(scale)
    raster.feed(batch.columns)
    tile, stop = drawn(scale, [batch.columns]), raster.last_column + 1
    assert np.array_equal(tile.heat[:stop], raster.heat(0, stop))
    assert np.array_equal(tile.best[:stop], raster.best(0, stop))
    assert np.array_equal(tile.marks[:stop], raster.marks(0, stop))
    assert not tile.heat[stop:].any()


def test_what_comes_after_the_tile_is_not_read():
    """Pieces are taken one by one until the tile is full; cutting the future off changes nothing."""
    batch = crossing_market(5)
    scale = Scale(100, 9, -330, START // 100, 50, 700, "mean")
    stop = int(np.searchsorted(batch.ts, scale.start_ns(50)))
    source = iter([batch[: stop + 1].columns, batch[stop + 1 :].columns])
    tile = drawn(scale, source)
    assert next(source, None) is not None
    whole = drawn(scale, [batch.columns])
    assert all(np.array_equal(a, b) for a, b in zip(tile[:3], whole[:3]))


def test_without_events_a_tile_is_empty():
    """No pieces, or empty ones: the tile of a pyramid that was never fed."""
    scale = Scale(100, 1, 0, 0, 3, 4)
    nothing = EventBatch.of(0, ts=np.empty(0, np.int64), kind=EventKind.DEPTH)
    for source in ([], [nothing.columns]):
        tile, expected = drawn(scale, source), Pyramid(1, 100).tile(scale)
        assert all(np.array_equal(a, b) for a, b in zip(tile[:3], expected[:3]))
