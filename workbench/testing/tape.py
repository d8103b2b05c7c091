"""What the stand-in plays: one instrument of any source of events, from its beginning as often as wanted."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

import numpy as np

from workbench.errors import ReplayError
from workbench.events import EventBatch, EventKind, Instrument
from workbench.feeds.source import Source
from workbench.frames.recording import Recording

Playable = Source | Recording | str | os.PathLike[str] | Iterable[EventBatch]

_BATCH_EVENTS: Final = 20_000


class Tape:
    """One instrument's events in order of time.

    Parameters
    ----------
    source : Source, Recording, path of a recording, or batches of events
        Batches need ``instrument``.
    symbol : str, optional
        Which instrument; needed where the source has several.
    instrument : Instrument, optional
        What the batches are of.

    Attributes
    ----------
    instrument : Instrument
    position_ns : int, ns
        Everything up to here was handed out.
    """

    def __init__(self, source: Playable, symbol: str | None = None, *, instrument: Instrument | None = None):
        self._source = _source(source, instrument)
        self.instrument = _chosen(self._source.instruments, symbol)
        self.position_ns = self.start_ns = self._source.start_ns

    @property
    def exhausted(self) -> bool:
        """Whether nothing will ever come again."""
        return self._source.exhausted

    def opening(self) -> list[EventBatch]:
        """Rows that give the book at the start: all of the first moment."""
        handed: list[EventBatch] = []
        while batches := self.advance(self.start_ns):
            handed += batches
        return handed

    def advance(self, until_ns: int, max_events: int = _BATCH_EVENTS) -> list[EventBatch]:
        """Events up to a moment, at most so many; what is left over comes with the next call."""
        handed = self._source.advance(until_ns, max_events)
        batches = [batch for symbol, batch in handed if symbol == self.instrument.symbol]
        full = sum(len(batch) for _, batch in handed) >= max_events
        self.position_ns = max(self.position_ns, min(until_ns, self._source.position_ns))
        if not full:
            self.position_ns = max(self.position_ns, until_ns)
        return batches

    def rewind(self) -> None:
        """Begin again."""
        self._source.seek(self.start_ns)
        self.position_ns = self.start_ns


class Batches:
    """Batches as a source of one instrument."""

    name = "batches"

    def __init__(self, batches: Iterable[EventBatch], instrument: Instrument):
        self._batches = [batch for batch in batches if len(batch)]
        if not self._batches:
            raise ReplayError("no events", expected="at least one")
        self.instruments = (instrument,)
        self.start_ns = int(self._batches[0].ts[0])
        self.end_ns: int | None = int(self._batches[-1].ts[-1])
        self.seek(self.start_ns)

    @property
    def exhausted(self) -> bool:
        """Whether all was handed out."""
        return not self._left

    def seek(self, ts_ns: int) -> None:
        """Begin again, whatever the time."""
        self._left = list(self._batches)
        self.position_ns = self.start_ns

    def advance(self, until_ns: int, max_events: int | None = None) -> list[tuple[str, EventBatch]]:
        """Hand out what is due."""
        handed = []
        room = max_events if max_events is not None else 1 << 62
        while self._left and room:
            head = self._left[0]
            due = min(int(np.searchsorted(head.ts, until_ns, "right")), room)
            if not due:
                break
            handed.append((self.instruments[0].symbol, head[:due]))
            self.position_ns = max(self.position_ns, int(head.ts[due - 1]))
            room -= due
            self._left[:1] = [head[due:]] if due < len(head) else []
        return handed


def _source(source: Playable, instrument: Instrument | None) -> Source:
    if isinstance(source, Recording | str | os.PathLike):
        from workbench.feeds.replay import Replay

        return Replay(source if isinstance(source, Recording) else Path(source))
    if isinstance(source, Source):
        return source
    if instrument is None:
        raise ReplayError("batches without an instrument", expected="instrument=Instrument(…)")
    return Batches(source, instrument)


def _chosen(instruments: tuple[Instrument, ...], symbol: str | None) -> Instrument:
    found = [i for i in instruments if symbol in (None, i.symbol)]
    if len(found) != 1:
        names = ", ".join(i.symbol for i in instruments)
        raise ReplayError(f"symbol {symbol!r}", expected=f"one of {names}: Bookmap runs one add-on for each")
    return found[0]


def without_clear(batch: EventBatch, removals: Callable[[int], EventBatch]) -> Iterator[EventBatch]:
    """Cut a batch at its ``CLEAR`` rows and put there what a provider sends instead: every level removed.

    ``removals`` is asked for them when everything before has been taken.
    """
    done = 0
    for row in np.flatnonzero(batch.kind == EventKind.CLEAR).tolist():
        yield batch[done:row]
        yield removals(int(batch.ts[row]))
        done = row + 1
    yield batch[done:]
