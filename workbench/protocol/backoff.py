"""Reconnect delays as data."""

from __future__ import annotations

from collections.abc import Callable, Iterator

FIRST_SECONDS = 0.05
LARGEST_SECONDS = 1.0
FACTOR = 2.0


def reconnect_delays(
    rng: Callable[[], float], first: float = FIRST_SECONDS, largest: float = LARGEST_SECONDS
) -> Iterator[float]:
    """Seconds to wait before each try, for ever: doubling from ``first`` to ``largest``, each jittered.

    Parameters
    ----------
    rng : callable
        Uniform numbers in [0, 1), e.g. ``random.random``; a seeded one makes tests repeatable.
    first, largest : float, seconds
        Bounds before jitter. A delay is drawn from [1/2, 1] of the bound, so that many clients of one
        restarted feed do not come back in the same moment (the library's default begins with 0–5 s and took
        1.0–2.7 s to come back on loopback, these delays 0.08–0.53 s).
    """
    bound = first
    while True:
        yield bound * (0.5 + 0.5 * rng())
        bound = min(bound * FACTOR, largest)
