"""Footprint against a plain loop over dicts, worked by hand, in any chunks, and across gaps."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.books import chunks
from tests.support.trades import COARSE, FINE, Trades, plain_prints, prints, real, trade_streams
from workbench.errors import WorkbenchError
from workbench.events import EventBatch, EventKind, Instrument
from workbench.flow.bar_rule import bar_rule
from workbench.flow.bars import bars
from workbench.flow.footprint import FootprintStream, footprint
from workbench.frames.capture import Capture

POINTS = Instrument("X", 1)
BARS = ["1s", "1m", "7 trades", "1000 volume", "6 range"]
SECOND = 1_000_000_000


def begins_another(bar: dict[str, Any], rule: tuple[str, int], ts: int, price: int) -> bool:
    kind, step = rule
    if kind == "time":
        return ts // step * step > bar["start"]
    if kind == "trades":
        return len(bar["prices"]) >= step
    if kind == "volume":
        return sum(map(sum, bar["cells"].values())) >= step
    return max(*bar["prices"], price) - min(*bar["prices"], price) > step * 1000


def plain_footprint(batch: EventBatch, rule: tuple[str, int], row_ticks: int) -> list[dict[str, Any]]:
    """Bars with their cells: row → lots of bid, ask, unknown."""
    found: list[dict[str, Any]] = []
    cvd = 0
    for ts, price, size, side in plain_prints(batch):
        if not found or begins_another(found[-1], rule, ts, price):
            start = ts // rule[1] * rule[1] if rule[0] == "time" else ts
            cells: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
            found.append({"start": start, "prices": [], "cells": cells, "deltas": [0]})
        bar = found[-1]
        bar["prices"].append(price)
        bar["cells"][price // (1000 * row_ticks)][{-1: 0, 1: 1, 0: 2}[side]] += size
        bar["deltas"].append(bar["deltas"][-1] + side * size)
        cvd += side * size
        bar["cvd"] = cvd
    return found


def plain_marks(cells: dict[int, list[int]], ratio: Fraction, least: int, stacked: int, zeros: str) -> Any:
    """(bought, sold, bought stacked, sold stacked, unfinished) of each row."""

    def larger(mine: int, other: int) -> bool:
        return mine > 0 and mine >= least and mine >= ratio * other and (other > 0 or zeros == "count")

    def at(row: int, side: int) -> int:
        return cells[row][side] if row in cells else 0

    buy = {row: larger(at(row, 1), at(row - 1, 0)) for row in cells}
    sell = {row: larger(at(row, 0), at(row + 1, 1)) for row in cells}

    def in_column(flags: dict[int, bool], row: int) -> bool:
        low = high = row
        while flags.get(low - 1):
            low -= 1
        while flags.get(high + 1):
            high += 1
        return flags[row] and high - low + 1 >= stacked

    edges = (min(cells), max(cells))
    return {
        row: (
            buy[row],
            sell[row],
            in_column(buy, row),
            in_column(sell, row),
            row in edges and at(row, 0) > 0 and at(row, 1) > 0,
        )
        for row in cells
    }


def plain_rule(bar: str, instrument: Instrument) -> tuple[str, int]:
    """Name and step of a bar's end, in ns, prints, lots or ticks."""
    number, _, unit = bar.partition(" ")
    if not unit:
        return "time", {"1s": SECOND, "1m": 60 * SECOND}[bar]
    return unit, instrument.lots(number) if unit == "volume" else int(number)


@given(
    batch=trade_streams(),
    bar=st.sampled_from(BARS),
    row_ticks=st.sampled_from([1, 3]),
    ratio=st.sampled_from([1.0, 1.5, 3.0]),
    stacked=st.sampled_from([2, 3]),
    zeros=st.sampled_from(["ignore", "count"]),
    instrument=st.sampled_from([COARSE, FINE]),
)
def test_the_footprint_is_that_of_a_plain_program(
    batch: EventBatch,
    bar: str,
    row_ticks: int,
    ratio: float,
    stacked: int,
    zeros: Any,
    instrument: Instrument,
) -> None:
    """Cells, bars and every claim equal dicts filled trade by trade."""
    frame = footprint(Trades(batch, instrument), bar, row_ticks, ratio, 0, stacked, zeros)
    rows = frame.iter_rows(named=True)
    for number, expected in enumerate(plain_footprint(batch, plain_rule(bar, instrument), row_ticks)):
        cells = expected["cells"]
        marks = plain_marks(cells, Fraction(str(ratio)), 0, stacked, zeros)
        most = max(sum(cell) for cell in cells.values())
        poc = min(row for row, cell in cells.items() if sum(cell) == most)
        for row in sorted(cells):
            found = next(rows)
            assert (found["bar"], found["price"]) == (number, float(instrument.price(row * row_ticks)))
            lots = [float(instrument.size(v)) for v in cells[row]]
            assert [found["bid"], found["ask"], found["unknown"]] == lots
            claims = ("buy_imbalance", "sell_imbalance", "buy_stacked", "sell_stacked", "unfinished")
            assert tuple(found[name] for name in claims) == marks[row]
            assert found["is_poc"] == (row == poc)
            assert found["poc"] == float(instrument.price(poc * row_ticks))
            _same_bar(found, expected, instrument)
    assert next(rows, None) is None


