"""Databento DBN files (MBO, MBP-1, MBP-10, trades, with definitions beside them) as one stream of events.

Read by the vendor's own package; this module says what the records mean. Receive time is ``ts_recv``.
"""

from __future__ import annotations

import itertools
import warnings
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.errors import ImportFailedError, MissingExtraError
from workbench.events import SUBTICK_SHIFT, SUBTICKS_PER_TICK, Array, EventBatch, Instrument
from workbench.frames.importers.dbn_orders import OrderRecords
from workbench.frames.importers.files import Imported, Progress, Request, damaged
from workbench.frames.importers.grid import (
    chosen_tick,
    common_step,
    tick_units,
    to_grid,
    unit_decimal,
    units_of,
)
from workbench.frames.importers.rows import Rows

if TYPE_CHECKING:
    from databento import DBNStore

DECIMALS: Final = 9
ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
UNDEFINED: Final = 2**63 - 1
RECORDS: Final = 100_000
SCHEMAS: Final = ("mbo", "mbp-1", "mbp-10", "trades", "tbbo")
SIDES: Final = {b"B": 1, b"A": -1, b"N": 0}


def read(request: Request) -> Imported:
    """Read DBN files of one schema; definitions among them give tick and multiplier.

    Raises
    ------
    MissingExtraError
        The package ``databento`` is not installed.
    ImportFailedError
        Damaged, of another schema, or of several instruments and none chosen.
    """
    stores = {path: _open(path) for path in request.paths}
    definitions = {p: s for p, s in stores.items() if str(s.schema) == "definition"}
    data = {p: s for p, s in stores.items() if str(s.schema) != "definition"}
    schemas = sorted({str(s.schema) for s in data.values()})
    if len(schemas) != 1 or schemas[0] not in SCHEMAS:
        raise ImportFailedError(
            f"schemas {', '.join(schemas) or 'definition'} in {', '.join(p.name for p in request.paths)}",
            expected=f"files of one schema of {', '.join(SCHEMAS)}, and definitions beside them",
            action="Import the schemas one by one",
        )
    number, symbol = _instrument_of(request, data)
    defined = _definition(definitions, request.symbol or symbol, number)
    tick = _tick(request, data, number, defined)
    instrument = Instrument(
        request.symbol or symbol,
        unit_decimal(tick, DECIMALS),
        request.lot_size or Decimal(1),
        multiplier=defined.get("multiplier", Decimal(1)),
        features={"depth": schemas[0] != "trades", "mbo": schemas[0] == "mbo"},
    )
    lot = _lot(request)
    facts: dict[str, object] = {
        "symbol": symbol,
        "schema": schemas[0],
        "dataset": next(iter(data.values())).dataset,
    }
    stream = _Stream(data, schemas[0], number, tick, lot, facts, request.progress)
    return Imported(instrument, stream.batches(), facts)


def _open(path: Path) -> DBNStore:
    try:
        import databento
    except ImportError as error:
        raise MissingExtraError.of("databento", "formats") from error
    data = path.read_bytes()
    try:
        _check_complete(path, data)
        # from_bytes, not from_file: the vendor's reader leaves its file open.
        return databento.DBNStore.from_bytes(data)
    except _errors() as error:
        raise damaged(
            path, f"no readable DBN header ({str(error)[:80]})", "a DBN file, plain or zstd"
        ) from error


def _check_complete(path: Path, data: bytes) -> None:
    """Refuse a zstd stream without its end: the vendor's reader stops there without a word."""
    import zstandard

    while data.startswith(ZSTD_MAGIC):
        decoder = zstandard.ZstdDecompressor().decompressobj()
        size = len(data)
        decoder.decompress(data)
        if not decoder.eof:
            raise damaged(path, "the zstd stream is cut", "a file with its end", byte=path.stat().st_size)
        data = decoder.unused_data
        if len(data) == size:
            break


def _errors() -> tuple[type[Exception], ...]:
    from databento import BentoError
    from databento.common.error import BentoWarning
    from databento_dbn import DBNError
    from zstandard import ZstdError

    return (BentoError, BentoWarning, DBNError, ZstdError, ValueError, RuntimeError, OSError, EOFError)


