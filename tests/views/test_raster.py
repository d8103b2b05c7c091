"""The raster against a plain-Python oracle that walks every event of every row."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.heat_oracle import COLUMN_NS, COLUMNS, ROWS, START, Oracle, batch_of, events
from workbench.errors import WorkbenchError
from workbench.events import EventBatch, EventKind, Side
from workbench.views.raster import (
    Raster,
    Scale,
    cut_offs,
    dequantise,
    quantise,
)


@settings(max_examples=60, deadline=None)
@given(
    events,
    st.sampled_from(["max", "last", "mean"]),
    st.sampled_from([1, 3]),
    st.lists(st.integers(0, 60), max_size=4),
)
def test_columns_equal_the_oracle_under_any_chunking(rows, rule, row_ticks, cuts):
    """Every cell, best price and mark that the ring holds equals a walk over all events, however they are cut."""
    batch = batch_of(rows)
    scale = Scale(COLUMN_NS, row_ticks, -1, START // COLUMN_NS, COLUMNS, ROWS, rule)
    raster, oracle = Raster(scale), Oracle(scale)
    edges = sorted({0, len(batch), *(min(cut, len(batch)) for cut in cuts)})
    for start, stop in itertools.pairwise(edges):
        raster.feed(batch[start:stop].columns)
    for event in zip(*(batch.columns[c].tolist() for c in (0, 2, 3, 4, 5))):
        oracle.apply(*event)
    first, stop = raster.first_column, raster.last_column + 1
    until = int(batch.ts[-1])
    expected = [[oracle.cell(c, r, until) for r in range(ROWS)] for c in range(first, stop)]
    np.testing.assert_allclose(raster.heat(first, stop), np.array(expected), rtol=1e-6)
    assert raster.best(first, stop).tolist() == [list(oracle.best_at(c)) for c in range(first, stop)]
    assert raster.marks(first, stop).tolist() == [oracle.mark(c) for c in range(first, stop)]


def test_a_level_far_away_costs_pages_not_memory():
    """Levels at both ends of int32 grow the store by pages of 512 ticks and are found as best prices."""
    raster = Raster(Scale(COLUMN_NS, 1, 0, START // COLUMN_NS, COLUMNS, ROWS))
    prices = np.concatenate([np.arange(-(2**31), 2**31, 2**25), [2**31 - 1]])
    raster.feed(EventBatch.of(0, ts=START, kind=EventKind.DEPTH, side=Side.BID, price=prices, size=1).columns)
    assert raster.best_bid == 2**31 - 1
    assert raster.reach(3) == 2 * 2**25 + 2**25 - 1


def test_time_without_events_closes_columns_with_what_rests():
    """A quiet market still grows columns, and a jump longer than the ring keeps only its end."""
    raster = Raster(Scale(COLUMN_NS, 1, 0, START // COLUMN_NS, COLUMNS, ROWS))
    raster.feed(EventBatch.of(0, ts=[START], kind=EventKind.DEPTH, side=Side.ASK, price=3, size=7).columns)
    raster.advance(START + 40 * COLUMN_NS)
    assert (raster.first_column, raster.last_column) == (25, 40)
    assert (raster.heat(25, 41)[:, 3] == 7).all()


def test_sizes_survive_the_wire_within_a_thousandth():
    """16-bit codes keep sizes from one lot to 2^60 within 0.04 %, and nothing stays nothing."""
    lots = np.array([0, 1, 2, 3, 17, 1000, 123_456_789, 2**60], dtype=np.float64)
    back = dequantise(quantise(lots))
    assert back[0] == 0
    np.testing.assert_allclose(back[1:], lots[1:], rtol=4e-4)


def test_one_huge_wall_does_not_darken_the_picture():
    """The upper cut-off is at most 25 medians; an empty picture has one too."""
    heat = np.array([[4.0] * 90 + [1e6] * 10])
    assert cut_offs(heat, 10, 98.5) == (4.0, 100.0)
    assert cut_offs(np.zeros((2, 2)), 10, 98.5) == (1.0, 2.0)


def test_an_unknown_rule_is_refused():
    """A rule that does not exist names those that do."""
    with pytest.raises(WorkbenchError, match="rule 'median'; expected one of"):
        Scale(1, rule="median")
