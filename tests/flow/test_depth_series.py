"""Spread and depth over time against a plain book of dicts, moment by moment."""

from __future__ import annotations

import math
from collections import defaultdict
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.books import DictBook, chunks, depth_streams
from workbench.errors import WorkbenchError
from workbench.events import EventBatch, EventKind, Instrument, Side
from workbench.flow.depth_series import BID, LAST, LEAST, MEAN, MOST, SPREAD, DepthSeries, depth_series

CUTS = st.lists(st.integers(0, 130), max_size=5)
LEVELS = (1, 3, 6)
COLUMN_NS = 20


def timed(batch: EventBatch, seed: int) -> EventBatch:
    """The same rows at times that repeat, step and now and then leap over many buckets."""
    rng = np.random.default_rng(seed)
    steps = rng.choice([0, 0, 1, 3, 17, 160], len(batch))
    return EventBatch.of(
        ts=1000 + steps.cumsum(),
        kind=batch.kind,
        side=batch.side,
        price=batch.price,
        size=batch.size,
    )


def measured(book: DictBook) -> list[Fraction | None]:
    """Spread, imbalance and sums of a book; None where unknown."""
    count = 2 + 2 * len(LEVELS)
    if not book.valid:
        return [None] * count
    bids, asks = book.levels(1), book.levels(-1)
    sums = [[sum(size for _, size in side[:n]) for n in LEVELS] for side in (bids, asks)]
    spread = Fraction(asks[0][0] - bids[0][0]) if bids and asks else None
    total = sums[0][-1] + sums[1][-1]
    imbalance = Fraction(sums[0][-1] - sums[1][-1], total) if total else None
    return [spread, imbalance, *(Fraction(value) for side in sums for value in side)]


def states(batch: EventBatch) -> list[tuple[int, list[Fraction | None]]]:
    """What is known from each moment on."""
    book, found = DictBook(), []
    rows = zip(*(c.tolist() for c in (batch.ts, batch.kind, batch.side, batch.price, batch.size)))
    for ts, kind, side, price, size in rows:
        if kind != EventKind.DEPTH or size > 0 or price in book.sides.get(side, {}):
            book.row(kind, side, price, size)
        if found and found[-1][0] == ts:
            found.pop()
        found.append((ts, measured(book)))
    return found


