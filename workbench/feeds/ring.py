"""The last minutes of one stream, from which a client that was away for a moment gets what it missed."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from typing import Final

from workbench.events import ROW_BYTES, EventBatch

RING_BYTES: Final = 64 << 20
"""1.2 million events: about 15 minutes of a busy futures contract at 1,300 events a second."""


class Ring:
    """Bounded memory of consecutive batches.

    Parameters
    ----------
    max_bytes : int, bytes
        Oldest batches leave when the rest would hold more than this.
    """

    def __init__(self, max_bytes: int = RING_BYTES):
        self.max_bytes = max_bytes
        self._batches: deque[EventBatch] = deque()
        self._rows = 0

    def __len__(self) -> int:
        return self._rows

    @property
    def first_sequence(self) -> int | None:
        """Oldest sequence number that can still be asked for; None when empty."""
        return self._batches[0].first_sequence if self._batches else None

    @property
    def next_sequence(self) -> int:
        """Sequence number of the next event; 0 when empty."""
        return self._batches[-1].next_sequence if self._batches else 0

    def append(self, batch: EventBatch) -> None:
        """Add the newest batch, and let go of the oldest when full."""
        self._batches.append(batch)
        self._rows += len(batch)
        while self._rows * ROW_BYTES > self.max_bytes and len(self._batches) > 1:
            self._rows -= len(self._batches.popleft())

    def since(self, sequence: int) -> list[EventBatch] | None:
        """All events from ``sequence`` on.

        Returns
        -------
        list of EventBatch or None
            None when that number is older than what is kept, or was never given out.
        """
        first = self.first_sequence
        if first is None or not first <= sequence <= self.next_sequence:
            return None
        batches = list(self._batches)
        index = max(bisect_right(batches, sequence, key=lambda b: b.first_sequence) - 1, 0)
        head = batches[index]
        skipped = min(sequence - head.first_sequence, len(head))
        return [b for b in (head[skipped:], *batches[index + 1 :]) if len(b)]
