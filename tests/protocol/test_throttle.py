"""The brake on control messages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workbench.protocol.throttle import Throttle

SECOND = 1_000_000_000


@given(st.lists(st.integers(0, SECOND // 2), max_size=200))
def test_never_more_than_burst_plus_rate(waits: list[int]) -> None:
    """In any time no more is admitted than 5 at once and 10 a second."""
    throttle, now, admitted = Throttle(0, per_second=10, burst=5), 0, 0
    for wait in waits:
        now += wait
        admitted += throttle.admits(now)
        assert admitted <= 5 + 10 * now / SECOND + 1


def test_slow_clients_are_never_refused() -> None:
    """Whoever stays below the rate does not meet the limit."""
    throttle = Throttle(0, per_second=10, burst=1)
    assert all(throttle.admits(n * SECOND // 10) for n in range(1, 50))
