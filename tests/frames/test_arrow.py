"""Foreign bytes are measured before they are unpacked."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest

from tests.support.recordings import INSTRUMENT, reference
from workbench.errors import DamagedError, SchemaError, TooLargeError
from workbench.events import EventBatch
from workbench.frames.arrow import (
    check_message,
    check_schema,
    check_size,
    columns_of,
    consecutive,
    record_batch,
)
from workbench.frames.journal import _Messages, stream_schema

EVENTS = reference(5_000)


def message(batch: EventBatch = EVENTS) -> bytes:
    return _Messages(stream_schema(INSTRUMENT)).of(batch)


def test_whole_messages_pass() -> None:
    """A message of ours unpacks to what its index says, compressed well or not at all."""
    check_message(message(), len(EVENTS))
    rng = np.random.default_rng(1)
    noise = EventBatch.of(0, ts=rng.integers(0, 2**62, 100), order_id=rng.integers(0, 2**62, 100))
    check_message(message(noise), 100)


@pytest.mark.parametrize("rows", [0, 1, len(EVENTS) - 1, len(EVENTS) + 1, 2**31])
def test_other_row_counts_are_refused(rows: int) -> None:
    """A message that would unpack to more or less than promised is refused before it is unpacked."""
    with pytest.raises(DamagedError, match="unpacks to"):
        check_message(message(), rows)


def test_a_bomb_is_refused_unread() -> None:
    """A few kB that claim 400 MB are refused by what they claim."""
    zeros = record_batch(
        EventBatch.of(0, ts=np.zeros(4_000_000, np.int64)).columns, np.zeros(4_000_000, np.int64)
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, zeros.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as stream:
        stream.write_batch(zeros)
    bomb = sink.getvalue().to_pybytes().removeprefix(zeros.schema.serialize().to_pybytes())
    assert len(bomb) < 100_000
    with pytest.raises(DamagedError, match="expected 560000"):
        check_message(bomb, 10_000)


def test_mutated_messages_raise_nothing_else() -> None:
    """Any bytes are either ours or damage."""
    rng, whole = random.Random(4), message(EVENTS[:50])
    for _ in range(1_500):
        content = bytearray(whole[: rng.randrange(len(whole) + 1)])
        for _ in range(rng.randrange(6)):
            if content:
                content[rng.randrange(len(content))] = rng.randrange(256)
        try:
            check_message(bytes(content), 50)
        except DamagedError:
            continue


def test_sizes_are_told_in_words() -> None:
    """The error names need, limit and the way round it."""
    with pytest.raises(TooLargeError, match=r"would need 1\.6 GiB \(limit 512 MiB\)\. Pass allow_large=True"):
        check_size(30_000_000, "bomb.parquet")
    check_size(30_000_000, "large.parquet", allow_large=True)


def test_foreign_schemas_are_refused() -> None:
    """Other columns, other types, another order: not ours."""
    ours = stream_schema(INSTRUMENT)
    check_schema(ours, "x")
    for foreign in (
        pa.schema([]),
        ours.append(pa.field("more", pa.int8())),
        ours.set(1, pa.field("ts", pa.int64())),
        pa.schema(list(ours)[::-1]),
    ):
        with pytest.raises(SchemaError):
            check_schema(foreign, "x")


def test_columns_survive_arrow() -> None:
    """To Arrow and back is the same memory and the same rows; slices too."""
    batch = record_batch(EVENTS.columns, EVENTS.sequence)
    sequence, columns = columns_of(batch.slice(100, 50))
    assert EventBatch(columns, int(sequence[0])) == EVENTS[100:150]
    assert np.shares_memory(columns[0], EVENTS.ts)


def test_nulls_are_damage() -> None:
    """A null has no place in any column."""
    batch = record_batch(EVENTS[:3].columns, EVENTS[:3].sequence)
    holed = batch.set_column(0, "sequence", pa.array([0, None, 2], pa.int64()))
    with pytest.raises(DamagedError, match="1 nulls"):
        columns_of(holed)


def test_rows_are_cut_where_numbers_jump() -> None:
    """Each batch is consecutive."""
    sequence = np.array([1, 2, 3, 7, 8, 20])
    parts = list(consecutive(sequence, EVENTS[:6].columns))
    assert [(p.first_sequence, len(p)) for p in parts] == [(1, 3), (7, 2), (20, 1)]