def records(path: Path, store: DBNStore) -> Iterator[Array]:
    """Structured arrays of up to 100,000 records each.

    Raises
    ------
    ImportFailedError
        The file is cut or garbled; names the record.
    """
    done = 0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a cut record is only a warning there
            pieces = iter(store.to_ndarray(schema=store.schema, count=RECORDS))
        while True:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                piece = next(pieces, None)
            if piece is None:
                return
            yield piece
            done += len(piece)
    except _errors() as error:
        raise damaged(path, f"cut or garbled ({error})", "an intact DBN file", record=done) from error


def _instrument_of(request: Request, data: dict[Path, DBNStore]) -> tuple[int, str]:
    names: dict[int, str] = {}
    for store in data.values():
        for symbol, intervals in store.mappings.items():
            for interval in intervals:
                if str(interval["symbol"]).isdigit():
                    names[int(interval["symbol"])] = symbol
    seen: Counter[int] = Counter()
    for path, store in data.items():
        for piece in records(path, store):
            numbers, counts = np.unique(piece["instrument_id"], return_counts=True)
            seen.update(dict(zip(numbers.tolist(), counts.tolist())))
    found = {names.get(number, str(number)): number for number in seen}
    if request.symbol in found:
        return found[request.symbol], request.symbol
    if len(found) == 1:
        symbol, number = next(iter(found.items()))
        return number, symbol
    raise ImportFailedError(
        f"instruments {', '.join(sorted(found)) or 'none'} in {', '.join(p.name for p in data)}",
        expected="one instrument" if request.symbol is None else f"one of them, not {request.symbol!r}",
        action="Choose one with symbol=" if found else "Fetch the file again",
        symbols=tuple(sorted(found)),
    )


def _definition(definitions: dict[Path, DBNStore], symbol: str, number: int) -> dict[str, Decimal]:
    for path, store in definitions.items():
        for piece in records(path, store):
            for row in piece:
                if int(row["instrument_id"]) == number or row["raw_symbol"].decode() == symbol:
                    found = {"tick": unit_decimal(int(row["min_price_increment"]), DECIMALS)}
                    if 0 < row["unit_of_measure_qty"] < UNDEFINED:
                        found["multiplier"] = unit_decimal(int(row["unit_of_measure_qty"]), DECIMALS)
                    return found
    return {}


def _tick(request: Request, data: dict[Path, DBNStore], number: int, defined: dict[str, Decimal]) -> int:
    if request.tick_size is None and "tick" in defined:
        return units_of(str(defined["tick"]), DECIMALS)
    step = 0
    for path, store in data.items():
        for piece in records(path, store):
            ours = piece[piece["instrument_id"] == number]
            for name in (n for n in piece.dtype.names or () if n == "price" or "_px_" in n):
                prices = np.unique(ours[name])
                step = common_step(prices[prices != UNDEFINED], step)
    if request.tick_size is None:
        return tick_units(step) if step else 1
    tick = chosen_tick(request.tick_size, DECIMALS)
    to_grid(
        np.array([step]), tick, "price", request.tick_size
    )  # what divides all divides their greatest divisor
    return tick


def _lot(request: Request) -> int:
    lot = request.lot_size or Decimal(1)
    if lot != int(lot):
        raise ImportFailedError(f"lot_size={lot}", expected="whole contracts", action="Leave lot_size unset")
    return int(lot)


