"""Delays: drawn from what was recorded, the same for the same seed, and never out of order."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import WorkbenchError
from workbench.trading.latency import DRAWS, Latency

RECORDED = np.array([100, 200, 900])
delays = st.lists(st.integers(0, 10**9), min_size=1, max_size=20)


@given(entry=delays, response=delays, seed=st.integers(0, 2**63 - 1))
def test_the_same_seed_draws_the_same(entry: list[int], response: list[int], seed: int) -> None:
    """Only recorded delays come out, and twice the same ones."""
    once, again = (Latency(np.array(entry), np.array(response), seed=seed) for _ in range(2))
    assert np.array_equal(once.entry, again.entry) and np.array_equal(once.response, again.response)
    assert set(once.entry.tolist()) <= set(entry) and set(once.response.tolist()) <= set(response)


def test_draws_are_as_frequent_as_they_were_recorded() -> None:
    """Each of three delays about a third of the time, and other ones for answers and for other seeds."""
    latency = Latency(RECORDED, RECORDED, seed=5)
    shares = [np.mean(latency.entry == value) for value in RECORDED]
    assert shares == pytest.approx([1 / 3] * 3, abs=0.01)
    assert len(latency.entry) == DRAWS
    assert not np.array_equal(latency.entry, latency.response)
    assert not np.array_equal(latency.entry, Latency(RECORDED, seed=6).entry)


def test_draws_are_those_of_splitmix64() -> None:
    """Written down once: they may never change, or stored results would not come out again."""
    assert Latency(np.arange(1000), seed=1).entry[:5].tolist() == [954, 343, 802, 680, 243]


@given(steps=st.lists(st.integers(0, 300), min_size=1, max_size=30), feed=delays, seed=st.integers(0, 99))
def test_rows_are_seen_in_order_and_a_moment_as_a_whole(steps: list[int], feed: list[int], seed: int) -> None:
    """Never before they happen, at the earliest the least delay later, and rows of one time together."""
    ts = np.cumsum(np.array(steps, np.int64))
    seen = Latency(0, feed=np.array(feed), seed=seed).seen(ts)
    assert (np.diff(seen) >= 0).all() and (seen - ts >= min(feed)).all()
    same = np.diff(ts) == 0
    assert (np.diff(seen)[same] == 0).all()


def test_one_value_is_for_commands_and_answers() -> None:
    """A pair is for either; what is a latency stays one."""
    assert Latency.of("2ms").response.tolist() == [2_000_000]
    assert [Latency.of((1, "2us")).entry.tolist(), Latency.of((1, "2us")).response.tolist()] == [[1], [2000]]
    latency = Latency(5)
    assert Latency.of(latency) is latency
    ts = np.arange(3)
    assert latency.seen(ts) is ts


def test_a_record_of_orders_gives_both_ways() -> None:
    """With the time at the venue exactly, without it half of each round trip; date-times and durations are taken too."""
    noon = datetime(2024, 1, 2, 12)
    sent = [noon, noon + timedelta(seconds=1)]
    answered = [at + timedelta(milliseconds=wait) for at, wait in zip(sent, (4, 6))]
    arrived = [at + timedelta(milliseconds=1) for at in sent]
    exact = Latency.recorded(pl.DataFrame({"sent": sent, "arrived": arrived, "answered": answered}))
    assert set(exact.entry.tolist()) == {1_000_000}
    assert set(exact.response.tolist()) == {3_000_000, 5_000_000}
    halved = Latency.recorded(pl.DataFrame({"sent": sent, "answered": answered}))
    assert set(halved.entry.tolist()) == {2_000_000, 3_000_000}
    assert Latency(np.array([2, 3], "timedelta64[us]")).entry.max() == 3000


def test_what_is_written_of_a_latency_tells_it_from_others() -> None:
    """Results of sweeps are found again by it."""
    texts = {repr(Latency(np.array(samples), seed=s)) for samples in ([1, 2, 5], [1, 3, 5]) for s in (0, 1)}
    assert len(texts) == 4


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (-1, "0 ns or more"),
        (np.array([3, -2]), "-2 ns"),
        (np.array([]), "recorded delays"),
        (0.5, "whole nanoseconds"),
        (np.zeros((2, 2), int), "recorded delays"),
        ("soon", "100ms"),
    ],
)
def test_what_is_no_delay_is_refused(wrong: Any, said: str) -> None:
    """With what would be one."""
    with pytest.raises(WorkbenchError, match=said):
        Latency(wrong)


@pytest.mark.parametrize(
    "frame", [{"sent": [1]}, {"sent": [1.5], "answered": [2.5]}, {"sent": [2], "answered": [1]}]
)
def test_what_is_no_record_of_orders_is_refused(frame: dict[str, list[Any]]) -> None:
    """Columns that are missing, times that are no times, answers before the question."""
    with pytest.raises(WorkbenchError, match=r"sent and answered|a time in each row|0 ns or more"):
        Latency.recorded(pl.DataFrame(frame))
