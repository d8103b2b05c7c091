"""Pyramids that are being built, and the thread that builds them."""

from __future__ import annotations

import threading
import weakref
from typing import Final, Protocol

from workbench.views.checkpoints import Checkpoints
from workbench.views.live import Columns
from workbench.views.pyramid import Pyramid
from workbench.views.raster import Scale

EVENTS_PER_COLUMN: Final = 1000
"""Events in one base column, about: a screen of columns finer than those is drawn from a million events."""
BASES_MS: Final = (50, 100, 500, 1_000, 5_000, 10_000, 50_000, 100_000, 500_000, 1_000_000)
PIECE_ROWS: Final = 1 << 16


class Growth:
    """A pyramid and how far it has come.

    Attributes
    ----------
    row : int
        Rows that it holds.
    asked : int
        Higher for one that was asked for later.
    """

    def __init__(self, pyramid: Pyramid):
        self.pyramid = pyramid
        self.row = 0
        self.asked = 0

    def fits(self, scale: Scale) -> bool:
        """Whether columns of a scale are made of whole base columns."""
        return scale.column_ns % self.pyramid.base_ns == 0

    def holds(self, scale: Scale, length: int) -> bool:
        """Whether a tile at a scale is exact while the stream has ``length`` rows."""
        over = self.row >= length or self.pyramid.last_ns >= scale.start_ns(scale.columns)
        return over and self.fits(scale)

    def touch(self, latest: int) -> None:
        """Remember that it was asked for after all others."""
        self.asked = latest + 1

    def feed(self, columns: Columns, stop: int, checkpoints: Checkpoints) -> None:
        """Take in rows up to ``stop``; make checkpoints where they are due."""
        while self.row < stop:
            end = min(self.row + PIECE_ROWS, stop)
            if self.row < checkpoints.due < end:
                end = checkpoints.due
            for chunk in columns.chunks(self.row, end):
                self.pyramid.feed(chunk)
            self.row = end
            if end == checkpoints.due:
                checkpoints.add(end, self.pyramid.seed())


def base_for(events: int, span_ns: int) -> int:
    """Length of base columns for so many events, ns: one that divides all lengths which pages ask for beyond it."""
    wanted_ms = span_ns / 1e6 * EVENTS_PER_COLUMN / max(events, 1)
    return max((ms for ms in BASES_MS if ms <= wanted_ms), default=BASES_MS[0]) * 1_000_000


class Builder(Protocol):
    """What is built step by step."""

    def step(self) -> bool: ...


def grow_behind(builder: Builder) -> threading.Thread:
    """Build on a daemon thread until all is done, or nobody holds the builder any more."""
    thread = threading.Thread(
        target=_grow, args=(weakref.ref(builder),), name="workbench-scenery", daemon=True
    )
    thread.start()
    return thread


def _grow(reference: weakref.ref[Builder]) -> None:
    while (builder := reference()) is not None and builder.step():
        del builder
