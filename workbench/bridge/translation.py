"""From the bytes that Bookmap sends to numbered, stamped events, without a socket or a clock."""

from __future__ import annotations

from collections import Counter, deque

from workbench.bridge import wire
from workbench.bridge.grid import instrument_of
from workbench.bridge.market import Market
from workbench.bridge.reader import LineReader
from workbench.bridge.rows import Rows
from workbench.bridge.stamps import Stamps
from workbench.errors import InstrumentError
from workbench.events import EventBatch, Status

Published = tuple[str, EventBatch]


class Translator:
    """Turn Bookmap's bytes into events and messages, in order; nothing that arrives makes it raise.

    Attributes
    ----------
    markets : dict of str to Market
        Attached instruments by alias.
    strays : int
        Events of instruments that are not attached.
    """

    def __init__(self) -> None:
        self.markets: dict[str, Market] = {}
        self.strays = 0
        self._known: dict[str, Market] = {}
        self._stamps = Stamps()
        self._reader = LineReader()

    @property
    def counts(self) -> Counter[int]:
        """Lines by type."""
        return self._reader.counts

    @property
    def bad_lines(self) -> int:
        """Lines that could not be read."""
        return self._reader.bad_lines

    @property
    def examples(self) -> deque[str]:
        """The latest bad lines, cut, with what is wrong."""
        return self._reader.examples

    @property
    def waiting(self) -> int:
        """Bytes of a line that is not complete yet."""
        return self._reader.waiting

    def receive(self, data: bytes, wall_ns: int, mono_ns: int) -> list[Published | wire.Message]:
        """Take in what was read at this time.

        Returns
        -------
        list
            ``(alias, batch)`` and messages in the order of the lines. An instrument's message comes before its first
            batch, and ``Detached`` after its last; ``Refused`` stands for an instrument that cannot be served.
        """
        out: list[Published | wire.Message] = list(self._step_clock(wall_ns, mono_ns))
        for piece in self._reader.read(data):
            if isinstance(piece, tuple):
                out += self._take(*piece, mono_ns)
            else:
                out += self._hear(piece)
        return out

    def on_time(self, wall_ns: int, mono_ns: int) -> list[Published]:
        """Do what is due: a snapshot that has become quiet is complete."""
        out = self._step_clock(wall_ns, mono_ns)
        for alias, market in self.markets.items():
            batch = market.on_time(self._stamps.last, mono_ns)
            if batch is not None:
                out.append((alias, batch))
        return out

    def deadline(self) -> int | None:
        """When :meth:`on_time` wants to be called, monotonic ns."""
        return min(
            (due for market in self.markets.values() if (due := market.deadline()) is not None), default=None
        )

    def status(self, alias: str, status: Status, wall_ns: int, mono_ns: int) -> list[Published]:
        """Say in an instrument's stream that the state of the source changed."""
        out = self._step_clock(wall_ns, mono_ns)
        if alias in self.markets:
            out.append((alias, self.markets[alias].status(status, self._stamps.last)))
        return out

    def lose(self, wall_ns: int, mono_ns: int) -> list[Published]:
        """Say in every stream that a read was lost: never silence, and never a book that may be wrong."""
        out = self._step_clock(wall_ns, mono_ns)
        return out + [(alias, market.lose(self._stamps.last)) for alias, market in self.markets.items()]

    def end(self, wall_ns: int) -> list[Published]:
        """Take note that the socket is gone: every instrument ends. The rest of a line without end is dropped."""
        ts = max(wall_ns, self._stamps.last)
        out = [(alias, market.detach(ts)) for alias, market in self.markets.items()]
        self.markets.clear()
        return out

    def _step_clock(self, wall_ns: int, mono_ns: int) -> list[Published]:
        ts, step = self._stamps.stamp(wall_ns, mono_ns)
        if not step:
            return []
        return [(alias, market.status(Status.CLOCK_STEP, ts, step)) for alias, market in self.markets.items()]

    def _take(self, alias: str, rows: Rows, mono_ns: int) -> list[Published]:
        market = self.markets.get(alias)
        if market is None:
            self.strays += rows.length
            return []
        return [(alias, market.take(rows, self._stamps.last, mono_ns))]

    def _hear(self, message: wire.Message) -> list[Published | wire.Message]:
        if isinstance(message, wire.InstrumentInfo):
            return self._attach(message)
        if isinstance(message, wire.Detached):
            return [*self._drop(message.alias), message]
        return [message]

    def _drop(self, alias: str) -> list[Published]:
        market = self.markets.pop(alias, None)
        self._reader.expect(next(reversed(self.markets), ""))
        return [] if market is None else [(alias, market.detach(self._stamps.last))]

    def _attach(self, info: wire.InstrumentInfo) -> list[Published | wire.Message]:
        try:
            instrument = instrument_of(info)
        except InstrumentError as error:
            return [*self._drop(info.alias), wire.Refused(info.alias, str(error))]
        market = self._known.setdefault(info.alias, Market(instrument))
        self.markets[info.alias] = market
        self._reader.expect(next(reversed(self.markets), ""))
        return [info, (info.alias, market.attach(instrument, self._stamps.last))]
