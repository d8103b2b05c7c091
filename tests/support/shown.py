"""The least that a view can show: one capture, a clock that is moved by hand, a state."""

from __future__ import annotations

from workbench.events import EventBatch, Instrument
from workbench.feeds.source import Source
from workbench.frames.capture import Capture
from workbench.session.health import Health


class HandClock:
    """A clock that a test sets."""

    def __init__(self, now_ns: int):
        self.now_ns = now_ns


class Shown:
    """Session-like object over a source that a test advances, or over batches that a test applies."""

    def __init__(self, instrument: Instrument, source: Source | None = None):
        self.captured = Capture(instrument)
        self.source = source
        self.state = "live"
        self.clock = HandClock(0 if source is None else source.start_ns)

    @classmethod
    def of(cls, source: Source) -> Shown:
        return cls(source.instruments[0], source)

    @property
    def health(self) -> Health:
        return Health(self.state, gaps=len(self.captured.gap_rows))

    def capture(self, symbol: str | None = None) -> Capture:
        return self.captured

    def apply(self, batch: EventBatch) -> None:
        self.captured.apply(batch)
        self.clock.now_ns = max(self.clock.now_ns, self.captured.last_ts)

    def advance(self, seconds: float) -> None:
        assert self.source is not None
        self.clock.now_ns += round(seconds * 1e9)
        for _, batch in self.source.advance(self.clock.now_ns):
            self.captured.apply(batch)
