"""Where one client stands in one stream, and what it gets next."""

from __future__ import annotations

from typing import Final

from workbench.events import EventBatch
from workbench.protocol import decoding, messages
from workbench.protocol.codec import encode_batch
from workbench.protocol.limits import SECOND_NS
from workbench.protocol.rows import encode_rows
from workbench.protocol.snapshot import binary_snapshot, json_snapshot
from workbench.protocol.stream import (
    ALL_KINDS,
    BOOK_KINDS,
    DATA_KINDS,
    Publication,
    Stream,
    gap_batch,
    kinds_of,
)

Frames = list[str | bytes]
MAX_LAG_NS: Final = 5 * SECOND_NS
"""A client that once was up to date and then falls further behind than this is skipped ahead, and told so."""


class Cursor:
    """One subscription to the events of one stream.

    Parameters
    ----------
    stream : Stream
    request : messages.Subscribe
    binary : bool
        Binary frames instead of JSON messages.
    """

    def __init__(self, stream: Stream, request: messages.Subscribe, *, binary: bool):
        self.stream = stream
        self.data = frozenset(request.data)
        self.binary = binary
        self.wanted = kinds_of(self.data)
        self.next = 0
        self.skipped = 0
        self._index = -1
        self._row = 0
        self._caught_up = False
        self._start: messages.Subscribe | None = request

    @property
    def pending(self) -> bool:
        """Whether :meth:`pull` has something."""
        return self._start is not None or (self.wanted != 0 and self._index < self.stream.end_index)

    @property
    def started(self) -> bool:
        """Whether the client knows where it stands."""
        return self._start is None

    def confirm(self, request: messages.Subscribe) -> str:
        """Answer to a repeated subscription; nothing starts anew."""
        return self._subscribed(request, snapshot=False)

    def pull(self) -> Frames:
        """Frames of the next publication, or of a start, or of a skip."""
        if self._start is not None:
            return self._begin(self._start)
        publication = self.stream.get(self._index)
        if publication is None or self._lags(publication):
            self.skipped += 1
            return self._skip_ahead()
        frames = self._frames_of(publication)
        self._index += 1
        self._row = 0
        self._caught_up = self._caught_up or self._index == self.stream.end_index
        return frames

    def _lags(self, publication: Publication) -> bool:
        return self._caught_up and self.stream.newest_send_ns - publication.send_ns > MAX_LAG_NS

    def _frames_of(self, publication: Publication) -> Frames:
        batch = publication.batch
        if self._row == len(batch):  # the client stands inside the numbers that a gap lost
            first, self.next = self.next, publication.next
            return self._gap(first, publication.next - first)
        if self._row:
            publication = Publication(self.stream, batch[self._row :], publication.send_ns)
        if not self.binary and self.wanted != ALL_KINDS:
            return self._filtered_messages(publication)
        self.next = publication.next
        return publication.frames(self.binary, self.wanted)

    def _filtered_messages(self, publication: Publication) -> Frames:
        """JSON of a part of the kinds: ``previous`` depends on what this client got before."""
        mask = publication.mask(self.wanted)
        if not mask.any():
            return []
        frames: Frames = list(encode_rows(publication.batch, self.stream.instrument, mask, self.next - 1))
        last = int(mask.nonzero()[0][-1])
        self.next = publication.batch[: last + 1].next_sequence
        return frames

    def _begin(self, request: messages.Subscribe) -> Frames:
        self._start = None
        wanted_from = request.from_sequence
        if wanted_from is None and self.wanted & BOOK_KINDS:
            # A book that is still being sent has no snapshot yet, and its end alone would make an empty book valid.
            wanted_from = self.stream.open_snapshot()
        found = None if wanted_from is None else self.stream.find(wanted_from)
        if found is not None and wanted_from is not None:
            self._index, self._row = found
            self.next = wanted_from
            return [self._subscribed(request, snapshot=False)]
        gap: Frames = []
        lost = 0 if wanted_from is None else self.stream.next_sequence - wanted_from
        if wanted_from is not None and lost > 0:
            gap = self._gap(wanted_from, lost)
        snapshot = self._jump_to_newest()
        return [self._subscribed(request, snapshot=bool(snapshot)), *gap, *snapshot]

    def _subscribed(self, request: messages.Subscribe, *, snapshot: bool) -> str:
        return decoding.encode(
            messages.Subscribed(
                symbol=self.stream.instrument.symbol,
                stream=self.stream.number,
                data=sorted(self.data),
                next_sequence=self.next,
                snapshot=snapshot,
                instrument=self.stream.instrument.to_dict(),
                request_id=request.request_id,
            )
        )

    def _skip_ahead(self) -> Frames:
        gap = self._gap(self.next, self.stream.next_sequence - self.next)
        return [*gap, *self._jump_to_newest()]

    def _jump_to_newest(self) -> Frames:
        """Go on with the next event; with a snapshot if the subscription holds a book and the book is known."""
        self._index, self._row = self.stream.end_index, 0
        self.next = self.stream.next_sequence
        self._caught_up = True
        if not self.wanted & BOOK_KINDS:
            return []
        state = self.stream.book(
            None, bool(self.wanted & (DATA_KINDS["MBO"] & ~DATA_KINDS["FULL_ORDER_BOOK"]))
        )
        if not state.valid:
            return []
        if self.binary:
            return list(binary_snapshot(state, self.stream.number, self.stream.newest_send_ns))
        return list(json_snapshot(state, self.stream.instrument))

    def _gap(self, first: int, lost: int) -> Frames:
        batch: EventBatch = gap_batch(first, lost, self.stream.last_ts)
        if self.binary:
            return [encode_batch(batch, self.stream.number, self.stream.newest_send_ns)]
        mask = None if self.wanted == ALL_KINDS else batch.kind > 0
        return list(encode_rows(batch, self.stream.instrument, mask, first - 1))