def _same_bar(found: dict[str, Any], expected: dict[str, Any], instrument: Instrument) -> None:
    prices, deltas = expected["prices"], expected["deltas"]
    assert [found[name] for name in ("open", "high", "low", "close")] == [
        float(real(price, instrument)) for price in (prices[0], max(prices), min(prices), prices[-1])
    ]
    volume = sum(map(sum, expected["cells"].values()))
    lots = (volume, deltas[-1], min(deltas), max(deltas), expected["cvd"])
    names = ("bar_volume", "bar_delta", "min_delta", "max_delta", "cvd")
    assert [found[name] for name in names] == [float(instrument.size(v)) for v in lots]
    assert (found["trades"], found["gap"]) == (len(prices), False)


@given(
    batch=trade_streams(),
    cuts=st.lists(st.integers(0, 90), max_size=5),
    bar=st.sampled_from(BARS),
    row_ticks=st.sampled_from([1, 3]),
)
def test_any_chunks_give_the_same_footprint(
    batch: EventBatch, cuts: list[int], bar: str, row_ticks: int
) -> None:
    """The streaming face, however its batches are cut, equals the batch face to the bit."""
    stream = FootprintStream(FINE, bar, row_ticks)
    for piece in chunks(batch, cuts):
        stream.apply(piece)
    assert stream.frame().equals(footprint(Trades(batch, FINE), bar, row_ticks))


@given(batch=trade_streams(), cut=st.integers(0, 80), bar=st.sampled_from(BARS))
def test_the_future_changes_no_finished_bar(batch: EventBatch, cut: int, bar: str) -> None:
    """Every bar but the last of a stream's beginning is the same when the stream goes on."""
    before = footprint(Trades(batch[:cut], COARSE), bar)
    finished = before.filter(pl.col("bar") < pl.col("bar").max())
    whole = footprint(Trades(batch, COARSE), bar)
    assert whole.head(len(finished)).equals(finished)


def test_a_bar_worked_by_hand() -> None:
    """One bar at prices 10–14, bid × ask.

    14: 0 × 4      buy: 4 ≥ 3 · bid(13) = 3 · 1          → buy imbalance
    13: 1 × 9      buy: 9 ≥ 3 · bid(12) = 3 · 3          → buy imbalance
    12: 3 × 6      buy: 6 ≥ 3 · bid(11) = 3 · 2          → buy imbalance; three in a column: stacked
    11: 2 × 5      buy: 5 < 3 · bid(10) = 3 · 8
    10: 8 × 1      lowest row, both sides: unfinished; sell: 8 < 3 · ask(11) = 3 · 5
    Delta: asks 4 + 9 + 6 + 5 + 1 = 25, bids 1 + 3 + 2 + 8 = 14 → +11. Volumes 4, 10, 9, 7, 9: POC 13.
    """
    cells = [
        (10, 8, -1),
        (10, 1, 1),
        (11, 2, -1),
        (11, 5, 1),
        (12, 3, -1),
        (12, 6, 1),
        (13, 1, -1),
        (13, 9, 1),
    ]
    price, size, side = map(list, zip(*cells, (14, 4, 1)))
    frame = footprint(Trades(prints(price, size, side), POINTS))
    assert frame["price"].to_list() == [10, 11, 12, 13, 14]
    assert frame["buy_imbalance"].to_list() == [False, False, True, True, True]
    assert frame["buy_stacked"].to_list() == [False, False, True, True, True]
    assert not frame["sell_imbalance"].any()
    assert frame["unfinished"].to_list() == [True, False, False, False, False]
    last = frame.row(-1, named=True)
    # The delta runs −8, −7, −9, −4, −7, −1, −2, 7, 11: lowest −9, highest 11.
    assert [last[name] for name in ("bar_delta", "min_delta", "max_delta", "cvd", "poc")] == [
        11,
        -9,
        11,
        11,
        13,
    ]


def test_a_least_volume_and_the_rule_for_zeros() -> None:
    """6 bought over nothing sold is an imbalance only where zeros count, and not below the least volume."""
    source = Trades(prints([10, 11], [5, 6], [1, 1]), POINTS)
    assert not footprint(source)["buy_imbalance"].any()
    assert footprint(source, zeros="count")["buy_imbalance"].to_list() == [True, True]
    assert footprint(source, zeros="count", min_volume=5.5)["buy_imbalance"].to_list() == [False, True]


