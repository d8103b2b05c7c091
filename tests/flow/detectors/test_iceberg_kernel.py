"""Icebergs, native and synthetic: the kernel says what a loop over a dict of orders says."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.detectors import K, found
from tests.support.flows import MS, Row, rows_of
from workbench.events import EventBatch, Instrument
from workbench.flow.detectors.iceberg_orders import NativeIcebergs, SyntheticIcebergs

X = Instrument("X", "0.25", "1")
FIELDS = (
    "order_id",
    "refills",
    "executed_lots",
    "shown_before_lots",
    "shown_after_lots",
    "revealed_lots",
    "peak_lots",
)


class PlainIcebergs:
    """Definition: within an execution the same order shows again, at its price, more than the execution left."""

    def __init__(self) -> None:
        self.orders: dict[int, dict] = {}
        self.known = self.lost = False
        self.told: list[tuple] = []

    def take(self, row: Row) -> None:
        if row.kind in (K.CLEAR, K.GAP):
            self.orders, self.known, self.lost = {}, False, row.kind == K.GAP
        elif row.kind == K.SNAPSHOT_END:
            self.known = not self.lost
        elif row.order_id:
            order = self.orders.get(row.order_id)
            current = order is not None and order["executing"] == row.ts
            if row.kind == K.TRADE:
                self.execute(row, order, current)
            elif row.kind == K.MBO_CANCEL or row.size <= 0:
                self.leave(row, order, current)
            else:
                self.show(row, order, current)

    def execute(self, row: Row, order: dict | None, current: bool) -> None:
        if order is None or not order["live"] or row.size <= 0:
            return
        if not current:
            order["shown"], order["executed"], order["executing"] = left(order), 0, row.ts
        order["executed"] += row.size
        order["total"] += row.size

    def leave(self, row: Row, order: dict | None, current: bool) -> None:
        if order is not None and order["live"]:
            order["live"] = False
            if current and left(order) <= 0:
                self.consumed(row, order)
            else:
                order["executing"] = None

    def consumed(self, row: Row, order: dict) -> None:
        """The order was executed to its last lot."""

    def entered(self, row: Row, order: dict) -> None:
        """A new order."""

    def show(self, row: Row, order: dict | None, current: bool) -> None:
        changes = row.kind == K.MBO_REPLACE and order is not None and order["live"]
        if current and order["price"] == row.price:
            self.refill(row, order)
        elif changes:
            order |= {"price": row.price, "shown": row.size, "executed": 0, "executing": None}
            if not order["refills"]:
                order["peak"] = row.size
        elif row.side:
            fresh = {"live": True, "price": row.price, "side": row.side, "shown": row.size, "peak": row.size}
            self.orders[row.order_id] = fresh | {"executed": 0, "executing": None, "refills": 0, "total": 0}
            self.entered(row, self.orders[row.order_id])

    def refill(self, row: Row, order: dict) -> None:
        before, executed, revealed = order["shown"], order["executed"], row.size - left(order)
        order |= {"live": True, "shown": row.size, "executed": 0, "executing": None}
        if revealed <= 0:
            return
        order["refills"] += 1
        order["peak"] = max(order["peak"], row.size)
        if self.known:
            at = (
                row.ts,
                row.sequence,
                order["price"] * 1000,
                order["side"],
                (order["total"] + row.size) / order["peak"],
            )
            what = order["refills"], executed, before, row.size, revealed, order["peak"]
            self.told.append((*at, row.order_id, *what))


class PlainChains(PlainIcebergs):
    """Definition: behind an order that was executed whole a new one of its size, at its price, soon."""

    within, min_refills, min_peak, min_surprise = 2 * MS, 1, 2, 0.3

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[dict] = []
        self.sizes: Counter[int] = Counter()
        self.chains: list[tuple] = []

    def take(self, row: Row) -> None:
        if row.kind in (K.CLEAR, K.GAP):
            self.waiting = []
        self.waiting = [w for w in self.waiting if row.ts - w["ts"] <= self.within]
        super().take(row)

    def consumed(self, row: Row, order: dict) -> None:
        chain = {"surprise": 0, "first": row.order_id} | order
        self.waiting.append(
            chain | {"ts": row.ts, "refills": order.get("chained", 0), "trials": 0, "who": order}
        )

    def refill(self, row: Row, order: dict) -> None:
        self.waiting = [w for w in self.waiting if w["who"] is not order]
        order |= {"live": True, "shown": row.size, "executed": 0, "executing": None}

    def entered(self, row: Row, order: dict) -> None:
        if row.kind != K.MBO_NEW:
            return
        share = (self.sizes[row.size] + 1) / (self.sizes.total() + 1)
        self.sizes[row.size] += 1
        found = None
        for wait in [w for w in reversed(self.waiting) if (w["price"], w["side"]) == (row.price, row.side)]:
            wait["trials"] += 1
            fits = row.size == wait["peak"] or (row.size < wait["peak"] and self.believed(wait))
            if fits and (found is None or wait["refills"] > found["refills"]):
                found = wait
        if found is None or found["peak"] < self.min_peak:
            return
        self.waiting.remove(found)
        chance = min(1.0, found["trials"] * share) if row.size == found["peak"] else 1.0
        order |= {name: found[name] for name in ("first", "total", "peak")}
        order["chained"] = order["refills"] = found["refills"] + 1
        order["surprise"] = found["surprise"] + round(-1e6 * math.log10(chance))
        if self.known and self.believed(order):
            at = row.ts, row.sequence, row.price * 1000, row.side, order["surprise"] / 1e6
            self.chains.append(
                (*at, row.order_id, order["first"], order["refills"], row.size, order["total"])
            )

    def believed(self, chain: dict) -> bool:
        return chain["refills"] >= self.min_refills and chain["surprise"] >= 1e6 * self.min_surprise


def left(order: dict) -> int:
    """What the execution that goes on has left of what was displayed; below 0 where more was executed."""
    return order["shown"] - order["executed"]


def order_rows(seed: int, count: int, breaks: float) -> EventBatch:
    """Few orders at few prices that enter, are executed, refilled, changed, moved and pulled, often at one time."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[int, ...]] = [(MS, K.CLEAR, 0, 0, 0, 0), (MS, K.SNAPSHOT_END, 0, 0, 0, 0)]
    ts = MS
    for _ in range(count):
        ts += int(rng.choice([0, 0, 0, MS]))
        if rng.random() < breaks:
            rows.append((ts, K.GAP if rng.random() < 0.5 else K.CLEAR, 0, 0, -1, 0))
            rows += [(ts, K.CLEAR, 0, 0, 0, 0)] * (rng.random() < 0.7)
            rows += [(ts, K.SNAPSHOT_END, 0, 0, 0, 0)] * (rng.random() < 0.9)
        if rng.random() < 0.08:
            side, size = int(rng.choice([1, -1])), int(rng.integers(2, 12))
            for _ in range(int(rng.integers(2, 5))):
                name, ts = 100 + len(rows), ts + int(rng.choice([0, MS, 3 * MS], p=[0.5, 0.4, 0.1]))
                shown = size if rng.random() < 0.8 else int(rng.integers(1, 12))
                rows.append((ts, K.MBO_NEW, side, 100, shown, name))
                rows.append((ts, K.TRADE, -side, 100, shown, name))
                rows.append((ts, K.MBO_CANCEL, side, 100, 0, name))
        kinds = [K.MBO_NEW, K.MBO_REPLACE, K.MBO_CANCEL, K.TRADE]
        kind = int(rng.choice(kinds, p=[0.25, 0.25, 0.1, 0.4]))
        order, size = int(rng.integers(1, 5)), int(rng.integers(0 if kind == K.MBO_REPLACE else 1, 9))
        price = 100 if rng.random() < 0.85 else 101
        rows.append((ts, kind, int(rng.choice([1, -1])), price, size, order))
    names = ("ts", "kind", "side", "price", "size", "order_id")
    return EventBatch.of(500, **{name: list(column) for name, column in zip(names, zip(*rows))})


