"""Sequence numbers: what came before is dropped, what is missing becomes a row that says so."""

from __future__ import annotations

from workbench.events import EventBatch, EventKind


class Continuity:
    """Follow one instrument's sequence numbers.

    Attributes
    ----------
    next_sequence : int or None
        Number that the next event must have; None before the first.
    duplicates : int
        Rows dropped because their number had been seen.
    lost : int
        Events known to be missing because numbers jumped.
    """

    __slots__ = ("duplicates", "lost", "next_sequence")

    def __init__(self, next_sequence: int | None = None):
        self.next_sequence = next_sequence
        self.duplicates = 0
        self.lost = 0

    def admit(self, batch: EventBatch) -> tuple[EventBatch, ...]:
        """Return what is new: nothing, the batch or its unseen rows, or a gap and the batch."""
        expected = self.next_sequence
        if not len(batch):
            return ()
        if expected is None or batch.first_sequence == expected:
            self.next_sequence = batch.next_sequence
            return (batch,)
        if batch.first_sequence > expected:
            self.next_sequence = batch.next_sequence
            missing = batch.first_sequence - expected
            self.lost += missing
            return (gap(expected, missing, int(batch.ts[0])), batch)
        seen = min(expected - batch.first_sequence, len(batch))
        self.duplicates += seen
        if seen == len(batch):
            return ()
        self.next_sequence = batch.next_sequence
        return (batch[seen:],)


def gap(sequence: int, lost: int, ts: int) -> EventBatch:
    """One GAP row: ``lost`` events from ``sequence`` on are missing (−1: unknown how many)."""
    return EventBatch.of(sequence, ts=ts, kind=EventKind.GAP, size=lost)
