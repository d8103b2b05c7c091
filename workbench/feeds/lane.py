"""One instrument on its way from whichever bridge serves it into one stream without holes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from workbench.errors import ProtocolError
from workbench.events import COLUMN_NAMES, EventBatch, EventKind, Instrument, Status

PATIENCE_NS: Final = 1_000_000_000
"""A provider without a book never ends a snapshot: rows of so long say as well that the stream lives."""

_BOOK_ROWS: Final = (
    *(EventKind.DEPTH, EventKind.MBO_NEW, EventKind.MBO_REPLACE, EventKind.MBO_CANCEL),
    EventKind.SNAPSHOT_END,
)
_PLAIN_KINDS: Final = bytes(set(EventKind) - {EventKind.CLEAR, EventKind.SNAPSHOT_END, EventKind.GAP})
_TS: Final = COLUMN_NAMES.index("ts")


class Lane:
    """Rows of one instrument across bridges that come and go. No input or output, and no clock.

    Parameters
    ----------
    instrument : Instrument
    put : callable
        Takes the rows of the stream, in order; their numbers do not matter.

    Attributes
    ----------
    state : str
        ``empty`` before the first row, ``live``, or ``stale``.
    reason : str
        Why it is stale.
    pulse_lost : bool
        The bridge is heard, and says that Bookmap is not: what it has is old.

    Notes
    -----
    What the stream says of an absence: ``STATUS STALE`` when the bridge falls silent; ``GAP`` of unknown size once it is
    gone; then no row of a book before the ``CLEAR`` of the next one; ``STATUS LIVE`` behind its ``SNAPSHOT_END``. The
    time of these rows is that of the row before, and time never decreases.
    """

    def __init__(self, instrument: Instrument, put: Callable[[EventBatch], None]):
        self.instrument = instrument
        self.state, self.reason = "empty", ""
        self.pulse_lost = False
        self._put = put
        self._last_ts = 0
        self._awaits_clear = True
        self._awaits_end = True
        self._is_forgotten = False
        self._back_ts: int | None = None

    def check(self, told: Instrument) -> None:
        """Refuse an instrument whose prices and sizes would mean something else than those of the stream so far.

        Raises
        ------
        ProtocolError
        """
        if _grid(told) != _grid(self.instrument):
            raise ProtocolError(
                f"{told.symbol!r} came back with {_text(told)}",
                expected=f"{_text(self.instrument)}, as a stream and its recordings have one grid",
                action="Close every session of this engine, then connect again",
                code="other_grid",
            )

    def silent(self, reason: str) -> None:
        """Nothing is heard from the bridge, for now."""
        self.reason = reason
        self._back_ts = None
        if self.state == "live":
            self.state = "stale"
            self._tell(EventKind.STATUS, Status.STALE)

    def gone(self, reason: str) -> None:
        """The bridge will not come back, or another takes its place: what is missed cannot be counted."""
        self.silent(reason)
        if self.state != "empty" and not self._awaits_clear:
            self._tell(EventKind.GAP, -1)
        self._awaits_clear = self._awaits_end = True
        self.pulse_lost = False

    def forget_book(self) -> None:
        """What was known of the book means nothing any more, and is not to be shown."""
        if self.state != "empty" and not self._is_forgotten:
            self._is_forgotten = True
            self._tell(EventKind.CLEAR, 0)

    @property
    def trouble(self) -> str:
        """Why there is nothing to act on; empty while there is, and before the first row."""
        if self.state == "stale":
            return self.reason
        return "Bookmap has fallen silent" if self.pulse_lost else ""

    def take(self, batch: EventBatch) -> bool:
        """Take rows of the bridge; False when the book must be asked for, because its begin was missed."""
        begun, complete = self._from_book(batch)
        if len(begun):
            self._hand_on(begun)
        return complete

    def _hand_on(self, batch: EventBatch) -> None:
        batch = _not_before(batch, self._last_ts)
        self._last_ts = int(batch.ts[-1])
        self._is_forgotten = False
        self._back_ts = int(batch.ts[0]) if self._back_ts is None else self._back_ts
        kinds = batch.kind.tobytes()
        said = kinds.translate(None, _PLAIN_KINDS)
        if said:
            self._awaits_end = said[-1] != EventKind.SNAPSHOT_END
        if EventKind.STATUS in kinds:
            self._follow_pulse(batch.size[batch.kind == EventKind.STATUS].tolist())
        self._put(batch)
        if self.state == "empty":
            self.state, self.reason = "live", ""
        elif self.state == "stale" and (not self._awaits_end or self._last_ts - self._back_ts >= PATIENCE_NS):
            self.state, self.reason = "live", ""
            self._tell(EventKind.STATUS, Status.LIVE)

    def _follow_pulse(self, statuses: list[int]) -> None:
        for status in statuses:
            if status in (Status.STALE, Status.LIVE):
                self.pulse_lost = status == Status.STALE

    def _from_book(self, batch: EventBatch) -> tuple[EventBatch, bool]:
        """Rows without those of a book whose CLEAR was not seen; and whether none of its end was left out."""
        if not self._awaits_clear:
            return batch, True
        kinds = batch.kind
        clears = np.flatnonzero(kinds == EventKind.CLEAR)
        begin = int(clears[0]) if len(clears) else len(batch)
        self._awaits_clear = not len(clears)
        keep = ~np.isin(kinds, _BOOK_ROWS)
        keep[begin:] = True
        complete = bool(len(clears)) or EventKind.SNAPSHOT_END not in kinds
        if keep.all():
            return batch, complete
        columns = tuple(column[keep] for column in batch.columns)
        return EventBatch.trusted(columns, batch.first_sequence), complete

    def _tell(self, kind: EventKind, size: int) -> None:
        self._put(EventBatch.of(ts=self._last_ts, kind=kind, size=int(size)))


def _not_before(batch: EventBatch, ts: int) -> EventBatch:
    if batch.ts[0] >= ts:
        return batch
    held = np.maximum(batch.ts, ts)
    return EventBatch.trusted((*batch.columns[:_TS], held, *batch.columns[_TS + 1 :]), batch.first_sequence)


def _grid(instrument: Instrument) -> tuple[object, ...]:
    return instrument.tick_size, instrument.lot_size, instrument.multiplier


def _text(instrument: Instrument) -> str:
    tick, lot, multiplier = _grid(instrument)
    return f"tick {tick}, lot {lot}, multiplier {multiplier}"
