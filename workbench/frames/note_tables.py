"""Notes as tables: ``orders`` and ``annotations``, a row for each note, columns for what most of them say.

Columns hold what a message has under the same name; what it lacks, or has in another type, is null, and so is empty
text. The whole message stands in ``data``, as JSON. Rows keep the order in which the messages came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

import msgspec
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.errors import DamagedError
from workbench.frames.durable import sync_directory, sync_file, write_error
from workbench.frames.manifest import FileFact
from workbench.frames.notes import TABLES, Note
from workbench.frames.parquet import file_fact

BATCH_NOTES: Final = 16_384
_TEXT, _REAL, _COUNT, _TRUTH = pl.String(), pl.Float64(), pl.Int64(), pl.Boolean()
_HEAD: Final = {"ts": pl.Datetime("ns", "UTC"), "kind": _TEXT}

ORDERS: Final = pl.Schema(
    _HEAD
    | dict.fromkeys(("symbol", "client_order_id", "order_id", "status", "side", "order_type", "time_in_force"), _TEXT)
    | dict.fromkeys(("quantity", "filled", "leaves", "price", "stop_price", "avg_price"), _REAL)
    | {"execution_id": _TEXT, "size": _REAL, "fee": _REAL, "liquidity": _TEXT}
    | dict.fromkeys(("position", "realized", "unrealized", "volume"), _REAL)
    | {"working_buys": _COUNT, "working_sells": _COUNT, "currency": _TEXT, "cash": _REAL, "equity": _REAL}
    | dict.fromkeys(("possible", "permitted", "armed", "unknown", "simulated"), _TRUTH)
    | {"account": _TEXT, "reason": _TEXT, "data": _TEXT}
)  # fmt: skip
ANNOTATIONS: Final = pl.Schema(
    _HEAD
    | dict.fromkeys(("symbol", "provider", "generator", "indicator"), _TEXT)
    | {"value": _REAL, "where": _TEXT, "data": _TEXT}
)
SCHEMAS: Final = {"orders": ORDERS, "annotations": ANNOTATIONS}
"""Columns of each table."""

LEFT_OUT: Final[Mapping[str, Mapping[str, object]]] = {
    "ORDER": {"time_in_force": "GTC", "unknown": False, "simulated": False},
    "FILL": {"fee": 0.0, "simulated": False},
    "POSITION": {"volume": 0.0, "working_buys": 0, "working_sells": 0},
    "TRADING": {"possible": False, "permitted": False, "armed": False},
    "DRAWN": {"where": "chart"},
}
"""What a message of the protocol says by leaving a field out."""


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _real(value: object) -> float | None:
    if type(value) is int and abs(value) <= 2**63:
        return float(value)
    return value if isinstance(value, float) else None


def _count(value: object) -> int | None:
    return value if type(value) is int and -(2**63) <= value < 2**63 else None


def _truth(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


_BY_TYPE: Final = {_TEXT: _text, _REAL: _real, _COUNT: _count, _TRUTH: _truth}
_CASTS: Final[Mapping[str, Mapping[str, Callable[[object], object]]]] = {
    table: {name: _BY_TYPE[kind] for name, kind in schema.items() if kind in _BY_TYPE}
    for table, schema in SCHEMAS.items()
}
"""What becomes of a message's field, by column; made once, for types of Polars are slow to compare."""


def table_frames(notes: Iterable[Note], table: str, rows: int = BATCH_NOTES) -> Iterator[pl.DataFrame]:
    """Yield the rows of one table, at most ``rows`` at a time; nothing when no note belongs to it."""
    waiting: list[Note] = []
    for note in notes:
        if note.table == table:
            waiting.append(note)
        if len(waiting) == rows:
            yield _frame(waiting, table)
            waiting = []
    if waiting:
        yield _frame(waiting, table)


def write_tables(directory: Path, notes: Iterable[Note]) -> tuple[FileFact, ...]:
    """Write each table that has notes, aside, read back and renamed.

    Parameters
    ----------
    directory : Path
        Directory of the recording.
    notes : Iterable of Note
        Read several times.

    Raises
    ------
    DiskFullError
        No room; nothing was replaced.
    DamagedError
        What was read back is not what was written.
    """
    found = (_write(directory / f"{name}.parquet", notes, name) for name in TABLES)
    return tuple(fact for fact in found if fact is not None)


def table_fact(path: Path) -> FileFact | None:
    """Name, size, rows and hash of a finished table; None when it is none that can be read."""
    try:
        return file_fact(path, pq.read_metadata(path).num_rows)
    except (OSError, pa.ArrowException):
        return None


def _write(path: Path, notes: Iterable[Note], table: str) -> FileFact | None:
    if next(table_frames(notes, table, 1), None) is None:
        return None
    aside = path.with_name(f".{path.name}.writing")
    aside.unlink(missing_ok=True)
    try:
        rows = _write_aside(aside, table_frames(notes, table), SCHEMAS[table])
        sync_file(aside)
        _check(aside, table_frames(notes, table))
        aside.replace(path)
    except OSError as problem:
        raise write_error(path, problem) from problem
    finally:
        aside.unlink(missing_ok=True)
    sync_directory(path.parent)
    return file_fact(path, rows)


def _write_aside(path: Path, tables: Iterable[pl.DataFrame], schema: pl.Schema) -> int:
    rows, kind = 0, schema.to_frame().to_arrow().schema
    with pq.ParquetWriter(path, kind, compression="zstd", write_page_checksum=True) as writer:
        for frame in tables:
            writer.write_table(frame.to_arrow(), row_group_size=BATCH_NOTES)
            rows += frame.height
    return rows


def _check(path: Path, tables: Iterable[pl.DataFrame]) -> None:
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            groups = (file.read_row_group(number) for number in range(file.num_row_groups))
            for group, frame in zip_longest(groups, tables):
                if group is None or frame is None or not group.equals(frame.to_arrow()):
                    raise _differs(path)
    except (pa.ArrowException, OSError) as problem:
        raise _differs(path) from problem


def _differs(path: Path) -> DamagedError:
    return DamagedError(
        f"{path.name} reads back as other rows than were written",
        action="Check the disk; nothing was replaced",
    )


def _frame(notes: list[Note], table: str) -> pl.DataFrame:
    columns: dict[str, list[Any]] = {name: [None] * len(notes) for name in SCHEMAS[table]}
    casts = _CASTS[table]
    for row, note in enumerate(notes):
        for name, value in (*LEFT_OUT.get(note.kind, {}).items(), *note.data.items()):
            if name in casts:
                columns[name][row] = casts[name](value)
    columns["ts"] = [note.ts for note in notes]
    columns["kind"] = [note.kind for note in notes]
    columns["data"] = [msgspec.json.encode(note.data).decode() for note in notes]
    return pl.DataFrame(columns, SCHEMAS[table])
