"""The seed signals by hand."""

from __future__ import annotations

import math

import numpy as np
import polars as pl

import workbench as wb
from tests.support.touches import Recorded, states

S = wb.signals
SECOND = 1_000_000_000


def of(signal: wb.signals.Signal, levels, times=None) -> pl.DataFrame:  # type: ignore[no-untyped-def]
    """What a signal says of books given as best prices and sizes."""
    return signal.over(Recorded([states(levels, times)]))


def test_imbalance_by_hand() -> None:
    """(9 − 1) / 10 = 0.8: on; (6 − 4) / 10 = 0.2: off, below 0.3; (1 − 9) / 10: sell."""
    books = [(100, 9, 101, 1), (100, 6, 101, 4), (100, 1, 101, 9)]
    frame = of(S.BookImbalance(enter=0.6, leave=0.3), books)
    np.testing.assert_allclose(frame["score"][-3:], [0.8, 0.2, -0.8])
    assert frame["side"].to_list()[-3:] == [1, 0, -1]
    assert frame["price_ticks"].to_list()[-3:] == [100.5] * 3
    assert frame["price"].to_list()[-3:] == [50.25] * 3, "a tick is a half"


def test_a_side_stays_on_between_its_bounds() -> None:
    """0.8 is above 0.6, 0.4 not below 0.3, 0.2 is; 0.4 alone does not put it on."""
    books = [(100, b, 101, 10 - b) for b in (9, 7, 6, 7)]
    assert of(S.BookImbalance(enter=0.6, leave=0.3), books)["side"].to_list()[-4:] == [1, 1, 0, 0]


def test_smoothing_by_hand() -> None:
    """0.8 for one half-life, then −0.8: the mean is still 0.8, and a half-life later 0.5 · 0.8 − 0.5 · 0.8 = 0."""
    books = [(100, 9, 101, 1), (100, 1, 101, 9), (100, 1, 101, 8)]
    times = [10 * SECOND, 11 * SECOND, 12 * SECOND]
    warm = [(100, 9, 101, 1), *books]
    score = of(S.BookImbalance(half_life_s=1.0), warm, [SECOND, *times])["score"][-2:]
    np.testing.assert_allclose(score, [0.8, 0.0], atol=1e-12)


def test_cliff_by_hand() -> None:
    """One level each: no gap, 0; with a gap behind the thin ask ln(8 / 2) buys."""
    from tests.support.detectors import K
    from workbench.events import EventBatch

    depth = [(1, 100, 8), (1, 99, 4), (-1, 101, 2), (-1, 105, 50)]
    side, price, size = (list(column) for column in zip(*depth))
    rows = EventBatch.of(ts=1, kind=[K.CLEAR, *[K.DEPTH] * 4, K.SNAPSHOT_END], side=[0, *side, 0],
                         price=[0, *price, 0], size=[0, *size, 0])  # fmt: skip
    frame = S.VolumeCliff(levels=2, gap_ticks=2, ratio=3).over(Recorded([rows]))
    assert math.isclose(frame["score"][-1], math.log(12 / 2))  # 8 + 4 before any gap, 2 before the gap of 3
    assert frame["side"][-1] == 1
    assert S.VolumeCliff(levels=2, gap_ticks=4).over(Recorded([rows]))["score"][-1] == 0


def test_fade_by_hand() -> None:
    """Four ticks up into thick offers: sell; into thin ones: nothing."""
    times = [SECOND, 20 * SECOND, 20 * SECOND + 1]
    for ask, side in ((40, -1), (5, 0)):
        books = [(100, 10, 101, 10), (100, 10, 101, 11), (104, 10, 105, ask)]
        frame = of(S.LiquidityFade(levels=1, thick=1.5), books, times)
        assert frame["side"][-1] == side
        assert math.isclose(frame["score"][-1], -4.0 if side else 0.0, abs_tol=1e-6)


def test_flow_by_hand() -> None:
    """20 lots more at the bid, 10 lots usual at the touch: e = 20, score 2, a half-life later 1."""
    times = [SECOND, 30 * SECOND, 30 * SECOND + 1, 31 * SECOND + 1]
    books = [(100, 10, 101, 10), (100, 10, 101, 11), (100, 30, 101, 11), (100, 30, 101, 12)]
    frame = of(S.OfiMomentum(half_life_s=1.0, depth_half_life_s=3600.0, enter=1.5, leave=0.5), books, times)
    # e = −1 at 30 s, +20 a nanosecond later, and −1 after another second; the touch holds 10.0 to 10.03 on average
    np.testing.assert_allclose(frame["score"][-2:], [1.9, 0.85], rtol=0.01)
    assert frame["side"].to_list()[-2:] == [1, 1]


def test_warm_up_is_unknown() -> None:
    """Three half-lives of one second: unknown at 2.9 s, known at 3 s."""
    times = [SECOND, SECOND + 2_900_000_000, 4 * SECOND]
    frame = of(S.OfiMomentum(half_life_s=1.0), [(100, b, 101, 10) for b in (10, 11, 12)], times)
    assert frame["score"].is_null().to_list()[-3:] == [True, True, False]
