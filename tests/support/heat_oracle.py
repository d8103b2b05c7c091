"""A plain-Python oracle of the heatmap that walks every event of every row, and streams of events to try."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

from workbench.events import EventBatch, EventKind, Side
from workbench.views.pyramid import Tile, empty_tile
from workbench.views.raster import MARK_EMPTY, MARK_GAP, NO_TICK, Scale

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


def expected_tile(batch: EventBatch, scale: Scale) -> Tile:
    """The tile as a walk over all events finds it; empty before the first event and after the last."""
    oracle = Oracle(scale)
    for event in zip(*(batch.columns[c].tolist() for c in (0, 2, 3, 4, 5))):
        oracle.apply(*event)
    first, last = (int(ts) // scale.column_ns - scale.origin_column for ts in (batch.ts[0], batch.ts[-1]))
    until, tile = int(batch.ts[-1]), empty_tile(scale)
    for column in range(max(first, 0), min(scale.columns, last + 1)):
        tile.heat[column] = [oracle.cell(column, row, until) for row in range(scale.rows)]
        tile.best[column] = oracle.best_at(column)
        tile.marks[column] = oracle.mark(column)
    return tile


def assert_equals_the_oracle(tile: Tile, batch: EventBatch, scale: Scale) -> None:
    expected = expected_tile(batch, scale)
    np.testing.assert_allclose(tile.heat, expected.heat, rtol=1e-6)
    assert tile.best.tolist() == expected.best.tolist()
    assert tile.marks.tolist() == expected.marks.tolist()
