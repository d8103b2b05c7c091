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
    "POSITION": {"realized": 0.0, "unrealized": 0.0, "volume": 0.0, "working_buys": 0, "working_sells": 0},
    "BALANCE": {"realized": 0.0, "unrealized": 0.0},
    "TRADING": {"possible": False, "permitted": False, "armed": False},
    "DRAWN": {"where": "chart"},
}
"""What a message of the protocol says by leaving a field out."""

_ACCEPTED: Final[Mapping[pl.DataType, Callable[[object], bool]]] = {
    _TEXT: lambda value: isinstance(value, str) and value != "",
    _REAL: lambda value: isinstance(value, float) or (type(value) is int and abs(value) <= 2**63),
    _COUNT: lambda value: type(value) is int and -(2**63) <= value < 2**63,
    _TRUTH: lambda value: isinstance(value, bool),
}


def table_frames(notes: Iterable[Note], table: str, rows: int = BATCH_NOTES) -> Iterator[pl.DataFrame]:
    """Yield the rows of one table, at most ``rows`` at a time; nothing when no note belongs to it."""
    waiting: list[dict[str, Any]] = []
    for note in notes:
        if note.table == table:
            waiting.append(_row(note, SCHEMAS[table]))
        if len(waiting) == rows:
            yield pl.DataFrame(waiting, SCHEMAS[table])
            waiting = []
    if waiting:
        yield pl.DataFrame(waiting, SCHEMAS[table])


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


def _row(note: Note, schema: pa.Schema) -> dict[str, Any]:
    said = {**LEFT_OUT.get(note.kind, {}), **note.data}
    row = {
        name: said.get(name) if (accepts := _ACCEPTED.get(kind)) and accepts(said.get(name)) else None
        for name, kind in schema.items()
    }
    return row | {"ts": note.ts, "kind": note.kind, "data": msgspec.json.encode(note.data).decode()}
