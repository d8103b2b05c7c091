"""Between numpy columns and Arrow memory, without copies and without what strangers' bytes could do to us."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from workbench.errors import DamagedError, SchemaError, TooLargeError
from workbench.events import COLUMN_NAMES, COLUMNS, ROW_BYTES, Array, EventBatch, IntArray, arrow_schema

STORED_SCHEMA: Final = arrow_schema()
STORED_ROW_BYTES: Final = ROW_BYTES + 8
"""One row in memory with its sequence number."""
MEMORY_LIMIT_BYTES: Final = 512 * 2**20
_STORED: Final = (("sequence", np.dtype("<i8")), *((c.name, c.dtype) for c in COLUMNS))


def record_batch(columns: Sequence[Array], sequence: IntArray) -> pa.RecordBatch:
    """Arrow record batch of :func:`~workbench.events.arrow_schema` over the memory of numpy columns."""
    # pa.array(ndarray) would copy, and import pandas on its first call (0.4 s, measured).
    arrays = [
        pa.Array.from_buffers(kind, len(sequence), [None, pa.py_buffer(np.ascontiguousarray(values))])
        for kind, values in zip(STORED_SCHEMA.types, (sequence, *columns))
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=STORED_SCHEMA)


def columns_of(batch: pa.RecordBatch) -> tuple[IntArray, tuple[Array, ...]]:
    """Sequence numbers and event columns of an Arrow batch, sharing its memory.

    Raises
    ------
    DamagedError
        A null where none may be.
    """
    arrays: list[Array] = []
    for position, (name, dtype) in enumerate(_STORED):
        column = batch.column(position)
        if column.null_count:
            raise DamagedError(f"column {name!r} holds {column.null_count} nulls", expected="none")
        raw = column.buffers()[1]
        arrays.append(
            np.frombuffer(raw, dtype, len(column), column.offset * dtype.itemsize)
            if len(column)
            else np.empty(0, dtype)
        )
    return arrays[0], tuple(arrays[1:])


def consecutive(sequence: IntArray, columns: tuple[Array, ...]) -> Iterator[EventBatch]:
    """Cut rows where their sequence numbers jump, into batches."""
    if not len(sequence):
        return
    cuts = (np.flatnonzero(np.diff(sequence) != 1) + 1).tolist()
    for start, stop in zip([0, *cuts], [*cuts, len(sequence)]):
        yield EventBatch.trusted(tuple(c[start:stop] for c in columns), int(sequence[start]))


def check_schema(schema: pa.Schema, where: str) -> None:
    """Refuse columns that are not exactly ours.

    Raises
    ------
    SchemaError
        Names, order or types differ.
    """
    expected = STORED_SCHEMA
    if schema.names != expected.names or schema.types != expected.types:
        wrong = [
            f"{field.name}: {field.type}"
            for field in schema
            if field.name not in expected.names or field.type != expected.field(field.name).type
        ]
        raise SchemaError(
            f"{where} has columns {', '.join(wrong[:5]) or schema.names}",
            expected=f"sequence, {', '.join(COLUMN_NAMES)}",
            action="It is no recording of this workbench; import it instead",
        )


def check_size(rows: int, where: str, limit: int = MEMORY_LIMIT_BYTES, *, allow_large: bool = False) -> None:
    """Refuse to read what would not fit the limit, before reading it.

    Raises
    ------
    TooLargeError
        ``rows`` rows need more than ``limit`` bytes.
    """
    needed = rows * STORED_ROW_BYTES
    if needed > limit and not allow_large:
        raise TooLargeError(
            f"{where} would need {_binary(needed)} (limit {_binary(limit)})",
            action="Pass allow_large=True if you trust it",
            needed=needed,
            limit=limit,
        )


def check_message(message: bytes | memoryview, rows: int) -> None:
    """Check that a record-batch message unpacks to exactly ``rows`` rows of ours, before unpacking it.

    Each compressed buffer leads with the length that it claims to unpack to; 12 kB can claim 400 MB.

    Raises
    ------
    DamagedError
        Anything but one plain record batch of our columns with ``rows`` rows.
    """
    try:
        claimed = _unpacked_lengths(memoryview(message))
    except (struct.error, IndexError, ValueError):
        raise DamagedError("bytes that are no Arrow record batch") from None
    expected = [rows * dtype.itemsize for _, dtype in _STORED]
    if claimed != expected:
        raise DamagedError(f"a batch that unpacks to {sum(claimed)} bytes", expected=f"{sum(expected)}")


def _unpacked_lengths(message: memoryview) -> list[int]:
    # Encapsulated message: 0xFFFFFFFF, int32 length of the flatbuffer, flatbuffer, body (Arrow format, IPC).
    marker, length = struct.unpack_from("<Ii", message, 0)
    if marker != 0xFFFFFFFF or length <= 0:
        raise ValueError("no encapsulated message")
    header, body = message[8 : 8 + length], message[8 + length :]
    root = struct.unpack_from("<I", header, 0)[0]
    batch = _field(header, root, 2)
    vector = _field(header, batch, 2)
    count = struct.unpack_from("<I", header, vector)[0]
    if count != 2 * len(_STORED):
        raise ValueError("another number of buffers")
    spans = struct.unpack_from(f"<{2 * count}q", header, vector + 4)
    return [_unpacked_length(body, spans[4 * k + 2], spans[4 * k + 3]) for k in range(len(_STORED))]


def _field(header: memoryview, table: int, slot: int) -> int:
    """Position of what a flatbuffer table's offset field points to."""
    vtable = table - struct.unpack_from("<i", header, table)[0]
    place = table + struct.unpack_from("<H", header, vtable + 4 + 2 * slot)[0]
    if place == table or vtable < 0:
        raise ValueError("missing field")
    return int(place + struct.unpack_from("<I", header, place)[0])


def _unpacked_length(body: memoryview, offset: int, length: int) -> int:
    if offset < 0 or length < 0 or offset + length > len(body):
        raise ValueError("buffer outside the body")
    if not length:
        return 0
    claimed = int(struct.unpack_from("<q", body, offset)[0])
    return length - 8 if claimed == -1 else claimed


def _binary(size: int) -> str:
    unit = "GiB" if size >= 2**30 else "MiB"
    return f"{size / (2**30 if unit == 'GiB' else 2**20):.{1 if unit == 'GiB' else 0}f} {unit}"
