"""Receive times that never run backwards, and what was done to the clock they come from."""

from __future__ import annotations

from typing import Final

STEP_NS: Final = 500_000_000
"""A wall clock that moves by more than this against the monotonic one was set, not slewed."""


class Stamps:
    """Turn pairs of clock readings into event times.

    Notes
    -----
    A wall clock that was set back holds the time until it has caught up, so that ``ts`` never decreases.
    """

    def __init__(self) -> None:
        self.last = 0
        self._offset: int | None = None

    def stamp(self, wall_ns: int, mono_ns: int) -> tuple[int, int]:
        """Return the time of what was just read, and by how much the wall clock was set since last time (0: not)."""
        offset = wall_ns - mono_ns
        step = 0 if self._offset is None else offset - self._offset
        self._offset = offset
        self.last = max(self.last, wall_ns)
        return self.last, step if abs(step) > STEP_NS else 0