class _Stream:
    """Records of the files in the order of time, as batches."""

    def __init__(
        self,
        data: dict[Path, DBNStore],
        schema: str,
        number: int,
        tick: int,
        lot: int,
        facts: dict[str, object],
        progress: bool,
    ):
        self.data = dict(sorted(data.items(), key=lambda item: int(item[1].metadata.start)))
        self.schema = schema
        self.number = number
        self.tick = tick
        self.lot = lot
        self.facts = facts
        self.progress = Progress(self.data, progress)
        self.rows = Rows()

    def batches(self) -> Iterator[EventBatch]:
        reader = (
            OrderRecords(self.rows)
            if self.schema == "mbo"
            else QuoteRecords(self.rows, self.schema, self.tick, self.lot)
        )
        actions: Counter[str] = Counter()
        try:
            for path, store in self.data.items():
                for piece in records(path, store):
                    ours = piece[piece["instrument_id"] == self.number]
                    _count(ours, actions)
                    reader.read(ours, *self._grid(path, ours))
                    yield self.rows.take()
                self.progress.advance(path.stat().st_size)
            reader.finish()
            yield self.rows.take()
        finally:
            self.progress.close()
        self.facts.update(
            counts={
                "records": sum(actions.values()),
                **{f"action_{k}": n for k, n in sorted(actions.items())},
            },
            stamps_out_of_order=self.rows.stepped_back,
            **reader.facts(),
        )

    def _grid(self, path: Path, piece: Array) -> tuple[list[int], list[int], list[int]]:
        """Ticks at or below, thousandths above, and lots of each record."""
        prices = np.where(piece["price"] == UNDEFINED, 0, piece["price"])
        ticks = prices // self.tick
        rest = (prices - ticks * self.tick) * SUBTICKS_PER_TICK // self.tick
        sizes = piece["size"].astype(np.int64)
        if (sizes % self.lot).any():
            raise damaged(path, f"a size that is no multiple of {self.lot}", "sizes in whole lots")
        return ticks.tolist(), (rest << SUBTICK_SHIFT).tolist(), (sizes // self.lot).tolist()


def _count(piece: Array, actions: Counter[str]) -> None:
    for action, side in itertools.product(np.unique(piece["action"]), np.unique(piece["side"])):
        count = int(np.count_nonzero((piece["action"] == action) & (piece["side"] == side)))
        if count:
            actions[(action + side).decode()] += count


class QuoteRecords:
    """MBP-n and trades records: prints, and the changes of the best n levels.

    Parameters
    ----------
    rows : Rows
        Gets the events.
    schema : str
    tick, lot : int
        In 1e-9 and in contracts.
    """

    def __init__(self, rows: Rows, schema: str, tick: int, lot: int):
        self.rows = rows
        self.tick = tick
        self.lot = lot
        self.levels = {"mbp-1": 1, "tbbo": 1, "mbp-10": 10}.get(schema, 0)
        self.book: dict[int, dict[int, int]] | None = None

    def read(self, piece: Array, ticks: list[int], subticks: list[int], lots: list[int]) -> None:
        """Add the records of one array."""
        stamps, sources = piece["ts_recv"].tolist(), piece["ts_event"].tolist()
        actions, sides = piece["action"].tolist(), piece["side"].tolist()
        columns = self._columns(piece)
        for i, action in enumerate(actions):
            ts = self.rows.stamp(stamps[i])
            if action == b"T":
                self.rows.trade(ts, sources[i], SIDES[sides[i]], ticks[i], lots[i], flags=subticks[i])
            if columns:
                self._change(
                    ts, sources[i], {s: {p[i]: z[i] for p, z in columns[s] if z[i]} for s in (1, -1)}
                )

    def finish(self) -> None:
        """Nothing waits."""

    def facts(self) -> dict[str, object]:
        """Levels per side that the file shows."""
        return {"levels": self.levels}

    def _columns(self, piece: Array) -> dict[int, list[tuple[list[int], list[int]]]]:
        if not self.levels:
            return {}
        found: dict[int, list[tuple[list[int], list[int]]]] = {}
        for side, name in ((1, "bid"), (-1, "ask")):
            found[side] = []
            for n in range(self.levels):
                prices = piece[f"{name}_px_{n:02}"]
                sizes = np.where(prices == UNDEFINED, 0, piece[f"{name}_sz_{n:02}"]).astype(np.int64)
                found[side].append(((prices // self.tick).tolist(), (sizes // self.lot).tolist()))
        return found

    def _change(self, ts: int, source: int, sides: dict[int, dict[int, int]]) -> None:
        if self.book is None:
            self.rows.snapshot(ts, source, sides)
        else:
            for side, after in sides.items():
                before = self.book[side]
                for price in before:
                    if price not in after:
                        self.rows.depth(ts, source, side, price, 0)
                for price, size in after.items():
                    if before.get(price) != size:
                        self.rows.depth(ts, source, side, price, size)
        self.book = sides
