"""When malformed messages become too many."""

from __future__ import annotations

from collections import deque

from workbench.protocol.limits import BAD_MESSAGES, BAD_MESSAGES_WINDOW_NS


class BadMessages:
    """Remembers when the last malformed messages came."""

    def __init__(self) -> None:
        self._times: deque[int] = deque(maxlen=BAD_MESSAGES + 1)

    def is_flood(self, now: int) -> bool:
        """Count one at ``now`` (monotonic ns): are there more than 10 within 1 s?"""
        self._times.append(now)
        return len(self._times) > BAD_MESSAGES and now - self._times[0] < BAD_MESSAGES_WINDOW_NS
