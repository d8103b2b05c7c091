"""Flow statistics on a stream small enough to count by hand."""

from __future__ import annotations

import pytest

from workbench.errors import EventError
from workbench.events import EventBatch, EventKind, Flag
from workbench.feeds.simulator.statistics import flow_statistics

K = EventKind
SECOND_NS = 1_000_000_000
ROWS = [
    # s, kind, side, price, size, order, aggressor, flags
    (0.0, K.CLEAR, 0, 0, 0, 0, 0, 0),
    (0.0, K.DEPTH, 1, 100, 5, 0, 0, Flag.SNAPSHOT),
    (0.0, K.DEPTH, 1, 98, 7, 0, 0, Flag.SNAPSHOT),
    (0.0, K.DEPTH, -1, 101, 4, 0, 0, Flag.SNAPSHOT),
    (0.0, K.SNAPSHOT_END, 0, 0, 0, 0, 0, 0),
    (0.5, K.MBO_NEW, 1, 100, 1, 11, 0, 0),
    (0.5, K.DEPTH, 1, 100, 6, 0, 0, 0),
    (1.5, K.MBO_CANCEL, 0, 100, 1, 11, 0, 0),
    (1.5, K.DEPTH, 1, 100, 5, 0, 0, 0),
    (2.0, K.TRADE, 1, 101, 3, 7, 50, Flag.EXEC_START),
    (2.0, K.TRADE, 1, 101, 1, 8, 50, Flag.EXEC_END),
    (2.0, K.DEPTH, -1, 101, 0, 0, 0, 0),
    (2.0, K.DEPTH, -1, 102, 9, 0, 0, 0),
    (4.0, K.TRADE, -1, 100, 2, 9, 60, Flag.EXEC_START | Flag.EXEC_END),
    (4.0, K.DEPTH, 1, 100, 3, 0, 0, 0),
]


def stream() -> EventBatch:
    """The rows as a batch."""
    names = ("kind", "side", "price", "size", "order_id", "aggressor_id", "flags")
    columns = {name: [int(row[i + 1]) for row in ROWS] for i, name in enumerate(names)}
    return EventBatch.of(ts=[int(row[0] * SECOND_NS) for row in ROWS], **columns)


def test_rates_shares_sizes_and_lives() -> None:
    """Four seconds: 3 prints in 2 executions, one order that lived one second, 5 level changes."""
    x = flow_statistics([stream()])
    assert x["span_s"] == 4.0
    assert x["trades_per_s"] == 3 / 4
    assert x["executions_per_s"] == 2 / 4
    assert x["execution_size_mean"] == (4 + 2) / 2
    assert x["prints_per_aggressor"] == 1.5
    assert (x["share_new"], x["share_cancel"], x["share_replace"]) == (0.5, 0.5, 0.0)
    assert x["life_s_p50"] == 1.0
    assert [x[f"level_{n}"] for n in ("up", "down", "new", "gone")] == [1 / 5, 2 / 5, 1 / 5, 1 / 5]


def test_book_figures_are_sampled_at_equal_times() -> None:
    """40 samples: up to 2.0 s the spread is 1, then 2; the second bid stands two ticks behind."""
    x = flow_statistics([stream()])
    assert x["spread_one"] == pytest.approx(20 / 40, abs=0.03)
    assert x["spread_two"] == pytest.approx(20 / 40, abs=0.03)
    assert x["gap_2"] == pytest.approx(1.0)  # bids 2, asks none (0)
    assert 2.9 <= x["levels_in_book"] <= 3.0


def test_chunks_change_nothing_and_stretch_scales_time() -> None:
    """Cutting the stream gives the same figures; a stretch of 2 halves rates and doubles lives."""
    whole = stream()
    parts = [whole[i : i + 2] for i in range(0, len(whole), 2)]
    assert flow_statistics(parts).figures == flow_statistics([whole]).figures
    slow = flow_statistics([whole], stretch=2)
    assert slow["trades_per_s"] == 3 / 8
    assert slow["life_s_p50"] == 2.0


def test_a_stream_without_events_is_refused() -> None:
    """Nothing, or nothing after the snapshot, has no statistics."""
    for batches in ([], [EventBatch.empty()], [stream()[:5]]):
        with pytest.raises(EventError, match="no events"):
            flow_statistics(batches)
