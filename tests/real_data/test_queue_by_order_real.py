"""The exact queue on a real session: orders that never were, followed by hand through the exchange's own records."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import workbench as wb
from tests.support.truth import Case
from workbench.trading import queue_models, slots
from workbench.trading.matcher import Matcher
from workbench.trading.rows import Rows

TICK = 250_000_000  # of 1e-9
F_LAST, F_SNAPSHOT = 0x80, 0x20
SIDES = {"B": 1, "A": -1, "N": 0}


@dataclass
class Probe:
    """One lot that joins a level, and who stood there before it."""

    ts: int
    side: int
    price: int
    older: set[int]
    printed: int = 0
    filled: int = 0


@dataclass
class ByHand:
    """The exchange's records, one after another."""

    orders: dict[int, tuple[int, int, int]] = field(default_factory=dict)  # id: side, price, size
    levels: dict[tuple[int, int], int] = field(default_factory=dict)
    told: dict[tuple[int, int], int] = field(default_factory=dict)
    touched: set[tuple[int, int]] = field(default_factory=set)
    executed: dict[int, int] = field(default_factory=dict)
    probes: list[Probe] = field(default_factory=list)
    waiting: list[Probe] = field(default_factory=list)

    def set(self, order: int, now: tuple[int, int, int] | None) -> None:
        """An order enters, changes or leaves; who moves, or has more than was left, stands behind all."""
        before, executed = self.orders.pop(order, None), self.executed.pop(order, 0)
        if now:
            self.orders[order] = now
        for sign, what in ((-1, before), (1, now)):
            if what:
                self.levels[what[:2]] = self.levels.get(what[:2], 0) + sign * what[2]
                self.touched.add(what[:2])
        stays = before and now and before[:2] == now[:2] and now[2] <= before[2] - executed
        for probe in self.waiting:
            if order in probe.older:
                assert before is not None
                probe.printed = max(probe.printed - before[2] + (now[2] if stays and now else 0), 0)
                if not stays:
                    probe.older.discard(order)

    def trade(self, ts: int, aggressor: int, price: int, size: int) -> None:
        """A print fills the probes that it passes, and at its price those with fewer lots before them."""
        for probe in self.waiting:
            if probe.side != -aggressor or aggressor * (price - probe.price) < 0:
                continue
            ahead = sum(self.orders[order][2] for order in probe.older)
            probe.printed += size
            if price != probe.price or probe.printed > ahead:
                probe.filled = ts
        self._forget_filled()

    def _forget_filled(self) -> None:
        self.waiting = [probe for probe in self.waiting if not probe.filled]

    def publish(self, ts: int) -> None:
        """An event is over: levels that changed are quotes, and one at a probe's price or beyond would have met it."""
        sizes = {level: self.levels.get(level, 0) for level in self.touched}
        for (side, price), size in sizes.items():
            if self.told.get((side, price), 0) == size:
                continue
            self.told[side, price] = size
            for probe in self.waiting:
                if size and probe.side == -side and side * (price - probe.price) >= 0:
                    probe.filled = ts
                if (probe.side, probe.price) == (side, price):
                    probe.printed = 0
        self.touched.clear()
        self._forget_filled()

    def join(self, ts: int) -> None:
        """A lot joins the best bid, the best ask, and the levels behind."""
        for side in (1, -1):
            best = side * max(
                side * price for (way, price), lots in self.levels.items() if lots and way == side
            )
            for price in (best, best - side):
                older = {order for order, o in self.orders.items() if o[:2] == (side, price)}
                self.waiting.append(Probe(ts, side, price, older))
        self.probes += self.waiting[-4:]


def _followed(path: Path, every: int) -> list[Probe]:
    """All probes: some join after each ``every``-th event of the open market."""
    databento = pytest.importorskip("databento")
    records = databento.DBNStore.from_bytes(path.read_bytes()).to_ndarray(schema="mbo")
    hand, events, last = ByHand(), 0, 0
    is_open = False
    names = ("action", "side", "order_id", "price", "size", "flags", "ts_recv")
    for action, side, order, price, size, flags, received in zip(*(records[name].tolist() for name in names)):
        if hand.probes and hand.probes[-1].ts == received == last:
            hand.probes, hand.waiting = hand.probes[:-4], hand.waiting[:-4]  # they would have come later
        last, way, ticks = received, SIDES[side.decode()], price // TICK
        known = hand.orders.get(order)
        if action == b"T":
            hand.trade(received, way, ticks, size)
            is_open |= way != 0
        elif action == b"F":
            hand.executed[order] = hand.executed.get(order, 0) + size
        elif action == b"A" or action == b"M":
            hand.set(order, (way, ticks, size))
        elif action == b"C" and known:
            left = known[2] - size
            hand.set(order, (*known[:2], left) if left > 0 else None)
        if flags & F_LAST and not flags & F_SNAPSHOT:
            hand.publish(received)
            events += is_open
            if is_open and events % every == 0:
                hand.join(received)
    return hand.probes


def test_orders_that_never_were_fill_when_their_turn_comes(esh4: Case, shared_data: Path) -> None:
    """Hundreds of single lots at the touch and behind it, over the open hour: the same fate by hand and by the engine."""
    path = shared_data / "databento/esh4-glbx-mdp3-20231225.mbo.dbn.zst"
    probes = _followed(path, 600)
    matcher = Matcher(queue_models.EXACT, fills="partial")
    for probe in probes:
        matcher.submit(probe.ts, probe.side, probe.price, 1)
    rows = Rows.of(esh4.events)
    for piece in np.array_split(np.arange(len(rows.ts)), 7):
        cut = Rows(*(column[piece[0] : piece[-1] + 1] for column in rows))
        matcher.advance(cut, int(cut.ts[-1]) - 1)
    matcher.advance(Rows.of(wb.EventBatch.empty()), slots.NEVER - 1)
    filled = dict(matcher.fills[:, [slots.FILL_ORDER, slots.FILL_TS]].tolist())
    assert len(probes) > 200
    assert sum(probe.filled > 0 for probe in probes) > 100
    assert [filled.get(number, 0) for number in range(len(probes))] == [p.filled for p in probes]


def test_models_for_levels_stand_where_theory_puts_them(esh4: Case) -> None:
    """Nobody fills more than the optimistic end, or less than the pessimistic; risk_averse never fills what is not."""
    found = wb.queue_error(esh4.recording, every="5s", hold="60s")
    share = dict(found.select("model", "filled").iter_rows())
    assert share["touch"] > share["by_order"] > share["trade_through"]
    assert all(share["touch"] >= share[m] >= share["trade_through"] for m in queue_models.NAMES)
    at = {row["model"]: row for row in found.iter_rows(named=True)}
    assert at["risk_averse"]["extra"] == at["trade_through"]["extra"] == 0
    assert at["touch"]["missed"] == 0
    assert at["risk_averse"]["wait_error_s"] >= 0 >= at["touch"]["wait_error_s"]
    assert found.filter(pl.col("orders") != at["by_order"]["orders"]).is_empty()


def test_a_feed_of_five_levels_keeps_no_ghosts_ahead(amzn: Case) -> None:
    """Orders pulled out of sight are not told; still hardly a probe fills later than by the risk-averse model, or never."""
    found = wb.queue_error(amzn.recording, every="30s", models=["risk_averse", "touch"])
    at = {row["model"]: row for row in found.iter_rows(named=True)}
    assert at["risk_averse"]["extra"] < 0.003
    assert at["touch"]["missed"] == 0
    assert at["touch"]["filled"] > at["by_order"]["filled"] > at["risk_averse"]["filled"] - 0.003
