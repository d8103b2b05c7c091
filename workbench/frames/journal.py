"""The journal: what a live recording writes, so that no crash can take back what was acknowledged.

Two files per segment. ``journal-NNNN.arrows`` is an Arrow IPC stream: the schema message, then one LZ4 record
batch per flush, each written by one ``write`` on an unbuffered, append-only, exclusively created descriptor. Any
Arrow tool reads it. ``journal-NNNN.index`` holds a record of 32 bytes for each batch, little-endian::

    offset u64 | length u32 | crc32 u32 | first sequence i64 | count u32 | crc32 of these 28 bytes u32

A batch is acknowledged after both writes. Records of length 0 are marks, whose ``offset`` is the time in ns and
whose ``count`` says what happened (:class:`Mark`): the segment was opened, it was alive at that time (each second, so
that a quiet market differs from a dead recorder), it was closed, or a sync failed. The reader trusts nothing but
these checksums: plain Arrow and Parquet readers return wrong rows after a flipped bit, or none after a cut.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import struct
import zlib
from enum import IntEnum
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
from pyarrow import ipc

from workbench.errors import RecordingError
from workbench.events import EventBatch, Instrument, arrow_schema
from workbench.frames.durable import create, sync_directory, write_error, write_whole

INDEX_RECORD: Final = struct.Struct("<QIIqII")
_UNSIGNED_RECORD: Final = struct.Struct("<QIIqI")
BATCH_ROWS: Final = 65_536
"""Most rows of one batch; a reader refuses more than :data:`BATCH_ROWS_LIMIT`."""
BATCH_ROWS_LIMIT: Final = 1_048_576
METADATA_KEY: Final = b"orderflow"


class Mark(IntEnum):
    """What an index record of length 0 says."""

    OPEN = 1
    ALIVE = 2
    CLOSED = 3
    SUSPECT = 4  # a sync failed: the last second of this segment may not have reached the device


def journal_path(directory: Path, segment: int) -> Path:
    """Path of a segment's Arrow stream."""
    return directory / f"journal-{segment:04d}.arrows"


def index_path(journal: Path) -> Path:
    """Path of the index beside a segment's Arrow stream."""
    return journal.with_suffix(".index")


def pack_record(offset: int, length: int, crc: int, first_sequence: int, count: int) -> bytes:
    """One index record with its own checksum."""
    fields = _UNSIGNED_RECORD.pack(offset, length, crc, first_sequence, count)
    return fields + zlib.crc32(fields).to_bytes(4, "little")


class Sealed(NamedTuple):
    """One batch as it stands in a journal."""

    message: bytes
    crc: int
    first_sequence: int
    rows: int
    next_sequence: int


class Journal:
    """One segment being written.

    Parameters
    ----------
    directory : Path
        Directory of the recording.
    segment : int
        Number of the segment; its files must not exist.
    instrument : Instrument
        Written into the schema, so that the file explains itself.
    first_sequence : int
        Number of the first event to come.
    now_ns : int
        Wall time, ns.

    Raises
    ------
    RecordingError
        The files exist, or cannot be created.
    DiskFullError
        No room.
    """

    def __init__(
        self, directory: Path, segment: int, instrument: Instrument, first_sequence: int, now_ns: int
    ):
        self.path = journal_path(directory, segment)
        self.segment = segment
        self.next_sequence = first_sequence
        self.bytes_written = 0
        self._messages = _Messages(stream_schema(instrument))
        self._data = create(self.path)
        try:
            self._index = create(index_path(self.path))
        except BaseException:
            os.close(self._data)
            raise
        try:
            _lock(self._index)
            self._write_data(self._messages.schema)
            self.mark(Mark.OPEN, now_ns)
            sync_directory(directory)
        except BaseException:
            self.release()
            raise

    def append(self, batch: EventBatch) -> Sealed:
        """Write one batch; when this returns, the batch is acknowledged.

        Parameters
        ----------
        batch : EventBatch
            At most :data:`BATCH_ROWS` rows.

        Returns
        -------
        Sealed
            The bytes that were written, should another segment have to repeat them.

        Raises
        ------
        DiskFullError
            No room; what was acknowledged before stays readable.
        RecordingError
            The device failed.
        """
        message = self._messages.of(batch)
        sealed = Sealed(message, zlib.crc32(message), batch.first_sequence, len(batch), batch.next_sequence)
        self.write(sealed)
        return sealed

    def write(self, sealed: Sealed) -> None:
        """Write a batch that is a message already, as :meth:`append` of this or another segment returned it."""
        offset = self.bytes_written
        self._write_data(sealed.message)
        record = pack_record(offset, len(sealed.message), sealed.crc, sealed.first_sequence, sealed.rows)
        write_whole(self._index, record, self.path)
        self.next_sequence = sealed.next_sequence

    def mark(self, what: Mark, now_ns: int) -> None:
        """Write a mark with the next sequence number."""
        write_whole(self._index, pack_record(now_ns, 0, 0, self.next_sequence, what), self.path)

    def sync(self) -> None:
        """Force both files to the device.

        Raises
        ------
        RecordingError
            The device failed. Never try again on this segment: the system may have dropped the pages and would
            then report success.
        """
        try:
            os.fsync(self._data)
            os.fsync(self._index)
        except OSError as problem:
            raise write_error(self.path, problem) from problem

    def close(self, now_ns: int, mark: Mark = Mark.CLOSED) -> None:
        """Write the closing mark if that is still possible, and release the files."""
        with contextlib.suppress(RecordingError):
            self.mark(mark, now_ns)
            if mark is Mark.CLOSED:
                self.sync()
        self.release()

    def release(self) -> None:
        """Close the descriptors, without a mark: as a crash would."""
        for descriptor in (self._data, self._index):
            with contextlib.suppress(OSError):
                os.close(descriptor)
        self._data = self._index = -1

    def _write_data(self, message: bytes) -> None:
        try:
            write_whole(self._data, message, self.path)
        except RecordingError:
            # Drop the torn message, so that plain Arrow readers end cleanly as well; ours needs no help.
            with contextlib.suppress(OSError):
                os.ftruncate(self._data, self.bytes_written)
            raise
        self.bytes_written += len(message)


class _Messages:
    """Encapsulated Arrow messages of one stream, one by one."""

    def __init__(self, schema: pa.Schema):
        self.schema = bytes(schema.serialize())
        self._kind = schema
        self._sink = _Sink()
        # Half the time of zstd at twice the bytes, until the recording is closed and becomes Parquet (measured).
        options = ipc.IpcWriteOptions(compression="lz4", use_threads=False)
        self._writer = ipc.new_stream(pa.PythonFile(self._sink, "w"), schema, options=options)

    def of(self, batch: EventBatch) -> bytes:
        """Message of one batch, compressed."""
        self._writer.write_batch(batch.to_arrow().replace_schema_metadata(self._kind.metadata))
        # The writer puts the schema before its first batch; here it has been written already.
        return self._sink.take().removeprefix(self.schema)


class _Sink(io.RawIOBase):
    """A file that keeps what is written until it is taken."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        whole = b"".join(self._parts)
        self._parts.clear()
        return whole


def stream_schema(instrument: Instrument) -> pa.Schema:
    """Arrow schema of recordings, with the instrument in its metadata."""
    return arrow_schema().with_metadata({METADATA_KEY: json.dumps(instrument.to_dict(), default=str)})


def _lock(descriptor: int) -> None:
    # The system drops the lock when the process dies, however it dies: that is how a reader tells a live
    # recording from a crashed one. Without flock (Windows) every unclosed journal counts as crashed.
    with contextlib.suppress(ImportError, OSError):
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
