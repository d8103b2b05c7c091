"""When a book of snapshot and diffs is true: Binance's sequence rules over tables of lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np

from workbench.events import Array, EventKind, Flag, IntArray
from workbench.frames.importers.binance_tables import (
    DEPTH,
    FIRST_ID,
    FOREIGN,
    KIND,
    LAST_ID,
    OTC,
    OTHER,
    PREVIOUS_ID,
    ROW,
    ROWS,
    SNAPSHOT,
    SOURCE,
    TICKER,
    TRADE,
    TS,
    Piece,
    Tables,
)

MAX_WAITING: Final = 50_000
"""Diffs kept while no snapshot has come (40 minutes at 20 a second); the oldest go first."""

KIND_NAMES: Final = {
    DEPTH: "depth",
    TRADE: "trade",
    TICKER: "bookTicker",
    SNAPSHOT: "snapshot",
    OTHER: "other",
    FOREIGN: "other symbol",
}


@dataclass(slots=True)
class Levels:
    """One snapshot or diff that waits: its line, where it stood, and its rows."""

    line: IntArray
    file: str
    number: int
    prices: IntArray
    sizes: IntArray
    sides: Array

    @property
    def first(self) -> int:
        """U of a diff."""
        return int(self.line[FIRST_ID])

    @property
    def last(self) -> int:
        """u of a diff, lastUpdateId of a snapshot."""
        return int(self.line[LAST_ID])


@dataclass(slots=True)
class BookSync:
    """State of one book between the lines: waiting for a snapshot, or live behind update ``last_id``.

    Parameters
    ----------
    futures : bool
        Which rules hold.
    """

    futures: bool
    live: bool = False
    last_id: int = -1
    last_trade: int = -1
    last_ts: int = 0
    snapshot: Levels | None = None
    waiting: list[Levels] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    starts: list[dict[str, object]] = field(default_factory=list)
    sequence_gaps: int = 0
    stale: int = 0
    forgotten: int = 0
    duplicates: int = 0
    empty_trades: int = 0
    stepped_back: int = 0
    level_entries: int = 0
    first_ts: int = 0
    diff_rows: list[IntArray] = field(default_factory=list)
    diff_ids: list[IntArray] = field(default_factory=list)
    early: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    _file: str = ""
    _base: int = 0

    def advance(self, tables: Tables, file: str, base: int) -> Piece:
        """Rows that the next lines add to the stream.

        Parameters
        ----------
        tables : Tables
        file : str
        base : int
            Number of lines before in this file.
        """
        self._file, self._base = file, base
        lines = tables.lines
        self._straighten(lines)
        for kind, count in zip(*np.unique(lines[:, KIND], return_counts=True)):
            name = KIND_NAMES[int(kind)]
            self.counts[name] = self.counts.get(name, 0) + int(count)
        self.level_entries += int(lines[lines[:, KIND] == DEPTH, ROWS].sum())
        pieces: list[Piece] = []
        edges = [-1, *np.flatnonzero(lines[:, KIND] == SNAPSHOT).tolist(), len(lines)]
        for before, after in pairwise(edges):
            self._run(tables, before + 1, after, pieces)
            if after < len(lines):
                self.snapshot = self._keep(tables, after)
                self._try_start(pieces, int(lines[after, TS]))
        return Piece.join(pieces)

    def take_diffs(self) -> tuple[IntArray, IntArray, IntArray]:
        """Since the last call: last row of each diff in its piece, its ``u``; best quotes inside snapshots."""
        none = np.empty(0, np.int64)
        rows, ids = np.concatenate([none, *self.diff_rows]), np.concatenate([none, *self.diff_ids])
        early = np.array(self.early, np.int64).reshape(-1, 5)
        self.diff_rows, self.diff_ids, self.early = [], [], []
        return rows, ids, early

    def finish(self) -> Piece:
        """Rows behind the last line: diffs that never met a snapshot are a gap."""
        lost = self.waiting and not self.live
        return Piece.marks(self.last_ts, (EventKind.GAP,) if lost else ())

    def facts(self) -> dict[str, object]:
        """Counts and what became of the synchronisation, for the manifest."""
        return {
            "counts": dict(self.counts),
            "sync": self.starts[0] if self.starts else {"live_t": None, "reason": "no usable snapshot"},
            "resyncs": self.starts[1:],
            "first_stamp": self.first_ts,
            "last_update_id": self.last_id,
            "level_entries": self.level_entries,
            "sequence_gaps": self.sequence_gaps,
            "duplicate_diffs_dropped": self.duplicates,
            "diffs_without_snapshot_dropped": self.forgotten,
            "trades_without_size_dropped": self.empty_trades,
            "stamps_out_of_order": self.stepped_back,
        }

    def _straighten(self, lines: IntArray) -> None:
        stamps = lines[:, TS]
        if not len(stamps):
            return
        blank = stamps == 0
        raised = np.maximum.accumulate(np.maximum(stamps, self.last_ts))
        moved = int(np.count_nonzero((raised != stamps) & ~blank))
        if moved or blank.any():
            self.stepped_back += moved
            stamps[:] = raised
        self.first_ts = self.first_ts or int(stamps[0])
        self.last_ts = int(stamps[-1])

    def _keep(self, tables: Tables, index: int) -> Levels:
        line = tables.lines[index].copy()
        rows = slice(int(line[ROW]), int(line[ROW] + line[ROWS]))
        return Levels(
            line,
            self._file,
            self._base + index + 1,
            tables.prices[rows].copy(),
            tables.sizes[rows].copy(),
            tables.sides[rows].copy(),
        )

    def _run(self, tables: Tables, start: int, stop: int, pieces: list[Piece]) -> None:
        kinds = tables.lines[:, KIND]
        while start < stop:
            if self.live:
                start = self._run_live(tables, start, stop, pieces)
                continue
            diffs = np.flatnonzero(kinds[start:stop] == DEPTH)
            if not len(diffs):
                self._emit(tables, start, stop, pieces, (TRADE,))
                return
            at = start + int(diffs[0])
            self._emit(tables, start, at, pieces, (TRADE,))
            self.waiting.append(self._keep(tables, at))
            if len(self.waiting) > MAX_WAITING:
                self.forgotten += 1
                del self.waiting[0]
            self._try_start(pieces, int(tables.lines[at, TS]))
            start = at + 1

    def _run_live(self, tables: Tables, start: int, stop: int, pieces: list[Piece]) -> int:
        """Emit until the chain breaks; the place to go on from."""
        where = start + np.flatnonzero(tables.lines[start:stop, KIND] == DEPTH)
        diffs = tables.lines[where]
        before = np.concatenate(([self.last_id], diffs[:-1, LAST_ID])) if len(diffs) else diffs[:, LAST_ID]
        linked = diffs[:, PREVIOUS_ID] == before if self.futures else diffs[:, FIRST_ID] == before + 1
        broken = np.flatnonzero(~linked)
        good = int(broken[0]) if len(broken) else len(diffs)
        if good:
            self.last_id = int(diffs[good - 1, LAST_ID])
        if not len(broken):
            self._emit(tables, start, stop, pieces, (DEPTH, TRADE))
            return stop
        at = int(where[good])
        self._emit(tables, start, at, pieces, (DEPTH, TRADE))
        if int(diffs[good, LAST_ID]) <= self.last_id:
            self.duplicates += 1  # files that overlap
            return at + 1
        self._break(self._keep(tables, at), pieces)
        return at + 1

    def _break(self, diff: Levels, pieces: list[Piece]) -> None:
        ts = int(diff.line[TS])
        pieces.append(Piece.marks(ts, (EventKind.GAP, EventKind.CLEAR)))
        self.sequence_gaps += 1
        self.live = False
        self.waiting = [diff]
        self._try_start(pieces, ts)

    def _is_stale(self, diff: Levels, snapshot: Levels) -> bool:
        return diff.last < snapshot.last if self.futures else diff.last <= snapshot.last

    def _try_start(self, pieces: list[Piece], ts: int) -> None:
        """Go live when the snapshot and a diff that reaches over it are both there."""
        snapshot = self.snapshot
        if self.live or snapshot is None:
            return
        fresh = [d for d in self.waiting if not self._is_stale(d, snapshot)]
        stale = len(self.waiting) - len(fresh)
        if fresh and fresh[0].first > snapshot.last + (0 if self.futures else 1):
            self.snapshot = None  # older than the oldest diff we have
            return
        self.stale += stale
        self.waiting = fresh
        if fresh:
            self._start(snapshot, pieces, ts)

    def _start(self, snapshot: Levels, pieces: list[Piece], ts: int) -> None:
        chain = self._chain(self.waiting)
        rest = self.waiting[len(chain) :]
        merged, quotes = _merged(snapshot, chain, ts)
        pieces.append(merged)
        self.early += quotes
        self.starts.append(self._start_facts(snapshot, chain, ts))
        self.live, self.last_id, self.stale = True, chain[-1].last, 0
        self.waiting, self.snapshot = [], None
        if rest:
            self._break(rest[0], pieces)
            self.waiting += rest[1:]

    def _chain(self, diffs: list[Levels]) -> list[Levels]:
        chain = diffs[:1]
        for diff in diffs[1:]:
            last = chain[-1].last
            if (int(diff.line[PREVIOUS_ID]) != last) if self.futures else (diff.first != last + 1):
                break
            chain.append(diff)
        return chain

    def _start_facts(self, snapshot: Levels, chain: list[Levels], ts: int) -> dict[str, object]:
        early = sum(1 for d in chain if (d.file, d.number) < (snapshot.file, snapshot.number))
        return {
            "live_t": ts,
            "snapshot": {
                "file": snapshot.file,
                "line": snapshot.number,
                "t": int(snapshot.line[TS]),
                "lastUpdateId": snapshot.last,
                "bids": int(np.count_nonzero(snapshot.sides > 0)),
                "asks": int(np.count_nonzero(snapshot.sides < 0)),
            },
            "first_valid_diff": {"line": chain[0].number, "U": chain[0].first, "u": chain[0].last},
            "stale_diffs_dropped": self.stale,
            "valid_diffs_before_snapshot_line": early,
            "diffs_applied_at_go_live": len(chain),
        }

    def _emit(
        self, tables: Tables, start: int, stop: int, pieces: list[Piece], kinds: tuple[int, ...]
    ) -> None:
        lines = tables.lines[start:stop]
        lines = lines[np.isin(lines[:, KIND], kinds)]
        lines = lines[self._wanted_trades(tables, lines)]
        if not len(lines):
            return
        counts = lines[:, ROWS]
        first, last = int(lines[0, ROW]), int(lines[-1, ROW] + lines[-1, ROWS])
        rows: slice | IntArray = slice(first, last)
        if last - first != counts.sum():
            offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
            rows = np.repeat(lines[:, ROW], counts) + offsets
        codes = np.where(lines[:, KIND] == TRADE, EventKind.TRADE, EventKind.DEPTH).astype(np.uint8)
        flags = np.where(lines[:, OTC] > 0, Flag.OTC, 0).astype(np.uint16)
        diffs = lines[:, KIND] == DEPTH
        before = sum(len(piece) for piece in pieces)
        self.diff_rows.append(before + np.cumsum(counts)[diffs] - 1)
        self.diff_ids.append(lines[diffs, LAST_ID])
        pieces.append(
            Piece(
                np.repeat(lines[:, TS], counts),
                np.repeat(lines[:, SOURCE], counts),
                np.repeat(codes, counts),
                tables.sides[rows],
                tables.prices[rows],
                tables.sizes[rows],
                np.repeat(flags, counts),
            )
        )

    def _wanted_trades(self, tables: Tables, lines: IntArray) -> Array:
        """Mask of lines: trades seen before (overlapping files) and prints of no size are left out."""
        wanted = np.ones(len(lines), np.bool_)
        where = np.flatnonzero(lines[:, KIND] == TRADE)
        if not len(where):
            return wanted
        ids = lines[where, FIRST_ID]
        newest = np.maximum.accumulate(np.concatenate(([self.last_trade], ids)))
        fresh = ids > newest[:-1]
        printed = tables.sizes[lines[where, ROW]] > 0
        self.duplicates += int(np.count_nonzero(~fresh))
        self.empty_trades += int(np.count_nonzero(fresh & ~printed))
        self.last_trade = int(newest[-1])
        wanted[where] = fresh & printed
        return wanted


Quote = tuple[int, int, int, int, int]


def _merged(snapshot: Levels, diffs: list[Levels], ts: int) -> tuple[Piece, list[Quote]]:
    """CLEAR, the book after the diffs (best first, bids then asks), SNAPSHOT_END; best quotes after each diff."""
    book: dict[tuple[int, int], tuple[int, int]] = {}
    quotes: list[Quote] = []
    for levels in (snapshot, *diffs):
        source = int(levels.line[SOURCE])
        for side, price, size in zip(levels.sides.tolist(), levels.prices.tolist(), levels.sizes.tolist()):
            if size:
                book[side, price] = (size, source)
            else:
                book.pop((side, price), None)
        quotes.append(_best(levels.last, book))
    keys = sorted(book, key=lambda k: (-k[0], -k[0] * k[1]))
    n = len(keys)
    body = Piece(
        np.full(n, ts),
        np.array([book[k][1] for k in keys], np.int64),
        np.full(n, EventKind.DEPTH, np.uint8),
        np.array([k[0] for k in keys], np.int8),
        np.array([k[1] for k in keys], np.int64),
        np.array([book[k][0] for k in keys], np.int64),
        np.full(n, Flag.SNAPSHOT, np.uint16),
    )
    clear, end = Piece.marks(ts, (EventKind.CLEAR,)), Piece.marks(ts, (EventKind.SNAPSHOT_END,))
    return Piece.join([clear, body, end]), quotes[1:]


def _best(update_id: int, book: dict[tuple[int, int], tuple[int, int]]) -> Quote:
    bid = max((k for k in book if k[0] > 0), default=(1, 0))
    ask = min((k for k in book if k[0] < 0), default=(-1, 0))
    return update_id, bid[1], book.get(bid, (0, 0))[0], ask[1], book.get(ask, (0, 0))[0]
