"""Virtual time follows wall time by a factor, and nothing else."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import ReplayError
from workbench.feeds.pacing import MAX, Pace, parse_speed, speed_name


@given(speed=st.sampled_from([0.5, 1.0, 2.0, 50.0]), walls=st.lists(st.integers(0, 10**12), max_size=20))
def test_time_runs_at_its_speed_however_often_it_is_asked(speed, walls):
    """Virtual time is start + wall · speed; asking in between changes nothing."""
    pace = Pace(1_000, 0, speed)
    for wall in sorted(walls):
        assert pace.target(wall) == 1_000 + int(wall * speed)


def test_a_pause_takes_no_virtual_time():
    """While paused time stands still, and goes on from there."""
    pace = Pace(0, 0)
    pace.pause(500, 700)
    assert pace.target(10_000) == 500
    pace.resume(10_000)
    assert pace.target(10_100) == 600
    pace.resume(10_200)  # already running: no jump
    assert pace.target(10_300) == 800


def test_a_new_speed_counts_from_now():
    """Changing the speed does not move what has passed."""
    pace = Pace(0, 0)
    pace.change(10.0, 100, 100)
    assert pace.target(110) == 200
    pace.change(MAX, 200, 110)
    assert pace.target(111) is None
    assert pace.unlimited


@pytest.mark.parametrize("speed", [0, -1, math.nan, -math.inf, "fast", None, True, "nan"])
def test_speeds_that_make_no_sense_are_refused(speed):
    """Zero, negative, not a number: refused with what was found."""
    with pytest.raises(ReplayError, match="replay speed"):
        parse_speed(speed)


@pytest.mark.parametrize(
    ("given_speed", "speed"), [(1, 1.0), (0.25, 0.25), ("50", 50.0), ("max", MAX), (MAX, MAX)]
)
def test_speeds_are_read_and_written_alike(given_speed, speed):
    """A speed survives being written and read again."""
    assert parse_speed(given_speed) == speed
    assert parse_speed(speed_name(speed)) == speed
