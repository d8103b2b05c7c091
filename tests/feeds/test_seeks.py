"""The mark of a seek, put on and read."""

from __future__ import annotations

from workbench.events import EventBatch, EventKind
from workbench.feeds.seeks import SOUGHT, SeekMarks, seek_row

BOOK = (EventKind.CLEAR, EventKind.DEPTH, EventKind.SNAPSHOT_END)


def test_only_the_first_row_after_a_seek_is_marked() -> None:
    """A later CLEAR, one of another instrument and one before the seek are the source's own."""
    marks = SeekMarks()
    batch = EventBatch.of(7, kind=[*BOOK, *BOOK], order_id=[0, 5, 0, 0, 6, 0])
    assert marks.mark("A", batch) is batch
    marks.expect(["A"])
    assert marks.mark("B", batch) is batch
    marked = marks.mark("A", batch)
    assert marked.order_id.tolist() == [SOUGHT, 5, 0, 0, 6, 0] and marked.first_sequence == 7
    assert marks.mark("A", batch) is batch and batch.order_id[0] == 0


def test_a_mark_that_was_recorded_is_taken_off() -> None:
    """A recording of what came before and after a seek is one stretch of events when it is replayed."""
    batch = EventBatch.of(kind=[EventKind.TRADE, *BOOK], order_id=[1, SOUGHT, 0, 0])
    assert SeekMarks().mark("A", batch).order_id.tolist() == [1, 0, 0, 0]


def test_the_stream_is_cut_at_the_mark_and_nowhere_else() -> None:
    """Neither time that runs back nor a CLEAR of the source's own nor an order numbered 1 is a seek."""
    kinds = [EventKind.TRADE, *BOOK, *BOOK]
    ts = [9, 3, 3, 3, 2, 2, 2]
    assert seek_row(EventBatch.of(ts=ts, kind=kinds, order_id=[1, 0, 1, 0, 0, 1, 0])) is None
    assert seek_row(EventBatch.of(ts=ts, kind=kinds, order_id=[1, 0, 1, 0, SOUGHT, 1, 0])) == 4
