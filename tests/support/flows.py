"""Streams in which markets do what they do and what they never should, and a plain loop over their moments."""

from __future__ import annotations

from typing import NamedTuple, Protocol, TypeVar

import numpy as np
from hypothesis import strategies as st

from tests.support.books import DictBook
from workbench.events import EventBatch, EventKind, Flag

K = EventKind
MS = 1_000_000
STEPS_NS = (0, 0, 0, MS, 3 * MS, 20 * MS, 120 * MS, 700 * MS)
FIRST_SEQUENCE = 1000


class Row(NamedTuple):
    """One event and its number."""

    sequence: int
    ts: int
    kind: int
    side: int
    price: int
    size: int
    order_id: int
    aggressor_id: int
    flags: int

    @property
    def displayed(self) -> bool:
        """Whether it is a print that met displayed size: an aggressor, in the book, on the grid."""
        hidden = self.flags & (Flag.OTC | Flag.HIDDEN) or self.flags >> 6
        return self.kind == K.TRADE and self.size > 0 and self.side != 0 and not hidden


class Twin(Protocol):
    """A rule as plain Python: told of each row, with the book after it, and of the end of each moment."""

    def row(self, row: Row, book: DictBook) -> None:
        """Take in a row."""

    def end(self, ts: int, sequence: int, book: DictBook) -> None:
        """Rows of another time follow, or none."""


T = TypeVar("T", bound=Twin)


def rows_of(batch: EventBatch) -> list[Row]:
    """A batch as rows of plain integers."""
    columns = (
        batch.ts, batch.kind, batch.side, batch.price, batch.size, batch.order_id, batch.aggressor_id, batch.flags,
    )  # fmt: skip
    return [
        Row(batch.first_sequence + i, *event) for i, event in enumerate(zip(*(c.tolist() for c in columns)))
    ]


def walked(twin: T, batch: EventBatch) -> T:
    """The twin after all rows of a batch and the end of their last moment."""
    book, before = DictBook(), None
    for row in rows_of(batch):
        if before is not None and row.ts != before.ts:
            twin.end(before.ts, before.sequence, book)
        book.row(row.kind, row.side, row.price, row.size)
        twin.row(row, book)
        before = row
    if before is not None:
        twin.end(before.ts, before.sequence, book)
    return twin


def known(book: DictBook) -> bool:
    """Whether the book is known and both of its sides are there."""
    return book.valid and bool(book.sides[1]) and bool(book.sides[-1])


class _Market:
    """Rows of a small market, one deed after another."""

    def __init__(self, rng: np.random.Generator, breaks: float):
        self.rng, self.breaks = rng, breaks
        self.rows: list[tuple[int, ...]] = []
        self.ts, self.middle, self.orders = 1_000 * MS, 200, 0
        self.shown: dict[int, dict[int, int]] = {1: {}, -1: {}}
        self.clear()

    def add(
        self, kind: int, side: int = 0, price: int = 0, size: int = 0, who: int = 0, flags: int = 0
    ) -> None:
        self.rows.append((self.ts, kind, side, price, size, 0, who, flags))

    def size(self) -> int:
        large = self.rng.random() < 0.1
        return int(self.rng.integers(30, 90) if large else self.rng.integers(1, 12))

    def depth(self, side: int, price: int, size: int, flags: int = 0) -> None:
        self.shown[side][price] = size
        if size <= 0:
            del self.shown[side][price]
        self.add(K.DEPTH, side, price, size, flags=flags)

    def clear(self) -> None:
        self.add(K.CLEAR)
        self.shown = {1: {}, -1: {}}
        for away in range(1, 9):
            for side in (1, -1):
                if self.rng.random() < 0.8:
                    self.depth(side, self.middle - side * away, self.size(), int(Flag.SNAPSHOT))
            if self.rng.random() < 0.03:
                self.add(K.TRADE, -1, self.middle - 1, self.size(), 77)
        self.add(K.SNAPSHOT_END)

    def change(self) -> None:
        side = int(self.rng.choice([1, -1]))
        price = self.middle - side * int(self.rng.integers(1, 9))
        self.depth(side, price, 0 if self.rng.random() < 0.3 else self.size())

    def trade(self) -> None:
        """One aggressor takes up to four levels; the feed tells levels before or after, or not at all."""
        side = int(self.rng.choice([1, -1]))
        self.orders += 1
        resting = sorted(self.shown[-side], reverse=side < 0)[: int(self.rng.integers(1, 5))]
        for price in resting:
            lots = int(self.rng.integers(1, self.shown[-side][price] + 4))
            self.add(K.TRADE, side, price, lots, self.orders)
            if self.rng.random() < 0.9:
                self.depth(-side, price, max(self.shown[-side][price] - lots, 0))
            if self.rng.random() < 0.2:
                self.depth(-side, price, self.size())

    def layer(self) -> None:
        """Large sizes at neighbouring levels of one side, some flow in between, and gone they are."""
        side = int(self.rng.choice([1, -1]))
        prices = [self.middle - side * away for away in range(2, 2 + int(self.rng.integers(1, 4)))]
        for price in prices:
            self.depth(side, price, int(self.rng.integers(100, 200)))
        for _ in range(int(self.rng.integers(0, 4))):
            self.ts += int(self.rng.choice([MS, 150 * MS]))
            self.trade()
        self.ts += int(self.rng.choice([MS, 150 * MS, 700 * MS]))
        for price in prices:
            self.depth(side, price, int(self.rng.integers(0, 12)))

    def odd(self) -> None:
        """Prints that are no ordinary ones, marks, and other rows that change no level."""
        side, price = int(self.rng.choice([1, -1, 0])), self.middle + int(self.rng.integers(-3, 4))
        flags = int(self.rng.choice([0, Flag.OTC, Flag.HIDDEN, 500 << 6, Flag.EXEC_START, Flag.EXEC_END]))
        self.add(int(self.rng.choice([K.TRADE, K.TRADE, K.CLOCK])), side, price, self.size(), 0, flags)

    def lose(self) -> None:
        """Events are lost; perhaps something comes before the new book, perhaps no new book comes."""
        self.add(K.GAP, size=-1)
        for _ in range(int(self.rng.integers(0, 3))):
            self.change()
        if self.rng.random() < 0.8:
            self.clear()

    def go_on(self) -> None:
        self.ts += int(self.rng.choice(STEPS_NS))
        chance = self.rng.random()
        if chance < self.breaks:
            (self.lose if self.rng.random() < 0.6 else self.clear)()
        elif chance < 0.1:
            self.odd()
        elif chance < 0.15:
            self.middle += int(self.rng.choice([1, -1]))
        elif chance < 0.17:
            self.layer()
        elif chance < 0.5:
            self.trade()
        else:
            self.change()


def market(seed: int, deeds: int, breaks: float = 0.02) -> EventBatch:
    """A small market's stream, the same for the same numbers."""
    made = _Market(np.random.default_rng(seed), breaks)
    for _ in range(deeds):
        made.go_on()
    names = ("ts", "kind", "side", "price", "size", "order_id", "aggressor_id", "flags")
    columns = {name: list(column) for name, column in zip(names, zip(*made.rows))}
    return EventBatch.of(FIRST_SEQUENCE, **columns)


@st.composite
def markets(draw: st.DrawFn, deeds: int = 250) -> EventBatch:
    """Streams with ties in time, sweeps, refills, odd prints, gaps, new books and books that stay lost."""
    seed, count = draw(st.integers(0, 2**32 - 1)), draw(st.integers(deeds // 5, deeds))
    return market(seed, count, draw(st.sampled_from([0.0, 0.02])))
