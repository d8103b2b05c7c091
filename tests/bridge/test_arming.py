"""The two locks and the bounds behind them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workbench.bridge.arming import (
    MINUTE_NS,
    PER_SECOND,
    SECOND_NS,
    SECONDS_A_MINUTE,
    TIME_OVER,
    Arming,
    Bounds,
    RateLimit,
)
from workbench.bridge.result import Moment

WALL = 1_767_225_600_000_000_000
PER_MINUTE = 200
BOUNDS = Bounds(owner="kernel", until=WALL + MINUTE_NS, until_mono=MINUTE_NS, max_size=3)


def armed() -> Arming:
    """Both locks open."""
    arming = Arming()
    arming.permit(True)
    arming.arm(BOUNDS, 2)
    return arming


def test_both_locks_are_needed() -> None:
    """Neither lock alone opens the way, in whichever order they are opened."""
    arming = Arming()
    arming.arm(BOUNDS, 2)
    assert not arming.open
    arming.permit(True)
    assert arming.open
    arming.permit(False)
    assert not arming.open
    arming.permit(True)
    assert not arming.open, "the setting alone must not arm again"


def test_the_time_ends_it_to_the_nanosecond() -> None:
    """Armed for a minute is open one ns before and closed at its end."""
    arming = armed()
    arming.expire(Moment(WALL, MINUTE_NS - 1))
    assert arming.open
    assert arming.deadline() == MINUTE_NS
    arming.expire(Moment(WALL, MINUTE_NS))
    assert not arming.open
    assert arming.deadline() is None
    assert arming.max_size == arming.orders_left == 0


def test_a_machine_that_slept_does_not_wake_up_armed() -> None:
    """The monotonic clock of many systems stands while they sleep: the wall clock ends the arming then."""
    arming, woken = armed(), Moment(WALL + 8 * 60 * MINUTE_NS, SECOND_NS)
    assert arming.lasts(Moment(WALL, SECOND_NS))
    assert not arming.lasts(woken)
    arming.expire(woken)
    assert (arming.open, arming.reason) == (False, TIME_OVER)


def test_more_risk_is_the_business_of_who_armed() -> None:
    """Orders and changes go for the owner alone, and not while the lock is being closed; cancels go all the same."""
    arming = armed()
    assert arming.refusal_of("kernel") == arming.refusal() == ""
    assert "another client" in arming.refusal_of("visitor")
    arming.wind_down("disarmed: panic")
    assert "panic" in arming.refusal_of("kernel")
    assert arming.refusal() == ""


def test_the_reason_of_the_first_end_is_kept() -> None:
    """Disarmed twice, the reason stays the one that did it."""
    arming = armed()
    arming.disarm("lunch")
    arming.disarm("again")
    assert arming.reason == "lunch"
    assert "lunch" in arming.refusal()


def test_winding_down_takes_no_order() -> None:
    """While waiting cancels may still go, no order is left, and arming again starts afresh."""
    arming = armed()
    arming.wind_down("panic")
    assert (arming.open, arming.orders_left, arming.closing) == (True, 0, True)
    arming.arm(BOUNDS, 2)
    assert (arming.orders_left, arming.closing) == (2, False)


@given(st.lists(st.integers(0, 400_000_000), min_size=1, max_size=400))
def test_no_window_holds_more_than_allowed(gaps: list[int]) -> None:
    """However requests come, no second has more than 5 and no minute more than 200, and none is refused for nothing."""
    limit, went, now = RateLimit(), list[int](), 0
    for gap in gaps:
        now += gap
        in_second = sum(now - t < SECOND_NS for t in went)
        in_minute = sum(now - t < MINUTE_NS for t in went)
        refused = bool(limit.refusal(now))
        assert refused == (in_second >= PER_SECOND or in_minute >= PER_MINUTE)
        if not refused:
            limit.count(now)
            went.append(now)


def test_the_rate_is_loosened_by_name_and_counts_what_went() -> None:
    """At 20 a second 20 go and the next does not; back at 5, the 20 still count."""
    limit = RateLimit()
    limit.allow(20)
    for number in range(20):
        assert not limit.refusal(number)
        limit.count(number)
    assert limit.refusal(20).startswith("RATE_LIMIT_EXCEEDED: 20 in 1 s")
    assert "max_per_second" in limit.refusal(20)
    limit.allow(PER_SECOND)
    assert limit.refusal(SECOND_NS + 14)
    assert not limit.refusal(SECOND_NS + 15)
    assert limit.refusal(2 * SECOND_NS, PER_SECOND + 1)
    assert not limit.refusal(2 * SECOND_NS, PER_SECOND)


def test_a_minute_takes_forty_full_seconds() -> None:
    """The bound of the minute follows that of the second: 5 and 200, 10 and 400."""
    assert PER_SECOND * SECONDS_A_MINUTE == PER_MINUTE
    limit = RateLimit(10)
    for number in range(400):
        limit.count(number * SECOND_NS // 10)
    assert limit.refusal(41 * SECOND_NS).startswith("RATE_LIMIT_EXCEEDED: 400 in 60 s")


def test_two_hundred_a_minute() -> None:
    """A steady 4 a second is stopped by the minute."""
    limit, went = RateLimit(), 0
    for tick in range(240):
        now = tick * SECOND_NS // 4
        if not limit.refusal(now):
            limit.count(now)
            went += 1
    assert went == PER_MINUTE
