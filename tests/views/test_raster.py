"""The raster against a plain-Python oracle that walks every event of every row."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import WorkbenchError
from workbench.events import EventBatch, EventKind, Side
from workbench.views.raster import (
    MARK_EMPTY,
    MARK_GAP,
    NO_TICK,
    Raster,
    Scale,
    cut_offs,
    dequantise,
    quantise,
)

COLUMN_NS = 100
ROWS, COLUMNS = 8, 16
START = 10_000


@dataclass
class Oracle:
    """Resting size per row as lists of (time, total); columns are read off at the end."""

    scale: Scale
    levels: dict[tuple[int, int], int] = field(default_factory=dict)
    history: dict[int, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    best: list[tuple[int, int, int]] = field(default_factory=list)
    marks: list[tuple[int, str]] = field(default_factory=list)

    def apply(self, ts: int, kind: int, side: int, price: int, size: int) -> None:
        if kind == EventKind.DEPTH:
            self.levels[side, price] = size
        elif kind in (EventKind.CLEAR, EventKind.GAP):
            self.levels.clear()
            self.marks.append((ts, "gap" if kind == EventKind.GAP else "clear"))
        elif kind == EventKind.SNAPSHOT_END:
            self.marks.append((ts, "valid"))
        for row in range(self.scale.rows):
            self.history[row].append((ts, self._total(row)))
        bids = [p for (s, p), q in self.levels.items() if s > 0 and q > 0]
        asks = [p for (s, p), q in self.levels.items() if s < 0 and q > 0]
        self.best.append((ts, max(bids, default=NO_TICK), min(asks, default=NO_TICK)))

    def _total(self, row: int) -> int:
        absolute = row + self.scale.base_row
        return sum(q for (_, p), q in self.levels.items() if p // self.scale.row_ticks == absolute)

    def cell(self, column: int, row: int, until: int) -> float:
        begin = self.scale.start_ns(column)
        end = min(begin + self.scale.column_ns, until)
        before = [total for ts, total in self.history[row] if ts < begin]
        inside = [
            (ts, total) for ts, total in self.history[row] if begin <= ts < begin + self.scale.column_ns
        ]
        carried = before[-1] if before else 0
        if self.scale.rule == "max":
            return max([carried, *(total for _, total in inside)])
        if self.scale.rule == "last" or end <= begin:
            return inside[-1][1] if inside else carried
        area, at, total = 0.0, begin, carried
        for ts, new in inside:
            area, at, total = area + total * (ts - at), ts, new
        return (area + total * (end - at)) / (end - begin)

    def best_at(self, column: int) -> tuple[int, int]:
        end = self.scale.start_ns(column + 1)
        known = [(bid, ask) for ts, bid, ask in self.best if ts < end]
        return known[-1] if known else (NO_TICK, NO_TICK)

    def mark(self, column: int) -> int:
        begin, end = self.scale.start_ns(column), self.scale.start_ns(column + 1)
        said = [(ts, what) for ts, what in self.marks if ts < end]
        gapped = any(what == "gap" and ts >= begin for ts, what in said)
        ever = any(what == "valid" for _, what in said)
        valid = bool(said) and said[-1][1] == "valid"
        if not ever:
            return MARK_GAP if gapped else MARK_EMPTY
        return MARK_GAP if gapped or not valid else 0


events = st.lists(
    st.tuples(
        st.integers(0, 150),
        st.sampled_from(
            [EventKind.DEPTH] * 12 + [EventKind.CLEAR, EventKind.SNAPSHOT_END, EventKind.GAP, EventKind.TRADE]
        ),
        st.sampled_from([Side.BID, Side.ASK]),
        st.one_of(st.integers(-10, 25), st.sampled_from([-(2**31), 2**31 - 1, 511, 512, 5000])),
        st.integers(0, 9),
    ),
    min_size=1,
    max_size=60,
)


def batch_of(rows: list[tuple[int, int, int, int, int]]) -> EventBatch:
    ts = START + np.cumsum([row[0] for row in rows])
    kind, side, price, size = (np.array([row[c] for row in rows]) for c in (1, 2, 3, 4))
    size = np.where(kind == EventKind.GAP, -1, size)
    return EventBatch.of(0, ts=ts, kind=kind, side=side, price=price, size=size)


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
