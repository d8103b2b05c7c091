"""The check for look-ahead finds those who cheat, names the row, and leaves the honest alone."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import workbench as wb
from tests.support.touches import Recorded, random_states, states
from workbench.errors import WorkbenchError

S = wb.signals


@pytest.fixture(scope="module")
def market() -> Recorded:
    """Two thousand states of 10 ms."""
    levels = random_states(np.random.default_rng(1), 2000, gaps=0.001)
    batch = states(levels, [k * 10_000_000 for k in range(1, 2001)])
    return Recorded([batch[k : k + 700] for k in range(0, len(batch), 700)])


def peeking(frame: pl.DataFrame) -> pl.Series:
    """The move that comes next."""
    return frame["mid"].shift(-1) - frame["mid"]


def ranked(frame: pl.DataFrame) -> pl.Series:
    """The mid against the mean of all there is, later rows too."""
    return frame["mid"] - frame["mid"].mean()


def honest(frame: pl.DataFrame) -> pl.Series:
    """The last move."""
    return frame["mid"] - frame["mid"].shift(1)


@pytest.mark.parametrize("cheat", [peeking, ranked])
def test_a_cheat_is_found_and_its_row_named(market: Recorded, cheat) -> None:  # type: ignore[no-untyped-def]
    """The report is false as a condition, and names row, event and both scores."""
    report = wb.check_lookahead(S.from_frame(cheat, lookback_s=0.5), market)
    assert not report
    assert report.sequence is not None
    assert f"(event {report.sequence:,})" in report.text
    assert "NOT CLEAN" in repr(report)


def test_a_memory_longer_than_said_is_found(market: Recorded) -> None:
    """A mean over all of the past differs when the past comes in smaller pieces."""
    report = wb.check_lookahead(
        S.from_frame(lambda f: f["mid"].cum_sum().fill_null(0.0), lookback_s=0.1), market
    )
    assert not report


@pytest.mark.parametrize(
    "signal",
    [S.from_frame(honest, lookback_s=0.1), S.BookImbalance(half_life_s=0.1), S.OfiMomentum(half_life_s=0.1)],
)
def test_the_honest_are_clean(market: Recorded, signal) -> None:  # type: ignore[no-untyped-def]
    """All rows stay."""
    report = wb.check_lookahead(signal, market)
    assert report
    assert "clean" in repr(report)


def test_no_events_and_no_cuts(market: Recorded) -> None:
    """Nothing is clean; a check without a cut is none."""
    assert wb.check_lookahead(S.BookImbalance(), Recorded([]))
    with pytest.raises(WorkbenchError, match="cuts"):
        wb.check_lookahead(S.BookImbalance(), market, cuts=0)
