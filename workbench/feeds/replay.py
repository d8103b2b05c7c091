"""Replay: recordings as a source, a pure function of virtual time.

Several recordings of one instrument follow each other with a gap between them; several instruments are merged by
time, ties in the order the recordings were given. Gaps are replayed as gaps, clock rows are kept. A straight replay
keeps the sequence numbers of its recording; after a seek they go on upwards.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from workbench.errors import ReplayError
from workbench.events import EventBatch, EventKind, Instrument, IntArray
from workbench.feeds.pacing import parse_speed
from workbench.feeds.times import Moment, moment_ns, moment_text
from workbench.frames.recording import Recording, check_no_overlap, open_recording

Recordings = Recording | str | Path | Sequence[Recording | str | Path]
Speed = float | str

NO_LIMIT: Final = 1 << 62
ONE_SECOND_NS: Final = 1_000_000_000
_NEVER: Final = -(1 << 63)


class Replay:
    """Recordings handed out again, at any speed, from any moment.

    Parameters
    ----------
    recordings : Recording, path, or a sequence of them
    speed : float or "max"
        Virtual seconds per second of wall clock. Whoever paces the source reads it; what is handed out for a given
        virtual time does not depend on it.
    start, end : int, datetime or str, optional
        Both inclusive: every event with ``start <= ts <= end``. A duration (``"10m"``) counts from the first event.

    Raises
    ------
    ReplayError
        Speed that is no positive number; no events; end before start; recordings of one instrument that overlap.
    RecordingError
        A path that is no recording.

    Notes
    -----
    Replay at a moment inside a recording begins with ``CLEAR``, the snapshot of the book just before that moment, and
    ``SNAPSHOT_END`` (left out when the book was not valid then).
    """

    def __init__(
        self,
        recordings: Recordings,
        speed: Speed = 1.0,
        start: Moment | None = None,
        end: Moment | None = None,
    ):
        self.speed = parse_speed(speed)
        opened = _opened(recordings)
        first_ns = min(r.start_ns for r in opened)
        last_ns = max(r.end_ns for r in opened)
        self.start_ns: int = first_ns if start is None else max(first_ns, moment_ns(start, first_ns))
        self.end_ns: int | None = last_ns if end is None else min(last_ns, moment_ns(end, first_ns))
        _check_span(self.start_ns, self.end_ns, last_ns)
        by_symbol: dict[str, list[Recording]] = {}
        for recording in opened:
            by_symbol.setdefault(recording.instrument.symbol, []).append(recording)
        self._streams = [_Stream(group, self.start_ns, self.end_ns) for group in by_symbol.values()]
        self.position_ns = self.start_ns

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """What is replayed, in the order the recordings were given."""
        return tuple(stream.instrument for stream in self._streams)

    @property
    def recordings(self) -> tuple[Recording, ...]:
        """What is replayed, by instrument and time."""
        return tuple(recording for stream in self._streams for recording in stream.recordings)

    @property
    def name(self) -> str:
        """What is replayed and when it happened; the same in every run."""
        symbols = ", ".join(i.symbol for i in self.instruments)
        assert self.end_ns is not None
        seconds = (self.end_ns - self.start_ns) / ONE_SECOND_NS
        return f"replay {symbols} {moment_text(self.start_ns)} +{seconds:.3f}s"

    @property
    def exhausted(self) -> bool:
        """Whether everything has been handed out."""
        return all(stream.finished for stream in self._streams)

    def advance(self, until_ns: int, max_events: int | None = None) -> list[tuple[str, EventBatch]]:
        """Hand out events up to a moment.

        Parameters
        ----------
        until_ns : int
            Events with ``ts <= until_ns`` that were not handed out yet.
        max_events : int, optional
            At most so many: the first ones in time.

        Returns
        -------
        list of (symbol, EventBatch)
        """
        limit = NO_LIMIT if max_events is None else max_events
        counts = self._due(until_ns, limit)
        taken = [
            [(stream.instrument.symbol, batch) for batch in stream.take(count)]
            for stream, count in zip(self._streams, counts)
        ]
        # merged, not sorted: a clock that was set back must not put a stream's batches out of order
        batches = list(heapq.merge(*taken, key=lambda pair: int(pair[1].ts[0])))
        self._move_to(until_ns, batches, cut=sum(counts) == limit)
        return batches

    def seek(self, ts_ns: int) -> None:
        """Go to a moment: the next :meth:`advance` begins with the book just before it."""
        assert self.end_ns is not None
        self.position_ns = min(max(ts_ns, self.start_ns), self.end_ns)
        for stream in self._streams:
            stream.seek(self.position_ns)

    def _due(self, until_ns: int, limit: int) -> list[int]:
        stamps = [stream.stamps(until_ns, limit) for stream in self._streams]
        if sum(map(len, stamps)) <= limit:
            return [len(s) for s in stamps]
        owner = np.repeat(np.arange(len(stamps)), [len(s) for s in stamps])
        first = np.argsort(np.concatenate(stamps), kind="stable")[:limit]
        return [int(n) for n in np.bincount(owner[first], minlength=len(stamps))]

    def _move_to(self, until_ns: int, batches: list[tuple[str, EventBatch]], *, cut: bool) -> None:
        assert self.end_ns is not None
        reached = max((int(b.ts[-1]) for _, b in batches), default=self.position_ns) if cut else until_ns
        self.position_ns = max(self.position_ns, min(reached, self.end_ns))

    def __repr__(self) -> str:
        return f"Replay({self.name.removeprefix('replay ')})"


def _opened(recordings: Recordings) -> list[Recording]:
    several = isinstance(recordings, Iterable) and not isinstance(recordings, str)
    given: list[Any] = list(recordings) if several else [recordings]  # type: ignore[arg-type]
    opened = [r if isinstance(r, Recording) else open_recording(r) for r in given]
    if not opened:
        raise ReplayError("no recordings", expected="at least one")
    for recording in opened:
        if not recording.count:
            raise ReplayError(f"no events in {recording.path}", code="no_events")
    check_no_overlap(opened)
    return opened


def _check_span(start_ns: int, end_ns: int, last_ns: int) -> None:
    if start_ns > last_ns:
        raise ReplayError(
            f"no events: start {moment_text(start_ns)} is after the last event {moment_text(last_ns)}",
            code="no_events",
        )
    if end_ns < start_ns:
        raise ReplayError(
            f"end {moment_text(end_ns)} before start {moment_text(start_ns)}", expected="start before end"
        )


class _Stream:
    """One instrument: its recordings one after another."""

    def __init__(self, recordings: list[Recording], start_ns: int, end_ns: int):
        self.recordings = sorted(recordings, key=lambda r: r.start_ns)
        self.instrument = self.recordings[0].instrument
        for before, after in itertools.pairwise(self.recordings):
            _check_grid(before, after)
        self._end_ns = end_ns
        self._next: int | None = None
        self.seek(start_ns)

    def seek(self, ts_ns: int) -> None:
        """Forget what is buffered and go on from the state before ``ts_ns``, with rising sequence numbers."""
        self._buffer: deque[EventBatch] = deque()
        self._rows = 0
        self._taken_ns = self._pulled_ns = _NEVER
        self._source = self._play(ts_ns, self._next)

    @property
    def finished(self) -> bool:
        """Whether nothing is left."""
        return not self._rows and not self._pull()

    def stamps(self, until_ns: int, limit: int) -> IntArray:
        """Times of the next rows up to a moment, at most ``limit`` of them; none earlier than one before it."""
        while self._rows < limit and (not self._rows or self._pulled_ns <= until_ns):
            if not self._pull():
                break
        parts = [batch.ts for batch in self._buffer]
        joined = np.concatenate(parts) if parts else np.empty(0, np.int64)
        joined = np.maximum(np.maximum.accumulate(joined), self._taken_ns)
        return joined[: min(limit, int(np.searchsorted(joined, until_ns, "right")))]

    def take(self, rows: int) -> list[EventBatch]:
        """Hand out the next rows, which :meth:`stamps` has brought in."""
        taken = []
        while rows:
            head = self._buffer.popleft()
            if len(head) > rows:
                self._buffer.appendleft(head[rows:])
                head = head[:rows]
            taken.append(head)
            self._taken_ns = max(self._taken_ns, int(head.ts.max()))
            rows -= len(head)
            self._rows -= len(head)
        if taken:
            self._next = taken[-1].next_sequence
        return taken

    def _pull(self) -> bool:
        batch = next(self._source, None)
        if batch is None:
            return False
        self._buffer.append(batch)
        self._rows += len(batch)
        self._pulled_ns = max(self._pulled_ns, int(batch.ts.max()))
        return True

    def _play(self, ts_ns: int, number: int | None) -> Iterator[EventBatch]:
        first = max(sum(r.start_ns < ts_ns for r in self.recordings) - 1, 0)
        recorded_next: int | None = None  # the number that would continue the recording before
        for recording in self.recordings[first:]:
            inside = recording.start_ns < ts_ns
            batches = recording.batches(ts_ns if inside else None, end_ns=self._end_ns)
            head = next(batches, EventBatch.empty(recorded_next or 0))
            lead = _before(recording, ts_ns) if inside else _joint(head, number, recorded_next)
            if number is None:
                number = max(0, head.first_sequence - len(lead))
            offset = number + len(lead) - head.first_sequence
            for batch in itertools.chain([_numbered(lead, number - offset), head], batches):
                if len(batch):
                    yield _numbered(batch, batch.first_sequence + offset)
                    recorded_next = batch.next_sequence
                    number = recorded_next + offset


def _joint(head: EventBatch, number: int | None, recorded_next: int | None) -> EventBatch:
    """Row between what was handed out before and the first rows of a recording."""
    if not len(head) or number is None or head.first_sequence == recorded_next:
        return EventBatch.empty()
    if recorded_next is not None:
        return EventBatch.of(ts=head.ts[:1], kind=EventKind.GAP, size=-1)
    # rewound to the beginning: whoever followed us elsewhere still holds the book from there
    if head.kind[0] == EventKind.CLEAR:
        return EventBatch.empty()
    return EventBatch.of(ts=head.ts[:1], kind=EventKind.CLEAR)


def _before(recording: Recording, ts_ns: int) -> EventBatch:
    """Snapshot of the books after every event before ``ts_ns``, stamped ``ts_ns``."""
    snapshot = recording.snapshot_at(ts_ns - 1)
    return EventBatch.trusted((np.full(len(snapshot), ts_ns), *snapshot.columns[1:]), 0)


def _numbered(batch: EventBatch, first_sequence: int) -> EventBatch:
    return EventBatch.trusted(batch.columns, first_sequence)


def _check_grid(before: Recording, after: Recording) -> None:
    one, other = before.instrument, after.instrument
    if (one.tick_size, one.lot_size) != (other.tick_size, other.lot_size):
        raise ReplayError(
            f"two recordings of {one.symbol} with ticks {one.tick_size:f} and {other.tick_size:f}, "
            f"lots {one.lot_size:f} and {other.lot_size:f}",
            expected="one grid",
            action="Replay them one at a time",
        )
