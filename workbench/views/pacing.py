"""When a view may send, and how much: flow control towards a page that may be slow, hidden or gone.

Measured: the Jupyter server buffers without bound for a page that is closed, and a page that falls behind never catches
up with queued frames. So nothing is queued here: the ring is the queue, and a late page gets the newest state.
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import Final

TICK_NS: Final = 50_000_000
SLOW_NS: Final = 250_000_000
HEARTBEAT_NS: Final = 1_000_000_000
IN_FLIGHT_NS: Final = 1_000_000_000
GIVE_UP_NS: Final = 10_000_000_000
FORGET_NS: Final = 60_000_000_000


class Mode(Enum):
    """How fast a view sends."""

    LIVE = "live"  # 20 Hz, 10 Hz where nothing shown is finer
    SLOW = "slow"  # 4 Hz: acknowledgements are late
    IDLE = "idle"  # a small heartbeat for a minute, then nothing: no page answers


class Pacing:
    """Sliding window of unacknowledged messages; times are arguments, ns of any monotonic clock.

    Parameters
    ----------
    ticks : int
        A live view sends at every so many ticks of the sender.
    """

    def __init__(self, ticks: int = 1) -> None:
        self._ticks = ticks
        self.sent = 0
        self.acknowledged = 0
        self._heard: int | None = None
        self._last_send: int | None = None
        self._waiting: deque[tuple[int, int]] = deque()
        self._pages: dict[str, int] = {}  # when each was heard last

    def on_ready(self, now: int, page: str = "") -> None:
        """Handle a page that has no picture yet: what was under way before does not count."""
        self._hear(page, now)
        self._last_send = None
        self._waiting.clear()

    def on_ack(self, sequence: int, now: int, page: str = "") -> None:
        """Handle word of a page that it has drawn everything up to ``sequence``."""
        self._hear(page, now)
        self.acknowledged = max(self.acknowledged, min(sequence, self.sent))
        while self._waiting and self._waiting[0][0] <= sequence:
            self._waiting.popleft()

    def on_leave(self, page: str = "") -> None:
        """Handle a page that says good-bye; the others on the same view go on."""
        self._pages.pop(page, None)
        if not self._pages:
            self._heard = None
            self._waiting.clear()

    def _hear(self, page: str, now: int) -> None:
        self._heard = self._pages[page] = now
        silent = [name for name, heard in self._pages.items() if now - heard > GIVE_UP_NS]
        for name in silent:  # closed without a word, or so slow that it does not count
            del self._pages[name]

    def mode(self, now: int) -> Mode:
        """How fast to send at ``now``."""
        if self._heard is None:
            return Mode.IDLE
        age = now - self._waiting[0][1] if self._waiting else 0
        if age > GIVE_UP_NS:
            return Mode.IDLE
        return Mode.SLOW if age > IN_FLIGHT_NS else Mode.LIVE

    def due(self, now: int) -> bool:
        """Whether a message may be sent at ``now``; never to pages that have all gone, or were silent for a minute."""
        if self._heard is None or now - self._heard > FORGET_NS:
            return False
        return self._last_send is None or now - self._last_send >= self._interval(now)

    def _interval(self, now: int) -> int:
        mode = self.mode(now)
        if mode is Mode.LIVE:
            return self._ticks * TICK_NS - TICK_NS // 2  # a late tick must not skip the next
        return SLOW_NS if mode is Mode.SLOW else HEARTBEAT_NS

    def note_sent(self, now: int) -> int:
        """Count a message; returns its number, which the page acknowledges."""
        self.sent += 1
        self._last_send = now
        if self.mode(now) is not Mode.IDLE:
            self._waiting.append((self.sent, now))
        return self.sent
