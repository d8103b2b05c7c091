"""Withdrawals, spoof-like and layering-like flow: the kernels say what loops over levels and postings say."""

from __future__ import annotations

import math
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.books import DictBook
from tests.support.detectors import K, found
from tests.support.flows import MS, Row, known, market, walked
from workbench.events import EventBatch, Flag, Instrument
from workbench.flow.detectors.layering_like import LayeringLike
from workbench.flow.detectors.spoof_like import SpoofLike

X = Instrument("X", "0.25", "1")
NEAR, WITHIN_NS, CREDIT_NS = 8, 3_000 * MS, 100 * MS


def bin_floor(size: int) -> int:
    """Smallest size that ranks alike: exact below 32 lots, then the sixteen steps of each power of two."""
    step = max(1, 2 ** (size.bit_length() - 5))
    return size // step * step


class PlainWithdrawals:
    """Definition by level: a large addition near the touch, of which four fifths are pulled soon and one fifth filled."""

    def __init__(self, quantile: float):
        self.quantile, self.told = quantile, []
        self.executed = {1: 0, -1: 0}
        self.shown: dict[tuple[int, int], int] = {}
        self.unseen: dict[tuple[int, int], list[int]] = {}
        self.forget()

    def forget(self) -> None:
        self.additions: list[int] = []
        self.large = self.typical = 0
        self.postings: dict[tuple[int, int], dict] = {}
        self.settled()

    def settled(self) -> None:
        self.before: dict[tuple[int, int], int] = {}
        self.traded: dict[tuple[int, int], int] = defaultdict(int)

    def row(self, row: Row, book: DictBook) -> None:
        if row.kind in (K.CLEAR, K.GAP):
            self.forget()
        elif row.kind == K.DEPTH:
            at = row.price, row.side
            self.before.setdefault(at, self.shown.get(at, 0))
            if not known(book) or row.flags & Flag.SNAPSHOT:
                self.before[at] = row.size
        elif row.kind == K.TRADE and row.size > 0 and row.side and not row.flags & Flag.OTC:
            self.executed[row.side] += row.size
            if row.displayed:
                self.before.setdefault((row.price, -row.side), self.shown.get((row.price, -row.side), 0))
                self.traded[row.price, -row.side] += row.size
        self.shown = {(p, side): size for side in (1, -1) for p, size in book.sides[side].items()}

    def end(self, ts: int, sequence: int, book: DictBook) -> None:
        for at, before in self.before.items():
            self.judge(ts, sequence, at, self.shown.get(at, 0) - before, self.traded[at], book)
        self.settled()

    def judge(self, ts: int, sequence: int, at: tuple, change: int, traded: int, book: DictBook) -> None:
        # what was traded here of late and not yet seen to have gone: lots, and when they were traded last
        credit = self.unseen.setdefault(at, [0, 0])
        if ts - credit[1] > CREDIT_NS:
            credit[0] = 0
        if traded:
            credit[0], credit[1] = credit[0] + traded, ts
            if at in self.postings:
                self.postings[at]["eaten"] += traded
        if change < 0:
            explained = min(credit[0], -change)
            credit[0] -= explained
            self.pull(ts, sequence, at, -change - explained)
        elif change > 0:
            self.add(ts, at, change, book)

    def pull(self, ts: int, sequence: int, at: tuple, lots: int) -> None:
        posting = self.postings.get(at)
        if posting is None or not lots:
            return
        posting["pulled"] += lots
        if posting["pulled"] < 0.8 * posting["lots"]:
            return
        del self.postings[at]
        if ts - posting["since"] <= WITHIN_NS and posting["eaten"] <= (1.0 - 0.8) * posting["lots"]:
            since = {side: self.executed[side] - posting["then"][side] for side in (1, -1)}
            posting |= {"other": since[at[1]], "own": since[-at[1]], "large": self.large}
            self.told.append((ts, sequence, at, posting | {"typical": self.typical}))

    def add(self, ts: int, at: tuple, change: int, book: DictBook) -> None:
        away = max((book.best(at[1])[0] - at[0]) * at[1], 0)
        if away > NEAR:
            return
        posting = self.postings.get(at)
        stale = posting is None or ts - posting["since"] > WITHIN_NS
        if self.large and change >= self.large and (stale or change >= posting["lots"]):
            fresh = {"lots": change, "since": ts, "away": away, "then": dict(self.executed)}
            self.postings[at] = fresh | {"eaten": 0, "pulled": 0}
        self.additions.append(change)
        if len(self.additions) % 64 == 0 and len(self.additions) >= 200:
            rank = max(math.ceil(self.quantile * len(self.additions)), 1)
            self.large = bin_floor(sorted(self.additions)[rank - 1])
            near = [
                book.sides[side].get(book.best(side)[0] - side * k, 0)
                for k in range(NEAR + 1)
                for side in (1, -1)
            ]
            held = sorted(size for size in near if size)
            self.typical = held[len(held) // 2] if held else 0


def plain_spoofs(withdrawn: list[tuple], multiple: float, executed: float) -> list[tuple]:
    """Definition: large among its neighbours, and the other side was executed while it stood."""
    return [
        (
            ts,
            sequence,
            at[0] * 1000,
            at[1],
            p["lots"],
            p["since"],
            p["away"],
            p["eaten"],
            p["other"],
            p["own"],
        )
        for ts, sequence, at, p in withdrawn
        if p["lots"] >= multiple * p["typical"]
        and p["other"] > 0
        and p["other"] >= executed * (p["other"] + p["own"])
    ]


def plain_layers(withdrawn: list[tuple], levels: int, together: int) -> list[tuple]:
    """Definition: postings at so many prices of a side, put up and pulled within a time; each in one finding."""
    waiting: list[tuple] = []
    told = []
    for one in withdrawn:
        waiting.append(one)
        ts, sequence, (_, side), newest = one
        mates = [
            w
            for w in waiting
            if w[2][1] == side and ts - w[0] <= together and abs(newest["since"] - w[3]["since"]) <= together
        ]
        prices = {w[2][0] for w in mates}
        if len(prices) >= levels:
            waiting = [w for w in waiting if w not in mates]
            sizes = sum(w[3]["lots"] for w in mates), min(w[3]["since"] for w in mates)
            best = max(prices) if side > 0 else min(prices)
            told.append((ts, sequence, best * 1000, side, len(prices), *sizes, min(prices), max(prices)))
    return told


def same(batch: EventBatch, quantile: float) -> tuple[int, int]:
    """Compare both with their loops; how much there was."""
    withdrawn = walked(PlainWithdrawals(quantile), batch).told
    spoofs = found(SpoofLike(X, quantile=quantile, near=NEAR, multiple=1.0, by="levels"), [batch])
    fields = ("size_lots", "posted_ts", "away_ticks", "filled_lots", "opposite_lots", "own_side_lots")
    told = list(zip(*(c.tolist() for c in spoofs[:4]), *(spoofs.evidence[name].tolist() for name in fields)))
    assert told == plain_spoofs(withdrawn, 1.0, 0.3)
    limits = {"near": NEAR, "within": "3s", "together": "1s", "multiple": 0.0}
    layers = found(LayeringLike(X, levels=2, quantile=quantile, by="levels", **limits), [batch])
    fields = ("levels", "size_lots", "posted_ts", "low_ticks", "high_ticks")
    pulled = list(
        zip(*(c.tolist() for c in layers[:4]), *(layers.evidence[name].tolist() for name in fields))
    )
    assert pulled == plain_layers(withdrawn, 2, 1_000 * MS)
    return len(told), len(pulled)


@settings(max_examples=8)
@given(seed=st.integers(0, 2**32 - 1), breaks=st.sampled_from([0.0, 0.002]))
def test_withdrawals_are_those_of_a_plain_loop(seed: int, breaks: float) -> None:
    """By level, with sizes told before and after their prints, one-sided books and breaks."""
    same(market(seed, 700, breaks), 0.8)


@pytest.mark.parametrize("seed", [1, 2])
def test_there_are_withdrawals_to_compare(seed: int) -> None:
    """The streams are not empty of what is looked for."""
    assert min(same(market(seed, 1500, 0.0), 0.7)) > 0
