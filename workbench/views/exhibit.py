"""A recording as something to show: it has ended, and stands there whole."""

from __future__ import annotations

import threading
from functools import cached_property
from typing import TYPE_CHECKING

from workbench.errors import WorkbenchError
from workbench.events import Instrument
from workbench.frames.live import LiveColumns
from workbench.frames.recording import Recording
from workbench.frames.stored import StoredColumns, trades_of
from workbench.session.health import Health

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
        """The trades alone, zero-size marks included; all events are read once when first asked for."""
        with self.lock:
            return self._trades

    @cached_property
    def _trades(self) -> LiveColumns:
        return trades_of(self.columns)

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
        self.health = Health(
            self.state, events=recording.count, gaps=len(lost), lost=sum(n for n in lost if n > 0)
        )

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
