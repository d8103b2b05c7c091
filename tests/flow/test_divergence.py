"""Delta divergence: by hand, against a plain loop, streaming like batch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.trades import FINE, plain_prints, trade_streams
from workbench.errors import WorkbenchError
from workbench.events import EventBatch
from workbench.flow.detectors.detections import joined
from workbench.flow.detectors.divergence import DeltaDivergence
from workbench.flow.divergence import Divergence


def plain(rows: list[list[float]], n: int) -> list[int]:
    """Signs of bars (high, low, CVD high, CVD low) by their definition."""
    signs = []
    for i, (high, low, delta_high, delta_low) in enumerate(rows):
        before = rows[i - n : i] if i >= n else []
        sign = 0
        if before and high > max(r[0] for r in before) and delta_high <= max(r[2] for r in before):
            sign -= 1
        if before and low < min(r[1] for r in before) and delta_low >= min(r[3] for r in before):
            sign += 1
        signs.append(sign)
    return signs


@given(
    rows=st.lists(st.lists(st.integers(-3, 3).map(float), min_size=4, max_size=4), max_size=40),
    n=st.integers(1, 6),
    cuts=st.lists(st.integers(0, 40), max_size=4),
)
def test_signs_are_those_of_the_definition_in_any_chunking(rows, n, cuts):
    """Each bar is compared with the n before it and nothing else."""
    bars = np.array(rows).reshape(-1, 4)
    streaming = Divergence(n)
    parts = np.split(bars, sorted(min(c, len(bars)) for c in cuts))
    found = [sign for part in parts for sign in streaming.update(part).tolist()]
    assert found == plain(rows, n)


@given(batch=trade_streams(), n=st.integers(1, 4))
def test_the_detector_finds_what_a_plain_loop_over_closed_bars_finds(batch: EventBatch, n: int):
    """Bars of one second that traded; the one in which the last event lies is still open."""
    trades, cvd, rows = plain_prints(batch), 0, {}
    for ts, price, size, side in trades:
        cvd += size * side
        high, low, most, least = rows.get(ts // 10**9, (price, price, cvd, cvd))
        rows[ts // 10**9] = (max(high, price), min(low, price), max(most, cvd), min(least, cvd))
    closed = [(start, row) for start, row in rows.items() if start < int(batch.ts[-1]) // 10**9]
    signs = plain([list(map(float, row)) for _, row in closed], n)
    expected = [
        (start * 10**9, sign, row[2] if sign < 0 else row[3])
        for (start, row), sign in zip(closed, signs)
        if sign
    ]
    detector = DeltaDivergence(FINE, n=n, bar="1s")
    found = joined([detector.update(batch), detector.close()])
    told = zip(found.evidence["bar_ts"].tolist(), found.side.tolist(), found.evidence["cvd_lots"].tolist())
    assert list(told) == expected


def test_nothing_is_found_before_there_are_enough_bars_or_after_a_restart():
    """A restart forgets the bars before it."""
    rising = np.array([[1.0, 1, 0, 0], [2, 2, 0, 0], [3, 3, 0, 0]])
    streaming = Divergence(2)
    assert streaming.update(rising).tolist() == [0, 0, -1]
    streaming.restart()
    assert streaming.update(rising + 10).tolist() == [0, 0, -1]


def test_no_bars_to_compare_with_is_refused():
    """n is at least 1."""
    with pytest.raises(WorkbenchError, match="number of bars"):
        Divergence(0)
