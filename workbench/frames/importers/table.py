"""Tables of trades or levels in CSV files: columns by their names, exact grids, one stream in the order of time.

Columns of a plain table (any order; aliases in :data:`ALIASES`):

=============  =======================================================================================
``ts``         receive time: ns, µs, ms or s since the epoch (by magnitude), or ISO 8601 (UTC if naive)
``ts_source``  optional: the venue's own time
``price``      decimal
``size``       decimal; for levels the new total, 0 removes
``side``       levels: bid or ask; trades: buy or sell (the aggressor); missing: unknown aggressor
``snapshot``   optional, levels: true for rows that are part of a snapshot
``symbol``     optional
=============  =======================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from workbench.errors import ImportFailedError
from workbench.events import Array, EventBatch, EventKind, Flag, Instrument, IntArray
from workbench.frames.importers.files import Imported, Progress, Request, damaged, read_raw
from workbench.frames.importers.grid import (
    UNIT_DECIMALS,
    check_ticks,
    common_step,
    text_units,
    tick_units,
    to_grid,
    unit_decimal,
)
from workbench.frames.importers.rows import BATCH_ROWS

ALIASES: Final[dict[str, tuple[str, ...]]] = {
    "ts": ("ts", "local_timestamp", "ts_recv", "receive_time", "timestamp", "time", "datetime", "date"),
    "ts_source": ("ts_source", "ts_event", "exchange_time", "event_time"),
    "price": ("price", "px", "p"),
    "size": ("size", "amount", "qty", "quantity", "volume", "q"),
    "side": ("side", "aggressor", "aggressor_side", "taker_side", "direction"),
    "maker": ("is_buyer_maker", "isbuyermaker", "buyer_maker"),
    "snapshot": ("snapshot", "is_snapshot"),
    "symbol": ("symbol", "instrument", "ticker", "pair"),
}
TRADE_SIDES: Final = {"buy": 1, "sell": -1, "s": -1, "long": 1, "short": -1}
DEPTH_SIDES: Final = {"bid": 1, "ask": -1, "a": -1, "offer": -1, "bids": 1, "asks": -1}
EITHER_SIDES: Final = {"b": 1, "1": 1, "+1": 1, "-1": -1, "": 0, "0": 0, "n": 0, "none": 0, "unknown": 0}
TRUE: Final = ("true", "1", "t", "yes")


@dataclass(slots=True)
class Part:
    """Rows of one file as arrays of equal length; prices and sizes in 1e-8."""

    ts: IntArray
    source: IntArray
    kind: Array
    side: Array
    price: IntArray
    size: IntArray
    flags: Array
    facts: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ts)


def read(request: Request) -> Imported:
    """Read plain tables of trades or levels.

    Raises
    ------
    ImportFailedError
        A missing column, a value that does not read, or several symbols and none chosen.
    """
    frames = {path: read_csv(path) for path in request.paths}
    symbol = choose_symbol(request, frames)
    parts = [plain_part(path, of_symbol(frame, symbol)) for path, frame in frames.items()]
    return joined(request, symbol or request.paths[0].name.partition(".")[0], parts)


def read_csv(path: Path) -> pl.DataFrame:
    """All columns as text, names in lower case.

    Raises
    ------
    ImportFailedError
        No header, ragged rows, or a last line that is cut.
    """
    data = b"".join(read_raw(path))
    try:
        frame = pl.read_csv(BytesIO(data), infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise damaged(
            path, f"does not read as CSV ({str(error).splitlines()[0][:80]})", "a header and rows"
        ) from error
    return frame.rename({name: name.strip().lower() for name in frame.columns})


def column_of(frame: pl.DataFrame, name: str) -> str | None:
    """Name under which a table has a column."""
    return next((alias for alias in ALIASES[name] if alias in frame.columns), None)


def required(path: Path, frame: pl.DataFrame, name: str) -> pl.Series:
    """Values of a column that must be there, in every row."""
    found = column_of(frame, name)
    if found is None:
        raise damaged(
            path,
            f"columns {', '.join(frame.columns[:8])}",
            f"a column {name!r} (or {', '.join(ALIASES[name][1:])})",
        )
    values = frame[found].str.strip_chars()
    if values.null_count():
        row = int(values.is_null().arg_max() or 0)
        raise damaged(path, f"no {found} in the row", "a value in every row", line=row + 2)
    return values


def choose_symbol(request: Request, frames: dict[Path, pl.DataFrame]) -> str | None:
    """Symbol of the tables, None where they name none.

    Raises
    ------
    ImportFailedError
        Several and none chosen, or another chosen.
    """
    found: set[str] = set()
    for frame in frames.values():
        column = column_of(frame, "symbol")
        if column:
            found |= set(frame[column].drop_nulls().unique().to_list())
    if request.symbol is not None and (not found or request.symbol in found):
        return request.symbol
    if len(found) > 1 or request.symbol is not None:
        raise ImportFailedError(
            f"symbols {', '.join(sorted(found))}",
            expected="one symbol" if request.symbol is None else f"one of them, not {request.symbol!r}",
            action="Choose one with symbol=",
            symbols=tuple(sorted(found)),
        )
    return next(iter(found), None)


def of_symbol(frame: pl.DataFrame, symbol: str | None) -> pl.DataFrame:
    """Rows of one symbol; all where the table names none."""
    column = column_of(frame, "symbol")
    return frame if column is None or symbol is None else frame.filter(pl.col(column) == symbol)


def times(path: Path, values: pl.Series) -> IntArray:
    """ns since the epoch of times in any of the documented spellings.

    Raises
    ------
    ImportFailedError
        The first value that is no time.
    """
    parts = values.str.split_exact(".", 1).struct.unnest()
    whole = parts["field_0"].cast(pl.Int64, strict=False)
    if whole.null_count() == len(whole) and len(whole):
        return _iso(path, values)
    # The unit by magnitude: seconds stay below 1e11 until the year 5138.
    digits = len(str(abs(int(whole.drop_nulls().max() or 0))))  # type: ignore[arg-type]
    decimals = 9 if digits <= 11 else 6 if digits <= 14 else 3 if digits <= 17 else 0
    rest = parts["field_1"].fill_null("").str.slice(0, decimals).str.pad_end(decimals, "0")
    ns = whole * 10**decimals + (rest.cast(pl.Int64, strict=False) if decimals else 0)
    _refuse_null(path, values, ns, "a time in ns, µs, ms, s or ISO 8601")
    found: IntArray = ns.to_numpy()
    return found


def _iso(path: Path, values: pl.Series) -> IntArray:
    try:
        stamps = values.str.to_datetime(time_unit="ns", time_zone="UTC", strict=False)
    except pl.exceptions.PolarsError:
        stamps = pl.Series([None] * len(values), dtype=pl.Datetime("ns", "UTC"))
    ns = stamps.to_physical()
    _refuse_null(path, values, ns, "a time in ns, µs, ms, s or ISO 8601")
    return ns.to_numpy()


def _refuse_null(path: Path, values: pl.Series, read: pl.Series, expected: str) -> None:
    if read.null_count():
        row = int(read.is_null().arg_max() or 0)
        raise damaged(path, f"{values.name} {values[row]!r}", expected, line=row + 2)


def units(path: Path, values: pl.Series) -> IntArray:
    """Multiples of 1e-8 of decimal texts."""
    numbers = values.cast(pl.Float64, strict=False)
    _refuse_null(path, values, numbers, "a number")
    try:
        return text_units(values.to_numpy(), UNIT_DECIMALS)
    except ValueError as error:
        raise damaged(path, f"{values.name}: {error}", "a finite number of at most 8 decimals") from error


def plain_part(path: Path, frame: pl.DataFrame) -> Part:
    """Rows of a plain table: levels when its sides are bid and ask, trades otherwise."""
    stamps = times(path, required(path, frame, "ts"))
    source_name = column_of(frame, "ts_source")
    source = times(path, frame[source_name]) if source_name else np.zeros(len(frame), np.int64)
    sides, depth = _sides(path, frame)
    price, size = units(path, required(path, frame, "price")), units(path, required(path, frame, "size"))
    if not depth:
        return trades_part(stamps, source, sides, price, size)
    snapshot_name = column_of(frame, "snapshot")
    flags = frame[snapshot_name].str.to_lowercase().is_in(TRUE).to_numpy() if snapshot_name else None
    return depth_part(stamps, source, sides, price, size, flags)


def _sides(path: Path, frame: pl.DataFrame) -> tuple[Array, bool]:
    maker = column_of(frame, "maker")
    if maker:
        return np.where(frame[maker].str.to_lowercase().is_in(TRUE).to_numpy(), -1, 1).astype(np.int8), False
    name = column_of(frame, "side")
    if name is None:
        return np.zeros(len(frame), np.int8), False
    values = frame[name].fill_null("").str.strip_chars().str.to_lowercase()
    found = set(values.unique().to_list())
    depth = bool(found & set(DEPTH_SIDES)) or (name == "side" and found == {"b"})
    known = {**EITHER_SIDES, **(DEPTH_SIDES if depth else TRADE_SIDES)}
    for text in sorted(found - set(known)):
        row = int((values == text).arg_max() or 0)
        raise damaged(path, f"{name} {text!r}", "buy or sell for trades, bid or ask for levels", line=row + 2)
    return values.replace_strict(known, return_dtype=pl.Int8).to_numpy(), depth


def trades_part(ts: IntArray, source: IntArray, sides: Array, price: IntArray, size: IntArray) -> Part:
    """Rows that are prints."""
    n = len(ts)
    kinds = np.full(n, EventKind.TRADE, np.uint8)
    facts = {"trades": n}
    return Part(ts, source, kinds, sides, price, size, np.zeros(n, np.uint16), facts)


def depth_part(
    ts: IntArray, source: IntArray, sides: Array, price: IntArray, size: IntArray, snapshot: Array | None
) -> Part:
    """Rows that set levels; a run of snapshot rows is framed by CLEAR and SNAPSHOT_END.

    A snapshot after updates means that the recorder was cut off in between: a gap stands before it. Without a
    column of snapshots the book starts empty.
    """
    n = len(ts)
    given = snapshot is not None
    inside = snapshot if snapshot is not None else np.zeros(n, np.bool_)
    starts = np.flatnonzero(inside & ~np.concatenate(([False], inside[:-1]))) if n else np.zeros(0, np.int64)
    ends = np.flatnonzero(inside & ~np.concatenate((inside[1:], [False]))) if n else np.zeros(0, np.int64)
    marks: list[tuple[int, EventKind]] = []
    if not given and n:
        marks += [(0, EventKind.CLEAR), (0, EventKind.SNAPSHOT_END)]
    for start, end in zip(starts.tolist(), ends.tolist()):
        if start:
            marks.append((start, EventKind.GAP))
        marks += [(start, EventKind.CLEAR), (end + 1, EventKind.SNAPSHOT_END)]
    where = np.array([at for at, _ in marks], np.int64)
    codes = np.array([kind for _, kind in marks], np.uint8)
    neighbour = np.where(codes == EventKind.SNAPSHOT_END, np.maximum(where - 1, 0), where)
    flags = np.where(inside, int(Flag.SNAPSHOT), 0).astype(np.uint16)
    facts = {
        "level_updates": n,
        "snapshot_rows": int(np.count_nonzero(inside)),
        "snapshots": len(starts),
        "starts_empty": int(not given),
    }
    return Part(
        np.insert(ts, where, ts[neighbour]),
        np.insert(source, where, source[neighbour]),
        np.insert(np.full(n, EventKind.DEPTH, np.uint8), where, codes),
        np.insert(sides, where, 0),
        np.insert(price, where, 0),
        np.insert(size, where, np.where(codes == EventKind.GAP, -1, 0)),
        np.insert(flags, where, 0),
        facts,
    )


def joined(request: Request, symbol: str, parts: list[Part]) -> Imported:
    """One stream of several tables, merged by receive time; ties in the order of the files."""
    columns = {name: np.concatenate([getattr(p, name) for p in parts]) for name in Part.__slots__[:7]}
    stamps = columns["ts"]
    # Rows of one file stay in their order even where its clock stepped back.
    straight = np.concatenate([np.maximum.accumulate(p.ts) for p in parts])
    order = np.argsort(straight, kind="stable")
    priced = np.isin(columns["kind"], (EventKind.DEPTH, EventKind.TRADE))
    tick = _tick(request, columns["price"][priced])
    lot = _lot(request, columns["size"][priced])
    ticks = np.zeros(len(order), np.int64)
    ticks[priced] = to_grid(columns["price"][priced], tick, "price", unit_decimal(tick, UNIT_DECIMALS))
    lots = columns["size"].copy()
    lots[priced] = to_grid(columns["size"][priced], lot, "size", unit_decimal(lot, UNIT_DECIMALS))
    check_ticks(ticks)
    whole = EventBatch.of(
        0,
        ts=straight[order],
        ts_source=columns["source"][order],
        kind=columns["kind"][order],
        side=columns["side"][order],
        price=ticks[order],
        size=lots[order],
        flags=columns["flags"][order],
    )
    instrument = Instrument(
        symbol,
        unit_decimal(tick, UNIT_DECIMALS),
        unit_decimal(lot, UNIT_DECIMALS),
        features={"depth": bool((whole.kind == EventKind.DEPTH).any()), "mbo": False},
    )
    facts: dict[str, object] = {"symbol": symbol, "stamps_out_of_order": int((straight != stamps).sum())}
    counts: dict[str, int] = {}
    for part in parts:
        for name, value in part.facts.items():
            counts[name] = counts.get(name, 0) + value
    facts["counts"] = counts
    progress = Progress(request.paths, request.progress)
    for path in request.paths:
        progress.advance(path.stat().st_size)
    progress.close()
    batches = [whole[i : i + BATCH_ROWS] for i in range(0, len(whole), BATCH_ROWS)]
    return Imported(instrument, batches, facts)


def _tick(request: Request, prices: IntArray) -> int:
    if request.tick_size is not None:
        return int(request.tick_size.scaleb(UNIT_DECIMALS))
    return tick_units(common_step(np.unique(prices))) if len(prices) else 1


def _lot(request: Request, sizes: IntArray) -> int:
    """Largest power of ten that divides every size, so that 0.001 stays 0.001 and contracts stay contracts."""
    if request.lot_size is not None:
        return int(request.lot_size.scaleb(UNIT_DECIMALS))
    step = common_step(np.unique(sizes))
    lot = 1
    while step and step % (lot * 10) == 0 and lot < Decimal(10) ** UNIT_DECIMALS:
        lot *= 10
    return lot
