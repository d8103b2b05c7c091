"""What one client is subscribed to: where it stands in each stream, and whose turn it is."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping

from workbench.errors import InstrumentError
from workbench.events import check_symbol
from workbench.protocol import limits, messages
from workbench.protocol.cursor import Cursor
from workbench.protocol.ladder import LadderFeed
from workbench.protocol.stream import Stream

__all__ = ["Subscriptions"]


class Subscriptions:
    """Subscriptions of one client.

    Parameters
    ----------
    streams : Mapping of str to Stream
        Live view of what can be subscribed, by symbol.
    binary : bool
        Events go out as binary frames.
    """

    def __init__(self, streams: Mapping[str, Stream], *, binary: bool):
        self.streams = streams
        self._binary = binary
        self._cursors: dict[str, Cursor] = {}
        self._ladders: dict[str, LadderFeed] = {}
        self._turn: deque[str] = deque()

    def refusal(self, request: messages.Subscribe) -> tuple[str, str] | None:
        """Code and text of why a request cannot be met; None where it can."""
        try:
            check_symbol(request.symbol)
        except InstrumentError as error:
            return error.code, error.message
        if request.symbol not in self.streams:
            have = ", ".join(list(self.streams)[:10])
            return "unknown_instrument", f"unknown instrument {request.symbol[:80]!r}; have [{have}]"
        if request.symbol not in self._cursors and len(self._cursors) >= limits.MAX_SUBSCRIPTIONS:
            return "too_many", f"more than {limits.MAX_SUBSCRIPTIONS} subscriptions"
        return None if request.data else ("bad_value", "data must name at least one kind")

    def confirmed(self, request: messages.Subscribe) -> str | None:
        """Answer to a request for what runs already; None where something would change."""
        before = self._cursors.get(request.symbol)
        if before is None or not before.started or request.from_sequence is not None:
            return None
        return before.confirm(request) if before.data == frozenset(request.data) else None

    def begin(self, request: messages.Subscribe, now: int) -> bool:
        """Begin a subscription, or begin it anew; returns whether the kinds of data are others than before."""
        symbol, data = request.symbol, frozenset(request.data)
        before = self._cursors.get(symbol)
        self._cursors[symbol] = Cursor(self.streams[symbol], request, binary=self._binary)
        self._ladders.pop(symbol, None)
        if "DOM" in data:
            self._ladders[symbol] = LadderFeed(self.streams[symbol], request, now)
        if symbol not in self._turn:
            self._turn.append(symbol)
        return before is None or before.data != data

    def end(self, symbol: str) -> bool:
        """End a subscription; returns whether there was one."""
        if self._cursors.pop(symbol, None) is None:
            return False
        self._ladders.pop(symbol, None)
        self._turn.remove(symbol)
        return True

    @property
    def data(self) -> dict[str, frozenset[str]]:
        """Kinds of data by symbol."""
        return {symbol: cursor.data for symbol, cursor in self._cursors.items()}

    @property
    def sequences(self) -> dict[str, int]:
        """Number of the next event of each stream whose events are wanted and have begun."""
        return {symbol: c.next for symbol, c in self._cursors.items() if c.wanted and c.started}

    @property
    def has_data(self) -> bool:
        """Whether something waits to be sent."""
        pending = any(cursor.pending for cursor in self._cursors.values())
        return pending or any(ladder.is_due for ladder in self._ladders.values())

    @property
    def due_at(self) -> list[int]:
        """When ladders are due, monotonic ns."""
        return [ladder.due_at for ladder in self._ladders.values()]

    def on_time(self, now: int) -> None:
        """Let ladders that are due be sent."""
        for ladder in self._ladders.values():
            ladder.on_time(now)

    def events(self, room: int) -> Iterator[str | bytes]:
        """Frames of events, each stream in turn, until they fill the room."""
        while room > 0 and (cursor := self._next()) is not None:
            frames = cursor.pull()
            yield from frames
            room -= sum(map(len, frames))

    def ladders(self, now: int) -> list[str]:
        """Ladders to send now, of streams that the client knows its place in."""
        started = [ladder for symbol, ladder in self._ladders.items() if self._cursors[symbol].started]
        return [text for ladder in started if (text := ladder.pull(now)) is not None]

    def _next(self) -> Cursor | None:
        """Cursor whose turn it is, so that one busy instrument does not starve the others."""
        for _ in range(len(self._turn)):
            self._turn.rotate(-1)
            cursor = self._cursors[self._turn[-1]]
            if cursor.pending:
                return cursor
        return None
