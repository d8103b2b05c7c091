"""Whether Bookmap still lives and how fast its time runs, by the 0.1 s interval; how far behind its stream we are."""

from __future__ import annotations

from collections import deque
from typing import Final

INTERVAL_S: Final = 0.1
STALE_NS: Final = 3_000_000_000
ORDERS_STALE_NS: Final = 1_500_000_000
"""Fifteen intervals that did not come: earlier than the stream is called stale, no order goes any more."""
SPEED_SPAN_NS: Final = 5_000_000_000
_SAMPLE_NS: Final = 250_000_000

DEGRADED_EVENTS: Final = 1_000
BYTES_PER_EVENT: Final = 40
DEGRADED_NS: Final = 200_000_000
SILENT: Final = "no interval came from Bookmap for more than 1.5 s; wait until it goes on"
BEHIND: Final = (
    "Bookmap's stream is read late (over 1000 events or 0.2 s wait): wait until s.health says live"
)


class IntervalWatch:
    """Follow the intervals of one instrument; times are ns of the monotonic clock.

    Notes
    -----
    An instrument that never sent one is not called stale: some sources may send none.
    """

    def __init__(self) -> None:
        self.count = 0
        self.stale = False
        self._last: int | None = None
        self._samples: deque[tuple[int, int]] = deque()

    def saw(self, count: int, mono: int) -> bool:
        """Intervals counted so far; True if this ends a silence."""
        was_stale, self.stale = self.stale, False
        self.count, self._last = count, mono
        if not self._samples or mono - self._samples[-1][0] >= _SAMPLE_NS:
            self._samples.append((mono, count))
            while mono - self._samples[0][0] > SPEED_SPAN_NS:
                self._samples.popleft()
        return was_stale

    def on_time(self, mono: int) -> bool:
        """True once, when the intervals have stopped."""
        deadline = self.deadline()
        if deadline is None or mono < deadline:
            return False
        self.stale = True
        return True

    def silent(self, mono: int) -> bool:
        """Whether the intervals stayed away for too long to send orders."""
        return self.stale or (self._last is not None and mono - self._last > ORDERS_STALE_NS)

    def deadline(self) -> int | None:
        """When the instrument becomes stale unless an interval comes."""
        return None if self._last is None or self.stale else self._last + STALE_NS

    def speed(self, mono: int) -> float | None:
        """Seconds of data per second of ours over the last 5 s; None before there is anything to say."""
        if not self._samples or mono - self._samples[0][0] < _SAMPLE_NS:
            return None
        began, first = self._samples[0]
        return (self.count - first) * INTERVAL_S / ((mono - began) / 1e9)


class Backlog:
    """How far behind Bookmap's stream we read.

    Notes
    -----
    A read that leaves room in the buffer has emptied the socket: then nothing waits. After one that fills it at least
    as much again is assumed to wait, and so on until one does not; how long that lasts is the age.
    """

    def __init__(self) -> None:
        self.events = 0
        self.peak_events = 0
        self.reads = 0
        self.full_reads = 0
        self._since: int | None = None

    def read(self, *, full: bool, events: int, mono: int) -> None:
        """Take one read: whether it filled the buffer, and how many events it held."""
        self.reads += 1
        if not full:
            self.events, self._since = 0, None
            return
        self.full_reads += 1
        self.events = events
        self.peak_events = max(self.peak_events, events)
        self._since = mono if self._since is None else self._since

    def found(self, waiting_bytes: int, since: int) -> None:
        """Take note of what lies in the socket and has not been read since then: we stood still, or slept."""
        self.events = max(self.events, waiting_bytes // BYTES_PER_EVENT)
        self.peak_events = max(self.peak_events, self.events)
        self._since = since if self._since is None else min(since, self._since)

    def age_ns(self, mono: int) -> int:
        """For how long every read has been full."""
        return 0 if self._since is None else mono - self._since

    def degraded(self, mono: int) -> bool:
        """Whether what we show is too old to trade on."""
        return self.events > DEGRADED_EVENTS or self.age_ns(mono) > DEGRADED_NS
