"""One instrument on the receiving side: continuity of its numbers.

Every number reaches the owner at most once and in order. A number that does not come is asked for again; what the server
no longer has becomes one GAP row of the right size. Numbers of the wire and numbers handed on differ by ``offset``
only after a server began its numbers anew: the owner's go on upwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from workbench.errors import ProtocolError
from workbench.events import EventBatch, EventKind, Instrument, IntArray, Status
from workbench.protocol import limits, messages, transitions
from workbench.protocol.codec import Frame, FrameKind
from workbench.protocol.decoding import convert_to
from workbench.protocol.messages import Plain
from workbench.protocol.notices import Counts, MarketData, Snapshot, StreamChanged
from workbench.protocol.rows import Covered, RowReader
from workbench.protocol.snapshot import SnapshotMessage, state_of
from workbench.protocol.stream import BOOK_KINDS, gap_batch, kinds_of

ReaderNotice = MarketData | Snapshot | StreamChanged

_PLAIN_KINDS: Final = bytes(set(EventKind) - {EventKind.CLEAR, EventKind.SNAPSHOT_END, EventKind.GAP})
GRID_RANGE: Final = (Decimal("1e-18"), Decimal("1e18"))
MAX_BUFFERED_ROWS: Final = 100_000


@dataclass(slots=True)
class Piece:
    """Rows that cover the wire numbers ``[first, next)``."""

    first: int
    next: int
    batch: EventBatch
    sequence: IntArray | None
    send_ns: int


class StreamReader:
    """Receiver of one subscription.

    Parameters
    ----------
    symbol : str
    request : messages.Subscribe
        What the owner asked for.
    counts : Counts
        Shared by all streams of a client.
    """

    def __init__(self, symbol: str, request: messages.Subscribe, counts: Counts):
        self.symbol = symbol
        self.request = request
        self.state = "waiting"
        self.number: int | None = None
        self.ask_at: int | None = None
        self.restart = False
        self.complaint = ""
        self.notices: list[ReaderNotice] = []
        self._counts = counts
        self._wanted = kinds_of(frozenset(request.data))
        self._instrument: Instrument | None = None
        self._rows: RowReader | None = None
        self._expected: int | None = request.from_sequence  # of the wire
        self._offset = 0
        self._floor: int | None = None
        self._renumber = False
        self._last_ts = 0
        self._buffer: list[Piece] = []
        self._parts: list[EventBatch] = []
        self._json_parts: list[SnapshotMessage] = []
        self._synced_by: int | None = None
        self._bookless = self._away = False

    @property
    def next_sequence(self) -> int | None:
        """Next number the owner gets; None before the first."""
        return None if self._expected is None else self._expected + self._offset

    @property
    def instrument(self) -> Instrument | None:
        """The grid, once the server told it."""
        return self._instrument

    def subscription(self, now: int) -> list[messages.Message]:
        """What to send to get, or to get back to, the data."""
        quick = self.state == "syncing" and self._expected is not None
        self.ask_at = now + (limits.RESYNC_RETRY_NS if quick else limits.SNAPSHOT_TIMEOUT_NS)
        request = messages.Subscribe(
            symbol=self.symbol,
            data=self.request.data,
            from_sequence=None if self.restart or self._renumber else self._expected,
            dom_levels=self.request.dom_levels,
            dom_interval_ms=self.request.dom_interval_ms,
            request_id=f"subscribe {self.symbol}",
        )
        if not self.restart:
            return [request]
        self.restart = False
        return [messages.Unsubscribe(symbol=self.symbol), request]

    # -- what comes from the connection --------------------------------------------------------------------------

    def lost(self) -> None:
        """Keep the place; the next connection goes on from it."""
        self.flush(0)
        self.number = None
        self.ask_at = None
        self._buffer.clear()
        self._parts.clear()
        self._json_parts.clear()
        self._move("connection lost", "connection lost")

    def renumbered(self) -> None:
        """The server's numbers began anew: what was missed cannot be known."""
        self._renumber = self._expected is not None

    def refused(self, reason: str) -> None:
        """The server does not serve this."""
        self.ask_at = None
        self._move("refused", reason)

    def subscribed(self, message: messages.Subscribed, now: int) -> None:
        """Take the server's word on where the data goes on."""
        if self._instrument is None or self._instrument.to_dict() != message.instrument:
            self._instrument = _instrument_of(message.instrument)
        self.flush(now)
        self._rows = RowReader(self._instrument)
        self.number = message.stream
        self._parts.clear()
        self._json_parts.clear()
        if self._expected is not None and self._renumber:
            self._start_anew(message.next_sequence)
        self._renumber = False
        self._floor = message.next_sequence
        if self._expected is None and not message.snapshot:
            self._expected = message.next_sequence
        self.ask_at = None
        self._synced_by = now + limits.SNAPSHOT_TIMEOUT_NS if message.snapshot else None
        self._move("subscribed, snapshot follows" if message.snapshot else "subscribed")
        self._replay_buffer(now)

    def frame(self, frame: Frame, now: int) -> None:
        """Take one binary frame."""
        if frame.kind == FrameKind.SNAPSHOT:
            self._snapshot_part(frame.batch, frame.next, now)
            return
        self._take(Piece(frame.first, frame.next, frame.batch, frame.sequence, frame.send_ns), now)

    def message(self, plain: Plain, now: int) -> None:
        """Take one JSON message of market data."""
        if self._rows is None or self._instrument is None:
            return  # sent before the server answered the subscription: it comes again
        if plain["type"] == "SNAPSHOT":
            self.flush(now)
            self._json_part(convert_to(plain, SnapshotMessage))
        elif plain["type"] == "SNAPSHOT_END" and self._json_parts:
            self._json_snapshot(now)
        else:
            done = self._rows.add(plain)
            if done is not None:
                self._take_covered(done, now)

    def flush(self, now: int) -> None:
        """Hand on the JSON rows collected so far."""
        done = self._rows.take() if self._rows is not None else None
        if done is not None:
            self._take_covered(done, now)

    def told_next(self, following: int, now: int) -> None:
        """The heartbeat says that everything before wire number ``following`` was sent."""
        self.flush(now)
        if self._expected is not None and following > self._expected and self.state == "live":
            self._ask_again(following, now)

    def resync(self, now: int, reason: str) -> None:
        """The owner does not believe its book: ask for a snapshot; what is not sent because of it becomes a gap."""
        if self.state != "live" or self.restart:
            return
        self._counts.resyncs += 1
        self.restart = True
        self.ask_at = now
        self._move("loss", reason)

    def on_time(self, now: int) -> None:
        """Complain about a snapshot that did not come in time, and ask for it again."""
        if self._synced_by is not None and now >= self._synced_by:
            self._synced_by = None
            self.complaint = "no snapshot in 2 s"
            self.restart = True
            self.ask_at = now

    @property
    def deadline(self) -> int | None:
        """When :meth:`on_time` wants to be called, monotonic ns."""
        times = [time for time in (self.ask_at, self._synced_by) if time is not None]
        return min(times, default=None)

    # -- continuity ----------------------------------------------------------------------------------------------

    def _take_covered(self, covered: Covered, now: int) -> None:
        self._take(Piece(covered.first, covered.next, covered.batch, covered.sequence, 0), now)

    def _take(self, piece: Piece, now: int) -> None:
        if self._expected is None:
            self._keep(piece)
            return
        if piece.first < self._expected:
            seen = f"seq {piece.first} after {self._expected - 1}: duplicate dropped"
            self._counts.examples.setdefault("duplicate", seen)
        if piece.next <= self._expected:
            self._counts.duplicates += len(piece.batch)
            return
        if piece.first < self._expected:
            piece = self._without_duplicates(piece, self._expected)
        if piece.first > self._expected:
            self._fill(piece.first)
        if piece.first > self._expected:
            self._ask_again(piece.first, now)
            return
        self._hand_on(piece, now)

    def _keep(self, piece: Piece) -> None:
        """Data before the snapshot waits for it."""
        if sum(len(kept.batch) for kept in self._buffer) < MAX_BUFFERED_ROWS:
            self._buffer.append(piece)

    def _replay_buffer(self, now: int) -> None:
        if self._expected is not None:
            kept, self._buffer = self._buffer, []
            for piece in kept:
                self._take(piece, now)

    def _without_duplicates(self, piece: Piece, expected: int) -> Piece:
        batch = piece.batch
        if piece.sequence is None:
            new = batch[min(expected - piece.first, len(batch)) :]
            sequence = None
        else:
            mask = piece.sequence >= expected
            sequence = piece.sequence[mask]
            new = EventBatch.trusted(tuple(c[mask] for c in batch.columns), expected)
        self._counts.duplicates += len(batch) - len(new)
        if not len(new) and sequence is None:  # inside the numbers that a gap lost
            new = gap_batch(
                expected, piece.next - expected, int(batch.ts[-1]) if len(batch) else self._last_ts
            )
        return Piece(expected, piece.next, new, sequence, piece.send_ns)

    def _fill(self, first: int) -> None:
        """Numbers the server said it no longer has become a gap."""
        expected = self._expected
        if expected is not None and self._floor is not None and expected < self._floor:
            self._gap(min(first, self._floor) - expected)

    def _gap(self, lost: int) -> None:
        assert self._expected is not None
        self._counts.lost += lost
        row = gap_batch(self._expected + self._offset, lost, self._last_ts)
        self.notices.append(MarketData(self.symbol, row))
        self._expected += lost

    def _ask_again(self, first: int, now: int) -> None:
        """Numbers are missing: drop what comes after them, it will come again."""
        assert self._expected is not None
        if self.state != "live":
            return
        self._counts.resyncs += 1
        self.ask_at = now
        here = self._expected + self._offset
        last = first + self._offset - 1
        self._move("loss", f"gap {here}–{last} ({first - self._expected} events), resync")

    def _hand_on(self, piece: Piece, now: int) -> None:
        batch = piece.batch
        self._expected = piece.next
        if not len(batch):
            return
        self._last_ts = int(batch.columns[0][-1])
        self._follow_book(batch, now)
        sequence = piece.sequence
        if self._offset:
            batch = EventBatch.trusted(batch.columns, batch.first_sequence + self._offset)
            sequence = None if sequence is None else sequence + self._offset
        elif sequence is not None:
            batch = EventBatch.trusted(batch.columns, int(sequence[0]))
        self.notices.append(MarketData(self.symbol, batch, sequence, piece.send_ns))

    def _follow_book(self, batch: EventBatch, now: int) -> None:
        """After a gap a book must follow; one that is lost too is asked for, unless its source is known to be away."""
        kinds = batch.columns[2].tobytes()
        if EventKind.STATUS in kinds:
            self._follow_source(batch.size[batch.kind == EventKind.STATUS].tolist(), now)
        said = kinds.translate(None, _PLAIN_KINDS)
        if not said:
            return
        self._bookless = said[-1] == EventKind.GAP and bool(self._wanted & BOOK_KINDS)
        if said[-1] == EventKind.GAP:
            self._counts.lost += sum(max(n, 0) for n in batch.size[batch.kind == EventKind.GAP].tolist())
        self._synced_by = now + limits.SNAPSHOT_TIMEOUT_NS if self._bookless and not self._away else None

    def _follow_source(self, statuses: list[int], now: int) -> None:
        for status in statuses:
            if status in (Status.LIVE, Status.STALE, Status.ENDED):
                self._away = status != Status.LIVE
        if self._bookless:
            self._synced_by = None if self._away else now + limits.SNAPSHOT_TIMEOUT_NS

    def _start_anew(self, following: int) -> None:
        """Go on upwards from the numbers handed on, whatever the server counts now."""
        assert self._expected is not None
        here = self._expected + self._offset
        self.notices.append(MarketData(self.symbol, gap_batch(here, -1, self._last_ts)))
        self._offset = here + 1 - following
        self._expected = following

    # -- snapshots -----------------------------------------------------------------------------------------------

    def _snapshot_part(self, batch: EventBatch, following: int, now: int) -> None:
        if not len(batch):
            return
        if batch.kind[0] == EventKind.CLEAR:
            self._parts = []
        elif not self._parts or self._parts[-1].next_sequence != batch.first_sequence:
            self._parts = []  # a part is lost: the whole is asked for again in time
            return
        self._parts.append(batch)
        if batch.kind[-1] == EventKind.SNAPSHOT_END and batch.next_sequence == following:
            parts, self._parts = self._parts, []
            self._snapshot(EventBatch.concatenate(parts), following, now)

    def _json_part(self, part: SnapshotMessage) -> None:
        if part.part == 0:
            self._json_parts = []
        if part.part == len(self._json_parts):
            self._json_parts.append(part)

    def _json_snapshot(self, now: int) -> None:
        parts, self._json_parts = self._json_parts, []
        if self._instrument is None or len(parts) != parts[0].parts:
            return
        state = state_of(parts, self._instrument)
        self._snapshot(state.to_batch(), state.next_sequence, now)

    def _snapshot(self, batch: EventBatch, following: int, now: int) -> None:
        if self._expected is None:
            self._expected = following
        if following > self._expected:
            self._fill(following)
        if following != self._expected:
            if following > self._expected:
                self._ask_again(following, now)
            return
        self._last_ts = max(self._last_ts, int(batch.ts[-1]))
        self._synced_by = None
        self._bookless = self._away = False
        self.ask_at = None
        local = EventBatch.trusted(batch.columns, batch.first_sequence + self._offset)
        self.notices.append(Snapshot(self.symbol, local, following + self._offset))
        self._move("snapshot")
        self._replay_buffer(now)

    def _move(self, event: str, reason: str = "") -> None:
        following = transitions.SUBSCRIPTION.get((self.state, event))
        if following is None:
            return
        changed = following != self.state
        self.state = following
        if changed and self._instrument is not None:
            self.notices.append(StreamChanged(self.symbol, following, self._instrument, reason))


def _instrument_of(plain: Plain) -> Instrument:
    """The instrument a server describes; refused if its grid makes no sense."""
    try:
        instrument = Instrument.from_dict(plain)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ProtocolError(f"an instrument that cannot be read: {error!r}", code="bad_instrument") from None
    low, high = GRID_RANGE
    if not (low <= instrument.tick_size <= high and low <= instrument.lot_size <= high):
        raise ProtocolError(
            f"instrument {instrument.symbol!r} with a tick or lot beyond all reason",
            expected=f"{low} to {high}",
            code="bad_instrument",
        )
    return instrument
