"""Absorption: the kernel says what a loop over lists of prints says."""

from __future__ import annotations

import statistics
from collections import defaultdict

import pytest
from hypothesis import given, settings

from tests.support.books import DictBook
from tests.support.detectors import K, found, rows
from tests.support.flows import MS, Row, known, market, markets, walked
from workbench.events import EventBatch, Flag, Instrument
from workbench.flow.detectors.absorption import Absorption

X = Instrument("X", "0.25", "1")
TIME_NS = 200 * MS
SPANS = 8


class PlainAbsorption:
    """Definition: much traded at one price within a time, against a side that is still there."""

    def __init__(self, lots: int | None, deviations: float):
        self.lots, self.deviations = lots, deviations
        self.mid: int | None = None
        self.told: list[tuple] = []
        self.forget()

    def forget(self) -> None:
        self.prints: dict[tuple[int, int], list[Row]] = defaultdict(list)
        self.begun: dict[tuple[int, int], tuple[int, int]] = {}
        self.fired: set[tuple[int, int]] = set()
        self.now: list[tuple[int, int]] = []
        self.first: int | None = None
        self.sums: dict[tuple[int, int], int] = defaultdict(int)

    def row(self, row: Row, book: DictBook) -> None:
        if self.first is None:
            self.first = row.ts // TIME_NS
        if row.kind in (K.CLEAR, K.GAP):
            self.forget()
            self.mid = None
        elif row.kind == K.TRADE and row.size > 0 and row.side and not row.flags & Flag.OTC:
            self.sums[row.ts // TIME_NS, row.side] += row.size
            if known(book) and not row.flags >> 6:
                self.add(row, book)

    def add(self, row: Row, book: DictBook) -> None:
        at = row.price, -row.side
        mid = self.mid if self.mid is not None else book.best(1)[0] + book.best(-1)[0]
        if not self.volume(at, row.ts):
            self.begun[at] = row.ts, mid
            self.fired.discard(at)
        self.prints[at].append(row)
        if at not in self.now:
            self.now.append(at)

    def volume(self, at: tuple[int, int], ts: int) -> int:
        self.prints[at] = [row for row in self.prints[at] if row.ts > ts - TIME_NS]
        return sum(row.size for row in self.prints[at])

    def floor(self, ts: int) -> int:
        if self.lots is not None:
            return self.lots
        over = range(max(self.first, ts // TIME_NS - SPANS), ts // TIME_NS)
        if ts // TIME_NS - self.first < 5:
            return 0
        sums = sorted(self.sums[span, side] for span in over for side in (1, -1))
        usual = statistics.median_high(sums)
        spread = 1.4826 * statistics.median_high(abs(value - usual) for value in sums)
        needed = usual + self.deviations * spread
        return max(int(needed) + (needed > int(needed)), 1)

    def end(self, ts: int, sequence: int, book: DictBook) -> None:
        traded, self.now = self.now, []
        if not known(book):
            return
        mid = book.best(1)[0] + book.best(-1)[0]
        floor = self.floor(ts)
        for at in traded if floor else []:
            volume = self.volume(at, ts)
            if volume - sum(row.size for row in self.prints[at] if row.ts == ts) < floor / 2:
                self.fired.discard(at)
            left = book.sides[at[1]].get(at[0], 0)
            if at not in self.fired and volume >= floor and left > 0:
                self.fired.add(at)
                since, then = self.begun[at]
                what = volume, len(self.prints[at]), since, (mid - then) / 2, left, floor
                self.told.append((ts, sequence, at[0] * 1000, at[1], *what))
        self.mid = mid


def same(batch: EventBatch, lots: int | None, deviations: float) -> int:
    """Compare both; how much there was."""
    size = "auto" if lots is None else lots
    made = Absorption(X, time="200ms", size=size, deviations=deviations, over="1600ms")
    seen = found(made, [batch])
    fields = ("traded_lots", "trades", "since_ts", "mid_moved_ticks", "left_lots", "floor_lots")
    told = list(zip(*(c.tolist() for c in seen[:4]), *(seen.evidence[name].tolist() for name in fields)))
    assert sorted(told) == sorted(walked(PlainAbsorption(lots, deviations), batch).told)
    return len(told)


@settings(max_examples=25)
@given(batch=markets())
def test_absorption_is_that_of_a_plain_loop(batch: EventBatch) -> None:
    """Of a size, and of what is much of late."""
    same(batch, 12, 1.0)
    same(batch, None, 0.5)


@pytest.mark.parametrize(("lots", "least"), [(12, 10), (None, 1)])
def test_there_is_absorption_to_compare(lots: int | None, least: int) -> None:
    """The streams are not empty of what is looked for."""
    assert same(market(1, 500, 0.0), lots, 0.5) >= least


def test_the_mid_of_an_old_book_does_not_count() -> None:
    """A print in the very moment of a new book: the mid has moved from where that book has it, not from before."""
    old = [(MS, K.CLEAR), (MS, K.DEPTH, 1, 50, 9), (MS, K.DEPTH, -1, 51, 9), (MS, K.SNAPSHOT_END)]
    new = [
        (9 * MS, K.CLEAR),
        (9 * MS, K.DEPTH, 1, 90, 9),
        (9 * MS, K.DEPTH, -1, 91, 9),
        (9 * MS, K.SNAPSHOT_END),
    ]
    seen = found(Absorption(X, time="200ms", size=5), [rows(*old, *new, (9 * MS, K.TRADE, -1, 90, 5))])
    assert seen.evidence["mid_moved_ticks"].tolist() == [0.0]
    assert seen.score.tolist() == [10.0]
