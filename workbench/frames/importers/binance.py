"""Binance raw captures (``<local ns> <JSON>`` per line, futures and spot) as one stream of events.

The rows keep what the exchange sent, updates that change nothing included. The book goes live by the exchange's own
rules: futures keep the diff with U ≤ lastUpdateId ≤ u and chain by ``pu``; spot keeps U ≤ lastUpdateId + 1 ≤ u and
chains by U = previous u + 1. Diffs that came before the snapshot are applied when it comes. A broken chain is a gap,
and the book waits for the next snapshot.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import numpy as np

from workbench.errors import ImportFailedError
from workbench.events import Array, EventBatch, Instrument, IntArray
from workbench.frames.importers import binance_scan as scan
from workbench.frames.importers import binance_tables as table
from workbench.frames.importers.binance_check import QuoteCheck
from workbench.frames.importers.binance_plain import PlainParser, symbol_of
from workbench.frames.importers.binance_sync import KIND_NAMES, BookSync
from workbench.frames.importers.binance_tables import Piece, Tables
from workbench.frames.importers.files import (
    FinerGridError,
    Imported,
    Progress,
    Request,
    damaged,
    head,
    lines_of,
    read_lines,
)
from workbench.frames.importers.grid import (
    UNIT_DECIMALS,
    check_ticks,
    common_step,
    tick_units,
    to_grid,
    unit_decimal,
)

_SIZE = re.compile(rb'(?:"q": ?|\["[0-9.]+", ?)"[0-9]+\.([0-9]+)"')
SPOT_DECIMALS = 8
"""Spot sizes are multiples of 1e-8: the book holds odd lots below the declared step."""


@dataclasses.dataclass(slots=True)
class Grid:
    """Units of a capture: tick in 1e-8, sizes in 10^-size_decimals, and how many of those make a lot."""

    tick: int
    size_decimals: int
    lot: int
    fixed_tick: bool
    fixed_lot: bool

    @classmethod
    def of(cls, request: Request, futures: bool) -> Grid:
        """Grid that the caller named; what is unset (tick 0, and the futures' sizes) comes from the file."""
        tick = int((request.tick_size or Decimal(0)).scaleb(UNIT_DECIMALS))
        lot_size = request.lot_size
        if lot_size is None:
            decimals = _printed_decimals(request.paths[0]) if futures else SPOT_DECIMALS
            return cls(tick, decimals, 1, tick > 0, False)
        decimals = max(SPOT_DECIMALS, -int(lot_size.normalize().as_tuple().exponent))
        return cls(tick, decimals, int(lot_size.scaleb(decimals)), tick > 0, True)

    @property
    def tick_size(self) -> Decimal:
        """Price of one tick."""
        return unit_decimal(self.tick, UNIT_DECIMALS)

    @property
    def lot_size(self) -> Decimal:
        """Size of one lot."""
        return unit_decimal(self.lot, self.size_decimals)


def read(request: Request, *, futures: bool) -> Iterator[Imported]:
    """Read a capture; yields again, from the start, whenever a later value needs a finer grid than guessed.

    Parameters
    ----------
    request : Request
        Its files are chained in the order of their first stamps.
    futures : bool
        Which of the exchange's sequence rules hold.

    Yields
    ------
    Imported
        To be read until its stream raises FinerGridError; the next one then has the finer grid.
    """
    paths = _in_time_order(request.paths)
    symbol = request.symbol or symbol_of(paths[0], lines_of(paths[0]))
    grid = Grid.of(request, futures)
    while True:
        capture = Capture(
            paths, symbol, grid, futures=futures, progress=request.progress, check=request.check
        )
        capture.is_chosen = request.symbol is not None
        first = _first_batch(capture)
        if first is not None:
            instrument = Instrument(
                symbol, grid.tick_size, grid.lot_size, features={"depth": True, "mbo": False}
            )
            yield Imported(instrument, capture.batches(), capture.facts)
        if capture.finer is None:
            return
        grid = _finer(grid, capture.finer)


def _printed_decimals(path: Path) -> int:
    """Decimals of the sizes at the beginning of a file; futures print as many as their size step has."""
    return max((len(found) for found in _SIZE.findall(head(path))), default=0)


def _first_batch(capture: Capture) -> EventBatch | None:
    """Read far enough to know the grid."""
    try:
        return capture.start()
    except FinerGridError as finer:
        capture.finer = finer
        return None


def _finer(grid: Grid, found: FinerGridError) -> Grid:
    tick = found.tick if found.tick is not None else (grid.tick if grid.fixed_tick else 0)
    decimals = found.size_decimals if found.size_decimals is not None else grid.size_decimals
    return dataclasses.replace(grid, tick=tick, size_decimals=decimals)


def _in_time_order(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    return tuple(sorted(paths, key=_first_stamp)) if len(paths) > 1 else paths


def _first_stamp(path: Path) -> bytes:
    return next((line.partition(b" ")[0] for _, line in lines_of(path) if line.strip()), b"")


class Capture:
    """One pass over the files of one capture.

    Parameters
    ----------
    paths : tuple of Path
        In the order of time.
    symbol : str
    grid : Grid
        Its tick, when 0, is set from the prices of the first piece.
    check : bool
        Compare the book after every diff with the exchange's best quotes, for the manifest.
    """

    def __init__(
        self,
        paths: tuple[Path, ...],
        symbol: str,
        grid: Grid,
        *,
        futures: bool,
        progress: bool = False,
        check: bool = True,
    ):
        self.paths = paths
        self.symbol = symbol
        self.grid = grid
        self.is_chosen = False
        self.finer: FinerGridError | None = None
        self.facts: dict[str, object] = {}
        self._quoted = np.frombuffer(f'"{symbol}"'.encode(), np.uint8)
        self._progress = Progress(paths, progress)
        self._sync = BookSync(futures=futures)
        self._sequence = 0
        self._others: dict[str, int] = {}
        self._stream = self._batches()
        self._first: EventBatch | None = None
        self._wants_check = check
        self._check: QuoteCheck | None = None

    def start(self) -> EventBatch:
        """Read the first batch, by which the grid is known; it stays part of :meth:`batches`."""
        if self._first is None:
            # what is asked for may begin far into the file: without a row there is no grid
            self._first = next((batch for batch in self._stream if len(batch)), EventBatch.empty())
        return self._first

    def batches(self) -> Iterator[EventBatch]:
        """Events of all files; raises FinerGridError, kept in ``finer``, when the grid does not hold."""
        try:
            yield self.start()
            yield from self._stream
        except FinerGridError as finer:
            self.finer = finer
            raise

    def _batches(self) -> Iterator[EventBatch]:
        try:
            for path in self.paths:
                base = 0
                for piece in read_lines(path, self._progress.advance):
                    tables = self._tables(path, piece, base)
                    self._refuse_strangers(path, tables, base)
                    batch = self._batch(self._sync.advance(tables, path.name, base))
                    self._compare(batch, tables)
                    yield batch
                    base += len(tables.lines)
            self._refuse_other_symbols()
            yield self._batch(self._sync.finish())
        finally:
            self._progress.close()
        self.facts.update(self._sync.facts(), others=self._others, symbol=self.symbol)
        if self._check is not None:
            self.facts["bookticker_check"] = self._check.facts()

    def _refuse_other_symbols(self) -> None:
        """Say so when the symbol named is not there, and ask for one where none was named and there are several."""
        counts = self._sync.counts
        foreign = counts.get(KIND_NAMES[table.FOREIGN], 0)
        own = sum(counts.get(KIND_NAMES[kind], 0) for kind in (table.DEPTH, table.TRADE, table.TICKER))
        files = ", ".join(path.name for path in self.paths)
        if foreign and not own:
            raise ImportFailedError(
                f"no message of {self.symbol} in {files}",
                expected=f"the symbol of its messages, as {symbol_of(self.paths[0], lines_of(self.paths[0]))}",
                action="Correct symbol=, or leave it unset",
            )
        if foreign and not self.is_chosen:
            raise ImportFailedError(
                f"{own} messages of {self.symbol} and {foreign} of other symbols in {files}",
                expected="one instrument",
                action="Choose one with symbol=",
            )

    def _compare(self, batch: EventBatch, tables: Tables) -> None:
        rows, ids, early = self._sync.take_diffs()
        if not self._wants_check:
            return
        if self._check is None:
            self._check = QuoteCheck(self.grid.tick, self.grid.lot)
        # A diff of no rows at the very start of a piece has its book in the piece before.
        inside = rows >= 0
        self._check.advance(batch, rows[inside], ids[inside], early, tables.tickers[:, 1:])

    def _tables(self, path: Path, piece: bytes, base: int) -> Tables:
        text = np.frombuffer(piece, np.uint8)
        room = Tables.of_capacity(len(text))
        counts = np.zeros(3, np.int64)
        decimals = np.array([UNIT_DECIMALS, self.grid.size_decimals], np.int64)
        plain = PlainParser(path, self.symbol, self.grid.size_decimals)
        plain.others = self._others
        at, status = 0, scan.DONE
        while at < len(text):
            at, status = scan.scan(
                text,
                at,
                len(text),
                self._quoted,
                decimals,
                room.lines,
                room.prices,
                room.sizes,
                room.sides,
                room.tickers,
                counts,
            )
            if status == scan.HAND_OVER:
                line_end = piece.index(b"\n", at)
                try:
                    plain.parse(piece[at:line_end], base + int(counts[0]) + 1, room, counts)
                except FinerGridError as finer:
                    self._refuse_fixed(finer)
                    raise
                at = line_end + 1
        return room.first(counts)

    def _refuse_fixed(self, finer: FinerGridError) -> None:
        if self.grid.fixed_lot:
            raise damaged(
                self.paths[0],
                f"a size with {finer.size_decimals} decimals",
                f"multiples of lot_size={self.grid.lot_size}",
            ) from None

    def _refuse_strangers(self, path: Path, tables: Tables, base: int) -> None:
        kinds = tables.lines[:, table.KIND]
        chained = tables.lines[:, table.PREVIOUS_ID] >= 0
        wrong = np.flatnonzero((kinds == table.DEPTH) & (chained != self._sync.futures))
        if len(wrong):
            other = "binance-spot" if self._sync.futures else "binance-futures"
            raise damaged(
                path,
                f"a depth update {'without' if self._sync.futures else 'with'} 'pu', as of {other}",
                "the chain of the format named",
                line=base + int(wrong[0]) + 1,
            )

    def _batch(self, piece: Piece) -> EventBatch:
        prices, lots = self._on_grid(piece.prices, piece.sizes)
        n = len(prices)
        zeros = np.zeros(n, np.int64)
        columns: tuple[Array, ...] = (
            piece.ts,
            piece.source,
            piece.kinds,
            piece.sides,
            prices,
            lots,
            zeros,
            zeros,
            piece.flags,
        )
        batch = EventBatch.trusted(columns, self._sequence)
        self._sequence += n
        return batch

    def _on_grid(self, prices: IntArray, sizes: IntArray) -> tuple[Array, IntArray]:
        if not self.grid.tick:
            self.grid.tick = tick_units(common_step(prices)) if len(prices) else 1
        ticks = prices // self.grid.tick
        if not self.grid.fixed_tick and not np.array_equal(ticks * self.grid.tick, prices):
            raise FinerGridError(tick=tick_units(common_step(prices, self.grid.tick)))
        if self.grid.fixed_tick:
            ticks = to_grid(prices, self.grid.tick, "price", self.grid.tick_size)
        check_ticks(ticks)
        lots = sizes if self.grid.lot == 1 else to_lots(sizes, self.grid)
        return ticks.astype(np.int32), lots


def to_lots(sizes: IntArray, grid: Grid) -> IntArray:
    """Whole lots; −1 (a gap of unknown length) stays."""
    unknown = sizes < 0
    lots = to_grid(np.where(unknown, 0, sizes), grid.lot, "size", grid.lot_size)
    return np.where(unknown, sizes, lots)
