"""Stop-run proxy: the rule by hand, then any chunking and any cut."""

from __future__ import annotations

import pytest

from tests.support.detectors import K, assert_chunks_and_cuts, found, rows, simulated
from workbench.errors import WorkbenchError
from workbench.events import Instrument
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
