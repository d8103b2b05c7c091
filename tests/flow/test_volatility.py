"""Volatility estimators against the formulas written out, any chunking, gaps; time at price; composites; nodes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.books import chunks
from tests.support.trades import COARSE, Trades, prints, trade_streams
from workbench.errors import WorkbenchError
from workbench.events import EventBatch, EventKind
from workbench.flow.bars import bars
from workbench.flow.volatility import Volatility, volatility


def _walk(count: int, seed: int = 3) -> EventBatch:
    rng = np.random.default_rng(seed)
    return prints((1000 + rng.integers(-3, 4, count).cumsum()).tolist(), [1] * count, ts=range(count))


def test_every_estimator_is_its_formula() -> None:
    """Four bars of three prints, window 3, scale 2, with numpy from the definitions."""
    source = Trades(_walk(13), COARSE)
    rows = bars(source, "3t")[:4]
    o, h, low, c = (np.log(rows[name].to_numpy()) for name in ("open", "high", "low", "close"))
    r, n, m = np.diff(c), 3, 2 / 6
    o, h, low, last, before = o[1:], h[1:], low[1:], c[1:], c[:-1]
    rs = np.mean((h - last) * (h - o) + (low - last) * (low - o))
    k = 0.34 / (1.34 + (n + 1) / (n - 1))
    slow = ((c[2] - c[0]) ** 2 + (c[3] - c[1]) ** 2) / 2
    expected = {
        "realised": np.mean(r**2),
        "bipower": math.pi / 2 * (abs(r[0] * r[1]) + abs(r[1] * r[2])) / 2,
        "parkinson": np.mean((h - low) ** 2) / (4 * math.log(2)),
        "garman_klass": np.mean(0.5 * (h - low) ** 2 - (2 * math.log(2) - 1) * (last - o) ** 2),
        "rogers_satchell": rs,
        "yang_zhang": np.var(o - before, ddof=1) + k * np.var(last - o, ddof=1) + (1 - k) * rs,
        "two_scale": (slow - m * np.sum(r**2)) / (1 - m) / n,
    }
    found = volatility(source, "3t", window=3, scale=2)
    assert len(found) == 4 and found["realised"].to_list()[:3] == [None] * 3
    for name, variance in expected.items():
        value = found[name][3]
        assert value is None if variance < 0 else value == pytest.approx(math.sqrt(variance), rel=1e-9)


@settings(max_examples=50)
@given(
    batch=trade_streams(), cuts=st.lists(st.integers(0, 90), max_size=5), bar=st.sampled_from(["2t", "1s"])
)
def test_volatility_does_not_depend_on_chunks_nor_on_the_future(
    batch: EventBatch, cuts: list[int], bar: str
) -> None:
    """Any chunking gives the same rows, and rows that are told stay."""
    whole, stream = volatility(Trades(batch, COARSE), bar, 4, 2), Volatility(COARSE, bar, 4, 2)
    for part in chunks(batch, cuts):
        stream.apply(part)
        assert whole[: len(stream.frame)].equals(stream.frame)
    assert stream.frame.equals(whole)


def test_windows_do_not_reach_across_a_gap() -> None:
    """The open bar at the gap counts for nothing, and three whole bars must follow before there is a value."""
    first, rest = _walk(9), _walk(12, 4)
    gap = EventBatch.of(ts=9, kind=EventKind.GAP, size=-1)
    stream = Volatility(COARSE, "2t", 3, 2)
    for part in (first, gap, rest):
        stream.apply(part)
    known = [value is not None for value in stream.frame["realised"]]
    # four bars, the fifth holds the gap, then five whole ones of which the fourth is the first with three before it
    assert known == [False, False, False, True, False, False, False, False, True, True]


def test_prices_below_zero_have_no_volatility() -> None:
    """Logarithms need prices above 0: null, not an error."""
    batch = prints([-5, -4, -3, -2, -1, 1, 2, 3], [1] * 8, ts=range(8))
    assert volatility(Trades(batch, COARSE), "1t", 3, 2)["realised"].null_count() == 8


def test_wrong_windows_are_refused() -> None:
    """2 ≤ scale < window."""
    for window, scale in ((3, 3), (5, 1), (4.5, 2)):
        with pytest.raises(WorkbenchError, match="scale < window"):
            Volatility(COARSE, "1s", window, scale)