def same(batch: EventBatch) -> int:
    """Compare both; how many refills there were."""
    plain = PlainIcebergs()
    for row in rows_of(batch):
        plain.take(row)
    seen = found(NativeIcebergs(X), [batch])
    told = list(zip(*(c.tolist() for c in seen[:5]), *(seen.evidence[name].tolist() for name in FIELDS)))
    assert told == plain.told
    return len(told)


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), breaks=st.sampled_from([0.0, 0.02]))
def test_refills_are_those_of_a_plain_loop(seed: int, breaks: float) -> None:
    """Orders executed beyond what they showed, refilled under their id, moved, pulled, and unknown ones."""
    same(order_rows(seed, 150, breaks))


def test_there_are_refills_to_compare() -> None:
    """The streams are not empty of what is looked for."""
    assert same(order_rows(1, 800, 0.005)) > 10


def same_chains(batch: EventBatch) -> int:
    """Compare both; how many slices of chains there were."""
    plain = PlainChains()
    for row in rows_of(batch):
        plain.take(row)
    limits = {"min_refills": 1, "min_peak_lots": 2, "min_surprise": 0.3}
    seen = found(SyntheticIcebergs(X, within_ns=2 * MS, **limits), [batch])
    fields = ("order_id", "first_order_id", "refills", "shown_after_lots", "executed_total_lots")
    told = list(zip(*(c.tolist() for c in seen[:5]), *(seen.evidence[name].tolist() for name in fields)))
    near = [(*row[:4], pytest.approx(row[4], abs=1e-5), *row[5:]) for row in plain.chains]
    assert told == near
    return len(told)


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), breaks=st.sampled_from([0.0, 0.02]))
def test_chains_are_those_of_a_plain_loop(seed: int, breaks: float) -> None:
    """Slices of one size, smaller last ones, several that wait, and orders that come back under their id."""
    same_chains(order_rows(seed, 250, breaks))


def test_there_are_chains_to_compare() -> None:
    """The streams are not empty of what is looked for."""
    assert same_chains(order_rows(1, 1500, 0.002)) > 5
