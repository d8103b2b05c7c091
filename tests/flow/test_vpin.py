"""VPIN: equal volumes, true signs and bulk ones, any chunking, gaps."""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.books import chunks
from tests.support.flows import market, markets, rows_of
from tests.support.trades import COARSE, Trades, prints, trade_streams
from workbench.errors import WorkbenchError
from workbench.events import EventBatch, EventKind, Flag
from workbench.flow.vpin import Signs, Vpin, vpin


def test_the_worked_example() -> None:
    """Bought 30, 50, 70 and sold 70, 50, 30 of buckets of 100: (40 + 0 + 40) / 300 = 0.2667."""
    tape = prints([100] * 6, [30, 70, 50, 50, 70, 30], [1, -1, 1, -1, 1, -1], ts=range(6))
    frame = vpin(Trades(tape, COARSE), 100, window=3)
    assert frame["buy"].to_list() == [30, 50, 70]
    assert frame["vpin"].to_list() == [None, None, pytest.approx(80 / 300, rel=1e-15)]
    assert frame["ts"].to_physical().to_list() == [1, 3, 5]
    assert set(frame["signs"]) == {"true"}


def test_a_large_trade_fills_several_buckets() -> None:
    """A trade of 250 behind 30 sold fills 30 + 70, 100 and leaves 80 open."""
    tape = prints([100, 100], [30, 250], [-1, 1], ts=[1, 2])
    frame = vpin(Trades(tape, COARSE), 100, window=1)
    # |70 − 30| / 100, |100 − 0| / 100
    assert frame["vpin"].to_list() == pytest.approx([0.4, 1.0])


def test_bulk_signs_follow_the_price() -> None:
    """Changes +2, −1 ticks: σ is 0 at first, then 1.5 (of mean 0.5), so Φ(−1/1.5) of the third bucket is bought."""
    tape = prints([100, 102, 101], [10] * 3, 1, ts=range(3))
    frame = vpin(Trades(tape, COARSE), 10, window=1, signs="bulk")
    share = 0.5 * (1 + math.erf(-1 / 1.5 / math.sqrt(2)))
    assert frame["buy"].to_list() == [None, 5.0, pytest.approx(10 * share, rel=1e-14)]
    assert frame["vpin"].to_list() == [None, 0.0, pytest.approx(abs(2 * share - 1), rel=1e-13)]


@given(
    batch=trade_streams(),
    cuts=st.lists(st.integers(0, 90), max_size=5),
    signs=st.sampled_from(["true", "bulk"]),
    bucket=st.sampled_from([2, 500]),
)
def test_chunks_and_the_future_change_nothing(
    batch: EventBatch, cuts: list[int], signs: Signs, bucket: int
) -> None:
    """Any chunking gives the same frame; buckets that are full stay as they are."""
    batch = EventBatch.trusted((*batch.columns[:5], batch.size % 1000, *batch.columns[6:]), 0)
    stream = Vpin(COARSE, bucket, 3, signs)
    for part in chunks(batch, cuts):
        before = stream.frame
        stream.apply(part)
        assert stream.frame[: len(before)].equals(before)
    assert stream.frame.equals(vpin(Trades(batch, COARSE), bucket, 3, signs))


def test_a_gap_empties_bucket_and_window() -> None:
    """What was begun before the gap is dropped, and windows hold later buckets only."""
    kind = [EventKind.TRADE] * 3 + [EventKind.GAP] + [EventKind.TRADE] * 3
    batch = EventBatch.of(
        ts=range(7), kind=kind, side=[1, 1, 1, 0, 1, 1, 1], price=9, size=[10, 10, 5, -1, 5, 5, 10]
    )
    frame = vpin(Trades(batch, COARSE), 10, window=2)
    assert frame["ts"].to_physical().to_list() == [0, 1, 5, 6]
    assert frame["vpin"].to_list() == [None, 1.0, None, 1.0]


def test_nonsense_is_refused() -> None:
    """Buckets and windows of nothing, and signs nobody knows."""
    for wrong in ({"bucket": 0}, {"bucket": 5, "window": 0}, {"bucket": 5, "signs": "tick"}):
        with pytest.raises(WorkbenchError):
            Vpin(COARSE, **wrong)


def plain_buckets(batch: EventBatch, bucket: int, signs: Signs) -> list[list[tuple[int, int, int]]]:
    """Full buckets (end, last price, bought) in stretches between breaks, lot by lot."""
    stretches: list[list[tuple[int, int, int]]] = [[]]
    lots: list[int] = []
    for row in rows_of(batch):
        if row.kind in (EventKind.CLEAR, EventKind.GAP):
            stretches.append([])
            lots = []
        counts = row.kind == EventKind.TRADE and not row.flags & Flag.OTC and (row.side or signs == "bulk")
        for _ in range(row.size if counts else 0):
            lots.append(row.side)
            if len(lots) == bucket:
                stretches[-1].append((row.ts, row.price * 1000 + (row.flags >> 6), lots.count(1)))
                lots = []
    return stretches


def plain_vpin(batch: EventBatch, bucket: int, window: int, signs: Signs) -> list[tuple]:
    """Definition: mean of |bought − sold| / volume of the last buckets; bulk: V·Φ(ΔP/σ) with σ so far."""
    told = []
    for buckets in plain_buckets(batch, bucket, signs):
        shares: list[float | None] = []
        changes: list[int] = []
        for i, (_, price, bought) in enumerate(buckets):
            if signs == "true":
                shares.append(bought / bucket)
            elif i == 0:
                shares.append(None)
            else:
                changes.append(price - buckets[i - 1][1])
                sigma = statistics.pstdev(changes)
                shares.append(statistics.NormalDist().cdf(changes[-1] / sigma) if sigma else 0.5)
        for i, (ts, _, _) in enumerate(buckets):
            last = shares[max(i + 1 - window, 0) : i + 1]
            whole = len(last) == window and None not in last
            value = sum(abs(2 * share - 1) for share in last) / window if whole else None
            told.append((ts, None if shares[i] is None else shares[i] * bucket, value))
    return told


def same_as_plain(batch: EventBatch, signs: Signs) -> int:
    """Compare both; how many values there were."""
    frame = vpin(Trades(batch, COARSE), 7, 3, signs)
    plain = plain_vpin(batch, 7, 3, signs)
    near = [
        (ts, *(None if v is None else pytest.approx(v, rel=1e-9, abs=1e-9) for v in rest))
        for ts, *rest in plain
    ]
    assert list(zip(frame["ts"].to_physical(), frame["buy"], frame["vpin"])) == near
    return frame["vpin"].count()


@settings(max_examples=25)
@given(batch=markets(), signs=st.sampled_from(["true", "bulk"]))
def test_vpin_is_that_of_a_loop_over_lots(batch: EventBatch, signs: Signs) -> None:
    """Trades that run over, without an aggressor, off the book, and breaks."""
    same_as_plain(batch, signs)


@pytest.mark.parametrize("signs", ["true", "bulk"])
def test_there_are_buckets_to_compare(signs: Signs) -> None:
    """The streams are not empty of what is looked for."""
    assert same_as_plain(market(1, 400, 0.01), signs) > 50
