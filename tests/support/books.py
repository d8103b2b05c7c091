"""Streams of book events, and the plainest possible books to compare with."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import strategies as st

from workbench.events import EventBatch, EventKind

LOW, HIGH = -(2**31), 2**31 - 1


class DictBook:
    """Price-level book as two dicts and ``max``/``min``: too slow for work, too plain to be wrong."""

    def __init__(self) -> None:
        self.sides: dict[int, dict[int, int]] = {1: {}, -1: {}}
        self.valid = False
        self.after_gap = False

    def row(self, kind: int, side: int, price: int, size: int) -> None:
        if kind == EventKind.DEPTH and side in self.sides:
            self.sides[side][price] = size
            if size <= 0:
                del self.sides[side][price]
        elif kind == EventKind.CLEAR:
            self.sides = {1: {}, -1: {}}
            self.valid = self.after_gap = False
        elif kind == EventKind.SNAPSHOT_END:
            self.valid = not self.after_gap
        elif kind == EventKind.GAP:
            self.valid, self.after_gap = False, True

    def best(self, side: int) -> tuple[int, int]:
        levels = self.sides[side]
        if not levels:
            return 0, 0
        price = max(levels) if side == 1 else min(levels)
        return price, levels[price]

    def levels(self, side: int) -> list[tuple[int, int]]:
        return sorted(self.sides[side].items(), reverse=side == 1)


def _prices(rng: np.random.Generator, rows: int, style: str) -> np.ndarray:
    middle = {"near": 50_000, "zero": 0, "negative": -3_000, "edge": HIGH - 40, "bottom": LOW + 40}.get(
        style, 20_000
    )
    near = middle + rng.integers(-12, 12, rows)
    if style != "far":
        return near
    scattered = rng.choice([LOW, HIGH, 0, 1, middle // 2, 2 * middle, 9_000_000, -9_000_000], rows)
    return np.where(rng.random(rows) < 0.7, near, scattered + rng.integers(-3, 4, rows)).clip(LOW, HIGH)


@st.composite
def depth_streams(draw: st.DrawFn, max_rows: int = 120) -> EventBatch:
    """Book events of any order: crossed, absent removals, far and negative prices, clears, snapshots, gaps, trades."""
    rows = draw(st.integers(0, max_rows))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    style = draw(st.sampled_from(["near", "zero", "negative", "edge", "bottom", "far"]))
    controls = draw(st.sampled_from([0.0, 0.05]))
    others = [
        EventKind.CLEAR,
        EventKind.SNAPSHOT_END,
        EventKind.GAP,
        EventKind.TRADE,
        EventKind.MBO_NEW,
        EventKind.CLOCK,
    ]
    kind = np.where(rng.random(rows) < controls, rng.choice(others, rows), EventKind.DEPTH)
    size = np.where(rng.random(rows) < 0.5, 0, rng.integers(1, 1_000, rows))
    size[kind == EventKind.GAP] = -1
    side = rng.choice([1, -1], rows) if rng.random() < 0.8 else rng.choice([1, -1, 0], rows)
    prices = _prices(rng, rows, style)
    return EventBatch.of(ts=np.arange(rows), kind=kind, side=side, price=prices, size=size)


def chunks(batch: EventBatch, cuts: list[int]) -> list[EventBatch]:
    """The batch, cut at the given rows (taken modulo its length)."""
    at = sorted({0, len(batch), *(c % (len(batch) + 1) for c in cuts)})
    return [batch[a:b] for a, b in itertools.pairwise(at)]
