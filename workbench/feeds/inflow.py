"""What arrives by itself: rows that reader threads bring, until the engine fetches them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from workbench.events import EventBatch, EventKind

MAX_PENDING_ROWS: Final = 2_000_000

Handed = list[tuple[str, EventBatch]]


class Inflow:
    """Rows of any number of instruments, numbered anew: each instrument's from 0, without holes.

    Parameters
    ----------
    start_ns : int, ns since the epoch, UTC
        Time before the first row.
    on_loss : callable
        Called as ``on_loss(symbol)`` by :meth:`take` after it told a loss: the book is to be asked for anew.

    Attributes
    ----------
    position_ns : int, ns since the epoch, UTC
        Time of the newest row that was taken.

    Notes
    -----
    :meth:`put` is for any thread, the rest for one. A live feed cannot wait: once more than ``MAX_PENDING_ROWS`` are
    pending, what comes is counted instead of kept, and becomes one ``GAP`` row behind what was kept.
    """

    def __init__(self, start_ns: int, on_loss: Callable[[str], None]):
        self.position_ns = start_ns
        self._on_loss = on_loss
        self._lock = threading.Lock()
        self._pending: deque[tuple[str, EventBatch]] = deque()
        self._pending_rows = 0
        self._overflowed: dict[str, int] = {}
        self._next: dict[str, int] = {}
        self._last_ts: dict[str, int] = {}

    @property
    def overflowed(self) -> dict[str, int]:
        """Numbers lost and not told yet, by symbol."""
        with self._lock:
            return dict(self._overflowed)

    def put(self, symbol: str, batch: EventBatch) -> None:
        """Add rows of an instrument behind its earlier ones."""
        with self._lock:
            # once a stream has lost something all of it is lost until the gap is handed out: order is kept
            if self._pending_rows > MAX_PENDING_ROWS or symbol in self._overflowed:
                # numbers, not rows: a gap that is lost takes with it what it stood for
                lost = batch.next_sequence - batch.first_sequence
                self._overflowed[symbol] = self._overflowed.get(symbol, 0) + lost
                return
            self._pending.append((symbol, batch))
            self._pending_rows += len(batch)

    def take(self, max_events: int | None = None) -> Handed:
        """Everything that is pending, at most so many rows."""
        with self._lock:
            taken = self._take_pending(max_events)
            overflowed = {} if self._pending else self._overflowed
            if overflowed:
                self._overflowed = {}
        handed = [(symbol, self._numbered(symbol, batch)) for symbol, batch in taken]
        for symbol, lost in overflowed.items():
            # the stream's own time: the other feed may be a replay, whose clock is not the wall's
            ts = self._last_ts.get(symbol, self.position_ns)
            gap = EventBatch.of(ts=ts, kind=EventKind.GAP, size=lost)
            handed.append((symbol, self._numbered(symbol, gap)))
            self._on_loss(symbol)
        return handed

    def _take_pending(self, max_events: int | None) -> Handed:
        taken: Handed = []
        left = self._pending_rows if max_events is None else max_events
        while self._pending and left > 0:
            symbol, batch = self._pending.popleft()
            if len(batch) > left:
                self._pending.appendleft((symbol, batch[left:]))
                batch = batch[:left]
            taken.append((symbol, batch))
            left -= len(batch)
            self._pending_rows -= len(batch)
        return taken

    def _numbered(self, symbol: str, batch: EventBatch) -> EventBatch:
        numbered = EventBatch.trusted(batch.columns, self._next.get(symbol, 0))
        self._next[symbol] = numbered.next_sequence
        self._last_ts[symbol] = int(batch.ts[-1])
        self.position_ns = max(self.position_ns, int(batch.ts[-1]))
        return numbered
