"""What one connection to a feed has carried: counters, rate, lag."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final

from workbench.protocol.notices import MarketData

RATE_WINDOW_NS: Final = 1_000_000_000
NS_PER_MS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class FeedHealth:
    """State of one connection to a feed.

    Parameters
    ----------
    state : str
        As of the protocol, or ``closed``.
    reason : str
        Why it is in this state; empty when all is well.
    lag_ms : float
        Age of the newest data when it arrived, wall clock.
    events_per_s : float
        Over the last second or two.
    events, lost, duplicates, bad_messages, unknown_messages, reconnects, resyncs : int
    received_bytes : int, bytes
    examples : dict of str to str
        The first message of each code that something was wrong.
    """

    state: str
    reason: str = ""
    lag_ms: float = 0.0
    events_per_s: float = 0.0
    events: int = 0
    lost: int = 0
    duplicates: int = 0
    bad_messages: int = 0
    unknown_messages: int = 0
    reconnects: int = 0
    resyncs: int = 0
    received_bytes: int = 0
    examples: dict[str, str] = field(default_factory=dict)


class Meter:
    """Counts what arrives. ``now`` is monotonic ns."""

    def __init__(self) -> None:
        self.events = 0
        self.reconnects = 0
        self.received_bytes = 0
        self.lag_ms = 0.0
        self._rate = 0.0
        self._window_start = 0
        self._window_events = 0

    def count(self, data: MarketData, now: int) -> None:
        """Take note of a batch."""
        self.events += len(data.batch)
        if data.send_ns:
            self.lag_ms = max(0.0, (time.time_ns() - data.send_ns) / NS_PER_MS)
        if now - self._window_start >= RATE_WINDOW_NS:
            self._close_window(now)

    def rate(self, now: int) -> float:
        """Events per second over the last full window; 0 when nothing came for two of them."""
        return self._rate if now - self._window_start < 2 * RATE_WINDOW_NS else 0.0

    def _close_window(self, now: int) -> None:
        seconds = (now - self._window_start) / RATE_WINDOW_NS
        self._rate = (self.events - self._window_events) / seconds if self._window_start else 0.0
        self._window_start, self._window_events = now, self.events
