"""Data time: what has happened by now is played, and every 0.1 s the interval is counted."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Final, Literal

from workbench.testing.platform import INTERVAL_NS, Platform
from workbench.testing.tape import Tape

_TICK_S: Final = 0.005
_YIELD_S: Final = 0.00005
_NS: Final = 1_000_000_000


class Player:
    """Move a tape forward on its own thread.

    Parameters
    ----------
    tape : Tape
    platform : Platform
        Takes the events; used under ``lock`` only.
    lock : Condition
    pump : callable
        Hands on what the platform wants sent.
    has_room : callable
        Whether to play more at unlimited speed; at any other speed Bookmap's queue grows as it must.
    speed : float
        Data seconds per second; infinity plays as fast as the connection takes it.
    interval_clock : {"data", "wall"}
    """

    def __init__(
        self,
        tape: Tape,
        platform: Platform,
        lock: threading.Condition,
        pump: Callable[[], None],
        has_room: Callable[[], bool],
        speed: float,
        interval_clock: Literal["data", "wall"] = "data",
    ):
        self._tape, self._platform, self._lock, self._pump = tape, platform, lock, pump
        self._has_room = has_room
        self._speed, self._wall = speed, interval_clock == "wall"
        self._until_ns: int | None = None
        self._playing = self._opened = self._closed = False
        self._next_interval_ns = tape.start_ns + INTERVAL_NS
        self._next_wall_s = math.inf
        self._anchor = (0.0, 0)  # wall seconds and data time that belong together
        self._thread = threading.Thread(target=self._run, name="bookmap stand-in player", daemon=True)
        self._thread.start()

    @property
    def position_ns(self) -> int:
        """Data time."""
        return self._tape.position_ns

    @property
    def finished(self) -> bool:
        """Whether nothing is left to play."""
        return not self._playing

    def open(self) -> None:
        """Bring the book to where it is when the add-on comes; called with the lock held."""
        if not self._opened:
            self._opened = True
            for batch in self._tape.opening():
                self._platform.open_book(batch)
        self._next_wall_s = time.monotonic() + INTERVAL_NS / _NS

    def play(self, until_ns: int | None) -> None:
        """Go on, up to a moment or without end."""
        with self._lock:
            self.open()
            self._until_ns = until_ns
            self._playing = True
            self._anchor = (time.monotonic(), self._tape.position_ns)
            self._lock.notify_all()

    def pause(self) -> None:
        """Stop where it is."""
        with self._lock:
            self._playing = False
            self._lock.notify_all()

    def rewind(self) -> None:
        """Begin again, with empty books."""
        with self._lock:
            self._tape.rewind()
            self._platform.forget_market()
            self._opened = self._playing = False
            self._next_interval_ns = self._tape.start_ns + INTERVAL_NS

    def close(self) -> None:
        """Stop for good."""
        with self._lock:
            self._closed = True
            self._lock.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._closed and not self._step():
                    self._lock.wait(_TICK_S if self._playing or self._wall else None)
                if self._closed:
                    return
            time.sleep(_YIELD_S)  # a lock taken again at once would leave the add-on's lines waiting

    def _step(self) -> bool:
        """Play what is due; False when there is nothing to do before a while."""
        if self._wall and time.monotonic() >= self._next_wall_s:
            self._next_wall_s += INTERVAL_NS / _NS
            self._platform.interval()
            self._pump()
        due_ns = self._due_ns() if self._playing else None
        if due_ns is None or (math.isinf(self._speed) and not self._has_room()):
            return False
        self._advance(min(due_ns, self._next_interval_ns))
        self._pump()
        return self._playing and self._tape.position_ns < due_ns

    def _due_ns(self) -> int:
        wall_s, data_ns = self._anchor
        limit = self._until_ns
        if math.isinf(self._speed):
            return limit if limit is not None else self._next_interval_ns
        due = data_ns + int((time.monotonic() - wall_s) * self._speed * _NS)
        return due if limit is None else min(due, limit)

    def _advance(self, to_ns: int) -> None:
        for batch in self._tape.advance(to_ns):
            self._platform.play(batch)
        if self._tape.position_ns >= self._next_interval_ns:
            self._next_interval_ns += INTERVAL_NS
            if not self._wall:
                self._platform.interval()
        at_end = self._until_ns is not None and self._tape.position_ns >= self._until_ns
        self._playing = not at_end and not self._tape.exhausted
