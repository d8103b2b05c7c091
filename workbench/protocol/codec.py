"""Binary face of market data: a fixed header, then the columns one after another.

=======  ======  =================================================================================
offset   type    meaning (little-endian)
=======  ======  =================================================================================
0        4 B     magic ``OFWB``
4        u8      version of this layout, 1
5        u8      frame kind: 1 contiguous, 2 with a sequence column, 3 snapshot
6        u16     number of columns, 9
8        u32     stream, as named by ``SUBSCRIBED``
12       u32     rows
16       i64     first sequence number this frame covers
24       i64     next sequence number after what it covers
32       i64     send time, ns UTC
40       …       the columns of :data:`workbench.events.COLUMNS`, each padded with zeros to 8 bytes;
                 kind 2 puts an int64 column of sequence numbers before them
=======  ======  =================================================================================

A frame *covers* ``[first, next)``: every number in it either has its row here, is filtered out by the subscription,
or is lost as its last row, a GAP, says. The next frame of the stream starts at ``next``; anything else is a loss or a
duplicate. A snapshot covers nothing: it is the state before ``next``. Its rows are numbered to end there, over all its
frames, so that a lost frame shows; the last one has ``first + rows == next``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Any, Final

import numpy as np

from workbench.errors import ProtocolError
from workbench.events import COLUMN_NAMES, COLUMNS, ROW_BYTES, Array, EventBatch, EventKind, IntArray

MAGIC: Final = b"OFWB"
FRAME_VERSION: Final = 1
HEADER: Final = struct.Struct("<4sBBHIIqqq")
COLUMN_ALIGNMENT: Final = 8

# Plain integers: looking a member up in an enumeration costs as much as a whole view of a column (Python 3.11).
_KIND, _SIDE, _SIZE = 2, 3, 5
_GAP: Final = int(EventKind.GAP)
_KINDS: Final = bytes(EventKind)
_SIDES: Final = b"\x00\x01\xff"
_POSITIVE: Final = bytes(range(128))
_INT64: Final = np.dtype("<i8")
_PADDING: Final = tuple(bytes(-n % COLUMN_ALIGNMENT) for n in range(COLUMN_ALIGNMENT))
_DTYPES: Final = tuple(column.dtype for column in COLUMNS)


class FrameKind(IntEnum):
    """What a binary frame holds."""

    CONTIGUOUS = 1
    SEQUENCED = 2
    SNAPSHOT = 3


_FRAME_KINDS: Final = {int(kind): kind for kind in FrameKind}
_CONTIGUOUS: Final = int(FrameKind.CONTIGUOUS)
_SEQUENCED: Final = int(FrameKind.SEQUENCED)
_SNAPSHOT: Final = int(FrameKind.SNAPSHOT)
CONTIGUOUS_HEAD: Final = MAGIC + bytes((FRAME_VERSION, _CONTIGUOUS)) + len(COLUMNS).to_bytes(2, "little")


@dataclass(slots=True)
class Frame:
    """One decoded binary frame.

    Parameters
    ----------
    kind : FrameKind
    stream : int
    batch : EventBatch
        For ``SEQUENCED`` frames only ``sequence`` numbers the rows; for snapshots nothing does.
    first, next : int
        Numbers covered, ``next`` excluded.
    send_ns : int, ns UTC
    sequence : array of int64, shape (n_rows,), or None
    """

    kind: FrameKind
    stream: int
    batch: EventBatch
    first: int
    next: int
    send_ns: int
    sequence: IntArray | None = None


def encode_batch(batch: EventBatch, stream: int, send_ns: int) -> bytes:
    """Frame of consecutive rows."""
    return _encode(_CONTIGUOUS, batch.columns, stream, batch.first_sequence, batch.next_sequence, send_ns)


def encode_filtered(batch: EventBatch, mask: Array, stream: int, send_ns: int) -> bytes:
    """Frame of the rows of ``mask``, shape (n_rows,); it covers the numbers of the whole batch."""
    sequence, columns = batch.where(mask)
    return _encode(
        _SEQUENCED, (sequence, *columns), stream, batch.first_sequence, batch.next_sequence, send_ns
    )


def encode_snapshot(batch: EventBatch, next_sequence: int, stream: int, send_ns: int) -> bytes:
    """Frame of (a part of) the state before ``next_sequence``; the last part ends with SNAPSHOT_END."""
    return _encode(_SNAPSHOT, batch.columns, stream, batch.first_sequence, next_sequence, send_ns)


def _encode(
    kind: int, columns: tuple[Array, ...], stream: int, first: int, following: int, send_ns: int
) -> bytes:
    count = len(columns[0])
    parts = [HEADER.pack(MAGIC, FRAME_VERSION, kind, len(COLUMNS), stream, count, first, following, send_ns)]
    for values in columns:
        parts.append(values.tobytes())
        parts.append(_PADDING[values.nbytes % COLUMN_ALIGNMENT])
    return b"".join(parts)


def frame_bytes(count: int, *, sequenced: bool = False) -> int:
    """Length of a frame of ``count`` rows."""
    return frame_layout(count, sequenced)[1]


@lru_cache(maxsize=1024)
def frame_layout(count: int, sequenced: bool = False) -> tuple[tuple[int, ...], int, np.dtype[Any]]:
    """Offsets of the columns, the length of the frame, and a dtype whose fields are its columns."""
    offset = HEADER.size + (8 * count if sequenced else 0)
    offsets = []
    for column in COLUMNS:
        offsets.append(offset)
        length = count * column.dtype.itemsize
        offset += length + -length % COLUMN_ALIGNMENT
    # Nine fields of one array cost a third of nine arrays over the same bytes (measured).
    formats = [(dtype, (count,)) for dtype in _DTYPES]
    fields = {"names": COLUMN_NAMES, "formats": formats, "offsets": offsets, "itemsize": offset}
    return tuple(offsets), offset, np.dtype(fields)  # type: ignore[call-overload]


def decode_frame(data: bytes | bytearray | memoryview) -> Frame:
    """Read one binary frame.

    Parameters
    ----------
    data : bytes-like
        A whole WebSocket message.

    Returns
    -------
    Frame
        Columns are writable, aligned views of one private copy of ``data``: read-only or unaligned arrays are
        other types to compiled kernels, and the copy costs less than one of the nine views.

    Raises
    ------
    ProtocolError
        ``bad_frame`` for anything that is no such frame; ``bad_version`` for a later layout.
    """
    buffer = bytearray(data)
    kind, stream, count, first, following, send_ns = _decode_header(buffer)
    sequenced = kind == _SEQUENCED
    if len(buffer) < count * ROW_BYTES:  # no layout is made for rows that are not there
        raise _bad(f"frame of {len(buffer)} bytes with {count} rows", f"more than {count * ROW_BYTES} bytes")
    offsets, length, fields = frame_layout(count, sequenced)
    if len(buffer) != length:
        raise _bad(f"frame of {len(buffer)} bytes with {count} rows", f"{length} bytes")
    _check_bytes(buffer, offsets, count)
    whole = np.ndarray((), fields, buffer)
    columns = tuple([whole[name] for name in COLUMN_NAMES])
    sequence = np.frombuffer(buffer, _INT64, count, HEADER.size) if sequenced else None
    frame = Frame(kind, stream, EventBatch.trusted(columns, first), first, following, send_ns, sequence)
    if count == 0 or not _is_plain_run(kind, buffer[offsets[_KIND] : offsets[_KIND] + count], frame):
        _check_coverage(frame)
    return frame


def _is_plain_run(kind: int, kinds: bytearray, frame: Frame) -> bool:
    """The usual frame: consecutive rows without any gap."""
    return (
        kind not in (_SEQUENCED, _SNAPSHOT) and _GAP not in kinds and frame.first + len(kinds) == frame.next
    )


def _bad(found: str, expected: str) -> ProtocolError:
    return ProtocolError(found, expected=expected, code="bad_frame")


def _decode_header(buffer: bytearray) -> tuple[FrameKind, int, int, int, int, int]:
    if len(buffer) < HEADER.size:
        raise _bad(f"frame of {len(buffer)} bytes", f"a header of {HEADER.size}")
    magic, version, kind, columns, stream, count, first, following, send_ns = HEADER.unpack_from(buffer)
    if magic != MAGIC:
        raise _bad(f"magic {bytes(magic)!r}", repr(MAGIC))
    if version != FRAME_VERSION or columns != len(COLUMNS):
        raise ProtocolError(
            f"frame version {version} with {columns} columns",
            expected=f"version {FRAME_VERSION} with {len(COLUMNS)}",
            action="Use the same version of the workbench on both sides",
            code="bad_version",
        )
    if kind not in _FRAME_KINDS:
        raise _bad(f"frame kind {kind}", "1, 2 or 3")
    return _FRAME_KINDS[kind], stream, count, first, following, send_ns


def _check_bytes(buffer: bytearray, offsets: tuple[int, ...], count: int) -> None:
    """Refuse kinds and sides that do not exist and sizes below 0, without a pass of numpy for each."""
    start = offsets[_KIND]
    if buffer[start : start + count].translate(None, _KINDS):
        raise _bad("rows of unknown kind", f"1–{max(EventKind)}")
    start = offsets[_SIDE]
    if buffer[start : start + count].translate(None, _SIDES):
        raise _bad("a side that is neither bid, ask nor none", "1, −1 or 0")
    start = offsets[_SIZE]
    if buffer[start + 7 : start + 8 * count : 8].translate(None, _POSITIVE):  # the bytes that hold the signs
        _check_sizes(buffer, offsets, count)


def _check_sizes(buffer: bytearray, offsets: tuple[int, ...], count: int) -> None:
    kind = np.frombuffer(buffer, np.uint8, count, offsets[_KIND])
    size = np.frombuffer(buffer, _INT64, count, offsets[_SIZE])
    negative = size < np.where(kind == _GAP, -1, 0)
    if negative.any():
        row = int(negative.argmax())
        raise _bad(f"size < 0: {int(size[row])} in row {row}", "sizes of at least 0; −1 only in a GAP")


def _check_coverage(frame: Frame) -> None:
    """Numbers must add up: a decoded frame is a batch like any other."""
    batch = frame.batch
    if frame.kind == _SNAPSHOT:
        consistent = frame.first + len(batch) <= frame.next
    elif frame.sequence is None:
        consistent = batch.next_sequence == frame.next
    else:
        consistent = _is_within(frame.sequence, frame.first, frame.next)
    if not consistent or not _gaps_last(batch):
        raise _bad(
            f"{len(batch)} rows that cover {frame.first} to {frame.next}",
            "consecutive numbers, a gap that skips only as last row",
        )


def _is_within(sequence: IntArray, first: int, following: int) -> bool:
    if not len(sequence):
        return first <= following
    ascending = bool((sequence[1:] > sequence[:-1]).all())
    return ascending and first <= int(sequence[0]) and int(sequence[-1]) < following


def _gaps_last(batch: EventBatch) -> bool:
    skipping = np.flatnonzero((batch.kind == _GAP) & (batch.size > 1))
    return not len(skipping) or int(skipping[0]) == len(batch) - 1
