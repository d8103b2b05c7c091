"""Cliffs and gaps: the kernel says what a loop over the ticks of each look says."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings

from tests.support.books import DictBook
from tests.support.detectors import K, found
from tests.support.flows import MS, Row, known, market, markets, walked
from workbench.events import EventBatch, Instrument
from workbench.flow.detectors.cliffs import Cliffs

X = Instrument("X", "0.25", "1")


class PlainCliffs:
    """Definition: runs of thin ticks between firm ones, and the steepest end of ``span`` ticks, told when new."""

    def __init__(self, gap: int, quantile: float, ratio: float, span: int, reach: int, look: int):
        self.gap, self.quantile, self.ratio = gap, quantile, ratio
        self.span, self.reach, self.look = span, reach, look
        self.next, self.before, self.told = 0, set(), []

    def row(self, row: Row, book: DictBook) -> None:
        if row.kind in (K.CLEAR, K.GAP):
            self.before = set()

    def end(self, ts: int, sequence: int, book: DictBook) -> None:
        if not known(book) or ts < self.next:
            return
        self.next, seen = (ts // self.look + 1) * self.look, set()
        for side in (1, -1):
            best = book.best(side)[0]
            sizes = [book.sides[side].get(best - side * k, 0) for k in range(self.reach + 1)]
            while not sizes[-1]:
                sizes.pop()
            for event, away, *rest in [*self.gaps(sizes), *self.cliff(sizes)]:
                price = best - side * away
                seen.add((event, price, side))
                if (event, price, side) not in self.before:
                    self.told.append((ts, sequence, price * 1000, side, event, away, *rest))
        self.before = seen

    def gaps(self, sizes: list[int]) -> list[tuple]:
        held = sorted(size for size in sizes if size)
        thin = held[min(int(self.quantile * len(held)), len(held) - 1)] if self.quantile else 1
        firm = [k for k, size in enumerate(sizes) if size >= thin]
        return [
            ("gap", a, b - a - 1, sum(sizes[: a + 1]), sum(sizes[a + 1 : b]))
            for a, b in itertools.pairwise(firm)
            if b - a - 1 >= self.gap
        ]

    def cliff(self, sizes: list[int]) -> list[tuple]:
        ends = []
        for last in range(self.span - 1, len(sizes) - self.span):
            before = sum(sizes[last + 1 - self.span : last + 1])
            beyond = sum(sizes[last + 1 : last + 1 + self.span])
            if sizes[last] and before / max(beyond, 1) >= self.ratio:
                ends.append((before / max(beyond, 1), -last, before, beyond))
        if not ends:
            return []
        _, last, before, beyond = max(ends)
        return [("cliff", -last, self.span, before, beyond)]


def same(batch: EventBatch, gap: int, quantile: float, ratio: float, span: int) -> int:
    """Compare both; how much there was."""
    plain = walked(PlainCliffs(gap, quantile, ratio, span, 12, 50 * MS), batch).told
    made = Cliffs(X, gap=gap, quantile=quantile, ratio=ratio, span=span, reach=12, look="50ms")
    seen = found(made, [batch])
    fields = ("event", "away_ticks", "ticks", "before_lots", "beyond_lots")
    told = zip(*(c.tolist() for c in seen[:4]), *(seen.evidence[name].tolist() for name in fields))
    assert list(told) == plain
    return len(plain)


@settings(max_examples=25)
@given(batch=markets())
def test_cliffs_are_those_of_a_plain_loop(batch: EventBatch) -> None:
    """With and without thin levels, near and far spans."""
    same(batch, 1, 0.0, 2.0, 1)
    same(batch, 1, 0.4, 1.5, 2)


@pytest.mark.parametrize(("quantile", "span"), [(0.0, 1), (0.4, 2)])
def test_there_are_cliffs_to_compare(quantile: float, span: int) -> None:
    """The streams are not empty of what is looked for."""
    assert same(market(1, 300), 1, quantile, 1.5, span) > 20
