"""Books given as best prices and sizes, as events and as something that looks like a recording."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from workbench.events import EventBatch, EventKind, Instrument

Level = tuple[int, int, int, int]
"""Bid price, bid size, ask price, ask size; size 0: that side is empty."""

INSTRUMENT = Instrument("TEST", tick_size=Decimal("0.5"), lot_size=Decimal("0.1"))


@dataclass
class Recorded:
    """Batches and an instrument."""

    parts: list[EventBatch]
    instrument: Instrument = INSTRUMENT

    def batches(self) -> Iterator[EventBatch]:
        yield from self.parts


def states(levels: Sequence[Level | None], times: Sequence[int] | None = None) -> EventBatch:
    """Events after which the book is each of the states in turn, one a moment; None is a gap."""
    rows: list[tuple[int, int, int, int, int]] = []
    shown: Level = (0, 0, 0, 0)
    known = False
    for ts, state in zip(times or range(1, len(levels) + 1), levels):
        if state is None:
            rows.append((ts, EventKind.GAP, 0, 0, -1))
            known = False
            continue
        if not known:
            rows.append((ts, EventKind.CLEAR, 0, 0, 0))
        for side, at in ((1, 0), (-1, 2)):
            if known and shown[at + 1] and shown[at] != state[at]:
                rows.append((ts, EventKind.DEPTH, side, shown[at], 0))
            if state[at + 1] or (known and shown[at + 1]):
                rows.append((ts, EventKind.DEPTH, side, state[at] or shown[at], state[at + 1]))
        if not known:
            rows.append((ts, EventKind.SNAPSHOT_END, 0, 0, 0))
        known, shown = True, state
    ts, kind, side, price, size = zip(*rows)
    return EventBatch.of(ts=ts, kind=kind, side=side, price=price, size=size)


def random_states(rng: np.random.Generator, count: int, gaps: float = 0.03) -> list[Level | None]:
    """A best bid and ask that wander with spreads of 1 to 3 ticks, now and then one-sided or lost."""
    middle = 1000 + rng.choice([-1, 0, 0, 0, 1], count).cumsum()
    spread, sizes = rng.integers(1, 4, count), rng.integers(1, 30, (count, 2))
    sizes[rng.random((count, 2)) < 0.02] = 0
    found: list[Level | None] = [
        (int(m), int(b), int(m + s), int(a)) for m, s, (b, a) in zip(middle, spread, sizes)
    ]
    return [None if rng.random() < gaps else state for state in found]