def oracle(batch: EventBatch, column_ns: int) -> dict[tuple[int, int], dict[str, object]]:
    """Time and area, extremes and last by (column, quantity), in fractions."""
    found: dict[tuple[int, int], dict[str, object]] = defaultdict(lambda: {"known": 0, "area": 0, "seen": []})
    path = states(batch)
    for (start, values), stop in zip(path, [ts for ts, _ in path[1:]] + [int(batch.ts[-1])]):
        for column in range(start // column_ns, stop // column_ns + 1):
            begin, end = max(start, column * column_ns), min(stop, (column + 1) * column_ns)
            for q, value in enumerate(values):
                cell = found[column, q]
                if begin < end and value is not None:
                    cell["known"] += end - begin
                    cell["area"] += (end - begin) * value
                    cell["seen"].append(value)
                if start < (column + 1) * column_ns:
                    cell["last"] = value
    return found


def feed(batch: EventBatch, cuts: list[int], bucket_ns: int) -> DepthSeries:
    series = DepthSeries(LEVELS, bucket_ns)
    for part in chunks(batch, cuts):
        series.apply(part)
    return series


@given(
    stream=depth_streams(),
    seed=st.integers(0, 1000),
    cuts=CUTS,
    bucket_ns=st.sampled_from([1, 4, 20]),
)
def test_every_column_is_what_a_plain_book_says(stream, seed, cuts, bucket_ns):
    """Mean weighted by time, least, most and last of every quantity, from buckets of any size, in any chunking."""
    batch = timed(stream, seed)
    series = feed(batch, cuts, bucket_ns)
    if not len(batch):
        assert series.span_ns is None
        return
    first, stop = int(batch.ts[0]) // COLUMN_NS, int(batch.ts[-1]) // COLUMN_NS + 1
    values = series.columns(COLUMN_NS, first, stop)
    expected = oracle(batch, COLUMN_NS)
    for column in range(first, stop):
        for q in range(series.quantities):
            mean, least, most, last = values[column - first, q].tolist()
            cell = expected[column, q]
            assert same(last, cell.get("last"))
            if not cell["known"]:
                assert math.isnan(mean) and math.isnan(least) and math.isnan(most)
                continue
            assert mean == pytest.approx(float(cell["area"] / cell["known"]), rel=1e-12, abs=1e-12)
            assert (least, most) == (float(min(cell["seen"])), float(max(cell["seen"])))


def same(value: float, expected: object) -> bool:
    return math.isnan(value) if expected is None else value == float(expected)


@given(stream=depth_streams(), seed=st.integers(0, 1000), cuts=CUTS)
def test_chunks_give_the_same_bits(stream, seed, cuts):
    """Also when what rests is looked at between two chunks."""
    batch = timed(stream, seed)
    whole, cut = DepthSeries(LEVELS, 5), DepthSeries(LEVELS, 5)
    whole.apply(batch)
    for part in chunks(batch, cuts):
        cut.apply(part)
        cut.columns(10, 0, 3)
    assert whole.span_ns == cut.span_ns
    if whole.span_ns is not None:
        first, last = (ns // 10 for ns in whole.span_ns)
        assert whole.columns(10, first, last + 1).tobytes() == cut.columns(10, first, last + 1).tobytes()


@given(stream=depth_streams(), seed=st.integers(0, 1000), keep=st.integers(0, 120))
def test_the_future_changes_nothing_before_it(stream, seed, keep):
    """Columns that ended before the cut are the same bits with and without what follows."""
    batch = timed(stream, seed)
    part = batch[: keep % (len(batch) + 1)]
    whole, short = DepthSeries(LEVELS, 5), DepthSeries(LEVELS, 5)
    whole.apply(batch)
    short.apply(part)
    if short.span_ns is not None:
        first, last = (ns // 10 for ns in short.span_ns)
        assert whole.columns(10, first, last).tobytes() == short.columns(10, first, last).tobytes()


def opening() -> EventBatch:
    """Bids 99 × 5 and 98 × 7, asks 101 × 2 and 104 × 6, valid from 0 on; at 6 the best ask goes, at 10 all is lost."""
    kind = [EventKind.DEPTH] * 4 + [EventKind.SNAPSHOT_END, EventKind.DEPTH, EventKind.GAP, EventKind.CLOCK]
    side = [Side.BID, Side.BID, Side.ASK, Side.ASK, 0, Side.ASK, 0, 0]
    price = [99, 98, 101, 104, 0, 101, 0, 0]
    return EventBatch.of(
        ts=[0, 0, 0, 0, 0, 6, 10, 14], kind=kind, side=side, price=price, size=[5, 7, 2, 6, 0, 0, -1, 0]
    )


def test_a_book_by_hand():
    """Spread 2 for 6 ns, then 5 for 4: mean (12 + 20) / 10 = 3.2; best ask 2 × 6, then 6 × 4: 3.6; nothing after the gap."""
    series = DepthSeries((1, 2), 10)
    series.apply(opening())
    values = series.columns(10, 0, 2)
    assert values[0, SPREAD].tolist() == [3.2, 2, 5, 5]
    assert values[0, BID, [MEAN, LAST]].tolist() == [5, 5]
    assert values[0, BID + 2, [MEAN, LEAST, MOST, LAST]].tolist() == [3.6, 2, 6, 6]
    assert np.isnan(values[1]).all()


def test_what_rests_lasts_as_long_as_is_asked():
    """Asked later than the newest event, silence counts with what rested."""
    series = DepthSeries((1,), 10)
    series.apply(opening()[:6])
    assert series.columns(10, 0, 1)[0, SPREAD, MEAN] == 2, (
        "the best ask went this moment: that has not lasted yet"
    )
    assert series.columns(10, 0, 1, until_ns=10)[0, SPREAD, MEAN] == 3.2
    assert series.columns(10, 3, 4, until_ns=40)[0, SPREAD].tolist() == [5, 5, 5, 5]


def test_a_leap_over_years_costs_two_buckets():
    """Silence is not stored: a clock that leaps does not eat the memory."""
    series = DepthSeries((1,), 10)
    batch = opening()[:5]
    series.apply(batch)
    series.apply(EventBatch.of(5, ts=[10**18], kind=[EventKind.CLOCK]))
    assert series.columns(10, 10**16, 10**16 + 1)[0, SPREAD, MEAN] == 2


class Market:
    """The least that the batch face reads: batches and an instrument."""

    instrument = Instrument("X", "0.25", "0.1")

    def batches(self):
        yield opening()[:3]
        yield opening()[3:]


def test_the_frame_has_real_units_and_nulls():
    """Sizes times the lot, spread in ticks; the bucket after the gap knows nothing."""
    frame = depth_series(Market(), [1], "10ns")
    assert frame["ts"].to_physical().to_list() == [0, 10]
    assert frame["spread_mean"].to_list() == [3.2, None]
    assert frame["ask_1_max"].to_list() == [pytest.approx(0.6), None]
    assert frame.select(pl.all().exclude("ts").null_count()).row(0) == (1,) * 16


@pytest.mark.parametrize("levels", [[], [0, 1], [2, 1], [1, 1]])
def test_wrong_levels_are_refused(levels):
    """Cuts rise from at least 1."""
    with pytest.raises(WorkbenchError, match="rising numbers of levels"):
        DepthSeries(levels)
