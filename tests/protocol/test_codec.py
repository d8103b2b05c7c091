"""Binary frames: what is written comes back, and no bytes do harm."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from tests.support.wire import market_batches
from workbench.errors import ProtocolError
from workbench.events import COLUMNS, EventBatch, EventKind
from workbench.protocol.codec import (
    HEADER,
    Frame,
    FrameKind,
    decode_frame,
    encode_batch,
    encode_filtered,
    encode_snapshot,
    frame_bytes,
)


@given(market_batches(), st.integers(0, 2**32 - 1), st.integers(-(2**63), 2**63 - 1))
def test_contiguous_frame_comes_back(batch: EventBatch, stream: int, send_ns: int) -> None:
    """A batch survives the wire with numbers, stream and send time."""
    data = encode_batch(batch, stream, send_ns)
    frame = decode_frame(data)
    assert frame.batch == batch
    assert (frame.kind, frame.stream, frame.send_ns) == (FrameKind.CONTIGUOUS, stream, send_ns)
    assert (frame.first, frame.next) == (batch.first_sequence, batch.next_sequence)
    assert len(data) == frame_bytes(len(batch))


@given(market_batches(gaps=False), st.data())
def test_filtered_frame_keeps_its_numbers(batch: EventBatch, data: st.DataObject) -> None:
    """A filtered frame names the number of each row and covers those of the rows left out."""
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(batch), max_size=len(batch))))
    encoded = encode_filtered(batch, mask, 3, 4)
    frame = decode_frame(encoded)
    sequence, columns = batch.where(mask)
    assert frame.sequence is not None
    assert np.array_equal(frame.sequence, sequence)
    assert all(np.array_equal(a, b) for a, b in zip(frame.batch.columns, columns))
    assert (frame.first, frame.next) == (batch.first_sequence, batch.next_sequence)
    assert len(encoded) == frame_bytes(len(sequence), sequenced=True)


def test_decoded_columns_are_writable_and_aligned() -> None:
    """Compiled kernels get arrays of the one type they were compiled for, whatever the buffer was."""
    data = b"x" + encode_batch(EventBatch.of(1, ts=[1, 2, 3], kind=1, side=1), 1, 1)
    for values in decode_frame(memoryview(data)[1:]).batch.columns:
        assert values.flags.writeable and values.flags.aligned and values.flags.c_contiguous


@given(st.binary(max_size=400))
def test_any_bytes_raise_protocol_error_only(data: bytes) -> None:
    """Bytes that are no frame are refused, never anything worse."""
    with pytest.raises(ProtocolError):
        decode_frame(data)


@given(market_batches(max_rows=5), st.data())
def test_damaged_frame_is_refused_or_still_a_valid_batch(batch: EventBatch, data: st.DataObject) -> None:
    """Changing any byte gives ProtocolError, or columns that pass every check of a batch."""
    damaged = bytearray(encode_batch(batch, 1, 2))
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(1, 255))
    _decode_or_refuse(bytes(damaged))


@given(market_batches(max_rows=5), st.data())
def test_truncated_frame_is_refused(batch: EventBatch, data: st.DataObject) -> None:
    """No frame is mistaken for a shorter one."""
    whole = encode_batch(batch, 1, 2)
    with pytest.raises(ProtocolError):
        decode_frame(whole[: data.draw(st.integers(0, len(whole) - 1))])


def _decode_or_refuse(data: bytes) -> None:
    try:
        frame: Frame = decode_frame(data)
    except ProtocolError as error:
        assert error.code in {"bad_frame", "bad_version"}
        return
    if frame.sequence is None:
        EventBatch(frame.batch.columns, frame.first)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        (2, 0, "unknown kind"),
        (2, 11, "unknown kind"),
        (3, 2, "neither bid, ask nor none"),
        (5, -1, "size < 0"),
    ],
)
def test_impossible_values_are_named(column: int, value: int, words: str) -> None:
    """Kinds and sides that do not exist and sizes below 0 are refused in words."""
    columns = list(EventBatch.of(0, ts=[1, 2], kind=1, side=1, size=1).columns)
    columns[column] = np.array([1, value], dtype=COLUMNS[column].dtype)
    with pytest.raises(ProtocolError, match=words):
        decode_frame(encode_batch(EventBatch.trusted(tuple(columns), 0), 1, 1))


def test_gap_of_unknown_size_may_be_minus_one() -> None:
    """−1 is a size for GAP rows only."""
    gap = EventBatch.of(4, kind=int(EventKind.GAP), size=-1)
    assert decode_frame(encode_batch(gap, 1, 1)).next == 5


def test_header_that_claims_many_rows_reserves_nothing() -> None:
    """A count that does not fit the bytes is refused before any array is made."""
    header = HEADER.pack(b"OFWB", 1, 1, 9, 0, 2**32 - 1, 0, 2**32 - 1, 0)
    with pytest.raises(ProtocolError, match=f"frame of 40 bytes with {2**32 - 1} rows"):
        decode_frame(header)


def test_later_layout_says_so() -> None:
    """A frame of version 2 asks for equal versions on both sides."""
    data = bytearray(encode_batch(EventBatch.of(0, kind=1), 1, 1))
    data[4] = 2
    with pytest.raises(ProtocolError, match="frame version 2"):
        decode_frame(data)


def test_snapshot_rows_end_where_the_data_goes_on() -> None:
    """Each part of a snapshot numbers its rows towards ``next``, so that a lost part shows."""
    batch = EventBatch.of(7, kind=[6, 1, 1, 7], side=[0, 1, -1, 0])
    parts = [decode_frame(encode_snapshot(part, 11, 2, 3)) for part in (batch[:2], batch[2:])]
    assert [(p.first, len(p.batch), p.next) for p in parts] == [(7, 2, 11), (9, 2, 11)]
    with pytest.raises(ProtocolError, match="cover"):
        decode_frame(encode_snapshot(batch, 10, 2, 3))
