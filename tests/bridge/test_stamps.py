"""Receive times never run backwards, and a clock that was set is noticed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workbench.bridge.stamps import STEP_NS, Stamps

SECOND_NS = 1_000_000_000


def test_time_is_the_wall_clocks() -> None:
    """Without steps, events are stamped with the time they were read."""
    stamps = Stamps()
    assert [stamps.stamp(100 + n, n) for n in (0, 5, 9)] == [(100, 0), (105, 0), (109, 0)]


def test_a_clock_set_back_holds_the_time() -> None:
    """Until the clock has caught up, events keep the last time."""
    stamps = Stamps()
    stamps.stamp(10 * SECOND_NS, 0)
    assert stamps.stamp(7 * SECOND_NS, SECOND_NS) == (10 * SECOND_NS, -4 * SECOND_NS)
    assert stamps.stamp(8 * SECOND_NS, 2 * SECOND_NS) == (10 * SECOND_NS, 0)
    assert stamps.stamp(11 * SECOND_NS, 5 * SECOND_NS) == (11 * SECOND_NS, 0)


def test_small_corrections_are_no_steps() -> None:
    """A clock is slewed all the time."""
    stamps = Stamps()
    stamps.stamp(0, 0)
    assert stamps.stamp(SECOND_NS + STEP_NS, SECOND_NS) == (SECOND_NS + STEP_NS, 0)
    assert stamps.stamp(2 * SECOND_NS, 2 * SECOND_NS)[1] == 0
    assert stamps.stamp(3 * SECOND_NS + STEP_NS + 1, 3 * SECOND_NS)[1] == STEP_NS + 1


@given(st.lists(st.tuples(st.integers(0, 2**62), st.integers(0, 2**62)), max_size=20))
def test_time_never_decreases(readings: list[tuple[int, int]]) -> None:
    """Whatever the clocks say."""
    stamps = Stamps()
    times = [stamps.stamp(wall, mono)[0] for wall, mono in readings]
    assert times == sorted(times)
