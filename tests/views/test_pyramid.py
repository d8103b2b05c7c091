"""Tiles of the pyramid against a plain-Python oracle, and against the raster."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.heat_oracle import START, assert_equals_the_oracle, batch_of, events
from workbench.errors import WorkbenchError
from workbench.events import EventBatch
from workbench.views import pyramid_store
from workbench.views.pyramid import Pyramid
from workbench.views.raster import Scale

BASE_NS = 10
COLUMNS, ROWS = 12, 8


def fed(pyramid: Pyramid, batch: EventBatch, cuts: list[int]) -> Pyramid:
    edges = sorted({0, len(batch), *(min(cut, len(batch)) for cut in cuts)})
    for start, stop in itertools.pairwise(edges):
        pyramid.feed(batch[start:stop].columns)
    return pyramid


NAMES = ("FIRST_ENTRIES", "FIRST_COLUMNS", "SHEET_ENTRIES", "SHEET_COLUMNS")
small_sheets = st.sampled_from([(1, 1, 3, 2), (4, 1, 16, 4), (1 << 12, 1 << 10, 1 << 18, 1 << 14)])


@settings(max_examples=150, deadline=None)
@given(
    rows=events,
    rule=st.sampled_from(["max", "last", "mean"]),
    row_ticks=st.sampled_from([1, 3]),
    times=st.sampled_from([1, 3, 10, 20, 100]),
    offset=st.integers(-30, 30),
    cuts=st.lists(st.integers(0, 60), max_size=4),
    sheets=small_sheets,
)
def test_tiles_equal_the_oracle_at_any_scale_and_place_under_any_chunking(
    rows, rule, row_ticks, times, offset, cuts, sheets
):
    """Every cell, best price and mark equals a walk over all events: however fed, wherever the tile lies."""
    batch = batch_of(rows)
    column_ns = BASE_NS * times
    scale = Scale(column_ns, row_ticks, -1, START // column_ns + offset, COLUMNS, ROWS, rule)
    with pytest.MonkeyPatch.context() as patch:  # sheets so small that several are put away
        for name, value in zip(NAMES, sheets):
            patch.setattr(pyramid_store, name, value)
        pyramid = fed(Pyramid(row_ticks, BASE_NS), batch, cuts)
    assert_equals_the_oracle(pyramid.tile(scale), batch, scale)


def test_a_scale_that_does_not_fit_is_refused():
    """Other rows, or columns that are no multiple of the base, name what would fit."""
    pyramid = Pyramid(2, BASE_NS)
    for scale in (Scale(BASE_NS, 1), Scale(BASE_NS + 1, 2)):
        with pytest.raises(WorkbenchError, match="expected 2 ticks × a multiple of 10 ns"):
            pyramid.tile(scale)
    assert not pyramid.tile(Scale(BASE_NS, 2, columns=3)).heat.any()
    assert repr(pyramid) == "Pyramid(rows of 2 ticks, columns of 1e-08 s, 0 columns)"
