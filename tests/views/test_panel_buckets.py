"""Buckets of numbers over time against a plain loop."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.views import panel_buckets
from workbench.views.panel_buckets import FIRST, LAST, LEAST, MOST, SUM, Buckets

RULES = {FIRST: lambda v: v[0], LEAST: min, MOST: max, LAST: lambda v: v[-1], SUM: math.fsum}


@given(
    steps=st.lists(st.integers(0, 60), min_size=1, max_size=60),
    numbers=st.lists(st.integers(-5, 5) | st.none(), min_size=60, max_size=60),
    cuts=st.lists(st.integers(0, 60), max_size=4),
    per=st.sampled_from([1, 2, 7]),
)
def test_columns_are_those_of_a_plain_loop_in_any_chunking(steps, numbers, cuts, per):
    """First, least, most, last and sum of the known numbers of each column, whatever the size of columns."""
    ts = np.cumsum(steps) + 1000
    values = np.array([math.nan if n is None else n for n in numbers[: len(ts)]])[:, None]
    buckets = Buckets(10, [(0, rule) for rule in RULES])
    for part in np.split(np.arange(len(ts)), sorted(min(c, len(ts)) for c in cuts)):
        buckets.feed(ts[part], values[part])
    found, rows = buckets.columns(10 * per, 0, 1000)
    expected = {}
    for moment, number in zip(ts.tolist(), values[:, 0].tolist()):
        expected.setdefault(moment // (10 * per), []).append(number)
    assert found.tolist() == list(expected)
    for row, column in zip(rows, expected.values()):
        known = [n for n in column if n == n]
        for j, rule in enumerate(RULES.values()):
            assert math.isnan(row[j]) if not known else row[j] == rule(known)


def test_only_the_columns_asked_for_come_back():
    """Columns [2, 4) of an even second each."""
    buckets = Buckets(10, [(0, LAST)])
    buckets.feed(np.array([5, 25, 35, 45]), np.array([[1.0], [2.0], [3.0], [4.0]]))
    numbers, values = buckets.columns(10, 2, 4)
    assert (numbers.tolist(), values[:, 0].tolist()) == ([2, 3], [2, 3])


def test_a_clock_set_back_adds_to_the_newest_bucket():
    """Nothing is lost, and columns stay in order."""
    buckets = Buckets(10, [(0, SUM)])
    buckets.feed(np.array([25]), np.array([[1.0]]))
    buckets.feed(np.array([5]), np.array([[2.0]]))
    numbers, values = buckets.columns(10, 0, 9)
    assert (numbers.tolist(), values[:, 0].tolist()) == ([2], [3])


@pytest.mark.parametrize("unit", [None, 70])
def test_old_buckets_put_together_are_what_columns_of_their_time_are(monkeypatch, unit):
    """However they were fed, a column of whole old buckets is exact, the newest stay fine, and memory stays small."""
    monkeypatch.setattr(panel_buckets, "KEPT_BUCKETS", 50)
    rng = np.random.default_rng(3)
    ts = np.cumsum(rng.integers(1, 30, 20_000)).astype(np.int64)
    values = rng.integers(-50, 50, (20_000, 1)).astype(float)
    plan = [(0, rule) for rule in RULES]
    whole, slim = Buckets(10, plan), Buckets(10, plan, unit)
    whole.feed(ts, values)
    for part in np.array_split(np.arange(20_000), 333):
        slim.feed(ts[part], values[part])
        slim.coarsen()
    assert len(slim) < 500 < len(whole)
    assert (slim.first_ns // 10_000, slim.last_ns) == (whole.first_ns // 10_000, whole.last_ns)
    end = int(ts[-1])
    longest = 1000 * math.lcm(10, unit or 10)
    for column_ns, since in ((longest, 0), (2 * longest, 0), (longest // 10, end - 5000), (10, end - 500)):
        first, stop = since // column_ns + 1, end // column_ns + 1
        for found, expected in zip(
            slim.columns(column_ns, first, stop), whole.columns(column_ns, first, stop)
        ):
            np.testing.assert_array_equal(found, expected)
