"""How many control messages one client may send."""

from __future__ import annotations

from workbench.protocol.limits import CONTROL_BURST, CONTROL_PER_SECOND, SECOND_NS


class Throttle:
    """A bucket of tokens: 100 messages at once, 50 a second in the long run."""

    def __init__(self, now: int, per_second: int = CONTROL_PER_SECOND, burst: int = CONTROL_BURST):
        self._step_ns = SECOND_NS // per_second
        self._span_ns = burst * self._step_ns
        self._full_at = now

    def admits(self, now: int) -> bool:
        """Whether one more message is within the limit at ``now``, monotonic ns; counts it if so."""
        full_at = max(self._full_at, now) + self._step_ns
        if full_at - now > self._span_ns:
            return False
        self._full_at = full_at
        return True