def test_rows_that_do_not_touch_are_no_neighbours() -> None:
    """Bought at 12, sold at 10, nothing at 11: there is nothing to compare with."""
    frame = footprint(Trades(prints([10, 12], [1, 9], [-1, 1]), POINTS))
    assert not frame["buy_imbalance"].any()


def with_gap(at: int) -> EventBatch:
    """Four prints a second in three bars of 2 s, a gap of unknown length before the print ``at``."""
    count = 12
    kind = [EventKind.TRADE] * count
    ts = [SECOND * i // 2 for i in range(count)]
    columns = {"price": [10 + i % 2 for i in range(count)], "size": [1 + 8 * (i % 2) for i in range(count)]}
    side = [-1 if i % 2 == 0 else 1 for i in range(count)]
    kind.insert(at, EventKind.GAP)
    ts.insert(at, ts[min(at, count - 1)])
    side.insert(at, 0)
    columns["price"].insert(at, 0)
    columns["size"].insert(at, -1)
    return EventBatch.of(ts=ts, kind=kind, side=side, **columns)


@pytest.mark.parametrize(("at", "marked"), [(0, [0]), (2, [0]), (4, [0, 1]), (6, [1]), (12, [2])])
def test_bars_on_both_sides_of_a_gap_claim_nothing(at: int, marked: list[int]) -> None:
    """Each bar of four prints has one imbalance, but none where events are missing within it or beside it."""
    stream = FootprintStream(POINTS, "2s")
    stream.apply(with_gap(at))
    frame = stream.frame()
    by_bar = frame.group_by("bar").agg(
        pl.col("gap").any(), pl.col("buy_imbalance").any(ignore_nulls=False)
    ).sort("bar")  # fmt: skip
    assert by_bar.filter("gap")["bar"].to_list() == marked
    claims = by_bar["buy_imbalance"].to_list()
    assert claims == [None if bar in marked else True for bar in range(3)]


@given(at=st.integers(0, 12), cuts=st.lists(st.integers(0, 13), max_size=4))
def test_gaps_are_marked_the_same_in_any_chunks(at: int, cuts: list[int]) -> None:
    """A gap at the end of one batch marks the bar of the next print too."""
    whole, parts = FootprintStream(POINTS, "2s"), FootprintStream(POINTS, "2s")
    batch = with_gap(at)
    whole.apply(batch)
    for piece in chunks(batch, cuts):
        parts.apply(piece)
    assert parts.frame().equals(whole.frame())


def test_the_batch_face_knows_the_gaps_of_its_source() -> None:
    """What a session tells of gaps marks the same bars as the gaps in its stream do."""
    capture = Capture(POINTS)
    capture.apply(with_gap(6))
    stream = FootprintStream(POINTS, "2s")
    stream.apply(with_gap(6))
    source = SimpleNamespace(instrument=POINTS, trades=capture.trades_frame(), gaps=capture.gaps)
    assert footprint(source, "2s").equals(stream.frame())


def test_time_bars_are_those_of_bars() -> None:
    """Opens, highs, volumes and trades by the second are the same by both functions."""
    price = [100 + (7 * i) % 11 for i in range(60)]
    side = [1, -1, 0] * 20
    batch = prints(price, [1 + i % 5 for i in range(60)], side, ts=[i * SECOND // 4 for i in range(60)])
    source = Trades(batch, COARSE)
    mine = footprint(source, "1s").unique("bar", keep="first", maintain_order=True)
    theirs = bars(source, "1s")
    for name, other in (("open", "open"), ("high", "high"), ("close", "close"), ("bar_volume", "volume")):
        assert mine[name].to_list() == theirs[other].to_list()
    assert mine["trades"].to_list() == theirs["trades"].to_list()


def test_without_trades_there_are_no_rows() -> None:
    """An empty stream has the columns and no rows."""
    frame = footprint(Trades(EventBatch.empty(), POINTS))
    assert frame.shape == (0, 27)


@pytest.mark.parametrize("bar", ["", "1", "0s", "0 trades", "1.5 trades", "3 bars", "1 year", "0.5 range"])
def test_a_bar_that_means_nothing_is_refused(bar: str) -> None:
    """The error says how bars are written."""
    with pytest.raises(WorkbenchError, match="500 trades"):
        bar_rule(bar, COARSE)


@pytest.mark.parametrize(
    "wrong",
    [
        {"ratio": 0.5},
        {"ratio": 1.00001},
        {"min_volume": -1},
        {"stacked": 1},
        {"zeros": "some"},
        {"row_ticks": 0},
    ],
)
def test_a_rule_that_means_nothing_is_refused(wrong: dict[str, Any]) -> None:
    """Ratios below 1 or too fine, negative volumes, columns of one, unknown words, heights below 1 raise at once."""
    with pytest.raises(WorkbenchError):
        footprint(Trades(prints([1], [1]), POINTS), **wrong)
