"""From the bytes that Bookmap sends to numbered, stamped events, without a socket or a clock."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

import numpy as np

from workbench.bridge import wire
from workbench.bridge.chunks import LineCutter
from workbench.bridge.market import Market
from workbench.bridge.rows import Row, Rows, row_of
from workbench.bridge.scanner import TYPE_OF_KIND, Scanner, Table
from workbench.bridge.stamps import Stamps
from workbench.errors import InstrumentError
from workbench.events import EventBatch, Instrument, Status

MAX_EXAMPLES: Final = 20
SCAN_BYTES: Final = 4096
"""Smaller blocks are read line by line: a scan costs some 300 µs, whatever it finds (measured)."""
SIGNIFICANT_DIGITS: Final = 12
"""Doubles are taken by so many digits where that changes nothing: 0.009999999999999998 is 0.01."""
SMALLEST_STEP: Final = 1e-15
LARGEST_STEP: Final = 1e15

Published = tuple[str, EventBatch]
Piece = tuple[str, Rows] | wire.Message


class Translator:
    """Turn Bookmap's bytes into events and messages, in order; nothing that arrives makes it raise.

    Attributes
    ----------
    markets : dict of str to Market
        Attached instruments by alias.
    counts : Counter
        Lines by type.
    bad_lines, strays : int
        Lines that could not be read; events of instruments that are not attached.
    examples : deque of str
        The latest bad lines, cut, with what is wrong.
    """

    def __init__(self) -> None:
        self.markets: dict[str, Market] = {}
        self.counts: Counter[int] = Counter()
        self.bad_lines = 0
        self.strays = 0
        self.examples: deque[str] = deque(maxlen=MAX_EXAMPLES)
        self._known: dict[str, Market] = {}
        self._stamps = Stamps()
        self._cutter = LineCutter()
        self._scanned_alias = ""
        self._scanner: Scanner | None = None

    @property
    def waiting(self) -> int:
        """Bytes of a line that is not complete yet."""
        return self._cutter.waiting

    def receive(self, data: bytes, wall_ns: int, mono_ns: int) -> list[Published | wire.Message]:
        """Take in what was read at this time.

        Returns
        -------
        list
            ``(alias, batch)`` and messages in the order of the lines. An instrument's message comes before its first
            batch, and ``Detached`` after its last; ``Refused`` stands for an instrument that cannot be served.
        """
        out: list[Published | wire.Message] = list(self._step_clock(wall_ns, mono_ns))
        overlong = self._cutter.overlong
        block = self._cutter.cut(data)
        if self._cutter.overlong != overlong:
            self._note_bad(wire.bad_line(b"", ValueError("a line without end was dropped")))
        for piece in self._pieces(block):
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

    def _pieces(self, block: bytes) -> Iterator[Piece]:
        if self._scanner is not None and len(block) >= SCAN_BYTES:
            table = self._scanner.scan(block)
            if 2 * len(table.odd) <= table.rows.length:
                return self._scanned(table, self._scanned_alias)
        return self._joined(filter(None, map(self._read, block.split(b"\n"))))

    def _scanned(self, table: Table, alias: str) -> Iterator[Piece]:
        """Put what was left out of a table at its place, and hand on the rows between."""
        self._count(table)
        begin = 0
        for index in table.odd.tolist():
            message = self._read(table.line(index))
            if isinstance(message, wire.MarketMessage) and message.alias == alias:
                table.rows.put(index, row_of(message))
                continue
            if index > begin:
                yield alias, table.rows.take(slice(begin, index))
            begin = index + 1
            if message is not None:
                yield from self._joined([message])
        if begin < table.rows.length:
            yield alias, table.rows.take(slice(begin, None))

    def _count(self, table: Table) -> None:
        """Count the lines of a table that are not odd, whose kind is still 0."""
        for kind, lines in enumerate(np.bincount(table.rows.kind, minlength=1).tolist()):
            if lines and kind:
                self.counts[int(TYPE_OF_KIND[kind])] += lines

    def _read(self, line: bytes) -> wire.Message | None:
        """Read one line; None if it is empty or bad."""
        if not line:
            return None
        try:
            message = wire.parse(line)
        except wire.BadLineError as error:
            self._note_bad(error)
            return None
        self.counts[
            message.type if isinstance(message, wire.Other) else int(wire.TYPE_OF[type(message)])
        ] += 1
        return message

    def _joined(self, messages: Iterable[wire.Message]) -> Iterator[Piece]:
        """Put the events of one instrument that follow each other together."""
        alias, rows = "", list[Row]()
        for message in messages:
            if isinstance(message, wire.MarketMessage):
                if message.alias != alias and rows:
                    yield alias, Rows.of(rows)
                    rows = []
                alias = message.alias
                rows.append(row_of(message))
                continue
            if rows:
                yield alias, Rows.of(rows)
                rows = []
            yield message
        if rows:
            yield alias, Rows.of(rows)

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
        self._choose_scanned()
        return [] if market is None else [(alias, market.detach(self._stamps.last))]

    def _choose_scanned(self) -> None:
        """Read the instrument that was attached last the fast way; one process has one, as a rule."""
        alias = next(reversed(self.markets), "")
        if alias != self._scanned_alias:
            self._scanned_alias = alias
            self._scanner = Scanner(alias) if alias else None

    def _attach(self, info: wire.InstrumentInfo) -> list[Published | wire.Message]:
        try:
            instrument = instrument_of(info)
        except InstrumentError as error:
            return [*self._drop(info.alias), wire.Refused(info.alias, str(error))]
        market = self._known.setdefault(info.alias, Market(instrument))
        self.markets[info.alias] = market
        self._choose_scanned()
        return [info, (info.alias, market.attach(instrument, self._stamps.last))]

    def _note_bad(self, error: wire.BadLineError) -> None:
        self.bad_lines += 1
        self.examples.append(str(error))


def instrument_of(info: wire.InstrumentInfo) -> Instrument:
    """Return the instrument that Bookmap describes.

    Raises
    ------
    InstrumentError
        A tick or size that is not finite and positive, a name of control characters.

    Notes
    -----
    A tick is ``pips``, a lot 1 / ``size_multiplier``: both the package's own definitions and its code divide sizes by it.
    """
    multiplier = info.instrument_multiplier
    return Instrument(
        symbol=info.alias,
        tick_size=exact_step(info.alias, "pips", info.pips),
        lot_size=_tidy(1 / exact_step(info.alias, "size multiplier", info.size_multiplier)),
        multiplier=exact_step(info.alias, "multiplier", multiplier) if _is_step(multiplier) else Decimal(1),
        full_name=info.full_name,
        features={**info.features, "is_crypto": info.is_crypto},
    )


def exact_step(alias: str, what: str, value: float) -> Decimal:
    """Return the decimal that a double stands for.

    >>> exact_step("X", "pips", 0.25), exact_step("X", "pips", 0.009999999999999998)
    (Decimal('0.25'), Decimal('0.01'))
    """
    if not _is_step(value):
        raise InstrumentError(
            f"instrument {alias!r} has {what} {value}", expected=f"{SMALLEST_STEP:g} to {LARGEST_STEP:g}"
        )
    short = float(f"{value:.{SIGNIFICANT_DIGITS}g}")
    return _tidy(Decimal(repr(short if math.isclose(short, value, rel_tol=4e-16) else value)))


def _is_step(value: float) -> bool:
    return SMALLEST_STEP <= value <= LARGEST_STEP  # false for NaN


def _tidy(number: Decimal) -> Decimal:
    """Drop zeros at the end, but write no exponents: 100.0 is 100."""
    number = number.normalize()
    return number.quantize(Decimal(1)) if number == number.to_integral_value() else number
