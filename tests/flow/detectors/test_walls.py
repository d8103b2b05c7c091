"""Walls and their fate: the kernel says what a loop over dicts of levels says."""

from __future__ import annotations

import itertools
import math
from collections import Counter

from hypothesis import given, settings

from tests.support.books import DictBook
from tests.support.detectors import K, found
from tests.support.flows import MS, Row, known, market, markets, walked
from workbench.events import EventBatch, Flag, Instrument
from workbench.flow.detectors.walls import Walls

X = Instrument("X", "0.25", "1")
NEAR, LOOK_NS, MOVE_NS = 8, 30 * MS, 200 * MS


def bin_floor(size: int) -> int:
    """Smallest size that ranks alike: exact below 32 lots, then the sixteen steps of each power of two."""
    step = max(1, 2 ** (size.bit_length() - 5))
    return size // step * step


class PlainWalls:
    """Definition: a level far above the median and most sizes near the touch; gone with a tenth of its peak left."""

    def __init__(self, multiple: float, quantile: float):
        self.multiple, self.quantile = multiple, quantile
        self.number, self.next, self.told = 0, 0, []
        self.shown: dict[tuple[int, int], int] = {}
        self.forget()

    def forget(self) -> None:
        self.looks, self.sizes, self.floors = 0, [], {1: 0, -1: 0}
        self.walls: dict[tuple[int, int], dict] = {}
        self.added: list[tuple[int, int, int, int]] = []
        self.settled()

    def settled(self) -> None:
        self.before: dict[tuple[int, int], int] = {}
        self.traded: Counter[tuple[int, int]] = Counter()

    def row(self, row: Row, book: DictBook) -> None:
        if row.kind in (K.CLEAR, K.GAP):
            self.forget()
        elif row.kind == K.DEPTH:
            at = row.price, row.side
            self.before.setdefault(at, self.shown.get(at, 0))
            if not known(book) or row.flags & Flag.SNAPSHOT:
                self.before[at] = row.size
        elif row.displayed:
            at = row.price, -row.side
            self.before.setdefault(at, book.sides[at[1]].get(at[0], 0))
            self.traded[at] += row.size
        self.shown = {(p, side): size for side in (1, -1) for p, size in book.sides[side].items()}

    def end(self, ts: int, sequence: int, book: DictBook) -> None:
        if not known(book):
            return
        if ts >= self.next:
            self.look(book)
            self.next = (ts // LOOK_NS + 1) * LOOK_NS
            for at in ((book.best(side)[0] - side * k, side) for side in (1, -1) for k in range(NEAR + 1)):
                if self.shown.get(at, 0) >= self.floors[at[1]]:
                    self.before.setdefault(at, self.shown[at])
        for at, before in self.before.items():
            change = self.shown.get(at, 0) - before + self.traded[at]
            if 2 * change >= self.floors[at[1]] > 0:
                self.added.append((ts, *at, change))
        touched = list(self.before)
        for at in touched:
            self.judge(ts, sequence, at, book)
        self.settled()
        # Whose fate is open is judged again in every moment, and first: who left first has what was added elsewhere.
        open_ = [at for at in touched if self.walls.get(at, {}).get("gone")]
        self.before = {at: self.shown.get(at, 0) for at in open_}

    def look(self, book: DictBook) -> None:
        near = {side: [] for side in (1, -1)}
        for side in (1, -1):
            for away in range(NEAR + 1):
                near[side] += [s for s in [book.sides[side].get(book.best(side)[0] - side * away)] if s]
        self.sizes += near[1] + near[-1]
        self.looks += 1
        rank = max(math.ceil(self.quantile * len(self.sizes)), 1)
        usual = bin_floor(sorted(self.sizes)[rank - 1])
        for side in (1, -1):
            median = sorted(near[side])[len(near[side]) // 2]
            self.floors[side] = max(math.ceil(self.multiple * median), 1, usual)

    def judge(self, ts: int, sequence: int, at: tuple[int, int], book: DictBook) -> None:
        size, wall, floor = self.shown.get(at, 0), self.walls.get(at), self.floors[at[1]]
        if wall is None:
            away = max((book.best(at[1])[0] - at[0]) * at[1], 0)
            if self.looks >= 10 and size >= floor and away <= NEAR:
                self.number += 1
                wall = {"number": self.number, "peak": size, "since": ts, "eaten": 0, "gone": 0, "away": away}
                self.walls[at] = wall
                self.tell(ts, sequence, at, "appeared", at[0])
            return
        wall["eaten"] += self.traded[at]
        wall["peak"] = max(wall["peak"], size)
        if size > 0.1 * wall["peak"]:
            wall["gone"] = 0
            return
        wall["gone"] = wall["gone"] or ts
        lost = wall["peak"] - size
        if 2 * wall["eaten"] >= lost:
            self.tell(ts, sequence, at, "consumed", at[0])
        elif target := self.target(at, wall, lost):
            self.added.remove(target)
            self.tell(ts, sequence, at, "moved", target[1])
        elif ts - wall["gone"] >= MOVE_NS:
            self.tell(ts, sequence, at, "pulled", at[0])

    def target(self, at: tuple[int, int], wall: dict, lost: int) -> tuple[int, int, int, int] | None:
        for added in reversed(self.added[-64:]):
            when, price, side, lots = added
            elsewhere = side == at[1] and price != at[0]
            if elsewhere and abs(when - wall["gone"]) <= MOVE_NS and 2 * lots >= lost - wall["eaten"]:
                return added
        return None

    def tell(self, ts: int, sequence: int, at: tuple[int, int], event: str, to: int) -> None:
        wall = self.walls[at] if event == "appeared" else self.walls.pop(at)
        sizes = self.shown.get(at, 0), wall["peak"], wall["eaten"]
        what = wall["since"], wall["gone"], wall["away"], self.floors[at[1]], to
        self.told.append((ts, sequence, at[0] * 1000, at[1], event, *sizes, *what))


FIELDS = (
    "event", "size_lots", "peak_lots", "traded_lots", "since_ts", "gone_ts", "away_ticks", "floor_lots", "to_ticks",
)  # fmt: skip


def same(batch: EventBatch, multiple: float, quantile: float) -> Counter[str]:
    """Compare both moment by moment, whatever the order within one; how often there was what."""
    made = Walls(X, multiple=multiple, quantile=quantile, near=NEAR, look="30ms", move="200ms")
    seen = found(made, [batch])
    told = list(zip(*(c.tolist() for c in seen[:4]), *(seen.evidence[name].tolist() for name in FIELDS)))
    plain = walked(PlainWalls(multiple, quantile), batch).told
    for one, other in itertools.zip_longest(sorted(told), sorted(plain)):
        assert one == other
    return Counter(seen.evidence["event"].tolist())


@settings(max_examples=25)
@given(batch=markets(400))
def test_walls_are_those_of_a_plain_loop(batch: EventBatch) -> None:
    """Where many stand out, and where few do."""
    same(batch, 2.0, 0.8)
    same(batch, 4.0, 0.95)


def test_there_are_walls_of_every_fate_to_compare() -> None:
    """The streams are not empty of what is looked for."""
    counts = same(market(1, 700, 0.002), 2.0, 0.8)
    assert min(counts[event] for event in ("appeared", "consumed", "pulled", "moved")) > 0
