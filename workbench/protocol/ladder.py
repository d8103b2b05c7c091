"""The conflated ladder (``DOM``): at most one message per interval, made of the newest state when it is due."""

from __future__ import annotations

from workbench.protocol import messages
from workbench.protocol.limits import DOM_MAX_LEVELS, DOM_MIN_INTERVAL_MS
from workbench.protocol.snapshot import json_dom
from workbench.protocol.stream import Stream


class LadderFeed:
    """Top levels of one stream for one client.

    Nothing waits here: a slow client gets fewer ladders, never older ones.
    """

    def __init__(self, stream: Stream, request: messages.Subscribe, now: int):
        self.stream = stream
        self.levels = max(1, min(request.dom_levels, DOM_MAX_LEVELS))
        self.interval_ns = max(request.dom_interval_ms, DOM_MIN_INTERVAL_MS) * 1_000_000
        self.due_at = now
        self.is_due = True
        self._sent_sequence: int | None = None

    def on_time(self, now: int) -> None:
        """Become due at the end of the interval."""
        if now >= self.due_at:
            self.is_due = self._sent_sequence != self.stream.next_sequence
            self.due_at = now + self.interval_ns

    def pull(self, now: int) -> str | None:
        """The ladder as it stands, if it is due and the book is known."""
        if not self.is_due:
            return None
        self.is_due = False
        self.due_at = now + self.interval_ns
        state = self.stream.book(self.levels, False)
        if not state.valid:
            return None
        self._sent_sequence = self.stream.next_sequence
        return json_dom(state, self.stream.instrument)
