"""A small, exactly predictable market: the reference stream of the feed tests."""

from __future__ import annotations

import numpy as np

from workbench.events import EventBatch, EventKind, Flag, Instrument, IntArray, Side

START_NS = 1_700_000_000_000_000_000
LEVELS = 5
SNAPSHOT_ROWS = 2 * LEVELS + 2


class SyntheticSource:
    """One event every ``step_ns``: sizes of ten levels that change in turn, and a trade as every seventh event.

    Row ``i`` after the opening snapshot is a pure function of ``i``, so that any part of the stream can be compared
    with :func:`reference` without running anything.
    """

    def __init__(
        self,
        symbols: tuple[str, ...] = ("SYN",),
        step_ns: int = 1_000_000,
        count: int | None = None,
        seed: int = 0,
    ):
        self.instruments = tuple(Instrument(symbol, "0.25") for symbol in symbols)
        self.name = f"synthetic step={step_ns} count={count}"
        self.step_ns, self.count, self.seed = step_ns, count, seed
        self.start_ns = START_NS
        self.end_ns = None if count is None else START_NS + count * step_ns
        self.position_ns = self.start_ns - 1
        self._sequence = 0
        self._row = 0
        self._opening = True

    @property
    def exhausted(self) -> bool:
        return self.count is not None and self._row >= self.count and not self._opening

    def advance(self, until_ns: int, max_events: int | None = None) -> list[tuple[str, EventBatch]]:
        rows = max(0, (until_ns - self.start_ns) // self.step_ns)
        rows = rows if self.count is None else min(rows, self.count)
        if max_events is not None:
            rows = min(rows, self._row + max_events)
        if until_ns < self.position_ns and not self._opening:
            return []
        batches = []
        if self._opening:
            self._opening = False
            batches.append(snapshot(self._row, self.start_ns + self._row * self.step_ns, self._sequence))
            self._sequence += SNAPSHOT_ROWS
        if rows > self._row:
            batches.append(changes(self._row, rows, self.step_ns, self._sequence))
            self._sequence += rows - self._row
            self._row = rows
        self.position_ns = max(self.position_ns, self.start_ns + self._row * self.step_ns)
        return [(i.symbol, b) for b in batches for i in self.instruments]

    def seek(self, ts_ns: int) -> None:
        row = max(0, (ts_ns - self.start_ns) // self.step_ns)
        self._row = row if self.count is None else min(row, self.count)
        self.position_ns = self.start_ns + self._row * self.step_ns
        self._opening = True


def make(**options: object) -> SyntheticSource:
    """Build the source inside an engine process (``factory`` of a custom source)."""
    symbols = options.pop("symbols", ("SYN",))
    return SyntheticSource(tuple(symbols), **options)  # type: ignore[arg-type]


def reference(rows: int, step_ns: int = 1_000_000) -> EventBatch:
    """The whole stream: the opening snapshot and the first ``rows`` changes, sequence from 0."""
    opening = snapshot(0, START_NS, 0)
    return EventBatch.concatenate([opening, changes(0, rows, step_ns, len(opening))])


def changes(start: int, stop: int, step_ns: int, sequence: int) -> EventBatch:
    """Rows ``start`` to ``stop`` of the stream, the opening snapshot not counted."""
    row = np.arange(start, stop, dtype=np.int64)
    is_trade = row % 7 == 6
    level = row % (2 * LEVELS)
    side = np.where(level < LEVELS, Side.BID, Side.ASK)
    offset = np.where(level < LEVELS, -1 - level, 1 + level - LEVELS)
    return EventBatch.of(
        sequence,
        ts=START_NS + (row + 1) * step_ns,
        ts_source=START_NS + (row + 1) * step_ns - 100,
        kind=np.where(is_trade, EventKind.TRADE, EventKind.DEPTH),
        side=np.where(is_trade, np.where(row % 2, Side.BUY, Side.SELL), side),
        price=np.where(is_trade, 400, 400 + offset),
        size=np.where(is_trade, 1 + row % 3, _size(row)),
    )


def snapshot(row: int, ts: int, sequence: int) -> EventBatch:
    """CLEAR, the ten levels as they are after ``row`` changes, SNAPSHOT_END."""
    sizes = np.array([_size_at(level, row) for level in range(2 * LEVELS)], np.int64)
    offsets = np.array([-1 - i for i in range(LEVELS)] + [1 + i for i in range(LEVELS)])
    sides = np.repeat([Side.BID, Side.ASK], LEVELS)
    kind = [EventKind.CLEAR, *[EventKind.DEPTH] * (2 * LEVELS), EventKind.SNAPSHOT_END]
    return EventBatch.of(
        sequence,
        ts=ts,
        kind=kind,
        side=[0, *sides, 0],
        price=[0, *(400 + offsets), 0],
        size=[0, *sizes, 0],
        flags=[0, *[Flag.SNAPSHOT] * (2 * LEVELS), 0],
    )


def _size(row: IntArray) -> IntArray:
    return 1 + (row * 7919) % 97


def _size_at(level: int, row: int) -> int:
    last = row - 1 - (row - 1 - level) % (2 * LEVELS)
    while last >= 0 and last % 7 == 6:
        last -= 2 * LEVELS
    return int(_size(np.int64(last))) if last >= 0 else 10  # type: ignore[arg-type]
