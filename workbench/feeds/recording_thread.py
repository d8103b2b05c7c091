"""The engine's writer: one thread that owns every recorder, so that a slow disk never delays a feed.

A second one turns the journals of finished recordings into Parquet, so that this never delays another recording.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, TypeVar

from workbench.errors import RecordingError, WorkbenchError
from workbench.events import EventBatch, Instrument
from workbench.feeds.running import Running
from workbench.frames.recorder import Recorder

FLUSH_S: Final = 0.05
MAX_PENDING_ROWS: Final = 1_000_000
"""48 MB of events wait for the disk at most; a live feed then loses (as a GAP), any other one waits."""

_log = logging.getLogger("workbench.feeds.recording")
_T = TypeVar("_T")


_TAKING: Final = ("recording", "closing")
Opening = Callable[[], Sequence[EventBatch]]
_Noted = tuple[str, int, str, Mapping[str, object]]


@dataclass(slots=True)
class _Lost:
    """Numbers of one instrument that nobody recorded: from ``start``, before ``stop``; ``ts`` of the last."""

    start: int
    stop: int
    ts: int


class RecordingThread:
    """Record in the background.

    Parameters
    ----------
    on_failure : callable
        Called in the writer thread with a recording that stopped by itself (disk full, device failed).

    Notes
    -----
    The other methods are for one thread only, the engine's; the futures they return are settled by the writer.
    """

    def __init__(self, on_failure: Callable[[Running], None]):
        self.running: dict[str, Running] = {}
        self.dropped_rows = 0
        self._on_failure = on_failure
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lost: dict[str, _Lost] = {}
        self._put_rows = 0
        self._done_rows = 0
        self._finisher = ThreadPoolExecutor(1, thread_name_prefix="workbench-finisher")
        self._thread = threading.Thread(target=self._run, name="workbench-writer", daemon=True)
        self._thread.start()

    @property
    def pending_rows(self) -> int:
        """Events that wait for the writer."""
        return self._put_rows - self._done_rows

    @property
    def full(self) -> bool:
        """Whether a source that can wait should."""
        return self.pending_rows > MAX_PENDING_ROWS

    @property
    def active(self) -> bool:
        """Whether anything is being recorded or finished."""
        # a list first: the writer asks, too, while the engine's thread may add one
        return any(recording.state in _TAKING for recording in list(self.running.values()))

    def start(
        self,
        name: str,
        directory: Path,
        openings: Mapping[str, tuple[Instrument, Sequence[EventBatch]]],
        source: Mapping[str, object],
    ) -> Future[Running]:
        """Begin to record; every later :meth:`append` of these symbols belongs to it.

        Parameters
        ----------
        name : str
        directory : Path
        openings : Mapping of str to (Instrument, Sequence of EventBatch)
            First rows of each instrument's recording.
        source : Mapping
            For the manifest.
        """
        session = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        recording = Running(name, directory, source, session)
        self.running[name] = recording
        for symbol, (_, opening) in openings.items():
            self._forget_lost(symbol, opening)
        return self._submit(lambda: self._start(recording, openings))

    def add(
        self, name: str, symbol: str, instrument: Instrument, opening: Sequence[EventBatch]
    ) -> Future[Running]:
        """Record an instrument that appeared while a recording runs, in the same session.

        Parameters
        ----------
        name : str
            Of the recording.
        symbol : str
        instrument : Instrument
        opening : Sequence of EventBatch
            First rows of the instrument's recording.

        Returns
        -------
        Future of Running
            Of a recording that has the instrument already, or is over: as it is. When the instrument cannot be
            recorded, the others go on, ``refused`` has the reason, and ``HEALTH`` says so.
        """
        self._forget_lost(symbol, opening)
        recording = self._named(name)
        return self._submit(lambda: self._add(recording, symbol, instrument, opening))

    def _forget_lost(self, symbol: str, opening: Sequence[EventBatch]) -> None:
        """Nothing before its opening is lost to a recording that begins now."""
        if symbol in self._lost and opening:
            self._lost[symbol].start = self._lost[symbol].stop = opening[-1].next_sequence

    def _named(self, name: str) -> Running:
        if name not in self.running:
            raise RecordingError(f"no recording {name!r}", expected=f"one of {sorted(self.running)}")
        return self.running[name]

    def append(self, symbol: str, batch: EventBatch, *, opening: Opening | None = None) -> None:
        """Record a batch, if its instrument is being recorded.

        Parameters
        ----------
        symbol : str
        batch : EventBatch
        opening : callable, optional
            Of a source that cannot wait: the book before the batch, numbered to end right before it. With too much
            waiting for the disk the batch is left out.

        Notes
        -----
        After an overflow a recording goes on with a GAP and the book as it is by then, else its book would stay unknown
        to the end. The book's rows take the last of the lost numbers, so it goes on no sooner than these are enough
        and half of what may wait is written; the GAP tells the numbers that no row has.
        """
        if not self.active:
            self._lost.clear()
            return
        if opening is not None and not self._has_room(symbol, batch, opening):
            self._lose(symbol, batch)
        else:
            self._put(symbol, batch)

    def note(
        self,
        symbol: str,
        table: Literal["orders", "annotations"],
        ts: int,
        kind: str,
        plain: Mapping[str, object],
        *,
        name: str | None = None,
    ) -> None:
        """Record a message of the account, or something drawn, where its instrument is being recorded.

        Parameters
        ----------
        symbol : str
            Empty for what belongs to no instrument, such as balances: it is recorded with every one.
        table : {"orders", "annotations"}
        ts : int
            ns since the epoch, UTC.
        kind : str
            Type of the message.
        plain : dict
            The message as plain data; not to be changed any more.
        name : str, optional
            Only in this recording: what held already when it began.
        """
        if self.active:
            self._jobs.put(lambda: self._note(symbol, name, (table, ts, kind, plain)))

    def _has_room(self, symbol: str, batch: EventBatch, opening: Opening) -> bool:
        lost = self._lost.get(symbol)
        if lost is None:
            return not self.full
        if self.pending_rows > MAX_PENDING_ROWS // 2:
            return False
        book = opening()
        if book and book[0].first_sequence <= lost.start:
            return False
        for rows in book:
            self._put(symbol, rows)
        del self._lost[symbol]
        return True

    def _put(self, symbol: str, batch: EventBatch) -> None:
        self._put_rows += len(batch)
        self._jobs.put(lambda: self._append(symbol, batch))

    def _lose(self, symbol: str, batch: EventBatch) -> None:
        self.dropped_rows += len(batch)
        lost = self._lost.setdefault(symbol, _Lost(batch.first_sequence, 0, 0))
        lost.stop, lost.ts = batch.next_sequence, int(batch.ts[-1])

    def _lost_now(self) -> dict[str, _Lost]:
        return {symbol: replace(lost) for symbol, lost in self._lost.items()}

    def stop(self, name: str, reason: str = "closed") -> Future[Running]:
        """Finish one recording.

        Raises
        ------
        RecordingError
            No such recording.
        """
        recording = self._named(name)
        if recording.state == "recording":
            recording.state = "closing"
        done: Future[Running] = Future()
        lost = self._lost_now()
        self._jobs.put(lambda: self._stop(recording, reason, done, lost))
        return done

    def close(self, reason: str) -> Future[None]:
        """Finish every recording, then the thread: what arrived so far is on the device first, within a second."""
        lost = self._lost_now()
        done = self._submit(lambda: self._close(reason, lost))
        self._jobs.put(None)
        return done

    def join(self) -> None:
        """Wait for the thread after :meth:`close`."""
        self._thread.join()

    # -- writer thread ---------------------------------------------------------------------------------------------

    def _run(self) -> None:
        flushed = time.monotonic()
        while True:
            try:
                job = self._jobs.get(timeout=FLUSH_S if self.active else None)
            except queue.Empty:
                job = _nothing
            if job is None:
                return
            job()
            if time.monotonic() - flushed >= FLUSH_S:
                self._flush()
                flushed = time.monotonic()

    def _submit(self, work: Callable[[], _T]) -> Future[_T]:
        future: Future[_T] = Future()
        self._jobs.put(lambda: _settle(future, work))
        return future

    def _start(
        self, recording: Running, openings: Mapping[str, tuple[Instrument, Sequence[EventBatch]]]
    ) -> Running:
        try:
            for instrument, opening in openings.values():
                recording.begin(instrument, opening)
        except Exception as problem:
            self._fail(recording, problem)
            raise
        return recording

    def _add(
        self, recording: Running, symbol: str, instrument: Instrument, opening: Sequence[EventBatch]
    ) -> Running:
        if recording.state == "recording" and symbol not in recording.recorders:
            try:
                recording.begin(instrument, opening)
                recording.refused.pop(symbol, None)
            except Exception as problem:  # noqa: BLE001  (whatever it is, what is recorded already goes on)
                recording.refused[symbol] = str(problem)
                _log.error("%s is not recorded by %s: %s", symbol, recording.name, problem)
        return recording

    def _append(self, symbol: str, batch: EventBatch) -> None:
        self._done_rows += len(batch)
        for recording in list(self.running.values()):
            recorder = recording.recorders.get(symbol)
            # of a recording that is being closed some are closed before the others
            if recorder is not None and recorder.state == "recording" and recording.state in _TAKING:
                self._guarded(recording, recorder.append, batch)

    def _note(self, symbol: str, name: str | None, note: _Noted) -> None:
        for recording in list(self.running.values()):
            if recording.state not in _TAKING or name not in (None, recording.name):
                continue
            for recorder in _of_symbol(recording, symbol):
                self._guarded(recording, _note, recorder, note)

    def _flush(self) -> None:
        for recording in list(self.running.values()):
            if recording.state == "recording":
                for recorder in recording.recorders.values():
                    self._guarded(recording, recorder.flush)

    def _guarded(self, recording: Running, write: Callable[..., object], *arguments: object) -> None:
        try:
            write(*arguments)
        except Exception as problem:  # noqa: BLE001  (whatever it is, the other recordings go on)
            self._fail(recording, problem)
            self._on_failure(recording)

    def _fail(self, recording: Running, problem: Exception) -> None:
        recording.state, recording.reason = "failed", str(problem)
        _log.error("recording %s stopped: %s", recording.name, problem)
        for recorder in recording.recorders.values():
            with contextlib.suppress(WorkbenchError, OSError):
                recorder.abandon(recording.reason)

    def _stop(
        self, recording: Running, reason: str, done: Future[Running], lost: Mapping[str, _Lost]
    ) -> None:
        """End the journals here; what becomes of them must not keep other recordings from the disk."""
        if recording.state == "closing":
            for symbol, recorder in recording.recorders.items():
                if symbol in lost and recorder.state == "recording":
                    self._guarded(recording, recorder.lose, lost[symbol].stop, lost[symbol].ts)
                self._guarded(recording, recorder.end, reason)
        self._finisher.submit(_settle, done, lambda: self._finish(recording, reason))

    def _finish(self, recording: Running, reason: str) -> Running:
        if recording.state == "closing":
            try:
                for recorder in recording.recorders.values():
                    recorder.close(reason)
            except Exception as problem:
                self._fail(recording, problem)  # else it would be closing, and keep the engine, for ever
                raise
            unfinished = [r.reason for r in recording.recorders.values() if r.state != "closed"]
            recording.state, recording.reason = "closed", "; ".join(unfinished) or reason
        return recording

    def _close(self, reason: str, lost: Mapping[str, _Lost]) -> None:
        self._flush()
        for recording in self.running.values():
            if recording.state == "recording":
                recording.state = "closing"
            if recording.state == "closing":
                self._stop(recording, reason, Future(), lost)
        self._finisher.shutdown()


def _settle(future: Future[_T], work: Callable[[], _T]) -> None:
    try:
        future.set_result(work())
    except Exception as problem:  # noqa: BLE001  (told to whoever waits; the thread lives on)
        future.set_exception(problem)


def _of_symbol(recording: Running, symbol: str) -> list[Recorder]:
    recorders = recording.recorders
    found = [recorders[symbol]] if symbol in recorders else [] if symbol else list(recorders.values())
    return [recorder for recorder in found if recorder.state == "recording"]


def _note(recorder: Recorder, note: _Noted) -> None:
    try:
        recorder.note(*note)
    except RecordingError as problem:
        if problem.code != "bad_note":
            raise
        _log.warning("not recorded: %s", problem)


def _nothing() -> None:
    return
