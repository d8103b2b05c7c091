"""Stop-run proxy: the rule by hand, then any chunking and any cut."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from tests.support.detectors import K, assert_chunks_and_cuts, found, rows, simulated
from tests.support.flows import market, markets, rows_of
from workbench.errors import WorkbenchError
from workbench.events import EventBatch, Flag, Instrument
from workbench.flow.aggressor import aggressor_orders
from workbench.flow.detectors.stop_runs import StopRuns

X = Instrument("X", "0.25")
MS = 1_000_000
SECOND = 1_000 * MS


def burst(orders: int, *, gap_ms: int = 2, wait_ms: int = 3, side: int = 1) -> list[tuple]:
    """Six quiet seconds at 100, a print one tick beyond, then aggressors that go on."""
    quiet = [(i * SECOND, K.TRADE, -side, 100, 1, 0, 500 + i) for i in range(1, 8)]
    start = 7 * SECOND + 500 * MS
    push = (start, K.TRADE, side, 100 + side, 5, 0, 600)
    runs = [
        (start + (wait_ms + i * gap_ms) * MS, K.TRADE, side, 100 + side, 3, 0, 601 + i) for i in range(orders)
    ]
    return [*quiet, push, *runs]


@pytest.mark.parametrize("side", [1, -1])
def test_burst_behind_a_new_extreme(side: int) -> None:
    """Known at the sixth order, once: 6 orders, 18 lots, 10 ms; 6 · 5 ms / 10 ms = 3."""
    seen = found(StopRuns(X), [rows(*burst(9, side=side))])
    assert (seen.side.tolist(), seen.score.tolist()) == ([side], [3.0])
    assert seen.ts.tolist() == [7 * SECOND + 513 * MS]
    assert seen.evidence["orders"].tolist() == [6]
    assert seen.evidence["traded_lots"].tolist() == [18]
    assert seen.evidence["extreme_thousandths"].tolist() == [(100 + side) * 1000]


@pytest.mark.parametrize("change", [{"gap_ms": 6}, {"wait_ms": 11}, {"orders": 5}])
def test_what_is_no_burst(change: dict) -> None:
    """Pauses too long, a start too late, or too few orders."""
    assert len(found(StopRuns(X), [rows(*burst(**{"orders": 9, **change}))]).ts) == 0


def test_the_past_must_be_known() -> None:
    """Behind a gap the look-back begins anew."""
    events = burst(9)
    cut = (events[5][0] + 1, K.GAP, 0, 0, 1)
    assert len(found(StopRuns(X), [rows(*events[:6], cut, *events[6:])]).ts) == 0


def test_any_chunking_and_no_look_ahead() -> None:
    """Planted runs are seen the same in any pieces, and nothing before a cut changes."""
    assert assert_chunks_and_cuts(lambda: StopRuns(X), simulated(kinds=("stop_run",)), seed=3) > 0


def test_bad_parameters_are_refused() -> None:
    """No orders are no burst."""
    with pytest.raises(WorkbenchError):
        StopRuns(X, min_orders=0)


def plain_stop_runs(batch: EventBatch, look_back: int, within: int, gap: int, orders: int) -> list[tuple]:
    """Definition: behind a print beyond all of the look-back, so many new orders of its side without a pause."""
    told, seen, last_order = [], [], None
    beyond: dict[int, tuple[int, int]] = {}
    runs: dict[int, dict] = {}
    for row, order in zip(rows_of(batch), aggressor_orders(batch).tolist()):
        if row.kind in (K.CLEAR, K.GAP):
            seen, beyond, runs, last_order = [], {}, {}, None
        if row.kind != K.TRADE or row.size <= 0 or row.flags & Flag.OTC:
            continue
        price, side, is_new = row.price * 1000 + (row.flags >> 6), row.side, order != last_order
        if side:
            if side in runs and row.ts - runs[side]["last"] > gap:
                del runs[side]
            if side not in runs and is_new and side in beyond and row.ts - beyond[side][0] <= within:
                runs[side] = {"first": row.ts, "orders": 0, "lots": 0, "told": False}
            run = runs.get(side)
            if run:
                run["orders"] += is_new
                run["lots"] += row.size
                run["last"] = row.ts
                if run["orders"] >= orders and not run["told"]:
                    run["told"] = True
                    what = run["orders"], run["lots"], beyond[side][1], run["first"], beyond[side][0]
                    told.append((row.ts, row.sequence, price, side, *what))
            # counted in pieces of a thirty-second: it is up to one of them longer than asked for
            piece = look_back // 32
            back = [p * side for ts, p in seen if ts // piece >= row.ts // piece - 32]
            if seen and row.ts - seen[0][0] >= look_back and side * price > max(back, default=-(2**60)):
                beyond[side] = row.ts, price
            last_order = order
        seen.append((row.ts, price))
    return told


def same_as_plain(batch: EventBatch) -> int:
    """Compare both; how much there was."""
    limits = {"look_back_ns": 640 * MS, "within_ns": 150 * MS, "gap_ns": 200 * MS, "min_orders": 2}
    seen = found(StopRuns(X, **limits), [batch])
    fields = ("orders", "traded_lots", "extreme_thousandths", "started_ts", "beyond_ns")
    told = list(zip(*(c.tolist() for c in seen[:4]), *(seen.evidence[name].tolist() for name in fields)))
    assert told == plain_stop_runs(batch, *limits.values())
    return len(told)


@settings(max_examples=25)
@given(batch=markets())
def test_stop_runs_are_those_of_a_plain_loop(batch: EventBatch) -> None:
    """Streams with ties in time, orders that go on, and breaks."""
    same_as_plain(batch)


def test_there_are_stop_runs_to_compare() -> None:
    """The streams are not empty of what is looked for."""
    assert same_as_plain(market(1, 600, 0.01)) > 3
