"""Reconnect delays."""

from __future__ import annotations

import itertools
import random

from hypothesis import given
from hypothesis import strategies as st

from workbench.protocol.backoff import reconnect_delays


@given(st.integers(0, 2**32))
def test_delays_double_up_to_a_second_with_jitter(seed: int) -> None:
    """Each delay lies between half of its bound and its bound; bounds double from 0.05 s to 1 s."""
    delays = itertools.islice(reconnect_delays(random.Random(seed).random), 8)
    bounds = [0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0]
    assert all(bound / 2 <= delay <= bound for delay, bound in zip(delays, bounds))


def test_same_seed_gives_same_delays() -> None:
    """The jitter is the caller's."""
    first, second = (list(itertools.islice(reconnect_delays(random.Random(3).random), 5)) for _ in range(2))
    assert first == second
