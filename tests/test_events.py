"""The event vocabulary: columns, batches, and their Polars and Arrow faces."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.events import batches
from workbench.errors import EventError
from workbench.events import (
    COLUMN_NAMES,
    COLUMNS,
    ROW_BYTES,
    EventBatch,
    EventKind,
    Flag,
    Side,
    arrow_schema,
    polars_schema,
)


def test_columns_are_the_contract() -> None:
    """Names, order and widths of the columns are those of the feed protocol and of recordings."""
    assert COLUMN_NAMES == (
        "ts",
        "ts_source",
        "kind",
        "side",
        "price",
        "size",
        "order_id",
        "aggressor_id",
        "flags",
    )
    assert [c.dtype.str for c in COLUMNS] == ["<i8", "<i8", "|u1", "|i1", "<i4", "<i8", "<i8", "<i8", "<u2"]
    assert ROW_BYTES == 48


def test_numbers_on_wire_and_disk_never_change_meaning() -> None:
    """Kinds, sides and flags keep the numbers that recordings hold."""
    assert [k.name for k in sorted(EventKind)] == [
        "DEPTH",
        "TRADE",
        "MBO_NEW",
        "MBO_REPLACE",
        "MBO_CANCEL",
        "CLEAR",
        "SNAPSHOT_END",
        "CLOCK",
        "GAP",
        "STATUS",
    ]
    assert [f.value for f in Flag] == [1, 2, 4, 8, 16, 32]
    assert (Side.BID, Side.BUY, Side.ASK, Side.SELL, Side.NONE) == (1, 1, -1, -1, 0)


@given(batch=batches())
def test_polars_and_arrow_round_trip(batch: EventBatch) -> None:
    """Every value survives the way through a Polars frame, and both faces have the declared schema."""
    frame = batch.to_polars()
    assert dict(frame.schema) == polars_schema()
    assert batch.to_arrow().schema.equals(arrow_schema())
    back = EventBatch.from_polars(frame)
    assert back == batch or not len(batch)


def test_frames_share_memory_with_the_columns() -> None:
    """A frame of a batch copies no column."""
    batch = EventBatch.of(0, ts=np.arange(1000), price=np.arange(1000))
    seen = batch.to_polars()["price"].to_numpy()
    assert np.shares_memory(seen, batch.price)


@given(batch=batches(gaps=False), cuts=st.lists(st.integers(0, 60), max_size=5))
def test_any_cut_joins_to_the_same_batch(batch: EventBatch, cuts: list[int]) -> None:
    """Slicing at arbitrary rows and concatenating gives back the batch."""
    edges = [0, *sorted(min(c, len(batch)) for c in cuts), len(batch)]
    parts = [batch[a:b] for a, b in itertools.pairwise(edges)]
    joined = EventBatch.concatenate(parts)
    assert joined == batch or not len(batch)


def test_slices_are_views_with_their_own_sequence() -> None:
    """A slice shares memory and starts at its row's number."""
    batch = EventBatch.of(10, ts=[1, 2, 3, 4])
    part = batch[1:3]
    assert (part.first_sequence, part.last_sequence, part.next_sequence) == (11, 12, 13)
    assert np.shares_memory(part.ts, batch.ts)


def test_a_gap_skips_the_numbers_it_lost() -> None:
    """A gap of 33 events at sequence 58 is followed by sequence 91; an unknown gap takes one number."""
    known = EventBatch.of(58, kind=EventKind.GAP, size=33)
    unknown = EventBatch.of(58, kind=EventKind.GAP, size=-1)
    assert (known.next_sequence, unknown.next_sequence) == (91, 59)


def test_a_gap_inside_a_batch_is_refused() -> None:
    """Rows are consecutive, so only the last row may skip numbers."""
    with pytest.raises(EventError, match="gap of 5 events in row 0 of 2"):
        EventBatch.of(0, kind=[EventKind.GAP, EventKind.TRADE], size=[5, 1])


def test_batches_with_a_hole_do_not_concatenate() -> None:
    """Joining across a hole would hide it."""
    with pytest.raises(EventError, match="sequence 7 after 1; expected sequence 2"):
        EventBatch.concatenate([EventBatch.of(0, ts=[1, 2]), EventBatch.of(7, ts=[3])])


def test_frames_with_a_hole_are_refused() -> None:
    """from_polars does not renumber rows silently."""
    frame = EventBatch.of(0, ts=[1, 2, 3]).to_polars().filter(pl.col("sequence") != 1)
    with pytest.raises(EventError, match="holes"):
        EventBatch.from_polars(frame)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c[:-1], "8 columns; expected 9"),
        (lambda c: [c[0].astype("i4"), *c[1:]], "'ts' of dtype int32"),
        (lambda c: [*c[:-1], c[-1][:1]], r"'flags' of dtype uint16 and shape \(1,\)"),
    ],
)
def test_malformed_columns_are_refused(change: object, message: str) -> None:
    """Wrong count, dtype or length names the column, what was found and what was expected."""
    columns = list(EventBatch.of(0, ts=[1, 2]).columns)
    with pytest.raises(EventError, match=message):
        EventBatch(change(columns))  # type: ignore[operator]


def test_unknown_column_names_are_refused() -> None:
    """A misspelt column is an error, not a silent zero."""
    with pytest.raises(EventError, match="unknown columns"):
        EventBatch.of(0, prize=1)


def test_repr_is_short_and_stable() -> None:
    """Notebooks compare reprs, so they hold no address."""
    assert repr(EventBatch.of(5, ts=[1, 2])) == "EventBatch(2 events, sequence 5–6)"
    assert repr(EventBatch.empty()) == "EventBatch(no events)"
