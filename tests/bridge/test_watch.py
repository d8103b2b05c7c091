"""The pulse of Bookmap and the length of what it has sent and we have not read."""

from __future__ import annotations

import pytest

from workbench.bridge.watch import STALE_NS, Backlog, IntervalWatch

SECOND = 1_000_000_000
TENTH = SECOND // 10


def beating(count: int, every_ns: int = TENTH) -> IntervalWatch:
    """A watch that saw so many intervals, the first at 0."""
    watch = IntervalWatch()
    for number in range(count):
        watch.saw(number + 1, number * every_ns)
    return watch


def test_three_seconds_without_an_interval_are_told_once() -> None:
    """Stale from the third second on, and said only at the moment it becomes so."""
    watch = beating(1)
    assert watch.deadline() == STALE_NS
    assert not watch.on_time(STALE_NS - 1) and not watch.stale
    assert watch.on_time(STALE_NS) and watch.stale
    assert not watch.on_time(STALE_NS + SECOND) and watch.deadline() is None


def test_an_interval_ends_the_silence_and_is_told_once() -> None:
    """Live again with the first interval."""
    watch = beating(1)
    watch.on_time(STALE_NS)
    assert watch.saw(2, STALE_NS + 1) and not watch.stale
    assert not watch.saw(3, STALE_NS + 2)


def test_an_instrument_that_never_sent_an_interval_is_not_stale() -> None:
    """There is nothing to miss."""
    watch = IntervalWatch()
    assert watch.deadline() is None and not watch.on_time(100 * SECOND) and not watch.stale


@pytest.mark.parametrize("speed", [0.5, 1.0, 8.0])
def test_the_speed_is_data_time_over_our_time(speed: float) -> None:
    """Eight intervals in a tenth of a second are a replay at eight times the speed."""
    every = int(TENTH / speed)
    watch = beating(200, every)
    assert watch.speed(199 * every) == pytest.approx(speed, rel=0.05)


def test_the_speed_is_that_of_the_last_five_seconds() -> None:
    """A replay that was made faster shows so soon after."""
    watch = beating(100)
    for number in range(100, 700):
        watch.saw(number + 1, 100 * TENTH + (number - 100) * TENTH // 10)
    assert watch.speed(100 * TENTH + 600 * TENTH // 10) == pytest.approx(10, rel=0.05)


def test_there_is_no_speed_before_there_is_time() -> None:
    """One interval says nothing."""
    assert IntervalWatch().speed(0) is None
    assert beating(1).speed(0) is None


def test_a_read_that_leaves_room_in_the_buffer_is_up_to_date() -> None:
    """Everything the socket held was read."""
    backlog = Backlog()
    backlog.read(full=False, events=100_000, mono=0)
    assert backlog.events == 0 and not backlog.degraded(0)


def test_more_than_a_thousand_events_behind_is_degraded() -> None:
    """A full buffer means as much again waits; the next read that leaves room ends it."""
    backlog = Backlog()
    backlog.read(full=True, events=1_001, mono=0)
    assert backlog.degraded(0) and backlog.events == 1_001
    backlog.read(full=False, events=10, mono=1)
    assert not backlog.degraded(1) and backlog.peak_events == 1_001


def test_more_than_200_ms_behind_is_degraded() -> None:
    """Few but large lines: the time decides."""
    backlog = Backlog()
    for mono in range(0, 300_000_000, 50_000_000):
        backlog.read(full=True, events=1, mono=mono)
        assert backlog.degraded(mono) == (mono > 200_000_000)
    assert backlog.age_ns(300_000_000) == 300_000_000
