"""A recording as something to show: it has ended, and stands there whole."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from workbench.errors import WorkbenchError
from workbench.events import Instrument
from workbench.frames.live import LiveColumns
from workbench.frames.recording import Recording
from workbench.frames.stored import StoredColumns
from workbench.session.health import Health
from workbench.views.checkpoints import Seed
from workbench.views.reading import TradesReading

if TYPE_CHECKING:
    import polars as pl

    from workbench.book.levels import LevelBook

__all__ = ["Exhibit", "StandingClock", "StoredCapture"]


class StandingClock:
    """A clock that does not move."""

    def __init__(self, now_ns: int):
        self.now_ns = now_ns

    def __repr__(self) -> str:
        return f"StandingClock({self.now_ns})"


class StoredCapture:
    """What views read of a recording, with the face of a live :class:`~workbench.frames.capture.Capture`.

    Attributes
    ----------
    columns : StoredColumns
        Every event, read from disk where it is asked for.
    lock : RLock
        Guards what is read once; nothing here ever changes.
    """

    def __init__(self, recording: Recording):
        self.recording = recording
        self.instrument: Instrument = recording.instrument
        self.lock = threading.RLock()
        self.columns: StoredColumns | LiveColumns = recording.columns()
        self.last_ts = recording.end_ns if recording.count else 0

    @property
    def trades(self) -> LiveColumns:
        """The trades alone, zero-size marks included; all events are read once, from when they are first asked for.

        Of a long recording they grow while they are read (:attr:`reading`).
        """
        with self.lock:
            return self.reading.checked()

    @cached_property
    def reading(self) -> TradesReading:
        """How far the trades have been read; begins with the first question."""
        return TradesReading(self.columns)

    @property
    def share_read(self) -> float:
        """Share of the events that were read for trades, 0 to 1; 1 while nobody asked for any."""
        reading = self.__dict__.get("reading")
        return 1.0 if reading is None or reading.done else reading.share

    def seed_before(self, row: int) -> tuple[int, Seed] | None:
        """Latest row at or before ``row`` whose book was known and kept on disk, and that book."""
        while (found := self.recording.checkpoint_before(row)) is not None:
            seed = Seed.stored(found[1])
            if seed is not None:
                return found[0], seed
            row = found[0] - 1
        return None

    @property
    def book(self) -> LevelBook:
        """The book after the last event."""
        with self.lock:
            return self._book

    @cached_property
    def _book(self) -> LevelBook:
        return self.recording.books_at(self.last_ts)[0]

    @property
    def events(self) -> int:
        """Number of events, gaps included."""
        return len(self.columns)

    @property
    def gaps(self) -> pl.DataFrame:
        """Gaps: ``ts``, ``sequence``, ``lost``."""
        return self.recording.gaps

    def __repr__(self) -> str:
        return f"StoredCapture({self.instrument.symbol}, {len(self.columns):,} events)"


class Exhibit:
    """A recording with the face of a session: state ``recorded``, its clock at the end.

    Parameters
    ----------
    recording : Recording
    """

    state = "recorded"

    def __init__(self, recording: Recording):
        self.recording = recording
        self.clock = StandingClock(recording.end_ns if recording.count else 0)
        lost = [gap[2] for gap in recording.manifest.gaps]
        self._health = Health(
            self.state, events=recording.count, gaps=len(lost), lost=sum(n for n in lost if n > 0)
        )

    @property
    def health(self) -> Health:
        """Counts of the recording; ``note`` says how much of it has been read while that goes on."""
        share = self._captured.share_read
        return self._health if share == 1.0 else replace(self._health, note=f"reading {share:.0%}")

    @cached_property
    def _captured(self) -> StoredCapture:
        return StoredCapture(self.recording)

    @property
    def symbols(self) -> list[str]:
        """The one instrument."""
        return [self.recording.instrument.symbol]

    def capture(self, symbol: str | None = None) -> StoredCapture:
        """Columns and book of the instrument.

        Raises
        ------
        WorkbenchError
            The recording is of another one (code ``unknown_instrument``).
        """
        if symbol not in (None, *self.symbols):
            raise WorkbenchError(
                f"unknown instrument {symbol!r}; have {self.symbols}", code="unknown_instrument"
            )
        return self._captured

    def __repr__(self) -> str:
        return f"Exhibit({self.recording!r})"
