"""From what was read of the socket to rows and messages, in order; whatever arrives, nothing is raised."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from workbench.bridge import wire
from workbench.bridge.chunks import LineCutter
from workbench.bridge.pattern import Pattern
from workbench.bridge.rows import Row, Rows, pack, row_of
from workbench.bridge.scanner import TYPE_OF_KIND, Scanner, Table
from workbench.events import Array

MAX_EXAMPLES: Final = 20
SCAN_LINES: Final = 360
"""Fewer lines are matched line by line: a scan costs some 300 µs, whatever it finds (measured)."""
SCAN_BYTES: Final = 64 << 10
"""So long a block is worth a scan without counting its lines, which would be a twentieth of the work."""

Piece = tuple[str, Rows] | wire.Message
Item = tuple[str, Row] | wire.Message


class LineReader:
    """Cut, read and count lines.

    Attributes
    ----------
    bad_lines : int
        Lines that could not be read.
    examples : deque of str
        The latest of them, cut, with what is wrong.
    """

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self._kinds = bytearray()  # of rows not yet counted
        self.bad_lines = 0
        self.examples: deque[str] = deque(maxlen=MAX_EXAMPLES)
        self._cutter = LineCutter()
        self._alias = ""
        self._scanner: Scanner | None = None
        self._pattern: Pattern | None = None

    @property
    def counts(self) -> Counter[int]:
        """Lines by type."""
        kinds, self._kinds = self._kinds, bytearray()
        self._count(np.frombuffer(kinds, np.uint8))
        return self._counts

    @property
    def waiting(self) -> int:
        """Bytes of a line that is not complete yet."""
        return self._cutter.waiting

    def expect(self, alias: str) -> None:
        """Read this instrument the fast way; one process has one, as a rule."""
        if alias != self._alias:
            self._alias = alias
            self._scanner = Scanner(alias) if alias else None
            self._pattern = Pattern(alias) if alias else None

    def read(self, data: bytes) -> Iterable[Piece]:
        """Rows of one instrument that follow each other, and messages, in the order of the lines."""
        overlong = self._cutter.overlong
        block = self._cutter.cut(data)
        if self._cutter.overlong != overlong:
            self._note_bad(wire.bad_line(b"", ValueError("a line without end was dropped")))
        if self._scanner is not None and (len(block) > SCAN_BYTES or block.count(b"\n") >= SCAN_LINES):
            table = self._scanner.scan(block)
            if 2 * len(table.odd) <= table.rows.length:
                return self._scanned(table, self._alias)
        if self._pattern is not None:
            try:
                return self._matched(self._pattern.read(block.decode()), self._alias)
            except UnicodeDecodeError:
                pass  # the bad line must be found
        return _joined(filter(None, map(self._read, block.split(b"\n"))))

    def _matched(self, parts: Iterable[tuple[bytearray, str]], alias: str) -> list[Piece]:
        """Put odd lines at their places between packed rows."""
        pieces: list[Piece] = []
        rows = bytearray()
        for more, odd in parts:
            rows = rows + more if rows else more
            item = self._read(odd.encode()) if odd else None
            if isinstance(item, tuple) and item[0] == alias:
                self._counts[TYPE_OF_KIND[item[1][0]]] -= 1  # counted with its neighbours
                rows += pack(*item[1])
            elif item is not None or not odd:
                if rows:
                    columns = Rows.packed(rows)
                    self._kinds += columns.kind.tobytes()
                    pieces.append((alias, columns))
                    rows = bytearray()
                if item is not None:
                    pieces += _joined([item])
        return pieces

    def _scanned(self, table: Table, alias: str) -> Iterator[Piece]:
        """Put what was left out of a table at its place, and hand on the rows between."""
        self._count(table.rows.kind)
        begin = 0
        for index in table.odd.tolist():
            item = self._read(table.line(index))
            if isinstance(item, tuple) and item[0] == alias:
                table.rows.put(index, item[1])
                continue
            if index > begin:
                yield alias, table.rows.take(slice(begin, index))
            begin = index + 1
            if item is not None:
                yield from _joined([item])
        if begin < table.rows.length:
            yield alias, table.rows.take(slice(begin, None))

    def _count(self, kinds: Array) -> None:
        """Count lines but the odd ones, whose kind is still 0."""
        for kind, lines in enumerate(np.bincount(kinds, minlength=1).tolist()):
            if lines and kind:
                self._counts[TYPE_OF_KIND[kind]] += lines

    def _read(self, line: bytes) -> Item | None:
        """Read one line; None if it is empty or bad."""
        if not line:
            return None
        try:
            message = wire.parse(line)
        except wire.BadLineError as error:
            self._note_bad(error)
            return None
        self._counts[
            message.type if isinstance(message, wire.Other) else int(wire.TYPE_OF[type(message)])
        ] += 1
        return (message.alias, row_of(message)) if isinstance(message, wire.MarketMessage) else message

    def _note_bad(self, error: wire.BadLineError) -> None:
        self.bad_lines += 1
        self.examples.append(str(error))


def _joined(items: Iterable[Item]) -> Iterator[Piece]:
    """Put the rows of one instrument that follow each other together."""
    alias, rows = "", list[Row]()
    for item in items:
        if isinstance(item, tuple) and item[0] == alias:
            rows.append(item[1])
            continue
        if rows:
            yield alias, Rows.of(rows)
            rows = []
        if isinstance(item, tuple):
            alias, rows = item[0], [item[1]]
        else:
            yield item
    if rows:
        yield alias, Rows.of(rows)
