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


class ListBook:
    """By-order book as one list of ``[order_id, side, price, size]`` in order of priority."""

    def __init__(self) -> None:
        self.orders: list[list[int]] = []
        self.unknown = self.rejected = 0

    def row(self, kind: int, side: int, price: int, size: int, order_id: int) -> None:
        if kind == EventKind.CLEAR:
            self.orders = []
        if kind not in (EventKind.MBO_NEW, EventKind.MBO_REPLACE, EventKind.MBO_CANCEL):
            return
        known = next((o for o in self.orders if o[0] == order_id), None)
        if kind == EventKind.MBO_REPLACE and known and side == 0:
            side = known[1]
        if kind == EventKind.MBO_CANCEL or (kind == EventKind.MBO_REPLACE and (size <= 0 or side == 0)):
            if known:
                self.orders.remove(known)
            else:
                self.unknown += 1
        elif order_id == 0 or size <= 0 or side == 0:
            self.rejected += 1
        elif known and known[1:3] == [side, price] and size <= known[3]:
            known[3] = size
        else:
            if known:
                self.orders.remove(known)
            self.orders.append([order_id, side, price, size])

    def queue(self, side: int, price: int) -> list[list[int]]:
        return [o for o in self.orders if o[1:3] == [side, price]]

    def levels(self, side: int) -> list[tuple[int, int]]:
        prices = sorted({o[2] for o in self.orders if o[1] == side}, reverse=side == 1)
        return [(p, sum(o[3] for o in self.queue(side, p))) for p in prices]


@st.composite
def order_streams(draw: st.DrawFn, max_rows: int = 200) -> EventBatch:
    """By-order events of any order: moves, growth, shrinking, unknown and repeated ids, clears, trades."""
    rows = draw(st.integers(0, max_rows))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kinds = [EventKind.MBO_NEW, EventKind.MBO_REPLACE, EventKind.MBO_CANCEL, EventKind.TRADE, EventKind.CLEAR]
    kind = rng.choice(kinds, rows, p=[0.5, 0.25, 0.2, 0.04, 0.01])
    # Few distinct ids meet often; multiples of a power of two are what a weak hash puts in one place.
    ids = rng.integers(0, draw(st.sampled_from([5, 40, 4000])), rows) * draw(
        st.sampled_from([1, -1, 1 << 40])
    )
    side = rng.choice([1, -1, 0], rows, p=[0.48, 0.48, 0.04])
    replaced = kind == EventKind.MBO_REPLACE
    side[replaced & (rng.random(rows) < 0.8)] = 0
    price = draw(st.sampled_from([0, 100, LOW + 3])) + rng.integers(-3, 4, rows)
    size = rng.integers(-1, 6, rows)
    return EventBatch.of(ts=np.arange(rows), kind=kind, side=side, price=price, size=size, order_id=ids)
