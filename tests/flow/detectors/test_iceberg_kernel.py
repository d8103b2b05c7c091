"""Native icebergs: the kernel says what a loop over a dict of orders says."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.detectors import K, found
from tests.support.flows import MS, Row, rows_of
from workbench.events import EventBatch, Instrument
from workbench.flow.detectors.iceberg_orders import NativeIcebergs

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
                self.leave(order, current)
            else:
                self.show(row, order, current)

    def execute(self, row: Row, order: dict | None, current: bool) -> None:
        if order is None or not order["live"] or row.size <= 0:
            return
        if not current:
            order["shown"], order["executed"], order["executing"] = left(order), 0, row.ts
        order["executed"] += row.size
        order["total"] += row.size

    def leave(self, order: dict | None, current: bool) -> None:
        if order is not None and order["live"]:
            order["live"] = False
            if not (current and left(order) <= 0):
                order["executing"] = None

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
