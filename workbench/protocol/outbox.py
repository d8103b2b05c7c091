"""What waits to be sent to one client, bounded.

Market data does not wait here: each subscription is a cursor into its stream's shared ring, so a slow client holds
no memory of its own. Here are the answers and account messages, which may not be lost, and states of which only the
newest counts.
"""

from __future__ import annotations

from collections import deque

from workbench.protocol.limits import OUTBOX_BYTES, STALL_NS


class Outbox:
    """Messages for one client in order, at most ``max_bytes``.

    Parameters
    ----------
    max_bytes : int
        More than this can only pile up before a client that does not read: the connection is then aborted.
    stall_ns : int, ns
        A client that takes nothing for so long is aborted too.
    """

    def __init__(self, max_bytes: int = OUTBOX_BYTES, stall_ns: int = STALL_NS):
        self.max_bytes = max_bytes
        self.stall_ns = stall_ns
        self.bytes = 0
        self.overflowed = False
        self._queue: deque[str] = deque()
        self._latest: dict[str, str] = {}
        self._handed_out_at: int | None = None

    def __bool__(self) -> bool:
        return bool(self._queue or self._latest)

    def put(self, text: str) -> None:
        """Queue a message that must arrive."""
        if self.bytes + len(text) > self.max_bytes:
            self.overflowed = True
            return
        self._queue.append(text)
        self.bytes += len(text)

    def put_latest(self, key: str, text: str) -> None:
        """Queue a state; an older unsent one of the same key is forgotten."""
        self.bytes -= len(self._latest.pop(key, ""))
        if self.bytes + len(text) > self.max_bytes:
            self.overflowed = True
            return
        self._latest[key] = text
        self.bytes += len(text)

    def take(self, max_bytes: int) -> list[str]:
        """Messages to send now, about ``max_bytes``; one at least if there is any."""
        taken: list[str] = []
        room = max_bytes
        while self and (room > 0 or not taken):
            text = self._queue.popleft() if self._queue else self._latest.pop(next(iter(self._latest)))
            taken.append(text)
            room -= len(text)
            self.bytes -= len(text)
        return taken

    def handed_out(self, now: int, anything: bool) -> None:
        """Note that the transport asked for more at ``now``, and whether it got anything."""
        self._handed_out_at = now if anything else None

    @property
    def stalls_at(self) -> int | None:
        """When the client counts as stalled, monotonic ns; None while nothing is under way."""
        return None if self._handed_out_at is None else self._handed_out_at + self.stall_ns

    def is_stuck(self, now: int) -> bool:
        """Whether to give up: the client takes nothing, or too much waits for it."""
        return self.overflowed or (self.stalls_at is not None and now >= self.stalls_at)
